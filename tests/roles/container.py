# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Debian system booted with its own init in a container, in a network namespace made for it, and a controller beside it.

What the container does is also looked at through its processes, which no mistake in its network can prevent.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("TYPEONE_LAB_CACHE") or ROOT / "build" / "cache") / "roles"
BIN = pathlib.Path(sys.executable).parent
GUARD = 600  # seconds; against hanging for ever, no measure of anything
PACKAGES = ("dbus", "init", "iproute2", "netplan.io", "openssh-server", "openvswitch-switch", "python3", "systemd", "udev")
KEYRINGS = {
    "Debian": "/usr/share/keyrings/debian-archive-keyring.gpg",
    "Ubuntu": "/usr/share/keyrings/ubuntu-archive-keyring.gpg",
}
# What is of no use in a container that lives for a minute.
OFF = ("systemd-networkd-wait-online.service", "systemd-resolved.service", "apt-daily.timer", "apt-daily-upgrade.timer",
       "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer")


def run(*words, check: bool = True, **options) -> str:
    """Run a program to its end and return what it says."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=GUARD, check=False, **options)
    assert not check or done.returncode == 0, f"{words}: {done.stdout}\n{done.stderr}"
    return done.stdout


def sources() -> list[str]:
    """The machine's own sources of its distribution, as lines of a sources.list."""
    listing = run("apt-get", "indextargets", "--format", "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)", "Created-By: Packages")
    rows = [line.split("|") for line in listing.splitlines()]
    lines = [f"deb [signed-by={KEYRINGS[row[3]]}] {row[0]} {row[1]} {row[2]}" for row in rows if row[3] in KEYRINGS]
    assert lines, "apt knows no index: run 'apt-get update'"
    return lines


def proxies() -> list[str]:
    """The proxies that the machine's own apt goes through, as options of mmdebstrap."""
    found = []
    for scheme in ("http", "https"):
        proxy = run("apt-config", "shell", "PROXY", f"Acquire::{scheme}::Proxy").strip().removeprefix("PROXY=").strip("'\"")
        found += [f'--aptopt=Acquire::{scheme}::Proxy "{proxy}"'] if proxy else []
    return found


def archive() -> pathlib.Path:
    """The system of the container, built once for each recipe and kept in the cache."""
    lines = sources()
    key = hashlib.sha256(json.dumps([lines, PACKAGES, 1]).encode()).hexdigest()[:16]
    wanted = CACHE / f"{key}.tar"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not wanted.exists():
            print(f"== Building the containers' system {wanted}", file=sys.stderr)
            with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
                listed = pathlib.Path(scratch, "sources.list")
                listed.write_text("\n".join(lines) + "\n", encoding="utf-8")
                suite = min((line.split()[3] for line in lines), key=len)
                partial = pathlib.Path(scratch, "system.tar")
                run("unshare", "--mount", "--propagation", "private", "mmdebstrap", "--mode=root", "--variant=minbase",
                    f"--include={','.join(PACKAGES)}", *proxies(), '--aptopt=Acquire::Languages "none"',
                    "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
                    "--dpkgopt=force-unsafe-io", suite, partial, listed, env={**os.environ, "TMPDIR": scratch})
                partial.rename(wanted)
    return wanted


class Container:
    """One host with the cards host0 (on the controller's bridge) and nic1 (whose other end is `far`)."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.root = folder / "root"
        self.key = folder / "key"
        self.name = f"typeone-roles-{os.getpid()}"
        self.process: subprocess.Popen | None = None
        self.plays = 0

    # The machine's side -----------------------------------------------------------------------------------------------

    def inside(self, *words) -> list[str]:
        """A command in the controller's network."""
        return ["nsenter", f"--net=/run/netns/{self.name}", *map(str, words)]

    def up(self) -> None:
        """Make the namespace, unpack the system, boot it."""
        run("ip", "netns", "add", self.name)
        steps = ["link set lo up", "link add br0 type bridge", "link set br0 up", "address add 192.0.2.1/24 dev br0"]
        for step in steps:
            run("ip", "-n", self.name, *step.split())
        self._unpack()
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

    def _unpack(self) -> None:
        self.root.mkdir(parents=True)
        run("tar", "-xpf", archive(), "-C", self.root, "--numeric-owner", "--exclude=./dev/*")
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key)
        (self.root / "root/.ssh").mkdir(mode=0o700, exist_ok=True)
        shutil.copy(self.key.with_suffix(".pub"), self.root / "root/.ssh/authorized_keys")
        machine_id = self.root / "etc/machine-id"
        machine_id.unlink(missing_ok=True)
        machine_id.write_text(uuid.uuid4().hex + "\n", encoding="utf-8")
        (self.root / "etc/hostname").write_text("host\n", encoding="utf-8")
        # Hardware addresses are not to change once they are there.
        (self.root / "etc/systemd/network/99-default.link").symlink_to("/dev/null")
        self._write_base(self.root)
        run("chroot", self.root, "systemctl", "--quiet", "enable", "systemd-networkd.service", "ssh.service")
        for unit in OFF:
            run("chroot", self.root, "systemctl", "--quiet", "disable", unit, check=False)

    @staticmethod
    def _write_base(root: pathlib.Path) -> None:
        path = root / "etc/netplan/10-base.yaml"
        path.write_text(BASE, encoding="utf-8")
        path.chmod(0o600)

    def down(self) -> None:
        """Leave nothing behind."""
        self._kill_controller()
        leader = self.leader()
        if leader:
            os.kill(leader, signal.SIGKILL)  # and with it all that is in its namespace; nothing in it is worth more
        if self.process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(30)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        run("ip", "netns", "delete", self.name, check=False)
        shutil.rmtree(self.root, ignore_errors=True)
        self.until(self._groups_removed, "no process of the container is left")

    def _groups_removed(self) -> bool:
        for path in pathlib.Path("/sys/fs/cgroup").glob(f"*/{self.name}"):
            groups = [group for group in sorted(path.rglob("*"), reverse=True) if group.is_dir()]
            for group in (*groups, path):
                with contextlib.suppress(OSError):
                    group.rmdir()
        return not list(pathlib.Path("/sys/fs/cgroup").glob(f"*/{self.name}"))

    def leader(self) -> int | None:
        """The container's PID 1, as the machine numbers it."""
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                status = (path / "status").read_text()
                if self.process and f"PPid:\t{self.process.pid}\n" in status and re.search(r"^NSpid:\t\d+\t1$", status, re.M):
                    return int(path.name)
        return None

    @staticmethod
    def until(done, what: str, seconds: float = 90.0) -> None:
        """Wait until something is so. 90 s is within what any change has to have the host reachable again."""
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
            time.sleep(0.5)

    # The container's side ---------------------------------------------------------------------------------------------

    def shell(self, script: str, check: bool = True) -> str:
        """Run a script in the container, past its network."""
        leader = self.leader()
        if leader is None:
            assert not check, "the container does not run"
            return ""
        return run("nsenter", f"--target={leader}", "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd=/",
                   "/bin/sh", "-c", script, check=check)

    def exists(self, path: str) -> bool:
        """Whether the container has a file."""
        return self.shell(f"test -e {path} && echo yes", check=False).strip() == "yes"

    def addresses(self) -> dict[str, list[str]]:
        """IPv4 addresses by link, of links that have any."""
        links = json.loads(self.shell("ip -j -4 address"))
        return {link["ifname"]: [f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"]] for link in links if link.get("addr_info")}

    def mac(self, name: str) -> str:
        """The hardware address of a link."""
        return self.shell(f"cat /sys/class/net/{name}/address").strip()

    def reboot(self) -> None:
        """Restart the system."""
        self.shell("systemctl reboot", check=False)
        # systemd-nspawn(1), --keep-unit: whoever started it is asked to start it again.
        assert self.process and self.process.wait(GUARD) == 133
        self._boot()

    def reset(self) -> None:
        """Put the network that each test begins with back, and forget what was."""
        self._controller(None)
        self.shell("""
            systemctl stop typeone-network-rollback.timer typeone-network-apply.service 2>/dev/null
            rm -rf /var/lib/typeone /etc/netplan/90-typeone.yaml
            for name in br0 br1; do ip link delete $name 2>/dev/null || :; done
        """, check=False)
        self.shell(f"umask 077; cat >/etc/netplan/10-base.yaml <<'END'\n{BASE}END\nnetplan apply && udevadm settle")
        self.until(self.answers, "the container answers")

    # The controller's side --------------------------------------------------------------------------------------------

    def _controller(self, source: str | None) -> None:
        """The address that the controller comes from: the bridge's own, or one behind it."""
        run("ip", "-n", self.name, "address", "flush", "dev", "lo", "scope", "global", check=False)
        words = ["src", "192.0.2.1"]
        if source:
            run("ip", "-n", self.name, "address", "add", f"{source}/32", "dev", "lo")
            words = ["src", source]
        run("ip", "-n", self.name, "route", "replace", "192.0.2.0/24", "dev", "br0", *words)

    def come_from(self, source: str) -> None:
        """Let the controller be in another network, behind the bridge's address."""
        self._controller(source)

    def announce(self, link: str, *, switch: str, port: str) -> None:
        """Send a frame of LLDP out of a link of the controller's, as a switch at its end would."""
        run(*self.inside(sys.executable, "-c", ANNOUNCE, link, switch, port))

    @property
    def ssh_options(self) -> list[str]:
        """Of a host that is made anew for each test."""
        return ["-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]

    def answers(self) -> bool:
        """Whether one can log in at the address that the tests begin with."""
        words = self.inside("ssh", *self.ssh_options, "-i", self.key, "-o", "ConnectTimeout=2", "-o", "BatchMode=yes", "root@192.0.2.10", "true")
        return subprocess.run(words, capture_output=True, timeout=GUARD, check=False).returncode == 0

    def start(self, variables: dict, *options: str) -> subprocess.Popen:
        """Start a play with the role."""
        host = {"ansible_host": "192.0.2.10", "ansible_user": "root", "ansible_ssh_private_key_file": str(self.key),
                "ansible_ssh_common_args": " ".join(self.ssh_options), "ansible_python_interpreter": "/usr/bin/python3"}
        inventory, play = self.folder / "inventory.json", self.folder / "play.yml"
        inventory.write_text(json.dumps({"all": {"hosts": {"host": host}}}), encoding="utf-8")
        play.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "roles": [{"role": "typeone.metal.network", "vars": variables}]}]),
                        encoding="utf-8")
        self.plays += 1
        environment = {
            **os.environ, MARKER: self.name, "ANSIBLE_PIPELINING": "1", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(self.folder / "ansible"),
            # Connections are kept within a play, as by default, and not from one to the next.
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.folder / f"cp{self.plays}"), "ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=5s",
        }
        words = self.inside(BIN / "ansible-playbook", "-i", inventory, play, *options)
        with open(self.output, "w", encoding="utf-8") as stream:
            return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, env=environment, start_new_session=True)

    @property
    def output(self) -> pathlib.Path:
        """What the last play says."""
        return self.folder / f"play{self.plays}.log"

    def play(self, variables: dict, *options: str) -> tuple[int, str]:
        """Run a play with the role to its end."""
        status = self.start(variables, *options).wait(GUARD)
        return status, self.output.read_text(encoding="utf-8")

    def play_killed(self, variables: dict) -> None:
        """Start a play, and kill the controller with all its processes once the host has applied its change."""
        folder = "/var/lib/typeone/network/pending"
        before = self.shell(f"cat {folder}/transaction.json", check=False)
        process = self.start(variables)
        try:
            self.until(lambda: self.shell(f"cat {folder}/applied {folder}/transaction.json", check=False).partition("\n")[2] not in ("", before),
                       "the change is applied")
        except AssertionError as error:
            raise AssertionError(self.output.read_text(encoding="utf-8")) from error
        finally:
            self._kill_controller()
            process.wait(GUARD)

    def _kill_controller(self) -> None:
        """Ansible's workers have sessions of their own: all that carry the mark."""
        mark = f"{MARKER}={self.name}".encode()
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (path / "environ").read_bytes().split(b"\0"):
                    os.kill(int(path.name), signal.SIGKILL)


MARKER = "TYPEONE_TEST_CONTROLLER"
ANNOUNCE = """
import socket, sys
link, switch, port = sys.argv[1:]
tlv = lambda kind, value: (kind << 9 | len(value)).to_bytes(2, "big") + value
mac = bytes.fromhex("525400aabbcc")
frame = bytes.fromhex("0180c200000e") + mac + bytes.fromhex("88cc") + tlv(1, b"\\x04" + mac) + tlv(2, b"\\x05" + port.encode())
frame += tlv(3, (120).to_bytes(2, "big")) + tlv(5, switch.encode()) + tlv(7, bytes.fromhex("00140014")) + tlv(0, b"")
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
    wire.bind((link, 0))
    wire.send(frame)
"""
BASE = """network:
  version: 2
  renderer: networkd
  ethernets:
    host0:
      addresses: [192.0.2.10/24]
      routes: [{to: 0.0.0.0/0, via: 192.0.2.1}]
    nic1: {dhcp4: false}
"""
