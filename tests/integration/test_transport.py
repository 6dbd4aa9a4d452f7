# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the way to a Redfish BMC promises, counted at the BMC: no write in check mode, one login, deadlines, retries of what is
safe alone. Whom it trusts stands in test_transport_trust."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from running import driver, run

from ansible_collections.typeone.metal.plugins.module_utils._bmc.errors import (
    AnswerLost, BmcError, Rejected, WriteInCheckMode,
)
from ansible_collections.typeone.metal.plugins.module_utils._resources.boot_device import BootDeviceResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.power import PowerResource

SYSTEM = "/redfish/v1/Systems/1"
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"


# Check mode


@pytest.mark.parametrize("verb", ["POST", "PATCH", "PUT", "DELETE", "OPTIONS"])
def test_check_mode_refuses_every_verb_but_reads(test_bmc, verb):
    """Whatever a module does: nothing but GET, HEAD and the session's own requests reaches the BMC."""
    bmc = test_bmc()
    with driver(bmc, check_mode=True) as redfish:
        with pytest.raises(WriteInCheckMode):
            redfish.client.write(verb, SYSTEM, {"AssetTag": "x"})
        assert redfish.client.read(SYSTEM)["Id"] == "1"
    assert not bmc.counters.effective_writes() and bmc.counters.logins == 1 and not bmc.sessions.open()


# One login, one connection, no session left


class Breaks(PowerResource):
    """Fails with an exception that nobody expects."""

    def read(self):
        super().read()
        raise RuntimeError("a defect")


@pytest.mark.parametrize("resource, params", [
    (PowerResource, {"state": "powered_on"}),
    (PowerResource, {"state": "powered_off"}),
    (PowerResource, {"state": "powered_on", "check_mode": True}),
    (PowerResource, {"state": "powered_on", "bmc_system": "no-such-system"}),
    (BootDeviceResource, {"device": "pxe"}),
    (BootDeviceResource, {"device": "sd_card"}),
])
def test_one_login_one_connection_no_session(test_bmc, resource, params):
    """Where it works, where there is nothing to do, and where it fails."""
    bmc = test_bmc()
    run(resource, bmc, **params)
    assert (bmc.counters.logins, bmc.counters.connections, bmc.counters.logouts) == (1, 1, 1) and not bmc.sessions.open()


def test_no_session_after_an_unexpected_exception(test_bmc):
    """It is raised on, after the logout."""
    bmc = test_bmc()
    with pytest.raises(RuntimeError):
        run(Breaks, bmc, state="powered_on")
    assert bmc.counters.logins == 1 and not bmc.sessions.open()


@pytest.mark.parametrize("method, kind", [("GET", "reset_before"), ("GET", "truncated"), ("POST", "reset_after"), ("DELETE", "reset_before"),
                                          ("GET", "close"), ("GET", "malformed")])
def test_no_session_after_a_dropped_connection(test_bmc, method, kind):
    """Whichever request it is that breaks off."""
    bmc = test_bmc()
    bmc.faults.add(kind, method=method, match=lambda request: request.path != bmc.sessions.collection and request.path != "/redfish/v1")
    run(PowerResource, bmc, state="powered_on")
    assert bmc.counters.logins == 1 and len(bmc.counters.faults) == 1 and not bmc.sessions.open()


@pytest.mark.parametrize("when", ["it waits", "it logs in"])
def test_no_session_after_sigterm(test_bmc, when):
    """A task that is ended deletes its session on the way out, also one that was just being opened."""
    bmc = test_bmc(power_lag=60)
    asked = threading.Event()
    if when == "it logs in":
        bmc.faults.add("latency", method="POST", path="Sessions$", seconds=0.5, match=lambda request: not asked.set())
    code = ("import json, sys\nfrom types import SimpleNamespace\nfrom running import run\n"
            "from ansible_collections.typeone.metal.plugins.module_utils._resources.power import PowerResource\n"
            "run(PowerResource, SimpleNamespace(**json.load(sys.stdin)), state='powered_on')\n")
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env={**os.environ, "PYTHONPATH": ":".join(sys.path)}) as task:
        task.stdin.write(json.dumps({"url": bmc.url, "username": bmc.username, "password": bmc.password, "ca_path": bmc.ca_path}))
        task.stdin.close()
        _until(lambda: asked.is_set() or bmc.power.resets or task.poll() is not None)
        assert asked.is_set() or bmc.power.resets, task.stdout.read()
        task.send_signal(signal.SIGTERM)
        try:
            assert task.wait(60) == 128 + signal.SIGTERM, task.stdout.read()
        finally:
            task.kill()
    assert bmc.counters.logins == 1 and not bmc.sessions.open()
    assert bool(bmc.power.resets) is (when == "it waits")


def test_a_connection_that_an_interrupted_request_took_away_is_not_waited_for(test_bmc):
    """An exception in the midst of a request keeps its connection from the pool; the logout goes on over a new one."""
    bmc = test_bmc()
    with driver(bmc) as opened:
        taken = opened.connector._pool._get_conn()
        _close_within(30, opened)
    taken.close()
    assert not bmc.sessions.open()


def _close_within(seconds, opened) -> None:
    """Log out in a thread, which must come to its end."""
    closing = threading.Thread(target=opened.close, daemon=True)
    closing.start()
    closing.join(seconds)
    assert not closing.is_alive()


def test_no_session_after_an_interrupted_playbook(test_bmc, tmp_path):
    """Control-C while an action waits: the worker, which is sent SIGINT and then SIGTERM, logs out before it ends."""
    bmc = test_bmc(power_lag=60)
    (tmp_path / "hosts.json").write_text(json.dumps({"all": {"hosts": {"node": {
        "bmc_address": bmc.url, "bmc_username": bmc.username, "bmc_password": bmc.password, "ca_path": bmc.ca_path}}}}))
    (tmp_path / "play.json").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [{"typeone.metal.bmc_power": {
        "state": "powered_on"}}]}]))
    with subprocess.Popen([str(pathlib.Path(sys.executable).parent / "ansible-playbook"), "-i", str(tmp_path / "hosts.json"), str(tmp_path / "play.json")],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True) as playbook:
        _until(lambda: bmc.power.resets or playbook.poll() is not None)
        assert bmc.power.resets, playbook.stdout.read()
        os.killpg(playbook.pid, signal.SIGINT)
        playbook.communicate(timeout=30)
    _until(lambda: not bmc.sessions.open())
    assert bmc.counters.logins == 1 and not bmc.sessions.open()


def _until(done, seconds=30):
    """Wait until done() or so long."""
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(0.02)


def test_a_session_that_expires_is_renewed_once(test_bmc):
    """The request is sent again with the new token; nothing is left over."""
    bmc = test_bmc()
    bmc.faults.add("session_expired", method="POST", path="Reset$")
    result = run(PowerResource, bmc, state="powered_on")
    assert result["verified"] and bmc.counters.logins == 2 and len(bmc.power.resets) == 1 and not bmc.sessions.open()
    bmc.faults.add("unauthorized", path="Systems/1$", times=None)
    result = run(PowerResource, bmc, state="powered_off")
    assert result["error"]["kind"] == "authentication_failed" and bmc.counters.logins == 4 and not bmc.sessions.open()


@pytest.mark.parametrize("options", [{"sessions": False}, {"session_cap": 0}])
def test_without_sessions_basic_authentication_is_used_and_told(test_bmc, naps, options):
    """In the result's warnings; bmc_auth: session makes it an error."""
    bmc = test_bmc(**options)
    result = run(PowerResource, bmc, state="powered_on")
    assert result["verified"] and "Basic authentication is used" in result["warnings"][0] and bmc.counters.basic_requests
    assert run(PowerResource, bmc, state="powered_off", bmc_auth="session").get("failed")
    bmc.counters.reset()
    assert "warnings" not in run(PowerResource, bmc, state="powered_on", bmc_auth="basic") and not bmc.counters.logins
    assert sum(naps) < 60


@pytest.mark.parametrize("name", ["mini", "dell-r750-idrac9_6.00", "hpe-dl360gen10plus-ilo5_3.11", "lenovo-sr670v2-xcc_1.40"])
def test_nothing_is_read_twice(test_bmc, name):
    """Reading and planning take each resource once."""
    bmc = test_bmc(name)
    for resource, params in ((PowerResource, {"state": "power_cycled"}), (BootDeviceResource, {"device": "pxe"})):
        bmc.counters.reset()
        result = run(resource, bmc, check_mode=True, **params)
        assert not bmc.counters.duplicates and bmc.counters.connections == 1 and not result.get("failed"), result


# Deadlines


@pytest.mark.parametrize("kind, path, seconds", [("hang", "Systems/1$", 30), ("hang", "redfish/v1$", 30), ("slow", "Systems/1$", 30),
                                                 ("slow", "Systems/1$", 8), ("hang", ".", 30)])
def test_a_bmc_that_hangs_costs_the_timeout(test_bmc, kind, path, seconds):
    """Once, and not at each request, nor at each byte; the error says what was waited for."""
    bmc = test_bmc()
    bmc.faults.add(kind, method="GET|DELETE", path=path, times=None, seconds=seconds)
    begin = time.monotonic()
    result = run(PowerResource, bmc, state="powered_on", bmc_timeout=1)
    assert result["failed"] and result["error"]["kind"] == "timeout" and "1 s" in result["msg"], result
    assert time.monotonic() - begin < 4, "a guard against hanging, not a measurement"


def test_a_port_that_never_says_a_word():
    """It accepts connections and is silent: that costs the timeout, too."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        begin = time.monotonic()
        result = run(PowerResource, None, state="powered_on", bmc_address=f"https://127.0.0.1:{listener.getsockname()[1]}", bmc_protocol="redfish",
                     bmc_timeout=1)
    assert result["failed"] and result["error"]["kind"] in ("unreachable", "timeout")
    assert time.monotonic() - begin < 4, "a guard against hanging, not a measurement"


def test_a_write_that_hangs_is_not_sent_again(test_bmc):
    """Its effect is looked for after the timeout."""
    bmc = test_bmc()
    bmc.faults.add("hang", method="POST", path="Reset$", seconds=30, effect=True)
    result = run(PowerResource, bmc, state="powered_on", bmc_timeout=1)
    assert result["verified"] and len(bmc.power.resets) == 1 and len(bmc.counters.effective_writes()) == 1


# Retries


@pytest.mark.parametrize("method, path", [("GET", "Systems/1$"), ("POST", "Reset$")])
@pytest.mark.parametrize("value, pause", [(7, 7), ("0", 0.1), ("in a while", 2), (("date", 12), 12), ("nan", 2)])
def test_retry_after(test_bmc, naps, method, path, value, pause):
    """A number, a date, any text: waited for, then sent again; a write takes effect once."""
    bmc = test_bmc()
    bmc.faults.add("status", method=method, path=path, status=503, retry_after=value)
    assert run(PowerResource, bmc, state="powered_on")["verified"]
    assert len(naps) == 1 and naps[0] == pytest.approx(pause, abs=2) and len(bmc.power.resets) == 1


@pytest.mark.parametrize("message", ["SYS518", "UnableToModifyDuringSystemPOST", "InvalidOperationForSystemState", "ResourceInUse"])
def test_a_write_that_was_not_taken_is_sent_again(test_bmc, naps, message):
    """Where the BMC says so in its own words."""
    bmc = test_bmc()
    bmc.faults.add("status", method="PATCH", times=2, status=400, message=message, registry="Oem.1.0")
    assert run(BootDeviceResource, bmc, device="pxe")["verified"] and len(naps) == 2
    assert len(bmc.counters.effective_writes()) == 3


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_write_that_may_have_been_taken_is_not_sent_again(test_bmc, naps, status):
    """An error of the BMC's own, without a word that nothing was done."""
    bmc = test_bmc()
    bmc.faults.add("status", method="POST", path="Reset$", times=None, status=status, body=b"<html>no</html>", effect=True)
    with driver(bmc) as redfish, pytest.raises(Rejected) as caught:
        redfish.client.write("POST", RESET, {"ResetType": "On"})
    assert caught.value.details["status"] == status and len(bmc.power.resets) == 1 and not naps


def test_reads_are_sent_again_after_a_dropped_connection(test_bmc, naps):
    """Twice; then it is an error."""
    bmc = test_bmc()
    bmc.faults.add("reset_before", method="GET", path="Systems/1$", times=2)
    with driver(bmc) as redfish:
        assert redfish.client.read(SYSTEM)["Id"] == "1" and len(naps) == 2
        bmc.faults.add("reset_before", method="GET", path="Chassis$", times=None)
        with pytest.raises(BmcError) as caught:
            redfish.client.read("/redfish/v1/Chassis")
        assert caught.value.kind == "unreachable"
    assert bmc.counters.gets["/redfish/v1/Chassis"] == 3


# Lost answers


@pytest.mark.parametrize("kind", ["reset_after", "truncated"])
def test_a_lost_answer_is_followed_by_a_read(test_bmc, kind):
    """The write took effect: seen, and not sent again."""
    bmc = test_bmc(patch_status=200)
    bmc.faults.add(kind, method="PATCH")
    result = run(BootDeviceResource, bmc, device="pxe")
    assert result["verified"] and len(bmc.counters.effective_writes()) == 1 and not bmc.sessions.open()


def test_a_lost_request_is_no_success(test_bmc):
    """The write had no effect: it is not sent again, and not taken for done."""
    bmc = test_bmc()
    bmc.faults.add("reset_before", method="PATCH")
    result = run(BootDeviceResource, bmc, device="pxe", wait_timeout=0)
    assert not result.get("verified") and result.get("failed") and len(bmc.counters.effective_writes()) == 1
    bmc.faults.add("reset_before", method="POST", path="Reset$")
    result = run(PowerResource, bmc, state="powered_on", wait_timeout=0)
    assert result["failed"] and result["error"] == {"kind": "timeout", "last_seen": "off"} and not bmc.power.resets
    with driver(bmc) as redfish:
        bmc.faults.add("reset_before", method="POST", path="Reset$")
        with pytest.raises(AnswerLost):
            redfish.client.write("POST", RESET, {"ResetType": "On"})


# ETags


@pytest.mark.parametrize("style, policy, tries", [
    ("weak", (), 1), ("strong", ("required",), 1), ("none", (), 1), ("weak", ("required", "strong_only"), 2),
    ("weak", ("required", "unquoted"), 3), ("weak", ("refused",), 4), ("weak", ("exact", "required"), 1), ("recorded", (), 1),
])
def test_etag_ladder(test_bmc, style, policy, tries):
    """As given, strong, unquoted, none: what the BMC takes is found, and the change is made once."""
    bmc = test_bmc(etag=style, etag_policy=policy)
    result = run(BootDeviceResource, bmc, device="pxe")
    assert result["verified"] and len(bmc.counters.effective_writes()) == tries and len(result["sent"]) == 1
    assert bmc.get(SYSTEM)["Boot"]["BootSourceOverrideTarget"] == "Pxe"


def test_an_action_is_sent_without_if_match(test_bmc):
    """Some BMCs refuse it there."""
    bmc = test_bmc(quirks=["dell_idrac10_if_match_on_action"])
    assert run(PowerResource, bmc, state="powered_on")["verified"] and len(bmc.counters.effective_writes()) == 1
