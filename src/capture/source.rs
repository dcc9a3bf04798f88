//! The bytes of a file or stream, unpacked on the way, counted and hashed as they lie on disk.

use core::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;
use std::time::Duration;

use flate2::bufread::MultiGzDecoder;
use lz4_flex::frame::FrameDecoder as Lz4Decoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder as ZstdDecoder};
use sha2::{Digest as _, Sha256};

use super::numbers::wide;
use super::tail::{NextFile, Piece, Pipe, Tail};
use super::{CaptureError, Container, Spool};

/// Bytes asked of the operating system at once when the result is unpacked.
const PACKED_READ: usize = 128 << 10;

/// Who hashes the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// The reader, while it reads.
    Inline,
    /// Nobody, or another thread with [`digest_file`].
    Elsewhere,
}

/// Opens a regular file; everything else is refused before it can block.
pub(super) fn open_file(path: &Path) -> Result<(File, u64), CaptureError> {
    let failed = |error| CaptureError::from_io(error, path);
    let metadata = fs::metadata(path).map_err(failed)?;
    if metadata.is_dir() {
        return Err(CaptureError::Directory { path: path.to_path_buf() });
    }
    if !metadata.is_file() {
        return Err(CaptureError::NotRegular { path: path.to_path_buf() });
    }
    let file = File::open(path).map_err(failed)?;
    Ok((file, metadata.len()))
}

/// SHA-256 of a file as it lies on disk.
pub fn digest_file(path: &Path) -> Result<[u8; 32], CaptureError> {
    let (mut file, _) = open_file(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finalize().into()),
            Ok(len) => hasher.update(buffer.get(..len).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(CaptureError::from_io(error, path)),
        }
    }
}

/// Bytes as they lie on disk.
pub(super) struct Raw {
    from: Origin,
    /// Bytes read ahead to see what it is.
    ahead: io::Cursor<Vec<u8>>,
    /// Bytes read so far.
    pub(super) count: u64,
    hasher: Option<Sha256>,
    /// Set when the operating system, not the content, made a read fail.
    failed: bool,
    ended: bool,
    /// The file of a spool that the bytes after these stand in.
    next_file: Option<NextFile>,
    /// Whether reads wait for bytes that are still to come: unpackers cannot be left in the middle.
    patient: bool,
}

/// How long a read that waits sleeps between two looks.
const LOOK: Duration = Duration::from_millis(30);

/// Where bytes come from. An enum, so that the file's own `read` is called with no buffer between.
enum Origin {
    File(File),
    Stream(Box<dyn Read + Send>),
    Spool(Tail),
    Pipe(Pipe),
}

impl Raw {
    fn new(from: Origin, digest: Digest) -> Self {
        let hasher = (digest == Digest::Inline).then(Sha256::new);
        let ahead = io::Cursor::default();
        Self { from, ahead, count: 0, hasher, failed: false, ended: false, next_file: None, patient: false }
    }

    /// Reads past everything that was read ahead.
    fn read_new(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = loop {
            let result = match &mut self.from {
                Origin::File(file) => file.read(buffer),
                Origin::Stream(stream) => stream.read(buffer),
                Origin::Spool(tail) => tail.read(buffer).and_then(|piece| came(piece, &mut self.next_file)),
                Origin::Pipe(pipe) => pipe.read(buffer).and_then(|piece| came(piece, &mut self.next_file)),
            };
            match result {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if !self.patient {
                        return Err(error);
                    }
                    self.wait(LOOK);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        match &result {
            Ok(len) => {
                self.ended |= *len == 0 && !buffer.is_empty() && self.next_file.is_none();
                self.count = self.count.saturating_add(wide(*len));
                if let (Some(hasher), Some(bytes)) = (&mut self.hasher, buffer.get(..*len)) {
                    hasher.update(bytes);
                }
            }
            Err(_) => self.failed = true,
        }
        result
    }

    /// Waits for bytes that are still to come, at most so long.
    fn wait(&mut self, at_most: Duration) {
        match &mut self.from {
            Origin::Spool(tail) => tail.wait(at_most),
            Origin::Pipe(pipe) => pipe.wait(at_most),
            Origin::File(_) | Origin::Stream(_) => {}
        }
    }

    /// The first bytes, which stay to be read.
    fn peek(&mut self, len: usize) -> io::Result<&[u8]> {
        let mut buffer = vec![0; len];
        let mut filled = 0;
        while let Some(space) = buffer.get_mut(filled..).filter(|space| !space.is_empty()) {
            match self.read_new(space)? {
                0 => break,
                read => filled = filled.saturating_add(read),
            }
        }
        buffer.truncate(filled);
        self.ahead = io::Cursor::new(buffer);
        Ok(self.ahead.get_ref())
    }

    /// SHA-256 of everything, once the rest is read.
    fn sha256(&mut self) -> Option<[u8; 32]> {
        self.hasher.as_ref()?;
        let mut buffer = vec![0; PACKED_READ];
        while !self.ended {
            self.read_new(&mut buffer).ok()?;
        }
        self.hasher.clone().map(|hasher| hasher.finalize().into())
    }
}

/// What a look at growing bytes means to a reader: nothing yet is [`io::ErrorKind::WouldBlock`].
fn came(piece: Piece, next_file: &mut Option<NextFile>) -> io::Result<usize> {
    match piece {
        Piece::Bytes(len) => Ok(len),
        Piece::NotYet => Err(io::ErrorKind::WouldBlock.into()),
        Piece::Next(next) => {
            *next_file = Some(next);
            Ok(0)
        }
        Piece::End => Ok(0),
    }
}

impl Read for Raw {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.ahead.read(buffer)? {
            0 => self.read_new(buffer),
            len => Ok(len),
        }
    }
}

/// Why unpacked bytes end.
pub(super) enum Stop {
    /// The operating system reports a failure.
    Failed(io::Error),
    /// The packed content is damaged or cut off.
    Damaged(String),
    /// More will come.
    NotYet,
    /// What follows stands in another file of the spool.
    Next(NextFile),
}

/// Unpacked bytes.
pub(super) enum Source {
    Plain(Box<Raw>),
    Gzip(Box<MultiGzDecoder<BufReader<Raw>>>),
    Zstd(Box<Zstd>),
    Lz4(Box<Lz4Decoder<BufReader<Raw>>>),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("container", &self.container()).field("count", &self.raw().count).finish()
    }
}

impl Source {
    pub(super) fn file(file: File, digest: Digest) -> io::Result<Self> {
        Self::detect(Raw::new(Origin::File(file), digest))
    }

    pub(super) fn stream(stream: Box<dyn Read + Send>, digest: Digest) -> io::Result<Self> {
        Self::detect(Raw::new(Origin::Stream(stream), digest))
    }

    /// A spool, of which nothing needs to be there yet: it is read as plain until its first bytes tell.
    pub(super) fn spool(spool: Spool) -> Self {
        Self::Plain(Box::new(Raw::new(Origin::Spool(Tail::new(spool)), Digest::Elsewhere)))
    }

    /// A pipe whose pauses are told as [`Stop::NotYet`], once its first bytes are there.
    pub(super) fn pipe(stream: Box<dyn Read + Send>) -> io::Result<Self> {
        let mut raw = Raw::new(Origin::Pipe(Pipe::start(stream)?), Digest::Inline);
        raw.patient = true;
        let mut source = Self::detect(raw)?;
        if let Self::Plain(raw) = &mut source {
            raw.patient = false;
        }
        Ok(source)
    }

    fn detect(mut raw: Raw) -> io::Result<Self> {
        let container = container(raw.peek(4)?);
        Ok(Self::packed(raw, container))
    }

    /// Takes a plain source, of which only `head` was read, for what it is: packed. `false` while its end is still to come:
    /// an unpacker cannot wait.
    pub(super) fn unpack(self, head: &[u8]) -> (Self, bool) {
        let container = container(head);
        match self {
            Self::Plain(mut raw) if container != Container::Plain => {
                if matches!(&raw.from, Origin::Spool(tail) if !tail.is_whole()) {
                    return (Self::Plain(raw), false);
                }
                raw.ahead = io::Cursor::new(head.to_vec());
                (Self::packed(*raw, container), true)
            }
            other => (other, true),
        }
    }

    fn packed(raw: Raw, container: Container) -> Self {
        let packed = |raw| BufReader::with_capacity(PACKED_READ, raw);
        match container {
            Container::Plain => Self::Plain(Box::new(raw)),
            Container::Gzip => Self::Gzip(Box::new(MultiGzDecoder::new(packed(raw)))),
            Container::Lz4 => Self::Lz4(Box::new(Lz4Decoder::new(packed(raw)))),
            Container::Zstd => {
                Self::Zstd(Box::new(Zstd { packed: packed(raw), decoder: ZstdDecoder::new(), in_frame: false }))
            }
        }
    }

    /// No bytes.
    pub(super) fn nothing() -> Self {
        Self::Plain(Box::new(Raw::new(Origin::Stream(Box::new(io::empty())), Digest::Elsewhere)))
    }

    /// Whether a read gives [`Stop::NotYet`] rather than wait.
    pub(super) fn tells_pauses(&self) -> bool {
        matches!(self.raw().from, Origin::Spool(_) | Origin::Pipe(_)) && !self.raw().patient
    }

    /// Whether it is a spool.
    pub(super) fn is_spool(&self) -> bool {
        matches!(self.raw().from, Origin::Spool(_))
    }

    /// Bytes of the whole, where it is a spool that grows no more.
    pub(super) fn spool_size(&self) -> Option<u64> {
        if let Origin::Spool(tail) = &self.raw().from { tail.whole_size() } else { None }
    }

    /// Waits for bytes that are still to come, at most so long.
    pub(super) fn wait(&mut self, at_most: Duration) {
        self.raw_mut().wait(at_most);
    }

    pub(super) fn container(&self) -> Container {
        match self {
            Self::Plain(_) => Container::Plain,
            Self::Gzip(_) => Container::Gzip,
            Self::Zstd(_) => Container::Zstd,
            Self::Lz4(_) => Container::Lz4,
        }
    }

    pub(super) fn raw(&self) -> &Raw {
        match self {
            Self::Plain(raw) => raw,
            Self::Gzip(gzip) => gzip.get_ref().get_ref(),
            Self::Zstd(zstd) => zstd.packed.get_ref(),
            Self::Lz4(lz4) => lz4.get_ref().get_ref(),
        }
    }

    fn raw_mut(&mut self) -> &mut Raw {
        match self {
            Self::Plain(raw) => raw,
            Self::Gzip(gzip) => gzip.get_mut().get_mut(),
            Self::Zstd(zstd) => zstd.packed.get_mut(),
            Self::Lz4(lz4) => lz4.get_mut().get_mut(),
        }
    }

    pub(super) fn sha256(&mut self) -> Option<[u8; 32]> {
        self.raw_mut().sha256()
    }

    /// Reads some bytes; 0 at the end.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Stop> {
        let result = match self {
            Self::Plain(raw) => return read_plain(raw, buffer),
            Self::Gzip(gzip) => gzip.read(buffer).map_err(|error| (error, "gzip")),
            Self::Zstd(zstd) => zstd.read(buffer).map_err(|error| (error, "zstd")),
            Self::Lz4(lz4) => read_lz4(lz4, buffer).map_err(|error| (error, "LZ4")),
        };
        result.map_err(|(error, packing)| {
            if self.raw().failed {
                Stop::Failed(error)
            } else if error.kind() == io::ErrorKind::UnexpectedEof {
                Stop::Damaged(format!("the {packing} data ends too soon"))
            } else {
                Stop::Damaged(format!("the {packing} data is damaged: {error}"))
            }
        })
    }
}

#[inline]
fn read_plain(raw: &mut Raw, buffer: &mut [u8]) -> Result<usize, Stop> {
    match raw.read(buffer) {
        Ok(0) => raw.next_file.take().map_or(Ok(0), |next| Err(Stop::Next(next))),
        Ok(len) => Ok(len),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(Stop::NotYet),
        Err(error) => Err(Stop::Failed(error)),
    }
}

/// What these first bytes begin.
fn container(head: &[u8]) -> Container {
    match head {
        [0x1F, 0x8B, ..] => Container::Gzip,
        // A frame of data, or one to be skipped (which LZ4 has too, but no writer begins with it there).
        [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Container::Zstd,
        // The frame format, and the one that the Linux kernel still writes.
        [0x04, 0x22, 0x4D, 0x18, ..] | [0x02, 0x21, 0x4C, 0x18, ..] => Container::Lz4,
        _ => Container::Plain,
    }
}

/// The decoder stops after each frame; files may hold several.
fn read_lz4(lz4: &mut Lz4Decoder<BufReader<Raw>>, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        let len = lz4.read(buffer)?;
        if len > 0 || lz4.get_mut().fill_buf()?.is_empty() {
            return Ok(len);
        }
    }
}

/// Zstandard frames one after another (RFC 8878 section 3), which the decoder knows one at a time.
pub(super) struct Zstd {
    packed: BufReader<Raw>,
    decoder: ZstdDecoder,
    in_frame: bool,
}

impl Zstd {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.in_frame {
                if self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                    let strategy = BlockDecodingStrategy::UptoBlocks(1);
                    self.decoder.decode_blocks(&mut self.packed, strategy).map_err(|error| self.explain(error))?;
                }
                let len = self.decoder.read(buffer)?;
                if len > 0 {
                    return Ok(len);
                }
                if self.decoder.is_finished() {
                    self.in_frame = false;
                }
            } else {
                if self.packed.fill_buf()?.is_empty() {
                    return Ok(0);
                }
                match self.decoder.reset(&mut self.packed) {
                    Ok(()) => self.in_frame = true,
                    Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                        length, ..
                    })) => {
                        io::copy(&mut (&mut self.packed).take(u64::from(length)), &mut io::sink())?;
                    }
                    Err(error) => return Err(self.explain(error)),
                }
            }
        }
    }

    /// The decoder hides an early end of its input inside its own errors.
    fn explain(&self, error: FrameDecoderError) -> io::Error {
        if self.packed.get_ref().ended && self.packed.buffer().is_empty() {
            return io::ErrorKind::UnexpectedEof.into();
        }
        io::Error::other(error)
    }
}
