# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CPUs of a host kept for guests: the arguments, systemd's and the interrupts' share, and whether it really holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ansible_collections.typeone.metal.plugins.module_utils._domain.cmdline import arguments_from_tokens
from ansible_collections.typeone.metal.plugins.module_utils._domain.cpu_list import (
    format_cpu_list,
    format_cpu_mask,
    parse_cpu_list,
)
from ansible_collections.typeone.metal.plugins.module_utils._domain.cpu_partition import Partition, plan_cpu_partition
from ansible_collections.typeone.metal.plugins.module_utils._host.files import below, entries, read_text
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, Programs
from ansible_collections.typeone.metal.plugins.module_utils._host.tasks import read_tasks
from ansible_collections.typeone.metal.plugins.module_utils._host.topology import read_cpus
from ansible_collections.typeone.metal.plugins.module_utils._host.units import LIBEXEC, UNITS, Units
from ansible_collections.typeone.metal.plugins.module_utils._host.xen import is_dom0, read_xen, xen_cpus

DROP_IN = "90-typeone-cpu-isolation.conf"
MANAGER = f"/etc/systemd/system.conf.d/{DROP_IN}"
SERVICE = "typeone-irq-affinity.service"
CONFIGURATION = "/etc/typeone/irq-affinity.conf"
# Once anything turns on version 2's cpuset controller (libvirt's first guest does), Linux lets every task of every
# group run on all CPUs again unless the groups themselves are narrowed (seen with 6.1). machine.slice is left to the guests.
GROUPS = {"init.scope": "Scope", "system.slice": "Slice", "user.slice": "Slice"}

_SCRIPT = """#!/bin/sh
# Made by typeone.metal.host_cpu_isolation: sends interrupts to the housekeeping CPUs.
# Interrupts that the kernel manages itself, and those of a CPU's own, refuse (EIO, EPERM): they are left alone.
set -u
proc=${TYPEONE_PROC:-/proc}
read -r mask list < "${1:-/etc/typeone/irq-affinity.conf}"
echo "$mask" 2>/dev/null > "$proc/irq/default_smp_affinity"
for irq in "$proc"/irq/[0-9]*; do
    [ -e "$irq/smp_affinity_list" ] || continue
    { echo "$list" > "$irq/smp_affinity_list"; } 2>/dev/null
done
exit 0
"""

_UNIT = f"""# Made by typeone.metal.host_cpu_isolation
[Unit]
Description=Send interrupts to the housekeeping CPUs
After=network.target systemd-udevd.service irqbalance.service
ConditionPathExists={CONFIGURATION}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={LIBEXEC}/irq-affinity {CONFIGURATION}

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True)
class Request:
    """What a task asks for; see the module's options."""

    housekeeping: str | None = None
    dedicated: str | None = None
    housekeeping_cores: int | None = None
    dedicated_cores: int | None = None
    split_cores: bool = False
    managed_irq: bool = True
    tickless: bool = True
    interrupts: bool = True
    system_affinity: bool = True
    control_groups: bool = True
    guest_slices: list[str] = field(default_factory=lambda: ["machine.slice"])
    strict: bool = True
    root: str = "/"

    @property
    def asked(self) -> bool:
        """Whether CPUs are to be dedicated at all."""
        given = (self.housekeeping, self.dedicated, self.housekeeping_cores, self.dedicated_cores)
        return any(value not in (None, "") for value in given)


class CpuIsolation:
    """The division of CPUs on the host below a root folder."""

    def __init__(self, request: Request, programs: Programs | None = None) -> None:
        self.request = request
        self.programs = programs or Programs(root=request.root)
        self.xen = is_dom0(request.root)

    def _partition(self) -> tuple[Partition, dict[str, Any] | None]:
        """The plan, and Xen's view where there is one. Raises HostError."""
        asked = self.request
        try:
            view = read_xen(asked.root, self.programs) if self.xen else None
            cpus = xen_cpus(view) if view else read_cpus(asked.root)
            if not asked.asked:
                return Partition(tuple(cpu.number for cpu in cpus), (), {}), view
            partition = plan_cpu_partition(
                cpus,
                housekeeping=asked.housekeeping,
                dedicated=asked.dedicated,
                housekeeping_cores=asked.housekeeping_cores,
                dedicated_cores=asked.dedicated_cores,
                split_cores=asked.split_cores,
                xen=self.xen,
            )
        except ValueError as error:
            raise HostError(f"Cannot divide the CPUs of this host: {error}. Correct the sets or the policy.") from error
        if partition.problems:
            raise HostError(
                f"Cannot divide the CPUs of this host: {'; '.join(partition.problems)}. Nothing was changed. "
                "Choose other CPUs."
            )
        return partition, view

    def run(self, *, check: bool) -> dict[str, Any]:
        """Bring the division about as far as it can be without a boot, and say what holds. Raises HostError."""
        partition, view = self._partition()
        units = self._units(partition)
        changed, diff = units.changed(), units.diff()
        regroup = self._groups_to_set(partition)
        if not check:
            units.apply()
            for group, cpus in regroup.items():
                self.programs.run(["systemctl", "set-property", "--runtime", group, f"AllowedCPUs={cpus}"])
        tokens = partition.kernel_arguments(managed_irq=self.request.managed_irq, tickless=self.request.tickless)
        arguments = (
            arguments_from_tokens(partition.xen_arguments(), "xen") if self.xen else arguments_from_tokens(tokens)
        )
        # In check mode these groups are not narrowed yet.
        facts = self._facts_xen(partition, view) if view else self._facts(partition, set(regroup) if check else set())
        plan = {name: value for name, value in partition.as_dict().items() if not name.endswith("_arguments")}
        return {
            "changed": changed or bool(regroup),
            "diff": diff,
            "arguments": arguments,
            "cpu_isolation": {**plan, "hypervisor": "xen" if self.xen else None, **facts},
        }

    def _units(self, partition: Partition) -> Units:
        """Files of systemd and of the interrupts; under Xen none (dom0's CPUs are not the machine's)."""
        units, asked = Units(self.request.root, self.programs), self.request
        active = bool(partition.dedicated) and not self.xen
        housekeeping, dedicated = format_cpu_list(partition.housekeeping), format_cpu_list(partition.dedicated)
        head = "# Made by typeone.metal.host_cpu_isolation\n"
        manager = f"{head}[Manager]\nCPUAffinity={housekeeping}\n"
        units.files.want(MANAGER, manager if active and asked.system_affinity else None)
        for group, section in GROUPS.items():
            text = f"{head}[{section}]\nAllowedCPUs={housekeeping}\n"
            units.files.want(f"{UNITS}/{group}.d/{DROP_IN}", text if active and asked.control_groups else None)
        irq = active and asked.interrupts
        balance = f"{head}[Service]\nEnvironment=IRQBALANCE_BANNED_CPULIST={dedicated}\n"
        units.files.want(f"{UNITS}/irqbalance.service.d/{DROP_IN}", balance if irq else None)
        units.files.want(f"{LIBEXEC}/irq-affinity", _SCRIPT if irq else None, mode=0o755 if irq else 0o644)
        setting = f"{format_cpu_mask(partition.housekeeping)} {housekeeping}\n"
        units.files.want(CONFIGURATION, setting if irq else None)
        units.unit(SERVICE, _UNIT if irq else None, wanted_by="multi-user.target")
        return units

    def _groups_to_set(self, partition: Partition) -> dict[str, str]:
        """Control groups whose CPUs systemd must set now: those of a unified hierarchy with cpusets that have other ones."""
        if self.xen or self.request.root != "/" or not Units(self.request.root, self.programs).running:
            return {}
        if "cpuset" not in (read_text("/sys/fs/cgroup/cgroup.controllers") or "").split():
            return {}
        narrow = partition.dedicated and self.request.control_groups
        wanted = format_cpu_list(partition.housekeeping) if narrow else ""
        return {group: wanted for group in GROUPS if self._group_cpus(group) != wanted}

    def _group_cpus(self, group: str) -> str:
        return read_text(below(self.request.root, f"/sys/fs/cgroup/{group}/cpuset.cpus"), "") or ""

    def _facts(self, partition: Partition, narrowed: set[str]) -> dict[str, Any]:
        """What the running kernel has, and where tasks and interrupts may run. Raises HostError if it is broken.

        `narrowed` are control groups that the run itself would keep away.
        """
        base = below(self.request.root, "/sys/devices/system/cpu")
        isolated = parse_cpu_list(read_text(f"{base}/isolated", ""))
        nohz = parse_cpu_list((read_text(f"{base}/nohz_full", "") or "").replace("(null)", ""))
        effective = isolated == partition.dedicated and (not self.request.tickless or nohz == partition.dedicated)
        stray = self._stray(partition) if effective else []
        facts = {
            "isolated": format_cpu_list(isolated),
            "nohz_full": format_cpu_list(nohz),
            "effective": effective,
            "stray_tasks": stray,
            "interrupts_on_dedicated": self._interrupts(partition),
        }
        broken = [group for group in stray if group["slice"] not in narrowed]
        if broken and self.request.strict:
            told = "; ".join(f"{g['count']} of {g['slice']} on {g['cpus']} ({', '.join(g['names'])})" for g in broken)
            error = HostError(
                f"Cannot keep CPUs {format_cpu_list(partition.dedicated)} of this host for guests: tasks may run "
                f"there: {told}. Pin them elsewhere, name their control group in guest_slices if they are guests, "
                "or turn strict off."
            )
            error.result = {"cpu_isolation": {**partition.as_dict(), **facts}}
            raise error
        return facts

    def _stray(self, partition: Partition) -> list[dict[str, Any]]:
        """Groups of user-space tasks, guests' aside, that may run on dedicated CPUs."""
        dedicated = set(partition.dedicated)
        return [
            group
            for group in (read_tasks(self.request.root) if dedicated else [])
            if group["slice"] not in self.request.guest_slices and dedicated & set(parse_cpu_list(group["cpus"]))
        ]

    def _interrupts(self, partition: Partition) -> list[str]:
        """Interrupts that are delivered to dedicated CPUs (the kernel's own and managed ones cannot be moved)."""
        base, found = below(self.request.root, "/proc/irq"), []
        for number in sorted(filter(str.isdigit, entries(base)), key=int):
            cpus = read_text(f"{base}/{number}/effective_affinity_list") or read_text(
                f"{base}/{number}/smp_affinity_list"
            )
            if set(parse_cpu_list(cpus)) & set(partition.dedicated):
                names = [name for name in entries(f"{base}/{number}") if "affinity" not in name]
                label = next((name for name in names if name not in ("node", "spurious")), "")
                found.append(f"{number} {label}".strip())
        return found

    def _facts_xen(self, partition: Partition, view: dict[str, Any]) -> dict[str, Any]:
        """dom0's virtual CPUs against the plan."""
        own = [vcpu for vcpu in view["vcpus"] if vcpu["domain"] == 0]
        pinned = all(vcpu["affinity"] == str(vcpu["vcpu"]) for vcpu in own)
        effective = not partition.dedicated or (pinned and len(own) == len(partition.housekeeping))
        guests = sorted(
            {v["name"] for v in view["vcpus"] if v["domain"] != 0 and v["cpu"] in set(partition.housekeeping)}
        )
        return {
            "dom0_vcpus": {str(vcpu["vcpu"]): vcpu["affinity"] for vcpu in own},
            "effective": effective,
            "guests_on_housekeeping": guests,
        }
