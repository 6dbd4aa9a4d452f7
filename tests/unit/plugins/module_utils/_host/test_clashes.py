# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Addresses that others have: what is asked, who counts as another, where and when it is asked for."""

from __future__ import annotations

import pytest
from ansible_collections.typeone.metal.plugins.module_utils._domain.network_model import parse_model
from ansible_collections.typeone.metal.plugins.module_utils._domain.network_state import Seen
from ansible_collections.typeone.metal.plugins.module_utils._host import clashes as module

MINE, OTHER = bytes.fromhex("525400000001"), bytes.fromhex("525400000099")
# An answer as a capture shows it: to MINE from OTHER, which has 192.0.2.99.
ANSWER = bytes.fromhex("525400000001 525400000099 0806 0001 0800 06 04 0002"
                       + " 525400000099 c0000263 525400000001 00000000") + bytes(18)


def test_the_question_is_that_of_the_standard():
    """To all, from nobody's address (RFC 5227, section 2.1.1)."""
    assert module.probe(MINE, "192.0.2.99") == bytes.fromhex(
        "ffffffffffff 525400000001 0806 0001 0800 06 04 0001 525400000001 00000000 000000000000 c0000263")


@pytest.mark.parametrize(("frame", "address", "found"), [
    (ANSWER, "192.0.2.99", "52:54:00:00:00:99"),
    (ANSWER, "192.0.2.98", None),
    (ANSWER.replace(OTHER, MINE), "192.0.2.99", None),
    (ANSWER[:40], "192.0.2.99", None),
    (ANSWER.replace(b"\x08\x00", b"\x86\xdd"), "192.0.2.99", None),
])
def test_another_is_who_answers_and_is_not_this_host(frame, address, found):
    """Another card of this host in the same network answers too."""
    assert module.owner(frame, address, {MINE}) == found


MODEL = {
    "interfaces": [{"name": "x", "mac": "52:54:00:00:00:01"}, {"name": "y", "mac": "52:54:00:00:00:02"}],
    "bonds": [{"name": "bond0", "members": ["x", "y"]}],
    "vlans": [{"name": "v30", "id": 30, "link": "bond0"}],
    "ip": [{"interface": "bond0", "addresses": ["192.0.2.10/24", "192.0.2.11/24", "2001:db8::1/64"]},
           {"interface": "v30", "addresses": ["198.51.100.10/24"]}],
}


def link(name: str, *addresses: str, **given) -> dict:
    """A link as `ip -j -d address` lists it."""
    entries = [{"local": text.split("/")[0], "prefixlen": int(text.split("/")[1])} for text in addresses]
    return {"ifname": name, "link_type": "ether", "address": MINE.hex(":"), "flags": ["UP"], "addr_info": entries, **given}


@pytest.fixture(name="asked")
def _asked(monkeypatch):
    """The questions; somebody has every address but 192.0.2.10."""
    found = []

    def ask(on, address, _seen):
        found.append((on, address))
        return None if address == "192.0.2.10" else OTHER.hex(":")
    monkeypatch.setattr(module, "ask", ask)
    return found


@pytest.mark.parametrize(("links", "ports", "places"), [
    ((link("x", "192.0.2.10/24"), link("y")), {}, ["x", "y"]),
    ((link("x"), link("y"), link("br9", "192.0.2.10/24")), {"br9": ["x"]}, ["br9", "y"]),
    ((link("x", "192.0.2.10/24"), link("y", master="b9"), link("b9", master="br9"), link("br9")), {}, ["br9", "x"]),
    ((link("x", "192.0.2.10/24"), link("y", flags=["UP", "NO-CARRIER"])), {}, ["x"]),
])
def test_before_the_change_new_addresses_are_asked_for_on_what_has_the_cards(asked, links, ports, places):
    """None that this host has already, none of a VLAN that is not there, none where nobody can hear."""
    model, seen = parse_model(MODEL), Seen({entry["ifname"]: entry for entry in links}, ovs_ports=ports)
    assert module.clashes(model, seen, applied=False) == [
        f"the address 192.0.2.11 is taken: 52:54:00:00:00:99 answers for it on {place}" for place in places]
    assert {address for _on, address in asked} == {"192.0.2.11"}


def test_after_the_change_all_addresses_are_asked_for_where_they_are(asked):
    """That on a VLAN too. The kernel's own finding about IPv6 is told."""
    bond = link("bond0", "192.0.2.10/24")
    bond["addr_info"].append({"local": "2001:db8::1", "prefixlen": 64, "dadfailed": True})
    seen = Seen({"bond0": bond, "v30": link("v30", "198.51.100.10/24")})
    assert module.clashes(parse_model(MODEL), seen, applied=True) == [
        "the address 2001:db8::1 of bond0 is taken: the kernel found another host that has it",
        "the address 198.51.100.10 is taken: 52:54:00:00:00:99 answers for it on v30"]
    assert asked == [("bond0", "192.0.2.10"), ("v30", "198.51.100.10")]


def test_a_link_that_cannot_be_asked_on_has_no_clash():
    """It went away meanwhile."""
    seen = Seen({"typeone-none": link("typeone-none", "192.0.2.10/24")})
    model = parse_model({"bridges": [{"name": "typeone-none"}], "ip": [{"interface": "typeone-none", "addresses": ["192.0.2.10/24"]}]})
    assert module.clashes(model, seen, applied=True) == []
