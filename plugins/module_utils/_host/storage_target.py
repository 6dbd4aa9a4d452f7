# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Storage targets of a host (LIO for iSCSI, nvmet for NVMe over TCP): looked at, planned, set up, read back, kept over boots."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from ansible_collections.typeone.metal.plugins.module_utils._domain import iscsi_target, nvme_target
from ansible_collections.typeone.metal.plugins.module_utils._domain.configfs import Entry, Found, Kind, listing, plan
from ansible_collections.typeone.metal.plugins.module_utils._domain.storage import (
    ISCSI,
    NVME,
    Portal,
    Protocol,
    Target,
    parse_targets,
)
from ansible_collections.typeone.metal.plugins.module_utils._host.backings import Backing, Backings
from ansible_collections.typeone.metal.plugins.module_utils._host.configfs import BOOT_SCRIPT, ConfigTree, record
from ansible_collections.typeone.metal.plugins.module_utils._host.files import below, entries, read_text, remove, write_atomic
from ansible_collections.typeone.metal.plugins.module_utils._host.kernel_options import need_kernel_option
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, Programs
from ansible_collections.typeone.metal.plugins.module_utils._host.units import LIBEXEC, Units

SCRIPT = f"{LIBEXEC}/make-kernel-objects"

_UNIT = """# Made by typeone.metal
[Unit]
Description={title} targets made by typeone.metal
Wants=network-online.target
After=local-fs.target network-online.target sys-kernel-config.mount {others}
PartOf={others}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStartPre=/sbin/modprobe --all {modules}
ExecStart={script} {root} {folder}

[Install]
WantedBy=multi-user.target
"""

Plan = tuple[list[Entry], Found]


class StorageTargets:
    """The targets that a task names; others are left alone."""

    protocol: Protocol
    kernel_root: str
    kernel_modules: tuple[str, ...]
    kernel_folders: tuple[str, ...] = ()
    word: str  # in names of files and units
    others: str  # units that make targets as well: ours come after them, and again when they start again
    by_id: str

    def __init__(self, params: dict[str, Any], programs: Programs | None = None) -> None:
        self.root = params["root"]
        self.programs = programs or Programs(root=self.root)
        self.backings = Backings(self.root, self.programs, params["accept_data"])
        self.tree = ConfigTree(below(self.root, self.kernel_root))
        self.folder = f"/etc/typeone/{self.word}"
        try:
            self.targets = parse_targets(params["targets"], self.protocol)
        except ValueError as error:
            raise HostError(
                f"Cannot set up {self.protocol.title} targets on this host: {error}. Nothing was changed."
            ) from error

    def entries(self, target: Target) -> list[Entry]:
        """What the kernel should have of a target."""
        raise NotImplementedError

    def patterns(self, target: Target) -> list[tuple[Kind, str]]:
        """Where the kernel has what is this target's alone."""
        raise NotImplementedError

    def wwn(self, target: Target, number: int) -> str:
        """What initiators know a disk by."""
        raise NotImplementedError

    def header(self, target: Target) -> str:
        """The first line of what is kept for the boot."""
        return ""

    def check_kernel(self) -> None:
        """Refuse what this kernel cannot. Raises HostError."""

    def settled(self, target: Target) -> None:
        """What there is to do once a target has changed."""

    def run(self, *, check: bool) -> dict[str, Any]:
        """Bring the targets about. Raises HostError; for what can be known before, before anything is touched."""
        self.check_kernel()
        looked = [self._look(target) for target in self.targets]
        self._check_backings(looked)
        if not check and any(target.present for target in self.targets):
            self._load()
        changed, diff = False, []
        for target, backings in zip(self.targets, looked):
            different, shown = self._settle(target, backings, check=check)
            changed |= different
            diff += shown
        units = self._units()
        changed |= units.changed()
        diff += units.diff()
        if not check:
            units.apply()
        described = [self._describe(target, backings) for target, backings in zip(self.targets, looked)]
        return {"changed": changed, "diff": diff, "targets": described}

    def _load(self) -> None:
        for folder in self.kernel_folders:
            os.makedirs(below(self.root, folder), exist_ok=True)
        self.programs.run(["modprobe", "--all", *self.kernel_modules])

    def _plan(self, target: Target) -> Plan:
        wanted = self.entries(target)
        return wanted, self.tree.read(self.patterns(target), wanted)

    def _look(self, target: Target) -> list[Backing]:
        kept = {line.split("\t")[-1] for line in (read_text(self._record_path(target), "") or "").splitlines()}
        kept |= {text for _kind, text in self._plan(target)[1].values()}
        return [self.backings.look(disk, exported=disk.path in kept) for disk in target.disks]

    def _check_backings(self, looked: Sequence[Sequence[Backing]]) -> None:
        """Refuse what two targets would export, and files that have no room beside the others. Raises HostError."""
        kept = self._kept_of_others()
        owners = {self.backings.identity(path): name for path, name in kept.items()}
        for target, backings in zip(self.targets, looked):
            for backing in backings:
                identity = self.backings.identity(backing.disk.path)
                owner = owners.setdefault(identity, f"disk {backing.disk.number} of {target.name}")
                if owner != f"disk {backing.disk.number} of {target.name}":
                    raise HostError(
                        f"Cannot export {backing.disk.path} of this host as disk {backing.disk.number} of {target.name}: it is {owner} "
                        "already. Initiators would take them for two disks and overwrite each other's data. Give each its own, or "
                        "name all initiators in one target. Nothing was changed."
                    )
        self.backings.check_room([backing for backings in looked for backing in backings], kept)

    def _kept_of_others(self) -> dict[str, str]:
        """Backings of targets that are kept for the boot and are not asked about, of both protocols, and whose they are."""
        ours, found = {self._record_path(target) for target in self.targets}, {}
        for word in (IscsiTargets.word, NvmeTargets.word):
            folder = below(self.root, f"/etc/typeone/{word}")
            for path in (f"{folder}/{name}" for name in entries(folder) if name.endswith(".steps")):
                texts = [line.split("\t")[-1] for line in (read_text(path, "") or "").splitlines()] if path not in ours else []
                found.update({text: f"a disk of what is kept in {path}" for text in texts if text.startswith("/")})
        return found

    def _settle(self, target: Target, backings: Sequence[Backing], *, check: bool) -> tuple[bool, list[dict[str, str]]]:
        """One target: its files, its objects, what is kept for the boot. Returns whether it changes, and the diff."""
        wanted, found = self._plan(target)
        steps, new = plan(wanted, found), [backing for backing in backings if backing.make]
        kept = self.header(target) + record(plan(wanted, {})) if wanted else ""
        path, diff = self._record_path(target), []
        unkept = kept.strip() != (read_text(path, "") or "")
        if steps:
            before, after = listing(wanted, found)
            diff.append({"before_header": target.name, "after_header": target.name, "before": before, "after": after})
        diff += [
            {"after_header": backing.disk.path, "before": "", "after": f"a file of {backing.size} bytes\n"} for backing in new
        ]
        if not check:
            for backing in new:
                self.backings.make(backing)
            self.tree.apply(steps, f"the target {target.name}")
            self._verify(target)
            if steps:
                self.settled(target)
            if kept and unkept:
                write_atomic(path, kept, mode=0o600)
            elif unkept:
                remove(path)
        return bool(steps or new or unkept), diff

    def _verify(self, target: Target) -> None:
        """See that the kernel has what was asked for. Raises HostError."""
        left = plan(*self._plan(target))
        if left:
            places = ", ".join(f"{step.verb.value} {step.path}" for step in left[:3])
            raise HostError(
                f"Cannot set up the target {target.name} on this host: the kernel took every step, and does not show it "
                f"(still to do: {places}). Something else changes it, such as targetcli: end that and run again."
            )

    def _record_path(self, target: Target) -> str:
        return below(self.root, f"{self.folder}/{target.short}.steps")

    def _units(self) -> Units:
        """The unit that makes all kept targets again at boot; none where nothing is kept any more."""
        names = {f"{target.short}.steps": target.present for target in self.targets}
        others = [name for name in entries(below(self.root, self.folder)) if name.endswith(".steps")]
        needed = any(names.values()) or any(name not in names for name in others)
        text = _UNIT.format(
            title=self.protocol.title,
            others=self.others,
            modules=" ".join(self.kernel_modules),
            script=SCRIPT,
            root=self.kernel_root,
            folder=self.folder,
        )
        units = Units(self.root, self.programs)
        units.unit(f"typeone-{self.word}.service", text if needed else None, wanted_by="multi-user.target")
        if needed:
            units.files.want(SCRIPT, BOOT_SCRIPT, mode=0o755)
        return units

    def _describe(self, target: Target, backings: Sequence[Backing]) -> dict[str, Any]:
        return {
            "name": target.name,
            "state": "present" if target.present else "absent",
            "portals": [str(portal) for portal in target.portals],
            "initiators": [initiator.name for initiator in target.initiators],
            "disks": [
                {
                    "number": backing.disk.number,
                    "backing": backing.disk.path,
                    "size": backing.size,
                    "wwn": self.wwn(target, backing.disk.number),
                    "path": f"/dev/disk/by-id/{self.by_id}{self.wwn(target, backing.disk.number)}",
                }
                for backing in backings
            ],
        }


class IscsiTargets(StorageTargets):
    """Targets of LIO."""

    protocol = ISCSI
    kernel_root = iscsi_target.ROOT
    kernel_modules = iscsi_target.MODULES
    kernel_folders = iscsi_target.FOLDERS
    word = "iscsi-target"
    others = "target.service rtslib-fb-targetctl.service"
    by_id = "wwn-0x"

    def entries(self, target: Target) -> list[Entry]:
        stores = [path for kind, pattern in self.patterns(target)[1:2] for path in self.tree.find(kind, pattern)]
        return iscsi_target.entries(target, stores)

    def patterns(self, target: Target) -> list[tuple[Kind, str]]:
        return iscsi_target.patterns(target)

    def wwn(self, target: Target, number: int) -> str:
        return iscsi_target.wwn(target, number)

    def settled(self, target: Target) -> None:
        """Have targetctl save what it would restore as it was before: at boot its word comes first."""
        saved = [read_text(below(self.root, f"{folder}/saveconfig.json"), "") for folder in iscsi_target.SAVED]
        if any(f'"{target.name}"' in text for text in saved) and self.programs.find("targetctl"):
            self.programs.run(["targetctl", "save"])

    def header(self, target: Target) -> str:
        return f"unless\tiscsi/{target.name}\t{iscsi_target.store_path(target, target.disks[0])}\n"


class NvmeTargets(StorageTargets):
    """Subsystems of nvmet, over TCP."""

    protocol = NVME
    kernel_root = nvme_target.ROOT
    kernel_modules = nvme_target.MODULES
    word = "nvme-target"
    others = "nvmet.service"
    by_id = "nvme-"

    def check_kernel(self) -> None:
        if any(initiator.key for target in self.targets for initiator in target.initiators):
            need_kernel_option(("NVME_TARGET_AUTH",), "keys (DH-HMAC-CHAP) of NVMe", root=self.root)

    def entries(self, target: Target) -> list[Entry]:
        return nvme_target.entries(target, nvme_target.port_numbers(target.portals, self._known_ports()))

    def patterns(self, target: Target) -> list[tuple[Kind, str]]:
        """Hosts and ports are shared by subsystems: those that only this one uses are its own."""
        own = nvme_target.patterns(target)
        hosts = self._only_here("subsystems/*/allowed_hosts/*", f"subsystems/{target.name}/allowed_hosts/")
        ports = self._only_here("ports/*/subsystems/*", "", f"/subsystems/{target.name}")
        return [
            *((Kind.GROUP, f"hosts/{name}") for name in hosts),
            *own[:-1],
            *((Kind.GROUP, f"ports/{number}") for number in ports),
            own[-1],
        ]

    def _only_here(self, pattern: str, start: str, end: str = "") -> list[str]:
        """The names that * stands for (the last one, or the first), where every match has this start and end."""
        users: dict[str, list[bool]] = {}
        for path in self.tree.find(Kind.LINK, pattern):
            name = path.split("/")[1] if end else path.rpartition("/")[2]
            users.setdefault(name, []).append(path.startswith(start) and path.endswith(end))
        return [name for name, own in users.items() if all(own)]

    def wwn(self, target: Target, number: int) -> str:
        return nvme_target.wwn(target, number)

    def _known_ports(self) -> dict[Portal, int]:
        known = {}
        for path in self.tree.find(Kind.GROUP, "ports/*"):
            kind, address, port = (
                read_text(os.path.join(self.tree.base, path, f"addr_{name}"), "") for name in ("trtype", "traddr", "trsvcid")
            )
            if kind == "tcp" and port.isdigit():
                known[Portal(address, int(port))] = int(path.rpartition("/")[2])
        return known
