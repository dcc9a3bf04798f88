//! Any text as the file of preferences.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nephoscope::case::{Preferences, TEXT_PERCENT};

fuzz_target!(|text: &str| {
    if let Ok((preferences, _messages)) = Preferences::read(text) {
        assert!(TEXT_PERCENT.contains(&preferences.text_percent));
    }
});
