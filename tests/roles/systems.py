# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trees of Debian and Ubuntu for the tests: from the sources that the machine's own apt has, built once and kept.

The packages of another suite come from the machine's own mirror, or from where TYPEONE_DEBIAN_MIRROR or TYPEONE_UBUNTU_MIRROR say.
"""

from __future__ import annotations

import fcntl
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable

SUITE = os.environ.get("TYPEONE_TEST_SUITE", "")
"""The code name of the suite to test on; empty for the machine's own."""

GUARD = 600  # seconds; against hanging for ever, no measure of anything
KEYRINGS = {
    "Debian": "/usr/share/keyrings/debian-archive-keyring.gpg",
    "Ubuntu": "/usr/share/keyrings/ubuntu-archive-keyring.gpg",
}
COMPONENTS = {"Debian": ("main",), "Ubuntu": ("main", "universe")}
SUITES = {"bookworm": "Debian", "trixie": "Debian", "jammy": "Ubuntu", "noble": "Ubuntu"}


def run(*words, check: bool = True, **options) -> str:
    """Run a program to its end and return what it says."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=GUARD, check=False, **options)
    assert not check or done.returncode == 0, f"{words}: {done.stdout}\n{done.stderr}"
    return done.stdout


def sources(suite: str = SUITE) -> list[str]:
    """Lines of a sources.list: those of the machine's own distribution where no suite is named."""
    listing = run("apt-get", "indextargets", "--format", "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)", "Created-By: Packages")
    rows = [row for row in (line.split("|") for line in listing.splitlines()) if row[3] in KEYRINGS]
    own = min((row[1] for row in rows), key=len, default="")
    if suite not in ("", own):
        rows = _another(suite, rows, own)
    assert rows, "apt knows no index: run 'apt-get update'"
    trust = {origin: _trust(origin) for origin in {row[3] for row in rows}}
    return [f"deb [{trust[origin]}] {uri} {release} {component}" for uri, release, component, origin in rows]


def _another(suite: str, rows: list[list[str]], own: str) -> list[list[str]]:
    """The same of a suite that is not the machine's `own`: from the mirror that the environment names, else from the machine's."""
    assert suite in SUITES, f"TYPEONE_TEST_SUITE is {suite!r}: choose one of {', '.join(SUITES)}, or none for the machine's own"
    origin = SUITES[suite]
    variable = f"TYPEONE_{origin.upper()}_MIRROR"
    mirror = os.environ.get(variable)
    if mirror:
        return [[mirror, release, component, origin] for release in (suite, f"{suite}-updates") for component in COMPONENTS[origin]]
    found = [[uri, release.replace(own, suite), component, origin] for uri, release, component, of in rows if of == origin]
    assert found, f"TYPEONE_TEST_SUITE is {suite}, and this machine has no sources of {origin}: set {variable} to the address of a mirror"
    return found


def _trust(origin: str) -> str:
    """The option of a line in sources.list that says which signatures count."""
    keyring = KEYRINGS[origin]
    if pathlib.Path(keyring).exists():
        return f"signed-by={keyring}"
    print(f"== {keyring} is not here: packages of {origin} are taken unsigned, for tests alone", file=sys.stderr)
    return "trusted=yes"


def proxies() -> list[str]:
    """The proxies that the machine's own apt goes through, as options of mmdebstrap."""
    found = []
    for scheme in ("http", "https"):
        proxy = run("apt-config", "shell", "PROXY", f"Acquire::{scheme}::Proxy").strip().removeprefix("PROXY=").strip("'\"")
        found += [f'--aptopt=Acquire::{scheme}::Proxy "{proxy}"'] if proxy else []
    return found


def kept(wanted: pathlib.Path, build: Callable[[pathlib.Path], None]) -> pathlib.Path:
    """A folder that is built once, whoever else wants it at the same time: `build` is given where."""
    wanted.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{wanted}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not wanted.exists():
            print(f"== Building the system {wanted}", file=sys.stderr)
            with tempfile.TemporaryDirectory(dir=wanted.parent) as scratch:
                partial = pathlib.Path(scratch, "system")
                build(partial)
                partial.rename(wanted)
    return wanted


def bootstrap(partial: pathlib.Path, lines: list[str], packages: tuple[str, ...], *options: str) -> None:
    """Unpack a system with packages into a folder, by these lines of a sources.list."""
    listed = partial.with_suffix(".list")
    listed.write_text("\n".join(lines) + "\n", encoding="utf-8")
    suite = min((line.split()[3] for line in lines), key=len)
    run("unshare", "--mount", "--propagation", "private", "mmdebstrap", "--mode=root", "--format=directory", f"--include={','.join(packages)}",
        *proxies(), *options, suite, partial, listed, env={**os.environ, "TMPDIR": str(partial.parent)})
