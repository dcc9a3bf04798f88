//! One capture being read: all in the calling thread, or spread over a walker, shards and a digest thread.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::merge::Merge;
use super::messages::Source;
use super::shard::{Event, Shard};
use super::walk::{Block, Walker};
use crate::capture::{CaptureError, CaptureFacts, CaptureReader, Digest, digest_file};
use crate::model::{Budget, LimitHit};
use crate::protocols::http1::Wanted;
use crate::store::{Facts, Progress, Snapshot};

/// Blocks on the way to a shard, and answers on the way back. Each block holds about a mebibyte.
const BLOCKS_UNDER_WAY: usize = 4;

/// How a capture is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct How {
    /// The number of shards; with 1 the calling thread does everything.
    pub threads: usize,
    /// Whether exchanges are judged.
    pub verdicts: bool,
}

impl How {
    /// Judged, by that many shards.
    pub fn judged(threads: usize) -> Self {
        Self { threads, verdicts: true }
    }
}

/// A capture being read. Call [`Reading::step`] until it says that nothing is left.
#[derive(Debug)]
pub struct Reading {
    hands: Hands,
    merge: Merge,
    events: Vec<Event>,
    facts: Facts,
    progress: Progress,
}

/// Who does the work.
#[derive(Debug)]
enum Hands {
    /// The calling thread.
    One { walker: Box<Walker>, shard: Box<Shard>, block: Box<Block> },
    /// Several threads.
    Many { walked: Receiver<Walked>, shards: Vec<Receiver<Answer>>, digest: Option<JoinHandle<Option<[u8; 32]>>> },
    /// Nobody any more.
    Done,
}

/// What the walker says of each block, or of the whole at the end.
#[derive(Debug)]
enum Walked {
    Block { frames: u32, undecoded: u64, other: u64, position: (u64, Option<u64>) },
    End(Box<WalkEnd>),
}

#[derive(Debug)]
struct WalkEnd {
    facts: CaptureFacts,
    limits: Vec<LimitHit>,
    undecoded: u64,
    other: u64,
    position: (u64, Option<u64>),
    sha256: Option<[u8; 32]>,
    error: Option<CaptureError>,
}

/// What a shard made of a block, or of the end of the capture.
#[derive(Debug)]
enum Answer {
    Block(Vec<Event>),
    End { events: Vec<Event>, limits: Vec<LimitHit>, flows: u64 },
}

impl Reading {
    /// Opens a capture.
    pub fn open(source: &Source, how: How, budget: &Budget) -> Result<Self, CaptureError> {
        let How { threads, verdicts } = how;
        let wanted = if verdicts { Wanted::Links } else { Wanted::Exchanges };
        let digest = if threads > 1 { Digest::Elsewhere } else { Digest::Inline };
        let reader = match source {
            Source::File(path) => CaptureReader::open(path, budget, digest)?,
            Source::Stdin => CaptureReader::from_stream(Box::new(io::stdin()), "standard input", budget)?,
            Source::Live(spool) => CaptureReader::open(&spool.folder.join("frames.pcapng"), budget, digest)?,
        };
        let facts = Facts { capture: reader.facts().clone(), ..Facts::default() };
        let progress = Progress { read: 0, total: reader.position().1, done: false };
        let walker = Box::new(Walker::new(reader, budget));
        let hands = if threads > 1 {
            let path = if let Source::File(path) = source { Some(path.as_path()) } else { None };
            Hands::start(*walker, path, (threads, wanted), budget)
                .map_err(|source_error| CaptureError::Io { source: source_error, path: source.name().into() })?
        } else {
            Hands::One { walker, shard: Box::new(Shard::new(0, 1, wanted, budget)), block: Box::default() }
        };
        Ok(Self { hands, merge: Merge::new(verdicts, budget), events: Vec::new(), facts, progress })
    }

    /// Reads one block further. `Ok(false)`: the end, all rows are there. An error ends the reading too; what was read
    /// before it stays.
    pub fn step(&mut self) -> Result<bool, CaptureError> {
        match &mut self.hands {
            Hands::One { walker, shard, block } => {
                let read = walker.next(block);
                shard.read(block, &mut self.events);
                let more = matches!(read, Ok(true));
                if !more {
                    shard.finish(&mut self.events);
                }
                self.merge.take(&mut self.events);
                let reader = &mut walker.reader;
                self.progress.read = reader.position().0;
                self.facts.capture.frames = reader.facts().frames;
                if !more {
                    self.facts.sha256 = reader.sha256();
                    self.facts.capture = reader.facts().clone();
                    let limits = walker.limits().into_iter().chain(shard.limits());
                    self.facts.limits = added(limits.chain(self.merge.limits()));
                    self.facts.flows = shard.ended_flows;
                }
                self.facts.undecoded_frames = walker.undecoded_frames;
                self.facts.other_frames = walker.other_frames;
                if !more {
                    self.end();
                }
                read
            }
            Hands::Many { walked, shards, digest } => {
                let Ok(said) = walked.recv() else {
                    self.end();
                    return Ok(false);
                };
                let mut limits = Vec::new();
                for shard in shards.iter() {
                    match shard.recv() {
                        Ok(Answer::Block(events)) => self.events.extend(events),
                        Ok(Answer::End { events, limits: reached, flows }) => {
                            self.events.extend(events);
                            limits.extend(reached);
                            self.facts.flows += flows;
                        }
                        Err(_) => {}
                    }
                }
                self.merge.take(&mut self.events);
                match said {
                    Walked::Block { frames, undecoded, other, position } => {
                        self.facts.capture.frames = frames;
                        self.facts.undecoded_frames = undecoded;
                        self.facts.other_frames = other;
                        self.progress.read = position.0;
                        Ok(true)
                    }
                    Walked::End(end) => {
                        limits.extend(end.limits);
                        limits.extend(self.merge.limits());
                        self.facts.capture = end.facts;
                        self.facts.undecoded_frames = end.undecoded;
                        self.facts.other_frames = end.other;
                        self.facts.limits = added(limits.into_iter());
                        self.progress.read = end.position.0;
                        let digested = digest.take().and_then(|thread| thread.join().ok()).flatten();
                        self.facts.sha256 = end.sha256.or(digested);
                        self.end();
                        end.error.map_or(Ok(false), Err)
                    }
                }
            }
            Hands::Done => Ok(false),
        }
    }

    fn end(&mut self) {
        self.hands = Hands::Done;
        self.progress.done = true;
    }

    /// Ends the reading where it is; the flows still open are not listed.
    pub fn stop(&mut self) {
        self.end();
    }

    /// A frozen copy of what is there.
    pub fn snapshot(&mut self) -> Snapshot {
        self.merge.store.snapshot(self.facts.clone(), self.progress)
    }
}

impl Hands {
    fn start(
        walker: Walker,
        path: Option<&Path>,
        (threads, wanted): (usize, Wanted),
        budget: &Budget,
    ) -> io::Result<Self> {
        let digest = match path.map(Path::to_owned) {
            Some(path) => Some(named("digest", move || digest_file(&path).ok())?),
            None => None,
        };
        let (give_back, empty) = bounded(BLOCKS_UNDER_WAY * 2);
        let (walked_in, walked) = bounded(BLOCKS_UNDER_WAY);
        let (mut to_shards, mut shards) = (Vec::new(), Vec::new());
        for index in 0..threads {
            let (to, blocks) = bounded(BLOCKS_UNDER_WAY);
            let (answer, answers) = bounded(BLOCKS_UNDER_WAY);
            let shard = Shard::new(index, threads, wanted, budget);
            let give_back = give_back.clone();
            named(&format!("shard-{index}"), move || run_shard(shard, &blocks, &give_back, &answer))?;
            to_shards.push(to);
            shards.push(answers);
        }
        named("walker", move || walk(walker, &empty, &to_shards, &walked_in))?;
        Ok(Self::Many { walked, shards, digest })
    }
}

fn named<T: Send + 'static>(name: &str, work: impl FnOnce() -> T + Send + 'static) -> io::Result<JoinHandle<T>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work)
}

/// Reads to the end, or until nobody listens any more.
fn walk(mut walker: Walker, empty: &Receiver<Block>, shards: &[Sender<Arc<Block>>], walked: &Sender<Walked>) {
    loop {
        let mut block = empty.try_recv().unwrap_or_default();
        let read = walker.next(&mut block);
        let block = Arc::new(block);
        for shard in shards {
            if shard.send(Arc::clone(&block)).is_err() {
                return;
            }
        }
        drop(block);
        let position = walker.reader.position();
        let (undecoded, other) = (walker.undecoded_frames, walker.other_frames);
        let said = Walked::Block { frames: walker.reader.facts().frames, undecoded, other, position };
        if walked.send(said).is_err() {
            return;
        }
        if !matches!(read, Ok(true)) {
            let end = WalkEnd {
                facts: walker.reader.facts().clone(),
                limits: walker.limits(),
                undecoded,
                other,
                position,
                sha256: walker.reader.sha256(),
                error: read.err(),
            };
            // Nobody listening means that the reading was stopped.
            let _stopped = walked.send(Walked::End(Box::new(end)));
            return;
        }
    }
}

fn run_shard(mut shard: Shard, blocks: &Receiver<Arc<Block>>, give_back: &Sender<Block>, answers: &Sender<Answer>) {
    for block in blocks {
        let mut events = Vec::new();
        shard.read(&block, &mut events);
        // The last shard through hands the buffers back; when the walker has enough of them they are dropped.
        if let Some(block) = Arc::into_inner(block) {
            let _full = give_back.try_send(block);
        }
        if answers.send(Answer::Block(events)).is_err() {
            return;
        }
    }
    let mut events = Vec::new();
    shard.finish(&mut events);
    let _stopped = answers.send(Answer::End { events, limits: shard.limits(), flows: shard.ended_flows });
}

/// One entry a limit: counts added, the earliest frame kept.
fn added(limits: impl Iterator<Item = LimitHit>) -> Vec<LimitHit> {
    let mut sums: Vec<LimitHit> = Vec::new();
    for hit in limits {
        match sums.iter_mut().find(|s| s.limit == hit.limit) {
            Some(sum) => {
                sum.count = sum.count.saturating_add(hit.count);
                if sum.first_frame.0 == 0 || (hit.first_frame.0 != 0 && hit.first_frame < sum.first_frame) {
                    sum.first_frame = hit.first_frame;
                }
            }
            None => sums.push(hit),
        }
    }
    sums.sort_by_key(|s| s.limit);
    sums
}
