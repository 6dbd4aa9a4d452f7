# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks of a server of a lab, right ones and wrong ones, and what is checked of several of them."""

from __future__ import annotations

import contextlib

from watched_host import GUARD, PATIENCE, PINGS, WINDOW, Host

# Models. The management address is on what stands on the bond of the two cards of its network. -----------------------------------

BOND = {"name": "bond0", "members": ["left", "right"]}
OTHER = "203.0.113.99"


def addressed(host: Host, link: str, via: str = "192.0.2.1") -> list[dict]:
    """The management address on a link."""
    return [{"interface": link, "addresses": [f"{host.address}/24"], "routes": [{"to": "default", "via": via}]}]


def flat(host: Host) -> dict:
    """As it was: the address on the first card."""
    return {"network_ip": addressed(host, "left")}


def right(host: Host, **given) -> dict:
    """A bond with a bridge on it."""
    return {"network_bonds": [BOND], "network_bridges": [{"name": "br0", "members": ["bond0"]}], "network_ip": addressed(host, "br0"), **given}


def tagged(host: Host, tag: int = 999) -> dict:
    """On a VLAN of the bond: nobody answers there."""
    return {"network_bonds": [BOND], "network_vlans": [{"name": "mgmt", "id": tag, "link": "bond0"}], "network_ip": addressed(host, "mgmt")}


def openvswitch(host: Host, link: str = "br0") -> dict:
    """The bond in a bridge of Open vSwitch, named as the kernel's was, which has the address itself or by one of its VLANs."""
    return {"network_bonds": [BOND], "network_bridges": [{"name": "br0", "members": ["bond0"], "openvswitch": True}],
            "network_vlans": [{"name": "mgmt", "id": 999, "link": "br0"}] if link == "mgmt" else [], "network_ip": addressed(host, link)}


WRONG = {
    "wrong VLAN": tagged,
    "a peer that speaks no LACP, where two links have to": lambda host: right(
        host, network_bonds=[{**BOND, "mode": "802.3ad", "options": {"min_links": 2, "lacp_rate": "fast"}}]),
    "a bond whose only peer is dead": lambda host: right(host, network_bonds=[{**BOND, "members": ["spare"]}]),
    "wrong gateway": lambda host: right(host, network_ip=addressed(host, "br0", via="192.0.2.9")),
    "an MTU that the network does not carry": lambda host: right(
        host, network_bonds=[{**BOND, "mtu": 9000}], network_bridges=[{"name": "br0", "members": ["bond0"], "mtu": 9000}]),
    "an address that another host on the VLAN has": lambda host: right(
        host, network_vlans=[{"name": "v30", "id": 30, "link": "br0"}],
        network_ip=[*addressed(host, "br0"), {"interface": "v30", "addresses": [f"{OTHER}/24"]}]),
    "a wrong VLAN of Open vSwitch": lambda host: openvswitch(host, "mgmt"),
}


TRAFFIC = {
    "the kernel": lambda host: right(
        host, network_bonds=[BOND, {"name": "bond1", "members": ["spare", "fourth"]}],
        network_vlans=[{"name": "v31", "id": 31, "link": "bond1"}],
        network_ip=[*addressed(host, "br0"), {"interface": "v31", "addresses": ["203.0.113.31/24"]}]),
    "Open vSwitch": lambda host: right(
        host, network_bonds=[BOND, {"name": "bond1", "members": ["spare", "fourth"], "openvswitch": True}],
        network_bridges=[{"name": "br0", "members": ["bond0"]}, {"name": "ovs1", "members": ["bond1"], "openvswitch": True}],
        network_vlans=[{"name": "v31", "id": 31, "link": "ovs1"}],
        network_ip=[*addressed(host, "br0"), {"interface": "v31", "addresses": ["203.0.113.31/24"]}]),
}


@contextlib.contextmanager
def world(host: Host, what: str):
    """What has to be around a server for a mistake to be one."""
    with contextlib.ExitStack() as stack:
        if what == "wrong gateway":
            stack.enter_context(host.controller_behind("prov"))
        if what.endswith("peer is dead"):
            stack.enter_context(host.dead("spare"))
        if what.startswith("an MTU"):
            stack.enter_context(host.large_frames("prov"))
        if what.startswith("an address"):
            stack.enter_context(host.neighbour("prov", 30, OTHER))
        yield


# What is checked of several of them. ------------------------------------------------------------------------------------------


def check_wrong(bonded: Host, what: str) -> None:
    """The host is reached as before, and the run says so."""
    with world(bonded, what):
        done = bonded.watched(what, {**WRONG[what](bonded), "network_confirm_within": WINDOW})
    assert done.status == 2 and "has put its previous network back" in done.output, done.output
    assert bonded.addresses() == {"br0": [f"{bonded.address}/24"]}


def check_traffic(bonded: Host, what: str) -> None:
    """Captured on the cables. Pings that are lost when the active member is taken down are counted and told."""
    wanted = {**TRAFFIC[what](bonded), "network_confirm_within": PATIENCE}
    done, _told = bonded.change(wanted)
    assert done.status == 0, done.output
    with bonded.neighbour("tenant", 31, "203.0.113.1"):
        with bonded.capture("spare", "fourth") as frames:
            assert " 0% packet loss" in bonded.node.shell("ping -c 5 -i 0.5 -W 3 203.0.113.1")
        active = max(frames, key=lambda name: len(frames[name]))
        mine = {name: [line for line in lines if "echo request" in line] for name, lines in frames.items()}
        assert len(mine[active]) == 5 and all("vlan 31," in line for line in mine[active]), frames
        assert not [line for name in mine if name != active for line in mine[name]], frames
        lost = bonded.pings_lost_without(active, "203.0.113.1")
        bonded.node.site.tell(f"== {what}: {lost} of {PINGS} pings, one each 0.2 s, were lost when the active member was taken down")
        assert lost < PINGS // 2


def check_lacp(bonded: Host) -> None:
    """Both cards come into one aggregate with the switch, and one of them may fail."""
    with bonded.lacp("left", "right"):
        bond = {**BOND, "mode": "802.3ad", "options": {"lacp_rate": "fast"}}
        done = bonded.watched("802.3ad with a peer that speaks LACP", right(bonded, network_bonds=[bond], network_confirm_within=PATIENCE))
        assert done.status == 0, done.output
        bonded.wait(lambda: "Number of ports: 2" in bonded.node.shell("cat /proc/net/bonding/bond0"), "two ports in the aggregate", PATIENCE)
        assert "Partner Mac Address: 52:54:00:aa:bb:ff" in bonded.node.shell("cat /proc/net/bonding/bond0")
        lost = bonded.pings_lost_without("left", "192.0.2.1")
        bonded.node.site.tell(f"== LACP: {lost} of {PINGS} pings, one each 0.2 s, were lost when a member was taken down")
        assert lost < PINGS // 2
        done, _told = bonded.change(right(bonded, network_confirm_within=PATIENCE))
        assert done.status == 0, done.output


def check_guest(bonded: Host) -> None:
    """A guest's NIC on a bridge on a VLAN of a bond: its pings are answered, and leave with the tag."""
    wanted = right(bonded, network_bonds=[BOND, {"name": "bond1", "members": ["spare", "fourth"]}],
                   network_vlans=[{"name": "v31", "id": 31, "link": "bond1"}],
                   network_bridges=[{"name": "br0", "members": ["bond0"]}, {"name": "guests", "members": ["v31"]}])
    done, _told = bonded.change({**wanted, "network_confirm_within": PATIENCE})
    assert done.status == 0, done.output
    proof = {"guest_proof_hypervisor": "kvm", "guest_proof_again": True, "guest_proof_rounds": 2, "guest_proof_memory_mib": 128,
             "guest_proof_timeout": GUARD, "guest_proof_network": {"bridge": "guests", "address": "203.0.113.41/24", "peer": "203.0.113.1"}}
    with bonded.neighbour("tenant", 31, "203.0.113.1"), bonded.capture("spare", "fourth") as frames:
        done = bonded.node.play("guest_proof", proof)
    assert done.status == 0, done.output
    asked = {name: [line for line in lines if "203.0.113.41 > 203.0.113.1: ICMP echo request" in line] for name, lines in frames.items()}
    sent = [line for lines in asked.values() for line in lines]
    assert sent and all("vlan 31," in line for line in sent) and sent in asked.values(), frames
