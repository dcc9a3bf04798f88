//! Checks of numbers that look-alikes do not know to keep: each reads a value and compares it with something else that
//! the exchange shows.

use core::net::{IpAddr, Ipv4Addr};

use super::custody;
use super::dates::http_date;
use crate::model::{HttpMessage, Timestamp, hex};

/// What a check may compare with.
pub(super) struct Facts<'a> {
    /// The server's address.
    pub(super) peer: IpAddr,
    /// When the response came.
    pub(super) time: Timestamp,
    /// The Date field.
    pub(super) date: Option<&'a [u8]>,
    /// The Last-Modified field.
    pub(super) modified: Option<&'a [u8]>,
    /// MD5 of the object's bytes, where they are all there.
    pub(super) md5: Option<[u8; 16]>,
}

/// Seconds by which a server's Date and a time in one of its identifiers may differ.
const CLOCK: i64 = 120;
/// The same, compared with the capture's clock, which may be wrong by hours.
const CAPTURE_CLOCK: i64 = 86_400;
/// Ticks of 100 ns from 0001-01-01 to 1970-01-01.
const TICKS_TO_EPOCH: i64 = 621_355_968_000_000_000;

/// The MD5 that a message names: Content-MD5 (RFC 1864), else an entity tag of that form, as stores of the S3 kind give for
/// what was stored in one piece.
pub(super) fn named_md5(message: &HttpMessage) -> Option<[u8; 16]> {
    if let Some(field) = message.field("content-md5") {
        return custody::base64(field)?.try_into().ok();
    }
    let tag = message.field("etag")?;
    let digits = tag.strip_prefix(b"\"").and_then(|t| t.strip_suffix(b"\"")).unwrap_or(tag);
    let digits = str::from_utf8(digits).ok().filter(|d| d.len() == 32 && d.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u128::from_str_radix(digits, 16).ok().map(u128::to_be_bytes)
}

/// Whether `value` passes the check of that name.
pub(super) fn check(name: &str, value: &[u8], facts: &Facts<'_>) -> bool {
    let Ok(value) = str::from_utf8(value) else { return false };
    match name {
        "etag-ticks" => etag_ticks(value, facts),
        "akamai-grn" => akamai_grn(value, facts),
        "akamai-server-timing" => akamai_server_timing(value, facts),
        "alibaba-eagleid" => alibaba_eagleid(value, facts),
        "ceph-rgw-id" => ceph_rgw_id(value, facts),
        "swift-trans-id" => swift_trans_id(value, facts),
        "ovh-iplb" => ovh_iplb(value, facts),
        "s3-etag-md5" => facts.md5.is_some_and(|md5| value.trim_matches('"').eq_ignore_ascii_case(&hex(&md5))),
        _ => false,
    }
}

fn etag_ticks(value: &str, facts: &Facts<'_>) -> bool {
    let digits = value.trim_matches('"').strip_prefix("0x").filter(|d| d.len() == 15 && d.starts_with('8'));
    let ticks = digits.filter(|d| hex_upper(d)).and_then(|d| i64::from_str_radix(d, 16).ok());
    let modified = facts.modified.and_then(http_date);
    match (ticks, modified) {
        (Some(ticks), Some(modified)) => {
            let seconds = ticks.saturating_sub(TICKS_TO_EPOCH).div_euclid(10_000_000);
            seconds.abs_diff(modified) <= 1
        }
        _ => false,
    }
}

/// `0.<IPv4 as hex, bytes reversed>.<Unix seconds>.<hex>`
fn akamai_grn(value: &str, facts: &Facts<'_>) -> bool {
    let mut parts = value.split('.');
    let (Some("0"), Some(ip), Some(seconds), Some(id), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    ip.len() == 8
        && u32::from_str_radix(ip, 16).is_ok_and(|n| public(Ipv4Addr::from(n.swap_bytes())))
        && !id.is_empty()
        && id.bytes().all(|b| b.is_ascii_hexdigit())
        && seconds.parse().is_ok_and(|s| timely(s, facts))
}

/// `ak_p; desc="<Unix ms>_<IPv4 as number>_…"`
fn akamai_server_timing(value: &str, facts: &Facts<'_>) -> bool {
    let Some((_, rest)) = value.split_once("ak_p") else { return false };
    let Some((_, desc)) = rest.split_once("desc=") else { return false };
    let mut parts = desc.trim_start_matches('"').split('_');
    let (Some(millis), Some(ip)) = (parts.next(), parts.next()) else { return false };
    millis.parse::<i64>().is_ok_and(|ms| timely(ms / 1_000, facts))
        && ip.parse::<u32>().is_ok_and(|n| public(Ipv4Addr::from(n)))
}

/// Eight hexadecimal digits of IPv4, ten decimal digits of Unix time, milliseconds and a counter.
fn alibaba_eagleid(value: &str, facts: &Facts<'_>) -> bool {
    let (Some(ip), Some(seconds)) = (value.get(..8), value.get(8..18)) else { return false };
    value.bytes().all(|b| b.is_ascii_hexdigit())
        && u32::from_str_radix(ip, 16).is_ok_and(|n| public(Ipv4Addr::from(n)))
        && seconds.parse().is_ok_and(|s| timely(s, facts))
}

/// `tx<21 hex>-<10 hex Unix time>-<hex>-<zone>`
fn ceph_rgw_id(value: &str, facts: &Facts<'_>) -> bool {
    let mut parts = value.splitn(4, '-');
    let (Some(id), Some(seconds), Some(number), Some(zone)) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    transaction(id)
        && !zone.is_empty()
        && number.bytes().all(|b| b.is_ascii_hexdigit())
        && (8..=10).contains(&seconds.len())
        && i64::from_str_radix(seconds, 16).is_ok_and(|s| timely(s, facts))
}

/// `tx<21 hex>-<10 hex Unix time><cluster>`
fn swift_trans_id(value: &str, facts: &Facts<'_>) -> bool {
    let Some((id, rest)) = value.split_once('-') else { return false };
    transaction(id)
        && !rest.contains('-')
        && rest.get(..10).is_some_and(|s| i64::from_str_radix(s, 16).is_ok_and(|s| timely(s, facts)))
}

/// `<client>:<port>_<server>:<port>_<time>_…`, all hexadecimal; the server must be the peer of the connection.
fn ovh_iplb(value: &str, facts: &Facts<'_>) -> bool {
    let server = value.split('_').nth(1).and_then(|s| s.split(':').next());
    match (server.map(|s| u32::from_str_radix(s, 16)), facts.peer) {
        (Some(Ok(ip)), IpAddr::V4(peer)) => Ipv4Addr::from(ip) == peer,
        _ => false,
    }
}

fn transaction(id: &str) -> bool {
    id.strip_prefix("tx").is_some_and(|d| (20..=22).contains(&d.len()) && d.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn hex_upper(digits: &str) -> bool {
    digits.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b))
}

fn public(ip: Ipv4Addr) -> bool {
    !super::addresses::is_local(IpAddr::V4(ip))
}

/// Whether a Unix time agrees with the Date field, or without one with the capture's clock.
fn timely(seconds: i64, facts: &Facts<'_>) -> bool {
    match facts.date.and_then(http_date) {
        Some(date) => seconds.abs_diff(date) <= CLOCK.unsigned_abs(),
        None => seconds.abs_diff(facts.time.0.div_euclid(1_000_000_000)) <= CAPTURE_CLOCK.unsigned_abs(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::new(51, 91, 236, 255));

    #[track_caller]
    fn case(name: &str, value: &str, date: &str, modified: &str, want: bool) {
        let facts = Facts {
            peer: NOBODY,
            time: Timestamp(0),
            date: (!date.is_empty()).then_some(date.as_bytes()),
            modified: (!modified.is_empty()).then_some(modified.as_bytes()),
            md5: Some(MD5_OF_NOTHING),
        };
        assert_eq!(check(name, value.as_bytes(), &facts), want, "{name} {value}");
    }

    const MD5_OF_NOTHING: [u8; 16] =
        [0xd4, 0x1d, 0x8c, 0xd9, 0x8f, 0x00, 0xb2, 0x04, 0xe9, 0x80, 0x09, 0x98, 0xec, 0xf8, 0x42, 0x7e];

    #[test]
    fn a_tag_that_is_the_md5_of_the_body() {
        case("s3-etag-md5", "\"d41d8cd98f00b204e9800998ecf8427e\"", "", "", true);
        case("s3-etag-md5", "\"d41d8cd98f00b204e9800998ecf8427f\"", "", "", false);
        case("s3-etag-md5", "\"d41d8cd98f00b204e9800998ecf8427e-2\"", "", "", false);
    }

    #[test]
    fn published_examples_pass_and_others_do_not() {
        case("etag-ticks", "\"0x8DD91173E93C470\"", "", "Mon, 12 May 2025 05:38:37 GMT", true);
        case("etag-ticks", "0x8DB987EFCBC2F55", "", "Wed, 09 Aug 2023 02:18:57 GMT", true);
        case("etag-ticks", "0x8D4F94B2BE76D45", "", "Mon, 11 Sep 2017 19:27:42 GMT", true);
        case("etag-ticks", "\"0x8DD91173E93C470\"", "", "Mon, 12 May 2025 05:39:37 GMT", false);
        case("etag-ticks", "\"d41d8cd98f00b204e9800998ecf8427e\"", "", "Mon, 12 May 2025 05:38:37 GMT", false);
        case("akamai-grn", "0.27f41002.1781712004.83e72426", "Wed, 17 Jun 2026 16:00:04 GMT", "", true);
        case("akamai-grn", "0.27f41002.1781712004.83e72426", "Wed, 17 Jun 2020 16:00:04 GMT", "", false);
        case("akamai-grn", "0.0100000a.1781712004.83e72426", "Wed, 17 Jun 2026 16:00:04 GMT", "", false);
        case(
            "akamai-server-timing",
            "cdn-cache; desc=HIT, ak_p; desc=\"1755111819144_1978658896_1\";dur=1",
            "Wed, 13 Aug 2025 19:03:39 GMT",
            "",
            true,
        );
        case("alibaba-eagleid", "2ff62a9816831930809321638", "Thu, 04 May 2023 09:38:00 GMT", "", true);
        case("alibaba-eagleid", "2ff62a9816831930809321638", "Thu, 04 May 2017 09:38:00 GMT", "", false);
        case(
            "ceph-rgw-id",
            "tx00000ed37f765b5ca394c-00695ed264-1316e6c63-nyc3c",
            "Wed, 07 Jan 2026 21:38:44 GMT",
            "",
            true,
        );
        case("ceph-rgw-id", "TX1234567890ABCDEF", "Wed, 07 Jan 2026 21:38:44 GMT", "", false);
        case("swift-trans-id", "tx7b3e2b88df2f4975a5476-005849e3e0dfw1", "Thu, 08 Dec 2016 22:51:12 GMT", "", true);
        case("ovh-iplb", "0A000001:C350_335BECFF:0050_6A7DD8D0_1A2B:3C4D", "", "", true);
        case("ovh-iplb", "0A000001:C350_335BECFE:0050_6A7DD8D0_1A2B:3C4D", "", "", false);
        case("no-such-check", "x", "", "", false);
    }
}
