//! Any bytes as a HAR file, and as one entry of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nephoscope::capture::{Batch, CaptureReader};
use nephoscope::model::{Budget, FrameNo, Timestamp};
use nephoscope::protocols::har::{EntryPlace, entry};
use nephoscope::protocols::http::Wanted;

fuzz_target!(|bytes: &[u8]| {
    let budget = Budget::default();
    let read = |bytes: &[u8], number: u32, offset: u64| {
        let place = EntryPlace { frame: FrameNo(number), time: Timestamp(0), offset };
        for wanted in [Wanted::Bodies, Wanted::Links] {
            if let Ok(entry) = entry(bytes, place, wanted, &budget) {
                assert!(entry.reported.len <= bytes.len() as u64);
                let messages = entry.ended.http.request.iter().chain(&entry.ended.http.response);
                for message in messages {
                    assert_eq!(message.told_at.len(), message.fields.len() + 1);
                    assert!(message.told_at.iter().all(|at| (offset..=offset + bytes.len() as u64).contains(at)));
                }
            }
        }
    };
    read(bytes, 1, 0);
    let whole = [b"{\"log\":{\"entries\":[".as_slice(), bytes].concat();
    let stream = Box::new(std::io::Cursor::new(whole.clone()));
    let Ok(mut reader) = CaptureReader::from_stream(stream, "fuzz", &budget) else { return };
    let mut batch = Batch::default();
    while let Ok(more) = reader.next_batch(&mut batch) {
        for frame in &batch.frames {
            let text = batch.frame(frame);
            assert!(whole[frame.head.record_offset as usize..].starts_with(text));
            read(text, frame.head.number.0, frame.head.record_offset);
        }
        if !more {
            break;
        }
    }
});
