//! The excerpt: only the cited frames and what they depend on, as pcapng.
//!
//! Comes in: records and what is cited of them. Goes out: a pcapng whose frames carry their original numbers in comments,
//! with times, interfaces and link types as they were. Never: a byte of payload that is neither cited nor needed to read
//! what is cited; with redaction on, such bytes are `X`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;

use super::proof::ProofError;
use super::redact::Redactor;
use crate::capture::{FrameFile, FrameWriter, Interface};
use crate::decode::{Decoder, Outcome};
use crate::model::{
    Budget, Certificate, ClientHello, Detail, DnsOver, Endpoint, FlowId, FrameHead, FrameNo, HttpMessage, LinkType,
    Part, Payload, TcpFlags, Transport, Unit, UnitKind, hex,
};
use crate::store::{Facts, Record, RowId, RowKind, Snapshot};

/// What stands where a byte was overwritten: a letter, so that heads can still be read.
pub(super) const FILL: u8 = b'X';
/// Bytes of an excerpt; it is held in memory.
const MOST_BYTES: u64 = 256 << 20;
/// Bytes of an interface's name that are kept.
const NAME_BYTES: usize = 64;

/// An excerpt.
#[derive(Clone, Debug, Default)]
pub struct Excerpt {
    /// The pcapng.
    pub bytes: Vec<u8>,
    /// Original numbers of its frames, ascending.
    pub frames: Vec<FrameNo>,
    /// Payload bytes that were overwritten.
    pub overwritten: u64,
}

/// What of a flow goes in.
#[derive(Debug, Default)]
struct Wanted {
    /// Who asked: direction 0 is what it sent.
    client: Option<Endpoint>,
    /// Stream ranges that stay, by direction.
    keep: [Vec<(u64, u64)>; 2],
    /// Stream ranges inside those that are overwritten.
    hide: [Vec<(u64, u64)>; 2],
    /// Frames of which everything stays but known secrets: handshakes, lookups.
    whole: BTreeSet<FrameNo>,
    /// Ranges of frames (by number, with direction) of which everything stays.
    spans: Vec<(FrameNo, FrameNo, usize)>,
    /// Secrets of names in handshakes, by direction: each must be found in its stream, or nothing of that side goes in.
    secrets: [BTreeSet<Vec<u8>>; 2],
    /// No frame after this one is needed.
    until: FrameNo,
}

impl Wanted {
    fn spans_of(&self, frame: FrameNo, direction: usize) -> bool {
        self.spans.iter().any(|(a, b, d)| *d == direction && (*a..=*b).contains(&frame))
    }

    fn need(&mut self, frame: FrameNo) {
        self.until = self.until.max(frame);
    }

    /// A head or body among the frames of HTTP/2: to read it, all of the connection before it is needed, whose header blocks
    /// filled the table. A secret in a compressed head cannot be overwritten alone, nor can what is nobody's business be
    /// left out: where secrets are hidden, nothing of it goes in.
    fn compressed(&mut self, flow: FlowId, last: FrameNo, redactor: &Redactor) {
        if !redactor.is_on() {
            self.spans.extend([(FrameNo(flow.0), last, 0), (FrameNo(flow.0), last, 1)]);
        }
        self.need(last);
    }
}

/// Makes the excerpt for these records. The redactor must have learnt them.
pub(super) fn excerpt(
    path: &Path,
    snapshot: &Snapshot,
    records: &[Record],
    redactor: &mut Redactor,
    budget: &Budget,
) -> Result<Excerpt, ProofError> {
    let mut sessions = BTreeMap::new();
    if records.iter().any(|r| r.exchange.envelope.is_some()) {
        for (id, _) in snapshot.rows().filter(|(_, row)| row.kind == RowKind::Tls) {
            sessions.insert(snapshot.record(id)?.exchange.flow, id);
        }
    }
    let mut plan = Plan { flows: BTreeMap::new(), sessions, path, snapshot, redactor, budget };
    for record in records {
        plan.cite(record)?;
    }
    plan.write()
}

struct Plan<'a> {
    flows: BTreeMap<FlowId, Wanted>,
    /// TLS sessions, where exchanges are cited that were read from one.
    sessions: BTreeMap<FlowId, RowId>,
    path: &'a Path,
    snapshot: &'a Snapshot,
    redactor: &'a mut Redactor,
    budget: &'a Budget,
}

impl Plan<'_> {
    fn cite(&mut self, record: &Record) -> Result<(), ProofError> {
        self.exchange(record);
        self.bodies(record)?;
        if let Some(looked_up) = &record.verdict.looked_up {
            let lookup = self.snapshot.record(RowId(looked_up.lookup.0))?;
            self.exchange(&lookup);
        }
        if let Some(given) = &record.verdict.handed_out
            && let Some(row) = self.snapshot.giver(given.giver)
        {
            let giver = self.snapshot.record(row)?;
            self.exchange(&giver);
            self.handed_out(&giver, given.offset, &given.text)?;
        }
        Ok(())
    }

    /// The heads, hellos, certificates or lookups of an exchange.
    fn exchange(&mut self, record: &Record) {
        let exchange = &record.exchange;
        let wanted = self.flows.entry(exchange.flow).or_default();
        wanted.client.get_or_insert(exchange.client);
        wanted.need(exchange.first_frame);
        match &exchange.detail {
            // Its lines stand nowhere in the frames: without the key log nobody can check them. The handshake can be.
            Detail::Http(_) | Detail::Dns(_) if exchange.envelope.is_some() => {
                let session = self.sessions.get(&exchange.flow).copied();
                if let Some(Ok(session)) = session.map(|row| self.snapshot.record(row)) {
                    self.exchange(&session);
                }
            }
            Detail::Http(http) => {
                let request = http.request.iter().map(|m| (m, 0));
                let answers = http.interim.iter().chain(&http.response).map(|m| (m, 1));
                for (message, direction) in request.chain(answers) {
                    wanted.need(message.header_frame);
                    if message.is_decoded() {
                        wanted.compressed(exchange.flow, message.header_frame, self.redactor);
                        continue;
                    }
                    let from = message.stream_offset;
                    let at = |offset: u32| from.saturating_add(u64::from(offset));
                    wanted.keep[direction].push((from, at(head_len(message))));
                    for hit in self.redactor.head_hits(message) {
                        wanted.hide[direction].push((at(hit.range.start), at(hit.range.end())));
                    }
                }
            }
            Detail::Tls(tls) => {
                // Everybody can open the packets of a QUIC hello, nobody can overwrite a part of one: with a secret in
                // it nothing of it goes in. Nor of what DTLS cuts into datagrams.
                let streamed = exchange.transport == Transport::Tcp;
                let names = tls.client_hello.iter().filter_map(ClientHello::sni_bytes);
                let asked = self.redactor.secrets_of(names);
                let block = tls.client_hello.as_ref().map_or(&[][..], |hello| hello.block.as_ref());
                let known = !streamed && !self.redactor.known_hits(block).is_empty();
                let sealed_secret = known || !streamed && !asked.is_empty();
                wanted.secrets[0].extend(asked);
                if let Some(hello) = tls.client_hello.as_ref().filter(|_| !sealed_secret) {
                    // The first bytes need not come first.
                    let frames = || hello.spans.iter().map(|s| s.frame).chain([hello.first_frame, hello.frame]);
                    let (first, last) = (frames().min(), frames().max());
                    let (first, last) = (first.unwrap_or(hello.first_frame), last.unwrap_or(hello.frame));
                    wanted.spans.push((first, last, 0));
                    wanted.need(last);
                }
                let shown = self.redactor.secrets_of(tls.certificates.iter().flat_map(|c| texts_of(c)));
                let last = tls.server_hello.as_ref().map(|h| h.frame).max(tls.certificate_frame);
                if let Some(last) = last.filter(|_| streamed || shown.is_empty()) {
                    wanted.spans.push((exchange.first_frame, last, 1));
                    wanted.need(last);
                }
                wanted.secrets[1].extend(shown);
            }
            // Sealed: only who has the keys can read the lookup.
            Detail::Dns(_) if exchange.envelope.is_some() => {}
            Detail::Dns(dns) if dns.over == DnsOver::Https => {
                let last = dns.response.as_ref().map(|r| r.frame).or(dns.query_frame);
                wanted.compressed(exchange.flow, last.unwrap_or(exchange.last_frame), self.redactor);
            }
            Detail::Dns(dns) => {
                let answer = dns.response.as_ref().map(|r| r.frame);
                for frame in dns.query_frame.into_iter().chain(answer) {
                    wanted.whole.insert(frame);
                    wanted.need(frame);
                }
                if exchange.transport == Transport::Tcp
                    && let (Some(first), Some(last)) = (dns.query_frame.or(answer), answer)
                {
                    wanted.spans.push((exchange.first_frame.min(first), last, 1));
                }
            }
        }
    }

    /// Cited bytes of the response's body.
    fn bodies(&mut self, record: &Record) -> Result<(), ProofError> {
        let Detail::Http(http) = &record.exchange.detail else { return Ok(()) };
        let Some(response) = http.response.as_ref().filter(|_| record.exchange.envelope.is_none()) else {
            return Ok(());
        };
        let cited = record.ledger.iter().filter(|e| e.place.part == Part::Body);
        let Some(end) = cited.clone().map(|e| e.place.range.end()).max() else { return Ok(()) };
        let last = cited.flat_map(|e| &e.place.frames).max().copied().unwrap_or(response.header_frame);
        if response.is_decoded() {
            let wanted = self.flows.entry(record.exchange.flow).or_default();
            wanted.compressed(record.exchange.flow, last, self.redactor);
            return Ok(());
        }
        let body = self.response_body(record)?;
        let from = response.body.stream_offset;
        let hits = self.redactor.hits(&body, super::Context::Text);
        let wanted = self.flows.entry(record.exchange.flow).or_default();
        if is_coded(response) {
            // A secret inside a coded body cannot be overwritten alone: then nothing of it goes in.
            if hits.is_empty() {
                wanted.spans.push((response.header_frame, last, 1));
                wanted.keep[1].push((from, from.saturating_add(response.body.wire_bytes)));
                wanted.need(last);
            }
            return Ok(());
        }
        let at = |offset: u32| from.saturating_add(u64::from(offset));
        wanted.keep[1].push((from, at(end)));
        wanted.hide[1].extend(hits.iter().map(|h| (at(h.range.start), at(h.range.end()))));
        wanted.need(last);
        Ok(())
    }

    /// The URL where it stands in a plain body; one in a header field is there with its head.
    fn handed_out(&mut self, giver: &Record, offset: u64, text: &[u8]) -> Result<(), ProofError> {
        let Detail::Http(http) = &giver.exchange.detail else { return Ok(()) };
        let in_the_clear = |r: &&HttpMessage| !is_coded(r) && giver.exchange.envelope.is_none();
        let Some(response) = http.response.as_ref().filter(in_the_clear) else { return Ok(()) };
        if response.is_decoded() {
            let wanted = self.flows.entry(giver.exchange.flow).or_default();
            wanted.compressed(giver.exchange.flow, response.last_frame, self.redactor);
            return Ok(());
        }
        let body = self.response_body(giver)?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        if body.get(start..).is_none_or(|rest| !rest.starts_with(text)) {
            return Ok(());
        }
        let hits = self.redactor.hits(text, super::Context::Url);
        let wanted = self.flows.entry(giver.exchange.flow).or_default();
        let from = response.body.stream_offset.saturating_add(offset);
        wanted.keep[1].push((from, from.saturating_add(text.len() as u64)));
        let at = |offset: u32| from.saturating_add(u64::from(offset));
        wanted.hide[1].extend(hits.iter().map(|h| (at(h.range.start), at(h.range.end()))));
        wanted.need(response.last_frame);
        Ok(())
    }

    fn response_body(&self, record: &Record) -> Result<Vec<u8>, ProofError> {
        let detail = crate::engine::detail(self.path, record, self.snapshot, self.budget)?;
        Ok(detail.response_body.unwrap_or_default())
    }

    /// Finds secrets in handshakes and lookups that stand in several segments, and what cannot be hidden alone.
    fn survey(&mut self, places: &Places) -> Result<(), ProofError> {
        let mut file = FrameFile::open(self.path, self.budget)?;
        let mut decoder = Decoder::new(self.budget);
        let mut tracks: BTreeMap<FlowId, (Track, [Pieces; 2])> = BTreeMap::new();
        let (mut reassembled, mut taken) = (Vec::new(), 0_u64);
        for (number, (flow, offset)) in places {
            let Some(wanted) = self.flows.get(flow).filter(|w| !w.spans.is_empty() || !w.whole.is_empty()) else {
                continue;
            };
            let (head, bytes) = file.frame(*number, *offset)?;
            reassembled.clear();
            let Outcome::Unit(unit) = decoder.frame(&head, &bytes, &mut reassembled) else { continue };
            let UnitKind::Segment { seq, ack, flags } = unit.kind else { continue };
            let (track, pieces) = tracks.entry(*flow).or_default();
            let direction = usize::from(wanted.client != Some(unit.source));
            let (at, _) = track.segment(direction, (seq, ack, flags), &unit);
            let goes_in = wanted.whole.contains(&unit.frame) || wanted.spans_of(unit.frame, direction);
            let payload = match unit.payload {
                Payload::InFrame { start, len } => bytes.get(start as usize..(start + len) as usize),
                Payload::Reassembled { start, len } => reassembled.get(start as usize..(start + len) as usize),
            };
            if let Some((at, payload)) = at.zip(payload).filter(|(_, p)| goes_in && !p.is_empty()) {
                taken = taken.saturating_add(payload.len() as u64);
                if taken > MOST_BYTES {
                    return Err(ProofError::TooLarge("the excerpt would be larger than 256 MiB"));
                }
                pieces[direction].entry(at).or_insert_with(|| payload.to_vec());
            }
        }
        for (flow, (_, pieces)) in tracks {
            let Some(wanted) = self.flows.get_mut(&flow) else { continue };
            for (direction, pieces) in pieces.into_iter().enumerate() {
                let runs = joined(pieces);
                if !wanted.whole.is_empty() && runs.iter().any(|(_, run)| lookups_hide(run, self.redactor, self.budget))
                {
                    wanted.whole.clear();
                    wanted.spans.clear();
                    break;
                }
                let mut found = BTreeSet::new();
                for (from, run) in &runs {
                    for view in [View::plain(*from, run), View::of_records(*from, run)] {
                        let hits = self.redactor.known_hits(&view.bytes).into_iter();
                        let mut places: Vec<_> = hits.map(|h| h.range.start as usize..h.range.end() as usize).collect();
                        for secret in &wanted.secrets[direction] {
                            let starts = memchr::memmem::find_iter(&view.bytes, secret);
                            let before = places.len();
                            places.extend(starts.map(|at| at..at + secret.len()));
                            if places.len() > before {
                                found.insert(secret.clone());
                            }
                        }
                        wanted.hide[direction].extend(places.into_iter().flatten().filter_map(|at| view.place(at)));
                    }
                }
                // Written in another way (an address in four bytes, letters of two): it cannot be hidden alone.
                if found.len() < wanted.secrets[direction].len() {
                    wanted.spans.retain(|(.., d)| *d != direction);
                }
            }
        }
        Ok(())
    }

    /// One walk over the frames of all wanted flows, in capture order.
    fn write(mut self) -> Result<Excerpt, ProofError> {
        let mut places = Places::new();
        for (flow, wanted) in &self.flows {
            let frames = self.snapshot.flow_frames(*flow)?.ok_or(crate::engine::DetailError::NotYet)?;
            let needed = frames.into_iter().take_while(|(number, _)| *number <= wanted.until);
            places.extend(needed.map(|(number, offset)| (number, (*flow, offset))));
        }
        if self.redactor.is_on() {
            self.survey(&places)?;
        }
        let Plan { mut flows, path, snapshot, redactor, budget, .. } = self;
        for wanted in flows.values_mut() {
            for list in wanted.keep.iter_mut().chain(&mut wanted.hide) {
                list.sort_unstable();
            }
        }
        let mut file = FrameFile::open(path, budget)?;
        let mut decoder = Decoder::new(budget);
        let mut written = Vec::new();
        let mut out = Writer::new(&mut written, snapshot.facts(), redactor)?;
        let mut tracks: BTreeMap<FlowId, Track> = BTreeMap::new();
        let mut reassembled = Vec::new();
        for (number, (flow, offset)) in places {
            let Some(wanted) = flows.get(&flow) else { continue };
            let (head, mut bytes) = file.frame(number, offset)?;
            reassembled.clear();
            let track = tracks.entry(flow).or_default();
            match decoder.frame(&head, &bytes, &mut reassembled) {
                Outcome::Unit(unit) => {
                    let Some(changed) = track.unit(&unit, wanted, &mut bytes, (&mut *redactor, budget)) else {
                        continue;
                    };
                    out.frame(&head, &mut bytes, changed, redactor)?;
                }
                // Fragments of a lookup; there is no telling where a secret would stand in one.
                Outcome::Fragment if !wanted.whole.is_empty() && !redactor.is_on() => {
                    out.frame(&head, &mut bytes, 0, redactor)?;
                }
                Outcome::Fragment | Outcome::Other | Outcome::Undecoded => {}
            }
        }
        let (frames, overwritten) = out.end()?;
        Ok(Excerpt { bytes: written, frames, overwritten })
    }
}

/// The head without trailer fields, which stand elsewhere in the stream.
fn head_len(message: &HttpMessage) -> u32 {
    let trailers = message.trailers.iter().map(|t| t.name.start).min();
    trailers.unwrap_or(message.block.len() as u32)
}

/// Whether a body's bytes are not those of the stream.
pub(super) fn is_coded(message: &HttpMessage) -> bool {
    ["transfer-encoding", "content-encoding"]
        .iter()
        .filter_map(|name| message.field(name))
        .any(|value| !value.trim_ascii().is_empty() && !value.eq_ignore_ascii_case(b"identity"))
}

/// The frames of an excerpt with their flows and their places in the file.
type Places = BTreeMap<FrameNo, (FlowId, u64)>;
/// Payloads by their stream offsets.
type Pieces = BTreeMap<u64, Vec<u8>>;

/// What of a certificate is text.
fn texts_of(certificate: &Certificate) -> impl Iterator<Item = &[u8]> {
    let Certificate { subject_cn, subject_org, issuer_cn, issuer_org, names, .. } = certificate;
    let parties = [subject_cn, subject_org, issuer_cn, issuer_org].into_iter().flatten();
    parties.chain(names).map(String::as_bytes)
}

/// Pieces that touch, as one; of what came twice the first.
fn joined(pieces: Pieces) -> Vec<(u64, Vec<u8>)> {
    let mut runs: Vec<(u64, Vec<u8>)> = Vec::new();
    for (at, bytes) in pieces {
        if let Some((from, run)) = runs.last_mut()
            && let Some(known) = from.saturating_add(run.len() as u64).checked_sub(at)
        {
            let known = usize::try_from(known).unwrap_or(usize::MAX);
            run.extend_from_slice(bytes.get(known..).unwrap_or_default());
        } else {
            runs.push((at, bytes));
        }
    }
    runs
}

/// Whether lookups over TCP tell a secret: each message stands behind its length (RFC 1035 section 4.2.2).
fn lookups_hide(run: &[u8], redactor: &Redactor, budget: &Budget) -> bool {
    let mut rest = run;
    while let [high, low, tail @ ..] = rest {
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((message, behind)) = tail.split_at_checked(len) else { return true };
        if redactor.hides_of_dns(message, budget) {
            return true;
        }
        rest = behind;
    }
    !rest.is_empty()
}

/// Bytes in which secrets are looked for, and where they stand in the stream.
struct View<'a> {
    bytes: Cow<'a, [u8]>,
    /// Offsets here, ascending, with those in the stream.
    steps: Vec<(usize, u64)>,
}

impl<'a> View<'a> {
    fn plain(from: u64, run: &'a [u8]) -> Self {
        Self { bytes: Cow::Borrowed(run), steps: vec![(0, from)] }
    }

    /// What TLS records carry, without their headers (RFC 8446 section 5.1): a name may stand in two of them.
    fn of_records(from: u64, run: &[u8]) -> Self {
        let (mut bytes, mut steps, mut at) = (Vec::new(), Vec::new(), 0_usize);
        while let Some([20..=23, 3, _, high, low]) = run.get(at..at + 5) {
            let len = usize::from(u16::from_be_bytes([*high, *low]));
            at += 5;
            steps.push((bytes.len(), from.saturating_add(at as u64)));
            let end = at.saturating_add(len).min(run.len());
            bytes.extend_from_slice(run.get(at..end).unwrap_or_default());
            at = end;
        }
        Self { bytes: Cow::Owned(bytes), steps }
    }

    /// The stream range of one byte.
    fn place(&self, at: usize) -> Option<(u64, u64)> {
        let step = self.steps.partition_point(|(here, _)| *here <= at).checked_sub(1)?;
        let (here, there) = self.steps.get(step)?;
        let place = there.saturating_add(at.checked_sub(*here)? as u64);
        Some((place, place.saturating_add(1)))
    }
}

/// Where the bytes of one flow stand in its streams: the same rules as in `streams`.
#[derive(Debug, Default)]
struct Track {
    sides: [SideTrack; 2],
    begun: bool,
    acknowledged: bool,
}

#[derive(Debug, Default)]
struct SideTrack {
    /// A sequence number and its stream offset.
    known: Option<(u32, i64)>,
    /// The beginning is only known from the other side's acknowledgement.
    guessed: bool,
    saw_data: bool,
    saw_syn: bool,
}

impl Track {
    /// Whether a frame goes in; overwrites in `bytes` what must not. Gives the number of overwritten bytes.
    fn unit(
        &mut self,
        unit: &Unit,
        wanted: &Wanted,
        bytes: &mut [u8],
        (redactor, budget): (&mut Redactor, &Budget),
    ) -> Option<u64> {
        let direction = usize::from(wanted.client != Some(unit.source));
        let first = !std::mem::replace(&mut self.begun, true);
        let in_span = !unit.payload.is_empty() && wanted.spans_of(unit.frame, direction);
        let whole = wanted.whole.contains(&unit.frame) || in_span;
        let (mut goes_in, mut stays) = (whole || first && unit.transport() == Transport::Tcp, None);
        if let UnitKind::Segment { seq, ack, flags } = unit.kind {
            let (at, handshake) = self.segment(direction, (seq, ack, flags), unit);
            goes_in |= handshake;
            stays = at;
            if let Some(at) = at {
                let end = at.saturating_add(u64::from(unit.payload.len()));
                goes_in |= wanted.keep[direction].iter().any(|(from, to)| *from < end && at < *to);
            }
        }
        if !goes_in {
            return None;
        }
        if !redactor.is_on() {
            return Some(0);
        }
        let Payload::InFrame { start, len } = unit.payload else {
            // The parts of this packet stand in several frames: nothing can be hidden alone.
            return None;
        };
        let (start, end) = (start as usize, start.saturating_add(len) as usize);
        let payload = bytes.get(start..end)?;
        if matches!(unit.kind, UnitKind::Datagram)
            && wanted.whole.contains(&unit.frame)
            && redactor.hides_of_dns(payload, budget)
        {
            return None;
        }
        let mut new = payload.to_vec();
        if whole && wanted.keep[direction].is_empty() {
            // Lookups, hellos and certificates.
            for (from, to) in wanted.hide[direction].iter().filter(|_| stays.is_some()) {
                let place = |at: &u64| at.saturating_sub(stays.unwrap_or(0)).min(u64::from(len)) as usize;
                new.get_mut(place(from)..place(to)).unwrap_or_default().fill(FILL);
            }
        } else {
            // A head that begins inside this segment: only line ends may stand before it (RFC 9112 section 2.2).
            let end = stays.map_or(0, |at| at.saturating_add(u64::from(len)));
            let begins = |f: &u64| stays.is_some_and(|at| at < *f && *f < end);
            let last_begin = wanted.keep[direction].iter().map(|(f, _)| *f).filter(begins).max();
            for (i, byte) in new.iter_mut().enumerate() {
                let at = stays.map(|at| at.saturating_add(i as u64));
                let inside =
                    |list: &[(u64, u64)]| at.is_some_and(|at| list.iter().any(|(f, t)| (*f..*t).contains(&at)));
                if inside(&wanted.hide[direction]) {
                    *byte = FILL;
                } else if !inside(&wanted.keep[direction]) {
                    *byte = if at < last_begin { b'\n' } else { FILL };
                }
            }
        }
        for hit in redactor.known_hits(payload) {
            let place = hit.range.start as usize..hit.range.end() as usize;
            let old = payload.get(place.clone()).unwrap_or_default();
            for (byte, was) in new.get_mut(place).unwrap_or_default().iter_mut().zip(old) {
                if *byte == *was {
                    *byte = FILL;
                }
            }
        }
        let changed = payload.iter().zip(&new).filter(|(a, b)| a != b).count() as u64;
        bytes.get_mut(start..end)?.copy_from_slice(&new);
        let addresses = [redactor.address(unit.source.ip), redactor.address(unit.target.ip)];
        let same = addresses == [unit.source.ip, unit.target.ip];
        if changed == 0 && same {
            return Some(0);
        }
        let sealed = seal(unit, bytes, start, addresses);
        // Wrapped in a way that the new addresses could not be written into: rather left out.
        (sealed || same).then_some(changed)
    }

    /// The stream offset of a segment's payload, and whether the segment is needed to find it.
    fn segment(
        &mut self,
        direction: usize,
        (seq, ack, flags): (u32, u32, TcpFlags),
        unit: &Unit,
    ) -> (Option<u64>, bool) {
        let mut needed = false;
        if flags.has(TcpFlags::ACK) {
            let other = &mut self.sides[1 - direction];
            if other.known.is_none() {
                (other.known, other.guessed) = (Some((ack, 0)), true);
            }
            // The third step of the handshake.
            if self.sides.iter().all(|s| s.saw_syn) && !std::mem::replace(&mut self.acknowledged, true) {
                needed = !flags.has(TcpFlags::SYN);
                self.acknowledged = needed;
            }
        }
        let side = &mut self.sides[direction];
        let mut seq = seq;
        if flags.has(TcpFlags::SYN) {
            seq = seq.wrapping_add(1);
            needed = true;
            if !side.saw_syn && !side.saw_data {
                (side.known, side.guessed) = (Some((seq, 0)), false);
            }
            side.saw_syn = true;
        }
        let len = unit.payload.len();
        if len == 0 {
            return (None, needed);
        }
        let step = |known: (u32, i64)| known.1.saturating_add(i64::from(seq.wrapping_sub(known.0).cast_signed()));
        let mut at = side.known.map_or(0, step);
        if side.known.is_none() || std::mem::take(&mut side.guessed) && at < 0 && !(len == 1 && at == -1) {
            at = 0;
            side.known = Some((seq, 0));
        }
        // Without a SYN the first bytes seen are where offsets are counted from.
        needed |= !side.saw_syn && !side.saw_data;
        side.saw_data = true;
        if at >= 0 {
            side.known = Some((seq, at));
        }
        (u64::try_from(at).ok(), needed)
    }
}

/// Makes a changed frame sound again: stand-ins for hardware and private addresses, checksums.
fn seal(unit: &Unit, bytes: &mut [u8], payload: usize, addresses: [IpAddr; 2]) -> bool {
    let Some(header) = transport_header(unit, bytes, payload) else { return false };
    if !replace_addresses(unit, bytes, header, addresses) {
        return false;
    }
    let (at, protocol) = match unit.kind {
        UnitKind::Segment { .. } => (16, 6),
        UnitKind::Datagram => (6, 17),
    };
    let end = payload.saturating_add(unit.payload.len() as usize).min(bytes.len());
    let field = header + at;
    if protocol == 17 && bytes.get(field..field + 2) == Some(&[0, 0]) {
        return true;
    }
    bytes.get_mut(field..field + 2).unwrap_or_default().fill(0);
    let mut sum = Sum::default();
    for address in addresses {
        match address {
            IpAddr::V4(ip) => sum.add(&ip.octets()),
            IpAddr::V6(ip) => sum.add(&ip.octets()),
        }
    }
    let len = (end - header) as u32 + unit.missing;
    sum.add(&len.to_be_bytes());
    sum.add(&[0, protocol]);
    sum.add(bytes.get(header..end).unwrap_or_default());
    let mut value = sum.value();
    if protocol == 17 && value == 0 {
        value = 0xffff;
    }
    if let Some(place) = bytes.get_mut(field..field + 2) {
        place.copy_from_slice(&value.to_be_bytes());
    }
    true
}

/// Where the TCP or UDP header before a payload begins, whatever it is wrapped in.
fn transport_header(unit: &Unit, bytes: &[u8], payload: usize) -> Option<usize> {
    let ports = |at: usize| {
        let want = [unit.source.port.to_be_bytes(), unit.target.port.to_be_bytes()].concat();
        bytes.get(at..at + 4) == Some(&want)
    };
    match unit.kind {
        UnitKind::Datagram => payload.checked_sub(8).filter(|at| ports(*at)),
        UnitKind::Segment { seq, .. } => (20..=60_usize).step_by(4).find_map(|len| {
            let at = payload.checked_sub(len)?;
            let words = usize::from(bytes.get(at + 12)? >> 4);
            let same = bytes.get(at + 4..at + 8) == Some(&seq.to_be_bytes());
            (words * 4 == len && same && ports(at)).then_some(at)
        }),
    }
}

fn replace_addresses(unit: &Unit, bytes: &mut [u8], header: usize, new: [IpAddr; 2]) -> bool {
    let octets = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    if [unit.source.ip, unit.target.ip] == new {
        return true;
    }
    let old = [octets(unit.source.ip), octets(unit.target.ip)].concat();
    let Some(at) = bytes.get(..header).and_then(|before| memchr::memmem::rfind(before, &old)) else { return false };
    let new = [octets(new[0]), octets(new[1])].concat();
    bytes.get_mut(at..at + new.len()).unwrap_or_default().copy_from_slice(&new);
    if new.len() == 8
        && let Some(start) = at.checked_sub(12)
        && let Some(head) = bytes.get_mut(start..header)
    {
        // RFC 791 section 3.1: over the header alone.
        let len = usize::from(head.first().copied().unwrap_or(0) & 15) * 4;
        head.get_mut(10..12).unwrap_or_default().fill(0);
        let mut sum = Sum::default();
        sum.add(head.get(..len).unwrap_or_default());
        if let Some(place) = head.get_mut(10..12) {
            place.copy_from_slice(&sum.value().to_be_bytes());
        }
    }
    true
}

/// The Internet checksum (RFC 1071).
#[derive(Debug, Default)]
struct Sum(u64);

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        for pair in bytes.chunks(2) {
            let word = u64::from(pair[0]) << 8 | u64::from(pair.get(1).copied().unwrap_or(0));
            self.0 += word;
        }
    }

    fn value(&self) -> u16 {
        let mut sum = self.0;
        while sum >> 16 != 0 {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !(sum as u16)
    }
}

/// Hardware addresses say whose device it was.
fn hide_hardware(link: LinkType, bytes: &mut [u8]) {
    let place = match link {
        LinkType::ETHERNET => 0..12,
        LinkType::LINUX_SLL => 6..14,
        LinkType::LINUX_SLL2 => 12..20,
        _ => return,
    };
    bytes.get_mut(place).unwrap_or_default().fill(0);
}

/// Writes the excerpt's frames.
struct Writer<'a> {
    out: FrameWriter<&'a mut Vec<u8>>,
    /// Those of the capture, their names redacted.
    interfaces: Vec<Interface>,
    /// The capture's digest.
    capture: String,
    frames: Vec<FrameNo>,
    overwritten: u64,
}

impl<'a> Writer<'a> {
    fn new(bytes: &'a mut Vec<u8>, facts: &Facts, redactor: &mut Redactor) -> Result<Self, ProofError> {
        let capture = facts.sha256.map_or_else(|| "unknown".to_owned(), |h| hex(&h));
        let comment =
            format!("excerpt of the capture with SHA-256 {capture}; each frame's comment tells its number there");
        let interfaces = facts.capture.interfaces.iter().map(|of| named(of, redactor)).collect();
        let out = FrameWriter::new(bytes, &comment)?;
        Ok(Self { out, interfaces, capture, frames: Vec::new(), overwritten: 0 })
    }

    fn frame(
        &mut self,
        head: &FrameHead,
        bytes: &mut [u8],
        changed: u64,
        redactor: &Redactor,
    ) -> Result<(), ProofError> {
        if redactor.is_on() {
            hide_hardware(head.link, bytes);
        }
        let of = format!("frame {} of {}", head.number, self.capture);
        let comment = match changed {
            0 => of,
            n => format!("{of}; {n} bytes overwritten with X or line ends, checksums made anew"),
        };
        let interface = usize::try_from(head.interface).ok().and_then(|number| self.interfaces.get(number));
        self.out.frame(interface, head, bytes, Some(&comment))?;
        if self.out.written() > MOST_BYTES {
            return Err(ProofError::TooLarge("the excerpt would be larger than 256 MiB"));
        }
        self.frames.push(head.number);
        self.overwritten += changed;
        Ok(())
    }

    /// Original numbers of the frames written, and how many payload bytes were overwritten.
    fn end(self) -> Result<(Vec<FrameNo>, u64), ProofError> {
        self.out.end()?;
        Ok((self.frames, self.overwritten))
    }
}

/// An interface as the excerpt may name it.
fn named(interface: &Interface, redactor: &mut Redactor) -> Interface {
    let name = interface.name.get(..NAME_BYTES).unwrap_or(&interface.name);
    let name = redactor.text(String::from_utf8_lossy(name).as_bytes(), "interface name");
    Interface { name, ..interface.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_two_records_is_found_with_its_places() {
        let run = [&b"\x16\x03\x03\x00\x06--corp"[..], b"\x16\x03\x03\x00\x05.test"].concat();
        let view = View::of_records(100, &run);
        let at = memchr::memmem::find(&view.bytes, b"corp.test").unwrap();
        let places: Vec<u64> = (at..at + 9).filter_map(|at| view.place(at)).map(|(from, _)| from).collect();
        assert_eq!(places, [107, 108, 109, 110, 116, 117, 118, 119, 120]);
    }

    #[test]
    fn pieces_that_overlap_are_one_run() {
        let pieces = [(4, b"efgh".to_vec()), (0, b"abcdef".to_vec()), (20, b"x".to_vec())];
        assert_eq!(joined(pieces.into()), [(0, b"abcdefgh".to_vec()), (20, b"x".to_vec())]);
    }
}
