//! Packets that only keys of the two ends open: Handshake, 0-RTT and 1-RTT (RFC 9001 section 5).
//!
//! Comes in: packets, what the hellos agreed on, and the key log. Goes out: payloads that were authenticated. Packets wait,
//! within limits, while their secret or the hello that names it may yet come.

use std::collections::VecDeque;
use std::sync::Arc;

use super::super::tls::{CipherSuite, Tally, Tools, cipher_suite};
use super::keys::{self, Opened, PacketKeys};
use super::ordered::Source;
use crate::model::{Budget, Decryption, KeyLog, QuicVersion, Secret, SecretLabel, Share, Side};

/// Packets of one sender and level that cannot be opened one after the other; then no more are tried.
const MOST_FAILED: u32 = 64;
/// Bytes of packets that wait for a hello: datagrams may stand out of order in a capture, but not far.
const MOST_BEFORE_A_HELLO: usize = 64 << 10;
/// How often a packet number may have gone round, for packets that the capture lacks.
const WINDOWS: u64 = 16;
/// What a packet that waits costs beside its bytes.
const PACKET_BYTES: usize = 96;
/// Suites of TLS 1.3 that QUIC can use (RFC 9001 section 5.3).
const SUITES: [u16; 4] = [0x1301, 0x1302, 0x1303, 0x1304];

/// Under which secret a packet stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// 0-RTT.
    Early,
    /// Handshake packets.
    Handshake,
    /// 1-RTT.
    Data,
}

/// A packet under such a secret.
#[derive(Clone, Debug)]
pub(super) struct Sealed {
    pub(super) level: Level,
    /// Who sent it: the client or the server of the connection.
    pub(super) sender: Side,
    /// Of its header, or of the connection.
    pub(super) version: QuicVersion,
    pub(super) bytes: Vec<u8>,
    /// Where its number may stand: the lengths of connection ids differ.
    pub(super) numbers_at: Vec<usize>,
    pub(super) source: Source,
    /// Offset of its datagram in its side of the flow.
    pub(super) offset: u64,
}

/// What a packet turned out to be.
#[derive(Debug)]
pub(super) enum Tried {
    Opened(Opened),
    /// It waits.
    Kept,
    /// It did not authenticate though others of its level did.
    NotAuthentic,
    /// It was not opened.
    Lost,
    /// It was not opened, and neither are those that waited: there was no more room.
    NoRoom,
}

/// What the hellos say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Agreed {
    pub(super) random: Option<[u8; 32]>,
    pub(super) cipher: Option<u16>,
}

/// One sender's keys of one level.
#[derive(Debug, Default)]
struct Lane {
    keys: Option<PacketKeys>,
    failed: u32,
}

/// The decryption of one connection.
#[derive(Debug)]
pub(super) struct Opening {
    early: Lane,
    handshake: [Lane; 2],
    data: [Lane; 2],
    /// The numbers after the greatest of Handshake packets and of the others, of client and server.
    expected: [[u64; 2]; 2],
    agreed: Agreed,
    waiting: VecDeque<Sealed>,
    /// What waits, in bytes.
    held: Share,
    /// What those that wait were tried with.
    tried: Option<Arc<KeyLog>>,
    most_waiting: usize,
    /// Nothing is waited for any more.
    late: bool,
    opened: u64,
    failed: u64,
    /// Packets with data of the application that were opened.
    opened_data: u64,
    why_not: Decryption,
}

/// Why a packet is not opened.
enum Not {
    /// Its secret may come.
    Yet(Decryption),
    /// Never.
    Ever(Decryption),
    /// It does not authenticate.
    Authentic,
}

impl Opening {
    pub(super) fn new(budget: &Budget) -> Self {
        Self {
            early: Lane::default(),
            handshake: Default::default(),
            data: Default::default(),
            expected: [[0; 2]; 2],
            agreed: Agreed::default(),
            waiting: VecDeque::new(),
            held: budget.sealed_bytes.share(),
            tried: None,
            most_waiting: budget.sealed_bytes_per_flow,
            late: false,
            opened: 0,
            failed: 0,
            opened_data: 0,
            why_not: Decryption::NotTried,
        }
    }

    /// Tries a packet.
    pub(super) fn take(&mut self, packet: Sealed, tools: &Tools) -> Tried {
        let is_data = u64::from(packet.level != Level::Handshake);
        match self.open(&packet, &tools.keys) {
            Ok(opened) => {
                self.opened_data = self.opened_data.saturating_add(is_data);
                self.succeed(opened)
            }
            Err(Not::Yet(_)) if !self.late => self.hold(packet),
            Err(not) => self.fail(&not),
        }
    }

    fn hold(&mut self, packet: Sealed) -> Tried {
        let cost = packet.bytes.len().saturating_add(PACKET_BYTES);
        // A hello that is not there by now is not only late.
        let no_start = self.agreed.random.is_none();
        let most = if no_start { self.most_waiting.min(MOST_BEFORE_A_HELLO) } else { self.most_waiting };
        let fits = self.held.grow(cost);
        if self.held.bytes() > most || !fits {
            self.why_not = if no_start { Decryption::StartMissing } else { Decryption::SecretTooLate };
            self.late = true;
            self.forget();
            return if no_start { Tried::Lost } else { Tried::NoRoom };
        }
        self.waiting.push_back(packet);
        Tried::Kept
    }

    fn forget(&mut self) {
        self.held.shrink(self.held.bytes());
        self.waiting.clear();
    }

    /// How many packets were opened, how many were not, and why.
    pub(super) fn told(&self) -> Tally {
        Tally { opened: self.opened, failed: self.failed, data: self.opened_data > 0, why_not: self.why_not }
    }

    /// The packets that waited, where something new is known that may open them.
    pub(super) fn again(&mut self, agreed: Agreed, tools: &Tools) -> VecDeque<Sealed> {
        // Between a HelloRetryRequest and the second hello none is under way; the random stays the same.
        let agreed = Agreed { random: agreed.random.or(self.agreed.random), ..agreed };
        let news = agreed != self.agreed || self.tried.as_ref().is_none_or(|keys| !Arc::ptr_eq(keys, &tools.keys));
        self.agreed = agreed;
        if !news || self.waiting.is_empty() {
            return VecDeque::new();
        }
        self.tried = Some(Arc::clone(&tools.keys));
        self.all_waiting()
    }

    fn all_waiting(&mut self) -> VecDeque<Sealed> {
        let waiting = core::mem::take(&mut self.waiting);
        self.forget();
        waiting
    }

    /// The connection is over: what waits is given up.
    pub(super) fn finish(&mut self) -> VecDeque<Sealed> {
        self.late = true;
        self.all_waiting()
    }

    /// The receiver has seen a packet of that number of the sender's.
    pub(super) fn acknowledged(&mut self, level: Level, sender: Side, largest: u64) {
        let expected = self.expected(level, sender);
        // An acknowledgement may be captured before what it is for, but not long before.
        *expected = (*expected).max(largest.saturating_add(1));
    }

    fn expected(&mut self, level: Level, sender: Side) -> &mut u64 {
        let [handshake, others] = &mut self.expected;
        let [client, server] = if level == Level::Handshake { handshake } else { others };
        if sender == Side::Client { client } else { server }
    }

    fn lane(&mut self, level: Level, sender: Side) -> &mut Lane {
        let [client, server] = match level {
            Level::Early => return &mut self.early,
            Level::Handshake => &mut self.handshake,
            Level::Data => &mut self.data,
        };
        if sender == Side::Client { client } else { server }
    }

    fn succeed(&mut self, opened: Opened) -> Tried {
        self.opened = self.opened.saturating_add(1);
        Tried::Opened(opened)
    }

    fn fail(&mut self, not: &Not) -> Tried {
        match not {
            Not::Yet(why) | Not::Ever(why) => {
                if self.why_not != Decryption::SecretDoesNotFit {
                    self.why_not = *why;
                }
                self.failed = self.failed.saturating_add(1);
                Tried::Lost
            }
            Not::Authentic => {
                self.why_not = Decryption::SecretDoesNotFit;
                self.failed = self.failed.saturating_add(1);
                if self.opened > 0 { Tried::NotAuthentic } else { Tried::Lost }
            }
        }
    }

    fn open(&mut self, packet: &Sealed, log: &KeyLog) -> Result<Opened, Not> {
        let (level, sender) = (packet.level, packet.sender);
        let agreed = self.agreed;
        let expected = *self.expected(level, sender);
        let lane = self.lane(level, sender);
        if lane.failed >= MOST_FAILED {
            return Err(Not::Authentic);
        }
        let opened = if let Some(keys) = &mut lane.keys {
            open_with(keys, packet, expected)
        } else {
            let (keys, opened) = first_keys(packet, agreed, log, expected)?;
            lane.keys = keys;
            opened
        };
        let Some(opened) = opened else {
            lane.failed = lane.failed.saturating_add(1);
            return Err(Not::Authentic);
        };
        lane.failed = 0;
        let expected = self.expected(level, sender);
        *expected = (*expected).max(opened.number.saturating_add(1));
        Ok(opened)
    }
}

fn open_with(keys: &mut PacketKeys, packet: &Sealed, expected: u64) -> Option<Opened> {
    let places = || packet.numbers_at.iter().copied();
    let opened = places().find_map(|at| keys.open(&packet.bytes, at, expected));
    opened.or_else(|| places().find_map(|at| keys.open_ahead(&packet.bytes, at, expected, WINDOWS)))
}

/// The keys with which a sender begins at a level, found by its first packet: of suite and version not all need be known.
fn first_keys(
    packet: &Sealed,
    agreed: Agreed,
    log: &KeyLog,
    expected: u64,
) -> Result<(Option<PacketKeys>, Option<Opened>), Not> {
    let label = match (packet.level, packet.sender) {
        (Level::Early, _) => SecretLabel::ClientEarly,
        (Level::Handshake, Side::Client) => SecretLabel::ClientHandshake,
        (Level::Handshake, Side::Server) => SecretLabel::ServerHandshake,
        (Level::Data, Side::Client) => SecretLabel::ClientTraffic,
        (Level::Data, Side::Server) => SecretLabel::ServerTraffic,
    };
    let random = agreed.random.ok_or(Not::Yet(Decryption::StartMissing))?;
    let secret = log.secret(&random, label).ok_or(if log.growing {
        Not::Yet(Decryption::NoSecret)
    } else {
        Not::Ever(Decryption::NoSecret)
    })?;
    // Early data is sent before the server has chosen a suite; it is that of the session before.
    let known = agreed.cipher.filter(|_| packet.level != Level::Early);
    if known.is_some_and(|cipher| !SUITES.contains(&cipher)) {
        return Err(Not::Ever(Decryption::Unsupported));
    }
    for suite in candidates(known, secret) {
        for version in keys::suites(packet.version) {
            let Some(mut keys) = PacketKeys::of_secret(version, suite, secret) else { continue };
            if let Some(opened) = open_with(&mut keys, packet, expected) {
                return Ok((Some(keys), Some(opened)));
            }
        }
    }
    Ok((None, None))
}

fn candidates(known: Option<u16>, secret: &Secret) -> impl Iterator<Item = CipherSuite> {
    SUITES
        .into_iter()
        .filter(move |number| known.is_none_or(|known| known == *number))
        .filter_map(|number| cipher_suite(number, true))
        .filter(|suite| suite.prf.bytes() == secret.expose().len())
}
