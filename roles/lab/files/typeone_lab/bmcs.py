# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""The BMCs: a Redfish emulator for each node, on an address and with a certificate of its own."""

from __future__ import annotations

import contextlib
import pathlib
import typing as t

import procs
from common import Lab, LabError, run, write

HASH = "import bcrypt, sys; print(bcrypt.hashpw(sys.stdin.read().encode(), bcrypt.gensalt(4)).decode())"
CHECK = "import bcrypt, sys; a, b = sys.stdin.read().split('\\n'); sys.exit(not bcrypt.checkpw(a.encode(), b.encode()))"


def _configuration(lab: Lab, node: dict[str, t.Any]) -> str:
    """The emulator's configuration, which is a Python file.

    A collection of storage that is empty is the truth; without one each request for it ends in an internal error. So does one for
    the mode of a machine with BIOS, where the emulator does not know its file.
    """
    home = pathlib.Path(node["dir"]) / "bmc"
    values = {
        "LISTEN_IP": node["bmc_address"],
        "LISTEN_PORT": 443,
        "SSL_CERT": str(home / "bmc.pem"),
        "SSL_KEY": str(home / "bmc.key"),
        "AUTH_FILE": str(home / "htpasswd"),
        "LIBVIRT_URI": lab.spec["libvirt_uri"],
        "STATE_DIR": str(home / "state"),
        "ALLOWED_INSTANCES": [node["uuid"]],
        "STORAGE_POOL": "default",
        "STORAGE": {node["uuid"]: []},
        "VMEDIA_VERIFY_SSL": True,
        "IGNORE_BOOT_DEVICE": False,
        "BOOT_LOADER_MAP": {"Legacy": {"x86_64": lab.spec["bios"]}},
    }
    return "".join(f"SUSHY_EMULATOR_{key} = {value!r}\n" for key, value in values.items())


def _password_file(lab: Lab, path: pathlib.Path) -> None:
    """User and password with bcrypt, the one hash the emulator takes; few rounds keep its answers fast."""
    password = (lab.dir / "bmc_password").read_text().strip() if (lab.dir / "bmc_password").exists() else ""
    python, user = lab.spec["python"], lab.spec["bmc_username"]
    with contextlib.suppress(OSError, LabError):
        name, _colon, digest = path.read_text().strip().partition(":")
        if name == user:
            run([python, "-c", CHECK], stdin=f"{password}\n{digest}")
            return
    if lab.change(f"write {path}"):
        write(path, f"{user}:{run([python, '-c', HASH], stdin=password).strip()}\n")


def _bmc(lab: Lab, node: dict[str, t.Any]) -> None:
    home = pathlib.Path(node["dir"]) / "bmc"
    if not lab.check:
        (home / "state").mkdir(parents=True, exist_ok=True)
    configuration = _configuration(lab, node)
    path = home / "emulator.conf"
    if (not path.exists() or path.read_text() != configuration) and lab.change(f"write {path}"):
        write(path, configuration)
    _password_file(lab, home / "htpasswd")
    probe = [*lab.enter, "socat", "-u", "OPEN:/dev/null", f"TCP:{node['bmc_address']}:443"]
    procs.ensure(
        lab,
        procs.Daemon(
            f"bmc-{node['name']}",
            [*lab.enter, lab.spec["python"], "-m", "sushy_tools.emulator.main", "--config", str(path)],
            lambda: _succeeds(probe),
            stamp_of=(path, home / "htpasswd", home / "bmc.pem"),
        ),
    )


def _succeeds(command: list[str]) -> bool:
    with contextlib.suppress(LabError):
        run(command)
        return True
    return False


def up(lab: Lab) -> None:
    """A BMC for each node, and none for nodes that are gone."""
    wanted = {f"bmc-{node['name']}" for node in lab.spec["nodes"]}
    surplus = {process.part for process in procs.marked(lab) if process.part.startswith("bmc-")} - wanted
    for part in sorted(surplus):
        procs.stop_part(lab, part)
    for node in lab.spec["nodes"]:
        _bmc(lab, node)
