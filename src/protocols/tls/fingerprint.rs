//! JA3 (MD5 of the client's offers, by Salesforce, BSD-3-Clause) and JA4 for TLS clients (by FoxIO, BSD-3-Clause).
//! Both leave GREASE out. The other members of the JA4 family have another licence and are not here.

use core::fmt::Write as _;

use md5::{Digest as _, Md5};
use sha2::Sha256;

use super::handshake::{Offer, grease};
use crate::model::{TlsTransport, hex};

/// JA3: version, ciphers, extensions, groups and point formats as decimal numbers.
pub(super) fn ja3(offer: &Offer<'_>) -> [u8; 16] {
    Md5::digest(ja3_text(offer)).into()
}

fn ja3_text(offer: &Offer<'_>) -> String {
    let mut text = String::with_capacity(256);
    number_into(offer.legacy_version, &mut text);
    for list in [&offer.ciphers, &offer.extensions, &offer.groups] {
        let mut mark = ',';
        for value in list.iter().filter(|v| !grease(**v)) {
            text.push(mark);
            number_into(*value, &mut text);
            mark = '-';
        }
        if mark == ',' {
            text.push(',');
        }
    }
    let mut mark = ',';
    for value in offer.points {
        text.push(mark);
        number_into(u16::from(*value), &mut text);
        mark = '-';
    }
    if mark == ',' {
        text.push(',');
    }
    text
}

fn number_into(value: u16, text: &mut String) {
    // Writing to a String does not fail.
    write!(text, "{value}").unwrap_or_default();
}

/// JA4, as FoxIO's technical description has it: `t13d1516h2_8daaf6152771_e5627efa2ab1`.
pub(super) fn ja4(offer: &Offer<'_>, first_alpn: Option<&[u8]>, transport: TlsTransport) -> String {
    let carrier = match transport {
        TlsTransport::Tcp => 't',
        TlsTransport::Quic => 'q',
        TlsTransport::Dtls => 'd',
    };
    let version = match offer.highest_version(transport == TlsTransport::Dtls) {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        0xFEFF => "d1",
        0xFEFD => "d2",
        0xFEFC => "d3",
        _ => "00",
    };
    let mut ciphers: Vec<u16> = offer.ciphers.iter().copied().filter(|c| !grease(*c)).collect();
    let mut extensions: Vec<u16> = offer.extensions.iter().copied().filter(|e| !grease(*e)).collect();
    let name = if extensions.contains(&0) { 'd' } else { 'i' };
    let (cipher_count, extension_count) = (ciphers.len().min(99), extensions.len().min(99));
    let [first, last] = alpn_ends(first_alpn.unwrap_or_default());
    ciphers.sort_unstable();
    // The server name and the protocols are told in the first part already.
    extensions.retain(|e| !matches!(e, 0 | 16));
    extensions.sort_unstable();

    let mut list = String::with_capacity(256);
    list_into(&ciphers, &mut list);
    let second = short_hash(&list);
    list.clear();
    list_into(&extensions, &mut list);
    let signatures: Vec<u16> = offer.signatures.iter().copied().filter(|s| !grease(*s)).collect();
    if !signatures.is_empty() {
        list.push('_');
        list_into(&signatures, &mut list);
    }
    let third = short_hash(&list);
    format!("{carrier}{version}{name}{cipher_count:02}{extension_count:02}{first}{last}_{second}_{third}")
}

/// First and last character of the first protocol; of its hexadecimal form where either is no ASCII letter or digit.
fn alpn_ends(protocol: &[u8]) -> [char; 2] {
    let (Some(first), Some(last)) = (protocol.first(), protocol.last()) else { return ['0', '0'] };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return [char::from(*first), char::from(*last)];
    }
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    [digit(first >> 4), digit(last & 0x0F)]
}

/// Four hexadecimal digits each, with commas.
fn list_into(values: &[u16], text: &mut String) {
    for (i, value) in values.iter().enumerate() {
        if i > 0 {
            text.push(',');
        }
        for shift in [12, 8, 4, 0] {
            text.push(char::from_digit(u32::from(value >> shift & 0x0F), 16).unwrap_or('0'));
        }
    }
}

/// Twelve digits of the SHA-256; zeros for an empty list.
fn short_hash(list: &str) -> String {
    if list.is_empty() {
        return "000000000000".to_owned();
    }
    let digest: [u8; 32] = Sha256::digest(list).into();
    hex(digest.get(..6).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of FoxIO's description, GREASE added.
    fn example() -> Offer<'static> {
        let ciphers = [
            0x3A3A, 0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xC013, 0xC014, 0x009C,
            0x009D, 0x002F, 0x0035,
        ];
        let extensions = [
            0x1A1A, 0x001B, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002D, 0x000D, 0x0005, 0x0023, 0x0012, 0x002B,
            0xFF01, 0x000B, 0x000A, 0x0015,
        ];
        Offer {
            legacy_version: 0x0303,
            ciphers: ciphers.to_vec(),
            extensions: extensions.to_vec(),
            groups: vec![0x2A2A, 29, 23, 24],
            points: &[0],
            signatures: vec![0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601],
            versions: vec![0xEAEA, 0x0304, 0x0303],
            ..Offer::default()
        }
    }

    #[track_caller]
    fn check(change: impl Fn(&mut Offer<'static>), alpn: &[u8], transport: TlsTransport, want: &str) {
        let mut offer = example();
        change(&mut offer);
        assert_eq!(ja4(&offer, Some(alpn), transport), want);
    }

    #[test]
    fn ja4_of_the_published_examples() {
        check(|_| {}, b"h2", TlsTransport::Tcp, "t13d1516h2_8daaf6152771_e5627efa2ab1");
        check(|o| o.signatures.clear(), b"h2", TlsTransport::Quic, "q13d1516h2_8daaf6152771_6d807ffa2a79");
        check(
            |o| {
                o.ciphers.clear();
                o.extensions.clear();
                o.signatures.clear();
                o.versions = vec![0xFEFD, 0xFEFC];
            },
            b"",
            TlsTransport::Dtls,
            "dd3i000000_000000000000_000000000000",
        );
        check(|o| o.versions.clear(), b"http/1.1", TlsTransport::Tcp, "t12d1516h1_8daaf6152771_e5627efa2ab1");
    }

    #[test]
    fn alpn_ends_of_the_published_examples() {
        let ends = |bytes: &[u8]| alpn_ends(bytes).into_iter().collect::<String>();
        let cases: [(&[u8], &str); 8] = [
            (b"", "00"),
            (b"h", "hh"),
            (b"http/1.1", "h1"),
            (&[0xAB], "ab"),
            (&[0xAB, 0xCD], "ad"),
            (&[0x30, 0xAB], "3b"),
            (&[0x30, 0x31, 0xAB, 0xCD], "3d"),
            (&[0x30, 0xAB, 0xCD, 0x31], "01"),
        ];
        for (alpn, want) in cases {
            assert_eq!(ends(alpn), want, "{alpn:?}");
        }
    }

    #[test]
    fn ja3_of_the_published_examples() {
        // Both strings and digests stand in the description of JA3.
        let offer = Offer {
            legacy_version: 769,
            ciphers: vec![47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4],
            extensions: vec![0, 10, 11],
            groups: vec![23, 24, 25],
            points: &[0],
            ..Offer::default()
        };
        assert_eq!(ja3_text(&offer), "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0");
        assert_eq!(hex(&ja3(&offer)), "ada70206e40642a3e4461f35503241d5");
        let bare =
            Offer { legacy_version: 769, ciphers: vec![4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99], ..Offer::default() };
        assert_eq!(ja3_text(&bare), "769,4-5-10-9-100-98-3-6-19-18-99,,,");
        assert_eq!(hex(&ja3(&bare)), "de350869b8c85de67a350c8d186f11e6");
        assert_eq!(ja3_text(&example()).matches("2A2A").count(), 0);
    }
}
