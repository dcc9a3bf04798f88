//! Any bytes as the two sides of a WebSocket: the first byte is where they part, the second how they are cut. A piece that
//! begins with 0xee is a hole.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nephoscope::model::{Budget, FrameNo, Run, RunKind, Side, Timestamp};
use nephoscope::protocols::http::Wanted;
use nephoscope::protocols::websocket::{Session, SessionLimits};

fuzz_target!(|bytes: &[u8]| {
    let [part, step, rest @ ..] = bytes else { return };
    let at = rest.len() * usize::from(*part) / 256;
    let mut session = Session::new(&SessionLimits::new(&Budget::default()), Wanted::Bodies);
    for (side, bytes) in [(Side::Client, &rest[..at]), (Side::Server, &rest[at..])] {
        let mut offset = 0;
        for (i, piece) in bytes.chunks(usize::from(*step).max(1)).enumerate() {
            let kind = if piece[0] == 0xee { RunKind::Gap(piece.len() as u64) } else { RunKind::Data(piece.into()) };
            let run = Run { side, offset, frame: FrameNo(i as u32 + 1), time: Timestamp(0), kind };
            session.feed(side, &run);
            offset += piece.len() as u64;
        }
    }
    let _all = session.finish();
});
