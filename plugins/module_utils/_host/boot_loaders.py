# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The boot loaders whose arguments are owned: GRUB by drop-ins (Debian), BLS entries by grubby (Red Hat family)."""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ansible_collections.typeone.metal.plugins.module_utils._domain.cmdline import Claim, Wanted, split_line
from ansible_collections.typeone.metal.plugins.module_utils._host import grub
from ansible_collections.typeone.metal.plugins.module_utils._host.files import FileSet, below, entries, read_text
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, Programs

RECORDS = "/etc/typeone/kernel_cmdline"
DROP_INS = "/etc/default/grub.d"
_DROP_IN = re.compile(r"^\d\d-typeone-(?P<owner>.+)\.cfg$")


@dataclass(frozen=True)
class NextBoot:
    """What the boot loader will start: the chosen entry, and the first ordinary entries with and without Xen.

    Lines are tokens; None where there is no such entry.
    """

    entry: str | None = None
    starts_xen: bool = False
    linux: tuple[str, ...] | None = None
    xen: tuple[str, ...] | None = None
    plain: tuple[str, ...] | None = None
    under_xen: tuple[str, ...] | None = None

    def apply(self, claim: Claim, dropped: Wanted) -> NextBoot:
        """What it becomes with a claim; `dropped` are tokens that the owner gives up."""

        def line(tokens: tuple[str, ...] | None, wanted: Wanted) -> tuple[str, ...] | None:
            return None if tokens is None else wanted.apply(dropped.apply(tokens))

        kernel, dom0 = claim.of("kernel"), claim.linux_under_xen
        return replace(
            self,
            linux=line(self.linux, dom0 if self.starts_xen else kernel),
            xen=line(self.xen, claim.of("xen")),
            plain=line(self.plain, kernel),
            under_xen=line(self.under_xen, dom0),
        )

    def problems(self, claim: Claim) -> list[str]:
        """What of a claim the entries do not carry, in words."""
        found = []
        for name, tokens, wanted in (
            ("kernel", self.plain, claim.of("kernel")),
            ("kernel under Xen", self.under_xen, claim.linux_under_xen),
            ("Xen", self.xen, claim.of("xen")),
        ):
            found += [f"{name}: {text}" for text in wanted.problems(tokens)] if tokens is not None else []
        return found


class BootLoader(ABC):
    """A boot loader on the system below `root`."""

    name = ""

    def __init__(self, root: str, programs: Programs) -> None:
        self.root = root
        self.programs = programs

    @abstractmethod
    def claims(self) -> dict[str, Claim]:
        """Owners and what they claim, as recorded on the system."""

    @abstractmethod
    def files(self, owner: str, claim: Claim, *, priority: int) -> FileSet:
        """The files that hold an owner's claim, not yet written."""

    @abstractmethod
    def next_boot(self) -> NextBoot:
        """What the next boot will be started with. Raises HostError."""

    @abstractmethod
    def update(self, claim: Claim, released: Wanted) -> None:
        """Make the boot loader take what was written; `released` is what the owner gave up. Raises HostError."""


class Grub(BootLoader):
    """GRUB with grub-mkconfig and /etc/default/grub.d: one drop-in an owner."""

    name = "grub"

    def _menu(self) -> str:
        for folder in ("grub", "grub2"):
            path = f"/boot/{folder}/grub.cfg"
            if os.path.exists(below(self.root, path)):
                return path
        return "/boot/grub/grub.cfg"

    def _drop_ins(self) -> dict[str, str]:
        """Owner -> its drop-in."""
        names = entries(below(self.root, DROP_INS))
        return {match["owner"]: f"{DROP_INS}/{name}" for name in names if (match := _DROP_IN.match(name))}

    def claims(self) -> dict[str, Claim]:
        texts = {owner: read_text(below(self.root, path), "") for owner, path in self._drop_ins().items()}
        return {owner: grub.read_record(text) or Claim() for owner, text in texts.items()}

    def files(self, owner: str, claim: Claim, *, priority: int) -> FileSet:
        path = f"{DROP_INS}/{priority:02d}-typeone-{owner}.cfg"
        files = FileSet(self.root)
        present = self._drop_ins().get(owner)
        if present and present != path:
            files.want(present, None)
        files.want(path, None if claim.empty else grub.render_drop_in(owner, claim))
        return files

    def next_boot(self) -> NextBoot:
        text = read_text(below(self.root, self._menu()))
        if text is None:
            return NextBoot()
        menu = grub.parse_menu(text)
        environment = read_text(below(self.root, os.path.dirname(self._menu()) + "/grubenv"), "")
        chosen, plain, xen = (
            menu.chosen(grub.parse_environment(environment)),
            menu.first(xen=False),
            menu.first(xen=True),
        )
        return NextBoot(
            entry=chosen.title if chosen else None,
            starts_xen=bool(chosen and chosen.xen is not None),
            linux=chosen.linux if chosen else None,
            xen=xen.xen if xen else None,
            plain=plain.linux if plain else None,
            under_xen=xen.linux if xen else None,
        )

    def update(self, claim: Claim, released: Wanted) -> None:
        if self.programs.find("update-grub"):
            self.programs.run(["update-grub"])
            return
        self.programs.run(["grub-mkconfig", "-o", self._menu()])


class Grubby(BootLoader):
    """Boot loader specification entries changed by grubby, which also keeps the defaults for kernels to come.

    Ownership is recorded in our own files: grubby keeps none.
    """

    name = "grubby"

    def claims(self) -> dict[str, Claim]:
        owners = [name[:-4] for name in entries(below(self.root, RECORDS)) if name.endswith(".cfg")]
        return {
            owner: grub.read_record(read_text(below(self.root, f"{RECORDS}/{owner}.cfg"), "")) or Claim()
            for owner in owners
        }

    def files(self, owner: str, claim: Claim, *, priority: int) -> FileSet:
        if claim.of("xen").keys or claim.of("dom0").keys:
            raise HostError(
                "Cannot set arguments of Xen on this host via grubby: the Red Hat family boots no Xen of its own. "
                "Use the target kernel."
            )
        text = grub.render_drop_in(owner, claim).split("typeone_without", maxsplit=1)[0]
        files = FileSet(self.root)
        files.want(f"{RECORDS}/{owner}.cfg", None if claim.empty else text)
        return files

    def next_boot(self) -> NextBoot:
        info = self.programs.run(["grubby", "--info=DEFAULT"]).stdout
        fields = dict(re.findall(r'^(\w+)="?(.*?)"?$', info, re.MULTILINE))
        tokens = split_line(fields.get("args", ""))
        return NextBoot(entry=fields.get("title"), linux=tokens, plain=tokens)

    def update(self, claim: Claim, released: Wanted) -> None:
        kernel = claim.of("kernel")
        gone = [*released.absent, *kernel.absent, *sorted({token.partition("=")[0] for token in kernel.present})]
        # Two calls: with one, grubby takes an argument that is there already for done and the order is lost.
        if gone:
            self._call("--remove-args", dict.fromkeys(gone))
        if kernel.present:
            self._call("--args", kernel.present)

    def _call(self, option: str, tokens: Iterable[str]) -> None:
        self.programs.run(["grubby", "--update-kernel=ALL", f"{option}={' '.join(tokens)}"])


def find_boot_loader(root: str, programs: Programs) -> BootLoader:
    """The boot loader of the system below `root`. Raises HostError where there is none that is known."""
    if programs.find("grubby"):
        return Grubby(root, programs)
    if programs.find("grub-mkconfig") or programs.find("update-grub"):
        return Grub(root, programs)
    raise HostError(
        f"Cannot find the boot loader of {root} on this host: neither grub-mkconfig nor grubby is installed. "
        "Install grub-common (Debian, Ubuntu) or grubby (Red Hat family)."
    )
