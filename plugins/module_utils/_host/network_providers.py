# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who brings a host's network about: what they are given, what they would be disturbed by, and how they take it up."""

from __future__ import annotations

import glob
import os
import re
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ansible_collections.typeone.metal.plugins.module_utils._domain import netplan, nmstate
from ansible_collections.typeone.metal.plugins.module_utils._domain.network_model import Model
from ansible_collections.typeone.metal.plugins.module_utils._host.files import below, read_text, write_atomic
from ansible_collections.typeone.metal.plugins.module_utils._host.links import made_by_netplan
from ansible_collections.typeone.metal.plugins.module_utils._host.profiles import PROFILES, Profile, read_profiles
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, Outcome, Programs

NETWORKD, MANAGER = netplan.RENDERERS
_UNITS = {NETWORKD: "systemd-networkd.service", MANAGER: "NetworkManager.service"}
_SYSTEMD = "/run/systemd/system"  # there where it runs: sd_booted(3)
_IFUPDOWN = ("/etc/network/interfaces", "/etc/network/interfaces.d/*")
_SCRIPTS = "/etc/sysconfig/network-scripts"
_FOREIGN = (
    "/etc/netplan/*.yaml",
    "/etc/systemd/network/*.network",
    "/etc/systemd/network/*.netdev",
    f"{_SCRIPTS}/ifcfg-*",
)
# The loopback's own, and what the deployment gives a node so that it can be reached at all.
_OURS = (f"{_SCRIPTS}/ifcfg-lo", "/etc/systemd/network/10-typeone-boot.network")


@dataclass(frozen=True)
class Provider:
    """Who makes a network of a file at `path`.

    `try_out` runs its program on a file of that path below another root; `made` tells the virtual links below a root that are
    its doing, with their definitions. `apply` has the file taken up, `restore` what was there before. Whatever it writes by
    itself is in `folders`.
    """

    path: str
    program: str
    renderers: tuple[str, ...]
    render: Callable[..., str]
    refused: Callable[..., Iterable[str]]
    try_out: Callable[[Programs, str], Outcome]
    made: Callable[[str], dict[str, str]]
    apply: str
    restore: str
    folders: tuple[str, ...] = ()

    def others(self, root: str) -> list[str]:
        """Files, made by others, that configure a network as well."""
        start = len(below(root, "/")) - 1
        found = [path[start:] for pattern in _FOREIGN for path in glob.glob(below(root, pattern))]
        return sorted(path for path in found if path not in (self.path, *_OURS))

    def leftovers(self, root: str) -> list[str]:
        """Such files that are this collection's own."""
        return [path for path in _OURS[1:] if os.path.exists(below(root, path))]

    def profiles(self, root: str, model: Model) -> tuple[list[Profile], list[Profile]]:
        """Profiles of NetworkManager by others, and those of links that the model has no more.

        A profile of a link in the model is changed, where the provider keeps its own among them.
        """
        wanted = {model.kernel_name(link.name) for link in model.links} if self.folders else set()
        before = set(nmstate.rendered_links(read_text(below(root, self.path), "") or "")) if self.folders else set()
        rest = [profile for profile in read_profiles(root) if profile.interface not in wanted]
        return [item for item in rest if item.interface not in before], [item for item in rest if item.interface in before]

    def accepts(self, text: str, programs: Programs) -> dict[str, str]:
        """Have the text read, away from the system's own files; returns the virtual links made of it. Raises HostError."""
        with tempfile.TemporaryDirectory(prefix="typeone-network-") as folder:
            write_atomic(folder + self.path, text, mode=0o600)
            done = self.try_out(programs, folder)
            links = self.made(folder)
        if done.rc:
            raise HostError(
                f"Cannot change the network of this host: {self.program} does not take the model: {done.complaint}. "
                "Nothing was changed."
            )
        return links


_NETPLAN, _NMSTATE = "/etc/netplan/90-typeone.yaml", "/etc/typeone/nmstate.yml"


def _refused_by_netplan(model: Model, renderer: str) -> Iterable[str]:
    ours = [link for link in (*model.bonds, *model.bridges) if link.openvswitch]
    if renderer == MANAGER and ours:
        yield f"{ours[0].kind} {ours[0].name} of Open vSwitch needs the renderer {NETWORKD}; it is {renderer}"


def _made_by_nmstate(root: str) -> dict[str, str]:
    names = nmstate.rendered_links(read_text(below(root, _NMSTATE), "") or "")
    return {item.interface: item.definition for item in read_profiles(root) if item.virtual and item.interface in names}


PROVIDERS = {
    "netplan": Provider(
        path=_NETPLAN,
        program="netplan",
        renderers=(NETWORKD, MANAGER),
        render=netplan.render,
        refused=_refused_by_netplan,
        try_out=lambda programs, root: programs.run(["netplan", "generate", "--root-dir", root], check=False),
        made=made_by_netplan,
        apply="netplan apply",
        restore="netplan apply",
    ),
    "nmstate": Provider(
        path=_NMSTATE,
        program="nmstatectl",
        renderers=(MANAGER,),
        render=lambda model, **_renderer: nmstate.render(model),
        refused=lambda model, _renderer: nmstate.refused(model),
        try_out=lambda programs, root: programs.run(["nmstatectl", "gc", root + _NMSTATE], check=False),
        made=_made_by_nmstate,
        apply=f"sh -c 'nmcli connection reload && nmstatectl apply {_NMSTATE}'",
        # Once it runs, what was there comes up as at a boot; there is nothing to wait for but that it has tried.
        restore="sh -c 'systemctl start NetworkManager && { nm-online -q -s -t 60 || :; }'",
        folders=(PROFILES, _SCRIPTS),
    ),
}


def choose_provider(asked: str, programs: Programs) -> Provider:
    """The provider that is asked for, else the first whose program is installed. Raises HostError."""
    if asked != "auto":
        return PROVIDERS[asked]
    for provider in PROVIDERS.values():
        if programs.find(provider.program):
            return provider
    names = " nor ".join(provider.program for provider in PROVIDERS.values())
    raise HostError(
        f"Cannot change the network of this host: neither {names} is installed. Nothing was changed. Install netplan.io (Debian "
        "and Ubuntu) or nmstate (Red Hat family)."
    )


def ifupdown_interfaces(root: str) -> list[str]:
    """Interfaces that ifupdown brings up beside the loopback."""
    found = []
    for path in (path for pattern in _IFUPDOWN for path in sorted(glob.glob(below(root, pattern)))):
        found += re.findall(r"^\s*iface\s+(\S+)", read_text(path, "") or "", re.MULTILINE)
    return [name for name in dict.fromkeys(found) if name != "lo"]


def running(name: str, programs: Programs, root: str) -> bool:
    """Whether a renderer runs."""
    return os.path.isdir(below(root, _SYSTEMD)) and programs.run(["systemctl", "is-active", _UNITS[name]], check=False).rc == 0


# What netplan has generated for its back ends.
_GENERATED = {NETWORKD: "/run/systemd/network/10-netplan-*", MANAGER: "/run/NetworkManager/system-connections/netplan-*"}


def choose_renderer(provider: Provider, asked: str, programs: Programs, root: str) -> str:
    """The renderer that is asked for, else the one that runs; where several do, the one that has the network today.

    Raises HostError where the provider has no such renderer, or where that is not installed.
    """
    there = [name for name in reversed(provider.renderers) if running(name, programs, root)]
    used = [name for name in there if glob.glob(below(root, _GENERATED[name]))]
    renderer = asked if asked != "auto" else [*(used if len(there) > 1 else ()), *there, provider.renderers[0]][0]
    if renderer not in provider.renderers:
        raise HostError(
            f"Cannot change the network of this host: {provider.program} has no renderer {renderer}, but "
            f"{' and '.join(provider.renderers)}. Nothing was changed. Correct renderer, or leave it out."
        )
    if renderer == MANAGER:
        programs.need("nmcli")
    if provider.renderers == (MANAGER,) and not there and os.path.isdir(below(root, _SYSTEMD)):
        raise HostError(
            f"Cannot change the network of this host: {provider.program} needs {MANAGER}, which does not run. Nothing was changed. "
            f"Start it: systemctl enable --now {MANAGER}."
        )
    return renderer
