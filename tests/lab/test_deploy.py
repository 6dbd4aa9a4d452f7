# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From powered off and blank to proven hypervisors, through the BMCs alone: refused, cut off, killed, started again, run once more.

The tests build on one another, as a site's days do.
"""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import re
import subprocess

import pytest
import tunings

pytestmark = pytest.mark.timeout(2400)
roles = pytest.mark.skipif(not os.environ.get("TYPEONE_TEST_ROLES"), reason="another tuning of a booted server: make lab-roles")

PHASES = ["validate", "inspect", "prepare_firmware", "stage", "boot", "install", "configure", "verify", "record"]
SLICE = 64 << 20


def disk(node, number: int = 0) -> pathlib.Path:
    """The file behind a disk of a server."""
    return pathlib.Path(node.described["dir"], node.described["disks"][number]["file"])


def digest(path: pathlib.Path) -> str:
    """Of a disk's first part and of how much of it holds anything."""
    with open(path, "rb") as handle:
        return f"{hashlib.sha256(handle.read(SLICE)).hexdigest()} {path.stat().st_blocks}"


def told(output: str, node) -> str:
    """The last error of a node, on one line."""
    errors = re.findall(rf'fatal: \[{node.name}\]: FAILED! => (.*)', output)
    assert errors, output
    return errors[-1]


def test_a_dry_run_changes_nothing_and_tells_the_plan(site):
    """Not the nodes, not their BMCs, not the provisioner, not the controller."""
    seen = "find /etc /srv /usr/local /var/lib/typeone -xdev -type f -newer /run/before | grep -v /var/lib/typeone/cache"
    site.on_provisioner("touch /run/before")
    before = [node.system for node in site.nodes]
    done = site.deploy("--check", "--diff")
    assert done.status == 0, done.output
    for node, system in zip(site.nodes, before):
        assert node.described["disk_serial"] in done.output
        assert (node.system["PowerState"], node.system["Boot"]) == ("Off", system["Boot"])
    assert "boot device: disk -> pxe (once) -> disk" in done.output
    assert site.on_provisioner(seen).split() == []
    assert not site.state.exists() and not site.evidence_dir.exists()


def test_a_disk_that_may_not_be_written_and_an_image_that_breaks_off_are_told_and_leave_the_node_off(site):
    """Three nodes of one play: the image server stops half-way, two disks match the hints, the disk holds somebody's data.

    All by the ramdisk of KVM, which an emulated processor boots in a third of the time. Meanwhile somebody else has Xen's published.
    """
    cut, doubtful, precious = site.nodes
    subprocess.run(["mkfs.ext4", "-q", "-F", "-L", "precious", disk(precious)], check=True)
    before = [[digest(disk(node, number)) for number in (0, 1)] for node in (doubtful, precious)]
    hints = {cut.name: {"serial": cut.described["disk_serial"]}, doubtful.name: {"max_size_gib": 100},
             precious.name: {"serial": precious.described["disk_serial"]}}
    cut_off = ("writing the image,", lambda: site.on_provisioner("systemctl kill --signal=KILL nginx; systemctl stop nginx"))
    with site.meanwhile("typeone.metal.publish", "-e", "target=node1", after="TASK [typeone.metal.os_image : Start building"):
        done = site.deploy(typeone_hypervisor="kvm", typeone_disk_hints="{{ " + json.dumps(hints) + "[inventory_hostname] }}", at=cut_off)
    assert done.status == 2, done.output
    serials = {node.name: node.described["disk_serial"] for node in site.nodes}
    for node, words in (
        (cut, ("the image server", "then deploy again")),
        (doubtful, ("2 disks match the hints (max_size_gib 100", serials[doubtful.name], "typeone_disk_hints")),
        (precious, ("holds data", "ext file system", serials[precious.name], "typeone_disk_destroy")),
    ):
        error = told(done.output, node)
        assert f"Cannot deploy {node.name} in phase install (it was powered off)" in error
        assert all(word in error for word in words), error
        assert (node.system["PowerState"], node.system["Boot"]["BootSourceOverrideTarget"]) == ("Off", "Hdd")
        assert not node.deployed
    assert [[digest(disk(node, number)) for number in (0, 1)] for node in (doubtful, precious)] == before


def test_a_deploy_that_is_killed_can_leave_the_node_anywhere(site):
    """While it is staged, while it boots, and while the image is written, so that the disk is torn: the next test goes on from there."""
    for where in ("TASK [typeone.metal.os_deploy : Stage the node", "TASK [typeone.metal.os_deploy : Wait for the ramdisk", "writing the image,"):
        killed = site.deploy(target="node2", kill_at=where)
        assert killed.status == -9, killed.output
    assert site.node(2).system["PowerState"] == "On"


def test_one_play_deploys_three_nodes_at_once_although_it_is_killed_on_the_way(site):
    """One of them begins anew over the torn disk. Killed in configure they go on where they were, one of them also stopped by a guest that cannot
    start, and killed in verify and in record: each proves a guest after one self-test, in the boot of the first power-on."""
    killed = site.deploy(typeone_disk_destroy=[site.node(3).described["disk_serial"]], kill_at="TASK [typeone.metal.os_deploy : Work through configure")
    assert killed.status == -9, killed.output
    node = site.node(2)
    boot = node.boot_id
    assert boot
    failed = site.deploy(target=node.name, guest_proof_memory_mib=999999)
    assert failed.status == 2, failed.output
    error = told(failed.output, node)
    assert f"Cannot deploy {node.name} in phase verify (it was left as it was)" in error and "Cannot prove kvm" in error, error
    # What of a killed run is at work on the host may end it: the proof is then there already.
    assert site.deploy(target=node.name, kill_at="TASK [typeone.metal.guest_proof : Run a guest and wait").status == -9
    assert site.deploy(target=node.name, kill_at="TASK [typeone.metal.os_deploy : Write the evidence").status == -9
    done = site.deploy()
    assert "Start building" not in killed.output  # it was published ahead
    assert done.status == 0 and node.boot_id == boot and done.output.count("an earlier run began it") == len(site.nodes), done.output
    for node in site.nodes:
        evidence, described = node.evidence, node.described
        assert evidence["posts"] == 1, evidence["posts_counted"]
        assert evidence["posts_counted"]["network_boots_seen_by_provisioner"] == 1
        assert evidence["root_switched"] is True
        assert ("/sys/firmware/efi" in node.shell("ls -d /sys/firmware/efi || true")) == (described["firmware"] == "uefi")
        assert evidence["disk"]["serial"] == described["disk_serial"]
        assert (evidence["system"]["uuid"], evidence["system"]["serial_number"]) == (described["uuid"], described["serial"])
        assert evidence["installed_sha256"] == evidence["image"]["compressed_sha256"]
        assert evidence["guest_proof"]["passed"] is True
        assert [phase["phase"] for phase in evidence["phases"]] == PHASES
        assert evidence["power_on_to_proof_seconds"] > 0
        assert node.system["Boot"]["BootSourceOverrideTarget"] == "Hdd"
        assert f"{node.name}: deployed" in done.output
        site.tell(f"{node.name}: power-on to proven guest {evidence['power_on_to_proof_seconds']} s, posts {evidence['posts']}")
    assert site.node(1).evidence["hypervisor_info"]["info"]["xen_major"] == "4"


def test_what_was_asked_of_the_hosts_is_so_after_their_only_boot(site):
    """Huge pages of each NUMA node, an isolated CPU, and the proof's guest on both."""
    kvm = site.node(3)
    tunings.check(kvm, tunings.PAGES)
    checked = kvm.evidence["guest_proof"]["checked"]
    assert [(cpu["allowed"], cpu["ran_on"]) for cpu in checked["cpus"]["vcpus"]] == [("1", 1)]
    assert checked["cpus"]["dedicated"] is True and checked["hugepages"]["pages"] == {"1": 64}
    assert kvm.evidence["tuning"]["reboot_required"] is False and kvm.evidence["tuning"]["known_arguments"]


def test_a_second_run_changes_nothing(site):
    """No power change, no new boot, nothing on the provisioner; and a dry run says the same."""
    boots = [node.boot_id for node in site.nodes]
    for flags in ((), ("--check", "--diff")):
        again = site.deploy(*flags)
        assert (again.status, again.changed) == (0, 0), again.output
        assert again.output.count("stands as deployed") == len(site.nodes)
    assert all(boots) and [node.boot_id for node in site.nodes] == boots


def test_it_boots_from_its_own_disk_by_power_cycle_and_by_reset(site):
    """A normal machine: the system on the disk with the serial that was asked for, by the same host key.

    A machine that is only reset still asks the network first here: it is told to boot from its disk, and does, by iPXE under
    UEFI and by GRUB under BIOS.
    """
    cycled, *reset = site.nodes
    before = {node.name: node.boot_id for node in site.nodes}
    cycled.reset("ForceOff")
    cycled.reset("On")
    for node in reset:
        node.reset("ForceRestart")
    for node in site.nodes:
        node.wait_for_boot(before[node.name])
        assert node.shell("lsblk -sno SERIAL $(findmnt -no SOURCE /)").split() == [node.described["disk_serial"]]
    assert cycled.shell("cat /sys/hypervisor/type").strip() == "xen"
    tunings.check(site.node(3), tunings.PAGES)


def test_disks_of_one_host_serve_a_guest_of_another(site):
    """Molecule's scenario: over iSCSI with CHAP and NVMe/TCP, by two paths each of which one is enough, and after a reset of both hosts."""
    done = site.molecule("storage")
    assert done.status == 0 and "(a secret)" in done.output, done.output
    assert not re.findall("example-secret|DHHC-1:00", done.output)


@roles
def test_other_tuning_is_refused_shown_and_made_with_one_reboot_and_given_back(site):
    """What cannot be is refused with the sum; a dry run leaves no trace."""
    host = site.node(3)
    host.shell("touch /run/typeone-before")
    done = host.play("tune", {"hugepages_pools": [{"size": "2M", "nodes": {0: 48, 1: 9000}}]})
    assert done.status != 0 and done.changed == 0
    assert re.search(r"NUMA node 1: 9000 x 2 MiB = 17.6 GiB asked; .* - 512 MiB for the system = .* too much. Nothing was changed", done.output)
    dry = host.play("tune", tunings.OTHER, "--check", "--diff")
    assert dry.status == 0 and dry.changed > 0 and "+hugepages=0:96,1:48" in dry.output, dry.output
    assert host.shell(tunings.OURS) == ""
    before = host.boot_id
    done = host.play("tune", tunings.OTHER)
    assert done.status == 0 and done.output.count("RUNNING HANDLER") == 1 and host.boot_id != before, done.output
    tunings.check(host, {0: 96, 1: 48}, tickless=False)
    boot = host.boot_id
    done = host.play("tune", tunings.NOTHING, "--diff")
    assert done.status == 0 and host.boot_id == boot, done.output
    assert tunings.look(host)["pages"] == {"0": 0, "1": 0}
    assert host.shell("find /etc /usr/local -path '*hugepages*' -o -name '*typeone-*' -path '*isolation*'") == ""
    menu = [line for line in host.shell("cat /boot/grub/grub.cfg").splitlines() if "/vmlinuz" in line]
    assert menu and not [line for line in menu if re.search("isolcpus|nohz_full|rcu_nocbs|irqaffinity|hugepages", line)]
    assert host.shell("grep Cpus_allowed_list /proc/1/status").split()[1] == "0-1"


def test_no_secret_is_left_lying_about(site):
    """Neither the BMC's password nor a private key in evidence, in the console's log or on the kernel's command line."""
    password = (site.lab.folder / "bmc_password").read_text().strip()
    for node in site.nodes:
        for text in (json.dumps(node.evidence), node.console, node.shell("cat /proc/cmdline")):
            assert password not in text and "PRIVATE KEY" not in text
        state = site.state / node.name
        assert state.stat().st_mode & 0o077 == 0 and (state / "ssh_host_ed25519_key").stat().st_mode & 0o077 == 0
