# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host as an NVMe host over TCP: controllers by the kernel's own door, /dev/nvme-fabrics; paths are the kernel's own too."""

from __future__ import annotations

import errno
import os
import re
import uuid
from collections.abc import Iterator

from ansible_collections.typeone.metal.plugins.module_utils._domain.deadline import Deadline
from ansible_collections.typeone.metal.plugins.module_utils._domain.storage import NVME, Portal, digest_of
from ansible_collections.typeone.metal.plugins.module_utils._domain.storage_paths import (
    Connection,
    Path,
    SeenDisk,
    fabrics_options,
    without_secrets,
)
from ansible_collections.typeone.metal.plugins.module_utils._host.files import (
    FileSet,
    entries,
    read_text,
    remove,
    write_atomic,
)
from ansible_collections.typeone.metal.plugins.module_utils._host.kernel_options import need_kernel_option
from ansible_collections.typeone.metal.plugins.module_utils._host.storage_initiator import (
    Diff,
    StorageInitiator,
    connections_listing,
    device_size,
    shown,
)
from ansible_collections.typeone.metal.plugins.module_utils._host.units import LIBEXEC, Units

FABRICS = "/dev/nvme-fabrics"
FOLDER = "/etc/typeone/nvme-initiator"
SCRIPT = f"{LIBEXEC}/nvme-connect"
SERVICE = "typeone-nvme-initiator.service"
_UUID_NAME = "nqn.2014-08.org.nvmexpress:uuid:"

_CONNECT = """#!/bin/sh
# Made by typeone.metal.host_nvme_initiator: connects at boot what is not connected yet, and tries again for a while.
# Lines of *.connections: NQN, ADDRESS, PORT and OPTIONS of /dev/nvme-fabrics, parted by tabs.
set -u
folder=$1 seconds=$2
tab=$(printf '\\t')
start=$(date +%s)

connected() {
    for controller in /sys/class/nvme/nvme*; do
        [ -e "$controller/subsysnqn" ] || continue
        read -r name <"$controller/subsysnqn"
        read -r place <"$controller/address"
        [ "$name" = "$1" ] || continue
        case "$place," in
        "traddr=$2,trsvcid=$3,"*) return 0 ;;
        esac
    done
    return 1
}

# Through cat, which says what the kernel answers, and keeps keys out of the list of processes.
connect() {
    options=$1 queues=$(getconf _NPROCESSORS_ONLN)
    until said=$(printf '%s' "$options" | LC_ALL=C cat 2>&1 >/dev/nvme-fabrics); do
        case "$said" in
        *cross-device*) ;;  # a queue with none but isolated processors
        *) return 1 ;;
        esac
        queues=$((queues / 2))
        [ "$queues" -gt 0 ] || return 1
        options="$1,nr_io_queues=$queues"
    done
}

while :; do
    left=""
    for file in "$folder"/*.connections; do
        while IFS="$tab" read -r nqn address port options; do
            connected "$nqn" "$address" "$port" && continue
            connect "$options" || left="$left $nqn at $address:$port"
        done <"$file"
    done
    [ -n "$left" ] || exit 0
    if [ $(($(date +%s) - start)) -ge "$seconds" ]; then
        echo "not connected:$left" >&2
        exit 1
    fi
    sleep 3
done
"""

_UNIT = """# Made by typeone.metal.host_nvme_initiator
[Unit]
Description=Connect NVMe subsystems over TCP
Wants=network-online.target remote-fs-pre.target
After=network-online.target
Before=remote-fs-pre.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStartPre=/sbin/modprobe nvme_tcp
ExecStart={script} {folder} {seconds}

[Install]
WantedBy=multi-user.target
"""

_LATER = {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT, errno.ECONNRESET}
"""A target that is not there yet."""
REMEDIES = {
    errno.ECONNREFUSED: "See that the target listens on this portal.",
    errno.EHOSTUNREACH: "See that this host reaches the portal's network.",
    errno.ENETUNREACH: "See that this host reaches the portal's network.",
    errno.ETIMEDOUT: "See that nothing between drops the connection.",
    errno.EINVAL: "The kernel does not take an option; see the last lines of dmesg.",
}
_REFUSED = "See that the subsystem is there, lists this host's NQN, and that the keys agree; dmesg says more."


class NvmeInitiator(StorageInitiator):
    """Controllers of nvme-tcp."""

    protocol = NVME

    def check_host(self, *, check: bool) -> None:
        if any(connection.secrets for connection in self.connections):
            need_kernel_option(("NVME_AUTH", "NVME_HOST_AUTH"), "keys (DH-HMAC-CHAP) of NVMe", root=self.root)

    # Who this host is

    def _host(self) -> tuple[str, str]:
        """The host's NQN and id: as given or kept, else made from the machine's UUID."""
        kept = read_text(self.below("/etc/nvme/hostnqn"), "") or ""
        name = self.name or kept
        if not name:
            machine = (read_text(self.below("/sys/class/dmi/id/product_uuid"), "") or str(uuid.uuid4())).lower()
            name = f"{_UUID_NAME}{machine}"
        number = read_text(self.below("/etc/nvme/hostid"), "") or ""
        if not number or name != kept:
            # Kernels want one id for one name.
            inside = name.removeprefix(_UUID_NAME)
            number = inside if name.startswith(_UUID_NAME) else str(uuid.uuid5(uuid.NAMESPACE_URL, name))
        return name, number

    def identify(self, *, check: bool) -> Diff:
        self.host = self._host()
        files = FileSet(self.root)
        for path, text in zip(("/etc/nvme/hostnqn", "/etc/nvme/hostid"), self.host):
            if read_text(self.below(path)) != text:
                files.want(path, f"{text}\n")
        diff = files.diff()
        if not check:
            files.write()
        return diff

    # What the kernel has

    def _controllers(self, connection: Connection) -> Iterator[tuple[str, str]]:
        """(name, portal) of each controller of a subsystem."""
        base = self.below("/sys/class/nvme")
        for name in entries(base):
            address = re.match(r"traddr=([^,]+),trsvcid=(\d+)", read_text(f"{base}/{name}/address", "") or "")
            if address and read_text(f"{base}/{name}/subsysnqn") == connection.name:
                yield name, str(Portal(address[1], int(address[2])))

    def _state(self, controller: str) -> str:
        return read_text(self.below(f"/sys/class/nvme/{controller}/state"), "") or "unknown"

    def portals(self, connection: Connection) -> dict[str, str]:
        return {portal: self._state(name) for name, portal in self._controllers(connection)}

    def disks(self, connection: Connection) -> list[SeenDisk]:
        base = self.below("/sys/class/nvme-subsystem")
        controllers, found = list(self._controllers(connection)), []
        for subsystem in entries(base):
            if read_text(f"{base}/{subsystem}/subsysnqn") == connection.name:
                heads = [name for name in entries(f"{base}/{subsystem}") if re.fullmatch(r"nvme\d+n\d+", name)]
                found += [self._disk(f"{base}/{subsystem}/{name}", controllers) for name in heads]
        return sorted(found, key=lambda disk: disk.number)

    def _disk(self, place: str, controllers: list[tuple[str, str]]) -> SeenDisk:
        """One namespace; its paths are called nvmeXcYnZ, below their controllers."""
        head = os.path.basename(place)
        subsystem, space = re.fullmatch(r"nvme(\d+)(n\d+)", head).groups()
        paths = []
        for name, portal in controllers:
            own = re.compile(rf"nvme{subsystem}c\d+{space}|{head}")
            devices = [entry for entry in entries(self.below(f"/sys/class/nvme/{name}")) if own.fullmatch(entry)]
            paths += [Path(portal, name, self._state(name)) for _device in devices]
        wwn = read_text(f"{place}/wwid", "") or ""
        link = f"/dev/disk/by-id/nvme-{wwn}"
        number = int(read_text(f"{place}/nsid", "0") or 0)
        return SeenDisk(number, link, wwn, device_size(place), tuple(paths), os.path.exists(self.below(link)))

    # What is kept, and what is done

    def _record_path(self, connection: Connection) -> str:
        tail = re.sub(r"[^A-Za-z0-9_-]", "-", re.split(r"[:.]", connection.name)[-1])[:12]
        return self.below(f"{FOLDER}/{tail}-{digest_of(connection.name):08x}.connections")

    def _units(self, *, needed: bool) -> Units:
        units = Units(self.root, self.programs)
        text = _UNIT.format(script=SCRIPT, folder=FOLDER, seconds=self.timing.boot)
        units.unit(SERVICE, text if needed else None, wanted_by="multi-user.target", start=False)
        units.files.want(SCRIPT, _CONNECT if needed else None, mode=0o755)
        return units

    def connect(self, connection: Connection, *, check: bool) -> Diff:
        options = {portal: fabrics_options(connection, portal, self.timing, host=self.host) for portal in connection.portals}
        text = "".join(
            f"{connection.name}\t{portal.address}\t{portal.port}\t{line}\n" for portal, line in options.items()
        )
        path, units, live = self._record_path(connection), self._units(needed=True), self.portals(connection)
        kept = read_text(path, "") or ""
        diff = units.files.diff()
        if kept != text.strip():
            diff.append(shown(path, without_secrets(kept), without_secrets(text)))
        to_connect = [portal for portal in connection.portals if str(portal) not in live]
        to_leave = [portal for portal in live if portal not in map(str, connection.portals)]
        if to_connect or to_leave:
            after = connections_listing(connection.portals)
            diff.append(shown(connection.name, connections_listing(live), after))
        if not check:
            self.programs.run(["modprobe", "nvme_tcp"])
            deadline = Deadline(self.timing.wait)
            for portal in to_connect:
                self._open(connection, portal, options[portal], deadline)
            self._leave(connection, to_leave)
            if kept != text.strip():
                write_atomic(path, text, mode=0o600)
            units.apply()
        return diff

    def _open(self, connection: Connection, portal: Portal, options: str, deadline: Deadline) -> None:
        """Connect one controller, and try again while the target is not there. Raises HostError."""
        while True:
            try:
                connect(self.below(FABRICS), options)
                return
            except OSError as error:
                if error.errno == errno.EALREADY:
                    return
                if error.errno in _LATER and not deadline.passed:
                    deadline.sleep(2.0)
                    continue
                remedy = REMEDIES.get(error.errno or 0, _REFUSED)
                raise self.problem(f"{connection.name} at {portal} is not to be had: {error.strerror}. {remedy}") from error

    def _leave(self, connection: Connection, portals: list[str]) -> None:
        for name, portal in list(self._controllers(connection)):
            if portal in portals:
                with open(self.below(f"/sys/class/nvme/{name}/delete_controller"), "w", encoding="ascii") as stream:
                    stream.write("1")

    def disconnect(self, connection: Connection, *, check: bool) -> Diff:
        path, live = self._record_path(connection), self.portals(connection)
        others = [name for name in entries(self.below(FOLDER)) if name != os.path.basename(path)]
        wanted = any(each.present for each in self.connections)
        units = self._units(needed=bool(others) or wanted)
        kept, diff = read_text(path), units.files.diff() if not others and not wanted else []
        if live or kept is not None:
            diff.append(shown(connection.name, connections_listing(live) or "kept\n", ""))
        if not check:
            remove(path)
            if diff:
                units.apply()
            self._leave(connection, list(live))
        return diff


def connect(path: str, options: str) -> None:
    """Connect a controller, with fewer queues where the kernel wants one for each processor and cannot have them. Raises OSError.

    Linux leaves a queue whose processors are all isolated or offline without one that may run it, and answers EXDEV for the
    whole controller (nvme-cli issue 3424). One queue serves all processors, so that half as many, and half of those, end well.
    """
    queues, more = os.cpu_count() or 1, ""
    while True:
        try:
            write_fabrics(path, options + more)
            return
        except OSError as error:
            queues //= 2
            if error.errno != errno.EXDEV or not queues:
                raise
            more = f",nr_io_queues={queues}"


def write_fabrics(path: str, options: str) -> None:
    """Have the kernel connect a controller: it does so within the write. Raises OSError."""
    handle = os.open(path, os.O_RDWR)
    try:
        os.write(handle, options.encode())
    finally:
        os.close(handle)
