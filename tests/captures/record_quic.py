#!/usr/bin/env python3
"""Records QUIC connections of our own for make.py: writes quic-sessions.json.

usage: record_quic.py      (needs aioquic: pip install aioquic)

Client and server are two objects of aioquic in one process; what they hand each other is recorded, nothing goes over any
network. The certificate is made here for the purpose, the secrets are those of these connections alone. Every run gives
other bytes, so it is run only to add sessions; make.py turns the recorded bytes into captures.
"""
import base64, datetime, io, json, os, ssl, zlib

from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import StreamDataReceived
from aioquic.tls import CipherSuite
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

HERE = os.path.dirname(os.path.abspath(__file__))
NAME = "www.example.com"
BODY = b"".join(b"line %04d of the body\n" % n for n in range(80))
V1, V2 = 1, 0x6B3343CF
CLIENT, SERVER = ("192.0.2.10", 50000), ("192.0.2.80", 443)
SUITES = {"aes128": CipherSuite.AES_128_GCM_SHA256, "aes256": CipherSuite.AES_256_GCM_SHA384, "chacha": CipherSuite.CHACHA20_POLY1305_SHA256}


def certificate():
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Example Org"), x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    day = datetime.datetime(2025, 1, 1)
    names = x509.SubjectAlternativeName([x509.DNSName(NAME), x509.DNSName("*.example.net")])
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
            .not_valid_before(day).not_valid_after(day.replace(year=2125)).add_extension(names, False).sign(key, hashes.SHA256()))
    return made, key


CERTIFICATE = certificate()
TICKETS = {}


class Talk:
    """A client and a server that hand each other datagrams. `talk` is what they were: side, datagram, words about it."""
    def __init__(self, suite="aes128", version=V1, alpn=("h3",), ticket=None, datagrams=None):
        self.log, self.talk, self.now, self.ticket = io.StringIO(), [], 1.0, None
        common = dict(alpn_protocols=list(alpn), cipher_suites=[SUITES[suite]], max_datagram_frame_size=datagrams,
                      supported_versions=[version], original_version=version)
        theirs = QuicConfiguration(is_client=False, **common)
        theirs.certificate, theirs.private_key = CERTIFICATE
        own = QuicConfiguration(is_client=True, server_name=NAME, verify_mode=ssl.CERT_NONE, secrets_log_file=self.log, session_ticket=ticket, **common)
        self.client = QuicConnection(configuration=own, session_ticket_handler=self.keep)
        self.server = QuicConnection(configuration=theirs, original_destination_connection_id=self.client.original_destination_connection_id,
                                     session_ticket_handler=lambda t: TICKETS.__setitem__(t.ticket, t), session_ticket_fetcher=TICKETS.get)
        self.h3 = [None, None]
        self.client.connect(SERVER, now=self.now)

    def keep(self, ticket):
        self.ticket = ticket

    def http(self):
        self.h3 = [H3Connection(self.client), H3Connection(self.server)]

    def turn(self, side, note=""):
        """One side sends what it has."""
        self.now += 0.01
        own, other = (self.client, self.server) if side == 0 else (self.server, self.client)
        sent = own.datagrams_to_send(self.now)
        for data, _ in sent:
            self.talk.append([side, base64.b64encode(data).decode(), note])
            other.receive_datagram(data, (CLIENT, SERVER)[side], self.now)
        return bool(sent)

    def run(self, note="", answers=None):
        """Both send until nothing is left; the server answers requests."""
        while self.turn(0, note) | self.turn(1, note):
            for side, connection in ((0, self.client), (1, self.server)):
                while (event := connection.next_event()) is not None:
                    if side and isinstance(event, StreamDataReceived) and answers and not self.h3[1]:
                        answers(event)
                    for got in self.h3[side].handle_event(event) if self.h3[side] else ():
                        if side and answers:
                            answers(got)

    def request(self, method, path, body=b"", more=()):
        stream = self.client.get_next_available_stream_id()
        head = [(b":method", method), (b":scheme", b"https"), (b":authority", NAME.encode()), (b":path", path),
                (b"user-agent", b"recorder/1.0 (of captures)"), *more]
        self.h3[0].send_headers(stream, head, end_stream=not body)
        if body:
            self.h3[0].send_data(stream, body, end_stream=True)
        return stream

    def answer(self, stream, status=b"200", body=BODY, more=(), trailers=()):
        head = [(b":status", status), (b"server", b"example-server/2"), (b"x-request-id", b"%08d" % stream), (b"content-type", b"text/plain"), *more]
        self.h3[1].send_headers(stream, head, end_stream=not body and not trailers)
        if body:
            self.h3[1].send_data(stream, body, end_stream=not trailers)
        if trailers:
            self.h3[1].send_headers(stream, list(trailers), end_stream=True)

    def close(self):
        self.client.close()
        self.turn(0)
        return {"talk": self.talk, "keys": self.log.getvalue().splitlines()}


def site(talk):
    """A small server."""
    def got(event):
        if not isinstance(event, (HeadersReceived, DataReceived)) or not event.stream_ended:
            return
        head = talk.heads.get(event.stream_id) or dict(event.headers)
        if head[b":method"] == b"POST":
            talk.answer(event.stream_id, b"204", b"")
        elif head[b":path"] == b"/zipped":
            packed = zlib.compressobj(9, zlib.DEFLATED, 31)
            talk.answer(event.stream_id, body=packed.compress(BODY) + packed.flush(), more=[(b"content-encoding", b"gzip")])
        elif head[b":path"] == b"/trailers":
            talk.answer(event.stream_id, body=b"short\n", trailers=[(b"x-checksum", b"abc")])
        elif head[b":path"] == b"/pushes":
            pushed = talk.h3[1].send_push_promise(event.stream_id, [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", NAME.encode()), (b":path", b"/pushed")])
            talk.answer(event.stream_id, body=b"a page\n")
            talk.answer(pushed, body=b"pushed\n")
        else:
            talk.answer(event.stream_id, body=b"" if head[b":method"] == b"HEAD" else BODY, more=[] if head[b":method"] == b"HEAD" else [(b"content-length", b"%d" % len(BODY))])
    talk.heads = {}

    def both(event):
        if isinstance(event, HeadersReceived):
            talk.heads.setdefault(event.stream_id, dict(event.headers))
        got(event)
    return both


def web(**how):
    talk = Talk(**how)
    talk.http()
    got = site(talk)
    talk.run(answers=got)
    for path in (b"/first", b"/second", b"/zipped"):
        talk.request(b"GET", path, more=[(b"cookie", b"session=of-the-recorder")])
    talk.run(answers=got)
    talk.request(b"HEAD", b"/first")
    talk.request(b"POST", b"/upload", b"x" * 2000)
    talk.request(b"GET", b"/trailers")
    talk.run(answers=got)
    return talk, got


def plain(**how):
    return web(**how)[0].close()


def pushes():
    talk, got = web()
    talk.request(b"GET", b"/pushes")
    talk.run(answers=got)
    return talk.close()


def updates():
    """The client updates its keys, later the server does, then the client again."""
    talk, got = web(suite="chacha")
    for n, connection in enumerate((talk.client, talk.server, talk.client)):
        connection.request_key_update()
        talk.request(b"GET", b"/after-%d" % n)
        talk.run(note="updated", answers=got)
    return talk.close()


def early():
    """A connection that goes on from an earlier one: its first request is early data."""
    first, _ = web(suite="aes256")
    talk = Talk(suite="aes256", ticket=first.ticket)
    talk.http()
    got = site(talk)
    talk.request(b"GET", b"/early")
    talk.run(answers=got)
    talk.request(b"GET", b"/later")
    talk.run(answers=got)
    return talk.close()


def moves():
    """The client's port changes: first with the ids that it has, then with new ones; datagrams of no stream beside it."""
    talk, got = web(datagrams=65536)
    talk.request(b"GET", b"/moved")
    talk.run(note="moved", answers=got)
    talk.client.change_connection_id()
    talk.client.send_datagram_frame(b"of no stream")
    talk.request(b"GET", b"/moved-again")
    talk.run(note="moved again", answers=got)
    return talk.close()


def lookups(queries):
    """DNS over QUIC: what `queries` asks, each on a stream of its own."""
    talk = Talk(alpn=("doq",))

    def got(event):
        if event.end_stream:
            talk.server.send_stream_data(event.stream_id, bytes.fromhex(queries[event.stream_id // 4][1]), end_stream=True)
    talk.run(answers=got)
    for n, (query, _) in enumerate(queries):
        talk.client.send_stream_data(4 * n, bytes.fromhex(query), end_stream=True)
    talk.run(answers=got)
    return talk.close()


def main():
    import make
    queries = []
    for name, kind, answers in (("storage.example.com", make.A, [make.dns_record(b"\xc0\x0c", make.CNAME, "edge.example.net"), make.dns_record("edge.example.net", make.A, make.SERVER)]),
                                ("www.example.com", make.A, [make.dns_record(b"\xc0\x0c", make.A, make.SERVER)]), ("www.example.com", make.AAAA, [])):
        queries.append([make.vec(make.dns(0, name, kind), 2).hex(), make.vec(make.dns(0, name, kind, answers, 0x8180), 2).hex()])
    sessions = {"aes128": plain(), "aes256-v2": plain(suite="aes256", version=V2), "chacha": plain(suite="chacha"), "pushes": pushes(),
                "updates": updates(), "early": early(), "moves": moves(), "lookups": lookups(queries)}
    with open(os.path.join(HERE, "quic-sessions.json"), "w", encoding="utf-8") as out:
        json.dump(sessions, out, indent=0)
        out.write("\n")
    print({name: (len(s["talk"]), len(s["keys"])) for name, s in sessions.items()})


if __name__ == "__main__":
    main()
