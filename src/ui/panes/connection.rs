//! Addresses, handshake, certificates, DNS answers and odd things, as labelled facts.

use std::sync::Arc;

use egui::{Role, ScrollArea, Sense, Ui, WidgetInfo, vec2};

use crate::evidence::{Authority, authority, sealed_dns};
use crate::model::{
    Certificate, Decryption, Detail, DnsLookup, Exchange, FrameNo, HttpExchange, OcspStatus, Part, QuicFacts, Reported,
    Stapled, Timestamp, TlsSession, TlsTransport, Transport, Trust, WebSocket, clean, clean_to, hex,
};
use crate::protocols::dns::type_name;
use crate::store::filter::{Filter, Key, is};
use crate::store::{Record, tls_version};
use crate::ui::action::Action;
use crate::ui::prepared::{Fact, Shown, body_words};
use crate::ui::roving::{Along, Roving};
use crate::ui::text::{self, sentence};
use crate::ui::theme;
use crate::ui::{menus, prepared, shapes};

/// Entries of a list that are shown.
const LISTED: usize = 200;
/// What stands where a handshake names no server.
const NO_NAME: &str = "none";
/// Width of the labels in points.
const LABEL: f32 = 132.0;

/// Paints the pane.
pub(crate) fn show(ui: &mut Ui, shown: &Shown, actions: &mut Vec<Action>) {
    ScrollArea::vertical().id_salt("connection").auto_shrink([false, false]).show(ui, |ui| {
        egui::Frame::NONE.inner_margin(egui::Margin { left: 12, right: 12, top: 6, bottom: 12 }).show(ui, |ui| {
            ui.set_width(ui.available_width());
            listed(ui, shown, actions);
        });
    });
}

/// The facts, one under the other.
pub(crate) fn listed(ui: &mut Ui, shown: &Shown, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    ui.spacing_mut().item_spacing = vec2(8.0, 3.0);
    let is_pair = |at: usize| matches!(shown.facts.get(at), Some(Fact::Pair(..)));
    let roving = Roving::new(ui, ui.scope_id().with("facts"), Along::Down, shown.facts.len(), is_pair);
    for (at, fact) in shown.facts.iter().enumerate() {
        match fact {
            Fact::Section(title) => {
                ui.add_space(6.0);
                ui.label(egui::RichText::new(title).font(theme::strong(theme::BODY)));
            }
            Fact::Pair(label, value, wire) => pair(ui, (label, value, *wire), (&roving, at), actions),
            Fact::Caution(words) => {
                ui.horizontal(|ui| {
                    let (rect, _) = ui.allocate_exact_size(vec2(14.0, 16.0), Sense::hover());
                    shapes::caution(ui.painter(), rect.center(), c.amber);
                    ui.label(words);
                });
            }
        }
    }
    roving.keep(ui);
}

fn pair(
    ui: &mut Ui,
    (label, value, wire): (&str, &str, bool),
    (roving, at): (&Roving, usize),
    actions: &mut Vec<Action>,
) {
    let c = theme::colours(ui);
    ui.horizontal_top(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(LABEL, 17.0), Sense::hover());
        ui.painter().text(
            rect.left_center() - vec2(0.0, 1.0),
            egui::Align2::LEFT_CENTER,
            label,
            theme::sans(theme::BODY),
            c.quiet,
        );
        let font = if wire { theme::mono() } else { theme::sans(theme::BODY) };
        let sense = roving.sense(ui, at, ui.next_auto_id());
        let words = egui::Label::new(egui::RichText::new(value).font(font)).wrap().sense(sense);
        let response = ui.add(words);
        response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, format!("{label}: {value}")));
        roving.drawn(at, &response);
        menus::on(&response, response.has_focus(), |ui| {
            if let Some(filter) = filter_of(label, value) {
                menus::filters(ui, &filter, actions);
                ui.separator();
            }
            menus::copy(ui, "Copy value", value, actions);
            menus::copy(ui, "Copy line", &format!("{label}: {value}"), actions);
        });
    });
}

/// The filter that a fact can be asked for with: an end's address, a name, its frames.
fn filter_of(label: &str, value: &str) -> Option<Filter> {
    let parsed = |words: String| Filter::parse(&words).ok();
    if let Ok(end) = value.parse::<std::net::SocketAddr>() {
        return parsed(format!("ip:{}", end.ip()));
    }
    if let Ok(address) = value.parse::<std::net::IpAddr>() {
        return parsed(format!("ip:{address}"));
    }
    let first = || value.split(' ').next().filter(|name| !name.is_empty());
    match label {
        "Server name" if value != NO_NAME => Some(is(Key::Sni, value)),
        "Question" => first().map(|name| is(Key::Host, name)),
        "Transport" => value.rsplit_once("frame ").and_then(|(_, flow)| parsed(format!("stream:{flow}"))),
        "In" => value.split_once(' ').and_then(|(_, frames)| parsed(format!("frame:{}", frames.replace('–', "..")))),
        "Record" => {
            let mut words = value.split(' ').skip(1);
            match (words.next()?, words.next()?) {
                ("A" | "AAAA", address) => parsed(format!("ip:{address}")),
                ("CNAME", name) => Some(is(Key::Cname, name)),
                _ => first().map(|name| is(Key::Host, name)),
            }
        }
        _ => None,
    }
}

/// The facts of a record. Runs on the jobs thread.
pub(crate) fn facts(record: &Record) -> Vec<Fact> {
    let exchange = &record.exchange;
    let mut out = vec![Fact::Section("Connection".to_owned())];
    endpoints(exchange, &mut out);
    if let Some(envelope) = &exchange.envelope {
        let session = if envelope.transport == TlsTransport::Quic { "QUIC connection" } else { "TLS session" };
        out.push(Fact::Section(format!("Decrypted with keys, from a {session}")));
        let name = envelope.name.as_ref().map_or_else(|| NO_NAME.into(), |name| clean_to(&name.text, 256));
        out.push(Fact::Pair("Server name", name.into_owned(), true));
        match &envelope.certificate {
            Some(certificate) => {
                trust_facts(envelope.trust.as_deref(), &mut out);
                certificate_facts(certificate, &mut out);
            }
            None => out.push(Fact::Pair("Certificate", "not sent (a resumed session), or in a hole".to_owned(), false)),
        }
        match authority(exchange) {
            Some(judged @ Authority::Foreign) => out.push(Fact::Caution(judged.words().to_owned())),
            Some(judged @ (Authority::Coalesced | Authority::Open)) => {
                out.push(Fact::Pair("Host", judged.words().to_owned(), false));
            }
            Some(Authority::Same) | None => {}
        }
    }
    match &exchange.detail {
        Detail::Http(http) => {
            out.push(Fact::Section("Messages".to_owned()));
            let parts = [("Request", http.request.as_ref()), ("Response", http.response.as_ref())];
            for (label, message) in parts {
                match message {
                    Some(m) => {
                        let place = match exchange.reported {
                            Some(_) => format!("entry {}", m.first_frame),
                            None => frames(m.first_frame, m.last_frame),
                        };
                        let words = format!("HTTP/{}, {place}", m.version.word());
                        out.push(Fact::Pair(label, words, false));
                        if m.body.wire_bytes > 0 {
                            out.push(Fact::Pair("Body", body_words(m), false));
                        }
                    }
                    None => out.push(Fact::Pair(label, "not in the capture".to_owned(), false)),
                }
            }
            if is_json_lookup(http) {
                let words = "a DNS lookup in JSON (application/dns-json); the names in it are not read".to_owned();
                out.push(Fact::Pair("Carries", words, false));
            }
            if let Some(stream) = http.stream {
                out.push(Fact::Pair("Stream", stream.to_string(), false));
            }
            if let Some(websocket) = &http.websocket {
                websocket_facts(websocket, &mut out);
            }
            if http.pushed {
                out.push(Fact::Pair(
                    "Pushed",
                    "the server promised this request itself; no client sent it".to_owned(),
                    false,
                ));
            }
            if http.is_grpc() {
                out.push(Fact::Pair("Call", "gRPC".to_owned(), false));
            }
            if !http.interim.is_empty() {
                let words = text::plural(http.interim.len() as u64, "interim response", "interim responses");
                out.push(Fact::Pair("Before it", words, false));
            }
        }
        Detail::Tls(tls) => {
            if let Some(sealed) = sealed_dns(exchange) {
                let who = sealed.resolver.map_or_else(String::new, |(name, source)| format!(" ({name}, {source})"));
                let words = format!("{}{who}; told by {}", sealed.words(), sealed.told_by());
                out.push(Fact::Pair("Carries", words, false));
            }
            handshake(tls, exchange.time, &mut out);
        }
        Detail::Dns(dns) => lookup(dns, &mut out),
    }
    outside(record, &mut out);
    if !exchange.anomalies.is_empty() {
        out.push(Fact::Section("Odd things".to_owned()));
        for anomaly in exchange.anomalies.iter().take(LISTED) {
            let len = if anomaly.len > 0 { format!(", {}", text::bytes(anomaly.len)) } else { String::new() };
            out.push(Fact::Caution(format!(
                "{} ({} {}{len})",
                sentence(anomaly.kind.words()),
                exchange.unit(),
                anomaly.frame
            )));
        }
    }
    out
}

/// Whether the answer is DNS in the form that has no standard.
fn is_json_lookup(http: &HttpExchange) -> bool {
    let media = http.response.as_ref().and_then(|r| r.field("content-type")).unwrap_or_default();
    let essence = media.split(|b| *b == b';').next().unwrap_or_default().trim_ascii();
    essence.eq_ignore_ascii_case(b"application/dns-json")
}

fn websocket_facts(websocket: &WebSocket, out: &mut Vec<Fact>) {
    for (label, side) in ["Sent", "Received"].into_iter().zip(&websocket.sides) {
        let messages = text::plural(side.messages, "message", "messages");
        let controls = text::plural(side.controls, "control frame", "control frames");
        let counts = format!("{messages} and {controls} over the WebSocket, {}", text::bytes(side.bytes));
        let closed = side.close.map(|code| format!("closed with {} ({})", code.0, code.words()));
        let lossy = side.lossy.then(|| "frames are missing".to_owned());
        let words: Vec<String> = [Some(counts), closed, lossy].into_iter().flatten().collect();
        out.push(Fact::Pair(label, words.join("; "), false));
    }
    if let Some(deflate) = &websocket.deflate {
        let mut words = vec!["permessage-deflate".to_owned()];
        let own = deflate.no_context_takeover.iter().zip(&deflate.max_window_bits);
        for (name, (anew, bits)) in ["client", "server"].into_iter().zip(own) {
            if *anew {
                words.push(format!("the {name} compresses each message by itself"));
            }
            if let Some(bits) = bits {
                words.push(format!("the {name}'s window is 2^{bits} bytes"));
            }
        }
        out.push(Fact::Pair("Compression", words.join(", "), false));
    }
}

fn endpoints(exchange: &Exchange, out: &mut Vec<Fact>) {
    let transport = match exchange.transport {
        Transport::Tcp => "TCP",
        Transport::Udp => "UDP",
    };
    let micros = exchange.end_time.nanos_since(exchange.time).max(0) as u64 / 1_000;
    if let Some(told) = exchange.reported {
        reported(exchange, told, out);
    } else {
        out.push(Fact::Pair("Client", exchange.client.to_string(), true));
        out.push(Fact::Pair("Server", exchange.server.to_string(), true));
        out.push(Fact::Pair("Transport", format!("{transport}, flow opened by frame {}", exchange.flow.0), false));
    }
    if let Some(proxied) = &exchange.proxied {
        let target = clean_to(proxied.target.as_bytes(), 256);
        let words = format!(
            "{} to {target}, frame {}: the server's address is the proxy's",
            proxied.kind.words(),
            proxied.frame
        );
        out.push(Fact::Pair("Through a proxy", words, false));
    }
    if exchange.reported.is_none() {
        out.push(Fact::Pair("In", frames(exchange.first_frame, exchange.last_frame), false));
    }
    out.push(Fact::Pair("Began", format!("{} {} UTC", exchange.time.date(), exchange.time.time_of_day(6)), false));
    out.push(Fact::Pair("Took", text::duration(micros), false));
}

/// What a HAR file says of the connection: who asked, over what, is not in it.
fn reported(exchange: &Exchange, told: Reported, out: &mut Vec<Fact>) {
    let end = told.offset.saturating_add(told.len);
    let bytes = format!("bytes {} to {} of the file", text::count(told.offset), text::count(end));
    out.push(Fact::Pair("Told in", format!("entry {} of the HAR file, {bytes}", exchange.first_frame), false));
    out.push(Fact::Pair("Server", exchange.server.to_string(), true));
    let first = format!("the one of entry {}", exchange.flow.0);
    out.push(Fact::Pair("Connection", first, false));
}

/// DNS answers and address facts that speak for this exchange.
fn outside(record: &Record, out: &mut Vec<Fact>) {
    let mut titled = false;
    for (i, evidence) in record.ledger.iter().enumerate() {
        let label = match evidence.place.part {
            Part::Dns => "DNS answer",
            Part::Address | Part::ToldAddress => "Address",
            Part::Request | Part::Response | Part::Body | Part::ClientHello | Part::Certificate(_) => continue,
        };
        if !titled {
            out.push(Fact::Section("Where the name and the address lead".to_owned()));
            titled = true;
        }
        let frame =
            evidence.place.frames.first().map_or_else(String::new, |f| format!(", {} {f}", record.exchange.unit()));
        out.push(Fact::Pair(label, format!("{} (evidence {}{frame})", clean_to(&evidence.text, 400), i + 1), true));
    }
}

fn quic_facts(quic: &QuicFacts, out: &mut Vec<Fact>) {
    out.push(Fact::Pair("QUIC version", quic.version.word(), false));
    if !quic.negotiated.is_empty() {
        let versions: Vec<_> = quic.negotiated.iter().map(|v| v.word()).collect();
        out.push(Fact::Pair("Named instead", versions.join(", "), false));
    }
    if quic.retry {
        out.push(Fact::Pair("Retry", "the server had the client's address confirmed".to_owned(), false));
    }
    if quic.zero_rtt {
        out.push(Fact::Pair("0-RTT", "the client sent early data".to_owned(), false));
    }
    if quic.datagrams > 0 {
        let words = format!("{}, not read", text::plural(quic.datagrams, "datagram", "datagrams"));
        out.push(Fact::Pair("Outside streams", words, false));
    }
    for (label, ids) in [("Client's ids", &quic.client_ids), ("Server's ids", &quic.server_ids)] {
        let ids: Vec<_> = ids.iter().filter(|id| !id.is_empty()).take(8).map(|id| hex(id)).collect();
        if !ids.is_empty() {
            out.push(Fact::Pair(label, ids.join(", "), true));
        }
    }
}

fn handshake(tls: &TlsSession, now: Timestamp, out: &mut Vec<Fact>) {
    let carrier = match tls.transport {
        TlsTransport::Tcp => "TLS over TCP",
        TlsTransport::Quic => "TLS inside QUIC",
        TlsTransport::Dtls => "DTLS over UDP",
    };
    out.push(Fact::Section(format!("Handshake, {carrier}")));
    if let Some(quic) = &tls.quic {
        quic_facts(quic, out);
    }
    match &tls.client_hello {
        None => out.push(Fact::Pair("ClientHello", "not in the capture".to_owned(), false)),
        Some(hello) => {
            let sni = hello.sni_bytes().map_or_else(|| NO_NAME.into(), |name| clean_to(name, 256));
            out.push(Fact::Pair("Server name", sni.into_owned(), true));
            let alpn: Vec<_> =
                hello.alpn.iter().take(32).map(|r| clean_to(r.of(&hello.block), 40).into_owned()).collect();
            if !alpn.is_empty() {
                out.push(Fact::Pair("Protocols offered", alpn.join(", "), true));
            }
            if hello.version > 0 {
                out.push(Fact::Pair("Highest version", tls_version(hello.version), false));
            }
            if let Some(digest) = &hello.ja3 {
                out.push(Fact::Pair("JA3", hex(digest), true));
            }
            if !hello.ja4.is_empty() {
                out.push(Fact::Pair("JA4", clean_to(hello.ja4.as_bytes(), 80).into_owned(), true));
            }
            if hello.ech {
                out.push(Fact::Pair(
                    "Encrypted hello",
                    "an extension is there; whether it is true or made up (GREASE) shows to nobody without the key"
                        .to_owned(),
                    false,
                ));
            }
            out.push(Fact::Pair("ClientHello", format!("frame {}", hello.frame), false));
        }
    }
    match &tls.server_hello {
        None => out.push(Fact::Pair("ServerHello", "not in the capture".to_owned(), false)),
        Some(hello) => {
            out.push(Fact::Pair("Version", tls_version(hello.version), false));
            out.push(Fact::Pair("Cipher suite", format!("0x{:04x}", hello.cipher), true));
            if let Some(alpn) = &hello.alpn {
                out.push(Fact::Pair("Protocol", clean_to(alpn, 40).into_owned(), true));
            }
            let retry = if hello.retry { ", a retry request" } else { "" };
            out.push(Fact::Pair("ServerHello", format!("frame {}{retry}", hello.frame), false));
        }
    }
    match tls.decryption {
        Decryption::NotTried => {}
        Decryption::Opened { records, failed } => {
            let (one, many) = Decryption::unit(tls.transport);
            let mut words = text::plural(records, &format!("{one} opened"), &format!("{many} opened"));
            if failed > 0 {
                words = format!("{words}, {} could not be authenticated", text::count(failed));
            }
            out.push(Fact::Pair("With keys", words, false));
        }
        sealed => out.push(Fact::Pair("With keys", format!("not opened: {}", sealed.why_not()), false)),
    }
    let [sent, received] = tls.bytes;
    out.push(Fact::Pair("Sent", text::bytes(sent), false));
    out.push(Fact::Pair("Received", text::bytes(received), false));
    if tls.certificates.is_empty() {
        out.push(Fact::Section("Certificates".to_owned()));
        out.push(Fact::Pair("Chain", "not visible (TLS 1.3 encrypts it; or the capture lacks it)".to_owned(), false));
    }
    if !tls.certificates.is_empty() {
        out.push(Fact::Section("Certificates".to_owned()));
        trust_facts(tls.trust.as_deref(), out);
        out.push(Fact::Pair("As sent", chain_words(tls), false));
        stapled_facts(&tls.stapled, now, out);
    }
    for (i, certificate) in tls.certificates.iter().enumerate() {
        let title =
            if i == 0 { "Certificate of the server".to_owned() } else { format!("Certificate {} of the chain", i + 1) };
        out.push(Fact::Section(title));
        certificate_facts(certificate, out);
    }
    for certificate in &tls.client_certificates {
        out.push(Fact::Section("Certificate of the client".to_owned()));
        certificate_facts(certificate, out);
    }
}

/// What the check against the public roots came to.
fn trust_facts(trust: Option<&Trust>, out: &mut Vec<Fact>) {
    let Some(trust) = trust else { return };
    if trust.is_verified() {
        out.push(Fact::Pair("Chain", sentence(&trust.sentence()), false));
    } else {
        out.push(Fact::Caution(format!("Chain {}", trust.sentence())));
    }
    if let Some(root) = &trust.root {
        let name = clean_to(root.name.as_bytes(), 120);
        out.push(Fact::Pair("Root", format!("{name}, {}", root.lists()), false));
        out.push(Fact::Pair("Root's SHA-256", prepared::grouped_hex(&root.sha256), true));
    }
    out.push(Fact::Pair("Checked against", trust.list_words(), false));
}

/// What stands beside the chain.
fn stapled_facts(stapled: &Stapled, now: Timestamp, out: &mut Vec<Fact>) {
    match &stapled.ocsp {
        Some(answer) if answer.status == OcspStatus::Revoked => {
            out.push(Fact::Caution(format!("Stapled OCSP answer, not checked: {}", answer.words(now))));
        }
        Some(answer) => {
            out.push(Fact::Pair("OCSP staple", format!("{} (its signature is not checked)", answer.words(now)), false));
        }
        None if stapled.ocsp_unread => out.push(Fact::Pair("OCSP staple", "cannot be read".to_owned(), false)),
        None => {}
    }
    let timestamps = stapled.timestamp_words();
    if !timestamps.is_empty() {
        out.push(Fact::Pair("Log timestamps", format!("{timestamps} (their signatures are not checked)"), false));
    }
}

/// The certificates as sent, from the server's own to the last.
fn chain_words(tls: &TlsSession) -> String {
    let name = |c: &Arc<Certificate>| {
        let name = c.subject_cn.as_ref().or(c.subject_org.as_ref()).or_else(|| c.names.first());
        name.map_or_else(|| "unnamed".to_owned(), |n| clean_to(n.as_bytes(), 80).into_owned())
    };
    tls.certificates.iter().map(name).collect::<Vec<_>>().join(" ← ")
}

fn certificate_facts(certificate: &Certificate, out: &mut Vec<Fact>) {
    let said = |text: &Option<String>| text.as_ref().map(|t| clean_to(t.as_bytes(), 256).into_owned());
    let both = |cn: Option<String>, org: Option<String>| match (cn, org) {
        (Some(cn), Some(org)) => format!("{cn} ({org})"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => "unnamed".to_owned(),
    };
    out.push(Fact::Pair("Subject", both(said(&certificate.subject_cn), said(&certificate.subject_org)), false));
    let names: Vec<_> =
        certificate.names.iter().take(LISTED).map(|n| clean_to(n.as_bytes(), 256).into_owned()).collect();
    if !names.is_empty() {
        let more = certificate.names.len().saturating_sub(LISTED);
        let tail = if more > 0 { format!(" and {} more", text::count(more as u64)) } else { String::new() };
        out.push(Fact::Pair("Names", format!("{}{tail}", names.join(", ")), true));
    }
    out.push(Fact::Pair("Issuer", both(said(&certificate.issuer_cn), said(&certificate.issuer_org)), false));
    let days = format!("{} to {}", certificate.not_before.date(), certificate.not_after.date());
    out.push(Fact::Pair("Valid", days, false));
    out.push(Fact::Pair("SHA-256", prepared::grouped_hex(&certificate.sha256), true));
}

fn lookup(dns: &DnsLookup, out: &mut Vec<Fact>) {
    out.push(Fact::Section("DNS lookup".to_owned()));
    for question in dns.questions.iter().take(LISTED) {
        let words = format!("{} {}", clean(question.name.as_bytes()), type_name(question.qtype));
        out.push(Fact::Pair("Question", words, true));
    }
    if let Some(frame) = dns.query_frame {
        out.push(Fact::Pair("Asked in", format!("frame {frame}{}", dns.over.words()), false));
    }
    let Some(response) = &dns.response else {
        out.push(Fact::Pair("Answer", "not in the capture".to_owned(), false));
        return;
    };
    let words = format!("{}, frame {}", text::rcode(u16::from(response.rcode)), response.frame);
    out.push(Fact::Pair("Answered", words, false));
    for record in response.answers.iter().take(LISTED) {
        let words = format!(
            "{} {} {}  ({} s)",
            clean_to(record.name.as_bytes(), 256),
            type_name(record.rtype),
            clean_to(record.value.as_bytes(), 400),
            text::count(u64::from(record.ttl)),
        );
        out.push(Fact::Pair("Record", words, true));
    }
    if response.answers.len() > LISTED {
        let more = response.answers.len() - LISTED;
        out.push(Fact::Pair("", format!("and {} more", text::count(more as u64)), false));
    }
}

/// `frame 7`, `frames 7–9`.
fn frames(first: FrameNo, last: FrameNo) -> String {
    if first == last { format!("frame {first}") } else { format!("frames {first}–{last}") }
}

#[cfg(test)]
mod tests {
    use super::filter_of;

    #[track_caller]
    fn check(label: &str, value: &str, want: Option<&str>) {
        let got = filter_of(label, value).map(|filter| filter.to_string());
        assert_eq!(got.as_deref(), want, "{label} {value}");
    }

    #[test]
    fn facts_that_a_key_asks_for_become_filters() {
        check("Client", "192.168.1.23:49152", Some("ip:192.168.1.23"));
        check("Server", "[2001:db8::7]:443", Some("ip:2001:db8::7"));
        check("Server name", "www.example.com", Some("sni=www.example.com"));
        check("Server name", "none", None);
        check("Question", "www.example.com AAAA", Some("host=www.example.com"));
        check("Record", "www.example.com CNAME edge.example.net  (60 s)", Some("cname=edge.example.net"));
        check("Record", "www.example.com A 192.0.2.1  (60 s)", Some("ip:192.0.2.1"));
        check("Record", "www.example.com TXT \"v=spf1\"  (60 s)", Some("host=www.example.com"));
        check("Transport", "TCP, flow opened by frame 4", Some("stream:4"));
        check("In", "frames 4–9", Some("frame:4..9"));
        check("In", "frame 7", Some("frame:7"));
        check("Took", "12 ms", None);
    }
}
