//! Message bodies: framing is taken off, content codings are undone, and what comes out is counted and hashed on the way.
//!
//! Nothing is kept but the state of the decoders, unless the caller asked for the bytes.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::indexing_slicing))]

use std::fmt;
use std::io::{self, Read as _, Write};

use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use md5::Md5;
use sha2::{Digest as _, Sha256};

use super::links::{Link, LinkScanner};
use crate::model::{BlockSpan, Budget, FrameNo, Opening, Pool, Share};

/// SHA-256 of no bytes.
pub const EMPTY_SHA256: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41,
    0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// Coded bytes that go into a decoder at once: bounds what one step can give.
const STEP_BYTES: usize = 4 << 10;
/// Decoded bytes that one step may give; a coding that gives more is a bomb.
const STEP_OUTPUT: usize = 16 << 20;
/// Bytes that an inflating decoder holds: a window of 32 KiB, a buffer of as much, its tables.
const INFLATE_BYTES: usize = 80 << 10;
/// The same of a brotli decoder beside its window.
const BROTLI_BYTES: usize = 64 << 10;
/// One line of chunked framing (size with extensions) in bytes.
const CHUNK_LINE: usize = 16 << 10;
/// Trailer section in bytes.
const TRAILER_BYTES: usize = 64 << 10;
/// Bytes that SHA-256 and MD5 take at a time (FIPS 180-4 section 5.1.1, RFC 1321 section 3.1).
const HASH_BLOCK: usize = 64;
/// Bytes kept of an opening: what the signature pack's rules for bodies look at.
const OPENING_BYTES: usize = 4 << 10;

/// Limits of one body, from the budget.
#[derive(Clone, Debug)]
pub struct BodyLimits {
    layers: usize,
    decoders: Pool,
    ratio: u64,
    free_bytes: u64,
    bytes: u64,
    window: u64,
    preview: usize,
}

impl BodyLimits {
    /// The budget's share for bodies.
    pub fn new(budget: &Budget) -> Self {
        Self {
            layers: budget.coding_layers,
            decoders: budget.decoder_bytes.clone(),
            ratio: budget.coding_ratio,
            free_bytes: budget.coding_free_bytes,
            bytes: budget.body_bytes,
            window: budget.zstd_window_bytes,
            preview: budget.preview_bytes,
        }
    }
}

impl BodyLimits {
    /// The same, of which so many decoded bytes are kept.
    pub(crate) fn keeping(self, bytes: usize) -> Self {
        Self { preview: bytes.min(self.preview), ..self }
    }
}

/// How the end of a body is known (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// By its length in bytes.
    Length(u64),
    /// By the last chunk.
    Chunked,
    /// By the end of the connection.
    UntilClose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// So many bytes are still to come.
    Length(u64),
    UntilClose,
    /// In a chunk-size line; the value so far.
    Size {
        value: u64,
        digits: u8,
        after: bool,
        line: usize,
    },
    /// In a chunk's data.
    Chunk(u64),
    /// After a chunk's data, before its line end.
    ChunkEnd,
    /// In the trailer section; length of the line so far.
    Trailer(usize),
    Whole,
    /// The framing broke.
    Broken,
}

/// What a piece of the stream did to a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More is to come.
    Going,
    /// The body ended after this many bytes of the piece.
    Whole(usize),
    /// The framing is broken after this many bytes.
    Broken(usize),
}

/// Reads one body.
pub struct BodyReader {
    place: Place,
    wire_bytes: u64,
    trailer: Vec<u8>,
    content: Content,
}

impl fmt::Debug for BodyReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyReader")
            .field("place", &self.place)
            .field("wire_bytes", &self.wire_bytes)
            .finish_non_exhaustive()
    }
}

/// What is wanted of a body beside its length and SHA-256.
#[derive(Debug, Default)]
pub struct Wanted {
    /// The decoded bytes, up to the budget's preview.
    pub bytes: bool,
    /// MD5 of the bytes before content decoding.
    pub md5: bool,
    /// The first decoded bytes.
    pub opening: bool,
    /// The links in it.
    pub links: Option<LinkScanner>,
}

/// A finished body.
#[derive(Debug, Default)]
pub struct Finished {
    /// Bytes on the wire, framing included.
    pub wire_bytes: u64,
    /// Length and SHA-256 after decoding; `None` where it could not be read whole.
    pub decoded: Option<(u64, [u8; 32])>,
    /// Whether a content coding could not be undone, or was stopped at a limit.
    pub undecodable: bool,
    /// Whether a limit stopped the decoding.
    pub limited: bool,
    /// The trailer section as sent.
    pub trailer: Vec<u8>,
    /// The decoded bytes, where they were asked for.
    pub bytes: Vec<u8>,
    /// MD5 before content decoding, where it was asked for and the body is whole.
    pub md5: Option<[u8; 16]>,
    /// The first decoded bytes, where they were asked for.
    pub opening: Option<Box<Opening>>,
    /// Links not taken before.
    pub links: Vec<Link>,
    /// Whether the body has more links than are kept.
    pub links_limited: bool,
}

impl BodyReader {
    /// A body with that framing and the content codings in the order in which they were applied.
    pub fn new(framing: Framing, codings: &[&[u8]], limits: BodyLimits, wanted: Wanted) -> Self {
        let place = match framing {
            Framing::Length(0) => Place::Whole,
            Framing::Length(n) => Place::Length(n),
            Framing::Chunked => Place::Size { value: 0, digits: 0, after: false, line: 0 },
            Framing::UntilClose => Place::UntilClose,
        };
        Self { place, wire_bytes: 0, trailer: Vec::new(), content: Content::new(codings, limits, wanted) }
    }

    /// Takes bytes of the stream that `frame` brought.
    pub fn feed(&mut self, bytes: &[u8], frame: FrameNo) -> Progress {
        self.content.frame = frame;
        let mut at = 0_usize;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            match self.place {
                Place::Whole => return self.used(at, Progress::Whole(at)),
                Place::Broken => return self.used(at, Progress::Broken(at)),
                _ if rest.is_empty() => return self.used(at, Progress::Going),
                Place::UntilClose => {
                    self.content.push(rest);
                    at = bytes.len();
                }
                Place::Length(left) | Place::Chunk(left) => {
                    let take = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                    let is_all = usize::try_from(left) == Ok(take);
                    self.content.is_last = is_all && matches!(self.place, Place::Length(_));
                    self.content.push(rest.get(..take).unwrap_or_default());
                    at = at.saturating_add(take);
                    let left = left.saturating_sub(u64::try_from(take).unwrap_or(u64::MAX));
                    self.place = match self.place {
                        Place::Chunk(_) if left == 0 => Place::ChunkEnd,
                        Place::Chunk(_) => Place::Chunk(left),
                        _ if left == 0 => Place::Whole,
                        _ => Place::Length(left),
                    };
                }
                Place::Size { .. } | Place::ChunkEnd | Place::Trailer(_) => {
                    let Some(byte) = rest.first() else { return self.used(at, Progress::Going) };
                    at = at.saturating_add(1);
                    self.framing_byte(*byte);
                }
            }
        }
    }

    fn used(&mut self, count: usize, progress: Progress) -> Progress {
        self.wire_bytes = self.wire_bytes.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        progress
    }

    /// Chunked framing (RFC 9112 section 7.1), byte by byte: it is short beside the data.
    fn framing_byte(&mut self, byte: u8) {
        self.place = match self.place {
            Place::Size { value, digits, after, line } => {
                let line = line.saturating_add(1);
                let digit = char::from(byte).to_digit(16).map(u64::from);
                match (byte, digit) {
                    (b'\n', _) if digits == 0 => Place::Broken,
                    (b'\n', _) if value == 0 => Place::Trailer(0),
                    (b'\n', _) => Place::Chunk(value),
                    _ if line > CHUNK_LINE => Place::Broken,
                    (_, Some(digit)) if !after => match value.checked_mul(16).and_then(|v| v.checked_add(digit)) {
                        Some(value) => Place::Size { value, digits: digits.saturating_add(1), after, line },
                        None => Place::Broken,
                    },
                    (b';' | b' ' | b'\t' | b'\r', _) if digits > 0 => Place::Size { value, digits, after: true, line },
                    _ if after => Place::Size { value, digits, after, line },
                    _ => Place::Broken,
                }
            }
            Place::ChunkEnd => match byte {
                b'\r' => Place::ChunkEnd,
                b'\n' => Place::Size { value: 0, digits: 0, after: false, line: 0 },
                _ => Place::Broken,
            },
            Place::Trailer(len) => {
                if self.trailer.len() < TRAILER_BYTES {
                    self.trailer.push(byte);
                }
                match byte {
                    b'\n' if len == 0 => Place::Whole,
                    b'\n' => Place::Trailer(0),
                    b'\r' => Place::Trailer(len),
                    _ => Place::Trailer(len.saturating_add(1)),
                }
            }
            other => other,
        };
    }

    /// Bytes of the trailer section so far.
    pub fn trailer_bytes(&self) -> usize {
        self.trailer.len()
    }

    /// The links found since this was last asked.
    pub fn take_links(&mut self) -> Vec<Link> {
        std::mem::take(&mut self.content.links)
    }

    /// So many bytes are missing here. Whether the body goes on behind them.
    pub fn gap(&mut self, count: u64) -> bool {
        self.content.gap(count);
        self.wire_bytes = self.wire_bytes.saturating_add(count);
        match self.place {
            Place::UntilClose => true,
            Place::Length(left) if count < left => {
                self.place = Place::Length(left.saturating_sub(count));
                true
            }
            Place::Chunk(left) if count < left => {
                self.place = Place::Chunk(left.saturating_sub(count));
                true
            }
            Place::Length(left) if count == left => {
                self.place = Place::Whole;
                true
            }
            _ => false,
        }
    }

    /// Whether nothing more belongs to it.
    pub fn is_whole(&self) -> bool {
        self.place == Place::Whole
    }

    /// Whether no byte of it came.
    pub fn is_untouched(&self) -> bool {
        self.wire_bytes == 0
    }

    /// Whether it has no byte so far: none came, and none is known to be missing.
    pub fn is_empty(&self) -> bool {
        self.wire_bytes == 0 && !self.content.lost
    }

    /// Whether only the end of the connection ends it.
    pub fn until_close(&self) -> bool {
        self.place == Place::UntilClose
    }

    /// The result; `whole` says whether the end is known to be the end.
    pub fn finish(self, whole: bool) -> Finished {
        let Self { wire_bytes, trailer, content, .. } = self;
        Finished { wire_bytes, trailer, ..content.finish(whole) }
    }
}

/// The content behind the framing.
#[expect(clippy::struct_excessive_bools, reason = "independent facts of one body")]
struct Content {
    layers: Vec<Layer>,
    limits: BodyLimits,
    hash: Sha256,
    /// Hash of the coded bytes: what counts when the coding turns out to be none.
    coded: Option<(Sha256, Vec<u8>)>,
    coded_bytes: u64,
    decoded_bytes: u64,
    kept: Option<Vec<u8>>,
    undecodable: bool,
    limited: bool,
    lost: bool,
    /// The outermost coding's first bytes, where it has fixed ones.
    magic: &'static [u8],
    /// Whether the body begins with them, as far as it goes.
    begins_coded: bool,
    /// The frame whose bytes are read.
    frame: FrameNo,
    /// Whether they are known to be the body's last.
    is_last: bool,
    md5: Option<Md5>,
    opening: Option<Box<Opening>>,
    scanner: Option<LinkScanner>,
    links: Vec<Link>,
}

impl Content {
    fn new(codings: &[&[u8]], limits: BodyLimits, wanted: Wanted) -> Self {
        let mut layers = Vec::new();
        let mut undecodable = codings.len() > limits.layers;
        for coding in codings.iter().rev().take(if undecodable { 0 } else { limits.layers }) {
            match Coding::named(coding) {
                Some(Coding::Identity) => {}
                Some(coding) => layers.push(Layer::new(coding, &limits)),
                None => undecodable = true,
            }
        }
        Self {
            coded: (!layers.is_empty()).then(|| (Sha256::new(), Vec::new())),
            layers,
            hash: Sha256::new(),
            coded_bytes: 0,
            decoded_bytes: 0,
            kept: wanted.bytes.then(Vec::new),
            limited: codings.len() > limits.layers,
            limits,
            undecodable,
            lost: false,
            magic: codings.last().map_or(&[], |coding| magic(coding)),
            begins_coded: true,
            frame: FrameNo(0),
            is_last: false,
            md5: wanted.md5.then(Md5::new),
            opening: wanted.opening.then(Box::default),
            scanner: wanted.links,
            links: Vec::new(),
        }
    }

    fn gap(&mut self, count: u64) {
        self.lost = true;
        self.md5 = None;
        match &mut self.scanner {
            // Behind a hole a coding cannot be undone; plain bytes read on, but nothing across the hole.
            Some(scanner) if self.coded.is_none() => scanner.gap(count, &mut self.links),
            _ => self.scanner = None,
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.coded_bytes = self.coded_bytes.saturating_add(count);
        if self.lost && !self.undecodable {
            self.scan(bytes);
        }
        if self.lost || self.undecodable && self.coded.is_none() {
            if let Some(md5) = &mut self.md5 {
                md5.update(bytes);
            }
            return self.keep(bytes);
        }
        let at = usize::try_from(self.coded_bytes.saturating_sub(count)).unwrap_or(usize::MAX);
        if let Some((hash, kept)) = &mut self.coded {
            let magic = self.magic.get(at..).unwrap_or_default();
            self.begins_coded &= magic.iter().zip(bytes).all(|(a, b)| a == b);
            hash_both(hash, self.md5.as_mut(), at, bytes);
            if self.kept.is_some() && kept.len() < self.limits.preview {
                kept.extend_from_slice(bytes);
            }
            if !self.undecodable {
                for step in bytes.chunks(STEP_BYTES) {
                    self.decode(step);
                }
            }
            return;
        }
        hash_both(&mut self.hash, self.md5.as_mut(), at, bytes);
        self.pass(bytes);
    }

    fn keep(&mut self, bytes: &[u8]) {
        if let Some(kept) = &mut self.kept {
            let room = self.limits.preview.saturating_sub(kept.len());
            kept.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
        }
    }

    fn scan(&mut self, bytes: &[u8]) {
        let Some(scanner) = &mut self.scanner else { return };
        // Coded bytes give more when the decoder is closed.
        if self.is_last && self.coded.is_none() {
            scanner.push_last(bytes, self.frame, &mut self.links);
        } else {
            scanner.push(bytes, self.frame, &mut self.links);
        }
    }

    fn emit(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.pass(bytes);
    }

    /// Hands on decoded bytes that are hashed.
    fn pass(&mut self, bytes: &[u8]) {
        self.decoded_bytes = self.decoded_bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let most = self.limits.free_bytes.max(self.coded_bytes.saturating_mul(self.limits.ratio));
        if self.decoded_bytes > self.limits.bytes || !self.layers.is_empty() && self.decoded_bytes > most {
            self.limited = true;
            self.undecodable = true;
            return;
        }
        self.keep(bytes);
        self.scan(bytes);
        if let Some(opening) = &mut self.opening
            && opening.block.len() < OPENING_BYTES
        {
            let at = u32::try_from(opening.block.len()).unwrap_or(u32::MAX);
            opening.spans.push(BlockSpan { at, frame: self.frame });
            let room = OPENING_BYTES.saturating_sub(opening.block.len());
            opening.block.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        }
    }

    /// Sends coded bytes through all layers.
    fn decode(&mut self, bytes: &[u8]) {
        if self.undecodable {
            return;
        }
        let mut layers = std::mem::take(&mut self.layers);
        let mut current = bytes.to_vec();
        for layer in &mut layers {
            match layer.push(&current) {
                Ok(out) => current = out,
                Err(error) => {
                    self.undecodable = true;
                    self.limited |= error.kind() == io::ErrorKind::OutOfMemory;
                    return;
                }
            }
        }
        self.layers = layers;
        if !current.is_empty() {
            self.emit(&current);
        }
        if self.undecodable {
            self.layers.clear();
        }
    }

    fn finish(mut self, whole: bool) -> Finished {
        let layers = std::mem::take(&mut self.layers);
        if whole && !self.lost && !self.undecodable {
            // Each layer's last bytes go through the layers behind it.
            let mut tail: Vec<u8> = Vec::new();
            for mut layer in layers {
                let pushed = if tail.is_empty() { Ok(Vec::new()) } else { layer.push(&tail) };
                let ended = pushed.and_then(|mut out| {
                    out.extend(layer.finish()?);
                    Ok(out)
                });
                let Ok(out) = ended else {
                    self.undecodable = true;
                    break;
                };
                tail = out;
            }
            if !self.undecodable && !tail.is_empty() {
                self.emit(&tail);
            }
        }
        if let Some(scanner) = &mut self.scanner {
            scanner.finish(&mut self.links);
        }
        let mut finished = Finished {
            undecodable: self.undecodable,
            limited: self.limited,
            bytes: self.kept.take().unwrap_or_default(),
            md5: self.md5.filter(|_| whole && !self.lost).map(|md5| md5.finalize().into()),
            opening: self.opening,
            links: self.links,
            links_limited: self.scanner.is_some_and(|s| s.limited()),
            ..Finished::default()
        };
        if !whole || self.lost {
            return finished;
        }
        if !self.undecodable {
            finished.decoded = Some((self.decoded_bytes, self.hash.finalize().into()));
            return finished;
        }
        // Said to be coded and plainly not: the bytes are what they are.
        if let Some((hash, coded)) = self.coded
            && self.decoded_bytes == 0
            && !self.begins_coded
        {
            finished.decoded = Some((self.coded_bytes, hash.finalize().into()));
            finished.bytes = coded;
        }
        finished
    }
}

/// Puts the same bytes into both hashes, a block of each in turn: every step of a hash waits for the one before, and a
/// processor does much of the one hash while the other waits. `at` bytes went before.
fn hash_both(sha256: &mut Sha256, md5: Option<&mut Md5>, at: usize, bytes: &[u8]) {
    let Some(md5) = md5 else { return sha256.update(bytes) };
    let to_block = at.wrapping_neg() % HASH_BLOCK;
    let (head, blocks) = bytes.split_at_checked(to_block).unwrap_or((bytes, b""));
    for block in std::iter::once(head).chain(blocks.chunks(HASH_BLOCK)) {
        sha256.update(block);
        md5.update(block);
    }
}

/// A buffer that refuses more than one step may give.
#[derive(Default)]
struct Capped(Vec<u8>);

impl Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len().saturating_add(bytes.len()) > STEP_OUTPUT {
            return Err(io::Error::other("the coding gives too much at once"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A content coding that can be undone (RFC 9110 section 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Identity,
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    fn named(name: &[u8]) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_slice() {
            b"identity" | b"" | b"none" => Self::Identity,
            b"gzip" | b"x-gzip" => Self::Gzip,
            b"deflate" => Self::Deflate,
            b"br" => Self::Brotli,
            b"zstd" => Self::Zstd,
            _ => return None,
        })
    }
}

/// One content coding being undone.
struct Layer {
    decoder: Decoder,
    window: u64,
    /// What the decoder holds.
    held: Share,
}

enum Decoder {
    /// Nothing came yet: a decoder holds much, and a head of a few bytes may name five of them.
    Named(Coding),
    Gzip(Box<MultiGzDecoder<Capped>>),
    /// `deflate` is zlib by the standard and raw DEFLATE from some servers: the first two bytes tell.
    Deflate(Vec<u8>),
    Zlib(Box<ZlibDecoder<Capped>>),
    Raw(Box<DeflateDecoder<Capped>>),
    Brotli(Box<brotli_decompressor::DecompressorWriter<Capped>>),
    /// Kept whole, since the decoder pulls; bounded like one step's output.
    Zstd(Vec<u8>),
}

impl Layer {
    fn new(coding: Coding, limits: &BodyLimits) -> Self {
        Self { decoder: Decoder::Named(coding), window: limits.window, held: limits.decoders.share() }
    }

    fn push(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let Some(first) = bytes.first() else { return Ok(Vec::new()) };
        if let Decoder::Named(coding) = self.decoder {
            let holds = match coding {
                Coding::Identity | Coding::Zstd => 0,
                Coding::Gzip | Coding::Deflate => INFLATE_BYTES,
                Coding::Brotli => BROTLI_BYTES.saturating_add(brotli_window(*first)),
            };
            self.hold(holds)?;
            self.decoder = Decoder::of(coding);
        }
        if let Decoder::Zstd(_) = &self.decoder {
            self.hold(bytes.len())?;
        }
        self.decoder.push(bytes)
    }

    fn hold(&mut self, bytes: usize) -> io::Result<()> {
        if self.held.grow(bytes) { Ok(()) } else { Err(io::ErrorKind::OutOfMemory.into()) }
    }

    fn finish(self) -> io::Result<Vec<u8>> {
        match self.decoder {
            Decoder::Named(coding) => Decoder::of(coding).finish(self.window),
            begun => begun.finish(self.window),
        }
    }
}

impl Decoder {
    fn of(coding: Coding) -> Self {
        match coding {
            Coding::Gzip => Self::Gzip(Box::new(MultiGzDecoder::new(Capped::default()))),
            Coding::Deflate => Self::Deflate(Vec::new()),
            Coding::Brotli => {
                Self::Brotli(Box::new(brotli_decompressor::DecompressorWriter::new(Capped::default(), STEP_BYTES)))
            }
            Coding::Zstd => Self::Zstd(Vec::new()),
            Coding::Identity => Self::Named(coding),
        }
    }

    fn push(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Named(_) => Ok(bytes.to_vec()),
            Self::Gzip(decoder) => {
                decoder.write_all(bytes)?;
                Ok(std::mem::take(&mut decoder.get_mut().0))
            }
            Self::Deflate(start) => {
                start.extend_from_slice(bytes);
                let [first, second, ..] = start.as_slice() else { return Ok(Vec::new()) };
                // RFC 1950 section 2.2: method 8, and the two bytes divide by 31.
                let zlib = first & 0x0f == 8 && u16::from_be_bytes([*first, *second]).is_multiple_of(31);
                let start = std::mem::take(start);
                *self = if zlib {
                    Self::Zlib(Box::new(ZlibDecoder::new(Capped::default())))
                } else {
                    Self::Raw(Box::new(DeflateDecoder::new(Capped::default())))
                };
                self.push(&start)
            }
            Self::Zlib(decoder) => {
                decoder.write_all(bytes)?;
                Ok(std::mem::take(&mut decoder.get_mut().0))
            }
            Self::Raw(decoder) => {
                decoder.write_all(bytes)?;
                Ok(std::mem::take(&mut decoder.get_mut().0))
            }
            Self::Brotli(decoder) => {
                decoder.write_all(bytes)?;
                Ok(std::mem::take(&mut decoder.get_mut().0))
            }
            Self::Zstd(coded) => {
                if coded.len().saturating_add(bytes.len()) > STEP_OUTPUT {
                    return Err(io::Error::other("too long a zstd body"));
                }
                coded.extend_from_slice(bytes);
                Ok(Vec::new())
            }
        }
    }

    fn finish(self, window: u64) -> io::Result<Vec<u8>> {
        match self {
            Self::Named(_) => Ok(Vec::new()),
            Self::Gzip(mut decoder) => {
                decoder.try_finish()?;
                Ok(std::mem::take(&mut decoder.get_mut().0))
            }
            Self::Deflate(start) if start.is_empty() => Ok(Vec::new()),
            Self::Deflate(_) => Err(io::Error::other("too short for a deflate body")),
            Self::Zlib(mut decoder) => {
                decoder.try_finish()?;
                Ok(std::mem::take(&mut decoder.get_mut().0))
            }
            Self::Raw(mut decoder) => {
                decoder.try_finish()?;
                Ok(std::mem::take(&mut decoder.get_mut().0))
            }
            Self::Brotli(mut decoder) => {
                decoder.close()?;
                Ok(std::mem::take(&mut decoder.get_mut().0))
            }
            Self::Zstd(coded) => zstd(&coded, window),
        }
    }
}

/// The window that a brotli stream's first byte asks for, in bytes (RFC 7932 section 9.1).
fn brotli_window(first: u8) -> usize {
    let bits = match (first & 1, first >> 1 & 7, first >> 4 & 7) {
        (0, ..) => 16,
        (_, 0, 0) => 17,
        (_, 0, more) => more.saturating_add(8),
        (_, more, _) => more.saturating_add(17),
    };
    1 << bits
}

/// The bytes that a coding begins with (RFC 1952 section 2.3.1, RFC 8878 section 3.1.1); none where it has no fixed ones.
fn magic(coding: &[u8]) -> &'static [u8] {
    match coding.to_ascii_lowercase().as_slice() {
        b"gzip" | b"x-gzip" => &[0x1f, 0x8b],
        b"zstd" => &[0x28, 0xb5, 0x2f, 0xfd],
        _ => &[],
    }
}

/// All frames of a zstd body (RFC 8878 section 3; the window limit of RFC 9659).
fn zstd(coded: &[u8], window: u64) -> io::Result<Vec<u8>> {
    let mut rest = coded;
    let mut out = Vec::new();
    while !rest.is_empty() {
        if let [0x50..=0x5f, 0x2a, 0x4d, 0x18, size @ ..] = rest {
            let len = size
                .first_chunk()
                .map_or(usize::MAX, |l| usize::try_from(u32::from_le_bytes(*l)).unwrap_or(usize::MAX));
            rest = rest.get(len.saturating_add(8)..).unwrap_or_default();
            continue;
        }
        let mut decoder = ruzstd::decoding::StreamingDecoder::new(&mut rest).map_err(io::Error::other)?;
        if decoder.decoder.content_size() > STEP_OUTPUT.try_into().unwrap_or(u64::MAX).max(window) {
            return Err(io::Error::other("too large a zstd frame"));
        }
        let room = u64::try_from(STEP_OUTPUT.saturating_sub(out.len())).unwrap_or(0);
        decoder.by_ref().take(room.saturating_add(1)).read_to_end(&mut out)?;
        if out.len() > STEP_OUTPUT {
            return Err(io::Error::other("the coding gives too much"));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::{BodyLimits, BodyReader, EMPTY_SHA256, Framing, Progress, Wanted};
    use crate::model::{Budget, FrameNo, Pool};
    use sha2::Digest as _;

    #[track_caller]
    fn check(framing: Framing, codings: &[&[u8]], wire: &[u8], want: &[u8]) {
        for step in [1, 7, wire.len().max(1)] {
            let mut body = BodyReader::new(
                framing,
                codings,
                BodyLimits::new(&Budget::default()),
                Wanted { bytes: true, ..Wanted::default() },
            );
            for piece in wire.chunks(step) {
                body.feed(piece, FrameNo(1));
            }
            let finished = body.finish(true);
            assert_eq!(finished.bytes, want, "in steps of {step}");
            let sha256: [u8; 32] = sha2::Sha256::digest(want).into();
            assert_eq!(finished.decoded, Some((want.len() as u64, sha256)));
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        coder.write_all(bytes).unwrap();
        coder.finish().unwrap()
    }

    #[test]
    fn plain() {
        check(Framing::Length(3), &[], b"abc", b"abc");
        check(Framing::UntilClose, &[b"identity"], b"abc", b"abc");
        assert_eq!(<[u8; 32]>::from(sha2::Sha256::digest(b"")), EMPTY_SHA256);
    }

    #[test]
    fn chunks() {
        check(Framing::Chunked, &[], b"3\r\nabc\r\n2;x=\"y\"\r\nde\r\n0\r\nX: y\r\n\r\n", b"abcde");
        check(Framing::Chunked, &[], b"3 \nabc\n0\n\n", b"abc");
    }

    #[test]
    fn codings() {
        let twice = [gzip(b"hello "), gzip(b"world")].concat();
        check(Framing::UntilClose, &[b"gzip"], &twice, b"hello world");
        check(Framing::UntilClose, &[b"gzip", b"x-gzip"], &gzip(&gzip(b"hello")), b"hello");
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        zlib.write_all(b"hello").unwrap();
        check(Framing::UntilClose, &[b"deflate"], &zlib.finish().unwrap(), b"hello");
        let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        raw.write_all(b"hello").unwrap();
        check(Framing::UntilClose, &[b"deflate"], &raw.finish().unwrap(), b"hello");
        // From the `brotli` and `zstd` command lines: "hello\n".
        check(Framing::UntilClose, &[b"br"], &[0x8f, 2, 0x80, b'h', b'e', b'l', b'l', b'o', b'\n', 3], b"hello\n");
        let zstd = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 6, 0x31, 0, 0, b'h', b'e', b'l', b'l', b'o', b'\n'];
        check(Framing::UntilClose, &[b"zstd"], &zstd, b"hello\n");
    }

    #[test]
    fn windows_of_brotli() {
        // RFC 7932 section 9.1's table: 16, 17, 10, 18 and 24 bits.
        for (first, want) in [(0, 16), (1, 17), (0x21, 10), (3, 18), (0x0f, 24)] {
            assert_eq!(super::brotli_window(first), 1 << want, "{first:#x}");
        }
    }

    #[test]
    fn decoders_are_made_when_bytes_come_and_only_so_many() {
        let budget = Budget { decoder_bytes: Pool::new(2 * super::INFLATE_BYTES), ..Budget::default() };
        let limits = BodyLimits::new(&budget);
        let new = |codings: &[&[u8]]| BodyReader::new(Framing::UntilClose, codings, limits.clone(), Wanted::default());
        let nest: Vec<&[u8]> = vec![b"gzip"; 100_000];
        let mut nested = new(&nest);
        nested.feed(b"x", FrameNo(1));
        assert_eq!(budget.decoder_bytes.taken(), 0);
        assert!(nested.finish(true).limited);
        let mut open: Vec<_> = (0..3).map(|_| new(&[b"gzip"])).collect();
        assert_eq!(budget.decoder_bytes.taken(), 0);
        let coded = gzip(b"hello");
        for body in &mut open {
            body.feed(&coded[..5], FrameNo(1));
        }
        for body in &mut open {
            body.feed(&coded[5..], FrameNo(2));
        }
        let read: Vec<_> =
            open.into_iter().map(|body| body.finish(true)).map(|f| (f.limited, f.decoded.is_some())).collect();
        assert_eq!(read, [(false, true), (false, true), (true, false)]);
        assert_eq!(budget.decoder_bytes.taken(), 0);
    }

    #[test]
    fn what_is_not_coded_is_taken_as_it_is() {
        check(Framing::UntilClose, &[b"gzip"], b"plain after all", b"plain after all");
    }

    #[test]
    fn a_bomb_stops() {
        let bomb = gzip(&vec![0; 64 << 20]);
        let mut body = BodyReader::new(
            Framing::UntilClose,
            &[b"gzip"],
            BodyLimits { ratio: 10, ..BodyLimits::new(&Budget::default()) },
            Wanted::default(),
        );
        body.feed(&bomb, FrameNo(1));
        let finished = body.finish(true);
        assert!(finished.undecodable && finished.limited);
        assert!(finished.decoded.is_none());
    }

    #[test]
    fn holes_and_ends() {
        let mut body =
            BodyReader::new(Framing::Length(10), &[], BodyLimits::new(&Budget::default()), Wanted::default());
        assert_eq!(body.feed(b"ab", FrameNo(1)), Progress::Going);
        assert!(body.gap(4));
        assert_eq!(body.feed(b"cdefGET", FrameNo(1)), Progress::Whole(4));
        assert!(body.finish(true).decoded.is_none());
        let mut body = BodyReader::new(Framing::Chunked, &[], BodyLimits::new(&Budget::default()), Wanted::default());
        assert_eq!(body.feed(b"zz\r\n", FrameNo(1)), Progress::Broken(1));
    }
}
