//! A connection's protected records become plaintext, in the order in which they came.
//!
//! Comes in: whole records of both sides, holes, and the key log. Goes out: runs of plaintext, and the handshake messages
//! that were encrypted. Never: a byte that was not authenticated. Records wait, within limits, while their secret may yet
//! come.

use std::collections::VecDeque;

use super::handshake::{self, Assembly, Got};
use super::inflate::{DEFLATE, Inflate, NULL};
use super::protection::{Agreed, Protected, Protection, is_tls13};
use super::record::{ALERT, APPLICATION_DATA, HANDSHAKE};
use super::schedule::{expand_label, prf};
use super::session::Session;
use super::suite::{Suite, suite};
use super::{CertificateCache, Ended};
use crate::model::{
    AnomalyKind, Budget, Decryption, FrameNo, KeyLog, Limit, Pool, Run, RunKind, Secret, SecretLabel, Share, Side,
    Timestamp,
};

/// Sequence numbers tried for one record behind a hole.
const MOST_SKIPPED: u64 = 1_024;
/// Bytes of records that one side may cost without one that can be opened; then it is given up.
const MOST_TRIED: u64 = 32 << 20;
/// Records of one side that cannot be opened one after the other; then it is given up.
const MOST_FAILED: u32 = 64;
/// Bytes of records that wait for a hello: segments may stand out of order in a capture, but not far.
const MOST_BEFORE_A_HELLO: usize = 64 << 10;
/// Bytes of the shortest protected record with its header.
const SHORTEST: u64 = 22;
/// SSL 3.0 derives and protects in another way.
const TLS10: u16 = 0x0301;
const TLS12: u16 = 0x0303;
/// `close_notify` (RFC 8446 section 6.1).
const CLOSE_NOTIFY: u8 = 0;

/// What parsers of TLS share beside the bytes.
#[derive(Debug, Default)]
pub struct Tools {
    /// Certificates that were seen before.
    pub certificates: CertificateCache,
    /// The secrets that are there by now.
    pub keys: std::sync::Arc<KeyLog>,
    /// Plaintext, in the order in which it became readable: each run is of the flow's side that sent it, its offset is in
    /// that side's plaintext, its frame the one that completed the record.
    pub plain: Vec<Run<'static>>,
}

/// What may be held: bytes of records for secrets to come, and windows of compression.
#[derive(Clone, Debug)]
pub(super) struct HeldLimits {
    per_flow: usize,
    in_all: Pool,
    windows: Pool,
}

impl HeldLimits {
    pub(super) fn new(budget: &Budget) -> Self {
        Self {
            per_flow: budget.sealed_bytes_per_flow,
            in_all: budget.sealed_bytes.clone(),
            windows: budget.decoder_bytes.clone(),
        }
    }
}

/// A place in the stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) side: Side,
    pub(super) offset: u64,
    pub(super) frame: FrameNo,
    pub(super) time: Timestamp,
}

impl Place {
    fn run(self, offset: u64, kind: RunKind<'static>) -> Run<'static> {
        Run { side: self.side, offset, frame: self.frame, time: self.time, kind }
    }
}

/// What came on the record layer.
#[derive(Debug)]
pub(super) enum Came {
    /// A protected record.
    Record { kind: u8, version: u16, body: Vec<u8> },
    /// The change of the cipher spec.
    Changed,
    /// A protected record of that length lacks bytes.
    Broken(u64),
    /// So many bytes are missing; where the next record begins is known again behind them.
    Hole(u64),
    /// The side sends no more.
    End,
}

impl Came {
    /// Bytes that it holds while it waits: an empty record holds its place too.
    fn bytes(&self) -> usize {
        let body = if let Self::Record { body, .. } = self { body.len() } else { 0 };
        size_of::<(Place, Self)>().saturating_add(body)
    }
}

/// The decryption of one connection.
#[derive(Debug)]
pub(super) struct Opening {
    lanes: [Lane; 2],
    waiting: VecDeque<(Place, Came)>,
    /// What waits, in bytes.
    held: Share,
    /// The most of it.
    per_flow: usize,
    /// Where windows of compression are taken from.
    windows: Pool,
}

/// One side.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts of one side")]
struct Lane {
    keys: Option<Keys>,
    /// The compressed stream, once a record of it came.
    inflate: Option<Inflate>,
    /// The number of the next record.
    sequence: u64,
    /// How many more records than were seen may have been counted.
    skipped: u64,
    /// Records since the last one that could be opened that could not.
    failed: u32,
    tried_bytes: u64,
    assembly: Assembly,
    /// Offset in the plaintext.
    offset: u64,
    /// Application data came.
    flows: bool,
    ended: bool,
    given_up: bool,
    holes: bool,
    /// Early data that was opened while it is not known whether the server takes it.
    early: Vec<(Place, Vec<u8>)>,
}

/// The keys in use, and what follows them.
#[derive(Debug)]
struct Keys {
    protection: Protection,
    /// TLS 1.3: the secret in use, and the secrets of the stages to come.
    secret: Option<Secret>,
    stages: VecDeque<(SecretLabel, Secret)>,
    /// The stage, in TLS 1.3.
    stage: Option<SecretLabel>,
    /// The log lacks the secret of the stage that comes before the first one here.
    starts_late: bool,
    suite: Suite,
    version: u16,
    /// Content was compressed before it was sealed (RFC 3749).
    deflated: bool,
}

/// Why a record cannot be opened now.
enum Not {
    /// Something that it needs may still come.
    Yet,
    /// Never.
    Ever(Decryption),
}

/// What a step works on.
struct Bench<'a> {
    session: &'a mut Session,
    tools: &'a mut Tools,
    out: &'a mut Vec<Ended>,
}

impl Lane {
    fn new() -> Self {
        Self {
            keys: None,
            inflate: None,
            sequence: 0,
            skipped: 0,
            failed: 0,
            tried_bytes: 0,
            assembly: Assembly::of(handshake::read_inside),
            offset: 0,
            flows: false,
            ended: false,
            given_up: false,
            holes: false,
            early: Vec::new(),
        }
    }

    fn take(&mut self, keys: Keys) {
        self.keys = Some(keys);
        self.inflate = None;
        (self.sequence, self.failed) = (0, 0);
        self.assembly.clear();
    }

    /// Opens a record with the keys in use or, where messages that change them were lost, with the next ones.
    fn open(&mut self, record: &Protected<'_>) -> Option<super::protection::Opened> {
        let keys = self.keys.as_mut()?;
        let last = self.sequence.saturating_add(self.skipped.min(MOST_SKIPPED));
        if let Some((number, opened)) = keys.protection.open(self.sequence..=last, record) {
            self.sequence = number.saturating_add(1);
            return Some(opened);
        }
        if !is_tls13(keys.version) {
            return None;
        }
        // Early data may have been refused, the end of a stage lost.
        for ahead in 0..keys.stages.len() {
            let (_, secret) = keys.stages.get(ahead)?;
            let mut next = Protection::of_secret(keys.suite, keys.version, secret.expose())?;
            let most = self.skipped.min(MOST_SKIPPED);
            if let Some((number, opened)) = next.open(0..=most, record) {
                let (stage, secret) = keys.stages.drain(..=ahead).next_back()?;
                (keys.stage, keys.secret) = (Some(stage), Some(secret));
                keys.protection = next;
                self.sequence = number.saturating_add(1);
                self.assembly.clear();
                return Some(opened);
            }
        }
        if self.skipped > 0 && keys.stages.is_empty() {
            // A KeyUpdate may have been lost.
            let updated = keys.updated()?;
            let mut next = Protection::of_secret(keys.suite, keys.version, updated.expose())?;
            let (number, opened) = next.open(0..=self.skipped.min(MOST_SKIPPED), record)?;
            keys.secret = Some(updated);
            keys.protection = next;
            self.sequence = number.saturating_add(1);
            return Some(opened);
        }
        None
    }

    /// The side goes on with the secret of its next stage. `false`: there is none, and nothing more can be opened.
    #[must_use]
    fn next_stage(&mut self) -> bool {
        let Some(keys) = &mut self.keys else { return true };
        let Some((stage, secret)) = keys.stages.pop_front() else {
            return matches!(keys.stage, Some(SecretLabel::ClientTraffic | SecretLabel::ServerTraffic));
        };
        keys.stage = Some(stage);
        if let Some(protection) = Protection::of_secret(keys.suite, keys.version, secret.expose()) {
            keys.protection = protection;
        }
        keys.secret = Some(secret);
        self.sequence = 0;
        true
    }

    /// RFC 8446 section 4.6.3.
    fn update(&mut self) {
        let Some(keys) = &mut self.keys else { return };
        let Some(secret) = keys.updated().filter(|_| keys.stages.is_empty()) else { return };
        if let Some(protection) = Protection::of_secret(keys.suite, keys.version, secret.expose()) {
            keys.protection = protection;
        }
        keys.secret = Some(secret);
        self.sequence = 0;
    }
}

impl Keys {
    fn updated(&self) -> Option<Secret> {
        let secret = self.secret.as_ref()?;
        let next = expand_label(self.suite.prf, secret.expose(), "traffic upd", self.suite.prf.bytes())?;
        Some(Secret::new(&next))
    }
}

impl Opening {
    pub(super) fn new(limits: &HeldLimits) -> Self {
        Self {
            lanes: [Lane::new(), Lane::new()],
            waiting: VecDeque::new(),
            held: limits.in_all.share(),
            per_flow: limits.per_flow,
            windows: limits.windows.clone(),
        }
    }

    fn lane(&mut self, side: Side) -> &mut Lane {
        let [client, server] = &mut self.lanes;
        if side == Side::Client { client } else { server }
    }

    /// Whether nothing of the connection will be opened any more.
    pub(super) fn is_over(&self) -> bool {
        self.lanes.iter().all(|lane| lane.given_up || lane.ended)
    }

    /// A session began in the clear: what waits belongs to one before it.
    pub(super) fn restart(&mut self) {
        self.forget();
        self.lanes = [Lane::new(), Lane::new()];
    }

    fn forget(&mut self) {
        self.held.shrink(self.held.bytes());
        self.waiting.clear();
    }

    /// Takes what came; it is opened with the next [`Self::step`].
    pub(super) fn came(&mut self, place: Place, came: Came) {
        if self.lane(place.side).given_up {
            return;
        }
        // Whether it fits is asked once what can be opened is opened.
        let _fits = self.held.grow(came.bytes());
        self.waiting.push_back((place, came));
    }

    /// Opens what can be opened. At the `end` of the connection nothing is waited for any more.
    pub(super) fn step(&mut self, session: &mut Session, tools: &mut Tools, out: &mut Vec<Ended>, end: bool) {
        let mut bench = Bench { session, tools, out };
        while let Some((place, came)) = self.waiting.pop_front() {
            match self.one(place, &came, &mut bench) {
                Ok(()) => {}
                Err(Not::Yet) if !end => {
                    self.waiting.push_front((place, came));
                    break;
                }
                Err(not) => {
                    let why = match not {
                        Not::Yet if bench.session.answer.is_none() => Decryption::StartMissing,
                        Not::Yet => Decryption::NoSecret,
                        Not::Ever(why) => why,
                    };
                    self.give_up(place.side, why, bench.session);
                }
            }
            self.held.shrink(came.bytes());
        }
        // A hello that is not there by now is not only late.
        let no_start = bench.session.answer.is_none();
        let most = if no_start { self.per_flow.min(MOST_BEFORE_A_HELLO) } else { self.per_flow };
        if self.held.bytes() > most || self.held.bytes() > 0 && self.held.is_over() {
            if let Some((place, _)) = self.waiting.front().filter(|_| !no_start) {
                bench.session.odd(AnomalyKind::Limit(Limit::SealedBytes), place.frame, place.offset);
            }
            bench.session.decryption.why_not =
                if no_start { Decryption::StartMissing } else { Decryption::SecretTooLate };
            for lane in &mut self.lanes {
                lane.given_up = true;
                lane.inflate = None;
            }
            self.forget();
        }
    }

    fn give_up(&mut self, side: Side, why: Decryption, session: &mut Session) {
        let lane = self.lane(side);
        let other = lane.holes && why == Decryption::SecretDoesNotFit;
        lane.given_up = true;
        lane.inflate = None;
        session.decryption.why_not = if other { Decryption::BytesMissing } else { why };
    }

    fn one(&mut self, place: Place, came: &Came, bench: &mut Bench<'_>) -> Result<(), Not> {
        let lane = self.lane(place.side);
        if lane.given_up {
            return Ok(());
        }
        match came {
            Came::Changed => {
                let version = bench.session.answer.as_ref().map(|a| a.version).ok_or(Not::Yet)?;
                if !is_tls13(version) {
                    let keys = of_master(bench.session, &bench.tools.keys, place.side)?;
                    let lane = self.lane(place.side);
                    lane.take(keys);
                    lane.skipped = 0;
                }
                Ok(())
            }
            Came::Record { kind, version, body } => {
                if lane.keys.is_none() {
                    let keys = first_keys(bench.session, &bench.tools.keys, place.side)?;
                    self.lane(place.side).take(keys);
                }
                self.record(place, &Protected { kind: *kind, version: *version, body }, bench)
            }
            Came::Broken(len) => {
                lane.holes = true;
                lane.skipped = lane.skipped.saturating_add(1);
                lane.assembly.clear();
                let missing = lane.keys.as_ref().and_then(|keys| keys.protection.content_bytes(*len)).unwrap_or(*len);
                bench.session.decryption.failed = bench.session.decryption.failed.saturating_add(1);
                lane.lack(place, missing, bench.tools)
            }
            Came::Hole(len) => {
                lane.holes = true;
                let records = len.checked_div(SHORTEST).unwrap_or(0).saturating_add(1);
                lane.skipped = lane.skipped.saturating_add(records);
                lane.assembly.clear();
                lane.lack(place, *len, bench.tools)
            }
            Came::End => {
                lane.end(place, bench.tools);
                Ok(())
            }
        }
    }

    fn record(&mut self, place: Place, record: &Protected<'_>, bench: &mut Bench<'_>) -> Result<(), Not> {
        let windows = self.windows.clone();
        let lane = self.lane(place.side);
        let len = u64::try_from(record.body.len()).unwrap_or_default();
        let Some(mut opened) = lane.open(record) else {
            let active = lane.flows || lane.sequence > 0;
            lane.failed = lane.failed.saturating_add(1);
            lane.tried_bytes =
                lane.tried_bytes.saturating_add(len.saturating_mul(lane.skipped.min(MOST_SKIPPED).saturating_add(1)));
            lane.skipped = lane.skipped.saturating_add(1);
            // What a secret that is not there protects has not failed.
            if active || !lane.keys.as_ref().is_some_and(|keys| keys.starts_late) {
                bench.session.decryption.failed = bench.session.decryption.failed.saturating_add(1);
            }
            if active {
                bench.session.odd(AnomalyKind::NotAuthentic, place.frame, place.offset);
            }
            if lane.failed >= MOST_FAILED || lane.tried_bytes > MOST_TRIED {
                return Err(Not::Ever(Decryption::SecretDoesNotFit));
            }
            if bench.session.decryption.opened == 0 {
                let why = if lane.holes { Decryption::BytesMissing } else { Decryption::SecretDoesNotFit };
                bench.session.decryption.why_not = why;
            }
            let missing = lane.keys.as_ref().and_then(|keys| keys.protection.content_bytes(len)).unwrap_or(len);
            return lane.lack(place, missing, bench.tools);
        };
        (lane.failed, lane.tried_bytes, lane.skipped) = (0, 0, 0);
        bench.session.decryption.opened = bench.session.decryption.opened.saturating_add(1);
        if lane.keys.as_ref().is_some_and(|keys| keys.deflated) {
            opened.bytes = lane.unpack(place, &opened.bytes, &windows, bench)?;
        }
        match opened.kind {
            APPLICATION_DATA => {
                lane.flows = true;
                bench.session.decryption.data = true;
                if lane.is_early() && bench.session.takes_early_data != Some(true) {
                    // Its own bytes are the measure: it waits as sealed records do.
                    self.early_came(place, opened.bytes, bench);
                } else {
                    lane.said(place, opened.bytes, bench.tools);
                }
            }
            ALERT if opened.bytes.get(1) == Some(&CLOSE_NOTIFY) => lane.end(place, bench.tools),
            HANDSHAKE => self.handshake(place, &opened.bytes, bench),
            _ => {}
        }
        Ok(())
    }

    /// Early data came, and whether the server takes it is not known, or known to be not so.
    fn early_came(&mut self, place: Place, bytes: Vec<u8>, bench: &mut Bench<'_>) {
        if bench.session.takes_early_data == Some(false) {
            return bench.session.odd(AnomalyKind::EarlyDataRefused, place.frame, place.offset);
        }
        let _fits = self.held.grow(held_early(&bytes));
        self.lane(place.side).early.push((place, bytes));
        if self.held.bytes() > self.per_flow || self.held.is_over() {
            self.early_taken(place.side, bench.tools);
        }
    }

    /// What was sent early is part of what was said.
    fn early_taken(&mut self, side: Side, tools: &mut Tools) {
        for (place, bytes) in std::mem::take(&mut self.lane(side).early) {
            self.held.shrink(held_early(&bytes));
            self.lane(side).said(place, bytes, tools);
        }
    }

    /// The server has told whether it takes the early data.
    fn judge_early(&mut self, bench: &mut Bench<'_>) {
        let (Some(side), Some(taken)) = (bench.session.asker, bench.session.takes_early_data) else { return };
        if taken {
            return self.early_taken(side, bench.tools);
        }
        for (place, bytes) in std::mem::take(&mut self.lane(side).early) {
            self.held.shrink(held_early(&bytes));
            bench.session.odd(AnomalyKind::EarlyDataRefused, place.frame, place.offset);
        }
    }

    /// Messages inside records; some of them change the keys of what follows.
    fn handshake(&mut self, place: Place, bytes: &[u8], bench: &mut Bench<'_>) {
        let run = place.run(place.offset, RunKind::End);
        let limit = bench.session.handshake_bytes;
        let lane = self.lane(place.side);
        let end = place.offset.saturating_add(u64::try_from(bytes.len()).unwrap_or_default());
        let mut rest = bytes;
        let (mut stage, mut update) = (false, false);
        loop {
            match lane.assembly.next(&mut rest, end, place.frame, limit) {
                Got::Message(message) => {
                    stage |= matches!(message.kind, handshake::FINISHED | handshake::END_OF_EARLY_DATA);
                    if message.kind == handshake::END_OF_EARLY_DATA {
                        // Only sent where the server takes it (RFC 8446 section 4.5).
                        bench.session.takes_early_data.get_or_insert(true);
                    }
                    update |= message.kind == handshake::KEY_UPDATE;
                    bench.session.message(&message, &run, &mut bench.tools.certificates, bench.out);
                }
                Got::TooLong(offset) => {
                    bench.session.odd(AnomalyKind::Limit(Limit::HandshakeBytes), place.frame, offset);
                }
                Got::NeedMore => break,
                Got::Bad(offset) => {
                    bench.session.odd(AnomalyKind::BadTls, place.frame, offset);
                    lane.assembly.clear();
                    break;
                }
            }
        }
        let mut sealed = false;
        if lane.keys.as_ref().is_some_and(|keys| is_tls13(keys.version)) {
            if stage {
                sealed = !lane.next_stage();
            } else if update {
                lane.update();
            }
        }
        self.judge_early(bench);
        if sealed {
            self.give_up(place.side, Decryption::NoSecret, bench.session);
        }
    }

    /// The connection is over.
    pub(super) fn finish(&mut self, session: &mut Session, tools: &mut Tools, out: &mut Vec<Ended>) {
        self.step(session, tools, out, true);
        // It was said; the capture lacks whether anybody took it.
        for side in [Side::Client, Side::Server] {
            self.early_taken(side, tools);
        }
        self.forget();
    }
}

/// Bytes that early data holds while it waits.
fn held_early(bytes: &[u8]) -> usize {
    size_of::<(Place, Vec<u8>)>().saturating_add(bytes.len())
}

impl Lane {
    /// Whether the keys in use are those of early data.
    fn is_early(&self) -> bool {
        self.keys.as_ref().is_some_and(|keys| keys.stage == Some(SecretLabel::ClientEarly))
    }

    /// Application data.
    fn said(&mut self, place: Place, bytes: Vec<u8>, tools: &mut Tools) {
        if !bytes.is_empty() && !self.ended {
            let offset = self.offset;
            self.offset = offset.saturating_add(u64::try_from(bytes.len()).unwrap_or_default());
            tools.plain.push(place.run(offset, RunKind::Data(bytes.into())));
        }
    }

    /// Content of about that length is missing.
    fn lack(&mut self, place: Place, len: u64, tools: &mut Tools) -> Result<(), Not> {
        // Before application data, what is missing is most likely a handshake message.
        if self.flows && !self.ended && len > 0 {
            let offset = self.offset;
            self.offset = offset.saturating_add(len);
            tools.plain.push(place.run(offset, RunKind::Gap(len)));
        }
        // A compressed stream refers to what went before.
        if self.keys.as_ref().is_some_and(|keys| keys.deflated || !keys.protection.goes_on_behind_a_hole()) {
            return Err(Not::Ever(Decryption::BytesMissing));
        }
        Ok(())
    }

    /// What a record's content was before it was compressed. Nothing behind one that cannot be told can be.
    fn unpack(&mut self, place: Place, packed: &[u8], windows: &Pool, bench: &mut Bench<'_>) -> Result<Vec<u8>, Not> {
        let kind = match self.inflate.take().or_else(|| Inflate::new(windows)) {
            Some(mut inflate) => {
                if let Some(bytes) = inflate.record(packed) {
                    self.inflate = Some(inflate);
                    return Ok(bytes);
                }
                AnomalyKind::NotDecompressed
            }
            None => AnomalyKind::Limit(Limit::TlsWindows),
        };
        bench.session.odd(kind, place.frame, place.offset);
        self.lack(place, u64::try_from(packed.len()).unwrap_or_default(), bench.tools)?;
        Err(Not::Ever(Decryption::BytesMissing))
    }

    fn end(&mut self, place: Place, tools: &mut Tools) {
        self.inflate = None;
        if !core::mem::replace(&mut self.ended, true) {
            tools.plain.push(place.run(self.offset, RunKind::End));
        }
    }
}

/// The keys that a side begins with.
fn first_keys(session: &Session, keys: &KeyLog, side: Side) -> Result<Keys, Not> {
    let answer = session.answer.as_ref().ok_or(Not::Yet)?;
    if !is_tls13(answer.version) {
        // The change of the cipher spec was lost.
        return of_master(session, keys, side);
    }
    let random = session.random.ok_or(Not::Ever(Decryption::StartMissing))?;
    // Drafts before the 20th derived with other labels.
    let suite = suite(answer.cipher, true)
        .filter(|_| !matches!(answer.version, 0x7F00..=0x7F13))
        .ok_or(Not::Ever(Decryption::Unsupported))?;
    let labels: &[SecretLabel] = if session.asker == Some(side) {
        &[SecretLabel::ClientEarly, SecretLabel::ClientHandshake, SecretLabel::ClientTraffic]
    } else {
        &[SecretLabel::ServerHandshake, SecretLabel::ServerTraffic]
    };
    let mut stages: VecDeque<(SecretLabel, Secret)> =
        labels.iter().filter_map(|label| Some((*label, keys.secret(&random, *label)?.clone()))).collect();
    // A growing key log may hold the first of them only.
    let last = labels.last().is_some_and(|l| keys.secret(&random, *l).is_some());
    if keys.growing && !last {
        return Err(Not::Yet);
    }
    let (stage, secret) = stages.pop_front().ok_or(Not::Ever(Decryption::NoSecret))?;
    let protection = Protection::of_secret(suite, answer.version, secret.expose());
    let protection = protection.ok_or(Not::Ever(Decryption::SecretDoesNotFit))?;
    let starts_late = matches!(stage, SecretLabel::ClientTraffic | SecretLabel::ServerTraffic);
    let (secret, stage) = (Some(secret), Some(stage));
    Ok(Keys { protection, secret, stages, stage, starts_late, suite, version: answer.version, deflated: false })
}

/// The keys of a session up to TLS 1.2.
fn of_master(session: &Session, keys: &KeyLog, side: Side) -> Result<Keys, Not> {
    let answer = session.answer.as_ref().ok_or(Not::Yet)?;
    let (Some(client_random), Some(server_random)) = (&session.random, &session.server_random) else {
        return Err(Not::Ever(Decryption::StartMissing));
    };
    let version = answer.version;
    let suite = suite(answer.cipher, false)
        .filter(|_| (TLS10..=TLS12).contains(&version) && matches!(session.compression, NULL | DEFLATE))
        .ok_or(Not::Ever(Decryption::Unsupported))?;
    let encrypt_then_mac = session.encrypt_then_mac;
    let agreed = Agreed { suite, version, client_random, server_random, encrypt_then_mac };
    let from_server = session.asker != Some(side);
    let premaster = session.encrypted_premaster.as_ref().and_then(|start| keys.premaster(start));
    let protection = if let Some(master) = keys.secret(client_random, SecretLabel::Master) {
        Protection::of_master(&agreed, master.expose(), from_server)
    } else if let Some(premaster) = premaster {
        // RFC 5246 section 8.1; with the extended master secret (RFC 7627) it will not fit, which the records tell.
        let seed = [&client_random[..], &server_random[..]];
        let master = prf(version, suite.prf, premaster.expose(), b"master secret", seed, 48);
        Protection::of_master(&agreed, &master, from_server)
    } else if keys.growing {
        return Err(Not::Yet);
    } else {
        return Err(Not::Ever(Decryption::NoSecret));
    };
    let protection = protection.ok_or(Not::Ever(Decryption::SecretDoesNotFit))?;
    let deflated = session.compression == DEFLATE;
    let stages = VecDeque::new();
    Ok(Keys { protection, secret: None, stages, stage: None, starts_late: false, suite, version, deflated })
}
