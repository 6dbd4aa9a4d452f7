# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that build image and ramdisk: sources, arguments, modules, publishing, progress."""

from __future__ import annotations

import importlib
import json
import pathlib
import subprocess
import sys
import threading
import typing as t

import pytest

ROLES = pathlib.Path(__file__).resolve().parents[3] / "roles"
FOLDERS = (ROLES / "os_image/files/builder", ROLES / "deploy_ramdisk/files")


@pytest.fixture(name="programs")
def fixture_programs(monkeypatch) -> t.Callable[[str], t.Any]:
    """Import build programs by name, as they import each other."""
    for folder in FOLDERS:
        monkeypatch.syspath_prepend(str(folder))
    return importlib.import_module


@pytest.fixture(name="common")
def fixture_common(programs) -> t.Any:
    """What the programs share."""
    return programs("builder_common")


def test_sources_of_both_formats(programs, tmp_path) -> None:
    """Those of the release and the distribution, enabled, with their keys; each once."""
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text(
        "deb http://192.0.2.1/debian bookworm main # comment\n#deb http://192.0.2.1/debian bookworm contrib\n"
        "deb-src http://192.0.2.1/debian bookworm main\ndeb http://192.0.2.1/debian bookworm main\n"
        "deb [signed-by=/k.gpg] http://192.0.2.1/security bookworm-security main\n"
        "deb http://192.0.2.1/debian trixie main\ndeb http://192.0.2.9/vendor bookworm stable\n")
    (tmp_path / "sources.list.d/a.sources").write_text(
        "Types: deb deb-src\nURIs: http://192.0.2.2/debian\nSuites: bookworm-updates\n"
        "Components: main\n contrib\nSigned-By: /usr/share/keyrings/k.gpg\n\n"
        "# off\nTypes: deb\nEnabled: no\nURIs: http://192.0.2.3/debian\nSuites: bookworm\nComponents: main\n")
    (tmp_path / "sources.list.d/ignored.bak").write_text("deb http://192.0.2.4/debian bookworm main\n")
    assert programs("apt_sources").find(tmp_path, "bookworm") == [
        "deb http://192.0.2.1/debian bookworm main",
        "deb [signed-by=/k.gpg] http://192.0.2.1/security bookworm-security main",
        "deb [signed-by=/usr/share/keyrings/k.gpg] http://192.0.2.2/debian bookworm-updates main contrib"]
    assert programs("apt_sources").find(tmp_path / "none", "bookworm") == []


def test_a_tree_is_unpacked_although_more_follows_than_tar_reads(common, tmp_path) -> None:
    """tar stops at the end of its archive. Whoever feeds it may then be ended by a signal, which is no failure."""
    (tmp_path / "name").write_text("content")
    subprocess.run(["tar", "-cf", "tree.tar", "name"], cwd=tmp_path, check=True)
    with (tmp_path / "tree.tar").open("ab") as archive:
        archive.write(bytes(64 << 20))
    subprocess.run(["zstd", "-q", "tree.tar"], cwd=tmp_path, check=True)
    (tmp_path / "root").mkdir()
    common.unpack_tree(tmp_path / "tree.tar.zst", tmp_path / "root")
    assert (tmp_path / "root/name").read_text() == "content"
    with pytest.raises(common.BuildError):
        common.unpack_tree(tmp_path / "name", tmp_path / "root")


def grub_spec(**changes: t.Any) -> dict[str, t.Any]:
    """What an image's GRUB is asked to do."""
    return {"hypervisor": "xen", "kernel_args": ["console=hvc0"], "xen_args": ["dom0_mem=1G,max:1G", "console=com1"],
            "grub_timeout": 2, "serial_unit": 0, "serial_speed": 115200, **changes}


def test_defaults_of_grub(programs) -> None:
    """Under Xen the kernel's arguments are dom0's alone; without a serial port there is no terminal for it."""
    files = programs("image_grub").defaults(grub_spec())
    assert 'GRUB_CMDLINE_XEN_DEFAULT="dom0_mem=1G,max:1G console=com1"' in files["grub.d/40-image.cfg"]
    assert 'GRUB_CMDLINE_LINUX_XEN_REPLACE_DEFAULT="console=hvc0"' in files["grub.d/40-image.cfg"]
    assert 'GRUB_SERIAL_COMMAND="serial --unit=0 --speed=115200"' in files["grub"]
    files = programs("image_grub").defaults(grub_spec(hypervisor="kvm", xen_args=[], serial_unit=None))
    assert "XEN" not in files["grub.d/40-image.cfg"] and "console=hvc0" in files["grub.d/40-image.cfg"]
    assert "SERIAL" not in files["grub"]


@pytest.mark.parametrize("word", ["a b", 'a"b', "a$b", "a'b", "a\nb", "a;b`c`", ""])
def test_arguments_that_a_shell_would_read_otherwise(programs, common, word) -> None:
    """They are refused and not quoted by guess."""
    with pytest.raises(common.BuildError, match="not possible"):
        programs("image_grub").defaults(grub_spec(kernel_args=["quiet", word]))


def test_a_configuration_without_what_was_asked_for(programs, common, tmp_path) -> None:
    """update-grub that dropped an argument, or Xen, ends the build."""
    (tmp_path / "boot/grub").mkdir(parents=True)
    path = tmp_path / "boot/grub/grub.cfg"
    path.write_text("multiboot2 /boot/xen.gz placeholder dom0_mem=1G,max:1G console=com1\nmodule2 x console=hvc0\n")
    programs("image_grub").check(grub_spec(), tmp_path)
    path.write_text("linux /boot/vmlinuz console=hvc0\n")
    with pytest.raises(common.BuildError, match="dom0_mem=1G,max:1G, console=com1, multiboot2"):
        programs("image_grub").check(grub_spec(), tmp_path)


def test_modules_bring_what_they_need(programs) -> None:
    """Folders, single files and patterns; a folder's name is not the beginning of another's."""
    ramdisk = programs("build_ramdisk")
    needs = ramdisk.dependencies("kernel/drivers/nvme/host/nvme.ko: kernel/drivers/nvme/common/core.ko kernel/lib/a.ko\n"
                                 "kernel/drivers/nvme/common/core.ko:\nkernel/lib/a.ko:\nkernel/fs/ext4/ext4.ko:\n"
                                 "kernel/fs/ext4dev/x.ko:\nkernel/drivers/net/bonding.ko:\n")
    assert ramdisk.wanted_modules(["drivers/nvme/host"], needs) == {
        "kernel/drivers/nvme/host/nvme.ko", "kernel/drivers/nvme/common/core.ko", "kernel/lib/a.ko"}
    assert ramdisk.wanted_modules(["fs/ext4", "drivers/net/b*.ko"], needs) == {
        "kernel/fs/ext4/ext4.ko", "kernel/drivers/net/bonding.ko"}


def test_publishing_is_all_or_nothing(common, tmp_path) -> None:
    """A failure leaves what was there; a success replaces it; leftovers of a killed build go."""
    target = tmp_path / "images/k1"
    left = tmp_path / "images/.k1.dead"
    left.mkdir(parents=True)
    with common.published(target) as folder:
        assert not left.exists() and not target.exists()
        common.write_manifest(folder, {"key": "k1"})
    assert common.is_published(target, "k1") and not common.is_published(target, "k2")
    with pytest.raises(RuntimeError), common.published(target) as folder:
        (folder / "manifest.json").write_text("{")
        raise RuntimeError
    assert common.is_published(target, "k1")
    assert [path.name for path in (tmp_path / "images").iterdir()] == ["k1"]
    assert (target / "manifest.json").stat().st_mode & 0o777 == 0o644 and target.stat().st_mode & 0o777 == 0o755


def test_two_builds_of_one_thing(common, tmp_path) -> None:
    """The second waits, and says so."""
    said, order = [], []
    entered, leave = threading.Event(), threading.Event()

    def first() -> None:
        with common.lock(tmp_path / "l", said.append):
            entered.set()
            leave.wait(10)
            order.append("first")

    def second(text: str) -> None:
        said.append(text)
        leave.set()

    thread = threading.Thread(target=first)
    thread.start()
    assert entered.wait(10)
    with common.lock(tmp_path / "l", second):
        order.append("second")
    thread.join()
    assert order == ["first", "second"] and said == ["waiting for another build of the same thing"]


def test_what_a_build_says_when_it_fails(common, tmp_path, monkeypatch, capsys) -> None:
    """The cause is on standard error and in the progress; the status is not zero."""
    spec = {"progress_file": str(tmp_path / "p")}
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    monkeypatch.setattr(sys, "argv", ["build", str(tmp_path / "spec.json")])
    for name in ("PATH", "LC_ALL"):
        monkeypatch.setenv(name, "/usr/bin:/bin" if name == "PATH" else "C")

    def build(_spec: t.Any, _progress: t.Any) -> bool:
        common.pipe('echo "$what" >&2; exit 4', what="no such mirror")
        return True

    with pytest.raises(SystemExit):
        common.main(build)
    assert "bash ended with status 4: no such mirror" in capsys.readouterr().err
    assert "failed: bash ended with status 4" in (tmp_path / "p").read_text()
    with pytest.raises(common.BuildError, match="programs no-such-program are missing"):
        common.need(["sh", "no-such-program"])


def test_waiting_for_the_next_line(programs, tmp_path) -> None:
    """New lines answer at once, an end does, and silence repeats what was said last."""
    wait, path = programs("wait_job").wait, tmp_path / "p"
    assert wait(path, 0, longest=0.0) == {"seen": 0, "line": "starting"}
    path.write_text("   0.0 s  unpacking\n")
    assert wait(path, 0) == {"seen": 1, "line": "0.0 s  unpacking"}
    assert wait(path, 1, longest=0.0) == {"seen": 1, "line": "0.0 s  unpacking"}
    path.write_text("   0.0 s  unpacking\n   9.0 s  built\n")
    assert wait(path, 2) == {"seen": 2, "line": "9.0 s  built"}


def test_what_the_manifest_says_of_xen(programs, tmp_path) -> None:
    """The hypervisor's own package counts, not one that mentions it; without Xen there is none."""
    (tmp_path / "lib/modules/6.1.0-1-amd64").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    status = tmp_path / "var/lib/dpkg/status"
    status.write_text("Package: xen-hypervisor-common\nVersion: 1\n\nPackage: xen-hypervisor-4.17-amd64\n"
                      "Status: install ok installed\nVersion: 4.17.5-1\n\nPackage: zstd\nVersion: 2\n")
    assert programs("build_image").versions(tmp_path) == ("6.1.0-1-amd64", "4.17.5-1")
    status.write_text("Package: zstd\nVersion: 2\n")
    assert programs("build_image").versions(tmp_path) == ("6.1.0-1-amd64", None)
