//! Why a capture cannot be read at all. Damage inside a capture is no error: it is recorded in the facts.

use std::io;
use std::path::{Path, PathBuf};

use crate::model::clean;

/// Why a capture cannot be opened or read on.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// Nothing has this name.
    #[error("cannot open the capture: there is no such file: {}", shown(path))]
    Missing {
        /// The path asked for.
        path: PathBuf,
    },
    /// A folder.
    #[error("cannot open the capture: this is a folder, choose a file in it: {}", shown(path))]
    Directory {
        /// The path asked for.
        path: PathBuf,
    },
    /// The file may not be read.
    #[error("cannot open the capture: no permission to read it: {}", shown(path))]
    Denied {
        /// The path asked for.
        path: PathBuf,
    },
    /// A key log that was named cannot be read.
    #[error("cannot read the key log: {why}: {}", shown(path))]
    KeyLog {
        /// Why, and what to do.
        why: String,
        /// The path asked for.
        path: PathBuf,
    },
    /// A pipe, socket or device.
    #[error("cannot open the capture: this is a pipe or device, send its content to standard input: {}", shown(path))]
    NotRegular {
        /// The path asked for.
        path: PathBuf,
    },
    /// No bytes.
    #[error("cannot read the capture: the file is empty: {}", shown(path))]
    Empty {
        /// The path asked for, or the stream's name.
        path: PathBuf,
    },
    /// Something else than a capture.
    #[error(
        "cannot read the capture: expected pcap, pcapng or HAR (or one in gzip, zstd or LZ4), this is {what}: {}",
        shown(path)
    )]
    NotACapture {
        /// What it looks like, and what to do.
        what: String,
        /// The path asked for, or the stream's name.
        path: PathBuf,
    },
    /// A file that cannot be merged with others by time.
    #[error("cannot merge the captures: {why}: {}", shown(path))]
    NotMerged {
        /// Why, and what to do.
        why: String,
        /// The file.
        path: PathBuf,
    },
    /// The frame is no longer where it was.
    #[error("cannot read frame {number} again: the file changed since it was opened: {}", shown(path))]
    Changed {
        /// The frame.
        number: u32,
        /// The path asked for.
        path: PathBuf,
    },
    /// A live capture ended before anything was written.
    #[error("nothing was captured: {}", shown(path))]
    NothingCaptured {
        /// The spool's folder.
        path: PathBuf,
    },
    /// The frame stood in a file of a ring that was removed since.
    #[error("cannot read frame {number} again: the ring of files has removed the one that it was in: {}", shown(path))]
    Removed {
        /// The frame.
        number: u32,
        /// The spool's folder.
        path: PathBuf,
    },
    /// The operating system reports a failure.
    #[error("cannot read the capture: {source}: {}", shown(path))]
    Io {
        /// What it says.
        source: io::Error,
        /// The path asked for, or the stream's name.
        path: PathBuf,
    },
}

impl CaptureError {
    /// What failed and why, without the path.
    pub fn reason(&self) -> String {
        let path = match self {
            Self::Missing { path }
            | Self::Directory { path }
            | Self::Denied { path }
            | Self::KeyLog { path, .. }
            | Self::NotRegular { path }
            | Self::Empty { path }
            | Self::NotACapture { path, .. }
            | Self::NotMerged { path, .. }
            | Self::Changed { path, .. }
            | Self::NothingCaptured { path }
            | Self::Removed { path, .. }
            | Self::Io { path, .. } => path,
        };
        let whole = self.to_string();
        // Every text above ends with it.
        let reason = whole.strip_suffix(&shown(path)).and_then(|rest| rest.strip_suffix(": "));
        reason.map_or_else(|| "the capture cannot be read".to_owned(), str::to_owned)
    }

    /// The kind of error that an operation on `path` gave.
    pub(super) fn from_io(source: io::Error, path: &Path) -> Self {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { path },
            io::ErrorKind::PermissionDenied => Self::Denied { path },
            io::ErrorKind::IsADirectory => Self::Directory { path },
            _ => Self::Io { source, path },
        }
    }
}

/// A path may hold bytes that would steer a terminal.
fn shown(path: &Path) -> String {
    clean(path.as_os_str().as_encoded_bytes()).into_owned()
}

/// What a file that is no capture looks like, with advice.
pub(super) fn describe(head: &[u8]) -> String {
    let known: [(&[u8], &str); 17] = [
        (b"PK\x03\x04", "a ZIP archive: unpack it first"),
        (b"\xfd7zXZ\0", "compressed with xz: unpack it first (xz -dk)"),
        (b"BZh", "compressed with bzip2: unpack it first (bzip2 -dk)"),
        (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive: unpack it first"),
        (b"Rar!\x1a\x07", "a RAR archive: unpack it first"),
        (b"snoop\0\0\0", "a Solaris snoop file: convert it with editcap -F pcapng"),
        (b"GMBU", "a Microsoft Network Monitor file: convert it with editcap -F pcapng"),
        (b"RTSS", "a Microsoft Network Monitor file: convert it with editcap -F pcapng"),
        (b"XCP\0", "a NetXRay file: convert it with editcap -F pcapng"),
        (b"TRSNIFF data", "a Sniffer file: convert it with editcap -F pcapng"),
        (b"\x7fELF", "a program"),
        (b"MZ", "a Windows program"),
        (b"\x89PNG", "a PNG picture"),
        (b"\xff\xd8\xff", "a JPEG picture"),
        (b"%PDF", "a PDF document"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"\x28\xb5\x2f\xfd", "zstd inside another compression: unpack it first"),
    ];
    if let Some((_, what)) = known.iter().find(|(magic, _)| head.starts_with(magic)) {
        return (*what).to_owned();
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let is_text =
        !text.is_empty() && text.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0x80..));
    if is_text && text.trim_ascii_start().first().is_some_and(|byte| matches!(byte, b'{' | b'[')) {
        return "JSON text, but no HAR file, which is one object with a log".to_owned();
    }
    if is_text {
        return "text: save the packets themselves, for example with tcpdump -w or as pcapng in Wireshark".to_owned();
    }
    if head.iter().all(|byte| *byte == 0) {
        return "only zeros, perhaps a download that was never finished".to_owned();
    }
    let shown: Vec<String> = head.iter().take(4).map(|byte| format!("{byte:02X}")).collect();
    format!("something that begins with the bytes {}", shown.join(" "))
}
