//! A live capture may go on for days: past a limit its oldest rows are forgotten, and all that only they needed. The capture
//! file still has them.

use std::sync::Arc;

use super::strings::StrId;
use super::table::{CHUNK, Row, RowId, Store};

/// Rows over the limit that are waited for, since looking for what can go costs a walk over all rows.
const BATCH: usize = 8 * CHUNK;

impl Store {
    /// Keeps the newest `rows` rows, or somewhat more. Rows of exchanges that go on stay, and those around them.
    pub fn keep_rows(&mut self, rows: usize) {
        self.most_rows = rows;
    }

    /// Rows that were forgotten.
    pub fn forgotten(&self) -> usize {
        self.forgotten
    }

    /// Forgets the oldest rows, where there are too many.
    pub(super) fn forget_old(&mut self) {
        let kept = self.len().saturating_sub(self.forgotten);
        if kept < self.most_rows.saturating_add(BATCH) {
            return;
        }
        let first = self.forgotten / CHUNK;
        let end = (self.len().saturating_sub(self.most_rows)) / CHUNK;
        let oldest_open = self.open.values().flatten().map(|(_, RowId(id))| *id as usize / CHUNK).min();
        let end = oldest_open.map_or(end, |open| open.min(end));
        for at in first..end {
            let Some(chunk) = self.chunks.get_mut(at).map(std::mem::take) else { break };
            for row in chunk.iter() {
                self.uncount(row.operator);
            }
            self.programs.forget_chunk(at);
        }
        if end > first {
            self.forgotten = end * CHUNK;
            self.sweep();
        }
    }

    /// Lets go of texts, records and frame lists that no row that is left needs.
    fn sweep(&mut self) {
        let mut live = vec![false; self.texts.len()];
        let mut keep = |id: StrId| {
            if let Some(slot) = live.get_mut(id.0 as usize) {
                *slot = true;
            }
        };
        let mut oldest = u32::MAX;
        for row in self.chunks.iter().flat_map(|chunk| chunk.iter()) {
            let Row { host, path, server, tenant, record, .. } = *row;
            for id in [host, path, server, tenant] {
                keep(id);
            }
            oldest = oldest.min(record.page());
        }
        self.findings.texts().for_each(&mut keep);
        self.programs.texts().for_each(&mut keep);
        self.texts.sweep(&live);
        self.flows.forget_before(oldest);
        let rows = self.chunks.iter().flat_map(|chunk| chunk.iter()).map(|row| row.record.page());
        self.pages.keep(rows.chain(self.flows.pages()));
        let givers = Arc::make_mut(&mut self.givers);
        givers.forget_before(self.forgotten as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Budget, Detail, DnsKind, DnsLookup, DnsOver, DnsQuestion, Exchange, FlowId, FrameNo, Ledger, Verdict,
    };
    use crate::model::{Endpoint, Timestamp, Transport};
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
            detail: Detail::Dns(Box::new(lookup)),
            anomalies: Vec::new(),
        };
        Record { exchange, ledger: Ledger::new(), verdict: Verdict::default() }
    }

    fn add(store: &mut Store, n: u32) {
        let record = record(n);
        store.add(&record);
        let mut frames = FrameList::default();
        frames.push(record.exchange.first_frame, u64::from(n) * 100);
        store.add_frames(record.exchange.flow, &frames);
    }

    #[test]
    fn what_is_kept_does_not_grow_with_what_came() {
        let budget = Budget { record_bytes: 1 << 20, ..Budget::default() };
        let mut store = Store::new(&budget, &[]);
        store.keep_rows(5_000);
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
            assert_eq!(frames, [(FrameNo(id.0 + 1), u64::from(id.0) * 100)]);
        }
        assert!(snapshot.row(RowId(3)).is_none() && snapshot.record(RowId(3)).is_err());
        assert!(texts.iter().all(|n| *n < 5_000 + 2 * BATCH), "texts are let go: {texts:?}");
        assert!(store.flows.len() < 5_000 + 2 * BATCH);
        // A copy from before has its rows and texts still.
        let early = early.expect("a snapshot");
        assert_eq!(early.row(RowId(3)).map(|row| early.text(row.host).to_owned()).as_deref(), Some("3.example"));
    }
}
