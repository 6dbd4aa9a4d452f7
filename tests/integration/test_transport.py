# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the way to a Redfish BMC promises, counted at the BMC: no write in check mode, one login, deadlines, retries of what is
safe alone, links followed on the BMC only, TLS verified, no secret in any text."""

from __future__ import annotations

import contextlib
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
from running import connect, run

from ansible_collections.typeone.metal.plugins.module_utils._bmc.errors import (
    AnswerLost, BmcError, Rejected, WriteInCheckMode,
)
from ansible_collections.typeone.metal.plugins.module_utils._bmc.options import CONNECTION_SPEC, connection_from
from ansible_collections.typeone.metal.plugins.module_utils._redfish import connector
from ansible_collections.typeone.metal.plugins.module_utils._redfish.driver import RedfishDriver
from ansible_collections.typeone.metal.plugins.module_utils._resources.boot_device import BootDeviceResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.power import PowerResource

SYSTEM = "/redfish/v1/Systems/1"
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"


@contextlib.contextmanager
def driver(bmc, *, check_mode=False, **params):
    """An open Redfish driver, closed at the end."""
    options = {**{name: spec.get("default") for name, spec in CONNECTION_SPEC.items()}, **connect(bmc), **params}
    opened = RedfishDriver(connection_from(options, check_mode=check_mode))
    try:
        opened.open()
        yield opened
    finally:
        opened.close()


@pytest.fixture(name="naps")
def fixture_naps(monkeypatch):
    """The pauses between tries, in seconds; nothing is slept."""
    taken: list = []

    class Clock:
        """Stands in for the module `time` in the connector."""
        sleep = taken.append

    monkeypatch.setattr(connector, "time", Clock)
    return taken


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


def test_no_session_after_sigterm(test_bmc):
    """A task that is ended while it waits deletes its session on the way out."""
    bmc = test_bmc(power_lag=60)
    code = ("import json, sys\nfrom types import SimpleNamespace\nfrom running import run\n"
            "from ansible_collections.typeone.metal.plugins.module_utils._resources.power import PowerResource\n"
            "run(PowerResource, SimpleNamespace(**json.load(sys.stdin)), state='powered_on')\n")
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env={**os.environ, "PYTHONPATH": ":".join(sys.path)}) as task:
        task.stdin.write(json.dumps({"url": bmc.url, "username": bmc.username, "password": bmc.password, "ca_path": bmc.ca_path}))
        task.stdin.close()
        _until(lambda: bmc.power.resets or task.poll() is not None)
        assert bmc.power.resets, task.stdout.read()
        task.send_signal(signal.SIGTERM)
        try:
            assert task.wait(60) == 128 + signal.SIGTERM, task.stdout.read()
        finally:
            task.kill()
    assert bmc.counters.logins == 1 and not bmc.sessions.open()


def test_a_connection_that_an_interrupted_request_took_away_is_not_waited_for(test_bmc):
    """An exception in the midst of a request keeps its connection from the pool; the logout goes on over a new one."""
    bmc = test_bmc()
    with driver(bmc) as opened:
        pools = opened.connector._session.get_adapter(bmc.url).poolmanager.pools
        taken = pools[next(iter(pools.keys()))]._get_conn()
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


# Links


@pytest.mark.parametrize("quirks", [["any_trailing_slashes"], [("any_trailing_slashes", {"redirect": False})], ["any_absolute_links"],
                                    ["any_relative_links"], ["any_messy_collections"], ["any_paged_collections"], ["any_null_links"]])
@pytest.mark.parametrize("tls", [True, False])
def test_links_are_followed_as_they_come(test_bmc, quirks, tls):
    """Over HTTPS and HTTP, with a port of its own: one system is found, started, and set to boot."""
    bmc = test_bmc(quirks=quirks, tls=tls)
    assert run(PowerResource, bmc, state="powered_on")["verified"]
    assert run(BootDeviceResource, bmc, device="pxe")["verified"]
    assert bmc.power.state(bmc.system) == "On" and not bmc.sessions.open() and bmc.counters.logins == 2


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_on_the_bmc_are_followed(test_bmc, status):
    """Those of reads."""
    bmc = test_bmc()
    bmc.faults.add("redirect", method="GET", path="Systems/1$", match=lambda request: not request.raw_path.endswith("/"), suffix="/", status=status,
                   times=None)
    assert run(PowerResource, bmc, state="powered_on")["verified"]


@pytest.mark.parametrize("method, path", [("GET", "Systems/1$"), ("POST", "Reset$"), ("POST", "Sessions$"), ("GET", "redfish/v1$")])
def test_no_credential_goes_to_another_host(test_bmc, method, path):
    """A redirect to elsewhere is an error; the other host is not even connected to."""
    bmc, other = test_bmc(), test_bmc()
    bmc.faults.add("redirect", method=method, path=path, host=other.url, status=307, times=None)
    result = run(PowerResource, bmc, state="powered_on")
    assert not other.counters.connections and not bmc.sessions.open()
    assert result.get("failed") or "Basic authentication is used" in result["warnings"][0]


def test_links_to_another_host_are_not_followed(test_bmc):
    """Neither to another port nor from HTTPS to HTTP."""
    other = test_bmc()
    for host in (other.url, "http://127.0.0.1:1"):
        bmc = test_bmc(quirks=[("any_absolute_links", {"host": host})])
        result = run(PowerResource, bmc, state="powered_on")
        assert result["failed"] and "another host or scheme" in result["msg"] and not other.counters.connections


def test_a_circle_of_redirects_ends(test_bmc):
    """With an error."""
    bmc = test_bmc()
    bmc.faults.add("redirect", path="Systems/1$", times=None)
    result = run(PowerResource, bmc, state="powered_on")
    assert result["failed"] and "in a circle" in result["msg"] and len(bmc.counters.requests) < 20


# TLS


def test_tls_is_verified_by_default(test_bmc):
    """A certificate of an unknown authority ends it before a word was said; the error says what helps."""
    bmc = test_bmc()
    result = run(PowerResource, bmc, state="powered_on", ca_path=None)
    assert result["error"] == {"kind": "unreachable", "certificate": True} and not bmc.counters.requests
    assert all(word in result["msg"] for word in ("not trusted", "ca_path", "tls_fingerprint", "validate_certs"))
    assert run(PowerResource, bmc, state="powered_on", ca_path="/no/such/file")["error"]["kind"] == "invalid_input"
    assert run(PowerResource, bmc, state="powered_on", ca_path=None, validate_certs=False)["verified"]


def test_a_fingerprint_pins_a_certificate(test_bmc):
    """With and without colons, without any authority; another certificate is refused, even one of a known authority."""
    bmc = test_bmc()
    colons = ":".join(bmc.fingerprint[place:place + 2] for place in range(0, 64, 2)).upper()
    for form in (bmc.fingerprint, f"sha256:{colons}"):
        assert run(PowerResource, bmc, state="powered_on", ca_path=None, tls_fingerprint=form)["verified"]
    bmc.counters.reset()
    for more in ({}, {"ca_path": None}, {"validate_certs": False}):
        result = run(PowerResource, bmc, state="powered_on", tls_fingerprint="0" * 64, **more)
        assert result["error"]["kind"] == "unreachable" and "tls_fingerprint pins" in result["msg"]
    assert not bmc.counters.requests


def test_the_name_in_the_certificate_counts(test_bmc):
    """An address that the certificate does not name is not trusted."""
    bmc = test_bmc()
    result = run(PowerResource, bmc, state="powered_on", bmc_address=f"127.0.0.2:{bmc.port}" if bmc.server.host == "0.0.0.0" else
                 f"https://localhost.localdomain:{bmc.port}")
    assert result["failed"] and not bmc.counters.requests


def test_the_environment_changes_nothing(test_bmc, monkeypatch, tmp_path):
    """Neither authorities nor proxies nor accounts are taken from it."""
    bmc = test_bmc()
    (tmp_path / ".netrc").write_text("default login other password other\n")
    for name, value in (("REQUESTS_CA_BUNDLE", "/no/such/file"), ("CURL_CA_BUNDLE", "/no/such/file"), ("HTTPS_PROXY", "http://127.0.0.1:1"),
                        ("https_proxy", "http://127.0.0.1:1"), ("ALL_PROXY", "http://127.0.0.1:1"), ("NETRC", str(tmp_path / ".netrc")),
                        ("HOME", str(tmp_path))):
        monkeypatch.setenv(name, value)
    assert run(PowerResource, bmc, state="powered_on")["verified"]
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bmc.ca_path)
    assert run(PowerResource, bmc, state="powered_off", ca_path=None)["error"].get("certificate")


# What is broken costs itself


@pytest.mark.parametrize("value", [None, 7, [], {}, "Sideways"])
def test_a_broken_property_costs_that_property(test_bmc, value):
    """A power state that cannot be read is unknown, and no reason to do anything; the boot device can be set all the same."""
    bmc = test_bmc()
    bmc.store.edit(SYSTEM)["PowerState"] = value
    result = run(PowerResource, bmc, state="powered_on", check_mode=True)
    assert result["diff"]["before"] == {"state": "unknown"}
    assert run(BootDeviceResource, bmc, device="pxe")["verified"]


@pytest.mark.parametrize("kind, options", [("malformed", {}), ("replaced", {"body": b"[]"}), ("replaced", {"body": b""}),
                                           ("content_type", {"body": b"<html/>"}), ("replaced", {"body": b"[" * 100000}), ("truncated", {})])
def test_a_broken_document_is_an_error_and_no_traceback(test_bmc, naps, kind, options):
    """Told as what it is; the session is gone."""
    bmc = test_bmc()
    bmc.faults.add(kind, method="GET", path="Systems/1$", times=None, **options)
    result = run(PowerResource, bmc, state="powered_on")
    assert result["failed"] and result["error"]["kind"] in ("broken_answer", "unreachable", "unsupported", "timeout"), result
    assert not bmc.sessions.open() and not bmc.power.resets and len(naps) < 3


def test_another_content_type_is_no_matter(test_bmc):
    """What is JSON is read as JSON."""
    bmc = test_bmc()
    bmc.faults.add("content_type", times=None, value="text/plain")
    assert run(PowerResource, bmc, state="powered_on")["verified"]


# Secrets


@pytest.mark.parametrize("kind, options", [("status", {"status": 400, "body": None}), ("status", {"status": 500}), ("reset_before", {}), ("reset_after", {}),
                                           ("truncated", {}), ("malformed", {}), ("unauthorized", {}), ("redirect", {"host": "https://192.0.2.1"})])
@pytest.mark.parametrize("method, path", [("POST", "Sessions$"), ("GET", "Systems/1$"), ("POST", "Reset$"), ("DELETE", "Sessions")])
def test_no_secret_in_any_text(test_bmc, naps, kind, options, method, path):
    """Neither the password nor a session's token is in a result or an exception, whatever fails."""
    bmc = test_bmc()
    tokens: list = []
    bmc.faults.add(kind, method=method, path=path, times=None, **options)
    with contextlib.suppress(BmcError):
        with driver(bmc) as redfish:
            tokens += [session.token for session in bmc.sessions.open()]
            with contextlib.suppress(BmcError):
                redfish.client.write("POST", RESET, {"ResetType": "On", "Password": bmc.password})
            assert bmc.password not in repr((redfish.connection, redfish.sent, redfish.warnings))
    texts = [repr(run(PowerResource, bmc, state="powered_off", graceful_timeout=0, wait_timeout=0))]
    try:
        with driver(bmc) as redfish:
            redfish.client.read(SYSTEM)
    except BmcError as error:
        texts += [repr(error), str(error), repr(error.as_dict()), error.message("read", "x", "redfish"), repr(error.__cause__)]
    assert not [text for text in texts for secret in (bmc.password, *tokens) if secret in text]
    assert sum(naps) < 400
