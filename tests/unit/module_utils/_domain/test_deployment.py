# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deploy decides and reports."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.typeone.metal.plugins.module_utils._domain import deployment

HARDWARE = {
    "system": {"uuid": "u", "memory_bytes": 4 * deployment.GIB, "thread_count": 2},
    "network_interfaces": [{"mac_address": "52:54:00:00:00:11"}, {"mac_address": "52:54:00:00:00:12"}, {"mac_address": None}],
}


@pytest.mark.parametrize("requirements, mac, said", [
    ({}, "", []),
    ({"min_memory_gib": 4, "min_cpus": 2, "min_nics": 2}, "52:54:00:00:00:11", []),
    ({"min_memory_gib": 5}, "", ["it has 4 GiB of memory and min_memory_gib is 5"]),
    ({"min_cpus": 4}, "", ["it has 2 logical CPUs and min_cpus is 4"]),
    ({"min_nics": 3}, "", ["it has 2 network interfaces and min_nics is 3"]),
    ({}, "52:54:00:00:00:99", ["typeone_boot_mac 52:54:00:00:00:99 is none of its interfaces (52:54:00:00:00:11, 52:54:00:00:00:12)"]),
])
def test_shortfalls(requirements: dict[str, int], mac: str, said: list[str]) -> None:
    assert deployment.shortfalls(HARDWARE, requirements, boot_mac=mac) == said


def test_a_bmc_that_shows_no_interfaces_does_not_refute_the_boot_mac() -> None:
    assert deployment.shortfalls({"system": {}}, {}, boot_mac="52:54:00:00:00:11") == []


@pytest.mark.parametrize("hardware, count", [
    ({"system": {"thread_count": 64, "core_count": 32, "processor_count": 2}}, 64),
    ({"system": {"thread_count": None, "core_count": 32, "processor_count": 2}}, 32),
    ({"system": {"processor_count": 2}}, 2),
    ({}, 0),
])
def test_cpu_count(hardware: dict[str, t.Any], count: int) -> None:
    assert deployment.cpu_count(hardware) == count


def installed(**changes: str) -> dict[str, t.Any]:
    return {"kind": "installed", "stamp": {"node": "node1", "image_key": "new", "disk_serial": "S1", **changes}}


@pytest.mark.parametrize("found, power, more, action", [
    ({}, "off", {}, "deploy"),
    ({}, "off", {"unfinished": ["d1"]}, "deploy"),
    (installed(), "on", {}, "keep"),
    (installed(), "on", {"unfinished": ["d1"]}, "keep"),
    (installed(image_key="old"), "on", {}, "refuse"),
    (installed(image_key="old"), "on", {"destroy": ["s1"]}, "deploy"),
    (installed(image_key="old"), "on", {"destroy": ["S2"]}, "refuse"),
    (installed(node="node2"), "on", {}, "refuse"),
    ({"kind": "ramdisk"}, "on", {}, "deploy"),
    ({"kind": "unreachable"}, "on", {}, "refuse"),
    ({"kind": "unreachable"}, "on", {"unfinished": ["d1"]}, "deploy"),
    ({"kind": "foreign"}, "on", {}, "refuse"),
    ({"kind": "foreign"}, "on", {"replace_running": True}, "deploy"),
])
def test_decision(found: dict[str, t.Any], power: str, more: dict[str, t.Any], action: str) -> None:
    known = {"unfinished": [], **more}
    decision = deployment.decide(found, node="node1", image={"key": "new"}, power=power, **known)
    assert decision["action"] == action
    assert bool(decision["remedy"]) is (action == "refuse")


@pytest.mark.parametrize("events, commanded, boot_ids, posts", [
    (["boot script grub.cfg fetched", "bundle claimed"], 1, ["a", "a", "a"], 1),
    (["boot script grub.cfg fetched"], 2, ["a", "b", "b"], 2),
    (["boot script grub.cfg fetched"] * 2, 1, ["a", "a"], 2),
    (["boot script grub.cfg fetched", "boot script grub.cfg fetched, told to boot from disk"], 1, ["a", "a"], 2),
    (["boot script ipxe fetched", "boot script grub.cfg fetched", "bundle claimed"], 1, ["a", "a"], 1),
    (["boot script grub.cfg fetched"], 1, ["a", "a", "b"], 2),
    ([], 1, ["a", ""], 1),
])
def test_posts_are_the_most_that_any_witness_saw(events: list[str], commanded: int, boot_ids: list[str], posts: int) -> None:
    seen = [{"at": 1.0, "event": text} for text in events]
    assert deployment.count_posts(events=seen, commanded=commanded, boot_ids=boot_ids)["posts"] == posts


def test_the_plan_names_the_disk_by_serial_from_the_bmc() -> None:
    known: dict[str, t.Any] = {"node": "node1", "decision": {"cause": "it is powered off and will be deployed"}, "power": "off",
                               "hints": {"serial": "S1"}, "override": {"device": "none"}, "arguments": ["console=hvc0"],
                               "image": {"hypervisor": "xen", "release": "bookworm", "key": "abc"}}
    shown = deployment.plan(hardware={"disks": [{"serial_number": "S1", "size_bytes": 8 << 30}, {"serial_number": "S2"}]}, **known)
    assert any("disk S1 (8 GiB), shown by the BMC" in line for line in shown)
    blind = deployment.plan(hardware={}, **known)
    assert any("the one disk with serial S1" in line for line in blind)


def test_the_summary_says_what_counts() -> None:
    evidence = {"node": "node1", "system": {"uuid": "u1", "serial_number": "SN1"}, "hypervisor": "xen", "posts": 1,
                "power_on_to_proof_seconds": 213.4, "disk": {"serial": "S1"}, "image": {"key": "abc"},
                "phases": [{"phase": "boot", "seconds": 70.1}, {"phase": "stage", "seconds": 0.1, "skipped": True}]}
    text = "\n".join(deployment.summary(evidence, standing=False))
    for part in ("node1: deployed", "UUID u1", "serial S1", "posts       1", "213.4 s", "boot 70.1"):
        assert part in text
    assert "stage" not in text and "tuning" not in text
    assert "nothing was changed" in deployment.summary(evidence, standing=True)[0]


@pytest.mark.parametrize("more, said", [
    ({"tuning": {"known_arguments": [{"name": "isolcpus", "value": "1"}, {"name": "quiet", "state": "absent"}]}}, "boot: isolcpus=1"),
    ({"tuning": {"known_arguments": [], "reboot_required": True}}, "in the first boot: nothing; it waits for a reboot"),
    ({"root_switched": True, "power_on_to_proof_seconds": 9.0}, "posts       1; power-on to proven guest 9.0 s"),
    ({"root_switched": False, "power_on_to_proof_seconds": 9.0}, "posts       1; it was rebooted from its disk; power-on"),
    ({"root_switched": None, "power_on_to_proof_seconds": None, "begun_by_another_run": True}, "posts       1; an earlier run began it"),
    ({"root_switched": True, "power_on_to_proof_seconds": 9.0, "begun_by_another_run": True}, "proven guest 9.0 s; an earlier run began it"),
])
def test_the_summary_says_how_the_installed_system_was_booted(more: dict[str, t.Any], said: str) -> None:
    assert any(said in line for line in deployment.summary({"node": "node1", "posts": 1, **more}, standing=False))
