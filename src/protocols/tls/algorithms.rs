//! The signatures that certificates carry, checked by the crates of `RustCrypto` and dalek.
//!
//! Comes in: a key, a message, a signature, as certificates hold them. Goes out: whether it holds. Never: a secret.

use ed25519_dalek::VerifyingKey;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use rsa::traits::SignatureScheme;
use rsa::{BoxedUint, Pkcs1v15Sign, Pss, PublicKey};
use rustls_pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::der::{self, INTEGER, SEQUENCE};
use crate::model::Cursor;

/// Lengths of RSA keys that are checked, in bits: below, anybody with a computer could have signed; above, no public
/// authority has one, and checking costs the square of the length.
pub(super) const RSA_BITS: core::ops::RangeInclusive<usize> = 1_024..=8_192;

/// The kinds that are checked: RSA (RFC 8017), ECDSA on the two curves that public authorities use, Ed25519 (RFC 8410).
/// SHA-1 is among them, for it was what certificates were signed with up to 2014.
pub(super) const ALL: &[&dyn SignatureVerificationAlgorithm] = &[
    &Algorithm { key: alg_id::RSA_ENCRYPTION, signature: alg_id::RSA_PKCS1_SHA256, check: Check::Rsa(Hash::Sha256) },
    &Algorithm { key: alg_id::RSA_ENCRYPTION, signature: alg_id::RSA_PKCS1_SHA384, check: Check::Rsa(Hash::Sha384) },
    &Algorithm { key: alg_id::RSA_ENCRYPTION, signature: alg_id::RSA_PKCS1_SHA512, check: Check::Rsa(Hash::Sha512) },
    &Algorithm { key: alg_id::RSA_ENCRYPTION, signature: RSA_PKCS1_SHA1, check: Check::Rsa(Hash::Sha1) },
    &Algorithm { key: alg_id::RSA_ENCRYPTION, signature: RSA_PKCS1_SHA256_BARE, check: Check::Rsa(Hash::Sha256) },
    &Algorithm { key: alg_id::RSA_ENCRYPTION, signature: RSA_PKCS1_SHA1_BARE, check: Check::Rsa(Hash::Sha1) },
    &Algorithm { key: alg_id::RSA_ENCRYPTION, signature: alg_id::RSA_PSS_SHA256, check: Check::Pss(Hash::Sha256) },
    &Algorithm { key: alg_id::RSA_ENCRYPTION, signature: alg_id::RSA_PSS_SHA384, check: Check::Pss(Hash::Sha384) },
    &Algorithm { key: alg_id::RSA_ENCRYPTION, signature: alg_id::RSA_PSS_SHA512, check: Check::Pss(Hash::Sha512) },
    &Algorithm { key: alg_id::ECDSA_P256, signature: alg_id::ECDSA_SHA256, check: Check::P256(Hash::Sha256) },
    &Algorithm { key: alg_id::ECDSA_P256, signature: alg_id::ECDSA_SHA384, check: Check::P256(Hash::Sha384) },
    &Algorithm { key: alg_id::ECDSA_P256, signature: alg_id::ECDSA_SHA512, check: Check::P256(Hash::Sha512) },
    &Algorithm { key: alg_id::ECDSA_P256, signature: ECDSA_SHA1, check: Check::P256(Hash::Sha1) },
    &Algorithm { key: alg_id::ECDSA_P384, signature: alg_id::ECDSA_SHA256, check: Check::P384(Hash::Sha256) },
    &Algorithm { key: alg_id::ECDSA_P384, signature: alg_id::ECDSA_SHA384, check: Check::P384(Hash::Sha384) },
    &Algorithm { key: alg_id::ECDSA_P384, signature: alg_id::ECDSA_SHA512, check: Check::P384(Hash::Sha512) },
    &Algorithm { key: alg_id::ECDSA_P384, signature: ECDSA_SHA1, check: Check::P384(Hash::Sha1) },
    &Algorithm { key: alg_id::ED25519, signature: alg_id::ED25519, check: Check::Ed25519 },
];

/// sha1WithRSAEncryption (RFC 8017 appendix A.2.4), with its NULL parameters.
const RSA_PKCS1_SHA1: AlgorithmIdentifier =
    AlgorithmIdentifier::from_slice(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00");
/// The same without parameters, as some wrote it (RFC 4055 section 5 tells readers to take both).
const RSA_PKCS1_SHA1_BARE: AlgorithmIdentifier =
    AlgorithmIdentifier::from_slice(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05");
const RSA_PKCS1_SHA256_BARE: AlgorithmIdentifier =
    AlgorithmIdentifier::from_slice(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b");
/// ecdsa-with-SHA1 (RFC 3279 section 2.2.3).
const ECDSA_SHA1: AlgorithmIdentifier = AlgorithmIdentifier::from_slice(b"\x06\x07\x2a\x86\x48\xce\x3d\x04\x01");

#[derive(Clone, Copy, Debug)]
enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    fn of(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(message).to_vec(),
            Self::Sha256 => Sha256::digest(message).to_vec(),
            Self::Sha384 => Sha384::digest(message).to_vec(),
            Self::Sha512 => Sha512::digest(message).to_vec(),
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Check {
    Rsa(Hash),
    Pss(Hash),
    P256(Hash),
    P384(Hash),
    Ed25519,
}

#[derive(Debug)]
struct Algorithm {
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
    check: Check,
}

impl SignatureVerificationAlgorithm for Algorithm {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let holds = match self.check {
            Check::Rsa(hash) => match hash {
                Hash::Sha1 => rsa(key, Pkcs1v15Sign::new::<Sha1>(), &hash.of(message), signature),
                Hash::Sha256 => rsa(key, Pkcs1v15Sign::new::<Sha256>(), &hash.of(message), signature),
                Hash::Sha384 => rsa(key, Pkcs1v15Sign::new::<Sha384>(), &hash.of(message), signature),
                Hash::Sha512 => rsa(key, Pkcs1v15Sign::new::<Sha512>(), &hash.of(message), signature),
            },
            Check::Pss(hash) => match hash {
                Hash::Sha1 => None,
                Hash::Sha256 => rsa(key, Pss::<Sha256>::new(), &hash.of(message), signature),
                Hash::Sha384 => rsa(key, Pss::<Sha384>::new(), &hash.of(message), signature),
                Hash::Sha512 => rsa(key, Pss::<Sha512>::new(), &hash.of(message), signature),
            },
            Check::P256(hash) => p256(key, &hash.of(message), signature),
            Check::P384(hash) => p384(key, &hash.of(message), signature),
            Check::Ed25519 => ed25519(key, message, signature),
        };
        holds.ok_or(InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

/// The key is an `RSAPublicKey` (RFC 8017 appendix A.1.1).
fn rsa(key: &[u8], scheme: impl SignatureScheme, digest: &[u8], signature: &[u8]) -> Option<()> {
    let (modulus, exponent) = integers(key)?;
    let bits = modulus.len().checked_mul(8)?;
    if bits > *RSA_BITS.end() || exponent.len() > 8 {
        return None;
    }
    let (n, e) = (BoxedUint::from_be_slice_vartime(modulus), BoxedUint::from_be_slice_vartime(exponent));
    PublicKey::new_with_size_limits(n, e, RSA_BITS).ok()?.verify(scheme, digest, signature).ok()
}

/// The key is an uncompressed or compressed point (SEC 1 section 2.3.3), the signature an `ECDSA-Sig-Value` (RFC 3279
/// section 2.2.3).
fn p256(key: &[u8], digest: &[u8], signature: &[u8]) -> Option<()> {
    let (r, s) = integers(signature)?;
    let signature = p256::ecdsa::Signature::from_scalars(padded::<32>(r)?, padded::<32>(s)?).ok()?;
    p256::ecdsa::VerifyingKey::from_sec1_bytes(key).ok()?.verify_prehash(digest, &signature).ok()
}

fn p384(key: &[u8], digest: &[u8], signature: &[u8]) -> Option<()> {
    let (r, s) = integers(signature)?;
    let signature = p384::ecdsa::Signature::from_scalars(padded::<48>(r)?, padded::<48>(s)?).ok()?;
    // A digest shorter than half the curve's order is refused by the crate; as a number it is the same with zeros before.
    let mut wide = [0_u8; 48];
    let digest = match wide.len().checked_sub(digest.len()) {
        Some(zeros) => {
            wide.get_mut(zeros..)?.copy_from_slice(digest);
            wide.as_slice()
        }
        None => digest,
    };
    p384::ecdsa::VerifyingKey::from_sec1_bytes(key).ok()?.verify_prehash(digest, &signature).ok()
}

fn ed25519(key: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    let key = VerifyingKey::from_bytes(key.try_into().ok()?).ok()?;
    let signature = ed25519_dalek::Signature::from_bytes(signature.try_into().ok()?);
    key.verify_strict(message, &signature).ok()
}

/// The length of an RSA modulus in bits, of a key as certificates hold it.
pub(super) fn rsa_bits(key: &[u8]) -> Option<usize> {
    let (modulus, _) = integers(key)?;
    let zeros = usize::try_from(modulus.first()?.leading_zeros()).ok()?;
    modulus.len().checked_mul(8)?.checked_sub(zeros)
}

/// A DER SEQUENCE of two positive INTEGERs (X.690 section 8.3), without the zero bytes before them.
fn integers(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut outer = Cursor::new(bytes);
    let mut inner = Cursor::new(der::value(&mut outer, SEQUENCE)?);
    let (first, second) = (der::value(&mut inner, INTEGER)?, der::value(&mut inner, INTEGER)?);
    (outer.is_empty() && inner.is_empty()).then_some(())?;
    Some((positive(first)?, positive(second)?))
}

fn positive(integer: &[u8]) -> Option<&[u8]> {
    let negative = integer.first().is_none_or(|b| *b >= 0x80);
    let start = integer.iter().position(|b| *b != 0)?;
    if negative { None } else { integer.get(start..) }
}

fn padded<const N: usize>(number: &[u8]) -> Option<[u8; N]> {
    let mut out = [0_u8; N];
    let zeros = N.checked_sub(number.len())?;
    out.get_mut(zeros..)?.copy_from_slice(number);
    Some(out)
}
