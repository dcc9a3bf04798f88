//! Certificates kept once: a busy server shows the same chain in thousands of sessions.

use std::sync::Arc;

use ahash::AHashMap;

use crate::model::Certificate;

/// Bytes that shared certificates may take; what is over is written into each record.
const SHARED_BYTES: usize = 16 << 20;

/// Frozen certificates by number.
pub(super) type CertificateList = Arc<Vec<Arc<Certificate>>>;

/// The certificates seen so far.
#[derive(Debug, Default)]
pub(super) struct Certificates {
    list: CertificateList,
    index: AHashMap<[u8; 32], u32>,
    bytes: usize,
}

impl Certificates {
    /// A certificate's number; `None` for one that is not shared.
    pub(super) fn number(&mut self, certificate: &Arc<Certificate>) -> Option<u32> {
        if let Some(number) = self.index.get(&certificate.sha256) {
            return Some(*number);
        }
        let bytes = 256 + certificate.names.iter().map(|n| n.len() + 32).sum::<usize>();
        if self.bytes + bytes > SHARED_BYTES {
            return None;
        }
        self.bytes += bytes;
        let number = u32::try_from(self.list.len()).ok()?;
        Arc::make_mut(&mut self.list).push(Arc::clone(certificate));
        self.index.insert(certificate.sha256, number);
        Some(number)
    }

    /// A frozen copy.
    pub(super) fn list(&self) -> CertificateList {
        Arc::clone(&self.list)
    }
}
