# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A change of the network that the host itself takes back, unless the controller comes back by a new connection.

Before anything is changed the previous files are saved on the disk and a service is started that waits for the time to
be up. It needs neither the controller nor Python. After a reboot it waits for the rest of that time, so that a change
that was never confirmed is taken back then as well; a controller that comes back in the meantime still can confirm it.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ansible_collections.typeone.metal.plugins.module_utils._host.connection import Connection
from ansible_collections.typeone.metal.plugins.module_utils._host.files import (
    FileSet,
    below,
    entries,
    keep_folder,
    read_text,
    remove,
    write_atomic,
)
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, Programs
from ansible_collections.typeone.metal.plugins.module_utils._host.units import LIBEXEC, Units

BASE = "/var/lib/typeone/network"
PENDING = f"{BASE}/pending"
RESULT = f"{BASE}/result"
CONFIRMED = f"{BASE}/confirmed"
UNDONE = "/run/typeone-network-undone"
SCRIPT = f"{LIBEXEC}/network-transaction"
OLD = "this connection is older than the change"
ROLLBACK, APPLY = (f"typeone-network-{name}.service" for name in ("rollback", "apply"))

_SCRIPT = """#!/bin/sh
# Made by typeone.metal.host_network: `apply` brings a change of the network about, `rollback` takes it back once its time is up.
# PENDING/until: when that is (seconds since the epoch), and how many seconds there were.
# Lines of PENDING/files: "keep NUMBER MODE PATH" (saved as PENDING/previous/NUMBER), "link NUMBER - PATH" (to what is said there),
# "absent - - PATH", or "only - - FOLDER" (of the files in it those are left that are kept).
# Lines of PENDING/links: "apply" or "rollback", then "delete NAME", "renew NAME" (deleted, but to come back by other files),
# "replace NAME" (deleted, and forgotten by systemd-networkd), "free NAME" (out of its bond or bridge; systemd-networkd takes no
# link out of one), or "clear NAME" (without addresses too, and forgotten by NetworkManager).
# PENDING/back: the way back has begun, so that nobody can confirm any more. UNDONE: it has come as far as the links in this boot,
# with "done" and the file that could not be put back.
# A disk may be full or read-only: nothing here ends the script where it cannot write.
set -u
forget= lost=
base=@BASE@
pending=$base/pending
undone=@UNDONE@

# Until the time is up, the change has failed, or somebody has confirmed it.
wait_for_end() {
    until=0 window=0
    read -r until window <"$pending/until"
    left=$((until - $(date +%s)))
    # A clock that was set back makes it no longer.
    [ "$left" -le "$window" ] || left=$window
    read -r uptime rest </proc/uptime
    end=$((${uptime%.*} + left))
    while [ "${uptime%.*}" -lt "$end" ] && [ -e "$pending/transaction.json" ] && [ ! -e "$pending/failed" ]; do
        sleep 1
        read -r uptime rest </proc/uptime
    done
}

change_link() {
    case $1 in
    # Open vSwitch's own are not the kernel's to delete.
    delete | renew | replace) ip link delete "$2" 2>/dev/null || ovs-vsctl --timeout=10 --if-exists del-br "$2" || : ;;
    free) ip link set dev "$2" nomaster || : ;;
    clear)
        read -r index <"/sys/class/net/$2/ifindex" && rm -f "/run/NetworkManager/devices/$index"
        ip link set dev "$2" nomaster || :
        ip address flush dev "$2" scope global || :
        ;;
    esac
}

change_links() {
    # NetworkManager makes a link anew that is taken from it, and holds to the addresses that it finds: it is not to look.
    if systemctl --quiet is-active NetworkManager.service; then
        touch "$pending/held" || :
        timeout 60 systemctl stop NetworkManager.service
    fi
    while read -r when verb name; do
        if [ "$when" = "$1" ] && [ -e "/sys/class/net/$name" ]; then
            [ "$verb" != replace ] || forget=yes
            change_link "$verb" "$name"
        fi
    done <"$pending/links"
    if [ "$1" = rollback ] || [ -e "$pending/held" ] || [ -n "$forget" ]; then
        timeout 60 systemctl daemon-reload
    fi
    [ -z "$forget" ] || timeout 60 systemctl try-restart systemd-networkd.service
    if [ -e "$pending/held" ]; then
        timeout 60 systemctl start NetworkManager.service
        # It says that it has started a moment before it answers.
        for _second in 1 2 3 4 5 6 7 8 9 10; do
            ! timeout 10 nmcli --terse connection show >/dev/null 2>&1 || break
            sleep 1
        done
        rm -f "$pending/held"
    fi
}

# Whether links are there (again) that the way back deletes: in a boot they may have been made meanwhile, by the files of before.
links_are_left() {
    while read -r when verb name; do
        [ "$when $verb" != "rollback delete" ] || [ ! -e "/sys/class/net/$name" ] || return 0
    done <"$pending/links"
    return 1
}

take_back() {
    while read -r what number mode path; do
        case $what in
        keep)
            mkdir -p "${path%/*}"
            if ! { cp -p "$pending/previous/$number" "$path.typeone" && chmod "$mode" "$path.typeone" && mv "$path.typeone" "$path"; }; then
                lost=$path
                rm -f "$path.typeone"
            fi
            ;;
        link) ln -sfn "$(cat "$pending/previous/$number")" "$path" || lost=$path ;;
        absent) rm -f "$path" ;;
        only)
            for file in "$path"/*; do
                [ ! -f "$file" ] || [ -L "$file" ] || cut -d " " -f 4- "$pending/files" | grep -Fqx "$file" || rm -f "$file"
            done
            ;;
        esac
    done <"$pending/files"
}

# End the transaction once what was put back outlives a power cut. Other file systems are not waited for: they may be in this network.
settle() {
    while read -r what number mode path; do
        sync "$path" "${path%/*}" 2>/dev/null || :
    done <"$pending/files"
    rm -rf "$base/done" "$base/confirmed"
    mv "$pending" "$base/done" || return 1
    sync "$base"
    rm -rf "$base/done"
}

put_back_links() {
    for _attempt in 1 2 3; do
        change_links rollback 9>&-
        # This alone has most hosts reached again, and in the twinkling of an eye; what follows is slow where the host is.
        timeout 60 systemctl try-restart systemd-networkd.service 9>&-
        links_are_left || break
    done
    be_seen 60 9>&- &
}

restore() { timeout 180 @RESTORE@ 9>&-; }

# Where a bond fails over, a bridge on it does not tell the switches, and nobody tells a peer of another hardware address. Whatever
# the host sends does. While it has no address yet, ping ends at once: so until there is an answer, for that many seconds.
be_seen() {
    [ -n "@PEER@" ] || return 0
    read -r now rest </proc/uptime
    last=$((${now%.*} + $1))
    while [ "${now%.*}" -lt "$last" ] && ! ping -c 1 -w 2 "@PEER@" >/dev/null 2>&1; do
        sleep 1
        read -r now rest </proc/uptime
    done
}

bring_about() {
    timeout 150 @APPLY@ >"$pending/said" 2>&1 9>&-
    status=$?
    cat "$pending/said"
    return $status
}

if [ "$1" = rollback ]; then
    wait_for_end
    # A change that hangs is not waited for.
    [ ! -e "$pending/transaction.json" ] || { touch "$pending/back"; timeout 20 systemctl stop @CHANGE@; }
fi
command exec 9>"$base/lock" || :
# Whatever holds the lock: the way back is not to wait for it for ever, and nothing is to change beside it.
flock -w 20 9 || [ "$1" = rollback ] || exit 1
[ -e "$pending/transaction.json" ] || exit 0

case $1 in
apply)
    [ ! -e "$pending/applied" ] && [ ! -e "$pending/back" ] || exit 0
    ! grep -q "^apply " "$pending/links" || change_links apply 9>&-
    # A second time where the first failed: what it starts may be slow at first (Open vSwitch is).
    if ! bring_about && ! bring_about; then
        echo "the change could not be applied: $(tail -n 3 "$pending/said" | tr -s "\\n " " ")" >"$pending/failed"
    fi
    read -r uptime rest </proc/uptime
    echo "$uptime" >"$pending/applied"
    exec 9>&-
    [ -e "$pending/failed" ] || be_seen 60
    ;;
rollback)
    touch "$pending/back" || :
    take_back
    # Once in a boot, and again where a file came back meanwhile: links that are taken down each few seconds are of no use.
    if [ "$(cat "$undone" 2>/dev/null)" != "done $lost" ]; then
        put_back_links
        restore || restore || echo "the previous files are back, but could not be applied" >>"$pending/failed"
        echo "done $lost" >"$undone"
    fi
    if [ -n "$lost" ]; then
        echo "$lost could not be put back as it was, which is tried each 10 seconds (is the disk full?)" >"$base/result"
        exit 1
    fi
    { echo "rolled back"; cat "$pending/failed" 2>/dev/null; } >"$base/result"
    settle || exit 1
    exec 9>&-
    be_seen 20
    ;;
esac
exit 0
"""

_ROLLBACK = f"""# Made by typeone.metal.host_network
[Unit]
Description=Put the previous network back unless the change is confirmed in time
# In a boot, where the time may be up already, not while the network is coming up.
After=network.target
ConditionPathExists={PENDING}/transaction.json
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart={SCRIPT} rollback
# Also where something else ends it: there is a change that nobody has confirmed.
Restart=always
RestartSec=10

[Install]
WantedBy=multi-user.target
"""

_APPLY = f"""# Made by typeone.metal.host_network
[Unit]
Description=Change the network
ConditionPathExists={PENDING}/transaction.json

[Service]
Type=oneshot
# The task that starts this has to answer first: its connection may not outlive the change.
ExecStartPre=/bin/sleep 2
ExecStart={SCRIPT} apply
TimeoutStartSec=330
# The way back does not wait for a change that hangs.
TimeoutStopSec=5
"""

# netplan gives Open vSwitch 10 seconds for each step, and ends where one of them takes longer.
_OPENVSWITCH = "/etc/systemd/system/netplan-ovs-.service.d/typeone.conf"
_PATIENCE = """# Made by typeone.metal.host_network
[Service]
TimeoutStartSec=60
"""


@dataclass(frozen=True)
class Steps:
    """What a transaction does besides its files.

    `forward` and `back` are changes of links, as "delete br0", with the change and on the way back; `apply` and `restore` are
    the commands that have the files taken up. Whatever else comes into `folders` goes on the way back.
    """

    apply: str
    restore: str
    forward: tuple[str, ...] = ()
    back: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


class Transactions:
    """The transaction of the host below a root folder: there is none, or one."""

    def __init__(self, root: str, programs: Programs) -> None:
        self.root = root
        self.programs = programs

    def path(self, name: str) -> str:
        """A path of the host's in the file system that is seen here."""
        return below(self.root, name)

    def pending(self) -> dict[str, Any] | None:
        """The transaction that nobody has confirmed yet, with what has come of it so far."""
        text = read_text(self.path(f"{PENDING}/transaction.json"))
        if text is None:
            return None
        return {
            **json.loads(text),
            "applied": read_text(self.path(f"{PENDING}/applied")),
            "failure": read_text(self.path(f"{PENDING}/failed")),
            "back": os.path.exists(self.path(f"{PENDING}/back")),
        }

    def result(self) -> str | None:
        """What came of the last transaction, if the host took it back."""
        return read_text(self.path(RESULT))

    def confirmed(self) -> str | None:
        """The id of the last transaction, if it was confirmed."""
        return read_text(self.path(CONFIRMED))

    @contextmanager
    def lock(self) -> Iterator[None]:
        """No other works on the transaction meanwhile, not even the way back."""
        os.makedirs(self.path(BASE), mode=0o700, exist_ok=True)
        with open(self.path(f"{BASE}/lock"), "w", encoding="utf-8") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield

    def begin(
        self, files: FileSet, steps: Steps, *, window: int, wanted: dict[str, Any], after: str | None = None
    ) -> str:
        """Save, start the way back, write the files, and have the change applied in a moment. Returns the new id.

        `after` is the transaction that is left over, where there is one: what it has saved stays the state to go back to.
        Raises HostError where another has begun or ended meanwhile, and where the time was up before all was written.
        """
        self._expect(after)
        self.programs.run(["systemctl", "stop", APPLY], check=False)
        with self.lock():
            self._expect(after)
            for name in (RESULT, CONFIRMED, UNDONE, f"{PENDING}/applied", f"{PENDING}/failed"):
                remove(self.path(name))
            if after:
                self._arm(window)  # the time of that one is not to be up in the middle of this
                remove(self.path(f"{PENDING}/back"))
            else:
                shutil.rmtree(self.path(PENDING), ignore_errors=True)
            identity = uuid.uuid4().hex
            self._save(files, steps)
            connection = Connection.current()
            self._units(steps, connection.client or "")
            boot = read_text(self.path("/proc/sys/kernel/random/boot_id"))
            record = {"id": identity, "boot": boot, "window": window, "wanted": wanted}
            record["connection"] = connection.endpoints
            write_atomic(self.path(f"{PENDING}/transaction.json"), json.dumps(record), mode=0o600)
            self._arm(window)
            before = files.undo()
            files.write()
            if (self.pending() or {"back": True})["back"]:
                if not after:
                    before.write()
                raise HostError(
                    f"Cannot change the network of this host: it took longer than {window} s to write the change, which is taken back. "
                    "Give it more time (confirm_within)."
                )
        self._start(APPLY, "--no-block")
        return identity

    def _expect(self, identity: str | None) -> None:
        """Raise HostError unless that transaction is the one that is pending, or none."""
        if (self.pending() or {"id": None})["id"] != identity:
            raise HostError(
                "Cannot change the network of this host: another change of it began or ended while this one was planned. "
                "Nothing was changed. Run this again."
            )

    def _arm(self, window: int) -> None:
        """Have the host wait for the end of that time, from now on."""
        write_atomic(self.path(f"{PENDING}/until"), f"{int(time.time()) + window} {window}\n", mode=0o600)
        self._start(ROLLBACK, verb="restart")

    def _start(self, unit: str, *options: str, verb: str = "start") -> None:
        if self.root == "/":
            self.programs.run(["systemctl", *options, verb, unit])

    def _save(self, files: FileSet, steps: Steps) -> None:
        """Keep what is there of each file, unless an earlier transaction has kept it already."""
        previous = self.path(f"{PENDING}/previous")
        os.makedirs(previous, mode=0o700, exist_ok=True)
        lines = (read_text(self.path(f"{PENDING}/files"), "") or "").splitlines()
        kept = {line.split(" ", 3)[3] for line in lines}
        for path, (text, mode) in self._before(files, steps, kept).wanted.items():
            real, copy = self.path(path), f"{previous}/{len(lines)}"
            if os.path.islink(real):
                write_atomic(copy, os.readlink(real))
                lines.append(f"link {len(lines)} - {path}")
            elif text is None:
                lines.append(f"absent - - {path}")
            else:
                write_atomic(copy, text, mode=0o600)
                # systemd-networkd reads files with secrets by its group.
                os.chown(copy, os.stat(real).st_uid, os.stat(real).st_gid)
                lines.append(f"keep {len(lines)} {mode:o} {path}")
        lines += [f"only - - {folder}" for folder in steps.folders if folder not in kept]
        earlier = (read_text(self.path(f"{PENDING}/links"), "") or "").splitlines()
        back = [line for line in earlier if line.startswith("rollback ")] + [f"rollback {step}" for step in steps.back]
        links = [*(f"apply {step}" for step in steps.forward), *dict.fromkeys(back)]
        write_atomic(self.path(f"{PENDING}/links"), "".join(f"{line}\n" for line in links), mode=0o600)
        write_atomic(self.path(f"{PENDING}/files"), "".join(f"{line}\n" for line in lines), mode=0o600)

    def _before(self, files: FileSet, steps: Steps, kept: set[str]) -> FileSet:
        """What is there now of the files, and of all others in the folders that no earlier transaction has seen."""
        every = FileSet(self.root, dict(files.wanted))
        for folder in steps.folders if not kept.intersection(steps.folders) else ():
            for name in entries(self.path(folder)):
                path = self.path(f"{folder}/{name}")
                if os.path.isfile(path) and not os.path.islink(path):
                    every.want(f"{folder}/{name}", None)
        back = every.undo()
        back.wanted = {path: value for path, value in back.wanted.items() if not {path, os.path.dirname(path)} & kept}
        return back

    def _units(self, steps: Steps, peer: str) -> None:
        units = Units(self.root, self.programs)
        given = {"@BASE@": BASE, "@APPLY@": steps.apply, "@RESTORE@": steps.restore, "@CHANGE@": APPLY, "@PEER@": peer, "@UNDONE@": UNDONE}
        script = _SCRIPT
        for word, text in given.items():
            script = script.replace(word, text)
        units.files.want(SCRIPT, script, mode=0o755)
        units.files.want(f"/etc/systemd/system/{APPLY}", _APPLY)
        units.files.want(_OPENVSWITCH, _PATIENCE)
        units.unit(ROLLBACK, _ROLLBACK, wanted_by="multi-user.target", start=False)
        units.apply()

    def why_not(self, pending: dict[str, Any], connection: Connection) -> str | None:
        """Why a connection does not prove that the change is right; None where it does."""
        if pending["failure"] or pending["back"]:
            return pending["failure"] or self.result() or "the host is putting the previous network back"
        if pending["boot"] != read_text(self.path("/proc/sys/kernel/random/boot_id")):
            return None  # the network came up anew since, by the changed files
        if not pending["applied"]:
            return "the change has not been applied yet"
        if pending["connection"] and not connection.endpoints:
            return "this is no connection over the network, as the one was that made the change"
        if connection.endpoints and connection.began() <= float(pending["applied"]):
            return OLD
        return None

    def confirm(self, pending: dict[str, Any]) -> None:
        """End the transaction: what is there stays, and what waits for the time to be up sees that.

        Raises HostError where the host has begun to take it back.
        """
        with self.lock():
            done = self.path(f"{BASE}/done")
            shutil.rmtree(done, ignore_errors=True)
            write_atomic(self.path(CONFIRMED), pending["id"])
            now = self.pending()
            if now is None or now["back"] or now["id"] != pending["id"]:
                remove(self.path(CONFIRMED))
                raise HostError(
                    "Cannot confirm the network on this host: the time was up, the previous network is back. "
                    "See to it that the controller can come back in time (confirm_within)."
                )
            os.rename(self.path(PENDING), done)
            keep_folder(self.path(BASE))
            shutil.rmtree(done, ignore_errors=True)
