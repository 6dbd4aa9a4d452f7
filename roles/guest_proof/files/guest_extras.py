# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""What a guest can have beyond a processor and memory, one class each: how Xen and QEMU are told, and what is checked.

Each is named as its key in the configuration, and looks from both sides: on the host, and at what the guest answered.
"""
from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import time
import typing as t

from guest_parts import Config, ProofError, ask

NAME = "typeone-proof"
MIB = 1024 ** 2
PAGES = {"2M": 2 * MIB, "1G": 1024 * MIB}
SYS = pathlib.Path("/sys")


def cpu_list(text: str) -> list[int]:
    """CPU numbers of a list such as C(1,4-6), in its order."""
    found: list[int] = []
    for part in filter(None, text.strip().split(",")):
        first, _dash, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def read(path: pathlib.Path) -> str:
    """A small file's text; none where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


class Extra:
    """Something that the guest has. Each step may raise ProofError."""

    name = ""
    modules: dict[str, tuple[str, ...]] = {}  # hypervisor -> modules of the guest's kernel

    def __init__(self, config: Config) -> None:
        self.config = config
        self.wish = config[self.name]

    def prepare(self, guest: t.Any) -> None:
        """Check that it can be, and make what it needs on the host."""

    def words(self) -> list[str]:
        """Words of the guest's command line, for its init."""
        return []

    def xen(self, guest: t.Any) -> Config:
        """Settings of xl.cfg(5)."""
        return {}

    def launcher(self, guest: t.Any) -> list[str]:
        """What QEMU is started by."""
        return []

    def kvm(self, guest: t.Any) -> list[str]:
        """Arguments of QEMU."""
        return []

    def started(self, guest: t.Any) -> None:
        """The guest is there; under KVM it stands still."""

    def observe(self, guest: t.Any, answer: Config) -> Config:
        """The evidence, with C(text) for people."""
        raise NotImplementedError

    def undo(self, guest: t.Any) -> None:
        """Take away what was made on the host."""


class Pinning(Extra):
    """Virtual CPU n on the n-th CPU of the list, and under KVM nothing else of QEMU there."""

    name = "cpus"

    def prepare(self, guest: t.Any) -> None:
        self.cpus = cpu_list(self.wish)
        if len(self.cpus) != self.config["vcpus"]:
            raise ProofError(f"CPUs {self.wish} are {len(self.cpus)} for {self.config['vcpus']} virtual CPUs. Name one for each")

    def xen(self, guest: t.Any) -> Config:
        return {"cpus": [str(cpu) for cpu in self.cpus]}

    def launcher(self, guest: t.Any) -> list[str]:
        # The control group of this session may be narrowed to other CPUs; that of guests is not.
        if not os.path.isdir("/run/systemd/system"):
            return []
        return ["systemd-run", "--scope", "--quiet", "--collect", "--slice=machine.slice", f"--unit={NAME}-{guest.uuid}"]

    def started(self, guest: t.Any) -> None:
        if self.config["hypervisor"] != "kvm":
            return
        threads = guest.threads()
        others = set(cpu_list(read(SYS / "devices/system/cpu/online"))) - set(self.cpus) - self.isolated()
        for thread in map(int, os.listdir(f"/proc/{guest.process.pid}/task")):
            pinned = [self.cpus[vcpu] for vcpu, number in threads.items() if number == thread]
            wanted = pinned or others
            try:
                if wanted:
                    os.sched_setaffinity(thread, wanted)
            except ProcessLookupError:
                continue
            except OSError as error:
                raise ProofError(f"the host does not let QEMU run on CPU {sorted(wanted)} ({error.strerror})") from error

    @staticmethod
    def isolated() -> set[int]:
        """CPUs that the host's kernel keeps free."""
        return set(cpu_list(read(SYS / "devices/system/cpu/isolated")))

    def dedicated(self) -> set[int]:
        """CPUs on which nothing of the host's own runs."""
        if self.config["hypervisor"] == "kvm":
            return self.isolated()
        rows = [line.split() for line in ask(["xl", "vcpu-list", "Domain-0"]).splitlines()[1:]]
        taken = {cpu for row in rows for cpu in (self.cpus if row[6] == "all" else cpu_list(row[6]))}
        return set(self.cpus) - taken

    def observe(self, guest: t.Any, answer: Config) -> Config:
        found, dedicated = guest.processors(), self.dedicated()
        wrong = [f"virtual CPU {vcpu['vcpu']} may run on {vcpu['allowed']} and ran on {vcpu['ran_on']}, not on {cpu}"
                 for vcpu, cpu in zip(found, self.cpus)
                 if str(vcpu["allowed"]) != str(cpu) or vcpu["ran_on"] not in (cpu, None)]
        if wrong or len(found) != len(self.cpus):
            raise ProofError("; ".join(wrong) or f"the host shows {len(found)} virtual CPUs of {len(self.cpus)}")
        on = ", ".join(f"{vcpu['vcpu']} on {vcpu['allowed']}" for vcpu in found)
        alone = set(self.cpus) <= dedicated
        return {"vcpus": found, "seen_inside": answer["cpus"], "dedicated": alone,
                "text": f"virtual CPU {on}{' (dedicated)' if alone else ''}"}


class HugePages(Extra):
    """Memory of QEMU from huge pages, of one NUMA node where one is named."""

    name = "hugepages"

    def prepare(self, guest: t.Any) -> None:
        if self.config["hypervisor"] != "kvm":
            raise ProofError("Xen gives paravirtualised guests no huge pages of dom0's. Leave hugepages out")
        self.size = PAGES.get(self.wish.get("size"), 0)
        if not self.size or self.config["memory_mib"] * MIB % self.size:
            raise ProofError(f"{self.config['memory_mib']} MiB of memory are not whole pages of {self.wish.get('size')} "
                             f"({' or '.join(PAGES)} can be asked for)")
        self.pages = self.config["memory_mib"] * MIB // self.size
        node = self.wish.get("node")
        folder = SYS / ("kernel/mm" if node is None else f"devices/system/node/node{node}")
        free = int(read(folder / f"hugepages/hugepages-{self.size // 1024}kB/free_hugepages") or 0)
        if free < self.pages:
            raise ProofError(f"{self.pages} pages of {self.wish['size']} are needed and {free} are free"
                             + ("" if node is None else f" on NUMA node {node}") + ". Reserve more (role hugepages)")

    def kvm(self, guest: t.Any) -> list[str]:
        node = self.wish.get("node")
        bound = "" if node is None else f",host-nodes={node},policy=bind"
        return ["-object", f"memory-backend-memfd,id=memory,size={self.config['memory_mib']}M,hugetlb=on,"
                f"hugetlbsize={self.wish['size']},prealloc=on{bound}", "-machine", "memory-backend=memory"]

    def observe(self, guest: t.Any, answer: Config) -> Config:
        nodes: dict[str, int] = {}
        size = f"kernelpagesize_kB={self.size // 1024}"
        for line in read(pathlib.Path(f"/proc/{guest.process.pid}/numa_maps")).splitlines():
            if " huge " in line and size in line.split():
                for node, pages in re.findall(r"\bN(\d+)=(\d+)", line):
                    nodes[node] = nodes.get(node, 0) + int(pages)
        asked = self.wish.get("node")
        elsewhere = asked is not None and set(nodes) != {str(asked)}
        if sum(nodes.values()) < self.pages or elsewhere:
            raise ProofError(f"QEMU has these pages of {self.wish['size']} by NUMA node: {nodes or 'none'}, and not "
                             f"{self.pages}" + ("" if asked is None else f" of node {asked}"))
        on = ", ".join(f"{pages} of node {node}" for node, pages in sorted(nodes.items()))
        return {"size": self.wish["size"], "pages": nodes, "seen_inside_kib": answer["memory_kib"],
                "text": f"memory in pages of {self.wish['size']}: {on}"}


class Nic(Extra):
    """A NIC on a bridge of the host, in a VLAN where the bridge filters by VLAN; it reaches a peer where one is named."""

    name = "network"
    modules = {"kvm": ("virtio_pci", "virtio_net"), "xen": ("xen-netfront",)}

    def prepare(self, guest: t.Any) -> None:
        bridge = SYS / "class/net" / self.wish.get("bridge", "") / "bridge"
        if not bridge.is_dir():
            raise ProofError(f"network.bridge is {self.wish.get('bridge')!r}, which is not a bridge of this host")
        if self.wish.get("vlan") and read(bridge / "vlan_filtering") != "1":
            raise ProofError(f"the bridge {self.wish['bridge']} does not filter by VLAN: a port of VLAN {self.wish['vlan']} "
                             "cannot be. Name a bridge that is on the VLAN, and leave vlan out")
        if self.wish.get("peer") and not self.wish.get("address"):
            raise ProofError("a guest without an address cannot reach a peer. Set address to one with prefix length")
        self.mac = "52:54:00:" + ":".join(re.findall("..", guest.uuid.replace("-", "")[:6]))
        if self.config["hypervisor"] == "kvm":
            self.undo(guest)
            port = guest.ports()[0]
            ask(["ip", "tuntap", "add", "dev", port, "mode", "tap"])
            ask(["ip", "link", "set", "dev", port, "master", self.wish["bridge"], "up"])
            self.tag(port)

    def tag(self, port: str) -> None:
        """Have frames of the port in its VLAN, and in no other."""
        if self.wish.get("vlan"):
            default = read(SYS / "class/net" / self.wish["bridge"] / "bridge/default_pvid")
            if default not in ("", "0", str(self.wish["vlan"])):
                ask(["bridge", "vlan", "del", "dev", port, "vid", default])
            ask(["bridge", "vlan", "add", "dev", port, "vid", str(self.wish["vlan"]), "pvid", "untagged"])

    def words(self) -> list[str]:
        return [f"proof.{name}={value}" for name, value in (
            ("mac", self.mac), ("address", self.wish.get("address")), ("peer", self.wish.get("peer"))) if value]

    def xen(self, guest: t.Any) -> Config:
        return {"vif": [f"mac={self.mac},bridge={self.wish['bridge']}"]}

    def kvm(self, guest: t.Any) -> list[str]:
        return ["-netdev", f"tap,id=nic,ifname={guest.ports()[0]},script=no,downscript=no",
                "-device", f"virtio-net-pci,netdev=nic,mac={self.mac},romfile="]

    def started(self, guest: t.Any) -> None:
        if self.config["hypervisor"] == "xen":
            self.tag(guest.ports()[0])

    def observe(self, guest: t.Any, answer: Config) -> Config:
        port, inside = guest.ports()[0], answer.get("nic") or {}
        folder = SYS / "class/net" / port
        master = os.path.basename(os.path.realpath(folder / "master"))
        vlans = [entry["vlan"] for link in json.loads(ask(["bridge", "-json", "vlan", "show", "dev", port]) or "[]")
                 for entry in link.get("vlans", [])]
        wrong = []
        if master != self.wish["bridge"]:
            wrong.append(f"its port {port} is on {master} and not on {self.wish['bridge']}")
        if self.wish.get("vlan") and vlans != [self.wish["vlan"]]:
            wrong.append(f"its port {port} is in the VLANs {vlans} and not in {self.wish['vlan']}")
        if str(inside.get("mac")).lower() != self.mac:
            wrong.append(f"the guest sees no NIC {self.mac}")
        if self.wish.get("peer") and not inside.get("replies"):
            wrong.append(f"the guest has no reply from {self.wish['peer']}")
        if wrong:
            raise ProofError("; ".join(wrong))
        replies = f", {inside['replies']} of {inside['sent']} replies from {self.wish['peer']}" if self.wish.get("peer") else ""
        return {"bridge": master, "port": port, "mac": self.mac, "vlans": vlans, "learned": self.learned(port),
                "frames_from_guest": int(read(folder / "statistics/rx_packets") or 0), "seen_inside": inside,
                "text": f"NIC on {master}{replies}"}

    def learned(self, port: str) -> bool:
        """Whether the bridge has seen the guest's address behind its port."""
        for _attempt in range(3):
            entries = json.loads(ask(["bridge", "-json", "fdb", "show", "dev", port]) or "[]")
            if any(entry.get("mac") == self.mac for entry in entries):
                return True
            time.sleep(0.3)
        return False

    def undo(self, guest: t.Any) -> None:
        if self.config["hypervisor"] == "kvm" and (SYS / "class/net" / guest.ports()[0]).exists():
            with contextlib.suppress(ProofError):
                ask(["ip", "link", "del", "dev", guest.ports()[0]])


EXTRAS: dict[str, type[Extra]] = {kind.name: kind for kind in (Pinning, HugePages, Nic)}
