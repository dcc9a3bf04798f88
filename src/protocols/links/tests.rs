use proptest::prelude::*;

use super::*;

const BASE: &str = "https://base.example/dir/page?x=1";
const FRAME: FrameNo = FrameNo(7);

fn scan(content_type: &str, body: &[u8]) -> Vec<Link> {
    pieces(content_type, &[body])
}

fn pieces(content_type: &str, pieces: &[&[u8]]) -> Vec<Link> {
    let mut out = Vec::new();
    let kind = Some(content_type.as_bytes()).filter(|kind| !kind.is_empty());
    let Some(mut scanner) = LinkScanner::new(kind) else { return out };
    scanner.set_base(Some(BASE.to_owned()));
    for piece in pieces {
        scanner.push(piece, FRAME, &mut out);
    }
    scanner.finish(&mut out);
    out
}

fn up_to_last(content_type: &str, [start, last]: [&[u8]; 2]) -> Vec<Link> {
    let mut out = Vec::new();
    let kind = Some(content_type.as_bytes()).filter(|kind| !kind.is_empty());
    let Some(mut scanner) = LinkScanner::new(kind) else { return out };
    scanner.set_base(Some(BASE.to_owned()));
    scanner.push(start, FRAME, &mut out);
    scanner.push_last(last, FRAME, &mut out);
    out
}

/// The links of a body, as `url (or the text of a bare token) | field | coding`; each must stand where it says.
#[track_caller]
fn check(content_type: &str, body: impl AsRef<[u8]>, want: &[&str]) {
    let body = body.as_ref();
    let links = scan(content_type, body);
    let have: Vec<String> = links
        .iter()
        .map(|link| {
            let text = String::from_utf8_lossy(&link.text);
            let name = if link.url.is_empty() { &text } else { link.url.as_ref() };
            format!("{name} | {} | {:?}", link.field, link.coding)
        })
        .collect();
    assert_eq!(have, want);
    for link in &links {
        let from = usize::try_from(link.offset).unwrap();
        assert_eq!(body.get(from..from + link.text.len()), Some(&*link.text), "text stands at its offset");
        assert!(link.text.len() <= MAX_LINK && link.field.len() <= 64);
        assert_eq!(link.frame, FRAME);
    }
    let bytes: Vec<&[u8]> = body.chunks(1).collect();
    assert_eq!(pieces(content_type, &bytes), links, "byte by byte");
    let (start, last) = body.split_at(body.len() / 2);
    for pieces in [[b"".as_slice(), body], [start, last]] {
        assert_eq!(up_to_last(content_type, pieces), links, "with a known end");
    }
}

#[test]
fn text_names_urls() {
    check(
        "text/plain",
        "See http://a.example/x(1), (https://b.example/y) and HTTPS://C.Example:443/Z. \"ws://d.example\" <wss://e.example/q?a=1#f>!",
        &[
            "http://a.example/x(1) |  | Plain",
            "https://b.example/y |  | Plain",
            "https://c.example/Z |  | Plain",
            "ws://d.example/ |  | Plain",
            "wss://e.example/q?a=1 |  | Plain",
        ],
    );
}

#[test]
fn what_only_looks_like_a_url_is_none() {
    for text in [
        "httpfoo",
        "http:/x",
        "http://",
        "http:// x",
        "xhttp://a.example/",
        "http://$host/",
        "http://{host}/",
        "ftp://a.example/",
        "http://a.example:99999/",
        "http%3A%2Fx",
        "aHR0c",
        "eyJ",
        "https://.",
    ] {
        check("text/plain", text, &[]);
    }
}

#[test]
fn prose_in_other_scripts_closes_a_url() {
    check("text/plain", "見て「https://a.example/b」と", &["https://a.example/b |  | Plain"]);
}

#[test]
fn lines_and_forms_name_their_values() {
    check("text/plain", "a: 1\nurl: http://a.example/\n", &["http://a.example/ | url | Plain"]);
    check(
        "application/x-www-form-urlencoded",
        "a=1&next=https%3A%2F%2Fa.example%2Fb%3Fc%3Dd%2526&e=2",
        &["https://a.example/b?c=d%26 | next | Percent"],
    );
}

#[test]
fn json_names_urls_by_their_keys() {
    check(
        "application/json",
        r#"{"a" : "http:\/\/a.example\/x?b=1\u0026c\u003d2","urls":["https://b.example/1","https:\/\/c.example/2" , "http://d.example/3"],"n":{"k":[{"z":1},"http://e.example/"]},"t":"see http://f.example/. \nhttp://g.example/x"}"#,
        &[
            "http://a.example/x?b=1&c=2 | a | Escaped",
            "https://b.example/1 | urls | Plain",
            "https://c.example/2 | urls | Escaped",
            "http://d.example/3 | urls | Plain",
            "http://e.example/ | k | Plain",
            "http://f.example/ | t | Plain",
            "http://g.example/x | t | Plain",
        ],
    );
}

#[test]
fn long_arrays_keep_their_key() {
    let tail = "p/".repeat(150);
    let one = format!("\"https://a.example/{tail}\"");
    let body = format!("{{\"list\":[{one},{one} , {one}]}}");
    let want = format!("https://a.example/{tail} | list | Plain");
    check("application/json", body, &[&want, &want, &want]);
}

#[test]
fn a_json_string_is_its_url_to_the_quote() {
    check("application/json", r#"{"u":"http://a.example/wait!)"}"#, &["http://a.example/wait!) | u | Plain"]);
    check(
        "application/json",
        r#"{"art":"https://a.example/{w}x{h}.jpg"}"#,
        &["https://a.example/%7Bw%7Dx%7Bh%7D.jpg | art | Plain"],
    );
}

#[test]
fn json_and_markup_inside_json_are_read() {
    check(
        "application/json",
        r#"{"s":"{\"url\":\"https:\\/\\/a.example\\/b\"}","h":"<a href=\"http://c.example/?d=1&amp;e=2\">"}"#,
        &["https://a.example/b | url | Escaped", "http://c.example/?d=1&e=2 | href | Escaped"],
    );
}

#[test]
fn bare_tokens_are_reported() {
    check(
        "application/json",
        r#"{"host":"a.example","path":"/b/Q1w2E3r4T5y6U7i8O9p0","id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","key01ARZ3NDEKTSV4RRFFQ69G5FAV":1,"slug":"my-long-article-title-2024","x":"\/Q1w2E3r4T5y6U7i8O9p0","cdn":"//c.example/y"}"#,
        &[
            "/b/Q1w2E3r4T5y6U7i8O9p0 | path | Plain",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV | id | Plain",
            "\\/Q1w2E3r4T5y6U7i8O9p0 | x | Escaped",
            "https://c.example/y | cdn | Plain",
        ],
    );
    check("text/xml", "<r><id>01ARZ3NDEKTSV4RRFFQ69G5FAV</id></r>", &["01ARZ3NDEKTSV4RRFFQ69G5FAV | <id> | Plain"]);
}

#[test]
fn html_attributes_name_urls() {
    check(
        "text/html; charset=utf-8",
        r##"<!DOCTYPE html PUBLIC "-//W3C//DTD" "http://www.w3.org/dtd"><html xmlns="http://www.w3.org/1999/xhtml">
<A HREF=" /abs?a=1&amp;b=2#f ">x</A><img src=rel.png srcset="a.png 1x, //c.example/b.png 2x" alt="http://alt.example/">
<a href="#top"></a><a href="javascript:go('http://j.example/')"></a><a href='mailto:a@b.example'></a>
<meta http-equiv=refresh content="5; url=next.html"><div data-x='{&quot;u&quot;:&quot;https://d.example/?a=1&amp;b=2&quot;}' style="background:url(../bg.png)"></div>
<form action="https&#58;//no.example/" method=post><video poster=https://v.example/p.jpg data-src="lazy"></video>"##,
        &[
            "https://base.example/abs?a=1&b=2 | a href | Escaped",
            "https://base.example/dir/rel.png | img src | Plain",
            "https://base.example/dir/a.png | img srcset | Plain",
            "https://c.example/b.png | img srcset | Plain",
            "http://alt.example/ | img alt | Plain",
            "http://j.example/ | a href | Plain",
            "https://base.example/dir/next.html | meta content | Plain",
            "https://d.example/?a=1&b=2 | div data-x | Escaped",
            "https://base.example/bg.png | div style | Plain",
            "https://no.example/ | form action | Escaped",
            "https://v.example/p.jpg | video poster | Plain",
            "https://base.example/dir/lazy | video data-src | Plain",
        ],
    );
}

#[test]
fn the_base_element_changes_the_base() {
    check(
        "text/html",
        "<base href=/other/><base href=/no/><a href=x>",
        &[
            "https://base.example/other/ | base href | Plain",
            "https://base.example/no/ | base href | Plain",
            "https://base.example/other/x | a href | Plain",
        ],
    );
}

#[test]
fn scripts_comments_and_text_of_html_are_searched() {
    check(
        "text/html",
        r#"<script>var a={"u":"https:\/\/a.example\/<b>","v":"<a href='/no'>"}; c = "http://c.example/";</script><!-- <a href="http://d.example/"> --><p>at https://e.example/f?g=1&amp;h.</p><style>@import url( "s.css" );</style><a href="https:&#x2F;&#x2F;m.example&#x2F;">"#,
        &[
            "https://a.example/ | u | Escaped",
            "http://c.example/ | c | Plain",
            "http://d.example/ | comment | Plain",
            "https://e.example/f?g=1&h | p | Escaped",
            "https://base.example/dir/s.css | style | Plain",
            "https://m.example/ | a href | Escaped",
        ],
    );
}

#[test]
fn xml_names_urls() {
    check(
        "application/xml",
        r#"<?xml version="1.0"?><!DOCTYPE r SYSTEM "http://dtd.example/r.dtd" [<!ENTITY e "http://ent.example/">]><r xmlns="http://ns.example/" xmlns:a="http://ns.example/a"><Location>https://a.example/b?c=1&amp;d=(2).</Location><e url="http://f.example/&#x26;"/><![CDATA[http://g.example/&amp;]]><D:href>/dav/x%20y</D:href><p href="rel"/></r>"#,
        &[
            "https://a.example/b?c=1&d=(2). | <Location> | Escaped",
            "http://f.example/& | e url | Escaped",
            "http://g.example/&amp | <e> | Plain",
            "https://base.example/dav/x%20y | <D:href> | Plain",
        ],
    );
}

#[test]
fn xml_property_lists_name_urls_by_key() {
    check(
        "",
        "<?xml version=\"1.0\"?><plist><dict><key>url</key>\n<string>http://a.example/</string><key>urls</key><array><string>http://b.example/1</string><string>http://b.example/2</string></array></dict></plist>",
        &["http://a.example/ | url | Plain", "http://b.example/1 | urls | Plain", "http://b.example/2 | urls | Plain"],
    );
}

/// A binary property list of a dictionary with these keys and texts, `list` an array of the last two.
fn binary_list() -> Vec<u8> {
    let long = format!("https://b.example/{}", "x".repeat(300));
    let mut objects: Vec<Vec<u8>> = vec![vec![0xD4, 1, 2, 3, 4, 5, 6, 7, 8]];
    let ascii = |text: &str| {
        let mut object = match text.len() {
            len @ 0..15 => vec![0x50 | u8::try_from(len).unwrap()],
            len @ 15..256 => vec![0x5F, 0x10, u8::try_from(len).unwrap()],
            len => vec![0x5F, 0x11, u8::try_from(len >> 8).unwrap(), u8::try_from(len & 255).unwrap()],
        };
        object.extend_from_slice(text.as_bytes());
        object
    };
    let utf16 = |text: &str| {
        let mut object = vec![0x6F, 0x10, u8::try_from(text.encode_utf16().count()).unwrap()];
        object.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
        object
    };
    for key in ["url", "long", "wide", "list"] {
        objects.push(ascii(key));
    }
    objects.push(ascii("http://a.example/x"));
    objects.push(ascii(&long));
    objects.push(utf16("http://w.example/\u{E9}"));
    objects.push(vec![0xA2, 9, 10]);
    objects.push(ascii("ws://s.co/1"));
    objects.push(ascii("01ARZ3NDEKTSV4RRFFQ69G5FAV"));
    let mut list = b"bplist00".to_vec();
    let mut table = Vec::new();
    for object in &objects {
        table.extend(u16::try_from(list.len()).unwrap().to_be_bytes());
        list.extend_from_slice(object);
    }
    let table_at = u64::try_from(list.len()).unwrap();
    list.extend_from_slice(&table);
    list.extend_from_slice(&[0, 0, 0, 0, 0, 0, 2, 1]);
    for number in [u64::try_from(objects.len()).unwrap(), 0, table_at] {
        list.extend_from_slice(&number.to_be_bytes());
    }
    list
}

#[test]
fn binary_property_lists_name_urls_by_key() {
    let long = format!("https://b.example/{} | long | Plain", "x".repeat(300));
    check(
        "application/octet-stream",
        binary_list(),
        &[
            "http://a.example/x | url | Plain",
            &long,
            "http://w.example/%C3%A9 | wide | Plain",
            "ws://s.co/1 | list | Plain",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV | list | Plain",
        ],
    );
}

#[test]
fn a_property_list_without_its_end_is_read_by_its_markers() {
    let mut list = binary_list();
    list.truncate(list.len() - 10);
    let long = format!("https://b.example/{} |  | Plain", "x".repeat(300));
    check(
        "",
        list,
        &["http://a.example/x |  | Plain", &long, "http://w.example/%C3%A9 |  | Plain", "ws://s.co/1 |  | Plain"],
    );
}

#[test]
fn a_property_list_too_long_to_hold_is_read_by_its_markers() {
    let mut list = binary_list();
    list.resize(MAX_PLIST + 10, 0);
    list.extend_from_slice(b"\x5F\x10\x10http://z.example_\x10");
    assert_eq!(scan("", &list).len(), 5);
    let bytes: Vec<&[u8]> = list.chunks(1000).collect();
    assert_eq!(pieces("", &bytes), scan("", &list));
}

#[test]
fn urls_inside_urls_are_read_once() {
    check(
        "text/plain",
        "http://a.example/?u=https%3A%2F%2Fb.example%2F%3Fv%3D1&w=http://c.example/http://d.example/",
        &[
            "http://a.example/?u=https%3A%2F%2Fb.example%2F%3Fv%3D1&w=http://c.example/http://d.example/ |  | Plain",
            "https://b.example/?v=1 | u | Percent",
            "http://c.example/http://d.example/ | w | Plain",
        ],
    );
}

/// Base64 (RFC 4648 section 4) without padding.
fn base64(text: &str) -> String {
    const SYMBOLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for part in text.as_bytes().chunks(3) {
        let byte = |index: usize| u32::from(part.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for symbol in 0..=part.len() {
            let index = usize::try_from(bits >> (18 - 6 * symbol) & 63).unwrap();
            out.push(char::from(SYMBOLS[index]));
        }
    }
    out
}

#[test]
fn base64_is_undone_once() {
    let url = base64("https://a.example/?b=~~~???c");
    let json = base64(&format!(r#"{{"url":"https://b.example/c","in":"{url}"}}"#));
    let safe = url.replace('+', "-").replace('/', "_");
    let body = format!(r#"{{"a":"{url}==","b":"x.{json}.y","c":"{}","d":"/p/{safe}/q"}}"#, url.replace('/', "\\/"));
    let links = scan("application/json", body.as_bytes());
    let have: Vec<(&str, &str)> = links.iter().map(|link| (&*link.url, &*link.field)).collect();
    let one = "https://a.example/?b=~~~???c";
    assert!(url.contains('+') && url.contains('/'), "both symbols in which the alphabets differ");
    assert_eq!(have, [(one, "a"), ("https://b.example/c", "url"), (one, "c"), ("", "d"), (one, "d")]);
    assert!(links.iter().all(|link| link.url.is_empty() || link.coding == LinkCoding::Base64));
    for link in &links {
        assert_eq!(&body.as_bytes()[usize::try_from(link.offset).unwrap()..][..link.text.len()], &*link.text);
    }
}

#[test]
fn long_base64_json_is_waited_for() {
    let json = base64(&format!(r#"{{"pad":"{}","url":"https://b.example/c"}}"#, " ".repeat(30_000)));
    check("text/plain", format!("t={json} "), &["https://b.example/c | url | Base64"]);
    let too_long = base64(&format!(r#"{{"pad":"{}","url":"https://b.example/c"}}"#, " ".repeat(60_000)));
    check("text/plain", format!("t={too_long} "), &[]);
}

#[test]
fn forms_are_told_by_type_or_first_bytes() {
    let json = br#" {"u":"http://a.example/"}"#;
    for kind in
        ["application/json", "application/vnd.api+json", "", "application/octet-stream", "text/plain", "text/html", "x"]
    {
        assert_eq!(scan(kind, json).first().map(|link| link.form), Some(LinkForm::Json), "{kind}");
    }
    let plist = b"<plist><dict><key>u</key><string>http://a.example/</string></dict></plist>";
    for kind in ["application/json", "application/xml", "application/x-apple-plist", "", "text/plain"] {
        assert_eq!(scan(kind, plist).first().map(|link| link.form), Some(LinkForm::Xml), "{kind}");
    }
    for kind in ["image/png", "video/mp4", "font/woff2", "application/zip"] {
        assert!(LinkScanner::new(Some(kind.as_bytes())).is_none(), "{kind}");
    }
    assert_eq!(scan("image/svg+xml", b"<svg><a href='http://a.example/'/></svg>").len(), 1);
    assert_eq!(scan("", b"\x01\x00\x02\x04 http://a.example/ ").len(), 0, "no text");
}

#[test]
fn a_hole_cuts_what_it_cuts_and_no_more() {
    let mut out = Vec::new();
    let mut scanner = LinkScanner::new(Some(b"application/json")).unwrap();
    scanner.push(br#"{"a":"http://a.example/1","b":"http://b.example/2"#, FrameNo(1), &mut out);
    scanner.gap(100, &mut out);
    scanner.push(br#"3","c":"http://c.example/"}"#, FrameNo(2), &mut out);
    scanner.finish(&mut out);
    let have: Vec<(&str, u64, u32)> = out.iter().map(|link| (&*link.url, link.offset, link.frame.0)).collect();
    assert_eq!(have, [("http://a.example/1", 6, 1), ("http://c.example/", 157, 2)]);
}

#[test]
fn each_link_knows_the_frame_of_its_first_byte() {
    let mut out = Vec::new();
    let mut scanner = LinkScanner::new(Some(b"text/plain")).unwrap();
    for (piece, frame) in [("http://a.exa", 1), ("mple/ htt", 2), ("p://b.example/", 3), (" http://c.example/", 4)] {
        scanner.push(piece.as_bytes(), FrameNo(frame), &mut out);
    }
    scanner.finish(&mut out);
    assert_eq!(out.iter().map(|link| link.frame.0).collect::<Vec<_>>(), [1, 2, 4]);
}

#[test]
fn limits_are_told() {
    let mut out = Vec::new();
    let mut scanner = LinkScanner::new(Some(b"text/plain")).unwrap();
    let body = "http://a.example/ ".repeat(MAX_LINKS + 5);
    scanner.push(body.as_bytes(), FRAME, &mut out);
    scanner.finish(&mut out);
    assert_eq!((out.len(), scanner.limited(), scanner.left_out()), (MAX_LINKS, true, 5));
    let long = format!("http://a.example/{} http://b.example/", "x".repeat(MAX_LINK));
    check("text/plain", long, &["http://b.example/ |  | Plain"]);
}

#[track_caller]
fn check_header(name: &str, value: &str, want: &[&str]) {
    let mut out = Vec::new();
    header_links(name.as_bytes(), value.as_bytes(), Some(BASE), FRAME, &mut out);
    let have: Vec<&str> = out.iter().map(|link| &*link.url).collect();
    assert_eq!(have, want);
    for link in &out {
        let from = usize::try_from(link.offset).unwrap();
        assert_eq!(value.as_bytes().get(from..from + link.text.len()), Some(&*link.text));
        assert_eq!((&*link.field, link.form), (name, LinkForm::Header));
    }
}

#[test]
fn header_fields_hand_out_urls() {
    check_header("Location", " HTTP://A.example/x#y", &["http://a.example/x"]);
    check_header(
        "location",
        "../z?u=https%3A%2F%2Fb.example%2F",
        &["https://base.example/z?u=https%3A%2F%2Fb.example%2F", "https://b.example/"],
    );
    check_header("Content-Location", "//c.example", &["https://c.example/"]);
    check_header(
        "Link",
        r#"</a>; rel="x, <no>"; title="\"<no>", <https://d.example/?a,b>; rel=next"#,
        &["https://base.example/a", "https://d.example/?a,b"],
    );
    check_header("Refresh", "5; URL='/r'", &["https://base.example/r"]);
    check_header("Refresh", "5", &[]);
    check_header("Access-Control-Allow-Origin", "https://e.example", &[]);
}

#[track_caller]
fn check_url(scheme: &str, host: &str, target: &str, want: Option<&str>) {
    assert_eq!(normal_url(scheme, host.as_bytes(), target.as_bytes()).as_deref(), want);
}

#[test]
fn requests_and_links_share_a_normal_form() {
    check_url("https", "A.Example:443", "/%7ex/../b%2f?q={1}#f", Some("https://a.example/b%2F?q=%7B1%7D"));
    check_url("http", "a.example:8080", "/", Some("http://a.example:8080/"));
    check_url("http", "proxy", "http://a.example", Some("http://a.example/"));
    check_url("http", "[2001:DB8::1]:80", "/a/./b/..", Some("http://[2001:db8::1]/a/"));
    check_url("https", "a.example", "*", None);
    check_url("https", "a.example", "a.example:443", None);
    check_url("https", "", "/", None);
    check_url("https", "a b", "/", None);
    check_url("ftp", "a.example", "/", None);
}

#[test]
fn references_are_resolved_as_the_rfc_says() {
    // RFC 3986 section 5.4.
    for (reference, want) in [
        ("g", "http://a/b/c/g"),
        ("./g", "http://a/b/c/g"),
        ("g/", "http://a/b/c/g/"),
        ("/g", "http://a/g"),
        ("//g", "http://g/"),
        ("?y", "http://a/b/c/d;p?y"),
        ("g?y#s", "http://a/b/c/g?y"),
        (";x", "http://a/b/c/;x"),
        (".", "http://a/b/c/"),
        ("..", "http://a/b/"),
        ("../..", "http://a/"),
        ("../../../g", "http://a/g"),
        ("/./g", "http://a/g"),
        ("g;x=1/../y", "http://a/b/c/y"),
        ("g?y/../x", "http://a/b/c/g?y/../x"),
    ] {
        assert_eq!(
            url::resolve(Some("http://a/b/c/d;p?q"), reference.as_bytes()).as_deref(),
            Some(want),
            "{reference}"
        );
    }
}

#[test]
fn keys_are_stable() {
    let one = keys("https://a.example/x/Q1w2E3r4T5y6U7i8O9p0.jpg?sig=1").unwrap();
    let other = keys("wss://a.example/x/Q1w2E3r4T5y6U7i8O9p0.jpg?sig=2").unwrap();
    assert_ne!(one.exact, other.exact);
    assert_eq!((one.host_path, &one.tokens), (other.host_path, &other.tokens));
    assert_eq!(one.tokens, token_keys(b"Q1w2E3r4T5y6U7i8O9p0"));
    assert_eq!(keys("ws://a.example/").unwrap().exact, keys("http://a.example/").unwrap().exact);
    assert_eq!(keys("http://a.example/").unwrap().exact, 5_945_306_466_534_417_328, "equal between runs and machines");
    assert_eq!(keys(""), None);
    for word in ["iphone4s-review-2011", "internationalization", "20111103_123456_photo", "12345678901234567890"] {
        assert!(token_keys(word.as_bytes()).is_empty(), "{word}");
    }
    assert_eq!(token_keys(b"550e8400-e29b-41d4-a716-446655440000").len(), 1);
}

#[track_caller]
fn check_hostile(one: &str) {
    let body = one.repeat((1 << 20) / one.len());
    for kind in ["text/html", "application/json", "text/xml", "text/css", "text/plain"] {
        let links = scan(kind, body.as_bytes());
        assert!(links.len() <= MAX_LINKS + MAX_BARE);
    }
    scan("", format!("bplist00{body}").as_bytes());
}

#[test]
fn hostile_bodies_take_time_in_step_with_their_length() {
    for one in [
        "<",
        "http",
        "http://",
        "http://$",
        "\"",
        "[\"",
        "[[[[",
        "((((http://(",
        "<a ",
        "<a b='",
        "&",
        "&#",
        "%3A",
        "http%3A%2F%2F",
        "aHR0c",
        "aHR0cHM6",
        " eyJ",
        "eyJ",
        "eyJ.",
        "\\",
        ":\\",
        "url(",
        "<!--",
        "<![CDATA[",
        "]]",
        "\"http://a.example/\",",
        "<script>",
        "<a href=",
        "<a srcset=\"a,",
        "5F\x10",
        "_\x10\x10http://",
        "<key>",
        "=",
        "\"01ARZ3NDEKTSV4RRFFQ69G5FAV\",",
    ] {
        check_hostile(one);
    }
}

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        "http://a.example/b",
        "https:\\/\\/c.example\\/d",
        "https%3A%2F%2Fe.example%2F",
        "aHR0cHM6Ly9hLmV4YW1wbGUv",
        "eyJhIjoiaHR0cDovL2EuZXhhbXBsZS9iIn0",
        "\"",
        "'",
        "<a href=",
        "<img srcset=\"",
        ">",
        "<",
        "</",
        "<!--",
        "-->",
        "<script>",
        "</script>",
        "&amp;",
        "&quot;",
        "\\u0026",
        "\\",
        "{\"k\":",
        "[",
        "]",
        ",",
        "}",
        " ",
        "\n",
        "(",
        ")",
        ".",
        "=",
        "x",
        "/",
        "//h.example/",
        "<key>k</key><string>",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "url(",
        "<![CDATA[",
        "]]>",
        "_\x10\x12",
        "\0h\0t\0t\0p\0:\0/\0/\0a",
        "\u{e9}",
        ":",
    ]);
    prop::collection::vec((words, prop_oneof![9 => 1_usize..4, 1 => 100_usize..3000]), 1..40).prop_map(|parts| {
        parts.into_iter().flat_map(|(word, times)| word.repeat(times.min(12_000 / word.len())).into_bytes()).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_cut_gives_the_same_links(
        body in bodies(),
        kind in prop::sample::select(vec!["text/html", "application/json", "text/xml", "text/css", "text/plain", "bplist"]),
        cuts in prop::collection::vec(1_usize..9000, 1..12),
    ) {
        let (kind, body) = if kind == "bplist" { ("", [b"bplist00".as_slice(), &body].concat()) } else { (kind, body) };
        let mut rest = body.as_slice();
        let mut parts = Vec::new();
        for cut in cuts {
            let (head, tail) = rest.split_at(cut.min(rest.len()));
            parts.push(head);
            rest = tail;
        }
        parts.push(rest);
        let whole = scan(kind, &body);
        prop_assert_eq!(&pieces(kind, &parts), &whole);
        for link in whole {
            let from = usize::try_from(link.offset).unwrap();
            prop_assert_eq!(body.get(from..from + link.text.len()), Some(&*link.text));
        }
    }

    #[test]
    fn nothing_panics(body in prop::collection::vec(any::<u8>(), 0..2000), hole in 0_usize..2000) {
        for kind in ["text/html", "application/json", "text/xml", ""] {
            let mut out = Vec::new();
            let mut scanner = LinkScanner::new(Some(kind.as_bytes())).unwrap();
            scanner.set_base(Some(BASE.to_owned()));
            let (head, tail) = body.split_at(hole.min(body.len()));
            scanner.push(head, FRAME, &mut out);
            scanner.gap(9, &mut out);
            scanner.push(tail, FRAME, &mut out);
            scanner.finish(&mut out);
        }
    }
}
