//! One capture being read: all in the calling thread, or spread over a walker, shards and a digest thread.

use std::io;
use std::path::PathBuf;
use std::slice;
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};

use super::found::Event;
use super::merge::Merge;
use super::messages::Source;
use super::shard::Shard;
use super::walk::{Block, Said, Stamp, Walker};
use crate::capture::{
    CaptureError, CaptureFacts, CaptureReader, Digest, Feed, KeyLogFile, MergedReader, SocketOwner, Spool, digest_file,
    is_of_this_moment,
};
use crate::model::{Budget, KeyLog, LimitHit};
use crate::protocols::http::Wanted;
use crate::store::{Facts, Progress, Snapshot};

/// Blocks on the way to a shard, and answers on the way back. Each block holds about a mebibyte.
const BLOCKS_UNDER_WAY: usize = 4;

/// How a capture is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct How {
    /// The number of shards; with 1 the calling thread does everything.
    pub threads: usize,
    /// Whether exchanges are judged.
    pub verdicts: bool,
    /// The TLS key log to decrypt with, beside those that the capture carries.
    pub key_log: Option<PathBuf>,
}

impl How {
    /// Judged, by that many shards.
    pub fn judged(threads: usize) -> Self {
        Self { threads, verdicts: true, key_log: None }
    }

    /// The same with a TLS key log.
    #[must_use]
    pub fn with_keys(self, key_log: Option<PathBuf>) -> Self {
        Self { key_log, ..self }
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
    waiting: bool,
    news: bool,
    /// Tells who has the sockets of this machine.
    owners: Option<Receiver<Vec<SocketOwner>>>,
}

/// Who does the work.
#[derive(Debug)]
enum Hands {
    /// The calling thread.
    One { walker: Box<Walker>, shard: Box<Shard>, block: Box<Block> },
    /// Several threads.
    Many { walked: Receiver<Walked>, shards: Vec<Receiver<Answer>>, digest: Option<JoinHandle<Digests>> },
    /// Nobody any more.
    Done,
}

/// What the files' digests are, in their order.
type Digests = Vec<Option<[u8; 32]>>;

/// What the walker says of each block, or of the whole at the end.
#[derive(Debug)]
enum Walked {
    /// A capture that grows had nothing new; the shards were not asked.
    Nothing,
    Block(Box<Said>, Option<Stamp>),
    End(Box<WalkEnd>),
}

#[derive(Debug)]
struct WalkEnd {
    said: Said,
    facts: CaptureFacts,
    sha256: Option<[u8; 32]>,
    error: Option<CaptureError>,
}

/// What a shard made of a block, or of the end of the capture.
#[derive(Debug)]
struct Answer {
    events: Vec<Event>,
    /// Limits reached and flows ended, so far.
    limits: Vec<LimitHit>,
    flows: u64,
}

impl Reading {
    /// Opens a capture.
    pub fn open(source: &Source, how: How, budget: &Budget) -> Result<Self, CaptureError> {
        // Before the first byte of the capture, which may not come twice.
        let keys = key_log(how.key_log, budget)?;
        let digest = if how.threads > 1 { Digest::Elsewhere } else { Digest::Inline };
        let mut mode = Mode { paths: &[], follows: false, goes_on: false, shows_open: false };
        let reader: Feed = match source {
            Source::File(path) => {
                mode.paths = slice::from_ref(path);
                CaptureReader::open(path, budget, digest)?.into()
            }
            Source::Files(paths) => {
                mode.paths = paths;
                MergedReader::open(paths, budget, digest)?.into()
            }
            Source::Stdin => CaptureReader::from_stream(Box::new(io::stdin()), STDIN, budget)?.into(),
            Source::Live(spool) => {
                mode.follows = true;
                // One that is whole is read as a file is.
                mode.goes_on = matches!(spool.growing.try_recv(), Err(TryRecvError::Empty));
                mode.shows_open = mode.goes_on;
                CaptureReader::follow(spool, budget).into()
            }
        };
        let mut reading = Self::start(reader, &mode, (how.threads, how.verdicts, keys), budget, &source.name())?;
        if let Source::Live(Spool { owners: Some(owners), .. }) = source {
            reading.owners = Some(owners.clone());
            reading.merge.store.expect_programs();
        }
        Ok(reading)
    }

    /// Reads standard input as it comes: a pause does not hold up [`Reading::step`]. Waits for its first bytes.
    pub fn follow_stdin(how: How, budget: &Budget) -> Result<Self, CaptureError> {
        let keys = key_log(how.key_log, budget)?;
        let reader = CaptureReader::from_pipe(Box::new(io::stdin()), STDIN, budget)?.into();
        let mode = Mode { paths: &[], follows: true, goes_on: true, shows_open: false };
        Self::start(reader, &mode, (how.threads, how.verdicts, keys), budget, STDIN)
    }

    fn start(
        reader: Feed,
        mode: &Mode<'_>,
        (threads, verdicts, keys): (usize, bool, Option<(KeyLogFile, KeyLog)>),
        budget: &Budget,
        name: &str,
    ) -> Result<Self, CaptureError> {
        let wanted = if verdicts { Wanted::Links } else { Wanted::Exchanges };
        let facts = Facts { capture: reader.facts().clone(), ..Facts::default() };
        let progress = Progress { read: 0, total: reader.position().1, done: false };
        let walker = Walker::new(reader, mode.follows, budget);
        let walker = Box::new(match keys {
            Some((file, keys)) => walker.with_keys(file, keys),
            None => walker,
        });
        let hands = if threads > 1 {
            Hands::start(*walker, mode, (threads, wanted), budget)
                .map_err(|error| CaptureError::Io { source: error, path: name.into() })?
        } else {
            let shard = Box::new(mode.shard(0, 1, wanted, budget));
            Hands::One { walker, shard, block: Box::default() }
        };
        let record_bytes =
            if mode.goes_on { budget.record_bytes.min(budget.live_record_bytes) } else { budget.record_bytes };
        let mut merge = Merge::new(verdicts, &Budget { record_bytes, ..budget.clone() });
        if mode.shows_open {
            merge.store.keep_rows(budget.live_rows);
        }
        Ok(Self { hands, merge, events: Vec::new(), facts, progress, waiting: false, news: true, owners: None })
    }

    /// Reads one block further. `Ok(false)`: the end, all rows are there. An error ends the reading too; what was read
    /// before it stays. Of a capture that grows and has nothing new, comes back within some 30 ms.
    pub fn step(&mut self) -> Result<bool, CaptureError> {
        self.waiting = false;
        while let Some(Ok(owners)) = self.owners.as_ref().map(Receiver::try_recv) {
            self.merge.store.learn_programs(&owners);
            self.news = true;
        }
        match &mut self.hands {
            Hands::One { walker, shard, block } => {
                let read = walker.next(block);
                let more = matches!(read, Ok(true));
                if more && block.is_empty() {
                    self.waiting = true;
                    return read;
                }
                shard.read(block, &mut self.events);
                if !more {
                    shard.finish(&mut self.events);
                }
                let (dropped, said, limits, flows) = (block.dropped, walker.said(), shard.limits(), shard.ended_flows);
                if !more {
                    self.facts.sha256 = walker.reader.sha256();
                    self.facts.capture = walker.reader.facts().clone();
                }
                self.merge.take(&mut self.events, dropped);
                self.told(said, limits, flows);
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
                if let Walked::Nothing = said {
                    self.waiting = true;
                    return Ok(true);
                }
                let (mut limits, mut flows) = (Vec::new(), 0);
                for shard in shards.iter() {
                    if let Ok(answer) = shard.recv() {
                        self.events.extend(answer.events);
                        limits.extend(answer.limits);
                        flows += answer.flows;
                    }
                }
                match said {
                    Walked::Nothing => Ok(true),
                    Walked::Block(said, dropped) => {
                        self.merge.take(&mut self.events, dropped);
                        self.told(*said, limits, flows);
                        Ok(true)
                    }
                    Walked::End(end) => {
                        let digested = digest.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
                        self.facts.capture = end.facts;
                        self.merge.take(&mut self.events, None);
                        self.told(end.said, limits, flows);
                        let merged = &mut self.facts.capture.merged;
                        merged.digested(&digested);
                        let of_one = digested.first().copied().flatten().filter(|_| merged.is_empty());
                        self.facts.sha256 = end.sha256.or(of_one);
                        self.end();
                        end.error.map_or(Ok(false), Err)
                    }
                }
            }
            Hands::Done => Ok(false),
        }
    }

    /// Takes over what is known of the capture after a block.
    fn told(&mut self, said: Said, limits: Vec<LimitHit>, flows: u64) {
        let facts = &mut self.facts;
        if let Some(capture) = said.capture {
            facts.capture = *capture;
        }
        facts.capture.merged = said.merged;
        facts.capture.frames = said.frames;
        [facts.capture.first_time, facts.capture.last_time] = said.times;
        facts.capture.counters = said.counters;
        facts.keys = said.keys;
        facts.sessions = self.merge.sessions;
        facts.tunnels = self.merge.tunnels.clone();
        let entries = &self.merge.connections;
        facts.undecoded_frames = said.undecoded + entries.broken;
        facts.other_frames = said.other + entries.unasked;
        facts.clock_steps = said.clock_steps;
        facts.flows = flows + entries.count;
        facts.limits = added(said.limits.into_iter().chain(limits).chain(self.merge.limits()));
        self.progress.read = said.position.0;
        self.news = true;
    }

    fn end(&mut self) {
        self.hands = Hands::Done;
        self.progress.done = true;
        self.news = true;
    }

    /// Ends the reading where it is; the flows still open are not listed.
    pub fn stop(&mut self) {
        self.end();
    }

    /// Whether the last step found nothing new in a capture that grows.
    pub fn is_waiting(&self) -> bool {
        self.waiting
    }

    /// Whether the newest frame was captured just now: then the capture is a live one.
    pub fn is_of_this_moment(&self) -> bool {
        self.facts.capture.last_time.is_some_and(is_of_this_moment)
    }

    /// Whether something changed since the last snapshot.
    pub fn has_news(&self) -> bool {
        self.news
    }

    /// A frozen copy of what is there.
    pub fn snapshot(&mut self) -> Snapshot {
        self.news = false;
        self.merge.store.snapshot(self.facts.clone(), self.progress)
    }
}

/// The key log that the user named.
fn key_log(path: Option<PathBuf>, budget: &Budget) -> Result<Option<(KeyLogFile, KeyLog)>, CaptureError> {
    let Some(path) = path else { return Ok(None) };
    let (mut file, mut keys) = (KeyLogFile::open(&path)?, KeyLog::new(budget.secret_bytes));
    file.read_new(&mut keys)?;
    Ok(Some((file, keys)))
}

/// What standard input is called.
const STDIN: &str = "standard input";

/// What kind of source is read.
#[derive(Debug)]
struct Mode<'a> {
    /// The files, to be hashed by a thread of its own.
    paths: &'a [PathBuf],
    /// It may still grow.
    follows: bool,
    /// It does still grow.
    goes_on: bool,
    /// Rows come when their exchanges begin.
    shows_open: bool,
}

impl Mode<'_> {
    fn shard(&self, index: usize, shards: usize, wanted: Wanted, budget: &Budget) -> Shard {
        let shard = Shard::new(index, shards, wanted, budget);
        if self.shows_open { shard.showing_open() } else { shard }
    }
}

impl Hands {
    fn start(walker: Walker, mode: &Mode<'_>, (threads, wanted): (usize, Wanted), budget: &Budget) -> io::Result<Self> {
        let paths = mode.paths.to_vec();
        let digest = if paths.is_empty() {
            None
        } else {
            Some(named("digest", move || paths.iter().map(|path| digest_file(path).ok()).collect::<Digests>())?)
        };
        let (give_back, empty) = bounded(BLOCKS_UNDER_WAY * 2);
        let (walked_in, walked) = bounded(BLOCKS_UNDER_WAY);
        let (mut to_shards, mut shards) = (Vec::new(), Vec::new());
        for index in 0..threads {
            let (to, blocks) = bounded(BLOCKS_UNDER_WAY);
            let (answer, answers) = bounded(BLOCKS_UNDER_WAY);
            let shard = mode.shard(index, threads, wanted, budget);
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
    let mut unused = None;
    loop {
        let mut block = unused.take().or_else(|| empty.try_recv().ok()).unwrap_or_default();
        let read = walker.next(&mut block);
        let more = matches!(read, Ok(true));
        if more && block.is_empty() {
            unused = Some(block);
            if walked.send(Walked::Nothing).is_err() {
                return;
            }
            continue;
        }
        let dropped = block.dropped;
        let block = Arc::new(block);
        for shard in shards {
            if shard.send(Arc::clone(&block)).is_err() {
                return;
            }
        }
        drop(block);
        if walked.send(Walked::Block(Box::new(walker.said()), dropped)).is_err() {
            return;
        }
        if !more {
            let said = walker.said();
            let facts = walker.reader.facts().clone();
            let end = WalkEnd { said, facts, sha256: walker.reader.sha256(), error: read.err() };
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
        if answers.send(answer(&shard, events)).is_err() {
            return;
        }
    }
    let mut events = Vec::new();
    shard.finish(&mut events);
    let _stopped = answers.send(answer(&shard, events));
}

fn answer(shard: &Shard, events: Vec<Event>) -> Answer {
    Answer { events, limits: shard.limits(), flows: shard.ended_flows }
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
