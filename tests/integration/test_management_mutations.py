# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Broken answers to what is done about a BMC itself: no traceback, no success that is none, no hang, no secret told.

TYPEONE_MUTATIONS sets how many tasks are run (120); a failure names its seed, TYPEONE_MUTATIONS_FIRST starts there.
"""

from __future__ import annotations

import json
import os
import time

import pytest
from mutations import Mutations
from running import run
from testbmc import certs

from ansible_collections.typeone.metal.plugins.module_utils._domain import deadline
from ansible_collections.typeone.metal.plugins.module_utils._redfish import connector
from ansible_collections.typeone.metal.plugins.module_utils._resources.certificate import CertificateResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.events import EventSubscriptionResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.logs import LogInfoResource, LogResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.network import NetworkResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.user import UserResource

COUNT = int(os.environ.get("TYPEONE_MUTATIONS", "120"))
FIRST = int(os.environ.get("TYPEONE_MUTATIONS_FIRST", "0"))
KINDS = {"invalid_input", "unreachable", "authentication_failed", "unsupported", "rejected", "timeout", "broken_answer", "answer_lost"}
SECRET, URL = "Monitor-Secret-1", "https://192.0.2.1:8443/events"
SUBJECT = {"common_name": "x", "organization": "x", "organizational_unit": "x", "city": "x", "state": "x", "country": "CH"}
# Properties of which another value is as good a word as the first: a BMC that lies about them cannot be found out.
TOLD = {"UserName", "Enabled", "Destination", "HostName", "VLANEnable", "VLANId", "ProtocolEnabled", "CSRString"}
NOW = {"wait_timeout": 0, "bmc_timeout": 2}


def account(bmc):
    """Return the account at the BMC."""
    path = bmc.accounts.find("monitor")
    return bmc.get(path) if path else None


def interface(bmc):
    """Return the BMC's interface."""
    return bmc.get("/redfish/v1/Managers/1/EthernetInterfaces/1")


def subscribed(bmc):
    """Tell whether the subscription is at the BMC."""
    return URL in [bmc.get(path).get("Destination") for path in bmc.store.members("/redfish/v1/EventService/Subscriptions")]


def cleared(bmc):
    """Tell whether the log is empty."""
    return not bmc.get("/redfish/v1/Systems/1/LogServices/SEL/Entries")["Members"]


def furnish(bmc):
    """Give a BMC what tasks are to remove."""
    bmc.store.put("/redfish/v1/AccountService/Accounts/7", {
        "@odata.type": "#ManagerAccount.v1_8_0.ManagerAccount", "Id": "7", "UserName": "monitor", "RoleId": "ReadOnly", "Enabled": True,
        "Locked": False}, collection="/redfish/v1/AccountService/Accounts")
    bmc.store.put("/redfish/v1/EventService/Subscriptions/7", {
        "@odata.type": "#EventDestination.v1_13_0.EventDestination", "Id": "7", "Destination": URL, "Context": "x", "Protocol": "Redfish"},
        collection="/redfish/v1/EventService/Subscriptions")


# Resource, options, and what is so at the BMC where the result says that it is verified.
TASKS = (
    (UserResource, {"name": "monitor", "password": SECRET, "role": "operator"},
     lambda bmc: account(bmc)["RoleId"] == "Operator" and bmc.accounts.check("monitor", SECRET)),
    (UserResource, {"name": "monitor", "password": SECRET, "update_password": "always"}, lambda bmc: bmc.accounts.check("monitor", SECRET)),
    (UserResource, {"name": "monitor", "password": SECRET, "enabled": False}, lambda bmc: account(bmc)["Enabled"] is False),
    (UserResource, {"name": "monitor", "state": "absent"}, lambda bmc: account(bmc) is None),
    (LogInfoResource, {}, None), (LogInfoResource, {"limit": 1, "severity": "warning", "since": "2026-01-01"}, None),
    (LogResource, {"logs": ["SEL"]}, cleared),
    (NetworkResource, {"hostname": "other", "protocols": {"ssh": False}, "ntp": ["192.0.2.9"]},
     lambda bmc: interface(bmc)["HostName"] == "other" and not bmc.get("/redfish/v1/Managers/1/NetworkProtocol")["SSH"]["ProtocolEnabled"]),
    (NetworkResource, {"dns": ["192.0.2.53"], "vlan": 7, "interface": "1"},
     lambda bmc: interface(bmc)["VLAN"] == {"VLANEnable": True, "VLANId": 7} and interface(bmc)["StaticNameServers"] == ["192.0.2.53"]),
    (EventSubscriptionResource, {"destination": URL, "registry_prefixes": ["Base"]}, subscribed),
    (EventSubscriptionResource, {"destination": URL, "state": "absent"}, lambda bmc: not subscribed(bmc)),
    (CertificateResource, {"state": "requested", "subject": SUBJECT}, lambda bmc: bmc.certificates.key is not None),
    (UserResource, {"name": "monitor", "state": "absent", "check_mode": True}, None), (LogResource, {"logs": ["bmc/Log"], "check_mode": True}, None),
    (NetworkResource, {"vlan": 9, "check_mode": True}, None), (EventSubscriptionResource, {"destination": URL, "check_mode": True}, None),
)


@pytest.fixture(name="naps", autouse=True)
def fixture_naps(monkeypatch):
    """Pauses are counted, not slept; time goes on by them."""
    passed: list = []

    class Clock:
        """Stands in for the module `time`: sleeping moves it on."""

        @staticmethod
        def sleep(seconds: float) -> None:
            """Take the time to have passed."""
            passed.append(max(0.0, seconds))

        @staticmethod
        def monotonic() -> float:
            """Real time and what was slept."""
            return time.monotonic() + sum(passed)

    monkeypatch.setattr(connector, "time", Clock)
    monkeypatch.setattr(deadline, "time", Clock)


def lied(mutations) -> bool:
    """Tell whether an answer held another word instead of the right one, or an empty list without the count that shows it."""
    done = [change for entry in mutations.log if entry[2] == "_document" for change in entry[3]]
    return any(way == "value" and key in TOLD for way, key in done) or "Members@odata.count" in dict(map(reversed, done))


def check(bmc, resource, params, holds, result) -> None:
    """Hold a result to what is so at the BMC."""
    json.dumps(result)
    text = repr(result)
    assert bmc.password not in text and SECRET not in text and "PRIVATE KEY" not in text
    assert not [session for session in bmc.sessions.open() if session.token in text]
    if result.get("failed"):
        assert result["error"]["kind"] in KINDS and result["msg"].startswith("Cannot "), result
    elif params.get("check_mode"):
        assert not bmc.counters.effective_writes()
    elif resource.WRITES and result["verified"]:
        assert holds(bmc), result
        assert not result["changed"] or bmc.counters.effective_writes()


def test_broken_answers(test_bmc):
    """Each task meets answers that are broken in a way of its seed's own, at a BMC as it came from the factory."""
    outcomes = {"failed": 0, "verified": 0, "read": 0, "other": 0}
    mutations, bmc = Mutations(), None
    for seed in range(FIRST, FIRST + COUNT):
        if bmc is None or bmc.counters.effective_writes() or account(bmc):
            if bmc is not None:
                bmc.stop()
            mutations = Mutations()
            bmc = test_bmc(tls=False, quirks=[mutations])
        resource, params, holds = TASKS[seed % len(TASKS)]
        if params.get("state") == "absent":
            furnish(bmc)
        mutations.begin(seed)
        begin = time.monotonic()
        try:
            result = run(resource, bmc, **{**NOW, **params} if resource.WRITES else {"bmc_timeout": 2, **params})
            mutations.chance = 0.0
            check(bmc, resource, params, (lambda bmc: True) if lied(mutations) else holds, result)
        except Exception as problem:
            raise AssertionError(f"seed {seed}, {resource.__name__} {params}: {mutations.log}") from problem
        assert time.monotonic() - begin < 30, f"seed {seed} hangs: {mutations.log}"
        outcomes["failed" if result.get("failed") else "read" if not resource.WRITES else "verified" if result["verified"] else "other"] += 1
        bmc.sessions.expire(everyone=True)
    print(f"{COUNT} tasks from seed {FIRST}: {outcomes}")
    assert outcomes["failed"] and outcomes["verified"] and outcomes["read"], "the mutations are too weak or too strong to show anything"


def test_a_certificate_and_broken_answers(test_bmc):
    """What is verified is what a new connection is shown."""
    for seed in range(FIRST, FIRST + max(10, COUNT // 20)):
        mutations = Mutations()
        bmc = test_bmc(quirks=[mutations])
        key = certs.new_key()
        cert = certs.sign(key.public_key())
        mutations.begin(seed)
        try:
            result = run(CertificateResource, bmc, certificate=_pem(cert), private_key=certs.key_pem(key).decode(), **NOW)
            mutations.chance = 0.0
            check(bmc, CertificateResource, {}, lambda bmc, mark=certs.fingerprint(cert): bmc.fingerprint == mark, result)
        except Exception as problem:
            raise AssertionError(f"seed {seed}: {mutations.log}") from problem
        bmc.stop()


def _pem(cert) -> str:
    from cryptography.hazmat.primitives import serialization  # pylint: disable=import-outside-toplevel
    return cert.public_bytes(serialization.Encoding.PEM).decode()
