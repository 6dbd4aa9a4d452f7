# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""A Redfish BMC of our own for tests: serves any recorded tree, changes state for real, refuses what a BMC would refuse.

Usage, with tests/ on sys.path:

    from testbmc import Bmc

    with Bmc("mini", quirks=["hpe_post_in_progress"], power_lag=0.1) as bmc:
        client(bmc.url, bmc.username, bmc.password, ca=bmc.ca_path)     # also bmc.host, bmc.port, bmc.fingerprint
        bmc.faults.add("status", method="POST", path="Reset$", times=2, status=503, retry_after=1)
        ...
        assert bmc.get(bmc.system)["PowerState"] == "On"
        assert bmc.counters.logins == 1 and not bmc.sessions.open() and not bmc.counters.duplicates

Trees: `names()` lists them, `mini` (made in code, off, complete) first; archives are looked for in $TYPEONE_REDFISH_TREES or
../shared/redfish-trees beside the project. Options (all by name, all may be changed while it runs as bmc.options.x): bmc.Options.

What a test looks at
    bmc.get(path), bmc.set(path, {...})    a resource now; change it behind the client's back
    bmc.systems, .system, .manager         paths; bmc.of_kind("Drive")
    bmc.counters                           connections, handshakes, logins, logouts, basic_requests, max_connections, max_requests,
                                           gets {path: n}, duplicates, requests, writes [(method, path, body)],
                                           effective_writes() (without logging in and out), faults, reset(), summary()
    bmc.sessions.open()                    sessions left
    bmc.power.boots / resets               each start with target, mode, HTTP URI and media; each accepted reset
    bmc.power.state(path)                  PowerState
    bmc.bios.pending / applied             BIOS values waiting, and those taken over by a start
    bmc.tasks.all                          tasks; bmc.firmware.uploads / pulls; bmc.firmware.plan decides what an update does
    bmc.clock.advance(seconds)             let time pass at once (power_lag, tasks, sessions' expiry)
    bmc.server.problems                    exceptions inside the test BMC itself: must be []
    bmc.restart(seconds)                   the BMC goes away and comes back without its sessions
Faults: bmc.faults.add(kind, method=, path=regex, match=, times=, skip=, ...); kinds in faults.KINDS.
Quirks: names in quirks.QUIRKS, each the habit of a real BMC; parameters as ("name", {"parameter": value}).
As a program: python -m testbmc --tree NAME --port N prints its URL as JSON; `stats` on its standard input prints the counters.
"""

from __future__ import annotations

from .bmc import Bmc, Options
from .certs import ca_path
from .firmware import Plan
from .trees import load, names, recorded

__all__ = ["Bmc", "Options", "Plan", "ca_path", "load", "names", "recorded"]
