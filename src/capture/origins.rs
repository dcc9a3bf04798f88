//! Where the frames of merged files come from: their files, and their numbers there.

use std::sync::Arc;

use super::numbers::size;
use super::{CaptureFacts, Container, Format, Interface};
use crate::model::{FrameNo, Timestamp};

/// Files that are merged at most: their numbers stand in the places of frames.
pub const MERGED_FILES: usize = 1_000;

/// Bits of an interface's number that count those of one file; the file's number stands above them.
const INTERFACE_BITS: u32 = 22;

/// Stretches in a chunk.
const CHUNK: usize = 4_096;

/// One of the files that were merged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergedFile {
    /// Its name without folders, ready to be shown; with as many of them as it takes where two have one name.
    pub name: String,
    /// Its format.
    pub format: Format,
    /// What it is packed in.
    pub container: Container,
    /// Frames numbered in it.
    pub frames: u32,
    /// SHA-256 of the file as it lies on disk, once all were read.
    pub sha256: Option<[u8; 32]>,
    /// Earliest and latest time of its frames.
    pub times: [Option<Timestamp>; 2],
    /// Frames that are older than the one before them in the file: its own order was kept.
    pub disordered: u64,
    /// How many interfaces of the capture are its.
    pub interfaces: u32,
}

/// Frames that follow one another in the merged capture and in one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    /// The number of the first one in the merged capture.
    merged: u32,
    /// Its number in the file.
    there: u32,
    file: u32,
}

/// The files that a capture was merged from, and where each frame comes from: 12 bytes for each change from file to file.
/// Cheap to clone; empty for a capture that is one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// The files in the order in which they were given.
    pub files: Arc<Vec<MergedFile>>,
    stretches: Vec<Arc<Vec<Stretch>>>,
    /// Frames of the merged capture so far.
    frames: u32,
}

impl Merged {
    /// Whether the capture is no merged one.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The place in [`Self::files`] of a frame's file, and its number there; `None` where nothing was merged.
    pub fn origin(&self, frame: FrameNo) -> Option<(usize, FrameNo)> {
        if frame.0 == 0 || frame.0 > self.frames {
            return None;
        }
        let begins = |chunk: &Arc<Vec<Stretch>>| chunk.first().is_some_and(|first| first.merged <= frame.0);
        let chunk = self.stretches.get(self.stretches.partition_point(begins).checked_sub(1)?)?;
        let at = chunk.partition_point(|stretch| stretch.merged <= frame.0).checked_sub(1)?;
        let stretch = chunk.get(at)?;
        let there = stretch.there.checked_add(frame.0.checked_sub(stretch.merged)?)?;
        Some((size(stretch.file), FrameNo(there)))
    }

    /// The file that a frame comes from, and its number there; `None` where nothing was merged.
    pub fn file_of(&self, frame: FrameNo) -> Option<(&MergedFile, FrameNo)> {
        let (file, there) = self.origin(frame)?;
        Some((self.files.get(file)?, there))
    }

    /// The number in the merged capture of a file's frame. Looks at every stretch.
    pub(super) fn number_of(&self, file: u32, there: FrameNo) -> Option<FrameNo> {
        let mut all = self.stretches.iter().flat_map(|chunk| chunk.iter());
        let before = all.rfind(|stretch| stretch.file == file && stretch.there <= there.0)?;
        let number = FrameNo(before.merged.checked_add(there.0.checked_sub(before.there)?)?);
        (self.origin(number) == Some((size(file), there))).then_some(number)
    }

    /// The next frame is this one of that file.
    pub(super) fn push(&mut self, frame: FrameNo, file: u32, there: FrameNo) {
        self.frames = frame.0;
        let newest = self.stretches.last().and_then(|chunk| chunk.last());
        let goes_on = newest.is_some_and(|last| {
            last.file == file && frame.0.checked_sub(last.merged) == there.0.checked_sub(last.there)
        });
        if goes_on {
            return;
        }
        let stretch = Stretch { merged: frame.0, there: there.0, file };
        match self.stretches.last_mut().filter(|chunk| chunk.len() < CHUNK) {
            Some(chunk) => Arc::make_mut(chunk).push(stretch),
            None => self.stretches.push(Arc::new(vec![stretch])),
        }
    }

    /// Takes the digests of the files, in their order.
    pub fn digested(&mut self, digests: &[Option<[u8; 32]>]) {
        for (file, digest) in Arc::make_mut(&mut self.files).iter_mut().zip(digests) {
            file.sha256 = file.sha256.or(*digest);
        }
    }
}

/// The number in the merged capture of an interface of a file; so many in one file have one.
pub(super) fn merged_interface(file: u32, interface: u32) -> u32 {
    file.wrapping_shl(INTERFACE_BITS) | interface.min(1_u32.wrapping_shl(INTERFACE_BITS).wrapping_sub(1))
}

impl CaptureFacts {
    /// The interface that a frame names; `None` where it is not known.
    pub fn interface(&self, number: u32) -> Option<&Interface> {
        if self.merged.is_empty() {
            return self.interfaces.get(size(number));
        }
        let file = size(number.wrapping_shr(INTERFACE_BITS));
        let there = number & 1_u32.wrapping_shl(INTERFACE_BITS).wrapping_sub(1);
        self.merged.files.get(file).filter(|own| there < own.interfaces)?;
        let before = self.merged.files.iter().take(file).map(|file| size(file.interfaces));
        self.interfaces.get(before.fold(size(there), usize::saturating_add))
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, clippy::as_conversions, reason = "small numbers, no input")]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::{CHUNK, Merged, MergedFile};
    use crate::model::FrameNo;

    proptest! {
        /// Every frame is found again, and its number in the file leads back.
        #[test]
        fn frames_are_found(files in proptest::collection::vec(0_u32..4, 1..3 * CHUNK)) {
            let names = ["a", "b", "c", "d"].map(|name| MergedFile { name: name.into(), ..MergedFile::default() });
            let mut merged = Merged { files: Arc::new(names.into()), ..Merged::default() };
            let mut counts = [0_u32; 4];
            let mut want = Vec::new();
            for (at, file) in files.iter().enumerate() {
                counts[*file as usize] += 1;
                let there = FrameNo(counts[*file as usize]);
                want.push((*file as usize, there));
                merged.push(FrameNo(at as u32 + 1), *file, there);
            }
            for (at, want) in want.iter().enumerate() {
                prop_assert_eq!(merged.origin(FrameNo(at as u32 + 1)), Some(*want));
            }
            for at in [0, want.len() / 2, want.len() - 1] {
                let (file, there) = want[at];
                prop_assert_eq!(merged.number_of(file as u32, there), Some(FrameNo(at as u32 + 1)));
            }
            prop_assert_eq!(merged.origin(FrameNo(0)), None);
            prop_assert_eq!(merged.origin(FrameNo(want.len() as u32 + 1)), None);
        }
    }
}
