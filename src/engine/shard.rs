//! One shard: the units of its flows become exchanges.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::entries;
use super::flow_state::{Layer, Parser, Reader, State};
use super::found::{Event, Found, ShortPacket};
use super::walk::{Block, Stamp};
use crate::model::{Budget, Endpoint, FlowId, KeyLog, LimitHit, Run, Side, Timestamp, Transport, Unit};
use crate::protocols::{http, quic};
use crate::streams::{FlowTable, FrameList, Slot};

/// Length of a frame list in bytes from which on it is handed over without waiting for a row to change.
const FRAMES_BYTES: usize = 2 << 10;
/// Flows of QUIC of one end that are looked through for a client that goes on from elsewhere.
const FLOWS_OF_ONE: usize = 1_024;

/// Reads the flows whose hash falls to it.
#[derive(Debug)]
pub(super) struct Shard {
    index: u64,
    shards: u64,
    reader: Reader,
    flows: FlowTable,
    states: Vec<State>,
    /// Flows of QUIC that keys may open, by their ends: a client may go on from elsewhere.
    openable: BTreeMap<Endpoint, Vec<(Slot, FlowId)>>,
    /// The slots that units of a block belonged to, where open exchanges are shown.
    touched: Option<Vec<Slot>>,
    /// Flows that ended.
    pub(super) ended_flows: u64,
}

impl Shard {
    /// Shard `index` of `shards`.
    pub(super) fn new(index: usize, shards: usize, wanted: http::Wanted, budget: &Budget) -> Self {
        Self {
            index: index as u64,
            shards: shards as u64,
            reader: Reader::new(wanted, budget),
            flows: FlowTable::new(budget),
            states: Vec::new(),
            openable: BTreeMap::new(),
            touched: None,
            ended_flows: 0,
        }
    }

    /// Also gives what goes on: exchanges that have begun, and frames of flows that have not ended.
    pub(super) fn showing_open(mut self) -> Self {
        self.touched = Some(Vec::new());
        self
    }

    /// Also keeps decoded bodies; for reading one flow again.
    pub(super) fn with_bodies(budget: &Budget) -> Self {
        Self::new(0, 1, http::Wanted::Bodies, budget)
    }

    /// Also gives what the ends said, by [`Shard::heard`].
    pub(super) fn listening(mut self) -> Self {
        self.reader.heard = Some(Vec::new());
        self
    }

    /// What was said since this was last asked.
    pub(super) fn heard(&mut self) -> Vec<(Layer, Run<'static>)> {
        self.reader.heard.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Decrypts with these secrets.
    pub(super) fn with_keys(mut self, keys: Arc<KeyLog>) -> Self {
        self.reader.tools.keys = keys;
        self
    }

    /// Reads its units of a block.
    pub(super) fn read(&mut self, block: &Block, out: &mut Vec<Event>) {
        for (head, bytes) in block.entries() {
            if u64::from(head.number.0) % self.shards == self.index {
                let found = entries::found(head, bytes, self.reader.wanted, &self.reader.budget);
                out.push(Event { stamp: Stamp::at(head.number), flow: FlowId(head.number.0), found });
            }
        }
        let mut runs = Vec::new();
        let mut earlier = block.earlier.iter().peekable();
        let mut sweeps = block.sweeps.iter().peekable();
        let mut keys = block.keys.iter().peekable();
        for (index, (unit, stamp)) in block.units.iter().zip(block.stamps()).enumerate() {
            while let Some(sweep) = sweeps.next_if(|s| s.before_unit <= index) {
                self.sweep(sweep.now, sweep.stamp, out);
            }
            while let Some((_, newer)) = keys.next_if(|(before, _)| *before <= index) {
                self.reader.tools.keys = Arc::clone(newer);
            }
            let mine = self.shards == 1 || place(unit) % self.shards == self.index;
            let slot = mine.then(|| self.locate(unit, stamp, out));
            while let Some((_, frame, offset)) = earlier.next_if(|(of, ..)| *of <= index) {
                if let Some(slot) = slot {
                    self.flows.add_frame(slot, *frame, *offset);
                }
            }
            if let Some(slot) = slot {
                let slot = self.accept(slot, stamp, (unit, block.payload(index)), &mut runs, out);
                if let Some(touched) = &mut self.touched {
                    touched.push(slot);
                }
            }
        }
        if let Some((_, newest)) = keys.last() {
            self.reader.tools.keys = Arc::clone(newest);
        }
        for sweep in sweeps {
            self.sweep(sweep.now, sweep.stamp, out);
        }
        if let Some(mut touched) = self.touched.take() {
            touched.sort_unstable();
            touched.dedup();
            for slot in touched.drain(..) {
                self.show_open(slot, out);
            }
            self.touched = Some(touched);
        }
    }

    /// Gives what is new of exchanges that go on, and hands over frames that panes may ask for. Once a block: what begins
    /// and ends within one is not shown twice.
    fn show_open(&mut self, slot: Slot, out: &mut Vec<Event>) {
        let Some(state) = self.states.get_mut(slot.0) else { return };
        let flow = self.flows.flow(slot);
        state.show_open(flow, out);
        if std::mem::take(&mut state.news) || flow.frames.as_bytes().len() >= FRAMES_BYTES {
            self.hand_over_frames(slot, Stamp::END, out);
        }
    }

    fn hand_over_frames(&mut self, slot: Slot, stamp: Stamp, out: &mut Vec<Event>) {
        let flow = self.flows.flow(slot).id;
        let frames = self.flows.take_frames(slot);
        if !frames.is_empty() {
            out.push(Event { stamp, flow, found: Found::Frames(frames) });
        }
    }

    /// Reads one unit with its payload.
    pub(super) fn read_unit(&mut self, unit: &Unit, payload: &[u8], out: &mut Vec<Event>) {
        let stamp = Stamp::at(unit.frame);
        let slot = self.locate(unit, stamp, out);
        self.accept(slot, stamp, (unit, payload), &mut Vec::new(), out);
    }

    /// Has a unit read by its flow, or by the one in which its QUIC connection began; gives which.
    fn accept<'a>(
        &mut self,
        slot: Slot,
        stamp: Stamp,
        (unit, payload): (&Unit, &'a [u8]),
        runs: &mut Vec<Run<'a>>,
        out: &mut Vec<Event>,
    ) -> Slot {
        self.flows.accept(slot, unit, payload, runs);
        let home = self.home(slot, stamp, (unit, payload), out);
        if let Some(home) = home {
            self.flows.add_frame(home, unit.frame, unit.record_offset);
            let flow = self.flows.flow(home);
            let [client, server] = flow.bytes;
            // The end that stays tells who sent it.
            let from_server = unit.source == flow.server || unit.target != flow.server && unit.target == flow.client;
            let (side, offset) = if from_server { (Side::Server, server) } else { (Side::Client, client) };
            for run in runs.iter_mut() {
                (run.side, run.offset) = (side, offset);
            }
        }
        let slot = home.unwrap_or(slot);
        self.feed(slot, stamp, runs, out);
        slot
    }

    /// The flow in which the QUIC connection began that a datagram of another flow is of (RFC 9000 section 9). Only keys
    /// make what comes of it readable, so without them it is not looked for.
    fn home(
        &mut self,
        slot: Slot,
        stamp: Stamp,
        (unit, payload): (&Unit, &[u8]),
        out: &mut Vec<Event>,
    ) -> Option<Slot> {
        if unit.transport() != Transport::Udp || !self.reader.tools.keys.may_open() {
            return None;
        }
        let state = self.states.get_mut(slot.0)?;
        match &state.parser {
            Parser::Moved(home, id) => {
                let (home, id) = (*home, *id);
                // The connection is over, or a new one begins on these ports.
                if self.flows.flow(home).id != id || quic::sniff(payload) {
                    state.parser = Parser::default();
                    return None;
                }
                Some(home)
            }
            Parser::Unclear(_) => {
                let target = quic::short_target(payload)?;
                let home = [unit.target, unit.source].iter().find_map(|end| {
                    let known = self.openable.get(end)?;
                    known.iter().rev().find(|(of, id)| {
                        let flow = self.flows.flow(*of);
                        flow.id == *id && self.states.get(of.0).is_some_and(|state| state.is_met(flow, unit, target))
                    })
                });
                let (home, id) = *home?;
                self.states.get_mut(slot.0)?.parser = Parser::Moved(home, id);
                let ends = (unit.source, unit.target);
                let short = ShortPacket { frame: unit.frame, ends, target: target.into() };
                let flow = self.flows.flow(slot).id;
                out.push(Event { stamp, flow, found: Found::Short(short) });
                Some(home)
            }
            _ => None,
        }
    }

    /// Remembers a flow of QUIC whose client may go on from elsewhere.
    fn expect_moves(&mut self, slot: Slot) {
        let flow = self.flows.flow(slot);
        for end in [flow.server, flow.client] {
            let known = self.openable.entry(end).or_default();
            if known.len() >= FLOWS_OF_ONE {
                known.remove(0);
            }
            known.push((slot, flow.id));
        }
    }

    /// Ends all flows, oldest first.
    pub(super) fn finish(&mut self, out: &mut Vec<Event>) {
        for slot in self.flows.open_slots() {
            self.end(slot, Stamp::END, out);
        }
    }

    /// Limits that its flows reached.
    pub(super) fn limits(&self) -> Vec<LimitHit> {
        self.flows.limits()
    }

    fn locate(&mut self, unit: &Unit, stamp: Stamp, out: &mut Vec<Event>) -> Slot {
        let mut reused = Vec::new();
        let slot = self.flows.locate(unit, &mut reused);
        for old in reused {
            self.end(old, stamp, out);
        }
        if self.states.len() <= slot.0 {
            self.states.resize_with(slot.0 + 1, State::default);
        }
        slot
    }

    fn sweep(&mut self, now: Timestamp, stamp: Stamp, out: &mut Vec<Event>) {
        let mut silent = Vec::new();
        self.flows.idle(now, &mut silent);
        for slot in silent {
            self.end(slot, stamp, out);
        }
        if self.touched.is_some() {
            for slot in self.flows.open_slots() {
                if self.states.get(slot.0).is_some_and(|state| state.listed) {
                    self.hand_over_frames(slot, stamp, out);
                }
            }
        }
    }

    fn feed(&mut self, slot: Slot, stamp: Stamp, runs: &mut Vec<Run<'_>>, out: &mut Vec<Event>) {
        if runs.is_empty() {
            return;
        }
        let flow = self.flows.flow(slot);
        let Some(state) = self.states.get_mut(slot.0) else { return };
        for run in runs.drain(..) {
            self.reader.hear(Layer::Wire, &run);
            state.feed(stamp, flow, run, &mut self.reader, out);
        }
        if std::mem::take(&mut self.reader.is_quic) && self.reader.tools.keys.may_open() {
            self.expect_moves(slot);
        }
    }

    fn end(&mut self, slot: Slot, stamp: Stamp, out: &mut Vec<Event>) {
        let mut runs = Vec::new();
        let mut flow = self.flows.close(slot, &mut runs);
        for end in [flow.server, flow.client] {
            if let Some(known) = self.openable.get_mut(&end) {
                known.retain(|(_, id)| *id != flow.id);
                if known.is_empty() {
                    self.openable.remove(&end);
                }
            }
        }
        let mut state = self.states.get_mut(slot.0).map(std::mem::take).unwrap_or_default();
        for run in runs {
            self.reader.hear(Layer::Wire, &run);
            state.feed(stamp, &flow, run, &mut self.reader, out);
        }
        state.finish(stamp, &flow, &mut self.reader, out);
        // Frames are looked up for rows; a flow without any needs none.
        let frames = if state.listed { flow.frames.take() } else { FrameList::default() };
        out.push(Event { stamp, flow: flow.id, found: Found::Flow(frames) });
        self.ended_flows += 1;
    }
}

/// Which shard a unit falls to. Datagrams go by the end that stays where a QUIC client moves, its server, so that one shard
/// sees all of a connection; lookups, which are many and short, by their flow.
fn place(unit: &Unit) -> u64 {
    let of_dns = |end: &Endpoint| matches!(end.port, 53 | 5_353 | 5_355);
    if unit.transport() == Transport::Tcp || of_dns(&unit.source) || of_dns(&unit.target) {
        return unit.hash >> 40;
    }
    let server =
        if (unit.source.port, unit.source) <= (unit.target.port, unit.target) { unit.source } else { unit.target };
    let address = match server.ip {
        IpAddr::V4(ip) => u128::from(u32::from(ip)),
        IpAddr::V6(ip) => u128::from(ip),
    };
    let mixed =
        (address as u64 ^ (address >> 64) as u64 ^ u64::from(server.port) << 48).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed >> 40
}
