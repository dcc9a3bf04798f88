#!/usr/bin/env python3
"""Loss of live captures: one synthetic capture, replayed over a veth pair at rising rates.

usage: bench_live.py PROGRAM [--seconds S] [--rates R,R,...] [--only WORD]

Makes two network namespaces and a capture of its own (HTTP, DNS and opaque segments, every address in 198.18.0.0/15),
replays it with tcpreplay and prints, for each receiver, what was lost at each rate and the highest rate without loss. All
receivers run in the same minutes on the same machine: compare them with each other, not with another run. Needs root,
iproute2, tcpreplay; tcpdump and dumpcap are compared where they are installed.
"""
import argparse, json, os, random, re, shutil, signal, struct, subprocess, sys, tempfile, time

FRAMES = 60_000


def checksum(data):
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def frame(source, target, protocol, payload):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0x4000, 64, protocol, 0, source, target)
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    return b"\x02\0\0\0\0\x02" + b"\x02\0\0\0\0\x01" + b"\x08\0" + head + payload


def segment(client, server, ports, seq, ack, flags, data, back):
    source, target = (server, client) if back else (client, server)
    a, b = (ports[1], ports[0]) if back else ports
    # TCP checksums stay 0: nobody here verifies them, no more than after an interface that computes them itself.
    return frame(source, target, 6, struct.pack(">HHIIBBHHH", a, b, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, flags, 65535, 0, 0) + data)


def conversation(number, dice):
    """One flow: a lookup, a handshake, two requests with answers, the end."""
    client, server = struct.pack(">I", 0xC6120000 | number % 0xFFF0 + 1), struct.pack(">I", 0xC6130000 | dice.randrange(1, 4000))
    ports, name = (20000 + number % 40000, 80), "h%d.bench.example" % dice.randrange(2000)
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
    question = struct.pack(">HHHHHH", number & 0xFFFF, 0x100, 1, 0, 0, 0) + labels + struct.pack(">HH", 1, 1)
    answer = struct.pack(">HHHHHH", number & 0xFFFF, 0x8180, 1, 1, 0, 0) + labels + struct.pack(">HH", 1, 1)
    answer += b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + server
    resolver = b"\xc6\x13\xff\x35"
    for source, target, sport, dport, data in ((client, resolver, ports[0], 53, question), (resolver, client, 53, ports[0], answer)):
        yield frame(source, target, 17, struct.pack(">HHHH", sport, dport, 8 + len(data), 0) + data)
    mine, theirs = dice.randrange(1 << 31), dice.randrange(1 << 31)
    yield segment(client, server, ports, mine, 0, 2, b"", False)
    yield segment(client, server, ports, theirs, mine + 1, 0x12, b"", True)
    mine, theirs = mine + 1, theirs + 1
    yield segment(client, server, ports, mine, theirs, 0x10, b"", False)
    for turn in range(2):
        request = ("GET /item/%d HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench/1\r\nAccept: */*\r\n\r\n" % (dice.randrange(99999), name)).encode()
        yield segment(client, server, ports, mine, theirs, 0x18, request, False)
        mine += len(request)
        size = dice.choice((200, 900, 4000, 9000))
        response = ("HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: application/octet-stream\r\nX-Cache: Hit from bench\r\n"
                    "Content-Length: %d\r\n\r\n" % size).encode() + dice.randbytes(size)
        for at in range(0, len(response), 1400):
            part = response[at:at + 1400]
            yield segment(client, server, ports, theirs, mine, 0x18, part, True)
            theirs += len(part)
        yield segment(client, server, ports, mine, theirs, 0x10, b"", False)
    yield segment(client, server, ports, mine, theirs, 0x11, b"", False)
    yield segment(client, server, ports, theirs, mine + 1, 0x11, b"", True)


def make(path):
    """Twenty conversations at a time, so that frames of different flows follow each other."""
    dice, count, number, open_ones = random.Random(1), 0, 0, []
    size = 0
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        while count < FRAMES:
            while len(open_ones) < 20:
                open_ones.append(conversation(number, dice))
                number += 1
            one = dice.choice(open_ones)
            data = next(one, None)
            if data is None:
                open_ones.remove(one)
                continue
            out.write(struct.pack("<IIII", 1_700_000_000 + count // 100_000, count % 100_000 * 10, len(data), len(data)) + data)
            count, size = count + 1, size + len(data)
    return size / count


def run(*words, **more):
    return subprocess.run(words, check=True, capture_output=True, text=True, **more)


def last_number(pattern, text):
    found = re.findall(pattern, text, re.M)
    return int(found[-1]) if found else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one replay")
    parser.add_argument("--rates", default="25000,50000,100000,200000,400000,0", help="frames a second; 0 is as fast as it goes")
    parser.add_argument("--only", default="", help="only receivers whose name holds this")
    options = parser.parse_args()
    missing = [name for name in ("ip", "tcpreplay") if not shutil.which(name)]
    if os.geteuid() != 0 or missing:
        sys.exit("bench_live.py needs root, iproute2 and tcpreplay" + (" (missing: %s)" % ", ".join(missing) if missing else ""))
    program = os.path.abspath(options.program)
    near, far = "nbench%da" % os.getpid(), "nbench%db" % os.getpid()
    folder = tempfile.mkdtemp()
    inside = ["ip", "netns", "exec", far]
    receivers = [
        ("nephoscope capture", [program, "capture", "-i", "v1", "-w", "/dev/null"]),
        ("nephoscope capture, listed beside", ["sh", "-c", "%s capture -i v1 -w - | %s list --format csv - >/dev/null" % (program, program)]),
        ("dumpcap -B 64", ["dumpcap", "-q", "-p", "-i", "v1", "-B", "64", "-w", "/dev/null"]),
        ("dumpcap (2 MiB, its default)", ["dumpcap", "-q", "-p", "-i", "v1", "-w", "/dev/null"]),
        ("tcpdump -B 65536", ["tcpdump", "-p", "-i", "v1", "-nn", "-B", "65536", "-w", "/dev/null"]),
    ]
    try:
        for namespace in (near, far):
            run("ip", "netns", "add", namespace)
            run("ip", "netns", "exec", namespace, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6 || true")
        run("ip", "-n", near, "link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", far)
        for namespace, device in ((near, "v0"), (far, "v1")):
            run("ip", "-n", namespace, "link", "set", device, "txqueuelen", "10000", "arp", "off", "up")
        path = os.path.join(folder, "bench.pcap")
        mean = make(path)
        print("capture: %d frames of %.0f bytes on average; %d cores; the machine may be shared: compare only within this run"
              % (FRAMES, mean, os.cpu_count()))
        print("%-36s %9s %9s %9s %9s %8s" % ("receiver", "asked/s", "sent/s", "sent", "got", "lost %"))
        best = {}
        for rate in [int(text) for text in options.rates.split(",")]:
            loops = max(1, round((rate or 400_000) * options.seconds / FRAMES))
            for name, command in receivers:
                if options.only not in name or not (shutil.which(command[0]) or os.path.exists(command[0])):
                    continue
                said = open(os.path.join(folder, "said"), "w+")
                receiver = subprocess.Popen(inside + command, stdout=said, stderr=said, start_new_session=True)
                for _ in range(200):
                    said.seek(0)
                    if re.search("listening on|apturing on", said.read()):
                        break
                    time.sleep(0.05)
                time.sleep(0.3)
                speed = ["--pps=%d" % rate] if rate else ["--topspeed"]
                sent_text = run("ip", "netns", "exec", near, "tcpreplay", "-q", "-K", "-l", str(loops), *speed, "-i", "v0", path).stdout
                sent = last_number(r"Successful packets:\s+(\d+)", sent_text)
                reached = float(re.findall(r"([\d.]+) pps", sent_text)[-1])
                time.sleep(1.0)
                # Of a pipeline only the capture is told to stop; what reads it ends by itself.
                children = subprocess.run(["pgrep", "-s", str(receiver.pid), "-f", "capture -i v1|dumpcap|tcpdump"], capture_output=True, text=True)
                for pid in children.stdout.split():
                    with open("/proc/%s/cmdline" % pid) as line:
                        if not line.read().startswith("sh\0"):
                            os.kill(int(pid), signal.SIGINT)
                try:
                    receiver.wait(60)
                except subprocess.TimeoutExpired:
                    os.killpg(receiver.pid, signal.SIGKILL)
                    receiver.wait()
                said.seek(0)
                text = said.read().replace("\r", "\n")
                patterns = (r"(\d+) frames written", r"^(\d+) packets captured", r"Packets captured: (\d+)")
                got = next((number for number in (last_number(pattern, text) for pattern in patterns) if number is not None), None)
                lost = None if got is None else max(0, sent - got)
                print("%-36s %9s %9.0f %9d %9s %8s" % (name, rate or "top", reached, sent, got, "?" if lost is None else "%.3f" % (100 * lost / sent)), flush=True)
                if lost == 0:
                    best[name] = max(best.get(name, 0), reached)
                else:
                    best.setdefault(name, 0)
                said.close()
        print("\nhighest rate without loss (frames/s)")
        for name, rate in best.items():
            print("%-36s %9.0f" % (name, rate))
    finally:
        for namespace in (near, far):
            subprocess.run(["ip", "netns", "del", namespace], capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
