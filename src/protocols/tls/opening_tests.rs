//! Decryption held against sessions that were recorded (`tests/captures/record_tls.py`) and against ones sealed here.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "builders of small known messages, no input"
)]
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use aes_gcm::aead::AeadInOut as _;
use aes_gcm::{Aes128Gcm, KeyInit as _};
use proptest::prelude::*;

use Side::{Client, Server};

use super::protection::{Protected, Protection};
use super::schedule::expand_label;
use super::suite::{Hash, suite};
use super::*;
use crate::model::{Decryption, KeyLog};

/// A recorded session: what the sides said in turn, and the key log.
struct Recorded {
    talk: Vec<(Side, Vec<u8>)>,
    keys: String,
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).map(|two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

fn sessions() -> &'static BTreeMap<String, Recorded> {
    static SESSIONS: OnceLock<BTreeMap<String, Recorded>> = OnceLock::new();
    SESSIONS.get_or_init(|| {
        let json = include_str!("../../../tests/captures/tls-sessions.json");
        let all: BTreeMap<String, serde_json::Value> = serde_json::from_str(json).unwrap();
        let one = |session: &serde_json::Value| Recorded {
            talk: session["talk"]
                .as_array()
                .unwrap()
                .iter()
                .map(|said| (if said[0] == 0 { Client } else { Server }, unhex(said[1].as_str().unwrap())))
                .collect(),
            keys: session["keys"].as_array().unwrap().iter().flat_map(|k| [k.as_str().unwrap(), "\n"]).collect(),
        };
        all.iter().map(|(name, session)| (name.clone(), one(session))).collect()
    })
}

fn log(text: &str) -> Arc<KeyLog> {
    let mut log = KeyLog::new(1 << 20);
    log.read(text.as_bytes());
    Arc::new(log)
}

fn growing(text: &str) -> Arc<KeyLog> {
    let mut log = KeyLog::new(1 << 20);
    log.read(text.as_bytes());
    log.growing = true;
    Arc::new(log)
}

/// What was read of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Read {
    /// Plaintext by side, without holes.
    plain: [Vec<u8>; 2],
    /// Each run of plaintext.
    runs: Vec<Vec<u8>>,
    holes: usize,
    ends: usize,
    sessions: Vec<TlsSession>,
    /// Of all sessions.
    odd: Vec<AnomalyKind>,
}

/// A connection that is fed.
struct Feeder {
    budget: Budget,
    connection: Connection,
    tools: Tools,
    out: Vec<Ended>,
    offsets: [u64; 2],
    frame: u32,
}

impl Feeder {
    fn new(keys: Arc<KeyLog>) -> Self {
        let tools = Tools { keys, ..Tools::default() };
        let budget = Budget::default();
        Self { connection: Connection::new(&budget), budget, tools, out: Vec::new(), offsets: [0; 2], frame: 0 }
    }

    fn run(&mut self, side: Side, len: usize, kind: RunKind<'_>) -> &mut Self {
        self.frame += 1;
        let offset = &mut self.offsets[usize::from(side == Server)];
        let run = Run { side, offset: *offset, frame: FrameNo(self.frame), time: Timestamp(0), kind };
        *offset += len as u64;
        self.connection.feed(&run, &mut self.tools, &mut self.out);
        self
    }

    fn say(&mut self, side: Side, bytes: &[u8]) -> &mut Self {
        self.run(side, bytes.len(), RunKind::Data(bytes.into()))
    }

    fn lose(&mut self, side: Side, len: usize) -> &mut Self {
        self.run(side, len, RunKind::Gap(len as u64))
    }

    fn finish(mut self) -> Read {
        self.connection.close(&mut self.tools, &mut self.out);
        self.connection.finish(self.offsets, &mut self.out);
        let mut read = Read::default();
        for run in self.tools.plain {
            match run.kind {
                RunKind::Data(bytes) => {
                    read.plain[usize::from(run.side == Server)].extend_from_slice(&bytes);
                    read.runs.push(bytes.into_owned());
                }
                RunKind::Gap(_) => read.holes += 1,
                RunKind::End => read.ends += 1,
            }
        }
        read.odd = self.out.iter().flat_map(|ended| ended.anomalies.iter().map(|a| a.kind)).collect();
        read.sessions = self.out.into_iter().map(|ended| ended.session).collect();
        read
    }
}

fn play(session: &Recorded, keys: Arc<KeyLog>) -> Read {
    let mut feeder = Feeder::new(keys);
    for (side, bytes) in &session.talk {
        feeder.say(*side, bytes);
    }
    feeder.finish()
}

fn requests() -> Vec<u8> {
    let first = "GET /first HTTP/1.1\r\nHost: www.example.com\r\nCookie: session=0123456789abcdef\r\n\r\n";
    let second = "POST /second HTTP/1.1\r\nHost: www.example.com\r\nContent-Length: 5\r\n\r\nhello";
    [first, second].concat().into_bytes()
}

#[test]
fn every_recorded_session_is_opened_whole() {
    assert_eq!(sessions().len(), 17);
    for (name, session) in sessions() {
        let read = play(session, log(&session.keys));
        assert_eq!(String::from_utf8_lossy(&read.plain[0]), String::from_utf8_lossy(&requests()), "{name}");
        assert!(read.plain[1].ends_with(b"HTTP/1.1 204 No Content\r\nServer: example\r\n\r\n"), "{name}");
        let [only] = &read.sessions[..] else { panic!("{name}: {} sessions", read.sessions.len()) };
        let Decryption::Opened { failed: 0, .. } = only.decryption else { panic!("{name}: {:?}", only.decryption) };
        assert_eq!(only.server_hello.as_ref().unwrap().alpn.as_deref(), Some(&b"http/1.1"[..]), "{name}");
        let certificates = usize::from(!name.ends_with("resumed"));
        assert_eq!(only.certificates.len(), certificates, "{name}");
        assert_eq!(read.holes, 0, "{name}");
    }
}

#[test]
fn what_is_not_opened_says_why() {
    let (first, other) = (&sessions()["13-aes128"], &sessions()["13-aes256"]);
    let why = |read: &Read| read.sessions[0].decryption;
    assert_eq!(why(&play(first, log(""))), Decryption::NotTried);
    assert_eq!(why(&play(first, log(&other.keys))), Decryption::NoSecret);
    assert_eq!(why(&play(&sessions()["12-gcm"], log(&other.keys))), Decryption::NoSecret);
    // The secrets of one session under the random of another.
    let random = first.keys.split(' ').nth(1).unwrap();
    let swapped = sessions()["13-chacha"].keys.replace(sessions()["13-chacha"].keys.split(' ').nth(1).unwrap(), random);
    let read = play(first, log(&swapped));
    assert_eq!((why(&read), read.runs.len()), (Decryption::SecretDoesNotFit, 0));
    // Only the application secrets: the handshake stays sealed, the rest is opened.
    let some: String = first.keys.lines().filter(|l| l.contains("TRAFFIC_SECRET_0")).flat_map(|l| [l, "\n"]).collect();
    let read = play(first, log(&some));
    assert_eq!(read.plain[0], requests());
    assert!(read.sessions[0].certificates.is_empty() && read.sessions[0].decryption.is_opened());
}

#[test]
fn secrets_that_come_after_the_records_still_open_them() {
    for (name, session) in sessions() {
        let want = play(session, log(&session.keys));
        for at in 0..session.talk.len() {
            let mut feeder = Feeder::new(growing(""));
            for (n, (side, bytes)) in session.talk.iter().enumerate() {
                if n == at {
                    feeder.tools.keys = growing(&session.keys);
                }
                feeder.say(*side, bytes);
            }
            feeder.tools.keys = growing(&session.keys);
            let read = feeder.finish();
            assert_eq!(
                (&read.plain, &read.sessions[0].decryption),
                (&want.plain, &want.sessions[0].decryption),
                "{name}"
            );
        }
        let read = play(session, growing(""));
        assert_eq!(read.sessions[0].decryption, Decryption::NoSecret, "{name}");
    }
}

#[test]
fn no_more_records_are_held_than_the_limit_allows() {
    let session = &sessions()["13-aes128"];
    let mut feeder = Feeder::new(growing(""));
    for (side, bytes) in &session.talk {
        feeder.say(*side, bytes);
    }
    let record = [vec![23, 3, 3, 0x40, 0], vec![7; 0x4000]].concat();
    for _ in 0..80 {
        feeder.say(Server, &record);
    }
    assert_eq!(feeder.budget.sealed_bytes.taken(), 0, "what was given up is freed");
    feeder.tools.keys = growing(&session.keys);
    feeder.say(Client, &[23, 3, 3, 0, 1, 0]);
    let (out, anomalies) = (feeder.connection.preview(), Limit::SealedBytes);
    assert!(out.unwrap().anomalies.iter().any(|a| a.kind == AnomalyKind::Limit(anomalies)));
    let read = feeder.finish();
    assert_eq!((read.sessions[0].decryption, read.runs.len()), (Decryption::SecretTooLate, 0));
}

#[test]
fn records_without_a_byte_hold_their_places() {
    let session = &sessions()["13-aes128"];
    let mut feeder = Feeder::new(growing(""));
    for (side, bytes) in &session.talk {
        feeder.say(*side, bytes);
    }
    let empty = [23, 3, 3, 0, 0].repeat(1_000);
    for _ in 0..40 {
        feeder.say(Server, &empty);
        assert!(feeder.budget.sealed_bytes.taken() <= feeder.budget.sealed_bytes_per_flow);
    }
    assert_eq!(feeder.finish().sessions[0].decryption, Decryption::SecretTooLate);
}

/// RFC 8448 section 3: the client's application data.
#[test]
fn opens_the_record_of_rfc_8448() {
    let secret = unhex("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5");
    let body = unhex(
        "a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4",
    );
    let mut keys = Protection::of_secret(suite(0x1301, true).unwrap(), 0x0304, &secret).unwrap();
    let record = Protected { kind: 23, version: 0x0303, body: &body };
    let (number, opened) = keys.open(0..=0, &record).unwrap();
    assert_eq!((number, opened.kind, opened.bytes), (0, 23, (0..50).collect::<Vec<u8>>()));
    assert!(keys.open(1..=3, &record).is_none());
}

/// Seals records as one side of TLS 1.3 does, with secrets of our own.
struct Sealer {
    secret: Vec<u8>,
    number: u64,
}

impl Sealer {
    fn new(byte: u8) -> Self {
        Self { secret: vec![byte; 32], number: 0 }
    }

    fn record(&mut self, kind: u8, content: &[u8]) -> Vec<u8> {
        let key = expand_label(Hash::Sha256, &self.secret, "key", 16).unwrap();
        let mut nonce = expand_label(Hash::Sha256, &self.secret, "iv", 12).unwrap();
        for (byte, other) in nonce.iter_mut().rev().zip(self.number.to_be_bytes().iter().rev()) {
            *byte ^= other;
        }
        self.number += 1;
        let mut bytes = [content, &[kind, 0, 0]].concat();
        let mut out = vec![23, 3, 3];
        out.extend(((bytes.len() + 16) as u16).to_be_bytes());
        let cipher = Aes128Gcm::new_from_slice(&key).unwrap();
        let nonce: [u8; 12] = nonce.as_slice().try_into().unwrap();
        cipher.encrypt_in_place(&nonce.into(), &out, &mut bytes).unwrap();
        out.extend(bytes);
        out
    }

    fn update(&mut self) {
        self.secret = expand_label(Hash::Sha256, &self.secret, "traffic upd", 32).unwrap().to_vec();
        self.number = 0;
    }
}

const EARLY: u8 = 1;
const CLIENT_HANDSHAKE: u8 = 2;
const SERVER_HANDSHAKE: u8 = 3;
const CLIENT_DATA: u8 = 4;
const SERVER_DATA: u8 = 5;

/// The hellos of a recorded session, and a key log with secrets of our own for it.
fn own() -> (Vec<u8>, Vec<u8>, Arc<KeyLog>) {
    let session = &sessions()["13-aes128"];
    let hello = session.talk[0].1.clone();
    let answer = &session.talk[1].1;
    let len = usize::from(u16::from_be_bytes([answer[3], answer[4]])) + 5;
    let random = session.keys.split(' ').nth(1).unwrap();
    let line = |label: &str, byte: u8| format!("{label} {random} {}\n", format!("{byte:02x}").repeat(32));
    let keys = [
        line("CLIENT_EARLY_TRAFFIC_SECRET", EARLY),
        line("CLIENT_HANDSHAKE_TRAFFIC_SECRET", CLIENT_HANDSHAKE),
        line("SERVER_HANDSHAKE_TRAFFIC_SECRET", SERVER_HANDSHAKE),
        line("CLIENT_TRAFFIC_SECRET_0", CLIENT_DATA),
        line("SERVER_TRAFFIC_SECRET_0", SERVER_DATA),
    ];
    (hello, answer[..len].to_vec(), log(&keys.concat()))
}

const FINISHED: &[u8] = &[20, 0, 0, 4, 1, 2, 3, 4];
const KEY_UPDATE: &[u8] = &[24, 0, 0, 1, 0];

#[test]
fn early_data_and_key_updates_are_followed() {
    let (hello, answer, keys) = own();
    let (mut early, mut server) = (Sealer::new(EARLY), Sealer::new(SERVER_HANDSHAKE));
    let mut feeder = Feeder::new(keys);
    feeder.say(Client, &hello);
    feeder.say(Client, &early.record(23, b"early "));
    feeder.say(Server, &answer);
    feeder.say(Server, &server.record(22, &[&[8, 0, 0, 6, 0, 4, 0, 42, 0, 0], FINISHED].concat()));
    feeder.say(Client, &early.record(22, &[5, 0, 0, 0]));
    feeder.say(Client, &Sealer::new(CLIENT_HANDSHAKE).record(22, FINISHED));
    let (mut client, mut server) = (Sealer::new(CLIENT_DATA), Sealer::new(SERVER_DATA));
    for turn in 0..3 {
        feeder.say(Client, &client.record(23, format!("asks {turn} ").as_bytes()));
        feeder.say(Server, &server.record(23, format!("says {turn} ").as_bytes()));
        feeder.say(Server, &server.record(22, KEY_UPDATE));
        server.update();
    }
    feeder.say(Server, &server.record(21, &[1, 0]));
    let read = feeder.finish();
    assert_eq!(String::from_utf8_lossy(&read.plain[0]), "early asks 0 asks 1 asks 2 ");
    assert_eq!(String::from_utf8_lossy(&read.plain[1]), "says 0 says 1 says 2 ");
    assert_eq!((read.ends, read.holes), (1, 0));
    assert_eq!(read.sessions[0].decryption, Decryption::Opened { records: 14, failed: 0 });
}

#[test]
fn refused_early_data_does_not_hide_what_follows() {
    let (hello, answer, keys) = own();
    let mut other = Sealer::new(99);
    let mut feeder = Feeder::new(keys);
    feeder.say(Client, &hello).say(Client, &other.record(23, b"lost")).say(Client, &other.record(23, b"lost"));
    feeder.say(Server, &answer).say(Server, &Sealer::new(SERVER_HANDSHAKE).record(22, FINISHED));
    feeder.say(Client, &Sealer::new(CLIENT_HANDSHAKE).record(22, FINISHED));
    feeder.say(Client, &Sealer::new(CLIENT_DATA).record(23, b"kept"));
    let read = feeder.finish();
    assert_eq!(read.plain[0], b"kept");
    assert_eq!(read.sessions[0].decryption, Decryption::Opened { records: 3, failed: 2 });
}

/// What EncryptedExtensions do not accept was said to nobody: the request that follows gets the answer.
#[test]
fn early_data_that_is_refused_is_no_request() {
    let (hello, answer, keys) = own();
    for (extensions, want) in [(&[8, 0, 0, 2, 0, 0][..], "again"), (&[8, 0, 0, 6, 0, 4, 0, 42, 0, 0], "early again")] {
        let mut feeder = Feeder::new(Arc::clone(&keys));
        let mut early = Sealer::new(EARLY);
        feeder.say(Client, &hello).say(Client, &early.record(23, b"early "));
        feeder.say(Server, &answer);
        feeder.say(Server, &Sealer::new(SERVER_HANDSHAKE).record(22, &[extensions, FINISHED].concat()));
        feeder.say(Client, &Sealer::new(CLIENT_HANDSHAKE).record(22, FINISHED));
        feeder.say(Client, &Sealer::new(CLIENT_DATA).record(23, b"again"));
        let read = feeder.finish();
        assert_eq!(String::from_utf8_lossy(&read.plain[0]), want);
        assert_eq!(read.odd.contains(&AnomalyKind::EarlyDataRefused), want == "again");
    }
}

/// A stage whose secret is not in the log stays sealed for that reason; nothing of it is damaged.
#[test]
fn a_secret_that_is_missing_is_no_damage() {
    let (hello, answer, _) = own();
    let session = &sessions()["13-aes128"];
    let random = session.keys.split(' ').nth(1).unwrap();
    let line = |label: &str, byte: u8| format!("{label} {random} {}\n", format!("{byte:02x}").repeat(32));
    let handshake = [
        line("CLIENT_HANDSHAKE_TRAFFIC_SECRET", CLIENT_HANDSHAKE),
        line("SERVER_HANDSHAKE_TRAFFIC_SECRET", SERVER_HANDSHAKE),
    ];
    let data = [line("CLIENT_TRAFFIC_SECRET_0", CLIENT_DATA), line("SERVER_TRAFFIC_SECRET_0", SERVER_DATA)];
    for (lines, want) in
        [(handshake.concat(), Decryption::NoSecret), (data.concat(), Decryption::Opened { records: 2, failed: 0 })]
    {
        let mut feeder = Feeder::new(log(&lines));
        feeder.say(Client, &hello).say(Server, &answer);
        feeder.say(Server, &Sealer::new(SERVER_HANDSHAKE).record(22, &[&[8, 0, 0, 2, 0, 0], FINISHED].concat()));
        feeder.say(Client, &Sealer::new(CLIENT_HANDSHAKE).record(22, FINISHED));
        feeder.say(Client, &Sealer::new(CLIENT_DATA).record(23, b"asks"));
        feeder.say(Server, &Sealer::new(SERVER_DATA).record(23, b"says"));
        let read = feeder.finish();
        assert_eq!(read.sessions[0].decryption, want);
        assert_eq!(read.odd, []);
    }
}

#[test]
fn behind_a_hole_records_are_opened_by_the_number_that_fits() {
    let (hello, answer, keys) = own();
    for lost in [1_usize, 2, 40] {
        let mut feeder = Feeder::new(Arc::clone(&keys));
        feeder.say(Client, &hello).say(Server, &answer);
        feeder.say(Server, &Sealer::new(SERVER_HANDSHAKE).record(22, FINISHED));
        let mut server = Sealer::new(SERVER_DATA);
        feeder.say(Server, &server.record(23, b"before"));
        let gone: Vec<u8> = (0..lost).flat_map(|_| server.record(23, b"gone with its frame")).collect();
        feeder.lose(Server, gone.len());
        feeder.say(Server, &server.record(23, b" after"));
        let read = feeder.finish();
        assert_eq!((&*read.plain[1], read.holes), (&b"before after"[..], 1), "{lost}");
    }
    // The KeyUpdate itself is lost.
    let mut feeder = Feeder::new(keys);
    feeder.say(Client, &hello).say(Server, &answer);
    feeder.say(Server, &Sealer::new(SERVER_HANDSHAKE).record(22, FINISHED));
    let mut server = Sealer::new(SERVER_DATA);
    feeder.say(Server, &server.record(23, b"before"));
    let gone = server.record(22, KEY_UPDATE);
    feeder.lose(Server, gone.len());
    server.update();
    feeder.say(Server, &server.record(23, b" after"));
    assert_eq!(feeder.finish().plain[1], b"before after");
}

/// In TLS 1.0 a record's first block hangs on the last block of the one before, which no digest behind ciphertext covers
/// (RFC 7366): a byte that changed there must not bring out a block that nobody said.
#[test]
fn behind_a_damaged_record_no_block_is_made_up() {
    let session = &sessions()["10-cbc"];
    let want = play(session, log(&session.keys));
    for turn in 0..session.talk.len() {
        for at in (0..session.talk[turn].1.len()).step_by(5) {
            let mut feeder = Feeder::new(log(&session.keys));
            for (n, (side, bytes)) in session.talk.iter().enumerate() {
                let mut bytes = bytes.clone();
                if n == turn {
                    bytes[at] ^= 0x1d;
                }
                feeder.say(*side, &bytes);
            }
            for run in &feeder.finish().runs {
                assert!(want.runs.contains(run), "{turn}, {at}: {:?}", String::from_utf8_lossy(run));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Any cut of the streams gives the same plaintext and the same session.
    #[test]
    fn any_cut_gives_the_same_plaintext(
        which in any::<prop::sample::Index>(),
        cuts in prop::collection::vec(1_usize..700, 1..40),
    ) {
        let (name, session) = sessions().iter().nth(which.index(sessions().len())).unwrap();
        let mut feeder = Feeder::new(log(&session.keys));
        let mut cuts = cuts.iter().cycle();
        for (side, bytes) in &session.talk {
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                let (piece, more) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
                feeder.say(*side, piece);
                rest = more;
            }
        }
        let (read, want) = (feeder.finish(), play(session, log(&session.keys)));
        prop_assert_eq!(&read.plain, &want.plain, "{}", name);
        prop_assert_eq!(read.sessions[0].decryption, want.sessions[0].decryption, "{}", name);
        prop_assert_eq!(&read.sessions[0].certificates, &want.sessions[0].certificates);
    }

    /// A changed byte or a lost stretch never brings out a byte that was not said.
    #[test]
    fn damage_never_shows_what_was_not_said(
        which in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1_u8..), 1..4),
        lose in any::<bool>(),
    ) {
        let (name, session) = sessions().iter().nth(which.index(sessions().len())).unwrap();
        let want = play(session, log(&session.keys));
        let mut talk = session.talk.clone();
        let mut holes = Vec::new();
        for (turn, at, change) in damage {
            let turn = turn.index(talk.len());
            let at = at.index(talk[turn].1.len());
            if lose {
                holes.push((turn, at, usize::from(change)));
            } else {
                talk[turn].1[at] ^= change;
            }
        }
        let mut feeder = Feeder::new(log(&session.keys));
        for (turn, (side, bytes)) in talk.iter().enumerate() {
            match holes.iter().find(|(t, ..)| *t == turn) {
                Some((_, at, len)) => {
                    let end = (at + len).min(bytes.len());
                    feeder.say(*side, &bytes[..*at]).lose(*side, end - at).say(*side, &bytes[end..]);
                }
                None => {
                    feeder.say(*side, bytes);
                }
            }
        }
        let read = feeder.finish();
        for run in &read.runs {
            prop_assert!(want.runs.contains(run), "{}: {:?}", name, String::from_utf8_lossy(run));
        }
    }
}
