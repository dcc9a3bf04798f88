//! Cipher suites by their number (IANA's registry): how records are protected, and how keys are derived.

/// How the content of records is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::protocols) enum Cipher {
    Null,
    Rc4,
    DesCbc,
    IdeaCbc,
    TripleDesCbc,
    Aes128Cbc,
    Aes256Cbc,
    Camellia128Cbc,
    Camellia256Cbc,
    Aria128Cbc,
    Aria256Cbc,
    Aes128Gcm,
    Aes256Gcm,
    Camellia128Gcm,
    Camellia256Gcm,
    Aria128Gcm,
    Aria256Gcm,
    Aes128Ccm,
    Aes256Ccm,
    Aes128Ccm8,
    Aes256Ccm8,
    ChaCha20Poly1305,
}

/// A hash, for keyed digests of records and for the derivation of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::protocols) enum Hash {
    Md5,
    Sha1,
    Sha256,
    Sha384,
}

/// What a suite's number stands for. The way in which the secret was agreed on means nothing to who has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::protocols) struct Suite {
    pub(in crate::protocols) cipher: Cipher,
    /// The keyed digest of each record; `None` where the cipher authenticates itself.
    pub(in crate::protocols) mac: Option<Hash>,
    /// What keys are derived with (in TLS 1.2 and later).
    pub(in crate::protocols) prf: Hash,
}

impl Cipher {
    /// Bytes of the key.
    pub(in crate::protocols) fn key_bytes(self) -> usize {
        match self {
            Self::Null => 0,
            Self::DesCbc => 8,
            Self::Rc4
            | Self::IdeaCbc
            | Self::Aes128Cbc
            | Self::Camellia128Cbc
            | Self::Aria128Cbc
            | Self::Aes128Gcm
            | Self::Camellia128Gcm
            | Self::Aria128Gcm
            | Self::Aes128Ccm
            | Self::Aes128Ccm8 => 16,
            Self::TripleDesCbc => 24,
            Self::Aes256Cbc
            | Self::Camellia256Cbc
            | Self::Aria256Cbc
            | Self::Aes256Gcm
            | Self::Camellia256Gcm
            | Self::Aria256Gcm
            | Self::Aes256Ccm
            | Self::Aes256Ccm8
            | Self::ChaCha20Poly1305 => 32,
        }
    }

    /// Bytes of a block of a cipher in CBC mode; 0 for the others.
    pub(super) fn block_bytes(self) -> usize {
        match self {
            Self::DesCbc | Self::IdeaCbc | Self::TripleDesCbc => 8,
            Self::Aes128Cbc
            | Self::Aes256Cbc
            | Self::Camellia128Cbc
            | Self::Camellia256Cbc
            | Self::Aria128Cbc
            | Self::Aria256Cbc => 16,
            _ => 0,
        }
    }

    /// Bytes of the tag behind the ciphertext; 0 where the cipher does not authenticate.
    pub(super) fn tag_bytes(self) -> usize {
        match self {
            Self::Aes128Ccm8 | Self::Aes256Ccm8 => 8,
            Self::Aes128Gcm
            | Self::Aes256Gcm
            | Self::Camellia128Gcm
            | Self::Camellia256Gcm
            | Self::Aria128Gcm
            | Self::Aria256Gcm
            | Self::Aes128Ccm
            | Self::Aes256Ccm
            | Self::ChaCha20Poly1305 => 16,
            _ => 0,
        }
    }

    /// Bytes of the nonce that TLS 1.2 takes from the keys: all of it for ChaCha20, else what does not stand in the
    /// record (RFC 5288 section 3, RFC 7905 section 2).
    pub(super) fn fixed_nonce_bytes(self) -> usize {
        match self {
            Self::ChaCha20Poly1305 => 12,
            _ if self.tag_bytes() > 0 => 4,
            _ => 0,
        }
    }
}

impl Hash {
    /// Bytes of the digest.
    pub(in crate::protocols) fn bytes(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }
}

/// Whether a suite is one of TLS 1.3.
fn of_tls13(number: u16) -> bool {
    number >> 8 == 0x13
}

/// The suite of this number, where it is supported in that version.
pub(in crate::protocols) fn suite(number: u16, tls13: bool) -> Option<Suite> {
    use Cipher as C;
    use Hash as H;
    let aead = |cipher, prf| Some(Suite { cipher, mac: None, prf });
    let with_mac = |cipher, mac| {
        let prf = if mac == H::Sha384 { H::Sha384 } else { H::Sha256 };
        Some(Suite { cipher, mac: Some(mac), prf })
    };
    // Most suites stand in pairs: an even number with a key of 128 bits, the odd one behind it with 256.
    let odd = !number.is_multiple_of(2);
    let gcm = |small, large| if odd { aead(large, H::Sha384) } else { aead(small, H::Sha256) };
    let cbc = |small, large| if odd { with_mac(large, H::Sha384) } else { with_mac(small, H::Sha256) };
    if tls13 != of_tls13(number) {
        return None;
    }
    match number {
        0x1301 => aead(C::Aes128Gcm, H::Sha256),
        0x1302 => aead(C::Aes256Gcm, H::Sha384),
        0x1303 | 0xCCA8..=0xCCAE => aead(C::ChaCha20Poly1305, H::Sha256),
        0x1304 => aead(C::Aes128Ccm, H::Sha256),
        0x1305 => aead(C::Aes128Ccm8, H::Sha256),
        0x009C..=0x00AD | 0xC02B..=0xC032 => {
            // The pairs of the second range begin with an odd number.
            if (number < 0xC000) == odd { aead(C::Aes256Gcm, H::Sha384) } else { aead(C::Aes128Gcm, H::Sha256) }
        }
        0xC050..=0xC063 | 0xC06A..=0xC06F => gcm(C::Aria128Gcm, C::Aria256Gcm),
        0xC07A..=0xC093 => gcm(C::Camellia128Gcm, C::Camellia256Gcm),
        0xC09C..=0xC09F | 0xC0A4..=0xC0A7 | 0xC0AC | 0xC0AD => {
            aead(if odd { C::Aes256Ccm } else { C::Aes128Ccm }, H::Sha256)
        }
        0xC0A0..=0xC0A3 | 0xC0A8..=0xC0AB | 0xC0AE | 0xC0AF => {
            aead(if odd { C::Aes256Ccm8 } else { C::Aes128Ccm8 }, H::Sha256)
        }
        0x002F..=0x0034
        | 0x008C
        | 0x0090
        | 0x0094
        | 0xC004
        | 0xC009
        | 0xC00E
        | 0xC013
        | 0xC018
        | 0xC01D..=0xC01F
        | 0xC035 => with_mac(C::Aes128Cbc, H::Sha1),
        0x0035..=0x003A
        | 0x008D
        | 0x0091
        | 0x0095
        | 0xC005
        | 0xC00A
        | 0xC00F
        | 0xC014
        | 0xC019
        | 0xC020..=0xC022
        | 0xC036 => with_mac(C::Aes256Cbc, H::Sha1),
        0x003C
        | 0x003E..=0x0040
        | 0x0067
        | 0x006C
        | 0x00AE
        | 0x00B2
        | 0x00B6
        | 0xC037
        | 0xC023
        | 0xC025
        | 0xC027
        | 0xC029 => with_mac(C::Aes128Cbc, H::Sha256),
        0x003D | 0x0068..=0x006B | 0x006D => with_mac(C::Aes256Cbc, H::Sha256),
        0x00AF | 0x00B3 | 0x00B7 | 0xC038 | 0xC024 | 0xC026 | 0xC028 | 0xC02A => with_mac(C::Aes256Cbc, H::Sha384),
        0x0041..=0x0046 => with_mac(C::Camellia128Cbc, H::Sha1),
        0x0084..=0x0089 => with_mac(C::Camellia256Cbc, H::Sha1),
        0x00BA..=0x00BF => with_mac(C::Camellia128Cbc, H::Sha256),
        0x00C0..=0x00C5 => with_mac(C::Camellia256Cbc, H::Sha256),
        0xC072..=0xC079 | 0xC094..=0xC09B => cbc(C::Camellia128Cbc, C::Camellia256Cbc),
        0xC03C..=0xC04F | 0xC064..=0xC069 | 0xC070 | 0xC071 => cbc(C::Aria128Cbc, C::Aria256Cbc),
        0x000A
        | 0x000D
        | 0x0010
        | 0x0013
        | 0x0016
        | 0x001B
        | 0x008B
        | 0x008F
        | 0x0093
        | 0xC003
        | 0xC008
        | 0xC00D
        | 0xC012
        | 0xC017
        | 0xC01A..=0xC01C
        | 0xC034 => with_mac(C::TripleDesCbc, H::Sha1),
        0x0009 | 0x000C | 0x000F | 0x0012 | 0x0015 | 0x001A => with_mac(C::DesCbc, H::Sha1),
        0x0007 => with_mac(C::IdeaCbc, H::Sha1),
        0x0004 | 0x0018 => with_mac(C::Rc4, H::Md5),
        0x0005 | 0x008A | 0x008E | 0x0092 | 0xC002 | 0xC007 | 0xC00C | 0xC011 | 0xC016 | 0xC033 => {
            with_mac(C::Rc4, H::Sha1)
        }
        0x0001 => with_mac(C::Null, H::Md5),
        0x0002 | 0x002C..=0x002E | 0xC001 | 0xC006 | 0xC00B | 0xC010 | 0xC015 | 0xC039 => with_mac(C::Null, H::Sha1),
        0x003B | 0x00B0 | 0x00B4 | 0x00B8 | 0xC03A => with_mac(C::Null, H::Sha256),
        0x00B1 | 0x00B5 | 0x00B9 | 0xC03B => with_mac(C::Null, H::Sha384),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(number: u16, cipher: Cipher, mac: Option<Hash>, prf: Hash) {
        assert_eq!(suite(number, of_tls13(number)), Some(Suite { cipher, mac, prf }), "0x{number:04x}");
        assert_eq!(suite(number, !of_tls13(number)), None);
    }

    /// Numbers as IANA's registry has them.
    #[test]
    fn numbers_mean_what_the_registry_says() {
        check(0x009C, Cipher::Aes128Gcm, None, Hash::Sha256);
        check(0x009F, Cipher::Aes256Gcm, None, Hash::Sha384);
        check(0xC02B, Cipher::Aes128Gcm, None, Hash::Sha256);
        check(0xC02C, Cipher::Aes256Gcm, None, Hash::Sha384);
        check(0xC02F, Cipher::Aes128Gcm, None, Hash::Sha256);
        check(0xC030, Cipher::Aes256Gcm, None, Hash::Sha384);
        check(0xC061, Cipher::Aria256Gcm, None, Hash::Sha384);
        check(0xC07A, Cipher::Camellia128Gcm, None, Hash::Sha256);
        check(0xC09D, Cipher::Aes256Ccm, None, Hash::Sha256);
        check(0xC0AE, Cipher::Aes128Ccm8, None, Hash::Sha256);
        check(0xCCA8, Cipher::ChaCha20Poly1305, None, Hash::Sha256);
        check(0xC028, Cipher::Aes256Cbc, Some(Hash::Sha384), Hash::Sha384);
        check(0xC027, Cipher::Aes128Cbc, Some(Hash::Sha256), Hash::Sha256);
        check(0x002F, Cipher::Aes128Cbc, Some(Hash::Sha1), Hash::Sha256);
        check(0x0005, Cipher::Rc4, Some(Hash::Sha1), Hash::Sha256);
        check(0x0007, Cipher::IdeaCbc, Some(Hash::Sha1), Hash::Sha256);
        check(0x000A, Cipher::TripleDesCbc, Some(Hash::Sha1), Hash::Sha256);
        check(0xC04D, Cipher::Aria256Cbc, Some(Hash::Sha384), Hash::Sha384);
        check(0x1302, Cipher::Aes256Gcm, None, Hash::Sha384);
        assert_eq!(suite(0x0003, false), None, "export");
    }
}
