//! Keys from secrets: the pseudorandom function up to TLS 1.2 (RFC 5246 section 5, RFC 2246 section 5) and the HKDF of
//! TLS 1.3 (RFC 8446 section 7.1).

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;
use sha1::Sha1;
use sha2::{Sha256, Sha384};
use zeroize::Zeroizing;

use super::suite::Hash;

/// Versions up to this one mix MD5 and SHA-1 for their keys.
const TLS11: u16 = 0x0302;

/// Derived bytes, overwritten when dropped.
pub(in crate::protocols) type Bytes = Zeroizing<Vec<u8>>;

/// The keyed digest of `parts` in order.
pub(super) fn hmac(hash: Hash, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    macro_rules! digest {
        ($hash:ty) => {{
            let Ok(mut mac) = Hmac::<$hash>::new_from_slice(key) else { return Vec::new() };
            for part in parts {
                mac.update(part);
            }
            mac.finalize().into_bytes().to_vec()
        }};
    }
    match hash {
        Hash::Md5 => digest!(Md5),
        Hash::Sha1 => digest!(Sha1),
        Hash::Sha256 => digest!(Sha256),
        Hash::Sha384 => digest!(Sha384),
    }
}

/// `P_hash` (RFC 5246 section 5).
fn expand(hash: Hash, secret: &[u8], seed: &[&[u8]], len: usize) -> Bytes {
    let mut out = Zeroizing::new(Vec::with_capacity(len.saturating_add(hash.bytes())));
    let mut a = Zeroizing::new(hmac(hash, secret, seed));
    while out.len() < len && !a.is_empty() {
        let mut parts = vec![a.as_slice()];
        parts.extend_from_slice(seed);
        out.extend_from_slice(&Zeroizing::new(hmac(hash, secret, &parts)));
        a = Zeroizing::new(hmac(hash, secret, &[&a]));
    }
    out.truncate(len);
    out
}

/// The PRF of a version up to TLS 1.2.
pub(super) fn prf(version: u16, hash: Hash, secret: &[u8], label: &[u8], seed: [&[u8]; 2], len: usize) -> Bytes {
    let [first, second] = seed;
    let seed = [label, first, second];
    if version > TLS11 {
        return expand(hash, secret, &seed, len);
    }
    // Both halves share the middle byte of a secret of odd length.
    let half = secret.len().div_ceil(2);
    let left = secret.get(..half).unwrap_or_default();
    let right = secret.get(secret.len().saturating_sub(half)..).unwrap_or_default();
    let mut out = expand(Hash::Md5, left, &seed, len);
    for (byte, other) in out.iter_mut().zip(expand(Hash::Sha1, right, &seed, len).iter()) {
        *byte ^= *other;
    }
    out
}

/// `HKDF-Expand-Label` with an empty context (RFC 8446 section 7.1).
pub(in crate::protocols) fn expand_label(hash: Hash, secret: &[u8], label: &str, len: usize) -> Option<Bytes> {
    let mut info = Vec::with_capacity(32);
    info.extend_from_slice(&u16::try_from(len).ok()?.to_be_bytes());
    info.push(u8::try_from(label.len().checked_add(6)?).ok()?);
    info.extend_from_slice(b"tls13 ");
    info.extend_from_slice(label.as_bytes());
    info.push(0);
    let mut out = Zeroizing::new(vec![0; len]);
    match hash {
        Hash::Sha256 => Hkdf::<Sha256>::from_prk(secret).ok()?.expand(&info, &mut out).ok()?,
        Hash::Sha384 => Hkdf::<Sha384>::from_prk(secret).ok()?.expand(&info, &mut out).ok()?,
        Hash::Md5 | Hash::Sha1 => return None,
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::hex;

    /// The vector that the authors of TLS 1.2 published for `P_SHA256`.
    #[test]
    fn derives_as_tls12_does() {
        let secret = [0x9b, 0xbe, 0x43, 0x6b, 0xa9, 0x40, 0xf0, 0x17, 0xb1, 0x76, 0x52, 0x84, 0x9a, 0x71, 0xdb, 0x35];
        let seed = [0xa0, 0xba, 0x9f, 0x93, 0x6c, 0xda, 0x31, 0x18, 0x27, 0xa6, 0xf7, 0x96, 0xff, 0xd5, 0x19, 0x8c];
        let out = prf(0x0303, Hash::Sha256, &secret, b"test label", [&seed, &[]], 100);
        assert!(hex(&out).starts_with("e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a"));
        assert_eq!(out.len(), 100);
    }

    /// RFC 8448 section 3: the server's handshake traffic secret gives its key and nonce.
    #[test]
    fn derives_as_tls13_does() {
        let text = "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38";
        let digits = |two: &[u8]| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap();
        let secret: Vec<u8> = text.as_bytes().chunks(2).map(digits).collect();
        let key = expand_label(Hash::Sha256, &secret, "key", 16).unwrap();
        assert_eq!(hex(&key), "3fce516009c21727d0f2e4e86ee403bc");
        let nonce = expand_label(Hash::Sha256, &secret, "iv", 12).unwrap();
        assert_eq!(hex(&nonce), "5d313eb2671276ee13000b30");
    }
}
