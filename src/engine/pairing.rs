//! DNS questions meet their answers, within a flow.

use std::collections::VecDeque;

use super::found::exchange;
use crate::model::{
    Anomaly, AnomalyKind, Budget, Detail, DnsKind, DnsLookup, DnsOver, DnsQuestion, DnsResponse, Exchange, FrameNo,
    HttpExchange, Side, Timestamp,
};
use crate::protocols::{dns, http};
use crate::streams::Flow;

/// Questions of one flow that wait; the oldest is given up for a further one.
const WAITING: usize = 1_024;

/// The open questions of a flow.
#[derive(Debug, Default)]
pub(super) struct Lookups {
    waiting: VecDeque<Question>,
    /// Questions came since previews were asked for.
    news: bool,
}

#[derive(Clone, Debug)]
struct Question {
    ordinal: u32,
    news: bool,
    id: u16,
    /// The stream of QUIC that it came on: the answer comes on the same, and all ids are 0 (RFC 9250 section 4.2).
    stream: Option<u64>,
    questions: Vec<DnsQuestion>,
    frame: FrameNo,
    time: Timestamp,
    swapped: bool,
    anomalies: Vec<Anomaly>,
}

impl Lookups {
    /// Takes a message; gives the lookups that it ends. `ordinal` is the number of the flow's next exchange.
    pub(super) fn offer(
        &mut self,
        flow: &Flow,
        ordinal: &mut u32,
        seen: &dns::TcpMessage,
        message: dns::Message,
    ) -> Vec<Exchange> {
        let mut number = || {
            let number = *ordinal;
            *ordinal = number.saturating_add(1);
            number
        };
        let kind = if seen.stream.is_some() { DnsKind::Dns } else { kind_of(flow) };
        let mut anomalies = Vec::new();
        if !message.complete {
            anomalies.push(Anomaly { kind: AnomalyKind::BadDns, frame: seen.frame, offset: 0, len: 0 });
        }
        // Whoever asks is the client, whatever the flow table took it for.
        let swapped = (seen.side == Side::Client) == message.response;
        if !message.response {
            let question = Question {
                ordinal: number(),
                news: true,
                id: message.id,
                stream: seen.stream,
                questions: message.questions,
                frame: seen.first_frame,
                time: seen.time,
                swapped,
                anomalies,
            };
            // Multicast answers come from another address: another flow.
            if kind != DnsKind::Dns {
                return vec![unanswered(flow, question)];
            }
            self.news = true;
            self.waiting.push_back(question);
            let over = if self.waiting.len() > WAITING { self.waiting.pop_front() } else { None };
            return over.map(|q| unanswered(flow, q)).into_iter().collect();
        }
        let asked = self
            .waiting
            .iter()
            .position(|q| {
                q.id == message.id && q.stream == seen.stream && same_question(&q.questions, &message.questions)
            })
            .and_then(|i| self.waiting.remove(i));
        let response =
            DnsResponse { frame: seen.frame, time: seen.time, rcode: message.rcode, answers: message.answers };
        let mut first = (seen.first_frame, seen.time);
        let mut questions = message.questions;
        let mut query_frame = None;
        let mut own = None;
        if let Some(asked) = asked {
            own = Some(asked.ordinal);
            first = (asked.frame, asked.time);
            questions = asked.questions;
            query_frame = Some(asked.frame);
            anomalies.extend(asked.anomalies);
        } else if kind == DnsKind::Dns {
            anomalies.push(Anomaly { kind: AnomalyKind::Unasked, frame: seen.frame, offset: 0, len: 0 });
        }
        let lookup =
            DnsLookup { kind, over: DnsOver::Plain, id: message.id, questions, query_frame, response: Some(response) };
        let last = (seen.frame, seen.time);
        let detail = Detail::Dns(Box::new(lookup));
        let ordinal = own.unwrap_or_else(number);
        vec![Exchange { ordinal, ..exchange(flow, swapped, (first, last), detail, anomalies) }]
    }

    /// The questions that wait and are new since this was last asked.
    pub(super) fn previews(&mut self, flow: &Flow) -> Vec<Exchange> {
        if !std::mem::take(&mut self.news) {
            return Vec::new();
        }
        let fresh = self.waiting.iter_mut().filter_map(|q| std::mem::take(&mut q.news).then_some(&*q));
        fresh.map(|q| unanswered(flow, q.clone())).collect()
    }

    /// The questions that no answer came to, oldest first.
    pub(super) fn give_up(&mut self, flow: &Flow) -> Vec<Exchange> {
        self.waiting.drain(..).map(|q| unanswered(flow, q)).collect()
    }
}

/// A lookup over HTTP (RFC 8484): the request is the question, whatever the message in it says of itself. `None` where neither
/// holds a DNS message.
pub(super) fn over_http(
    http: &HttpExchange,
    carried: &http::Lookup,
    budget: &Budget,
) -> Option<(DnsLookup, Vec<Anomaly>)> {
    let message = |bytes: &Option<Vec<u8>>| bytes.as_ref().and_then(|bytes| dns::message(bytes, budget));
    let asked = message(&carried.query).filter(|m| !m.response);
    let told = message(&carried.answer).filter(|m| m.response);
    let mut anomalies = Vec::new();
    let mut odd = |message: Option<&dns::Message>, frame: FrameNo| {
        if message.is_some_and(|m| !m.complete) {
            anomalies.push(Anomaly { kind: AnomalyKind::BadDns, frame, offset: 0, len: 0 });
        }
    };
    let query_frame = http.request.as_ref().filter(|_| asked.is_some()).map(|m| m.last_frame);
    let place = http.response.as_ref().map(|m| (m.last_frame, m.end_time));
    odd(asked.as_ref(), query_frame.unwrap_or_default());
    odd(told.as_ref(), place.unwrap_or_default().0);
    let first = asked.as_ref().or(told.as_ref())?;
    let (id, questions) = (first.id, first.questions.clone());
    let response = told.zip(place).map(|(message, (frame, time))| DnsResponse {
        frame,
        time,
        rcode: message.rcode,
        answers: message.answers,
    });
    Some((DnsLookup { kind: DnsKind::Dns, over: DnsOver::Https, id, questions, query_frame, response }, anomalies))
}

fn unanswered(flow: &Flow, question: Question) -> Exchange {
    let lookup = DnsLookup {
        kind: if question.stream.is_some() { DnsKind::Dns } else { kind_of(flow) },
        over: DnsOver::Plain,
        id: question.id,
        questions: question.questions,
        query_frame: Some(question.frame),
        response: None,
    };
    let place = (question.frame, question.time);
    let detail = Detail::Dns(Box::new(lookup));
    let anomalies = question.anomalies;
    Exchange { ordinal: question.ordinal, ..exchange(flow, question.swapped, (place, place), detail, anomalies) }
}

/// A response need not repeat the question, but one that repeats another is of another lookup.
fn same_question(asked: &[DnsQuestion], repeated: &[DnsQuestion]) -> bool {
    match (asked.first(), repeated.first()) {
        (Some(a), Some(b)) => a.qtype == b.qtype && a.name.eq_ignore_ascii_case(&b.name),
        _ => true,
    }
}

fn kind_of(flow: &Flow) -> DnsKind {
    match (flow.client.port, flow.server.port) {
        (5_353, _) | (_, 5_353) => DnsKind::Mdns,
        (5_355, _) | (_, 5_355) => DnsKind::Llmnr,
        _ => DnsKind::Dns,
    }
}
