# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""IPMI over bad lines and with BMCs that answer nonsense: no traceback, no false success, no hang, no session left."""

from __future__ import annotations

import random

import pytest
from ipmi.records import compact_sensor, fru, fru_locator, full_sensor
from running_ipmi import driver, over_ipmi

from ansible_collections.typeone.metal.plugins.module_utils._bmc.errors import MissingLibrary
from ansible_collections.typeone.metal.plugins.module_utils._bmc.interface import Accounts, BmcNetwork, Console, Health, Logs
from ansible_collections.typeone.metal.plugins.module_utils._ipmi import client, rmcp, session
from ansible_collections.typeone.metal.plugins.module_utils._resources.boot_device import BootDeviceResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.capabilities import CapabilitiesResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.hardware import HardwareResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.health import HealthResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.logs import LogInfoResource, LogResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.network import NetworkResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.power import PowerResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.user import UserResource

READS = [(HardwareResource, {}), (HealthResource, {}), (LogInfoResource, {}), (CapabilitiesResource, {})]
WRITES = [(PowerResource, {"state": "powered_on", "wait_timeout": 1}), (BootDeviceResource, {"device": "pxe", "wait_timeout": 1}),
          (UserResource, {"name": "monitor", "password": "Monitor-1", "wait_timeout": 1}),
          (NetworkResource, {"hostname": "rack1", "vlan": 7, "new_address": "127.0.0.1", "wait_timeout": 1}),
          (LogResource, {"logs": ["SEL"], "wait_timeout": 1})]
SESSION = ((0x06, 0x3B), (0x06, 0x3C))
RUNS = 30
NOT_TOLD = [{"section": section, "path": None, "cause": "IPMI has no way to tell it; use bmc_protocol: redfish"}
            for section in ("network_interfaces", "storage_controllers", "volumes", "pcie_devices", "gpus")]


@pytest.fixture(name="bmc")
def fixture_bmc(ipmi_bmc, monkeypatch):
    """A BMC with a bit of everything; tries follow each other quickly."""
    monkeypatch.setattr(client, "BUSY_PAUSE", 0.01)
    monkeypatch.setattr(client, "WRITE_PATIENCE", 0.1)
    bmc = ipmi_bmc()
    bmc.sensors.add(full_sensor(1, "CPU1 Temp"), bytes((42, 0xC0, 0, 0)), bytes((0x3F, 5, 4, 3, 80, 90, 100)))
    bmc.sensors.add(compact_sensor(2, "PS1 Status", kind=8), bytes((0, 0xC0, 1, 0x80)))
    bmc.sensors.add(fru_locator(1, "CPU1", entity=(3, 1)))
    bmc.frus.data.update({0: fru(board=("Maker", "Board", "SERIAL", "PART")), 1: fru(product=("Intel", "Xeon", "", "", "", ""))})
    bmc.log.event(0x04, 1, 0x01, (0x52, 3, 5))
    return bmc


def nonsense(seed):
    """Return a way to change some answers: other codes, cut off, longer, other bytes."""
    dice = random.Random(seed)
    share = dice.choice((0.05, 0.3, 0.8))

    def mutate(request, code, data):
        if dice.random() > share:
            return code, data
        kind = dice.randrange(4)
        if kind == 0:
            return dice.choice((0xC0, 0xC1, 0xC3, 0xC5, 0xC9, 0xCA, 0xCB, 0xCC, 0xCE, 0xD4, 0xD5, 0xFF, 0x80, 0x81)), b""
        if kind == 1:
            return code, data[:dice.randrange(len(data) + 1)]
        if kind == 2:
            return code, data + dice.randbytes(dice.randrange(30))
        return code, bytes(dice.randrange(256) if dice.random() < 0.3 else byte for byte in data)

    return mutate


@pytest.mark.parametrize("resource, params", READS, ids=lambda value: getattr(value, "NAME", None))
def test_nonsense_in_reads(bmc, resource, params):
    """Whatever is answered, there is a result, or an error in words; nothing is written."""
    for seed in range(RUNS):
        bmc.server.mutate = nonsense(seed)
        result = over_ipmi(resource, bmc, bmc_timeout=5, **params)
        assert result.get("failed") is None or (result["error"]["kind"] and result["msg"].startswith("Cannot ")), (seed, result)
        assert not bmc.writes() and not bmc.server.sessions, seed


@pytest.mark.parametrize("resource, params", WRITES, ids=lambda value: getattr(value, "NAME", None))
def test_nonsense_in_check_mode(bmc, resource, params):
    """In check mode nothing is written whatever is answered."""
    for seed in range(RUNS):
        bmc.server.mutate = nonsense(seed)
        result = over_ipmi(resource, bmc, check_mode=True, bmc_timeout=5, **params)
        assert result.get("failed") is None or result["msg"].startswith("Cannot "), (seed, result)
        assert not bmc.writes() and not bmc.server.sessions, seed


@pytest.mark.parametrize("resource, params", READS + WRITES[:4], ids=lambda value: getattr(value, "NAME", None))
@pytest.mark.parametrize("loss", [0.1, 0.2])
def test_a_line_that_loses_packets(bmc, monkeypatch, resource, params, loss):
    """A tenth or a fifth of the packets is lost, in either direction: it works all the same."""
    monkeypatch.setattr(session, "LOGIN_PAUSE", 0.05)
    monkeypatch.setattr(session, "FIRST_PAUSE", 0.05)
    monkeypatch.setitem(rmcp.RmcpPackets.command.__kwdefaults__, "first_pause", 0.05)
    bmc.server.loss = loss
    waits = {"wait_timeout": 10} if "wait_timeout" in params else {}
    result = over_ipmi(resource, bmc, bmc_timeout=20, **{**params, **waits})
    assert not result.get("failed") and result.get("problems", []) in ([], NOT_TOLD), result
    assert len(bmc.chassis.controls) <= 1 and (result["verified"] if resource.WRITES else not bmc.writes())


def test_a_bmc_that_falls_silent_half_way(bmc):
    """What was read is returned, what was not is a problem each; where nothing was read that is an error."""
    def until(command):
        return lambda request, code, data: (setattr(bmc.server, "mute", (request.netfn, request.command) == command), (code, data))[1]

    bmc.server.mutate = until((0x0A, 0x40))
    result = over_ipmi(HealthResource, bmc, sections=["temperatures", "power_supplies", "log_summary"], bmc_timeout=1)
    assert not result.get("failed") and [row["name"] for row in result["health"]["temperatures"]] == ["CPU1 Temp"]
    assert [problem["section"] for problem in result["problems"]] == ["log_summary"] and "no answer" in result["problems"][0]["cause"]
    bmc.server.mute = False
    bmc.server.mutate = until((0x04, 0x2D))
    result = over_ipmi(HealthResource, bmc, sections=["temperatures", "power_supplies"], bmc_timeout=1)
    assert result["failed"] and result["error"]["kind"] == "timeout"


def test_a_bmc_with_nothing_but_power(bmc):
    """What it refuses is told as not there, by the capability."""
    with driver(bmc) as ipmi:
        assert [ipmi.lacks(kind) for kind in (Health, Logs, Console, Accounts, BmcNetwork)] == [None] * 5
    for command in ((0x0A, 0x20), (0x0A, 0x40), (0x06, 0x44), (0x0C, 0x02), (0x0C, 0x22)):
        bmc.commands.forget(*command)
    with driver(bmc) as ipmi:
        assert all("refuses Get" in ipmi.lacks(kind) for kind in (Health, Logs, Console, Accounts, BmcNetwork))
    found = over_ipmi(CapabilitiesResource, bmc)["capability"]
    assert found["identity"]["manufacturer"] == "Supermicro Maker" and found["capabilities"]["power"]["supported"]
    assert found["capabilities"]["logs"]["supported"] is False and found["capabilities"]["bios"]["supported"] is False
    assert "supermicro-ipmi-uefi-disk" in [rule["id"] for rule in found["quirks"]]


def test_a_console_that_is_switched_off(ipmi_bmc):
    """It is told before anybody tries."""
    with driver(ipmi_bmc(console={"on": False})) as ipmi:
        assert "switched off" in ipmi.lacks(Console)


def test_without_the_library(ipmi_bmc, monkeypatch):
    """The error names the library; nothing is sent."""
    bmc = ipmi_bmc()
    monkeypatch.setattr(rmcp, "IMPORT_ERROR", ImportError("No module named 'pyghmi'"))
    with pytest.raises(MissingLibrary, match="pyghmi"):
        driver(bmc)
    result = over_ipmi(PowerResource, bmc, state="powered_on")
    assert result["error"]["kind"] == "missing_library" and "pip install 'pyghmi'" in result["msg"] and not bmc.server.packets
