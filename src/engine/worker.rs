//! The engine's thread: commands in, notices and snapshots out.

use std::path::PathBuf;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded, tick};

use super::messages::{Command, Handle, Notice, OpenNo, Source};
use super::reading::{How, Reading};
use crate::capture::CaptureError;
use crate::model::Budget;
use crate::store::{Published, Snapshot};

/// Time between two snapshots while reading: 30 a second.
const BEAT: Duration = Duration::from_millis(33);

/// Starts the engine's thread. `wake` is called after each notice and snapshot; the thread ends when the handle is dropped.
pub fn start(threads: usize, budget: Budget, wake: Box<dyn Fn() + Send>) -> std::io::Result<Handle> {
    let (commands, orders) = bounded(16);
    let (notices_in, notices) = bounded(64);
    let (snapshots_in, snapshots) = bounded(1);
    let worker = Worker {
        threads,
        key_log: None,
        budget,
        wake,
        orders,
        notices: notices_in,
        newest: snapshots.clone(),
        snapshots: snapshots_in,
        published: Published::default(),
    };
    std::thread::Builder::new().name("engine".to_owned()).spawn(move || worker.run())?;
    Ok(Handle { commands, notices, snapshots })
}

struct Worker {
    threads: usize,
    key_log: Option<PathBuf>,
    budget: Budget,
    wake: Box<dyn Fn() + Send>,
    orders: Receiver<Command>,
    notices: Sender<(OpenNo, Notice)>,
    snapshots: Sender<(OpenNo, Snapshot)>,
    /// The other end of `snapshots`: a newer one takes the place of the one not taken.
    newest: Receiver<(OpenNo, Snapshot)>,
    /// Those of the capture that is being read.
    published: Published,
}

impl Worker {
    fn run(mut self) {
        let mut next = self.orders.recv().ok();
        while let Some(command) = next {
            next = match command {
                Command::Open(number, source) => self.read(number, &source),
                Command::KeyLog(path) => {
                    self.key_log = path;
                    self.orders.recv().ok()
                }
                Command::Stop => self.orders.recv().ok(),
            };
        }
    }

    /// Reads a capture to its end or to the next command; gives the command to follow next.
    fn read(&mut self, number: OpenNo, source: &Source) -> Option<Command> {
        let how = || How::judged(self.threads);
        let mut opened = Reading::open(source, how().with_keys(self.key_log.clone()), &self.budget);
        if let Err(error @ CaptureError::KeyLog { .. }) = &opened {
            // Without its keys a capture still tells most of what it tells.
            self.notice(number, Notice::NoKeys { why: error.to_string() });
            self.key_log = None;
            opened = Reading::open(source, how(), &self.budget);
        }
        let mut reading = match opened {
            Ok(reading) => reading,
            Err(error) => {
                self.notice(
                    number,
                    Notice::Failed { doing: format!("open {}", source.name()), why: error.to_string() },
                );
                return self.orders.recv().ok();
            }
        };
        self.notice(number, Notice::Opened(source.name()));
        let beat = tick(BEAT);
        let mut order = None;
        loop {
            match reading.step() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    self.notice(
                        number,
                        Notice::Failed { doing: format!("read {}", source.name()), why: error.to_string() },
                    );
                    break;
                }
            }
            match self.orders.try_recv() {
                Ok(command) => {
                    order = Some(command);
                    reading.stop();
                    break;
                }
                // Nobody is there any more; a live capture would not end by itself.
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) => {}
            }
            // Nothing new, no snapshot: then the beat waits, and the next change is shown at once.
            if reading.has_news() && beat.try_recv().is_ok() {
                self.publish(number, reading.snapshot());
            }
        }
        self.publish(number, reading.snapshot());
        // The last one belongs to the window, which may close it.
        self.published = Published::default();
        self.notice(number, Notice::Ended);
        match order {
            Some(next @ (Command::Open(..) | Command::KeyLog(_))) => Some(next),
            Some(Command::Stop) | None => self.orders.recv().ok(),
        }
    }

    fn publish(&mut self, number: OpenNo, snapshot: Snapshot) {
        self.published.keep(snapshot.clone());
        let _replaced = self.newest.try_recv();
        // Full only if the front took nothing and put nothing: this thread alone sends.
        let _full = self.snapshots.try_send((number, snapshot));
        (self.wake)();
    }

    /// Never waits for the window: a front that takes no notice of 64 has stopped listening.
    fn notice(&self, number: OpenNo, notice: Notice) {
        let _full = self.notices.try_send((number, notice));
        (self.wake)();
    }
}
