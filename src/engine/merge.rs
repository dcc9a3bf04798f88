//! What the shards found becomes rows, in an order that does not depend on how many shards there are.

use super::entries::Connections;
use super::found::{Event, Found};
use super::moves::Moves;
use super::walk::Stamp;
use crate::evidence::{Known, Matcher, pack};
use crate::model::{AnomalyKind, Budget, Detail, Exchange, FrameNo, Ledger, Limit, LimitHit, Verdict};
use crate::store::{Record, Sessions, Store, Tunnels};

/// Judges exchanges and fills the store.
#[derive(Debug)]
pub(super) struct Merge {
    /// `None`: exchanges are listed without verdicts.
    matcher: Option<Matcher>,
    known: Known,
    moves: Moves,
    /// Connections of a HAR file, and its entries that are no rows.
    pub(super) connections: Connections,
    pub(super) store: Store,
    /// Limits that parsers reached, by what they say of their exchanges.
    limits: Vec<LimitHit>,
    /// TLS sessions, and what keys opened of them.
    pub(super) sessions: Sessions,
    /// Tunnels, which hide what goes through them.
    pub(super) tunnels: Tunnels,
}

impl Merge {
    pub(super) fn new(verdicts: bool, budget: &Budget) -> Self {
        Self {
            matcher: verdicts.then(|| Matcher::new(budget)),
            known: Known::new(budget),
            moves: Moves::default(),
            connections: Connections::default(),
            store: Store::new(budget, pack().roles),
            limits: Vec::new(),
            sessions: Sessions::default(),
            tunnels: Tunnels::default(),
        }
    }

    /// Takes the events of one block from all shards. From `dropped` on it is known that packets were dropped.
    pub(super) fn take(&mut self, events: &mut Vec<Event>, mut dropped: Option<Stamp>) {
        // Stable: the events of one flow at one frame stay in the order in which they happened.
        events.sort_by_key(|e| (e.stamp, e.flow));
        for event in events.drain(..) {
            if dropped.take_if(|from| event.stamp >= *from).is_some() {
                self.known.learn_drops();
            }
            match event.found {
                Found::Exchange(mut exchange, _) => {
                    self.moves.mark(&mut exchange);
                    self.arrived(exchange);
                }
                Found::Told(mut told) => {
                    self.connections.place(&mut told);
                    if let Some(given) = told.given {
                        self.known.learn_links(given);
                    }
                    self.arrived(told.exchange);
                }
                Found::LeftOut(why) => self.connections.leave_out(why),
                // What goes on teaches nothing: it may yet turn out otherwise.
                Found::Open(mut exchange) => {
                    self.moves.mark(&mut exchange);
                    let (ledger, verdict) =
                        self.matcher.as_mut().map(|m| m.judge_open(&exchange, &self.known)).unwrap_or_default();
                    self.store.show(&Record { exchange, ledger, verdict });
                }
                Found::Tunnel(tunnel) => {
                    self.known.learn_tunnel(tunnel.client.ip, tunnel.kind);
                    self.tunnels.add(tunnel);
                }
                Found::Short(packet) => self.moves.learn(packet),
                Found::Resolver(client, hello) => self.known.learn_resolver(client, event.flow, hello),
                Found::Links(given) => self.known.learn_links(given),
                Found::Frames(frames) => self.store.add_frames(event.flow, &frames),
                Found::Flow(frames) => {
                    self.store.add_frames(event.flow, &frames);
                    self.store.end_flow(event.flow);
                }
            }
        }
        if dropped.is_some() {
            self.known.learn_drops();
        }
    }

    /// An exchange is whole: it is judged, and becomes a row.
    fn arrived(&mut self, exchange: Exchange) {
        self.count_limits(&exchange);
        if let Detail::Tls(session) = &exchange.detail {
            self.sessions.count(session);
        }
        let no = self.store.place(&exchange);
        let (mut ledger, mut verdict) = (Ledger::new(), Verdict::default());
        if let Some(matcher) = &mut self.matcher {
            (ledger, verdict) = matcher.judge(&exchange, &self.known);
            if let Some(giver) = self.known.learn(&exchange, no) {
                self.store.giver_arrived(giver, no);
            }
        }
        self.store.add(&Record { exchange, ledger, verdict });
    }

    /// Limits that were reached here or in the parsers.
    pub(super) fn limits(&self) -> impl Iterator<Item = LimitHit> {
        let forgotten = self.known.forgotten_links();
        let hit = LimitHit { limit: Limit::HandOuts, count: forgotten, first_frame: FrameNo(0) };
        let flows = LimitHit { limit: Limit::Flows, count: self.connections.forgotten, first_frame: FrameNo(0) };
        let own = [hit, flows].into_iter().filter(|hit| hit.count > 0);
        self.limits.iter().copied().chain(own).chain(self.moves.forgotten())
    }

    fn count_limits(&mut self, exchange: &Exchange) {
        for anomaly in &exchange.anomalies {
            // The flow table counts what waits behind holes itself.
            let AnomalyKind::Limit(limit) = anomaly.kind else { continue };
            if limit == Limit::WaitingBytes {
                continue;
            }
            if let Some(hit) = self.limits.iter_mut().find(|hit| hit.limit == limit) {
                hit.count += 1;
            } else {
                self.limits.push(LimitHit { limit, count: 1, first_frame: anomaly.frame });
            }
        }
    }
}
