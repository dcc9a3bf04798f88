#!/usr/bin/env python3
"""Writes roots.pem: the roots that Mozilla's list had at several dates, each root once.

usage: build.py FOLDER    FOLDER holds the archives named in RELEASES, as `pip download --no-deps certifi==VERSION` brings them

Each release of certifi carries the list of its day (MPL-2.0, from Mozilla's certdata.txt). A later list is added by its
version and date below. Only the standard library is used; the output is the same for the same archives.
"""
import base64, hashlib, io, os, re, sys, tarfile, zipfile

# Version, and the date of its list: "as of" in the file where it says so, else the date of the release.
RELEASES = [
    ("0.0.4", "2011-11-03"), ("0.0.8", "2012-01-18"), ("1.0.1", "2014-03-10"), ("14.5.14", "2014-05-14"),
    ("2015.4.28", "2015-04-28"), ("2015.11.20.1", "2015-11-20"), ("2016.9.26", "2016-09-26"), ("2017.11.5", "2017-11-05"),
    ("2018.11.29", "2018-11-29"), ("2019.11.28", "2019-11-28"), ("2020.12.5", "2020-12-05"), ("2021.10.8", "2021-10-08"),
    ("2022.12.7", "2022-12-07"), ("2023.11.17", "2023-11-17"), ("2024.12.14", "2024-12-14"), ("2025.11.12", "2025-11-12"),
    ("2026.10.18", "2026-10-18"),
]
HERE = os.path.dirname(os.path.abspath(__file__))
HEAD = """\
# The roots that Mozilla's list had at the dates below, each once, with the lists that it stands in.
# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy of the MPL was not
# distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.
# Made by build.py from the releases of certifi (MPL-2.0), which take it from Mozilla's certdata.txt.
"""


def bundle(folder, version):
    """The text of cacert.pem in the archive of that version."""
    for root, _, files in os.walk(folder):
        for name in sorted(files):
            # Some archives write the month with two digits: 14.05.14.
            found = re.match(r"certifi-([0-9.]+?)(-py|\.tar)", name)
            if not found or [int(n) for n in found[1].split(".")] != [int(n) for n in version.split(".")]:
                continue
            path = os.path.join(root, name)
            if name.endswith(".whl"):
                with zipfile.ZipFile(path) as archive:
                    return archive.read("certifi/cacert.pem").decode()
            with tarfile.open(path) as archive:
                member = next(m for m in archive.getmembers() if m.name.endswith("certifi/cacert.pem"))
                return io.TextIOWrapper(archive.extractfile(member)).read()
    sys.exit(f"no archive of certifi {version} in {folder}")


def main(folder):
    roots = {}
    for number, (version, _) in enumerate(RELEASES):
        text = bundle(folder, version)
        for body in re.findall(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", text, re.S):
            der = base64.b64decode("".join(body.split()))
            roots.setdefault(hashlib.sha256(der).digest(), (der, []))[1].append(number)
    with open(os.path.join(HERE, "roots.pem"), "w", encoding="ascii", newline="\n") as out:
        out.write(HEAD)
        out.write("lists " + " ".join(date for _, date in RELEASES) + "\n")
        for digest in sorted(roots, key=lambda d: (roots[d][1], d)):
            der, lists = roots[digest]
            text = base64.b64encode(der).decode()
            out.write("in " + " ".join(str(n) for n in sorted(set(lists))) + "\n")
            out.write("-----BEGIN CERTIFICATE-----\n")
            out.writelines(text[at:at + 64] + "\n" for at in range(0, len(text), 64))
            out.write("-----END CERTIFICATE-----\n")
    print(f"{len(roots)} roots in {len(RELEASES)} lists")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
