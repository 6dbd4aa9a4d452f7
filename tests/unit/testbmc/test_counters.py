# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the test BMC counts is what happened: connections, logins, reads by path, writes, sessions left."""

from __future__ import annotations

import json
import pathlib
import socket
import ssl
import subprocess
import sys
import threading

import pytest

from testbmc import certs
from testbmc.fleet import FleetProcess

SYSTEM = "/redfish/v1/Systems/1"
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"


def test_requests_are_counted(start, plain):
    """By path, with and without a trailing slash; logging in and out is no effective write."""
    bmc, client = start()
    client("GET", SYSTEM)
    client("GET", SYSTEM + "/")
    client("GET", "/redfish/v1/Chassis")
    client("PATCH", SYSTEM, {"AssetTag": "x"})
    client("POST", RESET, {"ResetType": "Sideways"})
    assert bmc.counters.gets == {SYSTEM: 2, "/redfish/v1/Chassis": 1} and bmc.counters.duplicates == {SYSTEM: 2}
    assert bmc.counters.effective_writes() == [("PATCH", SYSTEM, {"AssetTag": "x"}), ("POST", RESET, {"ResetType": "Sideways"})]
    assert bmc.counters.logins == 1 and bmc.counters.statuses == {200: 4, 201: 1, 400: 1}
    other = plain(bmc)
    assert bmc.counters.connections == bmc.counters.max_connections == 2 and len(bmc.sessions.open()) == 2
    other("DELETE", other.session)
    other.close()
    assert len(bmc.sessions.open()) == 1 and bmc.counters.logouts == 1
    summary = bmc.counters.summary()
    assert (summary["requests"], summary["writes"], summary["duplicate_gets"]) == (8, 5, 1)
    bmc.counters.reset()
    assert not bmc.counters.requests and not bmc.counters.gets and bmc.counters.connections == 0


def test_tls_handshakes_and_what_fails_of_them(start, plain):
    """A client that does not trust the certificate is counted, and has sent nothing."""
    bmc, client = start(tls=True)
    assert client("GET", SYSTEM).status == 200 and bmc.counters.handshakes == 1
    assert len(bmc.fingerprint) == 64 and bmc.ca_path == certs.ca_path()
    stranger = ssl.create_default_context()
    with socket.create_connection((bmc.host, bmc.port), timeout=5) as sock, pytest.raises(ssl.SSLCertVerificationError):
        stranger.wrap_socket(sock, server_hostname=bmc.host)
    plain(bmc, login=False)("GET", "/redfish/v1")
    assert bmc.counters.handshakes == 2 and bmc.counters.connections == 3


def test_requests_at_a_time(start, plain):
    """The most that were served side by side."""
    bmc, _client = start()
    clients = [plain(bmc) for _unused in range(3)]
    bmc.counters.reset()
    bmc.faults.add("latency", path=SYSTEM, times=None, seconds=0.1)
    threads = [threading.Thread(target=client, args=("GET", SYSTEM)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bmc.counters.max_requests == 3 and bmc.counters.gets[SYSTEM] == 3


def test_as_a_program():
    """It prints its address and its counters, and ends with its standard input."""
    done = subprocess.run([sys.executable, "-m", "testbmc", "--plain", "--quirk", "any_null_links", "--option", "latency=0.01"], input="stats\nreset\n",
                          capture_output=True, text=True, timeout=30, check=True, cwd=str(pathlib.Path(certs.__file__).parents[1]))
    first, stats, empty = map(json.loads, done.stdout.splitlines())
    assert first["url"] == f"http://127.0.0.1:{first['port']}" and first["tree"] == "mini"
    assert stats["requests"] == 0 and stats["sessions_open"] == 0 and empty == {}


def test_a_fleet(plain, monkeypatch):
    """Many BMCs behind one port: each has its own state, dead ones do not answer, what is done is counted."""
    with FleetProcess(count=40, dead=0.05, slow=0.05, slow_seconds=0.1) as fleet:
        assert len(fleet.addresses) == 40 and [entry["kind"] for entry in fleet.expected.values()].count("dead") == 2

        class One:
            """What the client asks of a BMC."""
            tls, host, port, username, password = True, "", fleet.port, fleet.username, fleet.password

            class sessions:  # pylint: disable=invalid-name
                """Where to log in."""
                collection = "/redfish/v1/SessionService/Sessions"

        monkeypatch.setattr(certs, "ca_path", lambda: fleet.ca_path)
        for address in fleet.addresses[:4] + [name for name, entry in fleet.expected.items() if entry["kind"] == "slow"]:
            One.host = address
            client, wanted = plain(One), fleet.expected[address]
            system = client("GET", SYSTEM).json
            assert (system["PowerState"], system["SerialNumber"], system["Status"]["Health"]) == (wanted["power"], wanted["serial"], wanted["health"])
            assert client("PATCH", SYSTEM, {"AssetTag": "x"}).status == 405 and client.login(password="wrong").status == 401
            assert client("DELETE", client.session).status == 204 and client("GET", SYSTEM).status == 401
            client.close()
        One.host = next(name for name, entry in fleet.expected.items() if entry["kind"] == "dead")
        with pytest.raises(TimeoutError):
            plain(One, timeout=0.2)
        stats = fleet.stats()
        assert stats["logins"] == stats["logouts"] == 6 and stats["sessions_open"] == 0 and stats["writes"] == 6 and stats["failed_logins"] == 6
