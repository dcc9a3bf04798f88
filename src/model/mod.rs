//! The words that every floor shares: times, frames, flows, spans, exchanges, evidence, verdicts.
//!
//! Comes in: nothing. Goes out: plain values. Never: input or output, a clock, a lock.

mod budget;
mod bytes;
mod detour;
mod exchange;
mod frame;
mod json;
mod key_log;
mod pool;
mod text;
mod time;
mod trust;
mod verdict;
mod websocket;

pub use budget::{Budget, Limit, LimitHit};
pub use bytes::{ByteRange, Cursor, Reject, Step};
pub use detour::{Proxied, ProxyKind, Tunnel, TunnelKind};
pub use exchange::{
    Anomaly, AnomalyKind, BlockSpan, Body, Certificate, ClientHello, Decryption, Detail, DnsKind, DnsLookup, DnsOver,
    DnsQuestion, DnsRecord, DnsResponse, Envelope, EnvelopeName, Exchange, Field, HttpExchange, HttpMessage,
    HttpVersion, Opening, QuicFacts, QuicVersion, Reported, ServerHello, StartLine, TlsSession, TlsTransport,
    frames_of,
};
pub use frame::{
    Endpoint, FlowId, FlowKey, FrameHead, FrameNo, LinkType, Payload, Run, RunKind, Side, TcpFlags, Transport, Unit,
    UnitKind,
};
pub use json::JsonScan;
pub use key_log::{KeyLog, KeyLogCounts, LINE_BYTES, Secret, SecretLabel};
pub use pool::{Pool, Share};
pub use text::{bytes_short, clean, clean_to, hex, is_hidden, middle};
pub use time::Timestamp;
pub use trust::{ChainStanding, OcspAnswer, OcspStatus, Stapled, Trust, TrustedRoot};
pub use verdict::{
    Agreement, Alternative, Answer, Attempt, Challenge, Evidence, ExchangeNo, FirstWrite, GiverNo, Grade, Group,
    HandOut, Hop, Hypothesis, Ledger, LinkMatch, LookedUp, Part, Place, ProviderId, Stance, Standing, Supports, Tenant,
    Verdict, WitnessKind, WriteMatch,
};
pub use websocket::{
    CloseCode, MessageDeflate, MessageKind, MessageList, PayloadState, WebSocket, WebSocketMessage, WebSocketSide,
};
