//! The signature pack as static tables, made by the build script from `assets/signatures.toml`.

use super::addresses::Label;
use crate::model::{Group, ProviderId, Supports};

/// Who a provider is.
#[derive(Debug)]
pub struct Provider {
    /// Its name in exports and filters.
    pub id: &'static str,
    /// Its name on screen.
    pub name: &'static str,
    /// Other names people use.
    pub aliases: &'static [&'static str],
    /// The company that owns it. Providers of one parent do not contradict each other.
    pub parent: &'static str,
    /// Red, green, blue.
    pub colour: [u8; 3],
    /// Two letters that no other provider has.
    pub glyph: &'static str,
    /// A remark for the reader.
    pub note: &'static str,
}

/// A service of a provider.
#[derive(Debug)]
pub struct Service {
    /// Whose.
    pub provider: ProviderId,
    /// Its name in exports and filters.
    pub id: &'static str,
    /// Its name on screen.
    pub name: &'static str,
    /// What its machines do, a word of the pack's roles.
    pub role: &'static str,
}

/// How a signature is matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the pack's [kinds] describes each by the same name")]
pub enum Kind {
    DnsSuffix,
    CnameSuffix,
    CnameRegex,
    ChainRegex,
    UrlHostRegex,
    UrlQueryKeys,
    HeaderName,
    HeaderValueRegex,
    RequestHeaderName,
    RequestHeaderRegex,
    ServerValue,
    CookieName,
    StatusPhraseRegex,
    BodyRegex,
    CertSanSuffix,
    CertOrg,
    CertIssuer,
    Asn,
    IpRangeRef,
    NsRegex,
    PtrSuffix,
    PtrRegex,
    Computed,
}

/// Which machine a signature is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpeaksFor {
    /// The machine at the other end of the connection.
    Responder,
    /// The HTTP hop nearest the client that adds fields.
    Edge,
    /// A machine behind the edge that made the object.
    Origin,
    /// What was asked for, or how DNS steers it.
    Name,
    /// Who answers DNS for the zone.
    Dns,
    /// Software or operating system, no operator.
    Platform,
}

/// A rule with a source.
#[derive(Debug)]
pub struct Signature {
    /// Its name in exports.
    pub id: &'static str,
    /// Whom it points at.
    pub provider: ProviderId,
    /// Which service, index into [`Pack::services`].
    pub service: u16,
    /// What the machine does, a word of [`Pack::roles`].
    pub role: &'static str,
    /// How it is matched.
    pub kind: Kind,
    /// Field name, in lower case, where the kind needs one.
    pub field: &'static str,
    /// What to match; one of them is enough.
    pub patterns: &'static [&'static str],
    /// 1 (hint) to 5 (only the operator can cause it).
    pub strength: u8,
    /// How well the row itself is supported, a word of the pack.
    pub basis: &'static str,
    /// Which machine it is about.
    pub speaks_for: SpeaksFor,
    /// Which witness it is part of.
    pub group: Group,
    /// Which of the four answers it speaks to; none for steering zones, platform words and reverse names.
    pub supports: Supports,
    /// Who could have caused the match falsely, in words.
    pub forgeable_by: &'static str,
    /// What follows from a match if nobody lied on its channel.
    pub proves: &'static str,
    /// What an analyst would guess next; no fact.
    pub suggests: &'static str,
    /// A remark for the reader.
    pub note: &'static str,
    /// Where the rule comes from.
    pub sources: &'static [&'static str],
    /// First month (year * 12 + month from 0) in which the sign existed; 0 where that is not known.
    pub from_month: u32,
    /// Last month; `u32::MAX` where it still exists.
    pub to_month: u32,
    /// The provider that is the customer, where the pattern names one.
    pub customer: Option<ProviderId>,
    /// How a computed check reads its value, in words.
    pub decoder: &'static str,
    /// Values that the check must accept.
    pub examples: &'static [&'static str],
}

impl Signature {
    /// Its strength for a capture of that month: less outside the years in which the sign existed.
    pub fn strength_in(&self, month: u32) -> u8 {
        if month < self.from_month {
            self.strength.saturating_sub(1)
        } else if month > self.to_month {
            self.strength.saturating_sub(2)
        } else {
            self.strength
        }
    }
}

/// The compiled pack.
#[derive(Debug)]
pub struct Pack {
    /// The day it was written.
    pub written: &'static str,
    /// Providers by [`ProviderId`].
    pub providers: &'static [Provider],
    /// Services, those of a provider side by side.
    pub services: &'static [Service],
    /// Signatures by [`crate::model::Evidence::signature`].
    pub signatures: &'static [Signature],
    /// The words for roles.
    pub roles: &'static [&'static str],
}

impl Pack {
    /// The provider of that id.
    pub fn provider(&self, id: ProviderId) -> Option<&'static Provider> {
        self.providers.get(usize::from(id.0))
    }

    /// The provider whose id is written so.
    pub fn provider_named(&self, id: &str) -> Option<ProviderId> {
        self.providers.iter().position(|p| p.id == id).and_then(|n| u16::try_from(n).ok()).map(ProviderId)
    }

    /// The service of that number.
    pub fn service(&self, number: u16) -> Option<&'static Service> {
        self.services.get(usize::from(number))
    }

    /// The signature of that number.
    pub fn signature(&self, number: u16) -> Option<&'static Signature> {
        self.signatures.get(usize::from(number))
    }
}

include!(concat!(env!("OUT_DIR"), "/pack.rs"));

/// The compiled pack.
pub fn pack() -> &'static Pack {
    &PACK
}

pub(super) static V4: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/v4.bin"));
pub(super) static V6: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/v6.bin"));

pub(super) fn labels() -> &'static [Label] {
    &LABELS
}

/// Months of the AS tables, oldest first.
pub(super) const AS_TABLES: [u32; 3] = [MONTH_2008, MONTH_2014, MONTH_NOW];
