//! What is to be checked: a picture, a bundle or a claim, read from a file or from bytes.
//!
//! Comes in: a path or bytes of whatever a stranger sent. Goes out: the claim with what came beside it, or a sentence that
//! says why there is none. Never: a guess by the file's name.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::bundle::read_bundle;
use super::claim::Claim;
use super::png::read_png;

/// Bytes of a file that is read.
const MOST_BYTES: u64 = 1 << 30;
/// Bytes at a file's beginning that tell what it is.
const HEAD: usize = 4 << 10;
/// What stands at the beginning of a claim and of no HAR file, and the other way round.
const CLAIM: &[u8] = b"\"nephoscope-claim/";
const HAR: &[u8] = b"\"log\"";
/// How a PNG begins.
const PNG: &[u8] = b"\x89PNG";
/// How a zip begins, an empty one too.
const ZIP: &[u8] = b"PK";

/// How pcapng begins.
const PCAPNG: &[u8] = b"\x0a\x0d\x0d\x0a";
/// The byte order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// What can be checked; what tells more stands later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A claim alone.
    Claim,
    /// A picture.
    Picture,
    /// A bundle.
    Bundle,
}

/// What is to be checked.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The claim.
    pub claim: Claim,
    /// The digest over the pixels that are there, and their size.
    pub pixels: Option<(Option<String>, (u32, u32))>,
    /// The excerpt that came with it.
    pub excerpt: Option<Vec<u8>>,
}

impl Subject {
    /// Whether a file is a picture, a bundle or a claim, told by its first bytes. `None` where it is neither or cannot be
    /// read.
    pub fn kind_of(path: &Path) -> Option<Kind> {
        let mut head = Vec::new();
        let read = open(path)
            .and_then(|file| file.take(HEAD as u64).read_to_end(&mut head).map_err(|error| error.to_string()));
        read.ok().and_then(|_| kind(&head))
    }

    /// Reads a file. The error is a whole sentence without its end.
    pub fn of_file(path: &Path) -> Result<Self, String> {
        let mut bytes = Vec::new();
        open(path)?
            .take(MOST_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| format!("the file cannot be read: {error}"))?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err("the file is larger than 1 GiB".to_owned());
        }
        Self::read(&bytes)
    }

    /// Reads a PNG, a bundle or a claim, told by its first bytes. The error is a whole sentence without its end.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        if bytes.starts_with(PNG) {
            let picture = read_png(bytes).map_err(|e| e.to_string())?;
            let Some(claim) = picture.claim else {
                return Err("this picture carries no claim; it may have been taken out by a program that the picture went through".to_owned());
            };
            let pixels = Some((picture.pixels, picture.size));
            return Ok(Self { claim: Claim::read(&claim)?, pixels, excerpt: None });
        }
        if bytes.starts_with(ZIP) {
            let parts = read_bundle(bytes).map_err(|e| e.to_string())?;
            let claim = Claim::read(&parts.claim)?;
            let mut pixels = None;
            if let Some((_, picture)) = &parts.picture {
                let picture = read_png(picture).map_err(|e| e.to_string())?;
                pixels = Some((picture.pixels, picture.size));
                // Two claims in one bundle must not say different things.
                if picture.claim.as_deref().map(Claim::read).transpose()?.is_some_and(|inside| inside != claim) {
                    return Err("the picture's own claim is not the one beside it in the bundle".to_owned());
                }
            }
            return Ok(Self { claim, pixels, excerpt: parts.excerpt });
        }
        let json = bytes.strip_prefix(MARK).unwrap_or(bytes);
        Ok(Self { claim: Claim::read(json)?, pixels: None, excerpt: None })
    }
}

/// Opens a regular file: a pipe or a device might never end, or never begin.
fn open(path: &Path) -> Result<File, String> {
    let cannot = |error: std::io::Error| format!("the file cannot be read: {error}");
    if !std::fs::metadata(path).map_err(cannot)?.is_file() {
        return Err("it is no regular file".to_owned());
    }
    File::open(path).map_err(cannot)
}

/// What a file that begins so is. JSON with a log is a HAR file, which is a capture. A section header of pcapng is told first: the length after its line breaks may be white
/// space and a brace too.
fn kind(head: &[u8]) -> Option<Kind> {
    let text = head.strip_prefix(MARK).unwrap_or(head).trim_ascii_start();
    if head.starts_with(ZIP) {
        Some(Kind::Bundle)
    } else if head.starts_with(PNG) {
        Some(Kind::Picture)
    } else if text.starts_with(b"{") && !head.starts_with(PCAPNG) {
        let has = |words| memchr::memmem::find(head, words).is_some();
        (has(CLAIM) || !has(HAR)).then_some(Kind::Claim)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Subject, kind};

    #[track_caller]
    fn check(head: &[u8], want: Option<Kind>) {
        assert_eq!(kind(head), want, "{head:?}");
    }

    #[test]
    fn the_first_bytes_tell() {
        check(b"\x89PNG\r\n\x1a\n", Some(Kind::Picture));
        check(b"PK\x03\x04", Some(Kind::Bundle));
        check(b"{\n  \"schema\": \"nephoscope-claim/1\"", Some(Kind::Claim));
        check(b"\xef\xbb\xbf\r\n {", Some(Kind::Claim));
        check(b"{\"schema\":\"nephoscope-claim/1\",\"x\":\"log\"", Some(Kind::Claim));
        check(b"\xef\xbb\xbf{\n  \"log\": {", None);
        check(b"{\"comment\":\"mine\",\"log\":{", None);
        check(b"", None);
        check(&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0], None);
        check(&[0x0a, 0x0d, 0x0d, 0x0a, 0x7c, 0, 0, 0], None);
        check(&[0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 0x1c], None);
        // Section headers of 31,520 and 31,500 bytes.
        check(&[0x0a, 0x0d, 0x0d, 0x0a, 0x20, 0x7b, 0, 0], None);
        check(&[0x0a, 0x0d, 0x0d, 0x0a, 0x0c, 0x7b, 0, 0], None);
        check(&[0x1f, 0x8b, 8, 0], None);
        check(b"(\xb5/\xfd", None);
    }

    #[test]
    fn a_claim_behind_a_byte_order_mark_is_read_and_errors_quote_nothing_raw() {
        let why = Subject::read(b"\xef\xbb\xbf{\"schema\":\"nephoscope-claim/1\"}").unwrap_err();
        assert!(why.contains("not understood") && why.contains("program"), "{why}");
        let why = Subject::read(b"{\"schema\":\"nephoscope-claim/1\",\"program\":{\"\\u001b]0;x\":1}}").unwrap_err();
        assert!(!why.contains('\u{1b}'), "{why:?}");
    }
}
