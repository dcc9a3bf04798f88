//! DNS messages (RFC 1035) and their kin on other ports: mDNS (RFC 6762) and LLMNR (RFC 4795).
//!
//! Comes in: one datagram, or runs of a TCP stream. Goes out: questions and answer records as text, each record with
//! its place in the message. Never: a guess; what cannot be read ends the list and makes the message incomplete.
//!
//! Names are dotted, without the final dot (the root alone is `.`); bytes that are no printable ASCII, and dots and
//! backslashes inside a label, are escaped as RFC 1035 section 5.1 says.

#[cfg(test)]
mod tests;

use core::fmt::Write as _;
use core::net::{Ipv4Addr, Ipv6Addr};
use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Feed;
use super::quic::{Act, StreamPiece};
use crate::model::{Budget, ByteRange, Cursor, DnsQuestion, DnsRecord, FrameNo, Run, RunKind, Side, Timestamp};

/// Bytes of a message's header (RFC 1035 section 4.1.1).
const HEADER_BYTES: usize = 12;
/// The pseudo record of EDNS (RFC 6891), and bytes of it before its options.
const OPT: u16 = 41;
const OPT_HEAD_BYTES: usize = 11;
/// Bytes of a name on the wire, length bytes included (RFC 1035 section 2.3.4).
const NAME_BYTES: usize = 255;
/// Bytes of record data that are shown in hex; more would fill the row with nothing readable.
const HEX_BYTES: usize = 64;
/// Bytes of a record's value as text; what is over is cut, with `…` behind it.
const VALUE_BYTES: usize = 4_096;

/// A DNS message as far as it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Transaction number.
    pub id: u16,
    /// Whether it is a response.
    pub response: bool,
    /// Operation code; 0 is a query.
    pub opcode: u8,
    /// Response code, the four bits of the header.
    pub rcode: u8,
    /// The questions.
    pub questions: Vec<DnsQuestion>,
    /// The records of the answer section.
    pub answers: Vec<DnsRecord>,
    /// Whether every section was there and sound. The authority and additional sections are walked, not kept.
    pub complete: bool,
    /// Bytes of the input that were read.
    pub used: usize,
}

/// Reads a message; `None` where the header is no DNS header (or is that of a `NetBIOS` name service message, RFC 1002).
/// Of a damaged or cut message everything up to the damage is given, with `complete` false.
pub fn message(bytes: &[u8], budget: &Budget) -> Option<Message> {
    let head = Header::read(bytes)?;
    if !head.plausible() {
        return None;
    }
    let mut message = Message {
        id: head.id,
        response: head.flags & 0x8000 != 0,
        opcode: head.opcode(),
        rcode: head.rcode(),
        questions: Vec::new(),
        answers: Vec::new(),
        complete: false,
        used: HEADER_BYTES,
    };
    let mut reader =
        Reader { bytes, at: HEADER_BYTES, jumps: budget.dns_jumps, records: budget.dns_records, sound: true };
    let whole = reader.sections(&head, &mut message);
    if message.questions.first().is_some_and(netbios) {
        return None;
    }
    message.complete = whole.is_some() && reader.sound;
    message.used = reader.at;
    Some(message)
}

/// Every name and every record's data in all sections of a message as text, and whether that is all of it. Of the options
/// of EDNS, client subnets (RFC 7871 section 6) are given as addresses.
pub fn texts(bytes: &[u8], budget: &Budget) -> (Vec<String>, bool) {
    let Some(head) = Header::read(bytes) else { return (Vec::new(), false) };
    let mut reader =
        Reader { bytes, at: HEADER_BYTES, jumps: budget.dns_jumps, records: budget.dns_records, sound: true };
    let mut texts = Vec::new();
    let whole = reader.texts(&head, &mut texts);
    (texts, whole.is_some() && reader.sound && reader.at == bytes.len())
}

/// Whether these bytes are one whole DNS message and nothing else, judged strictly: for ports that say nothing.
pub fn sniff(bytes: &[u8]) -> bool {
    let Some(head) = Header::read(bytes) else { return false };
    let response = head.flags & 0x8000 != 0;
    // Opcode 0, the reserved bit clear, one question; a query has no answers and no response code.
    let fits = head.flags & 0x7840 == 0
        && head.counts[0] == 1
        && head.rcode() <= 10
        && if response {
            head.counts.iter().all(|c| *c <= 128)
        } else {
            head.rcode() == 0
                && head.flags & 0x0480 == 0
                && head.counts[1] == 0
                && head.counts[2] == 0
                && head.counts[3] <= 2
        };
    if !fits || !strict_question(bytes) {
        return false;
    }
    message(bytes, &Budget::default()).is_some_and(|m| m.complete && m.used == bytes.len())
}

/// The name of a record type, `A`, `HTTPS`; `TYPE65280` for one without a name here (RFC 3597 section 5).
pub fn type_name(number: u16) -> Cow<'static, str> {
    let name = match number {
        1 => "A",
        2 => "NS",
        5 => "CNAME",
        6 => "SOA",
        10 => "NULL",
        11 => "WKS",
        12 => "PTR",
        13 => "HINFO",
        15 => "MX",
        16 => "TXT",
        17 => "RP",
        18 => "AFSDB",
        24 => "SIG",
        25 => "KEY",
        28 => "AAAA",
        29 => "LOC",
        33 => "SRV",
        35 => "NAPTR",
        36 => "KX",
        37 => "CERT",
        39 => "DNAME",
        41 => "OPT",
        42 => "APL",
        43 => "DS",
        44 => "SSHFP",
        45 => "IPSECKEY",
        46 => "RRSIG",
        47 => "NSEC",
        48 => "DNSKEY",
        49 => "DHCID",
        50 => "NSEC3",
        51 => "NSEC3PARAM",
        52 => "TLSA",
        53 => "SMIMEA",
        55 => "HIP",
        59 => "CDS",
        60 => "CDNSKEY",
        61 => "OPENPGPKEY",
        62 => "CSYNC",
        63 => "ZONEMD",
        64 => "SVCB",
        65 => "HTTPS",
        99 => "SPF",
        108 => "EUI48",
        109 => "EUI64",
        249 => "TKEY",
        250 => "TSIG",
        251 => "IXFR",
        252 => "AXFR",
        255 => "ANY",
        256 => "URI",
        257 => "CAA",
        other => return Cow::Owned(format!("TYPE{other}")),
    };
    Cow::Borrowed(name)
}

/// The fixed header.
struct Header {
    id: u16,
    flags: u16,
    /// Questions, answers, authority, additional.
    counts: [u16; 4],
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let id = cursor.u16()?;
        let flags = cursor.u16()?;
        let counts = [cursor.u16()?, cursor.u16()?, cursor.u16()?, cursor.u16()?];
        Some(Self { id, flags, counts })
    }

    fn opcode(&self) -> u8 {
        let [high, _] = self.flags.to_be_bytes();
        high >> 3 & 0x0F
    }

    fn rcode(&self) -> u8 {
        let [_, low] = self.flags.to_be_bytes();
        low & 0x0F
    }

    /// Opcodes are given out up to 6 (RFC 8490); a query without any record asks nothing.
    fn plausible(&self) -> bool {
        self.opcode() <= 6 && (self.flags & 0x8000 != 0 || self.counts.iter().any(|c| *c != 0))
    }
}

/// A first-level encoded `NetBIOS` name (RFC 1001 section 14.1) asked for as NB or NBSTAT: 32 letters from A to P.
fn netbios(question: &DnsQuestion) -> bool {
    let label = question.name.split('.').next().unwrap_or_default();
    matches!(question.qtype, 0x20 | 0x21) && label.len() == 32 && label.bytes().all(|b| (b'A'..=b'P').contains(&b))
}

/// Whether the first question's name is made of printable bytes and its type and class are in use.
fn strict_question(bytes: &[u8]) -> bool {
    let mut cursor = Cursor::new(bytes);
    let mut labels = 0_u32;
    let mut read = || {
        cursor.skip(HEADER_BYTES)?;
        loop {
            let len = cursor.u8()?;
            if len == 0 {
                break;
            }
            let label = cursor.slice(usize::from(len))?;
            if len > 63 || !label.iter().all(u8::is_ascii_graphic) {
                return None;
            }
            labels = labels.saturating_add(1);
        }
        Some((cursor.u16()?, cursor.u16()?))
    };
    let Some((qtype, class)) = read() else { return false };
    // The root is asked for its servers, keys and start of authority only.
    matches!(qtype, 1..=65 | 99..=109 | 249..=261)
        && matches!(class, 1 | 3 | 255)
        && (labels > 0 || matches!(qtype, 2 | 6 | 48))
}

/// Walks one message.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Compression pointers that one name may follow.
    jumps: usize,
    /// Records that may still be read.
    records: usize,
    /// No record's data broke its own form so far.
    sound: bool,
}

impl Reader<'_> {
    fn sections(&mut self, head: &Header, message: &mut Message) -> Option<()> {
        let [questions, answers, authority, additional] = head.counts;
        for _ in 0..questions {
            self.records = self.records.checked_sub(1)?;
            let mut name = String::new();
            let end = self.name(self.at, self.bytes.len(), &mut name)?;
            let mut cursor = self.from(end);
            let (qtype, _class) = (cursor.u16()?, cursor.u16()?);
            self.at = end.checked_add(cursor.used())?;
            message.questions.push(DnsQuestion { name, qtype });
        }
        if answers > 0 {
            // A record takes 11 bytes at least, so a count that lies reserves nothing much.
            let possible = self.bytes.len() / 11;
            message.answers.reserve_exact(usize::from(answers).min(possible).min(self.records));
        }
        for _ in 0..answers {
            let record = self.record()?;
            message.answers.push(record);
        }
        for _ in 0..u32::from(authority).saturating_add(u32::from(additional)) {
            self.pass_record()?;
        }
        Some(())
    }

    fn texts(&mut self, head: &Header, texts: &mut Vec<String>) -> Option<()> {
        let [questions, records @ ..] = head.counts;
        for _ in 0..questions {
            self.records = self.records.checked_sub(1)?;
            let mut name = String::new();
            let end = self.name(self.at, self.bytes.len(), &mut name)?;
            self.from(end).skip(4)?;
            self.at = end.checked_add(4)?;
            texts.push(name);
        }
        for _ in 0..records.into_iter().map(u32::from).sum::<u32>() {
            let record = self.record()?;
            if record.rtype == OPT {
                let data = self.bytes.get(..self.at)?.get(usize::try_from(record.range.start).ok()?..)?;
                // The root's name, type, size, flags and length stand before the options (RFC 6891 section 6.1.2).
                texts.extend(subnets(data.get(OPT_HEAD_BYTES..)?));
            }
            texts.extend([record.name, record.value]);
        }
        Some(())
    }

    fn record(&mut self) -> Option<DnsRecord> {
        self.records = self.records.checked_sub(1)?;
        let start = self.at;
        let mut name = String::new();
        let end = self.name(start, self.bytes.len(), &mut name)?;
        let mut cursor = self.from(end);
        let (rtype, _class, ttl, len) = (cursor.u16()?, cursor.u16()?, cursor.u32()?, usize::from(cursor.u16()?));
        let data = end.checked_add(cursor.used())?;
        cursor.skip(len)?;
        let after = data.checked_add(len)?;
        let mut value = String::new();
        if self.value(rtype, data, after, &mut value).is_none() {
            // An empty record is how a dynamic update deletes (RFC 2136 section 2.5), not damage.
            self.sound &= len == 0;
            value.clear();
            hex_into(self.bytes.get(data..after).unwrap_or_default(), &mut value);
        }
        if value.len() > VALUE_BYTES {
            value.truncate(value.floor_char_boundary(VALUE_BYTES));
            value.push('…');
        }
        self.at = after;
        Some(DnsRecord { name, rtype, ttl, value, range: ByteRange::between(start, after) })
    }

    /// A record that is not kept.
    fn pass_record(&mut self) -> Option<()> {
        self.records = self.records.checked_sub(1)?;
        let end = pass_name(self.bytes, self.at)?;
        let mut cursor = self.from(end);
        cursor.skip(8)?;
        let len = usize::from(cursor.u16()?);
        cursor.skip(len)?;
        self.at = end.checked_add(cursor.used())?;
        Some(())
    }

    fn from(&self, at: usize) -> Cursor<'_> {
        Cursor::new(self.bytes.get(at..).unwrap_or_default())
    }

    /// Appends the name at `at`, whose own bytes stop before `limit`; gives the offset after it. A pointer must lead
    /// before the label run it stands in, so no chain can loop (RFC 1035 section 4.1.4: "a prior occurrence").
    fn name(&self, at: usize, limit: usize, out: &mut String) -> Option<usize> {
        let begin = out.len();
        let (mut at, mut run, mut limit) = (at, at, limit);
        let mut after = None;
        let (mut jumps, mut wire) = (0_usize, 1_usize);
        loop {
            let len = *self.bytes.get(at).filter(|_| at < limit)?;
            let next = at.checked_add(1)?;
            match len {
                0 => {
                    if out.len() == begin {
                        out.push('.');
                    }
                    return Some(after.unwrap_or(next));
                }
                1..=63 => {
                    let end = next.checked_add(usize::from(len))?;
                    let label = self.bytes.get(next..end).filter(|_| end <= limit)?;
                    wire = wire.checked_add(label.len())?.checked_add(1)?;
                    if wire > NAME_BYTES {
                        return None;
                    }
                    if out.len() == begin {
                        out.reserve(32);
                    } else {
                        out.push('.');
                    }
                    label_into(label, out);
                    at = end;
                }
                0xC0.. => {
                    let low = *self.bytes.get(next).filter(|_| next < limit)?;
                    let target = usize::from(u16::from_be_bytes([len & 0x3F, low]));
                    jumps = jumps.checked_add(1)?;
                    if target >= run || jumps > self.jumps {
                        return None;
                    }
                    after = after.or_else(|| next.checked_add(1));
                    (at, run, limit) = (target, target, self.bytes.len());
                }
                // 0x40 and 0x80 are label types that nobody uses (RFC 6891 section 5).
                _ => return None,
            }
        }
    }

    /// Appends the data `data..after` of a record as text; `None` where it breaks the form of its type.
    fn value(&self, rtype: u16, data: usize, after: usize, out: &mut String) -> Option<()> {
        let slice = self.bytes.get(data..after)?;
        let mut cursor = Cursor::new(slice);
        match rtype {
            1 => {
                let address: [u8; 4] = slice.try_into().ok()?;
                ipv4_into(address, out);
            }
            28 => {
                let address: [u8; 16] = slice.try_into().ok()?;
                write!(out, "{}", Ipv6Addr::from(address)).ok()?;
            }
            2 | 5 | 12 | 39 => self.last_name(data, after, out)?,
            15 => {
                write!(out, "{} ", cursor.u16()?).ok()?;
                self.last_name(data.checked_add(2)?, after, out)?;
            }
            33 => {
                write!(out, "{} {} {} ", cursor.u16()?, cursor.u16()?, cursor.u16()?).ok()?;
                self.last_name(data.checked_add(6)?, after, out)?;
            }
            6 => {
                let second = self.name(data, after, out)?;
                out.push(' ');
                let numbers = self.name(second, after, out)?;
                let mut cursor = Cursor::new(self.bytes.get(numbers..after)?);
                for _ in 0..5 {
                    write!(out, " {}", cursor.u32()?).ok()?;
                }
                return cursor.is_empty().then_some(());
            }
            16 | 99 => {
                while !cursor.is_empty() {
                    let len = cursor.u8()?;
                    let text = cursor.slice(usize::from(len))?;
                    if !out.is_empty() {
                        out.push(' ');
                    }
                    quoted_into(text, out);
                }
                return (!slice.is_empty()).then_some(());
            }
            257 => {
                let flags = cursor.u8()?;
                let len = cursor.u8()?;
                let tag = cursor.slice(usize::from(len))?;
                write!(out, "{flags} ").ok()?;
                label_into(tag, out);
                out.push(' ');
                quoted_into(cursor.rest(), out);
            }
            64 | 65 => self.service(data, after, out)?,
            _ => hex_into(slice, out),
        }
        Some(())
    }

    /// A name that fills the rest of a record's data.
    fn last_name(&self, at: usize, after: usize, out: &mut String) -> Option<()> {
        (self.name(at, after, out)? == after).then_some(())
    }

    /// SVCB and HTTPS (RFC 9460 section 2.2): priority, target, parameters; the usual ones in words.
    fn service(&self, data: usize, after: usize, out: &mut String) -> Option<()> {
        let mut cursor = Cursor::new(self.bytes.get(data..after)?);
        write!(out, "{} ", cursor.u16()?).ok()?;
        let end = self.name(data.checked_add(2)?, after, out)?;
        let mut cursor = Cursor::new(self.bytes.get(end..after)?);
        while !cursor.is_empty() {
            let (key, len) = (cursor.u16()?, cursor.u16()?);
            let value = cursor.slice(usize::from(len))?;
            match key {
                1 => {
                    out.push_str(" alpn=");
                    let mut ids = Cursor::new(value);
                    let mut comma = "";
                    while !ids.is_empty() {
                        let len = ids.u8()?;
                        out.push_str(comma);
                        label_into(ids.slice(usize::from(len))?, out);
                        comma = ",";
                    }
                }
                2 => out.push_str(" no-default-alpn"),
                3 => write!(out, " port={}", Cursor::new(value).u16()?).ok()?,
                4 => {
                    let (hints, rest) = value.as_chunks::<4>();
                    for (i, hint) in hints.iter().enumerate() {
                        out.push_str(if i == 0 { " ipv4hint=" } else { "," });
                        ipv4_into(*hint, out);
                    }
                    rest.is_empty().then_some(())?;
                }
                5 => out.push_str(" ech"),
                6 => {
                    let (hints, rest) = value.as_chunks::<16>();
                    for (i, hint) in hints.iter().enumerate() {
                        out.push_str(if i == 0 { " ipv6hint=" } else { "," });
                        write!(out, "{}", Ipv6Addr::from(*hint)).ok()?;
                    }
                    rest.is_empty().then_some(())?;
                }
                _ => {
                    write!(out, " key{key}=").ok()?;
                    hex_into(value, out);
                }
            }
        }
        Some(())
    }
}

/// The addresses of client subnet options: code 8, then family, two prefix lengths, and as many bytes as are not zero.
fn subnets(options: &[u8]) -> Vec<String> {
    let mut cursor = Cursor::new(options);
    let mut found = Vec::new();
    let mut next = || {
        let code = cursor.u16()?;
        let len = usize::from(cursor.u16()?);
        cursor.slice(len).map(|value| (code, value))
    };
    while let Some((code, value)) = next() {
        let mut address = [0; 16];
        let sent = value.get(4..).unwrap_or_default();
        for (target, byte) in address.iter_mut().zip(sent) {
            *target = *byte;
        }
        let [a, b, c, d, ..] = address;
        match (code, value) {
            (8, [0, 1, ..]) => found.push(Ipv4Addr::new(a, b, c, d).to_string()),
            (8, [0, 2, ..]) => found.push(Ipv6Addr::from(address).to_string()),
            _ => {}
        }
    }
    found
}

/// The offset after the name at `at`, its pointer not followed.
fn pass_name(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at;
    loop {
        let len = *bytes.get(at)?;
        let step = match len {
            0 => return at.checked_add(1),
            1..=63 => usize::from(len).checked_add(1)?,
            0xC0.. => {
                bytes.get(at.checked_add(1)?)?;
                return at.checked_add(2);
            }
            _ => return None,
        };
        at = at.checked_add(step)?;
    }
}

fn label_into(label: &[u8], out: &mut String) {
    // Almost every label is plain: one look, one copy.
    let plain = |b: &u8| matches!(b, b' '..=b'~') && !matches!(b, b'.' | b'\\');
    if label.iter().all(plain)
        && let Ok(text) = core::str::from_utf8(label)
    {
        return out.push_str(text);
    }
    for byte in label {
        escape_into(*byte, b'.', out);
    }
}

fn quoted_into(text: &[u8], out: &mut String) {
    out.push('"');
    for byte in text {
        escape_into(*byte, b'"', out);
    }
    out.push('"');
}

/// One byte, escaped where it is the backslash, `special` or not printable.
fn escape_into(byte: u8, special: u8, out: &mut String) {
    match byte {
        b'\\' => out.push_str("\\\\"),
        b if b == special => {
            out.push('\\');
            out.push(char::from(b));
        }
        b' '..=b'~' => out.push(char::from(byte)),
        _ => {
            out.push('\\');
            for digit in [byte / 100, byte / 10 % 10, byte % 10] {
                out.push(char::from(digit.wrapping_add(b'0')));
            }
        }
    }
}

fn ipv4_into(address: [u8; 4], out: &mut String) {
    out.reserve(15);
    // Writing to a String does not fail.
    write!(out, "{}", Ipv4Addr::from(address)).unwrap_or_default();
}

fn hex_into(bytes: &[u8], out: &mut String) {
    let shown = bytes.get(..HEX_BYTES).unwrap_or(bytes);
    out.push_str(&crate::model::hex(shown));
    if shown.len() < bytes.len() {
        out.push('…');
    }
}

/// One message of a stream, without its length bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpMessage {
    /// Who sent it.
    pub side: Side,
    /// The frame of its first byte.
    pub first_frame: FrameNo,
    /// The frame that completed it.
    pub frame: FrameNo,
    /// When that frame was captured.
    pub time: Timestamp,
    /// The stream of QUIC that it came on, where it did.
    pub stream: Option<u64>,
    /// The message.
    pub bytes: Vec<u8>,
}

/// Cuts the streams of a DNS over QUIC connection into messages (RFC 9250 section 4.2): each query has a stream of its own.
#[derive(Debug)]
pub struct QuicReader {
    streams: BTreeMap<u64, TcpReader>,
    most: usize,
}

impl QuicReader {
    /// A reader at the start of a connection.
    pub fn new(budget: &Budget) -> Self {
        Self { streams: BTreeMap::new(), most: budget.live_streams }
    }

    /// Takes a piece of a stream and appends the messages it completes. A hole ends what is read of its side.
    pub fn feed(&mut self, piece: &StreamPiece, out: &mut Vec<TcpMessage>) {
        // Queries come on streams of both directions that the client opens.
        if piece.stream & 3 != 0 || piece.act != Act::Read {
            return;
        }
        if self.streams.len() >= self.most && !self.streams.contains_key(&piece.stream) {
            self.streams.pop_first();
        }
        let reader = self.streams.entry(piece.stream).or_default();
        let before = out.len();
        reader.feed(&piece.run, out);
        for message in out.iter_mut().skip(before) {
            message.stream = Some(piece.stream);
        }
        if piece.run.kind == RunKind::End {
            reader.ended = reader.ended.saturating_add(1);
            if reader.ended >= 2 {
                self.streams.remove(&piece.stream);
            }
        }
    }
}

/// Cuts the streams of a TCP connection into messages by their two-byte lengths (RFC 1035 section 4.2.2).
#[derive(Debug, Default)]
pub struct TcpReader {
    client: Half,
    server: Half,
    found: bool,
    /// Sides that have ended; counted for streams of QUIC.
    ended: u8,
}

/// One side's unfinished message.
#[derive(Debug, Default)]
struct Half {
    /// The first length byte, where the second is still to come.
    length: Option<u8>,
    /// Bytes that the message still lacks; 0 between messages.
    left: usize,
    first_frame: FrameNo,
    bytes: Vec<u8>,
    /// The framing is lost: a hole, or a length that no message has.
    lost: bool,
}

impl TcpReader {
    /// A reader at the start of a connection. A message cannot be longer than its length bytes can say, so no limit of
    /// the budget is needed.
    pub fn new(_budget: &Budget) -> Self {
        Self::default()
    }

    /// Takes a run and appends the messages it completes. `NotThis`: no message was found and the bytes are none;
    /// `Done`: both sides have lost their framing.
    pub fn feed(&mut self, run: &Run<'_>, out: &mut Vec<TcpMessage>) -> Feed {
        let half = match run.side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        };
        let before = out.len();
        match &run.kind {
            RunKind::Data(bytes) => half.data(bytes, run, out),
            RunKind::Gap(_) => half.lose(),
            RunKind::End => {}
        }
        let broken = half.lost;
        self.found |= out.len() > before;
        match (broken, self.client.lost && self.server.lost) {
            (true, _) if !self.found => Feed::NotThis,
            (_, true) => Feed::Done,
            _ => Feed::Going,
        }
    }
}

impl Half {
    fn lose(&mut self) {
        self.lost = true;
        self.bytes = Vec::new();
    }

    fn data(&mut self, bytes: &[u8], run: &Run<'_>, out: &mut Vec<TcpMessage>) {
        let mut rest = bytes;
        while let (false, Some((first, after))) = (self.lost, rest.split_first()) {
            if self.left > 0 {
                let (piece, after) = rest.split_at(self.left.min(rest.len()));
                self.bytes.extend_from_slice(piece);
                self.left = self.left.saturating_sub(piece.len());
                rest = after;
                if self.left == 0 {
                    out.push(TcpMessage {
                        side: run.side,
                        first_frame: self.first_frame,
                        frame: run.frame,
                        time: run.time,
                        stream: None,
                        bytes: core::mem::take(&mut self.bytes),
                    });
                }
                continue;
            }
            rest = after;
            match self.length.take() {
                None => {
                    self.length = Some(*first);
                    self.first_frame = run.frame;
                }
                Some(high) => {
                    self.left = usize::from(u16::from_be_bytes([high, *first]));
                    if self.left < HEADER_BYTES {
                        self.lose();
                    }
                }
            }
        }
    }
}
