//! What ends a capture from outside: a signal, or the end of standard input.

use std::io::{self, PipeReader, Read as _};
use std::os::fd::{AsFd as _, BorrowedFd};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Tells when the capture is to end. Waiting for it is waiting for a descriptor: nothing has to be asked again and again,
/// and a signal between asking and waiting is not missed.
#[derive(Debug)]
pub struct StopSign {
    signals: PipeReader,
    stdin: Option<io::Stdin>,
    asked: bool,
}

impl StopSign {
    /// From now on SIGINT, SIGTERM and SIGHUP do not kill the process but are seen here; so is the end of standard input
    /// where asked for.
    pub fn new(until_stdin_closes: bool) -> io::Result<Self> {
        // A pipe and no pair of sockets: sending is what a capturing process is kept from.
        let (signals, write) = io::pipe()?;
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::low_level::pipe::register(signal, write.try_clone()?)?;
        }
        Ok(Self { signals, stdin: until_stdin_closes.then(io::stdin), asked: false })
    }

    /// What there is to wait for.
    pub(super) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        core::iter::once(self.signals.as_fd()).chain(self.stdin.as_ref().map(|stdin| stdin.as_fd()))
    }

    /// Whether the capture is to end; never waits.
    pub(super) fn asked(&mut self) -> bool {
        if self.asked {
            return true;
        }
        let mut byte = [0; 64];
        self.asked = is_ready(self.signals.as_fd()) && matches!(self.signals.read(&mut byte), Ok(count) if count > 0);
        if let Some(stdin) = &self.stdin {
            // Whatever is written to it is nothing to us; its end is.
            self.asked |= is_ready(stdin.as_fd()) && !matches!(stdin.lock().read(&mut byte), Ok(count) if count > 0);
        }
        self.asked
    }
}

/// Whether reading would not wait.
fn is_ready(descriptor: BorrowedFd<'_>) -> bool {
    let mut wait = [PollFd::new(descriptor, PollFlags::POLLIN)];
    poll(&mut wait, PollTimeout::ZERO).is_ok_and(|count| count > 0)
}
