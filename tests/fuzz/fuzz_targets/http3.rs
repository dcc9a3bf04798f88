//! Any bytes as pieces of the streams of a connection: the first byte of each piece says on which stream and side, the second
//! how long it is and what happens.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nephoscope::model::{Budget, FrameNo, Run, RunKind, Side, Timestamp};
use nephoscope::protocols::http::Wanted;
use nephoscope::protocols::http3::Connection;
use nephoscope::protocols::quic::{Act, StreamPiece};

fuzz_target!(|bytes: &[u8]| {
    let mut connection = Connection::new(&Budget::default(), Wanted::Bodies, Side::Client);
    let (mut out, mut rest, mut frame) = (Vec::new(), bytes, 0);
    let mut offsets = [[0_u64; 16]; 2];
    while let [whose, how, more @ ..] = rest {
        let (piece, after) = more.split_at((usize::from(how >> 2)).min(more.len()));
        rest = after;
        let (side, stream) = (whose & 1, u64::from(whose >> 1 & 15));
        let offset = &mut offsets[usize::from(side)][stream as usize];
        let (kind, act) = match (how & 3, whose >> 5) {
            (0, 0) => (RunKind::End, Act::Reset),
            (0, 1) => (RunKind::End, Act::Stopped),
            (0, _) => (RunKind::End, Act::Read),
            (1, 0) => (RunKind::Gap(piece.len() as u64), Act::Read),
            _ => (RunKind::Data(piece.to_vec().into()), Act::Read),
        };
        let side = if side == 0 { Side::Client } else { Side::Server };
        frame += 1;
        let run = Run { side, offset: *offset, frame: FrameNo(frame), time: Timestamp(0), kind };
        *offset += piece.len() as u64;
        let number = connection.opened();
        connection.feed(StreamPiece { connection: 0, stream, run, act }, number, &mut out);
    }
    connection.previews();
    connection.finish(&mut out);
});
