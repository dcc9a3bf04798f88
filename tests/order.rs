//! Orders and groups of the sample's rows, against ones that are slow and plain.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test program: what cannot be read is a failed test")]

use std::collections::BTreeMap;
use std::path::Path;

use nephoscope::engine::{How, Reading, Source};
use nephoscope::evidence::pack;
use nephoscope::model::{Budget, Detail, HttpMessage, Side};
use nephoscope::store::filter::Filter;
use nephoscope::store::groups::{GroupOrder, Grouping, Groups};
use nephoscope::store::query::{Orders, SortBy, SortKey, select};
use nephoscope::store::{HeaderName, RowId, RowKind, Snapshot, own_site};

fn sample() -> Snapshot {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/sample/icloud-2011-reconstruction.pcapng");
    let mut reading = Reading::open(&Source::File(path), How::judged(1), &Budget::default()).expect("it opens");
    while reading.step().expect("it is read") {}
    reading.snapshot()
}

fn order(snapshot: &Snapshot, sort: &[(SortKey, bool)]) -> Vec<u32> {
    let sort: Vec<SortBy> =
        sort.iter().map(|(key, descending)| SortBy { key: *key, descending: *descending }).collect();
    select(snapshot, &Filter::all(), None, &sort, &mut Orders::default()).to_vec()
}

/// What a row shows in a column, as text that sorts as the column does.
fn shown(snapshot: &Snapshot, key: SortKey, id: u32) -> String {
    let row = snapshot.row(RowId(id)).unwrap();
    match key {
        SortKey::Capture => format!("{:012}", row.first_frame.0),
        SortKey::Time => format!("{:020}", row.time.0),
        SortKey::Size => format!("{:020}", row.size),
        SortKey::Duration => format!("{:012}", row.duration_micros),
        SortKey::Host => snapshot.text(row.host).to_ascii_lowercase(),
        SortKey::Path => snapshot.text(row.path).to_ascii_lowercase(),
        SortKey::Server => snapshot.text(row.server).to_owned(),
        SortKey::Tenant => snapshot.text(row.tenant).to_ascii_lowercase(),
        SortKey::Method => snapshot.word(row.method).to_ascii_lowercase(),
        SortKey::Type => snapshot.word(row.content_type).to_ascii_lowercase(),
        SortKey::Operator => {
            pack().providers.get(usize::from(row.operator)).map_or("", |p| p.name).to_ascii_lowercase()
        }
        SortKey::Header(name) => {
            let record = snapshot.record(RowId(id)).unwrap();
            let Detail::Http(http) = &record.exchange.detail else { return String::new() };
            let message = if name.side() == Side::Client { &http.request } else { &http.response };
            let value = message.as_ref().and_then(|message: &HttpMessage| message.field(name.name()));
            String::from_utf8_lossy(value.unwrap_or_default()).to_ascii_lowercase()
        }
        SortKey::Status | SortKey::Grade | SortKey::Process | SortKey::File | SortKey::Comment => String::new(),
    }
}

/// Sorted as people would on paper: equal rows stay in capture order.
fn plainly(snapshot: &Snapshot, sort: &[(SortKey, bool)]) -> Vec<u32> {
    let mut rows = snapshot.capture_order();
    rows.sort_by(|a, b| {
        let one = |(key, descending): &(SortKey, bool)| {
            let ordering = shown(snapshot, *key, *a).cmp(&shown(snapshot, *key, *b));
            if *descending { ordering.reverse() } else { ordering }
        };
        sort.iter().map(one).find(|ordering| ordering.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    });
    rows
}

#[test]
fn every_key_orders_as_on_paper_and_equal_rows_stay_in_capture_order() {
    let snapshot = sample();
    let header = |side, name| SortKey::Header(HeaderName::new(side, name).unwrap());
    let keys = [
        SortKey::Capture,
        SortKey::Time,
        SortKey::Size,
        SortKey::Duration,
        SortKey::Host,
        SortKey::Path,
        SortKey::Server,
        SortKey::Tenant,
        SortKey::Method,
        SortKey::Type,
        SortKey::Operator,
        header(Side::Server, "server"),
        header(Side::Client, "user-agent"),
    ];
    for key in keys {
        for descending in [false, true] {
            let sort = [(key, descending)];
            assert_eq!(order(&snapshot, &sort), plainly(&snapshot, &sort), "{sort:?}");
        }
    }
}

#[test]
fn further_keys_decide_where_the_first_are_equal() {
    let snapshot = sample();
    for sort in [
        [(SortKey::Method, false), (SortKey::Size, true), (SortKey::Host, false)],
        [(SortKey::Host, true), (SortKey::Type, false), (SortKey::Time, true)],
        [(SortKey::Operator, false), (SortKey::Path, true), (SortKey::Capture, true)],
    ] {
        assert_eq!(order(&snapshot, &sort), plainly(&snapshot, &sort), "{sort:?}");
    }
}

/// What was found out for one order does not spoil the next.
#[test]
fn orders_that_are_remembered_are_the_same() {
    let snapshot = sample();
    let mut orders = Orders::default();
    let server = SortKey::Header(HeaderName::new(Side::Server, "server").unwrap());
    for key in [SortKey::Host, SortKey::Path, server, SortKey::Host, SortKey::Host, server] {
        let sort = [SortBy { key, descending: false }];
        let again = select(&snapshot, &Filter::all(), None, &sort, &mut orders);
        assert_eq!(again.to_vec(), order(&snapshot, &[(key, false)]), "{key:?}");
    }
}

/// Exchanges and bytes by the names on the way to a group.
type Totals = BTreeMap<Vec<String>, (u32, u64)>;

fn counted(snapshot: &Snapshot, rows: &[u32]) -> Totals {
    let mut totals = Totals::new();
    for id in rows {
        let row = snapshot.row(RowId(*id)).unwrap();
        let (host, server) = (snapshot.text(row.host), snapshot.text(row.server));
        let provider = pack().providers.get(usize::from(row.operator)).map_or("No provider", |p| p.name);
        let way = [provider.to_owned(), own_site(host, server), if host.is_empty() { server } else { host }.to_owned()];
        for depth in 1..=3 {
            let total = totals.entry(way[..depth].to_vec()).or_default();
            total.0 += 1;
            total.1 += if row.kind == RowKind::Dns { 0 } else { row.size };
        }
    }
    totals
}

fn totals(groups: &Groups) -> Totals {
    let mut way: Vec<String> = Vec::new();
    let mut totals = Totals::new();
    for group in &groups.list {
        way.truncate(group.level);
        way.push(group.name.to_string());
        let first = totals.insert(way.clone(), (group.exchanges, group.bytes));
        assert_eq!(first, None, "{way:?} twice");
    }
    totals
}

#[test]
fn groups_come_to_what_counting_comes_to() {
    let snapshot = sample();
    for text in ["", "method:GET", "-host:apple", "status:599"] {
        let filter = Filter::parse(text).unwrap();
        let rows = select(&snapshot, &filter, None, &[], &mut Orders::default());
        let groups = Groups::new(&snapshot, &rows, (Grouping::Provider, GroupOrder::Bytes));
        assert_eq!(totals(&groups), counted(&snapshot, &rows), "{text}");
        let mut all = groups.rows.to_vec();
        all.sort_unstable();
        let mut want = rows.to_vec();
        want.sort_unstable();
        assert_eq!(all, want, "each row once: {text}");
    }
}

#[test]
fn rows_of_a_group_stand_together_in_the_order_given() {
    let snapshot = sample();
    let rows = order(&snapshot, &[(SortKey::Size, true)]);
    for sort in [GroupOrder::Bytes, GroupOrder::Count, GroupOrder::Name] {
        let groups = Groups::new(&snapshot, &rows, (Grouping::Provider, sort));
        for (at, group) in groups.list.iter().enumerate() {
            assert_eq!(group.rows.len(), group.exchanges as usize);
            let inner = groups.list.get(at + 1..group.after).unwrap();
            assert!(inner.iter().all(|inner| inner.level > group.level));
            let members: Vec<&_> = inner.iter().filter(|inner| inner.level == group.level + 1).collect();
            assert!(members.is_sorted_by(|a, b| match sort {
                GroupOrder::Bytes => a.bytes >= b.bytes,
                GroupOrder::Count => a.exchanges >= b.exchanges,
                GroupOrder::Name => a.name <= b.name,
            }));
            if !groups.is_leaf(at) {
                continue;
            }
            let own = &groups.rows[group.rows.clone()];
            let want: Vec<u32> = rows.iter().filter(|id| own.contains(id)).copied().collect();
            assert_eq!(own, want, "{group:?}");
            let around = groups.around(group.rows.start);
            assert_eq!(around.last(), Some(&at));
            assert_eq!(around.len(), groups.depth);
        }
    }
}

/// Without sockets to look at, all is of one unknown program.
#[test]
fn rows_are_grouped_by_program_too() {
    let snapshot = sample();
    let rows = snapshot.capture_order();
    let groups = Groups::new(&snapshot, &rows, (Grouping::Program, GroupOrder::Count));
    let tops: Vec<&_> = groups.list.iter().filter(|group| group.level == 0).collect();
    assert_eq!(tops.len(), 1);
    assert_eq!((&*tops[0].name, tops[0].exchanges as usize), ("Unknown program", rows.len()));
    assert!(groups.list.iter().filter(|group| group.level == 1).count() > 3);
}
