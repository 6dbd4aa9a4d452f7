# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script by which a host changes its network and takes that back, on a tree, with programs that only say that they were run."""

from __future__ import annotations

import os
import subprocess

import pytest
from ansible_collections.typeone.metal.plugins.module_utils._host import network_transaction
from ansible_collections.typeone.metal.plugins.module_utils._host.files import FileSet
from ansible_collections.typeone.metal.plugins.module_utils._host.network_transaction import BASE, ROLLBACK, SCRIPT, Steps, Transactions
from ansible_collections.typeone.metal.plugins.module_utils._host.profiles import PROFILES
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import Outcome, Programs

FOLDERS = ("/sys/class/net", "/run/NetworkManager", BASE, PROFILES, "/etc/typeone")
SAYING = """#!/bin/sh
echo "${0##*/} $*" >>ROOT/said
case "${0##*/} $*" in
"systemctl --quiet is-active"*) [ -e ROOT/manager ] ;;
"systemctl stop Net"*) rm ROOT/manager ;;
"systemctl start Net"*) : >ROOT/manager ;;
"bring apply") [ ! -e ROOT/broken ] || { echo "no such thing"; exit 4; } ;;
esac
"""


class Silent(Programs):
    """Runs nothing."""

    def run(self, argv, **_given) -> Outcome:
        return Outcome(tuple(argv), 0, "", "")


@pytest.fixture(name="begun")
def _begun(host):
    """A transaction that nobody began over the network."""
    return begin(host)


def begin(host):
    """A tree on which a transaction has begun; its script works on the tree."""
    host.write(f"{PROFILES}/eno1.nmconnection", "old").write(f"{PROFILES}/with blank [1].nmconnection", "old")
    for index, name in enumerate(("br0", "br9", "eno1")):
        host.write(f"/sys/class/net/{name}/ifindex", index).write(f"/run/NetworkManager/devices/{index}", "")
    files = FileSet(host.root)
    files.want("/etc/typeone/nmstate.yml", "new")
    steps = Steps("bring apply", "bring restore", ("delete br9",), ("delete br0", "clear eno1", "free eno2"), (PROFILES,))
    Transactions(host.root, Silent()).begin(files, steps, window=60, wanted={})
    host.write(f"{PROFILES}/eno1.nmconnection", "changed").write(f"{PROFILES}/br0.nmconnection", "made")
    (host.path / "bin").mkdir()
    for name in ("systemctl", "ip", "nmcli", "bring", "ovs-vsctl", "ping"):
        (host.path / "bin" / name).write_text(SAYING.replace("ROOT", host.root), encoding="utf-8")
        (host.path / "bin" / name).chmod(0o755)
    for path in (SCRIPT, f"{BASE}/pending/files"):
        text = host.read(path)
        for folder in FOLDERS:
            text = text.replace(folder, host.root + folder)
        host.write(path, text)
    return host


def play(host, verb: str) -> list[str]:
    """Run the script; what it has run."""
    environment = {**os.environ, "PATH": f"{host.path}/bin:{os.environ['PATH']}"}
    subprocess.run(["sh", host.root + SCRIPT, verb], env=environment, check=True, timeout=60)
    return host.read("/said").splitlines()


HELD = ["systemctl --quiet is-active NetworkManager.service", "systemctl stop NetworkManager.service"]
FREED = ["systemctl daemon-reload", "systemctl start NetworkManager.service", "nmcli --terse connection show"]


def test_networkmanager_does_not_see_how_links_go(begun):
    """Neither by the change nor on the way back."""
    begun.write("/manager", "")
    assert play(begun, "apply") == [*HELD, "ip link delete br9", *FREED, "bring apply"]
    assert begun.exists(f"{BASE}/pending/applied") and not begun.exists(f"{BASE}/pending/failed")
    (begun.path / "said").unlink()
    cleared = ["ip link set dev eno1 nomaster", "ip address flush dev eno1 scope global"]
    assert play(begun, "rollback") == [*HELD, "ip link delete br0", *cleared, *FREED, "systemctl try-restart systemd-networkd.service", "bring restore"]
    assert begun.exists("/run/NetworkManager/devices/0") and not begun.exists("/run/NetworkManager/devices/2")


def test_where_it_does_not_run_it_is_not_started(begun):
    """And systemd is not told of new files but on the way back."""
    assert play(begun, "apply") == [HELD[0], "ip link delete br9", "bring apply"]
    (begun.path / "said").unlink()
    assert play(begun, "rollback")[-3:] == ["systemctl daemon-reload", "systemctl try-restart systemd-networkd.service", "bring restore"]


def test_a_way_back_that_was_cut_off_starts_it_again(begun):
    """It was held when the change was ended."""
    begun.write(f"{BASE}/pending/held", "")
    assert "systemctl start NetworkManager.service" in play(begun, "rollback")


def test_files_are_put_back_and_others_go(begun):
    """Names may have blanks and brackets; what came of it is told."""
    play(begun, "rollback")
    assert sorted(os.listdir(begun.root + PROFILES)) == ["eno1.nmconnection", "with blank [1].nmconnection"]
    assert begun.read(f"{PROFILES}/eno1.nmconnection") == "old" and not begun.exists("/etc/typeone/nmstate.yml")
    assert begun.read(f"{BASE}/result") == "rolled back" and not begun.exists(f"{BASE}/pending")


def test_the_time_to_confirm_is_not_begun_anew_by_systemd_and_begins_anew_after_a_reboot(host):
    """OnActiveSec counts from the last daemon-reload, OnBootSec does not (systemd.timer(5), and systemd 252 as it is)."""
    host.write("/proc/uptime", "1000.55 20.00")
    Transactions(host.root, Silent()).begin(FileSet(host.root), Steps("bring apply", "bring restore"), window=60, wanted={})
    timer = host.read("/etc/systemd/system/typeone-network-rollback.timer").splitlines()
    assert {"OnActiveSec=60s", "OnBootSec=1061s"} <= set(timer)


def test_the_host_sends_something_whenever_its_network_has_changed(host, monkeypatch):
    """To the controller, wherever the switches believe the host to be: a bridge on a bond that failed over does not tell them."""
    monkeypatch.setattr(network_transaction.Connection, "current", lambda: network_transaction.Connection("203.0.113.1 5 192.0.2.10 22", 1))
    begun = begin(host)
    assert play(begun, "apply")[-2:] == ["bring apply", "ping -c 1 -w 10 203.0.113.1"]
    assert [line for line in play(begun, "rollback")[-4:] if "ping" in line or "bring" in line] == [
        "ping -c 1 -w 5 203.0.113.1", "bring restore", "ping -c 1 -w 10 203.0.113.1"]


def test_what_failed_is_not_waited_for(host, monkeypatch):
    """The way back begins at once."""
    monkeypatch.setattr(network_transaction.Connection, "current", lambda: network_transaction.Connection("203.0.113.1 5 192.0.2.10 22", 1))
    begun = begin(host).write("/broken", "")
    assert play(begun, "apply")[-2:] == ["bring apply", f"systemctl --no-block start {ROLLBACK}"]


def test_what_fails_twice_is_taken_back_at_once(begun):
    """With what was said."""
    begun.write("/broken", "")
    assert play(begun, "apply")[-3:] == ["bring apply", "bring apply", f"systemctl --no-block start {ROLLBACK}"]
    assert begun.read(f"{BASE}/pending/failed") == "the change could not be applied: no such thing"
    play(begun, "rollback")
    assert begun.read(f"{BASE}/result").splitlines() == ["rolled back", "the change could not be applied: no such thing"]
