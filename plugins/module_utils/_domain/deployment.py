# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deploy decides and reports, from plain data that was read elsewhere. Pure."""

from __future__ import annotations

import typing as t
from collections import Counter

from ansible_collections.typeone.metal.plugins.module_utils._domain.disks import normalised, same_serial

Data = t.Mapping[str, t.Any]
GIB = 1024 ** 3
LARGE_DISK_GIB = 1000


def shortfalls(hardware: Data, requirements: Data, *, boot_mac: str = "") -> list[str]:
    """What a machine lacks of what is asked for, one sentence part each.

    Requirements: C(min_memory_gib), C(min_cpus) (logical processors), C(min_nics). What the BMC does not tell is
    not counted as missing, except where it tells nothing of a kind that is asked for.
    """
    system = hardware.get("system") or {}
    macs = [str(nic["mac_address"]).lower() for nic in hardware.get("network_interfaces") or [] if nic.get("mac_address")]
    memory = (system.get("memory_bytes") or 0) / GIB
    cpus = cpu_count(hardware)
    found = []
    for name, have, unit in (("min_memory_gib", memory, "GiB of memory"), ("min_cpus", cpus, "logical CPUs"),
                             ("min_nics", len(macs), "network interfaces")):
        wanted = requirements.get(name)
        if wanted is not None and have < float(wanted):
            found.append(f"it has {have:g} {unit} and {name} is {wanted}")
    if boot_mac and macs and boot_mac.lower() not in macs:
        found.append(f"typeone_boot_mac {boot_mac} is none of its interfaces ({', '.join(macs)})")
    return found


def cpu_count(hardware: Data) -> int:
    """Logical processors: threads where they are told, else cores, else packages."""
    system = hardware.get("system") or {}
    return int(system.get("thread_count") or system.get("core_count") or system.get("processor_count") or 0)


def decide(found: Data, *, node: str, image: Data, power: str, unfinished: t.Sequence[str],
           destroy: t.Sequence[str] = (), replace_running: bool = False) -> dict[str, str]:
    """Whether a node is kept, deployed, or left alone because it does something else.

    C(found) is what node_boot_info told (empty where the power is off). A running machine is only taken down where it
    is ours and unfinished, or where that was allowed.
    """
    kind = found.get("kind") or "unreachable"
    stamp = found.get("stamp") or {}
    if power == "off":
        return _answer("deploy", "it is powered off and will be deployed")
    if kind == "ramdisk":
        return _answer("deploy", "its ramdisk waits for an installation that never ended; it starts again")
    if kind == "installed" and stamp.get("node") == node:
        serial = str(stamp.get("disk_serial", ""))
        if stamp.get("image_key") == image.get("key"):
            return _answer("keep", f"it runs image {image.get('key')} from disk {serial}")
        if any(same_serial(serial, item) for item in destroy):
            return _answer("deploy", f"it runs image {stamp.get('image_key')} and will be installed anew, "
                                     f"the data on disk {serial} is lost")
        return _answer("refuse", f"it runs image {stamp.get('image_key')} and image {image.get('key')} is asked for",
                       f"To install it anew and lose what is on its disk, add '{serial}' to typeone_disk_destroy.")
    if unfinished:
        return _answer("deploy", "an earlier deploy of it never ended; it starts again")
    if replace_running:
        return _answer("deploy", "it runs something else and typeone_replace_running is set")
    return _answer("refuse", f"it is powered on and runs something that is not ours ({kind})",
                   "Power it off, or set typeone_replace_running: true to have it powered off.")


def _answer(action: str, cause: str, remedy: str = "") -> dict[str, str]:
    return {"action": action, "cause": cause, "remedy": remedy}


def count_posts(*, events: t.Sequence[Data], commanded: int, boot_ids: t.Sequence[str]) -> dict[str, t.Any]:
    """Power-on self-tests from power-on to the end, by three witnesses; the largest counts.

    The provisioner saw so many network boots, the BMC was given so many orders that end in a self-test, and the
    kernels that were met had so many boot ids (a root that is switched keeps its boot id).
    """
    scripts = Counter(words[2] for event in events if len(words := str(event.get("event")).split()) > 3
                      and words[:2] == ["boot", "script"] and words[3].startswith("fetched"))
    fetched = max(scripts.values(), default=0)  # iPXE fetches its own script and then GRUB's in one boot
    distinct = len({boot_id for boot_id in boot_ids if boot_id})
    return {"posts": max(fetched, commanded, distinct), "network_boots_seen_by_provisioner": fetched,
            "power_ons_and_resets_commanded": commanded, "kernel_boots_seen": distinct}


def disks_to_use(hardware: Data, hints: Data) -> list[str]:
    """The disks of the BMC's inventory that a serial or WWN hint names, in words; empty where it shows none."""
    wanted = {normalised(str(hints[name])) for name in ("serial", "wwn") if hints.get(name)}
    found = []
    for disk in hardware.get("disks") or []:
        serial = str(disk.get("serial_number") or "")
        named = {normalised(value) for value in (serial, str(disk.get("wwn") or "")) if value}
        if serial and (not wanted or wanted & named):
            size = disk.get("size_bytes")
            found.append(f"{serial} ({int(size) // GIB} GiB)" if size else serial)
    return found


def plan(*, node: str, decision: Data, hardware: Data, hints: Data, override: Data, power: str,
         image: Data, arguments: t.Sequence[str]) -> list[str]:
    """What a run would do, for a person who asked with --check."""
    disks = disks_to_use(hardware, hints)
    asked = ", ".join(f"{name} {value}" for name, value in hints.items())
    if disks:
        disk = f"disk {', '.join(disks)}, shown by the BMC; hints: {asked}"
    else:
        disk = f"the one disk with {asked} (the BMC shows no disk; it is looked for in the ramdisk)"
    return [
        f"{node}: {decision['cause']}.",
        f"  image: {image.get('hypervisor')} {image.get('release')}, {image.get('key')}",
        f"  disk to be written: {disk}; refused if it holds data",
        f"  power: {power} -> on; boot device: {override.get('device') or 'none'} -> pxe (once) -> disk",
        f"  kernel arguments: {' '.join(arguments) or 'none'}",
        "  reboots: 0 after the power-on (1 POST; the root is switched into the installed system)",
    ]


def argument_word(argument: Data) -> str:
    """An argument as it stands on the command line."""
    return "=".join(str(argument[name]) for name in ("name", "value") if argument.get(name) is not None)


def summary(evidence: Data, *, standing: bool) -> list[str]:
    """The deploy in a few lines."""
    system, disk, image = evidence.get("system") or {}, evidence.get("disk") or {}, evidence.get("image") or {}
    proof = evidence.get("guest_proof") or {}
    lines = [
        f"{evidence['node']}: " + ("stands as deployed, nothing was changed" if standing else "deployed"),
        f"  machine     {system.get('manufacturer') or ''} {system.get('model') or ''}".rstrip()
        + f", UUID {system.get('uuid') or 'unknown'}, serial {system.get('serial_number') or 'unknown'}",
        f"  hypervisor  {evidence.get('hypervisor_text') or evidence.get('hypervisor')}, image {image.get('key')}",
        f"  disk        serial {disk.get('serial') or 'unknown'}",
        f"  guest       {proof.get('text') or 'proven'}",
    ]
    tuning = evidence.get("tuning") or {}
    if tuning:
        words = [argument_word(item) for item in tuning.get("known_arguments") or [] if item.get("state") != "absent"]
        waits = "; it waits for a reboot (kernel_cmdline_reboot: true allows it)" if tuning.get("reboot_required") else ""
        lines.append(f"  tuning      in the first boot: {' '.join(words) or 'nothing'}{waits}")
    if not standing:
        seconds = evidence.get("power_on_to_proof_seconds")
        how = "; it was rebooted from its disk" if evidence.get("root_switched") is False else ""
        lines.append(f"  posts       {evidence.get('posts')}{how}"
                     + (f"; power-on to proven guest {seconds} s" if seconds is not None else "")
                     + ("; an earlier run began it" if evidence.get("begun_by_another_run") else ""))
    steps = [f"{phase['phase']} {phase['seconds']}" for phase in evidence.get("phases") or []
             if phase.get("seconds") is not None and not phase.get("skipped")]
    lines.append(f"  seconds     {', '.join(steps)}")
    return lines
