# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kernel and Xen arguments of a host: claimed by owners, written, read back, compared with what runs."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from ansible_collections.typeone.metal.plugins.module_utils._domain.cmdline import (
    TARGETS,
    Claim,
    Wanted,
    claim_from_arguments,
    conflicts,
    key_of,
    normal,
    split_line,
)
from ansible_collections.typeone.metal.plugins.module_utils._host.boot_loaders import (
    BootLoader,
    NextBoot,
    find_boot_loader,
)
from ansible_collections.typeone.metal.plugins.module_utils._host.files import below, read_text, write_atomic
from ansible_collections.typeone.metal.plugins.module_utils._host.grub import NOISE
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, ProgramFailed, Programs

_OWNER = re.compile(r"^[a-z0-9][a-z0-9_.-]{0,62}$")


@dataclass(frozen=True)
class Running:
    """What the host was started with; None where it cannot be told (an offline tree, or no Xen)."""

    linux: tuple[str, ...] | None
    xen: tuple[str, ...] | None = None
    under_xen: bool = False
    warnings: tuple[str, ...] = ()


def read_running(root: str, programs: Programs) -> Running:
    """Arguments of the running kernel from /proc/cmdline, of the running Xen from xl."""
    text = read_text(below(root, "/proc/cmdline"))
    linux = None if text is None else split_line(text)
    if read_text(below(root, "/sys/hypervisor/type")) != "xen" or linux is None:
        return Running(linux)
    # In a guest the hypervisor is Xen as well; only the control domain can and need ask it.
    if "control_d" not in (read_text(below(root, "/proc/xen/capabilities"), "") or ""):
        return Running(linux)
    try:
        info = programs.run(["xl", "info"]).stdout
    except HostError as error:
        return Running(linux, None, True, (str(error),))
    match = re.search(r"^xen_commandline\s*:(.*)$", info, re.MULTILINE)
    tokens = split_line(match.group(1)) if match else ()
    return Running(linux, tuple(token for token in tokens if token not in NOISE), True)


@dataclass(frozen=True)
class Request:
    """What a task asks for. `arguments` None only reads; `needs_reboot` is off where the effect is there already."""

    owner: str
    arguments: list[dict[str, Any]] | None = None
    priority: int = 90
    root: str = "/"
    needs_reboot: bool = True

    def claim(self, recorded: Claim) -> Claim:
        """The claim that is asked for. Raises HostError."""
        if not _OWNER.match(self.owner):
            raise HostError(
                f"Cannot use {self.owner!r} as an owner of kernel arguments on this host: it names a file. "
                "Use small letters, digits, '_', '-' and '.'."
            )
        if self.arguments is None:
            return recorded
        try:
            return claim_from_arguments(self.arguments)
        except ValueError as error:
            raise HostError(f"Cannot set kernel arguments on this host: {error}. Correct the argument.") from error


def _released(before: Claim, after: Claim) -> tuple[Wanted, list[list[str]]]:
    """Tokens that an owner gives up, and their (family, key)."""
    tokens: list[str] = []
    for target in TARGETS:
        kept = {normal(token) for token in after.of(target).present}
        tokens += [token for token in before.of(target).present if normal(token) not in kept]
    return Wanted(absent=tuple(dict.fromkeys(tokens))), sorted(
        [family, key] for family, key in before.keys() - after.keys()
    )


def reboot_reasons(running: Running, following: NextBoot, claim: Claim, released: list[list[str]]) -> list[str]:
    """What of the claim the running system does not have and the next boot brings, in words."""
    if running.linux is None:
        return []
    reasons = []
    if (
        following.entry
        and following.starts_xen != running.under_xen
        and (claim.of("xen").keys or claim.of("dom0").keys)
    ):
        reasons.append(f"the next boot starts {'with' if following.starts_xen else 'without'} Xen")
    wanted = claim.linux_under_xen if running.under_xen else claim.of("kernel")
    reasons += [f"kernel: {text}" for text in wanted.problems(running.linux)]
    if running.xen is not None:
        reasons += [f"Xen: {text}" for text in claim.of("xen").problems(running.xen)]
    for family, key in released:
        there, then = (running.xen, following.xen) if family == "xen" else (running.linux, following.linux)
        if there is None or then is None:
            continue
        now = [token for token in there if key_of(token) == key]
        if now != [token for token in then if key_of(token) == key]:
            reasons.append(f"{'Xen' if family == 'xen' else 'kernel'}: {' '.join(now) or key} until the next boot")
    return reasons


class KernelCmdline:
    """The arguments of one owner on one system."""

    def __init__(self, request: Request, programs: Programs | None = None) -> None:
        self.request = request
        self.programs = programs or Programs(root=request.root)
        self.loader: BootLoader = find_boot_loader(request.root, self.programs)

    def _memory(self) -> str:
        """Keys given up since the system was started: /run is empty after a boot, as the question then is."""
        return below(self.request.root, f"/run/typeone/kernel_cmdline-{self.request.owner}.json")

    def _remembered(self) -> list[list[str]]:
        try:
            return [[str(family), str(key)] for family, key in json.loads(read_text(self._memory(), "[]"))]
        except (ValueError, TypeError):
            return []

    def run(self, *, check: bool) -> dict[str, Any]:
        """Bring the arguments about (or say what would be, in check mode). Raises HostError."""
        claims = self.loader.claims()
        recorded = claims.pop(self.request.owner, Claim())
        claim = self.request.claim(recorded)
        self._refuse_conflicts(claim, claims)
        before = self.loader.next_boot()
        dropped, keys = _released(recorded, claim)
        released = [pair for pair in self._remembered() if tuple(pair) not in claim.keys()]
        released += [pair for pair in keys if pair not in released]
        files = self.loader.files(self.request.owner, claim, priority=self.request.priority)
        changed = self.request.arguments is not None and bool(files.changed() or before.problems(claim))
        after, diff = before, []
        if changed:
            diff = files.diff()
            after = before.apply(claim, dropped) if check else self._write(files, claim, dropped, recorded)
            if not check and released:
                write_atomic(self._memory(), json.dumps(released))
            diff += _line_diff(before, after)
        return self._result(claim, after, released, changed=changed, diff=diff, owners=[*claims, self.request.owner])

    def _refuse_conflicts(self, claim: Claim, others: dict[str, Claim]) -> None:
        for key, owner in conflicts(claim, others):
            raise HostError(
                f"Cannot set {key} for the owner {self.request.owner} on this host via {self.loader.name}: it "
                f"belongs to the owner {owner}. Change it there, or release it there first (arguments: [])."
            )

    def _write(self, files: Any, claim: Claim, dropped: Wanted, recorded: Claim) -> NextBoot:
        """Write and read back; what did not come out as asked is taken back."""
        undo = files.undo()
        try:
            files.write()
            self.loader.update(claim, dropped)
            after = self.loader.next_boot()
            problems = after.problems(claim)
            if problems:
                raise HostError(
                    f"Cannot set kernel arguments on this host via {self.loader.name}: the generated boot entries lack "
                    f"{'; '.join(problems)}. Look for a later file that sets the same arguments "
                    "(/etc/default/grub.d is read in alphabetical order), or raise the priority."
                )
        except HostError:
            undo.write()
            try:
                self.loader.update(
                    recorded, Wanted(absent=tuple(token for w in claim.targets.values() for token in w.present))
                )
            except ProgramFailed:
                pass  # the first failure is the one to tell
            raise
        return after

    def _result(
        self, claim: Claim, after: NextBoot, released: list[list[str]], *, changed: bool, diff: list, owners: list[str]
    ) -> dict[str, Any]:
        running = read_running(self.request.root, self.programs)
        pending = reboot_reasons(running, after, claim, released)
        warnings = list(running.warnings)
        if not claim.empty and after.entry is None:
            warnings.append(
                "The boot loader has no entry to read back: the arguments are written, and were seen nowhere."
            )
        return {
            "changed": changed,
            "diff": diff,
            "warnings": warnings,
            "reboot_required": bool(pending) and self.request.needs_reboot,
            "kernel_cmdline": {
                "owner": self.request.owner,
                "owners": sorted(set(owners)),
                "loader": self.loader.name,
                "claim": claim.as_dict(),
                "entry": after.entry,
                "running": _listed(running.linux),
                "next_boot": _listed(after.linux),
                "xen": {
                    "running": _listed(running.xen),
                    "next_boot": _listed(after.xen if after.starts_xen else None),
                },
                "pending": pending,
            },
        }


def _listed(tokens: tuple[str, ...] | None) -> list[str] | None:
    return None if tokens is None else list(tokens)


def _line_diff(before: NextBoot, after: NextBoot) -> list[dict[str, str]]:
    """The next boot's command lines, an argument a line."""
    found = []
    for name, old, new in (("kernel", before.linux, after.linux), ("Xen", before.xen, after.xen)):
        if old != new:
            found.append(
                {
                    "before_header": f"arguments of the next boot ({name})",
                    "after_header": f"arguments of the next boot ({name})",
                    "before": "".join(f"{token}\n" for token in old or ()),
                    "after": "".join(f"{token}\n" for token in new or ()),
                }
            )
    return found
