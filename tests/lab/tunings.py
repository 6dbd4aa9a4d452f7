# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A KVM host of two NUMA nodes that is asked for huge pages and an isolated CPU, and a guest that uses both."""

from __future__ import annotations

import json

PAGES = {0: 48, 1: 96}
KVM = {
    "hugepages_pools": [{"size": "2M", "nodes": PAGES, "reserve_at": "boot"}],
    "hugepages_reserve": "512M",
    "cpu_isolation_dedicated": "1",
    "guest_proof_cpus": "1",
    "guest_proof_memory_mib": 128,
    "guest_proof_hugepages": {"size": "2M", "node": 1},
}
# The pages can be had at once; that the tick comes back takes a boot.
OTHER = {"hugepages_pools": [{"size": "2M", "nodes": {0: 96, 1: 48}, "reserve_at": "boot"}], "cpu_isolation_tickless": False, "tune_reboot": True}
NOTHING = {"hugepages_pools": [], "cpu_isolation_dedicated": ""}
OURS = "find /etc /usr/local /boot/grub -newer /run/typeone-before -type f | sort"

# What the kernel holds, and where an ordinary task, a service, an interrupt and a login may run.
LOOK = """
import glob, json, os, subprocess
def read(path):
    try:
        with open(path) as stream:
            return stream.read().strip()
    except OSError:
        return ""
def allowed(pid):
    return read(f"/proc/{pid}/status").partition("Cpus_allowed_list:")[2].split()[0]
def ran(pid):
    return int(read(f"/proc/{pid}/stat").rpartition(")")[2].split()[36])
busy = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(2)]
places = set()
for _ in range(40):
    places.update(ran(process.pid) for process in busy)
    os.sched_yield()
for process in busy:
    process.kill()
base = "/sys/devices/system/"
print(json.dumps({
    "pages": {node: int(read(f"{base}node/node{node}/hugepages/hugepages-2048kB/nr_hugepages")) for node in (0, 1)},
    "isolated": read(base + "cpu/isolated"), "nohz_full": read(base + "cpu/nohz_full"), "words": read("/proc/cmdline").split(),
    "busy": sorted(places), "pid1": allowed(1), "sshd": allowed(subprocess.check_output(["pgrep", "-o", "sshd"], text=True).strip()),
    "default_irq": read("/proc/irq/default_smp_affinity"),
    "disk_irqs": sorted({read(path) for path in glob.glob("/proc/irq/*/effective_affinity_list")
                         if glob.glob(os.path.dirname(path) + "/*ahci*")}),
}))
"""


def look(host) -> dict:
    """What the kernel of a host holds."""
    return json.loads(host.shell(f"python3 -c '{LOOK}'"))


def check(host, pages: dict, *, tickless: bool = True) -> None:
    """Pages, the isolated CPU, and where tasks, services and interrupts may run, all as asked for."""
    found = look(host)
    assert found["pages"] == {str(node): number for node, number in pages.items()}
    assert found["isolated"] == "1" and found["nohz_full"] in (("1",) if tickless else ("", "(null)"))
    asked = ",".join(f"{node}:{number}" for node, number in pages.items())
    assert {"hugepagesz=2M", f"hugepages={asked}", "isolcpus=managed_irq,domain,1", "irqaffinity=0"} <= set(found["words"])
    assert (found["busy"], found["pid1"], found["sshd"]) == ([0], "0", "0")
    assert int(found["default_irq"], 16) == 1 and found["disk_irqs"] == ["0"]
