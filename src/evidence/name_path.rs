//! How a name led to an address: question, CNAMEs, address, as one lookup told it.
//!
//! Comes in: the lookup that a connection followed, and the server's address. Goes out: the steps in order, each with its
//! time to live. Never: a step that the answer does not hold.

use core::net::IpAddr;

use super::known::chain_of_records;
use crate::model::{Detail, DnsOver, DnsRecord, Endpoint, Exchange, FrameNo, Timestamp};

/// The way from a question to an address.
#[derive(Clone, Debug)]
pub struct NamePath<'a> {
    /// The asked name, as asked.
    pub asked: &'a str,
    /// Who answered.
    pub resolver: Endpoint,
    /// What carried question and answer.
    pub over: DnsOver,
    /// The frame of the query, where it is in the capture.
    pub query_frame: Option<FrameNo>,
    /// The frame of the answer.
    pub answer_frame: FrameNo,
    /// When the answer came.
    pub time: Timestamp,
    /// The CNAME records in the order in which they lead on, then the address record, where the answer holds it.
    pub records: Vec<&'a DnsRecord>,
}

impl NamePath<'_> {
    /// Seconds by which the shortest time to live on the path had run out when the connection began; `None` where it had
    /// not: a client may hold an answer longer than it should, or have asked again out of sight.
    pub fn expired_seconds(&self, began: Timestamp) -> Option<i64> {
        let ttl = self.records.iter().map(|r| r.ttl).min()?;
        let age = began.nanos_since(self.time).div_euclid(1_000_000_000);
        let over = age.saturating_sub(i64::from(ttl));
        (over > 0).then_some(over)
    }
}

/// The path that `lookup` tells to `address`; `None` for an exchange that is no answered lookup.
pub fn name_path(lookup: &Exchange, address: IpAddr) -> Option<NamePath<'_>> {
    let Detail::Dns(dns) = &lookup.detail else { return None };
    let response = dns.response.as_ref()?;
    let question = dns.questions.first()?;
    let mut records = chain_of_records(&response.answers, &question.name);
    let end = records.last().map_or(question.name.as_str(), |r| r.value.as_str());
    let last = response.answers.iter().find(|r| {
        let owner = r.name.strip_suffix('.').unwrap_or(&r.name);
        owner.eq_ignore_ascii_case(end.strip_suffix('.').unwrap_or(end)) && r.value.parse() == Ok(address)
    });
    records.extend(last);
    Some(NamePath {
        asked: &question.name,
        resolver: lookup.server,
        over: dns.over,
        query_frame: dns.query_frame,
        answer_frame: response.frame,
        time: response.time,
        records,
    })
}
