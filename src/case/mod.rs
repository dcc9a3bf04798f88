//! The user's document: what was decided about one capture, kept beside it as `NAME.nephoscope.json`; and what the user
//! prefers for all of them.
//!
//! Comes in: a capture's path, its rows, what the user chose. Goes out: plain data, a file that is written whole or not at
//! all.
//! Never: bytes of the capture, a file that this program did not write.

mod file;
mod notes;
mod plan;
mod preferences;

use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::model::{Endpoint, Exchange, hex};
use crate::store::Actions;

pub use file::{CaseError, Loaded, MOST_TEXT, SCHEMA, case_path};
pub use notes::rows_of;
pub use plan::{
    Anchor, Annotation, Area, Colour, Look, Plan, Point, RedactionChoice, Section, SectionChoice, Shape, Weight,
};
pub use preferences::{
    Found, MOST_DECIMALS, MOST_LIVE_MIB, Preferences, PreferencesError, TEXT_PERCENT, ThemeChoice, TimeFormat,
    config_folder, preferences_path,
};

/// What the user decided about one capture.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The key by which this case's placeholders are made.
    pub key: Key,
    /// SHA-256 of the capture that it was made for, in lower-case hexadecimal digits; empty while that is not known.
    pub capture_sha256: String,
    /// Marked, ignored and commented exchanges, and those whose flows have a colour.
    pub marks: Vec<Mark>,
    /// When the user did something.
    pub actions: Actions,
    /// The pictures.
    pub plans: Vec<Plan>,
    /// Redaction that every new picture begins with.
    pub redaction: RedactionChoice,
    /// What a later version wrote and this one cannot read; it is written back as it came.
    unread: Unread,
}

/// What could not be read of a file, kept for the next writing.
#[derive(Clone, Debug, Default, PartialEq)]
struct Unread {
    fields: Map<String, Value>,
    marks: Vec<Value>,
    plans: Vec<Value>,
}

impl Case {
    /// An empty case with that key.
    pub fn new(key: Key) -> Self {
        Self {
            key,
            capture_sha256: String::new(),
            marks: Vec::new(),
            actions: Actions::default(),
            plans: Vec::new(),
            redaction: RedactionChoice::default(),
            unread: Unread::default(),
        }
    }
}

/// An exchange that is marked, ignored or commented, or whose flow has a colour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Which.
    pub exchange: ExchangeRef,
    /// Whether it is marked.
    #[serde(default)]
    pub marked: bool,
    /// Whether it is ignored.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ignored: bool,
    /// The number of the colour that its flow has; the exchange stands for all of the flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<u8>,
    /// What the user says of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// Fields of a later version.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// An exchange as it is found again in the same capture, whatever the program's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ExchangeRef {
    /// The frame of its first byte.
    pub first_frame: u32,
    /// The client's address and port.
    pub client: SocketAddr,
    /// The server's address and port.
    pub server: SocketAddr,
    /// Its place among the exchanges of its flow, from 0.
    pub ordinal: u32,
}

impl ExchangeRef {
    /// Of an exchange.
    pub fn of(exchange: &Exchange) -> Self {
        let socket = |e: Endpoint| SocketAddr::new(e.ip, e.port);
        Self {
            first_frame: exchange.first_frame.0,
            client: socket(exchange.client),
            server: socket(exchange.server),
            ordinal: exchange.ordinal,
        }
    }

    /// Whether it is this exchange.
    pub fn is(&self, exchange: &Exchange) -> bool {
        *self == Self::of(exchange)
    }
}

/// The key of one case: without it nobody can tell which secret a placeholder stands for. It never leaves the case file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Key {
    /// A key of its own, from the system's source of randomness.
    pub fn random() -> Result<Self, CaseError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| CaseError::NoRandomness(error.to_string()))?;
        Ok(Self(bytes))
    }

    /// The key that belongs to a capture's bytes: for a picture without a case, so that every run makes the same one.
    /// `secret` is what only the holder of the capture can compute, not its published SHA-256.
    pub fn of_capture(secret: &[u8; 32]) -> Self {
        Self(Sha256::new().chain_update(b"nephoscope case key\0").chain_update(secret).finalize().into())
    }

    /// A keyed digest: SHA-256 over key, purpose and bytes, each of known length.
    pub fn digest(&self, purpose: &str, bytes: &[u8]) -> [u8; 32] {
        let purpose_len = (purpose.len() as u64).to_be_bytes();
        let inner = Sha256::new().chain_update(self.0).chain_update(purpose_len).chain_update(purpose);
        let inner = inner.chain_update(bytes).finalize();
        // Nested, as HMAC is, so that nothing can be appended.
        Sha256::new().chain_update(self.0).chain_update(inner).finalize().into()
    }

    fn to_text(self) -> String {
        hex(&self.0)
    }

    fn from_text(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}
