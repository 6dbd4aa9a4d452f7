# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Initiators on trees of /sys: what is connected, kept, put together and let go; programs are played, and change the tree as real ones do."""

from __future__ import annotations

import errno
import os
import pathlib
import subprocess

import pytest
from ansible_collections.typeone.metal.plugins.module_utils._domain.disks import Disk
from ansible_collections.typeone.metal.plugins.module_utils._host import nvme_initiator, storage_initiator
from ansible_collections.typeone.metal.plugins.module_utils._host.iscsi_initiator import IscsiInitiator
from ansible_collections.typeone.metal.plugins.module_utils._host.nvme_initiator import NvmeInitiator
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, MissingProgram, Outcome, Programs

SECRET = "example-secret-1"
PORTALS = ("192.0.2.12", "198.51.100.12")
RECORD = "# BEGIN RECORD 2.1.8\nnode.startup = manual\nnode.session.auth.authmethod = None\n# END RECORD\n"
WWN = "60014055751ccdb59105aa1abad115f6"
TIMES = {"path_timeout": 10, "queue_timeout": 300, "wait_timeout": 0, "boot_timeout": 300}


class Host(Programs):
    """A host with a target in reach: iscsiadm and multipath do to the tree what they do to a host."""

    def __init__(self, tree, *, refuse: int = 0, luns: tuple = (0,)) -> None:
        super().__init__(root="/")
        self.tree, self.refuse, self.luns, self.ran = tree, refuse, luns, []
        self.disabled = {"multipathd.service"}
        self.missing: set[str] = set()

    def need(self, name: str) -> str:
        if name in self.missing:
            raise MissingProgram(f"Cannot run {name}")
        return name

    def run(self, argv, **_given) -> Outcome:
        self.ran.append(" ".join(argv))
        handler = getattr(self, argv[0].replace("-", "_"), None)
        rc, said = handler(argv) if handler else (0, "")
        return Outcome(tuple(argv), rc, "" if rc else said, said if rc else "")

    def systemctl(self, argv):
        """Units as Debian has them."""
        if argv[1] == "enable":
            self.disabled.discard(argv[2])
        if argv[1] == "is-enabled":
            if argv[2] == "iscsi.service":
                return 1, ""
            return 0, "disabled\n" if argv[2] in self.disabled else "enabled\n"
        return 0, "active\n"

    def _record(self, argv) -> pathlib.Path:
        address, port = argv[argv.index("--portal") + 1].rsplit(":", 1)
        return self.tree.path / f"etc/iscsi/nodes/{argv[argv.index('--targetname') + 1]}/{address},{port}"

    def _session(self, path: pathlib.Path) -> int:
        return 1 + PORTALS.index(path.name.split(",")[0])

    def iscsiadm(self, argv):
        """Records and sessions."""
        if "--rescan" in argv:
            return 0, ""
        path = self._record(argv)
        number = self._session(path)
        base = f"/sys/class/iscsi_session/session{number}"
        if "new" in argv:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(RECORD, encoding="utf-8")
        elif "delete" in argv:
            path.unlink()
        elif "--logout" in argv:
            subprocess.run(["rm", "-r", self.tree.root + base], check=True)
        elif self.refuse:
            return self.refuse, "iscsiadm: Could not login.\niscsiadm: initiator reported error (24 - iSCSI login failed due to authorization failure)\n"
        else:
            address, port = path.name.split(",")
            self.tree.write(f"{base}/targetname", path.parent.name).write(f"{base}/state", "LOGGED_IN")
            self.tree.write(f"/sys/class/iscsi_connection/connection{number}:0/persistent_address", address)
            self.tree.write(f"/sys/class/iscsi_connection/connection{number}:0/persistent_port", port)
            for lun in self.luns:
                device = f"{base}/device/target{number}:0:0/{number}:0:0:{lun}"
                self.tree.write(f"{device}/wwid", f"naa.{WWN}").write(f"{device}/state", "running")
                self.tree.write(f"{device}/block/sd{'xbc'[number]}/size", 2048)
        return 0, ""

    def multipath(self, argv):
        """The list of those that are taken."""
        path = self.tree.path / "etc/multipath/wwids"
        path.parent.mkdir(parents=True, exist_ok=True)
        if argv[1] == "-a":
            path.write_text(f"/3{WWN}/\n", encoding="utf-8")
        elif argv[1] == "-f":
            subprocess.run(["rm", "-r", f"{self.tree.root}/sys/block/dm-0"], check=True)
        else:
            path.unlink()
        return 0, ""

    def multipathd(self, _argv):
        """Puts together what is taken."""
        if (self.tree.path / "etc/multipath/wwids").exists():
            self.tree.write("/sys/block/dm-0/dm/uuid", f"mpath-3{WWN}")
            for name in ("sdb", "sdc"):
                self.tree.write(f"/sys/block/dm-0/slaves/{name}", "")
            self.tree.write(f"/dev/disk/by-id/dm-uuid-mpath-3{WWN}", "")
        return 0, ""


def iscsi(host: Host, *, check: bool = False, portals: tuple = PORTALS, **given) -> dict:
    """What the module returns."""
    target = {"name": "iqn.2026-01.com.example:store1", "portals": [{"address": address} for address in portals],
              "disks": [{"number": 0, "size": "1M"}], "username": "host3", "password": SECRET, **given}
    params = {"initiator_name": "iqn.2026-01.com.example:host3", "targets": [target], **TIMES, "root": host.tree.root}
    return IscsiInitiator(params, host).run(check=check)


def files(host) -> dict:
    """Everything of a host that is not the kernel's."""
    paths = [path for path in (host.path / "etc").rglob("*") if path.is_file()] if (host.path / "etc").exists() else []
    return {str(path.relative_to(host.path)): (path.read_text(encoding="utf-8"), path.stat().st_mode & 0o777) for path in paths}


def test_iscsi_over_two_portals(host):
    """Connected, put together, reported; the second run changes nothing; check mode touched nothing."""
    programs = Host(host)
    told = iscsi(programs, check=True)
    assert told["changed"] and not files(host) and {line.split()[1] for line in programs.ran} == {"is-enabled"}
    done = iscsi(programs)
    assert [path["state"] for path in done["disks"][0]["paths"]] == ["live", "live"]
    assert done["disks"][0]["path"] == f"/dev/disk/by-id/dm-uuid-mpath-3{WWN}" and done["disks"][0]["size"] == 1024**2
    record, mode = files(host)["etc/iscsi/nodes/iqn.2026-01.com.example:store1/192.0.2.12,3260"]
    assert mode == 0o600 and f"node.session.auth.password = {SECRET}" in record and "node.startup = automatic" in record
    assert "node.session.initial_login_retry_max = 20" in record and "replacement_timeout = 10" in record
    assert files(host)["etc/iscsi/initiatorname.iscsi"] == ("InitiatorName=iqn.2026-01.com.example:host3\n", 0o600)
    assert not programs.disabled and SECRET not in str(done) + str(told) + str(programs.ran)
    programs.ran.clear()
    again = iscsi(programs)
    assert not again["changed"] and not [line for line in programs.ran if "is-" not in line]


def test_iscsi_over_one_portal_is_no_business_of_multipath(host):
    """Its session waits itself, and its name is the disk's own."""
    host.write(f"/dev/disk/by-id/wwn-0x{WWN}", "")
    programs = Host(host)
    done = iscsi(programs, portals=PORTALS[:1])
    assert done["disks"][0]["path"] == f"/dev/disk/by-id/wwn-0x{WWN}"
    assert not [line for line in programs.ran if line.startswith("multipath ")]
    assert "replacement_timeout = 300" in files(host)["etc/iscsi/nodes/iqn.2026-01.com.example:store1/192.0.2.12,3260"][0]


def test_iscsi_lets_a_portal_go_that_is_not_named_any_more(host):
    """Its record and its session."""
    host.write(f"/dev/disk/by-id/wwn-0x{WWN}", "")
    programs = Host(host)
    iscsi(programs)
    done = iscsi(programs, portals=PORTALS[:1])
    assert done["changed"] and "etc/iscsi/nodes/iqn.2026-01.com.example:store1/198.51.100.12,3260" not in files(host)
    assert [path["portal"] for path in done["disks"][0]["paths"]] == ["192.0.2.12:3260"]


def test_another_secret_is_written_and_does_not_end_the_session(host):
    """It holds from the next login on."""
    programs = Host(host)
    iscsi(programs)
    programs.ran.clear()
    done = iscsi(programs, password="example-secret-2")
    assert done["changed"] and "(another secret)" in str(done["diff"]) and "example-secret" not in str(done)
    assert not [line for line in programs.ran if "--log" in line]


def test_a_login_that_is_refused_says_what_to_compare_and_leaves_no_record(host):
    """A record would hold up each boot."""
    programs = Host(host, refuse=24)
    with pytest.raises(HostError, match="authorization failure.*Compare this initiator's name and its secrets") as caught:
        iscsi(programs)
    assert SECRET not in str(caught.value) and not [path for path in files(host) if "nodes" in path]


def test_a_disk_that_does_not_come_is_said(host):
    """By its number; and one of another size."""
    with pytest.raises(HostError, match="disk 5 is not there"):
        iscsi(Host(host), disks=[{"number": 5}])
    with pytest.raises(HostError, match="disk 0 has 1048576 bytes and not 2097152"):
        iscsi(Host(host), disks=[{"number": 0, "size": "2M"}])


def test_a_program_that_is_missing_is_said_before_anything_is_touched(host):
    """In check mode it may still be installed before."""
    programs = Host(host)
    programs.missing = {"multipath"}
    with pytest.raises(MissingProgram):
        iscsi(programs)
    assert not files(host) and iscsi(programs, check=True)["changed"]


def in_use(monkeypatch, *uses: str) -> None:
    """Have the host use its disks so."""
    monkeypatch.setattr(storage_initiator, "find_device", lambda path, programs: Disk(path, in_use=uses))


def test_iscsi_disconnects_and_forgets(host, monkeypatch):
    """Not a disk that is in use; and nothing is left of it."""
    programs = Host(host)
    iscsi(programs)
    in_use(monkeypatch, "mpath 3600", "mounted on /srv")
    before = files(host)
    with pytest.raises(HostError, match=r"is in use \(mounted on /srv\)"):
        iscsi(programs, state="absent")
    assert files(host) == before
    in_use(monkeypatch, "mpath 3600")
    assert iscsi(programs, state="absent", check=True)["changed"] and files(host) == before
    done = iscsi(programs, state="absent")
    assert done["changed"] and done["targets"][0]["portals"] == []
    assert set(files(host)) == {"etc/iscsi/initiatorname.iscsi", "etc/multipath.conf"}
    assert not iscsi(programs, state="absent")["changed"]


class Nvme:
    """A host whose kernel connects what is written to its door."""

    def __init__(self, tree, monkeypatch, *answers: int) -> None:
        self.tree, self.answers, self.written = tree, list(answers), []
        self.programs = Host(tree)
        monkeypatch.setattr(nvme_initiator, "write_fabrics", self.write)
        monkeypatch.setattr(nvme_initiator.Deadline, "sleep", lambda self, seconds: None)

    def write(self, _path: str, text: str) -> None:
        """Connect a controller."""
        answer = self.answers.pop(0) if self.answers else 0
        if answer:
            raise OSError(answer, os.strerror(answer))
        options = dict(part.split("=", 1) for part in text.split(","))
        self.written.append(options)
        number = len(self.written) - 1
        base = f"/sys/class/nvme/nvme{number}"
        self.tree.write(f"{base}/subsysnqn", options["nqn"]).write(f"{base}/state", "live")
        self.tree.write(f"{base}/address", f"traddr={options['traddr']},trsvcid={options['trsvcid']},src_addr=192.0.2.13")
        self.tree.write(f"{base}/nvme0c{number}n1/size", 2048).write(f"{base}/delete_controller", "")
        head = "/sys/class/nvme-subsystem/nvme-subsys0"
        self.tree.write(f"{head}/subsysnqn", options["nqn"]).write(f"{head}/nvme0n1/size", 2048).write(f"{head}/nvme0n1/nsid", 1)
        self.tree.write(f"{head}/nvme0n1/wwid", "uuid.c273").write("/dev/disk/by-id/nvme-uuid.c273", "")

    def run(self, *, check: bool = False, portals: tuple = PORTALS, wait: int = 0, **given) -> dict:
        """What the module returns."""
        target = {"name": "nqn.2026-01.com.example:store1", "portals": [{"address": address} for address in portals],
                  "disks": [{"number": 1, "size": "1M"}], **given}
        params = {"initiator_name": "nqn.2026-01.com.example:host3", "targets": [target], **TIMES, "wait_timeout": wait,
                  "root": self.tree.root}
        return NvmeInitiator(params, self.programs).run(check=check)


def own(host) -> dict:
    """Files of ours."""
    return {path: text for path, text in files(host).items() if "etc/typeone" in path or "systemd" in path or "etc/nvme" in path}


@pytest.fixture(name="nvme")
def _nvme(host, monkeypatch):
    """A host whose kernel's door is played."""
    return Nvme(host, monkeypatch)


def test_nvme_over_two_portals(host, nvme):
    """Connected, kept for the boot, reported; the second run changes nothing; check mode touched nothing."""
    told = nvme.run(check=True)
    assert told["changed"] and not files(host) and not nvme.written and not nvme.programs.ran
    done = nvme.run()
    assert done["diff"] == told["diff"] and done["disks"][0]["path"] == "/dev/disk/by-id/nvme-uuid.c273"
    assert [path["device"] for path in done["disks"][0]["paths"]] == ["nvme0", "nvme1"]
    assert nvme.written[0]["ctrl_loss_tmo"] == "-1" and nvme.written[0]["hostnqn"] == "nqn.2026-01.com.example:host3"
    kept = [path for path in own(host) if path.endswith(".connections")]
    assert len(kept) == 1 and own(host)[kept[0]][1] == 0o600
    assert own(host)["etc/nvme/hostid"][0].strip() == nvme.written[0]["hostid"]
    again = nvme.run()
    assert not again["changed"] and len(nvme.written) == 2


def test_the_boot_connects_what_is_not_connected(host, nvme):
    """By the script that is kept: what the run connected is left alone, the rest is written to the door."""
    nvme.run()
    script = (host.path / "usr/local/libexec/typeone/nvme-connect").read_text(encoding="utf-8")
    (host.path / "dev/nvme-fabrics").write_text("", encoding="utf-8")
    tried = host.path / "script"
    tried.write_text(script.replace("/sys/class", f"{host.root}/sys/class").replace("/dev/nvme-f", f"{host.root}/dev/nvme-f"), encoding="utf-8")
    words = ["sh", str(tried), f"{host.root}/etc/typeone/nvme-initiator", "0"]
    assert subprocess.run(words, check=False, timeout=60).returncode == 0 and host.read("/dev/nvme-fabrics") == ""
    host.write("/sys/class/nvme/nvme1/subsysnqn", "nqn.2026-01.com.example:other")
    assert subprocess.run(words, check=False, timeout=60).returncode == 0
    assert "traddr=198.51.100.12,trsvcid=4420" in host.read("/dev/nvme-fabrics")


def test_nvme_has_fewer_queues_where_a_processor_is_isolated(host, monkeypatch):
    """The kernel would leave one of them without a processor, and connects nothing. What is kept is no other for it: the next run changes nothing."""
    monkeypatch.setattr(nvme_initiator.os, "cpu_count", lambda: 8)
    nvme = Nvme(host, monkeypatch, errno.EXDEV, errno.EXDEV)
    assert nvme.run()["changed"] and [options.get("nr_io_queues") for options in nvme.written] == ["2", None]
    assert not nvme.run()["changed"]
    with pytest.raises(HostError, match="cross-device"):
        Nvme(host, monkeypatch, *[errno.EXDEV] * 4).run(portals=("203.0.113.12",))


def test_the_boot_has_fewer_queues_too(host, nvme):
    """By what cat says of the kernel's answer; another answer is not tried again with fewer."""
    nvme.run()
    script = (host.path / "usr/local/libexec/typeone/nvme-connect").read_text(encoding="utf-8")
    tried, programs = host.path / "script", host.path / "programs"
    programs.mkdir()
    for name, text in (("getconf", "echo 8"), ("cat", """
            read -r options; echo "$options" >>"$SEEN"
            case "$options" in *nr_io_queues=2) exit 0 ;; esac
            echo "cat: write error: $SAID" >&2; exit 1""")):
        (programs / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (programs / name).chmod(0o755)
    (host.path / "dev/nvme-fabrics").write_text("", encoding="utf-8")
    tried.write_text(script.replace("/sys/class", f"{host.root}/none").replace("/dev/nvme-f", f"{host.root}/dev/nvme-f"), encoding="utf-8")
    words = ["sh", str(tried), f"{host.root}/etc/typeone/nvme-initiator", "0"]
    for said, code, asked in (("Invalid cross-device link", 0, ["", "4", "2"] * 2), ("Connection refused", 1, [""] * 2)):
        seen = host.path / "seen"
        seen.write_text("", encoding="utf-8")
        environment = {"PATH": f"{programs}:{os.environ['PATH']}", "SEEN": str(seen), "SAID": said}
        assert subprocess.run(words, check=False, timeout=60, env=environment).returncode == code
        lines = seen.read_text(encoding="utf-8").splitlines()
        assert [line.partition("nr_io_queues=")[2] for line in lines] == asked


def test_nvme_keeps_the_hosts_own_name(host, nvme):
    """Without one, it is made of the machine's UUID, and so is its id."""
    host.write("/sys/class/dmi/id/product_uuid", "4C4C4544-0001")
    params = {"initiator_name": None, "targets": [], **TIMES, "root": host.root}
    NvmeInitiator(params, nvme.programs).run(check=False)
    assert host.read("/etc/nvme/hostnqn") == "nqn.2014-08.org.nvmexpress:uuid:4c4c4544-0001" and host.read("/etc/nvme/hostid") == "4c4c4544-0001"
    host.write("/etc/nvme/hostid", "another")
    assert not NvmeInitiator(params, nvme.programs).run(check=False)["changed"]


def test_nvme_waits_for_a_target_that_is_not_there_yet(host, monkeypatch):
    """And says what is wrong where it does not come, or is refused."""
    assert Nvme(host, monkeypatch, errno.ECONNREFUSED, errno.EHOSTUNREACH).run(wait=60)["changed"]


@pytest.mark.parametrize(("answer", "said"), [(errno.ECONNREFUSED, "listens on this portal"), (errno.EIO, "lists this host's NQN")])
def test_nvme_says_why_there_is_no_connection(host, monkeypatch, answer, said):
    """Nothing is kept that would hold up each boot."""
    with pytest.raises(HostError, match=said):
        Nvme(host, monkeypatch, answer).run()
    assert not [path for path in own(host) if path.endswith(".connections")]


def test_nvme_disconnects_and_forgets(host, nvme, monkeypatch):
    """Not a disk that is in use; the last one takes the unit with it."""
    nvme.run()
    in_use(monkeypatch, "mounted on /srv")
    with pytest.raises(HostError, match="is in use"):
        nvme.run(state="absent")
    in_use(monkeypatch)
    assert nvme.run(state="absent", check=True)["changed"] and host.read("/sys/class/nvme/nvme0/delete_controller") == ""
    assert nvme.run(state="absent")["changed"]
    assert host.read("/sys/class/nvme/nvme0/delete_controller") == host.read("/sys/class/nvme/nvme1/delete_controller") == "1"
    assert set(own(host)) == {"etc/nvme/hostnqn", "etc/nvme/hostid"}


def test_nvme_lets_a_portal_go_that_is_not_named_any_more(host, nvme):
    """Its controller is deleted, the other one stays."""
    nvme.run()
    assert nvme.run(portals=PORTALS[:1])["changed"]
    assert host.read("/sys/class/nvme/nvme1/delete_controller") == "1" and host.read("/sys/class/nvme/nvme0/delete_controller") == ""


def test_keys_need_a_kernel_that_has_them(host, nvme):
    """Nothing is touched on one that has not."""
    host.write(f"/boot/config-{os.uname().release}", "# CONFIG_NVME_AUTH is not set")
    with pytest.raises(HostError, match="built without CONFIG_NVME_AUTH or CONFIG_NVME_HOST_AUTH"):
        nvme.run(key="DHHC-1:00:YWJj:")
    assert not files(host) and not nvme.written
    host.write(f"/boot/config-{os.uname().release}", "CONFIG_NVME_HOST_AUTH=y")
    done = nvme.run(key="DHHC-1:00:YWJj:")
    assert done["changed"] and "YWJj" not in str(done) and nvme.written[0]["dhchap_secret"] == "DHHC-1:00:YWJj:"
