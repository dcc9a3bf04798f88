//! A live capture: a process of its own opens the interface and writes to a spool; this starts it with the rights it needs,
//! watches it, and stops it.
//!
//! Comes in: what to capture, a spool folder. Goes out: what became of it, once each. Never: an interface opened in this
//! process, which reads what strangers sent and shall have no rights.

use std::convert::Infallible;
use std::env;
use std::ffi::OsString;
use std::io::{self, BufRead as _, BufReader, PipeReader, PipeWriter};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::programs::watch_programs;
use super::record_error::permission_command;
use super::spool::Spool;

/// What the capture process prints when the interface is open.
pub const CAPTURING: &str = "capturing on";
/// Its exit code where it has no right to open the interface.
pub const NO_RIGHTS: i32 = 3;

/// What to capture, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The interface's name.
    pub device: String,
    /// The capture filter; empty takes everything.
    pub filter: String,
    /// Whether the interface hands on frames for others too.
    pub promiscuous: bool,
    /// Bytes kept of each frame.
    pub snap_len: u32,
    /// The kernel's buffer in mebibytes.
    pub buffer_mib: u32,
    /// How much is kept.
    pub keep: Keep,
}

/// How much of a live capture is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Everything, until the disk is nearly full.
    All,
    /// The capture ends at so many mebibytes.
    UpTo(u32),
    /// The newest files of a ring.
    Ring {
        /// Mebibytes in each.
        file_mib: u32,
        /// How many.
        files: u32,
    },
}

impl Default for Wish {
    fn default() -> Self {
        Self {
            device: String::new(),
            filter: String::new(),
            promiscuous: false,
            snap_len: 262_144,
            buffer_mib: 64,
            keep: Keep::All,
        }
    }
}

/// Things that happen to a recorder once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// Frames are being written.
    Started,
    /// It ended; the words say why, where it was not stopped. What was written stays.
    Ended(Option<String>),
    /// It did not begin.
    Failed {
        /// Why.
        why: String,
        /// The command that would mend it, to be copied.
        remedy: Option<String>,
    },
}

/// A capture process under way. Dropping it stops the capture; the files stay.
#[derive(Debug)]
pub struct Recorder {
    /// What happened.
    pub events: Receiver<Recorded>,
    /// What it writes.
    pub spool: Spool,
    /// What is written ends when this is closed.
    lifeline: Option<Lifeline>,
}

/// What a capture hangs on.
#[derive(Debug)]
enum Lifeline {
    /// A process ends when its standard input is closed, so it ends with this program however that ends.
    Process(#[expect(dead_code, reason = "held until it is dropped")] PipeWriter),
    /// A thread of this program.
    Thread(#[expect(dead_code, reason = "held until it is dropped")] Sender<Infallible>),
}

impl Recorder {
    /// Starts a capture into a folder that is there already. Comes back at once: what becomes of it is told by events, and
    /// `wake` is called after each.
    pub fn start(wish: &Wish, folder: &Path, wake: Box<dyn Fn() + Send>) -> io::Result<Self> {
        let program = env::current_exe()?;
        Self::start_with(&rungs(&program, wish, folder), folder, wake)
    }

    fn start_with(rungs: &[Rung], folder: &Path, wake: Box<dyn Fn() + Send>) -> io::Result<Self> {
        let (lifeline_end, lifeline) = io::pipe()?;
        let (mut spool, grows) = Spool::growing(folder);
        spool.owners = Some(watch_programs(spool.growing.clone())?);
        let (told, events) = bounded(4);
        let watch = Watch { lifeline: lifeline_end, told, wake };
        let rungs = rungs.to_vec();
        std::thread::Builder::new().name("capture".to_owned()).spawn(move || watch.climb(&rungs, grows))?;
        Ok(Self { events, spool, lifeline: Some(Lifeline::Process(lifeline)) })
    }

    /// A recorder whose work is done by threads that end when `lifeline` is dropped.
    pub(super) fn new(events: Receiver<Recorded>, spool: Spool, lifeline: Sender<Infallible>) -> Self {
        Self { events, spool, lifeline: Some(Lifeline::Thread(lifeline)) }
    }

    /// Stops the capture; [`Recorded::Ended`] follows.
    pub fn stop(&mut self) {
        self.lifeline = None;
    }
}

/// One way to start a capture process.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rung {
    program: PathBuf,
    arguments: Vec<OsString>,
    speaks: Speaks,
}

/// What a capture process prints, and what stops it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speaks {
    /// Our own.
    Own,
    /// Our own, started by another program that may refuse.
    OwnThrough,
    /// Wireshark's.
    Dumpcap,
}

/// The ways from the one that asks nobody to the one that is not ours.
fn rungs(program: &Path, wish: &Wish, folder: &Path) -> Vec<Rung> {
    let own = own_arguments(wish, folder);
    let mut rungs = vec![Rung { program: program.to_owned(), arguments: own.clone(), speaks: Speaks::Own }];
    let mut through = |by: &str, before: &[&str]| {
        if let Some(by) = in_path(by) {
            let words = before.iter().map(OsString::from).chain([program.into()]).chain(own.iter().cloned());
            rungs.push(Rung { program: by, arguments: words.collect(), speaks: Speaks::OwnThrough });
        }
    };
    if env::var_os("DISPLAY").is_some() || env::var_os("WAYLAND_DISPLAY").is_some() {
        through("pkexec", &["--disable-internal-agent"]);
    }
    // Without a program that asks for the password sudo would ask a terminal that may not be there.
    if env::var_os("SUDO_ASKPASS").is_some() {
        through("sudo", &["-A", "--"]);
    }
    if let Some(dumpcap) = in_path("dumpcap") {
        rungs.push(Rung { program: dumpcap, arguments: dumpcap_arguments(wish, folder), speaks: Speaks::Dumpcap });
    }
    rungs
}

fn own_arguments(wish: &Wish, folder: &Path) -> Vec<OsString> {
    let mut words: Vec<OsString> = ["capture", "-q", "--until-stdin-closes", "-i"].map(OsString::from).to_vec();
    words.push(wish.device.clone().into());
    words.extend(["-s".into(), wish.snap_len.to_string().into(), "-B".into(), wish.buffer_mib.to_string().into()]);
    if wish.promiscuous {
        words.push("--promiscuous".into());
    }
    words.extend(common_arguments(wish, folder));
    words
}

fn dumpcap_arguments(wish: &Wish, folder: &Path) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec!["-i".into()];
    words.push(wish.device.clone().into());
    words.extend(["-s".into(), wish.snap_len.to_string().into(), "-B".into(), wish.buffer_mib.to_string().into()]);
    if !wish.promiscuous {
        words.push("-p".into());
    }
    words.extend(common_arguments(wish, folder));
    words
}

/// Filter, file and how much is kept: the same words mean the same to both.
fn common_arguments(wish: &Wish, folder: &Path) -> Vec<OsString> {
    let mut words = Vec::new();
    if !wish.filter.trim().is_empty() {
        words.extend(["-f".into(), wish.filter.trim().into()]);
    }
    words.extend(["-w".into(), Spool::whole(folder).file().into_os_string()]);
    // Both count file sizes in units of 1,000 bytes.
    let kilobytes = |mib: u32| u64::from(mib).saturating_mul(1 << 20).div_ceil(1_000);
    match wish.keep {
        Keep::All => {}
        Keep::UpTo(mib) => words.extend(["-a".into(), format!("filesize:{}", kilobytes(mib)).into()]),
        Keep::Ring { file_mib, files } => {
            words.extend(["-b".into(), format!("filesize:{}", kilobytes(file_mib)).into()]);
            words.extend(["-b".into(), format!("files:{files}").into()]);
        }
    }
    words
}

/// A program where the environment says that programs are, and where administrators' programs are.
fn in_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// What one attempt came to.
enum Outcome {
    /// It was capturing, and ended.
    Ended(Option<String>),
    /// It has no right to the interface.
    Refused(String),
    /// It cannot capture, with any rights.
    Failed(String),
}

/// The thread's side.
struct Watch {
    lifeline: PipeReader,
    told: Sender<Recorded>,
    wake: Box<dyn Fn() + Send>,
}

impl Watch {
    /// Tries one way after the other until one captures or cannot for another reason than rights.
    fn climb(self, rungs: &[Rung], grows: Sender<Infallible>) {
        let mut refused = None;
        let mut last = None;
        for rung in rungs {
            match self.run(rung) {
                Ok(Outcome::Ended(why)) => {
                    // The files are whole: whoever reads them may come to their end.
                    drop(grows);
                    return self.tell(Recorded::Ended(why));
                }
                Ok(Outcome::Refused(why)) => refused = refused.or(Some(why)),
                Ok(Outcome::Failed(why)) => {
                    last = Some(why);
                    break;
                }
                Err(error) => last = Some(format!("cannot start the capture process: {error}")),
            }
        }
        drop(grows);
        let remedy = refused.as_ref().filter(|_| cfg!(target_os = "linux")).map(|_| permission_command());
        // What the ways behind the first one say is about themselves, not about what the user wanted.
        let why = refused.or(last).unwrap_or_else(|| "cannot start the capture process".to_owned());
        self.tell(Recorded::Failed { why, remedy });
    }

    fn tell(&self, what: Recorded) {
        // A front that let four go unheard listens no more.
        let _full = self.told.try_send(what);
        (self.wake)();
    }

    fn run(&self, rung: &Rung) -> io::Result<Outcome> {
        let mut child = Command::new(&rung.program)
            .args(&rung.arguments)
            .stdin(Stdio::from(self.lifeline.try_clone()?))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        if rung.speaks == Speaks::Dumpcap {
            interrupt_when_closed(self.lifeline.try_clone()?, &child)?;
        }
        let mut heard = Heard::default();
        if let Some(words) = child.stderr.take() {
            // dumpcap counts frames behind carriage returns on a line that does not end.
            for piece in BufReader::new(words).split(b'\n') {
                let Ok(piece) = piece else { break };
                let line = String::from_utf8_lossy(&piece);
                if heard.line(line.rsplit('\r').next().unwrap_or_default().trim(), rung.speaks) {
                    self.tell(Recorded::Started);
                }
            }
        }
        let code = wait(&mut child)?;
        Ok(heard.outcome(code, rung.speaks))
    }
}

fn wait(child: &mut Child) -> io::Result<Option<i32>> {
    Ok(child.wait()?.code())
}

/// What a capture process said.
#[derive(Debug, Default)]
struct Heard {
    began: bool,
    /// What it said that was not about counting.
    said: Vec<String>,
}

/// Lines of a process that are kept: the first, which says what is wrong, and the last ones.
const LINES: usize = 8;

impl Heard {
    /// Takes a line; whether it says that capturing began.
    fn line(&mut self, line: &str, speaks: Speaks) -> bool {
        let line = line.strip_prefix("nephoscope: ").unwrap_or(line).trim();
        let begins = match speaks {
            Speaks::Own | Speaks::OwnThrough => line.starts_with(CAPTURING),
            Speaks::Dumpcap => line.starts_with("File: "),
        };
        if begins && !self.began {
            self.began = true;
            self.said.clear();
            return true;
        }
        let counts = match speaks {
            Speaks::Own | Speaks::OwnThrough => line.contains("frames written"),
            Speaks::Dumpcap => ["Packets", "Capturing on", "File: "].iter().any(|start| line.starts_with(start)),
        };
        if !counts && !line.is_empty() {
            if self.said.len() >= LINES {
                self.said.remove(1);
            }
            self.said.push(line.to_owned());
        }
        false
    }

    fn outcome(&self, code: Option<i32>, speaks: Speaks) -> Outcome {
        let said = self.said.join("; ");
        if self.began {
            let why = match code {
                Some(0) if said.is_empty() => None,
                _ if !said.is_empty() => Some(said),
                Some(code) => Some(format!("the capture process ended with exit code {code}")),
                None => Some("the capture process was killed".to_owned()),
            };
            return Outcome::Ended(why);
        }
        let why = if said.is_empty() { "the capture process ended before it began".to_owned() } else { said };
        let is_refused = match speaks {
            Speaks::Own => code == Some(NO_RIGHTS),
            // Whoever was to give the rights refused, or nobody was there to ask.
            Speaks::OwnThrough => true,
            Speaks::Dumpcap => why.contains("permission") || why.contains("not permitted"),
        };
        // What follows the first words is how to mend it, which the window says in its own way.
        let first = || self.said.first().map_or(why.as_str(), String::as_str).to_owned();
        if is_refused { Outcome::Refused(first()) } else { Outcome::Failed(why) }
    }
}

/// dumpcap ends by a signal, not with its standard input.
#[cfg(unix)]
fn interrupt_when_closed(mut lifeline: PipeReader, child: &Child) -> io::Result<()> {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    let pid = Pid::from_raw(i32::try_from(child.id()).map_err(io::Error::other)?);
    std::thread::Builder::new().name("capture-stop".to_owned()).spawn(move || {
        // Nothing is ever written: this comes back when the other end is closed.
        let _closed = io::copy(&mut lifeline, &mut io::sink());
        let _gone = kill(pid, Signal::SIGINT);
    })?;
    Ok(())
}

#[cfg(not(unix))]
fn interrupt_when_closed(_lifeline: PipeReader, _child: &Child) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::path::Path;

    use super::{Keep, Recorded, Recorder, Rung, Speaks, Wish, common_arguments};

    /// Runs shell programs in the place of capture processes; gives what was told.
    fn told(programs: &[(Speaks, &str)], stop: bool) -> Vec<Recorded> {
        let folder = tempfile::tempdir().unwrap();
        let rungs: Vec<Rung> = programs
            .iter()
            .map(|(speaks, program)| Rung {
                program: "/bin/sh".into(),
                arguments: vec!["-c".into(), (*program).into()],
                speaks: *speaks,
            })
            .collect();
        let mut recorder = Recorder::start_with(&rungs, folder.path(), Box::new(|| {})).unwrap();
        let mut told = Vec::new();
        while let Ok(event) = recorder.events.recv() {
            if stop && event == Recorded::Started {
                recorder.stop();
            }
            told.push(event);
        }
        assert!(recorder.spool.growing.recv().is_err(), "what was written is whole");
        told
    }

    const CAPTURES: &str = "echo 'nephoscope: capturing on eth0' >&2; cat; echo 'nephoscope: 7 frames written' >&2";

    #[test]
    fn stops_when_asked() {
        assert_eq!(told(&[(Speaks::Own, CAPTURES)], true), [Recorded::Started, Recorded::Ended(None)]);
    }

    #[test]
    fn says_why_it_ended() {
        let program = "echo 'nephoscope: capturing on eth0' >&2; echo 'nephoscope: eth0 is gone' >&2; exit 1";
        let ended = Recorded::Ended(Some("eth0 is gone".to_owned()));
        assert_eq!(told(&[(Speaks::Own, program)], false), [Recorded::Started, ended]);
        let program = "echo 'nephoscope: capturing on eth0' >&2; kill -9 $$";
        let ended = Recorded::Ended(Some("the capture process was killed".to_owned()));
        assert_eq!(told(&[(Speaks::Own, program)], false), [Recorded::Started, ended]);
    }

    #[test]
    fn without_rights_the_next_way_is_tried() {
        let refused = "echo 'nephoscope: no permission' >&2; exit 3";
        let dumpcap = "echo 'some words of another program' >&2; exit 1";
        let dismissed = "echo 'Not authorized' >&2; exit 126";
        let ways = [(Speaks::Own, refused), (Speaks::OwnThrough, dismissed), (Speaks::Own, CAPTURES)];
        assert_eq!(told(&ways, true), [Recorded::Started, Recorded::Ended(None)]);
        let ways = [(Speaks::Own, refused), (Speaks::OwnThrough, dismissed), (Speaks::Dumpcap, dumpcap)];
        let [Recorded::Failed { why, remedy }] = &told(&ways, false)[..] else { panic!("it began without rights") };
        assert_eq!(why, "no permission");
        assert_eq!(remedy.is_some(), cfg!(target_os = "linux"));
    }

    #[test]
    fn why_there_are_no_rights_is_kept_however_much_is_said_of_the_remedy() {
        let refused = "echo 'nephoscope: no permission' >&2; seq 20 >&2; exit 3";
        let [Recorded::Failed { why, .. }] = &told(&[(Speaks::Own, refused)], false)[..] else { panic!("it began") };
        assert_eq!(why, "no permission");
    }

    #[test]
    fn other_faults_are_not_tried_again() {
        let gone = "echo 'nephoscope: there is no interface eth7' >&2; exit 2";
        let failed = Recorded::Failed { why: "there is no interface eth7".to_owned(), remedy: None };
        assert_eq!(told(&[(Speaks::Own, gone), (Speaks::Own, CAPTURES)], true), [failed]);
    }

    #[test]
    fn dumpcap_is_interrupted() {
        let program =
            "trap 'exit 0' INT; echo \"Capturing on 'eth0'\" >&2; echo 'File: x' >&2; while :; do sleep 0.05; done";
        assert_eq!(told(&[(Speaks::Dumpcap, program)], true), [Recorded::Started, Recorded::Ended(None)]);
    }

    #[test]
    fn sizes_are_in_units_of_a_thousand() {
        let wish = Wish { keep: Keep::Ring { file_mib: 100, files: 5 }, filter: " tcp ".to_owned(), ..Wish::default() };
        let words = common_arguments(&wish, Path::new("/x"));
        assert_eq!(words, ["-f", "tcp", "-w", "/x/frames.pcapng", "-b", "filesize:104858", "-b", "files:5"]);
    }
}
