//! The roots that Mozilla's list had at several dates (`assets/roots`).
//!
//! Comes in: nothing but that file, which is part of the program. Goes out: which roots were listed at a time, and under
//! which subject. Never: a root that somebody else chose.

use std::sync::OnceLock;

use ahash::HashMap;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls_pki_types::{CertificateDer, TrustAnchor};
use sha2::{Digest as _, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

use super::certificate;
use crate::model::{Timestamp, TrustedRoot};

/// The lists, as `assets/roots/build.py` writes them.
const LISTS: &str = include_str!("../../../assets/roots/roots.pem");

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// One root.
#[derive(Debug)]
pub(super) struct Root {
    /// What a path may end in.
    pub(super) anchor: TrustAnchor<'static>,
    /// When it is valid itself.
    pub(super) validity: (Timestamp, Timestamp),
    name: String,
    sha256: [u8; 32],
    /// The lists that it stands in, a bit each.
    lists: u32,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Roots {
    /// The dates of the lists, oldest first.
    pub(super) dates: Vec<Timestamp>,
    all: Vec<Root>,
    /// Places in `all` by the DER of the subject.
    by_subject: HashMap<Box<[u8]>, Vec<usize>>,
    /// Dates of lists and bounds of roots, in order.
    moments: Vec<Timestamp>,
}

/// The roots, read when they are first needed.
pub(super) fn roots() -> &'static Roots {
    static ROOTS: OnceLock<Roots> = OnceLock::new();
    ROOTS.get_or_init(|| Roots::read(LISTS))
}

impl Roots {
    /// Reads lists as `assets/roots/build.py` writes them; what is no root in them is left out.
    pub(super) fn read(text: &str) -> Self {
        let mut out = Self { dates: Vec::new(), all: Vec::new(), by_subject: HashMap::default(), moments: Vec::new() };
        let (mut lists, mut encoded) = (0_u32, String::new());
        for line in text.lines() {
            if let Some(dates) = line.strip_prefix("lists ") {
                out.dates = dates.split(' ').filter_map(midnight).collect();
            } else if let Some(numbers) = line.strip_prefix("in ") {
                let bit = |number: &str| 1_u32.checked_shl(number.parse().ok()?);
                lists = numbers.split(' ').filter_map(bit).fold(0, |all, bit| all | bit);
            } else if line == END {
                out.add(&encoded, lists);
                encoded.clear();
            } else if line != BEGIN && !line.starts_with('#') {
                encoded.push_str(line);
            }
        }
        let bounds = out.all.iter().flat_map(|r| [r.validity.0, past(r.validity.1)]);
        out.moments = out.dates.iter().copied().chain(bounds).collect();
        out.moments.sort_unstable();
        out
    }

    fn add(&mut self, encoded: &str, lists: u32) -> Option<()> {
        let der = BASE64_STANDARD.decode(encoded).ok()?;
        let anchor = webpki::anchor_from_trusted_cert(&CertificateDer::from(der.as_slice())).ok()?.to_owned();
        let (_, parsed) = X509Certificate::from_der(&der).ok()?;
        let name = certificate::own_name(parsed.subject()).unwrap_or_default();
        let (validity, sha256) = (certificate::validity(&parsed), Sha256::digest(&der).into());
        self.by_subject.entry(parsed.subject().as_raw().into()).or_default().push(self.all.len());
        self.all.push(Root { anchor, validity, name, sha256, lists });
        Some(())
    }

    /// The roots of that subject, in DER.
    pub(super) fn of_subject(&self, subject: &[u8]) -> impl Iterator<Item = &Root> {
        self.by_subject.get(subject).into_iter().flatten().filter_map(|at| self.all.get(*at))
    }

    /// The lists that speak for a time, a bit each: the last one before and the first one after it. What changed between
    /// the two may have changed before or after that time.
    pub(super) fn around(&self, time: Timestamp) -> u32 {
        let after = self.dates.iter().take_while(|d| **d <= time).count();
        let bit = |n: usize| u32::try_from(n).ok().and_then(|n| 1_u32.checked_shl(n)).unwrap_or(0);
        let last = self.dates.len().saturating_sub(1);
        bit(after.saturating_sub(1)) | bit(after.min(last))
    }

    /// How many moments at which what the lists say may change have passed at a time.
    pub(super) fn passed(&self, time: Timestamp) -> usize {
        self.moments.partition_point(|moment| *moment <= time)
    }

    /// The date of the list nearest to a time, and the days between them.
    pub(super) fn nearest(&self, time: Timestamp) -> (Timestamp, u32) {
        let days = |date: Timestamp| date.nanos_since(time).unsigned_abs().checked_div(NANOS_A_DAY).unwrap_or(0);
        let nearest = self.dates.iter().copied().min_by_key(|d| days(*d)).unwrap_or(Timestamp(0));
        (nearest, u32::try_from(days(nearest)).unwrap_or(u32::MAX))
    }
}

/// The first moment at which a certificate is over: its last second is still good (RFC 5280 section 4.1.2.5).
pub(super) fn past(not_after: Timestamp) -> Timestamp {
    Timestamp(not_after.0.saturating_add(1_000_000_000))
}

const NANOS_A_DAY: u64 = 86_400_000_000_000;

impl Root {
    /// Whether one of those lists has it, and it was valid at that time.
    pub(super) fn is_listed(&self, lists: u32, time: Timestamp) -> bool {
        self.lists & lists != 0 && self.validity.0 <= time && time < past(self.validity.1)
    }

    /// What is told of it.
    pub(super) fn told(&self, dates: &[Timestamp]) -> TrustedRoot {
        let date = |n: u32| usize::try_from(n).ok().and_then(|n| dates.get(n)).copied().unwrap_or(Timestamp(0));
        TrustedRoot {
            name: self.name.clone(),
            sha256: self.sha256,
            first_list: date(self.lists.trailing_zeros()),
            last_list: date(31_u32.saturating_sub(self.lists.leading_zeros())),
            newest_list: dates.last().copied().unwrap_or(Timestamp(0)),
        }
    }
}

/// The first moment of a day, in UTC.
fn midnight(day: &str) -> Option<Timestamp> {
    let day: jiff::civil::Date = day.parse().ok()?;
    let moment = jiff::tz::Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()?;
    Some(Timestamp::from_parts(moment.as_second(), 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_root_of_the_file_is_read() {
        let roots = roots();
        assert_eq!(roots.all.len(), LISTS.lines().filter(|l| *l == BEGIN).count());
        assert!(roots.dates.is_sorted() && roots.dates.len() == 17, "{:?}", roots.dates);
        assert!(roots.all.iter().all(|r| !r.name.is_empty() && r.lists > 0 && r.lists < 1 << 17));
        // No list of Mozilla's had fewer than a hundred roots, or more than two hundred.
        for list in 0..17 {
            let count = roots.all.iter().filter(|r| r.lists >> list & 1 == 1).count();
            assert!((100..200).contains(&count), "list {list}: {count}");
        }
    }

    #[track_caller]
    fn around(day: &str, want: &[&str]) {
        let lists = roots().around(midnight(day).unwrap());
        let dates: Vec<_> =
            (0..).zip(&roots().dates).filter(|(n, _)| lists >> n & 1 == 1).map(|(_, d)| d.date()).collect();
        assert_eq!(dates, want, "{day}");
    }

    #[test]
    fn a_time_is_spoken_for_by_the_lists_around_it() {
        around("2009-01-01", &["2011-11-03"]);
        around("2011-11-03", &["2011-11-03", "2012-01-18"]);
        around("2020-01-01", &["2019-11-28", "2020-12-05"]);
        around("2031-01-01", &["2026-10-18"]);
    }
}
