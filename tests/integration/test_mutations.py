# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Thousands of broken answers: no traceback, no success that is none, no hang, no session left, no secret told.

TYPEONE_MUTATIONS sets how many tasks are run (300); a failure names its seed, TYPEONE_MUTATIONS_FIRST starts there.
"""

from __future__ import annotations

import json
import os
import time

import pytest
from mutations import Mutations
from running import run

from ansible_collections.typeone.metal.plugins.module_utils._domain import deadline
from ansible_collections.typeone.metal.plugins.module_utils._redfish import connector
from ansible_collections.typeone.metal.plugins.module_utils._resources.boot_device import BootDeviceResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.hardware import HardwareResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.health import HealthResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.power import PowerResource

COUNT = int(os.environ.get("TYPEONE_MUTATIONS", "300"))
FIRST = int(os.environ.get("TYPEONE_MUTATIONS_FIRST", "0"))
TREES = ("mini", "mini", "mini", "openbmc-stock-2.15", "supermicro-x10sdv-4.00", "lenovo-sr670v2-xcc_1.40")
KINDS = {"invalid_input", "unreachable", "authentication_failed", "unsupported", "rejected", "timeout", "broken_answer", "answer_lost"}
NOW = {"wait_timeout": 0, "bmc_timeout": 2}
TASKS = (
    (PowerResource, {"state": "powered_on", **NOW}), (PowerResource, {"state": "powered_off", "graceful_timeout": 0, **NOW}),
    (PowerResource, {"state": "powered_off", "force": True, **NOW}), (PowerResource, {"state": "restarted", "force": True, **NOW}),
    (PowerResource, {"state": "power_cycled", "force": True, **NOW}), (PowerResource, {"state": "powered_on", "check_mode": True, **NOW}),
    (BootDeviceResource, {"device": "pxe", **NOW}), (BootDeviceResource, {"device": "cd", "persistence": "continuous", **NOW}),
    (BootDeviceResource, {"device": "none", **NOW}), (BootDeviceResource, {"device": "pxe", "firmware_mode": "uefi", **NOW}),
    (BootDeviceResource, {"device": "disk", "check_mode": True, **NOW}),
    (HardwareResource, {"bmc_timeout": 2}), (HealthResource, {"bmc_timeout": 2}),
)
WORDS = {"pxe": {"Pxe"}, "cd": {"Cd", "UsbCd"}, "disk": {"Hdd"}}


@pytest.fixture(name="naps", autouse=True)
def fixture_naps(monkeypatch):
    """Pauses are counted, not slept; time goes on by them, so that what waits for its end comes to it."""
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
    return passed


def holds(bmc, resource, params) -> bool:
    """Whether what a task was to reach is so at the BMC."""
    system = bmc.system
    if resource is PowerResource:
        return bmc.power.state(system) == ("Off" if params["state"] == "powered_off" else "On")
    boot = bmc.get(system)["Boot"]
    if params["device"] == "none":
        return boot["BootSourceOverrideEnabled"] == "Disabled" or boot["BootSourceOverrideTarget"] == "None"
    lasting = "Continuous" if params.get("persistence") == "continuous" else "Once"
    by_order = lasting == "Continuous" and "Continuous" not in boot.get("BootSourceOverrideEnabled@Redfish.AllowableValues", ["Continuous"])
    return by_order or (boot["BootSourceOverrideTarget"] in WORDS[params["device"]] and boot["BootSourceOverrideEnabled"] == lasting)


def check(bmc, mutations, resource, params, result) -> None:
    """Hold a result to what is so at the BMC."""
    json.dumps(result)
    text = repr(result)
    assert bmc.password not in text and not [session for session in bmc.sessions.open() if session.token in text]
    if result.get("failed"):
        assert result["error"]["kind"] in KINDS and result["msg"].startswith("Cannot "), result
    elif not resource.WRITES:
        assert isinstance(result[resource.NAME], dict) and isinstance(result["problems"], list)
    elif params.get("check_mode"):
        assert not bmc.counters.effective_writes()
    elif result["verified"]:
        assert holds(bmc, resource, params), result
        assert not result["changed"] or bmc.counters.effective_writes()
    if not [entry for entry in mutations.log if "Sessions" in entry[1] and entry[2] != "_nothing"] and bmc.counters.logins == 1:
        unauthorized = [entry for entry in mutations.log if entry[2] == "_status" and entry[3] == 401]
        assert unauthorized or not bmc.sessions.open(), (result, bmc.counters.requests)


def test_broken_answers(test_bmc, tree_names):
    """Each task meets answers that are broken in a way of its seed's own."""
    servers = []
    for name in dict.fromkeys(TREES):
        if name in tree_names:
            mutations = Mutations()
            servers.append((test_bmc(name, tls=False, quirks=[mutations]), mutations, TREES.count(name)))
    servers = [(bmc, mutations) for bmc, mutations, share in servers for _unused in range(share)]
    outcomes = {"failed": 0, "verified": 0, "read": 0, "other": 0}
    for seed in range(FIRST, FIRST + COUNT):
        bmc, mutations = servers[seed % len(servers)]
        resource, params = TASKS[(seed // len(servers)) % len(TASKS)]
        mutations.begin(seed)
        bmc.counters.reset()
        begin = time.monotonic()
        try:
            result = run(resource, bmc, **params)
            mutations.chance = 0.0
            check(bmc, mutations, resource, params, result)
        except Exception as problem:
            raise AssertionError(f"seed {seed}, {bmc.tree.name}, {resource.__name__} {params}: {mutations.log}") from problem
        assert time.monotonic() - begin < 30, f"seed {seed} hangs: {mutations.log}"
        outcomes["failed" if result.get("failed") else "read" if not resource.WRITES else "verified" if result["verified"] else "other"] += 1
        bmc.sessions.expire(everyone=True)
    print(f"{COUNT} tasks from seed {FIRST} over {sorted({bmc.tree.name for bmc, _mutations in servers})}: {outcomes}")
    assert outcomes["failed"] and outcomes["verified"], "the mutations are too weak or too strong to show anything"
