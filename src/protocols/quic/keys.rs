//! Keys of Initial packets, which everybody can compute who saw the client's first one (RFC 9001 section 5.2, RFC 9369
//! section 3.3), and what they open.

use aes::Aes128;
use aes::cipher::{Array, BlockCipherEncrypt as _};
use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes128Gcm, Nonce};
use hkdf::Hkdf;
use sha2::Sha256;

use super::packet::{Long, is_draft};
use crate::model::{QuicVersion, Side};

/// Bytes of a sample for header protection (RFC 9001 section 5.4.2), and of an authentication tag.
const SAMPLE_BYTES: usize = 16;
const TAG_BYTES: usize = 16;

/// The constants in which versions differ.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Suite {
    salt: [u8; 20],
    labels: [&'static str; 3],
    /// Key and nonce of the tag on Retry packets (RFC 9001 section 5.8).
    retry: ([u8; 16], [u8; 12]),
}

const V1_LABELS: [&str; 3] = ["quic key", "quic iv", "quic hp"];

/// Version 1, and the last drafts.
const V1: Suite = Suite {
    salt: [
        0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb,
        0x7f, 0x0a,
    ],
    labels: V1_LABELS,
    retry: (
        [0xbe, 0x0c, 0x69, 0x0b, 0x9f, 0x66, 0x57, 0x5a, 0x1d, 0x76, 0x6b, 0x54, 0xe3, 0x68, 0xc8, 0x4e],
        [0x46, 0x15, 0x99, 0xd3, 0x5d, 0x63, 0x2b, 0xf2, 0x23, 0x98, 0x25, 0xbb],
    ),
};

/// RFC 9369 section 3.3.
const V2: Suite = Suite {
    salt: [
        0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd,
        0x2e, 0xd9,
    ],
    labels: ["quicv2 key", "quicv2 iv", "quicv2 hp"],
    retry: (
        [0x8f, 0xb4, 0xb0, 0x1b, 0x56, 0xac, 0x48, 0xe2, 0x60, 0xfb, 0xcb, 0xce, 0xad, 0x7c, 0xcc, 0x92],
        [0xd8, 0x69, 0x69, 0xbc, 0x2d, 0x7c, 0x6d, 0x99, 0x90, 0xef, 0xb0, 0x4a],
    ),
};

/// draft-ietf-quic-tls-29 to -32, section 5.2 and 5.8.
const DRAFT_29: Suite = Suite {
    salt: [
        0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90,
        0xa8, 0x99,
    ],
    labels: V1_LABELS,
    retry: (
        [0xcc, 0xce, 0x18, 0x7e, 0xd0, 0x9a, 0x09, 0xd0, 0x57, 0x28, 0x15, 0x5a, 0x6c, 0xb9, 0x6b, 0xe1],
        [0xe5, 0x49, 0x30, 0xf9, 0x7f, 0x21, 0x36, 0xf0, 0x53, 0x0a, 0x8c, 0x1c],
    ),
};

/// draft-ietf-quic-tls-27 and -28, section 5.2 and 5.8.
const DRAFT_27: Suite = Suite {
    salt: [
        0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9,
        0xf5, 0x02,
    ],
    labels: V1_LABELS,
    retry: (
        [0x4d, 0x32, 0xec, 0xdb, 0x2a, 0x21, 0x33, 0xc8, 0x41, 0xe4, 0x04, 0x3d, 0xf2, 0x7d, 0x44, 0x30],
        [0x4d, 0x16, 0x11, 0xd0, 0x55, 0x13, 0xa5, 0x52, 0xc5, 0x87, 0xd5, 0x75],
    ),
};

/// The constants that packets of this version may be made with. A reserved version has none of its own: its client uses
/// those of a version it does speak.
pub(super) fn suites(version: QuicVersion) -> &'static [&'static Suite] {
    match version.0 {
        _ if version == QuicVersion::V2 => &[&V2],
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
        let (key, nonce) = self.retry;
        Aes128Gcm::new(&key.into()).decrypt(&Nonce::from(nonce), Payload { msg: tag, aad: &pseudo }).is_ok()
    }
}

/// What protects the packets of one sender: AES-128-GCM, as all Initial packets have it (RFC 9001 section 5).
pub(super) struct PacketKeys {
    aead: Aes128Gcm,
    iv: [u8; 12],
    header: Aes128,
}

/// A packet that authenticated.
#[derive(Debug)]
pub(super) struct Opened {
    /// Its packet number.
    pub(super) number: u64,
    /// Its frames.
    pub(super) payload: Vec<u8>,
}

impl core::fmt::Debug for PacketKeys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("PacketKeys").finish_non_exhaustive()
    }
}

impl PacketKeys {
    /// Keys of Initial packets from the client or the server, where the client's first packet went to `origin`.
    pub(super) fn initial(suite: &Suite, origin: &[u8], sender: Side) -> Self {
        let (_, secret) = Hkdf::<Sha256>::extract(Some(&suite.salt), origin);
        let label = if sender == Side::Client { "client in" } else { "server in" };
        let secret: [u8; 32] = expand(&secret, label);
        let secret = Hkdf::<Sha256>::from_prk(&secret).unwrap_or_else(|_| Hkdf::new(None, &[]));
        let [key, iv, header] = suite.labels;
        Self {
            aead: Aes128Gcm::new(&expand::<16>(&secret, key).into()),
            iv: expand(&secret, iv),
            header: Aes128::new(&expand::<16>(&secret, header).into()),
        }
    }

    /// Takes the header protection off and opens a packet; `None` where it does not authenticate. `expected` is the
    /// number after the greatest that its sender used before (RFC 9001 sections 5.3 and 5.4).
    pub(super) fn open(&self, packet: &Long<'_>, expected: u64) -> Option<Opened> {
        let sample_at = packet.number_at.checked_add(4)?;
        let sample = packet.bytes.get(sample_at..)?.first_chunk::<SAMPLE_BYTES>()?;
        let mut mask = Array::from(*sample);
        self.header.encrypt_block(&mut mask);
        let [of_first, of_number @ .., _, _, _, _, _, _, _, _, _, _, _] = mask.0;
        let first = packet.bytes.first()? ^ (of_first & 0x0f);
        let number_len = usize::from(first & 3).checked_add(1)?;
        let header_len = packet.number_at.checked_add(number_len)?;
        let (head, sealed) = packet.bytes.split_at_checked(header_len)?;
        let mut head = head.to_vec();
        *head.first_mut()? = first;
        let mut short = 0_u64;
        for (byte, mask) in head.get_mut(packet.number_at..)?.iter_mut().zip(of_number) {
            *byte ^= mask;
            short = short << 8 | u64::from(*byte);
        }
        let number = whole_number(expected, short, number_len);
        let mut nonce = self.iv;
        for (byte, of_number) in nonce.iter_mut().rev().zip(number.to_le_bytes()) {
            *byte ^= of_number;
        }
        let payload = self.aead.decrypt(&Nonce::from(nonce), Payload { msg: sealed, aad: &head }).ok()?;
        Some(Opened { number, payload })
    }
}

/// HKDF-Expand-Label with an empty context (RFC 8446 section 7.1).
fn expand<const N: usize>(secret: &Hkdf<Sha256>, label: &str) -> [u8; N] {
    let [.., high, low] = N.to_be_bytes();
    let label_len = u8::try_from(label.len().saturating_add(6)).unwrap_or(u8::MAX);
    let mut out = [0; N];
    // Fails only for outputs over 255 hashes, and none is.
    let made = secret.expand_multi_info(&[&[high, low, label_len], b"tls13 ", label.as_bytes(), &[0]], &mut out);
    debug_assert!(made.is_ok());
    out
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
        let mut nonce = self.iv;
        for (byte, of_number) in nonce.iter_mut().rev().zip(number.to_le_bytes()) {
            *byte ^= of_number;
        }
        let sealed = self.aead.encrypt(&Nonce::from(nonce), Payload { msg: payload, aad: head }).unwrap();
        let number_len = usize::from(head[0] & 3) + 1;
        let mut mask = Array::from(*sealed[4 - number_len..].first_chunk::<SAMPLE_BYTES>().unwrap());
        self.header.encrypt_block(&mut mask);
        let mut packet = [head, &sealed].concat();
        packet[0] ^= mask[0] & 0x0f;
        for i in 0..number_len {
            packet[head.len() - number_len + i] ^= mask[i + 1];
        }
        packet
    }
}

#[cfg(test)]
impl Suite {
    /// The tag at the end of a Retry packet.
    pub(super) fn retry_tag(&self, origin: &[u8], head: &[u8]) -> Vec<u8> {
        let pseudo = [&[u8::try_from(origin.len()).unwrap()], origin, head].concat();
        let (key, nonce) = self.retry;
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
