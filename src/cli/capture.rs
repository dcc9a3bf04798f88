//! `nephoscope capture`: the process that opens an interface and writes what comes. The window starts one too.

use std::io::{self, IsTerminal as _, Write as _};

use anyhow::{Result, bail};

use super::args::{CaptureArguments, Criterion};
use super::say;
use crate::capture::{
    Ending, Limits, OpenDevice, Order, RecordError, Recording, StopSign, Tally, Target, Turn, permission_command,
    permission_commands_for_group,
};
use crate::model::{LinkType, clean};

/// It ended as it was asked to.
const ENDED: u8 = 0;
/// It ended early; what was written is whole.
const ENDED_EARLY: u8 = 1;
/// This user may not capture.
const NO_PERMISSION: u8 = 3;

/// Captures until the end.
pub(super) fn run(arguments: CaptureArguments) -> Result<u8> {
    let (quiet, until_stdin_closes) = (arguments.quiet, arguments.until_stdin_closes);
    let order = order(arguments)?;
    // Before anything is open: a signal must not kill a capture that is about to begin.
    let stop = StopSign::new(until_stdin_closes)?;
    let begun = OpenDevice::open(&order).and_then(|open| {
        if open.promiscuous_refused {
            say("this interface cannot be promiscuous: only its own traffic is captured");
        }
        if !is_decoded(open.link) {
            say(&format!(
                "link type {} is not understood: its frames are kept, but no exchanges will be found in them",
                open.link.0
            ));
        }
        Recording::begin(open, &order, stop)
    });
    let mut recording = match begun {
        Ok(recording) => recording,
        Err(error @ RecordError::NoPermission { .. }) => {
            say(&error.to_string());
            say_remedy();
            return Ok(NO_PERMISSION);
        }
        Err(error) => return Err(error.into()),
    };
    // The window waits for these words.
    say(&format!("capturing on {}", clean(order.device.as_bytes())));
    let running = !quiet && io::stderr().is_terminal();
    let ending = loop {
        match recording.step() {
            Turn::Second if running => count(&recording.tally()),
            Turn::Going | Turn::Second => {}
            Turn::Ended(ending) => break ending,
        }
    };
    if running {
        let _closed = write!(io::stderr(), "\r\x1b[K");
    }
    let code = match ending {
        Ending::Asked | Ending::ReaderGone => ENDED,
        Ending::Early(why) => {
            say(&why);
            ENDED_EARLY
        }
    };
    let tally = recording.tally();
    say(&format!(
        "{} frames written, received {}, dropped by the kernel {}, by the interface {}",
        tally.written, tally.received, tally.dropped, tally.interface_dropped
    ));
    Ok(code)
}

fn order(arguments: CaptureArguments) -> Result<Order> {
    let target = match arguments.target {
        Some(path) if path.as_os_str() != "-" => Target::File(path),
        None | Some(_) if io::stdout().is_terminal() => {
            bail!("frames are not written to a terminal: name a file with -w FILE, or pipe them: … | nephoscope list -")
        }
        None | Some(_) => Target::Stdout,
    };
    let mut stop_at = limits(&arguments.stop_at);
    stop_at.frames = [stop_at.frames, arguments.count].into_iter().flatten().min();
    let mut next_at = (!arguments.next_at.is_empty()).then(|| limits(&arguments.next_at));
    if let Some(next) = &mut next_at {
        if target == Target::Stdout {
            bail!("-b writes files one after another: name them with -w FILE");
        }
        // As dumpcap has it: with -b the size is that of each file.
        next.kilobytes = [next.kilobytes, stop_at.kilobytes.take()].into_iter().flatten().min();
        if next.duration.is_none() && next.kilobytes.is_none() && next.frames.is_none() {
            bail!(
                "-b files:N needs to know when the next file begins: add -b duration:S, -b filesize:KB or -b packets:N"
            );
        }
    } else if stop_at.files.is_some() {
        bail!("-a files:N needs files one after another: add -b duration:S, -b filesize:KB or -b packets:N");
    }
    Ok(Order {
        device: arguments.device,
        filter: arguments.filter,
        promiscuous: arguments.promiscuous,
        snap_len: arguments.snap_len,
        buffer_mib: arguments.buffer_mib,
        target,
        overwrite: arguments.overwrite,
        stop_at,
        next_at,
    })
}

/// The limits together; of several of a kind the smallest.
fn limits(criteria: &[Criterion]) -> Limits {
    let mut limits = Limits::default();
    for criterion in criteria {
        match *criterion {
            Criterion::Duration(most) => least(&mut limits.duration, most),
            Criterion::Kilobytes(most) => least(&mut limits.kilobytes, most),
            Criterion::Frames(most) => least(&mut limits.frames, most),
            Criterion::Files(most) => least(&mut limits.files, most),
        }
    }
    limits
}

fn least<T: Ord + Copy>(limit: &mut Option<T>, other: T) {
    *limit = Some(limit.map_or(other, |limit| limit.min(other)));
}

/// The running count, on one line.
fn count(tally: &Tally) {
    let drops = match tally.dropped.saturating_add(tally.interface_dropped) {
        0 => String::new(),
        drops => format!(", {drops} dropped"),
    };
    // When nobody can see it there is nobody to tell.
    let _closed = write!(io::stderr(), "\r\x1b[K{} frames{drops}", tally.written);
}

fn say_remedy() {
    let group = permission_commands_for_group().join("\n  ");
    say(&format!("this gives the right to every user of this program:\n  {}", permission_command()));
    say(&format!("or only to members of a group, who log in again after it:\n  {group}"));
    say("a new build or a copy of the program needs the same again; on a file system mounted nosuid it has no effect");
}

/// Whether frames of this link type are decoded (`decode/link.rs`).
fn is_decoded(link: LinkType) -> bool {
    matches!(
        link,
        LinkType::NULL
            | LinkType::ETHERNET
            | LinkType::PPP
            | LinkType::RAW_BSD
            | LinkType::RAW_OPENBSD
            | LinkType::PPP_HDLC
            | LinkType::PPP_ETHER
            | LinkType::RAW
            | LinkType::C_HDLC
            | LinkType::IEEE802_11
            | LinkType::LOOP
            | LinkType::LINUX_SLL
            | LinkType::IEEE802_11_PRISM
            | LinkType::IEEE802_11_RADIOTAP
            | LinkType::PPI
            | LinkType::IPV4
            | LinkType::IPV6
            | LinkType::NFLOG
            | LinkType::LINUX_SLL2
    )
}
