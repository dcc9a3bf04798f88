//! Any text as a filter: what is read is read again as it is written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nephoscope::store::Snapshot;
use nephoscope::store::filter::{Filter, complete};

fuzz_target!(|text: &str| {
    match Filter::parse(text) {
        Ok(filter) => {
            assert_eq!(Filter::parse(&filter.to_string()).as_ref(), Ok(&filter));
            assert!(!filter.meaning().is_empty());
        }
        Err(fault) => assert!(text.get(fault.span.clone()).is_some() && !fault.drawn(text).is_empty()),
    }
    let _completion = complete(text, text.len() / 2, &Snapshot::empty());
});
