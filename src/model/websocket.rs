//! What a WebSocket carried (RFC 6455) beside the handshake that opened it.

use super::{FrameNo, Side, Timestamp};

/// What a WebSocket carried so far, counted. Its messages stay in the capture and are read again when asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebSocket {
    /// What client and server sent.
    pub sides: [WebSocketSide; 2],
    /// The frame of the capture that brought its newest bytes, with its time; `None` before the first.
    pub last: Option<(FrameNo, Timestamp)>,
    /// permessage-deflate, where the server agreed to it (RFC 7692 section 7).
    pub deflate: Option<MessageDeflate>,
}

impl WebSocket {
    /// Messages of both sides.
    pub fn messages(&self) -> u64 {
        self.sides.iter().map(|side| side.messages).fold(0, u64::saturating_add)
    }

    /// Payload bytes of both sides' messages, as sent.
    pub fn bytes(&self) -> u64 {
        self.sides.iter().map(|side| side.bytes).fold(0, u64::saturating_add)
    }
}

/// What one side of a WebSocket sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WebSocketSide {
    /// Messages: text and binary, also those of which a part is missing.
    pub messages: u64,
    /// Pings, pongs and closes.
    pub controls: u64,
    /// Frames of the WebSocket, not of the capture.
    pub frames: u64,
    /// Payload bytes of the messages, as sent: masking taken off, not decompressed.
    pub bytes: u64,
    /// The code of its Close frame; [`CloseCode::NONE`] where that has none.
    pub close: Option<CloseCode>,
    /// Whether frames are missing, or could not be told.
    pub lossy: bool,
}

/// Why a WebSocket was closed (RFC 6455 section 7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// A Close frame without a code: never sent as a number (RFC 6455 section 7.4.1).
    pub const NONE: Self = Self(1005);

    /// What the code means: those of RFC 6455 section 7.4.1 and of IANA's registry.
    pub fn words(self) -> &'static str {
        match self.0 {
            1000 => "normal closure",
            1001 => "going away",
            1002 => "protocol error",
            1003 => "data of a kind that cannot be accepted",
            1005 => "no code was sent",
            1007 => "data that does not fit its kind",
            1008 => "policy violation",
            1009 => "message too big",
            1010 => "an extension that was needed is missing",
            1011 => "the server met an error",
            1012 => "the service restarts",
            1013 => "try again later",
            1014 => "a gateway got an invalid answer",
            3000 => "unauthorized",
            3003 => "forbidden",
            3008 => "timeout",
            3001..=3999 => "registered by a library or framework",
            4000..=4999 => "the application's own",
            _ => "not a code that may be sent",
        }
    }
}

/// The parameters of permessage-deflate that the server answered with (RFC 7692 section 7.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageDeflate {
    /// Client and server: whether each message is compressed by itself.
    pub no_context_takeover: [bool; 2],
    /// Client and server: the base-2 logarithm of the window, where one was agreed.
    pub max_window_bits: [Option<u8>; 2],
}

/// What a message is: its opcode (RFC 6455 section 11.8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageKind(pub u8);

impl MessageKind {
    /// A message whose beginning is missing: only continuation frames of it are there.
    pub const CONTINUATION: Self = Self(0);
    /// Text in UTF-8.
    pub const TEXT: Self = Self(1);
    /// Bytes.
    pub const BINARY: Self = Self(2);
    /// The end.
    pub const CLOSE: Self = Self(8);
    /// A question whether the other side is there.
    pub const PING: Self = Self(9);
    /// The answer to that.
    pub const PONG: Self = Self(10);

    /// Whether it is a control frame (RFC 6455 section 5.5).
    pub fn is_control(self) -> bool {
        self.0 & 8 != 0
    }

    /// `text`, `binary`, `ping`, `pong`, `close`, `rest` where the beginning is missing, `unknown` else.
    pub fn word(self) -> &'static str {
        match self {
            Self::CONTINUATION => "rest",
            Self::TEXT => "text",
            Self::BINARY => "binary",
            Self::CLOSE => "close",
            Self::PING => "ping",
            Self::PONG => "pong",
            _ => "unknown",
        }
    }
}

/// How much of a message's payload there is to see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PayloadState {
    /// All of it.
    #[default]
    Whole,
    /// A part of it is not in the capture.
    Cut,
    /// It is compressed, and what its compression refers to is not in the capture.
    ContextLost,
    /// It is compressed in a way that cannot be undone.
    NotDecoded,
    /// Its decompression was stopped at a limit.
    Stopped,
    /// It is longer than is kept, or came after so many that no more is kept.
    NotKept,
}

impl PayloadState {
    /// What is said of it; empty for a whole one.
    pub fn words(self) -> &'static str {
        match self {
            Self::Whole => "",
            Self::Cut => "a part is not in the capture",
            Self::ContextLost => "compressed, and what the compression refers to is not in the capture",
            Self::NotDecoded => "compressed in a way that could not be undone",
            Self::Stopped => "decompression was stopped at a limit",
            Self::NotKept => "longer than is kept for display",
        }
    }
}

/// One message or control frame, read again from the capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSocketMessage {
    /// Who sent it.
    pub side: Side,
    /// What it is.
    pub kind: MessageKind,
    /// The frame of the capture with its first byte, and when.
    pub first: (FrameNo, Timestamp),
    /// The frame of the capture with its last byte, and when.
    pub last: (FrameNo, Timestamp),
    /// Offset of its first frame in the stream of its side; in HTTP/2 in the connection's bytes.
    pub offset: u64,
    /// How many frames of the WebSocket it was sent in.
    pub fragments: u64,
    /// Payload bytes as sent.
    pub wire_bytes: u64,
    /// Payload bytes after decompression, as far as they could be counted.
    pub bytes: u64,
    /// Whether it was sent compressed.
    pub compressed: bool,
    /// The payload, or as much of it as is kept.
    pub payload: Vec<u8>,
    /// How much of it that is.
    pub state: PayloadState,
}

impl WebSocketMessage {
    /// The code of a Close frame, and the reason behind it (RFC 6455 section 5.5.1).
    pub fn close(&self) -> Option<(CloseCode, &[u8])> {
        if self.kind != MessageKind::CLOSE {
            return None;
        }
        let code = self.payload.first_chunk().map(|code| CloseCode(u16::from_be_bytes(*code)));
        Some((code.unwrap_or(CloseCode::NONE), self.payload.get(2..).unwrap_or_default()))
    }
}

/// The messages of one WebSocket in the order in which they were complete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageList {
    /// The first of them.
    pub messages: Vec<WebSocketMessage>,
    /// How many more there were than are listed.
    pub unlisted: u64,
}
