# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container as the host whose network is changed, and a controller beside it that plays, and is killed."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys

from container import ADDRESS, BASE, CACHE, Container, Recipe
from systems import GUARD, kept, run

BIN = pathlib.Path(sys.executable).parent
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
PROFILES = "/etc/NetworkManager/system-connections"
PROFILE = f"""[connection]
id=host0
type=ethernet
interface-name=host0

[ipv4]
method=manual
address1={ADDRESS}/24,192.0.2.1

[ipv6]
method=disabled
"""


@dataclasses.dataclass(frozen=True)
class BackEnd:
    """Who brings the host's network about: what it begins with, what the role is told, and the file that the role writes."""

    name: str
    base: tuple[str, str]
    variables: dict
    path: str = "/etc/netplan/90-typeone.yaml"
    start: str = "netplan apply && udevadm settle"


# netplan has NetworkManager give an address of the link to a card that is named without one.
_MANAGED = BASE.replace("networkd", "NetworkManager").replace("    nic1: {dhcp4: false}\n", "")
_RESTART = "netplan generate && systemctl start NetworkManager && nm-online -q -s -t 30"
BACK_ENDS = {end.name: end for end in (
    BackEnd("networkd", ("/etc/netplan/10-base.yaml", BASE), {}),
    BackEnd("NetworkManager", ("/etc/netplan/10-base.yaml", _MANAGED), {}, start=_RESTART),
    BackEnd("nmstate", (f"{PROFILES}/host0.nmconnection", PROFILE), {"network_provider": "nmstate"}, "/etc/typeone/nmstate.yml", _RESTART),
)}


class Host(Container):
    """A container and its controller."""

    plays = 0
    back_end = BACK_ENDS["networkd"]

    def down(self) -> None:
        """Leave nothing behind."""
        self._kill_controller()
        super().down()

    # The container's side ---------------------------------------------------------------------------------------------

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

    def reset(self, back_end: str = "networkd") -> None:
        """Put the network that each test begins with back, and forget what was."""
        self._controller(None)
        self.back_end = BACK_ENDS[back_end]
        path, text = self.back_end.base
        self.shell(f"""
            systemctl stop typeone-network-rollback.service typeone-network-apply.service 2>/dev/null
            rm -rf /var/lib/typeone /etc/typeone /etc/netplan/*.yaml {PROFILES}/*
            if systemctl --quiet is-active NetworkManager; then
                systemctl stop NetworkManager
                rm -f /run/NetworkManager/devices/* /run/NetworkManager/system-connections/*
                for name in host0 nic1; do ip link set $name nomaster; ip address flush dev $name; done
            fi
            for name in br0 br1; do ip link delete $name 2>/dev/null || :; done
            umask 077
            cat >{path} <<'END'\n{text}END
        """, check=False)
        self.shell(self.back_end.start)
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

    def start(self, variables: dict, *options: str) -> subprocess.Popen:
        """Start a play with the role."""
        host = {"ansible_host": ADDRESS, "ansible_user": "root", "ansible_ssh_common_args": f"-F {self.ssh_config}",
                "ansible_python_interpreter": "/usr/bin/python3"}
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
        words = [BIN / "ansible-playbook", "-i", inventory, play, *options]
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
        """Start a play, and kill the controller with all its processes before it comes back; returns once the host has applied its change."""
        folder = "/var/lib/typeone/network/pending"
        before = self.shell(f"cat {folder}/transaction.json", check=False)
        process = self.start(variables)
        try:
            # It waits for 3 s before it comes back, and would confirm a change that is right.
            self.until(lambda: "Come back by a new connection" in self.output.read_text(encoding="utf-8"), "the change begins")
        except AssertionError as error:
            raise AssertionError(self.output.read_text(encoding="utf-8")) from error
        finally:
            self._kill_controller()
            process.wait(GUARD)
        self.until(lambda: self.shell(f"cat {folder}/applied {folder}/transaction.json", check=False).partition("\n")[2] not in ("", before),
                   "the change is applied")

    def _kill_controller(self) -> None:
        """Ansible's workers have sessions of their own: all that carry the mark."""
        mark = f"{MARKER}={self.name}".encode()
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (path / "environ").read_bytes().split(b"\0"):
                    os.kill(int(path.name), signal.SIGKILL)


NMSTATE = ("nmstate==1.2.1", "varlink")
NMSTATECTL = """#!/usr/bin/python3
import sys
from nmstatectl.nmstatectl import main
sys.exit(main())
"""


class ManagedHost(Host):
    """A container whose network NetworkManager has, with nmstate installed."""

    back_end = BACK_ENDS["NetworkManager"]

    def __init__(self, folder: pathlib.Path) -> None:
        super().__init__(folder, Recipe(installed=("gir1.2-nm-1.0", "network-manager", "python3-gi", "python3-jsonschema",
                                                   "python3-setuptools", "python3-yaml")))

    def _furnish(self) -> None:
        super()._furnish()
        library = kept(CACHE / "-".join(NMSTATE).replace("==", "-"), lambda partial: run(
            BIN / "python", "-m", "pip", "install", "--quiet", "--no-deps", "--target", partial, *NMSTATE))
        packages = self.root / "usr/lib/python3/dist-packages"
        shutil.copytree(library, packages, dirs_exist_ok=True)
        shutil.copy(pathlib.Path(__file__).with_name("nispor.py"), packages)
        files = {
            "usr/bin/nmstatectl": NMSTATECTL,
            # As the package NetworkManager-config-server has it. Ends of pairs are cards here.
            "etc/NetworkManager/conf.d/10-server.conf": "[main]\nno-auto-default=*\n",
            "etc/udev/rules.d/85-nm-unmanaged.rules": "",
            self.back_end.base[0].lstrip("/"): self.back_end.base[1],
        }
        for path, text in files.items():
            (self.root / path).write_text(text, encoding="utf-8")
        (self.root / "usr/bin/nmstatectl").chmod(0o755)
        run("chroot", self.root, "systemctl", "--quiet", "disable", "systemd-networkd.service")
