//! TODO-STUB

/// Stub.
pub fn type_name(number: u16) -> std::borrow::Cow<'static, str> {
    format!("TYPE{number}").into()
}
