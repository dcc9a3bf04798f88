//! A pipe on its way into a spool, so that its frames can be read again as those of a file.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::Path;

use crossbeam_channel::{Receiver, Sender, bounded, select_biased};

use super::recorder::{Recorded, Recorder};
use super::spool::Spool;

/// Bytes taken from a pipe at once; Linux's pipes hold as much.
const PIECE: usize = 64 << 10;
/// Pieces between the pipe and the disk.
const PIECES: usize = 16;

impl Recorder {
    /// Copies a stream, such as standard input, into a folder that is there already, whatever the format. A stream that is
    /// silent can be stopped all the same: what comes later is not read any more.
    pub fn from_stream(
        mut stream: Box<dyn Read + Send>,
        folder: &Path,
        wake: Box<dyn Fn() + Send>,
    ) -> io::Result<Self> {
        let (spool, grows) = Spool::growing(folder);
        let mut file = File::create_new(spool.file())?;
        let (told, events) = bounded(4);
        let (lifeline, stopped) = bounded(0);
        let (pieces_in, pieces) = bounded(PIECES);
        std::thread::Builder::new().name("pipe".to_owned()).spawn(move || read(&mut stream, &pieces_in))?;
        std::thread::Builder::new().name("capture".to_owned()).spawn(move || {
            let _full = told.try_send(Recorded::Started);
            wake();
            let ended = write(&mut file, &pieces, &stopped);
            drop(grows);
            let _full = told.try_send(Recorded::Ended(ended));
            wake();
        })?;
        Ok(Self::new(events, spool, lifeline))
    }
}

/// Reads to the end, or until nobody wants more.
fn read(stream: &mut dyn Read, pieces: &Sender<io::Result<Vec<u8>>>) {
    let mut buffer = vec![0; PIECE];
    loop {
        let piece = match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(len) => Ok(buffer.get(..len).unwrap_or_default().to_vec()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let failed = piece.is_err();
        if pieces.send(piece).is_err() || failed {
            return;
        }
    }
}

/// Writes until the stream ends or is stopped; gives why it ended otherwise.
fn write(
    file: &mut File,
    pieces: &Receiver<io::Result<Vec<u8>>>,
    stopped: &Receiver<std::convert::Infallible>,
) -> Option<String> {
    loop {
        select_biased! {
            recv(stopped) -> _ => return None,
            recv(pieces) -> piece => match piece {
                Ok(Ok(bytes)) => {
                    if let Err(error) = file.write_all(&bytes) {
                        return Some(format!("cannot write what the pipe brings: {error}; what was written stays"));
                    }
                }
                Ok(Err(error)) => return Some(format!("cannot read the pipe: {error}")),
                Err(_) => return None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::path::Path;

    use crate::capture::{Recorded, Recorder};

    fn start(stream: std::io::PipeReader, folder: &Path) -> Recorder {
        Recorder::from_stream(Box::new(stream), folder, Box::new(|| {})).unwrap()
    }

    #[test]
    fn a_stream_is_kept_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (stream, mut end) = std::io::pipe().unwrap();
        let recorder = start(stream, folder.path());
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(200_000).collect();
        end.write_all(&bytes).unwrap();
        drop(end);
        let told: Vec<_> = recorder.events.iter().collect();
        assert_eq!(told, [Recorded::Started, Recorded::Ended(None)]);
        assert!(recorder.spool.growing.recv().is_err());
        assert_eq!(std::fs::read(recorder.spool.file()).unwrap(), bytes);
    }

    #[test]
    fn a_silent_stream_is_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let (stream, _end) = std::io::pipe().unwrap();
        let mut recorder = start(stream, folder.path());
        recorder.stop();
        let told: Vec<_> = recorder.events.iter().collect();
        assert_eq!(told, [Recorded::Started, Recorded::Ended(None)]);
    }
}
