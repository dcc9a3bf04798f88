//! Reads again from the capture: the bodies and frames of one row, or the bodies and messages of many.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::entries::{self, Told};
use super::found::{Contents, Event, Found};
use super::messages::{DetailError, RowDetail};
use super::shard::Shard;
use crate::capture::{FrameFile, Place};
use crate::decode::{Decoder, Outcome};
use crate::model::{Budget, Detail, Exchange, FlowId, FrameHead, FrameNo, Payload};
use crate::protocols::http::Wanted;
use crate::store::{Record, RowId, Snapshot};

/// Frames shown of one exchange.
const FRAMES: usize = 2_000;

/// Reads a row's bodies and frames again: the frames of its flow go the same road as before. Of an exchange that goes on,
/// what is there. Blocks; call it from a job.
pub fn detail<'a>(
    place: impl Into<Place<'a>>,
    record: &Record,
    snapshot: &Snapshot,
    budget: &Budget,
) -> Result<RowDetail, DetailError> {
    let place = place.into();
    let exchange = &record.exchange;
    if let Some(reported) = exchange.reported {
        let (head, bytes) = FrameFile::open(place, budget)?.frame(exchange.first_frame, reported.offset)?;
        let read = entries::read(&head, &bytes, Wanted::Bodies, budget).map(Told::detail).unwrap_or_default();
        return Ok(RowDetail { frames: vec![(head, bytes)], ..read });
    }
    let Some(places) = snapshot.flow_frames(exchange.flow)? else { return Err(DetailError::NotYet) };
    let mut file = FrameFile::open(place, budget)?;
    let mut road = Road::new(snapshot, budget);
    let mut detail = RowDetail::default();
    let wanted = place_in_flow(exchange);
    let take = |road: &mut Road, detail: &mut RowDetail| {
        let Some((_, read)) = road.ended().find(|(place, _)| *place == wanted) else { return false };
        *detail = RowDetail { frames: std::mem::take(&mut detail.frames), ..read };
        true
    };
    let wants_bodies = matches!(exchange.detail, Detail::Http(_));
    let mut found = false;
    for (number, offset) in places {
        let shown = (exchange.first_frame..=exchange.last_frame).contains(&number) && detail.frames.len() < FRAMES;
        if number > exchange.last_frame && (found || !wants_bodies) {
            break;
        }
        let (head, bytes) = file.frame(number, offset)?;
        if wants_bodies && !found {
            road.frame(&head, &bytes);
            found = take(&mut road, &mut detail);
        }
        if shown {
            detail.frames.push((head, bytes));
        }
    }
    if wants_bodies && !found {
        road.finish();
        take(&mut road, &mut detail);
    }
    Ok(detail)
}

/// An exchange among those of its flow: its number, which a flow may give twice, and its first frame.
type PlaceInFlow = (u32, FrameNo);

fn place_in_flow(exchange: &Exchange) -> PlaceInFlow {
    (exchange.ordinal, exchange.first_frame)
}

/// What many rows carried, to be read again: each flow goes its road once, however many of its exchanges are wanted.
#[derive(Debug, Default)]
pub struct RowsWanted {
    flows: BTreeMap<FlowId, BTreeMap<PlaceInFlow, RowId>>,
    /// Entries of a HAR file, by their offsets.
    entries: BTreeMap<u64, (FrameNo, RowId)>,
}

impl RowsWanted {
    /// Asks for a row.
    pub fn add(&mut self, row: RowId, exchange: &Exchange) {
        if let Some(reported) = exchange.reported {
            self.entries.insert(reported.offset, (exchange.first_frame, row));
            return;
        }
        self.flows.entry(exchange.flow).or_default().insert(place_in_flow(exchange), row);
    }

    /// Gives them as they come, flow by flow, each row once and without its frames; `Err` for the rows of a flow that cannot be read (to its end).
    /// Ends early with the first error of `take`. Blocks.
    pub fn read<E>(
        self,
        place: Place<'_>,
        snapshot: &Snapshot,
        budget: &Budget,
        mut take: impl FnMut(RowId, Result<RowDetail, &DetailError>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut file = match FrameFile::open(place, budget) {
            Ok(file) => file,
            Err(error) => {
                let error = DetailError::from(error);
                let rows = self.flows.values().flat_map(BTreeMap::values);
                return rows
                    .chain(self.entries.values().map(|(_, row)| row))
                    .try_for_each(|row| take(*row, Err(&error)));
            }
        };
        for (offset, (number, row)) in self.entries {
            match file.frame(number, offset) {
                Ok((head, bytes)) => {
                    let read = entries::read(&head, &bytes, Wanted::Bodies, budget).map(Told::detail);
                    take(row, Ok(read.unwrap_or_default()))?;
                }
                Err(error) => take(row, Err(&error.into()))?,
            }
        }
        for (flow, mut wanted) in self.flows {
            let mut road = Road::new(snapshot, budget);
            let mut give = |road: &mut Road, wanted: &mut BTreeMap<PlaceInFlow, RowId>| {
                let mut rows = road.ended().filter_map(|(place, read)| Some((wanted.remove(&place)?, read)));
                rows.try_for_each(|(row, read)| take(row, Ok(read)))
            };
            let places = snapshot.flow_frames(flow).map_err(DetailError::from);
            let mut failure = None;
            match places.and_then(|places| places.ok_or(DetailError::NotYet)) {
                Ok(places) => {
                    for (number, offset) in places {
                        match file.frame(number, offset) {
                            Ok((head, bytes)) => road.frame(&head, &bytes),
                            Err(error) => {
                                failure = Some(error.into());
                                break;
                            }
                        }
                        give(&mut road, &mut wanted)?;
                        if wanted.is_empty() {
                            break;
                        }
                    }
                }
                Err(error) => failure = Some(error),
            }
            if failure.is_none() && !wanted.is_empty() {
                road.finish();
                give(&mut road, &mut wanted)?;
            }
            for row in wanted.into_values() {
                take(row, failure.as_ref().map_or_else(|| Ok(RowDetail::default()), Err))?;
            }
        }
        Ok(())
    }
}

/// The road that the frames of one flow go again.
pub(super) struct Road {
    decoder: Decoder,
    pub(super) shard: Shard,
    reassembled: Vec<u8>,
    events: Vec<Event>,
}

impl Road {
    fn new(snapshot: &Snapshot, budget: &Budget) -> Self {
        Self::of(Shard::with_bodies(budget), snapshot, budget)
    }

    /// With a shard of one's own, which decrypts with the secrets of the capture.
    pub(super) fn of(shard: Shard, snapshot: &Snapshot, budget: &Budget) -> Self {
        Self {
            decoder: Decoder::new(budget),
            shard: shard.with_keys(Arc::clone(&snapshot.facts().keys)),
            reassembled: Vec::new(),
            events: Vec::new(),
        }
    }

    pub(super) fn frame(&mut self, head: &FrameHead, bytes: &[u8]) {
        self.reassembled.clear();
        if let Outcome::Unit(unit) = self.decoder.frame(head, bytes, &mut self.reassembled) {
            let payload = match unit.payload {
                Payload::InFrame { start, len } => bytes.get(start as usize..(start + len) as usize),
                Payload::Reassembled { start, len } => self.reassembled.get(start as usize..(start + len) as usize),
            };
            self.shard.read_unit(&unit, payload.unwrap_or_default(), &mut self.events);
        }
    }

    /// The flow is over.
    pub(super) fn finish(&mut self) {
        self.shard.finish(&mut self.events);
    }

    /// Lets go of what was found: for who only listens.
    pub(super) fn forget_events(&mut self) {
        self.events.clear();
    }

    /// The exchanges that ended since this was last asked, with what they carried.
    fn ended(&mut self) -> impl Iterator<Item = (PlaceInFlow, RowDetail)> {
        self.events.drain(..).filter_map(|event| match event.found {
            Found::Exchange(exchange, Some(contents)) => {
                let Contents { bodies, messages } = *contents;
                let [request_body, response_body] = bodies.map(|body| (!body.is_empty()).then_some(body));
                let read = RowDetail { request_body, response_body, messages, frames: Vec::new() };
                Some((place_in_flow(&exchange), read))
            }
            _ => None,
        })
    }
}
