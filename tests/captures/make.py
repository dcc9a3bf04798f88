#!/usr/bin/env python3
"""Writes the captures of this folder, and its README.md, from nothing: the same bytes on every machine.

usage: make.py            write them
       make.py --check    compare what is there with what would be written; exit 1 when they differ

Everything is synthetic: addresses of RFC 5737 and RFC 3849, names under example.*, times in January 2026. Only the standard
library is used (quic.py makes QUIC packets with it), and no compressor of it: its output differs between versions, so compressed bytes stand here as constants.
"""
import base64, hashlib, hmac, json, os, struct, sys, zlib

import quic

HERE = os.path.dirname(os.path.abspath(__file__))
START = 1_767_607_200_000_000_000  # 2026-01-05T10:00:00Z in nanoseconds
STEP = 1_250_000  # between frames

CLIENT, SERVER, OTHER = "192.0.2.10", "198.51.100.20", "203.0.113.30"
CLIENT6, SERVER6 = "2001:db8::10", "2001:db8:1::20"

# "Hello, cloud! " six times, as gzip, zlib and raw deflate of zlib 1.2.13 at level 9.
PLAIN = b"Hello, cloud! " * 6
GZIP = base64.b64decode("H4sIAAAAAAAA//NIzcnJ11FIzskvTVFU8KAKDwAdNXocVAAAAA==")
ZLIB = base64.b64decode("eNrzSM3JyddRSM7JL01RVPCgCg8An+YbkQ==")


# ---------------------------------------------------------------------------------------------------- layers
def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def address(text):
    if ":" not in text:
        return bytes(int(part) for part in text.split("."))
    head, _, tail = text.partition("::")
    head = [int(part, 16) for part in head.split(":") if part]
    tail = [int(part, 16) for part in tail.split(":") if part]
    return struct.pack(">8H", *(head + [0] * (8 - len(head) - len(tail)) + tail))


def ipv4(src, dst, proto, payload, ident=1, flags_offset=0x4000, options=b"", ttl=64):
    words = 5 + len(options) // 4
    head = struct.pack(">BBHHHBBH4s4s", 0x40 | words, 0, words * 4 + len(payload), ident, flags_offset, ttl, proto, 0,
                       address(src), address(dst)) + options
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def ipv6(src, dst, proto, payload):
    return struct.pack(">IHBB16s16s", 6 << 28, len(payload), proto, 64, address(src), address(dst)) + payload


def transport_sum(src, dst, proto, segment):
    return checksum(address(src) + address(dst) + struct.pack(">II" if ":" in src else ">HH", *(
        (len(segment), proto) if ":" in src else (proto, len(segment)))) + segment)


def tcp(src, sport, dst, dport, seq, ack, flags, payload=b"", options=b""):
    words = 5 + len(options) // 4
    s = struct.pack(">HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, words << 4, flags, 64240, 0, 0) + options + payload
    return s[:16] + struct.pack(">H", transport_sum(src, dst, 6, s)) + s[18:]


def udp(src, sport, dst, dport, payload):
    s = struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload
    return s[:6] + struct.pack(">H", transport_sum(src, dst, 17, s) or 0xFFFF) + s[8:]


def ip(src, dst, proto, payload, **more):
    return ipv6(src, dst, proto, payload) if ":" in src else ipv4(src, dst, proto, payload, **more)


def ether(payload, kind=None):
    if kind is None:
        kind = 0x86DD if payload[0] >> 4 == 6 else 0x0800
    return bytes.fromhex("02000000000202000000000a") + struct.pack(">H", kind) + payload


def vlan(packet, *tags):
    """Ethernet frame with 802.1ad and 802.1Q tags; the last one is the inner 0x8100."""
    inner = struct.pack(">H", 0x86DD if packet[0] >> 4 == 6 else 0x0800) + packet
    for index, tag in enumerate(reversed(tags)):
        inner = struct.pack(">HH", 0x8100 if index == 0 else 0x88A8, tag)[0:2] + struct.pack(">H", tag) + inner
    return bytes.fromhex("02000000000202000000000a") + inner


FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


class Trace:
    """A list of (time, IP packet, original length or None)."""
    def __init__(self):
        self.frames, self.now = [], START

    def add(self, packet, original=None):
        self.frames.append((self.now, packet, original))
        self.now += STEP

    def frames_of(self, wrap):
        return [(time, wrap(packet), original) for time, packet, original in self.frames]


class Connection:
    """A TCP connection that writes its segments into a trace. Nothing is sent that is not asked for."""
    def __init__(self, trace, cport, sport=80, client=CLIENT, server=SERVER, isn=(1000, 5000), handshake=True):
        self.trace, self.ends, self.ports = trace, (client, server), (cport, sport)
        self.seq = list(isn)
        if handshake:
            self.put(0, SYN, options=bytes.fromhex("020405b4"), ack=0)
            self.put(1, SYN | ACK, options=bytes.fromhex("020405b4"), ack=self.seq[0])
            self.put(0, ACK)

    def segment(self, side, seq, flags, payload=b"", options=b"", ack=None):
        other = 1 - side
        return ip(self.ends[side], self.ends[other], 6, tcp(
            self.ends[side], self.ports[side], self.ends[other], self.ports[other], seq,
            self.seq[other] if ack is None else ack, flags, payload, options))

    def put(self, side, flags, payload=b"", options=b"", ack=None, lost=False):
        packet = self.segment(side, self.seq[side], flags, payload, options, ack)
        self.seq[side] += len(payload) + (1 if flags & (SYN | FIN) else 0)
        if not lost:
            self.trace.add(packet)
        return packet

    def send(self, side, data, size=1460, lost=()):
        """Sends data in segments; those whose index is in `lost` are not captured."""
        for index, at in enumerate(range(0, len(data), size)):
            self.put(side, ACK | PSH, data[at:at + size], lost=index in lost)

    def ask(self, request, response=None, size=1460):
        self.send(0, request, size)
        if response is not None:
            self.send(1, response, size)

    def close(self):
        self.put(0, FIN | ACK)
        self.put(1, FIN | ACK)
        self.put(0, ACK)


def datagram(trace, src, sport, dst, dport, payload):
    ttl = {"ttl": 255} if dst.startswith("224.") else {}
    trace.add(ip(src, dst, 17, udp(src, sport, dst, dport, payload), **ttl))


# ---------------------------------------------------------------------------------------------------- files
def pcap(frames, link=1, order="<", nanos=False, snap=262144):
    out = [struct.pack(order + "IHHiIII", 0xA1B23C4D if nanos else 0xA1B2C3D4, 2, 4, 0, 0, snap, link)]
    for time, data, original in frames:
        out.append(struct.pack(order + "IIII", time // 10**9, time % 10**9 // (1 if nanos else 1000), len(data), original or len(data)) + data)
    return b"".join(out)


def options(order, *pairs):
    if not pairs:
        return b""
    out = b"".join(struct.pack(order + "HH", code, len(value)) + value + b"\0" * (-len(value) % 4) for code, value in pairs)
    return out + struct.pack(order + "HH", 0, 0)


def block(order, kind, body):
    body += b"\0" * (-len(body) % 4)
    return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)


def section(order="<", *pairs):
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + options(order, *pairs))


def interface(order="<", link=1, snap=0, *pairs):
    return block(order, 1, struct.pack(order + "HHI", link, 0, snap) + options(order, *pairs))


def enhanced(frame, order="<", number=0, unit=1000, *pairs):
    time, data, original = frame
    ticks = time // unit
    return block(order, 6, struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(data), original or len(data))
                 + data + b"\0" * (-len(data) % 4) + options(order, *pairs))


def stored_gzip(data):
    """A gzip member of stored blocks: valid, and the same from every zlib, since none makes it."""
    out = [bytes.fromhex("1f8b08000000000000ff")]
    pieces = [data[at:at + 0xFFFF] for at in range(0, len(data), 0xFFFF)] or [b""]
    for index, piece in enumerate(pieces):
        out.append(struct.pack("<BHH", index == len(pieces) - 1, len(piece), len(piece) ^ 0xFFFF) + piece)
    return b"".join(out) + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


# ---------------------------------------------------------------------------------------------------- HTTP
def request(target="/", host="www.example.com", method="GET", body=b"", *lines):
    head = [f"{method} {target} HTTP/1.1", f"Host: {host}", "User-Agent: capture-maker/1"] + list(lines)
    if body:
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


def response(body=b"", status="200 OK", *lines, length=True):
    head = [f"HTTP/1.1 {status}", "Server: example"] + list(lines)
    if length:
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


def chunks(*pieces, extension="", trailer=""):
    return b"".join(f"{len(p):x}{extension}\r\n".encode() + p + b"\r\n" for p in pieces) + b"0\r\n" + trailer.encode() + b"\r\n"


def one_get(trace, cport=40000, body=b"fine\n", **ends):
    c = Connection(trace, cport, **ends)
    c.ask(request("/one"), response(body, "200 OK", "Content-Type: text/plain"))
    c.close()


# ---------------------------------------------------------------------------------------------------- TLS
def vec(data, bytes_of_length):
    return len(data).to_bytes(bytes_of_length, "big") + data


def extension(kind, data):
    return struct.pack(">H", kind) + vec(data, 2)


def handshake(kind, body):
    return bytes([kind]) + vec(body, 3)


def record(kind, data, version=0x0303):
    return struct.pack(">BH", kind, version) + vec(data, 2)


def seed(text, length=32):
    return (hashlib.sha256(text.encode()).digest() * (length // 32 + 1))[:length]


def client_hello(sni="www.example.com", alpn=("h2", "http/1.1"), tls13=True, grease=True, more=b"", ciphers=None):
    suites = ciphers or [0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0x009C, 0x002F]
    ext = b""
    if grease:
        suites = [0x2A2A] + suites
        ext += extension(0x3A3A, b"")
    if sni:
        ext += extension(0, vec(b"\0" + vec(sni.encode(), 2), 2))
    ext += extension(23, b"") + extension(65281, b"\0")
    ext += extension(10, vec(bytes.fromhex("001d00170018"), 2)) + extension(11, vec(b"\0", 1))
    if alpn:
        ext += extension(16, vec(b"".join(vec(a.encode(), 1) for a in alpn), 2))
    ext += extension(13, vec(bytes.fromhex("0403080404010503080505010806060"+"1"), 2))
    if tls13:
        ext += extension(43, vec((b"\x4a\x4a" if grease else b"") + bytes.fromhex("03040303"), 1))
        ext += extension(45, vec(b"\x01", 1)) + extension(51, vec(struct.pack(">H", 29) + vec(seed("share" + str(sni)), 2), 2))
    ext += more
    return handshake(1, b"\x03\x03" + seed("client" + str(sni)) + vec(seed("session"), 1)
                     + vec(b"".join(struct.pack(">H", s) for s in suites), 2) + vec(b"\0", 1) + vec(ext, 2))


RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")  # RFC 8446 section 4.1.3


def server_hello(cipher=0x1301, tls13=True, alpn=None, random=None, more=b""):
    ext = (extension(65281, b"\0") if not tls13 else b"") + more
    if tls13:
        ext += extension(43, b"\x03\x04") + extension(51, struct.pack(">H", 29) + (b"" if random == RETRY else vec(seed("server share"), 2)))
    if alpn:
        ext += extension(16, vec(vec(alpn.encode(), 1), 2))
    return handshake(2, b"\x03\x03" + (random or seed("server")) + vec(seed("session"), 1) + struct.pack(">HB", cipher, 0) + vec(ext, 2))


def der(tag, *parts):
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = (len(body).bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + len(body).to_bytes(size, "big") + body


def certificate(subject, issuer, names, serial, ca=False):
    """A certificate that parses; key and signature are noise."""
    def name(common, organisation="Example Trust"):
        oid = lambda text: der(6, bytes.fromhex(text))
        return der(0x30, der(0x31, der(0x30, oid("55040a"), der(0x0C, organisation.encode()))),
                   der(0x31, der(0x30, oid("550403"), der(0x0C, common.encode()))))
    algorithm = der(0x30, der(6, bytes.fromhex("2a864886f70d01010b")), der(5))
    rsa = der(0x30, der(6, bytes.fromhex("2a864886f70d010101")), der(5))
    key = der(0x30, der(2, b"\0\xc1" + seed("modulus" + subject, 255)), der(2, b"\x01\0\x01"))
    ext = b""
    if names:
        ext += der(0x30, der(6, bytes.fromhex("551d11")), der(4, der(0x30, *(der(0x82, n.encode()) for n in names))))
    ext += der(0x30, der(6, bytes.fromhex("551d13")), der(1, b"\xff"), der(4, der(0x30, *([der(1, b"\xff")] if ca else []))))
    body = der(0x30, der(0xA0, der(2, b"\x02")), der(2, bytes([serial])), algorithm, name(issuer),
               der(0x30, der(0x17, b"250901000000Z"), der(0x17, b"270901000000Z")), name(subject), der(0x30, rsa, der(3, b"\0" + key)),
               der(0xA3, der(0x30, ext)))
    return der(0x30, body, algorithm, der(3, b"\0" + seed("signature" + subject, 256)))


def certificate_message(*chain):
    return handshake(11, vec(b"".join(vec(c, 3) for c in chain), 3))


# ---------------------------------------------------------------------------------------------------- DNS
A, NS, CNAME, PTR, TXT, AAAA, SRV, HTTPS = 1, 2, 5, 12, 16, 28, 33, 65


def dns_name(text):
    return b"".join(vec(label.encode(), 1) for label in text.rstrip(".").split(".") if label) + b"\0"


def dns_record(name, kind, data, ttl=300, klass=1):
    if kind in (A, AAAA) and isinstance(data, str):
        data = address(data)
    elif kind in (CNAME, PTR, NS) and isinstance(data, str):
        data = dns_name(data)
    return (name if isinstance(name, bytes) else dns_name(name)) + struct.pack(">HHI", kind, klass, ttl) + vec(data, 2)


def dns(ident, name, kind=A, answers=(), flags=0x0100, authority=(), klass=1):
    questions = [] if name is None else [(name, kind)]
    return struct.pack(">HHHHHH", ident, flags, len(questions), len(answers), len(authority), 0) + b"".join(
        dns_name(n) + struct.pack(">HH", k, klass) for n, k in questions) + b"".join(answers) + b"".join(authority)


def look_up(trace, ident, name, answers, cport=53000, kind=A, flags=0x8180):
    datagram(trace, CLIENT, cport, "192.0.2.53", 53, dns(ident, name, kind))
    datagram(trace, "192.0.2.53", 53, CLIENT, cport, dns(ident, name, kind, answers, flags))


# ---------------------------------------------------------------------------------------------------- captures
CASES = {}
ONE, LOOK_UP = "GET /one 200 5", "DNS www.example.com A 0 1"


def case(file, *rows):
    """A capture and the rows that it must list, in order, as whoever wrote the capture knows them. Words of a row:
    METHOD target status body-bytes [sent=bytes], TLS name ALPN version certificates, or DNS name type code answers.
    A WebSocket's row ends with ws=CLIENT,SERVER, the messages of each, and `cut` where the
    server's or client's frames are not all there. `-` is what is not there (or, for a body, not whole), `?` anything; a row behind `~` may be missing.
    """
    def keep(function):
        assert file.split(".")[0] not in {name.split(".")[0] for name in CASES}, file
        CASES[file] = function, rows
        return function
    return keep


def plain(build):
    """The trace as an ordinary pcap of Ethernet frames."""
    trace = Trace()
    build(trace)
    return pcap(trace.frames_of(ether))


@case("http-keep-alive.pcap",
      "GET /a.txt 200 6", "HEAD /b.bin 200 0", "GET /a.txt 304 0", "GET /empty 204 0", "POST /form 200 7 sent=7",
      "GET /none 404 3")
def _():
    """One connection: GET, HEAD (length but no body), 304 (length but no body), 204, a POST, a 404."""
    def build(t):
        c = Connection(t, 40000)
        c.ask(request("/a.txt"), response(b"alpha\n", "200 OK", "Content-Type: text/plain"))
        c.ask(request("/b.bin", method="HEAD"), response(b"", "200 OK", "Content-Length: 123456", length=False))
        c.ask(request("/a.txt", "www.example.com", "GET", b"", 'If-None-Match: "1"'), response(b"", "304 Not Modified", 'ETag: "1"', "Content-Length: 6", length=False))
        c.ask(request("/empty"), response(b"", "204 No Content", length=False))
        c.ask(request("/form", "www.example.com", "POST", b"a=1&b=2"), response(b"got it\n"))
        c.ask(request("/none"), response(b"no\n", "404 Not Found", "Connection: close"))
        c.close()
    return plain(build)


@case("http-pipelining.pcap", "GET /1 200 3", "HEAD /2 200 0", "GET /3 200 5", "GET /4 - -")
def _():
    """Three requests in one segment; three answers cut at odd places; a fourth request never answered."""
    def build(t):
        c = Connection(t, 40000)
        c.send(0, request("/1") + request("/2", method="HEAD") + request("/3"))
        answers = response(b"one") + response(b"", "200 OK", "Content-Length: 99", length=False) + response(b"three")
        c.send(1, answers, size=61)
        c.send(0, request("/4"))
        c.close()
    return plain(build)


@case("http-chunked.pcap", "GET /c 200 41", "PUT /up 201 0 sent=301", "GET /small 200 10")
def _():
    """Chunked answer with extension and trailer, chunked upload, chunks cut inside their size lines, upper-case sizes."""
    def build(t):
        c = Connection(t, 40000)
        coded = "Transfer-Encoding: chunked"
        c.ask(request("/c"), response(b"", "200 OK", coded, "Trailer: X-Sum", length=False) + chunks(b"first ", b"second " * 5, extension=";a=b", trailer="X-Sum: 12\r\n"))
        c.ask(request("/up", "www.example.com", "PUT", b"", coded) + chunks(b"x" * 300, b"y"), response(b"", "201 Created"))
        c.send(0, request("/small"))
        c.send(1, response(b"", "200 OK", coded, length=False) + b"0A\r\n0123456789\r\n00\r\n\r\n", size=7)
        c.close()
    return plain(build)


@case("http-codings.pcap",
      "GET /gzip 200 84", "GET /deflate 200 84", "GET /chunked 200 84", "GET /transfer 200 84", "GET /two 200 84",
      "GET /unknown 200 -", "GET /identity 200 84", "GET /broken 200 -", "POST /up 200 2 sent=84")
def _():
    """Bodies as gzip, zlib deflate, gzip in chunks, two codings, an unknown coding, and gzip that is broken."""
    def build(t):
        c = Connection(t, 40000)
        c.ask(request("/gzip"), response(GZIP, "200 OK", "Content-Encoding: gzip", "Content-Type: text/plain"))
        c.ask(request("/deflate"), response(ZLIB, "200 OK", "Content-Encoding: deflate"))
        c.ask(request("/chunked"), response(b"", "200 OK", "Content-Encoding: x-gzip", "Transfer-Encoding: chunked", length=False) + chunks(GZIP[:9], GZIP[9:30], GZIP[30:]))
        c.ask(request("/transfer"), response(b"", "200 OK", "Transfer-Encoding: gzip, chunked", length=False) + chunks(GZIP))
        c.ask(request("/two"), response(stored_gzip(GZIP), "200 OK", "Content-Encoding: gzip, gzip"))
        c.ask(request("/unknown"), response(b"whatever", "200 OK", "Content-Encoding: x-own"))
        c.ask(request("/identity"), response(PLAIN, "200 OK", "Content-Encoding: identity"))
        c.ask(request("/broken"), response(GZIP[:20] + b"\xff" * 20, "200 OK", "Content-Encoding: gzip"))
        c.ask(request("/up", "www.example.com", "POST", GZIP, "Content-Encoding: gzip"), response(b"ok"))
        c.close()
    return plain(build)


@case("http-interim.pcap", "POST /up 200 7 sent=5", "GET /hints 200 4", "POST /no 417 0")
def _():
    """100 Continue before a POST, 103 before a 200, and a 417 instead of the 100."""
    def build(t):
        c = Connection(t, 40000)
        head = request("/up", "www.example.com", "POST", b"", "Expect: 100-continue", "Content-Length: 5")
        c.send(0, head)
        c.send(1, b"HTTP/1.1 100 Continue\r\n\r\n")
        c.send(0, b"12345")
        c.send(1, response(b"stored\n"))
        c.ask(request("/hints"), b"HTTP/1.1 103 Early Hints\r\nLink: </s.css>; rel=preload\r\n\r\n" + response(b"page"))
        c.ask(request("/no", "www.example.com", "POST", b"", "Expect: 100-continue", "Content-Length: 9"), response(b"", "417 Expectation Failed", "Connection: close"))
        c.close()
    return plain(build)


@case("http-connect.pcap",
      "CONNECT www.example.com:443 200 ?", "TLS www.example.com h2,http/1.1 1.3 0",
      "CONNECT blocked.example.net:443 403 3", "GET http://www.example.com/x?y=1 200 18")
def _():
    """A proxy: CONNECT accepted, then a TLS ClientHello through the tunnel; CONNECT refused; an absolute-form GET."""
    def build(t):
        c = Connection(t, 40000, 3128, server=OTHER)
        c.ask(request("www.example.com:443", "www.example.com:443", "CONNECT"), b"HTTP/1.1 200 Connection established\r\n\r\n")
        c.send(0, record(22, client_hello(), 0x0301))
        c.send(1, record(22, server_hello(alpn=None)))
        c.close()
        c = Connection(t, 40001, 3128, server=OTHER)
        c.ask(request("blocked.example.net:443", "blocked.example.net:443", "CONNECT"), response(b"no\n", "403 Forbidden"))
        c.ask(request("http://www.example.com/x?y=1"), response(b"through the proxy\n", "200 OK", "Via: 1.1 proxy.example"))
        c.close()
    return plain(build)


@case("http-upgrade.pcap", "GET /ws 101 ? ws=1,1", "GET /plain 200 11", "GET /next 200 5")
def _():
    """A WebSocket opened with 101, frames behind it; an offered upgrade that the server ignores."""
    def build(t):
        c = Connection(t, 40000)
        offer = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
        c.ask(request("/ws", "www.example.com", "GET", b"", *offer), b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        c.send(1, b"\x81\x05GET /")
        c.send(0, b"\x81\x85\x01\x02\x03\x04" + bytes(a ^ b for a, b in zip(b"hello", b"\x01\x02\x03\x04\x01")))
        c.close()
        c = Connection(t, 40001)
        c.ask(request("/plain", "www.example.com", "GET", b"", "Connection: Upgrade", "Upgrade: h2c"), response(b"no upgrade\n"))
        c.ask(request("/next"), response(b"next\n"))
        c.close()
    return plain(build)


@case("http-until-close.pcap", "GET /fin 200 10", "GET /rst 200 ?", "GET /short 200 -", "GET /open 200 -")
def _():
    """Bodies without a length: ended by FIN, by RST, by the end of the capture; HTTP/1.0; a length cut short by FIN."""
    def build(t):
        c = Connection(t, 40000)
        c.ask(request("/fin"), response(b"all of it\n", length=False, *()))
        c.put(1, FIN | ACK)
        c.put(0, FIN | ACK)
        c = Connection(t, 40001)
        c.ask(b"GET /rst HTTP/1.0\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\npart of it")
        c.put(1, RST | ACK)
        c = Connection(t, 40002)
        c.ask(request("/short"), response(b"", "200 OK", "Content-Length: 100", length=False) + b"only this")
        c.close()
        c = Connection(t, 40003)
        c.ask(request("/open"), response(b"the capture ends", length=False))
    return plain(build)


@case("http-09.pcap", "GET /old - ?")
def _():
    """HTTP/0.9: a request line without a version, an answer without a head."""
    def build(t):
        c = Connection(t, 40000)
        c.ask(b"GET /old\r\n", b"<html>old</html>\n")
        c.put(1, FIN | ACK)
        c.put(0, FIN | ACK)
    return plain(build)


@case("http-gap.pcap",
      "GET /known 200 -", "GET /after-known 200 5", "GET /chunked 200 -", "GET /after-chunked 200 5", "GET /head ? ?",
      "GET /after-head 200 5", "- - 200 7", "GET /after-orphan 200 5")
def _():
    """Lost segments: inside a body of known length, inside a chunked body, inside a head; good exchanges follow each."""
    def build(t):
        c = Connection(t, 40000)
        c.send(0, request("/known"))
        c.send(1, response(b"k" * 900), size=300, lost={1})
        c.ask(request("/after-known"), response(b"fine\n"))
        c.close()
        c = Connection(t, 40001)
        c.send(0, request("/chunked"))
        c.send(1, response(b"", "200 OK", "Transfer-Encoding: chunked", length=False) + chunks(b"c" * 500, b"d" * 500), size=300, lost={2})
        c.ask(request("/after-chunked"), response(b"fine\n"))
        c.close()
        c = Connection(t, 40002)
        c.send(0, request("/head"))
        c.send(1, response(b"body", "200 OK", "X-Long: " + "h" * 600), size=200, lost={1})
        c.ask(request("/after-head"), response(b"fine\n"))
        c.close()
        c = Connection(t, 40003)
        c.send(0, request("/request-lost"), size=4000, lost={0})
        c.send(1, response(b"orphan\n"))
        c.ask(request("/after-orphan"), response(b"fine\n"))
        c.close()
    return plain(build)


@case("http-out-of-order.pcap", "GET /shuffled 200 1024", "GET /next 200 5")
def _():
    """Segments swapped, repeated, overlapping with the same bytes, repeated after their acknowledgement; keep-alives."""
    def build(t):
        c = Connection(t, 40000)
        c.send(0, request("/shuffled"))
        data = response(bytes(range(256)) * 4, "200 OK", "Content-Type: application/octet-stream")
        base, ack = c.seq[1], c.seq[0]
        piece = lambda a, b: t.add(c.segment(1, base + a, ACK, data[a:b], ack=ack))
        for a, b in ((800, 1000), (0, 200), (0, 200), (400, 600), (150, 450), (1000, len(data)), (600, 800), (700, 900)):
            piece(a, b)
        c.seq[1] += len(data)
        t.add(c.segment(0, c.seq[0] - 1, ACK))  # a keep-alive probe without data, then with one old byte
        t.add(c.segment(0, c.seq[0] - 1, ACK, b"\0"))
        piece(0, 300)
        c.ask(request("/next"), response(b"next\n"))
        c.close()
    return plain(build)


@case("http-overlap.pcap", "GET /aaaaaaaa 200 11")
def _():
    """The same stretch sent twice with other bytes: what is read must say so."""
    def build(t):
        c = Connection(t, 40000)
        first, second = request("/aaaaaaaa"), request("/bbbbbbbb")
        t.add(c.segment(0, c.seq[0] + 40, ACK | PSH, first[40:]))
        t.add(c.segment(0, c.seq[0] + 40, ACK | PSH, second[40:].replace(b"capture", b"CAPTURE")))
        t.add(c.segment(0, c.seq[0], ACK | PSH, first[:40]))
        t.add(c.segment(0, c.seq[0], ACK | PSH, second[:40]))
        c.seq[0] += len(first)
        c.send(1, response(b"which one?\n"))
        c.close()
    return plain(build)


@case("http-reused-port.pcap", "GET /first 200 2", "GET /second 200 2", "GET /third 200 2", "GET /fourth-wraps 200 600")
def _():
    """One pair of ports, three connections: closed by FIN, by RST, then opened anew by a SYN with another number."""
    def build(t):
        c = Connection(t, 40000)
        c.ask(request("/first"), response(b"1\n"))
        c.close()
        c = Connection(t, 40000, isn=(700000, 900000))
        c.ask(request("/second"), response(b"2\n"))
        c.put(0, RST)
        c = Connection(t, 40000, isn=(100, 200))
        c.ask(request("/third"), response(b"3\n"))
        c = Connection(t, 40000, isn=(0xFFFFFFF0, 0xFFFFFF00))  # both numbers wrap inside the exchange
        c.ask(request("/fourth-wraps"), response(b"4" * 600))
        c.close()
    return plain(build)


@case("http-late-start.pcap", "GET /late 200 5", "- - 200 7", "GET /odd-port 200 4")
def _():
    """No SYN: the capture starts inside an answer, before a request, and with the server's side first on an odd port."""
    def build(t):
        c = Connection(t, 40000, handshake=False)
        c.send(1, b"the end of a body that began before\n")
        c.ask(request("/late"), response(b"late\n"))
        c.close()
        c = Connection(t, 40001, 8123, handshake=False)
        c.send(1, response(b"orphan\n"))
        c.ask(request("/odd-port"), response(b"odd\n"))
        c.close()
    return plain(build)


@case("http-odd-heads.pcap",
      "GET /folded 200 1", "GET /lf 200 1", "GET ? 200 1", "GET /lengths 200 1", "GET /both 200 1", "GET /reason 200 1",
      "BREW /pot 418 0", "OPTIONS * 200 0")
def _():
    """Folded lines, bare LF, an empty line first, bytes that are no UTF-8, no space after the colon, a line without a colon, two lengths, length and chunked together, reason left out."""
    def build(t):
        c = Connection(t, 40000)
        c.ask(b"\r\nGET /folded HTTP/1.1\r\nHost: www.example.com\r\nX-Fold: one\r\n  two\r\n\tthree\r\n\r\n", response(b"a"))
        c.ask(b"GET /lf HTTP/1.1\nHost: www.example.com\n\n", b"HTTP/1.1 200 OK\nContent-Length: 1\n\nb")
        c.ask(b"GET /bytes\xff\xfe HTTP/1.1\r\nHost:www.example.com\r\nX-Bytes: caf\xe9 \x80\r\nno colon here\r\nEmpty:\r\n\r\n", response(b"c"))
        c.ask(request("/lengths"), b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nd")
        c.ask(request("/both"), b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(b"e"))
        c.ask(request("/reason"), b"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nf")
        c.ask(b"BREW /pot HTTP/1.1\r\nHost: www.example.com\r\n\r\n", response(b"", "418 I'm a teapot"))
        c.ask(b"OPTIONS * HTTP/1.1\r\nHost: www.example.com\r\n\r\n", response(b"", "200 OK", "Allow: GET"))
        c.close()
    return plain(build)


@case("http-tiny-segments.pcap", "GET /t 200 3")
def _():
    """Every byte of a request and its answer in a segment of its own."""
    def build(t):
        c = Connection(t, 40000)
        c.ask(b"GET /t HTTP/1.1\r\nHost: e\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(b"ab", b"c"), size=1)
        c.close()
    return plain(build)


@case("http-two-at-once.pcap", "GET /a1 200 800", "GET /b1 200 2", "GET /b2 200 2")
def _():
    """Two connections whose segments alternate; rows come in the order of their first frames."""
    def build(t):
        a, b = Connection(t, 40000), Connection(t, 40001)
        a.send(0, request("/a1"))
        b.send(0, request("/b1"))
        b.send(1, response(b"b1"))
        a.send(1, response(b"a1" * 400), size=300)
        b.send(0, request("/b2"))
        a.close()
        b.send(1, response(b"b2"))
        b.close()
    return plain(build)


@case("http-no-http.pcap")
def _():
    """Port 80 without HTTP, other protocols, ARP, ICMP, a SYN scan: no rows, nothing wrong."""
    t = Trace()
    c = Connection(t, 40000)
    c.ask(b"\x16\x03nonsense\0\0\0\x01", b"\0\x01\x02\x03" * 20)
    c.close()
    c = Connection(t, 40001, 25)
    c.send(1, b"220 mail.example.com ESMTP\r\n")
    c.ask(b"EHLO x\r\n", b"250 ok\r\n")
    for port in range(1, 6):
        t.add(ip(CLIENT, SERVER, 6, tcp(CLIENT, 41000, SERVER, port, 1, 0, SYN)))
    t.add(ip(CLIENT, SERVER, 1, bytes.fromhex("0800f7ff00000000")))
    datagram(t, CLIENT, 50000, SERVER, 123, b"\x1b" + b"\0" * 47)
    frames = t.frames_of(ether)
    arp = bytes.fromhex("0001080006040001 02000000000a c000020a 000000000000 c6336414".replace(" ", ""))
    frames.append((t.now, ether(arp, 0x0806), None))
    frames.append((t.now + STEP, ether(b"\xaa" * 50, 0x88CC), None))
    return pcap(frames)


@case("ipv6.pcap", ONE, ONE, "GET /fragments 200 500")
def _():
    """IPv6: plain, behind hop-by-hop and destination options, and an answer in fragments that arrive out of order."""
    t = Trace()
    ends = {"client": CLIENT6, "server": SERVER6}
    one_get(t, 40000, **ends)
    count = len(t.frames)
    one_get(t, 40001, **ends)
    for at in range(count, len(t.frames)):
        time, p, _ = t.frames[at]
        padding = bytes.fromhex("01040000" "0000")
        t.frames[at] = (time, ipv6(CLIENT6, SERVER6, 0, bytes([60, 0]) + padding + bytes([6, 0]) + padding + p[40:])[:8] + p[8:40]
                        + bytes([60, 0]) + padding + bytes([6, 0]) + padding + p[40:], None)
    c = Connection(t, 40002, **ends)
    c.send(0, request("/fragments"))
    whole = c.put(1, ACK | PSH, response(b"F" * 500), lost=True)[40:]
    for a, b in ((400, len(whole)), (0, 200), (200, 400)):
        t.add(ipv6(SERVER6, CLIENT6, 44, struct.pack(">BBHI", 6, 0, a | (b < len(whole)), 77) + whole[a:b]))
    c.close()
    return pcap(t.frames_of(ether))


@case("ipv4-fragments.pcap",
      "GET /fragments 200 700", "GET /after 200 5", "DNS big.example.com TXT 0 3", "DNS - - 0 0", "GET /options - -")
def _():
    """An answer in three IPv4 fragments, last first; a DNS answer in two; one datagram whose middle is missing; IP options."""
    def build(t):
        def cut(whole, ident, proto, src, dst, order, places):
            for index in order:
                a, b = places[index], places[index + 1]
                t.add(ipv4(src, dst, proto, whole[a:b], ident, (a // 8) | (0x2000 if b < len(whole) else 0)))
        c = Connection(t, 40000)
        c.send(0, request("/fragments"))
        whole = c.put(1, ACK | PSH, response(b"F" * 700), lost=True)[20:]
        cut(whole, 500, 6, SERVER, CLIENT, (2, 0, 1), (0, 304, 608, len(whole)))
        c.ask(request("/after"), response(b"fine\n"))
        c.close()
        datagram(t, CLIENT, 53000, "192.0.2.53", 53, dns(7, "big.example.com", TXT))
        answer = dns(7, "big.example.com", TXT, [dns_record("big.example.com", TXT, vec(b"t" * 250, 1))] * 3, 0x8180)
        whole = udp("192.0.2.53", 53, CLIENT, 53000, answer)
        cut(whole, 501, 17, "192.0.2.53", CLIENT, (0, 1), (0, 512, len(whole)))
        cut(whole, 502, 17, "192.0.2.53", CLIENT, (0, 2), (0, 256, 512, len(whole)))
        s = tcp(CLIENT, 40009, SERVER, 80, 1, 1, ACK | PSH, request("/options"))
        t.add(ipv4(CLIENT, SERVER, 6, s, options=b"\x01\x01\x01\x01"))
    return plain(build)


def linked(link, wrap):
    trace = Trace()
    one_get(trace)
    look_up(trace, 9, "www.example.com", [dns_record("www.example.com", A, SERVER)])
    return pcap(trace.frames_of(wrap), link)


def ethertype(packet):
    return struct.pack(">H", 0x86DD if packet[0] >> 4 == 6 else 0x0800)


@case("link-vlan.pcap", ONE, LOOK_UP)
def _():
    """802.1Q tags."""
    return linked(1, lambda p: vlan(p, 42))


@case("link-qinq.pcap", ONE, LOOK_UP)
def _():
    """802.1ad over 802.1Q."""
    return linked(1, lambda p: vlan(p, 100, 42))


@case("link-mpls.pcap", ONE, LOOK_UP)
def _():
    """Two MPLS labels."""
    return linked(1, lambda p: ether(struct.pack(">II", 100 << 12 | 64, 200 << 12 | 0x100 | 64) + p, 0x8847))


@case("link-pppoe.pcap", ONE, LOOK_UP)
def _():
    """PPPoE session frames."""
    return linked(1, lambda p: ether(struct.pack(">BBHHH", 0x11, 0, 1, len(p) + 2, 0x0021) + p, 0x8864))


@case("link-sll.pcap", ONE, LOOK_UP)
def _():
    """Linux cooked capture, version 1."""
    return linked(113, lambda p: struct.pack(">HHH8s", 0, 1, 6, bytes.fromhex("02000000000a0000")) + ethertype(p) + p)


@case("link-sll2.pcap", ONE, LOOK_UP)
def _():
    """Linux cooked capture, version 2."""
    return linked(276, lambda p: ethertype(p) + struct.pack(">HIHBB8s", 0, 2, 1, 0, 6, bytes.fromhex("02000000000a0000")) + p)


@case("link-raw.pcap", ONE, LOOK_UP)
def _():
    """Raw IP, link type 101."""
    return linked(101, lambda p: p)


@case("link-null.pcap", ONE, LOOK_UP)
def _():
    """BSD loopback: the family in the byte order of the machine that captured."""
    return linked(0, lambda p: struct.pack("<I", 2) + p)


@case("link-loop.pcap", ONE, LOOK_UP)
def _():
    """OpenBSD loopback: the family in network order."""
    return linked(108, lambda p: struct.pack(">I", 2) + p)


@case("link-ppp.pcap", ONE, LOOK_UP)
def _():
    """PPP with address and control bytes."""
    return linked(9, lambda p: bytes.fromhex("ff030021") + p)


def wifi(packet, qos=False):
    head = bytes.fromhex("88020000" if qos else "08020000") + bytes.fromhex("02000000000a" "020000000002" "020000000003") + b"\x10\0"
    return head + (b"\0\0" if qos else b"") + bytes.fromhex("aaaa03000000") + ethertype(packet) + packet


@case("link-wifi.pcap", ONE, LOOK_UP)
def _():
    """802.11 data frames, one in two with a QoS field, without a radio header."""
    return linked(105, lambda p: wifi(p, qos=len(p) % 2 == 0))


@case("link-radiotap.pcap", ONE, LOOK_UP)
def _():
    """802.11 data frames behind radiotap headers of two lengths."""
    return linked(127, lambda p: (struct.pack("<BBHI", 0, 0, 8, 0) if len(p) % 2 else struct.pack("<BBHIBB", 0, 0, 10, 0x06, 0, 2)) + wifi(p))


@case("link-unknown.pcap")
def _():
    """A link type that is not understood: the frames are counted as such."""
    return linked(147, lambda p: p)


@case("tunnel-gre.pcap", ONE, LOOK_UP)
def _():
    """GRE over IPv4: plain, with key and checksum fields, and with Ethernet inside."""
    def wrap(p):
        if len(p) % 3 == 0:
            gre = struct.pack(">HH", 0, 0x0800) + p
        elif len(p) % 3 == 1:
            gre = struct.pack(">HHHHI", 0xA000, 0x0800, 0, 0, 7) + p
            gre = gre[:4] + struct.pack(">H", checksum(gre)) + gre[6:]
        else:
            gre = struct.pack(">HH", 0, 0x6558) + ether(p)
        return ether(ipv4("203.0.113.1", "203.0.113.2", 47, gre))
    return linked(1, wrap)


@case("tunnel-vxlan.pcap", ONE, LOOK_UP)
def _():
    """VXLAN: Ethernet in UDP port 4789."""
    return linked(1, lambda p: ether(ipv4("203.0.113.1", "203.0.113.2", 17, udp(
        "203.0.113.1", 49152, "203.0.113.2", 4789, struct.pack(">II", 0x08000000, 5 << 8) + ether(p)))))


@case("tunnel-ip-in-ip.pcap", ONE, LOOK_UP)
def _():
    """IPv4 in IPv4, and the same IPv4 in IPv6."""
    return linked(1, lambda p: ether(ipv4("203.0.113.1", "203.0.113.2", 4, p) if len(p) % 2 else ipv6("2001:db8::1", "2001:db8::2", 4, p)))


@case("tunnel-deep.pcap")
def _():
    """More tunnels in one frame than any limit allows."""
    def wrap(p):
        for _ in range(40):
            p = ipv4("203.0.113.1", "203.0.113.2", 4, p)
        return ether(p)
    return linked(1, wrap)


def simple_trace():
    t = Trace()
    one_get(t)
    return t


@case("file-nanoseconds.pcap", ONE)
def _():
    """A pcap with nanoseconds."""
    return pcap([(time + 123, p, o) for time, p, o in simple_trace().frames_of(ether)], nanos=True)


@case("file-big-endian.pcap", ONE)
def _():
    """A pcap of a big-endian machine."""
    return pcap(simple_trace().frames_of(ether), order=">")


@case("file-big-endian-nanoseconds.pcap", ONE)
def _():
    """Both."""
    return pcap([(time + 123, p, o) for time, p, o in simple_trace().frames_of(ether)], order=">", nanos=True)


@case("file-header-only.pcap")
def _():
    """A pcap without frames."""
    return pcap([])


@case("file-snapped.pcap", "~GET /one ? ?")
def _():
    """Frames cut to 100 bytes: heads and bodies have holes that no later segment fills."""
    return pcap([(time, p[:100], len(p)) for time, p, _ in simple_trace().frames_of(ether)], snap=100)


@case("file-time-back.pcap", ONE)
def _():
    """Times that go back by an hour in the middle."""
    frames = simple_trace().frames_of(ether)
    return pcap([(time - (3_600 * 10**9 if at > 4 else 0), p, o) for at, (time, p, o) in enumerate(frames)])


@case("file-cut-record.pcap", ONE)
def _():
    """The last frame is cut off in the middle."""
    return pcap(simple_trace().frames_of(ether))[:-25]


@case("file-cut-head.pcap", ONE)
def _():
    """The file ends inside a record header."""
    return pcap(simple_trace().frames_of(ether)) + b"\x01\x02\x03\x04\x05"


@case("file-bad-length.pcap", ONE)
def _():
    """A record in the middle claims four gigabytes; good records follow it."""
    frames = simple_trace().frames_of(ether)
    first, last = pcap(frames[:5]), pcap(frames[5:])[24:]
    return first + struct.pack("<IIII", START // 10**9, 0, 0xFFFFFFF0, 0xFFFFFFF0) + last


@case("file-zipped.pcap.gz", ONE)
def _():
    """The capture as gzip."""
    return stored_gzip(pcap(simple_trace().frames_of(ether)))


@case("file-zipped-twice.pcap.gz", ONE)
def _():
    """A gzip of two members, as `cat a.gz b.gz` makes."""
    data = pcap(simple_trace().frames_of(ether))
    return stored_gzip(data[:300]) + stored_gzip(data[300:])


@case("file-zipped-cut.pcap.gz", ONE)
def _():
    """A gzip whose end is missing."""
    return stored_gzip(pcap(simple_trace().frames_of(ether)))[:-60]


def ng(frames, **more):
    return section() + interface() + b"".join(enhanced(f, **more) for f in frames)


@case("ng-plain.pcapng", ONE)
def _():
    """One section, one interface, no options."""
    return ng(simple_trace().frames_of(ether))


@case("ng-sections.pcapng", ONE, ONE)
def _():
    """Two sections of both byte orders, three interfaces of three link types and clocks (micro-, nano-, 2^-20 seconds)."""
    t = Trace()
    one_get(t, 40000)
    half = len(t.frames)
    one_get(t, 40001)
    out = section("<", (2, b"machine"), (4, b"capture-maker"))
    out += interface("<", 1, 0, (2, b"eth0"), (3, b"the first")) + interface("<", 101, 0, (2, b"tun0"), (9, b"\x09"))
    for at, frame in enumerate(t.frames[:half]):
        time, p, o = frame
        out += enhanced((time, ether(p), o)) if at % 2 == 0 else enhanced((time, p, o), "<", 1, 1)
    out += section(">") + interface(">", 113, 0, (9, b"\x94"))
    for time, p, o in t.frames[half:]:
        ticks = time * 2**20 // 10**9
        out += enhanced((ticks, struct.pack(">HHH8s", 0, 1, 6, b"\0" * 8) + ethertype(p) + p, o), ">", 0, 1)
    return out


@case("ng-blocks.pcapng", ONE)
def _():
    """Comments, names, TLS secrets, statistics, a simple packet, an unknown and a custom block."""
    frames = simple_trace().frames_of(ether)
    names = struct.pack("<HH", 1, 20) + address(SERVER) + b"www.example.com\0" + struct.pack("<HH", 0, 0)
    keys = b"CLIENT_RANDOM " + b"00" * 32 + b" " + b"11" * 48 + b"\n"
    out = section("<", (1, "a comment on the section \u2601".encode())) + interface("<", 1, 0, (2, b"eth0"), (14, struct.pack("<q", 0)))
    out += block("<", 4, names) + block("<", 10, struct.pack("<II", 0x544C534B, len(keys)) + keys)
    out += block("<", 0x7777, b"unknown") + block("<", 0xBAD, struct.pack("<I", 32473) + b"custom")
    for at, frame in enumerate(frames):
        out += enhanced(frame, "<", 0, 1000, *([(1, b"a comment on a frame")] if at == 3 else []))
    out += block("<", 3, struct.pack("<I", len(frames[0][1])) + frames[0][1])
    return out + block("<", 5, struct.pack("<III", 0, 0, 0) + options("<", (4, struct.pack("<Q", 12)), (5, struct.pack("<Q", 3))))


def statistics(time, *counts, number=0):
    """An Interface Statistics Block at that time."""
    ticks = time // 1000
    counted = [(code, struct.pack("<Q", value)) for code, value in counts]
    return block("<", 5, struct.pack("<III", number, ticks >> 32, ticks & 0xFFFFFFFF) + options("<", *counted))


@case("ng-drops.pcapng", "GET /early 200 2", "GET /c/photo.jpg 200 7", "GET /late 200 2")
def _():
    """Statistics that tell of drops from the middle on, twice for one interface, and again in a second section: what was
    seen before them stands as it was, what comes after can show less; the last counts of each section are added up."""
    def got(port, target, server=SERVER):
        t = Trace()
        t.now += (port - 40000) * 10**9
        c = Connection(t, port, server=server)
        c.ask(*(blob("nephoexample", target) if server == OTHER else (request(target), response(b"ok"))))
        c.close()
        return t.frames_of(ether)
    early, store, late = got(40000, "/early"), got(40001, "/c/photo.jpg", OTHER), got(40002, "/late")
    out = section() + interface() + b"".join(map(enhanced, early)) + statistics(early[-1][0] + STEP, (4, 10), (5, 0), (7, 0))
    out += statistics(early[-1][0] + 2 * STEP, (4, 12), (5, 1), (6, 11), (7, 2)) + b"".join(map(enhanced, store))
    out += statistics(store[-1][0] + STEP, (4, 25), (5, 1), (6, 24), (7, 4))
    out += section() + interface() + b"".join(map(enhanced, late))
    return out + statistics(late[-1][0] + STEP, (4, 9), (5, 0), (6, 9), (7, 1))


@case("ng-silent.pcapng", "DNS slow.example.com A - -", "DNS - - 0 1")
def _():
    """A question; then only statistics blocks tell that two hours pass; then its answer from the same ports: it comes to a
    flow that is over."""
    t = Trace()
    look_up(t, 7, "slow.example.com", [dns_record("slow.example.com", A, SERVER)])
    t.frames[1] = (t.frames[1][0] + 7_200 * 10**9, *t.frames[1][1:])
    asked, answered = t.frames_of(ether)
    noted = b"".join(statistics(asked[0] + minutes * 60 * 10**9, (4, 1), (7, 0)) for minutes in range(1, 120))
    return section() + interface() + enhanced(asked) + noted + enhanced(answered)


@case("ng-clock.pcapng", "GET /one 200 5", "GET /one 200 5")
def _():
    """A clock that is set back by an hour, on by a day, to 0, to the year 2106 and back, with statistics blocks between,
    while one connection goes on; then another. No connection is taken for a silent one."""
    t = Trace()
    one_get(t)
    one_get(t, 40001)
    hour = 3_600 * 10**9
    shifted = {3: -hour, 4: -hour, 5: 24 * hour, 9: -2 * hour}
    out = section() + interface()
    for at, (time, data, original) in enumerate(t.frames_of(ether)):
        time = {6: 0, 7: (2**32 - 1) * 10**9}.get(at, time + shifted.get(at, 0))
        out += enhanced((time, data, original)) + statistics(time, (4, at + 1))
    return out


@case("ng-cut.pcapng", ONE)
def _():
    """The last block is cut off."""
    return ng(simple_trace().frames_of(ether))[:-30]


@case("ng-broken-middle.pcapng", "GET /one 200 5")
def _():
    """A block in the middle whose two lengths differ, and a frame of an interface that was never described."""
    frames = simple_trace().frames_of(ether)
    bad = bytearray(enhanced(frames[4]))
    bad[-4:] = struct.pack("<I", 99)
    return section() + interface() + b"".join(map(enhanced, frames[:4])) + bytes(bad) + enhanced(frames[5], "<", 9) + b"".join(map(enhanced, frames[6:]))


@case("tls-hello.pcap",
      "TLS www.example.com h2,http/1.1 1.3 0", "TLS two-segments.example.com h2,http/1.1 1.3 0",
      "TLS two-records.example.com h2,http/1.1 1.3 0", "TLS tiny.example.com h2,http/1.1 1.3 0", "TLS - - ? 0",
      "TLS xn--bcher-kva.example.com http/1.1 - 0", "TLS public.example.com h2,http/1.1 1.3 0")
def _():
    """ClientHellos: whole, across two segments, across two records in three segments, a byte a segment, without a name."""
    def build(t):
        def open_(port, data, size, answer=True):
            c = Connection(t, port, 443)
            c.send(0, data, size)
            if answer:
                c.send(1, record(22, server_hello()) + record(20, b"\x01") + record(23, seed("sealed", 200)))
            c.close()
        open_(40000, record(22, client_hello(), 0x0301), 1460)
        open_(40001, record(22, client_hello("two-segments.example.com"), 0x0301), 120)
        hello = client_hello("two-records.example.com")
        open_(40002, record(22, hello[:77], 0x0301) + record(22, hello[77:], 0x0301), 150)
        open_(40003, record(22, client_hello("tiny.example.com", grease=False), 0x0301), 1)
        open_(40004, record(22, client_hello(None, alpn=(), tls13=False), 0x0301), 1460)
        open_(40005, record(22, client_hello("xn--bcher-kva.example.com", alpn=("http/1.1",)), 0x0301), 1460, answer=False)
        ech = extension(0xFE0D, b"\0" + bytes.fromhex("00010001") + b"\x07" + vec(seed("enc"), 2) + vec(seed("inner", 144), 2))
        open_(40006, record(22, client_hello("public.example.com", more=ech), 0x0301), 1460)
    return plain(build)


@case("tls-certificates.pcap",
      "TLS www.example.com h2,http/1.1 1.2 2", "TLS www.example.com h2,http/1.1 1.2 2",
      "TLS refused.example.com h2,http/1.1 - 0")
def _():
    """TLS 1.2: hello, certificates cut over records and segments; the same chain again; a refusal by alert."""
    def build(t):
        leaf = certificate("www.example.com", "Example CA", ["www.example.com", "*.example.com", "example.com"], 5)
        root = certificate("Example CA", "Example CA", [], 1, ca=True)
        for port, cut in ((40000, 700), (40001, 16000)):
            c = Connection(t, port, 443)
            c.send(0, record(22, client_hello(tls13=False), 0x0301))
            flight = server_hello(0xC02F, tls13=False, alpn="h2") + certificate_message(leaf, root) + handshake(14, b"")
            c.send(1, b"".join(record(22, flight[a:a + cut]) for a in range(0, len(flight), cut)))
            c.send(0, record(22, handshake(16, vec(seed("key"), 1))) + record(20, b"\x01") + record(22, seed("finished", 40)))
            c.send(1, record(20, b"\x01") + record(22, seed("finished", 40)) + record(23, seed("data", 300)))
            c.close()
        c = Connection(t, 40002, 443)
        c.send(0, record(22, client_hello("refused.example.com"), 0x0301))
        c.send(1, record(21, b"\x02\x28"))
        c.close()
    return plain(build)


with open(os.path.join(HERE, "chains.json")) as chains:
    CHAINS = {label: [base64.b64decode(der) for der in ders] for label, ders in json.load(chains).items()}  # by make_chains.py


def tls12(trace, cport, sni, chain, server=SERVER, more=b"", after=b""):
    """A TLS 1.2 session in which the server sends that chain; `more` stands in its hello, `after` behind its chain."""
    c = Connection(trace, cport, 443, server=server)
    c.send(0, record(22, client_hello(sni, tls13=False), 0x0301))
    c.send(1, record(22, server_hello(0xC02F, tls13=False, more=more) + certificate_message(*chain) + after + handshake(14, b"")))
    c.send(0, record(22, handshake(16, vec(seed("key"), 1))) + record(20, b"\x01") + record(22, seed("finished", 40)))
    c.send(1, record(20, b"\x01") + record(22, seed("finished", 40)) + record(23, seed("data", 300)))
    c.close()


@case("tls-chain-public.pcap",
      "TLS www.cryptography.io h2,http/1.1 1.2 2", "TLS www.example.com h2,http/1.1 1.2 2", "TLS www.cryptography.io h2,http/1.1 1.2 1",
      "TLS cryptography.io h2,http/1.1 1.2 2", "TLS www.cryptography.io h2,http/1.1 1.2 2")
def _():
    """Two public chains of a real site, as its owners published them: for its name in 2016, for another, without the
    intermediate; the newer one in 2018; the older one again in 2026, long over."""
    def build(t):
        t.now = 1_465_992_000_000_000_000  # 2016-06-15T12:00:00Z
        tls12(t, 40000, "www.cryptography.io", CHAINS["public-2015"])
        tls12(t, 40001, "www.example.com", CHAINS["public-2015"])
        tls12(t, 40002, "www.cryptography.io", CHAINS["public-2015"][:1])
        t.now = 1_541_073_600_000_000_000  # 2018-11-01T12:00:00Z
        tls12(t, 40003, "cryptography.io", CHAINS["public-2018"])
        t.now = START
        tls12(t, 40004, "www.cryptography.io", CHAINS["public-2015"])
    return plain(build)


@case("tls-chain-private.pcap",
      "TLS www.example.com h2,http/1.1 1.2 1", "TLS www.example.com h2,http/1.1 1.2 2", "TLS www.example.com h2,http/1.1 1.2 1",
      "TLS intranet.example.com h2,http/1.1 1.2 2", "TLS www.apple.com h2,http/1.1 1.2 2", "TLS www.apple.com h2,http/1.1 1.2 2",
      "TLS www.example.com h2,http/1.1 1.2 2")
def _():
    """Chains that no public root vouches for: self-signed, of a private authority, without the issuer; that authority's own
    site; a company's name signed by its own root, and by another's: the mark of a machine on the way; a bad signature."""
    def build(t):
        for port, (sni, label) in enumerate([
            ("www.example.com", "self-signed"), ("www.example.com", "good-with-root"), ("www.example.com", "no-issuer"),
            ("intranet.example.com", "guard-own"), ("www.apple.com", "own-root"), ("www.apple.com", "guard-apple"),
            ("www.example.com", "bad-signature"),
        ], 40000):
            tls12(t, port, sni, CHAINS[label][:2])
    return plain(build)


@case("tls-chain-unsent.pcap",
      "TLS www.apple.com h2,http/1.1 1.2 1", "TLS s3.amazonaws.com h2,http/1.1 1.2 1", "TLS www.apple.com h2,http/1.1 1.2 1")
def _():
    """One authority that is not sent signs for names of two companies: from the second on that cannot be a forgotten
    intermediate."""
    def build(t):
        for port, (sni, label) in enumerate([("www.apple.com", "guard-apple"), ("s3.amazonaws.com", "guard-amazon"),
                                             ("www.apple.com", "guard-apple")], 40000):
            tls12(t, port, sni, CHAINS[label][:1])
    return plain(build)


def serial(certificate_der):
    """The serial number of a certificate: the first INTEGER behind its version (RFC 5280 section 4.1)."""
    at = certificate_der.index(bytes.fromhex("a003020102")) + 5
    return certificate_der[at + 2:at + 2 + certificate_der[at + 1]]


def ocsp(number, status, this=b"20260105000000Z", following=b"20260112000000Z", timestamps=()):
    """An OCSP answer (RFC 6960 section 4.2.1) about the certificate of that serial number; its signature is noise."""
    oid = lambda text: der(6, bytes.fromhex(text))
    sha1 = der(0x30, oid("2b0e03021a"), der(5))
    ident = der(0x30, sha1, der(4, seed("issuer name", 20)), der(4, seed("issuer key", 20)), der(2, number))
    more = b""
    if timestamps:
        scts = vec(b"".join(vec(t, 2) for t in timestamps), 2)
        more = der(0xA1, der(0x30, der(0x30, oid("2b06010401d679020405"), der(4, der(4, scts)))))
    single = der(0x30, ident, status, der(0x18, this), *([der(0xA0, der(0x18, following))] if following else []), more)
    data = der(0x30, der(0xA2, der(4, seed("responder", 20))), der(0x18, this), der(0x30, single))
    basic = der(0x30, data, der(0x30, oid("2a864886f70d01010b"), der(5)), der(3, b"\0" + seed("signature", 256)))
    return der(0x30, der(10, b"\0"), der(0xA0, der(0x30, oid("2b0601050507300101"), der(4, basic))))


GOOD, REVOKED, UNKNOWN = der(0x80), der(0xA1, der(0x18, b"20251224120000Z")), der(0x82)


@case("tls-stapled.pcap", *["TLS cryptography.io h2,http/1.1 1.2 2"] * 7)
def _():
    """OCSP answers stapled to a chain: good, with timestamps of logs in it, in the certificate and in the hello; revoked;
    unknown; about another certificate and over; a responder that failed; one that cannot be read; and none."""
    def build(t):
        chain = CHAINS["public-2018"]
        own, sct = serial(chain[0]), [seed("log one", 118), seed("log two", 119)]
        answers = [ocsp(own, GOOD, timestamps=sct), ocsp(own, REVOKED, following=None), ocsp(own, UNKNOWN),
                   ocsp(b"\x05", GOOD, following=b"20260105010000Z"), der(0x30, der(10, b"\x03")), b"\x30\x03\x0a\x01"]
        for port, answer in enumerate(answers, 40000):
            more = extension(5, b"") + (extension(18, vec(b"".join(vec(s, 2) for s in sct), 2)) if port == 40000 else b"")
            tls12(t, port, "cryptography.io", chain, more=more, after=handshake(22, b"\x01" + vec(answer, 3)))
        tls12(t, 40010, "cryptography.io", chain)
    return plain(build)


@case("tls-retry.pcap",
      "TLS www.example.com h2,http/1.1 ? 0", "~TLS www.example.com h2,http/1.1 ? 0", "TLS odd-port.example.com - 1.3 0")
def _():
    """TLS 1.3 with a HelloRetryRequest, so with two ClientHellos; and TLS on a port that is not 443."""
    def build(t):
        c = Connection(t, 40000, 443)
        c.send(0, record(22, client_hello(), 0x0301))
        c.send(1, record(22, server_hello(random=RETRY)) + record(20, b"\x01"))
        c.send(0, record(20, b"\x01") + record(22, client_hello()))
        c.send(1, record(22, server_hello()) + record(23, seed("sealed", 100)))
        c.close()
        c = Connection(t, 40001, 5061)
        c.send(0, record(22, client_hello("odd-port.example.com", alpn=()), 0x0301))
        c.send(1, record(22, server_hello()))
        c.close()
    return plain(build)


@case("tls-gap.pcap", "TLS www.example.com h2,http/1.1 1.2 0", "~TLS ? ? ? 0")
def _():
    """A lost segment inside the certificates, and inside the ClientHello."""
    def build(t):
        leaf = certificate("www.example.com", "Example CA", ["www.example.com"], 5)
        c = Connection(t, 40000, 443)
        c.send(0, record(22, client_hello(tls13=False), 0x0301))
        c.send(1, record(22, server_hello(0xC02F, tls13=False)) + record(22, certificate_message(leaf)), size=400, lost={1})
        c.close()
        c = Connection(t, 40001, 443)
        c.send(0, record(22, client_hello("lost.example.com"), 0x0301), size=100, lost={1})
        c.send(1, record(22, server_hello()))
        c.close()
    return plain(build)


class Quic:
    """A QUIC connection that writes its datagrams into a trace. Only hellos are real; all else is noise, as to an observer."""
    def __init__(self, trace, cport, sni="www.example.com", name=None, version=quic.V1, alpn=("h3",), client=CLIENT, server=SERVER, own=True, more=b""):
        self.trace, self.ends, self.ports, self.version = trace, (client, server), (cport, 443), version
        name = name or str(sni)
        self.origin, self.theirs, self.own = seed("origin" + name, 8), seed("server id" + name, 8), seed("client id" + name, 8) if own else b""
        self.hello, self.answer = client_hello(sni, alpn, more=extension(57, b"\x04\x04\x80\x00\xff\xff") + more), server_hello()
        self.number = 0

    def put(self, side, *packets, port=None):
        """A datagram; `port` is the client's, if it is another one now."""
        ports = (self.ports[0] if port is None else port, self.ports[1])
        datagram(self.trace, self.ends[side], ports[side], self.ends[1 - side], ports[1 - side], b"".join(packets))

    def initial(self, *frames, server=False, **more):
        self.number += 1
        ids = (self.own, self.theirs) if server else (self.origin, self.own)
        return quic.initial(b"".join(frames), *ids, origin=more.pop("origin", self.origin), server=server,
                            version=more.pop("version", self.version), number=self.number - 1, **more)

    def ask(self, *packets):
        self.put(0, self.initial(quic.crypto(0, self.hello), size=1200), *packets)

    def reply(self, **more):
        self.put(1, self.initial(b"\x02\0\0\0\0", quic.crypto(0, self.answer), server=True, **more),
                 quic.long(2, seed("certificate", 700), self.own, self.theirs, more.get("version", self.version)))

    def talk(self, *sizes, port=None):
        for side, size in sizes:
            self.put(side, quic.short((self.theirs, self.own)[side], seed(f"sealed {side} {size}", size)), port=port)


@case("quic-hello.pcap",
      "TLS www.example.com h3 1.3 0", "TLS two.example.com h3 1.3 0", "TLS shuffled.example.com h3 1.3 0",
      "TLS version2.example.com h3 1.3 0", "TLS draft.example.com h3-29 1.3 0", "TLS changes.example.com h3 1.3 0",
      "TLS silent.example.com h3 - 0", "TLS - doq 1.3 0", "TLS six.example.com h3 1.3 0", "TLS - - - 0")
def _():
    """QUIC ClientHellos: whole; over two datagrams; CRYPTO frames shuffled, overlapping and twice, the last datagram first; version 2; draft 29; a server that changes to version 2; no answer; no name; IPv6; one whose second half is missing."""
    def build(t):
        for port, sni, how in ((50000, "www.example.com", {}), (50001, "two.example.com", {}), (50002, "shuffled.example.com", {}),
                               (50003, "version2.example.com", {"version": quic.V2}), (50004, "draft.example.com", {"version": quic.DRAFT_29, "alpn": ("h3-29",)}),
                               (50005, "changes.example.com", {}), (50006, "silent.example.com", {}), (50007, None, {"alpn": ("doq",), "own": False}),
                               (50008, "six.example.com", {"client": CLIENT6, "server": SERVER6}), (50009, "lost.example.com", {})):
            large = extension(51, vec(struct.pack(">H", 4588) + vec(seed("large share", 1216), 2), 2)) if port in (50001, 50002) else b""
            c = Quic(t, port, sni, more=large, **how)
            cut = lambda a, b: quic.crypto(a, c.hello[a:b])
            end = len(c.hello)
            if port == 50001:
                c.put(0, c.initial(cut(0, 1000), size=1200))
                c.put(0, c.initial(cut(1000, end), size=1200))
            elif port == 50002:
                c.put(0, c.initial(cut(1200, end), b"\x01", cut(900, 1100), size=1200))
                c.put(0, c.initial(cut(500, 700), cut(0, 60), bytes(20), cut(300, 520), cut(60, 300), size=1200))
                c.put(0, c.initial(cut(0, 100), cut(690, 950), cut(1050, 1250), size=1200))
            elif port == 50009:
                c.put(0, c.initial(cut(0, 200), size=1200))
            else:
                c.ask()
            if port in (50006, 50009):
                continue
            c.reply(**({"version": quic.V2} if port == 50005 else {}))
            c.talk((0, 60), (1, 900), (1, 1200), (0, 40))
    return plain(build)


@case("quic-ways.pcap",
      "TLS retry.example.com h3 1.3 0", "TLS again.example.com h3 1.3 0", "TLS early.example.com h3 1.3 0",
      "TLS other.example.com h3 - 0", "TLS other.example.com h3 1.3 0", "TLS hrr.example.com h3 1.3 0", "TLS hrr.example.com h3 1.3 0",
      "TLS one.example.com h3 1.3 0", "TLS both.example.com h3 1.3 0", "TLS late.example.com h3 1.3 0")
def _():
    """Ways through a QUIC handshake: Retry; a Retry that was not captured; 0-RTT; Version Negotiation, after which the client begins anew; HelloRetryRequest; two connections whose datagrams alternate on one pair of ports; a new one on ports where an old one was still talking."""
    def build(t):
        for port, name, captured in ((50000, "retry.example.com", True), (50001, "again.example.com", False)):
            c = Quic(t, port, name)
            c.ask()
            fresh = seed("retry id" + name, 12)
            if captured:
                c.put(1, quic.retry(c.origin, c.own, fresh, b"a token"))
            c.origin = fresh
            c.put(0, c.initial(quic.crypto(0, c.hello), token=b"a token", size=1200))
            c.reply()
            c.talk((0, 60), (1, 300))
        c = Quic(t, 50002, "early.example.com")
        c.ask(quic.long(1, seed("early data", 90), c.origin, c.own))
        c.reply()
        c = Quic(t, 50003, "other.example.com")
        c.put(0, c.initial(quic.crypto(0, c.hello), size=1200, shown=0x1A2A3A4A))
        c.put(1, quic.negotiation(c.own, c.origin, quic.V1, quic.V2, 0x5A6A7A8A))
        c.ask()
        c.reply()
        c = Quic(t, 50004, "hrr.example.com")
        c.ask()
        c.answer = server_hello(random=RETRY)
        c.reply()
        c.put(0, c.initial(quic.crypto(len(c.hello), c.hello), size=1200))
        c.put(1, c.initial(quic.crypto(len(c.answer), server_hello()), server=True))
        c, d = Quic(t, 50005, "one.example.com"), Quic(t, 50005, "both.example.com")
        half = len(c.hello) // 2
        for a, b in ((0, half), (half, None)):
            for q in (c, d):
                q.put(0, q.initial(quic.crypto(a, q.hello[a:b]), size=1200))
        d.reply()
        c.reply()
        c.talk((0, 50), (1, 500))
        d.talk((0, 51), (1, 501))
        old = Quic(t, 50006, "old.example.com")
        old.talk(*[(n % 2, 100 + n) for n in range(12)])
        c = Quic(t, 50006, "late.example.com")
        c.ask()
        c.reply()
    return plain(build)


@case("quic-moved.pcap", "TLS moved.example.com h3 1.3 0", "TLS stays.example.com h3 1.3 0")
def _():
    """A QUIC client whose port changes while its connection id stays: one session, which says so; beside it one that stays, one whose beginning is not there, and noise that looks like QUIC."""
    def build(t):
        c, d = Quic(t, 50000, "moved.example.com"), Quic(t, 50001, "stays.example.com")
        for q in (c, d):
            q.ask()
            q.reply()
            q.talk((0, 60), (1, 700))
        c.talk((0, 61), (1, 701), (0, 62), port=50010)
        d.talk((0, 63), (1, 702))
        c.talk((1, 703), (0, 64), port=50011)
        Quic(t, 50012, "unknown.example.com").talk((0, 65), (1, 704))
        for at, noise in enumerate((b"\x40" + seed("noise", 5), b"\xc3\0\0\0\1\x08" + seed("noise", 100), b"\xc3\0\0\0\1\xff", b"\xc3Q046\x50" + seed("noise", 60),
                                    quic.initial(quic.crypto(0, b""), seed("id", 8), b"")[:-1] + b"\0", quic.negotiation(b"", seed("id", 8), quic.V1))):
            datagram(t, CLIENT, 50020 + at, OTHER, 443, noise)
    return plain(build)


@case("quic-google.pcap", "TLS q037.example.com - - 0", "TLS q043.example.com - - 0", "TLS q046.example.com - - 0")
def _():
    """Google's own QUIC, versions Q037, Q043 and Q046: the hello is plain; it is sent twice; one whose hash is wrong is none."""
    def build(t):
        for port, version in ((50000, b"Q037"), (50001, b"Q043"), (50002, b"Q046")):
            hello = quic.google(version, seed(f"id {port}", 8), version.decode().lower().encode() + b".example.com")
            for _ in range(2):
                datagram(t, CLIENT, port, SERVER, 443, hello)
                datagram(t, SERVER, 443, CLIENT, port, b"\x08" + seed(f"id {port}", 8) + seed("rejected", 600))
        datagram(t, CLIENT, 50003, SERVER, 443, hello[:-1] + b"\1")
    return plain(build)


@case("dns-udp.pcap",
      "DNS www.example.com A 0 2", "DNS www.example.com AAAA 0 1", "DNS www.example.com A 0 3",
      "DNS none.example.com A 3 0", "DNS silent.example.com A - -", "DNS again.example.com A ? ?",
      "~DNS again.example.com A ? ?", "DNS ? ? 0 1", "DNS svc.example.com ? 0 1", "DNS ? A 0 1")
def _():
    """Look-ups: A, AAAA, a chain of CNAMEs with compression, no such name, no answer, asked twice, answer without question."""
    def build(t):
        name = "www.example.com"
        look_up(t, 1, name, [dns_record(b"\xc0\x0c", A, SERVER), dns_record(b"\xc0\x0c", A, OTHER, 60)])
        look_up(t, 2, name, [dns_record(b"\xc0\x0c", AAAA, SERVER6)], kind=AAAA)
        chain = [dns_record(b"\xc0\x0c", CNAME, "www.example.com.edge.example.net"), dns_record("www.example.com.edge.example.net", CNAME, b"\x02e1\x01c" + b"\xc0\x10"),
                 dns_record("e1.c.example.com", A, OTHER)]
        look_up(t, 3, name, chain, cport=53001)
        look_up(t, 4, "none.example.com", [], flags=0x8183)
        datagram(t, CLIENT, 53002, "192.0.2.53", 53, dns(5, "silent.example.com"))
        datagram(t, CLIENT, 53003, "192.0.2.53", 53, dns(6, "again.example.com"))
        datagram(t, CLIENT, 53003, "192.0.2.53", 53, dns(6, "again.example.com"))
        datagram(t, "192.0.2.53", 53, CLIENT, 53003, dns(6, "again.example.com", A, [dns_record(b"\xc0\x0c", A, OTHER)], 0x8180))
        datagram(t, "192.0.2.53", 53, CLIENT, 53004, dns(7, "unasked.example.com", A, [dns_record(b"\xc0\x0c", A, OTHER)], 0x8180))
        look_up(t, 8, "svc.example.com", [dns_record(b"\xc0\x0c", HTTPS, b"\0\x01\0\0\x01\0\x03\x02h2")], kind=HTTPS)
        look_up(t, 9, "UPPER.Example.COM", [dns_record("upper.example.com", A, OTHER)])
    return plain(build)


@case("dns-tcp.pcap", "DNS b.example.com A 0 1", "DNS a.example.com A 0 1")
def _():
    """DNS over TCP: two queries in one segment, answers in other order, one answer cut over three segments."""
    def build(t):
        c = Connection(t, 40000, 53, server="192.0.2.53")
        ask = lambda ident, name: vec(dns(ident, name), 2)
        reply = lambda ident, name: vec(dns(ident, name, A, [dns_record(b"\xc0\x0c", A, OTHER)], 0x8180), 2)
        c.send(0, ask(1, "a.example.com") + ask(2, "b.example.com"))
        c.send(1, reply(2, "b.example.com"), size=25)
        c.send(1, reply(1, "a.example.com"))
        c.close()
    return plain(build)


@case("dns-mdns.pcap", "DNS _http._tcp.local PTR ? ?", "~DNS ? ? 0 2", "DNS printer.local A ? ?", "~DNS nas A ? ?")
def _():
    """Multicast DNS: a question, an answer with the cache-flush bit, an announcement; LLMNR beside it."""
    def build(t):
        group = "224.0.0.251"
        datagram(t, CLIENT, 5353, group, 5353, dns(0, "_http._tcp.local", PTR, flags=0))
        datagram(t, "192.0.2.11", 5353, group, 5353, dns(0, None, answers=[
            dns_record("_http._tcp.local", PTR, "printer._http._tcp.local", 4500), dns_record("printer.local", A, "192.0.2.11", 120, 0x8001)], flags=0x8400))
        datagram(t, CLIENT, 5353, group, 5353, dns(0, "printer.local", A, flags=0, klass=0x8001))
        datagram(t, CLIENT, 5355, "224.0.0.252", 5355, dns(77, "nas", A, flags=0))
    return plain(build)


@case("dns-broken.pcap", *["~DNS ? ? ? ?"] * 8, "DNS fine.example.com A 0 1")
def _():
    """Names that point at themselves and at each other, a label past the end, counts that lie, a name too long, a header alone."""
    def build(t):
        head = lambda q, a: struct.pack(">HHHHHH", 1, 0x8180, q, a, 0, 0)
        kind = struct.pack(">HH", A, 1)
        bodies = [head(1, 0) + b"\xc0\x0c" + kind, head(1, 0) + b"\x01a\xc0\x10\xc0\x0c" + kind, head(1, 0) + b"\x3fabc" + kind,
                  head(65535, 65535) + dns_name("a.example") + kind, head(1, 0) + (b"\x3f" + b"x" * 63) * 5 + b"\0" + kind,
                  head(0, 0), head(1, 1) + dns_name("r.example") + kind + b"\xc0\x0c" + struct.pack(">HHIH", A, 1, 1, 400) + b"\x01", b"\0\x01"]
        for at, body in enumerate(bodies):
            datagram(t, "192.0.2.53", 53, CLIENT, 53000 + at, body)
        look_up(t, 50, "fine.example.com", [dns_record(b"\xc0\x0c", A, OTHER)], cport=53100)
    return plain(build)


@case("dns-odd-port.pcap", "DNS odd.example.com A 0 1")
def _():
    """DNS on a port that is not its own, and noise on port 53."""
    def build(t):
        datagram(t, CLIENT, 53000, OTHER, 5300, dns(1, "odd.example.com"))
        datagram(t, OTHER, 5300, CLIENT, 53000, dns(1, "odd.example.com", A, [dns_record(b"\xc0\x0c", A, SERVER)], 0x8180))
        datagram(t, CLIENT, 53001, "192.0.2.53", 53, seed("noise", 60))
    return plain(build)


def blob(account, target, host=None, server="Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0"):
    ask = request(target, host or f"{account}.blob.core.windows.net", "GET", b"", "x-ms-version: 2019-12-12")
    answer = response(b"picture", "200 OK", "Content-Type: image/png", 'ETag: "0x8DE4C1B2A3D4E5F"', "x-ms-request-id: 5f1d2c3b-001e-0047-55aa-7e9f12000000",
                      "x-ms-version: 2019-12-12", "x-ms-blob-type: BlockBlob").replace(b"Server: example", b"Server: " + server.encode())
    return ask, answer


@case("evidence-azure-blob.pcap", "DNS nephoexample.blob.core.windows.net A 0 2", "GET /photos/1.png 200 7")
def _():
    """DNS with a chain of CNAMEs, then a download that looks like Azure Blob Storage in name, chain and headers."""
    def build(t):
        name = "nephoexample.blob.core.windows.net"
        look_up(t, 1, name, [dns_record(b"\xc0\x0c", CNAME, "blob.ams07prdstr02a.store.core.windows.net"), dns_record("blob.ams07prdstr02a.store.core.windows.net", A, OTHER)])
        c = Connection(t, 40000, server=OTHER)
        c.ask(*blob("nephoexample", "/photos/1.png"))
        c.close()
    return plain(build)


@case("evidence-quic.pcap", "DNS nephoexample.blob.core.windows.net A 0 2", "TLS nephoexample.blob.core.windows.net h3 1.3 0")
def _():
    """DNS with a chain of CNAMEs, then a QUIC session for the name, its hello over two datagrams of which the second was captured first, after what is left of an older session."""
    def build(t):
        name = "nephoexample.blob.core.windows.net"
        look_up(t, 1, name, [dns_record(b"\xc0\x0c", CNAME, "blob.ams07prdstr02a.store.core.windows.net"), dns_record("blob.ams07prdstr02a.store.core.windows.net", A, OTHER)])
        Quic(t, 50000, "old", server=OTHER).talk((1, 120), (0, 50))
        c = Quic(t, 50000, name, server=OTHER)
        parts = [c.initial(quic.crypto(0, c.hello[:120]), size=1200), c.initial(quic.crypto(120, c.hello[120:]), size=1200)]
        c.put(0, parts[1])
        c.put(0, parts[0])
        c.put(0, parts[1])
        c.reply()
        c.talk((0, 60), (1, 700))
    return plain(build)


@case("evidence-look-alike.pcap", "GET /1.png 200 7", "GET /AmazonS3/ 200 1", "GET /cloudfront.net/x 200 1")
def _():
    """Names and headers that only look like a provider's: suffix tricks, a Server line alone, a provider's name in a path."""
    def build(t):
        c = Connection(t, 40000, server=OTHER)
        c.ask(*blob("x", "/1.png", "nephoexample.blob.core.windows.net.evil.example"))
        c.ask(request("/AmazonS3/", "notamazonaws.com"), response(b"x").replace(b"Server: example", b"Server: AmazonS3"))
        c.ask(request("/cloudfront.net/x", "www.example.com"), response(b"x"))
        c.close()
    return plain(build)


@case("evidence-hand-out.pcap", "GET /api/asset 200 ?", "GET ? 200 7")
def _():
    """A first party's JSON hands out a signed storage URL (escaped slashes), which the client then fetches."""
    def build(t):
        target = "/c/photo.jpg?sv=2019-12-12&sr=b&sp=r&se=2026-01-06T00%3A00%3A00Z&sig=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D"
        url = "http://nephoexample.blob.core.windows.net" + target
        c = Connection(t, 40000)
        c.ask(request("/api/asset", "api.example.com"), response(b'{"url":"' + url.replace("/", "\\/").encode() + b'"}', "200 OK", "Content-Type: application/json"))
        c.close()
        c = Connection(t, 40001, server=OTHER)
        c.ask(*blob("nephoexample", target))
        c.close()
    return plain(build)


@case("evidence-edge-s3.pcap", "GET /logo.svg 200 6", "GET /logo.svg 200 6", "GET /gone 404 ?")
def _():
    """A CDN's edge headers over an object store's: a miss, then a hit with an Age; an error body in the store's form."""
    def build(t):
        c = Connection(t, 40000)
        store = ("x-amz-request-id: 4F2A9C0D1E3B5A77", "x-amz-id-2: " + "aB3" * 20 + "=", 'ETag: "9a0364b9e99bb480dd25e1f0284c8555"')
        edge = lambda word: (f"X-Cache: {word} from cloudfront", "Via: 1.1 0123456789abcdef0123456789abcdef.cloudfront.net (CloudFront)", "X-Amz-Cf-Pop: FRA56-P1", "X-Amz-Cf-Id: " + "Q9z_" * 13 + "abc=")
        named = lambda r: r.replace(b"Server: example", b"Server: AmazonS3")
        c.ask(request("/logo.svg", "cdn.example.com"), named(response(b"<svg/>", "200 OK", *store, *edge("Miss"))))
        c.ask(request("/logo.svg", "cdn.example.com"), named(response(b"<svg/>", "200 OK", *store, *edge("Hit"), "Age: 17")))
        error = b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><RequestId>4F2A9C0D1E3B5A77</RequestId></Error>'
        c.ask(request("/gone", "cdn.example.com"), named(response(error, "404 Not Found", "Content-Type: application/xml", *store, *edge("Error"))))
        c.close()
    return plain(build)


def from_s3(answer):
    """An answer with the lines that an object store of another company writes."""
    store = ("x-amz-request-id: 4F2A9C0D1E3B5A77", "x-amz-id-2: " + "aB3" * 20 + "=", 'ETag: "9a0364b9e99bb480dd25e1f0284c8555"')
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.replace(b"Server: example", b"Server: AmazonS3") + "".join(f"\r\n{line}" for line in store).encode() + b"\r\n\r\n" + body


@case("compare-a.pcap", "GET /photos/1.png 200 7", "GET /photos/2.png 200 7", "GET /logo.svg 200 6", "GET /status 200 3", "GET /photos/3.png 200 7")
def _():
    """The first of two captures to hold side by side: a site's files come from one object store, another's from a second, a
    third says nothing of its operator, and a storage account is reached without a lookup."""
    def build(t):
        c = Connection(t, 40000, server=OTHER)
        c.ask(*blob("x", "/photos/1.png", "files.example.com"))
        c.ask(*blob("x", "/photos/2.png", "files.example.com"))
        c.close()
        c = Connection(t, 40001)
        c.ask(request("/logo.svg", "cdn.example.net"), from_s3(response(b"<svg/>")))
        c.ask(request("/status", "only-before.example.org"), response(b"ok\n"))
        c.close()
        c = Connection(t, 40002, server=OTHER)
        c.ask(*blob("nephoexample", "/photos/3.png"))
        c.close()
    return plain(build)


@case("compare-b.pcap", "GET /photos/1.png 200 7", "GET /logo.svg 200 6", "DNS nephoexample.blob.core.windows.net A 0 2", "GET /photos/3.png 200 7", "GET /new 200 3")
def _():
    """The second, 40 days later: the first site's files come from the other store and another address, the second's as
    before, the storage account after a lookup that raises the grade, and a site that the first capture has not."""
    def build(t):
        t.now += 40 * 86_400 * 10**9
        c = Connection(t, 41000)
        c.ask(request("/photos/1.png", "files.example.com"), from_s3(response(b"picture", "200 OK", "Content-Type: image/png")))
        c.ask(request("/logo.svg", "cdn.example.net"), from_s3(response(b"<svg/>")))
        c.close()
        name = "nephoexample.blob.core.windows.net"
        look_up(t, 1, name, [dns_record(b"\xc0\x0c", CNAME, "blob.ams07prdstr02a.store.core.windows.net"), dns_record("blob.ams07prdstr02a.store.core.windows.net", A, OTHER)])
        c = Connection(t, 41001, server=OTHER)
        c.ask(*blob("nephoexample", "/photos/3.png"))
        c.close()
        c = Connection(t, 41002, server=OTHER)
        c.ask(request("/new", "only-after.example.edu"), response(b"ok\n"))
        c.close()
    return plain(build)


@case("evidence-first-write.pcap", "PUT /c/new.jpg 201 0 sent=120", "GET /copy/of/it 200 120", "DNS nephoexample.blob.core.windows.net A 0 1", "GET /c/new.jpg 200 120", "GET /c/other.jpg 200 120", "HEAD /copy/of/it 200 0")
def _():
    """A client uploads a body; then it gets the same bytes elsewhere, the same place with other bytes, and something else;
    asked again, a server names the MD5 of the bytes.
    The name is looked up only after the connections began, so that lookup led to none of them."""
    def build(t):
        body, changed, other = (bytes([65 + n]) * 120 for n in range(3))
        put = request("/c/new.jpg", "nephoexample.blob.core.windows.net", "PUT", body, "x-ms-version: 2019-12-12", "x-ms-blob-type: BlockBlob")
        stored = response(b"", "201 Created", "x-ms-version: 2019-12-12").replace(b"Server: example", b"Server: Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0")
        c = Connection(t, 40000, server=OTHER)
        c.ask(put, stored)
        d = Connection(t, 40001)
        d.ask(request("/copy/of/it", "cdn.example.com"), response(body))
        look_up(t, 1, "nephoexample.blob.core.windows.net", [dns_record(b"\xc0\x0c", A, OTHER)])
        c.ask(request("/c/new.jpg", "nephoexample.blob.core.windows.net"), response(changed))
        c.ask(request("/c/other.jpg", "nephoexample.blob.core.windows.net"), response(other))
        d.ask(request("/copy/of/it", "cdn.example.com", "HEAD"), response(b"", "200 OK", f'ETag: "{hashlib.md5(body).hexdigest()}"', "Content-Length: 120", length=False))
        c.close()
        d.close()
    return plain(build)


@case("evidence-hand-out-forms.pcap", "GET /go 302 0", "GET /a/b?x=1&y=2 200 1", "GET /page 200 ?", "GET /style.css 200 1", "GET /lazy.png?a=1&b=2 200 1", "GET /api 200 ?", "GET /token/aB3dE5fG7hJ9kL1mNpQ2 200 1", "GET /nobody/gave/this 200 1")
def _():
    """URLs handed out by a redirect, by gzip-coded chunked HTML (an entity in the URL, a relative one), by a part of a page
    that is still loading when the client asks, and as a token without a host; one that nobody gave."""
    def build(t):
        c = Connection(t, 40000)
        c.ask(request("/go"), response(b"", "302 Found", "Location: http://media.example.net/a/b?x=1&y=2"))
        d = Connection(t, 40001, server=OTHER)
        d.ask(request("/a/b?x=1&y=2", "media.example.net"), response(b"1"))
        html = b'<html><link rel="stylesheet" href="style.css"><img src="http://media.example.net/lazy.png?a=1&amp;b=2"><p data-id=1>' + b"x" * 6000
        coded = stored_gzip(html)
        head = response(b"", "200 OK", "Content-Type: text/html", "Content-Encoding: gzip", "Transfer-Encoding: chunked", length=False)
        c.send(0, request("/page"))
        c.send(1, head + f"{len(coded):x}\r\n".encode() + coded)
        d.ask(request("/style.css"), response(b"2"))
        d.ask(request("/lazy.png?a=1&b=2", "media.example.net"), response(b"3"))
        c.send(1, b"\r\n0\r\n\r\n")
        c.ask(request("/api"), response(b'{"items":[{"object":"aB3dE5fG7hJ9kL1mNpQ2"}]}', "200 OK", "Content-Type: application/json"))
        d.ask(request("/token/aB3dE5fG7hJ9kL1mNpQ2", "media.example.net"), response(b"4"))
        d.ask(request("/nobody/gave/this", "media.example.net"), response(b"5"))
        c.close()
        d.close()
    return plain(build)


# ---------------------------------------------------------------------------------------------------- HTTP/2
# Bits of the Huffman code of each byte (RFC 7541 appendix B), "a" for 5; the code is canonical.
HUFFMAN_BITS = (
    "isxxxxxxxtzxxzxxxxxxxxzxxxxxxxxxbffhibdgffdgdbbbaaabbbbbbbcdkbhf"
    "ibccccccccccccccccccccccdcdioijbkabababbbaccbbbabcbaabccccckgjix"
    "prpprrrsrssssststtrstssssqrsrsstrqprrssqsrrtqrssqqrqsrssprrrsrrs"
    "vvporsruvvvwwvtuoqvwwvwtqqvvxwwwptpqrqqsrruuttvsvwvvwwwwwxwwwwwv")
# RFC 7541 appendix A: name, or name=value.
STATIC = """
:authority :method=GET :method=POST :path=/ :path=/index.html :scheme=http :scheme=https :status=200 :status=204
:status=206 :status=304 :status=400 :status=404 :status=500 accept-charset accept-encoding=gzip,_deflate
accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control
content-disposition content-encoding content-language content-length content-location content-range content-type
cookie date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since
last-modified link location max-forwards proxy-authenticate proxy-authorization range referer refresh retry-after
server set-cookie strict-transport-security transfer-encoding user-agent vary via www-authenticate
""".split()
STATIC = [tuple((entry.replace("_", " ") + "=").split("=")[:2]) for entry in STATIC]


def huffman_codes():
    codes, code, before = {}, 0, 0
    for bits, byte in sorted((ord(letter) - ord("a") + 5, byte) for byte, letter in enumerate(HUFFMAN_BITS)):
        code <<= bits - before
        codes[byte], code, before = f"{code:0{bits}b}", code + 1, bits
    return codes


HUFFMAN = huffman_codes()


class Hpack:
    """An encoder that adds all fields to its table, but those whose names begin with "cookie" (RFC 7541 section 6)."""
    def __init__(self, huffman=True):
        self.table, self.huffman = [], huffman

    @staticmethod
    def integer(first, prefix, value):
        most = (1 << prefix) - 1
        if value < most:
            return bytes([first | value])
        out, value = bytes([first | most]), value - most
        while value >= 128:
            out, value = out + bytes([value % 128 | 128]), value // 128
        return out + bytes([value])

    def string(self, text):
        data = text.encode("latin-1")
        if not self.huffman:
            return self.integer(0, 7, len(data)) + data
        bits = "".join(HUFFMAN[byte] for byte in data)
        bits += "1" * (-len(bits) % 8)
        data = bytes(int(bits[at:at + 8], 2) for at in range(0, len(bits), 8))
        return self.integer(0x80, 7, len(data)) + data

    def encode(self, *fields):
        out = b""
        for name, value in fields:
            entries = STATIC + self.table
            if (name, value) in entries and (value or (name, value) in self.table):
                out += self.integer(0x80, 7, entries.index((name, value)) + 1)
                continue
            names = [entry[0] for entry in entries]
            index = names.index(name) + 1 if name in names else 0
            keep = not name.startswith("cookie")
            out += self.integer(0x40 if keep else 0x10, 6 if keep else 4, index)
            out += (b"" if index else self.string(name)) + self.string(value)
            if keep:
                self.table.insert(0, (name, value))
                while sum(len(n) + len(v) + 32 for n, v in self.table) > 4096:
                    self.table.pop()
        return out


DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS, PADDED, WITH_PRIORITY = 1, 4, 8, 32
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


SETTINGS_FRAME = frame(SETTINGS, 0, 0, struct.pack(">HIHI", 3, 100, 4, 65535))
SETTINGS_ACK = frame(SETTINGS, 1, 0)


class Http2:
    """HTTP/2 over a connection: frames are gathered by side and sent when that is asked for."""
    def __init__(self, connection, preface=True, huffman=True):
        self.c, self.hpack, self.out = connection, [Hpack(huffman), Hpack(huffman)], [b"", b""]
        if preface:
            self.raw(0, PREFACE + SETTINGS_FRAME).flush(0)
            self.raw(1, SETTINGS_FRAME + SETTINGS_ACK).flush(1)

    def raw(self, side, data):
        self.out[side] += data
        return self

    def flush(self, side, size=1460, lost=()):
        data, self.out[side] = self.out[side], b""
        self.c.send(side, data, size, lost)
        return self

    def get(self, stream, path, *more, host="www.example.com", method="GET", body=None):
        fields = ((":method", method), (":scheme", "http"), (":authority", host), (":path", path), ("user-agent", "capture-maker/2")) + more
        self.raw(0, frame(HEADERS, END_HEADERS | (body is None), stream, self.hpack[0].encode(*fields)))
        return self if body is None else self.raw(0, frame(DATA, END_STREAM, stream, body))

    def head(self, stream, status="200", *more, last=False):
        fields = ((":status", status), ("server", "example")) + more
        return self.raw(1, frame(HEADERS, END_HEADERS | last, stream, self.hpack[1].encode(*fields)))

    def data(self, stream, data, last=True):
        return self.raw(1, frame(DATA, int(last), stream, data))

    def answer(self, stream, body, *more, status="200"):
        return self.head(stream, status, ("content-length", str(len(body))), *more).data(stream, body)


@case("http2-prior-knowledge.pcap", "GET / 200 5", "POST /form 201 2 sent=7", "GET /again 404 4", "GET /silent - -")
def _():
    """Prior knowledge: requests one after another whose fields come from the table, a POST, a PING, window updates, a frame
    of an unknown type, a request without answer, GOAWAY."""
    def build(t):
        c = Connection(t, 40000)
        h = Http2(c)
        h.get(1, "/").raw(0, SETTINGS_ACK).flush(0)
        h.answer(1, b"home\n").flush(1)
        h.get(3, "/form", ("content-length", "7"), method="POST", body=b"a=1&b=2").raw(0, frame(PING, 0, 0, b"whatever")).flush(0)
        h.raw(1, frame(PING, 1, 0, b"whatever") + frame(0x42, 0xFF, 77, b"unknown") + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 7)))
        h.answer(3, b"ok", status="201").flush(1)
        h.get(5, "/again", ("cookie", "a=b")).flush(0)
        h.answer(5, b"none", status="404").flush(1)
        h.get(7, "/silent").flush(0)
        h.raw(1, frame(GOAWAY, 0, 0, struct.pack(">II", 5, 0))).flush(1)
        c.close()
    return plain(build)


@case("http2-upgrade.pcap", "GET /first 101 ?", "GET /first 200 6", "GET /second 200 7")
def _():
    """HTTP/1.1 with Upgrade: h2c, answered 101; the request is stream 1, another follows as stream 3."""
    def build(t):
        c = Connection(t, 40000)
        offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")
        h = Http2(c, preface=False)
        c.send(0, request("/first", "www.example.com", "GET", b"", *offer))
        h.raw(1, b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + SETTINGS_FRAME).flush(1)
        h.raw(0, PREFACE + SETTINGS_FRAME).flush(0)
        h.raw(1, SETTINGS_ACK).answer(1, b"first\n").flush(1)
        h.get(3, "/second").flush(0)
        h.answer(3, b"second\n").flush(1)
        c.close()
    return plain(build)


@case("http2-interleaved.pcap", "HEAD /big.bin 200 0", "GET /quick.txt 200 6", "GET /coded 200 84", "GET /slow.txt 200 3000")
def _():
    """Four streams at once, asked for in one frame and listed as they end: DATA by turns, in frames that segments cut
    anywhere; a HEAD; a body in gzip."""
    def build(t):
        c = Connection(t, 40000)
        h = Http2(c)
        h.get(1, "/slow.txt").get(3, "/quick.txt").get(5, "/big.bin", method="HEAD").get(7, "/coded").flush(0)
        h.head(1).data(1, b"a" * 1000, False).head(3).data(3, b"qu", False).data(1, b"b" * 1000, False)
        h.head(5, "200", ("content-length", "123456"), last=True).head(7, "200", ("content-encoding", "gzip"))
        h.data(7, GZIP[:20], False).data(3, b"ick\n").data(7, GZIP[20:], False).data(7, b"").data(1, b"c" * 1000)
        h.flush(1, size=333)
        c.close()
    return plain(build)


@case("http2-push.pcap", "GET / 200 6", "GET /app.js - -", "GET /style.css 200 4")
def _():
    """Server push: two promises, one with padding; one is answered, the other refused by the client."""
    def build(t):
        c = Connection(t, 40000)
        h = Http2(c)
        h.get(1, "/").flush(0)
        promise = lambda path: h.hpack[1].encode((":method", "GET"), (":scheme", "http"), (":authority", "www.example.com"), (":path", path))
        h.raw(1, frame(PUSH_PROMISE, END_HEADERS, 1, struct.pack(">I", 2) + promise("/style.css")))
        h.raw(1, frame(PUSH_PROMISE, END_HEADERS | PADDED, 1, b"\x03" + struct.pack(">I", 4) + promise("/app.js") + bytes(3)))
        h.answer(1, b"<html>", ("content-type", "text/html")).flush(1)
        h.raw(0, frame(RST_STREAM, 0, 4, struct.pack(">I", 8))).flush(0)
        h.answer(2, b"css\n", ("content-type", "text/css")).flush(1)
        c.close()
    return plain(build)


@case("http2-trailers.pcap", "POST /pkg.Service/Method 200 8 sent=9", "GET /early 200 3")
def _():
    """A gRPC call with its status in trailers; 103 Early Hints before a 200, with trailers too."""
    def build(t):
        c = Connection(t, 40000)
        h = Http2(c)
        h.get(1, "/pkg.Service/Method", ("content-type", "application/grpc+proto"), ("te", "trailers"), method="POST", body=b"\0\0\0\0\x04ping").flush(0)
        h.head(1, "200", ("content-type", "application/grpc+proto")).data(1, b"\0\0\0\0\x03", False).data(1, b"abc", False)
        h.raw(1, frame(HEADERS, END_HEADERS | END_STREAM, 1, h.hpack[1].encode(("grpc-status", "0"), ("grpc-message", "OK")))).flush(1)
        h.get(3, "/early").flush(0)
        h.head(3, "103", ("link", "</style.css>; rel=preload")).flush(1)
        h.head(3, "200").data(3, b"end", False)
        h.raw(1, frame(HEADERS, END_HEADERS | END_STREAM, 3, h.hpack[1].encode(("etag", '"x"')))).flush(1)
        c.close()
    return plain(build)


@case("http2-continuation.pcap", "GET /long 200 2", "GET /tiny 200 2")
def _():
    """A header block in HEADERS with padding and priority and in three CONTINUATION frames, one of them empty, each in a
    segment of its own; DATA with padding; then everything in segments of one byte."""
    def build(t):
        c = Connection(t, 40000)
        h = Http2(c)
        fields = [(":method", "GET"), (":scheme", "http"), (":authority", "www.example.com"), (":path", "/long")]
        block = h.hpack[0].encode(*fields, *((f"x-field-{n}", "value " * 4 + str(n)) for n in range(8)))
        pieces = block[:30], block[30:31], b"", block[31:]
        h.raw(0, frame(HEADERS, END_STREAM | PADDED | WITH_PRIORITY, 1, b"\x05\0\0\0\0\x0f" + pieces[0] + bytes(5))).flush(0)
        for n, piece in enumerate(pieces[1:]):
            h.raw(0, frame(CONTINUATION, END_HEADERS if n == 2 else 0, 1, piece)).flush(0)
        h.head(1).raw(1, frame(DATA, END_STREAM | PADDED, 1, b"\x04ok" + bytes(4))).flush(1)
        h.get(3, "/tiny").flush(0, size=1)
        h.answer(3, b"ok").flush(1, size=1)
        c.close()
    return plain(build)


@case("http2-late-start.pcap", "~- - 200 2", "GET /b 200 2", "GET /c 200 2")
def _():
    """The capture starts in the middle of an answer: fields that stand in the tables from before cannot be told, and nobody
    knows what the half answer was; what is added from then on is read."""
    def build(t):
        c = Connection(t, 40000, handshake=False)
        h = Http2(c, preface=False)
        h.get(1, "/a", ("accept", "text/html")).answer(1, b"x" * 300)
        h.out = [b"", h.out[1][-100:]]
        h.flush(1)
        h.get(3, "/b", ("accept", "text/html"), ("referer", "http://www.example.com/a")).raw(0, frame(PING, 0, 0, bytes(8))).flush(0)
        h.answer(3, b"ok", ("etag", "new")).raw(1, frame(PING, 1, 0, bytes(8))).flush(1)
        h.get(5, "/c", ("accept", "text/html"), ("referer", "http://www.example.com/a")).raw(0, frame(PING, 0, 0, bytes(8))).flush(0)
        h.answer(5, b"ok", ("etag", "new")).raw(1, frame(PING, 1, 0, bytes(8))).flush(1)
        c.close()
    return plain(build)


@case("http2-gap.pcap", "GET /body 200 -", "GET /head 200 2", "GET /frames - -", "GET /after 200 2")
def _():
    """Lost segments of the server: inside a body, inside a header block, and over several frames; then good frames."""
    def build(t):
        c = Connection(t, 40000)
        h = Http2(c)
        h.get(1, "/body").flush(0)
        h.answer(1, b"x" * 900).flush(1, size=300, lost={1})
        h.get(3, "/head").flush(0)
        h.answer(3, b"ok", ("x-long", "y" * 90)).flush(1, size=40, lost={1})
        h.get(5, "/frames").flush(0)
        h.answer(5, b"gone").raw(1, frame(PING, 0, 0, bytes(8))).flush(1, lost={0})
        h.get(7, "/after").flush(0)
        h.answer(7, b"ok").raw(1, frame(PING, 0, 0, bytes(8))).flush(1)
        c.close()
    return plain(build)


@case("http2-bomb.pcap", "GET /big 200 2", "GET /endless - -", "GET /other 200 2")
def _():
    """A header block that unpacks to 20 megabytes, which is read on but not kept; and one that never ends."""
    def build(t):
        c = Connection(t, 40000)
        h = Http2(c, huffman=False)
        fields = [(":method", "GET"), (":scheme", "http"), (":authority", "www.example.com"), (":path", "/big"), ("bomb", "b" * 3900)]
        h.raw(0, frame(HEADERS, END_HEADERS | END_STREAM, 1, h.hpack[0].encode(*fields) + b"\xbe" * 5000)).flush(0)
        h.answer(1, b"ok").flush(1)
        c.close()
        c = Connection(t, 40001)
        h = Http2(c)
        h.raw(0, frame(HEADERS, END_STREAM, 1, h.hpack[0].encode((":method", "GET"), (":scheme", "http"), (":authority", "www.example.com"), (":path", "/endless"))))
        h.raw(0, frame(CONTINUATION, 0, 1, b"\x82" * 16384) * 8).flush(0)
        h.raw(0, frame(CONTINUATION, END_HEADERS, 1, b"\x82")).flush(0)
        h.get(3, "/other").flush(0)
        h.answer(3, b"ok").flush(1)
        c.close()
    return plain(build)


@case("http2-reset.pcap", "GET /refused - -", "GET /cancelled 200 -", "GET /short 200 4", "GET /odd 200 2")
def _():
    """A stream that the client breaks off, one that the server refuses, a body shorter than its Content-Length, and a request
    with a capital in a field's name and a pseudo-header field twice."""
    def build(t):
        c = Connection(t, 40000)
        h = Http2(c)
        h.get(1, "/cancelled").get(3, "/refused").get(5, "/short").get(7, "/odd", ("Upper", "case"), (":path", "/twice")).flush(0)
        h.head(1).data(1, b"a part", False).raw(1, frame(RST_STREAM, 0, 3, struct.pack(">I", 7))).flush(1)
        h.raw(0, frame(RST_STREAM, 0, 1, struct.pack(">I", 8))).flush(0)
        h.data(1, b"too late", False)
        h.head(5, "200", ("content-length", "9")).data(5, b"four").answer(7, b"ok").flush(1)
        c.close()
    return plain(build)


@case("evidence-http2.pcap", "DNS nephoexample.blob.core.windows.net A 0 1", "GET /api 200 ?", "GET /c/photo.jpg?sv=2019-12-12&sr=b&sig=AAAA%2Fbbbb&se=2026-02-01T00%3A00%3A00Z 200 9")
def _():
    """A first party's JSON hands out a signed storage URL, which the client then fetches, both in HTTP/2."""
    def build(t):
        signed = "/c/photo.jpg?sv=2019-12-12&sr=b&sig=AAAA%2Fbbbb&se=2026-02-01T00%3A00%3A00Z"
        name = "nephoexample.blob.core.windows.net"
        look_up(t, 1, name, [dns_record(b"\xc0\x0c", A, OTHER)])
        c = Connection(t, 40000)
        h = Http2(c)
        h.get(1, "/api").flush(0)
        h.answer(1, b'{"url":"http:\\/\\/' + name.encode() + signed.encode().replace(b"/", b"\\/") + b'"}', ("content-type", "application/json")).flush(1)
        d = Connection(t, 40001, server=OTHER)
        g = Http2(d)
        g.get(1, signed, host=name).flush(0)
        fields = ((":status", "200"), ("server", "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0"), ("x-ms-request-id", "00000000-0000-0000-0000-000000000000"),
                  ("x-ms-version", "2019-12-12"), ("x-ms-blob-type", "BlockBlob"), ("content-length", "9"))
        g.raw(1, frame(HEADERS, END_HEADERS, 1, g.hpack[1].encode(*fields))).data(1, b"the photo").flush(1)
        c.close()
        d.close()
    return plain(build)


# ---------------------------------------------------------------------------------------------------- WebSocket
KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # of RFC 6455 section 1.3
ACCEPT = base64.b64encode(hashlib.sha1(KEY.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()
TEXT, BINARY, CLOSE, WS_PING, WS_PONG = 1, 2, 8, 9, 10
# "Hello" by permessage-deflate, and again with the first one in reach (RFC 7692 section 7.2.3).
HELLO, HELLO_AGAIN = bytes.fromhex("f248cdc9c90700"), bytes.fromhex("f200110000")


def ws(side, kind, payload=b"", fin=True, rsv=0, mask=b"\x37\xfa\x21\x3d"):
    """A frame; the client's (side 0) is masked."""
    first, masked = (0x80 if fin else 0) | rsv | kind, 0x80 if side == 0 else 0
    size = len(payload)
    head = struct.pack(">BB", first, masked | size) if size < 126 else struct.pack(">BBH", first, masked | 126, size) \
        if size < 1 << 16 else struct.pack(">BBQ", first, masked | 127, size)
    return head + payload if side else head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def ws_request(target, *more):
    return request(target, "www.example.com", "GET", b"", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {KEY}", *more)


def ws_answer(*more, accept=ACCEPT):
    lines = ["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: websocket", f"Sec-WebSocket-Accept: {accept}"] + list(more)
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


@case("websocket.pcap", "GET /chat 101 0 ws=2,3", "GET /deflate 101 0 ws=1,4")
def _():
    """WebSockets: text, binary, a message in three parts with a ping between them, pongs, closing with a reason; then
    permessage-deflate, also in parts and with what came before in reach, frames cut over segments anywhere."""
    def build(t):
        c = Connection(t, 40000)
        c.ask(ws_request("/chat", "Sec-WebSocket-Protocol: chat"), ws_answer("Sec-WebSocket-Protocol: chat") + ws(1, TEXT, b'{"hello":"client"}'))
        c.send(0, ws(0, TEXT, "Grüße".encode(), mask=b"\1\2\3\4"))
        c.send(1, ws(1, TEXT, b"a message ", fin=False))
        c.send(1, ws(1, WS_PING, b"there?"))
        c.send(0, ws(0, WS_PONG, b"there?"))
        c.send(1, ws(1, 0, b"in three ", fin=False) + ws(1, 0, b"parts"))
        c.send(0, ws(0, BINARY, bytes(range(256)) * 2), size=100)
        c.send(1, ws(1, BINARY, b"\x89PNG no picture"))
        c.send(1, ws(1, CLOSE, struct.pack(">H", 1001) + b"going home"))
        c.send(0, ws(0, CLOSE, struct.pack(">H", 1001)))
        c.close()
        c = Connection(t, 40001)
        c.ask(ws_request("/deflate", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"),
              ws_answer("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=15; client_no_context_takeover"))
        c.send(1, ws(1, TEXT, HELLO, rsv=0x40) + ws(1, TEXT, HELLO_AGAIN, rsv=0x40), size=4)
        c.send(0, ws(0, TEXT, HELLO, rsv=0x40), size=5)
        c.send(1, ws(1, TEXT, HELLO_AGAIN[:3], fin=False, rsv=0x40) + ws(1, WS_PING) + ws(1, 0, HELLO_AGAIN[3:]) + ws(1, TEXT, b"not compressed"))
        c.send(0, ws(0, WS_PONG) + ws(0, CLOSE, struct.pack(">H", 1000)))
        c.send(1, ws(1, CLOSE, struct.pack(">H", 1000)))
        c.close()
    return plain(build)


@case("websocket-gap.pcap", "GET /hole 101 0 ws=1,4cut", "GET /lost - - ws=2,1", "GET /early 101 0 ws=1,1", "GET /refused 400 2",
      "GET /next 200 4", "GET /forged 101 0 ws=0,1")
def _():
    """WebSockets with something missing: segments inside a message and over two of them, the answer to the handshake; one
    whose client is captured before the answer; one that is refused; one whose accept is wrong and whose message breaks off."""
    def build(t):
        c = Connection(t, 40000)
        c.ask(ws_request("/hole", "Sec-WebSocket-Extensions: permessage-deflate"), ws_answer("Sec-WebSocket-Extensions: permessage-deflate"))
        c.send(1, ws(1, TEXT, b"x" * 300), size=100, lost={1})
        c.send(1, ws(1, TEXT, HELLO, rsv=0x40))
        c.send(1, ws(1, BINARY, b"y" * 30) + ws(1, TEXT, b"gone"), lost={0})
        c.send(0, ws(0, TEXT, b"still there?"))
        c.send(1, ws(1, TEXT, HELLO_AGAIN, rsv=0x40) + ws(1, TEXT, HELLO, rsv=0x40))
        c.close()
        c = Connection(t, 40001)
        c.send(0, ws_request("/lost"))
        c.send(1, ws_answer(), lost={0})
        c.send(0, ws(0, TEXT, b"is anybody") + ws(0, TEXT, b"there"))
        c.send(1, ws(1, TEXT, b"I am"))
        c.close()
        c = Connection(t, 40002)
        c.send(0, ws_request("/early"))
        late = c.put(1, ACK | PSH, ws_answer(), lost=True)
        c.send(0, ws(0, TEXT, b"captured before the answer"))
        t.add(late)
        c.send(1, ws(1, TEXT, b"after it"))
        c.close()
        c = Connection(t, 40003)
        c.ask(ws_request("/refused"), response(b"no", "400 Bad Request"))
        c.ask(request("/next"), response(b"next"))
        c.close()
        c = Connection(t, 40004)
        c.ask(ws_request("/forged"), ws_answer(accept="AAAAAAAAAAAAAAAAAAAAAAAAAAA="))
        c.send(1, ws(1, TEXT, b"breaks off")[:7])
    return plain(build)


@case("websocket-http2.pcap", "CONNECT /refused 403 3", "GET /page 200 4", "CONNECT /chat 200 0 ws=2,2", "CONNECT /deflate 200 0 ws=1,2cut")
def _():
    """WebSockets over HTTP/2, by extended CONNECT: one beside a GET on the same connection, its frames cut over DATA frames;
    one refused; one with permessage-deflate and a lost segment, frames found again behind it."""
    def build(t):
        def connect(h, stream, path, *more):
            fields = ((":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":authority", "www.example.com"), (":path", path),
                      ("sec-websocket-version", "13")) + more
            return h.raw(0, frame(HEADERS, END_HEADERS, stream, h.hpack[0].encode(*fields)))
        c = Connection(t, 40000)
        h = Http2(c)
        connect(connect(h, 1, "/chat"), 3, "/refused").get(5, "/page").flush(0)
        h.head(3, "403").data(3, b"no\n").flush(1)
        h.raw(0, frame(DATA, END_STREAM, 3)).flush(0)
        h.head(1).flush(1)
        message = ws(0, TEXT, b"over HTTP/2") + ws(0, TEXT, b"and", fin=False) + ws(0, 0, b" in parts")
        h.raw(0, frame(DATA, 0, 1, message[:5]) + frame(DATA, 0, 1, message[5:30])).flush(0)
        h.answer(5, b"page")
        h.data(1, ws(1, TEXT, b"welcome"), False).flush(1)
        h.raw(0, frame(DATA, 0, 1, message[30:])).flush(0, size=7)
        h.data(1, ws(1, BINARY, b"\0" * 20)[:9], False).data(1, ws(1, BINARY, b"\0" * 20)[9:] + ws(1, CLOSE, struct.pack(">H", 1000))).flush(1)
        h.raw(0, frame(DATA, END_STREAM, 1, ws(0, CLOSE, struct.pack(">H", 1000)))).flush(0)
        connect(h, 7, "/deflate", ("sec-websocket-extensions", "permessage-deflate")).flush(0)
        h.head(7, "200", ("sec-websocket-extensions", "permessage-deflate")).data(7, ws(1, TEXT, HELLO, rsv=0x40), False).flush(1)
        h.raw(0, frame(DATA, 0, 7, ws(0, TEXT, HELLO, rsv=0x40))).flush(0)
        h.data(7, ws(1, TEXT, HELLO_AGAIN, rsv=0x40), False).flush(1, lost={0})
        h.data(7, ws(1, TEXT, HELLO, rsv=0x40), False).raw(1, frame(PING, 0, 0, bytes(8))).flush(1)
        c.close()
    return plain(build)


# ---------------------------------------------------------------------------------------------------- ways round
@case("proxy-connect.pcap", "CONNECT www.cryptography.io:443 200 0", "TLS www.cryptography.io h2,http/1.1 1.2 2",
      "CONNECT refused.example.com:443 403 0")
def _():
    """HTTP CONNECT to a proxy of a listed cloud, and TLS through it, in 2016: the address is the proxy's, the key is not; and a
    CONNECT that is refused."""
    def build(t):
        t.now = 1_465_992_000_000_000_000  # 2016-06-15T12:00:00Z
        c = Connection(t, 40000, 3128, server="52.216.0.1")
        c.ask(b"CONNECT www.cryptography.io:443 HTTP/1.1\r\nHost: www.cryptography.io:443\r\n\r\n", b"HTTP/1.1 200 Connection established\r\n\r\n")
        c.send(0, record(22, client_hello("www.cryptography.io", tls13=False), 0x0301))
        c.send(1, record(22, server_hello(0xC02F, tls13=False) + certificate_message(*CHAINS["public-2015"]) + handshake(14, b"")))
        c.close()
        c = Connection(t, 40001, 3128, server="52.216.0.1")
        c.ask(b"CONNECT refused.example.com:443 HTTP/1.1\r\nHost: refused.example.com:443\r\n\r\n", b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        c.close()
    return plain(build)


@case("proxy-socks.pcap", "GET /one 200 5", "GET /one 200 5", "GET /one 200 5", "TLS www.example.com h2,http/1.1 - 0")
def _():
    """SOCKS 5 by name, with user and password, SOCKS 4a, then HTTP; SOCKS 5 with the first bytes of TLS in the same segment; and
    two connections that begin with the same numbers and are none: one is refused, one is something else."""
    def build(t):
        agreed = b"\x05\x00\x00\x01\xc0\x00\x02\x09\x1f\x90"
        to_name = b"\x05\x01\x00\x03\x0fwww.example.com\x00\x50"
        c = Connection(t, 40000, 1080)
        c.ask(b"\x05\x01\x00", b"\x05\x00")
        c.ask(to_name, agreed)
        c.ask(request("/one"), response(b"fine\n"))
        c.close()
        c = Connection(t, 40001, 1080)
        c.ask(b"\x05\x02\x00\x02", b"\x05\x02")
        c.ask(b"\x01\x04user\x04pass", b"\x01\x00")
        c.ask(to_name, agreed)
        c.ask(request("/one"), response(b"fine\n"))
        c.close()
        c = Connection(t, 40002, 9050)
        c.ask(b"\x04\x01\x00\x50\x00\x00\x00\x01\x00www.example.com\x00", b"\x00\x5a\x00\x00\x00\x00\x00\x00")
        c.ask(request("/one"), response(b"fine\n"))
        c.close()
        c = Connection(t, 40003, 1080)
        c.ask(b"\x05\x01\x00", b"\x05\x00")
        c.ask(b"\x05\x01\x00\x03\x0fwww.example.com\x01\xbb", agreed[:4])
        c.send(1, agreed[4:])
        c.send(0, record(22, client_hello(), 0x0301))
        c.close()
        c = Connection(t, 40004, 1080)
        c.ask(b"\x05\x01\x00", b"\x05\x00")
        c.ask(to_name, b"\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00")
        c.close()
        c = Connection(t, 40005, 7000)
        c.ask(b"\x05\x01\x00", b"hello")
        c.close()
    return plain(build)


def ike(initiator, responder, flags, version=0x20, exchange=34, body=b"\0" * 40):
    return initiator + responder + struct.pack(">BBBBII", 33, version, exchange, flags, 0, 28 + len(body)) + body


@case("detour-vpn.pcap", "GET /one 200 5", "GET /one 200 5", "GET /one 200 5")
def _():
    """A request; WireGuard, OpenVPN and two versions of IKE, each begun and agreed on; a request of the same client, which now says
    that it had a VPN, and one of another client, which does not; and datagrams that only look alike."""
    def build(t):
        one_get(t, 40000)
        udp_pair = lambda port, sport, first, second: (datagram(t, CLIENT, port, OTHER, sport, first),
                                                       datagram(t, OTHER, sport, CLIENT, port, second))
        udp_pair(50000, 51820, b"\x01\0\0\0" + b"\xaa\xbb\xcc\xdd" + seed("noise", 140),
                 b"\x02\0\0\0" + b"\x11\x22\x33\x44" + b"\xaa\xbb\xcc\xdd" + seed("noise", 80))
        datagram(t, CLIENT, 50000, OTHER, 51820, b"\x04\0\0\0" + b"\x11\x22\x33\x44" + seed("data", 120))
        udp_pair(50001, 1194, b"\x38" + seed("client", 8) + b"\0\0\0\0\0",
                 b"\x40" + seed("server", 8) + b"\x01\0\0\0\0" + seed("client", 8) + b"\0\0\0\0")
        udp_pair(500, 500, ike(seed("spi", 8), bytes(8), 8), ike(seed("spi", 8), seed("other", 8), 0x20))
        udp_pair(4500, 4500, bytes(4) + ike(seed("spi1", 8), bytes(8), 0, 0x10, 2), bytes(4) + ike(seed("spi1", 8), seed("other1", 8), 0, 0x10, 2))
        # Another index comes back; the same side speaks twice; nobody answers.
        udp_pair(50002, 51820, b"\x01\0\0\0" + b"\xaa\xbb\xcc\xdd" + seed("noise", 140),
                 b"\x02\0\0\0" + b"\x11\x22\x33\x44" + b"\xaa\xbb\xcc\xde" + seed("noise", 80))
        datagram(t, CLIENT, 50003, OTHER, 500, ike(seed("spi", 8), bytes(8), 8))
        datagram(t, CLIENT, 50003, OTHER, 500, ike(seed("spi", 8), seed("other", 8), 0x20))
        datagram(t, CLIENT, 50004, OTHER, 1194, b"\x38" + seed("client", 8) + b"\0\0\0\0\0")
        one_get(t, 40001)
        one_get(t, 40001, client="192.0.2.11")
    return plain(build)


@case("detour-relay.pcap", "DNS mask.icloud.com A 0 1", "GET /one 200 5", "TLS mask-h2.icloud.com h2,http/1.1 1.3 0", "GET /one 200 5")
def _():
    """A lookup of iCloud Private Relay's name, which is no sign of its use; a request; an answered session with the relay, which is
    one; and a request after it."""
    def build(t):
        look_up(t, 7, "mask.icloud.com", [dns_record("mask.icloud.com", A, "17.248.0.1")])
        one_get(t, 40000)
        c = Connection(t, 40001, 443, server="17.248.0.1")
        c.send(0, record(22, client_hello("mask-h2.icloud.com"), 0x0301))
        c.send(1, record(22, server_hello()) + record(23, seed("sealed", 100)))
        c.close()
        one_get(t, 40002)
    return plain(build)


# ---------------------------------------------------------------------------------------------------- TLS with keys
with open(os.path.join(HERE, "tls-sessions.json")) as recorded:
    SESSIONS = json.load(recorded)  # by record_tls.py
with open(os.path.join(HERE, "tls-spoken.json")) as recorded:
    SPOKEN = json.load(recorded)  # by record_tls.py spoken


def secrets(*sessions):
    """A Decryption Secrets Block with the key logs of these sessions."""
    text = "".join(line + "\n" for name in sessions for line in {**SESSIONS, **SPOKEN}[name]["keys"]).encode()
    return block("<", 10, struct.pack("<II", 0x544C534B, len(text)) + text)


def replay(trace, cport, name, size=1000, lost=(), change=None, sport=443, server=SERVER):
    """Plays a recorded session. Of what the server says after its hello, segments whose index is in `lost` are not
    captured, and `change` may alter bytes."""
    c = Connection(trace, cport, sport, server=server)
    for index, (side, data) in enumerate({**SESSIONS, **SPOKEN}[name]["talk"]):
        data = bytes.fromhex(data)
        if change:
            data = change(index, side, data)
        c.send(side, data, size, lost=[at - 100 * index for at in lost])
    c.close()


def sealed(*sessions):
    """The rows of opened sessions: the session, then what was said inside it."""
    rows = []
    for name in sessions:
        version = {"13": "1.3", "12": "1.2", "11": "TLS%201.1", "10": "TLS%201.0"}[name[:2]].replace("TLS%20", "")
        rows += [f"TLS www.example.com http/1.1 {version} {0 if 'resumed' in name else 1}", "GET /first 200 1760", "POST /second 204 0 sent=5"]
    return rows


def with_secrets(*parts):
    """A pcapng of traces and Decryption Secrets Blocks in that order."""
    out, now = [section(), interface()], START
    for part in parts:
        if isinstance(part, bytes):
            out.append(part)
            continue
        trace = Trace()
        trace.now = now
        part(trace)
        now = trace.now
        out += [enhanced(frame) for frame in trace.frames_of(ether)]
    return b"".join(out)


OF_13 = [name for name in SESSIONS if name.startswith("13")]
OF_12 = [name for name in SESSIONS if not name.startswith("13")]


@case("tls-keys-13.pcapng", *sealed(*OF_13))
def _():
    """TLS 1.3 with its secrets in the file: AES-GCM, ChaCha20, CCM and CCM-8, and a session resumed without a certificate."""
    return with_secrets(secrets(*OF_13), *[(lambda t, n=n, name=name: replay(t, 42000 + n, name)) for n, name in enumerate(OF_13)])


@case("tls-keys-12.pcapng", *sealed(*OF_12))
def _():
    """TLS 1.0 to 1.2 with secrets: AEAD, CBC in both orders of digest and encryption, ARIA, Camellia, RSA by the premaster secret, resumed."""
    return with_secrets(secrets(*OF_12), *[(lambda t, n=n, name=name: replay(t, 43000 + n, name)) for n, name in enumerate(OF_12)])


@case("tls-keys-late.pcapng", *sealed("13-aes128", "13-aes256"), "TLS www.example.com http/1.1 1.2 1")
def _():
    """Secrets in front of a session, behind one, and none for the third, which stays sealed and says why."""
    return with_secrets(secrets("13-aes128"), lambda t: replay(t, 44000, "13-aes128"), lambda t: replay(t, 44001, "13-aes256"),
                        lambda t: replay(t, 44002, "12-gcm"), secrets("13-aes256"))


@case("tls-keys-broken.pcapng", "TLS www.example.com http/1.1 1.3 1", "GET /first 200 -", "POST /second 204 0 sent=5",
      "TLS www.example.com http/1.1 1.2 1", "GET /first 200 -", "POST /second 204 0 sent=5", "TLS www.example.com http/1.1 1.3 0")
def _():
    """Opened in part: segments lost inside the answer, a record with a changed byte, and a secret that is another session's."""
    swap = {line.split()[0]: line.split()[2] for line in SESSIONS["13-aes128"]["keys"]}
    wrong = "".join(" ".join([*line.split()[:2], swap[line.split()[0]]]) + "\n" for line in SESSIONS["13-chacha"]["keys"]).encode()
    at = [index for index, (side, data) in enumerate(SESSIONS["13-aes128"]["talk"]) if side == 1 and len(data) > 1500]
    bad = [index for index, (side, data) in enumerate(SESSIONS["12-gcm"]["talk"]) if side == 1 and len(data) > 1500][-1]

    def change(index, side, data):
        return data[:500] + bytes([data[500] ^ 1]) + data[501:] if index == bad else data
    return with_secrets(
        secrets("13-aes128", "12-gcm"), block("<", 10, struct.pack("<II", 0x544C534B, len(wrong)) + wrong),
        lambda t: replay(t, 45000, "13-aes128", 600, lost=[100 * at[-1] + 1]),
        lambda t: replay(t, 45001, "12-gcm", change=change), lambda t: replay(t, 45002, "13-chacha"))


# ---------------------------------------------------------------------------------------------------- QUIC with keys
with open(os.path.join(HERE, "quic-sessions.json"), encoding="utf-8") as recorded:
    QUIC = json.load(recorded)  # by record_quic.py


def quic_secrets(*sessions, without=()):
    """A Decryption Secrets Block with the key logs of these connections, but for some labels."""
    lines = [line for name in sessions for line in QUIC[name]["keys"] if line.split()[0] not in without]
    text = "".join(line + "\n" for line in lines).encode()
    return block("<", 10, struct.pack("<II", 0x544C534B, len(text)) + text)


def quic_talk(trace, cport, name, server=SERVER, sport=443, change=None, moved=None):
    """Plays a recorded connection. `change` may reorder, repeat and leave out datagrams of the list it is given; `moved`
    gives the client's port for the words beside a datagram."""
    datagrams = [(side, base64.b64decode(data), note) for side, data, note in QUIC[name]["talk"]]
    for side, data, note in change(datagrams) if change else datagrams:
        port = (moved or {}).get(note, cport)
        ends = (CLIENT, port, server, sport) if side == 0 else (server, sport, CLIENT, port)
        datagram(trace, *ends, data)


def h3_rows(version="1.3", alpn="h3"):
    return [f"TLS www.example.com {alpn} {version} 1", *WEB]


WEB = ["GET /zipped 200 1760", "GET /first 200 1760", "GET /second 200 1760", "HEAD /first 200 0", "POST /upload 204 0 sent=2000", "GET /trailers 200 6"]


@case("quic-keys.pcapng", *h3_rows() * 3, *h3_rows(), "GET /pushes 200 7", "GET /pushed 200 7")
def _():
    """HTTP/3 with its secrets in the file: AES-128, AES-256 in version 2, ChaCha20, and server push; fields in both tables, gzip, HEAD, an upload, trailers."""
    names = ("aes128", "aes256-v2", "chacha", "pushes")
    return with_secrets(quic_secrets(*names), *[(lambda t, n=n, name=name: quic_talk(t, 46000 + n, name)) for n, name in enumerate(names)])


@case("quic-keys-ways.pcapng", *h3_rows(), "GET /after-0 200 1760", "GET /after-1 200 1760", "GET /after-2 200 1760",
      "GET /early 200 1760", "TLS www.example.com h3 1.3 0", "GET /later 200 1760", *h3_rows())
def _():
    """Ways through HTTP/3 with keys: three key updates of both sides; early data; secrets that come behind the connection."""
    return with_secrets(quic_secrets("updates"), lambda t: quic_talk(t, 46100, "updates"), quic_secrets("early"),
                        lambda t: quic_talk(t, 46101, "early"), lambda t: quic_talk(t, 46102, "chacha"), quic_secrets("chacha"))


def mixed(datagrams):
    """Each sender's datagrams two and two the other way round, and each third twice; the hellos stay where they are."""
    out = datagrams[:4]
    rest = datagrams[4:]
    for at in range(0, len(rest), 2):
        out += rest[at:at + 2][::-1] + rest[at:at + 1] * (at % 3 == 0)
    return out


def lossy(datagrams):
    """One datagram of the server, in the middle of an answer, is not there."""
    large = [at for at, (side, data, _) in enumerate(datagrams) if side == 1 and len(data) > 1000]
    return [d for at, d in enumerate(datagrams) if at != large[len(large) // 2]]


def damaged(datagrams):
    """A byte of one datagram is another."""
    at = [at for at, (side, data, _) in enumerate(datagrams) if side == 1 and len(data) > 1000][-1]
    side, data, note = datagrams[at]
    return datagrams[:at] + [(side, data[:600] + bytes([data[600] ^ 1]) + data[601:], note)] + datagrams[at + 1:]


@case("quic-keys-broken.pcapng", *h3_rows(), "TLS www.example.com h3 1.3 1", *WEB[:2], "GET /second - -", *WEB[3:],
      "TLS www.example.com h3 1.3 1", "GET /second 200 -", "GET /first 200 -", "GET /zipped - -", *WEB[3:], "TLS www.example.com h3 1.3 0", *WEB,
      "GET /after-0 200 1760", "GET /after-1 200 1760", "GET /after-2 200 1760", "TLS www.example.com h3 1.3 1", "TLS www.example.com h3 1.3 0")
def _():
    """Opened in part: datagrams out of order and twice, one lost, one with a changed byte; without handshake secrets; with those alone; with another's."""
    swap = {line.split()[0]: line.split()[2] for line in QUIC["aes128"]["keys"]}
    wrong = "".join(" ".join([*line.split()[:2], swap[line.split()[0]]]) + "\n" for line in QUIC["chacha"]["keys"]).encode()
    traffic = ("CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0")
    handshake = ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET")
    return with_secrets(
        quic_secrets("aes128"), lambda t: quic_talk(t, 46200, "aes128", change=mixed), lambda t: quic_talk(t, 46201, "aes128", change=lossy),
        lambda t: quic_talk(t, 46202, "aes128", change=damaged), quic_secrets("updates", without=handshake), lambda t: quic_talk(t, 46203, "updates"),
        quic_secrets("aes256-v2", without=traffic), lambda t: quic_talk(t, 46204, "aes256-v2"),
        block("<", 10, struct.pack("<II", 0x544C534B, len(wrong)) + wrong), lambda t: quic_talk(t, 46205, "chacha"))


@case("quic-keys-moved.pcapng", *h3_rows(), "GET /moved 200 1760", "GET /moved-again 200 1760")
def _():
    """A QUIC client whose port changes twice while keys open its packets: with the connection ids that it had, and with new ones; a datagram of no stream."""
    return with_secrets(quic_secrets("moves"), lambda t: quic_talk(t, 46300, "moves", moved={"moved": 46301, "moved again": 46302}))


@case("quic-keys-dns.pcapng", "TLS www.example.com doq 1.3 1", "DNS storage.example.com A 0 2", "DNS www.example.com A 0 1", "DNS www.example.com AAAA 0 0")
def _():
    """DNS over QUIC with its secrets in the file: three lookups at once, each on a stream of its own."""
    return with_secrets(quic_secrets("lookups"), lambda t: quic_talk(t, 46400, "lookups", server="192.0.2.53", sport=853))
DOH = ("content-type", "application/dns-message")


def dns_over_http(h, stream, name, address, post=True, host="dns.example.net"):
    query = dns(0, name)
    if post:
        h.raw(0, frame(HEADERS, END_HEADERS, stream, h.hpack[0].encode((":method", "POST"), (":scheme", "http"), (":authority", host), (":path", "/dns-query"), DOH))
              + frame(DATA, END_STREAM, stream, query)).flush(0)
    else:
        coded = base64.urlsafe_b64encode(query).decode().rstrip("=")
        h.get(stream, "/dns-query?dns=" + coded, ("accept", "application/dns-message"), host=host).flush(0)
    h.answer(stream, dns(0, name, A, [dns_record(b"\xc0\x0c", A, address)], 0x8180), DOH).flush(1)


@case("dns-over-http.pcap", "POST /dns-query 200 ? sent=33", "DNS www.example.com A 0 1", "GET /dns-query?dns=AAABAAABAAAAAAAAA2ltZwdleGFtcGxlA2NvbQAAAQAB 200 ?", "DNS img.example.com A 0 1",
      "GET /dns-query?dns=AAAA 200 2", "GET /resolve?name=www.example.com 200 12", "GET /one 200 5", "POST /dns-query 200 ? sent=33", "DNS www.example.com A 0 1", "POST /dns-query 502 4 sent=33", "DNS www.example.com A - -")
def _():
    """DNS over HTTP in the clear: POST and GET over HTTP/2; a variable of that name that means something else; the JSON form;
    a connection to the address that was told; then over HTTP/1.1 in chunks, and a query that a gateway answers."""
    def build(t):
        c = Connection(t, 40000, server="192.0.2.53")
        h = Http2(c)
        dns_over_http(h, 1, "www.example.com", SERVER)
        dns_over_http(h, 3, "img.example.com", OTHER, post=False)
        h.get(5, "/dns-query?dns=AAAA").flush(0)
        h.answer(5, b"ok").flush(1)
        h.get(7, "/resolve?name=www.example.com", ("accept", "application/dns-json")).flush(0)
        h.answer(7, b'{"Status":0}', ("content-type", "application/dns-json")).flush(1)
        c.close()
        one_get(t, 40001)
        c = Connection(t, 40002, server="192.0.2.53")
        query = dns(0, "www.example.com")
        ask = lambda: request("/dns-query", "dns.example.net", "POST", query, "Content-Type: application/dns-message")
        c.send(0, ask())
        told = dns(0, "www.example.com", A, [dns_record(b"\xc0\x0c", A, OTHER)], 0x8180)
        c.send(1, response(b"", "200 OK", "Content-Type: application/dns-message; charset=x", "Transfer-Encoding: chunked", length=False) + chunks(told[:20], told[20:]))
        c.ask(ask(), response(b"none", "502 Bad Gateway", "Content-Type: text/plain"))
        c.close()
    return plain(build)


def opened(alpn, certificates, *rows):
    return [f"TLS www.example.com {alpn} 1.3 {certificates}", *rows]


@case("dns-over-tls.pcapng", *opened("dot", 1, "DNS www.example.com A 0 1"), "GET /one 200 5",
      *opened("h2", 1, "POST /dns-query 200 ? sent=33", "DNS www.example.com A 0 1", "GET /dns-query?dns=AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB 200 ?", "DNS www.example.com A 0 1"))
def _():
    """With secrets: DNS over TLS, then a connection to the address that it told; DNS over HTTPS, by POST and by GET."""
    return with_secrets(secrets("dot", "doh"), lambda t: replay(t, 46000, "dot", sport=853, server="192.0.2.53"), lambda t: one_get(t, 46001),
                        lambda t: replay(t, 46002, "doh", server="192.0.2.53"))


@case("dns-sealed.pcapng", "TLS dns.google h2,http/1.1 1.3 0", "GET /one 200 5", "TLS - - 1.3 0", "TLS www.example.com dot 1.3 0", "TLS www.example.com h2,http/1.1 1.3 0")
def _():
    """Encrypted DNS without secrets: over HTTPS by the server's name, while a request goes out whose name may have been asked
    there; over TLS by the port alone, and by the protocol that is offered; none."""
    def build(t):
        for port, sport, name, alpn in ((47000, 443, "dns.google", ("h2", "http/1.1")), (47001, 853, None, ()), (47002, 853, "www.example.com", ("dot",)), (47003, 443, "www.example.com", ("h2", "http/1.1"))):
            c = Connection(t, port, sport, server="192.0.2.53")
            c.send(0, record(22, client_hello(name, alpn), 0x0301))
            c.send(1, record(22, server_hello()) + record(20, b"\1") + record(23, seed("sealed", 300)))
            c.send(0, record(20, b"\1") + record(23, seed("asked", 90)))
            c.send(1, record(23, seed("told", 120)))
            if port == 47000:
                one_get(t, 47100)
            c.close()
    return with_secrets(build)


@case("tls-hosts.pcapng", *opened("h2", 1, "GET / 204 0", "GET / 204 0", "GET / 204 0"), *opened("h2", 0, "GET / 204 0", "GET / 204 0", "GET / 204 0"))
def _():
    """With secrets: requests for three hosts on one connection, of which the certificate covers two; the same resumed, so that
    no certificate is there to tell."""
    return with_secrets(secrets("hosts", "hosts-resumed"), lambda t: replay(t, 48000, "hosts"), lambda t: replay(t, 48001, "hosts-resumed"))


class Deflate:
    """A zlib stream (RFC 1950) in DEFLATE's fixed code (RFC 1951 section 3.2.6), flushed behind each piece as TLS does (RFC
    3749), with references back into earlier pieces. Written here, since no two versions of zlib make the same bytes."""
    LENGTHS = [(3 + n, 257 + n, 0) for n in range(8)] + [(11 + ((4 + n % 4) * 2 ** (n // 4) - 4) * 2, 265 + n, 1 + n // 4) for n in range(20)]

    def __init__(self):
        self.past, self.out = b"", [b"\x78\x9c"]

    def distance(self, distance):
        bits, low = 0, 0
        value = distance - 1
        if value < 4:
            return value, 0, 0
        bits = value.bit_length() - 2
        low = (value >> bits) & 1
        return 2 * bits + 2 + low, bits, value & ((1 << bits) - 1)

    def piece(self, data):
        word, count = 0b010, 3  # No last block, fixed code.
        def put(value, bits):
            nonlocal word, count
            word |= value << count
            count += bits
        def code(value, bits):
            put(int(f"{value:0{bits}b}"[::-1], 2), bits)
        def symbol(n):
            base, low, bits = (0x30, 0, 8) if n < 144 else (0x190, 144, 9) if n < 256 else (0, 256, 7) if n < 280 else (0xC0, 280, 8)
            code(base + n - low, bits)
        known, at = self.past + data, len(self.past)
        while at < len(known):
            length, place = 0, -1
            while length < 130 and at + max(length, 2) < len(known):
                found = known.rfind(known[at:at + max(length + 1, 3)], 0, at + max(length + 1, 3) - 1)
                if found < 0:
                    break
                length, place = max(length + 1, 3), found
            if length:
                base, number, extra = max(entry for entry in self.LENGTHS if entry[0] <= length)
                symbol(number)
                put(length - base, extra)
                number, extra, low = self.distance(at - place)
                code(number, 5)
                put(low, extra)
                at += length
            else:
                symbol(known[at])
                at += 1
        symbol(256)
        put(0, 3)  # An empty stored block: the flush.
        self.past = known
        out = b"".join(self.out) + word.to_bytes((count + 7) // 8, "little") + b"\0\0\xff\xff"
        self.out = []
        return out


def compressed(trace, cport, name, lost=False):
    """A session of TLS 1.2 that compresses (RFC 3749), with TLS_RSA_WITH_NULL_SHA256, whose digests are all that keys do:
    what was compressed stands readable in the capture's bytes. Secrets, randoms and Finished are made up."""
    c = Connection(trace, cport, 443)
    randoms = seed(name + " client"), seed(name + " server")
    ext = extension(0, vec(b"\0" + vec(b"www.example.com", 2), 2))
    hello = handshake(1, b"\x03\x03" + randoms[0] + b"\0" + vec(struct.pack(">H", 0x003B), 2) + vec(b"\x01\0", 1) + vec(ext, 2))
    answer = handshake(2, b"\x03\x03" + randoms[1] + b"\0" + struct.pack(">HB", 0x003B, 1))
    block, label = b"", b"key expansion" + randoms[1] + randoms[0]
    round_ = label
    while len(block) < 64:
        round_ = hmac.digest(seed(name + " master", 48), round_, "sha256")
        block += hmac.digest(seed(name + " master", 48), round_ + label, "sha256")
    streams, numbers = [Deflate(), Deflate()], [0, 0]

    def say(side, kind, data):
        data = streams[side].piece(data)
        head = struct.pack(">QBH", numbers[side], kind, 0x0303)
        numbers[side] += 1
        return record(kind, data + hmac.digest(block[32 * side:32 * side + 32], head + vec(data, 2), "sha256"))
    c.send(0, record(22, hello))
    c.send(1, record(22, answer + handshake(14, b"")))
    for side in (0, 1):
        c.send(side, record(20, b"\1") + say(side, 22, handshake(20, bytes(12))))
    body = b"".join(b"line %02d of the body\n" % n for n in range(40))
    text = response(body)
    c.send(0, say(0, 23, request("/first", "www.example.com")))
    for at in range(0, len(text), 300):
        c.send(1, say(1, 23, text[at:at + 300]), lost=[0] if lost and at == 600 else [])
    c.send(0, say(0, 23, request("/second", "www.example.com", "POST", b"hello")))
    c.send(1, say(1, 23, response(b"", "204 No Content", length=False)))
    c.close()


def master(*names):
    """A Decryption Secrets Block for sessions of `compressed`."""
    text = "".join(f"CLIENT_RANDOM {seed(name + ' client').hex()} {seed(name + ' master', 48).hex()}\n" for name in names).encode()
    return block("<", 10, struct.pack("<II", 0x544C534B, len(text)) + text)


@case("tls-keys-deflate.pcapng", "TLS www.example.com - 1.2 0", "GET /first 200 800", "POST /second 204 0 sent=5",
      "TLS www.example.com - 1.2 0", "GET /first 200 -", "POST /second - - sent=5")
def _():
    """TLS 1.2 that compresses before it seals (RFC 3749), once whole, once with a lost record, behind which nothing of that side can be told."""
    return with_secrets(master("whole", "holed"), lambda t: compressed(t, 46000, "whole"), lambda t: compressed(t, 46001, "holed", True))


# ---------------------------------------------------------------------------------------------------- HAR
def har(entries, creator, version="1.2", indent=2, before=(), after=(), top=(), **ways):
    """A HAR file of a program; `before` and `after` are further members of its log."""
    log = {"version": version, "creator": creator, **dict(before), "entries": entries, **dict(after)}
    return (json.dumps({"log": log, **dict(top)}, indent=indent, ensure_ascii=ways.get("ascii", False), separators=ways.get("separators")) + "\n").encode()


def pairs(*lines):
    return [dict(zip(("name", "value"), line.split(": ", 1))) for line in lines]


def asked(method, url, version, headers=(), size=-1, data=None, **more):
    got = {"method": method, "url": url, "httpVersion": version, "headers": pairs(*headers), "queryString": [], "cookies": [], "headersSize": -1, "bodySize": size}
    return got | ({"postData": data} if data else {}) | more


def answered(status, text, version, headers=(), content=None, size=-1, **more):
    return {"status": status, "statusText": text, "httpVersion": version, "headers": pairs(*headers), "cookies": [], "content": content or {"size": 0, "mimeType": "x-unknown"},
            "redirectURL": "", "headersSize": -1, "bodySize": size} | more


def told(start, request, response, time=12.5, address=SERVER, timings=None, **more):
    got = {"startedDateTime": start, "time": time, "request": request, "response": response, "cache": {},
           "timings": timings or {"blocked": 1.25, "dns": -1, "ssl": -1, "connect": -1, "send": 0.25, "wait": 9.0, "receive": 2.0}}
    return got | ({} if address is None else {"serverIPAddress": address}) | more


BLOB_LINES = ("Server: Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0", "x-ms-request-id: 5f1d2c3b-001e-0047-55aa-7e9f12000000", "x-ms-version: 2019-12-12", "x-ms-blob-type: BlockBlob")


@case("har-chrome.har", "GET https://app.example.com/ 200 97", "GET https://nephoexample.blob.core.windows.net/photos/1.png?sv=2019-12-12&sig=abc%3D 200 8",
      "POST https://app.example.com/api?x=1 201 15 sent=13", "GET https://app.example.com/cached.css 200 4", "GET https://app.example.com/gone - -",
      "GET wss://app.example.com/live 101 0 ws=1,2", "HEAD https://[2001:db8:1::20]:8443/v6 204 0")
def _():
    """A HAR file as Chrome writes it: pseudo-header fields, a page that hands out a URL of another host, base64, form data, an answer from the cache, a request that was never answered, a WebSocket, `data:` URLs, IPv6 in brackets."""
    page = '<img src="https://nephoexample.blob.core.windows.net/photos/1.png?sv=2019-12-12&amp;sig=abc%3D">\n'
    pseudo = (":authority: app.example.com", ":method: GET", ":path: /", ":scheme: https")
    picture = bytes(range(248, 256))
    entries = [
        told("2026-01-05T10:00:00.123Z", asked("GET", "https://app.example.com/", "http/2.0", (*pseudo, "accept: */*"), 0),
             answered(200, "", "http/2.0", ("content-type: text/html; charset=utf-8", "set-cookie: a=1\nb=2", "content-encoding: gzip", "server: example"),
                      {"size": len(page), "mimeType": "text/html", "compression": 20, "text": page}, -1, _transferSize=180, _error=None),
             connection="31", _initiator={"type": "other", "stack": {"callFrames": [{"functionName": "\"}{\\"}]}}, _priority="VeryHigh", _resourceType="document"),
        told("2026-01-05T10:00:00.223Z", asked("GET", "https://nephoexample.blob.core.windows.net/photos/1.png?sv=2019-12-12&sig=abc%3D", "http/1.1", ("Host: nephoexample.blob.core.windows.net",), 0),
             answered(200, "OK", "http/1.1", ("Content-Type: image/png", *BLOB_LINES, 'ETag: "0x8DE4C1B2A3D4E5F"'),
                      {"size": 8, "mimeType": "image/png", "text": base64.b64encode(picture).decode(), "encoding": "base64"}, 8),
             address=OTHER, connection="32", _resourceType="image"),
        told("2026-01-05T10:00:00.323Z", asked("POST", "https://app.example.com/api?x=1", "http/2.0", ("content-type: application/x-www-form-urlencoded",), 13,
                                               {"mimeType": "application/x-www-form-urlencoded", "text": "a=1&b=%C3%A9x", "params": [{"name": "a", "value": "1"}]}),
             answered(201, "", "http/2.0", ("content-type: application/json",), {"size": 15, "mimeType": "application/json", "text": "{\"made\": \"\u00e9\"} "}, -1), connection="31"),
        told("2026-01-05T10:00:00.423Z", asked("GET", "https://app.example.com/cached.css", "http/2.0"),
             answered(200, "", "http/2.0", ("content-type: text/css",), {"size": 4, "mimeType": "text/css", "text": "a{}\n"}, 0), address="", _fromCache="memory"),
        told("2026-01-05T10:00:00.523Z", asked("GET", "data:image/gif;base64,R0lGODlhAQABAAAAACw=", "data"), answered(200, "OK", "data", (), {"size": 10, "mimeType": "image/gif"}, 0), address=None),
        told("2026-01-05T10:00:00.623Z", asked("GET", "https://app.example.com/gone", ""), answered(0, "", "", _error="net::ERR_ABORTED"), address="", time=3, connection="31",
             timings={"blocked": 3, "dns": -1, "ssl": -1, "connect": -1, "send": 0, "wait": 0, "receive": 0}),
        told("2026-01-05T10:00:00.723Z", asked("GET", "wss://app.example.com/live", "http/1.1", ("Host: app.example.com", "Upgrade: websocket"), 0),
             answered(101, "Switching Protocols", "http/1.1", ("Upgrade: websocket",)), connection="40", _resourceType="websocket",
             _webSocketMessages=[{"type": "send", "time": 1767607200.8, "opcode": 1, "data": "hi"}, {"type": "receive", "time": 1767607200.9, "opcode": 1, "data": "h\u00e9"},
                                 {"type": "receive", "time": 1767607201.5, "opcode": 2, "data": "AQID"}]),
        told("2026-01-05T10:00:02.000Z", asked("HEAD", "https://[2001:db8:1::20]:8443/v6", "h3", ("user-agent: x",), 0), answered(204, "", "h3"), address="[2001:db8:1::20]", connection="50"),
    ]
    pages = [{"startedDateTime": "2026-01-05T10:00:00.100Z", "id": "page_1", "title": "https://app.example.com/", "pageTimings": {"onContentLoad": 1.5, "onLoad": None}}]
    return har(entries, {"name": "WebInspector", "version": "537.36"}, before=[("pages", pages)])


@case("har-firefox.har", "GET https://app.example.com/a 200 6", "GET https://app.example.com/b 304 -", "POST https://app.example.com/form 302 0 sent=7", "GET https://cdn.example.net/big.bin 200 -")
def _():
    """A HAR file as Firefox writes it: in one line with a byte order mark, times with a zone, reason phrases in HTTP/2, the server's port as the connection, a body that was not kept."""
    lines = ("Host: app.example.com", "User-Agent: Mozilla/5.0")
    entries = [
        told("2026-01-05T12:00:00.000+02:00", asked("GET", "https://app.example.com/a", "HTTP/2", lines, 0),
             answered(200, "OK", "HTTP/2", ("content-type: text/plain",), {"mimeType": "text/plain", "size": 6, "text": "hello\n"}, 120), connection="443", pageref="page_1"),
        told("2026-01-05T12:00:01.000+02:00", asked("GET", "https://app.example.com/b", "HTTP/2", lines, 0),
             answered(304, "Not Modified", "HTTP/2", ('etag: "x"',), {"mimeType": "text/css", "size": 900}, 0), connection="443"),
        told("2026-01-05T12:00:02.000+02:00", asked("POST", "https://app.example.com/form", "HTTP/3", lines, 7, {"mimeType": "text/plain", "params": [], "text": "a=1&b=2"}),
             answered(302, "Found", "HTTP/3", ("location: https://cdn.example.net/big.bin",), {"mimeType": "text/html", "size": 0, "text": ""}, 0, redirectURL="https://cdn.example.net/big.bin"), connection="443"),
        told("2026-01-05T12:00:03.000+02:00", asked("GET", "https://cdn.example.net/big.bin", "HTTP/1.1", ("Host: cdn.example.net",), 0),
             answered(200, "OK", "HTTP/1.1", ("Server: AmazonS3", "x-amz-request-id: 4F2A6C1B9D3E5F70", "x-amz-id-2: abc"), {"mimeType": "application/octet-stream", "size": 2000000, "comment": "Response bodies are not included."}, 2000100),
             address="cdn.example.net", connection="443"),
    ]
    browser = {"name": "Firefox", "version": "140.0"}
    return b"\xef\xbb\xbf" + har(entries, {"name": "Firefox", "version": "140.0"}, indent=None, before=[("browser", browser), ("pages", [])], separators=(",", ":"))


@case("har-safari.har", "GET https://app.example.com/p?q=1 200 9", "GET http://app.example.com:8080/plain 404 5")
def _():
    """A HAR file as Safari writes it: no Host field, no connection, tabs, the entries before the version; letters as escapes, also half of a pair."""
    entries = [
        told("2026-01-05T10:00:00.500Z", asked("GET", "https://app.example.com/p?q=1", "HTTP/2", ("Accept: */*",)),
             answered(200, "", "HTTP/2", ("Content-Type: text/plain",), {"size": 6, "compression": 0, "mimeType": "text/plain", "text": "\U0001F600\u00e9"}, 6), time=40.125, address="198.51.100.20"),
        told("2026-01-05T10:00:01.500Z", asked("GET", "http://app.example.com:8080/plain", "HTTP/1.1"), answered(404, "Not Found", "HTTP/1.1", (), {"size": 5, "mimeType": "", "text": "none\n"}, 5), time=2, address="2001:db8:1::20%en0"),
    ]
    data = json.dumps({"log": {"entries": entries, "version": "1.2", "creator": {"name": "WebKit Web Inspector", "version": "1.0"}, "pages": []}}, indent="\t").encode()
    return data.replace(b"\\u00e9", b"\\u00e9\\ud83d", 1)[:-2] + b"\n}\n"


@case("har-charles.har", "CONNECT https://app.example.com:443/ 200 0", "GET https://app.example.com/login 200 3", "PUT https://store.example.org/up 200 0 sent=4")
def _():
    """A HAR file as Charles writes it: CONNECT, numbers with fractions, an upload in base64, `cookies` and `queryString` filled, a comment."""
    entries = [
        told("2026-01-05T11:00:00.000+01:00", asked("CONNECT", "https://app.example.com:443/", "HTTP/1.1", ("Host: app.example.com:443",), 0), answered(200, "Connection established", "HTTP/1.1", (), {"size": 0, "mimeType": None}, 0),
             timings={"dns": 0, "connect": 15, "blocked": 0, "send": 0, "wait": 10, "receive": 0, "ssl": 9}, time=25),
        told("2026-01-05T11:00:00.100+01:00", asked("GET", "https://app.example.com/login", "HTTP/1.1", ("Host: app.example.com", "Cookie: session=s3cr3t"), 0.0, cookies=pairs("session: s3cr3t")),
             answered(200, "OK", "HTTP/1.1", ("Content-Type: text/plain",), {"size": 3.0, "mimeType": "text/plain", "text": "ok\n"}, 3.0), connection="7"),
        told("2026-01-05T11:00:00.200+01:00", asked("PUT", "https://store.example.org/up", "HTTP/1.1", ("Host: store.example.org", "Content-MD5: CY9rzUYh03PK3k6DJie09g=="), 4, {"mimeType": "application/octet-stream", "encoding": "base64", "text": "dGVz\ndA=="}),
             answered(200, "OK", "HTTP/1.1", (), {"size": 0, "mimeType": None}, 0), address="store.example.org/198.51.100.20"),
    ]
    return har(entries, {"name": "Charles Proxy", "version": "4.6.6"}, after=[("comment", "Recorded for the help desk")])


@case("har-mitmproxy.har", "GET https://app.example.com/x 200 12", "GET https://app.example.com/y 500 9", "DELETE https://app.example.com/z 204 0")
def _():
    """A HAR file as mitmproxy writes it: microseconds and `+00:00`, header lines in their order and twice, an error document, `-1` for what is not known."""
    entries = [
        told("2026-01-05T10:00:00.123456+00:00", asked("GET", "https://app.example.com/x", "HTTP/2.0", ("user-agent: curl/8", "x-a: 1", "x-a: 2"), 0), answered(200, "", "HTTP/2.0", ("x-b: 1", "server: example", "x-b: 2"), {"size": 12, "compression": 0, "mimeType": "text/plain", "text": "twelve bytes"}, 12),
             timings={"connect": 5.5, "ssl": 20.25, "send": 1e-3, "receive": 2.5e1, "wait": 30}, time=80.751),
        told("2026-01-05T10:00:01.123456+00:00", asked("GET", "https://app.example.com/y", "HTTP/2.0"), answered(500, "", "HTTP/2.0", ("content-type: text/plain",), {"size": 9, "mimeType": "text/plain", "text": "it broke\n"}, 9), address="::ffff:198.51.100.20"),
        told("2026-01-05T10:00:02.123456+00:00", asked("DELETE", "https://app.example.com/z", "HTTP/2.0"), answered(204, "", "HTTP/2.0", (), {"size": -1, "mimeType": ""}, -1), time=-1),
    ]
    return har(entries, {"name": "mitmproxy", "version": "11.0.2", "comment": ""}, after=[("browser", {}), ("pages", [])], indent=4)


@case("har-odd.har", "- /relative 200 -", "GET http://app.example.com/twice 201 1", "GET http://app.example.com/deep 200 -", "GET http://app.example.com/bytes 200 3")
def _():
    """HAR entries of the wrong kind: numbers, null, no request, no URL; times and addresses that are none, names given twice, deep nests, bytes that are no UTF-8, rubbish between entries, two lists of entries."""
    good = told("2026-01-05T10:00:09Z", asked("GET", "http://app.example.com/bytes", "HTTP/1.1", ("X-Odd: BYTES",)), answered(200, "OK", "HTTP/1.1", (), {"size": 3, "mimeType": "text/plain", "text": "BYTES"}, 3), time=1)
    parts = [b"7", b"null", b'"text"', b"[[]]", b"{}", b'{"request": {"url": 5.5e}}', b'{"request": {"method": "GET"}, "response": []}',
             b'{"startedDateTime": "yesterday", "request": {"url": "/relative", "headers": {"a": 1}}, "response": {"status": 200, "content": {"size": 4}, "headers": [1, {"name": "A"}, {"value": "x"}]}, "serverIPAddress": "somewhere"}',
             b'{"request": {"url": "http://app.example.com/once"}, "request": {"method": "POST", "method": "GET", "url": "http://app.example.com/twice", "httpVersion": "HTTP/1.1"}, "startedDateTime": "2026-01-05T10:00:08", "response": {"status": 200, "status": 201, "content": {"text": "1", "size": 9}}, "serverIPAddress": 12}',
             b'{"startedDateTime": "2026-01-05T10:00:08Z", "x": ' + b"[" * 50000 + b"]" * 50000 + b', "request": {"method": "GET", "url": "http://app.example.com/deep", "httpVersion": "HTTP/9"}, "response": {"status": 200, "content": {"encoding": "base64", "text": "!!!"}}}',
             json.dumps(good).encode().replace(b"BYTES", b"\xff\xfe\x80")]
    return b'{"other": [1, {"log": 2}], "log": {"comment": "odd", "entries": [' + b" ,\n".join(parts[:8]) + b' oops } ,,\n], "nothing": null, "entries": [' + b",".join(parts[8:]) + b"]}}\n"


@case("har-cut.har", "GET https://app.example.com/1 200 2")
def _():
    """A HAR file that ends inside its second entry."""
    entries = [told(f"2026-01-05T10:00:0{n}Z", asked("GET", f"https://app.example.com/{n}", "HTTP/1.1", ("Host: app.example.com",)), answered(200, "OK", "HTTP/1.1", (), {"size": 2, "mimeType": "text/plain", "text": "ok"}, 2)) for n in (1, 2)]
    return har(entries, {"name": "cut", "version": "1"})[:-900]


@case("har-empty.har")
def _():
    """A HAR file without entries."""
    return har([], {"name": "empty", "version": ""})


@case("har-zipped.har.gz", "GET https://app.example.com/1 200 2")
def _():
    """A HAR file in gzip."""
    entries = [told("2026-01-05T10:00:01Z", asked("GET", "https://app.example.com/1", "HTTP/1.1", ("Host: app.example.com",)), answered(200, "OK", "HTTP/1.1", (), {"size": 2, "mimeType": "text/plain", "text": "ok"}, 2))]
    return stored_gzip(har(entries, {"name": "zipped", "version": "1"}))


# ---------------------------------------------------------------------------------------------------- writing
README = """# Captures made here

Each `NAME.pcap`, `NAME.pcapng`, `NAME.pcap.gz` or `NAME.har` is written by `make.py` (run it with `make captures`), byte for byte the
same everywhere; none was recorded from anybody's traffic. `NAME.jsonl` beside it is what
`nephoscope list --format jsonl` must print for it; `tests/captures.rs` compares them, also with 1, 2 and 4 threads.

`rows.txt`, written by `make.py` too, says of each capture which rows it must list, in few words and as whoever wrote the
capture knows them, not as any program printed them; the same test holds the program to it, so that an expected file which
was written again in a hurry cannot hide a lost row.

A new case: add a function to `make.py`, with its rows, run `make captures`, then `UPDATE_EXPECTED=1 cargo test --test captures`, and
read the new `.jsonl` line by line: it is right because somebody checked it, not because the program printed it.
The TLS sessions of `tls-keys-*` were recorded once by `record_tls.py`, in memory, between the two sides of Python's ssl
module, and so were those of `dns-over-tls` and `tls-hosts`; their bytes and secrets stand in `tls-sessions.json` and
`tls-spoken.json`, from which `make.py` writes the frames. The connections of `quic-keys-*` were recorded so by
`record_quic.py`, between the two sides of aioquic, into `quic-sessions.json`.
The chains of `tls-chain-*` stand in `chains.json`, made once by `make_chains.py`, which says where the two real ones are from.
`compare.json` and `compare.txt` are what `nephoscope compare compare-a.pcap compare-b.pcap` must print; `tests/compare.rs` compares them.
`make.py --check`, a part of `make test`, fails when a capture here is not what `make.py` writes.

| file | what is in it |
|---|---|
"""


def everything():
    files = {name: build() for name, (build, _) in CASES.items()}
    table = "".join(f"| `{name}` | {' '.join(build.__doc__.split())} |\n" for name, (build, _) in CASES.items())
    files["README.md"] = (README + table).encode()
    files["rows.txt"] = "".join(f"{name}\n" + "".join(f"\t{row}\n" for row in rows) for name, (_, rows) in CASES.items()).encode()
    return files


def main():
    files = everything()
    if sys.argv[1:] == ["--check"]:
        wrong = []
        for name, data in files.items():
            path = os.path.join(HERE, name)
            if not os.path.exists(path):
                wrong.append(f"{name}: missing")
            elif open(path, "rb").read() != data:
                wrong.append(f"{name}: differs from what make.py writes")
        known = set(files) | {"make.py", "quic.py", "record_tls.py", "tls-sessions.json", "record_quic.py", "quic-sessions.json", "tls-spoken.json", "make_chains.py", "chains.json", "compare.json", "compare.txt"} | {name.split(".")[0] + ".jsonl" for name in CASES}
        wrong += [f"{name}: make.py does not know it" for name in sorted(os.listdir(HERE)) if name not in known and name != "__pycache__"]
        for line in wrong:
            print("tests/captures/" + line)
        if wrong:
            print("run: make captures")
        else:
            print(f"tests/captures: {len(CASES)} captures are what make.py writes")
        return bool(wrong)
    if sys.argv[1:]:
        print(__doc__, file=sys.stderr)
        return 2
    for name, data in files.items():
        with open(os.path.join(HERE, name), "wb") as out:
            out.write(data)
    print(f"{len(CASES)} captures, {sum(map(len, files.values()))} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
