# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connection profiles of NetworkManager, as its keyfiles have them (nm-settings-keyfile(5))."""

from __future__ import annotations

import configparser
import glob
from dataclasses import dataclass

from ansible_collections.typeone.metal.plugins.module_utils._host.files import below, read_text

PROFILES = "/etc/NetworkManager/system-connections"
RUNNING = "/run/NetworkManager/system-connections"
# Types of profiles, also by what ifcfg files call them, that configure what a model does.
_CARDS = ("ethernet", "802-3-ethernet")
_VIRTUAL = ("bond", "bridge", "vlan", "ovs-bridge", "ovs-port", "ovs-interface")


@dataclass(frozen=True)
class Profile:
    """A profile of a card or of a virtual link. `definition` is what makes the latter what it is; its addresses are not."""

    path: str
    kind: str
    interface: str | None = None
    definition: str = ""

    @property
    def virtual(self) -> bool:
        """Whether its link is there for it alone."""
        return self.kind in _VIRTUAL


def read_profiles(root: str, folder: str = PROFILES, pattern: str = "*") -> list[Profile]:
    """Profiles in a folder below a root. Those of other kinds (wireless, VPN, loopback) are nobody's concern here."""
    start = len(below(root, "/")) - 1
    found = []
    for path in sorted(glob.glob(below(root, f"{folder}/{pattern}"))):
        text = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",))
        try:
            text.read_string(read_text(path, "") or "")
        except configparser.Error:
            continue  # NetworkManager does not read it either
        kind = text.get("connection", "type", fallback="")
        if kind in (*_CARDS, *_VIRTUAL):
            section = sorted(text.items(kind)) if text.has_section(kind) else []
            definition = "".join(f"{key}={value}\n" for key, value in section)
            found.append(Profile(path[start:], kind, text.get("connection", "interface-name", fallback=None), definition))
    return found
