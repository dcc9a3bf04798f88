//! TLS secrets as key logs bring them (RFC 9850, the format of `SSLKEYLOGFILE`), found again by the client's random.
//!
//! Comes in: the text of a key log. Goes out: secrets for whoever derives keys. Never: a secret in a text, a file or a
//! message; their bytes are overwritten when they are dropped.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::indexing_slicing))]

use core::fmt;
use std::collections::HashMap;
use std::sync::Arc;

use zeroize::Zeroizing;

/// Bytes of a line; the longest that means something (two random numbers of 64 bytes in hexadecimal) has some 300.
pub const LINE_BYTES: usize = 4_096;
/// Bytes of the longest secret: the longest hash of TLS gives 48.
const SECRET_BYTES: usize = 64;
/// Bytes of the shortest.
const SHORTEST: usize = 16;
/// What an entry costs beside its secret, in bytes.
const ENTRY_BYTES: usize = 96;

/// Bytes that nobody may see.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Box<[u8]>>);

impl Secret {
    /// Takes a copy of the bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The bytes, to derive keys from.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    /// Says only that there is one: this text ends up in logs and panics.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// What a secret is for (RFC 9850 section 2). QUIC uses the labels of TLS 1.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretLabel {
    /// `CLIENT_RANDOM`: the master secret of a session up to TLS 1.2.
    Master,
    /// `CLIENT_EARLY_TRAFFIC_SECRET`: early data.
    ClientEarly,
    /// `CLIENT_HANDSHAKE_TRAFFIC_SECRET`.
    ClientHandshake,
    /// `SERVER_HANDSHAKE_TRAFFIC_SECRET`.
    ServerHandshake,
    /// `CLIENT_TRAFFIC_SECRET_0`: the client's first application data secret.
    ClientTraffic,
    /// `SERVER_TRAFFIC_SECRET_0`: the server's first application data secret.
    ServerTraffic,
}

impl SecretLabel {
    fn of(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"CLIENT_RANDOM" => Self::Master,
            b"CLIENT_EARLY_TRAFFIC_SECRET" => Self::ClientEarly,
            b"CLIENT_HANDSHAKE_TRAFFIC_SECRET" => Self::ClientHandshake,
            b"SERVER_HANDSHAKE_TRAFFIC_SECRET" => Self::ServerHandshake,
            b"CLIENT_TRAFFIC_SECRET_0" => Self::ClientTraffic,
            b"SERVER_TRAFFIC_SECRET_0" => Self::ServerTraffic,
            _ => return None,
        })
    }
}

/// What became of a key log's lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyLogCounts {
    /// Secrets that are kept.
    pub secrets: u64,
    /// Lines that are no secret, no comment and not empty.
    pub bad: u64,
    /// Secrets that are there already.
    pub repeated: u64,
    /// Lines with a label that opens nothing here (`EXPORTER_SECRET` and others).
    pub unused: u64,
    /// Secrets not kept because the limit was reached: the oldest, since programs append to their log.
    pub over: u64,
    /// The log could not be read to its end.
    pub broken_off: bool,
}

/// Parts of a full log.
const PARTS: usize = 16;

/// Secrets by the client's random. A copy shares them, and costs next to nothing.
#[derive(Clone)]
pub struct KeyLog {
    /// Each more than twice as large as the next one, so that there are few, and a log that grows line by line is not
    /// copied for each line.
    parts: Vec<Arc<Part>>,
    /// Bytes that may be kept, and those that may still be.
    most: usize,
    left: usize,
    counts: KeyLogCounts,
    /// More may come while the capture is read: a session without its secret is waited for.
    pub growing: bool,
}

/// Secrets that were read together.
#[derive(Clone, Default)]
struct Part {
    sessions: HashMap<[u8; 32], Vec<(SecretLabel, Secret)>>,
    /// Premaster secrets by the first eight bytes of their encrypted form.
    premasters: HashMap<[u8; 8], Secret>,
    entries: usize,
    bytes: usize,
}

impl Part {
    fn secret(&self, client_random: &[u8; 32], label: SecretLabel) -> Option<&Secret> {
        self.sessions.get(client_random)?.iter().find(|(l, _)| *l == label).map(|(_, secret)| secret)
    }
}

impl fmt::Debug for KeyLog {
    /// Counts, never secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyLog").field("counts", &self.counts).field("growing", &self.growing).finish_non_exhaustive()
    }
}

impl Default for KeyLog {
    fn default() -> Self {
        Self::new(0)
    }
}

impl KeyLog {
    /// No secrets; so many bytes may be kept.
    pub fn new(limit_bytes: usize) -> Self {
        let counts = KeyLogCounts::default();
        Self { parts: Vec::new(), most: limit_bytes, left: limit_bytes, counts, growing: false }
    }

    /// Takes lines. The last one need not end.
    pub fn read(&mut self, text: &[u8]) {
        let mut part = Part::default();
        for line in text.split(|b| *b == b'\n') {
            self.line(line, &mut part);
        }
        // What makes room for new secrets is the oldest part: none is much of the whole.
        let most = self.most / PARTS;
        while let Some(last) = self.parts.pop_if(|last| {
            last.entries <= part.entries.saturating_mul(2) && last.bytes.saturating_add(part.bytes) <= most
        }) {
            let mut larger = Arc::unwrap_or_clone(last);
            part.sessions
                .into_iter()
                .for_each(|(random, secrets)| larger.sessions.entry(random).or_default().extend(secrets));
            larger.premasters.extend(part.premasters);
            larger.entries = larger.entries.saturating_add(part.entries);
            larger.bytes = larger.bytes.saturating_add(part.bytes);
            part = larger;
        }
        if part.entries > 0 {
            self.parts.push(Arc::new(part));
        }
    }

    fn line(&mut self, line: &[u8], part: &mut Part) {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            return;
        }
        let mut words = line.split(|b| matches!(b, b' ' | b'\t')).filter(|w| !w.is_empty());
        let (Some(label), Some(key), Some(value), None) = (words.next(), words.next(), words.next(), words.next())
        else {
            return self.bad();
        };
        let known = SecretLabel::of(label);
        if line.len() > LINE_BYTES {
            return self.bad();
        }
        if known.is_none() && label != b"RSA" {
            let named = label.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_');
            let count = if named { &mut self.counts.unused } else { &mut self.counts.bad };
            *count = count.saturating_add(1);
            return;
        }
        let (Some(key), Some(value)) = (unhex(key), unhex(value)) else { return self.bad() };
        let sized = match known {
            Some(SecretLabel::Master) | None => value.len() == 48,
            Some(_) => (SHORTEST..=SECRET_BYTES).contains(&value.len()),
        };
        if !sized {
            return self.bad();
        }
        let secret = Secret::new(&value);
        match known {
            Some(label) => match <[u8; 32]>::try_from(key.as_slice()) {
                Ok(random) if part.secret(&random, label).is_some() || self.secret(&random, label).is_some() => {
                    // The first of several secrets for one use is kept.
                    self.repeated();
                }
                Ok(random) => {
                    if self.afford(&secret, part) {
                        part.sessions.entry(random).or_default().push((label, secret));
                    }
                }
                Err(_) => self.bad(),
            },
            None => match <[u8; 8]>::try_from(key.as_slice()) {
                Ok(start) if part.premasters.contains_key(&start) || self.premaster(&start).is_some() => {
                    self.repeated();
                }
                Ok(start) => {
                    if self.afford(&secret, part) {
                        part.premasters.insert(start, secret);
                    }
                }
                Err(_) => self.bad(),
            },
        }
    }

    /// Makes room for a secret, if need be by forgetting the oldest.
    fn afford(&mut self, secret: &Secret, part: &mut Part) -> bool {
        let bytes = secret.expose().len().saturating_add(ENTRY_BYTES);
        while self.left < bytes {
            if self.parts.is_empty() {
                self.counts.over = self.counts.over.saturating_add(1);
                return false;
            }
            let oldest = self.parts.remove(0);
            self.left = self.left.saturating_add(oldest.bytes);
            let forgotten = u64::try_from(oldest.entries).unwrap_or(u64::MAX);
            self.counts.over = self.counts.over.saturating_add(forgotten);
            self.counts.secrets = self.counts.secrets.saturating_sub(forgotten);
        }
        self.left = self.left.saturating_sub(bytes);
        part.entries = part.entries.saturating_add(1);
        part.bytes = part.bytes.saturating_add(bytes);
        self.counts.secrets = self.counts.secrets.saturating_add(1);
        true
    }

    fn bad(&mut self) {
        self.counts.bad = self.counts.bad.saturating_add(1);
    }

    fn repeated(&mut self) {
        self.counts.repeated = self.counts.repeated.saturating_add(1);
    }

    /// A line that was too long to be handed over whole.
    pub fn passed_over(&mut self) {
        self.bad();
    }

    /// The log cannot be read any further.
    pub fn break_off(&mut self) {
        self.counts.broken_off = true;
    }

    /// The secret of the session that this client's random began.
    pub fn secret(&self, client_random: &[u8; 32], label: SecretLabel) -> Option<&Secret> {
        self.parts.iter().find_map(|part| part.secret(client_random, label))
    }

    /// The premaster secret whose form encrypted with RSA begins so.
    pub fn premaster(&self, encrypted: &[u8; 8]) -> Option<&Secret> {
        self.parts.iter().find_map(|part| part.premasters.get(encrypted))
    }

    /// Whether there are secrets, or there may be some.
    pub fn may_open(&self) -> bool {
        self.growing || self.counts.secrets > 0
    }

    /// What became of the lines.
    pub fn counts(&self) -> KeyLogCounts {
        self.counts
    }
}

/// Bytes of hexadecimal digits, small or capital.
fn unhex(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    // Made long enough at once: a vector that grows leaves copies behind.
    let mut out = Zeroizing::new(Vec::with_capacity(pairs.len()));
    for [high, low] in pairs {
        let high = char::from(*high).to_digit(16)?;
        let low = char::from(*low).to_digit(16)?;
        out.push(u8::try_from(high << 4 | low).ok()?);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANDOM: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";

    fn read(text: &str) -> KeyLog {
        let mut log = KeyLog::new(16 << 20);
        log.read(text.as_bytes());
        log
    }

    /// Secrets kept, bad, repeated and unused lines.
    #[track_caller]
    fn check(text: &str, want: [u64; 4]) {
        let c = read(text).counts();
        assert_eq!([c.secrets, c.bad, c.repeated, c.unused], want, "{text:?}");
    }

    #[test]
    fn lines_of_every_kind_are_counted() {
        let master = "ab".repeat(48);
        check(&format!("# a comment\r\n\r\nCLIENT_RANDOM {RANDOM} {master}\r\n"), [1, 0, 0, 0]);
        check(&format!("CLIENT_RANDOM {RANDOM} {master}\nCLIENT_RANDOM {RANDOM} {master}"), [1, 0, 1, 0]);
        check(&format!("SERVER_TRAFFIC_SECRET_0 {RANDOM} {}", "cd".repeat(32)), [1, 0, 0, 0]);
        check(&format!("EXPORTER_SECRET {RANDOM} {master}"), [0, 0, 0, 1]);
        check(&format!("RSA 0011223344556677 {master}"), [1, 0, 0, 0]);
        check(&format!("RSA 00112233445566 {master}"), [0, 1, 0, 0]);
        check(&format!("CLIENT_RANDOM {RANDOM} {}", "ab".repeat(47)), [0, 1, 0, 0]);
        check(&format!("CLIENT_RANDOM {RANDOM} {}g", "ab".repeat(47)), [0, 1, 0, 0]);
        check(&format!("CLIENT_RANDOM {RANDOM} {master} more"), [0, 1, 0, 0]);
        check("\0\0\0\0\nCLIENT_RANDOM", [0, 2, 0, 0]);
        check(&format!("CLIENT_RANDOM {RANDOM}{} {master}", "00".repeat(4_096)), [0, 1, 0, 0]);
    }

    #[test]
    fn secrets_are_found_by_random_and_never_printed() {
        let master = "ab".repeat(48);
        let log = read(&format!("CLIENT_RANDOM {RANDOM} {master}"));
        let random: [u8; 32] = core::array::from_fn(|n| n as u8);
        let secret = log.secret(&random, SecretLabel::Master).unwrap();
        assert_eq!(secret.expose(), [0xAB; 48]);
        assert!(log.secret(&random, SecretLabel::ClientTraffic).is_none());
        let shown = format!("{log:?} {secret:?}");
        assert!(!shown.contains("171") && !shown.to_lowercase().contains("abab"), "{shown}");
    }

    #[test]
    fn no_more_is_kept_than_the_limit_allows() {
        let mut log = KeyLog::new(1_000);
        for n in 0..100 {
            log.read(format!("CLIENT_RANDOM {n:064x} {}", "ab".repeat(48)).as_bytes());
        }
        let counts = log.counts();
        assert!(counts.secrets < 10 && counts.secrets + counts.over == 100, "{counts:?}");
    }

    #[test]
    fn a_log_that_grows_line_by_line_stays_in_few_parts() {
        let mut log = KeyLog::new(16 << 20);
        let mut copies = Vec::new();
        for n in 0_u16..2_000 {
            log.read(format!("CLIENT_RANDOM {n:064x} {}\n", "ab".repeat(48)).as_bytes());
            copies.push(log.clone());
        }
        assert!(log.parts.len() < 12, "{}", log.parts.len());
        for n in [0_u16, 1_000, 1_999] {
            let mut random = [0; 32];
            random[30..].copy_from_slice(&n.to_be_bytes());
            assert!(log.secret(&random, SecretLabel::Master).is_some());
            assert_eq!(copies[999].secret(&random, SecretLabel::Master).is_some(), n < 1_000);
        }
    }
}
