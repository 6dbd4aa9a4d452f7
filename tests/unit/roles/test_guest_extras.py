# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the proof's guest has beyond a processor and memory: when it cannot be, how it is asked for, what is checked."""

from __future__ import annotations

import json
import pathlib
import types
import typing as t

import pytest

from guestprogram import extras, kinds, parts

MIB = 1024


@pytest.fixture(name="sys")
def fixture_sys(tmp_path, monkeypatch) -> pathlib.Path:
    """A tree in the place of /sys: four CPUs, two of them isolated; pages on node 1; a bridge that filters by VLAN."""
    for path, text in {
        "devices/system/cpu/online": "0-3", "devices/system/cpu/isolated": "2-3",
        "kernel/mm/hugepages/hugepages-2048kB/free_hugepages": "64",
        "devices/system/node/node1/hugepages/hugepages-2048kB/free_hugepages": "64",
        "class/net/br0/bridge/vlan_filtering": "1", "class/net/br0/bridge/default_pvid": "1",
        "class/net/br1/bridge/vlan_filtering": "0", "class/net/eth0/address": "00:00:5e:00:53:01",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text + "\n")
    monkeypatch.setattr(extras, "SYS", tmp_path)
    return tmp_path


def guest(processors: t.Sequence[dict] = (), **more: t.Any) -> t.Any:
    """As much of a guest as the extras ask."""
    return types.SimpleNamespace(uuid="0a1b2c3d-0000-4000-8000-000000000000", ports=lambda: ["typeone-proof"],
                                 processors=lambda: list(processors), **more)


def config(hypervisor: str = "kvm", **wishes: t.Any) -> dict[str, t.Any]:
    """A configuration with these wishes."""
    return {"hypervisor": hypervisor, "memory_mib": 128, "vcpus": 2, **wishes}


def test_cpu_lists() -> None:
    """In their order: virtual CPU n belongs to the n-th."""
    assert extras.cpu_list("3,0-1") == [3, 0, 1] and extras.cpu_list("") == []


@pytest.mark.parametrize(("kind", "given", "said"), [
    ("Pinning", config(cpus="2"), "are 1 for 2 virtual CPUs"),
    ("HugePages", config("xen", hugepages={"size": "2M"}), "Xen gives paravirtualised guests no huge pages"),
    ("HugePages", config(hugepages={"size": "1G"}), "are not whole pages of 1G"),
    ("HugePages", config(hugepages={"node": 1}), "are not whole pages of None"),
    ("HugePages", config(memory_mib=256, hugepages={"size": "2M", "node": 1}), "128 pages of 2M are needed and 64 are free on NUMA node 1"),
    ("HugePages", config(hugepages={"size": "2M", "node": 0}), "0 are free on NUMA node 0"),
    ("Nic", config(network={"bridge": "eth0"}), "'eth0', which is not a bridge"),
    ("Nic", config(network={"vlan": 5}), "None, which is not a bridge"),
    ("Nic", config(network={"bridge": "br1", "vlan": 5}), "br1 does not filter by VLAN"),
    ("Nic", config(network={"bridge": "br0", "peer": "192.0.2.1"}), "without an address"),
])
def test_what_cannot_be_is_refused_before_a_guest_starts(sys, kind, given, said) -> None:
    """The message says why."""
    with pytest.raises(parts.ProofError, match=said):
        getattr(extras, kind)(given).prepare(guest())
    assert sys.is_dir()


def vcpu(number: int, allowed: str, ran_on: int | None) -> dict[str, t.Any]:
    """What a host says of a virtual CPU."""
    return {"vcpu": number, "allowed": allowed, "ran_on": ran_on}


@pytest.mark.parametrize(("cpus", "dedicated"), [("2-3", True), ("1,2", False)])
def test_pinned_guests(sys, cpus, dedicated) -> None:
    """Affinity and place as asked; whether the CPUs are kept free is told."""
    wish = extras.Pinning(config(cpus=cpus))
    numbers = extras.cpu_list(cpus)
    there = guest([vcpu(n, str(cpu), cpu) for n, cpu in enumerate(numbers)])
    wish.prepare(there)
    found = wish.observe(there, {"cpus": 2})
    assert found["dedicated"] is dedicated and found["seen_inside"] == 2
    assert found["text"].startswith(f"virtual CPU 0 on {numbers[0]}, 1 on {numbers[1]}")
    assert sys.is_dir()


@pytest.mark.parametrize("processors", [
    [vcpu(0, "2", 2), vcpu(1, "0-3", 3)], [vcpu(0, "2", 1), vcpu(1, "3", 3)], [vcpu(0, "2", 2)], [vcpu(0, "3", 3), vcpu(1, "2", 2)],
])
def test_a_guest_that_is_not_where_it_should_be_is_no_proof(sys, processors) -> None:
    """May run elsewhere, ran elsewhere, too few, swapped."""
    wish = extras.Pinning(config(cpus="2-3"))
    wish.prepare(guest())
    with pytest.raises(parts.ProofError):
        wish.observe(guest(processors), {"cpus": 2})
    assert sys.is_dir()


def test_pinning_under_xen(sys, monkeypatch) -> None:
    """xl gets a list, one CPU for each; CPUs are dedicated if dom0 has others."""
    rows = "Name ID VCPU CPU State Time(s) Affinity\n{} 0 0 0 r-- 1.0 0 / all\n{} 0 1 1 -b- 1.0 1 / all\n"
    monkeypatch.setattr(extras, "ask", lambda argv: rows.replace("{}", "Domain-0"))
    wish = extras.Pinning(config("xen", cpus="2-3"))
    wish.prepare(guest())
    assert wish.xen(guest()) == {"cpus": ["2", "3"]}
    assert wish.observe(guest([vcpu(0, "2", 2), vcpu(1, "3", None)]), {"cpus": 2})["dedicated"] is True
    monkeypatch.setattr(kinds, "ask", lambda argv: rows.replace("{}", "typeone-proof"))
    assert kinds.XenGuest.processors(None) == [vcpu(0, "0", 0), vcpu(1, "1", 1)]
    assert sys.is_dir()


MAPS = ("7f0000000000 bind:1 file=/memfd:memory-backend-memfd\\040(deleted) huge dirty=64 N{}={} kernelpagesize_kB=2048\n"
        "7f1000000000 default heap anon=4 dirty=4 N0=4 kernelpagesize_kB=4\n")


@pytest.mark.parametrize(("node", "maps", "right"), [
    (1, MAPS.format(1, 64), True), (None, MAPS.format(0, 64), True), (1, MAPS.format(0, 64), False), (1, MAPS.format(1, 63), False),
    (1, MAPS.format(1, 64).replace("=2048", "=4"), False),
])
def test_memory_from_huge_pages(sys, monkeypatch, node, maps, right) -> None:
    """QEMU's own map of its memory counts, not what was asked of it."""
    wish = extras.HugePages(config(hugepages={"size": "2M", "node": node}))
    there = guest(process=types.SimpleNamespace(pid=4711))
    wish.prepare(there)
    assert ("host-nodes=1,policy=bind" in wish.kvm(there)[1]) == (node == 1)
    monkeypatch.setattr(extras, "read", lambda path: maps if str(path) == "/proc/4711/numa_maps" else "")
    if right:
        assert sum(wish.observe(there, {"memory_kib": 120 * MIB})["pages"].values()) == 64
    else:
        with pytest.raises(parts.ProofError, match="and not 64"):
            wish.observe(there, {"memory_kib": 120 * MIB})
    assert sys.is_dir()


@pytest.mark.parametrize(("change", "wrong"), [
    ({}, ""), ({"master": "br1"}, "is on br1 and not on br0"), ({"vlans": [1]}, r"in the VLANs \[1\] and not in 5"),
    ({"inside": {}}, "sees no NIC"), ({"replies": 0}, "no reply from 192.0.2.1"),
])
def test_a_nic_in_a_vlan(sys, monkeypatch, change, wrong) -> None:
    """Made on the host before the guest, seen there and inside, and taken away again."""
    run: list[str] = []
    folder = sys / "class/net/typeone-proof"

    def ask(argv):
        run.append(" ".join(argv))
        if argv[1] == "tuntap":
            folder.mkdir()
            (folder / "master").symlink_to(sys / "class/net" / change.get("master", "br0"))
        told = {"vlan": [{"vlans": [{"vlan": number} for number in change.get("vlans", [5])]}], "fdb": [{"mac": "52:54:00:0a:1b:2c"}]}
        return json.dumps(told.get(argv[2], []) if argv[0] == "bridge" else [])

    monkeypatch.setattr(extras, "ask", ask)
    wish = extras.Nic(config(network={"bridge": "br0", "vlan": 5, "address": "192.0.2.9/24", "peer": "192.0.2.1"}))
    wish.prepare(guest())
    assert run[-2:] == ["bridge vlan del dev typeone-proof vid 1", "bridge vlan add dev typeone-proof vid 5 pvid untagged"]
    assert wish.words() == ["proof.mac=52:54:00:0a:1b:2c", "proof.address=192.0.2.9/24", "proof.peer=192.0.2.1"]
    inside = change.get("inside", {"mac": "52:54:00:0a:1b:2c", "sent": 3, "replies": change.get("replies", 3)})
    if wrong:
        with pytest.raises(parts.ProofError, match=wrong):
            wish.observe(guest(), {"nic": inside})
    else:
        found = wish.observe(guest(), {"nic": inside})
        assert (found["bridge"], found["vlans"], found["learned"]) == ("br0", [5], True)
        assert found["text"] == "NIC on br0, 3 of 3 replies from 192.0.2.1"
    wish.undo(guest())
    assert run[-1] == "ip link del dev typeone-proof"


def test_modules_of_the_guests_kernel(tmp_path, monkeypatch) -> None:
    """Each once, in the order that modprobe gives, unpacked; what is built in is left out."""
    (tmp_path / "a.ko").write_bytes(b"plain")
    (tmp_path / "b.ko.xz").write_bytes(parts.lzma.compress(b"packed"))
    told = {"x": f"insmod {tmp_path}/a.ko \n", "y": f"builtin c\ninsmod {tmp_path}/a.ko \ninsmod {tmp_path}/b.ko.xz \n"}
    monkeypatch.setattr(parts, "ask", lambda argv: told[argv[-1]])
    assert parts.modules_of(["x", "y"]) == [("00-a.ko", b"plain"), ("01-b.ko", b"packed")]
