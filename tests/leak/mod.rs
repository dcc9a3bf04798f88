//! Secrets of sixty kinds are planted in a capture; after export none of them stands in any byte.

mod ocr;

use std::fs;
use std::path::Path;

use nephoscope::case::{Key, Plan, RedactionChoice};
use nephoscope::engine::{Source, detail};
use nephoscope::export::{BodySource, Listing, Pixels, Proof, Redactor, read_bundle, verify, write_har};
use nephoscope::model::Budget;

use super::wire::Pcap;
use super::{judged, open, with_excerpt};

/// Where a secret is planted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Query,
    Request,
    Response,
    RequestBody,
    ResponseBody,
}

/// A template in which `§` is the secret, and the secret.
fn plants() -> Vec<(At, &'static str, String)> {
    use At::*;
    let templates: [(At, &str); 64] = [
        (Query, "sig=§"),
        (Query, "signature=§"),
        (Query, "token=§"),
        (Query, "access_token=§"),
        (Query, "key=§"),
        (Query, "X-Amz-Signature=§"),
        (Query, "X-Amz-Security-Token=§"),
        (Query, "X-Goog-Signature=§"),
        (Query, "Policy=§"),
        (Query, "code=§"),
        (Query, "password=§"),
        (Query, "session=§"),
        (Query, "api_key=§"),
        (Query, "client_secret=§"),
        (Query, "refresh_token=§"),
        (Query, "id_token=§"),
        (Query, "next=https%3A%2F%2Fh.example%2F%3Fsig%3D§%26a%3D1"),
        (Query, "to=http://me:§@h.example/"),
        (Request, "Cookie: sid=§; other=1"),
        (Request, "Authorization: Bearer §"),
        (Request, "Proxy-Authorization: Digest response=§"),
        (Request, "X-Api-Key: §"),
        (Request, "X-Auth-Token: §"),
        (Request, "X-Csrf-Token: §"),
        (Request, "X-Amz-Security-Token: §"),
        (Request, "x-ms-encryption-key: §"),
        (Request, "Ocp-Apim-Subscription-Key: §"),
        (Request, "X-Session-Id: §"),
        (Request, "X-Client-Secret: §"),
        (Request, "x-functions-key: §"),
        (Request, "Referer: https://h.example/cb?code=§"),
        (Request, "X-Forwarded-Note: token=§"),
        (Request, "X-Debug: {\"password\":\"§\"}"),
        (Request, "X-Slack: xoxb-1234567890-§"),
        (Request, "X-Github: ghp_§abcdefghij"),
        (Request, "X-Google: AIzaSyA§bcdefghijklmnopqrst"),
        (Response, "Set-Cookie: id=§; Path=/; HttpOnly"),
        (Response, "Set-Cookie2: id2=§"),
        (Response, "Location: https://h.example/?access_token=§"),
        (Response, "X-Refresh-Token: §"),
        (Response, "Authentication-Info: nextnonce=§"),
        (Response, "Link: <https://u:§@h.example/>; rel=next"),
        (Response, "X-Connection: DefaultEndpointsProtocol=https;AccountKey=§0123456789abcdef"),
        (Response, "X-Stripe: sk_live_§abcdefghijk"),
        (RequestBody, "\"token\": \"§\","),
        (RequestBody, "\"password\":\"§\","),
        (RequestBody, "\"client_secret\" : '§',"),
        (RequestBody, "\"note\":\"{\\\"token\\\":\\\"§\\\"}\","),
        (RequestBody, "\"sessionId\":\"§\","),
        (RequestBody, "\"apiKey\":\"§\","),
        (RequestBody, "&password=§&"),
        (RequestBody, "name=\"password\"\r\n\r\n§\r\n"),
        (RequestBody, "\"url\":\"https://h.example/?sig=§&x=1\","),
        (RequestBody, "\"private_key\":\"-----BEGIN RSA PRIVATE KEY-----\\n§\\n-----END RSA PRIVATE KEY-----\","),
        (ResponseBody, "<Password>§</Password>"),
        (ResponseBody, "<SessionToken>§</SessionToken>"),
        (ResponseBody, "<SecretAccessKey>§</SecretAccessKey>"),
        (ResponseBody, "<key>authToken</key><string>§</string>"),
        (ResponseBody, "-----BEGIN PRIVATE KEY-----\n§\n-----END PRIVATE KEY-----"),
        (ResponseBody, "<a href=\"https://u:§@h.example/\">"),
        (ResponseBody, "<ns:Signature>§</ns:Signature>"),
        (ResponseBody, "Authorization: Bearer §"),
        (ResponseBody, "<ClientSecret><![CDATA[§]]></ClientSecret>"),
        (ResponseBody, "secret_key: §"),
    ];
    let mut plants: Vec<(At, &'static str, String)> = templates
        .into_iter()
        .enumerate()
        .map(|(n, (at, template))| (at, template, format!("Zq{n:02}vK7{}xW", n * 7_919 % 9_973)))
        .collect();
    plants.push((Request, "X-User: §", "ann.b.plant@mail.planted.example".to_owned()));
    plants.push((Query, "who=§", "carl%40post.planted.example".to_owned()));
    plants.push((ResponseBody, "§", "dora+x@web.planted.example".to_owned()));
    plants.push((Request, "X-Name: §", "Planted Person".to_owned()));
    plants.push((Query, "path=§", "planted_person".to_owned()));
    plants.push((Request, "X-Client-Ip: §", "192.168.77.23".to_owned()));
    plants.push((Response, "X-Real-Ip: §", "fd12:3456::77".to_owned()));
    plants.push((Request, "X-Jwt: §", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwbGFudGVkIn0.c2lnbmF0dXJlcGxhbnQ".to_owned()));
    // Known from elsewhere: the same secret where nothing tells that it is one, and in base64.
    let known = plants[2].2.clone();
    plants.push((Response, "X-Echo: §", known.clone()));
    plants.push((Response, "X-Packed: §", base64(format!("{{\"token\":\"{known}\"}}").as_bytes())));
    plants
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().enumerate().fold(0_u32, |n, (i, b)| n | u32::from(*b) << (16 - 8 * i));
        for i in 0..=chunk.len() {
            out.push(char::from(LETTERS[(bits >> (18 - 6 * i) & 63) as usize]));
        }
    }
    out
}

fn percent(bytes: &[u8]) -> String {
    let digits = nephoscope::model::hex(bytes).to_uppercase();
    digits.as_bytes().chunks(2).map(|pair| format!("%{}", String::from_utf8_lossy(pair))).collect::<Vec<_>>().concat()
}

fn capture(folder: &Path) -> std::path::PathBuf {
    let all = plants();
    let of = |at: At, between: &str| {
        let texts: Vec<String> = all.iter().filter(|p| p.0 == at).map(|p| p.1.replace('§', &p.2)).collect();
        texts.join(between)
    };
    let (request_body, response_body) = (of(At::RequestBody, "\n"), of(At::ResponseBody, "\n"));
    let request = format!(
        "PUT /container/photo?{} HTTP/1.1\r\nHost: planted.blob.core.windows.net\r\nx-ms-blob-type: BlockBlob\r\n{}\r\nContent-Length: {}\r\n\r\n{request_body}",
        of(At::Query, "&"),
        of(At::Request, "\r\n"),
        request_body.len(),
    );
    let response = format!(
        "HTTP/1.1 201 Created\r\nServer: Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0\r\nx-ms-request-id: 5f1c2a4e-0001-0002-0003-000000000000\r\nx-ms-version: 2009-09-19\r\n{}\r\nContent-Length: {}\r\n\r\n{response_body}",
        of(At::Response, "\r\n"),
        response_body.len(),
    );
    let mut pcap = Pcap::new();
    let mut connection = pcap.connect([50_123, 80]);
    pcap.send(&mut connection, 0, request.as_bytes());
    pcap.send(&mut connection, 1, response.as_bytes());
    let path = folder.join("planted_person.pcap");
    fs::write(&path, pcap.bytes).unwrap();
    path
}

/// A capture with an answer of more than a MiB.
pub(super) fn long_answer(folder: &Path) -> std::path::PathBuf {
    let mut pcap = Pcap::new();
    let mut connection = pcap.connect([50_123, 80]);
    pcap.send(&mut connection, 0, b"GET /a HTTP/1.1\r\nHost: planted.blob.core.windows.net\r\n\r\n");
    let head =
        "HTTP/1.1 200 OK\r\nServer: Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0\r\nContent-Length: 1200000\r\n\r\n";
    pcap.send(&mut connection, 1, &[head.as_bytes(), &vec![b'a'; 1_200_000]].concat());
    let path = folder.join("long.pcap");
    fs::write(&path, pcap.bytes).unwrap();
    path
}

#[test]
fn no_planted_secret_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let path = capture(folder.path());
    let snapshot = open(&path).unwrap();
    let rows = judged(&snapshot);
    assert_eq!(rows.len(), 1);
    let redaction = RedactionChoice { on: true, private_addresses: true, words: vec!["Planted Person".to_owned()] };
    let mut har = Vec::new();
    let budget = Budget::default();
    let source = BodySource { capture: (&path).into(), budget: &budget };
    let mut redactor = Redactor::new(&Key::of_capture(&[1; 32]), &redaction);
    let written = write_har(&Listing::all(&snapshot), Some(source), &mut redactor, &mut har).unwrap();
    assert_eq!((written.entries, written.unread), (1, 0));
    let title = format!("For ann.b.plant@mail.planted.example, {}", plants()[2].2);
    let plan = Plan { redaction, title, ..Plan::default() };
    let source = Source::File(path.clone());
    let mut proof = Proof::new(&snapshot, &source, &rows, &plan, &Key::of_capture(&[1; 32])).unwrap();
    let record = snapshot.record(rows[0]).unwrap();
    let bodies = detail(&path, &record, &snapshot, &Budget::default()).unwrap();
    let shown = proof.detail(&bodies);
    proof.picture(&Pixels { width: 2, height: 2, scale: 1, rgba: &[9; 16] }).unwrap();
    let stem = proof.file_stem();
    let bundle = read_bundle(&proof.bundle(&stem).unwrap()).unwrap();
    let files = [
        ("claim", bundle.claim.clone()),
        ("excerpt", bundle.excerpt.clone().unwrap()),
        ("readme", proof.readme().into_bytes()),
        ("file name", stem.into_bytes()),
        ("record", format!("{:?}", proof.shown).into_bytes()),
        ("record blocks", blocks(&proof)),
        ("HAR document", har),
        ("bodies", [shown.request_body.unwrap(), shown.response_body.unwrap()].concat()),
    ];
    let mut leaks = Vec::new();
    for (_, template, secret) in plants() {
        let secret = secret.as_bytes();
        let plain = String::from_utf8_lossy(secret).replace("%40", "@").into_bytes();
        let hex = nephoscope::model::hex(secret);
        let forms: [Vec<u8>; 6] = [
            secret.to_vec(),
            plain.clone(),
            base64(&plain).into_bytes(),
            hex.to_uppercase().into_bytes(),
            hex.into_bytes(),
            percent(&plain).into_bytes(),
        ];
        for (name, bytes) in &files {
            if forms.iter().any(|form| memchr::memmem::find(bytes, form).is_some()) {
                leaks.push(format!("{name}: {template}"));
            }
        }
    }
    // The private addresses in the packet headers, and the hardware's.
    let excerpt = &files[1].1;
    for bytes in [&[192, 168, 77, 24][..], &[0xaa, 0xbb, 0xcc, 0xdd, 0xee]] {
        if memchr::memmem::find(excerpt, bytes).is_some() {
            leaks.push(format!("excerpt: {bytes:?}"));
        }
    }
    assert_eq!(leaks, Vec::<String>::new());
    // What proves is still there, and can still be checked.
    let claim = String::from_utf8(bundle.claim).unwrap();
    for stays in ["planted.blob.core.windows.net", "5f1c2a4e-0001-0002-0003-000000000000", "Windows-Azure-Blob"] {
        assert!(claim.contains(stays), "{stays} was hidden");
    }
    let report = verify(&with_excerpt(&proof), None, None, &Budget::default());
    assert!(!report.fails() && report.callouts()[0] > 2, "{:#?}", report.items);
    let report = verify(&with_excerpt(&proof), Some(&path), None, &Budget::default());
    assert!(!report.fails(), "{:#?}", report.items);
}

/// The redacted heads as bytes.
fn blocks(proof: &Proof) -> Vec<u8> {
    use nephoscope::model::Detail;
    let mut out = Vec::new();
    for shown in &proof.shown {
        let Detail::Http(http) = &shown.record.exchange.detail else { continue };
        for message in http.request.iter().chain(&http.response) {
            out.extend_from_slice(&message.block);
        }
        for entry in &shown.record.ledger {
            out.extend_from_slice(&entry.text);
        }
    }
    out
}
