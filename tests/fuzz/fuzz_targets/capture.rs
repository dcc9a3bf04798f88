//! Any bytes as a capture, read to the end of the road: reader, decoder, streams, parsers, evidence, store, JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nephoscope::capture::{Batch, CaptureReader};
use nephoscope::decode::{Decoder, Outcome};
use nephoscope::model::Budget;

fuzz_target!(|bytes: &[u8]| {
    let budget = Budget::default();
    let stream = Box::new(std::io::Cursor::new(bytes.to_vec()));
    let Ok(mut reader) = CaptureReader::from_stream(stream, "fuzz", &budget) else { return };
    let (mut batch, mut decoder, mut reassembled) = (Batch::default(), Decoder::new(&budget), Vec::new());
    while let Ok(more) = reader.next_batch(&mut batch) {
        for frame in &batch.frames {
            if let Outcome::Unit(unit) = decoder.frame(&frame.head, batch.frame(frame), &mut reassembled) {
                assert!(unit.payload.len() as usize <= bytes.len().max(reassembled.len()) + 65_535);
            }
        }
        if !more {
            break;
        }
    }
    decoder.finish();
    while decoder.given_up(&mut reassembled).is_some() {}
});
