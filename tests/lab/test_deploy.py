# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From powered off and blank to a proven Xen host, through the BMC alone; killed half-way, started again, run once more."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import time

import pytest
import yaml

from labs import BIN, GUARD, Lab, Run

pytestmark = pytest.mark.timeout(2400)

PAUSE = 3.0


class Site:
    """A lab with one node, and what a controller keeps of it."""

    def __init__(self, lab: Lab, capture) -> None:
        self.lab = lab
        self.capture = capture
        self.node = lab.nodes[0]
        self.state = lab.folder.parent / "state"
        self.evidence_dir = lab.folder.parent / "evidence"

    def deploy(self, *flags: str, kill_at: str = "", **options) -> Run:
        """Run the playbook as a user does; with kill_at, SIGKILL it when it says that."""
        extra = {"typeone_state_dir": str(self.state), "typeone_evidence_dir": str(self.evidence_dir),
                 "typeone_boot_timeout": GUARD, **options}
        words = [self.lab.folder / "enter", BIN / "ansible-playbook", "-i", self.lab.folder / "inventory.yml",
                 "typeone.metal.deploy", "-e", json.dumps(extra), *flags]
        log, silences, start, before = [], [0.0], time.monotonic(), time.monotonic()
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, cwd="/",
                              env={**os.environ, "ANSIBLE_CALLBACKS_ENABLED": "typeone.metal.progress"}) as process:
            for line in process.stdout:
                silences.append(time.monotonic() - before)
                before = time.monotonic()
                log.append(f"{before - start:6.1f} {line}")
                if line.startswith(("TASK [", "  [", "  still")):
                    with self.capture.global_and_fixture_disabled():
                        print(log[-1].rstrip().rstrip("* "), flush=True)
                if kill_at and kill_at in line:
                    process.kill()
                    break
        print("".join(log))
        print(f"== deploy {' '.join(flags)}: {time.monotonic() - start:.0f} s, longest silence {max(silences):.0f} s")
        return Run(process.returncode, "".join(log))

    @property
    def evidence(self) -> dict:
        """What the deploy wrote down."""
        return json.loads((self.evidence_dir / "node1.json").read_text())

    def system(self) -> dict:
        """The node as its BMC shows it."""
        return self.lab.ask(self.node, f"/redfish/v1/Systems/{self.node['uuid']}")[1]

    def ssh(self, host: str, command: str, *, known_hosts: pathlib.Path) -> str | None:
        """What a command on a host prints; None where it cannot be reached or fails. Only the pinned key counts."""
        done = self.lab.inside(
            "ssh", "-F", "none", "-i", self.lab.folder / "ssh/id_ed25519", "-o", f"UserKnownHostsFile={known_hosts}",
            "-o", "GlobalKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes",
            "-o", "ConnectTimeout=20", f"root@{host}", command)
        return done.stdout if done.returncode == 0 else None

    def on_node(self, command: str) -> str | None:
        """What a command on the node prints."""
        return self.ssh(self.node["address"], command, known_hosts=self.state / "node1" / "known_hosts")

    def on_provisioner(self, command: str) -> str:
        """What a command on the provisioner prints."""
        inventory = yaml.safe_load((self.lab.folder / "inventory.yml").read_text())["all"]
        host = inventory["children"]["provisioner"]["hosts"]["provisioner"]["ansible_host"]
        return self.ssh(host, command, known_hosts=self.lab.folder / "ssh/known_hosts") or ""


@pytest.fixture(name="site", scope="module")
def fixture_site(tmp_path_factory, request):
    """A lab of this test's own. It takes minutes: what is being done is told although tests' output is kept back."""
    folder = tmp_path_factory.mktemp("deploy")
    lab = Lab(f"test-deploy-{os.getpid()}", folder / "lab", {"lab_nodes": 1})
    try:
        done = lab.play("lab_up")
        assert done.status == 0, done.output
        yield Site(lab, request.config.pluginmanager.getplugin("capturemanager"))
    finally:
        lab.play("lab_down")


def test_a_dry_run_changes_nothing_and_tells_the_plan(site):
    """Not the node, not its BMC, not the provisioner, not the controller."""
    seen = "find /etc /srv /usr/local /var/lib/typeone -xdev -type f -newer /run/before | grep -v /var/lib/typeone/cache"
    site.on_provisioner("touch /run/before")
    before = site.system()
    done = site.deploy("--check", "--diff")
    assert done.status == 0, done.output
    assert site.node["disk_serial"] in done.output and "boot device: disk -> pxe (once) -> disk" in done.output
    after = site.system()
    assert (after["PowerState"], after["Boot"]) == ("Off", before["Boot"])
    assert site.on_provisioner(seen).split() == []
    assert not site.state.exists() and not site.evidence_dir.exists()


def test_a_deploy_that_was_killed_is_started_again_and_ends_deployed(site):
    """Killed while the image is written, so that the disk is torn; the second run proves a guest after one self-test."""
    killed = site.deploy(kill_at="writing the image,")
    assert killed.status == -9, killed.output
    assert site.system()["PowerState"] == "On"
    done = site.deploy()
    assert done.status == 0, done.output
    evidence = site.evidence
    assert evidence["posts"] == 1, evidence["posts_counted"]
    assert evidence["posts_counted"]["network_boots_seen_by_provisioner"] == 1
    assert evidence["root_switched"] is True
    assert evidence["disk"]["serial"] == site.node["disk_serial"]
    assert (evidence["system"]["uuid"], evidence["system"]["serial_number"]) == (site.node["uuid"], site.node["serial"])
    assert evidence["installed_sha256"] == evidence["image"]["compressed_sha256"]
    assert evidence["hypervisor_info"]["info"]["xen_major"] == "4" and evidence["guest_proof"]["passed"] is True
    assert [phase["phase"] for phase in evidence["phases"]] == [
        "validate", "inspect", "prepare_firmware", "stage", "boot", "install", "configure", "verify", "record"]
    assert evidence["power_on_to_proof_seconds"] > 0
    assert site.system()["Boot"]["BootSourceOverrideTarget"] == "Hdd"
    assert "node1: deployed" in done.output


def test_a_second_run_changes_nothing(site):
    """No power change, no new boot, nothing on the provisioner; and a dry run says the same."""
    boot = site.on_node("cat /proc/sys/kernel/random/boot_id")
    for flags in ((), ("--check", "--diff")):
        again = site.deploy(*flags)
        assert (again.status, again.changed) == (0, 0), again.output
        assert "stands as deployed" in again.output
    assert boot and site.on_node("cat /proc/sys/kernel/random/boot_id") == boot


def test_power_cycled_by_its_bmc_it_boots_from_its_own_disk(site):
    """A normal machine: Xen from the disk with the serial that was asked for, by the same host key."""
    boot = site.on_node("cat /proc/sys/kernel/random/boot_id")
    site.lab.power(site.node, "ForceOff")
    site.lab.power(site.node, "On")
    deadline, now = time.monotonic() + GUARD, None
    while time.monotonic() < deadline and now in (None, boot):
        time.sleep(PAUSE)
        now = site.on_node("cat /proc/sys/kernel/random/boot_id")
    assert now and now != boot
    told = site.on_node("cat /sys/hypervisor/type; lsblk -sno SERIAL $(findmnt -no SOURCE /)").split()
    assert told == ["xen", site.node["disk_serial"]]


def test_no_secret_is_left_lying_about(site):
    """Neither the BMC's password nor a private key in evidence, in the console's log or on the kernel's command line."""
    password = (site.lab.folder / "bmc_password").read_text().strip()
    console = pathlib.Path(site.node["dir"], "console.log").read_text(errors="replace")
    for text in (json.dumps(site.evidence), console, site.on_node("cat /proc/cmdline")):
        assert password not in text and "PRIVATE KEY" not in text
    state = site.state / "node1"
    assert state.stat().st_mode & 0o077 == 0 and (state / "ssh_host_ed25519_key").stat().st_mode & 0o077 == 0
