# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CPU lists as Linux writes them ("0-3,8,10-15:2/3") and CPU masks."""

from __future__ import annotations

import re
from collections.abc import Iterable

MAX_CPU = 65535
"""Far above any NR_CPUS (8192 on x86); keeps a slip of the keyboard from filling memory."""

_PART = re.compile(r"^(\d+)(?:-(\d+)(?::(\d+)/(\d+))?)?$")


def parse_cpu_list(text: str | int | Iterable[int] | None) -> tuple[int, ...]:
    """CPU numbers of a list, sorted and without repeats.

    Takes Linux's list format (lib/bitmap.c, bitmap_parselist: "a", "a-b", "a-b:used/group"),
    a number, or numbers. Empty text and None are the empty list. Raises ValueError.
    """
    if text is None:
        return ()
    if isinstance(text, int):
        return _checked({text}, text)
    if not isinstance(text, str):
        return _checked({int(cpu) for cpu in text}, text)
    cpus: set[int] = set()
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        match = _PART.match(part)
        if not match:
            raise ValueError(f"{text!r} is not a list of CPUs: {part!r} is neither a number nor a range such as 2-5")
        first, last, used, group = (int(number) if number is not None else None for number in match.groups())
        last = first if last is None else last
        if last < first:
            raise ValueError(f"{text!r} is not a list of CPUs: the range {part!r} runs backwards")
        if last > MAX_CPU:
            raise ValueError(f"{text!r} is not a list of CPUs: {last} is above {MAX_CPU}")
        if group is None:
            cpus.update(range(first, last + 1))
        elif not 0 < used <= group:
            raise ValueError(f"{text!r} is not a list of CPUs: in {part!r}, {used} of every {group} cannot be used")
        else:
            cpus.update(cpu for cpu in range(first, last + 1) if (cpu - first) % group < used)
    return tuple(sorted(cpus))


def _checked(cpus: set[int], given: object) -> tuple[int, ...]:
    if any(cpu < 0 or cpu > MAX_CPU for cpu in cpus):
        raise ValueError(f"{given!r} is not a list of CPUs: numbers go from 0 to {MAX_CPU}")
    return tuple(sorted(cpus))


def format_cpu_list(cpus: Iterable[int]) -> str:
    """CPU numbers as Linux prints them: sorted ranges, "" for none."""
    ranges: list[list[int]] = []
    for cpu in sorted(set(cpus)):
        if ranges and cpu == ranges[-1][1] + 1:
            ranges[-1][1] = cpu
        else:
            ranges.append([cpu, cpu])
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in ranges)


def format_cpu_mask(cpus: Iterable[int]) -> str:
    """CPU numbers as a mask for /proc/irq/*/smp_affinity: hexadecimal, in groups of 32 bits."""
    number = sum(1 << cpu for cpu in set(cpus))
    groups = []
    while True:
        groups.append(f"{number & 0xFFFFFFFF:08x}")
        number >>= 32
        if not number:
            break
    return ",".join(reversed(groups))
