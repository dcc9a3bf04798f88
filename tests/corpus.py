#!/usr/bin/env python3
"""Holds the program against the corpus of real captures, where that corpus is present.

usage: corpus.py PROGRAM [--only SUBSTRING] [--verbose]

The corpus stands outside the project: the folder named by NEPHOSCOPE_CORPUS, or ../shared/captures beside the project. It
brings its own truth files and `compare.py`, which knows how a listed message is told to be the right one. Here are the
floors: exit 1 under any of them. Left out, and counted as left out, is what later versions read: inside DTLS, and what TLS
itself compressed. The truth's maker reads no fields of HTTP/3; what whoever made a capture says is in it is compared, and
what a capture with keys must at least give stands here.
"""
import argparse, concurrent.futures, hashlib, importlib.util, json, os, subprocess, sys

PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Of HTTP/1, six exchanges stand in sessions of suites that nobody decrypts here (SEED, export).
FLOORS = {"http3": 100.0, "http1": 99.4, "bodies": 98.0, "hello": 99.5, "tls": 99.0, "certificates": 98.0, "dns": 99.5, "http2": 91.0, "websocket": 99.0, "doh": 99.0}
WORDS = {"http3": "HTTP/3 exchanges", "http1": "HTTP/1 exchanges", "bodies": "HTTP/1 bodies", "hello": "ClientHellos", "tls": "ClientHellos with JA4",
         "certificates": "certificates", "dns": "DNS answers", "http2": "HTTP/2 exchanges", "websocket": "WebSocket frames",
         "doh": "lookups over HTTPS"}
LATER = ("dtls",)
# Exchanges of HTTP/3 that captures of others must give, as methods, hosts, paths, codes and body lengths:
# another program (Wireshark 4.0 tells frames and lengths; the fields were compared by hand with aioquic's decoder).
HTTP3 = {
    "chrome-cloudflare-quic-with-secrets.pcapng": [("GET", "cloudflare-quic.com", "/", 200, 109425)],
    "quic-v2.pcapng": [("GET", "test", "/index.html", 200, 386), ("GET", "test", "/test.html", 404, 0), ("GET", "test", "/1234567", None, None)],
}
EMPTY = hashlib.sha256(b"").hexdigest()
NOTHING_READ = 2  # exit code for what is no capture
# Where the truth is wrong, by capture and client, with the reason; left out and counted.
DIVERGENCES = {
    # Frame 468 is a second SYN-ACK with another number. The client never took it up, and all data goes on with the first
    # one's numbers (RFC 9293 section 3.10.7.4); the truth's maker moves to the second and so sees no answers.
    ("pcap2har-out-of-order.pcap", "10.166.154.146:43942"),
}
SHOWN = 25  # misses a kind without --verbose


def folder():
    named = os.environ.get("NEPHOSCOPE_CORPUS")
    return named or os.path.join(os.path.dirname(PROJECT), "shared", "captures")


def load_compare(path):
    sys.dont_write_bytecode = True  # the corpus may be read only, and is not ours
    spec = importlib.util.spec_from_file_location("compare", os.path.join(path, "compare.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def later(message):
    return message.get("transport") in LATER


def keep(holder, key, left_out):
    """Takes out of a list what later versions read, and counts it."""
    if not holder or key not in holder:
        return
    kept = [message for message in holder[key] if not later(message)]
    left_out[key] = left_out.get(key, 0) + len(holder[key]) - len(kept)
    holder[key] = kept


def narrowed(name, truth, rows, left_out):
    clients = {client for capture, client in DIVERGENCES if capture == name}
    doubted = [q for q in truth["http1"]["requests"] if f"{q['src']}:{q['sport']}" in clients]
    truth["http1"]["requests"] = [q for q in truth["http1"]["requests"] if q not in doubted]
    rows = [row for row in rows if row.get("client") not in clients]
    left_out["doubted requests"] = left_out.get("doubted requests", 0) + len(doubted)
    for part, keys in (("http1", ("requests", "orphan_responses")), ("tls", ("client_hellos", "certificates")), ("dns", ("responses",))):
        for key in keys:
            keep(truth.get(part), key, left_out)
    # A ClientHello in the form of SSL 2.0 (RFC 5246 appendix E.2), or of Google's own QUIC, is listed by us, and has no JA4;
    # the truth's maker shows it in another layer and does not list it.
    old = [row for row in rows if row.get("kind") == "tls" and (row.get("client_hello") or {}).get("ja4") == ""]
    left_out["hellos without JA4 listed"] = left_out.get("hellos without JA4 listed", 0) + len(old)
    for row in old:
        del row["client_hello"]
    return truth, [row for row in rows if not later(row)]


def websocket_frames(truth, rows):
    """The truth counts the frames of a stream, and knows no more of them."""
    want = sum((truth.get("websocket_frames_by_stream") or {}).values())
    got = sum(row["websocket"][side]["frames"] for row in rows if row.get("websocket") for side in ("client", "server"))
    return list(range(want)), list(range(got))


def http3_keys(expected, name, rows):
    """What is in a capture by HTTP/3, and what is listed: the captures that have keys for it."""
    want = list(HTTP3.get(name, []))
    if name == "modern-h3.pcapng":
        want = [(x["method"], x["authority"], x["path"], x["status"], x.get("response_body_sha256", EMPTY)) for x in expected["http3"]]
    got = []
    for row in rows:
        if row.get("kind") == "http" and row.get("version") == "3":
            q, a = row.get("request") or {}, row.get("response") or {}
            last = a.get("body_sha256") if name == "modern-h3.pcapng" else a.get("body_bytes")
            got.append((q.get("method"), q.get("host"), q.get("target"), a.get("status"), last))
    return want, got


def https_lookups(truth, rows):
    """The truth lists the exchanges that carried DNS messages, and did not read these."""
    answers = [q.get("response") or {} for part in ("http1", "http2") for q in (truth.get(part) or {}).get("requests", [])]
    carried = [a for a in answers if a.get("content_type") == "application/dns-message" and a.get("status") == 200]
    listed = [row for row in rows if row.get("kind") == "dns" and row.get("transport") == "doh" and row.get("response")]
    return list(range(len(carried))), list(range(len(listed)))


OWN_PARTS = {"websocket": websocket_frames, "doh": https_lookups}


def own_checks(name, capture, truth, code, rows, errors):
    """What is not compared but must hold: the exit code, the digest, order and numbers of the rows."""
    faults = []
    unreadable = truth["container"].get("format") == "unknown"
    allowed = (NOTHING_READ,) if unreadable else (0, 1) if truth["capture"]["packets"] else (0, 1, NOTHING_READ)
    if code not in allowed or "panicked" in errors:
        faults.append(f"{name}: exit {code}, allowed are {allowed}: {errors.strip()[-200:]}")
    head = next((row for row in rows if row.get("kind") == "capture"), None)
    if head is None:
        if code != NOTHING_READ:
            faults.append(f"{name}: no line of the capture")
        return faults
    with open(capture, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    if head.get("sha256") != digest:
        faults.append(f"{name}: sha256 {head.get('sha256')} is not the file's {digest}")
    numbers = [row.get("n") for row in rows if row.get("kind") != "capture"]
    if numbers != list(range(1, len(numbers) + 1)):
        faults.append(f"{name}: the rows are not numbered 1, 2, 3 …")
    return faults


def read(compare, program, path, name):
    try:
        return compare.run(program, os.path.join(path, name))
    except subprocess.TimeoutExpired:
        return "no end in 120 s"
    except (json.JSONDecodeError, UnicodeError) as error:
        return f"not JSON lines: {error}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--only", default="")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    path = folder()
    if not os.path.exists(os.path.join(path, "compare.py")):
        print(f"corpus: not present ({path} has no compare.py), so nothing was compared; NEPHOSCOPE_CORPUS names another folder")
        return 1 if os.environ.get("NEPHOSCOPE_CORPUS") else 0
    compare = load_compare(path)
    truths = os.path.join(path, "truth")
    names = [f[: -len(".truth.json")] for f in sorted(os.listdir(truths)) if f.endswith(".truth.json") and options.only in f]
    names = [name for name in names if os.path.exists(os.path.join(path, name))]
    if not names:
        print("corpus: no capture with a truth file", file=sys.stderr)
        return 1

    with open(os.path.join(truths, "modern.expected.json"), encoding="utf-8") as file:
        expected = json.load(file)
    tallies = {part: compare.Tally() for part in FLOORS}
    frames, faults, left_out = compare.Tally(), [], {}
    program = os.path.abspath(options.program)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        runs = pool.map(lambda name: read(compare, program, path, name), names)
        for name, run in zip(names, runs):
            if isinstance(run, str):
                faults.append(f"{name}: {run}")
                continue
            code, rows, errors = run
            with open(os.path.join(truths, name + ".truth.json"), encoding="utf-8") as file:
                truth = json.load(file)
            faults += own_checks(name, os.path.join(path, name), truth, code, rows, errors)
            head = next((row for row in rows if row.get("kind") == "capture"), {})
            frames.add([(name, truth["capture"]["packets"])], [(name, head.get("frames", 0))], name, "frames")
            truth, rows = narrowed(name, truth, rows, left_out)
            for part, tally in tallies.items():
                # Lookups over HTTPS are counted apart: the truth's maker did not read them.
                own = [row for row in rows if part != "dns" or row.get("transport") != "doh"]
                try:
                    if part == "http3":
                        want, got = http3_keys(expected, name, rows)
                    else:
                        want, got = (OWN_PARTS.get(part) or compare.PARTS[part])(truth, own)
                except (KeyError, TypeError) as error:
                    faults.append(f"{name}: {part}: {error!r}")
                    continue
                tally.add(want, got, name, part)

    bad = bool(faults) or frames.right < frames.truth
    print(f"corpus: {len(names)} captures; frames counted right in {frames.right} of {frames.truth}")
    print(f"{'':22} {'truth':>6} {'listed':>6} {'right':>6} {'recall':>9} {'precision':>9} {'floor':>7}")
    for part, tally in tallies.items():
        recall = 100.0 * tally.right / tally.truth if tally.truth else 100.0
        precision = 100.0 * tally.right / tally.ours if tally.ours else 0.0 if tally.truth else 100.0
        under = min(recall, precision) < FLOORS[part]
        bad |= under
        print(f"{WORDS[part]:22} {tally.truth:6} {tally.ours:6} {tally.right:6} {recall:7.2f} % {precision:7.2f} % {FLOORS[part]:5.1f} %"
              + ("  UNDER THE FLOOR" if under else ""))
    print("left out, for later versions: " + ", ".join(f"{count} {key.replace('_', ' ')}" for key, count in left_out.items() if count))
    for line in faults:
        print("FAULT " + line)
    for tally in (frames, *tallies.values()):
        shown = tally.notes if options.verbose else tally.notes[:SHOWN]
        for note in shown:
            print(note)
        if len(tally.notes) > len(shown):
            print(f"  … and {len(tally.notes) - len(shown)} more (--verbose)")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
