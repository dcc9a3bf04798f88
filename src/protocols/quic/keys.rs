//! Keys of packets, and what they open: those of Initial packets, which everybody can compute who saw the client's first
//! one (RFC 9001 section 5.2, RFC 9369 section 3.3), and those of the secrets in a key log.

use aes::cipher::{Array, BlockCipherEncrypt as _};
use aes::{Aes128, Aes256};
use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes128Gcm, Nonce};
use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit as _, StreamCipher as _, StreamCipherSeek as _};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::super::tls::{Cipher, CipherSuite, Hash, PacketCipher, expand_label};
use super::google;
use super::packet::is_draft;
use crate::model::{QuicVersion, Secret, Side};

/// Bytes of a block of `ChaCha20`'s key stream (RFC 8439 section 2.3).
const CHACHA_BLOCK: u64 = 64;
/// Bytes of a sample for header protection (RFC 9001 section 5.4.2), and of an authentication tag.
const SAMPLE_BYTES: usize = 16;
const TAG_BYTES: usize = 16;

/// The constants in which versions differ.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Suite {
    salt: [u8; 20],
    labels: &'static Labels,
    /// Key and nonce of the tag on Retry packets (RFC 9001 section 5.8).
    retry: Option<([u8; 16], [u8; 12])>,
}

/// What keys are derived with (RFC 9001 sections 5.1 and 6.1).
#[derive(Debug, PartialEq, Eq)]
struct Labels {
    key: &'static str,
    iv: &'static str,
    header: &'static str,
    update: &'static str,
}

const V1_LABELS: &Labels = &Labels { key: "quic key", iv: "quic iv", header: "quic hp", update: "quic ku" };
/// RFC 9369 section 3.3.2.
const V2_LABELS: &Labels = &Labels { key: "quicv2 key", iv: "quicv2 iv", header: "quicv2 hp", update: "quicv2 ku" };
/// What Initial packets are always protected with.
const INITIAL: CipherSuite = CipherSuite { cipher: Cipher::Aes128Gcm, mac: None, prf: Hash::Sha256 };

/// Version 1, and the last drafts.
const V1: Suite = Suite {
    salt: [
        0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb,
        0x7f, 0x0a,
    ],
    labels: V1_LABELS,
    retry: Some((
        [0xbe, 0x0c, 0x69, 0x0b, 0x9f, 0x66, 0x57, 0x5a, 0x1d, 0x76, 0x6b, 0x54, 0xe3, 0x68, 0xc8, 0x4e],
        [0x46, 0x15, 0x99, 0xd3, 0x5d, 0x63, 0x2b, 0xf2, 0x23, 0x98, 0x25, 0xbb],
    )),
};

/// RFC 9369 section 3.3.
const V2: Suite = Suite {
    salt: [
        0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd,
        0x2e, 0xd9,
    ],
    labels: V2_LABELS,
    retry: Some((
        [0x8f, 0xb4, 0xb0, 0x1b, 0x56, 0xac, 0x48, 0xe2, 0x60, 0xfb, 0xcb, 0xce, 0xad, 0x7c, 0xcc, 0x92],
        [0xd8, 0x69, 0x69, 0xbc, 0x2d, 0x7c, 0x6d, 0x99, 0x90, 0xef, 0xb0, 0x4a],
    )),
};

/// draft-ietf-quic-tls-29 to -32, section 5.2 and 5.8.
const DRAFT_29: Suite = Suite {
    salt: [
        0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90,
        0xa8, 0x99,
    ],
    labels: V1_LABELS,
    retry: Some((
        [0xcc, 0xce, 0x18, 0x7e, 0xd0, 0x9a, 0x09, 0xd0, 0x57, 0x28, 0x15, 0x5a, 0x6c, 0xb9, 0x6b, 0xe1],
        [0xe5, 0x49, 0x30, 0xf9, 0x7f, 0x21, 0x36, 0xf0, 0x53, 0x0a, 0x8c, 0x1c],
    )),
};

/// draft-ietf-quic-tls-27 and -28, section 5.2 and 5.8.
const DRAFT_27: Suite = Suite {
    salt: [
        0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9,
        0xf5, 0x02,
    ],
    labels: V1_LABELS,
    retry: Some((
        [0x4d, 0x32, 0xec, 0xdb, 0x2a, 0x21, 0x33, 0xc8, 0x41, 0xe4, 0x04, 0x3d, 0xf2, 0x7d, 0x44, 0x30],
        [0x4d, 0x16, 0x11, 0xd0, 0x55, 0x13, 0xa5, 0x52, 0xc5, 0x87, 0xd5, 0x75],
    )),
};

/// Google's Q050, as Chromium had it (`kQ050Salt`); it has no tag on Retry packets.
const Q050: Suite = Suite {
    salt: [
        0x50, 0x45, 0x74, 0xef, 0xd0, 0x66, 0xfe, 0x2f, 0x9d, 0x94, 0x5c, 0xfc, 0xdb, 0xd3, 0xa7, 0xf0, 0xd3, 0xb5,
        0x6b, 0x45,
    ],
    labels: V1_LABELS,
    retry: None,
};

/// The constants that packets of this version may be made with. A reserved version has none of its own: its client uses
/// those of a version it does speak.
pub(super) fn suites(version: QuicVersion) -> &'static [&'static Suite] {
    match version.0 {
        _ if version == QuicVersion::V2 => &[&V2],
        _ if version == google::Q050 => &[&Q050],
        _ if version.is_reserved() => &[&V1, &DRAFT_29, &DRAFT_27, &V2],
        0xff00_001b | 0xff00_001c | 0xface_b002 => &[&DRAFT_27],
        0xff00_001d..=0xff00_0020 => &[&DRAFT_29],
        _ if version == QuicVersion::V1 || is_draft(version) => &[&V1],
        _ => &[],
    }
}

impl Suite {
    /// Whether the tag at the end of a Retry packet is that for the client's first connection id (RFC 9001 section 5.8).
    pub(super) fn is_retry_of(&self, origin: &[u8], packet: &[u8]) -> bool {
        let Some((head, tag)) = packet.split_last_chunk::<TAG_BYTES>() else { return false };
        let Ok(len) = u8::try_from(origin.len()) else { return false };
        let pseudo = [&[len], origin, head].concat();
        let Some((key, nonce)) = self.retry else { return false };
        Aes128Gcm::new(&key.into()).decrypt(&Nonce::from(nonce), Payload { msg: tag, aad: &pseudo }).is_ok()
    }
}

/// The key that protects headers; the same for all packets of a secret and what is derived from it (RFC 9001 section
/// 5.4).
enum HeaderKey {
    Aes128(Box<Aes128>),
    Aes256(Box<Aes256>),
    ChaCha20(Zeroizing<[u8; 32]>),
}

impl HeaderKey {
    fn new(cipher: Cipher, key: &[u8]) -> Option<Self> {
        Some(match cipher {
            Cipher::Aes128Gcm | Cipher::Aes128Ccm => Self::Aes128(Box::new(Aes128::new_from_slice(key).ok()?)),
            Cipher::Aes256Gcm => Self::Aes256(Box::new(Aes256::new_from_slice(key).ok()?)),
            Cipher::ChaCha20Poly1305 => Self::ChaCha20(Zeroizing::new(key.try_into().ok()?)),
            _ => return None,
        })
    }

    /// RFC 9001 sections 5.4.3 and 5.4.4.
    fn mask(&self, sample: &[u8; SAMPLE_BYTES]) -> Option<[u8; 5]> {
        let mut block = Array::from(*sample);
        match self {
            Self::Aes128(key) => key.encrypt_block(&mut block),
            Self::Aes256(key) => key.encrypt_block(&mut block),
            Self::ChaCha20(key) => {
                let (counter, nonce) = sample.split_first_chunk::<4>()?;
                let mut stream = ChaCha20::new_from_slices(&key[..], nonce).ok()?;
                let block = u64::from(u32::from_le_bytes(*counter));
                stream.try_seek(block.checked_mul(CHACHA_BLOCK)?).ok()?;
                let mut mask = [0; 5];
                stream.try_apply_keystream(&mut mask).ok()?;
                return Some(mask);
            }
        }
        block.first_chunk().copied()
    }

    /// Takes the protection off the header whose packet number stands at `number_at`; `None` where the packet is too short
    /// (RFC 9001 section 5.4.1).
    fn bare(&self, packet: &[u8], number_at: usize) -> Option<Bare> {
        let sample = packet.get(number_at.checked_add(4)?..)?.first_chunk::<SAMPLE_BYTES>()?;
        let [of_first, of_number @ ..] = self.mask(sample)?;
        let first = *packet.first()?;
        let first = first ^ (of_first & if first & 0x80 == 0 { 0x1f } else { 0x0f });
        let number_len = usize::from(first & 3).checked_add(1)?;
        let mut head = packet.get(..number_at.checked_add(number_len)?)?.to_vec();
        *head.first_mut()? = first;
        let mut short = 0_u64;
        for (byte, mask) in head.get_mut(number_at..)?.iter_mut().zip(of_number) {
            *byte ^= mask;
            short = short << 8 | u64::from(*byte);
        }
        Some(Bare { head, short, number_len })
    }
}

/// A header without its protection.
struct Bare {
    head: Vec<u8>,
    /// What it tells of the packet number.
    short: u64,
    number_len: usize,
}

impl Bare {
    /// The key phase (RFC 9000 section 17.3.1); always `false` where the header is a long one.
    fn phase(&self) -> bool {
        self.head.first().is_some_and(|first| first & 0x84 == 0x04)
    }
}

/// What opens the packets of one key phase.
#[derive(Debug)]
struct Phase {
    cipher: PacketCipher,
    iv: [u8; 12],
}

impl Phase {
    fn new(labels: &Labels, suite: CipherSuite, secret: &[u8]) -> Option<Self> {
        let key = expand_label(suite.prf, secret, labels.key, suite.cipher.key_bytes())?;
        let iv = expand_label(suite.prf, secret, labels.iv, 12)?;
        Some(Self { cipher: PacketCipher::new(suite.cipher, &key)?, iv: iv.as_slice().try_into().ok()? })
    }

    fn nonce(&self, number: u64) -> [u8; 12] {
        let mut nonce = self.iv;
        for (byte, of_number) in nonce.iter_mut().rev().zip(number.to_le_bytes()) {
            *byte ^= of_number;
        }
        nonce
    }

    /// RFC 9001 section 5.3.
    fn open(&self, packet: &[u8], bare: &Bare, number: u64) -> Option<Opened> {
        let mut payload = packet.get(bare.head.len()..)?.to_vec();
        let authentic = self.cipher.open(&self.nonce(number), &bare.head, &mut payload);
        authentic.then_some(Opened { number, payload })
    }
}

/// A packet that authenticated.
#[derive(Debug)]
pub(super) struct Opened {
    /// Its packet number.
    pub(super) number: u64,
    /// Its frames.
    pub(super) payload: Vec<u8>,
}

/// What protects the packets of one sender at one level, through all key phases.
pub(super) struct PacketKeys {
    header: HeaderKey,
    labels: &'static Labels,
    suite: CipherSuite,
    now: Phase,
    /// The secret of the phase: what the next one is derived from.
    secret: Secret,
    /// The phase bit of packets that `now` opens.
    phase: bool,
    /// The least number that `now` opened, once the keys were updated.
    since: u64,
    /// Packets of the phase before may come late.
    before: Option<Phase>,
    /// The phase after, once it was needed to try.
    after: Option<(Secret, Phase)>,
}

impl core::fmt::Debug for PacketKeys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("PacketKeys").finish_non_exhaustive()
    }
}

impl PacketKeys {
    /// Keys of Initial packets from the client or the server, where the client's first packet went to `origin`: always
    /// AES-128-GCM (RFC 9001 section 5.2).
    pub(super) fn initial(suite: &Suite, origin: &[u8], sender: Side) -> Option<Self> {
        let (secret, _) = Hkdf::<Sha256>::extract(Some(&suite.salt), origin);
        let label = if sender == Side::Client { "client in" } else { "server in" };
        let secret = expand_label(INITIAL.prf, &secret, label, INITIAL.prf.bytes())?;
        Self::of_secret(suite, INITIAL, &Secret::new(&secret))
    }

    /// Keys of a traffic secret (RFC 9001 section 5.1). `None` where no suite of QUIC is that, or the secret's length is
    /// another.
    pub(super) fn of_secret(version: &Suite, suite: CipherSuite, secret: &Secret) -> Option<Self> {
        let labels = version.labels;
        let header = expand_label(suite.prf, secret.expose(), labels.header, suite.cipher.key_bytes())?;
        Some(Self {
            header: HeaderKey::new(suite.cipher, &header)?,
            labels,
            suite,
            now: Phase::new(labels, suite, secret.expose())?,
            secret: secret.clone(),
            phase: false,
            since: 0,
            before: None,
            after: None,
        })
    }

    /// Takes the header protection off and opens a packet whose number stands at `number_at`; `None` where it does not
    /// authenticate. `expected` is the number after the greatest that its sender used before.
    pub(super) fn open(&mut self, packet: &[u8], number_at: usize, expected: u64) -> Option<Opened> {
        let bare = self.header.bare(packet, number_at)?;
        let number = whole_number(expected, bare.short, bare.number_len);
        // Both updates that bring the phase bit back may have been lost with all packets between them.
        self.open_bare(packet, &bare, number).or_else(|| self.two_on(packet, &bare, number))
    }

    /// The same where packets may be missing: more of them than the number's bytes can count (`windows` times).
    pub(super) fn open_ahead(
        &mut self,
        packet: &[u8],
        number_at: usize,
        expected: u64,
        windows: u64,
    ) -> Option<Opened> {
        let bare = self.header.bare(packet, number_at)?;
        let window = 1_u64.checked_shl(u32::try_from(bare.number_len.checked_mul(8)?).ok()?)?;
        let first = whole_number(expected, bare.short, bare.number_len);
        (1..=windows).find_map(|n| {
            let number = first.checked_add(window.checked_mul(n)?)?;
            self.open_bare(packet, &bare, number)
        })
    }

    fn open_bare(&mut self, packet: &[u8], bare: &Bare, number: u64) -> Option<Opened> {
        let long = bare.head.first().is_some_and(|first| first & 0x80 != 0);
        if long {
            return self.now.open(packet, bare, number);
        }
        if bare.phase() == self.phase {
            let opened = self.now.open(packet, bare, number)?;
            self.since = self.since.min(number);
            return Some(opened);
        }
        if number < self.since
            && let Some(opened) = self.before.as_ref().and_then(|before| before.open(packet, bare, number))
        {
            return Some(opened);
        }
        if self.after.is_none() {
            self.after = self.updated(&self.secret);
        }
        let opened = self.after.as_ref()?.1.open(packet, bare, number)?;
        let (secret, after) = self.after.take()?;
        self.turn(secret, after, number);
        Some(opened)
    }

    fn two_on(&mut self, packet: &[u8], bare: &Bare, number: u64) -> Option<Opened> {
        let short = bare.head.first().is_some_and(|first| first & 0x80 == 0);
        if !short || bare.phase() != self.phase || number <= self.since {
            return None;
        }
        let (first, _) = self.updated(&self.secret)?;
        let (secret, phase) = self.updated(&first)?;
        let opened = phase.open(packet, bare, number)?;
        self.phase = !self.phase;
        self.turn(secret, phase, number);
        self.before = Phase::new(self.labels, self.suite, first.expose());
        Some(opened)
    }

    /// The sender's keys were updated (RFC 9001 section 6.1).
    fn turn(&mut self, secret: Secret, phase: Phase, number: u64) {
        self.before = Some(core::mem::replace(&mut self.now, phase));
        self.secret = secret;
        self.after = None;
        self.phase = !self.phase;
        self.since = number;
    }

    fn updated(&self, secret: &Secret) -> Option<(Secret, Phase)> {
        let next = expand_label(self.suite.prf, secret.expose(), self.labels.update, self.suite.prf.bytes())?;
        let phase = Phase::new(self.labels, self.suite, &next)?;
        Some((Secret::new(&next), phase))
    }
}

/// The number whose last `len` bytes are `short`, nearest to `expected` (RFC 9000 appendix A.3).
fn whole_number(expected: u64, short: u64, len: usize) -> u64 {
    let window = 1_u64 << len.saturating_mul(8).min(32);
    let half = window / 2;
    let near = expected & !window.wrapping_sub(1) | short;
    if near.saturating_add(half) <= expected && near.saturating_add(window) < 1 << 62 {
        near.saturating_add(window)
    } else if near > expected.saturating_add(half) && near >= window {
        near.saturating_sub(window)
    } else {
        near
    }
}

#[cfg(test)]
impl PacketKeys {
    /// A packet as its sender makes it: `head` ends with the packet number, of four bytes at most.
    pub(super) fn seal(&self, head: &[u8], number: u32, payload: &[u8]) -> Vec<u8> {
        let mut sealed = payload.to_vec();
        self.now.cipher.seal(&self.now.nonce(number.into()), head, &mut sealed);
        let number_len = usize::from(head[0] & 3) + 1;
        let mask = self.header.mask(sealed[4 - number_len..].first_chunk().unwrap()).unwrap();
        let mut packet = [head, &sealed].concat();
        packet[0] ^= mask[0] & if head[0] & 0x80 == 0 { 0x1f } else { 0x0f };
        for i in 0..number_len {
            packet[head.len() - number_len + i] ^= mask[i + 1];
        }
        packet
    }

    /// The sender goes on with the next key phase.
    pub(super) fn update(&mut self) {
        let (secret, phase) = self.updated(&self.secret).unwrap();
        self.turn(secret, phase, 0);
    }
}

#[cfg(test)]
impl Suite {
    /// The tag at the end of a Retry packet.
    pub(super) fn retry_tag(&self, origin: &[u8], head: &[u8]) -> Vec<u8> {
        let pseudo = [&[u8::try_from(origin.len()).unwrap()], origin, head].concat();
        let (key, nonce) = self.retry.unwrap();
        Aes128Gcm::new(&key.into()).encrypt(&Nonce::from(nonce), Payload { msg: &[], aad: &pseudo }).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::whole_number;

    #[test]
    fn numbers_are_the_nearest() {
        // RFC 9000 appendix A.3.
        assert_eq!(whole_number(0xa82f_30eb, 0x9b32, 2), 0xa82f_9b32);
        assert_eq!(whole_number(0, 2, 4), 2);
        assert_eq!(whole_number(256, 0xff, 1), 0xff);
        assert_eq!(whole_number(255, 0, 1), 256);
        assert_eq!(whole_number(0, 0xff, 1), 0xff);
    }
}
