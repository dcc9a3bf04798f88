//! Any bytes as a body, cut anywhere: the same links, each where it says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nephoscope::model::FrameNo;
use nephoscope::protocols::links::{Link, LinkScanner, header_links, keys};

const TYPES: [&[u8]; 6] = [b"", b"application/json", b"text/html", b"text/xml", b"text/css", b"text/plain"];

fn scan(kind: &[u8], pieces: &[&[u8]]) -> Vec<Link> {
    let mut links = Vec::new();
    if let Some(mut scanner) = LinkScanner::new(Some(kind)) {
        scanner.set_base(Some("https://base.example/dir/".to_owned()));
        for piece in pieces {
            scanner.push(piece, FrameNo(1), &mut links);
        }
        scanner.finish(&mut links);
    }
    links
}

fuzz_target!(|bytes: &[u8]| {
    let [kind, high, low, body @ ..] = bytes else { return };
    let kind = TYPES[usize::from(*kind) % TYPES.len()];
    let (head, tail) = body.split_at(usize::from(u16::from_be_bytes([*high, *low])).min(body.len()));
    let links = scan(kind, &[body]);
    assert_eq!(links, scan(kind, &[head, tail]));
    for link in &links {
        let from = usize::try_from(link.offset).unwrap();
        assert_eq!(body.get(from..from + link.text.len()), Some(&*link.text));
        assert_eq!(keys(&link.url).is_none(), link.url.is_empty());
    }
    for name in ["Location", "Link", "Refresh"] {
        header_links(name.as_bytes(), body, None, FrameNo(1), &mut Vec::new());
    }
});
