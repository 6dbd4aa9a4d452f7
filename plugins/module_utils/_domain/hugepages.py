# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Huge pages planned per NUMA node: what is asked for, whether it fits, and the arithmetic in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

GIB = 1024**3
_UNITS = {"": 1, "B": 1, "K": 1024, "M": 1024**2, "G": GIB, "T": 1024**4}
_SIZE = re.compile(r"^(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?$", re.IGNORECASE)

RESERVE_FLOOR = GIB
"""A node keeps at least this for the system unless told otherwise: kernel, page tables, slab and the daemons on it."""
RESERVE_SHARE = 0.1

BOOT_SHARE = 0.5
"""Above this part of a node, 2 MiB pages are reserved at boot: later, memory is too fragmented to find them."""

RESERVATIONS = ("auto", "boot", "runtime")


def parse_size(text: str | int) -> int:
    """Bytes of a size such as "2M", "1 GiB", "512MB" (powers of 1024) or a number of bytes. Raises ValueError."""
    if isinstance(text, int):
        return text
    match = _SIZE.match(text.strip())
    if not match:
        raise ValueError(f"{text!r} is not a size: write a number and K, M, G or T, such as 2M or 1G")
    return int(float(match.group(1)) * _UNITS[match.group(2).upper()])


def format_size(size: int) -> str:
    """Bytes in the largest unit that leaves a short number: "2 MiB", "15.6 GiB"."""
    for unit, name in ((GIB, "GiB"), (1024**2, "MiB"), (1024, "KiB")):
        if size >= unit:
            return f"{size / unit:.1f}".removesuffix(".0") + f" {name}"
    return f"{size} B"


def kernel_size(size: int) -> str:
    """A page size as the kernel's arguments write it: "2M", "1G"."""
    return f"{size // GIB}G" if size % GIB == 0 else f"{size // 1024**2}M"


@dataclass(frozen=True)
class Node:
    """A NUMA node: memory in bytes, and the page sizes (bytes) that the kernel offers there -> pages it holds now."""

    number: int
    memory: int
    pools: Mapping[int, int] = field(default_factory=dict)

    def reserve(self, asked: int | None) -> int:
        """Bytes kept for the system."""
        return max(RESERVE_FLOOR, int(self.memory * RESERVE_SHARE)) if asked is None else asked


@dataclass(frozen=True)
class Plan:
    """Pages per node and size, which of them are reserved at boot, and the arithmetic."""

    feasible: bool
    pages: Mapping[int, Mapping[int, int]]  # node -> page size in bytes -> pages
    boot: frozenset[int]  # page sizes reserved by kernel arguments
    explanation: tuple[str, ...]
    problems: tuple[str, ...]

    def arguments(self) -> list[str]:
        """Kernel arguments that reserve the boot sizes, largest first.

        Per node ("hugepages=0:4,1:4", Linux 5.16 and later; Documentation/admin-guide/kernel-parameters.txt) where
        there are several nodes.
        """
        tokens = []
        for size in sorted(self.boot, reverse=True):
            counts = {node: pages.get(size, 0) for node, pages in sorted(self.pages.items())}
            count = ",".join(f"{node}:{pages}" for node, pages in counts.items() if pages)
            if len(counts) == 1:
                count = str(next(iter(counts.values())))
            tokens += [f"hugepagesz={kernel_size(size)}", f"hugepages={count}"]
        return tokens if any(self.pages[node].get(size) for node in self.pages for size in self.boot) else []

    def as_dict(self) -> dict[str, object]:
        """Plain data, sizes as the kernel writes them."""
        return {
            "feasible": self.feasible,
            "nodes": {
                str(node): {kernel_size(size): count for size, count in sorted(pages.items())}
                for node, pages in sorted(self.pages.items())
            },
            "boot": [kernel_size(size) for size in sorted(self.boot)],
            "arguments": self.arguments(),
            "explanation": list(self.explanation),
            "problems": list(self.problems),
        }


def _spread(total: int, nodes: Iterable[int]) -> dict[int, int]:
    """An even share a node; what is left over goes to the first ones."""
    numbers = sorted(nodes)
    each, left = divmod(total, len(numbers))
    return {node: each + (1 if position < left else 0) for position, node in enumerate(numbers)}


def _asked(pool: Mapping[str, object], nodes: Mapping[int, Node], reserve: int | None) -> dict[int, int]:
    """Pages a node that one pool asks for. Raises ValueError."""
    size = parse_size(pool["size"])
    given = [name for name in ("count", "nodes", "share", "memory") if pool.get(name) is not None]
    if len(given) != 1:
        raise ValueError(
            f"the pool of {kernel_size(size)} pages must have one of count, nodes, share and memory, "
            f"not {' and '.join(given) if given else 'none'}"
        )
    value = pool[given[0]]
    if given[0] == "nodes":
        asked = {int(node): int(count) for node, count in value.items()}
        unknown = sorted(set(asked) - set(nodes))
        if unknown:
            raise ValueError(f"NUMA node {unknown[0]} is not there: this host has {', '.join(map(str, sorted(nodes)))}")
    elif given[0] == "share":
        share = float(value)
        if not 0 <= share <= 1:
            raise ValueError(f"the share {value} is not between 0 and 1")
        asked = {
            node.number: max(0, int((node.memory - node.reserve(reserve)) * share)) // size for node in nodes.values()
        }
    else:
        total = int(value) if given[0] == "count" else -(-parse_size(value) // size)
        asked = _spread(total, nodes)
    if any(count < 0 for count in asked.values()):
        raise ValueError(f"the pool of {kernel_size(size)} pages asks for fewer than none")
    return asked


def _boot_sizes(
    pools: Iterable[Mapping[str, object]], nodes: Mapping[int, Node], pages: Mapping[int, Mapping[int, int]]
) -> frozenset[int]:
    """Page sizes that are reserved at boot: as asked, else 1 GiB pages and what takes most of a node."""
    sizes = set()
    for pool in pools:
        size, when = parse_size(pool["size"]), str(pool.get("reserve_at") or "auto")
        if when not in RESERVATIONS:
            raise ValueError(f"reserve_at {when!r} is none of {', '.join(RESERVATIONS)}")
        large = any(pages[node].get(size, 0) * size > nodes[node].memory * BOOT_SHARE for node in nodes)
        if when == "boot" or (when == "auto" and (size >= GIB or large)):
            sizes.add(size)
    return frozenset(size for size in sizes if any(pages[node].get(size) for node in nodes))


def plan_hugepages(
    pools: Iterable[Mapping[str, object]], nodes: Iterable[Node], *, reserve: str | int | None = None
) -> Plan:
    """What to reserve on each node, and whether it fits.

    A pool has `size` and one of `count` (in all, spread evenly), `nodes` ({node: count}), `share` (0 to 1, of what a
    node has above its reserve) and `memory` (in all), and may have `reserve_at`. `reserve` is what a node keeps for the
    system. Raises ValueError for a request that makes no sense; one that does not fit is a plan that is not feasible.
    """
    pools, by_number = list(pools), {node.number: node for node in nodes}
    if not by_number:
        raise ValueError("no NUMA node with memory is known")
    kept = None if reserve is None else parse_size(reserve)
    pages: dict[int, dict[int, int]] = {node: {} for node in by_number}
    for pool in pools:
        size = parse_size(pool["size"])
        if any(size in held for held in pages.values()):
            raise ValueError(f"two pools have pages of {kernel_size(size)}: name each size once")
        for node, count in _asked(pool, by_number, kept).items():
            pages[node][size] = count
    boot = _boot_sizes(pools, by_number, pages)
    explanation, problems = [], []
    asked = {size for counts in pages.values() for size in counts}
    for number, node in sorted(by_number.items()):
        others = sum(size * count for size, count in node.pools.items() if size not in asked)
        text, fits = _arithmetic(node, pages[number], node.reserve(kept), others)
        explanation.append(text)
        problems += [] if fits else [text]
        problems += [
            f"NUMA node {number}: the kernel has no pages of {format_size(size)} "
            f"(it has {', '.join(format_size(known) for known in sorted(node.pools)) or 'none'})"
            for size, count in sorted(pages[number].items())
            if count and size not in node.pools
        ]
    return Plan(not problems, pages, boot, tuple(explanation), tuple(problems))


def _arithmetic(node: Node, pages: Mapping[int, int], reserve: int, others: int) -> tuple[str, bool]:
    """One node's sum in words, and whether it fits beside `others`, bytes of pages of sizes that nobody asked for."""
    total = sum(size * count for size, count in pages.items())
    sum_of = " + ".join(
        f"{count} x {format_size(size)}" for size, count in sorted(pages.items(), reverse=True) if count
    )
    room = node.memory - reserve - others
    held = f" - {format_size(others)} in other huge pages" if others else ""
    text = (
        f"NUMA node {node.number}: {sum_of or 'nothing'} = {format_size(total)} asked; "
        f"{format_size(node.memory)} - {format_size(reserve)} for the system{held} = {format_size(max(0, room))} to give"
    )
    if total <= max(0, room):
        return text, True
    return f"{text}; {format_size(total - max(0, room))} too much", False
