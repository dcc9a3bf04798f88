//! The other readings, the strip and the attempts to break a verdict, on exchanges made for one point each.

use core::net::IpAddr;

use super::cases::{Fields, at, get};
use super::{Known, Matcher, challenges, hypotheses};
use crate::model::*;

/// 2026-09-01 00:00:00 UTC, as the made exchanges are.
const DATE: &str = "Tue, 01 Sep 2026 00:00:00 GMT";
const CLOUDFLARE: &str = "104.16.0.1";
const NOBODY: &str = "203.0.113.80";
/// 2026-09-01 in nanoseconds.
const NOW: i64 = 1_788_220_800_000_000_000;

fn judged(exchange: &Exchange) -> (Ledger, Verdict) {
    let budget = Budget::default();
    Matcher::new(&budget).judge(exchange, &Known::new(&budget))
}

fn from(address: &str, host: &str, response: Fields<'_>) -> Exchange {
    let mut exchange = get("/x", &[("Host", host)], response);
    exchange.server.ip = address.parse::<IpAddr>().expect("an address");
    exchange
}

#[track_caller]
fn reading(exchange: &Exchange, alternative: Alternative, want: Standing, why: &str) {
    let (ledger, verdict) = judged(exchange);
    let all = hypotheses(exchange, &ledger, &verdict);
    let found = all.iter().find(|h| h.alternative == alternative).expect("this reading applies");
    assert_eq!(found.standing, want, "{}", found.why);
    assert!(found.why.contains(why), "{}", found.why);
    assert_eq!(found.settled_by.is_none(), want == Standing::RuledOut);
    assert!(found.entries.iter().all(|n| usize::from(*n) < ledger.len()));
}

#[test]
fn clocks_and_dates_speak_of_an_edited_capture() {
    let ray = ("CF-RAY", "8aaa000000000001-LAX");
    let lines = [("Server", "cloudflare"), ray, ("Date", DATE)];
    let good = from(CLOUDFLARE, "shop.example", &lines);
    reading(&good, Alternative::H7, Standing::Weakened, "within 0 s");
    let late = at(good.clone(), Timestamp(NOW + 3 * 86_400 * 1_000_000_000));
    reading(&late, Alternative::H7, Standing::Open, "3 days away");
    let silent = from(CLOUDFLARE, "shop.example", &[("Server", "cloudflare")]);
    reading(&silent, Alternative::H7, Standing::Open, "No line tells a time");
    // A stored answer keeps the Date of its making.
    let stored = from(CLOUDFLARE, "shop.example", &[ray, ("Date", "Sun, 30 Aug 2026 00:00:00 GMT"), ("Age", "172800")]);
    reading(&stored, Alternative::H7, Standing::Weakened, "within 0 s");
}

#[test]
fn a_private_peer_or_no_range_leaves_the_middlebox_open() {
    let lines = [("Server", "cloudflare"), ("CF-RAY", "8aaa000000000001-LAX")];
    reading(&from("192.168.1.1", "shop.example", &lines), Alternative::H6, Standing::Open, "private");
    reading(&from(NOBODY, "shop.example", &lines), Alternative::H6, Standing::Open, "No address range");
    reading(&from(CLOUDFLARE, "shop.example", &lines), Alternative::H6, Standing::Weakened, "in the operator's range");
}

#[test]
fn an_edge_with_a_store_behind_it_is_not_the_first_partys_own() {
    let both =
        [("Server", "AmazonS3"), ("Via", "1.1 abc.cloudfront.net (CloudFront)"), ("X-Cache", "Miss from cloudfront")];
    let exchange = from("52.84.63.56", "img.example", &both);
    reading(&exchange, Alternative::H3, Standing::Open, "It fits");
    reading(&exchange, Alternative::H2, Standing::Weakened, "Behind the edge");
    let edge = from("52.84.63.56", "img.example", &[("X-Cache", "Hit from cloudfront")]);
    reading(&edge, Alternative::H2, Standing::Open, "no line tells what stands behind");
    reading(&edge, Alternative::H4, Standing::Open, "Nothing shows who put the bytes there");
    // H3 is open, so H1 cannot be ruled out.
    reading(&edge, Alternative::H1, Standing::Open, "No line of this exchange shows an object store");
}

#[test]
fn nothing_is_read_into_an_exchange_without_an_operator() {
    let exchange = from(NOBODY, "shop.example", &[("Server", "nginx")]);
    let (ledger, verdict) = judged(&exchange);
    assert!(hypotheses(&exchange, &ledger, &verdict).is_empty());
    assert!(challenges(&exchange, &ledger, &verdict).is_empty());
    assert!(WitnessKind::ALL.iter().all(|k| verdict.agreement.of(*k) != Stance::Agrees));
}

#[track_caller]
fn strip(exchange: &Exchange, kind: WitnessKind, want: Stance) {
    let (_, verdict) = judged(exchange);
    assert_eq!(verdict.agreement.of(kind), want, "{}", kind.word());
}

#[test]
fn the_strip_tells_each_kind_of_witness() {
    use WitnessKind as W;
    let elsewhere = from(CLOUDFLARE, "a.blob.core.windows.net", &[("Server", "cloudflare")]);
    strip(&elsewhere, W::Name, Stance::Conflicts);
    strip(&elsewhere, W::Address, Stance::Agrees);
    strip(&elsewhere, W::Headers, Stance::Agrees);
    strip(&elsewhere, W::Cname, Stance::NotObservable);
    strip(&elsewhere, W::Certificate, Stance::NotObservable);
    let (ledger, verdict) = judged(&elsewhere);
    let tried = challenges(&elsewhere, &ledger, &verdict);
    let name = tried.iter().find(|c| c.question.starts_with("Does the asked name")).expect("it is tried");
    assert_eq!((name.outcome, name.seen.as_str()), (Attempt::Broke, "the name points elsewhere"));
    // What the machine behind wrote says nothing of the one in front.
    let behind =
        from(CLOUDFLARE, "shop.example", &[("Server", "cloudflare"), ("x-amz-request-id", "SYNTH0000000000B")]);
    strip(&behind, W::Headers, Stance::Agrees);
    // A target that names another host than Host does.
    let mut proxied = get("http://other.example/x", &[("Host", "shop.example")], &[]);
    proxied.server.ip = CLOUDFLARE.parse().expect("an address");
    strip(&proxied, W::Names, Stance::Conflicts);
}

#[test]
fn a_signature_counts_only_where_it_was_accepted() {
    let signed = |host: &str, query: &str, status: u16| {
        let target = format!("/c/x?{query}");
        let mut exchange =
            get(&target, &[("Host", host)], &[("Server", "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0")]);
        exchange.server.ip = "20.60.128.36".parse().expect("an address");
        if let Detail::Http(http) = &mut exchange.detail
            && let Some(response) = &mut http.response
            && let StartLine::Status { code, .. } = &mut response.start
        {
            *code = status;
        }
        let (ledger, _) = judged(&exchange);
        ledger.iter().any(|e| e.group == Group::Custody)
    };
    let host = "photos.blob.core.windows.net";
    let good = "sv=2021-12-02&sr=b&sp=r&se=2026-09-02T00%3A00Z&sig=abc";
    assert!(signed(host, good, 200));
    assert!(!signed(host, good, 403));
    assert!(!signed(host, &good.replace("2026-09-02", "2026-08-01"), 200), "expired by the capture's clock");
}

/// An answer of that status with the start of its body.
fn refused(server: &str, status: u16, body: &[u8]) -> Exchange {
    let mut exchange = from(server, "files.example", &[("Server", "x")]);
    if let Detail::Http(http) = &mut exchange.detail
        && let Some(response) = &mut http.response
    {
        if let StartLine::Status { code, .. } = &mut response.start {
            *code = status;
        }
        let spans = vec![BlockSpan { at: 0, frame: FrameNo(2) }, BlockSpan { at: 60, frame: FrameNo(3) }];
        response.opening = Some(Box::new(Opening { block: body.to_vec(), spans }));
    }
    exchange
}

#[test]
fn error_documents_are_quoted_where_they_stand() {
    let found = |body: &[u8]| {
        let (ledger, verdict) = judged(&refused(NOBODY, 404, body));
        assert!(verdict.grade.is_none_or(|g| g <= Grade::Suggests), "a body is as easily written as a header");
        ledger.into_iter().find(|e| e.place.part == Part::Body)
    };
    let error = b"<Error>\n<Code>NoSuchKey</Code>\n<Message>gone</Message>\n<RequestId>4F2A</RequestId>\n<HostId>aB3</HostId></Error>";
    let entry = found(error).expect("the store's own form");
    assert!(entry.text.starts_with(b"<Code>NoSuchKey</Code>") && entry.text.ends_with(b"<HostId>"));
    assert_eq!(entry.place.frames.as_slice(), [FrameNo(2), FrameNo(3)]);
    assert!(found(b"<hr>Generated by cloudfront (CloudFront)\nRequest ID: x").is_some());
    assert!(found(b"<Error><Code>NoSuchKey</Code></Error>").is_none());
    assert!(found(b"Generated by cloudfront").is_none());
}

#[test]
fn a_tag_that_is_the_md5_of_what_came_is_arithmetic() {
    let tagged = |md5: [u8; 16], status: u16| {
        let mut exchange = from(NOBODY, "files.example", &[("ETag", "\"d41d8cd98f00b204e9800998ecf8427e\"")]);
        if let Detail::Http(http) = &mut exchange.detail
            && let Some(response) = &mut http.response
        {
            response.body.md5 = Some(md5);
            if let StartLine::Status { code, .. } = &mut response.start {
                *code = status;
            }
        }
        judged(&exchange).0.iter().any(|e| e.group == Group::Arithmetic)
    };
    let nothing = [0xd4, 0x1d, 0x8c, 0xd9, 0x8f, 0x00, 0xb2, 0x04, 0xe9, 0x80, 0x09, 0x98, 0xec, 0xf8, 0x42, 0x7e];
    assert!(tagged(nothing, 200));
    assert!(!tagged([0; 16], 200));
    assert!(!tagged(nothing, 206), "a part is not the object");
}
