# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deploy that cannot be: each error names node, phase, cause and remedy, and the node is left as promised."""

from __future__ import annotations

import os
import pathlib
import re
import socket
import subprocess
import sys
import textwrap

import yaml

from ansible_collections.typeone import metal

CLAIM = pathlib.Path(next(iter(metal.__path__))) / "roles/provisioner/files/typeone_claim.py"
MAC = "52:54:00:00:00:11"


def playbook(folder: pathlib.Path, book: str, hosts: dict, *arguments: str) -> tuple[int, str]:
    """Run a playbook over nodes and a provisioner on this machine; returns exit code and output, its lines joined."""
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    inventory = folder / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"all": {"children": {
        "provisioner": {"hosts": {"prov": local}}, "nodes": {"hosts": hosts}}}}))
    done = subprocess.run(
        [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), "-i", str(inventory), book, *arguments],
        capture_output=True, text=True, timeout=180, stdin=subprocess.DEVNULL, check=False,
        env=dict(os.environ, ANSIBLE_NOCOLOR="1", ANSIBLE_FORCE_COLOR="0", ANSIBLE_DISPLAY_FAILED_STDERR="0"))
    return done.returncode, done.stdout + done.stderr


def node(folder: pathlib.Path, bmc, **more) -> dict:
    """The host variables of a node behind a test BMC; nothing ever answers at its address."""
    return {"bmc_address": bmc.url, "bmc_username": bmc.username, "bmc_password": bmc.password, "ca_path": bmc.ca_path,
            "ansible_host": "127.0.0.1", "ansible_port": closed_port(), "typeone_address": "192.0.2.11/24",
            "typeone_boot_mac": MAC, "typeone_disk_hints": {"serial": "S1"}, "typeone_state_dir": str(folder / "state"),
            "typeone_ssh_public_keys": ["ssh-ed25519 AAAA operator"], **more}


def first_mac(bmc) -> str:
    """The MAC address of the system's first interface."""
    return next(bmc.get(path)["MACAddress"] for path in bmc.of_kind("EthernetInterface") if path.startswith(bmc.system))


def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def told(output: str, name: str) -> str:
    """The last error of a node, on one line."""
    return re.findall(rf'^fatal: \[{name}\].*"msg": "(.*)"', output, re.MULTILINE)[-1]


def test_each_node_says_what_is_wrong_before_anything_is_changed(test_bmc, tmp_path):
    """Password, address, certificate, hardware, huge pages: six nodes of one play, none of which holds the others up."""
    bmc = test_bmc()
    hosts = {
        "password": node(tmp_path, bmc, bmc_password="Not-The-Password"),
        "address": node(tmp_path, bmc, bmc_address=f"https://127.0.0.1:{closed_port()}", bmc_protocol="redfish"),
        "certificate": node(tmp_path, bmc, ca_path=None),
        "input": node(tmp_path, bmc, typeone_disk_hints={}),
        "hardware": node(tmp_path, bmc, typeone_requirements={"min_memory_gib": 4096, "min_cpus": 999, "min_nics": 99},
                         typeone_boot_mac=first_mac(bmc)),
        "tuning": node(tmp_path, bmc, typeone_boot_mac=first_mac(bmc), typeone_hypervisor="kvm",
                       hugepages_pools=[{"size": "1G", "nodes": {0: 4096, 1: 4096}}]),
    }
    code, output = playbook(tmp_path, "typeone.metal.deploy", hosts)
    assert code != 0
    for name, phase, cause, remedy in (
            ("password", "inspect", "does not accept the account", "Check bmc_username and bmc_password"),
            ("address", "inspect", "refused", "Check"),
            ("certificate", "inspect", "certificate", "ca_path"),
            ("input", "validate", "typeone_disk_hints is empty", "Set typeone_disk_hints"),
            ("hardware", "inspect", "GiB of memory and min_memory_gib is 4096", "Correct typeone_requirements"),
            ("tuning", "inspect", "huge pages of 8192 GiB are to be reserved at boot", "Correct")):
        message = told(output, name)
        assert message.startswith(f"Cannot deploy {name} in phase {phase} (it was left as it was): "), message
        assert cause in message and remedy in message, message
    assert not bmc.counters.effective_writes() and bmc.power.state(bmc.system) == "Off"
    assert "Not-The-Password" not in output and bmc.password not in output


def boot_in_vain(folder: pathlib.Path, bmc) -> str:
    """Deploy node1, which is staged and powered on and never answers; returns its error."""
    (folder / "console.log").write_bytes(b"\x1b[2JBdsDxe: loading Boot0002\r\nKernel panic - not syncing: no init\r\n")
    program = folder / "claim.py"
    program.write_text(textwrap.dedent(f"""
        import runpy, sys
        sys.argv[1:1] = ["--state", {str(folder / 'claim')!r}]
        runpy.run_path({str(CLAIM)!r}, run_name="__main__")
        """))
    served = {"claim_program": str(program), "url": "http://192.0.2.2", "loader_id": "0"}
    made = {"image": {"key": "i", "url_path": "/images/i", "kernel_args": [], "xen_args": [], "hypervisor": "xen"},
            "ramdisk": {"key": "r", "url_path": "/ramdisks/r"}}
    roles = {"ansible.builtin.include_role": {"name": "typeone.metal.os_deploy", "tasks_from": "phase"},
             "loop_control": {"loop_var": "os_deploy_phase"}}
    book = folder / "play.yml"
    book.write_text(yaml.safe_dump([
        {"hosts": "prov", "gather_facts": False, "tasks": [{"ansible.builtin.set_fact": {
            "provisioner_result": served, "os_deploy_artifacts": {"xen": made}}}]},
        {"hosts": "nodes", "gather_facts": False, "tasks": [{**roles, "loop": [
            "validate", "inspect", "prepare_firmware", "stage", "boot"]}]}]))
    hosts = {"node1": node(folder, bmc, typeone_boot_timeout=2, typeone_console_log=str(folder / "console.log"),
                           typeone_boot_mac=first_mac(bmc))}
    code, output = playbook(folder, str(book), hosts)
    assert code != 0
    return told(output, "node1")


def test_a_node_that_never_comes_up_is_powered_off_and_its_console_is_shown(test_bmc, tmp_path):
    """Staged, booted, waited for, given up: withdrawn from the provisioner, off, its boot override on the disk."""
    bmc = test_bmc()
    message = boot_in_vain(tmp_path, bmc)
    assert message.startswith("Cannot deploy node1 in phase boot (it was powered off): ") and "did not come up within 2 s" in message
    assert "boot MAC address" in message and "Kernel panic - not syncing: no init" in message, message
    assert bmc.power.state(bmc.system) == "Off"
    assert [boot["target"] for boot in bmc.power.boots] == ["Pxe"]
    assert bmc.get(bmc.system)["Boot"]["BootSourceOverrideTarget"] != "Pxe" or (
        bmc.get(bmc.system)["Boot"]["BootSourceOverrideEnabled"] == "Disabled")
    assert not list((tmp_path / "claim" / "nodes").glob("[0-9a-f]*"))
    assert (tmp_path / "state" / "node1" / "journal.json").is_file()


def test_a_bmc_that_dies_after_the_power_on_is_told_beside_the_cause(test_bmc, tmp_path):
    """Nothing can be done for the node but to take it off the provisioner. Deployed again, it is powered on anew."""
    bmc = test_bmc()
    seen: list = []  # the power is on, and that was told once

    def dead(request) -> bool:
        told_before = bool(seen)
        seen.extend([1] if bmc.power.state(bmc.system) == "On" and request.path == bmc.system and request.method == "GET" else [])
        return told_before

    bmc.faults.add("reset_before", match=dead, times=None)
    message = boot_in_vain(tmp_path, bmc)
    assert message.startswith("Cannot deploy node1 in phase boot (it was not powered off: "), message
    assert "the connection broke" in message and "See whether the BMC is restarting" in message, message
    assert not list((tmp_path / "claim" / "nodes").glob("[0-9a-f]*"))
    bmc.faults.clear()
    assert bmc.power.state(bmc.system) == "On"
    message = boot_in_vain(tmp_path, bmc)
    assert message.startswith("Cannot deploy node1 in phase boot (it was powered off): "), message
    assert [boot["target"] for boot in bmc.power.boots] == ["Pxe", "Pxe"]


def test_decommissioning_erases_the_drives_that_are_named_and_no_other(test_bmc, tmp_path):
    """Off, erased, without a boot override; a dry run does nothing of it; without a target nothing runs at all."""
    bmc = test_bmc()
    bmc.set(bmc.system, {"PowerState": "On", "Boot": {"BootSourceOverrideEnabled": "Continuous", "BootSourceOverrideTarget": "Pxe"}})
    serial = next(bmc.get(path)["SerialNumber"] for path in bmc.of_kind("Drive") if "/RAID1/" not in path)  # those are in a volume
    hosts = {"node1": node(tmp_path, bmc, typeone_disk_erase=[serial])}
    code, output = playbook(tmp_path, "typeone.metal.decommission", hosts)
    assert code != 0 and "Say which" in output
    code, output = playbook(tmp_path, "typeone.metal.decommission", hosts, "-e", "target=node1", "-e", "force=true", "--check")
    assert code == 0, output
    assert not bmc.counters.effective_writes()
    code, output = playbook(tmp_path, "typeone.metal.decommission", hosts, "-e", "target=node1", "-e", "force=true")
    assert code == 0, output
    assert bmc.power.state(bmc.system) == "Off"
    assert bmc.get(bmc.system)["Boot"]["BootSourceOverrideEnabled"] == "Disabled"
    erased = [path for _method, path, _body in bmc.counters.effective_writes() if "SecureErase" in path]
    assert len(erased) == 1, bmc.counters.effective_writes()
