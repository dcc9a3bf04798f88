//! What filters ask of records, kept beside the rows: who speaks with whom, and what header lines say. The first filter that
//! asks has the records read once, later ones those of rows that came since; a keystroke then tests what differs once and
//! looks rows up.
//!
//! Comes in: snapshots of one capture, and filters. Goes out: what a record says, or that it is to be asked itself: of rows
//! that stayed of forgotten ones, of records that cannot be read, and where there is no room. Never: used while painting.

use std::net::IpAddr;

use ahash::{AHashMap, RandomState};
use hashbrown::HashTable;

use super::blocks::PageReader;
use super::filter::{Asked, Filter};
use super::record::{Ends, each_line};
use super::snapshot::Snapshot;
use super::table::{Row, RowId, RowKind};
use crate::model::{Budget, Endpoint, FlowId, FrameNo, Side, Transport};

/// What is known of the records of one capture, within a budget.
#[derive(Debug, Default)]
pub(super) struct Index {
    budget_bytes: usize,
    generation: u64,
    /// What the last filter asked for.
    asked: Asked,
    ends: Option<EndsColumn>,
    lines: Vec<LineColumn>,
}

impl Index {
    /// Nothing yet. Without a budget nothing is ever kept.
    pub(super) fn within(budget: &Budget) -> Self {
        Self { budget_bytes: budget.filter_bytes, ..Self::default() }
    }

    /// Reads what the filter asks for and is not there yet, or no longer as it was.
    pub(super) fn catch_up(&mut self, snapshot: &Snapshot, filter: &Filter) {
        let asked = filter.asked();
        if self.budget_bytes == 0 || asked == Asked::default() {
            return;
        }
        if snapshot.generation < self.generation {
            *self = Self { budget_bytes: self.budget_bytes, ..Self::default() };
        }
        self.generation = snapshot.generation;
        if self.asked != asked {
            // What had no room beside something else may have it now.
            self.ends.take_if(|ends| ends.rows.given_up);
            self.lines.retain(|lines| !lines.rows.given_up);
        }
        let first = snapshot.rows.first_whole();
        self.ends.take_if(|ends| ends.rows.forget(first));
        self.lines.retain_mut(|lines| !lines.rows.forget(first));
        let ends = asked.ends.then(|| self.ends.take().unwrap_or_else(|| EndsColumn::new(first)));
        let names = asked.names.then_some(None);
        let of = names.into_iter().chain(asked.values.iter().map(|name| Some(name.as_str())));
        let lines: Vec<LineColumn> =
            of.map(|name| self.take(name).unwrap_or_else(|| LineColumn::new(name, first))).collect();
        self.asked = asked;
        let mut pass = Pass { ends, lines };
        pass.read_again(snapshot);
        pass.read_new(snapshot, self);
        self.ends = pass.ends.or_else(|| self.ends.take());
        self.lines.append(&mut pass.lines);
    }

    fn take(&mut self, name: Option<&str>) -> Option<LineColumn> {
        let at = self.lines.iter().position(|lines| lines.name.as_deref() == name)?;
        Some(self.lines.swap_remove(at))
    }

    /// Who speaks with whom.
    pub(super) fn ends(&self) -> Option<&EndsColumn> {
        self.ends.as_ref()
    }

    /// What header lines of a name say, in small letters; `None`: which names there are.
    pub(super) fn lines(&self, name: Option<&str>) -> Option<&LineColumn> {
        self.lines.iter().find(|lines| lines.name.as_deref() == name)
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        self.ends.as_ref().map_or(0, EndsColumn::bytes) + self.lines.iter().map(LineColumn::bytes).sum::<usize>()
    }
}

/// Columns that are being read.
struct Pass {
    ends: Option<EndsColumn>,
    lines: Vec<LineColumn>,
}

impl Pass {
    /// Rows that may say something else now.
    fn read_again(&mut self, snapshot: &Snapshot) {
        let mut reader = PageReader::new(&snapshot.pages);
        if let Some(ends) = &mut self.ends {
            for id in std::mem::take(&mut ends.rows.again) {
                let Some(row) = snapshot.row_at(RowId(id)) else { continue };
                let read = reader.read(row.record).ok().and_then(|record| Ends::decode(&record));
                let value = read.and_then(|read| ends.value(&read));
                ends.rows.put(id, row, value);
            }
        }
        for lines in &mut self.lines {
            for id in std::mem::take(&mut lines.rows.again) {
                let Some(row) = snapshot.row_at(RowId(id)) else { continue };
                let record = reader.read(row.record).ok();
                let said = record.and_then(|record| {
                    each_line(&record, &snapshot.certificates, |side, name, value| lines.line(side, name, value))
                });
                lines.put(id, row, said.is_some());
            }
        }
    }

    /// Rows that came since.
    fn read_new(&mut self, snapshot: &Snapshot, beside: &mut Index) {
        let ends = self.ends.iter().filter_map(|ends| ends.rows.reads_from());
        let lines = self.lines.iter().filter_map(|lines| lines.rows.reads_from());
        let Some(next) = ends.chain(lines).min() else { return };
        let more = snapshot.len().saturating_sub(next as usize);
        if let Some(ends) = &mut self.ends {
            ends.rows.reserve(more);
        }
        self.lines.iter_mut().for_each(|lines| lines.rows.reserve(more));
        let mut reader = PageReader::new(&snapshot.pages);
        let first = snapshot.rows.first_whole();
        for (base, run) in snapshot.rows.runs(RowId(next)).filter(|(base, _)| *base >= first) {
            for (id, row) in (base.0..).zip(run).filter(|(id, _)| *id >= next) {
                self.read_row(snapshot, (id, row), &mut reader);
                if self.bytes() + beside.bytes() > beside.budget_bytes {
                    self.make_room(beside);
                }
            }
        }
    }

    fn read_row(&mut self, snapshot: &Snapshot, (id, row): (u32, &Row), reader: &mut PageReader<'_>) {
        let Self { ends, lines } = self;
        let mut ends = ends.as_mut().filter(|ends| ends.rows.wants(id));
        let speaks = row.kind == RowKind::Http && lines.iter().any(|lines| lines.rows.wants(id));
        let record = if ends.is_some() || speaks { reader.read(row.record).ok() } else { None };
        if let Some(ends) = &mut ends {
            let read = record.as_deref().and_then(Ends::decode);
            let value = read.and_then(|read| ends.value(&read));
            ends.rows.put(id, row, value);
        }
        let wanting = |lines: &&mut LineColumn| lines.rows.wants(id);
        let said = record.filter(|_| speaks).and_then(|record| {
            each_line(&record, &snapshot.certificates, |side, name, value| {
                lines.iter_mut().filter(wanting).for_each(|lines| lines.line(side, name, value));
            })
        });
        for lines in lines.iter_mut().filter(wanting) {
            lines.put(id, row, said.is_some() || row.kind != RowKind::Http);
        }
    }

    /// Lets go of what no filter asks for now; where that is not enough, of the largest of what is being read.
    fn make_room(&mut self, beside: &mut Index) {
        beside.ends.take_if(|ends| !ends.rows.given_up);
        beside.lines.retain(|lines| lines.rows.given_up);
        while self.bytes() > beside.budget_bytes {
            let of_ends = self.ends.as_ref().map_or(0, EndsColumn::bytes);
            match self.lines.iter_mut().max_by_key(|lines| lines.bytes()) {
                Some(lines) if lines.bytes() >= of_ends => lines.give_up(),
                Some(_) | None if of_ends > 0 => self.ends.iter_mut().for_each(EndsColumn::give_up),
                Some(_) | None => break,
            }
        }
    }

    fn bytes(&self) -> usize {
        self.ends.as_ref().map_or(0, EndsColumn::bytes) + self.lines.iter().map(LineColumn::bytes).sum::<usize>()
    }
}

/// A value for each row from one on.
#[derive(Debug)]
struct Column<T> {
    first: u32,
    /// `None` where the record is to be asked.
    values: Vec<T>,
    none: T,
    /// Rows to be read again: their exchanges went on, or their records could not be read.
    again: Vec<u32>,
    /// Rows that were forgotten since it began.
    forgotten: usize,
    /// There was no room for it.
    given_up: bool,
}

impl<T: Copy + PartialEq> Column<T> {
    fn new(RowId(first): RowId, none: T) -> Self {
        Self { first, values: Vec::new(), none, again: Vec::new(), forgotten: 0, given_up: false }
    }

    /// The row that comes next.
    fn next(&self) -> u32 {
        self.first.saturating_add(u32::try_from(self.values.len()).unwrap_or(u32::MAX))
    }

    /// The same, where there is room for it.
    fn reads_from(&self) -> Option<u32> {
        (!self.given_up).then(|| self.next())
    }

    fn wants(&self, id: u32) -> bool {
        self.reads_from() == Some(id)
    }

    fn get(&self, RowId(id): RowId) -> Option<T> {
        self.values.get(id.checked_sub(self.first)? as usize).copied().filter(|value| *value != self.none)
    }

    /// Sets that of a row that is there or comes next; `None` where it is not known.
    fn put(&mut self, id: u32, row: &Row, value: Option<T>) {
        if row.is_open() || value.is_none() {
            self.again.push(id);
        }
        let value = value.unwrap_or(self.none);
        match id.checked_sub(self.first).and_then(|at| self.values.get_mut(at as usize)) {
            Some(slot) => *slot = value,
            None => self.values.push(value),
        }
    }

    /// Room for so many more, and not for twice as many.
    fn reserve(&mut self, more: usize) {
        if !self.given_up {
            self.values.reserve_exact(more.max(self.values.len() / 8));
        }
    }

    /// Lets go of the rows before this one; whether it is time to begin anew, so that what only they said goes too.
    fn forget(&mut self, RowId(first): RowId) -> bool {
        let gone = (first.saturating_sub(self.first) as usize).min(self.values.len());
        if first > self.first {
            self.values.drain(..gone);
            self.again.retain(|id| *id >= first);
            self.first = first;
            self.forgotten += gone;
        }
        self.forgotten > self.values.len()
    }

    fn give_up(&mut self) {
        *self = Self { given_up: true, ..Self::new(RowId(self.first), self.none) };
    }

    fn bytes(&self) -> usize {
        self.values.capacity() * size_of::<T>() + self.again.capacity() * size_of::<u32>()
    }
}

/// The two ends of each row's connection, by the numbers of their addresses.
#[derive(Debug)]
pub(super) struct EndsColumn {
    rows: Column<RowEnds>,
    addresses: Vec<IpAddr>,
    numbers: AHashMap<IpAddr, u32>,
}

/// Those of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RowEnds {
    /// Twice the number of the client's address, one more where it is UDP.
    client: u32,
    server: u32,
    ports: [u16; 2],
    flow: u32,
    last_frame: u32,
}

impl RowEnds {
    const NONE: Self = Self { client: u32::MAX, server: u32::MAX, ports: [0; 2], flow: 0, last_frame: 0 };

    /// The numbers of both addresses.
    pub(super) fn addresses(self) -> [usize; 2] {
        [self.client >> 1, self.server].map(|address| address as usize)
    }
}

impl EndsColumn {
    fn new(first: RowId) -> Self {
        Self { rows: Column::new(first, RowEnds::NONE), addresses: Vec::new(), numbers: AHashMap::new() }
    }

    /// What a test says of each address, by number.
    pub(super) fn judged(&self, holds: impl Fn(IpAddr) -> bool) -> Vec<bool> {
        self.addresses.iter().map(|address| holds(*address)).collect()
    }

    /// The ends of a row.
    pub(super) fn of(&self, id: RowId) -> Option<RowEnds> {
        self.rows.get(id)
    }

    /// The same as the record says them.
    pub(super) fn get(&self, id: RowId) -> Option<Ends> {
        let row = self.rows.get(id)?;
        let [client, server] = row.addresses().map(|address| self.addresses.get(address).copied());
        let [client_port, server_port] = row.ports;
        Some(Ends {
            flow: FlowId(row.flow),
            client: Endpoint { ip: client?, port: client_port },
            server: Endpoint { ip: server?, port: server_port },
            transport: if row.client & 1 == 0 { Transport::Tcp } else { Transport::Udp },
            last_frame: FrameNo(row.last_frame),
        })
    }

    fn value(&mut self, ends: &Ends) -> Option<RowEnds> {
        let [client, server] = [ends.client.ip, ends.server.ip].map(|address| self.number(address));
        Some(RowEnds {
            client: client?.checked_mul(2)? | u32::from(ends.transport == Transport::Udp),
            server: server?,
            ports: [ends.client.port, ends.server.port],
            flow: ends.flow.0,
            last_frame: ends.last_frame.0,
        })
    }

    fn number(&mut self, address: IpAddr) -> Option<u32> {
        if let Some(number) = self.numbers.get(&address) {
            return Some(*number);
        }
        let number = u32::try_from(self.addresses.len()).ok()?;
        self.addresses.push(address);
        self.numbers.insert(address, number);
        Some(number)
    }

    fn give_up(&mut self) {
        self.rows.give_up();
        (self.addresses, self.numbers) = (Vec::new(), AHashMap::new());
    }

    fn bytes(&self) -> usize {
        let address = size_of::<IpAddr>();
        // Of the map one slot in eight is free, and each has a byte beside it.
        let map = self.numbers.capacity() * (address + size_of::<u32>() + 2) * 8 / 7;
        self.rows.bytes() + self.addresses.capacity() * address + map
    }
}

/// What the header lines of a name say in each row, or which names there are; each saying is kept once.
#[derive(Debug)]
pub(super) struct LineColumn {
    /// In small letters.
    name: Option<Box<str>>,
    rows: Column<u32>,
    sayings: Sayings,
    /// The lines of the row that is being read.
    scratch: Vec<u8>,
}

impl LineColumn {
    /// No row has this saying.
    const NONE: u32 = u32::MAX;

    fn new(name: Option<&str>, first: RowId) -> Self {
        let rows = Column::new(first, Self::NONE);
        Self { name: name.map(Into::into), rows, sayings: Sayings::default(), scratch: Vec::new() }
    }

    /// The number of what a row says.
    pub(super) fn saying(&self, id: RowId) -> Option<u32> {
        self.rows.get(id)
    }

    /// How many sayings there are.
    pub(super) fn sayings(&self) -> usize {
        self.sayings.ends.len()
    }

    /// The lines of a saying: whose they are, and their value; or their name in small letters.
    pub(super) fn lines(&self, saying: u32) -> impl Iterator<Item = (Side, &[u8])> {
        Lines(self.sayings.get(saying))
    }

    fn line(&mut self, side: Side, name: &[u8], value: &[u8]) {
        match &self.name {
            None => write_line(side, name.iter().map(u8::to_ascii_lowercase), &mut self.scratch),
            Some(of) if name.eq_ignore_ascii_case(of.as_bytes()) => {
                write_line(side, value.iter().copied(), &mut self.scratch);
            }
            Some(_) => {}
        }
    }

    /// Ends a row, whether or not its record could be read.
    fn put(&mut self, id: u32, row: &Row, is_read: bool) {
        let saying = if is_read { self.sayings.number(&self.scratch) } else { None };
        self.scratch.clear();
        self.rows.put(id, row, saying);
    }

    fn give_up(&mut self) {
        self.rows.give_up();
        (self.sayings, self.scratch) = (Sayings::default(), Vec::new());
    }

    fn bytes(&self) -> usize {
        self.rows.bytes() + self.sayings.bytes() + self.scratch.capacity()
    }
}

/// A line of a saying: length and side in one number (LEB128), then its bytes.
fn write_line(side: Side, line: impl ExactSizeIterator<Item = u8>, out: &mut Vec<u8>) {
    let mut head = line.len() << 1 | usize::from(side == Side::Server);
    while head >= 0x80 {
        out.push(head as u8 | 0x80);
        head >>= 7;
    }
    out.push(head as u8);
    out.extend(line);
}

/// The lines of a saying, one after the other.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = (Side, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let mut head = 0;
        for shift in (0..usize::BITS).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            head |= usize::from(byte & 0x7f) << shift;
            if *byte < 0x80 {
                break;
            }
        }
        let (line, rest) = self.0.split_at_checked(head >> 1)?;
        self.0 = rest;
        Some((if head & 1 == 0 { Side::Client } else { Side::Server }, line))
    }
}

/// Byte strings kept once, by numbers.
#[derive(Debug, Default)]
struct Sayings {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<u32>,
    index: HashTable<u32>,
    hasher: RandomState,
}

impl Sayings {
    fn get(&self, number: u32) -> &[u8] {
        of(&self.bytes, &self.ends, number)
    }

    fn number(&mut self, saying: &[u8]) -> Option<u32> {
        let hash = self.hasher.hash_one(saying);
        let Self { bytes, ends, index, hasher } = self;
        if let Some(number) = index.find(hash, |number| of(bytes, ends, *number) == saying) {
            return Some(*number);
        }
        let number = u32::try_from(ends.len()).ok().filter(|number| *number != LineColumn::NONE)?;
        ends.push(u32::try_from(bytes.len() + saying.len()).ok()?);
        bytes.extend_from_slice(saying);
        index.insert_unique(hash, number, |number| hasher.hash_one(of(bytes, ends, *number)));
        Some(number)
    }

    fn bytes(&self) -> usize {
        // Of the table one slot in eight is free, and each has a byte beside it.
        let table = self.index.capacity() * (size_of::<u32>() + 1) * 8 / 7;
        self.bytes.capacity() + self.ends.capacity() * size_of::<u32>() + table
    }
}

fn of<'a>(bytes: &'a [u8], ends: &[u32], number: u32) -> &'a [u8] {
    let end = |at: usize| ends.get(at).map_or(0, |end| *end as usize);
    let start = (number as usize).checked_sub(1).map_or(0, end);
    bytes.get(start..end(number as usize)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::model::{
        Body, ByteRange, Detail, Exchange, Field, HttpExchange, HttpMessage, HttpVersion, Ledger, StartLine, Timestamp,
        Verdict,
    };
    use crate::store::query::{Orders, RowSet};
    use crate::store::{Facts, Progress, Record, Store};

    /// A message with these lines; its start line does not matter.
    fn message(start: StartLine, lines: &[(&str, &str)]) -> HttpMessage {
        let mut block = Vec::new();
        let mut put = |text: &str| {
            let start = block.len();
            block.extend_from_slice(text.as_bytes());
            ByteRange::between(start, block.len())
        };
        let fields = lines.iter().map(|(name, value)| Field { name: put(name), value: put(value) }).collect();
        HttpMessage {
            block: block.into(),
            version: HttpVersion::V11,
            start,
            fields,
            told_at: Vec::new(),
            trailers: Vec::new(),
            spans: Vec::new(),
            stream_offset: 0,
            first_frame: FrameNo(1),
            header_frame: FrameNo(1),
            last_frame: FrameNo(1),
            time: Timestamp(0),
            end_time: Timestamp(0),
            body: Body::default(),
            opening: None,
            complete: true,
        }
    }

    /// The exchange of a number: of many connections, with lines that some share and some do not; without its answer while it
    /// goes on.
    fn record(n: u32, answered: bool) -> Record {
        let tag = format!("\"{n:05}\"");
        let request = [("Host", "a.example"), ("X-Kind", ["one", "two", "three"][n as usize % 3])];
        let answer = [("Server", ["AmazonS3", "Azure-Blob/1.0"][n as usize % 2]), ("ETag", &tag), ("server", "Twice")];
        let none = ByteRange::default();
        let status = |code| StartLine::Status { code, reason: none };
        let http = HttpExchange {
            request: Some(message(StartLine::Request { method: none, target: none }, &request)),
            interim: if n.is_multiple_of(7) { vec![message(status(103), &[("Link", "</a.css>")])] } else { Vec::new() },
            response: answered.then(|| message(status(200), &answer[..2 + usize::from(n.is_multiple_of(5))])),
            stream: None,
            pushed: false,
            websocket: None,
        };
        let end = |last: u32, port: u16| Endpoint { ip: Ipv4Addr::from(0x0a00_0000 | last).into(), port };
        let exchange = Exchange {
            flow: FlowId(n + 1),
            ordinal: 0,
            client: end(n % 5, 50_000 + (n % 1_000) as u16),
            server: end(256 + n % 50, [80, 443][n as usize % 2]),
            transport: [Transport::Tcp, Transport::Udp][usize::from(n.is_multiple_of(11))],
            first_frame: FrameNo(n + 1),
            last_frame: FrameNo(n + if answered { 40 } else { 1 }),
            time: Timestamp(0),
            end_time: Timestamp(0),
            envelope: None,
            proxied: None,
            reported: None,
            detail: Detail::Http(Box::new(http)),
            anomalies: Vec::new(),
        };
        Record { exchange, ledger: Ledger::new(), verdict: Verdict::default() }
    }

    const FILTERS: [&str; 16] = [
        "header:server",
        "header:server:azure",
        "resp-header:SERVER=twice",
        "header:server!=AmazonS3",
        "-header:server!=AmazonS3",
        "req-header:server:azure",
        "req-header:x-kind:two header:etag:9",
        "header:link or header:etag:777",
        "header:nothing",
        "ip:10.0.1.0/28",
        "ip:10.0.0.3 port:443",
        "port!=443",
        "proto:udp -header:link",
        "stream:100..5000",
        "frame:9990",
        "status:200 (header:server:azure or ip:10.0.1.7)",
    ];

    /// What filters keep with what is kept for them, and without.
    #[track_caller]
    fn same<'a>(snapshot: &Snapshot, all: impl IntoIterator<Item = &'a mut Orders>) {
        let filters = FILTERS.map(|text| (text, Filter::parse(text).unwrap()));
        let want = filters.each_ref().map(|(_, filter)| RowSet::new(snapshot, filter));
        for orders in all {
            for ((text, filter), want) in filters.iter().zip(&want) {
                assert_eq!(RowSet::with(snapshot, filter, orders), *want, "{text} of {} rows", snapshot.len());
            }
        }
    }

    fn store() -> Store {
        Store::new(&Budget { record_bytes: 300 << 10, ..Budget::default() }, &[])
    }

    fn published(store: &mut Store) -> Snapshot {
        store.snapshot(Facts::default(), Progress::default())
    }

    #[test]
    fn rows_that_come_change_and_go_are_found_as_their_records_say() {
        let mut store = store();
        store.keep_rows(3_000);
        let mut orders = Orders::within(&Budget::default());
        // Every thousandth exchange goes on for long, some for ever.
        for n in 0..30_000 {
            if n % 1_000 == 5 {
                store.show(&record(n, false));
            } else {
                store.add(&record(n, true));
            }
            if n % 3_000 == 2_000 && n > 10_000 {
                store.add(&record(n - n % 1_000 - 8_995, true));
            }
            if n % 4_500 == 1_234 {
                same(&published(&mut store), [&mut orders]);
            }
        }
        assert!(store.forgotten() > 15_000, "rows were forgotten meanwhile");
        let last = published(&mut store);
        assert!(last.row(RowId(5)).is_some_and(|row| row.is_open()), "and one stayed");
        same(&last, [&mut orders]);
        // What is kept does not grow with what came: names, values and ends of the rows that are left.
        let each = orders.filter_bytes() / last.kept();
        assert!(each < 400, "{each} bytes a row");
    }

    #[test]
    fn what_has_no_room_is_read_from_the_records() {
        let mut store = store();
        let budgets = [0, 1_000, 20 << 10, 60 << 10, 1 << 20];
        let mut all = budgets.map(|bytes| Orders::within(&Budget { filter_bytes: bytes, ..Budget::default() }));
        for n in 0..2_400 {
            store.add(&record(n, true));
            if n % 1_199 == 0 {
                same(&published(&mut store), &mut all);
                let used = all.each_ref().map(Orders::filter_bytes);
                assert!(used.iter().zip(budgets).all(|(used, most)| *used <= most), "{used:?}");
            }
        }
        assert!(all[4].filter_bytes() > budgets[3], "there is room for all of it");
    }

    #[test]
    fn a_filter_reads_no_record_twice() {
        let mut store = store();
        for n in 0..2_000 {
            store.add(&record(n, true));
        }
        let snapshot = published(&mut store);
        let mut orders = Orders::within(&Budget::default());
        let filter = Filter::parse("header:server:azure ip:10.0.1.3").unwrap();
        let want = RowSet::with(&snapshot, &filter, &mut orders);
        assert!(!want.is_empty());
        // The same rows without their records.
        let bare = Snapshot { pages: std::sync::Arc::default(), ..snapshot };
        assert_eq!(RowSet::with(&bare, &filter, &mut orders), want);
        assert!(RowSet::new(&bare, &filter).is_empty(), "which the records would not say");
    }
}
