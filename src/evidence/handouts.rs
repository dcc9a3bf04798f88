//! Which earlier response gave a client the URL that it asks for.
//!
//! Comes in: the links that responses hand out, in capture order. Goes out: the one that an asked URL was taken from.
//! Never: a link that the client saw only after it asked, or one that another client was given.
//!
//! The memory is bounded in bytes: the oldest links are forgotten first, and counted.

use core::net::IpAddr;
use std::collections::VecDeque;
use std::sync::Arc;

use ahash::AHashMap;

use crate::model::{ExchangeNo, FlowId, FrameNo, GiverNo, HandOut, LinkMatch, Timestamp, WriteMatch};
use crate::protocols::links::{Link, LinkForm, LinkKeys, host_key, keys, token_keys};

/// Earlier mentions of one key that are looked at for one that fits.
const LOOK_BACK: usize = 32;
/// What a mention costs beside its texts, with its keys, in bytes.
const MENTION_BYTES: usize = 400;
/// Characters of a quoted link that a verdict keeps.
const QUOTED_BYTES: usize = 2_048;

/// Links of one response, as far as they were seen, and whose response it is.
#[derive(Clone, Debug)]
pub struct Given {
    /// The flow.
    pub flow: FlowId,
    /// The number of its exchange among those of the flow: with the flow it names the response.
    pub ordinal: u32,
    /// Who received it.
    pub client: IpAddr,
    /// The host that the request named.
    pub host: Box<str>,
    /// When the bytes came.
    pub time: Timestamp,
    /// The links.
    pub links: Vec<Link>,
}

/// Whose response a mention stands in.
#[derive(Debug)]
struct Giver {
    no: GiverNo,
    client: IpAddr,
    host: Box<str>,
}

#[derive(Debug)]
struct Mention {
    giver: Arc<Giver>,
    time: Timestamp,
    link: Link,
}

/// One key of one mention, and the key's entry before it.
#[derive(Debug)]
struct Entry {
    mention: u64,
    earlier: Option<u64>,
}

/// Kinds of keys: each has its own corner of the index.
const HOST_PATH: u64 = 0x9e37_79b9_7f4a_7c15;
const TOKEN: u64 = 0xc2b2_ae3d_27d4_eb4f;
const HOST: u64 = 0x1656_67b1_9e37_79f9;

/// The links seen so far, by what they name.
#[derive(Debug)]
pub(super) struct HandOuts {
    mentions: VecDeque<Mention>,
    /// Number of the first mention that is still there.
    first_mention: u64,
    entries: VecDeque<Entry>,
    first_entry: u64,
    latest: AHashMap<u64, u64>,
    bytes: usize,
    limit: usize,
    open: AHashMap<(FlowId, u32), Arc<Giver>>,
    givers: u32,
    forgotten: u64,
}

/// What a search found.
#[derive(Debug)]
pub(super) enum Search {
    /// The link.
    Found(Box<HandOut>),
    /// Only other clients were given it.
    OtherClient,
    /// Nothing.
    Nothing,
}

impl HandOuts {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            mentions: VecDeque::new(),
            first_mention: 0,
            entries: VecDeque::new(),
            first_entry: 0,
            latest: AHashMap::new(),
            bytes: 0,
            limit,
            open: AHashMap::new(),
            givers: 0,
            forgotten: 0,
        }
    }

    /// How many links were forgotten to make room.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Remembers links.
    pub(super) fn learn(&mut self, given: Given) {
        let giver = if let Some(giver) = self.open.get(&(given.flow, given.ordinal)) {
            Arc::clone(giver)
        } else {
            let giver = Arc::new(Giver { no: GiverNo(self.givers), client: given.client, host: given.host });
            self.givers = self.givers.saturating_add(1);
            self.open.insert((given.flow, given.ordinal), Arc::clone(&giver));
            giver
        };
        for mut link in given.links {
            // Most stand there in normal form already: one text is enough.
            if *link.text == *link.url.as_bytes() {
                link.text = Box::default();
            }
            let number = self.first_mention + self.mentions.len() as u64;
            if let Some(keys) = keys(&link.url) {
                self.enter(keys.exact, number);
                self.enter(keys.host_path ^ HOST_PATH, number);
                if let Some(host) = host_of(&link.url) {
                    self.enter(host_key(host) ^ HOST, number);
                }
                for token in keys.tokens {
                    self.enter(token ^ TOKEN, number);
                }
            } else {
                for token in token_keys(&link.text) {
                    self.enter(token ^ TOKEN, number);
                }
            }
            self.bytes += MENTION_BYTES + link.text.len() + link.url.len() + link.field.len();
            self.mentions.push_back(Mention { giver: Arc::clone(&giver), time: given.time, link });
        }
        while self.bytes > self.limit && self.forget() {}
    }

    /// The response is over and stands in the table; gives the number that mentions know it by, if it gave any.
    pub(super) fn arrived(&mut self, flow: FlowId, ordinal: u32) -> Option<GiverNo> {
        self.open.remove(&(flow, ordinal)).map(|giver| giver.no)
    }

    fn enter(&mut self, key: u64, mention: u64) {
        let number = self.first_entry + self.entries.len() as u64;
        let earlier = self.latest.insert(key, number);
        self.entries.push_back(Entry { mention, earlier });
    }

    fn forget(&mut self) -> bool {
        let Some(old) = self.mentions.pop_front() else { return false };
        self.bytes =
            self.bytes.saturating_sub(MENTION_BYTES + old.link.text.len() + old.link.url.len() + old.link.field.len());
        self.first_mention += 1;
        self.forgotten += 1;
        while self.entries.front().is_some_and(|e| e.mention < self.first_mention) {
            self.entries.pop_front();
            self.first_entry += 1;
        }
        // Keys whose entries are all gone are swept out once they are the greater part.
        if self.latest.len() > 2 * self.entries.len() + 1_024 {
            let first = self.first_entry;
            self.latest.retain(|_, entry| *entry >= first);
        }
        true
    }

    /// The latest fitting mention of `url` (in normal form, with its keys) that `client` had received before frame
    /// `before`.
    pub(super) fn find(&self, url: &str, asked: &LinkKeys, client: IpAddr, before: FrameNo) -> Search {
        let place = host_path(url);
        let mut elsewhere = false;
        let exact = |m: &Mention| same_url(&m.link.url, url);
        let by_place = |m: &Mention| !m.link.url.is_empty() && host_path(&m.link.url) == place;
        let path = place.split_once('/').map_or("", |(_, path)| path);
        let found = self
            .search(asked.exact, client, before, &mut elsewhere, exact)
            .map(|m| (m, LinkMatch::Exact))
            .or_else(|| {
                let key = asked.host_path ^ HOST_PATH;
                self.search(key, client, before, &mut elsewhere, by_place).map(|m| (m, LinkMatch::HostAndPath))
            })
            .or_else(|| {
                asked.tokens.iter().find_map(|token| {
                    let shared = |m: &Mention| shares_token(m, path);
                    let found = self.search(token ^ TOKEN, client, before, &mut elsewhere, shared);
                    found.map(|m| (m, LinkMatch::PathToken))
                })
            });
        Self::outcome(found, elsewhere)
    }

    /// The latest mention of a URL at `host`, for connections whose paths are sealed.
    pub(super) fn find_host(&self, host: &str, client: IpAddr, before: FrameNo) -> Search {
        let mut elsewhere = false;
        let same = |m: &Mention| host_of(&m.link.url) == Some(host);
        let found = self.search(host_key(host) ^ HOST, client, before, &mut elsewhere, same);
        Self::outcome(found.map(|m| (m, LinkMatch::Host)), elsewhere)
    }

    fn outcome(found: Option<(&Mention, LinkMatch)>, elsewhere: bool) -> Search {
        match found {
            Some((mention, how)) => Search::Found(Box::new(mention.quote(how))),
            None if elsewhere => Search::OtherClient,
            None => Search::Nothing,
        }
    }

    fn search(
        &self,
        key: u64,
        client: IpAddr,
        before: FrameNo,
        elsewhere: &mut bool,
        fits: impl Fn(&Mention) -> bool,
    ) -> Option<&Mention> {
        let mut next = self.latest.get(&key).copied();
        for _ in 0..LOOK_BACK {
            let entry = self.entries.get(usize::try_from(next?.checked_sub(self.first_entry)?).ok()?)?;
            next = entry.earlier;
            let at = entry.mention.checked_sub(self.first_mention).and_then(|n| usize::try_from(n).ok())?;
            let Some(mention) = self.mentions.get(at) else { continue };
            if mention.link.frame >= before || !fits(mention) {
                continue;
            }
            // A host has an address of each family.
            let own = mention.giver.client == client || mention.giver.client.is_ipv4() != client.is_ipv4();
            if own {
                return Some(mention);
            }
            *elsewhere = true;
        }
        None
    }
}

impl Mention {
    fn quote(&self, how: LinkMatch) -> HandOut {
        let text = if self.link.text.is_empty() { self.link.url.as_bytes() } else { &self.link.text };
        let text = text.get(..QUOTED_BYTES).unwrap_or(text);
        HandOut {
            giver: self.giver.no,
            host: self.giver.host.as_ref().to_owned(),
            site: psl::domain_str(&self.giver.host).map(str::to_owned),
            frame: self.link.frame,
            time: self.time,
            field: self.link.field.as_ref().to_owned(),
            form: form_words(self.link.form),
            text: text.to_vec(),
            offset: self.link.offset,
            how,
        }
    }
}

/// What a link was found in.
const FORMS: [&str; 6] = ["JSON", "HTML", "XML", "binary property list", "text", "header field"];

/// Every word for what a link was found in.
pub(super) fn forms() -> impl Iterator<Item = &'static str> {
    FORMS.into_iter()
}

fn form_words(form: LinkForm) -> &'static str {
    let [json, html, xml, plist, text, header] = FORMS;
    match form {
        LinkForm::Json => json,
        LinkForm::Html => html,
        LinkForm::Xml => xml,
        LinkForm::Plist => plist,
        LinkForm::Text => text,
        LinkForm::Header => header,
    }
}

/// What the client's side knows of earlier exchanges of one client, for the reasons why a hand-out is missing.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts of one client")]
pub(super) struct Unseen {
    pub(super) sealed: bool,
    pub(super) gaps: bool,
    pub(super) not_decoded: bool,
    pub(super) late: bool,
    /// The capture's own counters tell of dropped packets.
    pub(super) dropped: bool,
    /// Another client was given the URL.
    pub(super) other_client: bool,
    /// Links were forgotten to make room.
    pub(super) forgotten: bool,
}

const SEALED: &str = "Earlier connections of this client are sealed: a URL that came inside them cannot be seen.";
const GAPS: &str = "Bytes of this client's earlier responses are missing from the capture.";
const DROPPED: &str = "Packets were dropped while this was captured: the response that gave the URL may be among them.";
const NOT_DECODED: &str = "A body that this client received earlier could not be decoded.";
const LATE: &str = "The capture begins in the middle of this client's connections: the URL may have come before.";
const OTHER: &str = "Another client of this capture was given this URL; this one was not.";
const FULL: &str = "The memory for handed-out URLs was full, and the oldest were forgotten.";
const NOTHING: &str = "No earlier response to this client in the capture names it: it may be built into the program, \
                       typed, kept from earlier, or put together from parts.";

/// Every sentence of [`reasons`].
pub(super) const REASONS: [&str; 8] = [SEALED, GAPS, DROPPED, NOT_DECODED, LATE, OTHER, FULL, NOTHING];

/// Why no hand-out was found.
pub(super) fn reasons(unseen: Unseen) -> Vec<&'static str> {
    [
        (unseen.sealed, SEALED),
        (unseen.gaps, GAPS),
        (unseen.dropped, DROPPED),
        (unseen.not_decoded, NOT_DECODED),
        (unseen.late, LATE),
        (unseen.other_client, OTHER),
        (unseen.forgotten, FULL),
        (true, NOTHING),
    ]
    .into_iter()
    .filter_map(|(holds, sentence)| holds.then_some(sentence))
    .collect()
}

/// Where an upload went, and what it was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Upload {
    pub(super) exchange: ExchangeNo,
    pub(super) frame: FrameNo,
    pub(super) client: IpAddr,
    pub(super) sha256: [u8; 32],
    pub(super) md5: Option<[u8; 16]>,
}

/// Accepted uploads remembered; the oldest are forgotten first.
const UPLOADS: usize = 32_768;
/// Bodies shorter than this are equal by chance: `{}`, `ok`, an empty form.
const TELLING_BYTES: u64 = 64;

/// What an answer shows of its body: length and SHA-256, where it came whole; the MD5 that its head names.
type Answered = (Option<(u64, [u8; 32])>, Option<[u8; 16]>);

/// What an upload is found again by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Bytes([u8; 32]),
    Hash([u8; 16]),
    Place(u64),
}

/// What this capture's clients wrote.
#[derive(Debug, Default)]
pub(super) struct Uploads {
    found: AHashMap<Key, Upload>,
    order: VecDeque<(ExchangeNo, [Option<Key>; 3])>,
}

impl Uploads {
    /// Remembers an accepted upload of so many bytes to `url` (in normal form).
    pub(super) fn learn(&mut self, upload: Upload, bytes: u64, url: &str) {
        let Some(place) = keys(url).map(|k| k.host_path).filter(|_| bytes >= TELLING_BYTES) else { return };
        let keys = [Some(Key::Bytes(upload.sha256)), upload.md5.map(Key::Hash), Some(Key::Place(place))];
        for key in keys.into_iter().flatten() {
            match key {
                // What was written first counts; of a place, what was written last.
                Key::Bytes(_) | Key::Hash(_) => *self.found.entry(key).or_insert(upload),
                Key::Place(_) => self.found.insert(key, upload).unwrap_or(upload),
            };
        }
        self.order.push_back((upload.exchange, keys));
        if self.order.len() > UPLOADS
            && let Some((old, keys)) = self.order.pop_front()
        {
            for key in keys.into_iter().flatten() {
                // Another upload may hold the key.
                if self.found.get(&key).is_some_and(|u| u.exchange == old) {
                    self.found.remove(&key);
                }
            }
        }
    }

    /// The upload whose bytes came back, or whose MD5 the answer names, else one to the same place.
    pub(super) fn find(
        &self,
        asked: &LinkKeys,
        (body, named): Answered,
        client: IpAddr,
        before: FrameNo,
    ) -> Option<(Upload, WriteMatch)> {
        let body = body.filter(|b| b.0 >= TELLING_BYTES).map(|b| Key::Bytes(b.1));
        let place = Some(Key::Place(asked.host_path));
        let by = |key: Option<Key>, how| {
            let upload = self.found.get(&key?).filter(|u| u.client == client && u.frame < before)?;
            Some((*upload, how))
        };
        by(body, WriteMatch::SameBytes)
            .or_else(|| by(named.map(Key::Hash), WriteMatch::SameHash))
            .or_else(|| by(place, WriteMatch::SamePlace))
    }
}

/// Host of a URL in normal form, without a port.
fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    Some(authority.rsplit_once(':').map_or(authority, |(host, _)| host))
}

/// Host, port and path of a URL in normal form.
fn host_path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('?').next().unwrap_or(rest)
}

/// `ws` asks in the form of `http`.
fn same_url(given: &str, asked: &str) -> bool {
    given == asked || given.strip_prefix("ws").zip(asked.strip_prefix("http")).is_some_and(|(a, b)| a == b)
}

/// Whether the mention holds a long token of that path.
fn shares_token(mention: &Mention, path: &str) -> bool {
    let text = if mention.link.url.is_empty() {
        String::from_utf8_lossy(&mention.link.text)
    } else {
        (&*mention.link.url).into()
    };
    path.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
        .filter(|part| !token_keys(part.as_bytes()).is_empty())
        .any(|part| text.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::links::LinkCoding;

    const CLIENT: IpAddr = IpAddr::V4(core::net::Ipv4Addr::new(10, 0, 0, 1));
    const OTHER_CLIENT: IpAddr = IpAddr::V4(core::net::Ipv4Addr::new(10, 0, 0, 2));

    fn given(ordinal: u32, frame: u32, url: &str) -> Given {
        let link = Link {
            text: url.as_bytes().into(),
            url: if url.contains("://") { url.into() } else { "".into() },
            offset: 0,
            frame: FrameNo(frame),
            field: "url".into(),
            form: LinkForm::Json,
            coding: LinkCoding::Plain,
        };
        Given {
            flow: FlowId(1),
            ordinal,
            client: CLIENT,
            host: "api.example.com".into(),
            time: Timestamp(0),
            links: vec![link],
        }
    }

    fn find(known: &HandOuts, asked: &str, client: IpAddr, before: u32) -> Search {
        known.find(asked, &keys(asked).unwrap(), client, FrameNo(before))
    }

    #[track_caller]
    fn check(links: &[(u32, &str)], asked: &str, before: u32, want: Option<(u32, LinkMatch)>) {
        let mut known = HandOuts::new(1 << 20);
        for (frame, url) in links {
            known.learn(given(*frame, *frame, url));
        }
        let got = match find(&known, asked, CLIENT, before) {
            Search::Found(h) => Some((h.frame.0, h.how)),
            Search::OtherClient | Search::Nothing => None,
        };
        assert_eq!(got, want, "{asked}");
    }

    #[test]
    fn the_latest_mention_before_the_request_counts() {
        let url = "http://store.example/a?sig=1";
        check(&[(5, url), (9, url), (20, url)], url, 12, Some((9, LinkMatch::Exact)));
        check(&[(20, url)], url, 12, None);
        check(&[(12, url)], url, 12, None);
        check(&[(5, "http://store.example/a?sig=2")], url, 12, Some((5, LinkMatch::HostAndPath)));
        check(&[(5, "https://store.example/a?sig=1")], url, 12, Some((5, LinkMatch::HostAndPath)));
        check(&[(5, "http://store.example/b")], url, 12, None);
        check(&[(5, "http://store.example.evil.example/a?sig=1")], url, 12, None);
    }

    #[test]
    fn a_token_is_enough_where_the_client_puts_the_host_before_it() {
        let asked = "http://store.example/f3c1/a8F3k2Lq9Zx7Wm4R";
        check(&[(5, "a8F3k2Lq9Zx7Wm4R")], asked, 12, Some((5, LinkMatch::PathToken)));
        check(&[(5, "http://other.example/x/a8F3k2Lq9Zx7Wm4R")], asked, 12, Some((5, LinkMatch::PathToken)));
        check(&[(5, "a8F3k2Lq9Zx7Wm4S")], asked, 12, None);
    }

    #[test]
    fn what_another_client_was_given_is_no_hand_out() {
        let mut known = HandOuts::new(1 << 20);
        known.learn(given(1, 1, "http://a.example/x"));
        assert!(matches!(find(&known, "http://a.example/x", OTHER_CLIENT, 9), Search::OtherClient));
        assert!(
            matches!(known.find_host("a.example", CLIENT, FrameNo(9)), Search::Found(h) if h.how == LinkMatch::Host)
        );
    }

    #[test]
    fn the_oldest_is_forgotten_first_and_counted() {
        let mut known = HandOuts::new(4 * MENTION_BYTES);
        for n in 0..10 {
            known.learn(given(n, n, &format!("http://a.example/{n}")));
        }
        assert!(known.forgotten() > 0);
        assert!(matches!(find(&known, "http://a.example/0", CLIENT, 99), Search::Nothing));
        assert!(matches!(find(&known, "http://a.example/9", CLIENT, 99), Search::Found(_)));
        assert_eq!(known.arrived(FlowId(1), 9), Some(GiverNo(9)));
        assert_eq!(known.arrived(FlowId(1), 9), None);
    }

    #[test]
    fn what_was_written_is_found_again_by_its_bytes_and_by_its_place() {
        let mut uploads = Uploads::default();
        let upload = |exchange, frame, hash: u8| Upload {
            exchange: ExchangeNo(exchange),
            frame: FrameNo(frame),
            client: CLIENT,
            sha256: [hash; 32],
            md5: Some([hash; 16]),
        };
        uploads.learn(upload(3, 5, 7), 100, "http://s.example/a?sig=1");
        uploads.learn(upload(4, 6, 8), 2, "http://s.example/tiny");
        let find = |url, hash, named: Option<u8>, before| {
            let asked = keys(url).unwrap();
            let found =
                uploads.find(&asked, (Some((100, [hash; 32])), named.map(|n| [n; 16])), CLIENT, FrameNo(before));
            found.map(|(u, how)| (u.exchange.0, how))
        };
        assert_eq!(find("http://x.example/other", 7, None, 9), Some((3, WriteMatch::SameBytes)));
        assert_eq!(find("http://x.example/other", 9, Some(7), 9), Some((3, WriteMatch::SameHash)));
        assert_eq!(find("http://s.example/a", 9, None, 9), Some((3, WriteMatch::SamePlace)));
        assert_eq!(find("http://s.example/a", 7, Some(7), 5), None, "not written yet");
        assert_eq!(find("http://s.example/tiny", 8, Some(8), 9), None, "too short to tell");
    }
}
