# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host as an iSCSI initiator: open-iscsi's records, sessions as the kernel shows them, multipath where there are several."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator

from ansible_collections.typeone.metal.plugins.module_utils._domain.deadline import Deadline, wait_until
from ansible_collections.typeone.metal.plugins.module_utils._domain.storage import ISCSI, Portal
from ansible_collections.typeone.metal.plugins.module_utils._domain.storage_paths import (
    Connection,
    Path,
    SeenDisk,
    merge_record,
    multipath_configuration,
    read_record,
    record_settings,
    settings_listing,
)
from ansible_collections.typeone.metal.plugins.module_utils._host.files import (
    FileSet,
    entries,
    read_text,
    write_atomic,
)
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import Outcome
from ansible_collections.typeone.metal.plugins.module_utils._host.storage_initiator import (
    Diff,
    StorageInitiator,
    connections_listing,
    device_size,
    shown,
)

NAME_FILE = "/etc/iscsi/initiatorname.iscsi"
RECORDS = ("/etc/iscsi/nodes", "/var/lib/iscsi/nodes")
"""Where open-iscsi keeps its records: on Debian and Ubuntu, and on the Red Hat family."""
MULTIPATH = "/etc/multipath/conf.d"
WWIDS = "/etc/multipath/wwids"
LOGIN_SERVICES = ("open-iscsi.service", "iscsi.service")
"""What logs in at boot: on Debian and Ubuntu, and on the Red Hat family."""
STATES = {"LOGGED_IN": "live", "FAILED": "failed", "FREE": "free"}

# Exit statuses of iscsiadm(8).
_ALREADY = 15
REMEDIES = {
    4: "See that the target listens on this portal and that nothing between drops it.",
    8: "See that the target listens on this portal and that nothing between drops it.",
    19: "See that the target lists this initiator's name, and that the target is there.",
    24: "Compare this initiator's name and its secrets with the target's list, or its mutual ones where they are used.",
}


class IscsiInitiator(StorageInitiator):
    """Sessions of open-iscsi."""

    protocol = ISCSI

    def check_host(self, *, check: bool) -> None:
        present = [] if check else [each for each in self.connections if each.present]
        if present:
            self.programs.need("iscsiadm")
        if any(self._several(each) for each in present):
            self.programs.need("multipath")

    def identify(self, *, check: bool) -> Diff:
        return self._name(check=check) + self._services(check=check)

    def _services(self, *, check: bool) -> Diff:
        """Have what logs in at boot, and multipath where it is needed, enabled and running."""
        present, diff = [each for each in self.connections if each.present], []
        several = any(self._several(each) for each in present)
        states = {name: self._unit("is-enabled", name) for name in (*LOGIN_SERVICES, "iscsid.socket", "multipathd.service")}
        wanted = ["iscsid.socket", *[name for name in LOGIN_SERVICES if states[name]][:1]] if present else []
        for name in wanted + (["multipathd.service"] if several else []):
            if states[name] == "disabled":
                diff.append(shown(name, "disabled\n", "enabled\n"))
                if not check:
                    self.programs.run(["systemctl", "enable", name])
        if several and not check and self._unit("is-active", "multipathd.service") != "active":
            self.programs.run(["systemctl", "start", "multipathd.service"])
        return diff

    def _unit(self, question: str, name: str) -> str:
        """What systemd says of a unit; nothing where there is none."""
        return self.programs.run(["systemctl", question, name], check=False).stdout.strip().replace("not-found", "")

    def _name(self, *, check: bool) -> Diff:
        kept = re.findall(r"^InitiatorName=(\S+)", read_text(self.below(NAME_FILE), "") or "", re.MULTILINE)
        if not self.name or kept == [self.name]:
            return []
        files = FileSet(self.root)
        files.want(NAME_FILE, f"InitiatorName={self.name}\n", mode=0o600)
        diff = files.diff()
        if not check and files.write():
            # Sessions outlive the daemon; it reads the name when it starts.
            self.programs.run(["systemctl", "try-restart", "iscsid.service"])
        return diff

    # What the kernel has

    def _sessions(self, connection: Connection) -> Iterator[tuple[str, str]]:
        """(number, portal) of each session of a target."""
        base = self.below("/sys/class/iscsi_session")
        for name in entries(base):
            number = name.removeprefix("session")
            if read_text(f"{base}/{name}/targetname") == connection.name:
                place = self.below(f"/sys/class/iscsi_connection/connection{number}:0/persistent_")
                address, port = read_text(f"{place}address", ""), read_text(f"{place}port", "")
                yield number, str(Portal(address, int(port or 0)))

    def _state(self, number: str) -> str:
        state = read_text(self.below(f"/sys/class/iscsi_session/session{number}/state"), "")
        return STATES.get(state, state.lower())

    def portals(self, connection: Connection) -> dict[str, str]:
        return {portal: self._state(number) for number, portal in self._sessions(connection)}

    def disks(self, connection: Connection) -> list[SeenDisk]:
        found: dict[int, list[tuple[str, Path]]] = {}
        for number, portal in self._sessions(connection):
            pattern = self.below(f"/sys/class/iscsi_session/session{number}/device/target*/*:*:*:*/block/*")
            for place in sorted(glob.glob(pattern)):
                lun = int(place.split("/")[-3].rpartition(":")[2])
                running = read_text(os.path.join(place, "../../state")) == "running"
                state = self._state(number) if running else "failed"
                found.setdefault(lun, []).append((place, Path(portal, f"/dev/{os.path.basename(place)}", state)))
        return [self._disk(connection, lun, seen) for lun, seen in sorted(found.items())]

    def _disk(self, connection: Connection, lun: int, seen: list[tuple[str, Path]]) -> SeenDisk:
        wwn = (read_text(os.path.join(seen[0][0], "../../wwid"), "") or "").removeprefix("naa.")
        paths = tuple(path for _place, path in seen)
        size = device_size(seen[0][0])
        if not self._several(connection) and len(paths) == 1:
            name = f"/dev/disk/by-id/wwn-0x{wwn}"
            return SeenDisk(lun, name, wwn, size, paths, os.path.exists(self.below(name)))
        name = f"/dev/disk/by-id/dm-uuid-mpath-3{wwn}"
        mapped = self._mapped(wwn)
        ready = os.path.exists(self.below(name)) and all(os.path.basename(path.device) in mapped for path in paths)
        return SeenDisk(lun, name, wwn, size, paths, ready)

    def _mapped(self, wwn: str) -> list[str]:
        """Devices that multipath has put together for a disk."""
        base = self.below("/sys/block")
        for name in entries(base):
            if name.startswith("dm-") and read_text(f"{base}/{name}/dm/uuid") == f"mpath-3{wwn}":
                return entries(f"{base}/{name}/slaves")
        return []

    @staticmethod
    def _several(connection: Connection) -> bool:
        return len(connection.portals) > 1

    # open-iscsi's records

    def _record(self, connection: Connection, portal: Portal) -> str | None:
        """The file of a portal's record; one whose target's group was discovered is in a folder."""
        for folder in RECORDS:
            base = glob.escape(self.below(f"{folder}/{connection.name}/{portal.address},{portal.port}"))
            for path in sorted(glob.glob(base) + glob.glob(f"{base},*/default") + glob.glob(f"{base},*")):
                if os.path.isfile(path):
                    return path
        return None

    def _kept_portals(self, connection: Connection) -> list[str]:
        """Portals that there are records of, as iscsiadm takes them."""
        names = {name for folder in RECORDS for name in entries(self.below(f"{folder}/{connection.name}"))}
        parts = (name.split(",") for name in sorted(names))
        return [str(Portal(words[0], int(words[1]))) for words in parts if len(words) > 1]

    def connect(self, connection: Connection, *, check: bool) -> Diff:
        diff, live = [], self.portals(connection)
        kept = [str(portal) for portal in connection.portals]
        for portal in self._kept_portals(connection):
            if portal not in kept:
                diff.append(shown(f"{connection.name} {portal}", f"kept{' and connected' if portal in live else ''}\n", ""))
                if not check:
                    self._forget(connection, portal)
        for portal in connection.portals:
            diff += self._connect(connection, portal, connected=str(portal) in live, check=check)
        seen = {disk.number for disk in self.disks(connection)}
        if not check and live and set(connection.disks) - seen:
            # LUNs that came after the login.
            self.programs.run(["iscsiadm", "--mode", "node", "--targetname", connection.name, "--rescan"])
        diff += [shown(connection.name, "", f"disk {number}\n") for number in sorted(set(connection.disks) - seen) if live]
        return diff

    def _connect(self, connection: Connection, portal: Portal, *, connected: bool, check: bool) -> Diff:
        """One portal: its record, and its session."""
        path = self._record(connection, portal)
        text = (read_text(path, "") or "") if path else ""
        wanted = self._settings(connection, self.timing.boot)
        current = read_record(text, wanted)
        if current == wanted and connected:
            return []
        before = settings_listing(current, wanted, "(another secret)") + ("connected\n" if connected else "")
        after = settings_listing(wanted, wanted, "(a secret)") + "connected\n"
        if not check:
            where = ["--mode", "node", "--targetname", connection.name, "--portal", str(portal)]
            if path is None:
                self.programs.run(["iscsiadm", *where, "--op", "new"])
            if not connected:
                self._login(connection, portal, where, new=path is None)
            self._write_record(connection, portal, wanted)
        return [shown(f"{connection.name} {portal}", before, after)]

    def _settings(self, connection: Connection, patience: int) -> dict[str, str]:
        return record_settings(connection, self.timing, multipath=self._several(connection), patience=patience)

    def _write_record(self, connection: Connection, portal: Portal, settings: dict[str, str]) -> None:
        path = self._record(connection, portal)
        if path is None:
            raise self.problem(f"iscsiadm made no record of {connection.name} at {portal}. See {RECORDS[0]}.")
        write_atomic(path, merge_record(read_text(path, "") or "", settings), mode=0o600)

    def _login(self, connection: Connection, portal: Portal, where: list[str], *, new: bool) -> None:
        """Log in, with this run's patience; a record that was made for it goes where that fails."""
        self._write_record(connection, portal, self._settings(connection, self.timing.wait))
        done = self.programs.run(["iscsiadm", *where, "--login"], check=False, timeout=self.timing.wait + 120)
        if done.rc in (0, _ALREADY):
            return
        if new:
            self.programs.run(["iscsiadm", *where, "--op", "delete"], check=False)
        raise self.problem(f"{connection.name} at {portal} lets us not log in: {_said(done)} {REMEDIES.get(done.rc, '')}".rstrip())

    def _forget(self, connection: Connection, portal: str) -> None:
        where = ["--mode", "node", "--targetname", connection.name, "--portal", portal]
        if portal in self.portals(connection):
            self.programs.run(["iscsiadm", *where, "--logout"])
        self.programs.run(["iscsiadm", *where, "--op", "delete"], check=False)

    def disconnect(self, connection: Connection, *, check: bool) -> Diff:
        live, kept = self.portals(connection), self._kept_portals(connection)
        files = self._multipath_files(connection, ())
        diff = files.diff()
        if live or kept:
            diff.append(shown(connection.name, connections_listing(sorted({*live, *kept})), ""))
        if not check:
            for disk in self.disks(connection):
                if self._mapped(disk.wwn):
                    self.programs.run(["multipath", "-f", f"3{disk.wwn}"])
                if self._remembered(disk.wwn):
                    self.programs.run(["multipath", "-w", f"3{disk.wwn}"], check=False)
            for portal in sorted({*live, *kept}):
                self._forget(connection, portal)
            if files.write():
                self.programs.run(["multipathd", "reconfigure"], check=False)
        return diff

    # multipath

    def _remembered(self, wwn: str) -> bool:
        return f"/3{wwn}/" in (read_text(self.below(WWIDS), "") or "")

    def _multipath_files(self, connection: Connection, wwns: tuple[str, ...]) -> FileSet:
        files = FileSet(self.root)
        name = re.sub(r"[^A-Za-z0-9.-]", "-", connection.name)
        files.want(f"{MULTIPATH}/typeone-{name}.conf", multipath_configuration(wwns, self.timing) if wwns else None)
        main = "/etc/multipath.conf"
        if wwns and not os.path.exists(self.below(main)):
            files.want(main, "# Made by typeone.metal.host_iscsi_initiator: the Red Hat family starts multipathd only with it.\n")
        return files

    def settle(self, connection: Connection, *, check: bool) -> Diff:
        """Have multipath put the paths together: it takes only disks that it is told of."""
        if not self._several(connection):
            return []
        if not check:
            # After a boot multipath may still be at it.
            wait_until(
                lambda: all(disk.ready for disk in self.disks(connection) if self._remembered(disk.wwn)),
                bool,
                deadline=Deadline(min(20, self.timing.wait)),
            )
        disks = self.disks(connection)
        files = self._multipath_files(connection, tuple(disk.wwn for disk in disks))
        new = [disk for disk in disks if not self._remembered(disk.wwn) or not disk.ready]
        diff = files.diff() if disks else []
        diff += [shown(disk.path, "", f"{len(disk.paths)} paths\n") for disk in new]
        if not check and diff:
            files.write()
            for disk in new:
                self.programs.run(["multipath", "-a", disk.paths[0].device], check=False)
            self.programs.run(["multipathd", "reconfigure"])
        return diff


def _said(done: Outcome) -> str:
    """What iscsiadm said, without its own name and numbers."""
    lines = [re.sub(r"^iscsiadm: ", "", line) for line in done.stderr.splitlines() if line.startswith("iscsiadm:")]
    text = next((line for line in lines if "initiator reported error" in line), lines[-1] if lines else done.complaint)
    return text.rstrip(".") + "."
