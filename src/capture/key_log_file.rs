//! A key log beside the capture, as programs write it where SSLKEYLOGFILE says (RFC 9850): read once, or followed while it
//! grows.
//!
//! Comes in: a path that the user named. Goes out: lines for the key log. Never: a file that nobody named, a copy of a
//! secret that is not overwritten.

use std::fs::{File, Metadata};
use std::io::{self, Read as _, Seek as _};
use std::path::{Path, PathBuf};

use zeroize::{Zeroize as _, Zeroizing};

use super::CaptureError;
use super::numbers::wide;
use crate::model::{KeyLog, LINE_BYTES};

/// Bytes read at once.
const READ: usize = 64 << 10;

/// A key log that is read.
#[derive(Debug)]
pub struct KeyLogFile {
    file: File,
    path: PathBuf,
    /// Bytes read.
    read: u64,
    /// A line that has not ended; its room is made at once, since a vector that grows leaves copies behind.
    line: Line,
}

/// The beginning of a line.
struct Line {
    bytes: Zeroizing<Vec<u8>>,
    /// It is too long: the rest of it is passed over.
    too_long: bool,
}

impl Line {
    fn begin(&mut self) {
        self.too_long = false;
        self.bytes.zeroize();
    }
}

impl core::fmt::Debug for Line {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Line").field("len", &self.bytes.len()).field("too_long", &self.too_long).finish()
    }
}

impl KeyLogFile {
    /// Opens a key log, which must be a regular file.
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        let refused = |why: String| CaptureError::KeyLog { why, path: path.to_owned() };
        let failed = |error: io::Error| {
            refused(match error.kind() {
                io::ErrorKind::NotFound => "there is no such file".to_owned(),
                io::ErrorKind::PermissionDenied => "no permission to read it".to_owned(),
                _ => error.to_string(),
            })
        };
        if !std::fs::metadata(path).map_err(failed)?.is_file() {
            return Err(refused("expected a file, as programs write it where SSLKEYLOGFILE says".to_owned()));
        }
        let file = File::open(path).map_err(failed)?;
        no_core_dumps();
        let line = Line { bytes: Zeroizing::new(Vec::with_capacity(LINE_BYTES.saturating_add(1))), too_long: false };
        Ok(Self { file, path: path.to_owned(), read: 0, line })
    }

    /// Takes what was written since this was last asked; whether something was. A line counts once it has ended. What is
    /// kept of a long log is the key log's to decide.
    pub fn read_new(&mut self, log: &mut KeyLog) -> Result<bool, CaptureError> {
        let (path, read) = (self.path.clone(), self.read_on(log));
        read.map_err(|error| CaptureError::KeyLog { why: error.to_string(), path })
    }

    fn read_on(&mut self, log: &mut KeyLog) -> io::Result<bool> {
        if self.file.metadata()?.len() < self.read {
            // Emptied for the next run of its program: it is a new log.
            self.file.rewind()?;
            self.read = 0;
            self.line.begin();
        }
        let mut buffer = Zeroizing::new(vec![0; READ]);
        let mut news = false;
        loop {
            let len = match self.file.read(&mut buffer) {
                Ok(0) => return Ok(news),
                Ok(len) => len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.read = self.read.saturating_add(wide(len));
            news = true;
            self.take(buffer.get(..len).unwrap_or_default(), log);
        }
    }

    /// The file will not grow: its last line counts as it is.
    pub fn finish(&mut self, log: &mut KeyLog) {
        self.take(b"\n", log);
    }

    fn take(&mut self, bytes: &[u8], log: &mut KeyLog) {
        for piece in bytes.split_inclusive(|b| *b == b'\n') {
            let line = &mut self.line;
            if line.bytes.len().saturating_add(piece.len()) > LINE_BYTES {
                line.too_long = true;
                line.bytes.zeroize();
            } else if !line.too_long {
                line.bytes.extend_from_slice(piece);
            }
            if piece.ends_with(b"\n") {
                if line.too_long {
                    log.passed_over();
                } else {
                    log.read(&line.bytes);
                }
                line.begin();
            }
        }
    }
}

/// From here on the process has secrets in its memory, which must not lie about in a file if it dies.
pub(super) fn no_core_dumps() {
    #[cfg(unix)]
    {
        use nix::sys::resource::{Resource, setrlimit};
        // What is refused leaves things as they were: nobody may be asked to raise a limit.
        let _refused = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    }
}

/// Whether a file is a key log, as its first lines tell: comments, then a line with a label.
pub fn is_key_log(path: &Path) -> bool {
    let mut head = Zeroizing::new(vec![0; LINE_BYTES]);
    let regular = std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    let read = if regular { File::open(path).and_then(|mut file| file.read(&mut head)) } else { return false };
    let head = read.ok().and_then(|len| head.get(..len)).unwrap_or_default();
    let mut lines = head.split(|b| *b == b'\n').map(<[u8]>::trim_ascii);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(b"#")).unwrap_or_default();
    let label = first.split(|b| *b == b' ').next().unwrap_or_default();
    first.len() > label.len()
        && (label == b"RSA" || label.ends_with(b"_RANDOM") || label.windows(7).any(|part| part == b"_SECRET"))
        && label.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_')
}

/// Whether others than its owner may read a file of secrets.
pub fn is_open_to_others(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| others_may_read(&metadata))
}

#[cfg(unix)]
fn others_may_read(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.is_file() && metadata.permissions().mode() & 0o044 != 0
}

/// Elsewhere rights are told in another way, and home folders are closed to others.
#[cfg(not(unix))]
fn others_may_read(_: &Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::model::SecretLabel;

    fn line(n: u8) -> String {
        format!("CLIENT_RANDOM {} {}\n", format!("{n:02x}").repeat(32), "ab".repeat(48))
    }

    #[test]
    fn a_key_log_is_followed_line_by_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.log");
        std::fs::write(&path, [line(1).as_bytes(), &line(2).as_bytes()[..100]].concat()).unwrap();
        let mut log = KeyLog::new(1 << 20);
        let mut file = KeyLogFile::open(&path).unwrap();
        assert!(file.read_new(&mut log).unwrap());
        assert_eq!(log.counts().secrets, 1, "a line that has not ended is waited for");
        let mut writer = File::options().append(true).open(&path).unwrap();
        writer.write_all(&line(2).as_bytes()[100..]).unwrap();
        assert!(file.read_new(&mut log).unwrap());
        assert_eq!((log.counts().secrets, log.counts().bad), (2, 0));
        assert!(!file.read_new(&mut log).unwrap());
        writer.write_all(line(3).trim_end().as_bytes()).unwrap();
        file.read_new(&mut log).unwrap();
        file.finish(&mut log);
        assert_eq!((log.counts().secrets, log.counts().bad), (3, 0));
        // Emptied by the next run of the program that writes it.
        std::fs::write(&path, line(4)).unwrap();
        file.read_new(&mut log).unwrap();
        assert_eq!((log.counts().secrets, log.counts().bad), (4, 0));
    }

    #[test]
    fn long_lines_are_passed_over_and_of_long_files_the_end_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.log");
        std::fs::write(&path, "x".repeat(200_000) + "\n" + &line(1)).unwrap();
        let mut log = KeyLog::new(1 << 20);
        KeyLogFile::open(&path).unwrap().read_new(&mut log).unwrap();
        assert_eq!((log.counts().secrets, log.counts().bad), (1, 1));
        // Programs append: what was written last is what is wanted.
        std::fs::write(&path, (0..200).map(line).collect::<String>()).unwrap();
        let mut log = KeyLog::new(10_000);
        KeyLogFile::open(&path).unwrap().read_new(&mut log).unwrap();
        let counts = log.counts();
        assert!(counts.secrets > 30 && counts.secrets + counts.over == 200, "{counts:?}");
        assert!(log.secret(&[199; 32], SecretLabel::Master).is_some());
        assert!(log.secret(&[0; 32], SecretLabel::Master).is_none());
    }

    #[test]
    fn key_logs_are_told_by_their_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some file");
        let check = |text: &str, want: bool| {
            std::fs::write(&path, text).unwrap();
            assert_eq!(is_key_log(&path), want, "{text:?}");
        };
        check(&line(1), true);
        check("# SSL/TLS secrets log file\n\nSERVER_TRAFFIC_SECRET_0 00 00\n", true);
        check("RSA 00 00\n", true);
        check("# only a comment\n", false);
        check("", false);
        check("{\"schema\":\"nephoscope-claim/1\"}", false);
        check("CLIENT_RANDOM", false);
    }

    #[test]
    fn only_regular_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        for (path, says) in
            [(folder.path().to_owned(), "expected a file"), (folder.path().join("none"), "no such file")]
        {
            let error = KeyLogFile::open(&path).unwrap_err().to_string();
            assert!(error.starts_with("cannot read the key log: ") && error.contains(says), "{error}");
        }
    }
}
