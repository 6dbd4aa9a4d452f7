# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hypervisor that a host really runs, in one shape for all of them; what it lacks is told with a remedy."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.typeone.metal.plugins.module_utils._host.files import below, entries, read_text
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, Programs
from ansible_collections.typeone.metal.plugins.module_utils._host.xen import is_dom0, parse_info

KVM_GET_API_VERSION = 0xAE00
"""Linux, Documentation/virt/kvm/api.rst 4.1; the stable interface is version 12."""
KVM_API = 12
MIB = 1024**2
Found = dict[str, Any]


def read_hypervisor(name: str, *, services: Sequence[str], arguments: Sequence[str], programs: Programs,
                    packages: Sequence[str] = (), settings: Sequence[Mapping[str, str]] = (), libvirt: bool = False) -> Found:
    """The state of hypervisor `name`: `ready` is true when nothing is in `problems`.

    `services` are units that must be active, `arguments` those that Xen (KVM: Linux) must have been booted with.
    With `libvirt` Xen is to answer through libvirt as well (KVM always is).
    Of `packages`, `settings` (`path`, `name`, `value`) and `services`, those that are not as asked for are in `wanting`.
    """
    found: Found = {"name": name, "running": False, "version": None, "arguments": [], "capabilities": [], "memory_bytes": None,
                    "free_bytes": None, "cpus": None, "guests": [], "info": {}, "services": {}, "problems": []}
    READERS[name](found, programs)
    if libvirt and name == "xen" and not found["problems"]:
        _read_xen_by_libvirt(found, programs)
    running = set(found["arguments"])
    missing = [word for word in arguments if word not in running]
    if missing and not found["problems"]:
        found["problems"].append(f"it was booted without {' '.join(missing)}. Set these arguments in the boot loader, reboot")
    stopped = []
    for service in services:
        state = programs.run(["systemctl", "is-active", service], check=False).stdout.strip() or "unknown"
        found["services"][service] = state
        if state != "active":
            found["problems"].append(f"{service} is {state}. See: systemctl status {service}")
        if state != "active" or programs.run(["systemctl", "is-enabled", service], check=False).rc:
            stopped.append(service)
    found["wanting"] = {"packages": missing_packages(packages, programs), "services": stopped,
                        "settings": [setting for setting in settings if not is_set(programs.root, setting)]}
    found["ready"] = not found["problems"]
    return found


def missing_packages(packages: Sequence[str], programs: Programs) -> list[str]:
    """Those of the packages that dpkg does not have installed."""
    if not packages:
        return []
    listed = programs.run(["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *packages], check=False).stdout
    installed = {line.split()[0] for line in listed.splitlines() if line.endswith(" installed")}
    return [package for package in packages if package not in installed]


def is_set(root: str, setting: Mapping[str, str]) -> bool:
    """Whether the last `name=value` line of a file that has this name has this value; comments do not count."""
    text = read_text(below(root, setting["path"]), "") or ""
    given = [line.strip().partition("=")[2] for line in text.splitlines() if line.strip().partition("=")[0] == setting["name"]]
    return given[-1:] == [setting["value"]]


def ask(programs: Programs, argv: list[str]) -> str:
    """What a program that only reads prints. Under emulation `xl` is now and then ended by a signal: asked again then."""
    for _attempt in range(2):
        outcome = programs.run(argv, check=False, timeout=120)
        if outcome.rc >= 0:
            break
    return programs.run(argv, timeout=120).stdout if outcome.rc else outcome.stdout


def values(text: str) -> dict[str, str]:
    """`name : value` lines, as `xl info` prints them."""
    return {name: value.strip() for name, value in re.findall(r"^(\w+)[ \t]*:(.*)$", text, re.MULTILINE)}


def guest_names(text: str) -> list[str]:
    """Domains of `xl list` except the control domain's."""
    return [line.split()[0] for line in text.splitlines()[1:] if line.strip() and line.split()[1] != "0"]


def _read_xen(found: Found, programs: Programs) -> None:
    root = programs.root
    found["running"] = is_dom0(root)
    if read_text(below(root, "/sys/hypervisor/type")) != "xen":
        found["problems"].append("the running kernel is not on Xen. Boot the entry of GRUB's menu with Xen")
        return
    if not found["running"]:
        found["problems"].append("this is a guest of Xen and not its control domain. Choose the machine below it")
        return
    try:
        text = ask(programs, ["xl", "info"])
        listed = ask(programs, ["xl", "list"])
    except HostError as error:
        found["problems"].append(str(error).rstrip("."))
        return
    info = parse_info(text)
    found.update({name: info[name] for name in ("version", "arguments", "capabilities", "memory_bytes", "free_bytes")})
    found["info"] = values(text)
    found["cpus"] = int(found["info"].get("nr_cpus") or 0)
    found["guests"] = guest_names(listed)


def _read_xen_by_libvirt(found: Found, programs: Programs) -> None:
    try:
        told = programs.run(["virsh", "--connect", "xen:///system", "version"], timeout=120).stdout
    except HostError as error:
        found["problems"].append(str(error).rstrip("."))
        return
    found["info"]["libvirt"] = "".join(re.findall(r"^Running hypervisor: (Xen .*)$", told, re.MULTILINE))
    if not found["info"]["libvirt"]:
        found["problems"].append("libvirt answers but not for Xen. See: virsh --connect xen:///system version")


def _read_kvm(found: Found, programs: Programs) -> None:
    root = programs.root
    found["arguments"] = (read_text(below(root, "/proc/cmdline")) or "").split()
    found["version"] = read_text(below(root, "/proc/sys/kernel/osrelease"))
    modules = [name for name in entries(below(root, "/sys/module")) if name in ("kvm_intel", "kvm_amd")]
    found["capabilities"], found["running"] = modules, bool(modules)
    found["cpus"] = len(re.findall(r"^processor\s*:", read_text(below(root, "/proc/cpuinfo"), "") or "", re.MULTILINE))
    memory = values(read_text(below(root, "/proc/meminfo"), "") or "")
    for key, name in (("memory_bytes", "MemTotal"), ("free_bytes", "MemAvailable")):
        found[key] = int((memory.get(name) or "0").split()[0]) * 1024
    found["info"] = {"api": kvm_api(below(root, "/dev/kvm")), "nested": _nested(root, modules)}
    if not modules:
        found["problems"].append("neither kvm_intel nor kvm_amd is loaded. Enable virtualisation in the firmware's "
                                 "set-up, and see: dmesg --level=err,warn")
    elif found["info"]["api"] != KVM_API:
        found["problems"].append(f"/dev/kvm does not answer as KVM (it says {found['info']['api']}). Load {modules[0]} again")
    try:
        first = programs.run(["qemu-system-x86_64", "--version"]).stdout.splitlines()[:1]
        found["info"]["qemu"] = "".join(first).removeprefix("QEMU emulator version ")
        validation = programs.run(["virt-host-validate", "qemu"], check=False, timeout=120).stdout
        listed = programs.run(["virsh", "--connect", "qemu:///system", "list", "--name"], timeout=120).stdout
    except HostError as error:
        found["problems"].append(str(error).rstrip("."))
        return
    found["info"]["validation"] = validate(validation)
    found["problems"] += [f"virt-host-validate: {what}: {text}. Correct it" for what, (verdict, text)
                          in found["info"]["validation"].items() if verdict == "FAIL"]
    found["guests"] = listed.split()


def _nested(root: str, modules: Sequence[str]) -> bool:
    """Whether guests may use KVM themselves."""
    return any(read_text(below(root, f"/sys/module/{name}/parameters/nested")) in ("1", "Y") for name in modules)


def validate(text: str) -> dict[str, list[str]]:
    """`virt-host-validate`: what was checked -> verdict (PASS, WARN, FAIL) and its explanation."""
    rows = re.findall(r"^\s*QEMU: Checking (?:for |if )?(.*?)\s*: (PASS|WARN|FAIL)(?: \((.*)\))?\s*$",
                      re.sub(r"\x1b\[[0-9;]*m", "", text), re.MULTILINE)
    return {what: [verdict, explanation] for what, verdict, explanation in rows}


def kvm_api(path: str) -> int | None:
    """The version of the interface that /dev/kvm speaks; None where there is none."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return fcntl.ioctl(handle, KVM_GET_API_VERSION)
    except OSError:
        return None
    finally:
        os.close(handle)


READERS: dict[str, Callable[[Found, Programs], None]] = {"xen": _read_xen, "kvm": _read_kvm}
