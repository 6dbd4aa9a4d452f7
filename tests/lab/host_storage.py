# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks of one booted KVM host are a guest's on another, over iSCSI and NVMe/TCP and two networks; what the guest wrote outlives both.

The hosts are reset by their BMCs, at the same moment: nothing is shut down, and the initiator boots before it has a target.
"""

from __future__ import annotations

import hashlib
import json
import time

import pytest
import yaml

from labs import GUARD
from sites import PAUSE

pytestmark = pytest.mark.timeout(2400)

SECRET = "example-secret"
SECRETS = {"username": "host3", "password": f"{SECRET}-1", "mutual_username": "store1", "mutual_password": f"{SECRET}-2"}
NETWORK = "/etc/systemd/network/60-typeone-test.network"
DEVICES = ("/dev/disk/by-id/dm-uuid-mpath-360014055751ccdb59105aa1abad115f6",
           "/dev/disk/by-id/nvme-uuid.c2739c6a-fe0a-5902-bcd0-ed74ebc5ecb9")


def pattern(path: str) -> bytes:
    """What a guest fills the first MiB of a disk with."""
    line = f"typeone-proof outlives {path[-4:]}\n".encode()
    return (line * (2**20 // len(line) + 1))[: 2**20]


def name(kind: str, host: str) -> str:
    """The name of a target or initiator."""
    return f"{kind}.2026-01.com.example:{host}"


class Storage:
    """Two hosts, what each is asked for, and the one playbook of somebody who uses the roles."""

    def __init__(self, store, host) -> None:
        self.store, self.host, self.site = store, host, store.site
        self.portals = [{"address": store.described["address"]}, {"address": "203.0.113.12"}]

    def asked(self, state: str) -> dict:
        """The variables of both hosts."""
        roles = (("iscsi", "iqn", 0, SECRETS), ("nvmeof", "nqn", 1, {}))
        store, host = {}, {}
        for role, kind, number, secrets in roles:
            target, both = name(kind, "store1"), {"state": state, "portals": self.portals}
            store[f"storage_{role}_targets"] = [{
                "name": target, **both, "initiators": [{"name": name(kind, "host3"), **secrets}],
                "disks": [{"number": number, "file": f"/var/lib/typeone-test/{role}", "size": "64M"}]}]
            host[f"storage_{role}_connections"] = [{"name": target, **both, "disks": [{"number": number, "size": "64M"}], **secrets}]
            host[f"storage_{role}_initiator_name"] = name(kind, "host3")
        return {self.store.name: store, self.host.name: host}

    def play(self, *flags: str, state: str = "present", guest: bool = False):
        """Run both roles on both hosts, then a guest that writes on the disks."""
        order = [self.store.name, self.host.name] if state == "present" else [self.host.name, self.store.name]
        roles = ["typeone.metal.storage_iscsi", "typeone.metal.storage_nvmeof"]
        asked = self.asked(state)
        plays = [{"hosts": host, "gather_facts": False, "vars": asked[host], "roles": roles} for host in order]
        if guest:
            disks = [{"path": path, "pattern": f"outlives {path[-4:]}", "write": True} for path in DEVICES]
            plays.append({"hosts": self.host.name, "gather_facts": False, "roles": ["typeone.metal.guest_proof"], "vars": {
                "guest_proof_hypervisor": "kvm", "guest_proof_again": True, "guest_proof_rounds": 2, "guest_proof_memory_mib": 128,
                "guest_proof_timeout": GUARD, "guest_proof_disks": disks}})
        playbook = self.site.folder / "storage.yml"
        playbook.write_text(yaml.safe_dump(plays, sort_keys=False))
        return self.site.run(playbook, *flags)

    def connect_second_network(self) -> None:
        """An address on the second card of each host, that outlives a reboot."""
        for node, number in ((self.store, 12), (self.host, 13)):
            mac = node.described["nics"][1]["mac"]
            text = f"[Match]\\nMACAddress={mac}\\nType=ether\\n[Network]\\nAddress=203.0.113.{number}/24\\n[Link]\\nRequiredForOnline=no\\n"
            node.shell(f"printf '{text}' >{NETWORK} && networkctl reload")
            node.shell(f"timeout 120 sh -c 'until ip -o address show to 203.0.113.{number} | grep -q .; do sleep 1; done'")

    def states(self) -> list[str]:
        """States of the four paths, as the initiator's kernel says them."""
        told = self.host.answer("cat /sys/class/iscsi_session/*/state /sys/class/nvme/nvme*/state")
        return sorted((told or "").split())

    def wait_for_paths(self, *wanted: str) -> float:
        """Wait until the paths are so; returns the seconds it took."""
        start = time.monotonic()
        while self.states() != sorted(wanted):
            assert time.monotonic() < start + GUARD, self.states()
            time.sleep(PAUSE)
        return time.monotonic() - start

    def read(self) -> list[str]:
        """A digest of the first MiB of each disk, read from the disk."""
        command = " && ".join(f"timeout 200 dd if={path} bs=1M count=1 iflag=direct status=none | sha256sum" for path in DEVICES)
        return [line.split()[0] for line in self.host.shell(command).splitlines()]


@pytest.fixture(name="storage")
def _storage(kvm_hosts):
    """The first and the last KVM host; nothing of this is left on them."""
    found = Storage(kvm_hosts[0], kvm_hosts[-1])
    found.connect_second_network()
    yield found
    done = found.play(state="absent")
    for node in (found.store, found.host):
        node.shell(f"rm -rf {NETWORK} /var/lib/typeone-test && networkctl reload")
    assert done.status == 0, done.output


def test_what_a_guest_wrote_outlives_target_and_initiator(storage):
    """Over both protocols, with CHAP on iSCSI, two paths each; the second run, after the reboot, changes nothing."""
    dry = storage.play("--check", "--diff", "--limit", storage.store.name)
    assert dry.status == 0 and dry.changed == 2 and "(a secret)" in dry.output, dry.output
    assert storage.store.shell("find /var/lib/typeone-test /etc/typeone -name '*.steps' -o -name nvmeof 2>/dev/null; true") == ""
    assert SECRET not in dry.output
    start = time.monotonic()
    done = storage.play(guest=True)
    assert done.status == 0 and done.changed == 5, done.output
    assert SECRET not in done.output
    storage.site.tell(f"exported, connected and written by a guest in {time.monotonic() - start:.0f} s")
    live = ("LOGGED_IN", "LOGGED_IN", "live", "live")
    assert storage.states() == list(live)
    written = storage.read()
    assert written == [hashlib.sha256(pattern(path)).hexdigest() for path in DEVICES]

    # One of two paths is enough.
    link = next(link["ifname"] for link in json.loads(storage.store.shell("ip -j address show to 203.0.113.12")) if link)
    storage.store.shell(f"ip link set {link} down")
    assert storage.read() == written
    storage.store.shell(f"ip link set {link} up")

    before = [(node, node.boot_id) for node in (storage.store, storage.host)]
    start = time.monotonic()
    for node, _boot in before:
        node.reset("ForceRestart")
    for node, boot in before:
        node.wait_for_boot(boot)
    logins = time.monotonic() - start
    storage.wait_for_paths(*live)
    storage.site.tell(f"both hosts reset: logins after {logins:.0f} s, all four paths after {time.monotonic() - start:.0f} s")
    assert storage.read() == written
    again = storage.play()
    assert again.status == 0 and again.changed == 0, again.output
