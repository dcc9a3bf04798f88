//! Any bytes as the two sides of a connection: the first byte is where they part, the second how they are cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nephoscope::model::{Budget, FrameNo, Run, RunKind, Side, Timestamp};
use nephoscope::protocols::http::Wanted;
use nephoscope::protocols::http1::Connection;

fuzz_target!(|bytes: &[u8]| {
    let [part, step, rest @ ..] = bytes else { return };
    let at = rest.len() * usize::from(*part) / 256;
    let mut connection = Connection::new(&Budget::default(), Wanted::Bodies);
    let mut out = Vec::new();
    for (side, bytes) in [(Side::Client, &rest[..at]), (Side::Server, &rest[at..])] {
        let mut offset = 0;
        for (i, piece) in bytes.chunks(usize::from(*step).max(1)).enumerate() {
            let kind = if piece[0] == 0 { RunKind::Gap(piece.len() as u64) } else { RunKind::Data(piece.into()) };
            let run = Run { side, offset, frame: FrameNo(i as u32 + 1), time: Timestamp(0), kind };
            connection.feed(&run, &mut out);
            offset += piece.len() as u64;
        }
    }
    connection.finish(&mut out);
});
