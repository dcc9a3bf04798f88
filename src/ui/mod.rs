//! TODO-STUB

/// Stub.
#[derive(Debug, thiserror::Error)]
#[error("no window yet")]
pub struct UiError;

/// Stub.
pub fn run(_open: Option<crate::engine::Source>, _budget: crate::model::Budget) -> Result<(), UiError> {
    Err(UiError)
}
