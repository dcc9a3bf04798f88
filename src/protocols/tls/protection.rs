//! Record protection with one key: a protected record becomes its content, if that is authentic.
//!
//! Nothing leaves this file that was not authenticated (RFC 8446 section 5.2, RFC 5246 section 6.2.3, RFC 7366).

use core::fmt;
use core::ops::RangeInclusive;

use aead::array::Array;
use aead::consts::{U8, U12, U16};
use aead::{AeadInOut, KeyInit};
use aes::{Aes128, Aes256};
use aes_gcm::AesGcm;
use aes_gcm::aead;
use aria::{Aria128, Aria256};
use camellia::{Camellia128, Camellia256};
use cbc::cipher::{BlockCipherDecrypt, BlockSizeUser, KeyInit as BlockKeyInit, StreamCipher as _};
use ccm::Ccm;
use chacha20poly1305::ChaCha20Poly1305;
use des::{Des, TdesEde3};
use idea::Idea;
use rc4::Rc4;

use super::schedule::{Bytes, expand_label, hmac, prf};
use super::suite::{Cipher, Hash, Suite};

/// Bytes of the explicit part of a nonce (RFC 5288 section 3).
const EXPLICIT_NONCE: usize = 8;
/// TLS 1.0, whose CBC records go on from the one before.
const TLS10: u16 = 0x0301;

/// A record that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Opened {
    /// The content type.
    pub(super) kind: u8,
    /// The content.
    pub(super) bytes: Vec<u8>,
}

/// A protected record: what its header says, and what stands behind it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Protected<'a> {
    pub(super) kind: u8,
    pub(super) version: u16,
    pub(super) body: &'a [u8],
}

/// A cipher that authenticates what it decrypts.
trait Aead: Send + Sync {
    fn decrypt(&self, nonce: &[u8; 12], associated: &[u8], bytes: &mut Vec<u8>) -> bool;
    #[cfg(test)]
    fn encrypt(&self, nonce: &[u8; 12], associated: &[u8], bytes: &mut Vec<u8>);
}

impl<C: AeadInOut<NonceSize = U12> + Send + Sync> Aead for C {
    fn decrypt(&self, nonce: &[u8; 12], associated: &[u8], bytes: &mut Vec<u8>) -> bool {
        self.decrypt_in_place(&Array(*nonce), associated, bytes).is_ok()
    }

    #[cfg(test)]
    fn encrypt(&self, nonce: &[u8; 12], associated: &[u8], bytes: &mut Vec<u8>) {
        self.encrypt_in_place(&Array(*nonce), associated, bytes).unwrap();
    }
}

/// One key of a cipher that authenticates, for what is not cut into records: packets of QUIC.
pub(in crate::protocols) struct PacketCipher(Box<dyn Aead>);

impl fmt::Debug for PacketCipher {
    /// Never a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PacketCipher").finish_non_exhaustive()
    }
}

impl PacketCipher {
    /// `None` where the cipher does not authenticate, or the key has another length.
    pub(in crate::protocols) fn new(cipher: Cipher, key: &[u8]) -> Option<Self> {
        if let Bulk::Aead(cipher) = bulk(cipher, key)? { Some(Self(cipher)) } else { None }
    }

    /// Opens `bytes` in place; `false` where they are not authentic.
    #[must_use]
    pub(in crate::protocols) fn open(&self, nonce: &[u8; 12], associated: &[u8], bytes: &mut Vec<u8>) -> bool {
        self.0.decrypt(nonce, associated, bytes)
    }

    /// What [`Self::open`] opens.
    #[cfg(test)]
    pub(in crate::protocols) fn seal(&self, nonce: &[u8; 12], associated: &[u8], bytes: &mut Vec<u8>) {
        self.0.encrypt(nonce, associated, bytes);
    }
}

/// A block cipher in CBC mode.
trait Blocks: Send + Sync {
    /// Decrypts whole blocks in place; `before` is the block that stands in front of them.
    fn decrypt(&self, before: &[u8], bytes: &mut [u8]);
}

impl<C: BlockCipherDecrypt + Send + Sync> Blocks for C {
    fn decrypt(&self, before: &[u8], bytes: &mut [u8]) {
        let size = <C as BlockSizeUser>::block_size();
        let mut chain = Vec::with_capacity(bytes.len().saturating_add(size));
        chain.extend_from_slice(before);
        chain.extend_from_slice(bytes);
        let (blocks, _) = Array::slice_as_chunks_mut(bytes);
        self.decrypt_blocks(blocks);
        for (byte, earlier) in bytes.iter_mut().zip(&chain) {
            *byte ^= *earlier;
        }
    }
}

enum Bulk {
    Null,
    Aead(Box<dyn Aead>),
    Cbc(Box<dyn Blocks>),
    /// Goes on from record to record.
    Rc4(Box<Rc4>),
}

/// The keys of one side for one epoch.
pub(super) struct Protection {
    suite: Suite,
    version: u16,
    bulk: Bulk,
    /// Nonce, or the part of it that the keys give; in TLS 1.0 the last block that was read.
    iv: Bytes,
    /// In TLS 1.0 the number of the record that goes on from that block.
    iv_for: u64,
    mac_key: Bytes,
    /// The digest stands behind the ciphertext (RFC 7366).
    encrypt_then_mac: bool,
}

impl fmt::Debug for Protection {
    /// Never a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protection").field("suite", &self.suite).field("version", &self.version).finish_non_exhaustive()
    }
}

/// What both sides' keys up to TLS 1.2 are derived from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Agreed<'a> {
    pub(super) suite: Suite,
    pub(super) version: u16,
    pub(super) client_random: &'a [u8; 32],
    pub(super) server_random: &'a [u8; 32],
    pub(super) encrypt_then_mac: bool,
}

impl Protection {
    /// A traffic secret's keys (RFC 8446 section 7.3).
    pub(super) fn of_secret(suite: Suite, version: u16, secret: &[u8]) -> Option<Self> {
        let key = expand_label(suite.prf, secret, "key", suite.cipher.key_bytes())?;
        let iv = expand_label(suite.prf, secret, "iv", 12)?;
        let mac_key = Bytes::default();
        Some(Self { suite, version, bulk: bulk(suite.cipher, &key)?, iv, iv_for: 0, mac_key, encrypt_then_mac: false })
    }

    /// The keys of a master secret (RFC 5246 section 6.3); `server` tells whose.
    pub(super) fn of_master(agreed: &Agreed<'_>, master: &[u8], server: bool) -> Option<Self> {
        let Agreed { suite, version, .. } = *agreed;
        let mac = suite.mac.map_or(0, Hash::bytes);
        let (key, iv) = (suite.cipher.key_bytes(), suite.cipher.fixed_nonce_bytes());
        let iv = if version <= TLS10 { suite.cipher.block_bytes() } else { iv };
        let len = mac.checked_add(key)?.checked_add(iv)?.checked_mul(2)?;
        let seed = [&agreed.server_random[..], &agreed.client_random[..]];
        let block = prf(version, suite.prf, master, b"key expansion", seed, len);
        let mut cursor = crate::model::Cursor::new(&block);
        let mut both = |len: usize| {
            let pair = (cursor.slice(len)?, cursor.slice(len)?);
            Some(if server { pair.1 } else { pair.0 })
        };
        let (mac_key, key, iv) = (both(mac)?, both(key)?, both(iv)?);
        Some(Self {
            suite,
            version,
            bulk: bulk(suite.cipher, key)?,
            iv: Bytes::new(iv.to_vec()),
            iv_for: 0,
            mac_key: Bytes::new(mac_key.to_vec()),
            encrypt_then_mac: agreed.encrypt_then_mac && suite.cipher.block_bytes() > 0,
        })
    }

    /// How many bytes of content a record of `len` bytes has at most; exact for ciphers that authenticate themselves.
    pub(super) fn content_bytes(&self, len: u64) -> Option<u64> {
        let tag = u64::try_from(self.suite.cipher.tag_bytes()).ok().filter(|tag| *tag > 0)?;
        let other = match (is_tls13(self.version), self.suite.cipher) {
            (true, _) => 1,
            (false, Cipher::ChaCha20Poly1305) => 0,
            (false, _) => 8,
        };
        Some(len.saturating_sub(tag).saturating_sub(other))
    }

    /// Whether the number of records in a hole must be known to go on.
    pub(super) fn goes_on_behind_a_hole(&self) -> bool {
        !matches!(self.bulk, Bulk::Rc4(_))
    }

    /// Opens a record whose sequence number is one of these, and gives that; `None` where it is not authentic.
    pub(super) fn open(&mut self, numbers: RangeInclusive<u64>, record: &Protected<'_>) -> Option<(u64, Opened)> {
        match &self.bulk {
            Bulk::Aead(_) if is_tls13(self.version) => self.open_each(numbers, |s, n| s.open_tls13(n, record)),
            Bulk::Aead(_) => self.open_each(numbers, |s, n| s.open_aead(n, record)),
            Bulk::Cbc(_) => self.open_cbc(numbers, record),
            Bulk::Null | Bulk::Rc4(_) => self.open_stream(numbers, record),
        }
    }

    fn open_each(
        &self,
        mut numbers: RangeInclusive<u64>,
        open: impl Fn(&Self, u64) -> Option<Opened>,
    ) -> Option<(u64, Opened)> {
        numbers.find_map(|number| Some((number, open(self, number)?)))
    }

    fn nonce(&self, sequence: u64) -> Option<[u8; 12]> {
        let mut nonce: [u8; 12] = self.iv.as_slice().try_into().ok()?;
        for (byte, other) in nonce.iter_mut().rev().zip(sequence.to_be_bytes().iter().rev()) {
            *byte ^= *other;
        }
        Some(nonce)
    }

    /// RFC 8446 section 5.2. Drafts up to 24 authenticated no header.
    fn open_tls13(&self, sequence: u64, record: &Protected<'_>) -> Option<Opened> {
        let Bulk::Aead(cipher) = &self.bulk else { return None };
        let [high, low] = u16::try_from(record.body.len()).ok()?.to_be_bytes();
        let header = [record.kind, 3, 3, high, low];
        let associated: &[u8] = if matches!(self.version, 0x7F00..=0x7F18) { &[] } else { &header };
        let mut bytes = record.body.to_vec();
        if !cipher.decrypt(&self.nonce(sequence)?, associated, &mut bytes) {
            return None;
        }
        // Padding with zeros stands behind the content type.
        let end = bytes.iter().rposition(|b| *b != 0)?;
        let kind = bytes.get(end).copied()?;
        bytes.truncate(end);
        Some(Opened { kind, bytes })
    }

    /// RFC 5246 section 6.2.3.3; RFC 7905 section 2 for ChaCha20.
    fn open_aead(&self, sequence: u64, record: &Protected<'_>) -> Option<Opened> {
        let Bulk::Aead(cipher) = &self.bulk else { return None };
        let (nonce, sealed) = if self.suite.cipher == Cipher::ChaCha20Poly1305 {
            (self.nonce(sequence)?, record.body)
        } else {
            let (explicit, sealed) = record.body.split_at_checked(EXPLICIT_NONCE)?;
            let nonce = [self.iv.as_slice(), explicit].concat().try_into().ok()?;
            (nonce, sealed)
        };
        let len = sealed.len().checked_sub(self.suite.cipher.tag_bytes())?;
        let associated = pseudo_header(sequence, record, len)?;
        let mut bytes = sealed.to_vec();
        cipher.decrypt(&nonce, &associated, &mut bytes).then_some(Opened { kind: record.kind, bytes })
    }

    /// RFC 5246 section 6.2.3.2; RFC 7366 for the digest behind the ciphertext.
    fn open_cbc(&mut self, mut numbers: RangeInclusive<u64>, record: &Protected<'_>) -> Option<(u64, Opened)> {
        let Bulk::Cbc(cipher) = &self.bulk else { return None };
        let size = self.suite.cipher.block_bytes();
        let hash = self.suite.mac?;
        let mut sealed = record.body;
        if self.encrypt_then_mac {
            let (content, digest) = sealed.split_at_checked(sealed.len().checked_sub(hash.bytes())?)?;
            let number = numbers.find(|number| self.has_mac(hash, (*number, record), content, digest))?;
            numbers = number..=number;
            sealed = content;
        }
        let chained = self.version <= TLS10;
        let (before, content) = if chained { (self.iv.as_slice(), sealed) } else { sealed.split_at_checked(size)? };
        if content.is_empty() || !content.len().is_multiple_of(size) {
            return None;
        }
        let mut bytes = content.to_vec();
        cipher.decrypt(before, &mut bytes);
        if chained {
            // Whatever becomes of this record, the next one goes on from its last block.
            let last = content.len().checked_sub(size).and_then(|at| content.get(at..))?;
            self.iv = Bytes::new(last.to_vec());
            if self.encrypt_then_mac {
                // The digest speaks for the ciphertext, not for the block before it: where that one is lost or damaged, the
                // first block comes out as something that nobody said.
                let goes_on = self.iv_for == *numbers.start();
                self.iv_for = numbers.start().checked_add(1)?;
                if !goes_on {
                    return None;
                }
            }
        }
        let padding = bytes.last().copied()?;
        let end = bytes.len().checked_sub(usize::from(padding).checked_add(1)?)?;
        if !bytes.get(end..)?.iter().all(|b| *b == padding) {
            return None;
        }
        bytes.truncate(end);
        let number =
            if self.encrypt_then_mac { *numbers.start() } else { self.check_mac(numbers, record, &mut bytes)? };
        Some((number, Opened { kind: record.kind, bytes }))
    }

    /// RFC 5246 section 6.2.3.1.
    fn open_stream(&mut self, numbers: RangeInclusive<u64>, record: &Protected<'_>) -> Option<(u64, Opened)> {
        let mut bytes = record.body.to_vec();
        if let Bulk::Rc4(cipher) = &mut self.bulk {
            cipher.try_apply_keystream(&mut bytes).ok()?;
        }
        let number = self.check_mac(numbers, record, &mut bytes)?;
        Some((number, Opened { kind: record.kind, bytes }))
    }

    /// Takes the digest off the end of the content, if it is right for one of the numbers.
    fn check_mac(&self, mut numbers: RangeInclusive<u64>, record: &Protected<'_>, bytes: &mut Vec<u8>) -> Option<u64> {
        let hash = self.suite.mac?;
        let end = bytes.len().checked_sub(hash.bytes())?;
        let (content, digest) = bytes.split_at_checked(end)?;
        let number = numbers.find(|number| self.has_mac(hash, (*number, record), content, digest))?;
        bytes.truncate(end);
        Some(number)
    }

    fn has_mac(&self, hash: Hash, (number, record): (u64, &Protected<'_>), content: &[u8], digest: &[u8]) -> bool {
        pseudo_header(number, record, content.len())
            .is_some_and(|header| hmac(hash, &self.mac_key, &[&header, content]) == digest)
    }
}

/// What is authenticated before the content up to TLS 1.2: sequence number, type, version, length.
fn pseudo_header(sequence: u64, record: &Protected<'_>, len: usize) -> Option<[u8; 13]> {
    let mut header = [0; 13];
    let (number, rest) = header.split_first_chunk_mut::<8>()?;
    *number = sequence.to_be_bytes();
    let [major, minor] = record.version.to_be_bytes();
    let [high, low] = u16::try_from(len).ok()?.to_be_bytes();
    rest.copy_from_slice(&[record.kind, major, minor, high, low]);
    Some(header)
}

/// TLS 1.3 and its drafts.
pub(super) fn is_tls13(version: u16) -> bool {
    matches!(version, 0x0304 | 0x7F00..=0x7FFF)
}

fn bulk(cipher: Cipher, key: &[u8]) -> Option<Bulk> {
    fn aead<C: AeadInOut<NonceSize = U12> + KeyInit + Send + Sync + 'static>(key: &[u8]) -> Option<Bulk> {
        Some(Bulk::Aead(Box::new(C::new_from_slice(key).ok()?)))
    }
    fn cbc<C: BlockCipherDecrypt + BlockKeyInit + Send + Sync + 'static>(key: &[u8]) -> Option<Bulk> {
        Some(Bulk::Cbc(Box::new(C::new_from_slice(key).ok()?)))
    }
    match cipher {
        Cipher::Null => Some(Bulk::Null),
        Cipher::Rc4 => Some(Bulk::Rc4(Box::new(Rc4::new_from_slice(key).ok()?))),
        Cipher::DesCbc => cbc::<Des>(key),
        Cipher::IdeaCbc => cbc::<Idea>(key),
        Cipher::TripleDesCbc => cbc::<TdesEde3>(key),
        Cipher::Aes128Cbc => cbc::<Aes128>(key),
        Cipher::Aes256Cbc => cbc::<Aes256>(key),
        Cipher::Camellia128Cbc => cbc::<Camellia128>(key),
        Cipher::Camellia256Cbc => cbc::<Camellia256>(key),
        Cipher::Aria128Cbc => cbc::<Aria128>(key),
        Cipher::Aria256Cbc => cbc::<Aria256>(key),
        Cipher::Aes128Gcm => aead::<AesGcm<Aes128, U12>>(key),
        Cipher::Aes256Gcm => aead::<AesGcm<Aes256, U12>>(key),
        // RFC 6367 and RFC 6209 put these ciphers in the place of AES and change nothing else.
        Cipher::Camellia128Gcm => aead::<AesGcm<Camellia128, U12>>(key),
        Cipher::Camellia256Gcm => aead::<AesGcm<Camellia256, U12>>(key),
        Cipher::Aria128Gcm => aead::<AesGcm<Aria128, U12>>(key),
        Cipher::Aria256Gcm => aead::<AesGcm<Aria256, U12>>(key),
        Cipher::Aes128Ccm => aead::<Ccm<Aes128, U16, U12>>(key),
        Cipher::Aes256Ccm => aead::<Ccm<Aes256, U16, U12>>(key),
        Cipher::Aes128Ccm8 => aead::<Ccm<Aes128, U8, U12>>(key),
        Cipher::Aes256Ccm8 => aead::<Ccm<Aes256, U8, U12>>(key),
        Cipher::ChaCha20Poly1305 => aead::<ChaCha20Poly1305>(key),
    }
}
