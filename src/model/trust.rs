//! How a server's certificate chain stands before the public roots of the capture's time.

use super::{Certificate, Timestamp};

/// What checking a chain came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChainStanding {
    /// Every signature holds, up to a root of that time, and the name that was asked for fits (or none was).
    Verified,
    /// The chain holds, but the certificate is for other names.
    WrongName,
    /// The chain would hold, but a certificate of it had expired.
    Expired,
    /// The chain would hold, but a certificate of it was not valid yet.
    NotYetValid,
    /// The certificate is its own issuer.
    SelfSigned,
    /// The chain ends in an authority that no list has.
    UnknownRoot,
    /// The issuer was not sent, and no list has it.
    NoIssuer,
    /// The chain holds up to a root that the lists of other times have, but not those of that time.
    RootOfOtherTime,
    /// The chain holds, but by a digest or key that was no longer trusted at that time.
    Weak,
    /// A signature is not of the key that it should be of.
    BadSignature,
    /// A signature or key of a kind that is not checked here.
    Unsupported,
    /// A certificate may not be used so: no authority, not for servers, outside its constraints.
    Unfit,
    /// A certificate that cannot be read.
    Unreadable,
    /// The chain was cut at the limit, and what is left of it does not hold.
    Cut,
    /// Not checked, for more chains came than are checked.
    NotChecked,
}

impl ChainStanding {
    /// All of them, in the order in which records number them.
    pub const ALL: [Self; 15] = [
        Self::Verified,
        Self::WrongName,
        Self::Expired,
        Self::NotYetValid,
        Self::SelfSigned,
        Self::UnknownRoot,
        Self::NoIssuer,
        Self::RootOfOtherTime,
        Self::Weak,
        Self::BadSignature,
        Self::Unsupported,
        Self::Unfit,
        Self::Unreadable,
        Self::Cut,
        Self::NotChecked,
    ];

    /// The words in JSON.
    pub fn words(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::WrongName => "wrong name",
            Self::Expired => "expired",
            Self::NotYetValid => "not yet valid",
            Self::SelfSigned => "self-signed",
            Self::UnknownRoot => "unknown root",
            Self::NoIssuer => "issuer missing",
            Self::RootOfOtherTime => "root of another time",
            Self::Weak => "weak signature",
            Self::BadSignature => "bad signature",
            Self::Unsupported => "not supported",
            Self::Unfit => "unfit certificate",
            Self::Unreadable => "unreadable",
            Self::Cut => "chain cut",
            Self::NotChecked => "not checked",
        }
    }
}

/// A root of the lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedRoot {
    /// The name it gives itself: common name, else organisation.
    pub name: String,
    /// SHA-256 of its DER.
    pub sha256: [u8; 32],
    /// The first of our lists that has it.
    pub first_list: Timestamp,
    /// The last of our lists that has it.
    pub last_list: Timestamp,
    /// The newest list that there is here.
    pub newest_list: Timestamp,
}

impl TrustedRoot {
    /// Which lists have it, in words.
    pub fn lists(&self) -> String {
        if self.last_list == self.newest_list {
            format!("in Mozilla's lists from {} to today's of {}", self.first_list.date(), self.newest_list.date())
        } else {
            format!(
                "in Mozilla's lists of {} to {}, and not in today's of {}",
                self.first_list.date(),
                self.last_list.date(),
                self.newest_list.date()
            )
        }
    }
}

/// How one chain stands, for the name that was asked for, at the time it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// What the check came to.
    pub standing: ChainStanding,
    /// The root that the chain leads to, where it leads to one.
    pub root: Option<TrustedRoot>,
    /// The authority at its end, where that is no root: as the chain names it, not cleaned for display.
    pub authority: Option<String>,
    /// Whether a name was asked for, so that it could be compared.
    pub named: bool,
    /// The list nearest to that time.
    pub list: Timestamp,
    /// Days between that list and that time.
    pub list_days: u32,
}

/// Days from which on a list is called one of another time: Mozilla's changes a few times a year, a root lives for decades.
const FAR_DAYS: u32 = 731;

impl Trust {
    /// Whether the chain is verified.
    pub fn is_verified(&self) -> bool {
        self.standing == ChainStanding::Verified
    }

    /// Whether a public root of that time vouches for the names in the certificate, also where others were asked for.
    pub fn holds(&self) -> bool {
        matches!(self.standing, ChainStanding::Verified | ChainStanding::WrongName)
    }

    /// Whether no list of about that time is here: the nearest is more than two years off.
    pub fn is_undated(&self) -> bool {
        self.list_days > FAR_DAYS
    }

    /// The outcome in one sentence, without a full stop; captured names in it are cleaned for display.
    pub fn sentence(&self) -> String {
        let root =
            self.root.as_ref().map_or_else(String::new, |r| super::clean_to(r.name.as_bytes(), 120).into_owned());
        let authority = match &self.authority {
            Some(name) => format!("“{}”", super::clean_to(name.as_bytes(), 120)),
            None => "an unnamed authority".to_owned(),
        };
        match self.standing {
            ChainStanding::Verified if self.named => format!("verified for the asked name at that time, up to {root}"),
            ChainStanding::Verified => format!("verified at that time, up to {root}; the client asked for no name"),
            ChainStanding::WrongName => {
                format!("not verified for the asked name: it leads to {root}, but is for other names")
            }
            ChainStanding::Expired => format!("not verified: it leads to {root}, but had expired by then"),
            ChainStanding::NotYetValid => format!("not verified: it leads to {root}, but was not valid yet"),
            ChainStanding::SelfSigned => "not verified: it is its own issuer".to_owned(),
            ChainStanding::UnknownRoot => {
                format!("not verified: it ends in {authority}, an authority in no list of Mozilla's")
            }
            ChainStanding::NoIssuer => format!(
                "not verified: its issuer {authority} was not sent and is in no list; an intermediate is missing, or the \
                 root is no public one"
            ),
            ChainStanding::RootOfOtherTime => {
                format!("not verified: {root} was in no list of that time; lists of other times have it")
            }
            ChainStanding::Weak => {
                format!("not verified: it leads to {root} by a digest or key that was no longer trusted by then")
            }
            ChainStanding::BadSignature => "not verified: a signature in it is not of the key it names".to_owned(),
            ChainStanding::Unsupported => {
                "not verified: a signature or key of a kind that is not checked here".to_owned()
            }
            ChainStanding::Unfit => "not verified: a certificate in it may not be used so (RFC 5280)".to_owned(),
            ChainStanding::Unreadable => "not verified: a certificate in it cannot be read".to_owned(),
            ChainStanding::Cut => "not verified: the chain was cut at the limit".to_owned(),
            ChainStanding::NotChecked => "not verified: more chains came than are checked".to_owned(),
        }
    }

    /// Which list was used, in words.
    pub fn list_words(&self) -> String {
        if self.is_undated() {
            format!("Mozilla's list of {}, the nearest here, {} years off", self.list.date(), self.list_days / 365)
        } else {
            format!("Mozilla's list of {}", self.list.date())
        }
    }
}

/// What an OCSP answer says of a certificate (RFC 6960 section 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OcspStatus {
    /// Not revoked.
    Good,
    /// Revoked.
    Revoked,
    /// The responder does not know it.
    Unknown,
    /// An answer without one: the responder failed.
    Failed,
}

impl OcspStatus {
    /// All of them, in the order in which records number them.
    pub const ALL: [Self; 4] = [Self::Good, Self::Revoked, Self::Unknown, Self::Failed];

    /// The word in JSON and on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Revoked => "revoked",
            Self::Unknown => "unknown",
            Self::Failed => "no answer",
        }
    }
}

/// The OCSP answer that a server stapled to its chain (RFC 6066 section 8). Its signature is not checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OcspAnswer {
    /// What it says.
    pub status: OcspStatus,
    /// It is about the serial number of the server's own certificate.
    pub for_leaf: bool,
    /// From when it speaks, and when a newer one is due.
    pub dates: Option<(Timestamp, Option<Timestamp>)>,
    /// Since when the certificate is revoked.
    pub revoked: Option<Timestamp>,
}

impl OcspAnswer {
    /// The answer in words; `now` is when it was sent.
    pub fn words(&self, now: Timestamp) -> String {
        let mut out = self.status.word().to_owned();
        if let Some(revoked) = self.revoked {
            out = format!("{out} since {}", revoked.date());
        }
        if let Some((from, to)) = self.dates {
            out = format!("{out}, of {}", from.date());
            if let Some(to) = to {
                out = format!("{out} to {}", to.date());
            }
            if now < from || to.is_some_and(|to| now > to) {
                out.push_str(", not for this time");
            }
        }
        if !self.for_leaf && self.status != OcspStatus::Failed {
            out.push_str(", about another certificate");
        }
        out
    }
}

/// What stands beside a server's chain: nothing of it is checked, that it is there is all that is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stapled {
    /// The OCSP answer, if it was sent and can be read.
    pub ocsp: Option<OcspAnswer>,
    /// One was sent that cannot be read.
    pub ocsp_unread: bool,
    /// Timestamps of certificate logs (RFC 6962 section 3.3) in the certificate, in the handshake, in the OCSP answer.
    pub timestamps: [u32; 3],
}

impl Stapled {
    /// Whether anything is there.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Where the timestamps stand, in words; empty where there are none.
    pub fn timestamp_words(&self) -> String {
        let places = ["in the certificate", "in the handshake", "in the OCSP answer"];
        let told = self.timestamps.iter().zip(places).filter(|(count, _)| **count > 0);
        told.map(|(count, place)| format!("{count} {place}")).collect::<Vec<_>>().join(", ")
    }
}

impl Certificate {
    /// Whether it is for that name: by its alternative names, and by its common name only where it has none of them (RFC
    /// 6125 section 6.4.4).
    pub fn is_for(&self, name: &[u8]) -> bool {
        let covers = |pattern: &String| covers(pattern.as_bytes(), name);
        let in_subject = self.names.is_empty() && self.subject_cn.as_ref().is_some_and(covers);
        self.names.iter().any(covers) || in_subject
    }
}

/// Whether a certificate's name covers an asked name: the same, or a wildcard for exactly one label (RFC 9525 section
/// 6.3).
fn covers(pattern: &[u8], name: &[u8]) -> bool {
    if let Some(zone) = pattern.strip_prefix(b"*") {
        return memchr::memchr(b'.', name)
            .and_then(|dot| name.get(dot..))
            .is_some_and(|rest| rest.len() > 1 && rest.eq_ignore_ascii_case(zone));
    }
    pattern.eq_ignore_ascii_case(name)
}
