# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Debian or Ubuntu system booted with its own init in a container, in a network namespace made for it.

What the container does is also looked at through its processes, which no mistake in its network can prevent. As a program,
for Molecule's scenarios: `container.py up FOLDER` and `container.py down FOLDER`. TYPEONE_TEST_SUITE names a suite other than
the machine's own (see systems.py).
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
import uuid

from systems import GUARD, bootstrap, kept, run, sources

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("TYPEONE_LAB_CACHE") or ROOT / "build" / "cache") / "roles"
PACKAGES = ("dbus", "init", "iproute2", "netplan.io", "openssh-server", "openvswitch-switch", "python3", "systemd", "udev")
# What is of no use in a container that lives for a minute.
OFF = ("systemd-networkd-wait-online.service", "systemd-resolved.service", "apt-daily.timer", "apt-daily-upgrade.timer",
       "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer")
ADDRESS = "192.0.2.10"
BASE = f"""network:
  version: 2
  renderer: networkd
  ethernets:
    host0:
      addresses: [{ADDRESS}/24]
      routes: [{{to: 0.0.0.0/0, via: 192.0.2.1}}]
    nic1: {{dhcp4: false}}
"""
ENTER = """#!/bin/sh
# Run a command in the controller's network: enter COMMAND [ARGUMENT...]
exec nsenter --net=/run/netns/{name} -- "$@"
"""
# A host that is made anew for each test has no host key worth to be remembered.
SSH = """Host *
    User root
    IdentityFile {folder}/key
    IdentitiesOnly yes
    StrictHostKeyChecking no
    UserKnownHostsFile /dev/null
    LogLevel ERROR
    ProxyCommand {folder}/enter socat - TCP:%h:%p,connect-timeout=10
"""


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What a system has beside PACKAGES: what is installed, and what is but fetched, to be installed without a network."""

    installed: tuple[str, ...] = ()
    fetched: tuple[str, ...] = ()

    def tree(self) -> pathlib.Path:
        """The folder of the system, built once and kept in the cache."""
        lines = sources()
        key = hashlib.sha256(json.dumps([lines, PACKAGES, OFF, self.installed, self.fetched, 3]).encode()).hexdigest()[:16]
        if not (self.installed or self.fetched):
            return kept(CACHE / key, functools.partial(_base, lines))
        base = Recipe().tree()
        return kept(CACHE / key, functools.partial(self._extend, base))

    def _extend(self, base: pathlib.Path, partial: pathlib.Path) -> None:
        """A copy of the base that has more."""
        run("cp", "--archive", "--reflink=auto", base, partial)
        # Proxies of apt are among what the base was built with.
        enter = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", f"--directory={partial}", "--console=pipe", "--timezone=off",
                 f"--machine=typeone-{uuid.uuid4().hex[:12]}", "--resolv-conf=replace-host", "--setenv=DEBIAN_FRONTEND=noninteractive"]
        for step in (["update", "--error-on=any"], ["install", *self.installed], ["install", "--download-only", *self.fetched]):
            run(*enter, "apt-get", "--yes", "--quiet", "--no-install-recommends", *step)


def _base(lines: list[str], partial: pathlib.Path) -> None:
    """Build the base: PACKAGES and apt."""
    off = f'for unit in {" ".join(OFF)}; do chroot "$1" systemctl --quiet disable $unit 2>/dev/null || :; done'
    on = 'chroot "$1" systemctl --quiet enable systemd-networkd.service ssh.service'
    # apt is in the smallest Debian, and not in the smallest Ubuntu. These options of apt and dpkg stay in the system.
    bootstrap(partial, lines, ("apt", *PACKAGES), "--variant=minbase", '--aptopt=Acquire::Languages "none"',
              "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*", "--dpkgopt=force-unsafe-io",
              f"--customize-hook={off}; {on}")


class Container:
    """The host of a folder, with the cards host0 (on the controller's bridge) and nic1 (whose other end is `far`).

    Whichever process has booted it: it is found by its network namespace, which is named after the folder.
    """

    def __init__(self, folder: pathlib.Path, recipe: Recipe = Recipe()) -> None:
        self.folder = folder.resolve()
        self.recipe = recipe
        self.root = self.folder / "root"
        self._layers = (self.folder / "changes", self.folder / "work")
        self.key = self.folder / "key"
        self.ssh_config = self.folder / "ssh_config"
        self.name = f"typeone-{hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]}"
        self.process: subprocess.Popen | None = None

    def inside(self, *words) -> list[str]:
        """A command in the controller's network."""
        return ["nsenter", f"--net=/run/netns/{self.name}", *map(str, words)]

    def up(self) -> None:
        """Make the namespace, have the system, boot it."""
        run("ip", "netns", "add", self.name)
        steps = ["link set lo up", "link add br0 type bridge", "link set br0 up", "address add 192.0.2.1/24 dev br0"]
        for step in steps:
            run("ip", "-n", self.name, *step.split())
        self._furnish()
        self._boot()
        self.until(self.answers, "the container answers")

    def _boot(self) -> None:
        """Start the system, in control groups of its own."""
        groups = [path / self.name for path in map(pathlib.Path, ("/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"))
                  if (path / "cgroup.procs").exists()]
        enter = 'for group in $GROUPS_OF_TEST; do mkdir -p "$group" && echo $$ >"$group/cgroup.procs"; done; exec "$@"'
        nspawn = self.inside("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", f"--directory={self.root}",
                             f"--machine={self.name}", "--network-bridge=br0", "--network-veth-extra=far:nic1", "--link-journal=no",
                             "--resolv-conf=off", "--timezone=off", "--console=pipe")
        with open(self.folder / "console.log", "ab") as log:
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with
                ["sh", "-c", enter, "sh", *nspawn], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                # udev needs a /sys that it can write to, netplan needs udev.
                env={**os.environ, "GROUPS_OF_TEST": " ".join(map(str, groups)), "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "1"})
        self.until(self.leader, "the container starts")
        run("ip", "-n", self.name, "link", "set", "far", "up")

    def _mount(self) -> None:
        """Have the cache's system as the root: what is changed goes into a folder of the container's own."""
        tree = self.recipe.tree()
        for path in (self.root, *self._layers):
            path.mkdir(parents=True)
        changes, work = self._layers
        words = ["mount", "--types=overlay", f"--options=lowerdir={tree},upperdir={changes},workdir={work}", self.name, self.root]
        if subprocess.run(words, capture_output=True, timeout=GUARD, check=False).returncode:
            run("cp", "--archive", "--reflink=auto", f"{tree}/.", self.root)  # a kernel, or a file system, that has no overlays

    def _furnish(self) -> None:
        self._mount()
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key)
        for path, text in ((self.ssh_config, SSH), (self.folder / "enter", ENTER)):
            path.write_text(text.format(folder=self.folder, name=self.name), encoding="utf-8")
        (self.folder / "enter").chmod(0o755)
        (self.root / "root/.ssh").mkdir(mode=0o700, exist_ok=True)
        shutil.copy(self.key.with_suffix(".pub"), self.root / "root/.ssh/authorized_keys")
        machine_id = self.root / "etc/machine-id"
        machine_id.unlink(missing_ok=True)
        machine_id.write_text(uuid.uuid4().hex + "\n", encoding="utf-8")
        (self.root / "etc/hostname").write_text("host\n", encoding="utf-8")
        # Hardware addresses are not to change once they are there.
        (self.root / "etc/systemd/network/99-default.link").symlink_to("/dev/null")
        # What apt knows is as new as it can be without a network.
        (self.root / "var/lib/apt/periodic").mkdir(exist_ok=True)
        (self.root / "var/lib/apt/periodic/update-success-stamp").touch()
        path = self.root / "etc/netplan/10-base.yaml"
        path.write_text(BASE, encoding="utf-8")
        path.chmod(0o600)

    def down(self) -> None:
        """Leave nothing behind."""
        leader = self.leader()
        if leader:
            manager = int(re.search(r"^PPid:\t(\d+)$", pathlib.Path(f"/proc/{leader}/status").read_text(), re.M)[1])
            os.kill(leader, signal.SIGKILL)  # and with it all that is in its namespace; nothing in it is worth more
            self.until(lambda: manager not in self._in_network(), "the container ends")
        self.until(self._emptied, "no process is left in the controller's network")
        if self.process:
            self.process.wait()
        run("ip", "netns", "delete", self.name, check=False)
        run("umount", "--lazy", self.root, check=False)
        for path in (self.root, *self._layers):
            shutil.rmtree(path, ignore_errors=True)
        self.until(self._groups_removed, "no process of the container is left")

    def _emptied(self) -> bool:
        """Connections that were kept, and what a start that failed has left."""
        left = self._in_network()
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not left

    def _in_network(self) -> list[int]:
        """Processes in the controller's network, which are the machine's."""
        namespace = pathlib.Path("/run/netns", self.name)
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*") if namespace.exists() else ():
            with contextlib.suppress(OSError):
                if (path / "ns/net").stat().st_ino == namespace.stat().st_ino:
                    found.append(int(path.name))
        return found

    def _groups_removed(self) -> bool:
        for path in pathlib.Path("/sys/fs/cgroup").glob(f"*/{self.name}"):
            groups = [group for group in sorted(path.rglob("*"), reverse=True) if group.is_dir()]
            for group in (*groups, path):
                with contextlib.suppress(OSError):
                    group.rmdir()
        return not list(pathlib.Path("/sys/fs/cgroup").glob(f"*/{self.name}"))

    def leader(self) -> int | None:
        """The container's PID 1, as the machine numbers it."""
        managers = {f"PPid:\t{pid}" for pid in self._in_network()}
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                status = (path / "status").read_text()
                if re.search(r"^NSpid:\t\d+\t1$", status, re.M) and managers & set(status.splitlines()):
                    return int(path.name)
        return None

    @staticmethod
    def until(done, what: str, seconds: float = 90.0) -> None:
        """Wait until something is so. 90 s is within what any change has to have the host reachable again."""
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
            time.sleep(0.2)

    def shell(self, script: str, check: bool = True) -> str:
        """Run a script in the container, past its network."""
        leader = self.leader()
        if leader is None:
            assert not check, "the container does not run"
            return ""
        return run("nsenter", f"--target={leader}", "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd=/",
                   "/bin/sh", "-c", script, check=check)

    def reboot(self) -> None:
        """Restart the system."""
        self.shell("systemctl reboot", check=False)
        # systemd-nspawn(1), --keep-unit: whoever started it is asked to start it again.
        assert self.process and self.process.wait(GUARD) == 133
        self._boot()

    def answers(self) -> bool:
        """Whether one can log in at the address that it begins with."""
        words = ["ssh", "-F", self.ssh_config, "-o", "ConnectTimeout=2", "-o", "BatchMode=yes", ADDRESS, "true"]
        return subprocess.run(words, capture_output=True, timeout=GUARD, check=False).returncode == 0


def main() -> None:
    """Boot the container of a folder, or leave nothing of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["up", "down"])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--install", nargs="*", default=(), metavar="PACKAGE", help="have these packages")
    parser.add_argument("--fetch", nargs="*", default=(), metavar="PACKAGE", help="be able to install these packages without a network")
    given = parser.parse_args()
    container = Container(given.folder, Recipe(tuple(sorted(given.install)), tuple(sorted(given.fetch))))
    if given.what == "down":
        container.down()
        shutil.rmtree(container.folder, ignore_errors=True)
        return
    try:
        container.up()
    except BaseException:
        container.down()
        raise


if __name__ == "__main__":
    main()
