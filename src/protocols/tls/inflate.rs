//! Records that were compressed before they were sealed (RFC 3749).
//!
//! Comes in: the content of each opened record of one side, in order. Goes out: what was compressed. Never: more of one record
//! than a record may hold.

use flate2::{Decompress, FlushDecompress, Status};

use crate::model::{Pool, Share};

/// No compression (RFC 5246 section 6.1).
pub(super) const NULL: u8 = 0;
/// DEFLATE in the form of zlib (RFC 3749 section 2).
pub(super) const DEFLATE: u8 = 1;
/// Bytes of a record's content; one that would become longer is a fatal failure (RFC 5246 section 6.2.2).
const MOST: usize = 1 << 14;
/// Bytes of a decompressor: its window of 32 KiB, and what it keeps beside it.
const WINDOW_BYTES: usize = 80 << 10;

/// One side's compressed stream: each record goes on from those before (RFC 3749 section 2).
#[derive(Debug)]
pub(super) struct Inflate {
    stream: Box<Decompress>,
    _held: Share,
}

impl Inflate {
    /// A stream that has not begun; `None` where the pool has no room for its window.
    pub(super) fn new(windows: &Pool) -> Option<Self> {
        let mut held = windows.share();
        held.grow(WINDOW_BYTES).then(|| Self { stream: Box::new(Decompress::new(true)), _held: held })
    }

    /// What a record's content was; `None` where it is no such stream, or more than a record may hold.
    pub(super) fn record(&mut self, packed: &[u8]) -> Option<Vec<u8>> {
        // One byte more than allowed, so that what is too long shows.
        let mut out = vec![0; MOST.checked_add(1)?];
        let (mut rest, mut filled) = (packed, 0_usize);
        while !rest.is_empty() {
            let before = (self.stream.total_in(), self.stream.total_out());
            let status = self.stream.decompress(rest, out.get_mut(filled..)?, FlushDecompress::Sync).ok()?;
            let read = usize::try_from(self.stream.total_in().checked_sub(before.0)?).ok()?;
            let written = usize::try_from(self.stream.total_out().checked_sub(before.1)?).ok()?;
            rest = rest.get(read..)?;
            filled = filled.checked_add(written)?;
            // A stream that ends, or makes no step, leaves bytes that mean nothing.
            let stuck = read == 0 && written == 0;
            if filled > MOST || !rest.is_empty() && (stuck || status == Status::StreamEnd) {
                return None;
            }
        }
        out.truncate(filled);
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compress, Compression, FlushCompress};
    use proptest::prelude::*;

    use super::*;

    fn fresh() -> Inflate {
        Inflate::new(&Pool::new(WINDOW_BYTES)).unwrap()
    }

    /// Compresses each record as one side does, flushing behind it.
    fn packed(records: &[Vec<u8>], level: u32) -> Vec<Vec<u8>> {
        let mut stream = Compress::new(Compression::new(level), true);
        let pack = |record: &Vec<u8>| {
            let mut out = Vec::with_capacity(record.len() * 2 + 1_024);
            stream.compress_vec(record, &mut out, FlushCompress::Sync).unwrap();
            out
        };
        records.iter().map(pack).collect()
    }

    #[track_caller]
    fn check(records: &[Vec<u8>], want: &[Option<usize>]) {
        let mut stream = fresh();
        let got: Vec<_> = packed(records, 9).iter().map(|p| stream.record(p).map(|b| b.len())).collect();
        assert_eq!(got, want);
    }

    #[test]
    fn a_record_may_be_as_long_as_the_rfc_says() {
        check(&[vec![7; MOST], vec![7; MOST]], &[Some(MOST), Some(MOST)]);
    }

    #[test]
    fn a_longer_one_is_refused() {
        check(&[vec![7; MOST + 1]], &[None]);
    }

    #[test]
    fn a_bomb_is_refused() {
        check(&[vec![7; 16 << 20]], &[None]);
    }

    #[test]
    fn windows_come_out_of_the_pool_and_go_back() {
        let pool = Pool::new(2 * WINDOW_BYTES);
        let (first, second) = (Inflate::new(&pool), Inflate::new(&pool));
        assert!(first.is_some() && second.is_some() && Inflate::new(&pool).is_none());
        drop(first);
        assert_eq!(pool.taken(), WINDOW_BYTES);
        assert!(Inflate::new(&pool).is_some());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// What one side compressed comes out as it was, record by record; a changed byte never gives more than a record holds.
        #[test]
        fn records_come_out_as_they_were(
            records in prop::collection::vec(prop::collection::vec(0_u8..6, 0..3_000), 1..6),
            level in 0_u32..10,
            at in any::<prop::sample::Index>(),
            change in 1_u8..,
        ) {
            let packed = packed(&records, level);
            let (mut whole, mut damaged) = (fresh(), fresh());
            for (record, packed) in records.iter().zip(&packed) {
                let read = whole.record(packed);
                prop_assert_eq!(read.as_ref(), Some(record));
                let mut bytes = packed.clone();
                if let Some(byte) = (!bytes.is_empty()).then(|| at.index(bytes.len())).and_then(|at| bytes.get_mut(at)) {
                    *byte ^= change;
                }
                prop_assert!(damaged.record(&bytes).is_none_or(|b| b.len() <= MOST));
            }
        }
    }
}
