# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The console over IPMI: Serial over LAN, read until a pattern or a deadline."""

from __future__ import annotations

import socket
import threading

import pytest
from ipmi.programs import IpmiSim
from ipmi.records import full_sensor
from running_ipmi import driver, over_ipmi

from ansible_collections.typeone.metal.plugins.module_utils._bmc.errors import BmcError, Unreachable, WriteInCheckMode
from ansible_collections.typeone.metal.plugins.module_utils._bmc.interface import Console
from ansible_collections.typeone.metal.plugins.module_utils._domain.deadline import Deadline
from ansible_collections.typeone.metal.plugins.module_utils._ipmi import console as ipmi_console
from ansible_collections.typeone.metal.plugins.module_utils._resources.console import ConsoleResource


def read(bmc, pattern, *, seconds=5.0, send=None, **options):
    """Read the console; return whether the pattern came, and what was read."""
    pieces = []
    with driver(bmc, **options) as ipmi:
        found = ipmi.get(Console).read_until(accept=lambda text: pattern in text, deadline=Deadline(seconds),
                                             write=pieces.append, send=send)
    return found, b"".join(pieces)


def test_reads_until_a_pattern(ipmi_bmc):
    """Everything up to it is written, in order; the console and the session are given back."""
    bmc = ipmi_bmc()
    text = "".join(f"[ {number:3}.0] line {number} of the boot ÄÖ\r\n" for number in range(60)).encode() + b"node login: "
    bmc.console.say(text)
    assert read(bmc, "login:") == (True, text)
    assert bmc.console.activations == bmc.console.deactivations == 1 and not bmc.server.sessions


def test_a_deadline(ipmi_bmc):
    """What came until then is written."""
    bmc = ipmi_bmc()
    bmc.console.say(b"still booting")
    assert read(bmc, "login:", seconds=0.5) == (False, b"still booting")
    assert bmc.console.deactivations == 1 and not bmc.server.sessions


@pytest.mark.parametrize("lose", [0, 1])
def test_types(ipmi_bmc, lose, monkeypatch):
    """What is typed arrives once, whole, also where a packet is lost on its way; the answer is read."""
    monkeypatch.setattr(ipmi_console, "RESEND", 0.2)
    bmc = ipmi_bmc(console={"lose": lose})
    typed = "root\r" + "x" * 150 + "\r"

    def answer(unused):
        if bmc.console.typed == typed.encode():
            bmc.console.say(b"Password: ")

    bmc.console.on_typed = answer
    assert read(bmc, "Password:", send=typed) == (True, b"Password: ")
    assert bmc.console.typed == typed.encode()


def test_packets_that_come_again(ipmi_bmc):
    """A packet that is repeated, or repeated with more in it, is written once."""
    bmc = ipmi_bmc()
    first = bmc.console.send

    def twice(session, payload):
        first(session, payload)
        if payload[0] and len(payload) > 4:
            first(session, payload)

    bmc.console.send = twice
    bmc.console.say(b"one two three " * 20 + b"end")
    assert read(bmc, "end") == (True, b"one two three " * 20 + b"end")


@pytest.mark.parametrize("code, word", [(0x80, "another session"), (0x81, "switched off"), (0x82, "as many sessions"),
                                        (0x83, "without encryption")])
def test_a_console_that_is_not_to_be_had(ipmi_bmc, code, word):
    """The error says why; nobody else's session is ended."""
    bmc = ipmi_bmc(console={"refuse": code})
    with pytest.raises(BmcError, match=word) as refused:
        read(bmc, "login:")
    assert refused.value.remedy and not bmc.console.deactivations and not bmc.server.sessions


def test_another_port(ipmi_bmc):
    """Some BMCs give the console on a port of its own: that is told."""
    bmc = ipmi_bmc()
    bmc.console.port = 7777
    with pytest.raises(BmcError, match="7777"):
        read(bmc, "login:")
    assert bmc.console.deactivations == 1


def test_a_console_that_the_bmc_ends(ipmi_bmc):
    """It ends with an error at once, not at the deadline."""
    bmc = ipmi_bmc()
    timer = threading.Timer(0.3, bmc.console.kick)
    timer.start()
    with pytest.raises(Unreachable, match="ended the console"):
        read(bmc, "login:", seconds=30)
    timer.join()
    assert not bmc.server.sessions


def test_check_mode_takes_no_console(ipmi_bmc):
    """Taking it is a write."""
    bmc = ipmi_bmc()
    with pytest.raises(WriteInCheckMode):
        read(bmc, "login:", check_mode=True)
    assert not bmc.console.activations and not bmc.writes()


def test_the_module(ipmi_bmc, tmp_path):
    """bmc_console over IPMI: nothing is taken in check mode; else the console is in the file, and given back."""
    bmc = ipmi_bmc()
    bmc.console.say(b"[    1.0] booting\r\nnode login: ")
    asked = {"until": "login:", "path": str(tmp_path / "console.log"), "read_timeout": 5}
    checked = over_ipmi(ConsoleResource, bmc, check_mode=True, **asked)
    assert checked["changed"] and not bmc.writes() and not (tmp_path / "console.log").exists()
    result = over_ipmi(ConsoleResource, bmc, **asked)
    assert result["verified"] and result["console"]["matched"] == "login:", result
    assert (tmp_path / "console.log").read_bytes() == b"[    1.0] booting\r\nnode login: "
    assert bmc.console.activations == bmc.console.deactivations == 1 and not bmc.server.sessions


def test_the_simulators_console(tmp_path):
    """OpenIPMI's simulator connects the console to a serial line: both ways work."""
    with socket.create_server(("127.0.0.1", 0)) as line:
        line.settimeout(20)
        simulator = IpmiSim(tmp_path, sdr=full_sensor(1, "CPU1 Temp"), console=line.getsockname()[1]).start()
        heard = []

        def system():
            with line.accept()[0] as port:
                port.settimeout(20)
                while b"\r" not in b"".join(heard):
                    heard.append(port.recv(100))
                port.sendall(b"Welcome to the system\r\nlogin: ")
                port.recv(100)

        thread = threading.Thread(target=system, daemon=True)
        thread.start()
        try:
            found, text = read(simulator, "login:", send="\r", seconds=20)
            assert found and b"Welcome to the system\r\nlogin: " in text and b"".join(heard) == b"\r"
            assert read(simulator, "login:", seconds=0.5)[0] is False
        finally:
            simulator.stop()
            thread.join(5)
