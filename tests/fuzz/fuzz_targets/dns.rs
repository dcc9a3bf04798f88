//! Any bytes as a DNS message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nephoscope::model::Budget;
use nephoscope::protocols::dns::{message, sniff, texts};

fuzz_target!(|bytes: &[u8]| {
    if let Some(message) = message(bytes, &Budget::default()) {
        assert!(message.used <= bytes.len());
    }
    let _is_dns = sniff(bytes);
    let _texts = texts(bytes, &Budget::default());
});
