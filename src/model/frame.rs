//! Frames, endpoints, flows, and the unit that decoding hands on: one TCP segment or UDP datagram.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr};
use std::borrow::Cow;

use super::Timestamp;

/// The number of a frame in its capture, from 1, equal to Wireshark's `frame.number`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameNo(pub u32);

impl fmt::Display for FrameNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A link type by its number in capture files (LINKTYPE_, <https://www.tcpdump.org/linktypes.html>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: a four-byte address family in the byte order of the capturing machine.
    pub const NULL: Self = Self(0);
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// Point-to-Point Protocol, RFC 1661.
    pub const PPP: Self = Self(9);
    /// Raw IP as some BSDs number it in files.
    pub const RAW_BSD: Self = Self(12);
    /// Raw IP as OpenBSD numbers it in files.
    pub const RAW_OPENBSD: Self = Self(14);
    /// PPP in HDLC-like framing, RFC 1662.
    pub const PPP_HDLC: Self = Self(50);
    /// PPP over Ethernet session frames without the Ethernet header.
    pub const PPP_ETHER: Self = Self(51);
    /// Raw IPv4 or IPv6.
    pub const RAW: Self = Self(101);
    /// Cisco HDLC.
    pub const C_HDLC: Self = Self(104);
    /// IEEE 802.11 without a radio header.
    pub const IEEE802_11: Self = Self(105);
    /// OpenBSD loopback: the address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux cooked capture v1.
    pub const LINUX_SLL: Self = Self(113);
    /// IEEE 802.11 after a Prism header.
    pub const IEEE802_11_PRISM: Self = Self(119);
    /// IEEE 802.11 after a radiotap header.
    pub const IEEE802_11_RADIOTAP: Self = Self(127);
    /// Per-Packet Information before another header.
    pub const PPI: Self = Self(192);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux netfilter log.
    pub const NFLOG: Self = Self(239);
    /// Linux cooked capture v2.
    pub const LINUX_SLL2: Self = Self(276);
    /// No link at all: the frame is an entry of a HAR file. Far above the numbers that are given to link types.
    pub const HAR_ENTRY: Self = Self(u16::MAX);
}

/// What the capture says of one frame, without its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHead {
    /// Its number.
    pub number: FrameNo,
    /// When it was captured.
    pub time: Timestamp,
    /// How its first bytes are to be read.
    pub link: LinkType,
    /// Which interface of the capture it came from, counted over the whole file from 0.
    pub interface: u32,
    /// Captured length in bytes.
    pub captured_len: u32,
    /// Length on the wire in bytes; larger than `captured_len` when the snap length cut the frame.
    pub original_len: u32,
    /// Offset in bytes of the frame's record (pcap record header, pcapng block) in the (decompressed) file.
    pub record_offset: u64,
}

/// An address and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// IPv4 or IPv6 address.
    pub ip: IpAddr,
    /// TCP or UDP port.
    pub port: u16,
}

impl Endpoint {
    /// One whose address is not known; port 0 where that is not known either.
    pub fn unknown(port: u16) -> Self {
        Self { ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED), port }
    }

    /// Whether the address is known: nobody is reached at the unspecified one (RFC 6890 section 2.2.2).
    pub fn is_known(&self) -> bool {
        !self.ip.is_unspecified()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip {
            _ if !self.is_known() && self.port == 0 => f.write_str("not known"),
            _ if !self.is_known() => write!(f, "address not known, port {}", self.port),
            IpAddr::V4(ip) => write!(f, "{ip}:{}", self.port),
            IpAddr::V6(ip) => write!(f, "[{ip}]:{}", self.port),
        }
    }
}

/// The transport of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// TCP, RFC 9293.
    Tcp,
    /// UDP, RFC 768.
    Udp,
}

/// One end of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The end that opened the flow (sent the SYN; without one, see `streams`).
    Client,
    /// The other end.
    Server,
}

impl Side {
    /// The opposite end.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// Two endpoints and a transport, the same for both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowKey {
    /// The lesser endpoint.
    pub low: Endpoint,
    /// The greater endpoint.
    pub high: Endpoint,
    /// TCP or UDP.
    pub transport: Transport,
}

impl FlowKey {
    /// The key of what `a` sends to `b` or `b` to `a`.
    pub fn of(a: Endpoint, b: Endpoint, transport: Transport) -> Self {
        if a <= b { Self { low: a, high: b, transport } } else { Self { low: b, high: a, transport } }
    }
}

/// A flow by the number of its first frame: one frame opens at most one flow, and this does not depend on how many
/// threads read the capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId(pub u32);

/// The TCP flags that reassembly looks at, as they stand in byte 13 of the header (RFC 9293 section 3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// No more data from the sender.
    pub const FIN: Self = Self(0x01);
    /// Opens the connection.
    pub const SYN: Self = Self(0x02);
    /// Aborts the connection.
    pub const RST: Self = Self(0x04);
    /// The acknowledgement number counts.
    pub const ACK: Self = Self(0x10);

    /// Whether all bits of `flag` are set.
    pub fn has(self, flag: Self) -> bool {
        self.0 & flag.0 == flag.0
    }
}

/// Where a unit's payload stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// In the frame itself: offset and length in bytes from the frame's first captured byte.
    InFrame {
        /// Offset from the frame's first byte.
        start: u32,
        /// Captured length.
        len: u32,
    },
    /// In a reassembled packet: offset and length in the decoder's `reassembled` buffer of this batch.
    Reassembled {
        /// Offset in that buffer.
        start: u32,
        /// Length.
        len: u32,
    },
}

impl Payload {
    /// Captured length in bytes.
    pub fn len(self) -> u32 {
        match self {
            Self::InFrame { len, .. } | Self::Reassembled { len, .. } => len,
        }
    }

    /// Whether no byte was captured.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// What kind of unit, with the header fields that the flow needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitKind {
    /// A TCP segment.
    Segment {
        /// Sequence number of the first payload byte (of the SYN itself where SYN is set).
        seq: u32,
        /// Acknowledgement number; meaningful with the ACK flag.
        ack: u32,
        /// Flags.
        flags: TcpFlags,
    },
    /// A UDP datagram.
    Datagram,
}

/// One TCP segment or UDP datagram, innermost in whatever tunnels its frame had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// The frame that completed it.
    pub frame: FrameNo,
    /// When that frame was captured.
    pub time: Timestamp,
    /// Offset of that frame's record in the (decompressed) file.
    pub record_offset: u64,
    /// Sender.
    pub source: Endpoint,
    /// Receiver.
    pub target: Endpoint,
    /// TCP or UDP, with its fields.
    pub kind: UnitKind,
    /// The captured payload.
    pub payload: Payload,
    /// Payload bytes that the headers promise and the capture lacks (snap length, cut fragment).
    pub missing: u32,
    /// A keyed hash of the flow key, the same for both directions; picks the shard and the slot in the flow table.
    pub hash: u64,
}

impl Unit {
    /// The transport.
    pub fn transport(&self) -> Transport {
        match self.kind {
            UnitKind::Segment { .. } => Transport::Tcp,
            UnitKind::Datagram => Transport::Udp,
        }
    }

    /// The key of its flow.
    pub fn key(&self) -> FlowKey {
        FlowKey::of(self.source, self.target, self.transport())
    }
}

/// A piece of one side of a flow, in stream order: what reassembly hands to parsers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run<'a> {
    /// Who sent it.
    pub side: Side,
    /// Offset of its first byte in that side's stream, from 0 at the first byte seen.
    pub offset: u64,
    /// The frame that carried it (for a gap or an end: the frame at which that became certain).
    pub frame: FrameNo,
    /// When that frame was captured.
    pub time: Timestamp,
    /// What it is.
    pub kind: RunKind<'a>,
}

/// What a run is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunKind<'a> {
    /// Bytes of the stream: one segment's or datagram's new bytes.
    Data(Cow<'a, [u8]>),
    /// So many bytes are missing from the capture here.
    Gap(u64),
    /// The side will send no more: FIN, or RST.
    End,
}
