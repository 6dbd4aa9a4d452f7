# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SR-IOV virtual functions by PCI address, made before the network comes up; IOMMU groups checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ansible_collections.typeone.metal.plugins.module_utils._domain.cmdline import arguments_from_tokens
from ansible_collections.typeone.metal.plugins.module_utils._host.files import below, entries, link_name, read_text
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, Programs
from ansible_collections.typeone.metal.plugins.module_utils._host.topology import PCI_ADDRESS, pci_section
from ansible_collections.typeone.metal.plugins.module_utils._host.units import LIBEXEC, Units
from ansible_collections.typeone.metal.plugins.module_utils._host.xen import is_dom0, parse_info

CONFIGURATION = "/etc/typeone/sriov.conf"
SERVICE = "typeone-sriov.service"

_SCRIPT = """#!/bin/sh
# Made by typeone.metal.host_sriov: makes virtual functions.
# Lines of the configuration: ADDRESS FUNCTIONS AUTOPROBE DRIVER ("-": the driver that claims them)
set -u
sys=${TYPEONE_SYS:-/sys}
wait=${TYPEONE_WAIT:-30}
failed=0
while read -r address count probe driver; do
    case "$address" in ''|\\#*) continue ;; esac
    device=$sys/bus/pci/devices/$address
    # sriov_numvfs can be written once the driver of the physical function is there.
    while [ ! -e "$device/driver" ] && [ "$wait" -gt 0 ]; do sleep 1; wait=$((wait - 1)); done
    [ ! -e "$device/sriov_drivers_autoprobe" ] || echo "$probe" > "$device/sriov_drivers_autoprobe"
    read -r now < "$device/sriov_numvfs"
    if [ "$now" != "$count" ]; then
        [ "$now" = 0 ] || echo 0 > "$device/sriov_numvfs"
        echo "$count" > "$device/sriov_numvfs" || failed=1
    fi
    [ "$driver" != - ] || continue
    [ "$sys" != /sys ] || modprobe -q "$driver" || :
    for function in "$device"/virtfn*; do
        [ -e "$function/vendor" ] || continue
        name=$(basename "$(readlink -f "$function")")
        [ "$(basename "$(readlink -f "$function/driver" 2>/dev/null)")" != "$driver" ] || continue
        echo "$driver" > "$function/driver_override"
        [ ! -e "$function/driver" ] || echo "$name" > "$function/driver/unbind"
        echo "$name" > "$sys/bus/pci/drivers_probe" || failed=1
    done
done < "${1:-/etc/typeone/sriov.conf}"
exit "$failed"
"""

_UNIT = f"""# Made by typeone.metal.host_sriov
[Unit]
Description=Make SR-IOV virtual functions
DefaultDependencies=no
After=systemd-udevd.service systemd-modules-load.service local-fs.target
Wants=network-pre.target
Before=network-pre.target shutdown.target
Conflicts=shutdown.target
ConditionPathExists={CONFIGURATION}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={LIBEXEC}/sriov {CONFIGURATION}

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True)
class Request:
    """What a task asks for; see the module's options."""

    functions: list[dict[str, Any]]
    iommu: bool = True
    replace: bool = False
    root: str = "/"


class Sriov:
    """The virtual functions of the host below a root folder."""

    def __init__(self, request: Request, programs: Programs | None = None) -> None:
        self.request = request
        self.programs = programs or Programs(root=request.root)

    def run(self, *, check: bool) -> dict[str, Any]:
        """Bring the virtual functions about, and say how they are grouped. Raises HostError."""
        wanted = {str(item["address"]).lower(): item for item in self.request.functions}
        before = {device["address"]: device for device in pci_section(self.request.root)}
        for address in self._recorded() - set(wanted):
            if address in before:
                wanted[address] = {"address": address, "count": 0}
        for address, item in wanted.items():
            self._validate(address, item, before)
        running = self._iommu()
        if is_dom0(self.request.root) and self.request.iommu and self.request.functions and not running:
            raise HostError(
                "Cannot give virtual functions of this host to guests: Xen has no IOMMU (virt_caps of xl info). Turn it on in the "
                "firmware's setup (VT-d, AMD-Vi), boot Xen without iommu=off, or set iommu to false. Nothing was changed."
            )
        units = self._units(wanted)
        changed, diff = units.changed(), units.diff()
        off = [address for address, item in wanted.items() if not _as_asked(item, before[address], before)]
        after = before
        if not check:
            units.apply()
            if off:
                self._apply(wanted)
                after = {device["address"]: device for device in pci_section(self.request.root)}
            self._verify(wanted, after)
        if off:
            diff.append(_diff(off, before, wanted))
        groups = self._groups(wanted, after)
        return {
            "changed": changed or bool(off),
            "diff": diff,
            "warnings": self._warnings(groups),
            "arguments": arguments_from_tokens(self._arguments(bool(self.request.functions))),
            "sriov": {
                "functions": {a: (after[a]["sriov"] or {}) for a in wanted},
                "iommu": {"active": running, "groups": groups},
                "satisfied": running or not (self.request.iommu and self.request.functions),
            },
        }

    def _recorded(self) -> set[str]:
        text = read_text(below(self.request.root, CONFIGURATION), "") or ""
        return set(re.findall(r"^([0-9a-f:.]+) \d+ ", text, re.MULTILINE))

    def _validate(self, address: str, item: dict[str, Any], devices: dict[str, dict[str, Any]]) -> None:
        def refuse(cause: str, remedy: str) -> HostError:
            return HostError(
                f"Cannot make {item['count']} virtual functions of {address} on this host: {cause}. {remedy}"
            )

        if not PCI_ADDRESS.match(address):
            raise refuse("this is not a PCI address", "Write it as 0000:3b:00.0.")
        if address not in devices:
            able = [a for a, device in devices.items() if device["sriov"]]
            raise refuse("there is no such device", f"With SR-IOV there are: {', '.join(able) or 'none'}.")
        sriov = devices[address]["sriov"]
        if sriov is None:
            raise refuse("it has no SR-IOV", "Turn SR-IOV on in the firmware's setup and on the card.")
        if not 0 <= item["count"] <= sriov["total"]:
            raise refuse(f"it has at most {sriov['total']}", f"Choose 0 to {sriov['total']}.")
        if devices[address]["driver"] is None and item["count"]:
            raise refuse("no driver has the physical function", "Load its driver first.")
        if sriov["enabled"] and sriov["enabled"] != item["count"] and not self.request.replace:
            raise refuse(
                f"{sriov['enabled']} are there, and the kernel takes them all away to change their number, "
                "from guests too",
                "Set replace: true once nothing uses them.",
            )

    def _units(self, wanted: dict[str, dict[str, Any]]) -> Units:
        units = Units(self.request.root, self.programs)
        lines = "".join(
            f"{address} {item['count']} {int(item.get('autoprobe') is not False)} {item.get('driver') or '-'}\n"
            for address, item in sorted(wanted.items())
            if item["count"]
        )
        units.files.want(CONFIGURATION, f"# ADDRESS FUNCTIONS AUTOPROBE DRIVER\n{lines}" if lines else None)
        units.files.want(f"{LIBEXEC}/sriov", _SCRIPT if lines else None, mode=0o755 if lines else 0o644)
        # Not started now: the script is run below, where its words can be told.
        units.unit(SERVICE, _UNIT if lines else None, wanted_by="multi-user.target", start=False)
        return units

    def _apply(self, wanted: dict[str, dict[str, Any]]) -> None:
        """Run the script that the next boot runs too; functions to take away are written here."""
        sys = below(self.request.root, "/sys")
        for address in (a for a, item in wanted.items() if not item["count"]):
            try:
                with open(f"{sys}/bus/pci/devices/{address}/sriov_numvfs", "w", encoding="utf-8") as stream:
                    stream.write("0\n")
            except OSError as error:
                raise HostError(
                    f"Cannot take the virtual functions of {address} away on this host: {error.strerror}. "
                    "See whether a guest has them."
                ) from error
        if any(item["count"] for item in wanted.values()):
            script, configuration = below(self.request.root, f"{LIBEXEC}/sriov"), below(
                self.request.root, CONFIGURATION
            )
            Programs().run(["/bin/sh", script, configuration], env={"TYPEONE_SYS": sys, "TYPEONE_WAIT": "10"})

    def _verify(self, wanted: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]) -> None:
        for address, item in wanted.items():
            found = after[address]["sriov"]["enabled"]
            if found != item["count"]:
                raise HostError(
                    f"Cannot make {item['count']} virtual functions of {address} on this host: the kernel made "
                    f"{found}. Look into the kernel's log; firmware without room for their memory (above 4G decoding) is common."
                )
            others = _others(item, after[address], after)
            if others:
                raise HostError(
                    f"Cannot give the virtual functions of {address} to {item['driver']} on this host: {', '.join(others)}. "
                    "See whether the driver is there (modprobe) and takes such a device."
                )

    def _iommu(self) -> bool:
        """Whether devices can be given to guests. Under Xen, Linux sees no groups: Xen has the IOMMU."""
        if is_dom0(self.request.root):
            capabilities = parse_info(self.programs.run(["xl", "info", "-n"]).stdout)["capabilities"]
            return not {"hvm_directio", "pv_directio"}.isdisjoint(capabilities)
        return bool(entries(below(self.request.root, "/sys/kernel/iommu_groups")))

    def _arguments(self, asked: bool) -> list[str]:
        """Arguments that turn the IOMMU on for devices given to guests. AMD's is on by itself; Xen has its own."""
        if not asked or not self.request.iommu or is_dom0(self.request.root):
            return []
        info = read_text(below(self.request.root, "/proc/cpuinfo"), "") or ""
        return ["intel_iommu=on", "iommu=pt"] if "GenuineIntel" in info else ["iommu=pt"]

    def _groups(self, wanted: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
        """Each virtual function's IOMMU group and what else is in it."""
        found = []
        for address in wanted:
            for name in (after[address]["sriov"] or {}).get("functions", []):
                group = link_name(below(self.request.root, f"/sys/bus/pci/devices/{name}/iommu_group"))
                folder = below(self.request.root, f"/sys/kernel/iommu_groups/{group}/devices")
                others = [member for member in entries(folder) if member != name] if group else []
                found.append({"function": name, "group": int(group) if group else None, "shared_with": others})
        return found

    def _warnings(self, groups: list[dict[str, Any]]) -> list[str]:
        return [
            f"The virtual function {item['function']} shares its IOMMU group with {', '.join(item['shared_with'])}: "
            "they can be given to one guest only, together (no ACS on the way to the card)."
            for item in groups
            if item["shared_with"]
        ]


def _as_asked(item: dict[str, Any], device: dict[str, Any], devices: dict[str, dict[str, Any]]) -> bool:
    sriov = device["sriov"]
    if sriov["enabled"] != item["count"]:
        return False
    return not _others(item, device, devices)


def _others(item: dict[str, Any], device: dict[str, Any], devices: dict[str, dict[str, Any]]) -> list[str]:
    """Virtual functions that another driver has than the one asked for, or none, in words."""
    drivers = {name: devices[name]["driver"] for name in device["sriov"]["functions"] if name in devices}
    wanted = item.get("driver")
    return [f"{name} has {driver or 'no driver'}" for name, driver in drivers.items() if wanted and driver != wanted]


def _diff(off: list[str], before: dict[str, dict[str, Any]], wanted: dict[str, dict[str, Any]]) -> dict[str, str]:
    found = {"before": "", "after": ""}
    for address in off:
        sriov, item = before[address]["sriov"], wanted[address]
        driver = f", each with {item['driver']}" if item.get("driver") and item["count"] else ""
        others = f", {'; '.join(_others(item, before[address], before))}" if _others(item, before[address], before) else ""
        found["before"] += f"{address}: {sriov['enabled']} virtual functions{others}\n"
        found["after"] += f"{address}: {item['count']} virtual functions{driver}\n"
    return found
