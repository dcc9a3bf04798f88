//! Bytes become messages made of ranges.
//!
//! Comes in: runs of one side's stream, or one datagram. Goes out: whole messages. Never: a flow table, a socket, a
//! clock, a panic.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::indexing_slicing))]

pub mod body;
pub mod dns;
pub mod har;
pub mod http;
pub mod http1;
pub mod http2;
pub mod http3;
pub mod links;
pub mod quic;
pub mod socks;
pub mod tls;
pub mod vpn;
pub mod websocket;

use crate::model::Side;

/// What a parser says after a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// More is welcome.
    Going,
    /// Nothing more is to be learnt from this flow.
    Done,
    /// Another protocol follows on both sides, from this side's offset on (CONNECT answered 2xx, Upgrade answered 101).
    Switched(Side, u64),
    /// The bytes are not of this protocol.
    NotThis,
}

/// Whether some first bytes are of a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sniff {
    /// They are.
    Yes,
    /// They are not.
    No,
    /// Too few to tell.
    NeedMore,
}
