//! How long filtering a million rows takes: the sample's rows, again and again. `cargo bench --bench filter`

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark: it prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::path::Path;
use std::time::Instant;

use nephoscope::engine::{How, Reading, Source};
use nephoscope::evidence::pack;
use nephoscope::model::{Budget, FrameNo};
use nephoscope::store::filter::Filter;
use nephoscope::store::query::{Orders, RowSet, SortBy, SortKey, select};
use nephoscope::store::{Facts, Progress, Record, Snapshot, Store};

const ROWS: u32 = 1_000_000;
/// The best of so many runs counts: others were disturbed.
const RUNS: u32 = 9;

const FILTERS: [&str; 12] = [
    "",
    "status>=400",
    "size>10k duration>=100ms",
    "operator:azure grade>=supports",
    "method:PUT status:2xx",
    "time:2011-06-13T19:00..2011-06-13T20:00",
    "host:blob",
    "blob",
    "(host:blob or host:s3) -status:404 method:PUT",
    "/blob|s3/",
    "ip:17.0.0.0/8",
    "header:server:azure",
];

fn million() -> Snapshot {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/sample/icloud-2011-reconstruction.pcapng");
    let budget = Budget { record_bytes: usize::MAX, ..Budget::default() };
    let mut reading = Reading::open(&Source::File(path), How::judged(1), &budget).expect("the sample opens");
    while reading.step().expect("the sample is read") {}
    let sample = reading.snapshot();
    let mut records: Vec<Record> = sample.rows().filter_map(|(id, _)| sample.record(id).ok()).collect();
    let (mut store, count) = (Store::new(&budget, pack().roles), records.len());
    for (n, at) in (0..ROWS).zip((0..count).cycle()) {
        if let Some(record) = records.get_mut(at) {
            record.exchange.first_frame = FrameNo(n + 1);
            record.exchange.last_frame = FrameNo(n + 5);
            store.add(record);
        }
    }
    store.snapshot(Facts::default(), Progress::default())
}

fn best(mut run: impl FnMut() -> usize) -> (f64, usize) {
    let mut least = f64::INFINITY;
    let mut kept = 0;
    for _ in 0..RUNS {
        let start = Instant::now();
        kept = run();
        least = least.min(start.elapsed().as_secs_f64() * 1e3);
    }
    (least, kept)
}

fn main() {
    let snapshot = million();
    println!("{:>9} {:>9} {:>9}  filter", "rows ms", "order ms", "kept");
    for text in FILTERS {
        let filter = Filter::parse(text).expect("a filter");
        let (rows, kept) = best(|| RowSet::new(&snapshot, &filter).len());
        let (order, _) = best(|| select(&snapshot, &filter, None, &[], &mut Orders::default()).len());
        println!("{rows:>9.1} {order:>9.1} {kept:>9}  {text}");
    }
    println!("{:>9} {:>9}  sort", "first ms", "again ms");
    let all = Filter::all();
    for key in [SortKey::Time, SortKey::Size, SortKey::Duration, SortKey::Status, SortKey::Host, SortKey::Path] {
        let sort = [SortBy { key, descending: true }];
        let (first, _) = best(|| select(&snapshot, &all, None, &sort, &mut Orders::default()).len());
        let mut orders = Orders::default();
        let (again, _) = best(|| select(&snapshot, &all, None, &sort, &mut orders).len());
        println!("{first:>9.1} {again:>9.1}  {key:?}");
    }
}
