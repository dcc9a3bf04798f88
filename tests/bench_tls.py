#!/usr/bin/env python3
"""Measures how fast TLS is decrypted: one long download in a session of TLS 1.3, listed with its secrets and without.

usage: bench_tls.py PROGRAM [--mib N] [--rounds N]

tests/bench.py prints the same as a row of its own.
The session's hellos are those of tests/captures/tls-sessions.json, its secrets are made up, its records sealed here (Python's
`cryptography` is needed). The goal is 150 MB/s on one core, reading, hashing and judging included.
"""
import argparse, json, os, statistics, struct, subprocess, sys, time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

HERE = os.path.dirname(os.path.abspath(__file__))
WORK = os.path.join(os.path.dirname(HERE), "target", "bench")
sys.path.insert(0, os.path.join(HERE, "captures"))
import make


def expand(secret, label, length):
    info = struct.pack(">HB", length, 6 + len(label)) + b"tls13 " + label + b"\0"
    return HKDFExpand(hashes.SHA256(), length, info).derive(secret)


class Sealer:
    def __init__(self, byte):
        secret = bytes([byte]) * 32
        self.cipher, self.iv, self.number = AESGCM(expand(secret, b"key", 16)), expand(secret, b"iv", 12), 0

    def record(self, kind, content):
        nonce = (int.from_bytes(self.iv, "big") ^ self.number).to_bytes(12, "big")
        self.number += 1
        header = struct.pack(">BHH", 23, 0x0303, len(content) + 17)
        return header + self.cipher.encrypt(nonce, content + bytes([kind]), header)


def captures(mib):
    """Writes the capture with its secrets and the same without; gives both paths."""
    session = make.SESSIONS["13-aes128"]
    random = session["keys"][0].split()[1]
    hello, answer = (bytes.fromhex(session["talk"][n][1]) for n in (0, 1))
    answer = answer[:5 + struct.unpack(">H", answer[3:5])[0]]
    labels = ["CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"]
    log = "".join(f"{label} {random} {bytes([n]).hex() * 32}\n" for n, label in enumerate(labels, 1)).encode()
    trace = make.Trace()
    c = make.Connection(trace, 45_000, 443)
    finished = make.handshake(20, b"1234")
    c.send(0, hello)
    c.send(1, answer + Sealer(2).record(22, finished))
    c.send(0, Sealer(1).record(22, finished) + Sealer(3).record(23, make.request("/big")))
    server, left = Sealer(4), mib << 20
    c.send(1, server.record(23, make.response(b"", "200 OK", f"Content-Length: {left}", length=False)))
    piece = os.urandom(1 << 14)
    while left:
        c.send(1, server.record(23, piece))
        left -= len(piece)
    c.close()
    frames = b"".join(make.enhanced(frame) for frame in trace.frames_of(make.ether))
    secrets = make.block("<", 10, struct.pack("<II", 0x544C534B, len(log)) + log)
    paths = []
    for name, between in (("opened", secrets), ("sealed", b"")):
        paths.append(os.path.join(WORK, f"tls-{mib}-{name}.pcapng"))
        with open(paths[-1], "wb") as out:
            out.write(make.section() + make.interface() + between + frames)
    return paths


def measure(program, mib, rounds):
    """Gives of the capture with secrets, then of the one without: its name, MB for each second of CPU time, seconds, bodies."""
    os.makedirs(WORK, exist_ok=True)
    rows = []
    for path in captures(mib):
        runs = []
        for _ in range(rounds):
            started = os.times()
            out = subprocess.run([program, "list", "--format", "jsonl", "--threads", "1", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
            ended = os.times()
            runs.append(ended.children_user + ended.children_system - started.children_user - started.children_system)
        bodies = [row["response"].get("body_bytes") for row in map(json.loads, out.splitlines()) if row["kind"] == "http"]
        cpu = statistics.median(runs)
        rows.append((os.path.basename(path), os.path.getsize(path) / cpu / 1e6, cpu, bodies))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--mib", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    for name, speed, cpu, bodies in measure(options.program, options.mib, options.rounds):
        print(f"{name:28} {speed:6.0f} MB/s of CPU time, {cpu:.2f} s, bodies {bodies}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
