# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long an override is waited for that a BMC shows otherwise than asked."""

from __future__ import annotations

from ansible_collections.typeone.metal.plugins.module_utils._domain.boot import BootDevice, BootOverride, FirmwareMode, Persistence
from ansible_collections.typeone.metal.plugins.module_utils._domain.change import Change
from ansible_collections.typeone.metal.plugins.module_utils._resources import boot_device

ONCE = BootOverride(device=BootDevice.PXE, persistence=Persistence.ONCE, firmware_mode=FirmwareMode.UEFI)


class Bmc:
    """Shows one override after the other, the last for ever."""

    def __init__(self, *shown):
        self.shown = list(shown)
        self.reads = 0

    def write(self, wanted):
        """Take it."""

    def read(self, wanted=None):
        """Show the next."""
        self.reads += 1
        return self.shown.pop(0) if len(self.shown) > 1 else self.shown[0]


class OfThisBmc(boot_device.BootDeviceResource):
    """The resource at a BMC of the test's."""

    bmc = None


def applied(bmc, monkeypatch):
    """Ask for one network boot, with a patience of an hour; what is right but for the persistence settles at once."""
    monkeypatch.setattr(boot_device, "SETTLE", 0.0)
    monkeypatch.setattr(OfThisBmc, "bmc", bmc)
    resource = OfThisBmc({"wait_timeout": 3600}, tell=lambda text: None)
    return resource.apply(Change(before={}, after={}, steps=(ONCE,)))


def test_a_bmc_that_keeps_the_override_is_not_waited_for_to_the_end(monkeypatch):
    """It is told as not verified, with what it shows."""
    effect = applied(Bmc(BootOverride(device=BootDevice.PXE, persistence=Persistence.CONTINUOUS, firmware_mode=FirmwareMode.UEFI)), monkeypatch)
    assert effect.verified is False and "continuous" in effect.warnings[0]


def test_another_device_is_waited_for(monkeypatch):
    """A BMC that is slow to show the right one."""
    bmc = Bmc(BootOverride(device=BootDevice.DISK), BootOverride(device=BootDevice.DISK), ONCE)
    assert applied(bmc, monkeypatch).verified is True and bmc.reads == 3
