#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "builders of small known messages, no input"
)]
use proptest::prelude::*;

use super::*;

/// A name in wire form.
fn wire(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for label in name.split('.').filter(|l| !l.is_empty()) {
        out.push(label.len() as u8);
        out.extend_from_slice(label.as_bytes());
    }
    out.push(0);
    out
}

fn header(flags: u16, counts: [u16; 4]) -> Vec<u8> {
    let mut out = 0x1234_u16.to_be_bytes().to_vec();
    out.extend(flags.to_be_bytes());
    for count in counts {
        out.extend(count.to_be_bytes());
    }
    out
}

fn question(name: &str, qtype: u16) -> Vec<u8> {
    let mut out = wire(name);
    out.extend(qtype.to_be_bytes());
    out.extend([0, 1]);
    out
}

fn record(name: &[u8], rtype: u16, data: &[u8]) -> Vec<u8> {
    let mut out = name.to_vec();
    out.extend(rtype.to_be_bytes());
    out.extend([0, 1, 0, 0, 1, 44]);
    out.extend((data.len() as u16).to_be_bytes());
    out.extend(data);
    out
}

/// A response to `www.example.com` (whose name stands at offset 12) with one answer.
fn answer(rtype: u16, data: &[u8]) -> Vec<u8> {
    [header(0x8180, [1, 1, 0, 0]), question("www.example.com", rtype), record(&[0xC0, 12], rtype, data)].concat()
}

fn read(bytes: &[u8]) -> Option<Message> {
    message(bytes, &Budget::default())
}

/// The value of the one answer, and whether the message was sound.
#[track_caller]
fn check(rtype: u16, data: &[u8], want: &str) {
    let m = read(&answer(rtype, data)).unwrap();
    assert_eq!((m.answers[0].value.as_str(), m.complete), (want, true));
    assert_eq!(m.answers[0].name, "www.example.com");
    assert_eq!(m.answers[0].ttl, 300);
    assert_eq!(m.used, answer(rtype, data).len());
}

#[test]
fn texts_of_all_sections() {
    // Authority and additional section, a name that ends in another one, a client subnet cut after its third byte.
    let subnet = [0, 8, 0, 7, 0, 1, 24, 0, 10, 1, 2];
    let bytes = [
        header(0x8180, [1, 0, 1, 2]),
        question("www.example.com", 1),
        record(&[0xC0, 12], 2, b"\x02ns\xC0\x10"),
        record(&[0xC0, 16], 1, &[10, 0, 0, 1]),
        record(&[0], 41, &subnet),
    ]
    .concat();
    let (found, whole) = texts(&bytes, &Budget::default());
    let want = ["www.example.com", "www.example.com", "ns.example.com", "example.com", "10.0.0.1", "10.1.2.0", "."];
    assert_eq!(found.iter().take(want.len()).collect::<Vec<_>>(), want.iter().collect::<Vec<_>>());
    assert!(whole);
    assert!(!texts(&bytes[..bytes.len() - 1], &Budget::default()).1);
}

#[test]
fn renders_record_data() {
    check(1, &[192, 0, 2, 7], "192.0.2.7");
    check(28, &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "2001:db8::1");
    check(5, &[4, b'e', b'd', b'g', b'e', 0xC0, 16], "edge.example.com");
    check(5, &[0xC0, 16], "example.com");
    check(2, &[0], ".");
    check(15, &[0, 10, 2, b'm', b'x', 0xC0, 16], "10 mx.example.com");
    check(33, &[0, 1, 0, 2, 1, 187, 0xC0, 16], "1 2 443 example.com");
    check(16, b"\x05a\"b\\c\x02\x00x", r#""a\"b\\c" "\000x""#);
    check(257, b"\x00\x05issueca.example", r#"0 issue "ca.example""#);
    check(99, &[0], "\"\"");
    check(48, &[1, 2, 0xAB], "0102ab");
    check(65_280, &[7; 65], &format!("{}…", "07".repeat(64)));
    check(12, &[3, 0xC3, b'.', b' ', 0], "\\195\\. ");
    let mut soa = vec![2, b'n', b's', 0xC0, 16, 1, b'h', 0xC0, 16];
    for number in [1_u32, 2, 3, 4, 5] {
        soa.extend(number.to_be_bytes());
    }
    check(6, &soa, "ns.example.com h.example.com 1 2 3 4 5");
    check(
        65,
        b"\x00\x01\x00\x00\x01\x00\x06\x02h3\x02h2\x00\x04\x00\x04\xc0\x00\x02\x01",
        "1 . alpn=h3,h2 ipv4hint=192.0.2.1",
    );
    check(64, b"\x00\x02\x01x\x00\x00\x03\x00\x02\x20\xfb\x00\x05\x00\x01\x00", "2 x port=8443 ech");
}

#[test]
fn long_values_are_cut() {
    let data = [&[255][..], &[b'x'; 255]].concat().repeat(40);
    let m = read(&answer(16, &data)).unwrap();
    assert!(m.complete && m.answers[0].value.len() == VALUE_BYTES + '…'.len_utf8());
}

#[test]
fn data_that_breaks_its_form_is_hex_and_marked() {
    for (rtype, data) in [(1, &b"abc"[..]), (5, &[0xC0, 200]), (16, &[9, 1]), (6, &[0, 0, 1]), (5, &[1, b'a'])] {
        let m = read(&answer(rtype, data)).unwrap();
        assert!(!m.complete, "{rtype}");
        assert_eq!(m.answers[0].value, crate::model::hex(data));
    }
}

#[test]
fn ranges_cut_the_records_out() {
    let bytes = answer(1, &[192, 0, 2, 7]);
    let m = read(&bytes).unwrap();
    assert_eq!(m.answers[0].range.of(&bytes), record(&[0xC0, 12], 1, &[192, 0, 2, 7]));
    assert_eq!((m.id, m.response, m.opcode, m.rcode), (0x1234, true, 0, 0));
    assert_eq!(m.questions, [DnsQuestion { name: "www.example.com".to_owned(), qtype: 1 }]);
}

#[test]
fn pointers_go_backwards_and_not_far() {
    // A pointer to itself, forwards, into its own run; and a ladder longer than the budget.
    for target in [12_u8, 14, 40] {
        let bytes = [header(0x0100, [1, 0, 0, 0]), vec![0xC0, target, 0, 1, 0, 1]].concat();
        let m = read(&bytes).unwrap();
        assert!(!m.complete && m.questions.is_empty());
    }
    let ladder = |steps: u8| {
        let mut data = vec![0];
        let base = 12 + 17 + 4 + 12;
        for i in 0..steps {
            data.extend([0xC0, if i == 0 { base } else { base + 1 + 2 * (i - 1) }]);
        }
        data
    };
    let whole = |steps: u8| {
        let data = ladder(steps);
        let at = 12 + 17 + 4 + 12 + 1 + 2 * (steps - 1);
        let first = record(&[0xC0, 12], 65_280, &data);
        [header(0x8180, [1, 2, 0, 0]), question("www.example.com", 1), first, record(&[0xC0, at], 1, &[1, 2, 3, 4])]
            .concat()
    };
    assert!(read(&whole(19)).unwrap().complete);
    let cut = read(&whole(20)).unwrap();
    assert!(!cut.complete && cut.answers.len() == 1);
}

#[test]
fn long_names_and_lying_counts_end_the_list() {
    let long = ["a"; 127].join(".");
    assert!(read(&[header(0x0100, [1, 0, 0, 0]), question(&long, 1)].concat()).unwrap().complete);
    let over = ["a"; 128].join(".");
    assert!(!read(&[header(0x0100, [1, 0, 0, 0]), question(&over, 1)].concat()).unwrap().complete);
    let mut lies = answer(1, &[192, 0, 2, 7]);
    lies[6] = 0xFF;
    let m = read(&lies).unwrap();
    assert!(!m.complete && m.answers.len() == 1);
}

#[test]
fn every_cut_gives_a_prefix() {
    let mut bytes = [header(0x8180, [1, 3, 1, 0]), question("www.example.com", 1)].concat();
    bytes.extend(record(&[0xC0, 12], 5, &[4, b'e', b'd', b'g', b'e', 0xC0, 16]));
    bytes.extend(record(&[0xC0, 45], 1, &[192, 0, 2, 1]));
    bytes.extend(record(&[0xC0, 45], 1, &[192, 0, 2, 2]));
    bytes.extend(record(&[0xC0, 16], 2, &[0xC0, 16]));
    let whole = read(&bytes).unwrap();
    assert!(whole.complete);
    assert_eq!(
        whole.answers.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(),
        ["www.example.com", "edge.example.com", "edge.example.com"]
    );
    for cut in 12..bytes.len() {
        let m = read(&bytes[..cut]).unwrap();
        assert!(!m.complete && whole.answers.starts_with(&m.answers) && m.used <= cut, "{cut}");
    }
    assert_eq!(read(&bytes[..11]), None);
}

#[test]
fn multicast_forms_read_alike() {
    // Cache-flush bit in a record's class, unicast-response bit in a question's (RFC 6762 sections 5.4, 10.2).
    let mut question = question("printer.local", 255);
    let at = question.len() - 2;
    question[at] = 0x80;
    let asked = read(&[header(0, [1, 0, 0, 0]), question].concat()).unwrap();
    assert!(asked.complete && asked.questions[0].name == "printer.local");
    let mut announced = record(&wire("printer.local"), 1, &[10, 0, 0, 7]);
    announced[17] = 0x80;
    let m = read(&[header(0x8400, [0, 1, 0, 0]), announced].concat()).unwrap();
    assert!(m.complete && m.answers[0].value == "10.0.0.7");
}

#[test]
fn knows_what_is_no_dns() {
    assert!(sniff(&answer(1, &[192, 0, 2, 7])));
    assert!(sniff(&[header(0x0100, [1, 0, 0, 0]), question("example.com", 65)].concat()));
    assert!(sniff(&[header(0x0100, [1, 0, 0, 0]), question("", 2)].concat()));
    assert!(!sniff(&[header(0x0100, [1, 0, 0, 0]), question("", 1)].concat()));
    assert!(!sniff(&[header(0x0100, [1, 0, 0, 0]), question("example.com", 1), vec![0]].concat()));
    assert!(!sniff(&[header(0x0100, [1, 1, 0, 0]), question("example.com", 1)].concat()));
    assert!(!sniff(&[header(0x0100, [1, 0, 0, 0]), question("exa\u{7}mple.com", 1)].concat()));
    assert!(!sniff(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"));
    assert!(!sniff(b""));
    let name = "CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for qtype in [0x20, 0x21] {
        let netbios = [header(0x0110, [1, 0, 0, 0]), question(name, qtype)].concat();
        assert!(!sniff(&netbios) && read(&netbios).is_none());
    }
    assert_eq!(read(&header(0x0100, [0, 0, 0, 0])), None);
    assert_eq!(read(&[0xFF; 64]), None);
    assert_eq!((type_name(1), type_name(65_535)), ("A".into(), "TYPE65535".into()));
}

fn runs<'a>(stream: &'a [u8], cuts: &[usize]) -> Vec<Run<'a>> {
    let mut edges: Vec<usize> = cuts.iter().map(|c| c % (stream.len() + 1)).collect();
    edges.extend([0, stream.len()]);
    edges.sort_unstable();
    edges
        .windows(2)
        .map(|w| Run {
            side: Side::Client,
            offset: w[0] as u64,
            frame: FrameNo(1),
            time: Timestamp(0),
            kind: RunKind::Data(Cow::Borrowed(&stream[w[0]..w[1]])),
        })
        .collect()
}

fn framed(stream: &[u8], cuts: &[usize]) -> (Vec<Vec<u8>>, Feed) {
    let mut reader = TcpReader::new(&Budget::default());
    let mut out = Vec::new();
    let mut last = Feed::Going;
    for run in runs(stream, cuts) {
        last = reader.feed(&run, &mut out);
    }
    (out.into_iter().map(|m| m.bytes).collect(), last)
}

#[test]
fn framing_over_tcp() {
    let one = answer(1, &[192, 0, 2, 7]);
    let mut stream = Vec::new();
    for _ in 0..2 {
        stream.extend((one.len() as u16).to_be_bytes());
        stream.extend(&one);
    }
    for cut in 0..stream.len() {
        assert_eq!(framed(&stream, &[cut]), (vec![one.clone(), one.clone()], Feed::Going));
    }
    assert_eq!(framed(b"\x00\x05hello", &[]), (vec![], Feed::NotThis));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Some(m) = read(&bytes) {
            prop_assert!(m.used <= bytes.len());
        }
        sniff(&bytes);
        texts(&bytes, &Budget::default());
    }

    #[test]
    fn any_damage_is_read_without_harm(at in 0..60_usize, byte: u8, cut in 0..80_usize) {
        let mut bytes = answer(65, b"\x00\x01\x00\x00\x01\x00\x03\x02h2\x00\x04\x00\x04\xc0\x00\x02\x01");
        if let Some(b) = bytes.get_mut(at) { *b = byte; }
        bytes.truncate(bytes.len().saturating_sub(cut));
        if let Some(m) = read(&bytes) {
            prop_assert!(m.used <= bytes.len());
        }
    }

    #[test]
    fn any_cut_of_a_stream_frames_alike(stream in proptest::collection::vec(any::<u8>(), 1..200), cuts in proptest::collection::vec(0..200_usize, 0..6)) {
        prop_assert_eq!(framed(&stream, &[]).0, framed(&stream, &cuts).0);
    }
}
