# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where tasks may run: user-space tasks by control group and by the CPUs that they are allowed."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.typeone.metal.plugins.module_utils._host.files import below, entries, read_text

PF_KTHREAD = 0x00200000
"""Flag of kernel threads in field 9 of /proc/PID/stat (include/linux/sched.h)."""


def _is_kernel_thread(stat: str) -> bool:
    # The name in field 2 may hold blanks and brackets: count from the last bracket.
    fields = stat.rpartition(")")[2].split()
    return len(fields) > 6 and bool(int(fields[6]) & PF_KTHREAD)


def _slice(text: str) -> str:
    """The uppermost control group of a process (unified hierarchy, or systemd's own one under version 1)."""
    for line in text.splitlines():
        number, _controllers, path = (line.split(":", 2) + ["", ""])[:3]
        if number == "0" or "name=systemd" in line:
            parts = [part for part in path.split("/") if part]
            if parts:
                return parts[0]
    return "-"


def read_tasks(root: str) -> list[dict[str, Any]]:
    """Groups of user-space tasks: control group at the top, allowed CPUs, how many, and some of their names.

    A task that ends while it is read is left out.
    """
    base = below(root, "/proc")
    groups: dict[tuple[str, str], dict[str, int]] = {}
    for process in filter(str.isdigit, entries(base)):
        stat = read_text(f"{base}/{process}/stat")
        if not stat or _is_kernel_thread(stat):
            continue
        top = _slice(read_text(f"{base}/{process}/cgroup", "") or "")
        for task in entries(f"{base}/{process}/task"):
            status = read_text(f"{base}/{process}/task/{task}/status", "") or ""
            allowed = re.search(r"^Cpus_allowed_list:\s*(\S+)", status, re.MULTILINE)
            name = re.search(r"^Name:\s*(\S+)", status, re.MULTILINE)
            if allowed:
                names = groups.setdefault((top, allowed.group(1)), {})
                label = name.group(1) if name else task
                names[label] = names.get(label, 0) + 1
    return [
        {"slice": top, "cpus": cpus, "count": sum(names.values()), "names": sorted(names)[:8]}
        for (top, cpus), names in sorted(groups.items())
    ]
