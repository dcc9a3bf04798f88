//! pcapng (draft-ietf-opsawg-pcapng): sections of blocks, each with its own byte order and interfaces.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::notes::Notes;
use super::numbers::{Order, narrow, padded, size, wide};
use super::walker::{Judged, Lost, Move};
use super::{Counters, Interface};
use crate::model::{FrameHead, FrameNo, Limit, LinkType, Timestamp};

const SECTION_HEADER: u32 = 0x0A0D_0D0A;
const INTERFACE_DESCRIPTION: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const NAME_RESOLUTION: u32 = 4;
const INTERFACE_STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;
const JOURNAL: u32 = 9;
const DECRYPTION_SECRETS: u32 = 10;
const CUSTOM: u32 = 0xBAD;
const CUSTOM_NO_COPY: u32 = 0x4000_0BAD;

/// The type of a Decryption Secrets Block that holds an NSS key log.
const TLS_KEY_LOG: u32 = 0x544C_534B;
/// Block type, length, and the length again.
const FRAME_OF_BLOCK: usize = 12;
/// After damage, only blocks up to this length are believed: a longer one would hold up the search.
const MAX_FOUND: u32 = 1 << 20;

/// How an interface counts time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clock {
    /// Each unit is so many nanoseconds.
    Times(u64),
    /// Each nanosecond is so many units.
    Over(u64),
    /// Seconds times two to this power.
    Power(u8),
    /// Finer than any number can say: always 0.
    Nothing,
}

impl Clock {
    /// From the value of `if_tsresol`: a negative power of ten or, with the highest bit, of two.
    fn of(resolution: u8) -> Self {
        let exponent = resolution & 0x7F;
        if resolution & 0x80 != 0 {
            return Self::Power(exponent);
        }
        let ten = |exponent: u8| 10_u64.checked_pow(u32::from(exponent));
        match exponent {
            0..=9 => ten(9_u8.saturating_sub(exponent)).map_or(Self::Nothing, Self::Times),
            _ => ten(exponent.saturating_sub(9)).map_or(Self::Nothing, Self::Over),
        }
    }

    #[inline]
    fn nanos(self, units: u64) -> i128 {
        match self {
            Self::Times(nanos) => i128::from(units).saturating_mul(i128::from(nanos)),
            Self::Over(units_per_nano) => i128::from(units.checked_div(units_per_nano).unwrap_or_default()),
            // At most 64 + 30 bits, so nothing is lost on the left.
            Self::Power(exponent) => {
                i128::from(units).saturating_mul(1_000_000_000).checked_shr(u32::from(exponent)).unwrap_or_default()
            }
            Self::Nothing => 0,
        }
    }
}

/// What reading a frame needs to know of its interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Port {
    link: LinkType,
    snap_len: u32,
    clock: Clock,
    offset_nanos: i128,
}

/// A section as seen from one of its blocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    order: Order,
    /// Interfaces of the sections before.
    base: u32,
    ports: &'a [Port],
}

/// A section with the places of its interface blocks, for reading frames again.
#[derive(Debug)]
struct Section {
    at: u64,
    order: Order,
    base: u32,
    ports: Vec<Port>,
    port_places: Vec<u64>,
}

/// A frame as its block tells it.
struct Packet<'a> {
    head: FrameHead,
    /// Where its bytes begin, counted from the block's first byte.
    start: usize,
    /// Captured length that the block tells.
    captured: u32,
    has_time: bool,
    options: &'a [u8],
}

/// Reads the blocks of one file.
#[derive(Debug)]
pub(super) struct Pcapng {
    order: Order,
    /// Whether the section's version is known.
    readable: bool,
    base: u32,
    /// Interfaces that the section described, kept or not.
    described: u32,
    ports: Vec<Port>,
    /// The latest statistics of the section's interfaces.
    counted: Vec<Counters>,
    pub(super) lost: Option<Lost>,
    history: Option<Vec<Section>>,
    stopped: bool,
}

/// Whether a file begins with a section header.
pub(super) fn is_pcapng(head: &[u8]) -> bool {
    head.starts_with(&SECTION_HEADER.to_be_bytes()) && section_order(head).is_some()
}

fn section_order(block: &[u8]) -> Option<Order> {
    match block.get(8..)?.first_chunk::<4>()? {
        [0x1A, 0x2B, 0x3C, 0x4D] => Some(Order::Big),
        [0x4D, 0x3C, 0x2B, 0x1A] => Some(Order::Little),
        _ => None,
    }
}

impl Pcapng {
    /// `keeps_history`: whether frames are to be read again through [`Self::again`].
    pub(super) fn new(keeps_history: bool) -> Self {
        Self {
            order: Order::Little,
            readable: true,
            base: 0,
            described: 0,
            ports: Vec::new(),
            counted: Vec::new(),
            lost: None,
            history: keeps_history.then(Vec::new),
            stopped: false,
        }
    }

    pub(super) fn next(&mut self, rest: &[u8], at: u64, is_last: bool, notes: &mut Notes) -> Move {
        if self.lost.is_some() {
            return self.resume(rest, at, is_last, notes);
        }
        if self.stopped {
            return if rest.is_empty() { Move::More } else { Move::Past(rest.len()) };
        }
        let Some(kind) = self.order.u32_at(rest, 0) else { return Move::More };
        let mut order = self.order;
        if kind == SECTION_HEADER {
            if rest.len() < FRAME_OF_BLOCK {
                return Move::More;
            }
            let Some(of_section) = section_order(rest) else {
                let why = "a section header without byte order".to_owned();
                return self.lose(rest, at, is_last, Lost::new(at, why, false), notes);
            };
            order = of_section;
        }
        let Some(len) = order.u32_at(rest, 4) else { return Move::More };
        if len > notes.block_bytes && size(len) >= FRAME_OF_BLOCK {
            let why = format!("a block of {len} bytes, over the limit of {}", notes.block_bytes);
            return self.lose(rest, at, is_last, Lost::new(at, why, false), notes);
        }
        if size(len) < FRAME_OF_BLOCK {
            let why = format!("a block whose length is given as {len}");
            return self.lose(rest, at, is_last, Lost::new(at, why, false), notes);
        }
        let Some(block) = rest.get(..size(len)) else {
            if !is_last || self.is_cut_packet(kind, rest, len) {
                return Move::More;
            }
            let why = format!("a block of type {kind:#x} that runs past the end of the file");
            return self.lose(rest, at, is_last, Lost::new(at, why, true), notes);
        };
        let trailer = size(len).checked_sub(4).and_then(|place| order.u32_at(block, place));
        if trailer != Some(len) {
            // If another block follows at the place that the first length names, and none before, only the second length
            // is damaged.
            let holds_another = || {
                let mut places = FRAME_OF_BLOCK..block.len();
                places.any(|place| self.is_block(rest.get(place..).unwrap_or_default(), true) == Judged::Yes)
            };
            let is_whole = match self.is_block(rest.get(size(len)..).unwrap_or_default(), is_last) {
                Judged::Yes => !holds_another(),
                Judged::Open => return Move::More,
                Judged::No => false,
            };
            if !is_whole {
                let why = "a block whose two lengths differ".to_owned();
                return self.lose(rest, at, is_last, Lost::new(at, why, false), notes);
            }
            // The block is read; its damage is told all the same.
            let field = at.saturating_add(wide(block.len().saturating_sub(4)));
            notes.skipped(field, 4, "the second length of a block differs from the first, which was followed");
        }
        self.block(kind, order, block, at, notes)
    }

    /// Reads one whole block.
    #[inline]
    fn block(&mut self, kind: u32, order: Order, block: &[u8], at: u64, notes: &mut Notes) -> Move {
        let used = block.len();
        let body_end = used.saturating_sub(4);
        let body = block.get(8..body_end).unwrap_or_default();
        if kind == SECTION_HEADER {
            self.section(order, body, at, used, notes);
            return Move::Past(used);
        }
        if !self.readable {
            notes.skipped(at, wide(used), "a block in a section of unknown version");
            return Move::Past(used);
        }
        match kind {
            ENHANCED_PACKET | SIMPLE_PACKET | PACKET => return self.frame(kind, block, at, notes),
            INTERFACE_DESCRIPTION => self.interface(body, at, used, notes),
            NAME_RESOLUTION => self.names(body, notes),
            DECRYPTION_SECRETS => self.secrets(body, notes),
            INTERFACE_STATISTICS => return self.statistics(body, used, notes),
            // Wireshark gives these a number in its list of frames; so that all other numbers agree, so do we.
            JOURNAL | CUSTOM | CUSTOM_NO_COPY => {
                let _number_without_frame = notes.number();
            }
            _ => {}
        }
        Move::Past(used)
    }

    fn section(&mut self, order: Order, body: &[u8], at: u64, used: usize, notes: &mut Notes) {
        notes.facts.sections = notes.facts.sections.saturating_add(1);
        // The files of a ring are one capture on the same interfaces: they keep their numbers, and the list does not grow.
        if notes.file == 0 {
            self.base = self.base.saturating_add(self.described);
        }
        self.described = 0;
        self.ports.clear();
        self.counted.clear();
        self.order = order;
        let major = order.u16_at(body, 4).unwrap_or_default();
        let minor = order.u16_at(body, 6).unwrap_or_default();
        // 1.2 was written by some programs and is the same.
        self.readable = major == 1 && matches!(minor, 0 | 2);
        if !self.readable {
            let why = format!("a section of pcapng version {major}.{minor}, only version 1.0 is known");
            notes.skipped(at, wide(used), &why);
            return;
        }
        if let Some(history) = &mut self.history {
            let section = Section { at, order, base: self.base, ports: Vec::new(), port_places: Vec::new() };
            // Sections without interfaces hold no frames: a file full of them costs nothing.
            match history.last_mut().filter(|last| last.ports.is_empty()) {
                Some(last) => *last = section,
                None => history.push(section),
            }
        }
        self.comments(body.get(16..).unwrap_or_default(), None, notes);
    }

    fn interface(&mut self, body: &[u8], at: u64, used: usize, notes: &mut Notes) {
        let (Some(link), Some(snap_len)) = (self.order.u16_at(body, 0), self.order.u32_at(body, 4)) else {
            notes.skipped(at, wide(used), "an interface description that is too short");
            return;
        };
        let mut interface = Interface { link, snap_len, ..Interface::default() };
        let mut port = Port { link: LinkType(link), snap_len, clock: Clock::Times(1_000), offset_nanos: 0 };
        let order = self.order;
        each_option(order, body.get(8..).unwrap_or_default(), |code, value| match code {
            1 => notes.comment(None, value),
            2 => interface.name = text(value).to_vec(),
            3 => interface.description = text(value).to_vec(),
            9 => {
                if let Some(resolution) = value.first() {
                    port.clock = Clock::of(*resolution);
                }
            }
            14 => {
                if let Some(seconds) = value.first_chunk::<8>() {
                    port.offset_nanos = i128::from(order.i64(*seconds)).saturating_mul(1_000_000_000);
                }
            }
            _ => {}
        });
        let known = notes.file > 0 && notes.facts.interfaces.get(size(self.described)) == Some(&interface);
        self.described = self.described.saturating_add(1);
        // Once one was left out, the numbers of those after it would not fit any more.
        let fits = narrow(self.ports.len()).saturating_add(1) == self.described;
        if fits && (known || notes.interface(interface)) {
            self.ports.push(port);
            self.counted.push(Counters::default());
            if let Some(section) = self.history.as_mut().and_then(|history| history.last_mut()) {
                section.ports.push(port);
                section.port_places.push(at);
            }
        }
    }

    #[inline]
    fn frame(&mut self, kind: u32, block: &[u8], at: u64, notes: &mut Notes) -> Move {
        let used = block.len();
        let view = View { order: self.order, base: self.base, ports: &self.ports };
        let packet = match packet(kind, block, view, at, notes.frame_bytes) {
            Ok(packet) => packet,
            Err(why) => {
                notes.skipped(at, wide(used), why);
                return Move::Past(used);
            }
        };
        let mut head = packet.head;
        let Some(number) = notes.number() else {
            self.stopped = true;
            notes.skipped(at, 0, "more frames than can be numbered");
            return Move::Past(used);
        };
        head.number = number;
        if head.captured_len < packet.captured {
            notes.limit(Limit::FrameBytes);
        }
        if packet.has_time {
            notes.time(head.time);
        }
        if packet.options.len() > 4 {
            self.comments(packet.options, Some(number), notes);
        }
        Move::Frame { head, start: packet.start, used }
    }

    /// Reads an Interface Statistics Block: the latest one of an interface counts, all count from the section's beginning.
    fn statistics(&mut self, body: &[u8], used: usize, notes: &mut Notes) -> Move {
        let order = self.order;
        let options = body.get(12..).unwrap_or_default();
        self.comments(options, None, notes);
        let (Some(port), Some(high), Some(low)) = (order.u32_at(body, 0), order.u32_at(body, 4), order.u32_at(body, 8))
        else {
            return Move::Past(used);
        };
        let (Some(known), Some(counted)) = (self.ports.get(size(port)), self.counted.get_mut(size(port))) else {
            return Move::Past(used);
        };
        let before = *counted;
        let mut counts = false;
        each_option(order, options, |code, value| {
            let slot = match code {
                4 => &mut counted.received,
                5 => &mut counted.dropped_by_interface,
                6 => &mut counted.accepted,
                7 => &mut counted.dropped_by_kernel,
                _ => return,
            };
            if let Some(count) = value.first_chunk::<8>() {
                *slot = order.i64(*count).cast_unsigned();
                counts = true;
            }
        });
        if counts {
            notes.counters(*counted, before);
        }
        let units = u64::from(high).wrapping_shl(32) | u64::from(low);
        // Some writers leave the time out.
        if units == 0 {
            return Move::Past(used);
        }
        let nanos = known.clock.nanos(units).saturating_add(known.offset_nanos);
        Move::Clock(Timestamp::from_nanos(nanos), used)
    }

    fn comments(&self, options: &[u8], frame: Option<FrameNo>, notes: &mut Notes) {
        each_option(self.order, options, |code, value| {
            if code == 1 {
                notes.comment(frame, value);
            }
        });
    }

    /// Records of a Name Resolution Block: an address and its names, each ended by a zero byte.
    fn names(&self, body: &[u8], notes: &mut Notes) {
        let mut rest = body;
        while let (Some(kind), Some(len)) = (self.order.u16_at(rest, 0), self.order.u16_at(rest, 2)) {
            let len = usize::from(len);
            let Some(value) = rest.get(4..len.saturating_add(4)) else { return };
            let split = match kind {
                0 => break,
                1 => value.split_first_chunk::<4>().map(|(ip, names)| (IpAddr::V4(Ipv4Addr::from(*ip)), names)),
                2 => value.split_first_chunk::<16>().map(|(ip, names)| (IpAddr::V6(Ipv6Addr::from(*ip)), names)),
                _ => None,
            };
            if let Some((ip, names)) = split {
                for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
                    notes.name(ip, name);
                }
            }
            rest = rest.get(padded(len).saturating_add(4)..).unwrap_or_default();
        }
        // The options stand behind the record that ends the list.
        self.comments(rest.get(4..).unwrap_or_default(), None, notes);
    }

    fn secrets(&self, body: &[u8], notes: &mut Notes) {
        let (Some(kind), Some(len)) = (self.order.u32_at(body, 0), self.order.u32_at(body, 4)) else { return };
        let text = body.get(8..).unwrap_or_default();
        // Padding is no key text.
        let text = text.get(..size(len)).unwrap_or(text);
        if kind == TLS_KEY_LOG {
            notes.secrets(text);
        }
        let options = body.get(padded(size(len)).saturating_add(8)..).unwrap_or_default();
        self.comments(options, None, notes);
    }

    /// Whether the file ends inside the bytes of a packet whose lengths agree: then nothing is looked for in them, since
    /// the packet might carry a capture itself.
    fn is_cut_packet(&self, kind: u32, rest: &[u8], len: u32) -> bool {
        match (kind, self.order.u32_at(rest, 20)) {
            (ENHANCED_PACKET | PACKET, Some(captured)) => {
                let data_end = padded(size(captured)).saturating_add(28);
                rest.len() <= data_end && data_end.saturating_add(4) <= size(len)
            }
            _ => false,
        }
    }

    /// Whether a block begins here, by its type, both its lengths and, for packets, the length inside.
    fn is_block(&self, rest: &[u8], is_last: bool) -> Judged {
        let open = if is_last { Judged::No } else { Judged::Open };
        let Some(head) = rest.first_chunk::<FRAME_OF_BLOCK>() else {
            return if is_last && rest.is_empty() { Judged::Yes } else { open };
        };
        let Some(kind) = self.order.u32_at(head, 0) else { return Judged::No };
        if !is_known(kind) || (!self.readable && kind != SECTION_HEADER) {
            return Judged::No;
        }
        let order = match (kind, section_order(head)) {
            (SECTION_HEADER, None) => return Judged::No,
            (SECTION_HEADER, Some(order)) => order,
            _ => self.order,
        };
        let Some(len) = order.u32_at(head, 4) else { return Judged::No };
        let smallest = match kind {
            SECTION_HEADER => 28,
            INTERFACE_DESCRIPTION | DECRYPTION_SECRETS => 20,
            ENHANCED_PACKET | PACKET => 32,
            SIMPLE_PACKET | CUSTOM | CUSTOM_NO_COPY => 16,
            INTERFACE_STATISTICS => 24,
            _ => 12,
        };
        if len < smallest || len > MAX_FOUND || len % 4 != 0 {
            return Judged::No;
        }
        if matches!(kind, ENHANCED_PACKET | PACKET) {
            match order.u32_at(rest, 20) {
                Some(captured) if padded(size(captured)).saturating_add(32) > size(len) => return Judged::No,
                Some(_) => {}
                None => return open,
            }
        }
        match size(len).checked_sub(4).and_then(|place| order.u32_at(rest, place)) {
            Some(again) if again == len => Judged::Yes,
            Some(_) => Judged::No,
            None => open,
        }
    }

    fn lose(&mut self, rest: &[u8], at: u64, is_last: bool, lost: Lost, notes: &mut Notes) -> Move {
        self.lost = Some(lost);
        self.resume(rest, at, is_last, notes)
    }

    /// Looks for the next block.
    fn resume(&mut self, rest: &[u8], at: u64, is_last: bool, notes: &mut Notes) -> Move {
        let Some(mut lost) = self.lost.take() else { return Move::More };
        match lost.search(rest, at, FRAME_OF_BLOCK, is_last, |candidate| self.is_block(candidate, is_last)) {
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

    /// The frame of the block at `at`, for reading it again: `None` where the block is none or its interface unknown.
    pub(super) fn again(&self, block: &[u8], number: FrameNo, at: u64, frame_bytes: u32) -> Option<(FrameHead, usize)> {
        let history = self.history.as_ref()?;
        let section = history.get(history.partition_point(|section| section.at <= at).checked_sub(1)?)?;
        let known = section.port_places.partition_point(|place| *place < at);
        let view = View { order: section.order, base: section.base, ports: section.ports.get(..known)? };
        let kind = section.order.u32_at(block, 0)?;
        let mut packet = packet(kind, block, view, at, frame_bytes).ok()?;
        packet.head.number = number;
        Some((packet.head, packet.start))
    }

    /// The length of the block at `at` whose first bytes are `head`.
    pub(super) fn block_len(&self, head: &[u8], at: u64) -> Option<usize> {
        let history = self.history.as_ref()?;
        let section = history.get(history.partition_point(|section| section.at <= at).checked_sub(1)?)?;
        section.order.u32_at(head, 4).map(size)
    }
}

/// Reads a packet block of any of the three kinds.
#[inline]
fn packet<'a>(
    kind: u32,
    block: &'a [u8],
    view: View<'_>,
    at: u64,
    frame_bytes: u32,
) -> Result<Packet<'a>, &'static str> {
    const SHORT: &str = "a packet block that is too short";
    let order = view.order;
    let body = block.len().checked_sub(4).and_then(|end| block.get(8..end)).ok_or(SHORT)?;
    let (port, time, captured, original, skip) = if kind == SIMPLE_PACKET {
        (0, None, 0, order.u32_at(body, 0).ok_or(SHORT)?, 4)
    } else {
        let ([port, high, low, captured, original], _) = body.first_chunk::<20>().ok_or(SHORT)?.as_chunks::<4>() else {
            return Err(SHORT);
        };
        // The obsolete block has the interface in two bytes, and a drop count after it.
        let port = if kind == PACKET { u32::from(order.u16([port[0], port[1]])) } else { order.u32(*port) };
        let units = u64::from(order.u32(*high)).wrapping_shl(32) | u64::from(order.u32(*low));
        (port, Some(units), order.u32(*captured), order.u32(*original), 20)
    };
    let Some(known) = view.ports.get(size(port)) else {
        return Err("a packet of an interface that was not described");
    };
    let data = body.get(skip..).unwrap_or_default();
    let captured = if time.is_some() {
        captured
    } else {
        // A Simple Packet Block has no captured length: the snap length or the block's end cuts it.
        let snap = if known.snap_len == 0 { u32::MAX } else { known.snap_len };
        original.min(snap).min(narrow(data.len()))
    };
    if size(captured) > data.len() {
        return Err("a packet whose captured length runs past its block");
    }
    let nanos = time.map(|units| known.clock.nanos(units).saturating_add(known.offset_nanos));
    let head = FrameHead {
        number: FrameNo::default(),
        time: nanos.map_or_else(Timestamp::default, Timestamp::from_nanos),
        link: known.link,
        interface: view.base.saturating_add(port),
        captured_len: captured.min(frame_bytes),
        original_len: original,
        record_offset: at,
    };
    let options = if time.is_some() { data.get(padded(size(captured))..).unwrap_or_default() } else { &[] };
    Ok(Packet { head, start: skip.saturating_add(8), captured, has_time: time.is_some(), options })
}

fn is_known(kind: u32) -> bool {
    matches!(
        kind,
        SECTION_HEADER | INTERFACE_DESCRIPTION
            ..=ENHANCED_PACKET | JOURNAL | DECRYPTION_SECRETS | CUSTOM | CUSTOM_NO_COPY
    )
}

/// Calls `see` with the code and value of each option, up to the end of options or the first that runs over.
fn each_option(order: Order, options: &[u8], mut see: impl FnMut(u16, &[u8])) {
    let mut rest = options;
    while let (Some(code), Some(len)) = (order.u16_at(rest, 0), order.u16_at(rest, 2)) {
        let len = usize::from(len);
        let Some(value) = rest.get(4..len.saturating_add(4)) else { return };
        if code == 0 {
            return;
        }
        see(code, value);
        rest = rest.get(padded(len).saturating_add(4)..).unwrap_or_default();
    }
}

/// Some writers count a closing zero byte.
fn text(value: &[u8]) -> &[u8] {
    value.split(|byte| *byte == 0).next().unwrap_or_default()
}
