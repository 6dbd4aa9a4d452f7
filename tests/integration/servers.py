# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All the BMCs that there are, behind one face for the contract suite: how to reach it, how it is now, what it was asked to do."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import ssl
import subprocess
import sys
import sysconfig
import urllib.request

import testbmc
from ipmi import IpmiBmc
from ipmi.programs import IpmiSim
from ipmi.records import full_sensor

HERE = pathlib.Path(__file__).resolve().parent
# Trees whose system has something to choose.
SYSTEMS = {"nvidia-gh200-24.05": "System_0"}


class Subject:
    """A BMC under test. `lasting` is the persistence that its boot override is asked for."""

    lasting = "once"
    can_end_an_override = True

    def options(self) -> dict:
        """Connection options."""
        raise NotImplementedError

    def power(self) -> str:
        """The power, seen from outside: on or off."""
        raise NotImplementedError

    def device(self):
        """The boot device, seen from outside, in the server's own word."""
        raise NotImplementedError

    def writes(self) -> list:
        """What it was asked to do since this was called last, logging in and out aside."""
        raise NotImplementedError

    def sessions(self) -> int:
        """How many sessions are open."""
        return 0

    def stop(self) -> None:
        """End it."""


class TestBmc(Subject):
    """A test BMC with a tree."""

    __test__ = False

    def __init__(self, name: str) -> None:
        self.bmc = testbmc.Bmc(name).start()
        self.name = SYSTEMS.get(name)
        self.system = next(path for path in self.bmc.systems if self.name in (None, path.rpartition("/")[2]))
        self.bmc.power.set_state(self.system, "Off")
        boot = self.bmc.get(self.system).get("Boot") or {}
        self.devices = boot.get("BootSourceOverrideTarget@Redfish.AllowableValues") or []

    def options(self) -> dict:
        return {"bmc_address": self.bmc.url, "bmc_username": self.bmc.username, "bmc_password": self.bmc.password, "ca_path": self.bmc.ca_path,
                "bmc_protocol": "redfish", "bmc_system": self.name, "bmc_timeout": 20}

    def power(self) -> str:
        return self.bmc.power.state(self.system).lower()

    def device(self):
        if any((self.bmc.get(path).get("Attributes") or {}).get("ServerBoot.1.FirstBootDevice") == "VCD-DVD" for path in self.bmc.of_kind("DellAttributes")):
            return "Cd"
        boot = self.bmc.get(self.system)["Boot"]
        return None if boot["BootSourceOverrideEnabled"] == "Disabled" else boot["BootSourceOverrideTarget"]

    def writes(self) -> list:
        seen = self.bmc.counters.effective_writes()
        self.bmc.counters.reset()
        return seen

    def sessions(self) -> int:
        return len(self.bmc.sessions.open())

    def stop(self) -> None:
        self.bmc.stop()
        assert not self.bmc.server.problems


class Emulator(Subject):
    """sushy-tools' emulator, which has no sessions and no override that ends by itself."""

    lasting = "continuous"
    can_end_an_override = False

    def __init__(self, driver: str, folder: pathlib.Path) -> None:
        self.driver = driver
        self._process = subprocess.Popen(  # pylint: disable=consider-using-with
            [sys.executable, str(HERE / "emulator.py"), driver, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([*libvirt_path(folder), os.environ.get("PYTHONPATH", "")])})
        self.where = self._line()
        systems = self._get("/redfish/v1/Systems")["Members"]
        self.system = systems[0]["@odata.id"]
        self.devices = self._get(self.system)["Boot"]["BootSourceOverrideTarget@Redfish.AllowableValues"]
        if driver == "libvirt":
            self.devices.remove("Cd")  # offered, but the in-memory machine has no such drive

    def _line(self):
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the emulator has ended ({self._process.wait()})")
        return json.loads(line)

    def _get(self, path: str) -> dict:
        account = base64.b64encode(f"{self.where['username']}:{self.where['password']}".encode()).decode()
        request = urllib.request.Request(self.where["url"] + path, headers={"Authorization": f"Basic {account}"})
        with urllib.request.urlopen(request, timeout=20, context=ssl.create_default_context(cafile=self.where["ca_path"])) as answer:
            return json.load(answer)

    def options(self) -> dict:
        return {"bmc_address": self.where["url"], "bmc_username": self.where["username"], "bmc_password": self.where["password"],
                "ca_path": self.where["ca_path"], "bmc_protocol": "redfish", "bmc_timeout": 20}

    def power(self) -> str:
        return self._get(self.system)["PowerState"].lower()

    def device(self):
        return self._get(self.system)["Boot"]["BootSourceOverrideTarget"]

    def writes(self) -> list:
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return [entry for entry in self._line() if "Sessions" not in entry[1]]

    def stop(self) -> None:
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


class Ipmi(Subject):
    """The IPMI server of the tests."""

    devices = ["Pxe", "Hdd", "Cd", "BiosSetup"]
    SELECTORS = {1: "Pxe", 2: "Hdd", 5: "Cd", 6: "BiosSetup"}

    def __init__(self) -> None:
        self.bmc = IpmiBmc().start()
        self.bmc.chassis.on = False
        self._seen = 0

    def options(self) -> dict:
        return {"bmc_address": "127.0.0.1", "ipmi_port": self.bmc.port, "bmc_protocol": "ipmi", "bmc_username": self.bmc.username,
                "bmc_password": self.bmc.password, "bmc_timeout": 10}

    def power(self) -> str:
        return "on" if self.bmc.chassis.on else "off"

    def device(self):
        flags = self.bmc.chassis.flags
        return self.SELECTORS.get(flags[1] >> 2 & 0x0F) if flags[0] & 0x80 else None

    def writes(self) -> list:
        every = self.bmc.writes()
        seen, self._seen = every[self._seen:], len(every)
        return seen

    def sessions(self) -> int:
        return len(self.bmc.server.open_sessions())

    def stop(self) -> None:
        self.bmc.stop()


class Simulator(Subject):
    """OpenIPMI's ipmi_sim, which keeps its chassis in files, and loses the valid bit of its boot flags."""

    can_end_an_override = False
    devices = ["Pxe", "Hdd", "Cd"]
    WORDS = {"pxe": "Pxe", "default": "Hdd", "cdrom": "Cd"}

    def __init__(self, folder: pathlib.Path) -> None:
        self.bmc = IpmiSim(folder, sdr=full_sensor(1, "Inlet")).start()
        self._seen = 0

    def options(self) -> dict:
        return {"bmc_address": "127.0.0.1", "ipmi_port": self.bmc.port, "bmc_protocol": "ipmi", "bmc_username": self.bmc.username,
                "bmc_password": self.bmc.password, "bmc_timeout": 10,
                "bmc_quirks": [{"id": "simulator", "behaviour": "ipmi_boot_valid_bit_lost", "match": {"protocol": "ipmi"}}]}

    def power(self) -> str:
        return {"1": "on", "0": "off"}[self.bmc.state("power")]

    def device(self):
        return self.WORDS.get(self.bmc.state("boot"))

    def writes(self) -> list:
        every = self.bmc.sets()
        seen, self._seen = every[self._seen:], len(every)
        return seen

    def stop(self) -> None:
        self.bmc.stop()


def libvirt_path(folder: pathlib.Path) -> list:
    """A folder for PYTHONPATH with libvirt's bindings, linked from the system's packages where this Python can load those."""
    packages = pathlib.Path("/usr/lib/python3/dist-packages")
    suffix = sysconfig.get_config_var("EXT_SUFFIX") or ""
    found = [packages / "libvirt.py", packages / f"libvirtmod{suffix}"]
    if not all(path.exists() for path in found):
        return []
    place = folder / "bindings"
    place.mkdir(exist_ok=True)
    for path in found:
        (place / path.name).symlink_to(path)
    return [str(place)]


def has_libvirt() -> bool:
    """Whether the bindings of libvirt can be had."""
    try:
        import libvirt  # noqa: F401  pylint: disable=import-outside-toplevel,unused-import
    except ImportError:
        suffix = sysconfig.get_config_var("EXT_SUFFIX") or ""
        return (pathlib.Path("/usr/lib/python3/dist-packages") / f"libvirtmod{suffix}").exists()
    return True
