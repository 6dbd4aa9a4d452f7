# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script by which a host changes its network and takes that back, on a tree, with programs that only say that they were run."""

from __future__ import annotations

import os
import subprocess

import pytest
from ansible_collections.typeone.metal.plugins.module_utils._host import network_transaction
from ansible_collections.typeone.metal.plugins.module_utils._host.files import FileSet
from ansible_collections.typeone.metal.plugins.module_utils._host.network_transaction import APPLY, BASE, ROLLBACK, SCRIPT, UNDONE, Steps, Transactions
from ansible_collections.typeone.metal.plugins.module_utils._host.profiles import PROFILES
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, Outcome, Programs

FOLDERS = ("/sys/class/net", "/run/NetworkManager", BASE, PROFILES, "/etc/typeone", "/proc/uptime", UNDONE)
NOW = 1_800_000_000  # by the host's clock
SAYING = """#!/bin/sh
echo "${0##*/} $*" >>ROOT/said
case "${0##*/} $*" in
"systemctl --quiet is-active"*) [ -e ROOT/manager ] ;;
"systemctl stop Net"*) rm ROOT/manager ;;
"systemctl start Net"*) : >ROOT/manager ;;
"ip link delete"*) rm -rf ROOT/sys/class/net/$3 ;;
"systemctl try-restart"*) [ ! -e ROOT/meanwhile ] || mv ROOT/meanwhile ROOT/sys/class/net/br0 ;;
"bring apply") [ ! -e ROOT/broken ] || { echo "no such thing"; exit 4; } ;;
esac
"""
# Time goes on while the script sleeps.
TIME = {"date": f"#!/bin/sh\necho {NOW}\n", "sleep": """#!/bin/sh
read -r uptime rest <ROOT/proc/uptime
[ ! -e ROOT/sleep.$uptime ] || eval "$(cat ROOT/sleep.$uptime)"
echo "$((${uptime%.*} + $1)).55 20.00" >ROOT/proc/uptime
"""}


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
    steps = Steps("bring apply", "bring restore", ("delete br9",), ("delete br0", "renew bond1", "clear eno1", "free eno2"), (PROFILES,))
    Transactions(host.root, Silent()).begin(files, steps, window=60, wanted={})
    host.write(f"{PROFILES}/eno1.nmconnection", "changed").write(f"{PROFILES}/br0.nmconnection", "made")
    host.write("/proc/uptime", "1000.55 20.00").write(f"{BASE}/pending/until", f"{NOW} 60")
    (host.path / "bin").mkdir()
    programs = {**dict.fromkeys(("systemctl", "ip", "nmcli", "bring", "ovs-vsctl", "ping"), SAYING), **TIME}
    for name, text in programs.items():
        (host.path / "bin" / name).write_text(text.replace("ROOT", host.root), encoding="utf-8")
        (host.path / "bin" / name).chmod(0o755)
    for path in (SCRIPT, f"{BASE}/pending/files"):
        text = host.read(path)
        for folder in FOLDERS:
            text = text.replace(folder, host.root + folder)
        host.write(path, text)
    return host


def play(host, verb: str, *, status: int = 0) -> list[str]:
    """Run the script; what it has run."""
    environment = {**os.environ, "PATH": f"{host.path}/bin:{os.environ['PATH']}"}
    done = subprocess.run(["sh", host.root + SCRIPT, verb], env=environment, check=False, timeout=60)
    assert done.returncode == status
    return host.read("/said").splitlines() if host.exists("/said") else []


def waited(host) -> int:
    """How long the script slept, in seconds."""
    return int(float(host.read("/proc/uptime").split()[0])) - 1000


STOPPED = f"systemctl stop {APPLY}"
HELD = ["systemctl --quiet is-active NetworkManager.service", "systemctl stop NetworkManager.service"]
FREED = ["systemctl daemon-reload", "systemctl start NetworkManager.service", "nmcli --terse connection show"]


def test_networkmanager_does_not_see_how_links_go(begun):
    """Neither by the change nor on the way back."""
    begun.write("/manager", "")
    assert play(begun, "apply") == [*HELD, "ip link delete br9", *FREED, "bring apply"]
    assert begun.exists(f"{BASE}/pending/applied") and not begun.exists(f"{BASE}/pending/failed")
    (begun.path / "said").unlink()
    cleared = ["ip link set dev eno1 nomaster", "ip address flush dev eno1 scope global"]
    restarted = "systemctl try-restart systemd-networkd.service"
    assert play(begun, "rollback") == [STOPPED, *HELD, "ip link delete br0", *cleared, *FREED, restarted, "bring restore"]
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


def test_a_link_that_came_up_meanwhile_goes_as_well(begun):
    """In a boot the daemon may make it of the previous files after it was looked for."""
    (begun.path / "meanwhile").mkdir()
    done = play(begun, "rollback")
    assert done.count("ip link delete br0") == done.count("systemctl try-restart systemd-networkd.service") == 2
    assert not begun.exists("/sys/class/net/br0") and done[-1] == "bring restore"


def test_a_link_that_the_previous_files_make_again_is_not_waited_for(begun):
    """A bond that the change defined otherwise: it goes once, and comes back as it was."""
    begun.write("/sys/class/net/bond1/ifindex", 7).write("/meanwhile/ifindex", 7)
    begun.write("/bin/systemctl", begun.read("/bin/systemctl").replace("net/br0 ;;", "net/bond1 ;;") + "\n")
    (begun.path / "bin/systemctl").chmod(0o755)
    done = play(begun, "rollback")
    assert done.count("ip link delete bond1") == done.count("systemctl try-restart systemd-networkd.service") == 1
    assert begun.exists("/sys/class/net/bond1")


def test_a_file_that_cannot_be_put_back_is_told_and_tried_again(begun):
    """The copies are not given up: here the disk is full, then it is not."""
    full = {"cp": '#!/bin/sh\n[ -e ROOT/space ] || exit 1\nexec /bin/cp "$@"\n'}
    for name, text in full.items():
        begun.write(f"/bin/{name}", text.replace("ROOT", begun.root))
        (begun.path / "bin" / name).chmod(0o755)
    for deleted in (1, 1):
        done = play(begun, "rollback", status=1)
        assert done.count("ip link delete br0") == done.count("bring restore") == deleted  # what is up is left up
        begun.write("/sys/class/net/br0/ifindex", 0)
    assert "could not be put back as it was" in begun.read(f"{BASE}/result") and begun.exists(f"{BASE}/pending/previous")
    begun.write("/space", "")
    assert play(begun, "rollback").count("bring restore") == 2
    assert begun.read(f"{PROFILES}/eno1.nmconnection") == "old" and begun.read(f"{BASE}/result") == "rolled back"


def test_a_way_back_that_has_begun_is_gone_to_its_end(begun):
    """What applies the change does no more, nobody can confirm, and only another change takes its place."""
    begun.write("/bin/cp", "#!/bin/sh\nexit 1\n")
    (begun.path / "bin/cp").chmod(0o755)
    play(begun, "rollback", status=1)
    (begun.path / "said").unlink()
    assert play(begun, "apply") == []
    transactions = Transactions(begun.root, Silent())
    pending = transactions.pending()
    assert "could not be put back as it was" in transactions.why_not(pending, network_transaction.Connection("", 1))
    with pytest.raises(HostError, match="the previous network is back"):
        transactions.confirm(pending)
    transactions.begin(FileSet(begun.root), Steps("bring apply", "bring restore"), window=60, wanted={}, after=pending["id"])
    assert transactions.pending()["back"] is False


@pytest.mark.parametrize(("verb", "status"), [("apply", 1), ("rollback", 0)])
def test_nothing_is_applied_beside_what_holds_the_lock(begun, verb, status):
    """The way back waits a while, and then goes on all the same."""
    begun.write("/bin/flock", "#!/bin/sh\nexit 1\n")
    (begun.path / "bin/flock").chmod(0o755)
    assert ("bring apply" in play(begun, verb, status=status)) is False
    assert begun.exists(f"{BASE}/pending") is (verb == "apply")


def test_the_way_back_waits_for_no_other_file_system(begun):
    """One of another host may be lost with the network: only what was put back is flushed, and that once the network is there."""
    begun.write("/bin/sync", f'#!/bin/sh\necho "sync $*" >>{begun.root}/said\n')
    (begun.path / "bin/sync").chmod(0o755)
    done = play(begun, "rollback")
    flushed = [line for line in done if line.startswith("sync")]
    assert flushed and "sync " not in flushed and done.index(flushed[0]) > done.index("bring restore")
    assert f"sync {begun.root}{PROFILES}/eno1.nmconnection {begun.root}{PROFILES}" in flushed


def test_files_are_put_back_and_others_go(begun):
    """Names may have blanks and brackets; what came of it is told."""
    play(begun, "rollback")
    assert sorted(os.listdir(begun.root + PROFILES)) == ["eno1.nmconnection", "with blank [1].nmconnection"]
    assert begun.read(f"{PROFILES}/eno1.nmconnection") == "old" and not begun.exists("/etc/typeone/nmstate.yml")
    assert begun.read(f"{BASE}/result") == "rolled back" and not begun.exists(f"{BASE}/pending")


@pytest.mark.parametrize(("until", "seconds"), [(f"{NOW + 40} 60", 40), (f"{NOW - 100} 60", 0), (f"{NOW + 5000} 60", 60), ("", 0)])
def test_the_time_to_confirm_is_as_long_as_was_said(begun, until, seconds):
    """From the beginning of the change, a reboot included; not longer where the clock was set back, and none where nothing is known."""
    begun.write(f"{BASE}/pending/until", until)
    play(begun, "rollback")
    assert waited(begun) == seconds and begun.read(f"{BASE}/result") == "rolled back"


def test_the_time_begins_with_the_change_and_after_a_reboot_somebody_looks(host, monkeypatch):
    """By the clock, because the uptime begins anew."""
    monkeypatch.setattr(network_transaction.time, "time", lambda: NOW + 0.9)
    Transactions(host.root, Silent()).begin(FileSet(host.root), Steps("bring apply", "bring restore"), window=60, wanted={})
    assert host.read(f"{BASE}/pending/until").split() == [str(NOW + 60), "60"]
    assert host.exists(f"/etc/systemd/system/multi-user.target.wants/{ROLLBACK}")


def test_what_cannot_be_applied_on_the_way_back_is_told_and_left_alone(begun):
    """The files of before are there, the links went once; a second time may do."""
    (begun.path / "bin/bring").write_text("#!/bin/sh\necho bring >>" + begun.root + "/said\nexit 3\n", encoding="utf-8")
    assert play(begun, "rollback").count("bring") == 2
    assert begun.read(f"{BASE}/result").splitlines() == ["rolled back", "the previous files are back, but could not be applied"]
    assert not begun.exists(f"{BASE}/pending")


def test_a_disk_that_takes_nothing_does_not_end_the_way_back(begun):
    """Neither the lock nor the mark can be written."""
    os.unlink(f"{begun.root}{BASE}/lock")
    (begun.path / BASE[1:] / "lock").mkdir()
    begun.write("/bin/touch", "#!/bin/sh\nexit 1\n")
    (begun.path / "bin/touch").chmod(0o755)
    play(begun, "rollback")
    assert begun.read(f"{PROFILES}/eno1.nmconnection") == "old" and not begun.exists(f"{BASE}/pending")


def test_nothing_is_taken_back_once_it_is_confirmed(begun):
    """What waits for the time to be up ends, and touches nothing."""
    begun.write(f"{BASE}/pending/until", f"{NOW + 40} 60").write("/sleep.1007.55", f"rm -r {begun.root}{BASE}/pending")
    assert play(begun, "rollback") == [] and waited(begun) == 8
    assert begun.read(f"{PROFILES}/eno1.nmconnection") == "changed" and not begun.exists(f"{BASE}/result")


def test_the_host_sends_something_whenever_its_network_has_changed(host, monkeypatch):
    """To the controller, wherever the switches believe the host to be: a bridge on a bond that failed over does not tell them."""
    monkeypatch.setattr(network_transaction.Connection, "current", lambda: network_transaction.Connection("203.0.113.1 5 192.0.2.10 22", 1))
    begun, ping = begin(host), "ping -c 1 -w 2 203.0.113.1"
    assert play(begun, "apply")[-2:] == ["bring apply", ping]
    (begun.path / "said").unlink()
    done = play(begun, "rollback")
    assert done[-1] == ping and done.index(ping) > done.index("systemctl try-restart systemd-networkd.service")


def test_a_host_that_has_no_address_yet_sends_something_once_it_has(host, monkeypatch):
    """ping ends at once then; an answer that never comes is not waited for for ever."""
    monkeypatch.setattr(network_transaction.Connection, "current", lambda: network_transaction.Connection("203.0.113.1 5 192.0.2.10 22", 1))
    begun = begin(host)
    begun.write("/bin/ping", SAYING.replace("ROOT", host.root) + f'\nread -r uptime rest <{host.root}/proc/uptime; [ "${{uptime%.*}}" -ge 1007 ]\n')
    (begun.path / "bin/ping").chmod(0o755)
    assert play(begun, "apply").count("ping -c 1 -w 2 203.0.113.1") == 8
    begun.write("/bin/ping", "#!/bin/sh\nexit 2\n").write("/proc/uptime", "1000.55 20.00")
    (begun.path / "bin/ping").chmod(0o755)
    os.unlink(f"{host.root}{BASE}/pending/applied")
    play(begun, "apply")
    assert waited(begun) == 60


def test_what_fails_twice_is_taken_back_at_once(begun):
    """With what was said."""
    begun.write("/broken", "").write(f"{BASE}/pending/until", f"{NOW + 40} 60")
    assert play(begun, "apply")[-2:] == ["bring apply", "bring apply"]
    assert begun.read(f"{BASE}/pending/failed") == "the change could not be applied: no such thing"
    play(begun, "rollback")
    assert begun.read(f"{BASE}/result").splitlines() == ["rolled back", "the change could not be applied: no such thing"]
    assert waited(begun) == 0
