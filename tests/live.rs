//! Live capture on a wire of our own: two network namespaces with a veth pair between them. Needs root and iproute2; where
//! that is not to be had each test says so and passes. Nothing leaves the namespaces.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test program: what fails is a failed test"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio, id};
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_nephoscope");

/// Waits for what surely comes; a bound against hanging, not a measure of speed.
const BOUND: Duration = Duration::from_secs(5);
const STEP: Duration = Duration::from_millis(20);

/// Two namespaces, `v0` in the first and `v1` in the second, gone when this is dropped.
struct Wire {
    near: String,
    far: String,
}

impl Wire {
    /// `None` where this machine does not allow it; that is said.
    fn new(test: &str) -> Option<Self> {
        let skipped = |why: &str| {
            println!("SKIPPED tests/live.rs {test}: {why}");
            None
        };
        if !geteuid().is_root() {
            return skipped("making network namespaces needs root");
        }
        if Command::new("ip").arg("-V").output().is_err() {
            return skipped("there is no `ip` here (Debian package iproute2)");
        }
        let wire = Self { near: format!("neph{}{test}a", id()), far: format!("neph{}{test}b", id()) };
        for namespace in [&wire.near, &wire.far] {
            let made = Command::new("ip").args(["netns", "add", namespace]).output().unwrap();
            if !made.status.success() {
                return skipped(&format!(
                    "namespaces are not allowed: {}",
                    String::from_utf8_lossy(&made.stderr).trim()
                ));
            }
            // Else the kernel's own greetings of IPv6 are on the wire.
            ran(wire.inside(namespace, "sh").args(["-c", "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6 || true"]));
        }
        wire.connect();
        Some(wire)
    }

    fn connect(&self) {
        let ip = |words: &str| ran(Command::new("ip").args(words.split(' ')));
        ip(&format!("-n {} link add v0 type veth peer name v1 netns {}", self.near, self.far));
        for (namespace, device, address) in [(&self.near, "v0", "198.18.0.1/24"), (&self.far, "v1", "198.18.0.2/24")] {
            ip(&format!("-n {namespace} link set lo up"));
            ip(&format!("-n {namespace} link set {device} up"));
            ip(&format!("-n {namespace} addr add {address} dev {device}"));
        }
    }

    fn inside(&self, namespace: &str, program: &str) -> Command {
        assert!([&self.near, &self.far].contains(&&namespace.to_owned()));
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace, program]);
        command
    }

    /// Starts a capture on the far end and waits until it has begun.
    fn capture(&self, arguments: &[&str]) -> Capture {
        let mut command = self.inside(&self.far, PROGRAM);
        command.args(["capture", "-i", "v1"]).args(arguments);
        Capture::start(command)
    }

    /// Sends datagrams of `len` bytes from the near end, so fast as one Python loop does.
    fn send(&self, count: usize, len: usize) {
        let script = format!(
            "import socket,time\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\nfor i in range({count}):\n \
             s.sendto(b'x'*{len},('198.18.0.2',9))\n if i%200==199: time.sleep(0.01)"
        );
        ran(self.inside(&self.near, "python3").args(["-c", &script]));
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        for namespace in [&self.near, &self.far] {
            let _gone = Command::new("ip").args(["netns", "del", namespace]).output();
        }
    }
}

/// A capture process; killed when dropped.
struct Capture {
    child: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
}

impl Capture {
    fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut capture = Self { child, stderr, said: String::new() };
        while !capture.said.contains("nephoscope: capturing on ") {
            if capture.stderr.read_line(&mut capture.said).unwrap() == 0 {
                break;
            }
        }
        capture
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// Waits for the end; gives the exit code (`None` where it was killed) and all that was said.
    fn end(mut self) -> (Option<i32>, String) {
        let mut waited = Duration::ZERO;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(waited < BOUND, "the capture does not end: {}", self.said);
            sleep(STEP);
            waited += STEP;
        };
        self.stderr.read_to_string(&mut self.said).unwrap();
        assert!(status.signal().is_none_or(|signal| signal == 9), "{status}: {}", self.said);
        (status.code(), std::mem::take(&mut self.said))
    }

    fn stop(self) -> (Option<i32>, String) {
        // What was sent just now is with the kernel already; the capture takes it before it ends.
        self.signal(Signal::SIGINT);
        self.end()
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// A helper process; killed when dropped.
struct Helper(Child);

impl Drop for Helper {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

#[track_caller]
fn ran(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn there(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap().status.success();
    if !found {
        println!("tests/live.rs: no {program} here, so this part is left out");
    }
    found
}

/// The capture's line and the rows that `nephoscope list` finds.
#[track_caller]
fn listed(path: &Path) -> (Value, Vec<Value>) {
    let output = ran(Command::new(PROGRAM).args(["list", "--format", "jsonl"]).arg(path));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    (lines.next().unwrap(), lines.collect())
}

#[track_caller]
fn frames(path: &Path) -> u64 {
    listed(path).0["frames"].as_u64().unwrap()
}

/// What the last line of a capture says: written, received, dropped by the kernel, by the interface.
#[track_caller]
fn tally(said: &str) -> [u64; 4] {
    let line = said.lines().find(|line| line.contains(" frames written, received ")).expect(said);
    let numbers: Vec<u64> = line.split([' ', ',']).filter_map(|word| word.parse().ok()).collect();
    numbers.try_into().unwrap()
}

fn status_of(pid: u32) -> BTreeMap<String, String> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    text.lines().filter_map(|line| line.split_once(':')).map(|(k, v)| (k.to_owned(), v.trim().to_owned())).collect()
}

const SERVER: &str = r#"
import http.server, socket, ssl, struct, sys, threading
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self, status):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(status); self.send_header("Content-Length", "5"); self.end_headers(); self.wfile.write(b"hello")
    def do_GET(self): self.answer(200)
    def do_POST(self): self.answer(201)
    def log_message(self, *_): pass
web = http.server.ThreadingHTTPServer(("198.18.0.2", 80), Handler)
threading.Thread(target=web.serve_forever, daemon=True).start()
names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); names.bind(("198.18.0.2", 53))
def resolve():
    while True:
        asked, peer = names.recvfrom(512)
        answer = b"\xc0\x0c" + struct.pack(">HHIH4s", 1, 1, 60, 4, bytes([198, 18, 0, 2]))
        names.sendto(asked[:2] + struct.pack(">HHHHH", 0x8180, 1, 1, 0, 0) + asked[12:] + answer, peer)
threading.Thread(target=resolve, daemon=True).start()
if sys.argv[1:]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain(sys.argv[1], sys.argv[2])
    sealed = socket.create_server(("198.18.0.2", 443))
    def serve():
        while True:
            plain, _ = sealed.accept()
            with context.wrap_socket(plain, server_side=True) as peer: peer.sendall(peer.recv(100))
    threading.Thread(target=serve, daemon=True).start()
print("ready", flush=True)
threading.Event().wait()
"#;

const CLIENT: &str = r#"
import http.client, socket, ssl, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(4)
s.sendto(struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + b"\4live\7example\0" + struct.pack(">HH", 1, 1), ("198.18.0.2", 53))
assert len(s.recv(512)) > 30
c = http.client.HTTPConnection("198.18.0.2", 80, timeout=4)
for method, body in (("GET", None), ("POST", b"upload")):
    c.request(method, "/" + method.lower(), body, {"Host": "live.example"}); assert c.getresponse().read() == b"hello"
c.close()
if sys.argv[1:]:
    context = ssl.create_default_context(); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE
    with context.wrap_socket(socket.create_connection(("198.18.0.2", 443), 4), server_hostname="live.example") as t:
        t.sendall(b"sealed"); assert t.recv(100) == b"sealed"
"#;

#[test]
fn real_traffic_gives_the_rows_that_were_made() {
    let Some(wire) = Wire::new("real") else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let sealed = there("openssl");
    let mut server = wire.inside(&wire.far, "python3");
    server.args(["-c", SERVER]);
    if sealed {
        let words =
            "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=live.example -addext subjectAltName=DNS:live.example";
        ran(Command::new("openssl").args(words.split(' ')).args(["-keyout", &file("key"), "-out", &file("cert")]));
        server.args([file("cert"), file("key")]);
    }
    let mut server = Helper(server.stdout(Stdio::piped()).spawn().unwrap());
    let mut ready = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    assert_eq!(ready, "ready\n");

    let path = folder.path().join("live.pcapng");
    let capture = wire.capture(&["-f", "udp port 53 or tcp", "-w", path.to_str().unwrap()]);
    let status = status_of(capture.child.id());
    for (key, want) in [("CapEff", "0000000000000000"), ("CapPrm", "0000000000000000"), ("CapInh", "0000000000000000")]
    {
        assert_eq!(status[key], want, "{key}");
    }
    assert_eq!((status["NoNewPrivs"].as_str(), status["Threads"].as_str(), status["Groups"].as_str()), ("1", "1", ""));
    // proc_pid_status(5): 2 is SECCOMP_MODE_FILTER.
    assert_eq!(status["Seccomp"], "2");
    let mut client = wire.inside(&wire.near, "python3");
    client.args(["-c", CLIENT]);
    if sealed {
        client.arg("sealed");
    }
    ran(&mut client);
    let (code, said) = capture.stop();
    assert_eq!(code, Some(0), "{said}");

    let (about, rows) = listed(&path);
    let [written, received, dropped, _] = tally(&said);
    assert_eq!((about["frames"].as_u64(), received, dropped), (Some(written), written, 0));
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    let http = |row: &Value| {
        [&row["request"]["method"], &row["request"]["url"], &row["response"]["status"]].map(Value::to_string)
    };
    let found: Vec<Vec<String>> = rows
        .iter()
        .map(|row| match row["kind"].as_str().unwrap() {
            "dns" => vec![
                "dns".to_owned(),
                row["query"]["name"].to_string(),
                row["response"]["answers"][0]["value"].to_string(),
            ],
            "http" => http(row).to_vec(),
            _ => vec!["tls".to_owned(), row["client_hello"]["sni"].to_string()],
        })
        .collect();
    let mut want = vec![
        vec!["dns", "\"live.example\"", "\"198.18.0.2\""],
        vec!["\"GET\"", "\"http://live.example/get\"", "200"],
        vec!["\"POST\"", "\"http://live.example/post\"", "201"],
    ];
    if sealed {
        want.push(vec!["tls", "\"live.example\""]);
    }
    assert_eq!(found, want);
    if there("tshark") {
        let output = ran(Command::new("tshark").args(["-T", "fields", "-e", "frame.number", "-r"]).arg(&path));
        assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count() as u64, written);
    }
    if there("capinfos") {
        ran(Command::new("capinfos").arg(&path));
    }
}

/// Takes out what another time changes.
fn without_times(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|key, _| {
                // The list of roots that is nearest goes with the time too.
                !(matches!(key.as_str(), "time" | "list" | "list_days")
                    || key.ends_with("_time")
                    || key.contains("duration")
                    || key.ends_with("_seconds"))
            });
            map.values_mut().for_each(without_times);
        }
        Value::Array(list) => list.iter_mut().for_each(without_times),
        _ => {}
    }
}

#[test]
fn replayed_captures_give_the_rows_of_their_files() {
    let Some(wire) = Wire::new("play") else { return };
    if !there("tcpreplay") {
        return;
    }
    // Nobody is at home there: nothing answers what is replayed.
    ran(Command::new("ip").args(["-n", &wire.far, "addr", "flush", "dev", "v1"]));
    let folder = tempfile::tempdir().unwrap();
    // None with a verdict: that may depend on the date, which is another one now.
    for name in [
        "http-keep-alive",
        "http-pipelining",
        "dns-udp",
        "tls-certificates",
        "http-out-of-order",
        "http-chunked",
        "ipv6",
    ] {
        let original = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/captures/{name}.pcap"));
        let path = folder.path().join(format!("{name}.pcapng"));
        let capture = wire.capture(&["-w", path.to_str().unwrap()]);
        ran(wire.inside(&wire.near, "tcpreplay").args(["-q", "--topspeed", "-i", "v0"]).arg(&original));
        assert_eq!(capture.stop().0, Some(0));
        let ((about, mut rows), (first, mut want)) = (listed(&path), listed(&original));
        rows.iter_mut().chain(&mut want).for_each(without_times);
        assert_eq!(about["frames"], first["frames"], "{name}");
        assert_eq!(rows, want, "{name}");
    }
}

#[test]
fn starts_and_stops_without_leftovers() {
    let Some(wire) = Wire::new("stop") else { return };
    let folder = tempfile::tempdir().unwrap();
    for turn in 0..20 {
        let path = folder.path().join(format!("{turn}.pcapng"));
        let capture = wire.capture(&["-w", path.to_str().unwrap()]);
        let signal = if turn % 2 == 0 { Signal::SIGINT } else { Signal::SIGTERM };
        capture.signal(signal);
        let (code, said) = capture.end();
        assert_eq!((code, tally(&said)[0]), (Some(0), frames(&path)), "{said}");
    }
    let left = ran(Command::new("ip").args(["netns", "pids", &wire.far]));
    assert_eq!(String::from_utf8_lossy(&left.stdout), "");

    let path = folder.path().join("stdin.pcapng");
    let mut command = wire.inside(&wire.far, PROGRAM);
    command.args(["capture", "-i", "v1", "--until-stdin-closes", "-w", path.to_str().unwrap()]).stdin(Stdio::piped());
    let mut capture = Capture::start(command);
    drop(capture.child.stdin.take());
    assert_eq!(capture.end().0, Some(0));
    assert_eq!(frames(&path), 0);
}

#[test]
fn an_interface_that_goes_away_ends_the_capture_with_a_reason() {
    let Some(wire) = Wire::new("gone") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gone.pcapng");
    let capture = wire.capture(&["-w", path.to_str().unwrap()]);
    wire.send(50, 100);
    // Down for a while is no reason to end.
    ran(Command::new("ip").args(["-n", &wire.far, "link", "set", "v1", "down"]));
    sleep(Duration::from_millis(700));
    ran(Command::new("ip").args(["-n", &wire.far, "link", "set", "v1", "up"]));
    wire.send(50, 100);
    sleep(Duration::from_millis(200));
    ran(Command::new("ip").args(["-n", &wire.near, "link", "del", "v0"]));
    let (code, said) = capture.end();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("nephoscope: the interface disappeared: v1; "), "{said}");
    assert_eq!(tally(&said)[0], frames(&path), "{said}");
    assert!(frames(&path) >= 100, "{said}");
}

#[test]
fn a_killed_capture_leaves_whole_blocks() {
    let Some(wire) = Wire::new("kill") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("killed.pcapng");
    let capture = wire.capture(&["-w", path.to_str().unwrap()]);
    let mut waited = Duration::ZERO;
    while fs::metadata(&path).unwrap().len() < 100_000 {
        assert!(waited < BOUND, "nothing is written");
        wire.send(200, 1_000);
        sleep(STEP);
        waited += STEP;
    }
    capture.signal(Signal::SIGKILL);
    assert_eq!(capture.end().0, None);
    // `list` would exit with 1 if the file ended inside a block.
    assert!(frames(&path) >= 95, "{}", frames(&path));
}

#[test]
fn limits_and_rings() {
    let Some(wire) = Wire::new("ring") else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();

    let capture = wire.capture(&["-c", "100", "-w", &file("count.pcapng")]);
    wire.send(300, 100);
    assert_eq!(capture.end().0, Some(0));
    assert_eq!(frames(Path::new(&file("count.pcapng"))), 100);

    let capture = wire.capture(&["-a", "filesize:50", "-w", &file("size.pcapng")]);
    wire.send(300, 1_000);
    assert_eq!(capture.end().0, Some(0));
    let size = fs::metadata(file("size.pcapng")).unwrap().len();
    assert!((50_000..52_500).contains(&size), "{size}");

    let capture = wire.capture(&["-a", "duration:0.5", "-w", &file("time.pcapng")]);
    assert_eq!(capture.end().0, Some(0));

    let capture = wire.capture(&["-b", "filesize:100", "-b", "files:3", "-w", &file("ring.pcapng")]);
    wire.send(1_000, 1_000);
    let (code, said) = capture.stop();
    assert_eq!(code, Some(0), "{said}");
    let ring = |start: &str| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut ring: Vec<PathBuf> =
            entries.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(start)).collect();
        ring.sort();
        ring
    };
    let files = ring("ring_");
    assert_eq!(files.len(), 3, "{files:?}");
    let newest = files.last().unwrap().file_name().unwrap().to_str().unwrap();
    assert!(newest.starts_with("ring_00011_") && newest.len() == "ring_00011_20261125190000.pcapng".len(), "{newest}");
    for path in &files {
        frames(path);
    }

    let capture = wire.capture(&["-b", "packets:10", "-a", "files:4", "-w", &file("four.pcapng")]);
    wire.send(100, 100);
    assert_eq!(capture.end().0, Some(0));
    assert_eq!(ring("four_").iter().map(|path| frames(path)).collect::<Vec<_>>(), [10; 4]);
}

#[test]
fn a_full_disk_ends_the_capture_with_a_whole_file() {
    let Some(wire) = Wire::new("full") else { return };
    if !there("unshare") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let script = format!(
        "mount -t tmpfs -o size=16m none {place} || exit 77
         ip netns exec {} {PROGRAM} capture -i v1 -w {place}/a.pcapng; echo code $? >&2
         {PROGRAM} list --format jsonl {place}/a.pcapng >/dev/null && stat -c 'size %s' {place}/a.pcapng >&2
         {PROGRAM} list --format jsonl {place}/a.pcapng | head -n 1",
        wire.far
    );
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &script]).stdout(Stdio::piped());
    let mut capture = Capture::start(command);
    if !capture.said.contains("capturing on") {
        println!("SKIPPED tests/live.rs full: mounting is not allowed: {}", capture.said);
        return;
    }
    wire.send(14_000, 1_400);
    let mut listed = String::new();
    capture.child.stdout.take().unwrap().read_to_string(&mut listed).unwrap();
    let (_, said) = capture.end();
    assert!(said.contains("the disk is nearly full: ") && said.contains("code 1"), "{said}");
    let about: Value = serde_json::from_str(listed.trim()).expect(&said);
    let [written, ..] = tally(&said);
    assert_eq!(about["frames"].as_u64(), Some(written), "{said}");
    assert!(said.contains(&format!("a.pcapng; {written} frames were kept")), "{said}");
    let size: u64 = said.split("size ").last().unwrap().trim().parse().unwrap();
    assert!((10 << 20..16 << 20).contains(&size), "{said}");
}

#[test]
fn without_rights_the_remedy_is_told() {
    let Some(wire) = Wire::new("rights") else { return };
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    // Where a stranger can start it, wherever this was built.
    let program = folder.path().join("nephoscope");
    fs::hard_link(PROGRAM, &program).or_else(|_other_disk| fs::copy(PROGRAM, &program).map(|_len| ())).unwrap();
    let path = folder.path().join("a.pcapng");
    if there("setpriv") {
        let mut command = wire.inside(&wire.far, "setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(&program);
        command.args(["capture", "-i", "v1", "-w", path.to_str().unwrap()]);
        let (code, said) = Capture::start(command).end();
        assert_eq!(code, Some(3), "{said}");
        assert!(
            said.contains(&format!("  sudo setcap cap_net_raw,cap_net_admin+ep {}\n", program.display())),
            "{said}"
        );
        assert!(!path.exists());
    }

    // As sudo starts it: the file belongs to the one who called, and so does the process.
    let mut command = wire.inside(&wire.far, PROGRAM);
    command.env("SUDO_UID", "65534").env("SUDO_GID", "65534");
    command.args(["capture", "-i", "v1", "-w", path.to_str().unwrap()]);
    let capture = Capture::start(command);
    let status = status_of(capture.child.id());
    assert_eq!(status["Uid"].split_whitespace().collect::<Vec<_>>(), ["65534"; 4]);
    assert_eq!(status["Gid"].split_whitespace().collect::<Vec<_>>(), ["65534"; 4]);
    assert_eq!((status["CapEff"].as_str(), status["CapBnd"].as_str()), ("0000000000000000", "0000000000000000"));
    assert_eq!(capture.stop().0, Some(0));
    assert_eq!((fs::metadata(&path).unwrap().uid(), fs::metadata(&path).unwrap().gid()), (65_534, 65_534));

    // A path is no hole: what the caller may not write is not written, though root started it.
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = wire.inside(&wire.far, PROGRAM);
    command.env("SUDO_UID", "65534").env("SUDO_GID", "65534");
    command.args(["capture", "-i", "v1", "-w", closed.join("a.pcapng").to_str().unwrap()]);
    let (code, said) = Capture::start(command).end();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("this user may not write there"), "{said}");
}

#[test]
fn what_cannot_begin_says_why() {
    let Some(wire) = Wire::new("why") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pcapng");
    let refused = |arguments: &[&str], words: &str| {
        let mut command = wire.inside(&wire.far, PROGRAM);
        command.arg("capture").args(arguments).stdout(Stdio::null());
        let (code, said) = Capture::start(command).end();
        assert_eq!((code, said.contains(words)), (Some(2), true), "{arguments:?}: {said}");
    };
    let path = path.to_str().unwrap();
    refused(&["-i", "nosuch0", "-w", path], "there is no interface nosuch0; there are ");
    refused(
        &["-i", "v1", "-w", path, "-f", "tcp port htttp"],
        "unknown port 'htttp'\n  tcp port htttp\n           ^^^^^",
    );
    refused(&["-i", "v1", "-w", path, "-f", "host live.example"], "live.example is no word of capture filters");
    refused(&["-i", "v1", "-w", path, "-b", "files:3"], "needs to know when the next file begins");
    refused(&["-i", "v1", "-w", "/nosuch/a.pcapng"], "there is no such folder");
    fs::write(path, "somebody's").unwrap();
    refused(&["-i", "v1", "-w", path], "there is a file of this name already");
    assert_eq!(fs::read_to_string(path).unwrap(), "somebody's");
    ran(Command::new("ip").args(["-n", &wire.far, "link", "set", "v1", "down"]));
    refused(&["-i", "v1", "-w", path, "--overwrite"], "that device is not up: v1");
}

#[test]
fn a_pipe_is_read_and_may_close() {
    let Some(wire) = Wire::new("pipe") else { return };
    let script = format!(
        "ip netns exec {} {PROGRAM} capture -i v1 -c 40 | {PROGRAM} list --live=never --format jsonl -",
        wire.far
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script]).stdout(Stdio::piped());
    let mut capture = Capture::start(command);
    wire.send(40, 100);
    let mut listed = String::new();
    capture.child.stdout.take().unwrap().read_to_string(&mut listed).unwrap();
    let about: Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
    assert_eq!(about["frames"].as_u64(), Some(40));
    assert_eq!(capture.end().0, Some(0));

    let mut command = wire.inside(&wire.far, PROGRAM);
    command.args(["capture", "-i", "v1"]).stdout(Stdio::piped());
    let mut capture = Capture::start(command);
    drop(capture.child.stdout.take());
    wire.send(10, 100);
    let (code, said) = capture.end();
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn interfaces_are_those_of_the_namespace() {
    let Some(wire) = Wire::new("list") else { return };
    let output = ran(wire.inside(&wire.far, PROGRAM).args(["interfaces", "--format", "json"]));
    let all: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let first = &all[0];
    assert_eq!(
        [&first["name"], &first["kind"], &first["state"], &first["link"]],
        ["v1", "wired", "running", "Ethernet"]
    );
    assert_eq!(first["addresses"][0], "198.18.0.2");
    assert!(!all.iter().any(|device| device["name"] == "v0"), "{all:?}");
}
