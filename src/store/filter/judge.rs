//! Which rows a filter keeps: chunk by chunk, cheap tests first, records only of rows that are still in question.

use core::net::{IpAddr, SocketAddr};
use core::ops::Range;
use std::borrow::Cow;

use ahash::AHashMap;

use super::Filter;
use super::bits::Bits;
use super::keys::{Key, Proto, State};
use super::matching::{Needle, Part};
use super::tree::{Amount, Block, Expr, Heads, Match, Node, Test};
use super::values::{DAY, Moment};
use crate::evidence::{Kind as Rule, pack};
use crate::model::{Detail, Exchange, Side, Stance, Timestamp, Transport, clean};
use crate::store::findings::own_site;
use crate::store::heads;
use crate::store::index::{EndsColumn, Index, LineColumn, RowEnds, Told};
use crate::store::table::RowTexts;
use crate::store::{Record, Row, RowId, RowKind, Snapshot, StrId, StrId16};

/// Record type of an alias (RFC 1035 section 3.2.2).
const CNAME: u16 = 5;

/// What rows are judged by: a snapshot, and what is kept of its records, where anything is.
#[derive(Clone, Copy)]
struct Sight<'a> {
    snapshot: &'a Snapshot,
    index: Option<&'a Index>,
}

impl<'a> Sight<'a> {
    /// Who speaks with whom.
    fn connections(self) -> Option<&'a EndsColumn> {
        self.index.and_then(Index::ends)
    }

    fn told(self, id: RowId) -> Option<Told> {
        let kept = self.connections().and_then(|kept| kept.of(id));
        kept.map(RowEnds::told).or_else(|| self.snapshot.ends(id).map(Told::from))
    }
}

/// A filter made ready for one snapshot.
pub(in crate::store) struct Judge<'a> {
    sight: Sight<'a>,
    plan: Plan<'a>,
}

impl<'a> Judge<'a> {
    /// The index must have caught up with the snapshot for this filter.
    pub(in crate::store) fn new((snapshot, index): (&'a Snapshot, Option<&'a Index>), filter: &Filter) -> Self {
        let sight = Sight { snapshot, index };
        Self { sight, plan: Plan::new(sight, filter.tree()) }
    }

    /// Those of `rows` that are kept, of a run that begins at `first`.
    pub(in crate::store) fn run(&mut self, first: RowId, run: &[Row], rows: Bits) -> Bits {
        self.plan.keep(self.sight, &Chunk { base: first.0, rows: run }, rows)
    }
}

/// A chunk of rows, and the place of its first.
struct Chunk<'a> {
    base: u32,
    rows: &'a [Row],
}

impl Chunk<'_> {
    /// Those of `rows` for which `holds`.
    fn keep(&self, rows: Bits, mut holds: impl FnMut(RowId, &Row) -> bool) -> Bits {
        rows.keep(|at| {
            let id = RowId(self.base.saturating_add(u32::try_from(at).unwrap_or(u32::MAX)));
            self.rows.get(at).is_some_and(|row| holds(id, row))
        })
    }
}

/// The tree with everything worked out that is the same for all rows.
enum Plan<'a> {
    All,
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    /// What stands in the row.
    Row(Box<dyn Fn(&Row) -> bool + 'a>),
    /// What stands beside it.
    Beside(Box<dyn Fn(RowId) -> bool + 'a>),
    Texts(Box<Texts>),
    Ends(EndsTest<'a>),
    Record(RecordTest<'a>),
}

impl<'a> Plan<'a> {
    fn new(sight: Sight<'a>, node: &Node) -> Self {
        let parts = |nodes: &[Node]| {
            let mut parts: Vec<Self> = nodes.iter().map(|node| Self::new(sight, node)).collect();
            parts.sort_by_key(Self::cost);
            parts
        };
        match &node.expr {
            Expr::All => Self::All,
            Expr::And(nodes) => Self::And(parts(nodes)),
            Expr::Or(nodes) => Self::Or(parts(nodes)),
            Expr::Not(node) => Self::Not(Box::new(Self::new(sight, node))),
            Expr::Test(test) => Self::test(sight, test),
        }
    }

    /// How much a row costs, roughly in nanoseconds.
    fn cost(&self) -> u32 {
        match self {
            Self::All => 0,
            Self::And(parts) | Self::Or(parts) => parts.iter().map(Self::cost).fold(0, u32::saturating_add),
            Self::Not(part) => part.cost(),
            Self::Row(_) | Self::Ends(EndsTest::Duration(_)) => 2,
            Self::Beside(_) => 20,
            Self::Texts(_) | Self::Record(RecordTest::Header { kept: Some(_), .. }) => 10,
            Self::Ends(_) => 100,
            Self::Record(_) => 2_000,
        }
    }

    fn keep(&mut self, sight: Sight<'a>, chunk: &Chunk<'_>, rows: Bits) -> Bits {
        match self {
            Self::All => rows,
            Self::And(parts) => {
                let mut left = rows;
                for part in parts {
                    if left.is_empty() {
                        break;
                    }
                    left = part.keep(sight, chunk, left);
                }
                left
            }
            Self::Or(parts) => {
                let mut kept = Bits::NONE;
                for part in parts {
                    let left = rows.minus(kept);
                    if left.is_empty() {
                        break;
                    }
                    kept = kept.or(part.keep(sight, chunk, left));
                }
                kept
            }
            Self::Not(part) => rows.minus(part.keep(sight, chunk, rows)),
            Self::Row(holds) => chunk.keep(rows, |_, row| holds(row)),
            Self::Beside(holds) => chunk.keep(rows, |id, _| holds(id)),
            Self::Texts(texts) => chunk.keep(rows, |id, row| texts.holds(sight.snapshot, id, row)),
            Self::Ends(test) => chunk.keep(rows, |id, row| test.holds(sight, id, row)),
            Self::Record(test) => chunk.keep(rows, |id, row| test.holds(sight.snapshot, id, row)),
        }
    }

    fn row(holds: impl Fn(&Row) -> bool + 'a) -> Self {
        Self::Row(Box::new(holds))
    }

    fn texts(texts: Texts) -> Self {
        Self::Texts(Box::new(texts))
    }

    fn test(sight: Sight<'a>, test: &Test) -> Self {
        let snapshot = sight.snapshot;
        match test {
            Test::Has(key) => Self::has(snapshot, *key),
            Test::Text(key, matching) => Self::text(snapshot, *key, matching),
            Test::Number(key, amount) => Self::number(snapshot, *key, *amount),
            Test::Time(amount) => {
                let amount = *amount;
                Self::row(move |row| in_time(&amount, row.time.0))
            }
            Test::Grade(amount) => {
                let amount = *amount;
                Self::row(move |row| row.grade().is_some_and(|grade| amount.holds(grade)))
            }
            Test::Address(block) => Self::Ends(EndsTest::Address {
                block: *block,
                servers: Memo::new(snapshot),
                kept: sight.connections().map(|kept| (kept, kept.judged(|ip| block.holds(ip)))),
            }),
            Test::Proto(proto) => Self::proto(snapshot, *proto),
            Test::State(state) => Self::state(snapshot, *state),
            Test::Conflict(witness) => {
                let witness = *witness;
                Self::row(move |row| row.agreement().of(witness) == Stance::Conflicts)
            }
            Test::Header(heads, name, matching) => Self::Record(RecordTest::Header {
                heads: *heads,
                name: name.clone(),
                needle: matching.as_ref().map(Needle::new),
                kept: KeptLines::new(sight, matching.as_ref().map(|_| name.as_str())),
            }),
        }
    }

    /// Whether there is a value at all.
    fn has(snapshot: &'a Snapshot, key: Key) -> Self {
        match key {
            Key::Operator => Self::row(|row| row.operator != Row::NONE),
            Key::Product => Self::row(|row| row.product != Row::NONE),
            Key::Role => Self::row(|row| row.role != u8::MAX),
            Key::Grade => Self::row(|row| row.grade().is_some()),
            Key::Method => Self::row(|row| row.method != StrId16(0)),
            Key::Type => Self::row(|row| row.content_type != StrId16(0)),
            Key::Host => Self::row(|row| row.host != StrId(0)),
            Key::Path => Self::row(|row| row.path != StrId(0)),
            Key::Url => Self::row(|row| row.kind == RowKind::Http && row.host != StrId(0)),
            Key::Tenant => Self::row(|row| row.tenant != StrId(0)),
            Key::Sni => Self::row(|row| row.kind == RowKind::Tls && row.host != StrId(0)),
            Key::Process => Self::Beside(Box::new(|id| !snapshot.program(id).is_empty())),
            Key::File => Self::Beside(Box::new(|id| !snapshot.file_name(id).is_empty())),
            Key::Comment => Self::state(snapshot, State::Commented),
            Key::Marked => Self::state(snapshot, State::Marked),
            Key::Ignored => Self::state(snapshot, State::Ignored),
            Key::Conversation => Self::Beside(Box::new(|id| snapshot.colour(id).is_some())),
            Key::Conflict => Self::state(snapshot, State::Conflict),
            Key::Cname => Self::Record(RecordTest::Cname { needle: None, lookups: AHashMap::new() }),
            Key::Site => Self::row(|row| row.kind != RowKind::Dns),
            Key::Status | Key::Rcode | Key::Size | Key::Duration | Key::Asn | Key::Action => {
                Self::number(snapshot, key, Amount::AtLeast(0))
            }
            Key::Any
            | Key::Ip
            | Key::Port
            | Key::Proto
            | Key::Header
            | Key::RequestHeader
            | Key::ResponseHeader
            | Key::Frame
            | Key::Stream
            | Key::Time
            | Key::Is => Self::All,
        }
    }

    fn text(snapshot: &'a Snapshot, key: Key, matching: &Match) -> Self {
        let needle = Needle::new(matching);
        let of =
            |texts: &'static [Text], words: &'static [Word]| Texts::new(snapshot, Needle::new(matching), texts, words);
        match key {
            Key::Any => {
                let columns = &[Text::Host, Text::Path, Text::Server, Text::Tenant];
                let mut texts = of(columns, &[Word::Method, Word::Type]);
                texts.operators = Some(operators(&needle));
                texts.products = Some(products(&needle));
                Self::texts(texts)
            }
            Key::Host => Self::texts(of(&[Text::Host], &[])),
            Key::Path => Self::texts(of(&[Text::Path], &[])),
            Key::Tenant => Self::texts(of(&[Text::Tenant], &[])),
            Key::Method => Self::texts(of(&[], &[Word::Method])),
            Key::Type => Self::texts(of(&[], &[Word::Type])),
            Key::Sni => Self::And(vec![Self::row(|row| row.kind == RowKind::Tls), Self::texts(of(&[Text::Host], &[]))]),
            Key::Operator => {
                let (judged, none) = (operators(&needle), needle.holds(""));
                Self::row(move |row| judged.get(usize::from(row.operator)).copied().unwrap_or(none))
            }
            Key::Product => {
                let (judged, none) = (products(&needle), needle.holds(""));
                Self::row(move |row| judged.get(usize::from(row.product)).copied().unwrap_or(none))
            }
            Key::Role => {
                let judged: Vec<bool> = pack().roles.iter().map(|role| needle.holds(role)).collect();
                let none = needle.holds("");
                Self::row(move |row| judged.get(usize::from(row.role)).copied().unwrap_or(none))
            }
            Key::Process => Self::Beside(Box::new(move |id| needle.holds(snapshot.program(id)))),
            Key::File => Self::Beside(Box::new(move |id| needle.holds(snapshot.file_name(id)))),
            Key::Comment => {
                Self::Beside(Box::new(move |id| needle.holds(snapshot.note(id).map_or("", |note| &note.comment))))
            }
            Key::Cname => Self::Record(RecordTest::Cname { needle: Some(needle), lookups: AHashMap::new() }),
            Key::Url => Self::Record(RecordTest::Url(needle)),
            Key::Site => Self::Record(RecordTest::Site { needle, sites: AHashMap::new() }),
            Key::Ip
            | Key::Port
            | Key::Asn
            | Key::Grade
            | Key::Conflict
            | Key::Status
            | Key::Rcode
            | Key::Size
            | Key::Duration
            | Key::Proto
            | Key::Header
            | Key::RequestHeader
            | Key::ResponseHeader
            | Key::Frame
            | Key::Stream
            | Key::Marked
            | Key::Ignored
            | Key::Conversation
            | Key::Action
            | Key::Time
            | Key::Is => {
                debug_assert!(false, "{key:?} is no text");
                Self::Not(Box::new(Self::All))
            }
        }
    }

    fn number(snapshot: &'a Snapshot, key: Key, amount: Amount<u64>) -> Self {
        match key {
            Key::Status => Self::row(move |row| {
                row.kind == RowKind::Http && row.status != 0 && amount.holds(u64::from(row.status))
            }),
            Key::Rcode => Self::row(move |row| {
                row.kind == RowKind::Dns && !row.has(Row::INCOMPLETE) && amount.holds(u64::from(row.status))
            }),
            // Of lookups the column counts answers.
            Key::Size => Self::row(move |row| row.kind != RowKind::Dns && amount.holds(row.size)),
            Key::Duration => Self::Ends(EndsTest::Duration(amount)),
            Key::Frame => Self::Ends(EndsTest::Frame(amount)),
            Key::Stream => Self::Ends(EndsTest::Stream(amount)),
            Key::Port => Self::Ends(EndsTest::Port(amount)),
            Key::Asn => Self::Record(RecordTest::Asn(amount)),
            Key::Conversation => Self::Beside(Box::new(move |id| {
                snapshot.colour(id).is_some_and(|colour| amount.holds(u64::from(colour.number())))
            })),
            Key::Action => {
                let numbers = (1..=snapshot.actions().len()).filter(|n| amount.holds(*n as u64));
                let stretches: Vec<Range<Timestamp>> = numbers.filter_map(|n| snapshot.actions().stretch(n)).collect();
                Self::row(move |row| stretches.iter().any(|stretch| stretch.contains(&row.time)))
            }
            Key::Any
            | Key::Host
            | Key::Sni
            | Key::Cname
            | Key::Ip
            | Key::Operator
            | Key::Product
            | Key::Role
            | Key::Tenant
            | Key::Grade
            | Key::Conflict
            | Key::Method
            | Key::Type
            | Key::Proto
            | Key::Header
            | Key::RequestHeader
            | Key::ResponseHeader
            | Key::Process
            | Key::File
            | Key::Marked
            | Key::Ignored
            | Key::Comment
            | Key::Site
            | Key::Time
            | Key::Url
            | Key::Path
            | Key::Is => {
                debug_assert!(false, "{key:?} is no number");
                Self::Not(Box::new(Self::All))
            }
        }
    }

    fn proto(snapshot: &'a Snapshot, proto: Proto) -> Self {
        let version = |tenths: u8| Self::row(move |row| row.kind == RowKind::Http && row.http_version() == tenths);
        let word = |word: &'static str| {
            let is = Match::Is(word.to_owned());
            Self::texts(Texts::new(snapshot, Needle::new(&is), &[], &[Word::Method]))
        };
        let of = |kind: RowKind, part: Self| Self::And(vec![Self::row(move |row| row.kind == kind), part]);
        match proto {
            Proto::Http => Self::row(|row| row.kind == RowKind::Http),
            Proto::Http0 => version(9),
            Proto::Http10 => version(10),
            Proto::Http11 => version(11),
            Proto::Http2 => version(20),
            Proto::Http3 => version(30),
            // DTLS is a protocol of its own, as it is to Wireshark.
            Proto::Tls => of(RowKind::Tls, Self::Not(Box::new(word("DTLS")))),
            Proto::Https => Self::Or(vec![
                Self::row(|row| row.kind == RowKind::Http && row.is_opened()),
                of(RowKind::Tls, Self::Not(Box::new(word("DTLS")))),
            ]),
            Proto::Quic => of(RowKind::Tls, word("QUIC")),
            Proto::Dtls => of(RowKind::Tls, word("DTLS")),
            Proto::Dns => Self::row(|row| row.kind == RowKind::Dns),
            Proto::Mdns => of(RowKind::Dns, word("mDNS")),
            Proto::Llmnr => of(RowKind::Dns, word("LLMNR")),
            Proto::Tcp => Self::Ends(EndsTest::Transport(Transport::Tcp)),
            Proto::Udp => Self::Ends(EndsTest::Transport(Transport::Udp)),
        }
    }

    fn state(snapshot: &'a Snapshot, state: State) -> Self {
        match state {
            State::Open => Self::row(Row::is_open),
            State::Marked => Self::Beside(Box::new(|id| snapshot.note(id).is_some_and(|note| note.marked))),
            State::Ignored => Self::Beside(Box::new(|id| snapshot.is_ignored(id))),
            State::Commented => {
                Self::Beside(Box::new(|id| snapshot.note(id).is_some_and(|note| !note.comment.is_empty())))
            }
            State::Conflict => Self::row(|row| row.has(Row::CONFLICT)),
            State::Incomplete => Self::row(|row| row.has(Row::INCOMPLETE)),
            State::Odd => Self::row(|row| row.has(Row::ANOMALY)),
            State::Decrypted => Self::row(Row::is_opened),
            State::HandedOut => Self::row(|row| row.has(Row::HANDED_OUT)),
            State::Error => Self::row(|row| match row.kind {
                RowKind::Http => row.status >= 400,
                RowKind::Dns => row.status != 0,
                RowKind::Tls => false,
            }),
        }
    }
}

fn operators(needle: &Needle) -> Vec<bool> {
    let names = |p: &'static crate::evidence::Provider| {
        let mut names = vec![p.name, p.id];
        names.extend(p.aliases);
        needle.holds_of(&names)
    };
    pack().providers.iter().map(names).collect()
}

fn products(needle: &Needle) -> Vec<bool> {
    pack().services.iter().map(|s| needle.holds_of(&[s.name, s.id])).collect()
}

/// Whether a time lies so; what is of no day is asked of the time of day.
fn in_time(amount: &Amount<Moment>, nanos: i64) -> bool {
    let at = |moment: &Moment| if moment.dated { nanos } else { nanos.rem_euclid(DAY) };
    match amount {
        Amount::Is(m) => (m.nanos..=m.last()).contains(&at(m)),
        Amount::Differs(m) => !(m.nanos..=m.last()).contains(&at(m)),
        Amount::Over(m) => at(m) > end(m),
        Amount::AtLeast(m) => at(m) >= m.nanos,
        Amount::Under(m) => at(m) < m.nanos,
        Amount::AtMost(m) => at(m) <= end(m),
        Amount::Between(from, to) if from.nanos <= to.nanos => (from.nanos..=end(to)).contains(&at(from)),
        // Over midnight.
        Amount::Between(from, to) => at(from) >= from.nanos || at(to) <= end(to),
    }
}

/// Where a stretch ends that ends at a moment: a day belongs to it, a time of day is a point.
fn end(moment: &Moment) -> i64 {
    if moment.unit == DAY { moment.last() } else { moment.nanos }
}

/// What texts said to a needle, by their numbers: hosts and paths repeat.
struct Memo {
    said: Vec<Option<Said>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    No,
    Yes,
    /// The row has a part of its text only: its record is to be asked.
    Cut,
}

impl Said {
    fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    fn of_text(needle: &Needle, text: &str) -> Self {
        if is_cut(text) && !needle.is_of_cut() { Self::Cut } else { Self::of(needle.holds(text)) }
    }
}

impl Memo {
    fn new(snapshot: &Snapshot) -> Self {
        Self { said: vec![None; snapshot.texts.len()] }
    }

    fn of_words(snapshot: &Snapshot) -> Self {
        Self { said: vec![None; snapshot.words.len()] }
    }

    fn said(&mut self, id: u32, ask: impl FnOnce() -> Said) -> Said {
        let Some(said) = self.said.get_mut(id as usize) else { return ask() };
        *said.get_or_insert_with(ask)
    }

    fn holds(&mut self, id: u32, ask: impl FnOnce() -> bool) -> bool {
        self.said(id, || Said::of(ask())) == Said::Yes
    }

    /// What a text says to a needle. Those that lie about it are asked too where that costs little: paths of rows that follow
    /// each other do.
    fn text(&mut self, snapshot: &Snapshot, needle: &Needle, id: StrId) -> Said {
        if self.said.get(id.0 as usize).is_some_and(Option::is_none)
            && let Needle::Contains(part) = needle
        {
            self.ask_around(snapshot, part, id, needle.is_of_cut());
        }
        self.said(id.0, || Said::of_text(needle, snapshot.text(id)))
    }

    fn ask_around(&mut self, snapshot: &Snapshot, part: &Part, id: StrId, is_of_cut: bool) {
        let Some((first, text, ends)) = snapshot.texts.around(id.0) else { return };
        let Some(said) = self.said.get_mut(first as usize..).and_then(|said| said.get_mut(..ends.len())) else {
            return;
        };
        let yes = |at: usize| {
            if let Some(said) = said.get_mut(at) {
                *said = Some(Said::Yes);
            }
        };
        if !part.in_each(text, ends, yes) {
            return;
        }
        for (said, end) in said.iter_mut().zip(ends) {
            if !is_of_cut && text.get(..*end as usize).is_some_and(is_cut) {
                *said = Some(Said::Cut);
            } else {
                said.get_or_insert(Said::No);
            }
        }
    }
}

/// A column of texts.
#[derive(Clone, Copy)]
enum Text {
    Host,
    Path,
    Server,
    Tenant,
}

impl Text {
    fn of(self, row: &Row) -> StrId {
        match self {
            Self::Host => row.host,
            Self::Path => row.path,
            Self::Server => row.server,
            Self::Tenant => row.tenant,
        }
    }

    fn whole(self, record: &Record) -> Option<String> {
        let shown = |bytes: &[u8]| clean(bytes).into_owned();
        Some(match self {
            Self::Host => shown(&RowTexts::of(&record.exchange).host),
            Self::Path => shown(&RowTexts::of(&record.exchange).path),
            Self::Server => record.exchange.server.to_string(),
            Self::Tenant => shown(record.verdict.tenant.as_ref()?.value.name.as_bytes()),
        })
    }
}

/// A column of words.
#[derive(Clone, Copy)]
enum Word {
    Method,
    Type,
}

impl Word {
    fn of(self, row: &Row) -> StrId16 {
        match self {
            Self::Method => row.method,
            Self::Type => row.content_type,
        }
    }

    fn whole(self, record: &Record) -> String {
        let texts = RowTexts::of(&record.exchange);
        let whole = match self {
            Self::Method => texts.method,
            Self::Type => texts.content_type,
        };
        clean(&whole).into_owned()
    }
}

/// Whether a row may hold the text in part only: long ones are cut, and past the interner's cap there is nothing but this.
fn is_cut(text: &str) -> bool {
    text.ends_with('…')
}

/// A row's text; where the row holds a part of it, the whole one of the record.
fn whole_text<'a>(snapshot: &'a Snapshot, id: RowId, row: &Row, column: Text) -> Cow<'a, str> {
    let text = snapshot.text(column.of(row));
    let whole = is_cut(text).then(|| snapshot.record(id).ok().and_then(|record| column.whole(&record))).flatten();
    whole.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// A needle in one of several columns.
struct Texts {
    needle: Needle,
    columns: &'static [Text],
    words: &'static [Word],
    operators: Option<Vec<bool>>,
    products: Option<Vec<bool>>,
    memo: Memo,
    word_memo: Memo,
}

impl Texts {
    fn new(snapshot: &Snapshot, needle: Needle, columns: &'static [Text], words: &'static [Word]) -> Self {
        let (memo, word_memo) = (Memo::new(snapshot), Memo::of_words(snapshot));
        Self { needle, columns, words, operators: None, products: None, memo, word_memo }
    }

    fn holds(&mut self, snapshot: &Snapshot, id: RowId, row: &Row) -> bool {
        let Self { needle, columns, words, operators, products, memo, word_memo } = self;
        let names = [(operators, row.operator), (products, row.product)];
        let named = |(judged, at): (&mut Option<Vec<bool>>, u16)| {
            judged.as_ref().and_then(|judged| judged.get(usize::from(at))).copied().unwrap_or(false)
        };
        let mut word = |column: Word| {
            let word = column.of(row);
            match word_memo.said(u32::from(word.0), || Said::of_text(needle, snapshot.word(word))) {
                Said::Cut => snapshot.record(id).is_ok_and(|record| needle.holds(&column.whole(&record))),
                said => said == Said::Yes,
            }
        };
        let mut text = |column: Text| {
            let text = column.of(row);
            match memo.text(snapshot, needle, text) {
                Said::Cut => needle.holds(&whole_text(snapshot, id, row, column)),
                said => said == Said::Yes,
            }
        };
        names.into_iter().any(named)
            || words.iter().any(|column| word(*column))
            || columns.iter().any(|column| text(*column))
    }
}

/// What the first bytes of a record tell.
enum EndsTest<'a> {
    Address {
        block: Block,
        servers: Memo,
        /// Which of the addresses that are kept lie in it.
        kept: Option<(&'a EndsColumn, Vec<bool>)>,
    },
    Port(Amount<u64>),
    Frame(Amount<u64>),
    Stream(Amount<u64>),
    Transport(Transport),
    Duration(Amount<u64>),
}

impl EndsTest<'_> {
    fn holds(&mut self, sight: Sight<'_>, id: RowId, row: &Row) -> bool {
        let snapshot = sight.snapshot;
        let told = || sight.told(id);
        match self {
            Self::Address { block, servers, kept } => {
                let known = kept.as_ref().and_then(|(kept, judged)| Some((kept.of(id)?, judged)));
                if let Some((ends, judged)) = known {
                    return ends.addresses().into_iter().any(|at| judged.get(at).copied().unwrap_or(false));
                }
                let server = servers.holds(row.server.0, || {
                    endpoint(snapshot.text(row.server)).is_some_and(|server| block.holds(server.ip()))
                });
                server
                    || snapshot.ends(id).is_some_and(|ends| block.holds(ends.client.ip) || block.holds(ends.server.ip))
            }
            // Of several values all differ, as with Wireshark 4.
            Self::Port(Amount::Differs(other)) => {
                told().is_some_and(|told| told.ports.into_iter().all(|port| u64::from(port) != *other))
            }
            Self::Port(amount) => {
                told().is_some_and(|told| told.ports.into_iter().any(|port| amount.holds(u64::from(port))))
            }
            Self::Frame(amount) => has_frame(amount, row, told),
            Self::Stream(amount) => told().is_some_and(|told| amount.holds(u64::from(told.flow.0))),
            Self::Transport(transport) => told().is_some_and(|told| told.transport == *transport),
            Self::Duration(_) if row.is_open() => false,
            // The row cannot say more; the record can.
            Self::Duration(amount) if row.duration_micros == Row::LONGEST => {
                snapshot.record(id).is_ok_and(|record| amount.holds(micros(&record.exchange)))
            }
            Self::Duration(amount) => amount.holds(u64::from(row.duration_micros)),
        }
    }
}

/// Microseconds from the first to the last frame.
fn micros(exchange: &Exchange) -> u64 {
    exchange.end_time.nanos_since(exchange.time).max(0).unsigned_abs() / 1_000
}

/// An endpoint as the server's column writes it.
fn endpoint(text: &str) -> Option<SocketAddr> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, 0)))
}

/// Whether a frame of such a number lies from the first to the last; the record is read only where the first does not tell.
fn has_frame(amount: &Amount<u64>, row: &Row, told: impl Fn() -> Option<Told>) -> bool {
    let first = u64::from(row.first_frame.0);
    let last = || told().map_or(first, |told| u64::from(told.last_frame.0));
    match *amount {
        Amount::Is(n) => first == n || (first < n && last() >= n),
        Amount::Differs(n) => first > n || last() < n,
        Amount::Over(n) => first > n || last() > n,
        Amount::AtLeast(n) => first >= n || last() >= n,
        Amount::Under(n) => first < n,
        Amount::AtMost(n) => first <= n,
        Amount::Between(from, to) => first <= to && (first >= from || last() >= from),
    }
}

/// What the whole record tells.
enum RecordTest<'a> {
    Header {
        heads: Heads,
        name: String,
        needle: Option<Needle>,
        kept: Option<KeptLines<'a>>,
    },
    /// Of any name where there is no needle; lookups are remembered by their places.
    Cname {
        needle: Option<Needle>,
        lookups: AHashMap<u32, bool>,
    },
    Asn(Amount<u64>),
    Url(Needle),
    Site {
        needle: Needle,
        sites: AHashMap<(StrId, StrId), bool>,
    },
}

/// Header lines that are kept beside the rows, and what they said to a test, by their numbers.
struct KeptLines<'a> {
    lines: &'a LineColumn,
    said: Vec<Lines>,
}

/// What lines said to a test.
#[derive(Clone, Copy)]
enum Lines {
    NotAsked,
    Known(bool),
    /// It depends on which message each stands in.
    Unclear,
}

impl<'a> KeptLines<'a> {
    /// The values of a name, or the names.
    fn new(sight: Sight<'a>, name: Option<&str>) -> Option<Self> {
        let lines = sight.index?.lines(name.map(str::to_ascii_lowercase).as_deref())?;
        Some(Self { lines, said: vec![Lines::NotAsked; lines.sayings()] })
    }

    /// `None` where the record is to be asked.
    fn holds(&mut self, id: RowId, heads: Heads, name: &str, needle: Option<&Needle>) -> Option<bool> {
        let Self { lines, said } = self;
        let saying = lines.saying(id)?;
        let said = said.get_mut(saying as usize)?;
        if let Lines::NotAsked = said {
            let side = |side: Side| match heads {
                Heads::Both => true,
                Heads::Request => side == Side::Client,
                Heads::Response => side == Side::Server,
            };
            let mut lines = lines.lines(saying).filter(|(of, _)| side(*of)).map(|(_, line)| line);
            *said = match needle {
                None => Lines::Known(lines.any(|line| line.eq_ignore_ascii_case(name.as_bytes()))),
                Some(needle) if needle.is_whole() => {
                    let lines: Vec<&[u8]> = lines.collect();
                    match lines.as_slice() {
                        several @ [_, _, ..] if !several.iter().any(|line| needle.holds(&clean(line))) => {
                            Lines::Unclear
                        }
                        lines => Lines::Known(is_said(lines, needle)),
                    }
                }
                Some(needle) => Lines::Known(any_or_all(lines, needle.differs(), |value| needle.holds(&clean(value)))),
            };
        }
        match said {
            Lines::Known(said) => Some(*said),
            Lines::NotAsked | Lines::Unclear => None,
        }
    }
}

impl RecordTest<'_> {
    /// A record that cannot be read holds nothing.
    fn holds(&mut self, snapshot: &Snapshot, id: RowId, row: &Row) -> bool {
        let record = || snapshot.record(id).ok();
        match self {
            Self::Header { heads, name, needle, kept } => {
                let needle = needle.as_ref();
                let known = kept.as_mut().and_then(|kept| kept.holds(id, *heads, name, needle));
                let read = || record().is_some_and(|record| has_line(&record, *heads, name, needle));
                row.kind == RowKind::Http && known.unwrap_or_else(read)
            }
            Self::Cname { needle, lookups } => {
                let mut of = |id: RowId, record: &Record| {
                    *lookups.entry(id.0).or_insert_with(|| leads_through(record, needle.as_ref()))
                };
                let Some(record) = record() else { return false };
                if row.kind == RowKind::Dns {
                    return of(id, &record);
                }
                let lookup = record.verdict.looked_up.as_ref().map(|l| RowId(l.lookup.0));
                lookup.is_some_and(|lookup| snapshot.record(lookup).is_ok_and(|record| of(lookup, &record)))
            }
            Self::Asn(amount) => record().is_some_and(|record| {
                let rules = record.ledger.iter().filter_map(|e| pack().signature(e.signature));
                let numbers = rules.filter(|rule| rule.kind == Rule::Asn).flat_map(|rule| rule.patterns);
                let number = |pattern: &&str| pattern.strip_prefix("AS").and_then(|n| n.parse().ok());
                let differs = matches!(amount, Amount::Differs(_));
                any_or_all(numbers.filter_map(number), differs, |n| amount.holds(n))
            }),
            Self::Url(needle) => {
                if row.kind != RowKind::Http {
                    return false;
                }
                let [host, path] = [Text::Host, Text::Path].map(|column| {
                    let shown = snapshot.text(column.of(row));
                    if needle.is_of_cut() { shown.into() } else { whole_text(snapshot, id, row, column) }
                });
                let scheme = if row.is_opened() { "https" } else { "http" };
                !host.is_empty() && needle.holds(&format!("{scheme}://{host}{path}"))
            }
            Self::Site { needle, sites } => {
                if row.kind == RowKind::Dns {
                    return false;
                }
                let party = if row.tenant == StrId(0) { None } else { record() };
                let party = party.and_then(|r| r.verdict.tenant).and_then(|t| t.value.first_party);
                match party {
                    Some(site) => needle.holds(&clean(site.as_bytes())),
                    None if is_cut(snapshot.text(row.host)) || is_cut(snapshot.text(row.server)) => {
                        let [host, server] = [Text::Host, Text::Server].map(|c| whole_text(snapshot, id, row, c));
                        needle.holds(&own_site(&host, &server))
                    }
                    None => *sites
                        .entry((row.host, row.server))
                        .or_insert_with(|| needle.holds(&own_site(snapshot.text(row.host), snapshot.text(row.server)))),
                }
            }
        }
    }
}

fn has_line(record: &Record, heads: Heads, name: &str, needle: Option<&Needle>) -> bool {
    let Detail::Http(http) = &record.exchange.detail else { return false };
    let request = http.request.iter().filter(|_| heads != Heads::Response);
    let responses = http.interim.iter().chain(&http.response).filter(|_| heads != Heads::Request);
    let is_named = |(n, _): &(&[u8], &[u8])| n.eq_ignore_ascii_case(name.as_bytes());
    let mut messages = request.chain(responses).map(|message| message.each_field().filter(is_named).map(|(_, v)| v));
    let Some(needle) = needle else { return messages.any(|mut lines| lines.next().is_some()) };
    if !needle.is_whole() {
        return any_or_all(messages.flatten(), needle.differs(), |value| needle.holds(&clean(value)));
    }
    messages.any(|lines| is_said(&lines.collect::<Vec<_>>(), needle))
}

/// Whether lines of one name in one message say the very text: one of them does, or all together, since several say the same
/// as one (RFC 9110 section 5.3), and cells show them so.
fn is_said(lines: &[&[u8]], needle: &Needle) -> bool {
    let all = || if needle.is_of_cut() { heads::shown(lines) } else { heads::joined(lines) };
    lines.iter().any(|value| needle.holds(&clean(value)))
        || ((lines.len() > 1 || needle.is_of_cut()) && !lines.is_empty() && needle.holds(&all()))
}

/// Whether one of several values is such; of a comparison that something differs, whether there are some and all do.
fn any_or_all<T>(mut values: impl Iterator<Item = T>, differs: bool, mut holds: impl FnMut(T) -> bool) -> bool {
    if differs { values.next().is_some_and(|first| holds(first) && values.all(holds)) } else { values.any(holds) }
}

/// Whether a lookup's answer leads through such a name.
fn leads_through(record: &Record, needle: Option<&Needle>) -> bool {
    let Detail::Dns(dns) = &record.exchange.detail else { return false };
    let answers = dns.response.iter().flat_map(|response| &response.answers);
    let mut names = answers.filter(|answer| answer.rtype == CNAME);
    let Some(needle) = needle else { return names.next().is_some() };
    any_or_all(names, needle.differs(), |answer| needle.holds(&answer.value))
}

#[cfg(test)]
mod tests {
    use super::in_time;
    use crate::store::filter::{Expr, Filter, Test};

    /// Which of four moments a comparison with a day keeps: before it, its first and last nanosecond, and after it.
    #[track_caller]
    fn check(text: &str, want: [bool; 4]) {
        let filter = Filter::parse(text).unwrap();
        let Expr::Test(Test::Time(amount)) = &filter.tree().expr else { panic!("{text}") };
        let start = 1_307_923_200_000_000_000;
        let moments = [start - 1, start, start + super::DAY - 1, start + super::DAY];
        assert_eq!(moments.map(|at| in_time(amount, at)), want, "{text}");
    }

    #[test]
    fn a_date_is_the_whole_day() {
        check("time:2011-06-13", [false, true, true, false]);
        check("time!=2011-06-13", [true, false, false, true]);
        check("time<2011-06-13", [true, false, false, false]);
        check("time<=2011-06-13", [true, true, true, false]);
        check("time>2011-06-13", [false, false, false, true]);
        check("time>=2011-06-13", [false, true, true, true]);
        check("time:2011-06-13..2011-06-13", [false, true, true, false]);
    }

    #[test]
    fn a_time_of_day_is_a_point() {
        check("time>2011-06-13T00:00", [false, false, true, true]);
        check("time<=2011-06-13T00:00", [true, true, false, false]);
    }
}
