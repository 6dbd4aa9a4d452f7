# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks of one booted KVM host that are a guest's on another, over iSCSI with CHAP and NVMe/TCP, by two networks."""

from __future__ import annotations

import base64
import hashlib
import time
import zlib

import yaml
from systems import SUITE

from labs import GUARD
from sites import PAUSE

SECRET = "example-secret"
SECRETS = {"username": "host3", "password": f"{SECRET}-1", "mutual_username": "store1", "mutual_password": f"{SECRET}-2"}
KERNELS_WITHOUT_KEYS = ("", "bookworm")
"""Suites whose kernels are built without NVMe's DH-HMAC-CHAP."""

NETWORK = "/etc/systemd/network/60-typeone-test.network"
DEVICES = ("/dev/disk/by-id/dm-uuid-mpath-360014055751ccdb59105aa1abad115f6",
           "/dev/disk/by-id/nvme-uuid.c2739c6a-fe0a-5902-bcd0-ed74ebc5ecb9")
LIVE = ["LOGGED_IN", "LOGGED_IN", "live", "live"]


def digest(path: str) -> str:
    """Of the first MiB of a disk once a guest has filled it with a pattern."""
    line = f"typeone-proof outlives {path[-4:]}\n".encode()
    return hashlib.sha256((line * (2**20 // len(line) + 1))[: 2**20]).hexdigest()


def key(text: str) -> str:
    """A key of NVMe's DH-HMAC-CHAP in its secret representation (NVM Express Base 2.0, 8.13.5.8): 32 bytes, not transformed."""
    secret = hashlib.sha256(text.encode()).digest()
    return f"DHHC-1:00:{base64.b64encode(secret + zlib.crc32(secret).to_bytes(4, 'little')).decode()}:"


KEYS = {} if SUITE in KERNELS_WITHOUT_KEYS else {"key": key(f"{SECRET}-3"), "controller_key": key(f"{SECRET}-4")}
UNTOLD = (SECRET, *KEYS.values())


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
        roles = (("iscsi", "iqn", 0, SECRETS), ("nvmeof", "nqn", 1, KEYS))
        store, host = {}, {}
        for role, kind, number, secrets in roles:
            target, both = name(kind, "store1"), {"state": state, "portals": self.portals}
            store[f"storage_{role}_targets"] = [{
                "name": target, **both, "initiators": [{"name": name(kind, "host3"), **secrets}],
                "disks": [{"number": number, "file": f"/var/lib/typeone-test/{role}", "size": "64M"}]}]
            host[f"storage_{role}_connections"] = [{"name": target, **both, "disks": [{"number": number, "size": "64M"}], **secrets}]
            host[f"storage_{role}_initiator_name"] = name(kind, "host3")
        return {self.store.name: store, self.host.name: host}

    def play(self, *flags: str, state: str = "present", guest: str = ""):
        """Run both roles on both hosts; then a guest on the disks, one that is to write them or to read what was written."""
        order = [self.store.name, self.host.name] if state == "present" else [self.host.name, self.store.name]
        roles = ["typeone.metal.storage_iscsi", "typeone.metal.storage_nvmeof"]
        asked = self.asked(state)
        plays = [{"hosts": host, "gather_facts": False, "vars": asked[host], "roles": roles} for host in order]
        if guest:
            disks = [{"path": path, "pattern": f"outlives {path[-4:]}", "write": guest == "writes"} for path in DEVICES]
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

    @property
    def written(self) -> list[str]:
        """What read returns once a guest has written."""
        return [digest(path) for path in DEVICES]
