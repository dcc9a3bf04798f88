//! Any bytes as the frames of 1-RTT packets that authenticate, in any order of numbers: the first byte of each piece is the
//! packet's number, the second says whose it is and how long. What streams carry is read as HTTP/3 and as DNS.
#![no_main]

use std::sync::Arc;

use aes::Aes128;
use aes::cipher::{Array, BlockCipherEncrypt as _};
use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes128Gcm, Nonce};
use libfuzzer_sys::fuzz_target;
use nephoscope::model::{Budget, FrameNo, KeyLog, Run, RunKind, Side, Timestamp};
use nephoscope::protocols::http::Wanted;
use nephoscope::protocols::quic::Connections;
use nephoscope::protocols::tls::Tools;
use nephoscope::protocols::{dns, http3};

/// Key, nonce and header protection of the client of RFC 9001 appendix A.1, then of the traffic secrets 0303… and 0404….
const KEYS: [[&str; 3]; 3] = [
    ["1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2"],
    ["a34dbeeb63897a7fde89d1ca03d3ac32", "d0d197a95aadc0a27fcdf3d0", "c1e6a87bd0fb42c04c8c173cee36583f"],
    ["d8b45c2462fc3bcc0ef6b67b7ca9fbaf", "896f87889053d09c0e908f4d", "fa7c3c675763311d597ebc57d9d742a9"],
];
/// The ClientHello of that appendix.
const HELLO: &str = "010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c706e000500050100000000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e0403050306030203080408050806002d00020101001c00024001003900320408ffffffffffffffff05048000ffff07048000ffff0801100104800075300901100f088394c8f03e51570806048000ffff";

fn bytes(digits: &str) -> Vec<u8> {
    (0..digits.len() / 2).map(|i| u8::from_str_radix(&digits[i * 2..i * 2 + 2], 16).unwrap()).collect()
}

/// A packet with this header, whose last byte is the number.
fn seal([key, iv, hp]: [&str; 3], mut head: Vec<u8>, frames: &[u8]) -> Vec<u8> {
    let mut frames = frames.to_vec();
    frames.resize(frames.len().max(4), 0);
    let mut nonce: [u8; 12] = bytes(iv).try_into().unwrap();
    nonce[11] ^= head[head.len() - 1];
    let msg = Payload { msg: &frames, aad: &head };
    let sealed = Aes128Gcm::new_from_slice(&bytes(key)).unwrap().encrypt(&Nonce::from(nonce), msg).unwrap();
    let mut mask = Array::from(*sealed[3..].first_chunk::<16>().unwrap());
    Aes128::new_from_slice(&bytes(hp)).unwrap().encrypt_block(&mut mask);
    head[0] ^= mask[0] & if head[0] & 0x80 == 0 { 0x1f } else { 0x0f };
    *head.last_mut().unwrap() ^= mask[1];
    [head, sealed].concat()
}

fuzz_target!(|input: &[u8]| {
    let budget = Budget::default();
    let mut keys = KeyLog::new(1 << 20);
    for (label, byte) in [("CLIENT", "03"), ("SERVER", "04")] {
        let line = format!("{label}_TRAFFIC_SECRET_0 {} {}\n", &HELLO[12..76], byte.repeat(32));
        keys.read(line.as_bytes());
    }
    let mut tools = Tools { keys: Arc::new(keys), ..Tools::default() };
    let mut connections = Connections::new(&budget);
    let mut http = http3::Connection::new(&budget, Wanted::Bodies, Side::Client);
    let mut lookups = dns::QuicReader::new(&budget);
    let (mut out, mut exchanges, mut messages) = (Vec::new(), Vec::new(), Vec::new());
    let hello = [&[6, 0, 0x40, 0xf1][..], &bytes(HELLO)].concat();
    let [high, low] = (0x4000 | (hello.len() + 17) as u16).to_be_bytes();
    let origin = bytes("8394c8f03e515708");
    let head = [&[0xc0, 0, 0, 0, 1, 8][..], &origin, &[1, 7, 0, high, low, 0]].concat();
    let mut datagrams = vec![(Side::Client, seal(KEYS[0], head, &hello))];
    let mut rest = input;
    while let [number, how, more @ ..] = rest {
        let (piece, after) = more.split_at((usize::from(how >> 2) * 8).min(more.len()));
        rest = after;
        let side = if how & 1 == 0 { Side::Client } else { Side::Server };
        let target: &[u8] = if side == Side::Client { &origin } else { &[7] };
        let head = [&[0x40][..], target, &[*number]].concat();
        datagrams.push((side, seal(KEYS[1 + usize::from(side == Side::Server)], head, piece)));
    }
    let mut read = |connections: &mut Connections, exchanges: &mut Vec<_>| {
        for piece in connections.take_pieces() {
            lookups.feed(&piece, &mut messages);
            http.feed(piece, http.opened(), exchanges);
        }
    };
    for (n, (side, datagram)) in datagrams.iter().enumerate() {
        let kind = RunKind::Data(datagram.into());
        let time = Timestamp(n as i64 * 2_000_000_000);
        let run = Run { side: *side, offset: 0, frame: FrameNo(n as u32 + 1), time, kind };
        connections.feed(&run, &mut tools, &mut out);
        read(&mut connections, &mut exchanges);
    }
    connections.finish([0; 2], &mut tools, &mut out);
    read(&mut connections, &mut exchanges);
    http.finish(&mut exchanges);
});
