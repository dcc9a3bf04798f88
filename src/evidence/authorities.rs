//! Authorities that no public list has, and for whom they sign.
//!
//! Comes in: a chain that leads to no root, and the well-known name that it is for. Goes out: whether that is the mark of a
//! machine that answers for others. Never: a word against a chain that only lacks an intermediate, or against a company
//! that signs for itself.

use ahash::AHashMap;

use super::grade::related;
use super::pack::{Signature, pack};
use crate::model::{Certificate, ChainStanding, ProviderId, Trust};

/// Authorities remembered, and companies for each.
const AUTHORITIES: usize = 4_096;
const COMPANIES: usize = 4;
/// A name of a company is told from common words by its length.
const TELLING: usize = 4;
/// Strength from which on a rule about a name is sure of whose it is.
const SURE: u8 = 3;

/// The authorities met so far, by the name that chains give them, and the companies for whose names they signed.
#[derive(Debug, Default)]
pub(super) struct Authorities {
    signed_for: AHashMap<String, Vec<ProviderId>>,
    /// Nothing is learned now: what is judged goes on, and may yet turn out otherwise.
    pub(super) holds: bool,
}

impl Authorities {
    /// Whether the chain for `name`, which is `claim`'s, looks like that of a machine on the way. Two marks count: the
    /// certificate is for the asked name and its authority, sent along, is in no list; or an authority that was not sent
    /// signs for names of several companies, of which none would leave out the same intermediate.
    pub(super) fn imitates(&mut self, trust: &Trust, leaf: &Certificate, claim: &Signature, name: &[u8]) -> bool {
        let company = pack().provider(claim.provider).filter(|p| p.parent != "none");
        let Some(company) = company.filter(|_| claim.strength >= SURE) else { return false };
        // Without a list of the time, an unknown root may be one that was public then.
        // A certificate that is its own issuer is nobody's authority.
        let unlisted = matches!(trust.standing, ChainStanding::UnknownRoot | ChainStanding::NoIssuer);
        if !unlisted || trust.is_undated() || !leaf.is_for(name) {
            return false;
        }
        let signer = [&trust.authority, &leaf.issuer_cn, &leaf.issuer_org];
        let signer = signer.into_iter().flatten().map(|s| s.to_lowercase()).collect::<Vec<_>>().join(" ");
        let own_names = company.aliases.iter().chain([&company.id, &company.name, &company.parent]);
        let mut own_names = own_names.filter_map(|n| n.split([' ', ',', '-', '.']).next()).map(str::to_lowercase);
        // A company may sign for itself with a root that is in no public list.
        if own_names.any(|n| n.len() >= TELLING && signer.contains(&n)) {
            return false;
        }
        let several = self.learn(trust.authority.as_deref().unwrap_or_default(), claim.provider);
        trust.standing != ChainStanding::NoIssuer || several
    }

    /// Notes for whom an authority signed; tells whether that was for several companies by now.
    fn learn(&mut self, authority: &str, provider: ProviderId) -> bool {
        if self.holds {
            let known = self.signed_for.get(authority);
            return known.is_some_and(|known| known.len() > 1 || known.iter().any(|c| !related(*c, provider)));
        }
        if self.signed_for.len() >= AUTHORITIES && !self.signed_for.contains_key(authority) {
            return false;
        }
        let companies = self.signed_for.entry(authority.to_owned()).or_default();
        if companies.len() < COMPANIES && companies.iter().all(|c| !related(*c, provider)) {
            companies.push(provider);
        }
        companies.len() > 1
    }
}
