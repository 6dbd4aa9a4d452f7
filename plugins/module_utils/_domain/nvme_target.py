# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An NVMe subsystem over TCP as the kernel's nvmet has it in configfs. Paths are below /sys/kernel/config/nvmet."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.typeone.metal.plugins.module_utils._domain.configfs import Entry, Kind, group, link, value
from ansible_collections.typeone.metal.plugins.module_utils._domain.storage import Portal, Target, digest_of

ROOT = "/sys/kernel/config/nvmet"
MODULES = ("nvmet", "nvmet_tcp")
KEYS = ("dhchap_key", "dhchap_ctrl_key")


def wwn(target: Target, number: int) -> str:
    """The identifier that hosts see: its name in by-id."""
    return f"uuid.{target.identity(number)}"


def serial(target: Target) -> str:
    """The subsystem's serial number, 20 characters at most."""
    return target.identity(0).hex[:20]


def patterns(target: Target) -> list[tuple[Kind, str]]:
    """Where objects of this target alone are, in the order in which they are made; * stands for one name."""
    base = f"subsystems/{target.name}"
    return [
        (Kind.GROUP, base),
        (Kind.GROUP, f"{base}/namespaces/*"),
        (Kind.LINK, f"{base}/allowed_hosts/*"),
        (Kind.LINK, f"ports/*/subsystems/{target.name}"),
    ]


def port_numbers(portals: tuple[Portal, ...], known: Mapping[Portal, int]) -> dict[Portal, int]:
    """Number of each portal's port: that of one which listens there already, else one that is free."""
    numbers = {portal: known[portal] for portal in portals if portal in known}
    for portal in portals:
        number = 1 + digest_of(str(portal)) % 65535
        while portal not in numbers and (number in known.values() or number in numbers.values()):
            number = number % 65535 + 1
        numbers.setdefault(portal, number)
    return numbers


def entries(target: Target, ports: Mapping[Portal, int]) -> list[Entry]:
    """All that the target needs, in the order in which the kernel takes it; nothing for an absent one."""
    if not target.present:
        return []
    base = f"subsystems/{target.name}"
    found = []
    for initiator in target.initiators:
        found.append(group(f"hosts/{initiator.name}"))
        texts = (initiator.key or "", initiator.controller_key or "")
        # The kernel takes no key back from a host that it has: that is made anew.
        found += [value(f"hosts/{initiator.name}/{name}", text, secret=True, fixed=not text) for name, text in zip(KEYS, texts)]
    found += [group(base), value(f"{base}/attr_serial", serial(target), once=True), value(f"{base}/attr_allow_any_host", 0)]
    for disk in target.disks:
        space = f"{base}/namespaces/{disk.number}"
        identity = target.identity(disk.number)
        found += [
            group(space),
            value(f"{space}/device_path", disk.path, fixed=True),
            value(f"{space}/device_uuid", identity, fixed=True),
            value(f"{space}/device_nguid", identity, fixed=True),
            value(f"{space}/enable", 1),
        ]
    found += [link(f"{base}/allowed_hosts/{item.name}", f"hosts/{item.name}") for item in target.initiators]
    for portal in target.portals:
        port = f"ports/{ports[portal]}"
        family = "ipv6" if ":" in portal.address else "ipv4"
        attributes = (("trtype", "tcp"), ("adrfam", family), ("traddr", portal.address), ("trsvcid", str(portal.port)))
        found.append(group(port))
        found += [value(f"{port}/addr_{name}", text, once=True) for name, text in attributes]
        found.append(link(f"{port}/subsystems/{target.name}", base))
    return found
