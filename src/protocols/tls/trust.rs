//! Checks a server's chain against the public roots of its time, offline.
//!
//! Comes in: the certificates as sent, the name that was asked for, the time. Goes out: how the chain stands, and up to
//! which root. Never: the network (no revocation list, no missing intermediate is fetched), a clock, a root of the
//! machine's own.

use core::time::Duration;
use std::sync::Arc;

use ahash::HashMap;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use sha2::{Digest as _, Sha256};
use webpki::{EndEntityCert, Error, KeyUsage};
use x509_parser::certificate::{X509Certificate, X509CertificateParser};
use x509_parser::nom::Parser as _;

use super::algorithms;
use super::certificate::own_name;
use super::roots::{Root, Roots, past, roots};
use crate::model::{Certificate, ChainStanding, Timestamp, Trust};

/// Chains whose outcome is kept; with more, the collection begins anew. What was checked stays counted.
const KEPT: usize = 8_192;
/// Times at which a chain that is not valid at its own is tried again: a chain of three certificates has as many bounds.
const RETRIES: usize = 4;

/// From here on SHA-1 counts for nothing: Mozilla's and Google's browsers dropped it in January 2017, as they had said in
/// 2015 and 2016, shortly before two documents with one SHA-1 were shown.
const SHA1_ENDS: Timestamp = Timestamp(1_483_228_800_000_000_000); // 2017-01-01
/// From here on an RSA key below 2048 bits counts for nothing (CA/Browser Forum Baseline Requirements 1.0, appendix A).
const SHORT_RSA_ENDS: Timestamp = Timestamp(1_388_534_400_000_000_000); // 2014-01-01
const RSA_BITS: usize = 2_048;

/// sha1WithRSAEncryption and ecdsa-with-SHA1.
const SHA1_SIGNATURES: [&str; 2] = ["1.2.840.113549.1.1.5", "1.2.840.10045.4.1"];

/// What was checked so far. A chain is checked once, whatever names are asked for with it.
#[derive(Debug)]
pub(super) struct Verifier {
    roots: &'static Roots,
    /// By the digest of its certificates, and how many of the moments at which the outcome may change have passed.
    known: HashMap<([u8; 32], usize), Arc<Outcome>>,
    checked: usize,
}

/// What the signatures of a chain came to; the name is judged apart.
#[derive(Clone, Debug)]
struct Outcome {
    standing: ChainStanding,
    root: Option<&'static Root>,
    authority: Option<String>,
}

impl Outcome {
    fn of(standing: ChainStanding, root: Option<&'static Root>) -> Self {
        Self { standing, root, authority: None }
    }
}

/// A chain to check.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent<'a> {
    /// The certificates, as sent.
    pub(super) ders: &'a [&'a [u8]],
    /// Its first one, read.
    pub(super) leaf: &'a Certificate,
    /// All of them with their SHA-256.
    pub(super) read: &'a [Arc<Certificate>],
    /// More came than are kept.
    pub(super) cut: bool,
    /// The name that the client asked for.
    pub(super) name: Option<&'a [u8]>,
    /// When it was sent.
    pub(super) time: Timestamp,
}

impl Default for Verifier {
    fn default() -> Self {
        Self::new(roots())
    }
}

impl Verifier {
    /// Checks against these lists.
    pub(super) fn new(roots: &'static Roots) -> Self {
        Self { roots, known: HashMap::default(), checked: 0 }
    }

    /// How a chain stands; at most `limit` different ones are checked.
    pub(super) fn judge(&mut self, sent: Sent<'_>, limit: usize) -> Trust {
        let roots = self.roots;
        let outcome = self.outcome(sent, roots, limit);
        let name = sent.name.map(|n| n.strip_suffix(b".").unwrap_or(n));
        let standing = match (outcome.standing, name) {
            (ChainStanding::Verified, Some(name)) if !sent.leaf.is_for(name) => ChainStanding::WrongName,
            (standing, _) => standing,
        };
        let (list, list_days) = roots.nearest(sent.time);
        Trust {
            standing,
            root: outcome.root.map(|r| r.told(&roots.dates)),
            authority: outcome.authority.clone(),
            named: name.is_some(),
            list,
            list_days,
        }
    }

    fn outcome(&mut self, sent: Sent<'_>, roots: &'static Roots, limit: usize) -> Arc<Outcome> {
        let key = (digest(sent), passed(sent, roots));
        if let Some(known) = self.known.get(&key) {
            return Arc::clone(known);
        }
        if self.checked >= limit {
            return Arc::new(Outcome::of(ChainStanding::NotChecked, None));
        }
        self.checked = self.checked.saturating_add(1);
        if self.known.len() >= KEPT {
            self.known.clear();
        }
        let outcome = Arc::new(
            Check::new(sent, roots)
                .map_or_else(|| Outcome::of(ChainStanding::Unreadable, None), |check| check.outcome()),
        );
        self.known.insert(key, Arc::clone(&outcome));
        outcome
    }
}

fn digest(sent: Sent<'_>) -> [u8; 32] {
    let mut hash = Sha256::new();
    sent.read.iter().for_each(|c| hash.update(c.sha256));
    hash.update([u8::from(sent.cut)]);
    hash.finalize().into()
}

/// How many moments at which an outcome may change have passed: so it does not depend on which session came first.
fn passed(sent: Sent<'_>, roots: &Roots) -> usize {
    let own = sent.read.iter().flat_map(|c| [c.not_before, past(c.not_after)]);
    let own = own.chain([SHA1_ENDS, SHORT_RSA_ENDS]).filter(|moment| *moment <= sent.time).count();
    own.saturating_add(roots.passed(sent.time))
}

/// One chain under check.
struct Check<'a> {
    sent: Sent<'a>,
    ders: Vec<CertificateDer<'a>>,
    /// As sent; one that cannot be read is left out.
    read: Vec<X509Certificate<'a>>,
    lists: u32,
    /// The roots whose subject somebody in the chain names as issuer.
    named: Vec<&'static Root>,
}

impl<'a> Check<'a> {
    /// `None` where the first certificate cannot be read.
    fn new(sent: Sent<'a>, roots: &'static Roots) -> Option<Self> {
        let mut parser = X509CertificateParser::new().with_deep_parse_extensions(false);
        parser.parse(sent.ders.first()?).ok()?;
        let read: Vec<_> = sent.ders.iter().filter_map(|der| parser.parse(der).ok()).map(|(_, c)| c).collect();
        let mut named: Vec<&'static Root> = Vec::new();
        for root in read.iter().flat_map(|c| roots.of_subject(c.issuer().as_raw())) {
            if !named.iter().any(|n| core::ptr::eq(*n, root)) {
                named.push(root);
            }
        }
        let ders = sent.ders.iter().map(|der| CertificateDer::from(*der)).collect();
        Some(Self { sent, ders, read, lists: roots.around(sent.time), named })
    }

    fn outcome(&self) -> Outcome {
        let listed = |r: &&&Root| r.is_listed(self.lists, self.sent.time);
        let then: Vec<_> = self.named.iter().filter(listed).copied().collect();
        match self.path(&then, self.sent.time) {
            Ok((root, true)) => Outcome::of(ChainStanding::Verified, Some(root)),
            Ok((root, false)) => Outcome::of(ChainStanding::Weak, Some(root)),
            Err(why) => self.failure(&why, &then),
        }
    }

    /// The root that the chain leads to, if it is one of these, and whether its keys and digests were good at that time.
    fn path(&self, roots: &[&'static Root], time: Timestamp) -> Result<(&'static Root, bool), Error> {
        let (leaf, others) = self.ders.split_first().ok_or(Error::BadDer)?;
        let leaf = EndEntityCert::try_from(leaf)?;
        let anchors: Vec<TrustAnchor<'static>> = roots.iter().map(|r| r.anchor.clone()).collect();
        let seconds = u64::try_from(time.0.div_euclid(1_000_000_000)).unwrap_or(0);
        let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let usage = KeyUsage::server_auth();
        let path = leaf.verify_for_usage(algorithms::ALL, &anchors, others, time, usage, None, None)?;
        let root = roots.iter().find(|r| r.anchor == *path.anchor()).copied().ok_or(Error::UnknownIssuer)?;
        let used = path.intermediate_certificates().map(webpki::Cert::der).chain([path.end_entity().der()]);
        Ok((root, used.into_iter().all(|der| self.is_strong(&der))))
    }

    /// Whether a certificate's digest and key were good at the chain's time.
    fn is_strong(&self, der: &[u8]) -> bool {
        let mut parser = X509CertificateParser::new().with_deep_parse_extensions(false);
        let Ok((_, certificate)) = parser.parse(der) else { return false };
        let signature = certificate.signature_algorithm.algorithm.to_id_string();
        let sha1 = SHA1_SIGNATURES.contains(&signature.as_str()) && self.sent.time >= SHA1_ENDS;
        let bits = algorithms::rsa_bits(&certificate.public_key().subject_public_key.data);
        !sha1 && (self.sent.time < SHORT_RSA_ENDS || bits.is_none_or(|b| b >= RSA_BITS))
    }

    /// Why there is no path to a root of that time.
    fn failure(&self, why: &Error, then: &[&'static Root]) -> Outcome {
        let Some(leaf) = self.read.first() else { return Outcome::of(ChainStanding::Unreadable, None) };
        if leaf.issuer().as_raw() == leaf.subject().as_raw() {
            return Outcome { authority: own_name(leaf.subject()), ..Outcome::of(ChainStanding::SelfSigned, None) };
        }
        // What is wrong beside the dates says more than that they are over.
        if let (Some(standing), mut time) = (dates(why), self.sent.time) {
            let mut last = why.clone();
            for _ in 0..RETRIES {
                let Some(next) = within(&last) else { break };
                time = next;
                match self.path(&self.named, time) {
                    Ok((root, _)) => return Outcome::of(standing, Some(root)),
                    Err(error) => last = error,
                }
            }
            return self.failure_beside_dates(&last, time, then);
        }
        self.failure_beside_dates(why, self.sent.time, then)
    }

    fn failure_beside_dates(&self, why: &Error, time: Timestamp, then: &[&'static Root]) -> Outcome {
        if then.len() < self.named.len()
            && let Ok((root, _)) = self.path(&self.named, time)
        {
            return Outcome::of(ChainStanding::RootOfOtherTime, Some(root));
        }
        let standing = match why {
            Error::UnknownIssuer if self.sent.cut => ChainStanding::Cut,
            Error::UnknownIssuer => return self.end(),
            Error::InvalidSignatureForPublicKey if self.odd_key() => ChainStanding::Unsupported,
            Error::InvalidSignatureForPublicKey => ChainStanding::BadSignature,
            Error::UnsupportedSignatureAlgorithmContext(_)
            | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => ChainStanding::Unsupported,
            Error::BadDer | Error::BadDerTime | Error::TrailingData(_) => ChainStanding::Unreadable,
            // Bounds that no pair of dates meets.
            Error::CertExpired { .. } => ChainStanding::Expired,
            Error::CertNotValidYet { .. } => ChainStanding::NotYetValid,
            _ => ChainStanding::Unfit,
        };
        Outcome::of(standing, None)
    }

    /// An RSA key of a length that is not checked, in a certificate that may have signed another.
    fn odd_key(&self) -> bool {
        let issuers =
            self.read.iter().filter(|c| self.read.iter().any(|i| i.issuer().as_raw() == c.subject().as_raw()));
        let mut bits = issuers.filter_map(|c| algorithms::rsa_bits(&c.public_key().subject_public_key.data));
        bits.any(|b| !algorithms::RSA_BITS.contains(&b))
    }

    /// Who stands at the end of a chain that leads to no root: an authority of its own, or one that was not sent.
    fn end(&self) -> Outcome {
        let mut at = 0;
        for _ in 0..self.read.len() {
            let Some(issuer) = self.read.get(at).map(|c| c.issuer()) else { break };
            let next = self.read.iter().position(|c| c.subject().as_raw() == issuer.as_raw());
            match next {
                Some(next) if next != at => at = next,
                _ => break,
            }
        }
        let Some(last) = self.read.get(at) else { return Outcome::of(ChainStanding::NoIssuer, None) };
        let own = last.issuer().as_raw() == last.subject().as_raw();
        let standing = if own { ChainStanding::UnknownRoot } else { ChainStanding::NoIssuer };
        Outcome { authority: own_name(last.issuer()), ..Outcome::of(standing, None) }
    }
}

/// What an error says of dates alone.
fn dates(error: &Error) -> Option<ChainStanding> {
    match error {
        Error::CertExpired { .. } => Some(ChainStanding::Expired),
        Error::CertNotValidYet { .. } => Some(ChainStanding::NotYetValid),
        _ => None,
    }
}

/// A time at which the certificate that an error about dates speaks of is valid.
fn within(error: &Error) -> Option<Timestamp> {
    let time = match error {
        Error::CertExpired { not_after, .. } => not_after,
        Error::CertNotValidYet { not_before, .. } => not_before,
        _ => return None,
    };
    Some(Timestamp::from_parts(i64::try_from(time.as_secs()).ok()?, 0))
}
