# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The initiator's side of storage over a network: what is to be connected, how, and whether it is. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.typeone.metal.plugins.module_utils._domain.hugepages import parse_size
from ansible_collections.typeone.metal.plugins.module_utils._domain.storage import Portal, Protocol, check_secrets, parse_portals

LOGIN_SECONDS = 15
"""How long one attempt to log in may take; iSCSI counts attempts by it."""
SECRET_NAMES = ("username", "password", "mutual_username", "mutual_password", "key", "controller_key")


@dataclass(frozen=True)
class Timing:
    """Seconds: `path` until a path that does not answer is given up, `queue` for which I/O waits when no path is left.

    `wait` is this run's patience, `boot` that of a booting host.
    """

    path: int
    queue: int
    wait: int
    boot: int


@dataclass(frozen=True)
class Connection:
    """A target to be connected over all its portals; `disks` are numbers with the sizes expected (None: any)."""

    name: str
    present: bool = True
    portals: tuple[Portal, ...] = ()
    disks: Mapping[int, int | None] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Path:
    """One way to a disk."""

    portal: str
    device: str
    state: str


@dataclass(frozen=True)
class SeenDisk:
    """A disk of a target as this host has it: `path` is its stable name, `ready` whether that is there."""

    number: int
    path: str
    wwn: str
    size: int
    paths: tuple[Path, ...]
    ready: bool = True

    def as_dict(self, target: str) -> dict[str, Any]:
        """Plain data."""
        return {
            "target": target,
            "number": self.number,
            "path": self.path,
            "wwn": self.wwn,
            "size": self.size,
            "paths": [{"portal": path.portal, "device": path.device, "state": path.state} for path in self.paths],
        }


def parse_connection(given: Mapping[str, Any], protocol: Protocol) -> Connection:
    """A target of the option targets. Raises ValueError."""
    name = protocol.check_name(given["name"], "targets.name")
    if given.get("state") == "absent":
        return Connection(name, present=False)
    where = f"targets[{name}]"
    secrets = {key: given[key] for key in SECRET_NAMES if given.get(key)}
    check_secrets(secrets, where)
    disks = {entry["number"]: parse_size(entry["size"]) if entry.get("size") else None for entry in given.get("disks") or []}
    return Connection(name, True, parse_portals(given.get("portals") or [], protocol, f"{where}.portals"), disks, secrets)


def shortcomings(
    connection: Connection, portals: Mapping[str, str], disks: Iterable[SeenDisk], *, settled: bool
) -> list[str]:
    """What is missing, in words: `portals` are those seen, with their states ("live" is good).

    Until it is `settled`, nothing is said of paths and names, which come after the disks.
    """
    missing = [
        f"portal {portal} is {portals.get(str(portal), 'not connected')}"
        for portal in connection.portals
        if portals.get(str(portal)) != "live"
    ]
    seen = {disk.number: disk for disk in disks}
    if not connection.disks and not seen:
        missing.append("the target shows no disk to this host")
    for number in sorted(set(connection.disks) | set(seen)):
        missing += _disk_shortcomings(number, connection, seen.get(number), settled=settled)
    return missing


def _disk_shortcomings(number: int, connection: Connection, disk: SeenDisk | None, *, settled: bool) -> list[str]:
    if disk is None:
        return [f"disk {number} is not there"]
    size = connection.disks.get(number)
    if size is not None and disk.size != size:
        return [f"disk {number} has {disk.size} bytes and not {size}"]
    if not settled:
        return []
    live = sum(path.state == "live" for path in disk.paths)
    if live < len(connection.portals):
        return [f"disk {number} has {live} of {len(connection.portals)} paths"]
    return [] if disk.ready else [f"{disk.path} is not there"]


def record_settings(connection: Connection, timing: Timing, *, multipath: bool, patience: int) -> dict[str, str]:
    """Settings of open-iscsi's record of a portal; None-like empty ones must not be there.

    With several paths a dead one is given up soon, and multipath queues; with one, the session itself queues.
    """
    secrets = connection.secrets
    return {
        "node.startup": "automatic",
        "node.conn[0].startup": "automatic",
        "node.session.auth.authmethod": "CHAP" if secrets.get("password") else "None",
        "node.session.auth.username": secrets.get("username", ""),
        "node.session.auth.password": secrets.get("password", ""),
        "node.session.auth.username_in": secrets.get("mutual_username", ""),
        "node.session.auth.password_in": secrets.get("mutual_password", ""),
        "node.session.timeo.replacement_timeout": str(timing.path if multipath else timing.queue),
        "node.session.initial_login_retry_max": str(max(1, patience // LOGIN_SECONDS)),
        "node.conn[0].timeo.login_timeout": str(LOGIN_SECONDS),
        "node.conn[0].timeo.noop_out_interval": str(timing.path),
        "node.conn[0].timeo.noop_out_timeout": str(timing.path),
    }


def merge_record(text: str, settings: Mapping[str, str]) -> str:
    """A record of open-iscsi with these settings; all else stays."""
    left, lines = {name: value for name, value in settings.items() if value}, []
    for line in text.splitlines():
        name = line.partition("=")[0].strip()
        if name in settings:
            if name in left:
                lines.append(f"{name} = {left.pop(name)}")
            continue
        if line.startswith("# END RECORD"):
            lines += [f"{key} = {value}" for key, value in left.items()]
            left = {}
        lines.append(line)
    return "\n".join(lines) + "\n"


def read_record(text: str, names: Iterable[str]) -> dict[str, str]:
    """Settings of a record by name; empty where they are not there."""
    found = dict(re.findall(r"^([^#\s][^=]*?)\s*=\s*(.*?)\s*$", text, re.MULTILINE))
    return {name: found.get(name, "") for name in names}


def settings_listing(settings: Mapping[str, str], other: Mapping[str, str], word: str) -> str:
    """Settings one a line for a diff; a secret is the word, or the same as on the other side."""
    lines = []
    for name, text in settings.items():
        if "password" in name and text:
            text = "(a secret)" if text == other.get(name) else word
        lines += [f"{name} = {text}\n"] if text else []
    return "".join(lines)


def multipath_configuration(wwns: Iterable[str], timing: Timing) -> str:
    """Settings of multipath.conf(5) for disks that are ours; I/O waits for `queue` seconds, in rounds of five."""
    lines = ["# Made by typeone.metal.host_iscsi_initiator", "multipaths {"]
    for wwn in sorted(wwns):
        lines += ["    multipath {", f"        wwid 3{wwn}", f"        no_path_retry {max(1, timing.queue // 5)}", "    }"]
    return "\n".join([*lines, "}"]) + "\n"


def fabrics_options(connection: Connection, portal: Portal, timing: Timing, *, host: tuple[str, str]) -> str:
    """What /dev/nvme-fabrics takes to connect one controller; `host` are the host's NQN and id."""
    options = {
        "transport": "tcp",
        "traddr": portal.address,
        "trsvcid": portal.port,
        "nqn": connection.name,
        "hostnqn": host[0],
        "hostid": host[1],
        "keep_alive_tmo": timing.path,
        "reconnect_delay": timing.path,
        "ctrl_loss_tmo": -1,
        "fast_io_fail_tmo": timing.queue,
        "dhchap_secret": connection.secrets.get("key"),
        "dhchap_ctrl_secret": connection.secrets.get("controller_key"),
    }
    return ",".join(f"{name}={text}" for name, text in options.items() if text is not None)


def without_secrets(options: str) -> str:
    """The options for a diff."""
    return re.sub(r"(secret)=[^,]*", r"\1=(a secret)", options)
