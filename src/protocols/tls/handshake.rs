//! Handshake messages: put together from fragments (RFC 8446 section 4), and the two hellos read.
//!
//! Extensions are read one by one, so that a broken one costs itself only.

use crate::model::{BlockSpan, ByteRange, Cursor, FrameNo};

/// Bytes before a message's body: type and length.
pub(super) const HEADER_BYTES: usize = 4;

/// ClientHello.
pub(super) const CLIENT_HELLO: u8 = 1;
/// ServerHello.
pub(super) const SERVER_HELLO: u8 = 2;
/// HelloVerifyRequest (RFC 6347 section 4.2.1).
pub(super) const HELLO_VERIFY_REQUEST: u8 = 3;
/// EndOfEarlyData (RFC 8446 section 4.5).
pub(super) const END_OF_EARLY_DATA: u8 = 5;
/// EncryptedExtensions (RFC 8446 section 4.3.1).
pub(super) const ENCRYPTED_EXTENSIONS: u8 = 8;
/// Certificate.
pub(super) const CERTIFICATE: u8 = 11;
/// ClientKeyExchange (RFC 5246 section 7.4.7).
pub(super) const CLIENT_KEY_EXCHANGE: u8 = 16;
/// CertificateStatus (RFC 6066 section 8).
pub(super) const CERTIFICATE_STATUS: u8 = 22;
/// Finished.
pub(super) const FINISHED: u8 = 20;
/// KeyUpdate (RFC 8446 section 4.6.3).
pub(super) const KEY_UPDATE: u8 = 24;
/// CompressedCertificate (RFC 8879).
pub(super) const COMPRESSED_CERTIFICATE: u8 = 25;

/// The random of a ServerHello that is a HelloRetryRequest (RFC 8446 section 4.1.3).
const RETRY_RANDOM: [u8; 32] = [
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91, 0xC2, 0xA2, 0x11,
    0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
];

/// Whether a message type is given out (IANA's registry of TLS handshake types).
pub(super) fn known(kind: u8) -> bool {
    matches!(kind, 0..=6 | 8 | 11..=16 | 20..=25 | 67 | 254)
}

/// Whether messages of this type are read; others are passed over without a copy.
pub(super) fn read(kind: u8) -> bool {
    matches!(kind, CLIENT_HELLO | SERVER_HELLO | HELLO_VERIFY_REQUEST | CERTIFICATE | CERTIFICATE_STATUS)
}

/// The same for messages that were decrypted: some of them change keys.
pub(super) fn read_inside(kind: u8) -> bool {
    read(kind)
        || matches!(
            kind,
            END_OF_EARLY_DATA
                | ENCRYPTED_EXTENSIONS
                | CLIENT_KEY_EXCHANGE
                | FINISHED
                | KEY_UPDATE
                | COMPRESSED_CERTIFICATE
        )
}

/// The same where the secret may be one of RSA key exchange: then the client's key exchange names it.
pub(super) fn read_for_keys(kind: u8) -> bool {
    read(kind) || kind == CLIENT_KEY_EXCHANGE
}

/// Values set aside to be ignored (RFC 8701 section 2).
pub(super) fn grease(value: u16) -> bool {
    let [high, low] = value.to_be_bytes();
    high == low && high & 0x0F == 0x0A
}

/// Whether a chosen version encrypts everything after the ServerHello: TLS 1.3, its drafts, DTLS 1.3.
pub(super) fn seals_early(version: u16) -> bool {
    matches!(version, 0x0304 | 0x7F00..=0x7FFF | 0xFB00..=0xFBFF | 0xFEFC)
}

/// A whole handshake message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    /// Its type.
    pub(super) kind: u8,
    /// The message with its type and length.
    pub(super) bytes: &'a [u8],
    /// Which frames carried which part.
    pub(super) spans: &'a [BlockSpan],
    /// Offset of its first byte in the stream.
    pub(super) offset: u64,
    /// The frame of its first byte.
    pub(super) first_frame: FrameNo,
}

impl Message<'_> {
    /// What follows type and length.
    pub(super) fn body(&self) -> &[u8] {
        self.bytes.get(HEADER_BYTES..).unwrap_or_default()
    }
}

/// What a fragment's bytes gave.
#[derive(Clone, Copy, Debug)]
pub(super) enum Got<'a> {
    /// A message that is read.
    Message(Message<'a>),
    /// A message over the limit begins at this stream offset; it is passed over.
    TooLong(u64),
    /// All bytes are used.
    NeedMore,
    /// No handshake message begins at this stream offset (most likely it is encrypted).
    Bad(u64),
}

/// The unfinished handshake message of one side of a stream.
#[derive(Debug)]
pub(super) struct Assembly {
    /// Which messages are handed out.
    pub(super) wanted: fn(u8) -> bool,
    /// What is there of it; of a message that is passed over, its header only.
    bytes: Vec<u8>,
    spans: Vec<BlockSpan>,
    offset: u64,
    first_frame: FrameNo,
    /// Bytes still to come, once the header is whole.
    left: usize,
    keep: bool,
    /// `bytes` were handed out and are to be cleared.
    given: bool,
}

impl Default for Assembly {
    fn default() -> Self {
        Self::of(read)
    }
}

impl Assembly {
    /// Hands out the messages of these types.
    pub(super) fn of(wanted: fn(u8) -> bool) -> Self {
        Self {
            wanted,
            bytes: Vec::new(),
            spans: Vec::new(),
            offset: 0,
            first_frame: FrameNo(0),
            left: 0,
            keep: false,
            given: false,
        }
    }

    /// Takes from the front of `bytes`, which stop at stream offset `end` and came in `frame`, up to the next message
    /// that is read.
    pub(super) fn next<'s, 'b: 's>(
        &'s mut self,
        bytes: &mut &'b [u8],
        end: u64,
        frame: FrameNo,
        limit: usize,
    ) -> Got<'s> {
        if self.given {
            self.clear();
        }
        loop {
            if bytes.is_empty() {
                return Got::NeedMore;
            }
            let here = end.saturating_sub(u64::try_from(bytes.len()).unwrap_or_default());
            if self.bytes.is_empty() {
                (self.offset, self.first_frame) = (here, frame);
                // Most messages stand whole in one piece: read them where they are.
                if let Some((kind, len)) = header(bytes)
                    && let Some((message, rest)) = bytes.split_at_checked(len.saturating_add(HEADER_BYTES))
                    && known(kind)
                    && len <= limit
                {
                    *bytes = rest;
                    if !(self.wanted)(kind) {
                        continue;
                    }
                    self.spans.clear();
                    self.spans.push(BlockSpan { at: 0, frame });
                    return Got::Message(Message {
                        kind,
                        bytes: message,
                        spans: &self.spans,
                        offset: here,
                        first_frame: frame,
                    });
                }
                self.spans.clear();
            }
            if self.bytes.len() < HEADER_BYTES {
                self.take(bytes, HEADER_BYTES.saturating_sub(self.bytes.len()), frame);
                let Some((kind, len)) = header(&self.bytes) else {
                    // One byte is enough to know that it is none.
                    if self.bytes.first().is_some_and(|k| !known(*k)) {
                        return Got::Bad(self.offset);
                    }
                    continue;
                };
                if !known(kind) {
                    return Got::Bad(self.offset);
                }
                self.left = len;
                self.keep = (self.wanted)(kind) && len <= limit;
                if len > limit {
                    return Got::TooLong(self.offset);
                }
            }
            if self.keep {
                let taken = self.take(bytes, self.left, frame);
                self.left = self.left.saturating_sub(taken);
            } else {
                let (gone, rest) = bytes.split_at(self.left.min(bytes.len()));
                self.left = self.left.saturating_sub(gone.len());
                *bytes = rest;
            }
            if self.left == 0 {
                if self.keep {
                    self.given = true;
                    let kind = self.bytes.first().copied().unwrap_or_default();
                    let (offset, first_frame) = (self.offset, self.first_frame);
                    return Got::Message(Message { kind, bytes: &self.bytes, spans: &self.spans, offset, first_frame });
                }
                self.clear();
            }
        }
    }

    /// Collects up to `want` bytes without looking at them; whether they are all there.
    pub(super) fn collect(&mut self, bytes: &mut &[u8], want: usize, end: u64, frame: FrameNo) -> bool {
        if self.bytes.is_empty() {
            let here = end.saturating_sub(u64::try_from(bytes.len()).unwrap_or_default());
            (self.offset, self.first_frame) = (here, frame);
        }
        self.take(bytes, want.saturating_sub(self.bytes.len()), frame);
        self.bytes.len() >= want
    }

    /// What was collected, as a message of that type; cleared with the next call.
    pub(super) fn collected(&self, kind: u8) -> Message<'_> {
        Message { kind, bytes: &self.bytes, spans: &self.spans, offset: self.offset, first_frame: self.first_frame }
    }

    /// Passes over `len` missing bytes; whether it is still known where the next message begins.
    pub(super) fn pass(&mut self, len: usize) -> bool {
        if len == 0 {
            return true;
        }
        if self.given || self.bytes.len() < HEADER_BYTES || len > self.left {
            return false;
        }
        self.left = self.left.saturating_sub(len);
        self.keep = false;
        if self.left == 0 {
            self.clear();
        }
        true
    }

    /// Where an unfinished message that would be read began.
    pub(super) fn unfinished(&self) -> Option<(FrameNo, u64)> {
        let begun = !self.given && self.keep && !self.bytes.is_empty();
        begun.then_some((self.first_frame, self.offset))
    }

    /// Forgets what is there.
    pub(super) fn clear(&mut self) {
        // A hello fits; a long chain need not stay allocated for the rest of the connection.
        if self.bytes.capacity() > 4_096 {
            self.bytes = Vec::new();
        }
        self.bytes.clear();
        self.spans.clear();
        (self.left, self.keep, self.given) = (0, false, false);
    }

    fn take(&mut self, bytes: &mut &[u8], want: usize, frame: FrameNo) -> usize {
        let (piece, rest) = bytes.split_at(want.min(bytes.len()));
        if !piece.is_empty() && self.spans.last().is_none_or(|s| s.frame != frame) {
            self.spans.push(BlockSpan { at: u32::try_from(self.bytes.len()).unwrap_or(u32::MAX), frame });
        }
        self.bytes.extend_from_slice(piece);
        *bytes = rest;
        piece.len()
    }
}

/// Type and body length.
fn header(bytes: &[u8]) -> Option<(u8, usize)> {
    let mut cursor = Cursor::new(bytes);
    let kind = cursor.u8()?;
    Some((kind, usize::try_from(cursor.u24()?).ok()?))
}

/// What a ClientHello offers. Slices of numbers are as on the wire, two bytes each.
#[derive(Debug, Default)]
pub(super) struct Offer<'a> {
    /// The version field of the message itself.
    pub(super) legacy_version: u16,
    /// The client's random (of the SSL 2.0 form, its challenge).
    pub(super) random: &'a [u8],
    /// Whether a DTLS cookie is in it.
    pub(super) cookie: bool,
    /// Cipher suites in order.
    pub(super) ciphers: Vec<u16>,
    /// Extension types in order.
    pub(super) extensions: Vec<u16>,
    /// Named groups.
    pub(super) groups: Vec<u16>,
    /// Point formats.
    pub(super) points: &'a [u8],
    /// Signature algorithms.
    pub(super) signatures: Vec<u16>,
    /// Versions of the `supported_versions` extension.
    pub(super) versions: Vec<u16>,
    /// The server name in the block.
    pub(super) sni: Option<ByteRange>,
    /// Application protocols in the block.
    pub(super) alpn: Vec<ByteRange>,
    /// Whether an Encrypted Client Hello is there.
    pub(super) ech: bool,
    /// Every length fitted.
    pub(super) sound: bool,
}

impl Offer<'_> {
    /// The highest version offered, GREASE left out. DTLS counts downward (RFC 6347 section 4.1).
    pub(super) fn highest_version(&self, datagrams: bool) -> u16 {
        let offered = self.versions.iter().copied().filter(|v| !grease(*v));
        let highest = if datagrams { offered.min() } else { offered.max() };
        highest.unwrap_or(self.legacy_version)
    }
}

/// Reads a ClientHello with its type and length (RFC 8446 section 4.1.2; RFC 6347 section 4.2.1 for the cookie).
/// `None` where not even the random is there.
pub(super) fn client_hello(block: &[u8], datagrams: bool) -> Option<Offer<'_>> {
    let mut cursor = Cursor::new(block);
    cursor.skip(HEADER_BYTES)?;
    let mut offer = Offer { legacy_version: cursor.u16()?, random: cursor.slice(32)?, ..Offer::default() };
    offer.sound = rest_of_client_hello(&mut offer, &mut cursor, block, datagrams).unwrap_or(false);
    Some(offer)
}

fn rest_of_client_hello<'a>(
    offer: &mut Offer<'a>,
    cursor: &mut Cursor<'a>,
    block: &'a [u8],
    datagrams: bool,
) -> Option<bool> {
    let session = cursor.u8()?;
    cursor.skip(usize::from(session))?;
    if datagrams {
        let cookie = cursor.u8()?;
        cursor.skip(usize::from(cookie))?;
        offer.cookie = cookie > 0;
    }
    let ciphers = usize::from(cursor.u16()?);
    offer.ciphers = numbers(cursor.slice(ciphers)?);
    let methods = cursor.u8()?;
    cursor.skip(usize::from(methods))?;
    if cursor.is_empty() {
        // SSL 3.0 and TLS 1.0 clients may have no extensions.
        return Some(ciphers.is_multiple_of(2));
    }
    let total = usize::from(cursor.u16()?);
    let mut sound = total == cursor.rest().len() && ciphers.is_multiple_of(2);
    let stop = cursor.used().checked_add(total)?.min(block.len());
    while cursor.used() < stop {
        let (kind, len) = (cursor.u16()?, usize::from(cursor.u16()?));
        let range = cursor.take(len)?;
        offer.extensions.push(kind);
        sound &= extension(offer, kind, range, block).is_some();
    }
    Some(sound)
}

/// Reads one extension; `None` where it breaks its own form.
fn extension<'a>(offer: &mut Offer<'a>, kind: u16, range: ByteRange, block: &'a [u8]) -> Option<()> {
    let data = range.of(block);
    let mut cursor = Cursor::new(data);
    let base = usize::try_from(range.start).ok()?;
    match kind {
        // server_name, RFC 6066 section 3: the first entry of type host_name.
        0 if !data.is_empty() => {
            cursor.u16()?;
            while !cursor.is_empty() {
                let (entry, len) = (cursor.u8()?, cursor.u16()?);
                let start = base.checked_add(cursor.used())?;
                let name = cursor.slice(usize::from(len))?;
                if entry == 0 && offer.sni.is_none() && !name.is_empty() {
                    offer.sni = Some(ByteRange::between(start, start.checked_add(name.len())?));
                }
            }
        }
        10 => offer.groups = list16(&mut cursor)?,
        11 => {
            let len = cursor.u8()?;
            offer.points = cursor.slice(usize::from(len))?;
        }
        13 => offer.signatures = list16(&mut cursor)?,
        // application_layer_protocol_negotiation, RFC 7301 section 3.1.
        16 => {
            cursor.u16()?;
            while !cursor.is_empty() {
                let len = cursor.u8()?;
                let start = base.checked_add(cursor.used())?;
                let name = cursor.slice(usize::from(len))?;
                offer.alpn.push(ByteRange::between(start, start.checked_add(name.len())?));
            }
        }
        43 => {
            let len = cursor.u8()?;
            offer.versions = numbers(cursor.slice(usize::from(len))?);
        }
        0xFE0D => offer.ech = true,
        _ => {}
    }
    Some(())
}

/// A list of two-byte numbers behind a two-byte length.
fn list16(cursor: &mut Cursor<'_>) -> Option<Vec<u16>> {
    let len = cursor.u16()?;
    Some(numbers(cursor.slice(usize::from(len))?))
}

fn numbers(bytes: &[u8]) -> Vec<u16> {
    bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect()
}

/// How long an SSL 2.0 record with a ClientHello is (header included), by its first bytes (RFC 5246 appendix E.2).
/// `Err(true)`: more bytes are needed; `Err(false)`: it is none.
pub(super) fn old_hello_len(bytes: &[u8]) -> Result<usize, bool> {
    let mut cursor = Cursor::new(bytes);
    let mut read = || {
        let len = usize::from(cursor.u16()? & 0x7FFF);
        let (kind, version) = (cursor.u8()?, cursor.u16()?);
        let (ciphers, session, challenge) = (cursor.u16()?, cursor.u16()?, cursor.u16()?);
        Some((len, kind, version, ciphers, session, challenge))
    };
    let Some((len, kind, version, ciphers, session, challenge)) = read() else {
        let may = bytes.first().is_none_or(|b| *b >= 0x80)
            && bytes.get(2).is_none_or(|k| *k == CLIENT_HELLO)
            && bytes.get(3).is_none_or(|v| matches!(v, 0 | 3));
        return Err(may);
    };
    let parts = [9, ciphers, session, challenge].into_iter().map(usize::from).fold(0, usize::saturating_add);
    let sound = bytes.first().is_some_and(|b| *b >= 0x80)
        && kind == CLIENT_HELLO
        && matches!(version, 0x0002 | 0x0300..=0x0304)
        && ciphers > 0
        && ciphers.is_multiple_of(3)
        && matches!(session, 0 | 16)
        && matches!(challenge, 16..=32)
        && parts == len;
    if sound { Ok(len.saturating_add(2)) } else { Err(false) }
}

/// Reads an SSL 2.0 ClientHello without its record header. Only cipher kinds that TLS has a number for are kept.
pub(super) fn old_hello(block: &[u8]) -> Option<Offer<'_>> {
    let mut cursor = Cursor::new(block);
    cursor.skip(1)?;
    let legacy_version = cursor.u16()?;
    let (ciphers, session, challenge) = (cursor.u16()?, cursor.u16()?, cursor.u16()?);
    let kinds = cursor.slice(usize::from(ciphers))?;
    cursor.skip(usize::from(session))?;
    let random = cursor.slice(usize::from(challenge))?;
    let ciphers = kinds
        .as_chunks::<3>()
        .0
        .iter()
        .filter(|[first, ..]| *first == 0)
        .map(|[_, high, low]| u16::from_be_bytes([*high, *low]))
        .collect();
    Some(Offer { legacy_version, random, ciphers, sound: true, ..Offer::default() })
}

/// What a ServerHello chooses.
#[derive(Debug, Default)]
pub(super) struct Choice<'a> {
    /// The version, that of `supported_versions` where it is there.
    pub(super) version: u16,
    /// The cipher suite.
    pub(super) cipher: u16,
    /// The application protocol.
    pub(super) alpn: Option<&'a [u8]>,
    /// Whether it is a HelloRetryRequest.
    pub(super) retry: bool,
    /// The server's random.
    pub(super) random: [u8; 32],
    /// Digests stand behind the ciphertext (RFC 7366).
    pub(super) encrypt_then_mac: bool,
    /// The compression method (RFC 3749 section 2).
    pub(super) compression: u8,
    /// Timestamps of certificate logs (RFC 6962 section 3.3.1).
    pub(super) timestamps: u32,
    /// Every length fitted.
    pub(super) sound: bool,
}

/// Reads a ServerHello's body (RFC 8446 section 4.1.3); `None` where the cipher suite is not there.
pub(super) fn server_hello(body: &[u8]) -> Option<Choice<'_>> {
    let mut cursor = Cursor::new(body);
    let version = cursor.u16()?;
    let random = cursor.array::<32>()?;
    let retry = random == RETRY_RANDOM;
    // Drafts of TLS 1.3 up to 21 had neither session identifier nor compression method.
    let early_draft = matches!(version, 0x7F00..=0x7FFF);
    if !early_draft {
        let session = cursor.u8()?;
        cursor.skip(usize::from(session))?;
    }
    let mut choice = Choice { version, cipher: cursor.u16()?, retry, random, ..Choice::default() };
    let mut rest = || {
        if !early_draft {
            choice.compression = cursor.u8()?;
        }
        if cursor.is_empty() {
            return Some(true);
        }
        let mut sound = usize::from(cursor.u16()?) == cursor.rest().len();
        while !cursor.is_empty() {
            let (kind, len) = (cursor.u16()?, usize::from(cursor.u16()?));
            let data = cursor.slice(len)?;
            let mut inner = Cursor::new(data);
            match kind {
                16 => {
                    let protocol = inner.u16().and_then(|_| inner.u8()).and_then(|l| inner.slice(usize::from(l)));
                    choice.alpn = protocol;
                    sound &= protocol.is_some();
                }
                18 => choice.timestamps = super::stapled::timestamps(data),
                22 => choice.encrypt_then_mac = true,
                43 => match inner.u16() {
                    Some(version) => choice.version = version,
                    None => sound = false,
                },
                _ => {}
            }
        }
        Some(sound)
    };
    choice.sound = rest().unwrap_or(false);
    Some(choice)
}

/// What EncryptedExtensions say (RFC 8446 section 4.3.1).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct EncryptedExtensions<'a> {
    /// The application protocol (RFC 7301 section 3.1).
    pub(super) alpn: Option<&'a [u8]>,
    /// Whether the server takes the early data (RFC 8446 section 4.2.10).
    pub(super) takes_early_data: bool,
}

/// As far as they can be read.
pub(super) fn encrypted_extensions(body: &[u8]) -> EncryptedExtensions<'_> {
    let mut told = EncryptedExtensions::default();
    // The length of all extensions comes first.
    let mut cursor = Cursor::new(body.get(2..).unwrap_or_default());
    let mut next = || {
        let (kind, len) = (cursor.u16()?, usize::from(cursor.u16()?));
        Some((kind, cursor.slice(len)?))
    };
    while let Some((kind, data)) = next() {
        match kind {
            16 => {
                let mut inner = Cursor::new(data);
                let _list = inner.u16();
                told.alpn = inner.u8().and_then(|len| inner.slice(usize::from(len)));
            }
            42 => told.takes_early_data = true,
            _ => {}
        }
    }
    told
}
