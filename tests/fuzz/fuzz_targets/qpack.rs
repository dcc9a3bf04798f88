//! Any bytes as instructions of an encoder stream and as field sections, by turns: the first byte of each piece says which,
//! and how long it is. The other side allows a table of 4096 bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nephoscope::model::{Budget, FrameNo, Run, RunKind, Side, Timestamp};
use nephoscope::protocols::http::Wanted;
use nephoscope::protocols::http3::Connection;
use nephoscope::protocols::quic::{Act, StreamPiece};

fuzz_target!(|bytes: &[u8]| {
    let mut connection = Connection::new(&Budget::default(), Wanted::Bodies, Side::Client);
    let (mut out, mut rest, mut stream) = (Vec::new(), bytes, 0);
    let mut feed = |stream: u64, side: Side, bytes: Vec<u8>| {
        let kind = RunKind::Data(bytes.into());
        let run = Run { side, offset: 0, frame: FrameNo(1), time: Timestamp(0), kind };
        let number = connection.opened();
        connection.feed(StreamPiece { connection: 0, stream, run, act: Act::Read }, number, &mut out);
    };
    feed(3, Side::Server, vec![0, 4, 3, 1, 0x50, 0]);
    feed(2, Side::Client, vec![2, 0x3f, 0xe1, 0x1f]);
    while let [how, more @ ..] = rest {
        let (piece, after) = more.split_at((usize::from(how >> 1)).min(more.len()));
        rest = after;
        if how & 1 == 0 {
            feed(2, Side::Client, piece.to_vec());
        } else {
            let [high, low] = (0x4000 | piece.len() as u16).to_be_bytes();
            feed(stream, Side::Client, [&[1, high, low], piece].concat());
            stream += 4;
        }
    }
    connection.finish(&mut out);
});
