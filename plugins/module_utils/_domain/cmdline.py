# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kernel and hypervisor arguments: tokens with an owner, and what a command line is when they are applied."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

TARGETS = ("kernel", "dom0", "xen")
"""`kernel`: Linux in every boot entry; `dom0`: Linux under Xen only; `xen`: the hypervisor itself."""

# What the boot loader's own tools decide: owning these would either do nothing or break the boot.
RESERVED = frozenset({"BOOT_IMAGE", "initrd", "root", "rdinit"})

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
# GRUB reads the command line as a script: these would be taken by GRUB (memmap=1G$8G is the classic victim).
_BAD_VALUE = re.compile(r"[\s{}|&$;<>'\"\\`]|[^\x20-\x7e]")


def key_of(token: str) -> str:
    """The name of a token. Linux takes `-` and `_` in names as the same (kernel/params.c, parameq)."""
    return token.partition("=")[0].replace("-", "_")


def normal(token: str) -> str:
    """A token with its name in the one spelling that tokens are compared by."""
    _name, equals, value = token.partition("=")
    return key_of(token) + equals + value


def split_line(line: str) -> tuple[str, ...]:
    """Tokens of a command line; blanks inside double quotes belong to the token (lib/cmdline.c, next_arg)."""
    return tuple(re.findall(r'(?:[^\s"]|"[^"]*(?:"|$))+', line))


def check_token(token: str) -> str:
    """A token that may be owned. Raises ValueError that says what is wrong with it."""
    name, equals, value = token.partition("=")
    if not _NAME.match(name):
        raise ValueError(f"{token!r} is not an argument: its name may have letters, digits, '_', '-' and '.' only")
    if name in RESERVED:
        raise ValueError(f"{name!r} cannot be owned: the boot loader's own tools set it")
    bad = _BAD_VALUE.search(value) if equals else None
    if bad:
        raise ValueError(f"{token!r} cannot be written for GRUB: its value has the character {bad.group()!r}")
    return token


@dataclass(frozen=True)
class Wanted:
    """What one owner wants of one command line.

    `present`: its tokens in order; every other token of their keys goes away. `absent`: `key` for every token of a key,
    `key=value` for that token alone.
    """

    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    @property
    def keys(self) -> frozenset[str]:
        """Keys that belong to the owner as a whole."""
        return frozenset(key_of(token) for token in self.present + self.absent)

    def takes(self, token: str) -> bool:
        """True for a token that the owner replaces or removes."""
        key = key_of(token)
        if any(key == key_of(mine) for mine in self.present):
            return True
        return any(key == normal(gone) or normal(token) == normal(gone) for gone in self.absent)

    def apply(self, tokens: Iterable[str]) -> tuple[str, ...]:
        """The command line with this owner's wish fulfilled, others' tokens as they were."""
        return tuple(token for token in tokens if not self.takes(token)) + self.present

    def problems(self, tokens: Iterable[str]) -> list[str]:
        """What of the wish a command line does not fulfil, in words; none where it does."""
        tokens = tuple(tokens)
        found = []
        for key in dict.fromkeys(key_of(token) for token in self.present):
            mine = [token for token in self.present if key_of(token) == key]
            there = [token for token in tokens if key_of(token) == key]
            if [normal(token) for token in mine] != [normal(token) for token in there]:
                found.append(f"{' '.join(mine)} (there: {' '.join(there) or 'nothing'})")
        if not found and [normal(token) for token in self.present] != self._sequence(tokens):
            found.append(f"the order {' '.join(self.present)}")
        for gone in self.absent:
            there = [token for token in tokens if Wanted(absent=(gone,)).takes(token)]
            if there and key_of(gone) not in {key_of(token) for token in self.present}:
                found.append(f"no {gone} (there: {' '.join(there)})")
        return found

    def _sequence(self, tokens: tuple[str, ...]) -> list[str]:
        keys = {key_of(token) for token in self.present}
        return [normal(token) for token in tokens if key_of(token) in keys]

    def over(self, other: Wanted) -> Wanted:
        """Both wishes on one line, this one winning where they name the same key."""
        mine = {key_of(token) for token in self.present}
        return Wanted(
            present=tuple(token for token in other.present if not self.takes(token)) + self.present,
            absent=tuple(token for token in other.absent if key_of(token) not in mine) + self.absent,
        )


@dataclass(frozen=True)
class Claim:
    """All that one owner wants: a Wanted for each target."""

    targets: Mapping[str, Wanted] = field(default_factory=dict)

    def of(self, target: str) -> Wanted:
        """The wish for a target."""
        return self.targets.get(target, Wanted())

    @property
    def linux_under_xen(self) -> Wanted:
        """What Linux as dom0 must have: what every kernel has, and dom0's own over it."""
        return self.of("dom0").over(self.of("kernel"))

    @property
    def empty(self) -> bool:
        """True where nothing is claimed."""
        return not any(wanted.keys for wanted in self.targets.values())

    def keys(self) -> frozenset[tuple[str, str]]:
        """(family, key): arguments of Linux are one family, under Xen or not; the hypervisor's are another."""
        return frozenset(
            ("xen" if target == "xen" else "linux", key)
            for target, wanted in self.targets.items()
            for key in wanted.keys
        )

    def as_dict(self) -> dict[str, dict[str, list[str]]]:
        """Plain data for a record or a result; targets without a wish are left out."""
        return {
            target: {"present": list(self.of(target).present), "absent": list(self.of(target).absent)}
            for target in TARGETS
            if self.of(target).keys
        }

    @staticmethod
    def from_dict(data: Mapping[str, Mapping[str, Iterable[str]]]) -> Claim:
        """The claim of a record."""
        return Claim(
            {
                target: Wanted(tuple(data[target].get("present", ())), tuple(data[target].get("absent", ())))
                for target in TARGETS
                if target in data
            }
        )


def claim_from_arguments(arguments: Iterable[Mapping[str, object]]) -> Claim:
    """A claim from arguments as users write them: name, value, state, target. Raises ValueError."""
    lists: dict[str, dict[str, list[str]]] = {}
    for argument in arguments:
        value = argument.get("value")
        token = check_token(str(argument["name"]) if value is None else f"{argument['name']}={value}")
        target = str(argument.get("target") or "kernel")
        state = str(argument.get("state") or "present")
        tokens = lists.setdefault(target, {"present": [], "absent": []})[state]
        if state == "present" or token not in tokens:
            tokens.append(token)
    for target, both in lists.items():
        twice = {normal(token) for token in both["present"]} & {normal(token) for token in both["absent"]}
        bare = {key_of(token) for token in both["present"]} & {normal(token) for token in both["absent"]}
        for token in sorted(twice | bare):
            raise ValueError(f"{token!r} of {target} is asked to be both present and absent")
    return Claim.from_dict(lists)


def arguments_from_tokens(tokens: str | Iterable[str], target: str = "kernel") -> list[dict[str, str]]:
    """Tokens (or a whole line) as the arguments that the module takes."""
    listed = split_line(tokens) if isinstance(tokens, str) else tuple(tokens)
    found = []
    for token in listed:
        name, equals, value = token.partition("=")
        found.append({"name": name, **({"value": value} if equals else {}), "target": target})
    return found


def conflicts(claim: Claim, others: Mapping[str, Claim]) -> list[tuple[str, str]]:
    """(key, owner) for each key of the claim that another owner has."""
    mine = claim.keys()
    return sorted((key, owner) for owner, other in others.items() for _family, key in mine & other.keys())


def shared_keys(parts: Mapping[str, Iterable[Mapping[str, object]]]) -> list[str]:
    """Keys that more than one owner asks for, in words; `parts` is owner -> arguments as users write them. Raises ValueError."""
    claims = {owner: claim_from_arguments(arguments) for owner, arguments in parts.items()}
    owners: dict[tuple[str, str], list[str]] = {}
    for owner in sorted(claims):
        for key in claims[owner].keys():
            owners.setdefault(key, []).append(owner)
    return [f"{key} of {' and '.join(names)}" for (_family, key), names in sorted(owners.items()) if len(names) > 1]
