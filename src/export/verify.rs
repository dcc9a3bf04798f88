//! Checks a claim against bytes: every callout passes or fails by itself.
//!
//! Comes in: a picture, bundle or claim, with or without the capture. Goes out: one outcome a callout. Never: trust in
//! anything that the claim says of itself.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use super::claim::{Callout, Claim, ExchangeClaim, PieceClaim, kind, length, salted, socket, transport};
use super::excerpt::FILL;
use super::proof::capture_secret;
use super::report::{Item, Outcome, Report};
use super::subject::Subject;
use crate::capture::{Batch, CaptureReader, Digest, digest_file};
use crate::decode::{Decoder, Outcome as Decoded};
use crate::engine::{How, Reading, Source};
use crate::evidence::pack;
use crate::model::{Budget, Detail, Evidence, FrameNo, Part, Payload, RunKind, Side, Transport, clean_to, hex};
use crate::store::{Record, Snapshot};
use crate::streams::FlowTable;

/// Bytes of one stream that are kept for looking lines up.
const MOST_STREAM: usize = 64 << 20;
/// Bytes of a line that a claim may quote: heads are no longer than half of it.
const MOST_LINE: u64 = 1 << 20;
/// Characters of a line that a report quotes.
const LINE_CHARS: usize = 200;

/// Why lines that were decrypted cannot be checked.
const NEEDS_KEYS: &str = "it was decrypted: the capture and its key log are needed";

/// Checks everything that can be. `keys` is the key log that decrypted exchanges need, beside what the capture carries.
pub fn check(subject: &Subject, capture: Option<&Path>, keys: Option<&Path>, budget: &Budget) -> Report {
    let mut report = Report::default();
    picture(subject, &mut report);
    let ground = match (capture, &subject.excerpt) {
        (Some(path), _) => Ground::of_file((path, keys), &subject.claim, budget, &mut report),
        (None, Some(excerpt)) => Ground::of_excerpt(excerpt, &subject.claim, budget, &mut report),
        (None, None) => Err("there is neither a capture nor an excerpt: give the capture too".to_owned()),
    };
    let ground = match ground {
        Ok(ground) => Some(ground),
        Err(why) => {
            for (index, exchange) in subject.claim.exchanges.iter().enumerate() {
                for callout in &exchange.callouts {
                    report.items.push(item(index, exchange, callout, Outcome::CannotBeChecked(why.clone())));
                }
            }
            None
        }
    };
    if let Some(ground) = &ground {
        ground.against.clone_into(&mut report.against);
        for (index, exchange) in subject.claim.exchanges.iter().enumerate() {
            ground.exchange(index, exchange, &mut report);
        }
    }
    report
}

fn item(index: usize, exchange: &ExchangeClaim, callout: &Callout, outcome: Outcome) -> Item {
    Item {
        exchange: Some(index),
        number: Some(exchange.number),
        callout: Some(callout.number),
        what: clean_to(callout.text.as_bytes(), LINE_CHARS).into_owned(),
        outcome,
    }
}

fn fails(expected: impl Into<String>, there: impl Into<String>) -> Outcome {
    Outcome::Fails { expected: expected.into(), there: there.into() }
}

fn picture(subject: &Subject, report: &mut Report) {
    let (Some((digest, size)), claim) = (&subject.pixels, &subject.claim.picture) else { return };
    let outcome = match (digest, claim) {
        (_, None) => fails("a picture that the claim knows", "the claim knows of no picture"),
        (_, Some(claim)) if *size != (claim.width, claim.height) => {
            fails(format!("{} × {} pixels", claim.width, claim.height), format!("{} × {}", size.0, size.1))
        }
        (Some(digest), Some(claim)) if *digest == claim.sha256 => Outcome::Passes(None),
        (Some(_), Some(_)) => fails("the pixels as they were exported", "other pixels: the picture was changed"),
        (None, Some(_)) => fails("the pixels as they were exported", "a form of PNG that the program does not write"),
    };
    report.pixels(outcome);
}

/// The bytes that a claim is held against.
struct Ground {
    snapshot: Snapshot,
    /// Original numbers of the frames, by their numbers here; `None` for the capture itself.
    numbers: Option<BTreeMap<u32, u32>>,
    /// What only the capture's holder can compute; `None` for an excerpt.
    secret: Option<[u8; 32]>,
    streams: Streams,
    salt: String,
    addresses_hidden: bool,
    against: String,
}

/// The bytes of each side of each connection, in pieces: offset and bytes.
type Streams = BTreeMap<(SocketAddr, SocketAddr), Vec<(u64, Vec<u8>, u32)>>;

impl Ground {
    fn of_file(
        (path, keys): (&Path, Option<&Path>),
        claim: &Claim,
        budget: &Budget,
        report: &mut Report,
    ) -> Result<Self, String> {
        let sha256 = hex(&digest_file(path).map_err(|e| e.to_string())?);
        let is_it = sha256 == claim.capture.sha256;
        if is_it {
            report.overall("the capture is the one that the claim names", Outcome::Passes(None));
            let secret = capture_secret(path).map_err(|e| format!("cannot read the capture: {e}"))?;
            let mut ground = Self::new((path, keys), claim, budget)?;
            ground.secret = Some(secret);
            "the capture".clone_into(&mut ground.against);
            return Ok(ground);
        }
        // It may be the excerpt, unpacked.
        let bytes = std::fs::metadata(path).ok().filter(|m| m.len() <= MOST_STREAM as u64 * 4);
        if let Some(bytes) = bytes.and_then(|_| std::fs::read(path).ok())
            && memchr::memmem::find(&bytes, b"excerpt of the capture with SHA-256").is_some()
        {
            return Self::of_excerpt(&bytes, claim, budget, report);
        }
        let there = format!("another file: its SHA-256 is {sha256}");
        let expected = format!("the capture with SHA-256 {}", clean_to(claim.capture.sha256.as_bytes(), 64));
        report.overall("the capture is the one that the claim names", fails(expected, there));
        Err("the capture given is another one".to_owned())
    }

    fn of_excerpt(bytes: &[u8], claim: &Claim, budget: &Budget, report: &mut Report) -> Result<Self, String> {
        const WHAT: &str = "the excerpt is of the capture that the claim names";
        let cannot = |e: std::io::Error| format!("no temporary file for the excerpt: {e}");
        let mut file = tempfile::Builder::new().suffix(".pcapng").tempfile().map_err(cannot)?;
        file.write_all(bytes).map_err(cannot)?;
        let mut ground = match Self::new((file.path(), None), claim, budget) {
            Ok(ground) => ground,
            Err(why) => {
                report.overall(WHAT, fails("an excerpt that can be read", why.clone()));
                return Err(format!("the excerpt cannot be read: {why}"));
            }
        };
        let facts = &ground.snapshot.facts().capture;
        let mut numbers = BTreeMap::new();
        for comment in &facts.comments {
            let Some(frame) = comment.frame else { continue };
            match original(&comment.text) {
                Some((number, sha256)) if sha256 == claim.capture.sha256.as_bytes() => {
                    // The first comment of a frame counts: that is what Wireshark shows first.
                    numbers.entry(frame.0).or_insert(number);
                }
                Some((_, sha256)) => {
                    let there = format!("frames of another capture, SHA-256 {}", clean_to(sha256, 64));
                    let own = clean_to(claim.capture.sha256.as_bytes(), 64);
                    report.overall(WHAT, fails(format!("frames of {own}"), there));
                    return Err("the excerpt is of another capture".to_owned());
                }
                None => {}
            }
        }
        if numbers.len() != facts.frames as usize {
            let there = format!("{} frames without it", (facts.frames as usize).saturating_sub(numbers.len()));
            report.overall(WHAT, fails("the original number in each frame's comment", there));
            return Err("the excerpt's frames do not tell their numbers".to_owned());
        }
        report.overall(
            WHAT,
            Outcome::Passes(Some("as its comments say; who has the capture can check that too".to_owned())),
        );
        ground.numbers = Some(numbers);
        "the excerpt".clone_into(&mut ground.against);
        Ok(ground)
    }

    fn new((path, keys): (&Path, Option<&Path>), claim: &Claim, budget: &Budget) -> Result<Self, String> {
        let how = How::judged(1).with_keys(keys.map(Path::to_owned));
        let mut reading = Reading::open(&Source::File(path.to_owned()), how, budget).map_err(|e| e.to_string())?;
        // What was read before any damage is held against the claim; the rest fails by itself.
        while let Ok(true) = reading.step() {}
        let streams = streams(path, claim, budget)?;
        Ok(Self {
            snapshot: reading.snapshot(),
            numbers: None,
            secret: None,
            streams,
            salt: claim.redaction.salt.clone(),
            addresses_hidden: claim.redaction.private_addresses,
            against: String::new(),
        })
    }

    /// The original number of a frame.
    fn number(&self, frame: FrameNo) -> u32 {
        self.numbers.as_ref().map_or(frame.0, |n| n.get(&frame.0).copied().unwrap_or(0))
    }

    fn is_excerpt(&self) -> bool {
        self.numbers.is_some()
    }

    fn exchange(&self, index: usize, claim: &ExchangeClaim, report: &mut Report) {
        let record = self.find(claim);
        // What was read with keys cannot be found without them, nor in an excerpt, which lacks most records.
        let sealed = claim.decrypted && record.is_none() && (self.is_excerpt() || !self.snapshot.facts().has_keys());
        let mut rest = Vec::new();
        let mut broken = Vec::new();
        let mut items = Vec::new();
        for callout in &claim.callouts {
            let entry = record.as_ref().and_then(|r| r.ledger.iter().find(|e| self.matches(callout, e)));
            let outcome = if entry.is_some() {
                let hidden: u64 =
                    callout.pieces.iter().map(|p| if let PieceClaim::Hidden(n) = p { *n } else { 0 }).sum();
                let note = match (hidden, self.is_excerpt()) {
                    (0, _) => None,
                    (n, true) => Some(format!("{n} bytes are hidden; the others are as claimed")),
                    (n, false) => Some(format!("{n} hidden bytes are those of the capture")),
                };
                Outcome::Passes(note)
            } else {
                match self.at_place(claim, callout) {
                    At::Same | At::NoPlace if sealed => Outcome::CannotBeChecked(NEEDS_KEYS.to_owned()),
                    At::Differs(there) => {
                        broken.push(callout.number);
                        fails(said(callout), there)
                    }
                    At::Same => {
                        rest.push((items.len(), callout));
                        Outcome::Passes(None)
                    }
                    At::NoPlace if self.in_lookup(callout) => {
                        rest.push((items.len(), callout));
                        Outcome::Passes(None)
                    }
                    At::NoPlace => self.elsewhere(claim, callout, record.as_ref()),
                }
            };
            items.push(item(index, claim, callout, outcome));
        }
        // An exchange that is not found as a whole, because a line of it is broken, says nothing of its other parts.
        if let Some(other) = broken.first().filter(|_| record.is_none()) {
            for item in &mut items {
                let streamed = claim
                    .callouts
                    .iter()
                    .find(|c| Some(c.number) == item.callout)
                    .is_some_and(|c| is_streamed(claim, c));
                if !streamed && matches!(item.outcome, Outcome::Fails { .. }) {
                    let why = format!("the exchange is not found whole while line {other} does not hold");
                    item.outcome = Outcome::CannotBeChecked(why);
                }
            }
        }
        // Bytes that stand, while the rule was not matched: why?
        for (place, callout) in rest {
            let outcome = if let Some(other) = broken.first() {
                Outcome::CannotBeChecked(format!(
                    "the bytes stand there; whether the rule holds cannot be told while line {other} does not"
                ))
            } else if callout.needs_capture && self.is_excerpt() {
                Outcome::CannotBeChecked(
                    "the bytes stand there; the rule looks at more than the excerpt holds: give the capture".to_owned(),
                )
            } else {
                fails(
                    format!("a match of {}", clean_to(callout.signature.as_bytes(), 80)),
                    format!("the bytes, but pack {} finds no such match in them", pack().version),
                )
            };
            if let Some(item) = items.get_mut(place) {
                item.outcome = outcome;
            }
        }
        report.items.extend(items);
        if claim.verdict.grade.is_some() || claim.verdict.operator.is_some() {
            let outcome = self.verdict(claim, record.as_ref(), broken.is_empty());
            let what = "verdict".to_owned();
            report.items.push(Item { exchange: Some(index), number: Some(claim.number), callout: None, what, outcome });
        }
        let handed_out = if sealed && claim.handed_out.is_some() {
            Some(Outcome::CannotBeChecked(NEEDS_KEYS.to_owned()))
        } else {
            self.handed_out(claim, record.as_ref())
        };
        if let Some(outcome) = handed_out {
            let what = "hand-out".to_owned();
            report.items.push(Item { exchange: Some(index), number: Some(claim.number), callout: None, what, outcome });
        }
    }

    fn same_ends(&self, claim: &ExchangeClaim, client: SocketAddr, server: SocketAddr) -> bool {
        let same = |a: SocketAddr, b: SocketAddr| {
            a == b
                || self.addresses_hidden
                    && !self.is_excerpt()
                    && a.port() == b.port()
                    && super::secrets::is_private(b.ip())
        };
        same(claim.client, client) && same(claim.server, server)
    }

    fn find(&self, claim: &ExchangeClaim) -> Option<Record> {
        let rows = self.snapshot.rows().filter(|(_, row)| self.number(row.first_frame) == claim.first_frame);
        let records = rows.filter_map(|(id, _)| self.snapshot.record(id).ok());
        let mut fitting = records.filter(|r| {
            let e = &r.exchange;
            kind(&e.detail) == claim.kind
                && stream(&e.detail) == claim.stream
                && transport(e.transport) == claim.transport
                && claim.decrypted == e.envelope.is_some()
                && self.same_ends(claim, socket(e.client), socket(e.server))
        });
        let first = fitting.next()?;
        // Pipelined exchanges may begin in one frame: then the ledger tells them apart.
        let score = |r: &Record| claim.callouts.iter().filter(|c| r.ledger.iter().any(|e| self.matches(c, e))).count();
        let best = score(&first);
        Some(
            fitting
                .fold((best, first), |best, r| {
                    let own = score(&r);
                    if own > best.0 { (own, r) } else { best }
                })
                .1,
        )
    }

    fn matches(&self, callout: &Callout, entry: &Evidence) -> bool {
        let signature = pack().signature(entry.signature).map_or("", |s| s.id);
        signature == callout.signature
            && entry.place.part.words() == callout.part
            && entry.group.words() == callout.group
            && entry.place.offset == callout.offset
            && length(entry) == callout.length
            && entry.place.frames.iter().map(|f| self.number(*f)).eq(callout.frames.iter().copied())
            && pack().provider(entry.provider).map_or("", |p| p.id) == callout.provider
            && entry.supports.words().eq(callout.supports.iter().map(String::as_str))
            && self.same_text(callout, &entry.text)
    }

    /// Whether bytes are those of a callout: all of them, or around what was hidden.
    fn same_text(&self, callout: &Callout, bytes: &[u8]) -> bool {
        if callout.pieces.is_empty() {
            return match &callout.hex {
                Some(digits) => hex(bytes) == *digits,
                None => bytes == callout.text.as_bytes(),
            };
        }
        let mut at = 0_usize;
        for piece in &callout.pieces {
            let rest = bytes.get(at..).unwrap_or_default();
            at += match piece {
                PieceClaim::Text(text) if rest.starts_with(text.as_bytes()) => text.len(),
                PieceClaim::Hex(digits) if rest.get(..digits.len() / 2).is_some_and(|b| hex(b) == *digits) => {
                    digits.len() / 2
                }
                PieceClaim::Hidden(len) => {
                    let len = usize::try_from(*len).unwrap_or(usize::MAX);
                    match rest.get(..len) {
                        // In the excerpt the fill must stand there, in the capture the digest decides.
                        Some(hidden) if !self.is_excerpt() || hidden.iter().all(|b| *b == FILL) => len,
                        _ => return false,
                    }
                }
                _ => return false,
            };
        }
        if at != bytes.len() {
            return false;
        }
        match &self.secret {
            Some(secret) => callout.sha256.as_deref() == Some(salted(&self.salt, secret, bytes).as_str()),
            None => true,
        }
    }

    /// The bytes at a callout's place in its stream.
    fn at_place(&self, claim: &ExchangeClaim, callout: &Callout) -> At {
        // What datagrams carry is no stream: the bytes of a QUIC hello stand sealed in its packets. What was decrypted has
        // places in the plaintext only.
        let sealed = claim.decrypted && callout.part != Part::ClientHello.words();
        if !is_streamed(claim, callout) || claim.transport == transport(Transport::Udp) || sealed {
            return At::NoPlace;
        }
        let answers = callout.part == Part::Response.words();
        let ends = if answers { (claim.server, claim.client) } else { (claim.client, claim.server) };
        // Offsets of a hello and of trailer fields do not count the bytes between: only a match can be told then.
        let ends = self.streams.keys().find(|(from, to)| {
            let (client, server) = if ends.0 == claim.client { (*from, *to) } else { (*to, *from) };
            self.same_ends(claim, client, server)
        });
        let Some(pieces) = ends.and_then(|ends| self.streams.get(ends)) else {
            return At::Differs("nothing: the connection is not there".to_owned());
        };
        // Whoever made the claim chose the length; no line of a ledger is so long.
        if callout.length > MOST_LINE {
            return At::Differs(format!("a length of {} bytes, which no line has", callout.length));
        }
        let (from, to) = (callout.offset, callout.offset.saturating_add(callout.length));
        let mut found: BTreeMap<u64, u8> = BTreeMap::new();
        for (offset, bytes, frame) in pieces {
            let in_place = callout.frames.is_empty() || callout.frames.contains(&self.number(FrameNo(*frame)));
            let end = offset.saturating_add(bytes.len() as u64);
            if !in_place || *offset >= to || end <= from {
                continue;
            }
            for (i, byte) in bytes.iter().enumerate() {
                let at = offset.saturating_add(i as u64);
                if (from..to).contains(&at) {
                    found.entry(at).or_insert(*byte);
                }
            }
        }
        if found.is_empty() {
            return At::Differs("nothing: these frames do not hold that place of the stream".to_owned());
        }
        let bytes: Vec<u8> = found.into_values().collect();
        if self.same_text(callout, &bytes) { At::Same } else { At::Differs(clean_to(&bytes, LINE_CHARS).into_owned()) }
    }

    /// Whether a line of an answer stands in its lookup, whatever exchange followed it.
    fn in_lookup(&self, callout: &Callout) -> bool {
        let Some(frame) = callout.frames.first().filter(|_| callout.part == Part::Dns.words()) else { return false };
        let near = self.snapshot.rows().filter(|(_, row)| self.number(row.first_frame) <= *frame);
        let records = near.filter_map(|(id, _)| self.snapshot.record(id).ok());
        records
            .filter(|r| matches!(&r.exchange.detail, Detail::Dns(d) if d.response.as_ref().is_some_and(|a| self.number(a.frame) == *frame)))
            .any(|r| r.ledger.iter().any(|e| self.matches(callout, e)))
    }

    /// A callout whose text is no piece of a stream: what the same rule finds instead.
    fn elsewhere(&self, claim: &ExchangeClaim, callout: &Callout, record: Option<&Record>) -> Outcome {
        if claim.stream.is_some() && record.is_none() && self.is_excerpt() {
            return Outcome::CannotBeChecked(
                "compressed heads are not in an excerpt that hides secrets: give the capture".to_owned(),
            );
        }
        if callout.needs_capture && self.is_excerpt() {
            return Outcome::CannotBeChecked(
                "the excerpt does not hold what this rule looks at: give the capture".to_owned(),
            );
        }
        let Some(record) = record else { return fails(said(callout), "no such exchange") };
        let same_part = record.ledger.iter().filter(|e| e.place.part.words() == callout.part);
        let same_rule =
            same_part.clone().find(|e| pack().signature(e.signature).map_or("", |s| s.id) == callout.signature);
        let there = same_rule.or_else(|| same_part.clone().next());
        fails(
            said(callout),
            there.map_or_else(|| "no such line".to_owned(), |e| clean_to(&e.text, LINE_CHARS).into_owned()),
        )
    }

    fn verdict(&self, claim: &ExchangeClaim, record: Option<&Record>, whole: bool) -> Outcome {
        let Some(record) = record else {
            let why = if claim.decrypted { NEEDS_KEYS } else { "the exchange was not found" };
            return Outcome::CannotBeChecked(why.to_owned());
        };
        let want = claimed_words(claim);
        let there = verdict_words(record, &claim.verdict);
        if want == there {
            return Outcome::Passes(None);
        }
        if !whole {
            return Outcome::CannotBeChecked("a line that it rests on does not hold".to_owned());
        }
        if self.is_excerpt() {
            return Outcome::CannotBeChecked(format!(
                "claimed: {want}; the excerpt alone gives: {there}; it holds less than the capture"
            ));
        }
        fails(want, there)
    }

    fn handed_out(&self, claim: &ExchangeClaim, record: Option<&Record>) -> Option<Outcome> {
        let want = claim.handed_out.as_ref()?;
        let found = record.and_then(|r| r.verdict.handed_out.as_ref());
        let visible = |text: &str| !text.contains('‹');
        let same = found.is_some_and(|h| {
            self.number(h.frame) == want.frame
                && h.offset == want.offset
                && (!visible(&want.host) || h.host == want.host)
                && (!visible(&want.text) || String::from_utf8_lossy(&h.text) == want.text)
        });
        if same {
            let note = (!visible(&want.text)).then(|| "a part of the URL is hidden".to_owned());
            return Some(Outcome::Passes(note));
        }
        if self.is_excerpt() {
            let why = "where the URL was handed out is told by a whole body, which the excerpt does not hold: give the capture";
            return Some(Outcome::CannotBeChecked(why.to_owned()));
        }
        let there = found.map_or_else(
            || "no hand-out was found".to_owned(),
            |h| format!("{} in frame {}", clean_to(&h.text, LINE_CHARS), self.number(h.frame)),
        );
        Some(fails(format!("{} in frame {}", clean_to(want.text.as_bytes(), LINE_CHARS), want.frame), there))
    }
}

enum At {
    Same,
    Differs(String),
    NoPlace,
}

fn stream(detail: &Detail) -> Option<u64> {
    let Detail::Http(http) = detail else { return None };
    http.stream
}

/// Whether a callout's text is a piece of its stream; heads in HTTP/2 and HTTP/3 are compressed there.
fn is_streamed(claim: &ExchangeClaim, callout: &Callout) -> bool {
    claim.stream.is_none()
        && [Part::Request, Part::Response, Part::ClientHello].iter().any(|p| p.words() == callout.part)
}

fn said(callout: &Callout) -> String {
    clean_to(callout.text.as_bytes(), LINE_CHARS).into_owned()
}

fn claimed_words(claim: &ExchangeClaim) -> String {
    let verdict = &claim.verdict;
    let grade = |shown: &str, before: &Option<String>| before.clone().unwrap_or_else(|| shown.to_owned());
    let mut words = Vec::new();
    for answer in [&verdict.operator, &verdict.product, &verdict.role, &verdict.tenant].into_iter().flatten() {
        words.push(format!("{} {}", answer.id, grade(&answer.grade, &answer.grade_unredacted)));
    }
    if let Some(shown) = &verdict.grade {
        words.push(grade(shown, &verdict.grade_unredacted));
    }
    if verdict.conflict {
        words.push("witnesses disagree".to_owned());
    }
    clean_to(words.join(", ").as_bytes(), 400).into_owned()
}

fn verdict_words(record: &Record, claimed: &super::claim::VerdictClaim) -> String {
    let verdict = &record.verdict;
    let mut words = Vec::new();
    if let Some(a) = verdict.operator {
        words.push(format!("{} {}", pack().provider(a.value).map_or("", |p| p.id), a.grade.word()));
    }
    if let Some(a) = verdict.product {
        words.push(format!("{} {}", pack().service(a.value).map_or("", |s| s.id), a.grade.word()));
    }
    if let Some(a) = verdict.role {
        words.push(format!("{} {}", a.value, a.grade.word()));
    }
    if let Some(a) = &verdict.tenant {
        // A hidden name cannot be compared.
        let hidden = claimed.tenant.as_ref().filter(|t| t.id.contains('‹')).map(|t| t.id.clone());
        words.push(format!("{} {}", hidden.unwrap_or_else(|| a.value.name.clone()), a.grade.word()));
    }
    words.extend(verdict.grade.map(|g| g.word().to_owned()));
    if verdict.conflict {
        words.push("witnesses disagree".to_owned());
    }
    clean_to(words.join(", ").as_bytes(), 400).into_owned()
}

/// The streams of the connections that a claim speaks of.
fn streams(path: &Path, claim: &Claim, budget: &Budget) -> Result<Streams, String> {
    let ports: Vec<(u16, u16)> = claim.exchanges.iter().map(|e| (e.client.port(), e.server.port())).collect();
    let mut reader = CaptureReader::open(path, budget, Digest::Elsewhere).map_err(|e| e.to_string())?;
    let mut decoder = Decoder::new(budget);
    let mut flows = FlowTable::new(budget);
    let mut streams = Streams::new();
    let (mut batch, mut reassembled) = (Batch::default(), Vec::new());
    let mut taken = 0_usize;
    while reader.next_batch(&mut batch).unwrap_or(false) {
        for frame in &batch.frames {
            reassembled.clear();
            let Decoded::Unit(unit) = decoder.frame(&frame.head, batch.frame(frame), &mut reassembled) else {
                continue;
            };
            let pair = (unit.source.port, unit.target.port);
            if !ports.iter().any(|p| *p == pair || (p.1, p.0) == pair) {
                continue;
            }
            let from = match unit.payload {
                Payload::InFrame { start, len } => batch.frame(frame).get(start as usize..(start + len) as usize),
                Payload::Reassembled { start, len } => reassembled.get(start as usize..(start + len) as usize),
            };
            let (mut reused, mut runs) = (Vec::new(), Vec::new());
            let slot = flows.locate(&unit, &mut reused);
            for old in reused {
                let mut last = Vec::new();
                let flow = flows.close(old, &mut last);
                keep(&mut streams, (socket(flow.client), socket(flow.server)), &mut last, &mut taken);
            }
            flows.accept(slot, &unit, from.unwrap_or_default(), &mut runs);
            let flow = flows.flow(slot);
            keep(&mut streams, (socket(flow.client), socket(flow.server)), &mut runs, &mut taken);
        }
    }
    for slot in flows.open_slots() {
        let mut runs = Vec::new();
        let flow = flows.close(slot, &mut runs);
        keep(&mut streams, (socket(flow.client), socket(flow.server)), &mut runs, &mut taken);
    }
    Ok(streams)
}

fn keep(
    streams: &mut Streams,
    (client, server): (SocketAddr, SocketAddr),
    runs: &mut Vec<crate::model::Run<'_>>,
    taken: &mut usize,
) {
    for run in runs.drain(..) {
        let RunKind::Data(bytes) = run.kind else { continue };
        *taken = taken.saturating_add(bytes.len());
        if *taken > MOST_STREAM * 4 {
            return;
        }
        let ends = if run.side == Side::Client { (client, server) } else { (server, client) };
        streams.entry(ends).or_default().push((run.offset, bytes.into_owned(), run.frame.0));
    }
}

/// `frame 123 of SHA-256; …`: number and digest.
fn original(comment: &[u8]) -> Option<(u32, &[u8])> {
    let rest = comment.strip_prefix(b"frame ")?;
    let space = memchr::memchr(b' ', rest)?;
    let number = str::from_utf8(rest.get(..space)?).ok()?.parse().ok()?;
    let sha256 = rest.get(space..)?.strip_prefix(b" of ")?;
    let end = sha256.iter().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(sha256.len());
    Some((number, sha256.get(..end)?))
}
