//! The signature pack: static tables, made by the build script from `assets/signatures.toml`, and what files of the user
//! add to them.
//!
//! Comes in: nothing but what the build script wrote, and a merged pack, once. Goes out: the tables. Never: files.

use std::sync::OnceLock;

use super::addresses::{AddedRange, Label};
use crate::model::{Group, ProviderId, Supports};

/// Who a provider is.
#[derive(Clone, Debug)]
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
#[derive(Clone, Debug)]
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
#[derive(Clone, Debug)]
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

/// A file of the user that is part of the pack.
#[derive(Clone, Debug)]
pub struct AddedFile {
    /// Its name, without the folder.
    pub name: &'static str,
    /// The number of its first signature.
    pub first: u16,
    /// How many signatures it has; they stand side by side.
    pub rules: u16,
    /// How many signatures it switches off.
    pub off: u16,
    /// The day it was written, as it says.
    pub written: &'static str,
}

/// The compiled pack, or that with the user's files behind it. Numbers of the compiled pack are the same in both: the
/// address table and records refer to them.
#[derive(Clone, Debug)]
pub struct Pack {
    /// The day the compiled pack was written.
    pub written: &'static str,
    /// Providers by [`ProviderId`].
    pub providers: &'static [Provider],
    /// Services; those of a provider side by side, but for what users add.
    pub services: &'static [Service],
    /// Signatures by [`crate::model::Evidence::signature`].
    pub signatures: &'static [Signature],
    /// The words for roles.
    pub roles: &'static [&'static str],
    /// Which pack this is, for exports: `built-in 2026-11-22 + mine.toml (3 rules)`.
    pub version: &'static str,
    /// The files of the user in it.
    pub files: &'static [AddedFile],
    /// Signatures that were switched off, ascending.
    pub off: &'static [u16],
    /// Blocks of addresses that users add, the longest prefix first.
    pub(super) ranges: &'static [AddedRange],
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

    /// Whether the signature of that number may match.
    pub fn is_on(&self, number: u16) -> bool {
        self.off.binary_search(&number).is_err()
    }

    /// The signatures that may match, with their numbers.
    pub fn in_force(&self) -> impl Iterator<Item = (u16, &'static Signature)> {
        (0_u16..).zip(self.signatures).filter(|(number, _)| self.is_on(*number))
    }

    /// The file of the user that the signature of that number comes from; `None` for built-in ones.
    pub fn file_of(&self, number: u16) -> Option<&'static AddedFile> {
        self.files.iter().find(|f| f.first <= number && number - f.first < f.rules)
    }

    /// The signature of that number.
    pub fn signature(&self, number: u16) -> Option<&'static Signature> {
        self.signatures.get(usize::from(number))
    }
}

include!(concat!(env!("OUT_DIR"), "/pack.rs"));

/// The pack with the user's files. A global, because the pack is a constant of the process like the tables it grows out
/// of: every floor reads it, all threads see the same, and whoever read the compiled one earlier holds numbers and texts
/// that stay right.
static MERGED: OnceLock<Pack> = OnceLock::new();

/// The pack of this process: the compiled one, with the user's files once [`super::install`] has been called.
pub fn pack() -> &'static Pack {
    MERGED.get().unwrap_or(&PACK)
}

/// Makes a merged pack the one of this process; the first one stays.
pub(super) fn set(merged: Pack) {
    let _first_stays = MERGED.set(merged);
}

/// The compiled pack.
pub(super) fn built_in() -> &'static Pack {
    &PACK
}

impl Kind {
    /// Its word in signature files.
    pub fn word(self) -> &'static str {
        KINDS.iter().find(|(_, kind, _)| *kind == self).map_or("", |(word, ..)| word)
    }

    /// The kind of that word, and its independence group.
    pub(super) fn named(word: &str) -> Option<(Self, Group)> {
        KINDS.iter().find(|(w, ..)| *w == word).map(|(_, kind, group)| (*kind, *group))
    }
}

impl SpeaksFor {
    /// The machine of that word.
    pub(super) fn named(word: &str) -> Option<Self> {
        SPEAKS_FOR.iter().find(|(w, _)| *w == word).map(|(_, which)| *which)
    }
}

/// Words that say how well a row is supported.
pub(super) fn basis() -> &'static [&'static str] {
    &BASIS
}

/// Who could have lied: words, and what they mean.
pub(super) fn forgers() -> &'static [(&'static str, &'static str)] {
    &FORGERS
}

/// What is worth a look in the compiled pack: line, signature, words. It has nothing that would be refused: that ends
/// the build.
pub(super) fn warnings() -> &'static [(usize, &'static str, &'static str)] {
    &WARNINGS
}

pub(super) static V4: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/v4.bin"));
pub(super) static V6: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/v6.bin"));

pub(super) fn labels() -> &'static [Label] {
    &LABELS
}

/// Months of the AS tables, oldest first.
pub(super) const AS_TABLES: [u32; 3] = [MONTH_2008, MONTH_2014, MONTH_NOW];
