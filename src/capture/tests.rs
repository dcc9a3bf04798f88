#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "tests build small files whose sizes are known"
)]

use std::fs;
use std::io::{Cursor, Read, Write as _};
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::numbers::Order;
use super::*;
use crate::model::{Budget, FrameNo, Limit, LinkType, Timestamp};

/// One frame as read: number, time in nanoseconds, link, interface, original length, bytes.
type Read1 = (u32, i64, u16, u32, u32, Vec<u8>);

struct Whole {
    frames: Vec<Read1>,
    offsets: Vec<u64>,
    facts: CaptureFacts,
    digest: Option<[u8; 32]>,
}

/// A stream that gives a few bytes at a time.
struct Dribble(Cursor<Vec<u8>>, usize);

impl Read for Dribble {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = buffer.len().min(self.1);
        self.0.read(&mut buffer[..len])
    }
}

fn drain(reader: &mut CaptureReader) -> Whole {
    let (mut frames, mut offsets, mut batch) = (Vec::new(), Vec::new(), Batch::default());
    while reader.next_batch(&mut batch).unwrap() {
        for frame in &batch.frames {
            let head = frame.head;
            let bytes = batch.frame(frame).to_vec();
            assert_eq!(bytes.len(), head.captured_len as usize);
            frames.push((head.number.0, head.time.0, head.link.0, head.interface, head.original_len, bytes));
            offsets.push(head.record_offset);
        }
    }
    assert!(!reader.next_batch(&mut batch).unwrap());
    Whole { frames, offsets, facts: reader.facts().clone(), digest: reader.sha256() }
}

fn read_in(bytes: &[u8], step: usize, budget: &Budget) -> Result<Whole, CaptureError> {
    let stream = Box::new(Dribble(Cursor::new(bytes.to_vec()), step));
    CaptureReader::from_stream(stream, "test", budget).map(|mut reader| drain(&mut reader))
}

/// Reads at once and in small pieces; both must give the same.
fn read(bytes: &[u8]) -> Whole {
    let whole = read_in(bytes, usize::MAX, &Budget::default()).unwrap();
    let pieces = read_in(bytes, 13, &Budget::default()).unwrap();
    assert_eq!(whole.frames, pieces.frames);
    assert_eq!(whole.facts, pieces.facts);
    assert_eq!(whole.digest, pieces.digest);
    whole
}

fn fails(bytes: &[u8]) -> String {
    match read_in(bytes, usize::MAX, &Budget::default()) {
        Ok(_) => panic!("was read"),
        Err(error) => error.to_string(),
    }
}

fn u32s(order: Order, values: &[u32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| if order == Order::Big { value.to_be_bytes() } else { value.to_le_bytes() })
        .collect()
}

fn u16s(order: Order, values: &[u16]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| if order == Order::Big { value.to_be_bytes() } else { value.to_le_bytes() })
        .collect()
}

fn pcap_head(order: Order, magic: u32, version: [u16; 2], network: u32) -> Vec<u8> {
    let mut out = u32s(order, &[magic]);
    out.extend(u16s(order, &version));
    out.extend(u32s(order, &[0, 0, 65_535, network]));
    out
}

fn record(order: Order, seconds: u32, ticks: u32, data: &[u8]) -> Vec<u8> {
    let mut out = u32s(order, &[seconds, ticks, data.len() as u32, data.len() as u32]);
    out.extend(data);
    out
}

/// Bytes that look like no record header.
fn payload(seed: u32, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[1]
    };
    (0..len).map(next).collect()
}

fn pcap(count: u32) -> (Vec<u8>, Vec<usize>) {
    let mut out = pcap_head(Order::Little, 0xA1B2_C3D4, [2, 4], 1);
    let mut places = Vec::new();
    for number in 0..count {
        places.push(out.len());
        let data = payload(number + 7, 60 + (number as usize * 37) % 400);
        out.extend(record(Order::Little, 1_700_000_000 + number, number % 1_000_000, &data));
    }
    (out, places)
}

fn block(order: Order, kind: u32, body: &[u8]) -> Vec<u8> {
    let padding = body.len().next_multiple_of(4) - body.len();
    let len = (12 + body.len() + padding) as u32;
    let mut out = u32s(order, &[kind, len]);
    out.extend(body);
    out.extend(vec![0; padding]);
    out.extend(u32s(order, &[len]));
    out
}

fn option(order: Order, code: u16, value: &[u8]) -> Vec<u8> {
    let mut out = u16s(order, &[code, value.len() as u16]);
    out.extend(value);
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

fn shb(order: Order) -> Vec<u8> {
    let mut body = u32s(order, &[0x1A2B_3C4D]);
    body.extend(u16s(order, &[1, 0]));
    body.extend([0xFF; 8]);
    block(order, 0x0A0D_0D0A, &body)
}

fn idb(order: Order, link: u16, snap: u32, options: &[Vec<u8>]) -> Vec<u8> {
    let mut body = u16s(order, &[link, 0]);
    body.extend(u32s(order, &[snap]));
    body.extend(options.concat());
    block(order, 1, &body)
}

fn epb(order: Order, port: u32, units: u64, data: &[u8], options: &[Vec<u8>]) -> Vec<u8> {
    let len = data.len() as u32;
    let mut body = u32s(order, &[port, (units >> 32) as u32, units as u32, len, len]);
    body.extend(data);
    body.resize(body.len().next_multiple_of(4), 0);
    body.extend(options.concat());
    block(order, 6, &body)
}

fn pcapng(count: u32) -> (Vec<u8>, Vec<usize>) {
    let order = Order::Little;
    let mut out = [shb(order), idb(order, 1, 0, &[])].concat();
    let mut places = Vec::new();
    for number in 0..count {
        places.push(out.len());
        let units = 1_700_000_000_000_000 + u64::from(number);
        out.extend(epb(order, 0, units, &payload(number + 7, 60 + (number as usize * 37) % 400), &[]));
    }
    (out, places)
}

#[track_caller]
fn check_pcap(magic: u32, nanos: i64, format: Format) {
    for order in [Order::Little, Order::Big] {
        let mut file = pcap_head(order, magic, [2, 4], 0xF400_0065);
        for number in 0..3 {
            let mut one = record(order, 1_000 + number, 7, b"abcde");
            if format == Format::PcapModified {
                one.splice(16..16, [0; 8]);
            }
            file.extend(one);
        }
        let whole = read(&file);
        assert_eq!(whole.frames.len(), 3);
        assert_eq!(whole.frames[1], (2, 1_001_000_000_000 + nanos, 101, 0, 5, b"abcde".to_vec()));
        assert_eq!(whole.facts.format, format);
        assert_eq!(whole.facts.link_types, [LinkType::RAW]);
        assert_eq!(whole.facts.skipped, []);
        assert_eq!(whole.facts.first_time, Some(Timestamp(1_000_000_000_000 + nanos)));
        assert_eq!(whole.facts.last_time, Some(Timestamp(1_002_000_000_000 + nanos)));
    }
}

#[test]
fn reads_pcap_variants() {
    check_pcap(0xA1B2_C3D4, 7_000, Format::Pcap);
    check_pcap(0xA1B2_3C4D, 7, Format::PcapNano);
    check_pcap(0xA1B2_CD34, 7_000, Format::PcapModified);
}

#[test]
fn reads_old_and_odd_pcaps() {
    // Version 2.2 has the original length first; 2.3 either way.
    for version in [[2, 2], [2, 3], [543, 0]] {
        let mut file = pcap_head(Order::Little, 0xA1B2_C3D4, version, 1);
        file.extend(u32s(Order::Little, &[1, 2, 100, 3]));
        file.extend(b"abc");
        assert_eq!(read(&file).frames, [(1, 1_000_002_000, 1, 0, 100, b"abc".to_vec())]);
    }
    let mut aix = pcap_head(Order::Big, 0xA1B2_C3D4, [2, 2], 6);
    aix.extend(record(Order::Big, 1, 2, b"abc"));
    assert_eq!(read(&aix).frames, [(1, 1_000_000_002, 1, 0, 3, b"abc".to_vec())]);
    let mut ixia = pcap_head(Order::Big, 0x1C00_01AC, [2, 4], 1);
    ixia.extend([0; 4]);
    ixia.extend(record(Order::Big, 1, 2, b"abc"));
    assert_eq!(read(&ixia).frames, [(1, 1_000_000_002, 1, 0, 3, b"abc".to_vec())]);
    assert_eq!(read(&pcap_head(Order::Big, 0xA1B2_C3D4, [2, 4], 1)).frames, []);
}

#[test]
fn reads_odd_headers_that_lead_on() {
    // Too many microseconds, more captured than there was, a time jump: all legal to Wireshark. Zeros are not to us.
    let mut file = pcap_head(Order::Little, 0xA1B2_C3D4, [2, 4], 1);
    let odd = [[5, 2_000_000, 4, 4], [0, 0, 4, 2], [4_000_000_000, 0, 4, 4], [5, 0, 4, 4], [6, 0, 4, 4]];
    for fields in odd {
        file.extend(u32s(Order::Little, &fields));
        file.extend(b"data");
    }
    file.extend([0; 48]);
    let whole = read(&file);
    assert_eq!(whole.frames.len(), 5);
    let zeros = Skipped { offset: 124, len: 48, why: "zeros where a record should be".to_owned() };
    assert_eq!(whole.facts.skipped, [zeros]);
    assert_eq!(whole.frames[0].1, 7_000_000_000);
    assert_eq!(whole.frames[2].1, 4_000_000_000_000_000_000);
}

#[test]
fn says_how_much_of_the_tail_is_cut() {
    let (file, places) = pcap(20);
    for cut in [places[19] + 1, places[19] + 15, places[19] + 16, places[19] + 40] {
        let whole = read(&file[..cut]);
        assert_eq!(whole.frames.len(), 19);
        assert_eq!(whole.facts.cut_tail_bytes, (cut - places[19]) as u64);
        assert_eq!(whole.facts.skipped, []);
    }
    let (file, places) = pcapng(20);
    for cut in [places[19] + 1, places[19] + 8, places[19] + 21, places[19] + 40] {
        let whole = read(&file[..cut]);
        assert_eq!(whole.frames.len(), 19);
        assert_eq!(whole.facts.cut_tail_bytes, (cut - places[19]) as u64);
        assert_eq!(whole.facts.skipped, []);
    }
}

#[test]
fn any_cut_gives_the_frames_before_it() {
    for (file, places) in [pcap(300), pcapng(300)] {
        let clean = read_in(&file, usize::MAX, &Budget::default()).unwrap();
        for cut in (60..file.len()).step_by(97) {
            let whole = read_in(&file[..cut], usize::MAX, &Budget::default()).unwrap();
            let count = places.iter().skip(1).chain([&file.len()]).filter(|end| **end <= cut).count();
            assert_eq!(whole.frames[..], clean.frames[..count], "cut at {cut}");
            let start = places.get(count).copied().unwrap_or(cut).min(cut);
            assert_eq!(whole.facts.cut_tail_bytes, (cut - start) as u64, "cut at {cut}");
            assert_eq!(whole.facts.skipped, []);
        }
    }
}

#[test]
fn floods_of_blocks_stay_small() {
    let order = Order::Little;
    let comments = vec![option(order, 1, b"x"); 65_535];
    let mut file = [shb(order), idb(order, 1, 0, &[]), epb(order, 0, 1, b"x", &comments)].concat();
    for _ in 0..50_000 {
        file.extend(shb(order));
        file.extend(idb(order, 1, 0, &[]));
        file.extend(idb(order, 1, 0, &[]));
    }
    file.extend(epb(order, 1, 1, b"y", &[]));
    let whole = read_in(&file, usize::MAX, &Budget::default()).unwrap();
    assert_eq!((whole.facts.comments.len(), whole.facts.sections), (65_535, 50_001));
    assert_eq!(whole.facts.interfaces.len(), 65_536);
    assert_eq!(whole.facts.limits[0].limit, Limit::Interfaces);
    assert_eq!((whole.frames.len(), whole.facts.skipped.len()), (1, 1));
}

/// All frames but those whose record was damaged are read, none is made up, and the damage is reported.
#[track_caller]
fn check_damage(file: &[u8], places: &[usize], damaged: usize, flip: usize, bit: u8) {
    let mut broken = file.to_vec();
    broken[places[damaged] + flip] ^= 1 << bit;
    let clean = read_in(file, usize::MAX, &Budget::default()).unwrap();
    let whole = read_in(&broken, usize::MAX, &Budget::default()).unwrap();
    let before = whole.frames.iter().zip(&clean.frames).take(damaged).filter(|(a, b)| a == b).count();
    assert_eq!(before, damaged, "frames before the damage at {damaged}, bit {bit} of byte {flip}");
    let kept = clean.offsets.iter().filter(|offset| whole.offsets.contains(offset)).count();
    assert!(kept + 1 >= clean.frames.len(), "{kept} kept, damage at {damaged}, bit {bit} of byte {flip}");
    assert!(whole.frames.len() <= clean.frames.len(), "made up, damage at {damaged}, bit {bit} of byte {flip}");
    assert!(
        !whole.facts.skipped.is_empty() || whole.facts.cut_tail_bytes > 0,
        "silent, damage at {damaged}, bit {bit} of byte {flip}"
    );
}

#[test]
fn reads_on_after_a_damaged_length() {
    let (file, places) = pcap(40);
    for damaged in [0, 1, 17, 36] {
        for bit in 0..32 {
            check_damage(&file, &places, damaged, 8 + bit / 8, (bit % 8) as u8);
        }
    }
    let (file, places) = pcapng(40);
    for damaged in [0, 1, 17, 36, 39] {
        for bit in 0..32 {
            check_damage(&file, &places, damaged, 4 + bit / 8, (bit % 8) as u8);
        }
    }
}

#[test]
fn reads_on_after_garbage() {
    for (file, places) in [pcap(30), pcapng(30)] {
        for garbage in [payload(99, 5), payload(98, 1_000), payload(97, 100_001), vec![0xFF; 64]] {
            let mut broken = file.clone();
            broken.splice(places[10]..places[10], garbage.iter().copied());
            let whole = read(&broken);
            assert_eq!(whole.frames.len(), 30, "{} bytes", garbage.len());
            assert_eq!(whole.facts.skipped.len(), 1);
            let skipped = &whole.facts.skipped[0];
            assert_eq!((skipped.offset, skipped.len), (places[10] as u64, garbage.len() as u64));
        }
        let mut broken = file.clone();
        broken.extend(payload(96, 500));
        let whole = read(&broken);
        assert_eq!(whole.frames.len(), 30);
        assert!(whole.facts.cut_tail_bytes == 500 || whole.facts.skipped[0].len == 500);
    }
}

#[test]
fn a_damaged_second_length_costs_nothing() {
    let (mut file, places) = pcapng(5);
    file[places[3] - 3] ^= 8;
    assert_eq!(read(&file).frames.len(), 5);
}

#[test]
fn reads_sections_of_both_orders() {
    let (little, big) = (Order::Little, Order::Big);
    let seconds = |order: Order, value: i64| {
        let bytes = if order == big { value.to_be_bytes() } else { value.to_le_bytes() };
        option(order, 14, &bytes)
    };
    let file = [
        shb(little),
        idb(little, 1, 0, &[option(little, 2, b"eth0"), option(little, 3, b"the first\0")]),
        idb(little, 113, 0, &[option(little, 9, &[9])]),
        epb(little, 1, 1_700_000_000_123_456_789, b"one", &[]),
        epb(little, 0, 1_700_000_000_123_456, b"two", &[option(little, 2, &[0; 4]), option(little, 1, b"a comment")]),
        shb(big),
        idb(big, 101, 3, &[option(big, 9, &[0x8A]), seconds(big, -5), option(big, 0, &[])]),
        epb(big, 0, 1_024 + 512, b"three", &[]),
        block(big, 3, &[u32s(big, &[9]), b"four".to_vec()].concat()),
        block(big, 2, &[u16s(big, &[0, 7]), u32s(big, &[0, 2_048, 4, 60]), b"five".to_vec()].concat()),
        epb(big, 3, 1, b"unknown", &[]),
        block(big, 0x8000_1234, b"of whom?"),
        block(big, 0xBAD, &[u32s(big, &[32_473]), b"private".to_vec()].concat()),
        epb(big, 0, 2_048, b"six", &[]),
    ]
    .concat();
    let whole = read(&file);
    let text = |text: &str| text.as_bytes().to_vec();
    let want = [
        (1, 1_700_000_000_123_456_789, 113, 1, 3, text("one")),
        (2, 1_700_000_000_123_456_000, 1, 0, 3, text("two")),
        (3, 1_500_000_000 - 5_000_000_000, 101, 2, 5, text("three")),
        // Simple packets have no time, and the snap length cuts them.
        (4, 0, 101, 2, 9, text("fou")),
        (5, 2_000_000_000 - 5_000_000_000, 101, 2, 60, text("five")),
        // The custom block is frame 6, as in Wireshark.
        (7, 2_000_000_000 - 5_000_000_000, 101, 2, 3, text("six")),
    ];
    assert_eq!(whole.frames, want);
    let facts = whole.facts;
    assert_eq!((facts.sections, facts.frames), (2, 7));
    assert_eq!(facts.link_types, [LinkType(1), LinkType(113), LinkType(101)]);
    assert_eq!(facts.interfaces[0].name, b"eth0");
    assert_eq!(facts.interfaces[0].description, b"the first");
    assert_eq!(facts.comments, [Comment { frame: Some(FrameNo(2)), text: text("a comment") }]);
    assert_eq!(facts.skipped.len(), 1);
    assert_eq!(facts.skipped[0].why, "a packet of an interface that was not described");
    assert_eq!(facts.last_time, Some(Timestamp(1_700_000_000_123_456_789)));
}

#[track_caller]
fn check_clock(resolution: u8, units: u64, offset: i64, want: i64) {
    let order = Order::Little;
    let options = [option(order, 9, &[resolution]), option(order, 14, &offset.to_le_bytes())];
    let file = [shb(order), idb(order, 1, 0, &options), epb(order, 0, units, b"x", &[])].concat();
    assert_eq!(read(&file).frames[0].1, want, "resolution {resolution:#x}");
}

#[test]
fn counts_time_as_the_interface_does() {
    check_clock(0, 7, 0, 7_000_000_000);
    check_clock(3, 7, 1, 1_007_000_000);
    check_clock(6, 1_700_000_000_000_001, 0, 1_700_000_000_000_001_000);
    check_clock(9, 7, -1, 7 - 1_000_000_000);
    check_clock(12, 1_999, 0, 1);
    check_clock(28, u64::MAX, 0, 1);
    check_clock(127, u64::MAX, 0, 0);
    check_clock(0x80, 7, 0, 7_000_000_000);
    check_clock(0xA0, 3 << 31, 0, 1_500_000_000);
    check_clock(0xC0, 1 << 63, 0, 500_000_000);
    check_clock(0xFF, u64::MAX, 0, 0);
    check_clock(0, u64::MAX, 0, i64::MAX);
    check_clock(0, 0, i64::MIN, i64::MIN);
}

#[test]
fn keeps_names_comments_and_secrets() {
    let order = Order::Big;
    let names = [
        u16s(order, &[1, 9]),
        vec![192, 0, 2, 1],
        b"host\0".to_vec(),
        vec![0; 3],
        u16s(order, &[2, 20]),
        [&[0x20; 16][..], b"a\0b\0"].concat(),
        u16s(order, &[0, 0]),
        option(order, 1, b"on names"),
    ];
    let secrets = [u32s(order, &[0x544C_534B, 5]), b"CLIEN".to_vec()].concat();
    let other = [u32s(order, &[0x5747_4B4C, 5]), b"other".to_vec()].concat();
    let file =
        [shb(order), block(order, 4, &names.concat()), block(order, 10, &secrets), block(order, 10, &other)].concat();
    let facts = read(&file).facts;
    let six = "2020:2020:2020:2020:2020:2020:2020:2020".parse().unwrap();
    let four = "192.0.2.1".parse().unwrap();
    assert_eq!(facts.names, [(four, b"host".to_vec()), (six, b"a".to_vec()), (six, b"b".to_vec())]);
    assert_eq!(facts.secrets, 1);
    let mut batch = Batch::default();
    let mut reader = CaptureReader::from_stream(Box::new(Cursor::new(file.clone())), "x", &Budget::default()).unwrap();
    let mut kept = Vec::new();
    while reader.next_batch(&mut batch).unwrap() {
        kept.extend(batch.secrets.iter().map(|(_, secret)| secret.expose().to_vec()));
        assert!(!format!("{batch:?}").contains("CLIEN"));
    }
    assert_eq!(kept, [b"CLIEN".to_vec()]);
    assert_eq!(facts.comments, [Comment { frame: None, text: b"on names".to_vec() }]);

    let budget = Budget { secret_bytes: 60, comment_bytes: 60, ..Budget::default() };
    let facts = read_in(&file, usize::MAX, &budget).unwrap().facts;
    assert_eq!((facts.names.len(), facts.secrets, facts.comments.len()), (0, 0, 0));
    let counts: Vec<_> = facts.limits.iter().map(|hit| (hit.limit, hit.count)).collect();
    assert_eq!(counts, [(Limit::CommentBytes, 4), (Limit::SecretBytes, 1)]);
}

#[test]
fn keeps_to_the_budget() {
    let order = Order::Little;
    let budget = Budget { interfaces: 2, frame_bytes: 4, block_bytes: 1_000, ..Budget::default() };
    let interfaces: Vec<u8> = (0..4).flat_map(|link| idb(order, link, 0, &[])).collect();
    let frames: Vec<u8> = (0..4).flat_map(|port| epb(order, port, 1, b"abcdef", &[])).collect();
    let huge = block(order, 0x77, &[1; 4_000]);
    let whole = read_in(&[shb(order), interfaces, huge, frames].concat(), usize::MAX, &budget).unwrap();
    assert_eq!(whole.frames, [(1, 1_000, 0, 0, 6, b"abcd".to_vec()), (2, 1_000, 1, 1, 6, b"abcd".to_vec())]);
    let counts: Vec<_> = whole.facts.limits.iter().map(|hit| (hit.limit, hit.count)).collect();
    assert_eq!(counts, [(Limit::Interfaces, 1), (Limit::FrameBytes, 2)]);
    assert_eq!(whole.facts.skipped[0].len, 4_012);
    assert_eq!(whole.facts.skipped[0].why, "a block of 4012 bytes, over the limit of 1000");
    // Two packets of one interface after another: one stretch.
    assert_eq!(whole.facts.skipped.len(), 2);
}

#[test]
fn tells_an_unknown_version() {
    let order = Order::Big;
    let mut odd = shb(order);
    odd[13] = 9;
    let whole = read(&[odd, idb(order, 1, 0, &[]), epb(order, 0, 1, b"x", &[]), shb(order)].concat());
    assert_eq!((whole.frames.len(), whole.facts.sections), (0, 2));
    assert_eq!(whole.facts.skipped[0].why, "a section of pcapng version 9.0, only version 1.0 is known");
}

#[test]
fn a_block_longer_than_a_batch_is_read() {
    let order = Order::Little;
    let comment = option(order, 1, &vec![b'x'; 60_000]);
    let frame = epb(order, 0, 5, b"abc", &vec![comment; 60]);
    let file = [shb(order), idb(order, 1, 0, &[]), frame, epb(order, 0, 6, b"next", &[])].concat();
    let whole = read_in(&file, usize::MAX, &Budget::default()).unwrap();
    assert_eq!(whole.frames.len(), 2);
    assert_eq!(whole.facts.comments.len(), 60);
}

#[test]
fn many_batches_are_the_same_as_one() {
    let (file, places) = pcap(20_000);
    assert!(file.len() > 4 << 20);
    for step in [usize::MAX, 100_003] {
        let whole = read_in(&file, step, &Budget::default()).unwrap();
        assert_eq!(whole.frames.len(), 20_000);
        assert!(whole.offsets.iter().zip(&places).all(|(a, b)| *a == *b as u64));
        assert!(
            whole.frames.iter().enumerate().all(|(index, frame)| frame.5[..4] == payload(index as u32 + 7, 60)[..4])
        );
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(
        lz4_flex::frame::FrameInfo::new().block_size(lz4_flex::frame::BlockSize::Max64KB),
        Vec::new(),
    );
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

type Pack = fn(&[u8]) -> Vec<u8>;

const PACKINGS: [(Container, Pack); 3] = [(Container::Gzip, gzip), (Container::Zstd, zstd), (Container::Lz4, lz4)];

#[test]
fn unpacks_several_parts() {
    let (file, _) = pcap(300);
    let plain = read(&file);
    for (container, pack) in PACKINGS {
        let (front, back) = file.split_at(file.len() / 2 + 3);
        let skip = if container == Container::Zstd { b"\x51\x2A\x4D\x18\x03\0\0\0abc".to_vec() } else { Vec::new() };
        let packed = [pack(front), skip, pack(back)].concat();
        let whole = read(&packed);
        assert_eq!(whole.frames, plain.frames);
        assert_eq!(whole.facts.container, container);
        assert_eq!(whole.facts.skipped, []);
        assert_ne!(whole.digest, plain.digest);
    }
}

#[test]
fn reads_what_a_cut_packing_still_holds() {
    let (file, _) = pcap(2_000);
    let plain = read(&file);
    for (container, pack) in PACKINGS {
        let packed = pack(&file);
        let whole = read(&packed[..packed.len() / 2]);
        assert!(whole.frames.len() > 300, "{container:?} gave {}", whole.frames.len());
        assert_eq!(whole.frames[..], plain.frames[..whole.frames.len()]);
        if container == Container::Lz4 {
            continue;
        }
        let [skipped] = &whole.facts.skipped[..] else { panic!("{:?}", whole.facts.skipped) };
        assert!(skipped.why.ends_with("data ends too soon"), "{}", skipped.why);
    }
    let mut trailed = gzip(&file);
    trailed.extend(b"and more that is not gzip");
    let whole = read(&trailed);
    assert_eq!(whole.frames, plain.frames);
    assert!(whole.facts.skipped[0].why.starts_with("the gzip data is damaged"));
}

/// A file that goes when the test ends.
struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new(bytes: &[u8]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("it.pcap"), bytes).unwrap();
        Self(dir)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("it.pcap")
    }
}

#[test]
fn reads_frames_again() {
    let (little, big) = (Order::Little, Order::Big);
    let sections = [
        shb(little),
        idb(little, 1, 0, &[]),
        epb(little, 0, 1, b"one", &[]),
        idb(little, 113, 0, &[]),
        epb(little, 1, 2, b"two", &[]),
        shb(big),
        shb(big),
        idb(big, 101, 0, &[option(big, 9, &[9])]),
        epb(big, 0, 3, b"three", &[]),
        block(big, 3, &[u32s(big, &[4]), b"four".to_vec()].concat()),
    ]
    .concat();
    for plain in [pcap(5_000).0, pcapng(5_000).0, sections] {
        for file in [plain.clone(), gzip(&plain)] {
            let scratch = Scratch::new(&file);
            let mut reader = CaptureReader::open(&scratch.path(), &Budget::default(), Digest::Inline).unwrap();
            let whole = drain(&mut reader);
            assert_eq!(whole.digest, Some(digest_file(&scratch.path()).unwrap()));
            assert_eq!(reader.position(), (file.len() as u64, Some(file.len() as u64)));
            let mut again = FrameFile::open(&scratch.path(), &Budget::default()).unwrap();
            let last = whole.frames.len() - 1;
            for index in [2, 3, last, last - 1, 0, last / 2] {
                let want = &whole.frames[index];
                let (head, bytes) = again.frame(FrameNo(want.0), whole.offsets[index]).unwrap();
                let got = (head.number.0, head.time.0, head.link.0, head.interface, head.original_len, bytes);
                assert_eq!(got, *want);
                assert_eq!(head.record_offset, whole.offsets[index]);
            }
            let error = again.frame(FrameNo(9), 1 << 40).unwrap_err().to_string();
            assert!(error.starts_with("cannot read frame 9 again: the file changed since"), "{error}");
        }
    }
}

#[track_caller]
fn check_open(path: &Path, want: &str) {
    let error = CaptureReader::open(path, &Budget::default(), Digest::Elsewhere).unwrap_err().to_string();
    assert_eq!(error, format!("{want}: {}", path.display()));
    assert!(digest_file(path).is_err() || path.is_file());
}

#[test]
fn says_why_a_file_cannot_be_opened() {
    let scratch = Scratch::new(b"");
    check_open(&scratch.path(), "cannot read the capture: the file is empty");
    check_open(scratch.0.path(), "cannot open the capture: this is a folder, choose a file in it");
    check_open(&scratch.0.path().join("none"), "cannot open the capture: there is no such file");
    if cfg!(unix) {
        let null = "cannot open the capture: this is a pipe or device, send its content to standard input";
        check_open(Path::new("/dev/null"), null);
    }
}

#[track_caller]
fn check_other(bytes: &[u8], want: &str) {
    let start = "cannot read the capture: expected pcap, pcapng or HAR (or one in gzip, zstd or LZ4), this is ";
    assert_eq!(fails(bytes), format!("{start}{want}: test"));
}

#[test]
fn says_what_is_no_capture() {
    check_other(
        b"GET / HTTP/1.1\r\n",
        "text: save the packets themselves, for example with tcpdump -w or as pcapng in Wireshark",
    );
    check_other(b"[{\"log\": 1}]", "JSON text, but no HAR file, which is one object with a log");
    check_other(b"PK\x03\x04rest", "a ZIP archive: unpack it first");
    check_other(&[0; 40], "only zeros, perhaps a download that was never finished");
    check_other(b"\x01\x02\x03\x04\x05", "something that begins with the bytes 01 02 03 04");
    check_other(&pcap(1).0[..10], "the first bytes of a capture, cut off before any frame");
    check_other(&shb(Order::Big)[..10], "the first bytes of a capture, cut off before any frame");
    check_other(&gzip(&pcap(1).0)[..12], "something else: the gzip data ends too soon");
    assert_eq!(fails(b""), "cannot read the capture: the file is empty: test");
    assert_eq!(fails(&gzip(b"")), "cannot read the capture: the file is empty: test");
}

#[test]
fn a_failing_device_is_an_error() {
    struct Broken(usize);
    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.0 += 1;
            match self.0 {
                1 => Err(std::io::ErrorKind::Interrupted.into()),
                2 => Cursor::new(pcap(3).0).read(buffer),
                3 => Cursor::new(&pcap(3).0[4..]).read(buffer),
                _ => Err(std::io::Error::other("input/output error")),
            }
        }
    }
    let mut reader = CaptureReader::from_stream(Box::new(Broken(0)), "test", &Budget::default()).unwrap();
    let mut batch = Batch::default();
    let error = loop {
        match reader.next_batch(&mut batch) {
            Ok(more) => assert!(more),
            Err(error) => break error.to_string(),
        }
    };
    assert_eq!(error, "cannot read the capture: input/output error: test");
    assert!(!reader.next_batch(&mut batch).unwrap());
}

/// Reads anything: no panic, the places add up, and pieces of any size give the same.
fn survives(bytes: &[u8], step: usize) {
    let budget = Budget { block_bytes: 70_000, frame_bytes: 5_000, interfaces: 3, ..Budget::default() };
    let (Ok(whole), Ok(pieces)) = (read_in(bytes, usize::MAX, &budget), read_in(bytes, step, &budget)) else { return };
    assert!(whole.offsets.is_sorted());
    if whole.facts.container == Container::Plain {
        assert!(whole.facts.skipped.iter().all(|skipped| skipped.offset + skipped.len <= bytes.len() as u64));
        assert_eq!(whole.frames, pieces.frames);
        assert_eq!(whole.facts, pieces.facts);
    }
}

fn starts() -> impl Strategy<Value = Vec<u8>> {
    let (little, big) = (Order::Little, Order::Big);
    prop_oneof![
        Just(Vec::new()),
        Just(pcap_head(little, 0xA1B2_C3D4, [2, 4], 1)),
        Just(pcap_head(big, 0xA1B2_CD34, [2, 3], 1)),
        Just([shb(little), idb(little, 1, 0, &[])].concat()),
        Just([shb(big), idb(big, 1, 7, &[])].concat()),
        Just(b"\x1F\x8B\x08\0\0\0\0\0\0\0".to_vec()),
        Just(b"\x28\xB5\x2F\xFD".to_vec()),
        Just(b"\x04\x22\x4D\x18".to_vec()),
    ]
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(start in starts(), rest in proptest::collection::vec(any::<u8>(), 0..600), step in 1_usize..100) {
        survives(&[start, rest].concat(), step);
    }

    #[test]
    fn damaged_captures_never_panic(
        which in 0_usize..5,
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..12),
        cut in any::<proptest::sample::Index>(),
        step in 1_usize..2_000,
    ) {
        let mut file = match which {
            0 => pcap(12).0,
            1 => pcapng(12).0,
            2 => gzip(&pcap(12).0),
            3 => zstd(&pcapng(12).0),
            _ => lz4(&pcap(12).0),
        };
        for (place, value) in damage {
            let place = place.index(file.len());
            file[place] = value;
        }
        file.truncate(cut.index(file.len() * 2));
        survives(&file, step);
    }
}
