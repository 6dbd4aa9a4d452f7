# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bmc_console: over IPMI it reads, types and keeps; over Redfish it says what to use instead."""

from __future__ import annotations

import stat

import pytest
from running import run
from running_ipmi import over_ipmi

from ansible_collections.typeone.metal.plugins.module_utils._resources.console import ConsoleResource

BOOT = b"\x1b[2J\x1b[1;32mGRUB\x1b[0m loading\r\n[    0.1] kernel\r\n 10%\r 50%\r100%\r\nnode7 login: "


def console(bmc, **params):
    """Run bmc_console."""
    return over_ipmi(ConsoleResource, bmc, **{"read_timeout": 5, **params})


def test_reads_to_a_pattern_and_keeps_it(ipmi_bmc, tmp_path):
    """The file holds every byte, for its owner alone; the console and the session are given back."""
    bmc, path = ipmi_bmc(), tmp_path / "console.log"
    bmc.console.say(BOOT)
    result = console(bmc, until=r"^\S+ login: $", path=str(path))
    assert result["changed"] and result["verified"] and result["console"]["matched"] == "node7 login: ", result
    assert path.read_bytes() == BOOT and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert result["console"]["last_lines"] == ["GRUB loading", "[    0.1] kernel", "100%", "node7 login:"]
    assert result["console"]["bytes"] == len(BOOT) and bmc.console.activations == bmc.console.deactivations == 1
    assert not bmc.server.open_sessions()


def test_appends(ipmi_bmc, tmp_path):
    """What the file holds is kept where asked, else replaced."""
    bmc, path = ipmi_bmc(), tmp_path / "console.log"
    for append in (False, True, False):
        bmc.console.say(b"ready")
        console(bmc, until="ready", path=str(path), append=append)
    assert path.read_bytes() == b"ready"


def test_types_first(ipmi_bmc):
    """The answer to it is what is read."""
    bmc = ipmi_bmc()
    bmc.console.on_typed = lambda data: bmc.console.say(b"Password: ")
    assert console(bmc, send="root\r", until="Password:")["console"]["matched"] == "Password:"
    assert bmc.console.typed == b"root\r"


def test_a_pattern_that_does_not_come(ipmi_bmc, tmp_path):
    """It is a failure that shows the last line, and what was read is kept; or it is told, where asked."""
    bmc, path = ipmi_bmc(), tmp_path / "console.log"
    bmc.console.say(b"Kernel panic\r\n")
    failed = console(bmc, until="login:", path=str(path), read_timeout=1)
    assert failed["failed"] and failed["error"] == {"kind": "timeout", "last_seen": ["Kernel panic"]}
    assert "Kernel panic" in failed["msg"] and path.read_bytes() == b"Kernel panic\r\n" and bmc.console.holder is None
    told = console(bmc, until="login:", read_timeout=1, on_timeout="continue")
    assert not told.get("failed") and told["verified"] is False and told["console"]["matched"] is None


def test_without_a_pattern_all_of_the_time_is_read(ipmi_bmc):
    """Nothing is proven by it."""
    bmc = ipmi_bmc()
    bmc.console.say(b"hello")
    result = console(bmc, send="\r", read_timeout=1)
    assert result["verified"] is None and result["console"]["last_lines"] == ["hello"]


def test_check_mode_takes_nothing(ipmi_bmc, tmp_path):
    """No console, no file, nothing typed."""
    bmc, path = ipmi_bmc(), tmp_path / "console.log"
    result = over_ipmi(ConsoleResource, bmc, check_mode=True, until="x", send="y", path=str(path))
    assert result["changed"] and not bmc.console.activations and not bmc.writes() and not path.exists()


def test_a_console_that_is_taken(ipmi_bmc):
    """The error says so."""
    result = console(ipmi_bmc(console={"refuse": 0x80}), until="x")
    assert result["failed"] and result["error"]["kind"] == "rejected" and "holds the console" in result["msg"]


@pytest.mark.parametrize("params, word", [({"until": "("}, "until"), ({"until": "x", "read_timeout": 0}, "read_timeout"),
                                          ({"path": "/nowhere/at/all"}, "path")])
def test_what_cannot_be(ipmi_bmc, params, word):
    """It is told before the console is taken."""
    bmc = ipmi_bmc()
    result = console(bmc, **params)
    assert result["failed"] and result["error"]["kind"] == "invalid_input" and word in result["msg"] and not bmc.console.activations


def test_redfish_has_no_console(test_bmc, tmp_path):
    """The alternatives are named, and nothing is sent or written."""
    bmc, path = test_bmc(), tmp_path / "console.log"
    result = run(ConsoleResource, bmc, path=str(path))
    assert result["failed"] and result["error"]["kind"] == "unsupported" and "bmc_protocol: ipmi" in result["msg"] and "SSH" in result["msg"]
    assert not bmc.counters.effective_writes() and not path.exists() and not bmc.sessions.open()
