//! TODO-STUB

use crate::model::ProviderId;

/// A provider.
#[derive(Debug)]
pub struct Provider {
    /// Id.
    pub id: &'static str,
    /// Name.
    pub name: &'static str,
    /// Two letters.
    pub glyph: &'static str,
    /// Colour.
    pub colour: [u8; 3],
}

/// A service.
#[derive(Debug)]
pub struct Service {
    /// Whose.
    pub provider: ProviderId,
    /// Id.
    pub id: &'static str,
    /// Name.
    pub name: &'static str,
    /// Role.
    pub role: &'static str,
}

/// A signature.
#[derive(Debug)]
pub struct Signature {
    /// Id.
    pub id: &'static str,
    /// Whose.
    pub provider: ProviderId,
    /// What it proves.
    pub proves: &'static str,
    /// What it only suggests.
    pub suggests: &'static str,
    /// Who could forge it.
    pub forgeable_by: &'static str,
    /// Sources.
    pub sources: &'static [&'static str],
}

/// The pack.
#[derive(Debug)]
pub struct Pack {
    /// Providers.
    pub providers: &'static [Provider],
    /// Services.
    pub services: &'static [Service],
    /// Signatures.
    pub signatures: &'static [Signature],
    /// Roles.
    pub roles: &'static [&'static str],
}

static PACK: Pack = Pack { providers: &[], services: &[], signatures: &[], roles: &[] };

/// Stub.
pub fn pack() -> &'static Pack {
    &PACK
}

/// Stub.
pub fn words() -> impl Iterator<Item = &'static str> {
    core::iter::empty()
}
