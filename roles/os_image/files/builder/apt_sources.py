# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Print the apt sources of this machine that belong to one Debian release, one line each, as JSON.

Argument: the release's code name. Reads only. Handles both formats of sources.list(5): one-line and deb822.
Sources of other vendors are left out: an image must not carry whatever the builder happens to use.
"""
from __future__ import annotations

import json
import pathlib
import re
import sys
import typing as t

OFFICIAL = ("", "-updates", "-security", "/updates", "-proposed-updates", "-backports")
COMPONENTS = ("main", "contrib", "non-free", "non-free-firmware", "universe", "multiverse", "restricted")


def from_lines(text: str) -> t.Iterator[tuple[str, str, str, list[str]]]:
    """Yield (options, URI, suite, components) of each ``deb`` line of the one-line format."""
    for line in text.splitlines():
        found = re.match(r"deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)", line.strip())
        if found:
            yield found[1] or "", found[2], found[3], found[4].split()


def from_stanzas(text: str) -> t.Iterator[tuple[str, str, str, list[str]]]:
    """Yield the same of each stanza of the deb822 format that is enabled and offers binary packages."""
    plain = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n\s*\n", plain):
        fields = {name.lower(): " ".join(value.split())
                  for name, value in re.findall(r"^([\w-]+):(.*(?:\n[ \t].*)*)", stanza, re.MULTILINE)}
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in ("no", "false"):
            continue
        signed = fields.get("signed-by", "")
        options = f"signed-by={signed}" if signed.startswith("/") and " " not in signed else ""
        if fields.get("trusted", "").lower() == "yes":
            options = (options + " trusted=yes").strip()
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield options, uri, suite, fields.get("components", "").split()


def belongs(release: str, suite: str, components: list[str]) -> bool:
    """Whether a source is the release's own, of the distribution's own components."""
    return suite in {release + end for end in OFFICIAL} and bool(components) and set(components) <= set(COMPONENTS)


def find(folder: pathlib.Path, release: str) -> list[str]:
    """The sources below ``folder`` (usually /etc/apt), in apt's order, none twice."""
    paths = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    lines: list[str] = []
    for path in paths:
        if not path.is_file() or path.suffix not in (".list", ".sources"):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        for options, uri, suite, components in (from_stanzas if path.suffix == ".sources" else from_lines)(text):
            if belongs(release, suite, components):
                brackets = f"[{options}] " if options else ""
                lines.append(f"deb {brackets}{uri} {suite} {' '.join(components)}")
    return list(dict.fromkeys(lines))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(find(pathlib.Path("/etc/apt"), sys.argv[1])) + "\n")
