//! The filter language over the sample: what a user would type first, the judge against one that is slow and plain and
//! reads whole records only, and what the command line says of a bad filter.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: what cannot be read is a failed test"
)]

mod wire;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use nephoscope::engine::{How, Reading, Source};
use nephoscope::evidence::pack;
use nephoscope::export::url_of;
use nephoscope::model::{Budget, Detail, HttpMessage, StartLine, Transport, clean};
use nephoscope::store::filter::{Amount, Expr, Filter, Heads, Key, Match, Node, Proto, State, Test};
use nephoscope::store::query::{Orders, RowSet, holding, select};
use nephoscope::store::{Facts, Progress, Record, RowId, Snapshot, Store, own_site};
use proptest::prelude::*;
use wire::Pcap;

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sample_path() -> PathBuf {
    project().join("assets/sample/icloud-2011-reconstruction.pcapng")
}

fn read(path: PathBuf, budget: &Budget) -> Snapshot {
    let mut reading = Reading::open(&Source::File(path), How::judged(1), budget).expect("the capture opens");
    while reading.step().expect("the capture is read") {}
    reading.snapshot()
}

/// The sample with its records, read once.
fn sample() -> &'static (Snapshot, Vec<Record>) {
    static SAMPLE: OnceLock<(Snapshot, Vec<Record>)> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let snapshot = read(sample_path(), &Budget::default());
        let records = snapshot.rows().map(|(id, _)| snapshot.record(id).unwrap()).collect();
        (snapshot, records)
    })
}

thread_local! {
    static KEPT: RefCell<Orders> = RefCell::new(Orders::within(&Budget::default()));
}

fn kept(text: &str) -> BTreeSet<u32> {
    let filter = Filter::parse(text).unwrap_or_else(|fault| panic!("{}", fault.drawn(text)));
    let rows: BTreeSet<u32> = select(&sample().0, &filter, None, &[], &mut Orders::default()).iter().copied().collect();
    let set = RowSet::new(&sample().0, &filter);
    // As the index thread has it, which keeps of records what filters ask, and looks it up for the next.
    KEPT.with_borrow_mut(|orders| {
        let looked_up: BTreeSet<u32> = select(&sample().0, &filter, None, &[], orders).iter().copied().collect();
        assert_eq!(looked_up, rows, "{text}");
        assert_eq!(RowSet::with(&sample().0, &filter, orders), set, "{text}");
    });
    assert_eq!(holding(&sample().0, &filter, 0).into_iter().collect::<BTreeSet<_>>(), rows, "{text}");
    assert!(sample().0.rows().all(|(id, _)| set.has(id) == rows.contains(&id.0)) && set.len() == rows.len(), "{text}");
    rows
}

#[test]
fn what_is_typed_first_keeps_what_it_should() {
    let path = project().join("tests/filters/queries.tsv");
    let table = fs::read_to_string(&path).unwrap();
    let lines = table.lines().map(|line| line.split_once('\t').expect("a number, a tab and a filter"));
    let now: Vec<String> = lines.map(|(_, query)| format!("{}\t{query}", kept(query).len())).collect();
    if env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&path, now.join("\n") + "\n").unwrap();
        return;
    }
    assert!(table.lines().count() >= 60);
    for (want, got) in table.lines().zip(now) {
        assert_eq!(got, want);
    }
}

/// Whether a text is such; as [`Match`] says, by the plainest means.
fn is_such(matching: &Match, text: &str) -> bool {
    let text = text.to_lowercase();
    match matching {
        Match::Contains(part) => text.contains(&part.to_lowercase()),
        Match::Is(whole) => text == whole.to_lowercase(),
        Match::Differs(whole) => !text.is_empty() && text != whole.to_lowercase(),
        Match::Regex(pattern) => regex::RegexBuilder::new(&pattern.source)
            .case_insensitive(!pattern.case_counts)
            .build()
            .is_ok_and(|regex| regex.is_match(&text)),
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn messages(record: &Record) -> (Option<&HttpMessage>, Vec<&HttpMessage>) {
    match &record.exchange.detail {
        Detail::Http(http) => (http.request.as_ref(), http.interim.iter().chain(&http.response).collect()),
        Detail::Tls(_) | Detail::Dns(_) => (None, Vec::new()),
    }
}

fn text_of(key: Key, record: &Record) -> String {
    let request = messages(record).0;
    let exchange = &record.exchange;
    match (key, &exchange.detail) {
        (Key::Host, Detail::Http(_)) => request.and_then(|r| r.field("host")).map(lossy).unwrap_or_default(),
        (Key::Host | Key::Sni, Detail::Tls(tls)) => {
            tls.client_hello.as_ref().and_then(|h| h.sni_bytes()).map(lossy).unwrap_or_default()
        }
        (Key::Host, Detail::Dns(dns)) => dns.questions.first().map(|q| q.name.clone()).unwrap_or_default(),
        (Key::Method, Detail::Http(_)) => match request.map(|r| (r, r.start)) {
            Some((r, StartLine::Request { method, .. })) => lossy(method.of(&r.block)),
            Some((_, StartLine::Status { .. })) | None => String::new(),
        },
        (Key::Method, Detail::Tls(_)) => "TLS".to_owned(),
        (Key::Method, Detail::Dns(_)) => "DNS".to_owned(),
        // All in the sample are in origin form: the target is path and query.
        (Key::Path, Detail::Http(_)) => match request.map(|r| (r, r.start)) {
            Some((r, StartLine::Request { target, .. })) => lossy(target.of(&r.block)),
            Some((_, StartLine::Status { .. })) | None => String::new(),
        },
        (Key::Type, Detail::Http(http)) => {
            http.response.as_ref().and_then(|r| r.field("content-type")).map(lossy).unwrap_or_default()
        }
        (Key::Url, _) => url_of(exchange).unwrap_or_default(),
        (Key::Role, _) => record.verdict.role.map(|role| role.value.to_owned()).unwrap_or_default(),
        (Key::Site, Detail::Http(_) | Detail::Tls(_)) => {
            let party = record.verdict.tenant.as_ref().and_then(|tenant| tenant.value.first_party.clone());
            party.unwrap_or_else(|| own_site(&text_of(Key::Host, record), &exchange.server.to_string()))
        }
        (Key::Tenant, _) => record.verdict.tenant.as_ref().map(|t| t.value.name.clone()).unwrap_or_default(),
        _ => String::new(),
    }
}

/// Whether one of several numbers is such; what differs differs from all of them.
fn such(amount: Amount<u64>, numbers: &[u64]) -> bool {
    match amount {
        Amount::Differs(other) => numbers.iter().all(|number| *number != other),
        amount => numbers.iter().any(|number| amount.holds(*number)),
    }
}

fn plain(test: &Test, record: &Record) -> bool {
    let exchange = &record.exchange;
    let status = match messages(record).1.last().map(|m| m.start) {
        Some(StartLine::Status { code, .. }) => Some(u64::from(code)),
        Some(StartLine::Request { .. }) | None => None,
    };
    match test {
        Test::Text(Key::Operator, matching) => {
            let provider = record.verdict.operator.and_then(|o| pack().provider(o.value));
            provider.is_some_and(|p| [p.id, p.name].iter().chain(p.aliases).any(|name| is_such(matching, name)))
        }
        Test::Text(Key::Product, matching) => {
            let service = record.verdict.product.and_then(|p| pack().service(p.value));
            service.is_some_and(|s| [s.id, s.name].iter().any(|name| is_such(matching, name)))
        }
        Test::Text(Key::Any, matching) => {
            let texts = [Key::Host, Key::Path, Key::Tenant, Key::Method, Key::Type].map(|key| text_of(key, record));
            let named = [Key::Operator, Key::Product].map(|key| plain(&Test::Text(key, matching.clone()), record));
            named.contains(&true)
                || is_such(matching, &exchange.server.to_string())
                || texts.iter().any(|text| is_such(matching, text))
        }
        Test::Text(Key::Cname, matching) => {
            let names = |record: &Record| match &record.exchange.detail {
                Detail::Dns(dns) => {
                    let answers = dns.response.iter().flat_map(|response| &response.answers);
                    answers.filter(|answer| answer.rtype == 5).any(|answer| is_such(matching, &answer.value))
                }
                Detail::Http(_) | Detail::Tls(_) => false,
            };
            let before = record.verdict.looked_up.as_ref().and_then(|found| sample().1.get(found.lookup.0 as usize));
            names(record) || before.is_some_and(names)
        }
        Test::Text(key, matching) => is_such(matching, &text_of(*key, record)),
        Test::Time(Amount::AtLeast(moment)) => exchange.time.0 >= moment.nanos,
        Test::Time(Amount::Between(from, to)) => (from.nanos..=to.nanos).contains(&exchange.time.0),
        Test::State(State::Error) => match &exchange.detail {
            Detail::Http(_) => status.is_some_and(|status| status >= 400),
            Detail::Dns(dns) => dns.response.as_ref().is_some_and(|response| response.rcode != 0),
            Detail::Tls(_) => false,
        },
        Test::State(State::HandedOut) => record.verdict.handed_out.is_some(),
        Test::Number(Key::Size, amount) => match &exchange.detail {
            Detail::Http(http) => {
                http.response.as_ref().is_some_and(|r| amount.holds(r.body.decoded_bytes.unwrap_or(r.body.wire_bytes)))
            }
            Detail::Tls(tls) => amount.holds(tls.bytes.iter().sum()),
            Detail::Dns(_) => false,
        },
        Test::Number(Key::Status, amount) => status.is_some_and(|status| amount.holds(status)),
        Test::Number(Key::Frame, amount) => {
            such(*amount, &(exchange.first_frame.0..=exchange.last_frame.0).map(u64::from).collect::<Vec<_>>())
        }
        Test::Number(Key::Port, amount) => such(*amount, &[exchange.client.port, exchange.server.port].map(u64::from)),
        Test::Number(Key::Stream, amount) => amount.holds(u64::from(exchange.flow.0)),
        Test::Number(Key::Duration, amount) => {
            amount.holds(exchange.end_time.nanos_since(exchange.time).max(0).unsigned_abs() / 1_000)
        }
        Test::Address(block) => {
            let ends: [IpAddr; 2] = [exchange.client.ip, exchange.server.ip];
            ends.iter().any(|ip| block.holds(*ip))
        }
        Test::Proto(proto) => match (proto, &exchange.detail) {
            (Proto::Http, Detail::Http(_)) | (Proto::Tls, Detail::Tls(_)) | (Proto::Dns, Detail::Dns(_)) => true,
            (Proto::Tcp, _) => exchange.transport == Transport::Tcp,
            (Proto::Udp, _) => exchange.transport == Transport::Udp,
            _ => false,
        },
        Test::Grade(amount) => record.verdict.grade.is_some_and(|grade| amount.holds(grade)),
        Test::Has(Key::Operator) => record.verdict.operator.is_some(),
        Test::Has(Key::Status) => status.is_some(),
        Test::Header(heads, name, matching) => {
            let (request, responses) = messages(record);
            let request = request.into_iter().filter(|_| *heads != Heads::Response);
            let responses = responses.into_iter().filter(|_| *heads != Heads::Request);
            let lines = request.chain(responses).flat_map(HttpMessage::each_field);
            let values: Vec<String> =
                lines.filter(|(n, _)| lossy(n).eq_ignore_ascii_case(name)).map(|(_, value)| lossy(value)).collect();
            match matching {
                None => !values.is_empty(),
                Some(Match::Differs(other)) => {
                    !values.is_empty() && values.iter().all(|v| v.to_lowercase() != other.to_lowercase())
                }
                Some(matching) => values.iter().any(|value| is_such(matching, value)),
            }
        }
        other => panic!("not among the atoms: {other}"),
    }
}

fn plain_tree(node: &Node, record: &Record) -> bool {
    match &node.expr {
        Expr::All => true,
        Expr::And(parts) => parts.iter().all(|part| plain_tree(part, record)),
        Expr::Or(parts) => parts.iter().any(|part| plain_tree(part, record)),
        Expr::Not(part) => !plain_tree(part, record),
        Expr::Test(test) => plain(test, record),
    }
}

const ATOMS: [&str; 51] = [
    "host:blob",
    "host=p01-content.icloud.com",
    "host!=p01-content.icloud.com",
    "host:s3",
    "sni:icloud",
    "method:PUT",
    "method!=GET",
    "tenant:ms",
    "operator:azure",
    "operator:amazon",
    "operator:*",
    "status:200",
    "status!=200",
    "status>=300",
    "status:*",
    "frame:100",
    "frame:40..80",
    "frame>100",
    "frame<=30",
    "port:80",
    "port:50000..60000",
    "stream:1..20",
    "duration>=50ms",
    "ip:17.0.0.0/8",
    "ip:65.52.0.0/16",
    "http",
    "proto:udp",
    "grade>=supports",
    "header:server:azure",
    "resp-header:x-amz-request-id",
    "port!=80",
    "frame!=100",
    "header:server!=AmazonS3",
    "blob",
    "icloud",
    "443",
    "/s3|blob/",
    "host:/^p\\d+-/",
    "path:sig=",
    "path:/\\.jpe?g/",
    "type:json",
    "url:blob",
    "role:storage",
    "product:s3",
    "cname:apple",
    "site:icloud.com",
    "size>=10k",
    "time:2011-06-13T19:00:02..2011-06-13T19:00:09",
    "time>=2011-06-13T19:00:06",
    "is:error",
    "is:handed-out",
];

fn written() -> impl Strategy<Value = String> {
    prop::sample::select(ATOMS.to_vec()).prop_map(str::to_owned).prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" "))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" or "))),
            inner.prop_map(|part| format!("-{part}")),
        ]
    })
}

proptest! {
    #[test]
    fn the_judge_says_what_a_plain_one_says(text in written(), first in 0..40_u32) {
        let (snapshot, records) = sample();
        let filter = Filter::parse(&text).unwrap();
        let plainly: BTreeSet<u32> =
            records.iter().zip(0_u32..).filter(|(record, _)| plain_tree(filter.tree(), record)).map(|(_, n)| n).collect();
        prop_assert_eq!(&kept(&text), &plainly, "{}", text);
        let late: Vec<u32> = plainly.iter().copied().filter(|n| *n >= first).collect();
        prop_assert_eq!(holding(snapshot, &filter, first), late);
    }
}

/// Long lists are judged in shares, and texts that lie side by side at once: each row of the same exchange gets the same
/// answer, wherever it stands.
#[test]
fn a_row_of_a_long_list_is_judged_as_it_is_in_a_short_one() {
    let (short, records) = sample();
    let mut store = Store::new(&Budget::default(), pack().roles);
    while store.snapshot(Facts::default(), Progress::default()).len() < 40_000 {
        for record in records {
            store.add(record);
        }
    }
    let long = store.snapshot(Facts::default(), Progress::default());
    for text in ["", "blob", "/blob|s3/", "path:chunk -status:404", "host:s3 or -size>10k", "ip:17.0.0.0/8"] {
        let filter = Filter::parse(text).unwrap();
        let few = RowSet::new(short, &filter);
        let want = (0..long.len() as u32).filter(|row| few.has(RowId(row % records.len() as u32)));
        assert_eq!(holding(&long, &filter, 0), want.clone().collect::<Vec<_>>(), "{text}");
        assert_eq!(holding(&long, &filter, 39_000), want.filter(|row| *row >= 39_000).collect::<Vec<_>>(), "{text}");
    }
}

#[test]
fn every_atom_keeps_some_rows_and_not_all() {
    let all = sample().1.len();
    for atom in ATOMS {
        let kept = kept(atom).len();
        assert!(kept > 0 && kept < all, "{atom} keeps {kept} of {all}");
    }
}

#[test]
fn values_that_rows_have_are_offered() {
    let (snapshot, _) = sample();
    let offered = |text: &str| {
        let completion = nephoscope::store::filter::complete(text, text.len(), snapshot);
        assert_eq!(completion.span.end, text.len());
        completion.suggestions
    };
    assert_eq!(offered("blob st").first().map(|s| s.text.clone()).as_deref(), Some("status:"));
    assert!(offered("dom").iter().any(|s| s.text == "host:"), "by the name that browsers give it");
    let texts = "host path operator product method status type grade sni tenant role rcode port site";
    let words = ["ip", "is", "proto", "conflict", "marked", "ignored"].map(|key| (key, ":"));
    for (key, op) in texts.split(' ').map(|key| (key, "=")).chain(words) {
        let values = offered(&format!("-{key}:"));
        assert!(!values.is_empty(), "{key}");
        for value in values.iter().filter(|value| !matches!(value.text.as_str(), "tcp" | "udp")) {
            let rows = kept(&format!("{key}{op}{}", value.text)).len();
            assert_eq!(value.count.map(|n| n as usize), Some(rows), "{key}{op}{}", value.text);
        }
    }
    assert!(offered("is:").iter().any(|s| s.text == "handed-out"));
    assert!(offered("header:x-amz-req").iter().any(|s| s.text == "x-amz-request-id"));
    assert!(offered("host:nowhere").is_empty());
}

fn list(filter: &str) -> (Option<i32>, String, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_nephoscope"))
        .args(["list", "--threads", "1", "--format", "csv", "--filter", filter])
        .arg(sample_path())
        .output()
        .expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (run.status.code(), text(run.stdout), text(run.stderr))
}

#[test]
fn the_command_line_speaks_it_too() {
    let (code, out, _) = list("-http host:blob");
    assert_eq!((code, out.lines().count()), (Some(0), 1 + kept("-http host:blob").len()));
    let (code, out, said) = list("method:PUT hots:blob");
    assert_eq!((code, out.as_str()), (Some(2), ""));
    let want = "nephoscope: cannot read the filter: there is no key `hots`\n  method:PUT hots:blob\n             ^^^^\ndid you mean `host`?";
    assert!(said.starts_with(want), "{said}");
}

#[test]
fn rows_are_numbered_alike_with_and_without_a_filter() {
    let first = RowId(0);
    assert!(sample().0.row(first).is_some());
    let (_, all, _) = list("");
    let (_, some, _) = list("host:blob");
    assert!(some.lines().count() > 2);
    for line in some.lines() {
        assert!(all.lines().any(|other| other == line), "{line}");
    }
}

/// The numbers of rows that a filter keeps of a capture, from 1.
#[track_caller]
fn keeps(snapshot: &Snapshot, text: &str, want: &[u32]) {
    let filter = Filter::parse(text).unwrap_or_else(|fault| panic!("{}", fault.drawn(text)));
    let rows: Vec<u32> =
        select(snapshot, &filter, None, &[], &mut Orders::default()).iter().map(|row| row + 1).collect();
    assert_eq!(rows, want, "{text}");
}

/// Every name that a capture has, and some of its values, asked for with and without what is kept for filters: all versions,
/// interim responses, trailers, pushed and reset streams, messages of sockets, HAR files, sealed sessions between them.
#[test]
fn header_lines_are_found_in_all_kinds_of_exchanges() {
    let mut lines = 0;
    for name in CAPTURES {
        let snapshot = read(project().join("tests/captures").join(name), &Budget::default());
        let mut orders = Orders::within(&Budget::default());
        let records: Vec<Record> = snapshot.rows().filter_map(|(id, _)| snapshot.record(id).ok()).collect();
        let mut filters = BTreeSet::from(["proto:udp".to_owned(), "port:443".to_owned(), "stream:2".to_owned()]);
        for record in &records {
            let (request, responses) = messages(record);
            for (name, value) in request.into_iter().chain(responses).flat_map(HttpMessage::each_field) {
                let (name, value) = (lossy(name), clean(value).replace(['\\', '"'], ""));
                let part: String = value.chars().take(5).collect();
                filters.extend([format!("header:\"{name}\""), format!("req-header:\"{name}\":\"{part}\"")]);
                filters.extend([format!("resp-header:\"{name}\"=\"{value}\"")]);
                lines += 1;
            }
            filters.insert(format!("ip:{}", record.exchange.client.ip));
        }
        for text in filters {
            let Ok(filter) = Filter::parse(&text) else { continue };
            let want = RowSet::new(&snapshot, &filter);
            assert_eq!(RowSet::with(&snapshot, &filter, &mut orders), want, "{name}: {text}");
        }
    }
    assert!(lines > 300, "{lines} lines were asked for");
}

const CAPTURES: [&str; 21] = [
    "evidence-http2.pcap",
    "har-chrome.har",
    "har-firefox.har",
    "har-odd.har",
    "http-09.pcap",
    "http-connect.pcap",
    "http-interim.pcap",
    "http-odd-heads.pcap",
    "http-upgrade.pcap",
    "http2-interleaved.pcap",
    "http2-push.pcap",
    "http2-reset.pcap",
    "http2-trailers.pcap",
    "http2-upgrade.pcap",
    "proxy-connect.pcap",
    "proxy-socks.pcap",
    "quic-keys.pcapng",
    "tls-keys-12.pcapng",
    "tls-keys-13.pcapng",
    "websocket-http2.pcap",
    "websocket.pcap",
];

fn own(pcap: Pcap, budget: &Budget) -> Snapshot {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.pcap");
    fs::write(&path, pcap.bytes).unwrap();
    read(path, budget)
}

/// Two requests whose paths begin alike, and differ where no row can show it; and a short one.
fn long_paths() -> Pcap {
    let mut pcap = Pcap::new();
    let long = "a".repeat(300);
    let targets = [format!("/{long}?sig=abc"), format!("/{long}?tag=abc"), "/short?sig=abc".to_owned()];
    for (target, port) in targets.iter().zip(50_000..) {
        let mut connection = pcap.connect([port, 80]);
        pcap.send(&mut connection, 0, format!("GET {target} HTTP/1.1\r\nHost: {port}.example\r\n\r\n").as_bytes());
        let media = format!("Content-Type: text/x{}y\r\n", "z".repeat(400));
        pcap.send(&mut connection, 1, format!("HTTP/1.1 200 OK\r\n{media}Content-Length: 0\r\n\r\n").as_bytes());
    }
    pcap
}

#[test]
fn what_a_row_cannot_show_is_found() {
    let snapshot = own(long_paths(), &Budget::default());
    for key in ["path:", "url:", ""] {
        keeps(&snapshot, &format!("{key}\"sig=\""), &[1, 3]);
        keeps(&snapshot, &format!("-{key}\"sig=\""), &[2]);
        keeps(&snapshot, &format!("{key}\"tag=abc\""), &[2]);
    }
    keeps(&snapshot, "path:/tag=abc$/", &[2]);
    keeps(&snapshot, "type:zy", &[1, 2, 3]);
    // What a row shows can be picked from it.
    let shown = snapshot.text(snapshot.row(RowId(0)).unwrap().path);
    assert!(shown.ends_with('…'));
    keeps(&snapshot, &format!("path=\"{shown}\""), &[1, 2]);
    keeps(&snapshot, &format!("path!=\"{shown}\""), &[3]);
    // As many texts as there is room for: everything else stands in the records only.
    let snapshot = own(long_paths(), &Budget { interned_texts: 3, ..Budget::default() });
    assert!(snapshot.facts().limits.iter().any(|hit| hit.limit == nephoscope::model::Limit::InternedTexts));
    keeps(&snapshot, "host:50001.example", &[2]);
    keeps(&snapshot, "path=\"/short?sig=abc\"", &[3]);
    keeps(&snapshot, "url:50002.example/short", &[3]);
    keeps(&snapshot, "site:50002.example", &[3]);
    keeps(&snapshot, "ip:20.60.1.1 port:50000", &[1]);
}

#[test]
fn what_differs_differs_from_both_ends() {
    let snapshot = own(long_paths(), &Budget::default());
    keeps(&snapshot, "port!=80", &[]);
    keeps(&snapshot, "tcp.port != 50001", &[1, 3]);
    keeps(&snapshot, "port!=50001 port!=50002", &[1]);
}

#[test]
fn durations_do_not_end_where_the_row_does() {
    let mut pcap = Pcap::new();
    let mut connection = pcap.connect([50_000, 80]);
    pcap.send(&mut connection, 0, b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
    pcap.send(&mut connection, 1, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    for letter in [b"a", b"b", b"c", b"d", b"e"] {
        pcap.time += 1_800;
        pcap.send(&mut connection, 1, letter);
    }
    let snapshot = own(pcap, &Budget::default());
    keeps(&snapshot, "duration>=2h", &[1]);
    keeps(&snapshot, "duration>3h", &[]);
    keeps(&snapshot, "duration<72min", &[]);
    keeps(&snapshot, "duration:2h..3h", &[1]);
}

/// A datagram with a DTLS 1.2 ClientHello (RFC 6347 sections 4.1 and 4.2.2) as the only frame of a capture.
fn dtls() -> Pcap {
    let body = [&[0xfe, 0xfd][..], &[7; 32], &[0, 0, 0, 2, 0xc0, 0x2b, 1, 0]].concat();
    let len = u8::try_from(body.len()).unwrap();
    let message = [&[1, 0, 0, len, 0, 0, 0, 0, 0, 0, 0, len][..], &body].concat();
    let record = [&[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, len + 12][..], &message].concat();
    let udp = [&[0xc3, 0x50, 0x11, 0xd7, 0, 8 + len + 25, 0, 0][..], &record].concat();
    let ip = [&[0x45, 0, 0, 28 + len + 25, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2][..], &udp].concat();
    let frame = [&[2; 12][..], &[8, 0], &ip].concat();
    let mut pcap = Pcap::new();
    let size = u32::try_from(frame.len()).unwrap();
    pcap.bytes.extend([pcap.time, 0, size, size].map(u32::to_le_bytes).concat());
    pcap.bytes.extend_from_slice(&frame);
    pcap
}

#[test]
fn dtls_is_not_tls() {
    let snapshot = own(dtls(), &Budget::default());
    keeps(&snapshot, "dtls", &[1]);
    keeps(&snapshot, "tls", &[]);
    keeps(&snapshot, "https", &[]);
    keeps(&snapshot, "-tls", &[1]);
}
