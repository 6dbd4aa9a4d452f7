# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who brings a host's network about: what they are given, what they would be disturbed by, and how they take it up."""

from __future__ import annotations

import glob
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass

from ansible_collections.typeone.metal.plugins.module_utils._domain import netplan
from ansible_collections.typeone.metal.plugins.module_utils._host.files import below, read_text, write_atomic
from ansible_collections.typeone.metal.plugins.module_utils._host.links import made_by_netplan
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, Programs

_IFUPDOWN = ("/etc/network/interfaces", "/etc/network/interfaces.d/*")
_NETWORKD = ("/etc/systemd/network/*.network", "/etc/systemd/network/*.netdev")


@dataclass(frozen=True)
class Provider:
    """A renderer of networks. Files by patterns; `ours` among them are made by this collection."""

    path: str
    mode: int
    program: str
    apply: str
    daemons: tuple[str, ...]
    render: Callable[..., str]
    foreign: tuple[str, ...]
    ours: tuple[str, ...]
    renderers: tuple[str, ...]

    def others(self, root: str) -> list[str]:
        """Files, made by others, that configure a network as well."""
        start = len(below(root, "/")) - 1
        found = [path[start:] for pattern in self.foreign for path in glob.glob(below(root, pattern))]
        return sorted(path for path in found if path != self.path)

    def accepts(self, text: str, programs: Programs) -> dict[str, str]:
        """Have the renderer read the text, away from the system's own files; returns its virtual links. Raises HostError."""
        with tempfile.TemporaryDirectory(prefix="typeone-network-") as folder:
            write_atomic(folder + self.path, text, mode=self.mode)
            done = programs.run([self.program, "generate", "--root-dir", folder], check=False)
            links = made_by_netplan(folder)
        if done.rc:
            raise HostError(
                f"Cannot change the network of this host: {self.program} does not take the model: {done.complaint}. "
                "Nothing was changed."
            )
        return links


PROVIDERS = {
    "netplan": Provider(
        path="/etc/netplan/90-typeone.yaml",
        mode=0o600,
        program="netplan",
        apply="netplan apply",
        daemons=("systemd-networkd.service", "NetworkManager.service"),
        render=netplan.render,
        foreign=("/etc/netplan/*.yaml", *_NETWORKD),
        # What the deployment gives a node so that it can be reached at all.
        ours=("/etc/systemd/network/10-typeone-boot.network",),
        renderers=netplan.RENDERERS,
    ),
}


def ifupdown_interfaces(root: str) -> list[str]:
    """Interfaces that ifupdown brings up beside the loopback."""
    found = []
    for path in (path for pattern in _IFUPDOWN for path in sorted(glob.glob(below(root, pattern)))):
        found += re.findall(r"^\s*iface\s+(\S+)", read_text(path, "") or "", re.MULTILINE)
    return [name for name in dict.fromkeys(found) if name != "lo"]


def choose_renderer(provider: Provider, asked: str, programs: Programs) -> str:
    """The renderer that is asked for, else the one that runs."""
    if asked != "auto":
        return asked
    for name in reversed(provider.renderers):
        if os.path.isdir("/run/systemd/system") and programs.run(["systemctl", "is-active", name], check=False).rc == 0:
            return name
    return provider.renderers[0]
