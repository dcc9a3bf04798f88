//! Any bytes as one frame; the first two choose the link type.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nephoscope::decode::Decoder;
use nephoscope::model::{Budget, FrameHead, FrameNo, LinkType, Timestamp};

fuzz_target!(|bytes: &[u8]| {
    let [a, b, frame @ ..] = bytes else { return };
    let len = frame.len() as u32;
    let head = FrameHead {
        number: FrameNo(1),
        time: Timestamp(0),
        link: LinkType(u16::from_le_bytes([*a, *b])),
        interface: 0,
        captured_len: len,
        original_len: len,
        record_offset: 0,
    };
    let mut reassembled = Vec::new();
    let _outcome = Decoder::new(&Budget::default()).frame(&head, frame, &mut reassembled);
});
