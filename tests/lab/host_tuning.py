# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A booted KVM host of two NUMA nodes is tuned in one go, with one reboot, and a pinned guest proves it; then all is given back.

The CPU that was isolated stays so until the host's next boot, which is not waited for here.
"""

from __future__ import annotations

import json
import re

import pytest

pytestmark = pytest.mark.timeout(2400)

PAGES = {0: 48, 1: 96}
ASKED = {
    "hugepages_pools": [{"size": "2M", "nodes": PAGES, "reserve_at": "boot"}],
    "hugepages_reserve": "512M",
    "cpu_isolation_dedicated": "1",
    "tune_reboot": True,
}
NOTHING = {"hugepages_pools": [], "cpu_isolation_housekeeping": ""}
GUEST = {
    "guest_proof_hypervisor": "kvm", "guest_proof_again": True, "guest_proof_cpus": "1", "guest_proof_memory_mib": 128,
    "guest_proof_hugepages": {"size": "2M", "node": 1},
}
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


@pytest.fixture(name="host")
def _host(kvm_hosts):
    """The last KVM host."""
    return kvm_hosts[-1]


def look(host) -> dict:
    """What the kernel of a host holds."""
    return json.loads(host.shell(f"python3 -c '{LOOK}'"))


def test_what_cannot_be_is_refused_with_the_sum_and_a_dry_run_tells_what_will_be(host):
    """Neither leaves a trace on the host."""
    host.shell("touch /run/typeone-before")
    done = host.play("tune", {**ASKED, "hugepages_pools": [{"size": "2M", "nodes": {0: 48, 1: 9000}}]})
    assert done.status != 0 and done.changed == 0
    assert re.search(r"NUMA node 1: 9000 x 2 MiB = 17.6 GiB asked; .* - 512 MiB for the system = .* too much. Nothing was changed", done.output)
    dry = host.play("tune", ASKED, "--check", "--diff")
    assert dry.status == 0 and dry.changed > 0
    for words in ("+hugepages=0:48,1:96", "+isolcpus=managed_irq,domain,1", "+CPUAffinity=0"):
        assert words in dry.output, dry.output
    assert host.shell(OURS) == ""
    assert look(host)["pages"] == {"0": 0, "1": 0}


def test_one_reboot_brings_all_of_it(host):
    """What the kernel holds after it is the plan; tasks, services and interrupts are where they should be."""
    before = host.boot_id
    done = host.play("tune", ASKED)
    assert done.status == 0, done.output
    assert done.output.count("RUNNING HANDLER") == 1 and host.boot_id != before
    found = look(host)
    assert found["pages"] == {str(node): pages for node, pages in PAGES.items()}
    assert (found["isolated"], found["nohz_full"]) == ("1", "1")
    assert {"hugepagesz=2M", "hugepages=0:48,1:96", "isolcpus=managed_irq,domain,1", "irqaffinity=0"} <= set(found["words"])
    assert (found["busy"], found["pid1"], found["sshd"]) == ([0], "0", "0")
    assert int(found["default_irq"], 16) == 1 and found["disk_irqs"] == ["0"]


def test_a_pinned_guest_from_inside_and_from_the_host(host):
    """Its virtual CPU on the isolated CPU, its memory from pages of the node that was asked for."""
    done = host.play("guest_proof", GUEST)
    assert done.status == 0, done.output
    proof = json.loads(host.shell("cat /var/lib/typeone/guest_proof.json"))
    checked = proof["checked"]
    assert [(cpu["allowed"], cpu["ran_on"]) for cpu in checked["cpus"]["vcpus"]] == [("1", 1)]
    assert checked["cpus"]["dedicated"] is True and checked["hugepages"]["pages"] == {"1": 64}
    assert proof["guest_cpus"] == 1 and host.shell("pgrep -c qemu-system || true").strip() == "0"


def test_a_second_run_changes_nothing_and_everything_is_given_back(host):
    """No change, no reboot; then the pages and files go at once, and the arguments with the next boot."""
    boot = host.boot_id
    again = host.play("tune", ASKED)
    assert (again.status, again.changed) == (0, 0), again.output
    done = host.play("tune", NOTHING, "--diff")
    assert done.status == 0 and host.boot_id == boot, done.output
    assert look(host)["pages"] == {"0": 0, "1": 0}
    assert host.shell("find /etc /usr/local -path '*hugepages*' -o -name '*typeone-*' -path '*isolation*'") == ""
    menu = [line for line in host.shell("cat /boot/grub/grub.cfg").splitlines() if "/vmlinuz" in line]
    assert menu and not [line for line in menu if re.search("isolcpus|nohz_full|rcu_nocbs|irqaffinity|hugepages", line)]
    assert host.shell("grep Cpus_allowed_list /proc/1/status").split()[1] == "0-1"
