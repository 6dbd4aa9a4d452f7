# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""The way to Debian packages: the machine's own apt sources, through a cache outside and a relay inside the lab."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import socket
import sys
import typing as t

import procs
from common import Lab, LabError, run

KEYRINGS = {
    "Debian": "/usr/share/keyrings/debian-archive-keyring.gpg",
    "Ubuntu": "/usr/share/keyrings/ubuntu-archive-keyring.gpg",
}
FORMAT = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)"


def parse_sources(listing: str) -> list[str]:
    """Turn the listing of `apt-get indextargets` into source lines; https goes through the cache as well.

    Only the distribution's own archives are taken (by their Origin), so that a lab does not depend on whatever else
    the machine is fed from.
    """
    found: dict[tuple[str, str, str], list[str]] = {}
    for line in listing.splitlines():
        uri, release, component, origin = (line.split("|") + ["", "", ""])[:4]
        if origin in KEYRINGS and re.match(r"https?://", uri):
            components = found.setdefault((uri, release, origin), [])
            if component and component not in components:
                components.append(component)
    lines = []
    for (uri, release, origin), components in found.items():
        through = re.sub(r"^https://", "http://HTTPS///", uri)
        lines.append(f"deb [signed-by={KEYRINGS[origin]}] {through} {release} {' '.join(components)}".rstrip())
    return lines


def sources() -> list[str]:
    """The machine's own package sources, as lines of a sources.list."""
    lines = parse_sources(run(["apt-get", "indextargets", "--format", FORMAT, "Created-By: Packages"]))
    if not lines:
        raise LabError("Cannot find the machine's own package sources: apt knows no index. Run 'apt-get update'.")
    return lines


def _upstream() -> dict[str, str]:
    """The proxies that the machine's own apt goes through, if any, as environment variables."""
    found = {}
    for scheme in ("http", "https"):
        said = run(["apt-config", "shell", "PROXY", f"Acquire::{scheme}::Proxy"]).strip()
        proxy = said.removeprefix("PROXY=").strip("'\"") or os.environ.get(f"{scheme}_proxy", "")
        if proxy and proxy != "DIRECT":
            found[f"{scheme}_proxy"] = proxy
    return found


def _listens(path: pathlib.Path) -> bool:
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as probe, contextlib.suppress(OSError):
        probe.connect(str(path))
        return True
    return False


def up(lab: Lab) -> None:
    """Run the package cache outside the lab's network and a relay to it inside."""
    path = lab.run / "apt.sock"
    program = pathlib.Path(__file__).with_name("package_cache.py")
    procs.ensure(
        lab,
        procs.Daemon(
            "package-cache",
            [sys.executable, str(program), str(path), str(lab.cache / "packages")],
            lambda: _listens(path),
            stamp_of=(program,),
            environment=_upstream(),
        ),
    )
    listen = "TCP-LISTEN:3142,bind=192.0.2.1,reuseaddr,fork"
    probe = [*lab.enter, "socat", "-u", "OPEN:/dev/null", "TCP:192.0.2.1:3142"]
    procs.ensure(
        lab,
        procs.Daemon(
            "apt-relay",
            [*lab.enter, "socat", listen, f"UNIX-CONNECT:{path}"],
            lambda: _succeeds(probe),
        ),
    )


def _succeeds(command: t.Sequence[str]) -> bool:
    with contextlib.suppress(LabError):
        run(command)
        return True
    return False
