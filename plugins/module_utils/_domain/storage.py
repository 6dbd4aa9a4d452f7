# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Direct storage over a network: portals, disks, who may use them. One model for iSCSI and NVMe over TCP."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.typeone.metal.plugins.module_utils._domain.hugepages import parse_size

_NAMESPACE = uuid.UUID("9e5d4e5c-6f0a-5b0f-8c51-2f6a1d3c7b10")
"""Serial numbers of disks are made in it from the target's name and the disk's number: the same after a new installation."""

_DOMAIN = r"\d{4}-\d{2}\.[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?"
_ISCSI_NAME = re.compile(rf"^(?:iqn\.{_DOMAIN}(?::[^\s/:][^\s/]*)?|eui\.[0-9A-Fa-f]{{16}}|naa\.[0-9A-Fa-f]{{16,32}})$")
_NVME_NAME = re.compile(rf"^nqn\.{_DOMAIN}:[^\s/]+$")
_UNSTABLE = re.compile(r"^/dev/(?:(?:sd|vd|xvd|hd)[a-z]+\d*|nvme\d+n\d+(?:p\d+)?)$")
"""Names that the kernel gives in the order in which it finds disks."""
_NVME_KEY = re.compile(r"^DHHC-1:0[0-3]:[A-Za-z0-9+/]+=*:$")


@dataclass(frozen=True)
class Protocol:
    """What differs between the two, as far as the model goes."""

    title: str
    port: int
    first_disk: int
    last_disk: int
    name_pattern: re.Pattern[str]
    example: str

    def check_name(self, name: str, option: str) -> str:
        """The name of a target or initiator. Raises ValueError."""
        if len(name) > 223 or not self.name_pattern.match(name):
            raise ValueError(f"{option} {name!r} is no {self.title} name: write one such as {self.example}")
        return name


ISCSI = Protocol("iSCSI", 3260, 0, 16383, _ISCSI_NAME, "iqn.2026-01.com.example:store1")
NVME = Protocol("NVMe", 4420, 1, 1024, _NVME_NAME, "nqn.2026-01.com.example:store1")


@dataclass(frozen=True)
class Portal:
    """Where a target listens."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass(frozen=True)
class StorageDisk:
    """What is behind a LUN or namespace; `size` in bytes is that of a file, None for a block device."""

    number: int
    path: str
    size: int | None = None
    read_only: bool = False


@dataclass(frozen=True)
class Initiator:
    """Who may use a target, and how both prove who they are; empty secrets ask for none."""

    name: str
    username: str = ""
    password: str = field(default="", repr=False)
    mutual_username: str = ""
    mutual_password: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    controller_key: str = field(default="", repr=False)


@dataclass(frozen=True)
class Target:
    """One iSCSI target or NVMe subsystem."""

    name: str
    present: bool = True
    portals: tuple[Portal, ...] = ()
    disks: tuple[StorageDisk, ...] = ()
    initiators: tuple[Initiator, ...] = ()

    def identity(self, number: int) -> uuid.UUID:
        """What a disk of this target is known by, everywhere and for ever."""
        return uuid.uuid5(_NAMESPACE, f"{self.name}/{number}")

    @property
    def short(self) -> str:
        """A short word that is this target's alone: the end of its name and a digest of it."""
        tail = re.sub(r"[^A-Za-z0-9_-]", "-", re.split(r"[:.]", self.name)[-1])[:12]
        return f"{tail}-{digest_of(self.name):08x}"


def digest_of(text: str) -> int:
    """32 bits that a text always gives."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)


def parse_portals(given: Iterable[Mapping[str, Any]], protocol: Protocol, option: str) -> tuple[Portal, ...]:
    """Portals of an option. Raises ValueError."""
    portals = []
    for entry in given:
        try:
            address = str(ipaddress.ip_address(entry["address"]))
        except ValueError as error:
            raise ValueError(f"{option}.address {entry['address']!r} is no IP address: write one such as 192.0.2.12") from error
        port = entry.get("port") or protocol.port
        if not 0 < port < 65536:
            raise ValueError(f"{option}.port {port} is no port: write one from 1 to 65535, or leave it out for {protocol.port}")
        portals.append(Portal(address, port))
    if not portals:
        raise ValueError(f"{option} is empty: name at least one address")
    _once([str(portal) for portal in portals], option)
    return tuple(portals)


def parse_targets(given: Iterable[Mapping[str, Any]], protocol: Protocol) -> list[Target]:
    """The option targets. Raises ValueError."""
    targets = [parse_target(entry, protocol) for entry in given]
    _once([target.name for target in targets], "targets.name")
    return targets


def parse_target(given: Mapping[str, Any], protocol: Protocol) -> Target:
    """A target of the option targets. Raises ValueError."""
    name = protocol.check_name(given["name"], "targets.name")
    if given.get("state") == "absent":
        return Target(name, present=False)
    where = f"targets[{name}]"
    disks = tuple(_parse_disk(entry, protocol, f"{where}.disks") for entry in given.get("disks") or [])
    if not disks:
        raise ValueError(f"{where}.disks is empty: name at least one device or file, or set state: absent")
    _once([disk.number for disk in disks], f"{where}.disks.number")
    _once([disk.path for disk in disks], f"{where}.disks")
    initiators = tuple(_parse_initiator(entry, protocol, f"{where}.initiators") for entry in given.get("initiators") or [])
    if not initiators:
        raise ValueError(f"{where}.initiators is empty: name who may use the disks ({protocol.example} and the like)")
    _once([initiator.name for initiator in initiators], f"{where}.initiators.name")
    secured = [initiator for initiator in initiators if initiator.password]
    if secured and len(secured) < len(initiators):
        # LIO has one switch a target: with it on, who has no secret cannot log in.
        without = next(initiator.name for initiator in initiators if not initiator.password)
        raise ValueError(f"{where}.initiators: {without} has no password and others have: give all one, or none")
    return Target(name, True, parse_portals(given.get("portals") or [], protocol, f"{where}.portals"), disks, initiators)


def _parse_disk(given: Mapping[str, Any], protocol: Protocol, option: str) -> StorageDisk:
    number, device, file = given["number"], given.get("device"), given.get("file")
    if not protocol.first_disk <= number <= protocol.last_disk:
        raise ValueError(f"{option}.number {number} is not between {protocol.first_disk} and {protocol.last_disk}")
    if bool(device) == bool(file):
        raise ValueError(f"{option}[{number}] must have one of device and file, not {'both' if device else 'none'}")
    path = device or file
    if not path.startswith("/") or re.search(r"[\s,]", path):
        raise ValueError(f"{option}[{number}]: {path!r} must be an absolute path without blanks and commas")
    if device:
        if _UNSTABLE.match(path):
            raise ValueError(
                f"{option}[{number}].device {path} may be another disk after a reboot: name it as /dev/disk/by-id does "
                "(ls -l /dev/disk/by-id)"
            )
        if given.get("size"):
            raise ValueError(f"{option}[{number}].size belongs to a file: leave it out, {path} has its own")
        return StorageDisk(number, path, None, bool(given.get("read_only")))
    if not given.get("size"):
        raise ValueError(f"{option}[{number}].size is missing: say how large {path} is to be, such as 10G")
    size = parse_size(given["size"])
    if size % 4096 or not size:
        raise ValueError(f"{option}[{number}].size {given['size']} is no multiple of 4 KiB: write one such as 10G")
    return StorageDisk(number, path, size, bool(given.get("read_only")))


def _parse_initiator(given: Mapping[str, Any], protocol: Protocol, option: str) -> Initiator:
    name = protocol.check_name(given["name"], f"{option}.name")
    values = {key: given.get(key) or "" for key in ("username", "password", "mutual_username", "mutual_password", "key", "controller_key")}
    check_secrets(values, f"{option}[{name}]")
    return Initiator(name, **values)


def check_secrets(values: Mapping[str, str], where: str) -> None:
    """Refuse secrets that cannot work, without saying them. Raises ValueError."""
    for user, password in (("username", "password"), ("mutual_username", "mutual_password")):
        if bool(values.get(user)) != bool(values.get(password)):
            raise ValueError(f"{where} must have both of {user} and {password}, or none")
        if values.get(password) and not 12 <= len(values[password]) <= 255:
            raise ValueError(f"{where}.{password} has {len(values[password])} characters: take 12 to 255 (RFC 7143, 9.2.1)")
    if values.get("mutual_password") and not values.get("password"):
        raise ValueError(f"{where}.mutual_password needs password as well: the target asks first")
    if values.get("mutual_password") and values["mutual_password"] == values.get("password"):
        raise ValueError(f"{where}.mutual_password is the password: take another (RFC 7143, 9.2.1)")
    if values.get("controller_key") and not values.get("key"):
        raise ValueError(f"{where}.controller_key needs key as well: the host proves itself first")
    for name, text in values.items():
        if re.search(r"[\t\r\n]", text or ""):
            raise ValueError(f"{where}.{name} has tabs or line feeds: leave them out")
        if name.endswith("key") and text and not _NVME_KEY.match(text):
            raise ValueError(f"{where}.{name} is no key: make one by nvme gen-dhchap-key (DHHC-1:00:...:)")


def _once(values: list[Any], option: str) -> None:
    twice = next((entry for position, entry in enumerate(values) if entry in values[:position]), None)
    if twice is not None:
        raise ValueError(f"{option} has {twice} twice: name it once")
