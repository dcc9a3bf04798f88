//! A live capture may go on for days: past a limit its oldest rows are forgotten, and all that only they needed. The capture
//! file still has them.

use std::sync::Arc;

use super::blocks::PAGE_BYTES;
use super::rows::CHUNK;
use super::table::{Row, RowId, Store};

/// Rows over the limit that are waited for, since looking for what can go costs a walk over all rows.
const BATCH: usize = 8 * CHUNK;
/// Parts of frame lists that came since it was last looked what can go, as many bytes as the rows of a batch have.
pub(super) const PARTS: usize = 64 * CHUNK;
/// Bytes of frame lists in a page for which it stays. A connection of days has millions of frames: written again each time
/// they would cost the more, the longer it lasts.
const WORTH_A_PAGE: usize = PAGE_BYTES / 4;

impl Store {
    /// Keeps the newest `rows` rows, or somewhat more. Rows of exchanges that go on stay.
    pub fn keep_rows(&mut self, rows: usize) {
        self.most_rows = rows;
        self.forget_at = rows.saturating_add(BATCH);
    }

    /// Rows that were forgotten.
    pub fn forgotten(&self) -> usize {
        self.forgotten
    }

    /// Whether rows are ever forgotten.
    pub(super) fn forgets(&self) -> bool {
        self.forget_at != usize::MAX
    }

    /// Forgets the oldest rows, where there are too many.
    pub(super) fn forget_old(&mut self) {
        if self.len() < self.forget_at {
            return;
        }
        self.forget_at = self.len().saturating_add(BATCH);
        let end = (self.len().saturating_sub(self.most_rows)) / CHUNK;
        let mut gone = Vec::new();
        self.rows.forget(end, |_, row| row.is_open(), |row| gone.push(row.operator));
        if gone.is_empty() {
            return;
        }
        self.forgotten += gone.len();
        for operator in gone {
            self.uncount(operator);
        }
        let rows = &self.rows;
        self.programs.forget(end, |row| rows.get(row).is_some());
        self.flow_use.forget(end, |row| rows.get(row).is_some());
        self.sweep();
    }

    /// Lets go of texts, records and frame lists that no row that is left needs.
    pub(super) fn sweep(&mut self) {
        let mut texts = Live::new(self.texts.len());
        let mut words = Live::new(self.words.len());
        let mut pages = Live::new(self.pages.len());
        for (_, row) in self.rows.iter() {
            let Row { host, path, server, tenant, method, content_type, record, .. } = *row;
            for id in [host, path, server, tenant] {
                texts.keep(id.0);
            }
            for id in [method, content_type] {
                words.keep(u32::from(id.0));
            }
            pages.keep(record.page());
        }
        self.findings.texts().chain(self.programs.texts()).for_each(|id| texts.keep(id.0));
        self.texts.sweep(&texts.0);
        self.words.sweep(&words.0);
        // A flow that goes on has parts in every page that was filled meanwhile: a page that holds little else goes.
        let Self { flows, flow_use, pages: all, record_bytes, .. } = self;
        let mut needed = vec![0; all.len()];
        for part in flows.parts().filter(|part| flow_use.needs(part.flow)) {
            if let Some(bytes) = needed.get_mut(part.place.page() as usize) {
                *bytes += part.len as usize;
            }
        }
        for (page, _) in (0..).zip(needed).filter(|(_, bytes)| *bytes >= WORTH_A_PAGE) {
            pages.keep(page);
        }
        flows.keep(
            |flow| flow_use.needs(flow),
            |place| if pages.has(place.page()) { place } else { all.move_up(place, *record_bytes) },
        );
        self.sweep_at = self.flows.len().saturating_add(PARTS);
        let rows = self.rows.iter().map(|(_, row)| row.record.page());
        self.pages.keep(rows.chain(self.flows.parts().map(|part| part.place.page())));
        let rows = &self.rows;
        let is_gone = |row: u32| (row as usize) < rows.len() && rows.get(RowId(row)).is_none();
        Arc::make_mut(&mut self.givers).forget(is_gone);
    }
}

/// Which of many numbers are still needed.
struct Live(Vec<bool>);

impl Live {
    fn new(len: usize) -> Self {
        Self(vec![false; len])
    }

    fn keep(&mut self, at: u32) {
        if let Some(slot) = self.0.get_mut(at as usize) {
            *slot = true;
        }
    }

    /// Those past the end came since: they are.
    fn has(&self, at: u32) -> bool {
        self.0.get(at as usize).copied().unwrap_or(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Budget, Detail, DnsKind, DnsLookup, DnsOver, DnsQuestion, Exchange, FlowId, FrameNo, Ledger, Limit, Verdict,
    };
    use crate::model::{Endpoint, Timestamp, Transport};
    use crate::store::filter::Filter;
    use crate::store::query::{Orders, RowSet, select};
    use crate::store::{Facts, Progress, Record};
    use crate::streams::FrameList;

    fn record(n: u32) -> Record {
        let lookup = DnsLookup {
            kind: DnsKind::Dns,
            over: DnsOver::Plain,
            id: 1,
            questions: vec![DnsQuestion { name: format!("{n}.example"), qtype: 1 }],
            query_frame: Some(FrameNo(n + 1)),
            response: None,
        };
        let at = Endpoint { ip: core::net::Ipv4Addr::new(10, 0, 0, 1).into(), port: 53 };
        let exchange = Exchange {
            flow: FlowId(n + 1),
            ordinal: 0,
            client: at,
            server: at,
            transport: Transport::Udp,
            first_frame: FrameNo(n + 1),
            last_frame: FrameNo(n + 1),
            time: Timestamp(0),
            end_time: Timestamp(0),
            envelope: None,
            proxied: None,
            reported: None,
            detail: Detail::Dns(Box::new(lookup)),
            anomalies: Vec::new(),
        };
        Record { exchange, ledger: Ledger::new(), verdict: Verdict::default() }
    }

    fn add(store: &mut Store, n: u32) {
        let record = record(n);
        store.add(&record);
        add_frame(store, record.exchange.flow, n + 1);
        store.end_flow(record.exchange.flow);
    }

    fn add_frame(store: &mut Store, flow: FlowId, frame: u32) {
        let mut frames = FrameList::default();
        frames.push(FrameNo(frame), u64::from(frame) * 100);
        store.add_frames(flow, &frames);
    }

    fn forgetful(rows: usize) -> Store {
        let budget = Budget { record_bytes: 1 << 20, ..Budget::default() };
        let mut store = Store::new(&budget, &[]);
        store.keep_rows(rows);
        store
    }

    fn pages_left(store: &Store) -> usize {
        (0..store.pages.len() as u32).filter(|page| store.pages.is_there(*page)).count()
    }

    #[test]
    fn what_is_kept_does_not_grow_with_what_came() {
        let mut store = forgetful(5_000);
        let snapshot_of = |store: &mut Store| store.snapshot(Facts::default(), Progress::default());
        let mut early = None;
        let mut texts = Vec::new();
        for n in 0..60_000 {
            add(&mut store, n);
            if n == 900 {
                early = Some(snapshot_of(&mut store));
            }
            if n % 20_000 == 19_999 {
                texts.push(store.texts.len());
            }
        }
        let snapshot = snapshot_of(&mut store);
        assert_eq!(snapshot.len(), 60_000);
        let kept: Vec<_> = snapshot.rows().map(|(id, row)| (id, *row)).collect();
        assert!((5_000..5_000 + BATCH + CHUNK).contains(&kept.len()), "{}", kept.len());
        assert_eq!(kept.len() + store.forgotten(), 60_000);
        assert_eq!(snapshot.capture_order().len(), kept.len());
        for (id, row) in &kept {
            assert_eq!(snapshot.text(row.host), format!("{}.example", id.0));
            assert_eq!(snapshot.row(*id), Some(*row));
            let again = snapshot.record(*id).expect("what is listed can be read");
            assert_eq!(again.exchange.first_frame, FrameNo(id.0 + 1));
            let frames = snapshot.flow_frames(again.exchange.flow).expect("frames").expect("its frames");
            assert_eq!(frames, [(FrameNo(id.0 + 1), u64::from(id.0 + 1) * 100)]);
        }
        assert!(snapshot.row(RowId(3)).is_none() && snapshot.record(RowId(3)).is_err());
        assert!(texts.iter().all(|n| *n < 5_000 + 2 * BATCH), "texts are let go: {texts:?}");
        assert!(store.flows.len() < 5_000 + 2 * BATCH);
        // A copy from before has its rows and texts still.
        let early = early.expect("a snapshot");
        assert_eq!(early.row(RowId(3)).map(|row| early.text(row.host).to_owned()).as_deref(), Some("3.example"));
    }
    #[test]
    fn what_goes_on_holds_its_own_row_only() {
        let mut store = forgetful(5_000);
        let open = record(0);
        assert_eq!(store.show(&open), RowId(0));
        for n in 1..60_000 {
            add(&mut store, n);
        }
        let snapshot = store.snapshot(Facts::default(), Progress::default());
        let kept = snapshot.kept();
        assert_eq!((kept, snapshot.len()), (snapshot.rows().count(), 60_000));
        assert!((5_000..5_000 + BATCH + CHUNK).contains(&kept), "{kept}");
        assert!(snapshot.row(RowId(0)).is_some_and(|row| row.is_open()) && snapshot.row(RowId(1)).is_none());
        assert_eq!(snapshot.record(RowId(0)).map(|again| again.exchange.first_frame).ok(), Some(FrameNo(1)));
        let every = Filter::parse("dns").expect("a filter");
        let order = select(&snapshot, &every, None, &[], &mut Orders::default());
        assert_eq!((order.len(), order.first()), (kept, Some(&0)));
        assert!(RowSet::new(&snapshot, &every).has(RowId(0)));
        assert!(store.texts.len() < 5_000 + 3 * BATCH && store.flows.len() < 5_000 + 3 * BATCH);
        // Once it ends it goes like the others.
        assert_eq!(store.add(&open), RowId(0));
        store.end_flow(open.exchange.flow);
        for n in 60_000..70_000 {
            add(&mut store, n);
        }
        let snapshot = store.snapshot(Facts::default(), Progress::default());
        assert!(snapshot.row(RowId(0)).is_none() && snapshot.kept() < 5_000 + BATCH + CHUNK);
        assert_eq!(snapshot.kept() + store.forgotten(), 70_000);
    }

    #[test]
    fn the_frames_of_a_flow_that_goes_on_stay_and_hold_no_other_page() {
        let mut store = forgetful(5_000);
        let (idle, busy) = (FlowId(1_000_001), FlowId(1_000_002));
        add_frame(&mut store, idle, 7);
        for n in 0..60_000 {
            if n % 100 == 0 {
                add_frame(&mut store, busy, n + 1);
            }
            add(&mut store, n);
        }
        // The next exchange of the idle one comes only now.
        let late = Record { exchange: Exchange { flow: idle, ..record(0).exchange }, ..record(0) };
        let row = store.add(&late);
        let snapshot = store.snapshot(Facts::default(), Progress::default());
        let again = snapshot.record(row).expect("a record");
        let frames = snapshot.flow_frames(again.exchange.flow).expect("frames").expect("its frames");
        assert_eq!(frames, [(FrameNo(7), 700)]);
        let frames = snapshot.flow_frames(busy).expect("frames").expect("its frames");
        let want: Vec<_> = (0..600).map(|n| (FrameNo(n * 100 + 1), u64::from(n * 100 + 1) * 100)).collect();
        assert_eq!(frames, want);
        let (left, all) = (pages_left(&store), store.pages.len());
        assert!(left * 3 < all, "{left} of {all} pages are left");
        // Flows that ended without rows that are left are not needed any more.
        store.end_flow(busy);
        for n in 60_000..70_000 {
            add(&mut store, n);
        }
        assert!(store.snapshot(Facts::default(), Progress::default()).flow_frames(busy).expect("nothing").is_none());
    }

    #[test]
    fn frames_of_flows_without_rows_are_let_go_without_any_row() {
        let mut store = forgetful(5_000);
        for n in 0..5 * PARTS as u32 {
            let flow = FlowId(n + 1);
            add_frame(&mut store, flow, n + 1);
            store.end_flow(flow);
        }
        assert!(store.flows.len() <= PARTS, "{}", store.flows.len());
        assert!(pages_left(&store) * 3 < store.pages.len());
    }

    #[test]
    fn frames_that_fill_their_pages_are_not_written_again() {
        let mut store = forgetful(5_000);
        let mut frames = FrameList::default();
        (0..20).for_each(|n| frames.push(FrameNo(n + 1), u64::from(n) * 100));
        let parts = 5 * PARTS;
        for _ in 0..parts {
            store.add_frames(FlowId(1), &frames);
        }
        let bytes = parts * (frames.as_bytes().len() + 4);
        let pages = store.pages.len();
        assert!(pages * (255 << 10) <= bytes + (256 << 10), "{pages} pages for {bytes} bytes");
        let again = store.snapshot(Facts::default(), Progress::default()).flow_frames(FlowId(1));
        assert_eq!(again.expect("frames").expect("its frames").len(), parts * 20);
    }

    #[test]
    fn words_are_let_go_and_their_cap_is_said() {
        let mut store = forgetful(usize::MAX);
        for n in 0..70_000 {
            store.words.intern(&format!("METHOD{n}"));
        }
        let refused = |store: &mut Store| {
            let snapshot = store.snapshot(Facts::default(), Progress::default());
            let limits = &snapshot.facts().limits;
            limits.iter().filter(|hit| hit.limit == Limit::InternedTexts).map(|hit| hit.count).sum::<u64>()
        };
        let over = refused(&mut store);
        assert!(over > 4_000, "{over}");
        store.sweep();
        store.words.intern("METHOD");
        assert_eq!(refused(&mut store), over, "there is room again");
    }
}
