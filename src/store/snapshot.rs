//! A frozen copy of the store: what the fronts read.

use std::sync::Arc;

use ahash::AHashMap;

use super::actions::Actions;
use super::blocks::{Pages, StoreError};
use super::certificates::CertificateList;
use super::findings::{self, Counts, FindingKey, Findings, SiteFindings, own_site};
use super::flows::FlowIndex;
use super::givers::Givers;
use super::notes::{FlowColour, Note, Notes};
use super::order::sort_by_number;
use super::programs::RowPrograms;
use super::record::{Ends, Record};
use super::rows::Rows;
use super::strings::{StrId, StrId16, Texts};
use super::table::{Row, RowId, RowKind, row_text};
use crate::capture::{CaptureFacts, Format, MergedFile};
use crate::evidence::pack;
use crate::model::{
    Decryption, FlowId, FrameNo, GiverNo, KeyLog, LimitHit, ProviderId, TlsSession, Tunnel, TunnelKind,
};
use crate::streams::FrameList;

/// What is known of the capture as a whole.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// What the reader says.
    pub capture: CaptureFacts,
    /// Frames with a link type or header that is not understood.
    pub undecoded_frames: u64,
    /// Frames understood that carry no TCP or UDP.
    pub other_frames: u64,
    /// TCP and UDP flows.
    pub flows: u64,
    /// Limits that were reached.
    pub limits: Vec<LimitHit>,
    /// How often the capturing system's clock was set back (by more than five seconds).
    pub clock_steps: u64,
    /// The TLS secrets that are there; never shown, never written.
    pub keys: Arc<KeyLog>,
    /// TLS sessions, and what keys opened of them.
    pub sessions: Sessions,
    /// Tunnels, which hide what goes through them.
    pub tunnels: Tunnels,
    /// SHA-256 of the file as it lies on disk, once it was read whole; a live capture has none.
    pub sha256: Option<[u8; 32]>,
}

/// Tunnels that two hosts agreed on, in the order in which they were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tunnels {
    /// The first of each kind between two hosts.
    pub listed: Vec<Tunnel>,
    /// All of them.
    pub total: u64,
}

/// Tunnels that are listed; the others are counted.
const TUNNELS_LISTED: usize = 64;

impl Tunnels {
    /// Counts a tunnel.
    pub fn add(&mut self, tunnel: Tunnel) {
        self.total += 1;
        let same = |t: &Tunnel| (t.kind, t.client.ip, t.server.ip) == (tunnel.kind, tunnel.client.ip, tunnel.server.ip);
        if self.listed.len() < TUNNELS_LISTED && !self.listed.iter().any(same) {
            self.listed.push(tunnel);
        }
    }

    /// What they hide, a sentence for each kind.
    fn sentences(&self) -> impl Iterator<Item = String> + '_ {
        let kinds = [TunnelKind::WireGuard, TunnelKind::OpenVpn, TunnelKind::Ipsec, TunnelKind::PrivateRelay];
        kinds.into_iter().filter_map(|kind| {
            let mut of_kind = self.listed.iter().filter(|t| t.kind == kind);
            let first = of_kind.next()?;
            let more = of_kind.count();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            Some(format!(
                "{} from {} to {} (frame {}){more}: what went through it is sealed and not listed",
                kind.words(),
                first.client.ip,
                first.server.ip,
                first.frame
            ))
        })
    }
}

/// TLS sessions with a hello of each side, and what keys opened of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sessions {
    /// All of them.
    pub total: u64,
    /// Those of which records, or packets of QUIC, were decrypted.
    pub opened: u64,
    /// How many were not, by [`Decryption::REASONS`].
    not_opened: [u64; Decryption::REASONS.len()],
}

impl Sessions {
    /// Counts a session that ended.
    pub fn count(&mut self, session: &TlsSession) {
        // A retry ends before anything is encrypted.
        if session.server_hello.as_ref().is_none_or(|hello| hello.retry) {
            return;
        }
        self.total += 1;
        self.opened += u64::from(session.decryption.is_opened());
        if let Some(reason) = Decryption::REASONS.iter().position(|r| *r == session.decryption) {
            self.not_opened[reason] += 1;
        }
    }

    /// Why sessions were not opened, and how many.
    pub fn not_opened(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let told: u64 = self.not_opened.iter().sum();
        let rest = ("nothing that it sealed is there", self.total.saturating_sub(self.opened).saturating_sub(told));
        let reasons = Decryption::REASONS.map(Decryption::why_not).into_iter().zip(self.not_opened);
        reasons.chain([rest]).filter(|(_, count)| *count > 0)
    }

    /// What became of them, in words, where there were keys: `2 of 5 TLS sessions were opened with keys; 3 were not: …`.
    pub fn words(&self) -> String {
        let sessions = if self.total == 1 { "session was" } else { "sessions were" };
        let mut said = format!("{} of {} TLS {sessions} opened with keys", self.opened, self.total);
        for (n, (why, count)) in self.not_opened().enumerate() {
            let count = count.to_string();
            let joint = if n == 0 { "; not " } else { ", " };
            for part in [joint, &count, " (", why, ")"] {
                said.push_str(part);
            }
        }
        said
    }
}

impl Facts {
    /// Whether keys were there to decrypt with, the user's or the capture's own.
    pub fn has_keys(&self) -> bool {
        self.keys.may_open()
    }

    /// What was numbered and is no part of any row because it was not understood, or asked nobody.
    pub fn unread(&self) -> Vec<(u64, &'static str)> {
        let is_har = self.capture.format == Format::Har;
        let undecoded = if is_har {
            "of its entries are no exchange: a request with a URL is missing"
        } else {
            "frames have a link type or header that is not understood"
        };
        // Frames that are understood and carry something else are no loss.
        let unasked = if is_har { self.other_frames } else { 0 };
        let counts =
            [(self.undecoded_frames, undecoded), (unasked, "of its entries asked nobody (data:, blob: and the like)")];
        counts.into_iter().filter(|(count, _)| *count > 0).collect()
    }

    /// What the capture lacks or gets wrong as a whole, in sentences: dropped packets, a clock that was set back, tunnels.
    pub fn losses(&self) -> Vec<String> {
        let mut said = Vec::new();
        if self.capture.format == Format::Har {
            said.push(
                "a HAR file is what a program reports, without packets: nothing in it is graded above suggests"
                    .to_owned(),
            );
        }
        said.extend(self.merged_sentences());
        if let Some(counters) = self.capture.counters.filter(|c| c.dropped() > 0) {
            let (kernel, interface) = (counters.dropped_by_kernel, counters.dropped_by_interface);
            let packets = if counters.dropped() == 1 { "packet was" } else { "packets were" };
            said.push(format!(
                "{} {packets} dropped while this was captured ({kernel} by the kernel, {interface} by the interface): \
                 what is not seen may have been there",
                counters.dropped()
            ));
        }
        if self.keys.counts().broken_off {
            said.push("the key log could not be read to its end: later secrets are missing".to_owned());
        }
        if self.clock_steps > 0 {
            let times = if self.clock_steps == 1 { "once".to_owned() } else { format!("{} times", self.clock_steps) };
            said.push(format!(
                "the clock was set back {times} while this was captured: times before and after do not compare"
            ));
        }
        said.extend(self.tunnels.sentences());
        said
    }
}

impl Facts {
    /// What is to be known of merged files: which are one and the same, and whose frames are not in order of time.
    fn merged_sentences(&self) -> Vec<String> {
        let files = self.capture.merged.files.as_slice();
        let mut said = Vec::new();
        for (at, file) in files.iter().enumerate() {
            let same = |other: &&MergedFile| file.sha256.is_some() && other.sha256 == file.sha256;
            if let Some(first) = files.iter().take(at).find(same) {
                let (name, first) = (&file.name, &first.name);
                said.push(format!("{name} is {first} once more, byte for byte: what they hold is counted twice"));
            }
            if file.disordered > 0 {
                let frames = if file.disordered == 1 { "frame is" } else { "frames are" };
                said.push(format!(
                    "{} {frames} older than the one before in {}: its own order was kept",
                    file.disordered, file.name
                ));
            }
        }
        said
    }
}

/// How far reading has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the file read.
    pub read: u64,
    /// Bytes of the file, where that is known.
    pub total: Option<u64>,
    /// Whether reading has ended.
    pub done: bool,
}

/// A frozen copy of the store; cheap to clone. What grows with the rows is shared whole: the window has one clone for itself
/// and gives others to the threads that work for it.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Grows with every snapshot of one store.
    pub generation: u64,
    pub(super) rows: Arc<Rows<Row>>,
    pub(super) forgotten: usize,
    pub(super) texts: Arc<Texts>,
    pub(super) words: Arc<Texts>,
    pub(super) pages: Arc<Pages>,
    pub(super) flows: Arc<FlowIndex>,
    pub(super) row_flows: Arc<Rows<FlowId>>,
    pub(super) certificates: CertificateList,
    pub(super) givers: Arc<Givers>,
    pub(super) findings: Arc<Findings>,
    pub(super) programs: Arc<RowPrograms>,
    pub(super) providers: Vec<(ProviderId, u32)>,
    /// Rows were there before their exchanges ended.
    pub(super) shown_early: bool,
    pub(super) facts: Arc<Facts>,
    pub(super) progress: Progress,
    pub(super) notes: Notes,
    /// The colours of flows, as the notes have them.
    pub(super) colours: Arc<AHashMap<FlowId, FlowColour>>,
    /// Rows by operator without those that are ignored, where any is.
    pub(super) counted: Option<Vec<(ProviderId, u32)>>,
}

/// Snapshots that were given to a thread that paints. Who has one last lets go of thousands of chunks, and that takes longer
/// than a repaint may: so the thread that made them has them too, until all others are done.
#[derive(Debug, Default)]
pub struct Published(Vec<Snapshot>);

impl Published {
    /// Keeps one more, and lets go of those that nobody else has any more.
    pub fn keep(&mut self, snapshot: Snapshot) {
        self.0.retain(|known| Arc::strong_count(&known.rows) > 1);
        self.0.push(snapshot);
    }
}

impl Snapshot {
    /// Nothing yet.
    pub fn empty() -> Self {
        Self::default()
    }

    /// How many rows came; a live capture that goes on for long may have forgotten old ones.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// How many rows are there to be shown.
    pub fn kept(&self) -> usize {
        self.len().saturating_sub(self.forgotten)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row of the exchange that handed out a URL; `None` while it has not ended.
    pub fn giver(&self, giver: GiverNo) -> Option<RowId> {
        self.givers.get(giver).map(RowId)
    }

    /// The rows of all exchanges that handed out URLs, by their numbers.
    pub fn givers(&self) -> impl Iterator<Item = Option<RowId>> + '_ {
        self.givers.iter().map(|place| place.map(RowId))
    }

    /// What the exchanges together say, site by site, the most exchanges first; ignored ones are not counted. An ignored row
    /// that a live capture has forgotten is counted again: what it was is not known any more. May read records: not while
    /// painting.
    pub fn findings(&self) -> Vec<SiteFindings> {
        let mut lines = self.findings.lines(|id| self.text(id).to_owned());
        for id in self.notes.ignored() {
            if let Some((key, counts)) = self.finding(id) {
                findings::take_away(&mut lines, key, counts);
            }
        }
        SiteFindings::group(lines)
    }

    /// What a row adds to the findings.
    fn finding(&self, id: RowId) -> Option<(FindingKey, Counts)> {
        // What goes on is counted when it ends.
        let row = self.row(id).filter(|row| !row.is_open())?;
        let record = self.record(id).ok()?;
        let [sent_bytes, received_bytes] = findings::bytes(&record.exchange)?;
        let shown = |site: &str| -> Box<str> { row_text(site.as_bytes()).into() };
        let own: Box<str> = own_site(self.text(row.host), self.text(row.server)).into();
        let party = record.verdict.tenant.as_ref().and_then(|tenant| tenant.value.first_party.as_deref());
        let giver = record.verdict.handed_out.as_ref().and_then(|given| given.site.as_deref()).map(shown);
        let key = FindingKey {
            operator: row.operator(),
            product: (row.product != Row::NONE).then_some(row.product),
            role: pack().roles.get(usize::from(row.role)).copied(),
            grade: row.grade(),
            handed_out_by: giver.filter(|giver| *giver != own),
            site: party.map_or(own, shown),
        };
        let conflicts = u64::from(row.has(Row::CONFLICT));
        Some((key, Counts { exchanges: 1, sent_bytes, received_bytes, conflicts }))
    }

    /// The site that the findings count a row for, ready for display; `None` for lookups, and where there is no such row. May
    /// read the row's record: not while painting.
    pub fn site(&self, id: RowId) -> Option<String> {
        let row = self.row(id).filter(|row| row.kind != RowKind::Dns)?;
        // Only a tenant has a first party.
        let record = if row.tenant == StrId(0) { None } else { self.record(id).ok() };
        let party = record.and_then(|record| record.verdict.tenant).and_then(|tenant| tenant.value.first_party);
        let own = || own_site(self.text(row.host), self.text(row.server));
        Some(party.map_or_else(own, |party| row_text(party.as_bytes()).into_owned()))
    }

    /// A row; `None` past the end.
    pub fn row(&self, id: RowId) -> Option<Row> {
        self.row_at(id).copied()
    }

    /// The same where it stands.
    pub(super) fn row_at(&self, id: RowId) -> Option<&Row> {
        self.rows.get(id)
    }

    /// The program that had the row's connection, `firefox (4711)`; empty where the socket tables did not tell. A hint.
    pub fn program(&self, id: RowId) -> &str {
        self.text(self.program_id(id))
    }

    /// The place among the merged files of the one that the row's first frame is from; `None` where nothing was merged.
    pub(super) fn file_no(&self, id: RowId) -> Option<u32> {
        let (file, _) = self.facts.capture.merged.origin(self.row_at(id)?.first_frame)?;
        u32::try_from(file).ok()
    }

    /// The name of the file that the row's first frame is from, ready for display; empty where nothing was merged.
    pub fn file_name(&self, id: RowId) -> &str {
        let file = self.row_at(id).and_then(|row| self.facts.capture.merged.file_of(row.first_frame));
        file.map_or("", |(file, _)| file.name.as_str())
    }

    /// Whether programs are known at all: of live captures only.
    pub fn has_programs(&self) -> bool {
        !self.programs.is_empty()
    }

    /// The number of that text.
    pub(super) fn program_id(&self, id: RowId) -> StrId {
        self.programs.get(id).copied().unwrap_or(StrId(0))
    }

    /// The same rows with what the user says of them.
    #[must_use]
    pub fn with_notes(mut self, notes: Notes) -> Self {
        let mut counted: Option<Vec<_>> = None;
        for operator in notes.ignored().filter_map(|id| self.row_at(id)).map(|row| row.operator) {
            let counted = counted.get_or_insert_with(|| self.providers.clone());
            if let Some((_, count)) = counted.iter_mut().find(|(known, _)| known.0 == operator) {
                *count = count.saturating_sub(1);
            }
        }
        if let Some(counted) = &mut counted {
            counted.retain(|(_, count)| *count > 0);
        }
        self.counted = counted;
        let flows = notes.colours().filter_map(|(id, colour)| Some((self.flow(id)?, colour)));
        self.colours = Arc::new(flows.collect());
        self.notes = notes;
        self
    }

    /// The flow of a row's exchange.
    pub fn flow(&self, id: RowId) -> Option<FlowId> {
        self.row_flows.get(id).copied()
    }

    /// The colour that the user gave to a row's flow. Gone with the row that says so, where a live capture forgets that.
    pub fn colour(&self, id: RowId) -> Option<FlowColour> {
        if self.colours.is_empty() { None } else { self.colours.get(&self.flow(id)?).copied() }
    }

    /// How many flows have a colour.
    pub fn coloured(&self) -> usize {
        self.colours.len()
    }

    /// Whether the user ignores a row.
    pub fn is_ignored(&self, id: RowId) -> bool {
        self.note(id).is_some_and(|note| note.ignored)
    }

    /// How many rows that are there the user ignores.
    pub fn ignored(&self) -> usize {
        self.notes.ignored().filter(|id| self.row_at(*id).is_some()).count()
    }

    /// What the user says of rows.
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    /// What the user says of a row.
    pub fn note(&self, id: RowId) -> Option<&Note> {
        self.notes.get(id)
    }

    /// When the user did something.
    pub fn actions(&self) -> &Actions {
        self.notes.actions()
    }

    /// All rows with their places.
    pub fn rows(&self) -> impl Iterator<Item = (RowId, &Row)> {
        self.rows.iter()
    }

    /// A text, ready for display.
    pub fn text(&self, id: StrId) -> &str {
        self.texts.get(id.0)
    }

    /// A word, ready for display.
    pub fn word(&self, id: StrId16) -> &str {
        self.words.get(u32::from(id.0))
    }

    /// The whole exchange of a row, with its ledger and verdict. May read the temporary file: not while painting.
    pub fn record(&self, id: RowId) -> Result<Record, StoreError> {
        let forgotten = || if (id.0 as usize) < self.len() { StoreError::Forgotten } else { StoreError::NoRow };
        let row = self.row(id).ok_or_else(forgotten)?;
        Record::decode(&self.pages.read(row.record)?, &self.certificates).ok_or(StoreError::Broken)
    }

    /// Where the exchange of a row begins and ends: the first bytes of its record. Not while painting.
    pub(super) fn ends(&self, id: RowId) -> Option<Ends> {
        Ends::decode(&self.pages.read(self.row(id)?.record).ok()?)
    }

    /// The frames of a flow (number, record offset); `None` while none were handed over. While the flow goes on, which is
    /// so only in a live capture, the newest may be missing.
    pub fn flow_frames(&self, flow: FlowId) -> Result<Option<Vec<(FrameNo, u64)>>, StoreError> {
        let mut frames: Option<Vec<_>> = None;
        for place in self.flows.find(flow) {
            let part = FrameList::from_bytes(self.pages.read(place)?.into_owned());
            frames.get_or_insert_default().extend(part.iter());
        }
        Ok(frames)
    }

    /// What is known of the capture as a whole.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// How far reading has come.
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// Rows by operator, ignored ones left out; [`Row::NONE`] counts those without one.
    pub fn providers(&self) -> &[(ProviderId, u32)] {
        self.counted.as_ref().unwrap_or(&self.providers)
    }

    /// Row places in capture order: by first frame, then by the order in which they ended.
    pub fn capture_order(&self) -> Vec<u32> {
        self.in_capture_order(self.rows().map(|(id, row)| (row.first_frame.0, id.0)).collect())
    }

    /// Rows in the order of their places, each with its first frame, in capture order.
    pub(super) fn in_capture_order(&self, mut order: Vec<(u32, u32)>) -> Vec<u32> {
        sort_by_number(&mut order);
        if self.shown_early {
            // Rows came before their exchanges ended; records are in the order in which those did.
            for ties in order.chunk_by_mut(|a, b| a.0 == b.0).filter(|ties| ties.len() > 1) {
                ties.sort_by_key(|(_, id)| self.row(RowId(*id)).map(|row| row.record));
            }
        }
        order.into_iter().map(|(_, id)| id).collect()
    }
}
