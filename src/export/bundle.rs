//! The bundle: picture, claim, excerpt and a text for people, in one zip.
//!
//! Comes in: those four, or a zip. Goes out: a zip that is the same on every run, or the parts again, within limits. Never: a
//! time, a path, an entry that is unpacked to disk.

use std::io::{Cursor, Read as _, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::claim::MOST_CLAIM_BYTES;

/// The claim's name in a bundle.
pub(super) const CLAIM_NAME: &str = "claim.json";
/// The excerpt's name in a bundle.
pub(super) const EXCERPT_NAME: &str = "excerpt.pcapng";
/// The text for people.
pub(super) const README_NAME: &str = "README.txt";
/// Entries of a bundle that is read.
const MOST_ENTRIES: usize = 64;
/// Bytes of one entry, unpacked.
const MOST_ENTRY_BYTES: u64 = 512 << 20;

/// Why a bundle could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The zip is broken, or could not be made.
    #[error("not a bundle that can be read: {0}")]
    Zip(#[from] zip::result::ZipError),
    /// It could not be packed or unpacked.
    #[error("cannot pack or unpack the bundle: {0}")]
    Io(#[from] std::io::Error),
    /// A limit.
    #[error("the bundle is too large: {0}")]
    TooLarge(&'static str),
    /// A part is not there.
    #[error("the bundle has no {0}")]
    Missing(&'static str),
}

/// The parts of a bundle.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// The picture with its name, where there is one.
    pub picture: Option<(String, Vec<u8>)>,
    /// The claim's JSON.
    pub claim: Vec<u8>,
    /// The excerpt.
    pub excerpt: Option<Vec<u8>>,
    /// The text for people.
    pub readme: String,
}

/// Packs a bundle.
pub fn write_bundle(parts: &Parts) -> Result<Vec<u8>, BundleError> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    // The first time that a zip can hold: that of the making is nobody's business.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let picture = parts.picture.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    let excerpt = parts.excerpt.iter().map(|bytes| (EXCERPT_NAME, bytes.as_slice()));
    let all = [(README_NAME, parts.readme.as_bytes())].into_iter().chain(picture);
    for (name, bytes) in all.chain([(CLAIM_NAME, parts.claim.as_slice())]).chain(excerpt) {
        zip.start_file(name, options)?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// Unpacks a bundle into memory, within limits.
pub fn read_bundle(bytes: &[u8]) -> Result<Parts, BundleError> {
    let mut zip = ZipArchive::new(Cursor::new(bytes))?;
    if zip.len() > MOST_ENTRIES {
        return Err(BundleError::TooLarge("more than 64 entries"));
    }
    let mut parts = Parts::default();
    let mut has_claim = false;
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index)?;
        let name = entry.name()?.into_owned();
        let most = match name.as_str() {
            CLAIM_NAME => MOST_CLAIM_BYTES as u64,
            EXCERPT_NAME => MOST_ENTRY_BYTES,
            name if name.to_ascii_lowercase().ends_with(".png") && parts.picture.is_none() => MOST_ENTRY_BYTES,
            _ => continue,
        };
        let mut content = Vec::new();
        // What an entry says of its size is not believed.
        entry.by_ref().take(most + 1).read_to_end(&mut content)?;
        if content.len() as u64 > most {
            return Err(BundleError::TooLarge("an entry unpacks to more than 512 MiB, or a claim to more than 16 MiB"));
        }
        match name.as_str() {
            CLAIM_NAME => (parts.claim, has_claim) = (content, true),
            EXCERPT_NAME => parts.excerpt = Some(content),
            _ => parts.picture = Some((name, content)),
        }
    }
    if has_claim { Ok(parts) } else { Err(BundleError::Missing(CLAIM_NAME)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_the_same_on_every_run() {
        let parts = Parts {
            picture: Some(("a.png".to_owned(), vec![1; 1000])),
            claim: b"{}".to_vec(),
            excerpt: Some(vec![2; 50]),
            readme: "read me".to_owned(),
        };
        let zip = write_bundle(&parts).unwrap();
        assert_eq!(zip, write_bundle(&parts).unwrap());
        let read = read_bundle(&zip).unwrap();
        assert_eq!((read.picture, read.claim, read.excerpt), (parts.picture, parts.claim, parts.excerpt));
    }

    #[test]
    fn what_is_no_bundle_is_an_error() {
        for bytes in [&b""[..], b"PK\x03\x04", &[0; 500]] {
            assert!(read_bundle(bytes).is_err());
        }
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("claim.json", SimpleFileOptions::default()).unwrap();
        zip.write_all(&vec![b' '; MOST_CLAIM_BYTES + 1]).unwrap();
        let bomb = zip.finish().unwrap().into_inner();
        assert!(bomb.len() < 100_000);
        assert!(matches!(read_bundle(&bomb), Err(BundleError::TooLarge(_))));
    }
}
