//! What a capture file says of itself, and what of it could not be read.

use core::net::IpAddr;

use super::Merged;
use crate::model::{FrameNo, LimitHit, LinkType, Timestamp};

/// The file format inside any compression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Classic pcap with microseconds.
    #[default]
    Pcap,
    /// Classic pcap with nanoseconds.
    PcapNano,
    /// Modified pcap (Kuznetzov's), with longer record headers.
    PcapModified,
    /// pcapng.
    Pcapng,
    /// HAR: no frames, but a program's report of what it exchanged. Its entries take the place of frames.
    Har,
}

impl Format {
    /// The word in lists and exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pcap => "pcap",
            Self::PcapNano => "pcap-ns",
            Self::PcapModified => "pcap-modified",
            Self::Pcapng => "pcapng",
            Self::Har => "har",
        }
    }

    /// What its numbers count, one and many.
    pub fn units(self) -> (&'static str, &'static str) {
        match self {
            Self::Har => ("entry", "entries"),
            Self::Pcap | Self::PcapNano | Self::PcapModified | Self::Pcapng => ("frame", "frames"),
        }
    }
}

/// What the capture is packed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Container {
    /// Nothing.
    #[default]
    Plain,
    /// gzip, RFC 1952.
    Gzip,
    /// Zstandard, RFC 8878.
    Zstd,
    /// LZ4 frames.
    Lz4,
}

/// One interface of the capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Its name, as bytes from the file.
    pub name: Vec<u8>,
    /// Its description, as bytes from the file.
    pub description: Vec<u8>,
    /// Its link type's number.
    pub link: u16,
    /// Snap length in bytes; 0 for no limit.
    pub snap_len: u32,
}

/// A comment found in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// The frame it belongs to; `None` for one on the section, an interface or the whole file.
    pub frame: Option<FrameNo>,
    /// The text as it stands.
    pub text: Vec<u8>,
}

/// A stretch of the file that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Offset in bytes in the (decompressed) file.
    pub offset: u64,
    /// Length in bytes.
    pub len: u64,
    /// Why.
    pub why: String,
}

/// What the capturing system counted (pcapng Interface Statistics Block), over all interfaces and sections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets that reached the interface (`isb_ifrecv`).
    pub received: u64,
    /// Packets that the interface dropped (`isb_ifdrop`).
    pub dropped_by_interface: u64,
    /// Packets that the capture filter let pass (`isb_filteraccept`).
    pub accepted: u64,
    /// Packets that the kernel dropped for want of room (`isb_osdrop`).
    pub dropped_by_kernel: u64,
}

impl Counters {
    /// Packets that are not in the capture although they reached the machine.
    pub fn dropped(&self) -> u64 {
        self.dropped_by_interface.saturating_add(self.dropped_by_kernel)
    }
}

/// All that is known of a capture beside its frames.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaptureFacts {
    /// The file's name without its folders, or what the stream is called.
    pub name: String,
    /// Its format.
    pub format: Format,
    /// What it is packed in.
    pub container: Container,
    /// Frames numbered so far. pcapng blocks that Wireshark numbers and that hold no frame (custom, journal) are among
    /// them.
    pub frames: u32,
    /// Earliest frame time.
    pub first_time: Option<Timestamp>,
    /// Latest frame time.
    pub last_time: Option<Timestamp>,
    /// Link types of the interfaces, in order of appearance.
    pub link_types: Vec<LinkType>,
    /// Interfaces over all sections, and of merged files over all files.
    pub interfaces: Vec<Interface>,
    /// Sections (1 for pcap).
    pub sections: u32,
    /// What the capturing system counted; `None` where the file does not say.
    pub counters: Option<Counters>,
    /// Comments.
    pub comments: Vec<Comment>,
    /// Names that the file gives to addresses (pcapng Name Resolution Block).
    pub names: Vec<(IpAddr, Vec<u8>)>,
    /// How many TLS key logs the file carries. Their texts go to whoever decrypts, and nowhere else.
    pub secrets: u32,
    /// Bytes at the end that begin a record and do not finish it.
    pub cut_tail_bytes: u64,
    /// What could not be read on the way.
    pub skipped: Vec<Skipped>,
    /// Limits reached while reading.
    pub limits: Vec<LimitHit>,
    /// The files that it was merged from; empty where it is one.
    pub merged: Merged,
}
