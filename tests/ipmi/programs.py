# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other people's IPMI servers: OpenIPMI's ipmi_sim (Debian package openipmi) and pyghmi's fakebmc."""

from __future__ import annotations

import pathlib
import socket
import subprocess
import sys
import time

USERNAME, PASSWORD = "admin", "simulated-one"
LAN = """\
name "bmc"
set_working_mc 0x20
  startlan 1
    addr 127.0.0.1 {port}
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid a123456789abcdefa123456789abcdef
  endlan
  chassis_control "{control} 0x20"
  serial 15 127.0.0.1 {serial} codec VM
  {sol}
  user 2 true "admin" "{password}" admin 10 none md2 md5 straight
  user 3 true "reader" "only-a-reader" user 10 none md2 md5 straight
"""
# Called by ipmi_sim to read and to set the chassis. What was set is a line of the file "sets".
CONTROL = """\
#!/bin/sh
cd "{folder}" || exit 1
shift
what=$1; shift
case $what in
get) for name; do echo "$name:$(cat "$name")"; done ;;
set) while [ $# -gt 1 ]; do
       echo "$1 $2" >> sets
       case $1 in
       shutdown) echo 0 > power ;;
       reset) ;;
       *) echo "$2" > "$1" ;;
       esac
       shift 2
     done ;;
check) exit 0 ;;
esac
"""
EMULATION = """\
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
sel_enable 0x20 1000 0x0a
sensor_add 0x20 0 1 0x01 0x01
sensor_set_threshold 0x20 0 1 settable 111000 0x70 0x60 0x50 0 0 0
sensor_set_event_support 0x20 0 1 enable scanning per-state 000111111111111 000111111111111 000111111111111 000111111111111
sensor_set_value 0x20 0 1 0x2a 0
main_sdr_add 0x20 {sdr}
{more}
mc_enable 0x20
"""


def words(data: bytes) -> str:
    """Return bytes as the simulator's language has them."""
    return " ".join(f"0x{byte:02x}" for byte in data)


def free_port(kind: int = socket.SOCK_DGRAM) -> int:
    """Return a port that nobody uses just now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port: int, process: subprocess.Popen, seconds: float = 20) -> None:
    """Wait until a BMC answers at the port."""
    question = bytes.fromhex("0600ff07000000000000000000092018c88100388e04b5")
    end = time.monotonic() + seconds
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.1)
        probe.connect(("127.0.0.1", port))
        while time.monotonic() < end and process.poll() is None:
            try:
                probe.send(question)
                probe.recv(1000)
                return
            except OSError:
                time.sleep(0.05)
    raise RuntimeError(f"no BMC came up at port {port}")


class Program:
    """A server in a process of its own."""

    def __init__(self, *, username: str, password: str) -> None:
        self.username, self.password, self.port = username, password, free_port()
        self.process: subprocess.Popen = None

    def run(self, *command: str, **options: object) -> None:
        """Start it and wait until it answers."""
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, **options)
        try:
            wait_for(self.port, self.process)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


class IpmiSim(Program):
    """OpenIPMI's simulator: cipher suite 3, a log, a sensor, a FRU, accounts, LAN parameters, and a console.

    ``events`` are entries of the log, from their time on (13 bytes).
    """

    def __init__(self, folder: pathlib.Path, *, sdr: bytes, fru: bytes = b"", console: int = 0,
                 events: tuple = ()) -> None:
        super().__init__(username=USERNAME, password=PASSWORD)
        self.folder = folder
        control = folder / "control"
        control.write_text(CONTROL.format(folder=folder))
        control.chmod(0o755)
        (folder / "power").write_text("0\n")
        (folder / "boot").write_text("none\n")
        (folder / "fru.bin").write_bytes(fru)
        (folder / "lan.conf").write_text(LAN.format(
            port=self.port, control=control, serial=free_port(socket.SOCK_STREAM), password=PASSWORD,
            sol=f'sol "tcp:127.0.0.1:{console}" 115200' if console else ""))
        more = [f"sel_add 0x20 0x02 {words(event)}" for event in events]
        if fru:
            more.append(f'mc_add_fru_data 0x20 0 {len(fru)} file 0 "{folder}/fru.bin"')
        (folder / "bmc.emu").write_text(EMULATION.format(sdr=words(sdr), more="\n".join(more)))

    def start(self) -> "IpmiSim":
        """Start the simulator."""
        (self.folder / "state").mkdir(exist_ok=True)
        self.run("ipmi_sim", "-c", str(self.folder / "lan.conf"), "-f", str(self.folder / "bmc.emu"), "-s",
                 str(self.folder / "state"), "-n", cwd=self.folder)
        return self

    def state(self, name: str) -> str:
        """Return what the chassis was set to last (``power``, ``boot``)."""
        return (self.folder / name).read_text().strip()

    def sets(self) -> list[str]:
        """Return everything that the chassis was told."""
        path = self.folder / "sets"
        return path.read_text().splitlines() if path.exists() else []


class FakeBmc(Program):
    """pyghmi's fakebmc: cipher suite 3 whatever is offered, power and boot device only."""

    def __init__(self) -> None:
        super().__init__(username="admin", password="password")

    def start(self) -> "FakeBmc":
        """Start it."""
        self.run(sys.executable, "-m", "pyghmi.cmd.fakebmc", "--port", str(self.port))
        return self
