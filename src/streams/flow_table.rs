//! The open flows: which unit belongs to which, and when a flow is over.

use hashbrown::HashTable;

use super::assembly::{Limits, Out, Stream};
use super::frame_list::FrameList;
use crate::model::{
    Anomaly, Budget, Endpoint, FlowId, FlowKey, FrameNo, Limit, LimitHit, Run, RunKind, Side, TcpFlags, Timestamp,
    Transport, Unit, UnitKind,
};

/// Seconds of silence after which a flow that both sides ended is let go (as TIME-WAIT, RFC 9293 section 3.4.2).
const ENDED_FLOW_SECONDS: i64 = 240;
/// Flows looked at for the one to close when there is no room.
const LOOKED_AT: usize = 64;
/// Ports below this are given to services (RFC 6335 section 6).
const SYSTEM_PORTS: u16 = 1_024;

/// A flow's place in the table while it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub usize);

/// A flow: all that two endpoints said to each other over one connection.
#[derive(Clone, Debug)]
pub struct Flow {
    /// The number of its first frame.
    pub id: FlowId,
    /// Who opened it: the sender of the SYN; without one, see [`FlowTable::locate`].
    pub client: Endpoint,
    /// The other end.
    pub server: Endpoint,
    /// TCP or UDP.
    pub transport: Transport,
    /// Whether its SYN was seen; always true of UDP.
    pub started: bool,
    /// When its first frame was captured.
    pub first_time: Timestamp,
    /// When its latest frame was captured.
    pub last_time: Timestamp,
    /// Its latest frame.
    pub last_frame: FrameNo,
    /// Stream bytes that the client and the server sent.
    pub bytes: [u64; 2],
    /// Its frames.
    pub frames: FrameList,
    /// Odd things met in it, at most 64.
    pub anomalies: Vec<Anomaly>,
}

#[derive(Debug)]
struct Open {
    flow: Flow,
    key: FlowKey,
    hash: u64,
    streams: [Stream; 2],
    reset: bool,
}

/// The open flows of one shard.
#[derive(Debug)]
pub struct FlowTable {
    slots: Vec<Option<Box<Open>>>,
    free: Vec<usize>,
    index: HashTable<usize>,
    limits: Limits,
    waiting_bytes_limit: usize,
    waiting_bytes: usize,
    flows_limit: usize,
    idle_seconds: i64,
    hand: usize,
    evicted: LimitHit,
    given_up: LimitHit,
    nowhere: Flow,
}

impl FlowTable {
    /// An empty table.
    pub fn new(budget: &Budget) -> Self {
        let none = Endpoint { ip: core::net::Ipv4Addr::UNSPECIFIED.into(), port: 0 };
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            index: HashTable::new(),
            limits: Limits { pieces: budget.pieces_per_side, bytes: budget.waiting_bytes_per_side },
            waiting_bytes_limit: budget.waiting_bytes,
            waiting_bytes: 0,
            flows_limit: budget.flows.max(1),
            idle_seconds: budget.idle_flow_seconds,
            hand: 0,
            evicted: LimitHit { limit: Limit::Flows, count: 0, first_frame: FrameNo(0) },
            given_up: LimitHit { limit: Limit::WaitingBytes, count: 0, first_frame: FrameNo(0) },
            nowhere: Flow::new(FlowId(0), none, none, Transport::Udp, Timestamp(0)),
        }
    }

    /// The slot of the unit's flow, opened if need be. A flow that has to go first (its ports are used again, or there is no
    /// room) is put into `reused`: close it before anything else.
    ///
    /// The client is the sender of the SYN (the receiver of a SYN with ACK). Where neither was seen it is the sender of the
    /// first unit, unless only that sender's port is a system port.
    pub fn locate(&mut self, unit: &Unit, reused: &mut Vec<Slot>) -> Slot {
        let key = unit.key();
        let slots = &self.slots;
        let same = |i: &usize| slots.get(*i).and_then(Option::as_ref).is_some_and(|open| open.key == key);
        if let Some(found) = self.index.find(unit.hash, same).copied() {
            let over = self.slots.get(found).and_then(Option::as_ref).is_some_and(|open| open.is_over_for(unit));
            if !over {
                return Slot(found);
            }
            self.unlink(found, unit.hash);
            reused.push(Slot(found));
        } else if self.index.len() >= self.flows_limit
            && let Some(oldest) = self.oldest()
        {
            let hash = self.slots.get(oldest).and_then(Option::as_ref).map_or(0, |o| o.hash);
            self.unlink(oldest, hash);
            self.evicted.count = self.evicted.count.saturating_add(1);
            if self.evicted.first_frame.0 == 0 {
                self.evicted.first_frame = unit.frame;
            }
            reused.push(Slot(oldest));
        }
        let open = Some(Box::new(Open::new(unit, key)));
        let place = if let Some(place) = self.free.pop() {
            if let Some(slot) = self.slots.get_mut(place) {
                *slot = open;
            }
            place
        } else {
            self.slots.push(open);
            self.slots.len().saturating_sub(1)
        };
        let slots = &self.slots;
        let hash_of = |i: &usize| slots.get(*i).and_then(Option::as_ref).map_or(0, |open| open.hash);
        self.index.insert_unique(unit.hash, place, hash_of);
        Slot(place)
    }

    /// Takes a unit of the slot's flow; what it completes is appended to `runs`, in stream order for each side.
    pub fn accept<'a>(&mut self, slot: Slot, unit: &Unit, payload: &'a [u8], runs: &mut Vec<Run<'a>>) {
        let limits = self.limits;
        let Some(open) = self.slots.get_mut(slot.0).and_then(Option::as_mut) else { return };
        let before = open.waiting_bytes();
        open.accept(unit, payload, limits, runs);
        let after = open.waiting_bytes();
        self.waiting_bytes = self.waiting_bytes.saturating_sub(before).saturating_add(after);
        if self.waiting_bytes > self.waiting_bytes_limit && after > 0 {
            // All flows together hold too much: this one lets go.
            open.let_go(unit.frame, unit.time, runs);
            self.waiting_bytes = self.waiting_bytes.saturating_sub(after);
            self.given_up.count = self.given_up.count.saturating_add(1);
            if self.given_up.first_frame.0 == 0 {
                self.given_up.first_frame = unit.frame;
            }
        }
    }

    /// Counts an earlier frame (a fragment) to the slot's flow.
    pub fn add_frame(&mut self, slot: Slot, frame: FrameNo, record_offset: u64) {
        if let Some(open) = self.slots.get_mut(slot.0).and_then(Option::as_mut) {
            open.flow.frames.push(frame, record_offset);
        }
    }

    /// Takes the frames that a slot's flow has so far.
    pub fn take_frames(&mut self, slot: Slot) -> FrameList {
        self.slots.get_mut(slot.0).and_then(Option::as_mut).map(|open| open.flow.frames.take()).unwrap_or_default()
    }

    /// Ends a flow: what waits behind holes comes out, then the flow itself.
    pub fn close(&mut self, slot: Slot, runs: &mut Vec<Run<'static>>) -> Flow {
        let Some(mut open) = self.slots.get_mut(slot.0).and_then(Option::take) else { return self.nowhere.clone() };
        self.unlink(slot.0, open.hash);
        self.free.push(slot.0);
        self.waiting_bytes = self.waiting_bytes.saturating_sub(open.waiting_bytes());
        let (frame, time) = (open.flow.last_frame, open.flow.last_time);
        if open.flow.transport == Transport::Tcp {
            open.each_side(runs, |stream, out| stream.let_go(frame, time, out));
        }
        let given_up: u64 = open.streams.iter().map(|s| s.given_up).sum();
        if given_up > 0 && self.given_up.first_frame.0 == 0 {
            self.given_up.first_frame = frame;
        }
        self.given_up.count = self.given_up.count.saturating_add(given_up);
        open.flow
    }

    /// Flows that were silent for long at capture time `now`, by their number.
    pub fn idle(&mut self, now: Timestamp, slots: &mut Vec<Slot>) {
        let first = slots.len();
        for (place, open) in self.slots.iter().enumerate() {
            let Some(open) = open else { continue };
            let seconds = if open.both_ended() { ENDED_FLOW_SECONDS.min(self.idle_seconds) } else { self.idle_seconds };
            if now.nanos_since(open.flow.last_time) > seconds.saturating_mul(1_000_000_000) {
                slots.push(Slot(place));
            }
        }
        let by_flow = |slot: &Slot| self.flow(*slot).id;
        if let Some(new) = slots.get_mut(first..) {
            new.sort_by_key(by_flow);
        }
    }

    /// All open flows, by their number.
    pub fn open_slots(&self) -> Vec<Slot> {
        let mut slots: Vec<Slot> =
            self.slots.iter().enumerate().filter(|(_, open)| open.is_some()).map(|(place, _)| Slot(place)).collect();
        slots.sort_by_key(|slot| self.flow(*slot).id);
        slots
    }

    /// The flow in a slot.
    pub fn flow(&self, slot: Slot) -> &Flow {
        self.slots.get(slot.0).and_then(Option::as_ref).map_or(&self.nowhere, |open| &open.flow)
    }

    /// Limits that were reached.
    pub fn limits(&self) -> Vec<LimitHit> {
        [self.evicted, self.given_up].into_iter().filter(|hit| hit.count > 0).collect()
    }

    fn unlink(&mut self, place: usize, hash: u64) {
        if let Ok(entry) = self.index.find_entry(hash, |i| *i == place) {
            entry.remove();
        }
    }

    /// The flow silent for longest among the next few: near enough to the oldest, at a fixed cost.
    fn oldest(&mut self) -> Option<usize> {
        let mut best: Option<(Timestamp, usize)> = None;
        let mut seen = 0_usize;
        for _ in 0..self.slots.len() {
            self.hand = self.hand.checked_add(1).filter(|h| *h < self.slots.len()).unwrap_or(0);
            let Some(Some(open)) = self.slots.get(self.hand) else { continue };
            let age = (open.flow.last_time, self.hand);
            best = Some(best.map_or(age, |b| b.min(age)));
            seen = seen.saturating_add(1);
            if seen >= LOOKED_AT {
                break;
            }
        }
        best.map(|(_, place)| place)
    }
}

impl Flow {
    fn new(id: FlowId, client: Endpoint, server: Endpoint, transport: Transport, time: Timestamp) -> Self {
        Self {
            id,
            client,
            server,
            transport,
            started: transport == Transport::Udp,
            first_time: time,
            last_time: time,
            last_frame: FrameNo(id.0),
            bytes: [0; 2],
            frames: FrameList::default(),
            anomalies: Vec::new(),
        }
    }
}

impl Open {
    fn new(unit: &Unit, key: FlowKey) -> Self {
        let flags = if let UnitKind::Segment { flags, .. } = unit.kind { flags } else { TcpFlags(0) };
        let from_server = if flags.has(TcpFlags::SYN) {
            flags.has(TcpFlags::ACK)
        } else {
            unit.source.port < SYSTEM_PORTS && unit.target.port >= SYSTEM_PORTS
        };
        let (client, server) = if from_server { (unit.target, unit.source) } else { (unit.source, unit.target) };
        let flow = Flow::new(FlowId(unit.frame.0), client, server, unit.transport(), unit.time);
        Self { flow, key, hash: unit.hash, streams: [Stream::default(), Stream::default()], reset: false }
    }

    /// Whether the unit opens another connection on the same ports: a SYN after the end, or with another initial number.
    fn is_over_for(&self, unit: &Unit) -> bool {
        let UnitKind::Segment { seq, flags, .. } = unit.kind else { return false };
        if !flags.has(TcpFlags::SYN) || flags.has(TcpFlags::ACK) {
            return false;
        }
        let [client, server] = &self.streams;
        let sender = if unit.source == self.flow.client { client } else { server };
        match sender.initial {
            Some(initial) => self.reset || initial != seq,
            // The beginning was not seen: this may be it, late.
            None => self.reset || !sender.begins_at(seq) && (sender.offset > 0 || client.ended || server.ended),
        }
    }

    fn both_ended(&self) -> bool {
        self.reset || self.streams.iter().all(|s| s.ended)
    }

    fn waiting_bytes(&self) -> usize {
        let [client, server] = &self.streams;
        client.waiting_bytes().saturating_add(server.waiting_bytes())
    }

    fn accept<'a>(&mut self, unit: &Unit, payload: &'a [u8], limits: Limits, runs: &mut Vec<Run<'a>>) {
        let flow = &mut self.flow;
        flow.frames.push(unit.frame, unit.record_offset);
        let _set_back = flow.last_time.follow(unit.time);
        flow.last_frame = unit.frame;
        let side = if unit.source == flow.client { Side::Client } else { Side::Server };
        let [client, server] = &mut self.streams;
        let (own, other) = if side == Side::Client { (client, server) } else { (server, client) };
        match unit.kind {
            UnitKind::Datagram => {
                let [of_client, of_server] = &mut flow.bytes;
                let sent = if side == Side::Client { of_client } else { of_server };
                let (frame, time, offset) = (unit.frame, unit.time, *sent);
                if !payload.is_empty() {
                    runs.push(Run { side, offset, frame, time, kind: RunKind::Data(payload.into()) });
                }
                let whole = u64::try_from(payload.len()).unwrap_or(u64::MAX).saturating_add(u64::from(unit.missing));
                *sent = sent.saturating_add(whole);
            }
            UnitKind::Segment { seq, ack, flags } => {
                flow.started |= flags.has(TcpFlags::SYN);
                let mut out = Out { side, runs, anomalies: &mut flow.anomalies };
                self.reset |= own.segment(unit, (seq, flags), payload, limits, &mut out);
                own.wait(unit.frame, unit.time, &mut out);
                if flags.has(TcpFlags::ACK) && !flags.has(TcpFlags::RST) {
                    other.acknowledged(ack);
                }
                let mut out = Out { side: side.other(), runs, anomalies: &mut flow.anomalies };
                other.wait(unit.frame, unit.time, &mut out);
                flow.bytes = [self.streams[0].offset, self.streams[1].offset];
            }
        }
    }

    /// Gives up the holes of both sides.
    fn let_go(&mut self, frame: FrameNo, time: Timestamp, runs: &mut Vec<Run<'_>>) {
        self.each_side(runs, |stream, out| stream.let_go(frame, time, out));
    }

    fn each_side(&mut self, runs: &mut Vec<Run<'_>>, each: impl Fn(&mut Stream, &mut Out<'_, '_>)) {
        for (stream, side) in self.streams.iter_mut().zip([Side::Client, Side::Server]) {
            let mut out = Out { side, runs, anomalies: &mut self.flow.anomalies };
            each(stream, &mut out);
        }
        let [client, server] = &self.streams;
        self.flow.bytes = [client.offset, server.offset];
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Flow, FlowTable, Slot};
    use crate::model::{Budget, Endpoint, FrameNo, Payload, Run, RunKind, Side, TcpFlags, Timestamp, Unit, UnitKind};

    const CLIENT: u8 = 1;
    const SERVER: u8 = 2;
    const ISN: u32 = u32::MAX - 10;

    fn end(host: u8) -> Endpoint {
        Endpoint { ip: [10, 0, 0, host].into(), port: if host == SERVER { 80 } else { 40_000 } }
    }

    fn segment(frame: u32, from: u8, seq: u32, flags: u8, len: usize) -> Unit {
        let to = if from == CLIENT { SERVER } else { CLIENT };
        Unit {
            frame: FrameNo(frame),
            time: Timestamp(i64::from(frame) * 1_000_000),
            record_offset: u64::from(frame) * 100,
            source: end(from),
            target: end(to),
            kind: UnitKind::Segment { seq, ack: 0, flags: TcpFlags(flags) },
            payload: Payload::InFrame { start: 0, len: len as u32 },
            missing: 0,
            hash: 7,
        }
    }

    /// Feeds segments `(from, seq relative to the first data byte, flags, bytes)`; gives what each side sent, holes as `_`.
    fn streams(segments: &[(u8, i64, u8, &[u8])]) -> [String; 2] {
        let mut table = FlowTable::new(&Budget::default());
        let mut text = [String::new(), String::new()];
        let mut slot = Slot(0);
        for (i, (from, at, flags, bytes)) in segments.iter().enumerate() {
            let seq = ISN.wrapping_add(1).wrapping_add(*at as u32);
            let unit = segment(i as u32 + 1, *from, seq, *flags, bytes.len());
            slot = table.locate(&unit, &mut Vec::new());
            let mut runs = Vec::new();
            table.accept(slot, &unit, bytes, &mut runs);
            write(&runs, &mut text);
        }
        let mut runs = Vec::new();
        let _flow: Flow = table.close(slot, &mut runs);
        write(&runs, &mut text);
        text
    }

    fn write(runs: &[Run<'_>], text: &mut [String; 2]) {
        for run in runs {
            let text = &mut text[usize::from(run.side == Side::Server)];
            match &run.kind {
                RunKind::Data(bytes) => text.push_str(std::str::from_utf8(bytes).unwrap()),
                RunKind::Gap(n) => text.push_str(&"_".repeat(*n as usize)),
                RunKind::End => text.push('|'),
            }
        }
    }

    #[track_caller]
    fn check(segments: &[(u8, i64, u8, &[u8])], client: &str) {
        assert_eq!(streams(segments)[0], client);
    }

    const SYN: u8 = 2;
    const FIN: u8 = 1;
    const RST: u8 = 4;

    #[test]
    fn in_order() {
        check(&[(CLIENT, -1, SYN, b""), (CLIENT, 0, 0, b"ab"), (CLIENT, 2, FIN, b"c")], "abc|");
    }

    #[test]
    fn out_of_order_and_repeated() {
        check(&[(CLIENT, -1, SYN, b""), (CLIENT, 2, 0, b"cd"), (CLIENT, 0, 0, b"abc"), (CLIENT, 1, 0, b"bc")], "abcd");
    }

    #[test]
    fn a_hole_stays_a_hole() {
        check(&[(CLIENT, -1, SYN, b""), (CLIENT, 0, 0, b"ab"), (CLIENT, 5, 0, b"fg")], "ab___fg");
    }

    #[test]
    fn the_first_bytes_win() {
        check(&[(CLIENT, -1, SYN, b""), (CLIENT, 2, 0, b"XY"), (CLIENT, 0, 0, b"abcdef")], "abXYef");
    }

    #[test]
    fn without_a_start() {
        check(&[(CLIENT, 100, 0, b"ab"), (CLIENT, 98, 0, b"zzab"), (CLIENT, 102, 0, b"c")], "abc");
    }

    #[test]
    fn a_reset_ends_the_sender() {
        check(&[(CLIENT, -1, SYN, b""), (CLIENT, 0, 0, b"ab"), (CLIENT, 2, RST, b""), (CLIENT, 2, 0, b"late")], "ab|");
    }

    #[test]
    fn ports_used_again() {
        let mut table = FlowTable::new(&Budget::default());
        let first = table.locate(&segment(1, CLIENT, 5, SYN, 0), &mut Vec::new());
        table.accept(first, &segment(1, CLIENT, 5, SYN, 0), b"", &mut Vec::new());
        let mut reused = Vec::new();
        assert_eq!(table.locate(&segment(2, CLIENT, 5, SYN, 0), &mut reused), first, "a repeated SYN");
        assert!(reused.is_empty());
        let second = table.locate(&segment(3, CLIENT, 99, SYN, 0), &mut reused);
        assert_eq!(reused, [first]);
        assert_ne!(second, first);
        assert_eq!(table.close(first, &mut Vec::new()).id.0, 1);
        assert_eq!(table.flow(second).id.0, 3);
    }

    proptest! {
        /// Any cut, order, repeat and overlap of the segments gives the same stream.
        #[test]
        fn any_order_gives_the_stream(
            len in 1_usize..400,
            cuts in prop::collection::vec((0_usize..400, 1_usize..60), 1..40),
            seed in any::<u64>(),
        ) {
            let stream: Vec<u8> = (0..len).map(|i| b'a' + (i % 23) as u8).collect();
            let mut pieces: Vec<(usize, usize)> = cuts.iter().map(|(at, n)| (at % len, *n)).collect();
            pieces.extend((0..len).step_by(17).map(|at| (at, 17)));
            // A cheap shuffle that proptest can shrink: sort by a keyed hash.
            pieces.sort_by_key(|p| (p.0 as u64 + 1).wrapping_mul(seed | 1).rotate_left(17) ^ p.1 as u64);
            let mut segments: Vec<(u8, i64, u8, &[u8])> = vec![(CLIENT, -1, SYN, b"")];
            segments.extend(pieces.iter().map(|(at, n)| {
                (CLIENT, i64::try_from(*at).unwrap(), 0, &stream[*at..(at + n).min(len)])
            }));
            let want = String::from_utf8(stream.clone()).unwrap();
            prop_assert_eq!(&streams(&segments)[0], &want);
        }
    }
}
