//! A small world for the window's tests: exchanges written by hand, judged by the real matcher, and an engine that only
//! remembers what it was asked.

use std::cell::{Cell, RefCell};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};
use nephoscope::capture::{
    CaptureFacts, Counters, Device, DeviceError, DeviceKind, DeviceState, Orphan, Recorded, SocketOwner, Spool, Wish,
};
use nephoscope::engine::{Command, Handle, Notice, OpenNo, Source};
use nephoscope::evidence::{Known, Matcher, pack};
use nephoscope::model::{
    Anomaly, AnomalyKind, BlockSpan, Body, Budget, ByteRange, ClientHello, Decryption, Detail, DnsKind, DnsLookup,
    DnsOver, DnsQuestion, DnsRecord, DnsResponse, Endpoint, Exchange, ExchangeNo, Field, FlowId, FrameNo, HttpExchange,
    HttpMessage, HttpVersion, Ledger, Limit, LimitHit, ServerHello, Stapled, StartLine, Timestamp, TlsSession,
    TlsTransport, Transport, Verdict,
};
use nephoscope::store::{Facts, Progress, Record, Snapshot, Store};
use nephoscope::ui::{Machine, Recording};
use tempfile::TempDir;

/// The engine's side of the window's channels.
pub(crate) struct FakeEngine {
    commands: Receiver<Command>,
    asked: RefCell<Vec<Command>>,
    number: Cell<OpenNo>,
    notices: Sender<(OpenNo, Notice)>,
    snapshots: Sender<(OpenNo, Snapshot)>,
}

impl FakeEngine {
    fn listen(&self) {
        for mut command in self.commands.try_iter() {
            if let Command::Open(number, _) = &mut command {
                self.number.set(std::mem::take(number));
            }
            self.asked.borrow_mut().push(command);
        }
    }

    /// What it was asked since the last time, without the numbers of what was opened.
    pub(crate) fn commands(&self) -> Vec<Command> {
        self.listen();
        self.asked.take()
    }

    /// The number of what was opened last.
    pub(crate) fn number(&self) -> OpenNo {
        self.listen();
        self.number.get()
    }

    /// Publishes a snapshot of what was opened last.
    pub(crate) fn publish(&self, snapshot: Snapshot) {
        self.publish_of(self.number(), snapshot);
    }

    /// Publishes a snapshot of what was opened under that number.
    pub(crate) fn publish_of(&self, number: OpenNo, snapshot: Snapshot) {
        self.snapshots.send((number, snapshot)).expect("room for one");
    }

    /// Says something of what was opened last.
    pub(crate) fn notice(&self, notice: Notice) {
        self.notice_of(self.number(), notice);
    }

    /// Says something of what was opened under that number.
    pub(crate) fn notice_of(&self, number: OpenNo, notice: Notice) {
        self.notices.send((number, notice)).expect("room");
    }
}

/// The order to open something, as [`FakeEngine::commands`] gives it.
pub(crate) fn opened(source: Source) -> Command {
    Command::Open(OpenNo::default(), source)
}

pub(crate) fn engine() -> (FakeEngine, Handle) {
    let (commands, commands_out) = bounded(16);
    let (notices_in, notices) = bounded(64);
    let (snapshots_in, snapshots) = bounded(1);
    (
        FakeEngine {
            commands: commands_out,
            asked: RefCell::default(),
            number: Cell::default(),
            notices: notices_in,
            snapshots: snapshots_in,
        },
        Handle { commands, notices, snapshots },
    )
}

fn message(text: &str, frame: u32, nanos: i64, body: Body) -> HttpMessage {
    let block = text.replace('\n', "\r\n").into_bytes();
    let mut fields = Vec::new();
    let mut at = block.iter().position(|b| *b == b'\n').map_or(block.len(), |n| n + 1);
    let first = at.saturating_sub(2);
    while let Some(len) = block[at..].iter().position(|b| *b == b'\n') {
        let line = &block[at..at + len];
        if let Some(colon) = line.iter().position(|b| *b == b':') {
            let value = at + colon + 2;
            fields.push(Field {
                name: ByteRange::between(at, at + colon),
                value: ByteRange::between(value, (at + len).saturating_sub(1).max(value)),
            });
        }
        at += len + 1;
    }
    let parts: Vec<(usize, usize)> = {
        let mut out = Vec::new();
        let mut start = 0;
        for (end, byte) in block.iter().enumerate().take(first + 1) {
            if end == first || *byte == b' ' {
                out.push((start, end));
                start = end + 1;
            }
        }
        out
    };
    let range = |i: usize| parts.get(i).map_or_else(ByteRange::default, |(a, b)| ByteRange::between(*a, *b));
    let start = if text.starts_with("HTTP/") {
        let code = text.split(' ').nth(1).and_then(|c| c.trim().parse().ok()).unwrap_or(0);
        StartLine::Status { code, reason: range(2) }
    } else {
        StartLine::Request { method: range(0), target: range(1) }
    };
    HttpMessage {
        block: block.into_boxed_slice(),
        version: HttpVersion::V11,
        start,
        fields,
        told_at: Vec::new(),
        trailers: Vec::new(),
        spans: vec![BlockSpan { at: 0, frame: FrameNo(frame) }],
        stream_offset: 0,
        first_frame: FrameNo(frame),
        header_frame: FrameNo(frame),
        last_frame: FrameNo(frame),
        time: Timestamp(nanos),
        end_time: Timestamp(nanos),
        body,
        opening: None,
        complete: true,
    }
}

fn exchange(n: u32, server: [u8; 4], port: u16, detail: Detail) -> Exchange {
    let time = Timestamp::from_parts(1_307_988_131 + i64::from(n / 9), i64::from(n % 9) * 111_000_000);
    Exchange {
        flow: FlowId(n * 10 + 1),
        ordinal: 0,
        client: Endpoint { ip: IpAddr::V4(Ipv4Addr::new(192, 168, 1, 23)), port: 49_152 + (n % 9_000) as u16 },
        server: Endpoint { ip: IpAddr::V4(Ipv4Addr::from(server)), port },
        transport: if port == 53 { Transport::Udp } else { Transport::Tcp },
        first_frame: FrameNo(n * 10 + 4),
        last_frame: FrameNo(n * 10 + 9),
        time,
        end_time: Timestamp(time.0 + 1_000_000 * i64::from(n * 37 % 900 + 3)),
        envelope: None,
        proxied: None,
        reported: None,
        detail,
        anomalies: Vec::new(),
    }
}

pub(crate) fn http(n: u32, server: [u8; 4], request: &str, response: &str, size: u64) -> Exchange {
    let frame = n * 10 + 4;
    let body = Body { decoded_bytes: Some(size), wire_bytes: size, ..Body::default() };
    let mut exchange = exchange(n, server, 80, Detail::Http(Box::default()));
    let request = message(request, frame, exchange.time.0, Body::default());
    let response = message(response, frame + 3, exchange.end_time.0, body);
    exchange.detail = Detail::Http(Box::new(HttpExchange {
        request: Some(request),
        response: Some(response),
        ..HttpExchange::default()
    }));
    exchange
}

pub(crate) fn tls(n: u32, server: [u8; 4], name: &str) -> Exchange {
    let mut exchange = exchange(n, server, 443, Detail::Http(Box::default()));
    let hello = ClientHello {
        frame: exchange.first_frame,
        first_frame: exchange.first_frame,
        block: name.as_bytes().into(),
        spans: vec![BlockSpan { at: 0, frame: exchange.first_frame }],
        stream_offset: 0,
        sni: Some(ByteRange::between(0, name.len())),
        alpn: Vec::new(),
        version: 0x0304,
        ja3: Some([7; 16]),
        ja4: "t13d1516h2_8daaf6152771_02713d6af862".to_owned(),
        ech: false,
    };
    let answer = ServerHello {
        frame: FrameNo(n * 10 + 6),
        version: 0x0304,
        cipher: 0x1301,
        alpn: Some((*b"h2").into()),
        retry: false,
    };
    exchange.detail = Detail::Tls(Box::new(TlsSession {
        transport: TlsTransport::Tcp,
        client_hello: Some(hello),
        server_hello: Some(answer),
        certificates: Vec::new(),
        client_certificates: Vec::new(),
        certificate_frame: None,
        trust: None,
        stapled: Stapled::default(),
        bytes: [2_310, 48_120],
        quic: None,
        decryption: Decryption::NotTried,
    }));
    exchange
}

pub(crate) fn dns(n: u32, name: &str, chain: &[(&str, u16, &str)]) -> Exchange {
    let mut exchange = exchange(n, [192, 168, 1, 1], 53, Detail::Http(Box::default()));
    let answers = chain
        .iter()
        .map(|(owner, rtype, value)| DnsRecord {
            name: (*owner).to_owned(),
            rtype: *rtype,
            ttl: 60,
            value: (*value).to_owned(),
            range: ByteRange::between(40, 60),
        })
        .collect();
    exchange.detail = Detail::Dns(Box::new(DnsLookup {
        kind: DnsKind::Dns,
        over: DnsOver::Plain,
        id: 7,
        questions: vec![DnsQuestion { name: name.to_owned(), qtype: 1 }],
        query_frame: Some(exchange.first_frame),
        response: Some(DnsResponse { frame: exchange.last_frame, time: exchange.end_time, rcode: 0, answers }),
    }));
    exchange
}

/// The exchanges of one round, as an app of 2011 might have made them.
fn round(n: u32) -> Vec<Exchange> {
    let mut odd = http(
        n + 7,
        [93, 184, 216, 34],
        "GET /a\u{202e}gnp.exe HTTP/1.1\nHost: www.example.com\nUser-Agent: test\n\n",
        "HTTP/1.1 404 Not Found\nServer: nginx\nContent-Type: text/html\nContent-Length: 12\n\n",
        12,
    );
    odd.anomalies.push(Anomaly { kind: AnomalyKind::Gap, frame: odd.first_frame, offset: 40, len: 1_460 });
    vec![
        dns(
            n,
            "msbnx000004.blob.core.windows.net",
            &[
                ("msbnx000004.blob.core.windows.net", 5, "blob.ch1prdstr02a.store.core.windows.net"),
                ("blob.ch1prdstr02a.store.core.windows.net", 1, "65.52.106.14"),
            ],
        ),
        http(
            n + 1,
            [65, 52, 106, 14],
            "PUT /cnt/8b37ab44-64c3-4f9a-9e2b-3c5f0c1d7e11/IMG_0042.JPG?sv=2011-05-12&sig=abc HTTP/1.1\nHost: msbnx000004.blob.core.windows.net\nUser-Agent: iCloud/1.0\nx-ms-blob-type: BlockBlob\nx-ms-version: 2009-09-19\nContent-Type: image/jpeg\nContent-Length: 734003\nAuthorization: SharedKey msbnx000004:5sPHzYmOLsLKp0XfL9n2RJT3Ri2v9v8i5ixdUnQyVbw=\n\n",
            "HTTP/1.1 201 Created\nContent-Length: 0\nContent-MD5: sQqNsWTgdUEFt6mb5y4/5Q==\nLast-Modified: Mon, 13 Jun 2011 18:02:11 GMT\nETag: 0x8CDF7C9A1B2C3D4\nServer: Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0\nx-ms-request-id: 5f1cb7a4-0b8b-4e1b-9b3c-6a7c2a9e1d11\nx-ms-version: 2009-09-19\nDate: Mon, 13 Jun 2011 18:02:11 GMT\n\n",
            0,
        ),
        http(
            n + 2,
            [72, 21, 195, 15],
            "GET /icloud-backup/chunk-0017 HTTP/1.1\nHost: us-std-00001.s3.amazonaws.com\nUser-Agent: backupd (unknown version)\n\n",
            "HTTP/1.1 200 OK\nx-amz-id-2: eftixk72aD6Ap51TnqcoF8eFidJG9Z/2mkiDFu8yU9AS1ed4OpIszj7UDNEHGran\nx-amz-request-id: 318BC8BC148832E5\nDate: Mon, 13 Jun 2011 18:02:12 GMT\nETag: \"d41d8cd98f00b204e9800998ecf8427e\"\nContent-Type: application/octet-stream\nContent-Length: 4194304\nServer: AmazonS3\n\n",
            4_194_304,
        ),
        tls(n + 3, [17, 149, 36, 100], "p02-content.icloud.com"),
        http(
            n + 4,
            [23, 3, 70, 10],
            "GET /us/r30/Purple/v4/aa/bb/cc/artwork.60x60-50.png HTTP/1.1\nHost: a1.mzstatic.com\nUser-Agent: iTunes/10.3\n\n",
            "HTTP/1.1 200 OK\nServer: Apache\nContent-Type: image/png\nContent-Length: 6203\nX-Cache: TCP_HIT from a23-3-70-10.deploy.akamaitechnologies.com (AkamaiGHost/6.11)\nCache-Control: max-age=86400\n\n",
            6_203,
        ),
        http(
            n + 5,
            [104, 16, 1, 2],
            "GET /api/v1/status HTTP/1.1\nHost: api.example.org\nAccept: application/json\n\n",
            "HTTP/1.1 503 Service Unavailable\nServer: cloudflare\nCF-RAY: 4f1b2c3d4e5f6071-FRA\nContent-Type: application/json; charset=utf-8\nContent-Length: 61\n\n",
            61,
        ),
        tls(n + 6, [216, 58, 207, 35], "www.googleapis.com"),
        odd,
    ]
}

/// A capture of `rounds` rounds, eight exchanges each.
pub(crate) fn snapshot(rounds: u32, done: bool) -> Snapshot {
    counted(rounds, done, None)
}

/// The same, with what the capturing system counted.
pub(crate) fn counted(rounds: u32, done: bool, counters: Option<Counters>) -> Snapshot {
    let budget = Budget::default();
    let mut store = Store::new(&budget, pack().roles);
    let (mut matcher, mut known) = (Matcher::new(&budget), Known::new(&budget));
    for i in 0..rounds {
        for exchange in round(i * 9) {
            let (ledger, verdict) = matcher.judge(&exchange, &known);
            known.learn(&exchange, ExchangeNo(store.len() as u32));
            store.add(&Record { exchange, ledger, verdict });
        }
    }
    // A later snapshot of a longer reading has a higher number.
    for _ in 0..rounds {
        store.snapshot(Facts::default(), Progress::default());
    }
    let facts = Facts {
        capture: CaptureFacts {
            name: "icloud.pcap".to_owned(),
            frames: 41_021 + rounds,
            cut_tail_bytes: 40,
            counters,
            ..CaptureFacts::default()
        },
        undecoded_frames: 3,
        flows: 612,
        limits: vec![LimitHit { limit: Limit::HeadBytes, count: 2, first_frame: FrameNo(77) }],
        sha256: Some([0x1f; 32]),
        ..Facts::default()
    };
    store.snapshot(facts, Progress { read: 5 << 20, total: Some(12 << 20), done })
}

/// Answers from one server, each with these header lines.
pub(crate) fn answers(heads: &[String]) -> Snapshot {
    let mut store = Store::new(&Budget::default(), pack().roles);
    for (n, head) in (0..).zip(heads) {
        let request = "GET / HTTP/1.1\nHost: www.example.com\n\n";
        let response = format!("HTTP/1.1 200 OK\n{head}Content-Length: 1\n\n");
        let exchange = http(n, [192, 0, 2, 1], request, &response, 1);
        store.add(&Record { exchange, ledger: Ledger::new(), verdict: Verdict::default() });
    }
    store.snapshot(Facts::default(), Progress { read: 1, total: None, done: true })
}

/// Two rounds as a live capture has them: the programs behind some of the connections are known.
pub(crate) fn with_programs(program: impl Fn(&Exchange) -> Option<&'static str>) -> Snapshot {
    let mut store = Store::new(&Budget::default(), pack().roles);
    store.expect_programs();
    let (mut matcher, mut known) = (Matcher::new(&Budget::default()), Known::new(&Budget::default()));
    for exchange in round(0).into_iter().chain(round(9)) {
        let owner = program(&exchange).map(|program| SocketOwner {
            transport: exchange.transport,
            local: exchange.client,
            remote: Some(exchange.server),
            program: program.into(),
        });
        let (ledger, verdict) = matcher.judge(&exchange, &known);
        known.learn(&exchange, ExchangeNo(store.len() as u32));
        store.add(&Record { exchange, ledger, verdict });
        // The socket tables are looked at from time to time: rows come before their owners are known.
        store.learn_programs(&Vec::from_iter(owner));
    }
    store.snapshot(Facts::default(), Progress { read: 1, total: None, done: true })
}

/// A live capture that has forgotten most of its rows.
pub(crate) fn forgetful() -> Snapshot {
    let mut store = Store::new(&Budget::default(), pack().roles);
    store.keep_rows(8);
    for n in 0..9_000 {
        let exchange = tls(n, [192, 0, 2, 1], "www.example.com");
        store.add(&Record { exchange, ledger: Ledger::new(), verdict: Verdict::default() });
    }
    store.snapshot(Facts::default(), Progress { read: 1, total: None, done: true })
}

/// Nobody to wake.
pub(crate) fn asleep() -> Arc<dyn Fn() + Send + Sync> {
    Arc::new(|| {})
}

/// A capture process that does what the test says.
pub(crate) struct FakeRecorder {
    pub(crate) wish: Wish,
    pub(crate) events: Sender<Recorded>,
    /// Dropped by the test when the files are whole.
    pub(crate) grows: Option<Sender<std::convert::Infallible>>,
    pub(crate) spool: Spool,
    /// Says that the window stopped the capture.
    pub(crate) stopped: Receiver<()>,
}

/// A machine without devices, rights or clock: what it has is made up, and what is asked of it is remembered.
pub(crate) struct FakeMachine {
    pub(crate) recorders: Receiver<FakeRecorder>,
    /// Folders that were thrown away.
    pub(crate) discarded: Receiver<PathBuf>,
    /// Deletes the spools at the end.
    pub(crate) folder: TempDir,
}

fn device(name: &str, kind: DeviceKind, state: DeviceState, addresses: &[IpAddr]) -> Device {
    Device { name: name.to_owned(), description: String::new(), addresses: addresses.to_vec(), kind, state, link: None }
}

/// A wired interface, one that is down, and a VPN.
#[expect(clippy::unnecessary_wraps, reason = "stands in the place of a function that can fail")]
pub(crate) fn devices() -> Result<Vec<Device>, DeviceError> {
    let address = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 23));
    Ok(vec![
        device("eth0", DeviceKind::Wired, DeviceState::Running, &[address]),
        device("eth9", DeviceKind::Wired, DeviceState::Down, &[]),
        device("tun0", DeviceKind::Tunnel, DeviceState::Running, &[]),
    ])
}

pub(crate) fn machine(
    devices: impl Fn() -> Result<Vec<Device>, DeviceError> + Send + Sync + 'static,
    orphans: Vec<Orphan>,
) -> (FakeMachine, Machine) {
    let folder = tempfile::tempdir().expect("a folder for spools");
    let (recorders_in, recorders) = bounded(16);
    let (discarded_in, discarded) = bounded(16);
    let (root, gone) = (folder.path().to_owned(), discarded_in.clone());
    let discard = move |folder: PathBuf, gone: Sender<PathBuf>| {
        Box::new(move || gone.send(folder).map_err(std::io::Error::other)) as Box<dyn FnOnce() -> _ + Send>
    };
    let machine = Machine {
        devices: Box::new(devices),
        counts: Box::new(|| vec![("eth0".to_owned(), 7)]),
        orphans: Box::new(move || orphans.clone()),
        record: Box::new(move |wish, _wake| {
            let spool_folder = root.join(&wish.device);
            let (events_in, events) = bounded(4);
            let (spool, grows) = Spool::growing(&spool_folder);
            let (stop, stopped) = bounded(16);
            let fake = FakeRecorder {
                wish: wish.clone(),
                events: events_in,
                grows: Some(grows),
                spool: spool.clone(),
                stopped,
            };
            recorders_in.send(fake).map_err(std::io::Error::other)?;
            let stop = Box::new(move || {
                let _full = stop.try_send(());
            });
            Ok(Recording { events, spool, stop, discard: discard(spool_folder, gone.clone()) })
        }),
        adopt: Box::new(move |folder| {
            let (_nothing, events) = bounded(1);
            let discard = discard(folder.to_owned(), discarded_in.clone());
            Ok(Recording { events, spool: Spool::whole(folder), stop: Box::new(|| {}), discard })
        }),
        // Within the second round of exchanges.
        now: Box::new(|| Timestamp::from_parts(1_307_988_132, 0)),
    };
    (FakeMachine { recorders, discarded, folder }, machine)
}
