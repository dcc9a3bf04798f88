//! Classic pcap: records of one link type behind a 24-byte file header (draft-ietf-opsawg-pcap), and the variants that
//! Wireshark reads: nanoseconds, Kuznetzov's longer record header, Ixia's `lcap`, AIX, and the old order of lengths.

use super::notes::Notes;
use super::numbers::{Order, size, wide};
use super::walker::{Judged, Lost, Move};
use super::{Format, Interface};
use crate::model::{FrameHead, FrameNo, Limit, LinkType, Timestamp};

/// Captured bytes that any pcap record may have, as in Wireshark (`WTAP_MAX_PACKET_SIZE_STANDARD`).
const MAX_CAPTURED: u32 = 262_144;
/// Captured bytes that a record may have where the file's snap length allows more than usual.
const MAX_CAPTURED_BY_SNAP: u32 = 1 << 20;
/// A wire length over this is a sign of damage: no link carries it.
const MAX_ORIGINAL: u32 = 1 << 26;
/// A step between two frames' times over this (about eight years) is a sign of damage.
const MAX_STEP_SECONDS: u32 = 1 << 28;
/// After damage, a record is believed when its time is this close (about a year) to the last one read.
const MAX_GAP_SECONDS: u32 = 1 << 25;
/// So many frames in a row that agree with each other start another age of the file.
const MAX_STRANGERS: u32 = 16;
/// After damage with no time known, records are believed from 1974 on: lengths read as times are smaller.
const MIN_SECONDS: u32 = 1 << 27;

/// How the two lengths of a record stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lengths {
    /// Captured, original: version 2.4.
    InOrder,
    /// Original, captured: versions before 2.3, and DG/UX.
    Swapped,
    /// Version 2.3 was written both ways: the smaller one is the captured length.
    Smaller,
}

/// How to read the records of one file.
#[derive(Debug)]
pub(super) struct Pcap {
    order: Order,
    nanos_per_tick: i64,
    ticks_per_second: u32,
    record_head: usize,
    /// Offset of the first record.
    pub(super) first_record: usize,
    max_captured: u32,
    /// Captured bytes by the file's own snap length.
    usual_captured: u32,
    link: LinkType,
    lengths: Lengths,
    /// The time of the last frame whose successor's agreed with it; 0 before.
    known_seconds: u32,
    /// Frames in a row that agree with each other on a time far from that.
    strangers: u32,
    /// The time of the record at which reading stopped.
    damaged_seconds: u32,
    pub(super) lost: Option<Lost>,
    /// No more bytes are there now, but more may come.
    pub(super) pauses: bool,
    stopped: bool,
}

/// The fields of a record header.
#[derive(Clone, Copy, Debug)]
struct RecordHead {
    seconds: u32,
    ticks: u32,
    captured: u32,
    original: u32,
}

impl Pcap {
    /// Reads a file header. `None` when it is another format; the interface comes with it.
    pub(super) fn open(head: &[u8]) -> Option<(Self, Format, Interface)> {
        let ([magic, version, _, _, snap, network], _) = head.first_chunk::<24>()?.as_chunks::<4>() else {
            return None;
        };
        let magic_little = u32::from_le_bytes(*magic);
        let (order, value) = match magic_little {
            0xA1B2_C3D4 | 0xA1B2_3C4D | 0xA1B2_CD34 | 0x1C00_01AC | 0x1C00_01AB => (Order::Little, magic_little),
            _ => (Order::Big, magic_little.swap_bytes()),
        };
        let (mut format, record_head, first_record) = match value {
            0xA1B2_C3D4 => (Format::Pcap, 16, 24),
            0xA1B2_3C4D => (Format::PcapNano, 16, 24),
            0xA1B2_CD34 => (Format::PcapModified, 24, 24),
            // Ixia's hardware and software captures: one more field in the file header.
            0x1C00_01AC => (Format::PcapNano, 16, 28),
            0x1C00_01AB => (Format::Pcap, 16, 28),
            _ => return None,
        };
        let major = order.u16_at(version, 0)?;
        let minor = order.u16_at(version, 2)?;
        let lengths = match (major, minor) {
            (2, 0..=2) | (543, _) => Lengths::Swapped,
            (2, 3) => Lengths::Smaller,
            _ => Lengths::InOrder,
        };
        let snap_len = order.u32(*snap);
        let network = order.u32(*network);
        // The upper half holds the length of the frame check sequence and reserved bits.
        let mut link = u16::try_from(network & 0xFFFF).unwrap_or_default();
        let mut lengths = lengths;
        // AIX writes version 2.2, nanoseconds and interface types of RFC 1573; the types used tell it from old libpcap.
        if format == Format::Pcap && (major, minor) == (2, 2) {
            let aix = match link {
                6 => Some(1),
                9 => Some(6),
                15 => Some(10),
                24 => Some(0),
                _ => None,
            };
            if let Some(real) = aix {
                (link, format, lengths) = (real, Format::PcapNano, Lengths::InOrder);
            }
        }
        let nanos = format == Format::PcapNano;
        let snap_allows = if snap_len <= MAX_CAPTURED_BY_SNAP { snap_len } else { 0 };
        let pcap = Self {
            order,
            nanos_per_tick: if nanos { 1 } else { 1_000 },
            ticks_per_second: if nanos { 1_000_000_000 } else { 1_000_000 },
            record_head,
            first_record,
            max_captured: snap_allows.max(MAX_CAPTURED),
            usual_captured: if snap_allows == 0 { MAX_CAPTURED } else { snap_allows },
            link: LinkType(link),
            lengths,
            known_seconds: 0,
            strangers: 0,
            damaged_seconds: 0,
            lost: None,
            pauses: false,
            stopped: false,
        };
        let interface = Interface { link, snap_len, ..Interface::default() };
        Some((pcap, format, interface))
    }

    /// Bytes of a record header.
    pub(super) fn record_head(&self) -> usize {
        self.record_head
    }

    #[inline]
    fn head(&self, rest: &[u8]) -> Option<RecordHead> {
        if rest.len() < self.record_head {
            return None;
        }
        let ([seconds, ticks, captured, original], _) = rest.first_chunk::<16>()?.as_chunks::<4>() else { return None };
        let (mut captured, mut original) = (self.order.u32(*captured), self.order.u32(*original));
        match self.lengths {
            Lengths::InOrder => {}
            Lengths::Smaller if captured <= original => {}
            Lengths::Swapped | Lengths::Smaller => core::mem::swap(&mut captured, &mut original),
        }
        Some(RecordHead { seconds: self.order.u32(*seconds), ticks: self.order.u32(*ticks), captured, original })
    }

    /// The captured length of the record that begins with `rest`, where it is one.
    pub(super) fn captured(&self, rest: &[u8]) -> Option<usize> {
        self.head(rest).filter(|head| head.captured <= self.max_captured).map(|head| size(head.captured))
    }

    /// What a record header at `at` says of its frame.
    fn frame(&self, head: &RecordHead, number: FrameNo, at: u64, frame_bytes: u32) -> FrameHead {
        let nanos = i64::from(head.ticks).saturating_mul(self.nanos_per_tick);
        FrameHead {
            number,
            time: Timestamp::from_parts(i64::from(head.seconds), nanos),
            link: self.link,
            interface: 0,
            captured_len: head.captured.min(frame_bytes),
            original_len: head.original,
            record_offset: at,
        }
    }

    /// The frame whose record begins with `rest`, for reading it again.
    pub(super) fn again(&self, rest: &[u8], number: FrameNo, at: u64, frame_bytes: u32) -> Option<FrameHead> {
        let head = self.head(rest).filter(|head| head.captured <= self.max_captured)?;
        Some(self.frame(&head, number, at, frame_bytes))
    }

    /// A header as writers write it: what legal but odd files break is looked at more closely, not refused.
    #[inline]
    fn is_clean(&self, head: &RecordHead) -> bool {
        head.captured <= self.max_captured
            && head.captured <= head.original
            && head.ticks < self.ticks_per_second
            && head.original <= MAX_ORIGINAL
    }

    /// Whether a header whose record runs past the end of the file is in order.
    fn is_tail(&self, head: &RecordHead) -> bool {
        let near = self.known_seconds == 0 || head.seconds.abs_diff(self.known_seconds) < MAX_GAP_SECONDS;
        near && head.captured <= self.usual_captured && self.is_clean(head)
    }

    /// Two neighbours agree on this time. A damaged stretch must not set the measure for the search after it, so another
    /// age of the file is believed once many frames agree.
    #[inline]
    fn learn(&mut self, seconds: u32) {
        let is_near = self.known_seconds == 0 || seconds.abs_diff(self.known_seconds) < MAX_GAP_SECONDS;
        self.strangers = if is_near { 0 } else { self.strangers.saturating_add(1) };
        if is_near || self.strangers > MAX_STRANGERS {
            self.known_seconds = seconds;
        }
    }

    /// Zeros where a header should be: what a crash or a broken download leaves in a file.
    #[inline]
    fn is_hole(&self, head: &RecordHead) -> bool {
        self.known_seconds != 0 && (head.seconds | head.ticks | head.captured | head.original) == 0
    }

    /// Bytes of the record with this header.
    #[inline]
    fn used(&self, head: &RecordHead) -> usize {
        self.record_head.saturating_add(size(head.captured))
    }

    pub(super) fn next(&mut self, rest: &[u8], at: u64, is_last: bool, notes: &mut Notes) -> Move {
        if self.lost.is_some() {
            return self.resume(rest, at, is_last, notes);
        }
        let Some(head) = self.head(rest) else { return Move::More };
        if self.stopped {
            return Move::Past(rest.len().max(1));
        }
        if head.captured > self.max_captured || self.is_hole(&head) {
            self.damaged_seconds = head.seconds;
            let why = match head.captured {
                0 => "zeros where a record should be".to_owned(),
                len => format!("a record of {len} bytes, more than any frame has"),
            };
            return self.lose(rest, at, is_last, Lost::new(at, why, false), notes);
        }
        let used = self.used(&head);
        let Some(after) = rest.get(used..) else {
            // A cut tail is not searched when its header is in order: the payload might be a capture itself.
            if !is_last || self.is_tail(&head) {
                return Move::More;
            }
            self.damaged_seconds = head.seconds;
            let why = "a record header that makes no sense".to_owned();
            return self.lose(rest, at, is_last, Lost::new(at, why, true), notes);
        };
        match self.head(after) {
            Some(next)
                if self.is_clean(&next)
                    && !self.is_hole(&next)
                    && next.seconds.abs_diff(head.seconds) < MAX_STEP_SECONDS =>
            {
                self.learn(head.seconds);
            }
            Some(next) => {
                let leads_on = self.leads_on(&next, after, is_last);
                if leads_on == Judged::Open {
                    return Move::More;
                }
                self.damaged_seconds = head.seconds;
                match self.chain_inside(rest, used, is_last) {
                    (Judged::Yes, place) => {
                        notes.skipped(at, wide(place), "a record whose length runs over the records after it");
                        return Move::Past(place);
                    }
                    (Judged::Open, _) => return Move::More,
                    (Judged::No, _) => {}
                }
                if leads_on == Judged::No && !self.is_clean(&head) {
                    let why = "a record header that makes no sense".to_owned();
                    return self.lose(rest, at, is_last, Lost::new(at, why, false), notes);
                }
            }
            // What grows and pauses after a whole record in good order is not held back for the next one.
            None if self.pauses && after.is_empty() && self.is_tail(&head) => self.learn(head.seconds),
            // The next header is part of what makes this one certain.
            None if !is_last => return Move::More,
            None => {}
        }
        let Some(number) = notes.number() else {
            self.stopped = true;
            notes.skipped(at, 0, "more frames than can be numbered");
            return Move::Past(rest.len().max(1));
        };
        let frame = self.frame(&head, number, at, notes.frame_bytes);
        if frame.captured_len < head.captured {
            notes.limit(Limit::FrameBytes);
        }
        notes.time(frame.time);
        Move::Frame { head: frame, start: self.record_head, used }
    }

    /// Whether an odd header is still one: then another one follows its record.
    fn leads_on(&self, head: &RecordHead, rest: &[u8], is_last: bool) -> Judged {
        if head.captured > self.max_captured || self.is_hole(head) {
            return Judged::No;
        }
        match rest.get(self.used(head)..) {
            None if is_last => Judged::No,
            None => Judged::Open,
            Some([]) if is_last => Judged::Yes,
            Some(after) => match self.head(after) {
                Some(next) if next.captured <= self.max_captured => Judged::Yes,
                Some(_) => Judged::No,
                None if is_last => Judged::No,
                None => Judged::Open,
            },
        }
    }

    /// Whether and where a chain of proper records begins inside the record in hand. Asked when what follows it is odd,
    /// which is a damaged length here or there, or just an odd file: a length that is off by four, for example, leads on
    /// and on through fields that are read as their neighbours.
    fn chain_inside(&self, rest: &[u8], used: usize, is_last: bool) -> (Judged, usize) {
        for place in 1..used {
            let judged = self.begins(rest.get(place..).unwrap_or_default(), is_last);
            if judged != Judged::No {
                return (judged, place);
            }
        }
        (Judged::No, used)
    }

    /// Whether a chain of records begins here: three in a row, or fewer up to the end of the file. Their times must be
    /// near those known, as a packet may carry a capture itself; before any is known, near that of the damaged record, or
    /// at least plausible.
    fn begins(&self, rest: &[u8], is_last: bool) -> Judged {
        let open = if is_last { Judged::No } else { Judged::Open };
        let Some(first) = self.head(rest) else { return open };
        let known = if self.known_seconds == 0 { self.damaged_seconds } else { self.known_seconds };
        let is_near = first.seconds.abs_diff(known) < MAX_GAP_SECONDS;
        if !is_near && (self.known_seconds != 0 || first.seconds < MIN_SECONDS) {
            return Judged::No;
        }
        let (mut head, mut rest, mut count) = (first, rest, 1_u32);
        loop {
            if head.captured == 0 || !self.is_clean(&head) {
                return Judged::No;
            }
            if count >= 3 {
                return Judged::Yes;
            }
            let after = rest.get(self.used(&head)..);
            let Some((after, next)) = after.and_then(|after| Some((after, self.head(after)?))) else {
                let is_end = count >= 2 || after.is_some_and(<[u8]>::is_empty);
                return if is_last && is_near && is_end { Judged::Yes } else { open };
            };
            if next.seconds.abs_diff(head.seconds) >= MAX_GAP_SECONDS {
                return Judged::No;
            }
            (head, rest) = (next, after);
            count = count.saturating_add(1);
        }
    }

    fn lose(&mut self, rest: &[u8], at: u64, is_last: bool, lost: Lost, notes: &mut Notes) -> Move {
        self.lost = Some(lost);
        self.resume(rest, at, is_last, notes)
    }

    /// Looks for the next chain of records.
    fn resume(&mut self, rest: &[u8], at: u64, is_last: bool, notes: &mut Notes) -> Move {
        let Some(mut lost) = self.lost.take() else { return Move::More };
        match lost.search(rest, at, self.record_head, is_last, |candidate| self.begins(candidate, is_last)) {
            Ok(place) => {
                lost.found(at.saturating_add(wide(place)), notes);
                if place == 0 { self.next(rest, at, is_last, notes) } else { Move::Past(place) }
            }
            Err(step) => {
                self.lost = Some(lost);
                step
            }
        }
    }
}
