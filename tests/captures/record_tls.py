#!/usr/bin/env python3
"""Records TLS sessions of our own for make.py: writes tls-sessions.json.

usage: record_tls.py          the sessions in HTTP/1.1
       record_tls.py spoken   those in other protocols, into tls-spoken.json

Client and server are two objects of Python's ssl module in one process; what they hand each other is recorded, nothing
goes over any network. The certificates are made here for the purpose, the secrets are those of these sessions alone. Every
run gives other bytes, so it is run only to add sessions; make.py turns the recorded bytes into captures.
"""
import base64, json, os, ssl, struct, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
NAME = "www.example.com"
BODY = b"".join(b"line %04d of the body\n" % n for n in range(80))

# Name, version, TLS 1.3 suite or OpenSSL cipher string, encrypt-then-MAC, RSA key, resumed.
SESSIONS = [
    ("13-aes128", "1.3", "TLS_AES_128_GCM_SHA256", True, False, False),
    ("13-aes256", "1.3", "TLS_AES_256_GCM_SHA384", True, False, False),
    ("13-chacha", "1.3", "TLS_CHACHA20_POLY1305_SHA256", True, False, False),
    ("13-ccm", "1.3", "TLS_AES_128_CCM_SHA256", True, False, False),
    ("13-ccm8", "1.3", "TLS_AES_128_CCM_8_SHA256", True, False, False),
    ("13-resumed", "1.3", "TLS_AES_128_GCM_SHA256", True, False, True),
    ("12-gcm", "1.2", "ECDHE-ECDSA-AES128-GCM-SHA256", True, False, False),
    ("12-chacha", "1.2", "ECDHE-ECDSA-CHACHA20-POLY1305", True, False, False),
    ("12-ccm8", "1.2", "ECDHE-ECDSA-AES256-CCM8", True, False, False),
    ("12-cbc-etm", "1.2", "ECDHE-ECDSA-AES128-SHA256", True, False, False),
    ("12-cbc-mte", "1.2", "ECDHE-ECDSA-AES256-SHA384", False, False, False),
    ("12-aria", "1.2", "ECDHE-ECDSA-ARIA128-GCM-SHA256", True, False, False),
    ("12-camellia", "1.2", "ECDHE-ECDSA-CAMELLIA128-SHA256", False, False, False),
    ("12-rsa", "1.2", "AES128-SHA", True, True, False),
    ("12-resumed", "1.2", "ECDHE-ECDSA-AES128-GCM-SHA256", True, False, True),
    ("11-cbc", "1.1", "ECDHE-ECDSA-AES128-SHA", False, False, False),
    ("10-cbc", "1.0", "ECDHE-ECDSA-AES256-SHA", True, False, False),
]


# Name, whether it is resumed, protocol: in TLS 1.3 with AES-128-GCM.
SPOKEN = [("dot", False, "dot"), ("doh", False, "h2"), ("hosts", False, "h2"), ("hosts-resumed", True, "h2")]


def dns(ident, answer=None):
    """A question for the address of www.example.com, and its answer (RFC 1035 section 4)."""
    name = b"".join(bytes([len(label)]) + label for label in NAME.encode().split(b".")) + b"\0"
    head = struct.pack(">HHHHHH", ident, 0x8180 if answer else 0x0100, 1, 1 if answer else 0, 0, 0)
    record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 300, 4) + bytes(answer) if answer else b""
    return head + name + struct.pack(">HH", 1, 1) + record


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def head(stream, *fields, last=True):
    """A HEADERS frame of literals that are not indexed (RFC 7541 section 6.2.2)."""
    text = lambda word: bytes([len(word)]) + word.encode()
    return frame(1, 5 if last else 4, stream, b"".join(b"\0" + text(name) + text(value) for name, value in fields))


def get(stream, host, path, *more, method="GET", last=True):
    return head(stream, (":method", method), (":scheme", "https"), (":authority", host), (":path", path), *more, last=last)


def spoken(name):
    """What the two say: side, bytes."""
    settings = frame(4, 0, 0)
    preface = [(0, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings), (1, settings)]
    answer = (198, 51, 100, 20)
    if name == "dot":
        framed = lambda message: struct.pack(">H", len(message)) + message
        return [(0, framed(dns(7))), (1, framed(dns(7, answer)))]
    if name == "doh":
        media = ("content-type", "application/dns-message")
        coded = base64.urlsafe_b64encode(dns(0)).decode().rstrip("=")
        told = lambda stream: head(stream, (":status", "200"), media, last=False) + frame(0, 1, stream, dns(0, answer))
        return preface + [
            (0, get(1, "dns.example.com", "/dns-query", media, method="POST", last=False) + frame(0, 1, 1, dns(0))), (1, told(1)),
            (0, get(3, "dns.example.com", "/dns-query?dns=" + coded, ("accept", media[1]))), (1, told(3))]
    # The certificate is for www.example.com and for names under example.net.
    hosts = [NAME, "img.example.net", "front.example.org"]
    return preface + [part for stream, host in zip((1, 3, 5), hosts)
                      for part in ((0, get(stream, host, "/")), (1, head(stream, (":status", "204"))))]


def certificate(folder, rsa):
    key, pem = os.path.join(folder, f"key{rsa}.pem"), os.path.join(folder, f"cert{rsa}.pem")
    kind = ["rsa:1024"] if rsa else ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    subprocess.run(["openssl", "req", "-x509", "-newkey", *kind, "-nodes", "-keyout", key, "-out", pem, "-days", "36500",
                    "-subj", f"/O=Example Org/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME},DNS:*.example.net"],
                   check=True, stderr=subprocess.DEVNULL)
    return key, pem


def record(folder, version, cipher, etm, rsa, resumed, alpn="http/1.1", script=None):
    key, pem = certificate(folder, rsa)
    log = os.path.join(folder, "keys.log")
    number = {"1.0": ssl.TLSVersion.TLSv1, "1.1": ssl.TLSVersion.TLSv1_1, "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[version]
    contexts = []
    for protocol in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER):
        context = ssl.SSLContext(protocol)
        context.minimum_version = context.maximum_version = number
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if version != "1.3":
            context.set_ciphers(cipher + ":@SECLEVEL=0")
        else:
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
        if not etm:
            context.options |= 1 << 19  # SSL_OP_NO_ENCRYPT_THEN_MAC
        if rsa:
            context.options |= 1 << 0  # SSL_OP_NO_EXTENDED_MASTER_SECRET: then the premaster secret alone is enough
        context.set_alpn_protocols([alpn])
        contexts.append(context)
    client_context, server_context = contexts
    client_context.keylog_filename = log
    server_context.load_cert_chain(pem, key)
    session = None
    for turn in range(2 if resumed else 1):
        open(log, "w").close()
        talk, session = one(client_context, server_context, session, script and spoken(script))
        lines = [line for line in open(log).read().splitlines() if line and not line.startswith("#")]
    if rsa:
        lines = [line for line in lines if line.startswith("RSA ")]
    return {"talk": talk, "keys": lines}


def one(client_context, server_context, session, script):
    """One connection: the script, or two exchanges. Gives what was said and the session to resume."""
    ends = [(ssl.MemoryBIO(), ssl.MemoryBIO()) for _ in range(2)]
    client = client_context.wrap_bio(*ends[0], server_hostname=NAME, session=session)
    server = server_context.wrap_bio(*ends[1], server_side=True)
    talk = []

    def carry():
        moved = False
        for side, (source, target) in enumerate(((ends[0][1], ends[1][0]), (ends[1][1], ends[0][0]))):
            data = source.read()
            if data:
                talk.append([side, data.hex()])
                target.write(data)
                moved = True
        return moved

    done = set()
    while len(done) < 2:
        for end in (client, server):
            try:
                end.do_handshake()
                done.add(end)
            except ssl.SSLWantReadError:
                pass
            carry()

    def say(sender, receiver, data):
        sender.write(data)
        carry()
        got = b""
        while len(got) < len(data):
            try:
                got += receiver.read(65536)
            except ssl.SSLWantReadError:
                break
        assert got == data, (got, data)

    for side, data in script or []:
        say(*((client, server) if side == 0 else (server, client)), data)
    if script:
        return talk, client.session
    say(client, server, b"GET /first HTTP/1.1\r\nHost: %s\r\nCookie: session=0123456789abcdef\r\n\r\n" % NAME.encode())
    say(server, client, b"HTTP/1.1 200 OK\r\nServer: Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0\r\n"
        b"x-ms-request-id: 4ac49b8c-001e-0050-5ab1-7e3a5c000000\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(BODY))
    for at in range(0, len(BODY), 1000):
        say(server, client, BODY[at:at + 1000])
    say(client, server, b"POST /second HTTP/1.1\r\nHost: %s\r\nContent-Length: 5\r\n\r\nhello" % NAME.encode())
    say(server, client, b"HTTP/1.1 204 No Content\r\nServer: example\r\n\r\n")
    for end, other in ((client, server), (server, client)):
        try:
            end.unwrap()
        except (ssl.SSLWantReadError, ssl.SSLError):
            pass
        carry()
    return talk, client.session


def main():
    if len(sys.argv) > 2:  # One session, in a process of its own, whose configuration picks the suite.
        print(json.dumps(record(sys.argv[1], *json.loads(sys.argv[2]))))
        return
    more = sys.argv[1:] == ["spoken"]
    asked = [(name, "1.3", "TLS_AES_128_GCM_SHA256", True, False, resumed, protocol, name) for name, resumed, protocol in SPOKEN]
    file = os.path.join(HERE, "tls-spoken.json" if more else "tls-sessions.json")
    sessions = {}
    for name, *what in asked if more else SESSIONS:
        with tempfile.TemporaryDirectory() as folder:
            config = os.path.join(folder, "openssl.cnf")
            with open(config, "w") as out:
                out.write("openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n"
                          + (f"Ciphersuites = {what[1]}\n" if what[0] == "1.3" else "")
                          + "CipherString = DEFAULT:@SECLEVEL=0\n[req]\ndistinguished_name = d\n[d]\n")
            run = subprocess.run([sys.executable, __file__, folder, json.dumps(what)], env={**os.environ, "OPENSSL_CONF": config},
                                 stdout=subprocess.PIPE, check=True)
            sessions[name] = json.loads(run.stdout)
    with open(file, "w") as out:
        json.dump(sessions, out, indent=0)
        out.write("\n")
    print(f"{len(sessions)} sessions, {os.path.getsize(file)} bytes")


if __name__ == "__main__":
    main()
