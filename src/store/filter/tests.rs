//! The language: read and written again, never a panic, and the judge against one that is slow and plain.

use proptest::prelude::*;

use super::values::Moment;
use super::*;
use crate::model::{Grade, WitnessKind};

#[track_caller]
fn reads(text: &str, want: &str) {
    let filter = Filter::parse(text).unwrap_or_else(|fault| panic!("{}", fault.drawn(text)));
    assert_eq!(filter.to_string(), want, "{text}");
    assert_eq!(Filter::parse(want).as_ref(), Ok(&filter), "{want}");
}

#[test]
fn one_language_has_many_dialects() {
    reads("", "");
    reads("  blob  put ", "blob put");
    reads("host:blob", "host:blob");
    reads("domain:blob AND -method:get", "host:blob -method=get");
    reads("a or b c || d", "a or (b c) or d");
    reads("a && (b OR c) and not d", "a (b or c) -d");
    reads("!(a b)", "-(a b)");
    reads("- -a", "a");
    reads("\"or\" \"http\" \"a \\\"b\\\"\"", "\"or\" \"http\" \"a \\\"b\\\"\"");
    reads("http tls", "proto:http proto:tls");
    reads("status>=400", "status>=400");
    reads("status == 404", "status:404");
    reads("status:4xx", "status:400..499");
    reads("status:200..", "status>=200");
    reads("status in {200, 301 302}", "status:200 or status:301 or status:302");
    reads("size>10k size<=1.5M", "size>10k size<=1536k");
    reads("larger-than:10k", "size>10k");
    reads("duration >= 0.2s", "duration>=200ms");
    reads("time>2011-06-13T19:00 time:19:00..19:05", "time>2011-06-13T19:00 time:19:00..19:05");
    reads("frame.time >= \"2011-06-13 19:00:00\"", "time>=2011-06-13T19:00:00");
    reads("ip:10.1.0.0/8 ip.addr == 10.0.0.1", "ip:10.0.0.0/8 ip:10.0.0.1");
    reads("ip.src != 10.0.0.1", "-ip:10.0.0.1");
    reads("http.host contains \"blob\"", "proto:http host:blob");
    reads("http.host == a.example", "proto:http host=a.example");
    reads("http.request.method==PUT", "proto:http method=PUT");
    reads("tcp.port eq 443", "proto:tcp port:443");
    reads("http.request.uri matches \"a/b\"", "proto:http path:/a\\/b/");
    reads("http.server contains Azure", "resp-header:server:Azure");
    reads("http.user_agent", "req-header:user-agent");
    reads("http.response", "status:*");
    reads("header:Server=AmazonS3 header:x-amz-request-id", "header:server=AmazonS3 header:x-amz-request-id");
    reads("has-response-header:etag", "resp-header:etag");
    reads("/blob (core|store)/ path:/^\\/a[/]b/c", "/blob (core|store)/ path:/^\\/a[/]b/c");
    reads("path:/icloud/chunk /us/r30/x", "path:\"/icloud/chunk\" \"/us/r30/x\"");
    reads("http://a.example/b?c=d a.example:8080", "\"http://a.example/b?c=d\" \"a.example:8080\"");
    reads("sig=abc fe80::1", "\"sig=abc\" \"fe80::1\"");
    reads("grade>=supports grade:\"name only\"", "grade>=supports grade:name-only");
    reads("marked:no conflict:yes conflict:cname", "-is:marked is:conflict conflict:cname");
    reads("is:running scheme:https", "is:open proto:https");
    reads("operator:* -tenant:*", "operator:* -tenant:*");
    reads("asn:AS8075", "asn:8075");
    reads("host contains blob", "host:blob");
    reads("method contains P", "method contains P");
    reads("host status", "\"host\" \"status\"");
}

#[track_caller]
fn fails(text: &str, part: &str, wrong: &str) {
    let fault = Filter::parse(text).expect_err(text);
    assert_eq!(text.get(fault.span.clone()), Some(part), "{fault:?}");
    assert!(fault.to_string().contains(wrong), "{fault}");
}

#[test]
fn faults_have_a_place_and_a_way_on() {
    fails("hots:blob", "hots", "did you mean `host`");
    fails("tcp.stream == 5", "tcp.stream", "there is no key");
    fails("server:AmazonS3", "server", "resp-header:server=");
    fails("x-ms-version:abc", "x-ms-version", "header:x-ms-version");
    fails("a host:", "host:", "has no value");
    fails("(a b", "(", "not closed");
    fails("a)", ")", "closes nothing");
    fails("a or", "", "missing");
    fails("or a", "or", "missing before `or`");
    fails("()", ")", "missing");
    fails("-", "", "missing");
    fails("\"abc", "\"", "quote is not closed");
    fails("host>5", "host>5", "no order");
    fails("status:many", "many", "expected a number");
    fails("size>10q", "10q", "10k");
    fails("duration>200", "200", "unit");
    fails("status:300..200", "300..200", "no value");
    fails("/a(/ b", "a(", "unclosed group");
    fails("path:/((((a{99}){99}){99}){99}){99}/", "((((a{99}){99}){99}){99}){99}", "too large");
    fails("== 5", "==", "nothing before it");
    fails("grade:sure", "sure", "conclusive");
    fails("is:*", "*", "handed-out");
    fails("ip:10", "10", "10.0.0.0/8");
    fails("header:=a", "header:", "name");
    fails("status in {200", "{", "not closed");
    fails("time:2011-06-13..19:00", "2011-06-13..19:00", "UTC");
    let deep = "(".repeat(40) + "a" + &")".repeat(40);
    assert!(Filter::parse(&deep).is_err_and(|fault| fault.wrong.contains("inside each other")));
    let signs = "-".repeat(10_000) + "a";
    assert!(Filter::parse(&signs).is_err_and(|fault| fault.wrong.contains("inside each other")));
    assert!(Filter::parse(&"a ".repeat(300)).is_err_and(|fault| fault.wrong.contains("more than 256 tests")));
    assert!(Filter::parse(&"a".repeat(20_000)).is_err_and(|fault| fault.wrong.contains("too long")));
    assert_eq!(
        Filter::parse("a hots:b").unwrap_err().drawn("a hots:b"),
        "there is no key `hots`\n  a hots:b\n    ^^^^\ndid you mean `host`? Or put it in quotes to search for it as text"
    );
}

#[track_caller]
fn means(text: &str, want: &str) {
    assert_eq!(Filter::parse(text).map(|f| f.meaning()), Ok(want.to_owned()), "{text}");
}

#[test]
fn meanings_are_sentences() {
    means("", "every row");
    means("host:blob status>=400", "host contains blob and status is 400 or more");
    means(
        "blob or -host=a (size>10k or size<1k)",
        "the row contains blob or (host is not a and (size is more than 10 KiB or size is less than 1 KiB))",
    );
    means("-(a b)", "not (the row contains a and the row contains b)");
    means("duration>=200ms", "duration is 200 ms or more");
    means("-status:404", "status is not 404");
    means("-status!=404", "not (status is there and is not 404)");
    means("header:server=AmazonS3", "there is a header server that is AmazonS3");
    means("time:19:00..19:05", "time is from 19:00 of a day to 19:05 of a day UTC");
    means("-ip:10.0.0.0/8", "no address is in 10.0.0.0/8");
    means("grade>=supports", "grade is supports or better");
    means("host:\"a b\"", "host contains “a b”");
    means("host:\u{202e}", "host contains ⟨U+202E⟩");
}

#[test]
fn filters_are_put_together() {
    let parse = |text| Filter::parse(text).unwrap();
    let (a, b) = (parse("a or b"), parse("c"));
    assert_eq!(a.and(&b).to_string(), "(a or b) c");
    assert_eq!(a.or(&b).to_string(), "a or b or c");
    assert_eq!(parse("a b").and(&b.not()).to_string(), "a b -c");
    assert_eq!(Filter::all().and(&b), b);
    assert_eq!(parse("a (action:1 or b) -action:2").without(Key::Action).to_string(), "a b");
    assert_eq!(parse("action:1").without(Key::Action), Filter::all());
    assert_eq!(parse("a action:1 or action:7").actions(), [1, 7]);
    assert_eq!(is(Key::Host, "a b").to_string(), "host=\"a b\"");
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z.]{0,8}",
        "[ -~]{0,8}",
        "\\PC{0,6}",
        prop::sample::select(vec!["or", "and", "not", "-", "http", "host", "*", "4xx", "a..b", "/x/", "\\", "\"", "{"])
            .prop_map(str::to_owned),
    ]
}

fn matching() -> impl Strategy<Value = Match> {
    prop_oneof![text().prop_map(Match::Contains), text().prop_map(Match::Is), text().prop_map(Match::Differs),]
}

fn amount(most: u64) -> impl Strategy<Value = Amount<u64>> {
    (0..7_u8, 0..=most, 0..=most).prop_map(|(kind, a, b)| match kind {
        0 => Amount::Is(a),
        1 => Amount::Differs(a),
        2 => Amount::Over(a),
        3 => Amount::AtLeast(a),
        4 => Amount::Under(a),
        5 => Amount::AtMost(a),
        _ => Amount::Between(a.min(b), a.max(b)),
    })
}

fn moment(amount: Amount<u64>) -> Amount<Moment> {
    let m = |seconds: u64| Moment {
        nanos: 1_300_000_000_000_000_000 + seconds.cast_signed() * 1_000_000_000,
        unit: 1_000_000_000,
        dated: true,
    };
    match amount {
        Amount::Is(a) => Amount::Is(m(a)),
        Amount::Differs(a) => Amount::Differs(m(a)),
        Amount::Over(a) => Amount::Over(m(a)),
        Amount::AtLeast(a) => Amount::AtLeast(m(a)),
        Amount::Under(a) => Amount::Under(m(a)),
        Amount::AtMost(a) => Amount::AtMost(m(a)),
        Amount::Between(a, b) => Amount::Between(m(a), m(b)),
    }
}

fn test() -> impl Strategy<Value = Test> {
    let texts = [
        Key::Host,
        Key::Path,
        Key::Operator,
        Key::Product,
        Key::Role,
        Key::Tenant,
        Key::Method,
        Key::Type,
        Key::Sni,
        Key::Cname,
        Key::Site,
        Key::Url,
        Key::Comment,
        Key::Process,
        Key::File,
    ];
    let numbers = [
        Key::Status,
        Key::Rcode,
        Key::Size,
        Key::Duration,
        Key::Frame,
        Key::Stream,
        Key::Port,
        Key::Asn,
        Key::Action,
        Key::Conversation,
    ];
    prop_oneof![
        prop::sample::select(texts.to_vec()).prop_map(Test::Has),
        (prop::sample::select(texts.to_vec()), matching()).prop_map(|(key, m)| Test::Text(key, m)),
        text().prop_map(|text| Test::Text(Key::Any, Match::Contains(text))),
        (prop::sample::select(numbers.to_vec()), amount(5_000_000)).prop_map(|(key, a)| Test::Number(key, a)),
        amount(1_000_000).prop_map(|a| Test::Time(moment(a))),
        prop::sample::select(vec![Grade::NameOnly, Grade::Supports]).prop_map(|g| Test::Grade(Amount::AtLeast(g))),
        (any::<u32>(), 0..=32_u8).prop_map(|(ip, bits)| {
            let block = values::read_block(&format!("{}/{bits}", core::net::Ipv4Addr::from_bits(ip)));
            Test::Address(block.unwrap())
        }),
        prop::sample::select(Proto::ALL.to_vec()).prop_map(Test::Proto),
        prop::sample::select(State::ALL.to_vec()).prop_map(Test::State),
        prop::sample::select(WitnessKind::ALL.to_vec()).prop_map(Test::Conflict),
        ("[a-z-]{1,8}", prop::option::of(matching())).prop_map(|(name, m)| Test::Header(Heads::Both, name, m)),
    ]
}

fn node() -> impl Strategy<Value = Node> {
    let of = |expr| Node { span: 0..0, expr };
    test().prop_map(move |test| of(Expr::Test(test))).prop_recursive(4, 24, 3, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(move |parts| of(Expr::And(parts))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(move |parts| of(Expr::Or(parts))),
            inner.prop_map(move |part| match part.expr {
                Expr::Not(part) => *part,
                expr => of(Expr::Not(Box::new(of(expr)))),
            }),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(tree in node()) {
        let filter = Filter { tree };
        let written = filter.to_string();
        prop_assert_eq!(Filter::parse(&written), Ok(filter), "{}", written);
    }

    #[test]
    fn no_text_panics(text in prop_oneof![
        "\\PC{0,40}",
        "[a-z:=<>~!()\"/ .{}*-]{0,40}",
        prop::collection::vec(prop::sample::select(vec![
            "host", "status", "time", "header", "size", ":", "=", "!=", ">=", "..", "(", ")", "-", " ", " or ", "/", "\"",
            "a", "5", "10k", "4xx", "19:00", "10.0.0.0/8", "http.host", " contains ", " in {", "}", "*", "\\", "é", "&&",
        ]), 0..14).prop_map(|parts| parts.concat()),
    ], cursor in 0..60_usize) {
        match Filter::parse(&text) {
            Ok(filter) => {
                let written = filter.to_string();
                prop_assert_eq!(Filter::parse(&written), Ok(filter.clone()), "{} from {}", written, text);
                prop_assert!(!filter.meaning().is_empty());
            }
            Err(fault) => {
                prop_assert!(text.get(fault.span.clone()).is_some(), "{:?}", fault);
                prop_assert!(!fault.wrong.is_empty() && !fault.expected.is_empty());
                prop_assert_eq!(fault.drawn(&text).lines().count(), 4);
            }
        }
        let completion = complete(&text, cursor, &crate::store::Snapshot::empty());
        prop_assert!(completion.suggestions.is_empty() || text.get(completion.span).is_some());
    }
}
