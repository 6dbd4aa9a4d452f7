# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets on a tree that takes what the kernel's configfs takes: set up, read back, kept for the boot, taken away; and what is refused."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess

import pytest
from ansible_collections.typeone.metal.plugins.module_utils._domain.disks import Disk
from ansible_collections.typeone.metal.plugins.module_utils._domain.signatures import Signature
from ansible_collections.typeone.metal.plugins.module_utils._host import backings, configfs, kernel_options
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, Outcome, Programs
from ansible_collections.typeone.metal.plugins.module_utils._host.storage_target import IscsiTargets, NvmeTargets

SECRET = "example-secret-1"
PORTALS = [{"address": "192.0.2.12"}, {"address": "198.51.100.12"}]
KINDS = {"iscsi": (IscsiTargets, "iqn", 0, "/sys/kernel/config/target"), "nvme": (NvmeTargets, "nqn", 1, "/sys/kernel/config/nvmet")}


class Answers(Programs):
    """No program is really run."""

    def __init__(self) -> None:
        super().__init__(root="/")
        self.ran: list[str] = []

    def run(self, argv, **_given) -> Outcome:
        self.ran.append(" ".join(argv))
        return Outcome(tuple(argv), 0, "", "")


@pytest.fixture(autouse=True)
def _kernel(monkeypatch):
    """An ordinary folder in place of configfs: attributes are files, and go with their object, as do groups of the kernel's own."""

    def write(path: str, text: str) -> None:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        pathlib.Path(path).write_text(text, encoding="utf-8")

    def made_by_us(path: pathlib.Path) -> bool:
        return path.is_symlink() or path.name in ("np", "acls") and any(path.iterdir()) or path.match("acls/*")

    def remove(path: str, _text: str) -> None:
        assert not [found for found in pathlib.Path(path).rglob("*") if made_by_us(found)], path
        shutil.rmtree(path)

    def link(path: str, text: str) -> None:
        assert os.path.isdir(text), text
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(os.path.relpath(text, os.path.dirname(path)), path)

    for verb in (configfs.Verb.INIT, configfs.Verb.WRITE):
        monkeypatch.setitem(configfs._DO, verb, write)
    monkeypatch.setitem(configfs._DO, configfs.Verb.REMOVE, remove)
    monkeypatch.setitem(configfs._DO, configfs.Verb.MAKE, lambda path, _text: os.makedirs(path))
    monkeypatch.setitem(configfs._DO, configfs.Verb.LINK, link)


class Store:
    """A host with the module's options of one protocol."""

    def __init__(self, kind: str, root: pathlib.Path) -> None:
        self.kind, self.word, self.first, base = KINDS[kind]
        self.root, self.base, self.programs = root, root / base.lstrip("/"), Answers()
        self.base.mkdir(parents=True)

    def target(self, name: str = "store1", **given) -> dict:
        """A target with one file."""
        host = {"name": f"{self.word}.2026-01.com.example:host3"}
        if self.kind is IscsiTargets:
            host.update(username="host3", password=SECRET)
        disks = [{"number": self.first, "file": f"/var/{name}", "size": "1M"}]
        return {"name": f"{self.word}.2026-01.com.example:{name}", "portals": PORTALS, "disks": disks, "initiators": [host], **given}

    def run(self, *targets: dict, check: bool = False, accept: tuple = ()) -> dict:
        """What the module returns."""
        params = {"targets": list(targets), "accept_data": list(accept), "root": str(self.root)}
        return self.kind(params, self.programs).run(check=check)

    def tree(self) -> set[str]:
        """Everything of the host, attributes with what they hold."""
        return {f"{path.relative_to(self.root)} {path.read_bytes() if path.is_file() else ''}" for path in self.root.rglob("*")}

    def objects(self) -> dict[str, str]:
        """What the kernel has: attributes with what they hold, links with what they point at."""
        found = {}
        for path in self.base.rglob("*"):
            if path.is_symlink():
                found[str(path)] = str(path.resolve())
            elif path.is_file():
                found[str(path)] = path.read_text(encoding="utf-8")
        return found

    @property
    def kept(self) -> list[pathlib.Path]:
        """What is kept for the boot."""
        return sorted((self.root / "etc/typeone").rglob("*.steps"))

    @property
    def unit(self) -> pathlib.Path:
        """The unit of the boot."""
        word = "iscsi" if self.kind is IscsiTargets else "nvme"
        return self.root / f"etc/systemd/system/typeone-{word}-target.service"


@pytest.fixture(name="store", params=sorted(KINDS))
def _store(request, tmp_path):
    """A host of each protocol."""
    return Store(request.param, tmp_path)


def test_check_mode_tells_the_truth_and_touches_nothing(store):
    """What it says is what the run then says; a second run changes nothing."""
    before = store.tree()
    told = store.run(store.target(), check=True)
    assert told["changed"] and store.tree() == before and not [line for line in store.programs.ran if "modprobe" in line]
    done = store.run(store.target())
    assert done["diff"] == told["diff"] and done["targets"] == told["targets"]
    again = store.run(store.target())
    assert not again["changed"] and not again["diff"] and not store.run(store.target(), check=True)["changed"]
    assert SECRET not in str(done) + str(told)


def test_files_are_made_sparse_and_private_and_stay(store):
    """They are the user's; so is what is in them."""
    store.run(store.target())
    status = (store.root / "var/store1").stat()
    assert status.st_size == 1024**2 and status.st_blocks == 0 and status.st_mode & 0o777 == 0o600
    store.run(store.target(state="absent"))
    assert (store.root / "var/store1").exists()


def test_what_is_kept_for_the_boot_is_private(store):
    """It holds secrets; its folder's unit goes with the last target."""
    store.run(store.target(), store.target("store2"))
    assert [path.stat().st_mode & 0o777 for path in store.kept] == [0o600, 0o600] and store.unit.exists()
    store.run(store.target(state="absent"))
    assert len(store.kept) == 1 and store.unit.exists()
    store.run(store.target("store2", state="absent"))
    assert not store.kept and not store.unit.exists()
    assert not [path for path in store.base.rglob("*") if path.is_symlink() or path.match("subsystems/*") or path.match("iscsi/*")]
    assert not store.run(store.target(state="absent"))["changed"]


def test_the_boot_makes_what_the_run_made(store, monkeypatch):
    """By the script that is kept, from nothing; and once more without change."""
    store.run(store.target(), store.target("store2"))
    made = store.objects()
    shutil.rmtree(store.base)
    store.base.mkdir()
    # configfs makes the folders inside an object with it.
    maker = store.root / "bin/mkdir"
    maker.parent.mkdir()
    inside = " ".join(f'"$1/{name}"' for name in ("attrib", "auth", "wwn", "subsystems", "allowed_hosts"))
    maker.write_text(f'#!/bin/sh\nexec /bin/mkdir -p "$1" {inside}\n', encoding="utf-8")
    maker.chmod(0o755)
    monkeypatch.setenv("PATH", str(maker.parent), prepend=":")
    script = store.root / "usr/local/libexec/typeone/make-kernel-objects"
    for _boot in range(2):
        subprocess.run([script, store.base, store.kept[0].parent, "0"], check=True, timeout=60)
        assert store.objects() == made


def test_the_boot_leaves_alone_what_targetctl_restored(tmp_path):
    """A target that is there with another number is complete already."""
    store = Store("iscsi", tmp_path)
    store.run(store.target())
    script, name = tmp_path / "usr/local/libexec/typeone/make-kernel-objects", store.target()["name"]
    shutil.rmtree(store.base)
    (store.base / "iscsi" / name).mkdir(parents=True)
    subprocess.run([script, store.base, store.kept[0].parent, "0"], check=True, timeout=60)
    assert not (store.base / "core").exists()


def test_the_boot_tells_what_it_could_not_make(store):
    """Its unit fails then."""
    store.run(store.target())
    shutil.rmtree(store.base)
    script = store.root / "usr/local/libexec/typeone/make-kernel-objects"
    done = subprocess.run([script, store.base, store.kept[0].parent, "0"], check=False, timeout=60, capture_output=True, text=True)
    assert done.returncode == 1 and "cannot make" in done.stderr and SECRET not in done.stderr


def test_a_change_touches_only_what_changes(store):
    """Another portal, another initiator; what is gone from the list goes."""
    store.run(store.target())
    other = {"name": f"{store.word}.2026-01.com.example:host4"}
    if store.kind is IscsiTargets:
        other.update(username="host4", password=SECRET)
    done = store.run(store.target(portals=PORTALS[:1], initiators=[other]))
    assert done["changed"] and not store.run(store.target(portals=PORTALS[:1], initiators=[other]))["changed"]
    shown = "".join(path.name + str(path) for path in store.base.rglob("*"))
    assert "host4" in shown and "host3" not in shown and "198.51.100.12" not in shown


def test_targets_share_hosts_and_ports(tmp_path):
    """A subsystem that goes leaves what another one uses."""
    store = Store("nvme", tmp_path)
    store.run(store.target(), store.target("store2"))
    store.run(store.target(state="absent"))
    assert not store.run(store.target("store2"))["changed"]
    assert len(list((store.base / "ports").iterdir())) == 2 and len(list((store.base / "hosts").iterdir())) == 1


def test_what_targetcli_restored_is_taken_as_it_is(tmp_path):
    """It has numbers and names of links of its own."""
    store = Store("iscsi", tmp_path)
    store.run(store.target())
    old = next((store.base / "core").iterdir())
    new = old.with_name("fileio_0")
    links = [path for path in store.base.rglob("*") if path.is_symlink()]
    old.rename(new)
    for path in links:
        text = os.readlink(path).replace(old.name, new.name)
        path.unlink()
        os.symlink(text, path.with_name("0123456789"))
    done = store.run(store.target())
    assert not done["diff"] and new.is_dir() and not old.exists()


def test_what_targetcli_saved_is_saved_again(tmp_path, monkeypatch):
    """Else it would restore at boot what was changed since; what it does not know is no business of its."""
    store = Store("iscsi", tmp_path)
    monkeypatch.setattr(store.programs, "find", lambda name: name)
    saved = tmp_path / "etc/rtslib-fb-target/saveconfig.json"
    saved.parent.mkdir(parents=True)
    saved.write_text('{"targets": [{"wwn": "iqn.2026-01.com.example:other"}]}', encoding="utf-8")
    store.run(store.target())
    assert "targetctl save" not in store.programs.ran
    saved.write_text('{"targets": [{"wwn": "iqn.2026-01.com.example:store1"}]}', encoding="utf-8")
    store.run(store.target())
    assert "targetctl save" not in store.programs.ran  # nothing has changed
    store.run(store.target(state="absent"))
    assert "targetctl save" in store.programs.ran


@pytest.mark.parametrize(("content", "size", "said"), [
    (b"\0" * 1024**2, "2M", "asks for 2 MiB"), (b"x" * 1024**2, "1M", "holds data")])
def test_a_file_that_is_something_else_is_refused(store, content, size, said):
    """Before anything is touched; data may be exported where it is said so."""
    path = store.root / "var/store1"
    path.parent.mkdir()
    path.write_bytes(content)
    before, given = store.tree(), store.target(disks=[{"number": store.first, "file": "/var/store1", "size": size}])
    with pytest.raises(HostError, match=said):
        store.run(given)
    assert store.tree() == before and not store.programs.ran
    if size == "1M":
        assert store.run(given, accept=("/var/store1",))["changed"]
        assert not store.run(given)["changed"]  # what is exported already is not asked again


@pytest.mark.parametrize(("disk", "found", "accept", "said"), [
    (Disk("/dev/sdb", serial="S1", in_use=("mounted on /srv",)), [], ("S1",), "in use by this host \\(mounted on /srv"),
    (Disk("/dev/sdb", serial="S1"), [Signature("XFS file system", 0)], (), "holds data: XFS.*'S1' to accept_data"),
    (Disk("/dev/sdb", serial="S1"), [Signature("XFS file system", 0)], ("s1",), None),
    (Disk("/dev/sdb", serial="S1", wwn="0x5000c500"), [Signature("XFS file system", 0)], ("naa.5000c500",), None),
    (Disk("/dev/sdb"), [], (), None),
])
def test_a_device_that_is_something_else_is_refused(store, monkeypatch, disk, found, accept, said):
    """A disk in use is always refused, one with data unless its serial, WWN or path is named."""
    monkeypatch.setattr(backings, "find_device", lambda path, programs: disk)
    monkeypatch.setattr(backings, "find_signatures", lambda disk, programs: found)
    given = store.target(disks=[{"number": store.first, "device": "/dev/disk/by-id/x"}])
    with pytest.raises(HostError, match="is not there"):
        store.run(given)
    (store.root / "dev/disk/by-id").mkdir(parents=True)
    (store.root / "dev/disk/by-id/x").touch()
    if said:
        with pytest.raises(HostError, match=said):
            store.run(given, accept=accept)
    else:
        assert store.run(given, accept=accept)["changed"]


def test_a_file_that_can_never_fit_is_refused(store):
    """Sparse files fill up later."""
    with pytest.raises(HostError, match="are free there"):
        store.run(store.target(disks=[{"number": store.first, "file": "/var/a/b/c", "size": "9000T"}]))
    assert not (store.root / "var").exists()


def test_files_that_cannot_all_fit_are_refused(store):
    """Together, and with those that are not full yet."""
    free = os.statvfs(store.root)
    half = f"{int(free.f_bavail * free.f_frsize * 0.6) // 4096 * 4}K"
    one, two = (store.target(name, disks=[{"number": store.first, "file": f"/var/{name}", "size": half}]) for name in ("a", "b"))
    with pytest.raises(HostError, match="/var/a, /var/b .* are free there"):
        store.run(one, two)
    assert store.run(one)["changed"]
    for targets in ((two,), (one, two)):
        with pytest.raises(HostError, match="/var/b .*promised to files that are not full yet"):
            store.run(*targets)
    assert not store.run(one)["changed"]


def test_what_another_target_has_is_not_exported_again(store):
    """By any name, in one run or in two, over either protocol: initiators would take it for two disks."""
    shared = {"disks": [{"number": store.first, "file": "/var/store1", "size": "1M"}]}
    with pytest.raises(HostError, match="as disk . of .*store2: it is disk . of .*store1 already.*Nothing was changed"):
        store.run(store.target(), store.target("store2", **shared))
    assert not store.kept and store.run(store.target())["changed"]
    (store.root / "var/other").symlink_to("store1")
    shared["disks"][0]["file"] = "/var/other"
    other = next(kind for kind in sorted(KINDS) if KINDS[kind][0] is not store.kind)
    with pytest.raises(HostError, match="a disk of what is kept in"):
        store.run(store.target("store2", **shared))
    second = Store(other, store.root)
    with pytest.raises(HostError, match="a disk of what is kept in"):
        second.run(second.target(disks=[{"number": second.first, "file": "/var/store1", "size": "1M"}]))
    with pytest.raises(HostError, match="targets.name has .* twice"):
        store.run(store.target(), store.target())
    gone = {"name": store.target()["name"], "state": "absent"}
    assert store.run(gone, store.target("store2", disks=store.target()["disks"]), accept=("/var/store1",))["changed"]


def test_wrong_options_are_refused_by_name(store):
    """Nothing was changed, and it says so."""
    with pytest.raises(HostError, match="portals is empty.*Nothing was changed"):
        store.run(store.target(portals=[]))


def test_a_step_that_the_kernel_refuses_is_told_without_secrets(store, monkeypatch):
    """It names the object, the cause and what helps."""
    def refuse(path: str, _text: str) -> None:
        raise OSError(98, "Address already in use", path)

    for verb in (configfs.Verb.MAKE, configfs.Verb.WRITE):
        monkeypatch.setitem(configfs._DO, verb, refuse)
    with pytest.raises(HostError, match="Something else listens") as caught:
        store.run(store.target())
    assert SECRET not in str(caught.value) and not store.kept


def test_what_the_kernel_does_not_keep_is_an_error(store, monkeypatch):
    """Each step was taken, and the effect is not there."""
    monkeypatch.setitem(configfs._DO, configfs.Verb.WRITE, lambda path, text: None)
    with pytest.raises(HostError, match="took every step, and does not show it"):
        store.run(store.target())


@pytest.mark.parametrize(("config", "refused"), [("# CONFIG_NVME_TARGET_AUTH is not set\n", True), ("CONFIG_NVME_TARGET_AUTH=y\n", False)])
def test_keys_need_a_kernel_that_has_them(tmp_path, monkeypatch, config, refused):
    """Debian 12's has not; nothing is touched then."""
    store = Store("nvme", tmp_path)
    monkeypatch.setattr(kernel_options.os, "uname", _Name)
    (tmp_path / "boot").mkdir()
    (tmp_path / "boot/config-6.1").write_text(config, encoding="utf-8")
    host = {"name": "nqn.2026-01.com.example:host3", "key": "DHHC-1:00:YWJj:"}
    if refused:
        with pytest.raises(HostError, match="built without CONFIG_NVME_TARGET_AUTH"):
            store.run(store.target(initiators=[host]))
        assert not list(store.base.iterdir())
    else:
        done = store.run(store.target(initiators=[host]))
        assert done["changed"] and "YWJj" not in str(done)
        key = store.base / "hosts/nqn.2026-01.com.example:host3/dhchap_key"
        assert key.read_text(encoding="utf-8") == host["key"]
        # The kernel takes no key back: the host is made anew, and can be used again.
        without = store.target(initiators=[{"name": host["name"]}])
        assert store.run(without)["changed"] and not key.exists() and not store.run(without)["changed"]
        assert [path for path in store.objects() if path.endswith(f"allowed_hosts/{host['name']}")]


class _Name:
    """What os.uname says."""

    release = "6.1"
