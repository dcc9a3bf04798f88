//! Those who look like somebody else: stores that speak another's protocol, forged lines, proxies that pass lines on, names
//! that resemble.

use core::net::IpAddr;

use super::cases::{Fields, chain, get, sealed};
use super::{Known, Matcher, pack};
use crate::model::{Budget, Certificate, Exchange, Grade, Timestamp, Verdict};

/// What may be said: ids of operator and product, and the ids of all that matched.
fn judge(exchange: &Exchange) -> (Verdict, Vec<&'static str>) {
    let budget = Budget::default();
    let (ledger, verdict) = Matcher::new(&budget).judge(exchange, &Known::new(&budget));
    (verdict, ledger.iter().filter_map(|e| pack().signature(e.signature)).map(|s| s.id).collect())
}

fn who(verdict: &Verdict) -> (&'static str, &'static str) {
    (
        verdict.operator.and_then(|o| pack().provider(o.value)).map_or("none", |p| p.id),
        verdict.product.and_then(|p| pack().service(p.value)).map_or("none", |s| s.id),
    )
}

fn from(address: &str, host: &str, response: Fields<'_>) -> Exchange {
    let mut exchange = get("/", &[("Host", host)], response);
    exchange.server.ip = address.parse::<IpAddr>().expect("an address");
    exchange
}

/// Of no operator.
const NOWHERE: &str = "203.0.113.80";

/// Header lines that anybody can write: what the server says it is, and the operator and product that may be named for it.
const DRESSED_UP: &[(&str, Fields<'_>, (&str, &str))] = &[
    // MinIO sends S3's fields with numbers of S3's form, beside its own banner: the banner counts.
    (
        "MinIO",
        &[("Server", "MinIO"), ("X-Amz-Request-Id", "17D2A5E5C5A5B5C5"), ("X-Amz-Id-2", "dd9025bab4ad464b")],
        ("none", "minio"),
    ),
    ("MinIO without S3's fields", &[("Server", "MinIO Console")], ("none", "minio")),
    (
        "Ceph",
        &[
            ("x-amz-request-id", "tx00000ed37f765b5ca394c-00695ed264-1316e6c63-nyc3c"),
            ("x-rgw-object-type", "Normal"),
            ("Date", "Wed, 07 Jan 2026 21:38:44 GMT"),
        ],
        ("none", "ceph-rgw"),
    ),
    (
        "Ceph at another time",
        &[("x-amz-request-id", "tx00000ed37f765b5ca394c-00695ed264-1316e6c63-nyc3c")],
        ("none", "none"),
    ),
    (
        "Wasabi",
        &[("Server", "WasabiS3/7.10.1193"), ("x-amz-id-2", "abc"), ("x-amz-request-id", "0123456789ABCDEF:B")],
        ("wasabi", "s3"),
    ),
    (
        "Cleversafe",
        &[("Server", "Cleversafe/3.14"), ("x-amz-request-id", "5f1c7e02-0000-4000-8000-0000000000a1")],
        ("ibm-cloud", "cos"),
    ),
    (
        "Swift with its S3 door",
        &[
            ("x-trans-id", "tx7b3e2b88df2f4975a5476-005849e3e0"),
            ("x-amz-request-id", "tx7b3e2b88df2f4975a5476-005849e3e0"),
        ],
        ("none", "swift"),
    ),
    // An emulator of Azure's protocol: no store's banner, an ETag that is no time, a request id without the zeros.
    (
        "Azurite",
        &[
            ("Server", "Azurite-Blob/3.29.0"),
            ("x-ms-version", "2023-11-03"),
            ("x-ms-request-id", "5f1c7e02-0000-4000-8000-0000000000a1"),
            ("ETag", "\"0x1D2F5B8A3C\""),
            ("Last-Modified", "Wed, 07 Jan 2026 21:38:44 GMT"),
        ],
        ("microsoft-azure", "blob"),
    ),
    (
        "a forger with all of S3's lines",
        &[
            ("Server", "AmazonS3"),
            ("x-amz-id-2", "abc"),
            ("x-amz-request-id", "0123456789ABCDEF"),
            ("x-amz-version-id", "1"),
            ("x-amz-server-side-encryption", "AES256"),
        ],
        ("amazon-aws", "s3"),
    ),
    (
        "a proxy that passes S3's lines on",
        &[
            ("Server", "nginx"),
            ("x-amz-id-2", "abc"),
            ("x-amz-request-id", "0123456789ABCDEF"),
            ("Via", "1.1 squid.house (squid/5.7)"),
        ],
        ("amazon-aws", "s3"),
    ),
    (
        "a forger with Cloudflare's lines",
        &[("Server", "cloudflare"), ("CF-RAY", "8aaa000000000001-LAX"), ("Set-Cookie", "__cf_bm=1")],
        ("cloudflare", "cdn"),
    ),
    (
        "a forger with Akamai's lines",
        &[
            ("Server", "AkamaiGHost"),
            ("X-Cache", "TCP_HIT from a96-17-148-100.deploy.akamaitechnologies.com (AkamaiGHost/6.4.4-7666112) (-)"),
            ("X-Akamai-Request-ID", "1"),
            ("Akamai-GRN", "1"),
        ],
        ("akamai", "edge"),
    ),
    (
        "a forger with CloudFront's lines",
        &[
            ("Via", "1.1 abc.cloudfront.net (CloudFront)"),
            ("X-Cache", "Hit from cloudfront"),
            ("x-amz-cf-id", "1"),
            ("x-amz-cf-pop", "FRA50-P1"),
            ("Server", "AmazonS3"),
        ],
        ("amazon-aws", "cloudfront"),
    ),
    (
        "a forger with Google's lines",
        &[("Server", "UploadServer"), ("x-goog-generation", "1"), ("x-goog-hash", "crc32c=AAAAAA==")],
        ("google", "gcs"),
    ),
    ("a forger with Wasabi's lines", &[("Server", "WasabiS3/7"), ("x-wasabi-cm-reference-id", "1")], ("wasabi", "s3")),
    (
        "a forger with Apple's lines",
        &[
            ("Via", "1.1 uklon5-edge-bx-012.ts.apple.com (acdn/3.14), 1.1 proximus-x.ec.edge.apple (acdn/3)"),
            ("cdnuuid", "1"),
        ],
        ("apple", "apple-cdn"),
    ),
    // Closed in January 2025: in 2026 the line says nothing any more.
    ("Edgecast's line after its end", &[("Server", "ECAcc (nyb/1D2E)"), ("X-Cache", "HIT")], ("none", "none")),
];

#[test]
fn header_lines_alone_are_a_claim() {
    for (name, response, want) in DRESSED_UP {
        let (verdict, found) = judge(&from(NOWHERE, "files.example", response));
        assert_eq!(who(&verdict), *want, "{name}: {found:?}");
        let grades = [verdict.operator.map(|o| o.grade), verdict.product.map(|p| p.grade), verdict.grade];
        assert!(grades.into_iter().flatten().all(|g| g <= Grade::Suggests), "{name}: {grades:?} {found:?}");
        // Behind a proxy in the house they are worth the same; at an operator's address that operator has answered.
        let (verdict, _) = judge(&from("192.168.1.1", "files.example", response));
        assert!(verdict.grade.is_none_or(|g| g <= Grade::Suggests), "{name} at a private address");
        let (verdict, _) = judge(&from("104.16.0.1", "files.example", response));
        assert_eq!(who(&verdict).0, "cloudflare", "{name} at Cloudflare's address");
    }
}

#[test]
fn lines_that_only_resemble_match_nothing() {
    let cases: &[Fields<'_>] = &[
        &[("Server", "NotAmazonS3")],
        &[("Server", "AmazonS3 compatible")],
        &[("Server", "cloudflare-like")],
        &[("Server", "My CloudFront")],
        &[("Server", "Not Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/1.0")],
        &[("Server", "MyWasabiS3/7")],
        &[("Via", "1.1 abc.notbitgravity.com")],
        &[("Via", "1.1 Acquia Platform CDNs")],
        &[("X-Cache", "HIT from notcache.51cdn.com")],
        &[("X-Cache", "Hit from cloudfronts")],
        &[("www-authenticate", "Basic realm=\"XMac OS X Server Web Servicesx\"")],
        &[("x-instart-request-id", "reinstart")],
        &[("x-amz-id-3", "1")],
        &[("xx-amz-id-2", "1")],
        &[("x-note", "AmazonS3 cloudflare AkamaiGHost x-amz-id-2")],
    ];
    for response in cases {
        let (verdict, found) = judge(&from(NOWHERE, "files.example", response));
        let found: Vec<_> = found.into_iter().filter(|id| !matches!(*id, "generic-software.header-name.via")).collect();
        assert!(found.is_empty() && who(&verdict) == ("none", "none"), "{response:?}: {found:?}");
    }
}

#[test]
fn names_that_only_resemble_match_nothing() {
    let names = [
        "s3.amazonaws.com.evil.example",
        "bucket.s3.eu-west-1.amazonaws.com.evil.example",
        "s3-amazonaws.com",
        "amazonaws.com-cdn.example",
        "evilamazonaws.com",
        "d111111abcdef8.cloudfront.net.evil.example",
        "cloudfront-net.example",
        "acct.blob.core.windows.net.evil.example",
        "acct.blob.core.windows.net-cdn.example",
        "a-msedge.net.evil.example",
        "evil-msedge.net",
        "x.not-a-msedge.net",
        "waws-prod-am2-041.evil.example",
        "waws-prod-am2-041.cloudapp.net.evil.example",
        "e1.x.akamaiedge.net.evil.example",
        "xakamaiedge.net",
        "fakeicloud.com",
        "icloud.com.evil.example",
        "storage.googleapis.com.evil.example",
        "storagegoogleapis.com",
        "s3.wasabisys.com.evil.example",
        "github.io.evil.example",
        "xn--s3-amazonaws-com.example",
        "203.0.113.7",
    ];
    for name in names {
        let certificate = Some(certified(name));
        for exchange in [
            from(NOWHERE, name, &[]),
            sealed(name, None),
            sealed("files.example", certificate),
            chain(&[name]),
            chain(&["www.shop.example", name]),
        ] {
            let (verdict, found) = judge(&exchange);
            assert!(found.is_empty() && who(&verdict) == ("none", "none"), "{name}: {found:?}");
        }
    }
}

/// A certificate that anybody can have made for a name.
fn certified(name: &str) -> Certificate {
    Certificate {
        sha256: [1; 32],
        subject_cn: Some(name.to_owned()),
        subject_org: Some("Amazon Web Services Fan Club".to_owned()),
        names: vec![name.to_owned(), format!("*.{name}")],
        issuer_cn: None,
        issuer_org: Some("Not Amazon".to_owned()),
        not_before: Timestamp(0),
        not_after: Timestamp(0),
        der_len: 1_000,
    }
}
