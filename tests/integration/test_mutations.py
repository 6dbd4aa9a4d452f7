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
from ansible_collections.typeone.metal.plugins.module_utils._resources.bios import BiosResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.boot_device import BootDeviceResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.capabilities import CapabilitiesResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.events import EventSubscriptionResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.hardware import HardwareResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.health import HealthResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.logs import LogInfoResource, LogResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.network import NetworkResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.power import PowerResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.secure_boot import SecureBootResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.storage_volume import StorageVolumeResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.user import UserResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.virtual_media import VirtualMediaResource

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
SYSTEM, MANAGER = "/redfish/v1/Systems/1", "/redfish/v1/Managers/1"
IMAGE, NAME, LISTENER = "http://192.0.2.1/x.iso", "mutant", "http://192.0.2.9/events"


def _bios(bmc, params) -> bool:
    wanted = params["attributes"]
    seen = {**bmc.get(f"{SYSTEM}/Bios")["Attributes"], **bmc.bios.pending.get(f"{SYSTEM}/Bios", {})}
    return all(seen[name] == value for name, value in wanted.items())


def _subscribed(bmc, params) -> bool:
    found = [path for path in bmc.of_kind("EventDestination") if bmc.get(path)["Destination"] == LISTENER]
    return bool(found) is (params.get("state") != "absent")


def _mirrored(bmc, params) -> bool:
    found = [path for path in bmc.of_kind("Volume") if bmc.get(path)["RAIDType"] == "RAID1"]
    return bool(found) is (params["state"] == "present")


# Resource, options, and whether that is so at the BMC.
MORE = (
    (VirtualMediaResource, {"image_url": IMAGE, **NOW}, lambda bmc, params: IMAGE in bmc.inserted_media()),
    (VirtualMediaResource, {"state": "ejected", **NOW}, lambda bmc, params: not bmc.inserted_media()),
    (BiosResource, {"attributes": {"NumLock": False, "BootRetry": 5}, **NOW}, _bios),
    (BiosResource, {"attributes": {"NumLock": True, "BootRetry": 4}, **NOW}, _bios),
    (UserResource, {"name": NAME, "password": "A-Long-Passw0rd", "role": "operator", **NOW}, lambda bmc, params: bool(bmc.accounts.find(NAME))),
    (UserResource, {"name": NAME, "state": "absent", **NOW}, lambda bmc, params: not bmc.accounts.find(NAME)),
    (SecureBootResource, {"enabled": True, **NOW}, lambda bmc, params: bmc.get(f"{SYSTEM}/SecureBoot")["SecureBootEnable"] is True),
    (SecureBootResource, {"enabled": False, **NOW}, lambda bmc, params: bmc.get(f"{SYSTEM}/SecureBoot")["SecureBootEnable"] is False),
    (NetworkResource, {"ntp": ["192.0.2.7"], **NOW}, lambda bmc, params: bmc.get(f"{MANAGER}/NetworkProtocol")["NTP"]["NTPServers"] == ["192.0.2.7"]),
    (NetworkResource, {"ntp": ["192.0.2.8"], **NOW}, lambda bmc, params: bmc.get(f"{MANAGER}/NetworkProtocol")["NTP"]["NTPServers"] == ["192.0.2.8"]),
    (EventSubscriptionResource, {"destination": LISTENER, **NOW}, _subscribed),
    (EventSubscriptionResource, {"destination": LISTENER, "state": "absent", **NOW}, _subscribed),
    (StorageVolumeResource, {"state": "present", "name": "m", "level": "raid1", "drives": ["HDD0001", "HDD0002"], **NOW}, _mirrored),
    (StorageVolumeResource, {"state": "absent", "name": "m", "drives": ["HDD0001", "HDD0002"], **NOW}, _mirrored),
    (LogResource, {"logs": ["SEL"], **NOW}, lambda bmc, params: not bmc.store.members(f"{SYSTEM}/LogServices/SEL/Entries")),
    (LogInfoResource, {"bmc_timeout": 2}, None),
    (CapabilitiesResource, {"bmc_timeout": 2}, None),
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


def _is_absence(params) -> bool:
    """Whether something is to be gone. A BMC that leaves it out of what it lists then lies, and no client can tell."""
    return params.get("state") in ("absent", "ejected") or "logs" in params


def check(bmc, mutations, task, result, *, truth) -> None:
    """Hold a result to what is so at the BMC."""
    resource, params = task
    json.dumps(result)
    text = repr(result)
    assert bmc.password not in text and not [session for session in bmc.sessions.open() if session.token in text]
    if result.get("failed"):
        assert result["error"]["kind"] in KINDS and result["msg"].startswith("Cannot "), result
    elif not resource.WRITES:
        assert resource.NAME in result
    elif params.get("check_mode"):
        assert not bmc.counters.effective_writes()
    elif result["verified"]:
        assert truth(bmc, params) or (_is_absence(params) and [entry for entry in mutations.log if entry[0] == "GET"]), result
        assert not result["changed"] or bmc.counters.effective_writes()
    if not [entry for entry in mutations.log if "Sessions" in entry[1] and entry[2] != "_nothing"] and bmc.counters.logins == 1:
        unauthorized = [entry for entry in mutations.log if entry[2] == "_status" and entry[3] == 401]
        assert unauthorized or not bmc.sessions.open(), (result, bmc.counters.requests)


def play(servers, tasks, count) -> dict:
    """Run tasks over servers in turn, each with mutations of its seed; return how they ended."""
    outcomes = {"failed": 0, "verified": 0, "read": 0, "other": 0}
    for seed in range(FIRST, FIRST + count):
        bmc, mutations = servers[seed % len(servers)]
        resource, params, truth = tasks[(seed // len(servers)) % len(tasks)]
        mutations.begin(seed)
        bmc.counters.reset()
        begin = time.monotonic()
        try:
            result = run(resource, bmc, **params)
            mutations.chance = 0.0
            check(bmc, mutations, (resource, params), result, truth=truth)
        except Exception as problem:
            raise AssertionError(f"seed {seed}, {bmc.tree.name}, {resource.__name__} {params}: {mutations.log}") from problem
        assert time.monotonic() - begin < 30, f"seed {seed} hangs: {mutations.log}"
        outcomes["failed" if result.get("failed") else "read" if not resource.WRITES else "verified" if result["verified"] else "other"] += 1
        bmc.sessions.expire(everyone=True)
    print(f"{count} tasks from seed {FIRST} over {sorted({bmc.tree.name for bmc, _mutations in servers})}: {outcomes}")
    return outcomes


def server(test_bmc, name):
    """A server whose answers are mutated."""
    mutations = Mutations()
    return test_bmc(name, tls=False, quirks=[mutations]), mutations


def test_broken_answers(test_bmc, tree_names):
    """Power, boot device, inspections: each task meets answers that are broken in a way of its seed's own."""
    made = {name: server(test_bmc, name) for name in dict.fromkeys(TREES) if name in tree_names}
    servers = [made[name] for name in TREES if name in made]
    tasks = [(resource, params, lambda bmc, params, resource=resource: holds(bmc, resource, params)) for resource, params in TASKS]
    outcomes = play(servers, tasks, COUNT)
    assert outcomes["failed"] and outcomes["verified"], "the mutations are too weak or too strong to show anything"


def test_broken_answers_to_other_modules(test_bmc):
    """All that can be declared of a BMC."""
    outcomes = play([server(test_bmc, "mini")], MORE, COUNT // 2)
    assert outcomes["failed"] and outcomes["verified"], "the mutations are too weak or too strong to show anything"
