//! Host names against the pack: by whole labels from the right, then the few rules that need an expression. What a name
//! matches is remembered, because captures ask for few names often.

use core::net::IpAddr;
use std::sync::Arc;

use ahash::AHashMap;
use smallvec::SmallVec;

use super::pack::{Kind, pack};
use super::pattern::{Pairs, Pattern};
use crate::model::ProviderId;

/// Longest name of the DNS as text (RFC 1035 section 3.1 allows 255 bytes on the wire).
const LONGEST: usize = 255;
/// Names remembered; past that the memory starts anew. What comes often is soon back, and what comes once costs no room.
const REMEMBERED: usize = 4_096;

/// The zone of Azure's first CDN; it is not in the list of today.
const CLOSED_ZONE: &str = ".vo.msecnd.net";

/// What an asked name matches.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Signatures, the longest suffix first.
    pub(super) signatures: Vec<u16>,
    /// A customer's own name in a provider's zone: whose zone, and the name.
    pub(super) tenant: Option<(ProviderId, Box<str>)>,
    /// The zone's own name, without a customer's: a store addressed by path.
    pub(super) bare_store: Option<ProviderId>,
    /// The registrable domain.
    pub(super) site: Option<Box<str>>,
}

/// The rules for names.
#[derive(Debug)]
pub(super) struct Names {
    suffixes: AHashMap<&'static [u8], Vec<(Kind, u16)>>,
    hosts: Vec<(u16, Pattern)>,
    cnames: Vec<(u16, Pattern)>,
    chains: Vec<(u16, Pattern)>,
    servers: Vec<(u16, Pattern)>,
    reverse: Vec<(u16, Pattern)>,
    memory: AHashMap<Box<[u8]>, Arc<Asked>>,
}

impl Names {
    pub(super) fn new() -> Self {
        let mut names = Self {
            suffixes: AHashMap::new(),
            hosts: Vec::new(),
            cnames: Vec::new(),
            chains: Vec::new(),
            servers: Vec::new(),
            reverse: Vec::new(),
            memory: AHashMap::new(),
        };
        for (number, s) in pack().in_force() {
            for &pattern in s.patterns {
                let list = match s.kind {
                    Kind::DnsSuffix | Kind::CnameSuffix | Kind::CertSanSuffix | Kind::PtrSuffix => {
                        names.suffixes.entry(pattern.as_bytes()).or_default().push((s.kind, number));
                        continue;
                    }
                    Kind::UrlHostRegex => &mut names.hosts,
                    Kind::CnameRegex => &mut names.cnames,
                    Kind::ChainRegex => &mut names.chains,
                    Kind::NsRegex => &mut names.servers,
                    Kind::PtrRegex => &mut names.reverse,
                    _ => continue,
                };
                list.push((number, Pattern::new(pattern)));
            }
        }
        names
    }

    /// What an asked name matches; upper case, a final dot and a port are the caller's to remove (see [`Name`]).
    pub(super) fn asked(&mut self, name: &Name) -> Arc<Asked> {
        if let Some(known) = self.memory.get(name.bytes()) {
            return Arc::clone(known);
        }
        let asked = Arc::new(self.look_up(name));
        if self.memory.len() >= REMEMBERED {
            self.memory.clear();
        }
        self.memory.insert(name.bytes().into(), Arc::clone(&asked));
        asked
    }

    fn look_up(&self, name: &Name) -> Asked {
        let mut asked = Asked::default();
        let Ok(text) = str::from_utf8(name.bytes()) else { return asked };
        if text.parse::<IpAddr>().is_ok() {
            return asked;
        }
        asked.site = psl::domain_str(text).map(Into::into);
        let registrable = asked.site.as_ref().map_or(0, |d| d.len());
        self.by_suffix(name.bytes(), Kind::DnsSuffix, |number, suffix| {
            asked.signatures.push(number);
            let Some(s) = pack().signature(number).filter(|s| s.strength >= 3 && s.role != "first-party") else {
                return;
            };
            if asked.tenant.is_none() && asked.bare_store.is_none() {
                // Operators enter the zones in which customers have names in the Public Suffix List.
                let before = text.get(..text.len().saturating_sub(suffix)).unwrap_or_default().trim_end_matches('.');
                let shared = registrable > suffix || text.ends_with(CLOSED_ZONE);
                if !before.is_empty() && shared {
                    asked.tenant = Some((s.provider, before.into()));
                } else if before.is_empty() && s.role == "object-storage" {
                    asked.bare_store = Some(s.provider);
                }
            }
        });
        let pairs = Pairs::of(name.bytes());
        for (number, pattern) in self.hosts.iter().filter(|(_, p)| p.fits(pairs)) {
            let (Some(groups), Some(s)) = (pattern.captures(name.bytes()), pack().signature(*number)) else { continue };
            asked.signatures.push(*number);
            let group = ["bucket", "account", "ap", "api", "ns"].iter().find_map(|g| groups.name(g));
            match group.and_then(|g| str::from_utf8(g.as_bytes()).ok()) {
                Some(customer) => asked.tenant = Some((s.provider, customer.into())),
                None if s.role == "object-storage" && asked.tenant.is_none() => asked.bare_store = Some(s.provider),
                None => {}
            }
        }
        asked
    }

    /// Calls `each` with every signature of `kind` whose suffix ends `name` at a label's boundary, longest first.
    pub(super) fn by_suffix(&self, name: &[u8], kind: Kind, mut each: impl FnMut(u16, usize)) {
        let mut rest = name;
        loop {
            for (_, number) in self.suffixes.get(rest).into_iter().flatten().filter(|(k, _)| *k == kind) {
                each(*number, rest.len());
            }
            match memchr::memchr(b'.', rest) {
                Some(dot) => rest = rest.get(dot + 1..).unwrap_or_default(),
                None => return,
            }
        }
    }

    /// Signatures that one CNAME target matches.
    pub(super) fn target(&self, name: &[u8], mut each: impl FnMut(u16)) {
        self.by_suffix(name, Kind::CnameSuffix, |number, _| each(number));
        let pairs = Pairs::of(name);
        let cnames = self.cnames.iter().filter(|(_, p)| p.fits(pairs) && p.matches(name));
        cnames.for_each(|(number, _)| each(*number));
    }

    /// Signatures that a whole chain, joined by ` > `, matches.
    pub(super) fn chain(&self, joined: &[u8], mut each: impl FnMut(u16)) {
        self.chains.iter().filter(|(_, p)| p.matches(joined)).for_each(|(number, _)| each(*number));
    }

    /// Signatures that a zone's name server matches.
    pub(super) fn name_server(&self, name: &[u8], mut each: impl FnMut(u16)) {
        self.servers.iter().filter(|(_, p)| p.matches(name)).for_each(|(number, _)| each(*number));
    }

    /// Signatures that a reverse name matches.
    pub(super) fn reverse(&self, name: &[u8], mut each: impl FnMut(u16)) {
        self.by_suffix(name, Kind::PtrSuffix, |number, _| each(number));
        self.reverse.iter().filter(|(_, p)| p.matches(name)).for_each(|(number, _)| each(*number));
    }

    #[cfg(test)]
    pub(super) fn patterns(&self) -> impl Iterator<Item = &(u16, Pattern)> {
        [&self.hosts, &self.cnames, &self.chains, &self.servers, &self.reverse].into_iter().flatten()
    }
}

/// A name in lower case without port, brackets and final dot; on the stack, but for the longest.
pub(super) struct Name(SmallVec<[u8; 48]>);

impl Name {
    /// From a Host field, an authority, an SNI or a DNS name; `None` where there is no name in it.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        let text = text.trim_ascii();
        let text = match text.strip_prefix(b"[") {
            Some(rest) => rest.split(|b| *b == b']').next().unwrap_or_default(),
            None => match memchr::memchr(b':', text) {
                // Of several colons none is a port's.
                Some(colon) if memchr::memrchr(b':', text) == Some(colon) => text.get(..colon).unwrap_or_default(),
                _ => text,
            },
        };
        let text = text.strip_suffix(b".").unwrap_or(text);
        if text.is_empty() || text.len() > LONGEST {
            return None;
        }
        let mut name = Self(SmallVec::from_slice(text));
        name.0.make_ascii_lowercase();
        Some(name)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}
