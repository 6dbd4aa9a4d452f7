# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""python -m testbmc: one test BMC as a program. Prints its URL as JSON; `stats` on standard input prints the counters; ends with it."""

from __future__ import annotations

import argparse
import json
import sys

from . import Bmc, names
from .quirks import QUIRKS


def _say(data: dict) -> None:
    sys.stdout.write(json.dumps(data) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Parse, serve, answer."""
    parser = argparse.ArgumentParser(prog="testbmc", description="A Redfish BMC for tests.")
    parser.add_argument("--tree", default="mini", help=f"one of {', '.join(names())}")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--plain", action="store_true", help="HTTP without TLS")
    parser.add_argument("--quirk", action="append", default=[], choices=sorted(QUIRKS), metavar="NAME")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=JSON", help="a field of testbmc.Options, for instance latency=0.05")
    given = parser.parse_args()
    options = {name: json.loads(value) for name, _sep, value in (item.partition("=") for item in given.option)}
    with Bmc(given.tree, host=given.host, port=given.port, tls=not given.plain, quirks=given.quirk, **options) as bmc:
        _say({"url": bmc.url, "port": bmc.port, "username": bmc.username, "password": bmc.password, "ca_path": bmc.ca_path,
              "fingerprint": bmc.fingerprint, "tree": bmc.tree.name})
        for line in sys.stdin:
            if line.strip() == "stats":
                _say({**bmc.counters.summary(), "sessions_open": len(bmc.sessions.open()), "problems": len(bmc.server.problems)})
            elif line.strip() == "reset":
                bmc.counters.reset()
                _say({})


if __name__ == "__main__":
    main()
