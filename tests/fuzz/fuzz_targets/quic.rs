//! Any bytes as datagrams, and as the frames of packets that authenticate: the first byte of each piece says which, and
//! how long it is.
#![no_main]

use aes::Aes128;
use aes::cipher::{Array, BlockCipherEncrypt as _};
use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes128Gcm, Nonce};
use libfuzzer_sys::fuzz_target;
use nephoscope::model::{Budget, FrameNo, Run, RunKind, Side, Timestamp};
use nephoscope::protocols::quic::{Connections, short_target, sniff};
use nephoscope::protocols::tls::Tools;

/// The keys of RFC 9001 appendix A.1: key, nonce and header protection of the client, then of the server.
const KEYS: [[&str; 3]; 2] = [
    ["1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2"],
    ["cf3a5331653c364c88f0f379b6067e37", "0ac1493ca1905853b0bba03e", "c206b8d9b9f0f37644430b490eeaa314"],
];
const ORIGIN: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];

fn bytes<const N: usize>(digits: &str) -> [u8; N] {
    std::array::from_fn(|i| u8::from_str_radix(&digits[i * 2..i * 2 + 2], 16).unwrap())
}

/// An Initial packet with these frames, number 0 in one byte.
fn seal(side: Side, frames: &[u8]) -> Vec<u8> {
    let [key, iv, hp] = KEYS[usize::from(side == Side::Server)];
    let mut frames = frames.to_vec();
    frames.resize(frames.len().max(4), 0);
    let [high, low] = (0x4000 | (frames.len() + 17) as u16).to_be_bytes();
    let mut packet = vec![0xc0, 0, 0, 0, 1];
    match side {
        Side::Client => packet.extend([&[8][..], &ORIGIN, &[1, 7]].concat()),
        Side::Server => packet.extend([1, 7, 2, 8, 9]),
    }
    packet.extend([0, high, low, 0]);
    let msg = Payload { msg: &frames, aad: &packet };
    let sealed = Aes128Gcm::new(&bytes::<16>(key).into()).encrypt(&Nonce::from(bytes::<12>(iv)), msg).unwrap();
    let mut mask = Array::from(*sealed[3..].first_chunk::<16>().unwrap());
    Aes128::new(&bytes::<16>(hp).into()).encrypt_block(&mut mask);
    packet[0] ^= mask[0] & 0x0f;
    *packet.last_mut().unwrap() ^= mask[1];
    [packet, sealed].concat()
}

fuzz_target!(|bytes: &[u8]| {
    let mut connections = Connections::new(&Budget::default());
    let (mut tools, mut out) = (Tools::default(), Vec::new());
    let (mut rest, mut offset, mut frame) = (bytes, 0, 0);
    while let [kind, len, more @ ..] = rest {
        let (piece, after) = more.split_at((usize::from(*len) * 4).min(more.len()));
        rest = after;
        let side = if kind & 1 == 0 { Side::Client } else { Side::Server };
        let datagram = if kind & 2 == 0 { seal(side, piece) } else { piece.to_vec() };
        (sniff(&datagram), short_target(&datagram));
        frame += 1;
        let kind = RunKind::Data((&datagram).into());
        let run = Run { side, offset, frame: FrameNo(frame), time: Timestamp(0), kind };
        connections.feed(&run, &mut tools, &mut out);
        offset += datagram.len() as u64;
    }
    connections.previews();
    connections.finish([offset; 2], &mut tools, &mut out);
});
