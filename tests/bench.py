#!/usr/bin/env python3
"""Compares the program's speed with the floor of this machine and with what people run today: one table, and the goals.

usage: bench.py PROGRAM [--mib N] [--rounds N] [--only NAME,...] [--capture FILE]

The capture is made by `make_capture.py`, and the floor is `limit`, of the folder named by NEPHOSCOPE_BENCH, or
../shared/bench beside the project; both stand outside the project. What is missing is named and left out. The runs take
turns, so that a busy moment hits everybody; medians are printed. Ratios of CPU seconds of one table count, seconds do not.
"""
import argparse, collections, json, os, shutil, statistics, subprocess, sys, time

PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BESIDE = os.path.join(os.path.dirname(PROJECT), "shared")
WORK = os.path.join(PROJECT, "target", "bench")
TLS_MIB = 128  # the body that decryption is measured with
DECRYPTED = 150  # MB of capture for each second of CPU time, at least, with keys
SLOW = 30.0  # seconds of CPU over which a peer runs in the first round only
TSHARK = ("-Y http.request||http.response||tls.handshake||dns -T fields -e frame.number -e frame.time_epoch -e ip.src -e ip.dst"
          " -e tcp.stream -e http.request.method -e http.host -e http.request.uri -e http.response.code -e tls.handshake.type"
          " -e tls.handshake.extensions_server_name -e dns.qry.name").split()


def missing(what):
    print(f"left out: {what}")


def make_capture(bench, mib):
    """The capture and what is in it; made once and kept."""
    path, truth = os.path.join(WORK, f"big-{mib}.pcap"), os.path.join(WORK, f"big-{mib}.json")
    if os.path.exists(path) and os.path.exists(truth):
        return path, json.load(open(truth))
    script = os.path.join(bench, "make_capture.py")
    if not os.path.exists(script):
        return None, {}
    command = [sys.executable, script, "--out", path + ".part", "--mib", str(mib), "--seed", "1"]
    real = os.environ.get("NEPHOSCOPE_CORPUS") or os.path.join(os.path.dirname(os.path.abspath(bench)), "captures")
    if os.path.isdir(real):
        command += ["--real", real]
    else:
        missing("real traffic inside the capture (no folder of captures beside the project)")
    print(f"making a capture of {mib} MiB …", flush=True)
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip().splitlines()[-1]
    os.replace(path + ".part", path)
    with open(truth, "w") as out:
        out.write(told)
    return path, json.loads(told)


def build_limit(bench):
    """The floor's program, built from a copy: its folder may be read only."""
    source = os.path.join(bench, "limit")
    if not os.path.exists(os.path.join(source, "Cargo.toml")):
        return None
    copy = os.path.join(WORK, "limit")
    if not os.path.exists(os.path.join(copy, "Cargo.toml")):
        shutil.copytree(source, copy, copy_function=shutil.copyfile)
        for folder, _, _ in os.walk(copy):
            os.chmod(folder, 0o755)
        with open(os.path.join(copy, "Cargo.toml"), "a") as manifest:
            manifest.write("\n[workspace]\n")
    built = subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=copy, capture_output=True, text=True)
    if built.returncode:
        print(built.stderr[-2000:], file=sys.stderr)
        return None
    return os.path.join(copy, "target", "release", "limit")


def measure(command, out):
    with open(out, "wb") as stdout, open(os.path.join(WORK, "messages"), "wb") as stderr:
        started = time.monotonic()
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    return {"wall": time.monotonic() - started, "cpu": used.ru_utime + used.ru_stime, "mib": used.ru_maxrss / 1024, "code": child.returncode}


def found(name, out):
    """Requests, ClientHellos and DNS messages in what a run printed."""
    count = collections.Counter()
    if name.startswith("nephoscope"):
        with open(out, encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                if row["kind"] == "http":
                    count["requests"] += "request" in row
                elif row["kind"] == "tls":
                    count["hellos"] += "client_hello" in row
                elif row["kind"] == "dns":
                    count["dns"] += ("query" in row) + ("response" in row)
                elif row["kind"] == "capture":
                    count["frames"] = row["frames"]
    elif name == "tshark":
        with open(out, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                field = line.rstrip("\n").split("\t")
                if len(field) >= 12:
                    count["requests"] += len(field[5].split(",")) if field[5] else 0
                    count["hellos"] += field[9].split(",").count("1")
                    count["dns"] += bool(field[11])
    return count


def decryption(program, rounds):
    """A session of TLS 1.3 in AES-128-GCM, opened and sealed, on one core; the goal is an absolute one. Gives what went wrong."""
    try:
        import bench_tls
    except ImportError as error:
        missing(f"decryption: {error}")
        return []
    (_, opened, cpu, bodies), (_, sealed, *_) = bench_tls.measure(program, TLS_MIB, rounds)
    print(f"\ndecryption of a body of {TLS_MIB} MiB: {opened:.0f} MB/s of CPU time, {cpu:.2f} s (at least {DECRYPTED} MB/s: "
          f"{'met' if opened >= DECRYPTED else 'NOT met'}); the same session without its secrets: {sealed:.0f} MB/s")
    return [] if bodies == [TLS_MIB << 20] else [f"decryption: bodies are {bodies}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--capture")
    options = parser.parse_args()
    os.makedirs(WORK, exist_ok=True)
    bench = os.environ.get("NEPHOSCOPE_BENCH") or os.path.join(BESIDE, "bench")
    truth = {}
    capture = options.capture
    if not capture:
        capture, truth = make_capture(bench, options.mib)
    if not capture:
        print(f"bench: {bench} has no make_capture.py, so there is no capture to measure with; "
              "NEPHOSCOPE_BENCH names another folder, --capture FILE takes any capture")
        return 1

    program = os.path.abspath(options.program)
    listing = [program, "list", "--format", "jsonl"]
    commands = {
        "nephoscope 1 thread": [*listing, "--threads", "1", capture],
        "nephoscope 2 threads": [*listing, "--threads", "2", capture],
        "table, judged": [program, "list", "--threads", "1", capture],
        "table, not judged": [program, "list", "--threads", "1", "--no-verdicts", capture],
    }
    limit = build_limit(bench)
    if limit:
        commands["limit full"] = [limit, "full", capture]
    else:
        missing("limit (the floor): its source is not there or does not build")
    if shutil.which("tshark"):
        commands["tshark"] = ["tshark", "-n", "-r", capture, *TSHARK]
    else:
        missing("tshark: not installed")
    if options.only:
        commands = {name: command for name, command in commands.items() if any(word in name for word in options.only.split(","))}

    size = os.path.getsize(capture)
    # Into the page cache. In small steps: what this process holds at its peak is the least that a child is seen to hold.
    with open(capture, "rb", buffering=0) as file:
        while file.read(1 << 20):
            pass
    runs = {name: [] for name in commands}
    counts = {}
    for turn in range(options.rounds):
        for name, command in commands.items():
            if turn and runs[name][0]["cpu"] > SLOW:
                continue
            if turn == 0:
                # What was found is counted in a run of its own; the measured ones write into nothing.
                out = os.path.join(WORK, name.replace(" ", "-") + ".out")
                first = measure(command, out)
                counts[name] = found(name, out)
                os.remove(out)
                if first["cpu"] > SLOW:
                    runs[name].append(first)
                    continue
            runs[name].append(measure(command, os.devnull))
    bad = [f"{name}: exit code {run['code']}" for name, all_runs in runs.items() for run in all_runs if run["code"] not in (0, 1)]

    def middle(name, key):
        return statistics.median(run[key] for run in runs[name])

    frames = truth.get("packets") or max((count["frames"] for count in counts.values()), default=0)
    print(f"\n{os.path.basename(capture)}: {size / 2**20:.0f} MiB, {frames} frames, {options.rounds} rounds, {os.cpu_count()} cores")
    if truth:
        print("made of: " + json.dumps(truth))
    print(f"{'':22} {'MB/s':>7} {'kframes/s':>9} {'CPU s':>8} {'wall s':>8} {'peak MiB':>8} {'requests':>9} {'hellos':>8} {'dns':>8}")
    for name in commands:
        wall, cpu = middle(name, "wall"), middle(name, "cpu")
        numbers = counts[name]
        shown = [str(numbers[key]) if numbers else "" for key in ("requests", "hellos", "dns")]
        print(f"{name:22} {size / wall / 1e6:7.0f} {frames / wall / 1e3:9.0f} {cpu:8.2f} {wall:8.2f} {middle(name, 'mib'):8.0f} "
              f"{shown[0]:>9} {shown[1]:>8} {shown[2]:>8}")

    def ratio(what, above, below, key, goal, at_most):
        if above in runs and below in runs and runs[above] and runs[below]:
            value = middle(above, key) / middle(below, key)
            met = value <= goal if at_most else value >= goal
            print(f"  {what}: {value:.2f} ({'at most' if at_most else 'at least'} {goal}: {'met' if met else 'NOT met'})")

    print("\nratios of CPU and wall seconds of this table, with their goals")
    ratio("CPU of a list with verdicts over one without", "table, judged", "table, not judged", "cpu", 1.4, True)
    ratio("CPU, one thread, over the floor", "nephoscope 1 thread", "limit full", "cpu", 4.0, True)
    ratio("CPU of tshark over ours", "tshark", "nephoscope 1 thread", "cpu", 60.0, False)
    ratio("wall of two threads over one", "nephoscope 2 threads", "nephoscope 1 thread", "wall", 0.7, True)
    ours, theirs = counts.get("nephoscope 1 thread"), counts.get("tshark")
    for what in ("requests", "hellos", "dns"):
        if ours and theirs and theirs[what]:
            print(f"  {what} found, over those of tshark: {ours[what] / theirs[what]:.4f}")
    if not options.only or "decryption" in options.only.split(","):
        bad += decryption(program, options.rounds)
    for line in bad:
        print("FAILED " + line)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
