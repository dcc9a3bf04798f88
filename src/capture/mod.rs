//! A file or stream becomes frames, read in blocks of bounded size.

mod facts;

pub use facts::{CaptureFacts, Comment, Container, Format, Interface, Skipped};

/// Stub.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// Stub.
    #[error("stub")]
    Stub,
}
