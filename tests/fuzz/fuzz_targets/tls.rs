//! Any bytes as the two sides of a connection: the first byte is where they part, the second how they are cut. Half of them
//! are read with a key log that fits the first random there is, so that records are decrypted too.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use nephoscope::model::{Budget, FrameNo, KeyLog, Run, RunKind, Side, Timestamp};
use nephoscope::protocols::tls::{Connection, Tools};

fuzz_target!(|bytes: &[u8]| {
    let [part, step, rest @ ..] = bytes else { return };
    let at = rest.len() * usize::from(*part) / 256;
    let mut connection = Connection::new(&Budget::default());
    let (mut tools, mut out) = (Tools::default(), Vec::new());
    if step % 2 == 1
        && let Some(random) = rest.get(11..43)
    {
        let random: String = random.iter().map(|b| format!("{b:02x}")).collect();
        let mut keys = KeyLog::new(1 << 20);
        for label in ["CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0"] {
            keys.read(format!("{label} {random} {}", "11".repeat(32)).as_bytes());
        }
        keys.read(format!("CLIENT_RANDOM {random} {}", "22".repeat(48)).as_bytes());
        tools.keys = Arc::new(keys);
    }
    for (side, bytes) in [(Side::Client, &rest[..at]), (Side::Server, &rest[at..])] {
        let mut offset = 0;
        for (i, piece) in bytes.chunks(usize::from(*step).max(1)).enumerate() {
            let kind = if piece[0] == 0 { RunKind::Gap(piece.len() as u64) } else { RunKind::Data(piece.into()) };
            let run = Run { side, offset, frame: FrameNo(i as u32 + 1), time: Timestamp(0), kind };
            connection.feed(&run, &mut tools, &mut out);
            offset += piece.len() as u64;
        }
    }
    connection.close(&mut tools, &mut out);
    connection.finish([0; 2], &mut out);
});
