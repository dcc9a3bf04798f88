//! Checks a claim against bytes: every callout passes or fails by itself.
//!
//! Comes in: a picture, bundle or claim, with or without the capture. Goes out: one outcome a callout. Never: trust in
//! anything that the claim says of itself.

use std::cell::{Cell, OnceCell};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use super::Listing;
use super::claim::{
    Callout, Claim, ExchangeClaim, HandOutClaim, OpenClaim, PieceClaim, SCOPE, VerdictClaim, first_line, kind, length,
    lossy, open_readings, salted, socket, time, transport,
};
use super::compare;
use super::excerpt::FILL;
use super::proof::capture_secret;
use super::report::{Item, Outcome, Report};
use super::sides::{Stream, Streams, streams};
use super::subject::Subject;
use crate::capture::digest_file;
use crate::engine::{How, Reading, Source};
use crate::evidence::{Kind, forgeable_by, pack};
use crate::model::{Budget, Detail, Evidence, Exchange, FrameNo, Part, Transport, clean_to, hex};
use crate::store::{Record, RowId, RowKind, Snapshot};

/// Bytes of a file that may be an excerpt.
const MOST_EXCERPT: u64 = 256 << 20;
/// Bytes of a line that a claim may quote: heads are no longer than half of it.
const MOST_LINE: u64 = 1 << 20;
/// Characters of a line that a report quotes.
const LINE_CHARS: usize = 200;

/// Bytes compared for all callouts of a claim together: a claim may name the longest line ten thousand times over.
const MOST_COMPARED: u64 = 1 << 30;
/// What looking at a piece of a stream, at an entry of a ledger and at a record costs of that: about as much as copying so
/// many bytes.
const PIECE_WORK: u64 = 64;
const ENTRY_WORK: u64 = 64;
const RECORD_WORK: u64 = 4 << 10;

/// What is said past that limit.
const TOO_MUCH: &str = "the claim asks for more than 1 GiB to be compared; what was not reached is not checked";
/// Why a callout is not checked whose frames an excerpt lacks.
const LEFT_OUT: &str = "its frames are not in the excerpt, which hides secrets: give the capture";
/// Why a callout is not checked of which the excerpt has nothing else.
const OVERWRITTEN: &str = "its bytes are overwritten in the excerpt, which hides secrets: give the capture";
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
        Ok(mut ground) => {
            ground.index(&subject.claim);
            Some(ground)
        }
        Err(why) => {
            for (index, exchange) in subject.claim.exchanges.iter().enumerate() {
                for callout in &exchange.callouts {
                    let outcome = match compare::unsound(callout, subject.claim.redaction.on) {
                        Some((text, there)) => fails(text, there),
                        None => Outcome::CannotBeChecked(why.clone()),
                    };
                    report.items.push(item(index, exchange, callout, outcome));
                }
            }
            None
        }
    };
    if let Some(ground) = &ground {
        ground.against.clone_into(&mut report.against);
        ground.left_out(&subject.claim, &mut report);
        let list = (!ground.is_excerpt()).then(|| Listing::all(&ground.snapshot));
        for (index, exchange) in subject.claim.exchanges.iter().enumerate() {
            ground.exchange((index, list.as_ref()), exchange, &mut report);
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

/// The first lines of request and response.
fn first_lines_of(exchange: &Exchange) -> [Option<Vec<u8>>; 2] {
    let Detail::Http(http) = &exchange.detail else { return [None, None] };
    [&http.request, &http.response].map(|message| message.as_ref().and_then(first_line))
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
    /// The original numbers alone.
    originals: Option<BTreeSet<u32>>,
    /// What only the capture's holder can compute; `None` for an excerpt.
    secret: Option<[u8; 32]>,
    streams: Streams,
    /// Rows by the original numbers of their first frames.
    by_frame: BTreeMap<u32, Vec<RowId>>,
    /// Lookups by the frames of their answers, and TLS sessions by their ports: made when the first is looked for.
    lookups: OnceCell<BTreeMap<u32, Vec<RowId>>>,
    sessions: OnceCell<Sessions>,
    salt: String,
    /// Whether the claim hides anything, and private addresses.
    redacts: bool,
    addresses_hidden: bool,
    /// What may still be compared, in bytes.
    left: Cell<u64>,
    against: String,
}

/// TLS sessions by the ports of client and server: first frame, row, ends.
type Sessions = BTreeMap<(u16, u16), Vec<(u32, RowId, (SocketAddr, SocketAddr))>>;
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
            let facts = &ground.snapshot.facts().capture;
            let words = |frames: u32, [first, last]: [&Option<String>; 2]| {
                let time = |t: &Option<String>| clean_to(t.as_deref().unwrap_or("no time").as_bytes(), 80).into_owned();
                format!("{frames} frames, {} to {}", time(first), time(last))
            };
            let claimed = words(claim.capture.frames, [&claim.capture.first_time, &claim.capture.last_time]);
            let there = words(facts.frames, [&time(facts.first_time), &time(facts.last_time)]);
            let outcome = if claimed == there { Outcome::Passes(None) } else { fails(claimed, there) };
            report.overall("the capture's frames and times", outcome);
            "the capture".clone_into(&mut ground.against);
            return Ok(ground);
        }
        // It may be the excerpt, unpacked.
        let bytes = std::fs::metadata(path).ok().filter(|m| m.len() <= MOST_EXCERPT);
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
        ground.originals = Some(numbers.values().copied().collect());
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
            originals: None,
            secret: None,
            streams,
            by_frame: BTreeMap::new(),
            lookups: OnceCell::new(),
            sessions: OnceCell::new(),
            salt: claim.redaction.salt.clone(),
            redacts: claim.redaction.on,
            addresses_hidden: claim.redaction.on && claim.redaction.private_addresses,
            left: Cell::new(MOST_COMPARED),
            against: String::new(),
        })
    }

    /// Notes where the rows begin that the claim speaks of.
    fn index(&mut self, claim: &Claim) {
        let wanted: BTreeSet<u32> = claim.exchanges.iter().map(|e| e.first_frame).collect();
        let mut by_frame = BTreeMap::<u32, Vec<RowId>>::new();
        for (id, row) in self.snapshot.rows() {
            let number = self.number(row.first_frame);
            if wanted.contains(&number) {
                by_frame.entry(number).or_default().push(id);
            }
        }
        self.by_frame = by_frame;
    }

    /// More cannot be left out than the capture has beside what is shown. Whether it was rightly left out no bytes tell.
    fn left_out(&self, claim: &Claim, report: &mut Report) {
        let shown: BTreeSet<u32> = claim.exchanges.iter().map(|exchange| exchange.number).collect();
        let others = self.snapshot.kept().saturating_sub(shown.len());
        if !self.is_excerpt() && claim.ignored as usize > others {
            let there = format!("{others} exchanges beside those that are shown");
            report.overall("exchanges that are left out", fails(claim.left_out().unwrap_or_default(), there));
        }
    }

    /// The original number of a frame.
    fn number(&self, frame: FrameNo) -> u32 {
        self.numbers.as_ref().map_or(frame.0, |n| n.get(&frame.0).copied().unwrap_or(0))
    }

    fn is_excerpt(&self) -> bool {
        self.numbers.is_some()
    }

    fn exchange(&self, (index, list): (usize, Option<&Listing<'_>>), claim: &ExchangeClaim, report: &mut Report) {
        let found = self.find(claim);
        let record = found.as_ref().map(|(_, record)| record);
        // What was read with keys cannot be found while nothing opens its session.
        let session = if claim.decrypted && record.is_none() { self.session(claim) } else { None };
        let sealed = session.as_ref().is_some_and(is_unopened);
        let ends = self.ends(claim);
        let mut rest = Vec::new();
        let mut broken = Vec::new();
        let mut items = Vec::new();
        let mut seen = BTreeSet::new();
        for callout in &claim.callouts {
            let stands = |r: &Record| {
                let entries = r.ledger.iter().zip(1_u32..);
                // The ledger of an excerpt may lack entries, so that its others have other numbers.
                entries
                    .filter(|(_, n)| self.is_excerpt() || sealed || *n == callout.number)
                    .any(|(e, _)| self.matches(callout, e, &r.exchange))
            };
            let outcome = if self.is_spent() {
                Outcome::CannotBeChecked(TOO_MUCH.to_owned())
            } else if let Some((text, there)) = compare::unsound(callout, self.redacts) {
                broken.push(callout.number);
                fails(text, there)
            } else if !seen.insert(callout.number) {
                fails(format!("a callout {}", callout.number), "another callout of that number".to_owned())
            } else if record.or_else(|| session.as_ref().filter(|_| sealed)).is_some_and(stands) {
                let hidden: u64 =
                    callout.pieces.iter().map(|p| if let PieceClaim::Hidden(n) = p { *n } else { 0 }).sum();
                let note = match (hidden, self.is_excerpt()) {
                    (0, _) => None,
                    (n, true) => Some(format!("{n} bytes are hidden; the others are as claimed")),
                    (n, false) => Some(format!("{n} hidden bytes are those of the capture")),
                };
                Outcome::Passes(note)
            } else {
                match self.at_place(claim, callout, &ends) {
                    At::Same | At::NoPlace if sealed => Outcome::CannotBeChecked(NEEDS_KEYS.to_owned()),
                    At::Overwritten => Outcome::CannotBeChecked(OVERWRITTEN.to_owned()),
                    _ if self.was_left_out(callout) => Outcome::CannotBeChecked(LEFT_OUT.to_owned()),
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
                    At::NoPlace => self.elsewhere(claim, callout, record),
                }
            };
            // Without a pass, what was not compared may be what was looked for.
            let outcome = match outcome {
                Outcome::Passes(_) => outcome,
                _ if self.is_spent() => Outcome::CannotBeChecked(TOO_MUCH.to_owned()),
                other => other,
            };
            items.push(item(index, claim, callout, outcome));
        }
        // An exchange that is not found as a whole, because a line of it is broken, says nothing of its other parts.
        if let Some(other) = broken.first().filter(|_| record.is_none() && self.is_excerpt()) {
            for (item, callout) in items.iter_mut().zip(&claim.callouts) {
                let own = broken.contains(&callout.number);
                if !own && !is_streamed(claim, callout) && matches!(item.outcome, Outcome::Fails { .. }) {
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
            } else if self.is_spent() {
                Outcome::CannotBeChecked(TOO_MUCH.to_owned())
            } else if self.is_excerpt() && looks_further(callout) {
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
        let mut beside = |what: &str, outcome: Outcome| {
            let number = Some(claim.number);
            report.items.push(Item { exchange: Some(index), number, callout: None, what: what.to_owned(), outcome });
        };
        beside("exchange", self.first_lines(claim, found.as_ref(), (sealed, list)));
        let verdict = &claim.verdict;
        let nothing = VerdictClaim { scope: SCOPE.to_owned(), ..VerdictClaim::default() };
        if *verdict != nothing || record.is_some_and(|r| r.verdict.operator.is_some()) {
            beside("verdict", self.verdict(claim, record, (broken.is_empty(), sealed)));
        }
        if let Some(want) = &claim.handed_out {
            let outcome = if sealed {
                Outcome::CannotBeChecked(NEEDS_KEYS.to_owned())
            } else {
                self.handed_out(want, record, list)
            };
            beside("hand-out", outcome);
        }
    }

    /// What is shown of the exchange beside its lines.
    fn first_lines(
        &self,
        claim: &ExchangeClaim,
        found: Option<&(RowId, Record)>,
        (sealed, list): (bool, Option<&Listing<'_>>),
    ) -> Outcome {
        let Some((row, record)) = found else {
            return match (sealed, self.is_excerpt()) {
                _ if self.is_spent() => Outcome::CannotBeChecked(TOO_MUCH.to_owned()),
                (true, _) => Outcome::CannotBeChecked(NEEDS_KEYS.to_owned()),
                (false, true) => Outcome::CannotBeChecked("the excerpt does not hold it whole".to_owned()),
                (false, false) => fails(
                    format!(
                        "an exchange between {} and {} from frame {} on",
                        claim.client, claim.server, claim.first_frame
                    ),
                    "no such exchange",
                ),
            };
        };
        let exchange = &record.exchange;
        let time = exchange.time.rfc3339();
        if claim.time != time {
            return fails(clean_to(claim.time.as_bytes(), LINE_CHARS), time);
        }
        let [request, response] = first_lines_of(exchange);
        for (shown, there) in [(&claim.request, &request), (&claim.response, &response)] {
            if !compare::is_shown_or_missing(shown.as_deref(), there.as_deref(), self.redacts) {
                if self.is_excerpt() && there.is_none() {
                    return Outcome::CannotBeChecked("a first line is not in the excerpt: give the capture".to_owned());
                }
                let line = |bytes: Option<&[u8]>| {
                    bytes.map_or_else(|| "no such line".to_owned(), |b| clean_to(b, LINE_CHARS).into_owned())
                };
                return fails(line(shown.as_deref().map(str::as_bytes)), line(there.as_deref()));
            }
        }
        let Some(list) = list else {
            return Outcome::Passes(Some("its number and its last frame are told by the capture only".to_owned()));
        };
        if claim.last_frame != exchange.last_frame.0 {
            return fails(format!("its last frame is {}", claim.last_frame), exchange.last_frame.to_string());
        }
        match list.numbers().of(*row) {
            Some(number) if number == claim.number => Outcome::Passes(None),
            // Exchanges that keys open are rows too: who has other keys counts otherwise.
            number if self.is_partly_sealed() => {
                let number = number.unwrap_or(0);
                Outcome::Passes(Some(format!("with the keys that are here its number is {number}")))
            }
            number => fails(format!("number {}", claim.number), format!("number {}", number.unwrap_or(0))),
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

    fn find(&self, claim: &ExchangeClaim) -> Option<(RowId, Record)> {
        let rows = self.by_frame.get(&claim.first_frame).map_or(&[][..], Vec::as_slice);
        let (mut best, mut most) = (None, None);
        for row in rows {
            if !self.spend(RECORD_WORK) {
                break;
            }
            let Ok(record) = self.snapshot.record(*row) else { continue };
            let e = &record.exchange;
            let fits = kind(&e.detail) == claim.kind
                && stream(&e.detail) == claim.stream
                && transport(e.transport) == claim.transport
                && claim.decrypted == e.envelope.is_some()
                && self.same_ends(claim, socket(e.client), socket(e.server));
            if !fits {
                continue;
            }
            // Pipelined exchanges may begin in one frame: the ledger tells them apart, else where they end and how they begin.
            let own = |c: &&Callout| record.ledger.iter().any(|e| self.matches(c, e, &record.exchange));
            let callouts = if rows.len() > 1 { claim.callouts.iter().filter(own).count() } else { 0 };
            let [request, response] = first_lines_of(e);
            let begins = compare::is_shown_or_missing(claim.request.as_deref(), request.as_deref(), self.redacts)
                && compare::is_shown_or_missing(claim.response.as_deref(), response.as_deref(), self.redacts);
            let score = (callouts, self.number(e.last_frame) == claim.last_frame, begins);
            if Some(score) > most {
                (best, most) = (Some((*row, record)), Some(score));
            }
        }
        best
    }

    /// The TLS session that an exchange would have been read from: the last one between these ends that began before it.
    fn session(&self, claim: &ExchangeClaim) -> Option<Record> {
        let sessions = self.sessions.get_or_init(|| {
            let tls = self.snapshot.rows().filter(|(_, row)| row.kind == RowKind::Tls);
            let mut sessions = BTreeMap::<_, Vec<_>>::new();
            for (id, row) in tls {
                let Ok(record) = self.snapshot.record(id) else { continue };
                let e = &record.exchange;
                let ports = (e.client.port, e.server.port);
                let ends = (socket(e.client), socket(e.server));
                sessions.entry(ports).or_default().push((self.number(row.first_frame), id, ends));
            }
            sessions
        });
        let near = sessions.get(&(claim.client.port(), claim.server.port()))?;
        let before = near.iter().filter(|(first, _, ends)| {
            *first <= claim.first_frame && self.spend(PIECE_WORK) && self.same_ends(claim, ends.0, ends.1)
        });
        let (_, id, _) = before.max_by_key(|(first, ..)| *first)?;
        self.snapshot.record(*id).ok().filter(|_| self.spend(RECORD_WORK))
    }

    /// Whether sessions are there that nothing opens.
    fn is_partly_sealed(&self) -> bool {
        self.snapshot.rows().any(|(_, row)| row.kind == RowKind::Tls && !row.is_opened())
    }

    /// Whether an excerpt that hides secrets lacks frames of a callout: those in which nothing could be hidden alone.
    fn was_left_out(&self, callout: &Callout) -> bool {
        let Some(numbers) = self.originals.as_ref().filter(|_| self.redacts) else { return false };
        !callout.frames.iter().all(|f| numbers.contains(f))
    }

    fn matches(&self, callout: &Callout, entry: &Evidence, exchange: &Exchange) -> bool {
        let signature = pack().signature(entry.signature);
        self.spend(ENTRY_WORK)
            && signature.map_or("", |s| s.id) == callout.signature
            && entry.place.offset == callout.offset
            && length(entry) == callout.length
            && entry.place.part.words() == callout.part
            && entry.group.words() == callout.group
            && forgeable_by(entry, exchange) == callout.forgeable_by
            && entry.place.frames.iter().map(|f| self.number(*f)).eq(callout.frames.iter().copied())
            && pack().provider(entry.provider).map_or("", |p| p.id) == callout.provider
            && entry.supports.words().eq(callout.supports.iter().map(String::as_str))
            && self.spend(entry.text.len() as u64)
            && self.same_text(callout, &entry.text)
    }

    /// Takes from what may be compared; `false` once nothing is left.
    fn spend(&self, work: u64) -> bool {
        let left = self.left.get().saturating_sub(work);
        self.left.set(left);
        left > 0
    }

    fn is_spent(&self) -> bool {
        self.left.get() == 0
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

    /// The streams of an exchange's client and server.
    fn ends(&self, claim: &ExchangeClaim) -> [Option<&Stream>; 2] {
        let (client, server) = (claim.client, claim.server);
        let exact = [self.streams.get(&(client, server)), self.streams.get(&(server, client))];
        if !self.addresses_hidden || self.is_excerpt() || exact.iter().any(Option::is_some) {
            return exact;
        }
        let side = |from_client: bool| {
            let found = self.streams.iter().take_while(|_| self.spend(PIECE_WORK)).find(|((from, to), _)| {
                let (client, server) = if from_client { (*from, *to) } else { (*to, *from) };
                self.same_ends(claim, client, server)
            });
            found.map(|(_, stream)| stream)
        };
        [side(true), side(false)]
    }

    /// The bytes at a callout's place in its stream.
    fn at_place(&self, claim: &ExchangeClaim, callout: &Callout, ends: &[Option<&Stream>; 2]) -> At {
        // What datagrams carry is no stream: the bytes of a QUIC hello stand sealed in its packets. What was decrypted has
        // places in the plaintext only.
        let sealed = claim.decrypted && callout.part != Part::ClientHello.words();
        if !is_streamed(claim, callout) || claim.transport == transport(Transport::Udp) || sealed {
            return At::NoPlace;
        }
        let [asks, answers] = ends;
        let pieces = if callout.part == Part::Response.words() { answers } else { asks };
        let Some(stream) = pieces else {
            return At::Differs("nothing: the connection is not there".to_owned());
        };
        // Whoever made the claim chose the length; no line of a ledger is so long.
        if callout.length > MOST_LINE {
            return At::Differs(format!("a length of {} bytes, which no line has", callout.length));
        }
        let (from, to) = (callout.offset, callout.offset.saturating_add(callout.length));
        let frames: BTreeSet<u32> = callout.frames.iter().copied().collect();
        let mut bytes = vec![0; usize::try_from(callout.length).unwrap_or(0)];
        let mut there = vec![false; bytes.len()];
        // Pieces are in the order of their offsets; one that begins further ahead than the longest is cannot reach.
        let reach = from.saturating_sub(stream.longest);
        let first = stream.pieces.partition_point(|piece| piece.offset < reach);
        for piece in stream.pieces.get(first..).unwrap_or_default().iter().take_while(|piece| piece.offset < to) {
            if !self.spend(PIECE_WORK) {
                break;
            }
            let in_place = frames.is_empty() || frames.contains(&self.number(FrameNo(piece.frame)));
            let skipped = usize::try_from(from.saturating_sub(piece.offset)).unwrap_or(usize::MAX);
            let Some(source) = piece.bytes.get(skipped..).filter(|s| in_place && !s.is_empty()) else { continue };
            let at = usize::try_from(piece.offset.saturating_sub(from)).unwrap_or(usize::MAX);
            let targets = bytes.iter_mut().zip(&mut there).skip(at);
            if !self.spend(source.len().min(callout.length as usize) as u64) {
                break;
            }
            for ((target, known), byte) in targets.zip(source) {
                if !std::mem::replace(known, true) {
                    *target = *byte;
                }
            }
        }
        let mut known = there.iter();
        bytes.retain(|_| known.next().is_some_and(|k| *k));
        if bytes.is_empty() {
            return At::Differs("nothing: these frames do not hold that place of the stream".to_owned());
        }
        if self.spend(bytes.len() as u64) && self.same_text(callout, &bytes) {
            At::Same
        } else if self.is_excerpt() && self.redacts && bytes.iter().all(|b| *b == FILL) {
            At::Overwritten
        } else {
            At::Differs(clean_to(&bytes, LINE_CHARS).into_owned())
        }
    }

    /// Whether a line of an answer stands in its lookup, whatever exchange followed it.
    fn in_lookup(&self, callout: &Callout) -> bool {
        let Some(frame) = callout.frames.first().filter(|_| callout.part == Part::Dns.words()) else { return false };
        let lookups = self.lookups.get_or_init(|| {
            let mut lookups = BTreeMap::<u32, Vec<RowId>>::new();
            for (id, _) in self.snapshot.rows().filter(|(_, row)| row.kind == RowKind::Dns) {
                if let Ok(record) = self.snapshot.record(id)
                    && let Detail::Dns(dns) = &record.exchange.detail
                    && let Some(answer) = &dns.response
                {
                    lookups.entry(self.number(answer.frame)).or_default().push(id);
                }
            }
            lookups
        });
        let near = lookups.get(frame).map_or(&[][..], Vec::as_slice).iter();
        let mut records = near.take_while(|_| self.spend(RECORD_WORK)).filter_map(|id| self.snapshot.record(*id).ok());
        records.any(|r| r.ledger.iter().any(|e| self.matches(callout, e, &r.exchange)))
    }

    /// Whether an exchange over HTTP between these ends stands here to be read.
    fn has_http(&self, claim: &ExchangeClaim) -> bool {
        let rows = self.snapshot.rows().filter(|(_, row)| row.kind == RowKind::Http);
        let mut records =
            rows.take_while(|_| self.spend(RECORD_WORK)).filter_map(|(id, _)| self.snapshot.record(id).ok());
        records.any(|r| self.same_ends(claim, socket(r.exchange.client), socket(r.exchange.server)))
    }

    /// A callout whose text is no piece of a stream: what the same rule finds instead.
    fn elsewhere(&self, claim: &ExchangeClaim, callout: &Callout, record: Option<&Record>) -> Outcome {
        if self.is_excerpt() && self.redacts {
            // What is compressed or coded, or tells an address, cannot be hidden in part.
            if claim.stream.is_some() && record.is_none() && !self.has_http(claim) {
                return Outcome::CannotBeChecked(
                    "compressed heads are not in an excerpt that hides secrets: give the capture".to_owned(),
                );
            }
            if callout.part == Part::Body.words() || self.addresses_hidden && callout.part == Part::Address.words() {
                return Outcome::CannotBeChecked(
                    "an excerpt that hides secrets need not hold what this rule looks at: give the capture".to_owned(),
                );
            }
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

    fn verdict(&self, claim: &ExchangeClaim, record: Option<&Record>, (whole, sealed): (bool, bool)) -> Outcome {
        // What contradicts itself needs no bytes.
        if let Some((says, there)) = compare::unsound_answers(claim) {
            return fails(says, there);
        }
        let verdict = &claim.verdict;
        if verdict.scope != SCOPE {
            return fails(clean_to(verdict.scope.as_bytes(), LINE_CHARS), SCOPE);
        }
        let Some(record) = record else {
            let why = if sealed { NEEDS_KEYS } else { "the exchange was not found" };
            return Outcome::CannotBeChecked(why.to_owned());
        };
        let (mut want, mut there) = (claimed_words(claim), verdict_words(record, verdict, self.redacts));
        if want == there {
            (want, there) = (open_words(&verdict.open), open_words(&open_readings(record)));
        }
        if want == there {
            (want, there) = (verdict.cannot_show.join("; "), record.verdict.cannot_show.join("; "));
        }
        if want == there {
            return Outcome::Passes(None);
        }
        let want = clean_to(want.as_bytes(), 2 * LINE_CHARS).into_owned();
        let there = clean_to(there.as_bytes(), 2 * LINE_CHARS).into_owned();
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

    fn handed_out(&self, want: &HandOutClaim, record: Option<&Record>, list: Option<&Listing<'_>>) -> Outcome {
        let found = record.and_then(|r| r.verdict.handed_out.as_ref());
        let shown = |shown: &str, there: &[u8]| compare::is_shown(shown, there, self.redacts);
        let same = found.is_some_and(|h| {
            self.number(h.frame) == want.frame
                && h.offset == want.offset
                && h.how.words() == want.matched
                && shown(&want.host, h.host.as_bytes())
                && shown(&want.field, h.field.as_bytes())
                && shown(&want.text, &h.text)
                && list.is_none_or(|l| self.is_partly_sealed() || l.numbers().of_giver(h.giver) == want.exchange)
        });
        if same {
            let whole = found.is_some_and(|h| lossy(&h.text) == want.text);
            return Outcome::Passes((!whole).then(|| "a part of the URL is hidden".to_owned()));
        }
        if self.is_excerpt() {
            let why = "where the URL was handed out is told by a whole body, which the excerpt does not hold: give the capture";
            return Outcome::CannotBeChecked(why.to_owned());
        }
        let words =
            |by: Option<u32>, how: &str, field: &str, (host, text): (&str, &[u8]), (frame, offset): (u32, u64)| {
                let by = by.map_or_else(String::new, |n| format!(", exchange {n}"));
                let text = clean_to(text, LINE_CHARS).into_owned();
                let about = clean_to(format!("{host}{by}, {field}, {how}").as_bytes(), LINE_CHARS).into_owned();
                format!("{text} in frame {frame} at {offset} ({about})")
            };
        let expected = words(
            want.exchange,
            &want.matched,
            &want.field,
            (&want.host, want.text.as_bytes()),
            (want.frame, want.offset),
        );
        let there = found.map_or_else(
            || "no hand-out was found".to_owned(),
            |h| {
                let by = list.and_then(|l| l.numbers().of_giver(h.giver));
                words(by, h.how.words(), &h.field, (&h.host, &h.text), (self.number(h.frame), h.offset))
            },
        );
        fails(expected, there)
    }
}

/// Whether a rule looks at more than the line that it quotes, and at more than an excerpt may hold.
fn looks_further(callout: &Callout) -> bool {
    let rule = pack().in_force().find(|(_, s)| s.id == callout.signature);
    rule.is_some_and(|(_, s)| s.kind == Kind::Computed)
}

/// Whether nothing opened a session.
fn is_unopened(record: &Record) -> bool {
    matches!(&record.exchange.detail, Detail::Tls(tls) if !tls.decryption.is_opened())
}

fn open_words(open: &[OpenClaim]) -> String {
    let one = |o: &OpenClaim| format!("{} {} ({})", o.id, o.words, o.settled_by.as_deref().unwrap_or_default());
    open.iter().map(one).collect::<Vec<_>>().join("; ")
}

enum At {
    Same,
    /// All of it, so that nothing is left to be compared.
    Overwritten,
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
        words.extend(answer.first_party.as_ref().map(|party| format!("for {party}")));
    }
    if let Some(shown) = &verdict.grade {
        words.push(grade(shown, &verdict.grade_unredacted));
    }
    if verdict.conflict {
        words.push("witnesses disagree".to_owned());
    }
    words.join(", ")
}

fn verdict_words(record: &Record, claimed: &VerdictClaim, redacted: bool) -> String {
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
        // Around what was hidden.
        let shown = |claimed: Option<&str>, there: &str| {
            let same = claimed.filter(|c| compare::is_shown(c, there.as_bytes(), redacted));
            same.unwrap_or(there).to_owned()
        };
        let tenant = claimed.tenant.as_ref();
        words.push(format!("{} {}", shown(tenant.map(|t| t.id.as_str()), &a.value.name), a.grade.word()));
        if let Some(party) = &a.value.first_party {
            words.push(format!("for {}", shown(tenant.and_then(|t| t.first_party.as_deref()), party)));
        }
    }
    words.extend(verdict.grade.map(|g| g.word().to_owned()));
    if verdict.conflict {
        words.push("witnesses disagree".to_owned());
    }
    words.join(", ")
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
