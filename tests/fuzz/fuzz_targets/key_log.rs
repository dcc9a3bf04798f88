//! Any bytes as a key log, at once and in two pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nephoscope::model::KeyLog;

fuzz_target!(|bytes: &[u8]| {
    let mut log = KeyLog::new(1 << 16);
    log.read(bytes);
    log.read(bytes.get(bytes.len() / 2..).unwrap_or_default());
    let counts = log.counts();
    assert!(counts.secrets <= (1 << 16) / 16);
    assert!(!format!("{log:?}").contains("11111111111111111111"));
});
