# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom the way to a Redfish BMC trusts: links and redirects on the BMC only, TLS verified, answers that are broken, no secret in
any text."""

from __future__ import annotations

import contextlib

import pytest
from running import driver, run

from ansible_collections.typeone.metal.plugins.module_utils._bmc.errors import BmcError
from ansible_collections.typeone.metal.plugins.module_utils._redfish import connector
from ansible_collections.typeone.metal.plugins.module_utils._resources.boot_device import BootDeviceResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.power import PowerResource

SYSTEM = "/redfish/v1/Systems/1"
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"


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


def test_a_library_that_is_too_old_is_named_before_anything_is_sent(test_bmc, monkeypatch):
    """urllib3 1.26, which older distributions bring, cannot check a certificate that names an IP address."""
    bmc = test_bmc()
    monkeypatch.setattr(connector.urllib3, "__version__", "1.26.20")
    result = run(PowerResource, bmc, state="powered_on")
    assert result["error"]["kind"] == "missing_library" and "version 1.26.20 is too old" in result["msg"]
    assert "pip install 'urllib3>=2'" in result["msg"] and not bmc.counters.connections
