# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way from what a tree of the kernel's objects holds to what it should hold."""

from __future__ import annotations

import pytest
from ansible_collections.typeone.metal.plugins.module_utils._domain import iscsi_target, nvme_target
from ansible_collections.typeone.metal.plugins.module_utils._domain.configfs import (
    Entry,
    Kind,
    Step,
    Verb,
    group,
    link,
    listing,
    plan,
    value,
)
from ansible_collections.typeone.metal.plugins.module_utils._domain.storage import ISCSI, NVME, parse_target

WANTED = [
    group("store"), value("store/control", "file=/a", once=True), value("store/path", "/a", fixed=True), value("store/on", 1),
    group("lun"), link("lun/store", "store"), value("lun/secret", "s3cret", secret=True, blank="NULL"),
    group("acl"), link("acl/lun", "lun"),
]


def taken(steps: list[Step], found: dict | None = None) -> dict:
    """What is there once the steps were taken, as the kernel takes them: in their order, and nothing twice."""
    there = dict(found or {})
    for step in steps:
        if step.verb in (Verb.REMOVE, Verb.UNLINK):
            below = [path for path in there if path.startswith(f"{step.path}/") and there[path][0] is not Kind.VALUE]
            pointing = [path for path, (kind, text) in there.items() if kind is Kind.LINK and text == step.path]
            assert step.path in there and not below and not pointing, step
            there = {path: entry for path, entry in there.items() if path != step.path and not path.startswith(f"{step.path}/")}
        elif step.verb is Verb.INIT:
            continue
        else:
            kind = {Verb.MAKE: Kind.GROUP, Verb.LINK: Kind.LINK, Verb.WRITE: Kind.VALUE}[step.verb]
            assert kind is Kind.VALUE or step.path not in there, step
            assert kind is not Kind.LINK or step.text in there, step
            there[step.path] = (kind, step.text)
    return there


def test_all_is_made_in_order_and_then_nothing_is_left_to_do():
    """Attributes that read back as something else are written once, with their object."""
    steps = plan(WANTED, {})
    assert [step.verb.value for step in steps] == ["make", "init", "write", "write", "make", "link", "write", "make", "link"]
    assert not plan(WANTED, taken(steps))


def test_what_is_not_wanted_goes_links_first():
    """Nothing is left of a target that is absent."""
    steps = plan([], taken(plan(WANTED, {})))
    assert [(step.verb.value, step.path) for step in steps] == [
        ("unlink", "acl/lun"), ("remove", "acl"), ("unlink", "lun/store"), ("remove", "lun"), ("remove", "store")]


def test_an_object_that_cannot_change_is_made_anew_with_all_that_hangs_on_it():
    """What points at it, and what points at that, is taken away before and made again."""
    found = {**taken(plan(WANTED, {})), "store/path": (Kind.VALUE, "/b")}
    steps = plan(WANTED, found)
    assert [step.path for step in steps if step.verb is Verb.REMOVE] == ["acl", "lun", "store"]
    assert Step(Verb.INIT, "store/control", "file=/a") in steps
    after = taken(steps, found)
    assert after["store/path"] == (Kind.VALUE, "/a") and not plan(WANTED, after)


@pytest.mark.parametrize(("current", "wanted", "written"), [
    ("NULL", "", None), ("", "", None), ("old", "", "NULL"), ("old", "new", "new"), ("new", "new", None)])
def test_an_empty_value_is_written_as_the_kernel_wants_it(current, wanted, written):
    """LIO is told NULL, and says NULL or nothing."""
    entries = [group("a"), value("a/secret", wanted, secret=True, blank="NULL")]
    steps = plan(entries, {"a": (Kind.GROUP, ""), "a/secret": (Kind.VALUE, current)})
    assert [step.text for step in steps] == ([] if written is None else [written])


def test_a_diff_tells_secrets_apart_and_shows_none():
    """Another secret is another line."""
    for current, shown in (("s3cret", "(a secret)"), ("0ther", "(another secret)")):
        before, after = listing(WANTED, {"lun/secret": (Kind.VALUE, current)})
        assert f"lun/secret: {shown}" in before and "lun/secret: (a secret)" in after
        assert "s3cret" not in before + after and "0ther" not in before


def target(protocol, number: int, **given):
    """A target of the option targets."""
    kind = "iqn" if protocol is ISCSI else "nqn"
    disk = {"number": number, "file": "/var/store", "size": "1M"}
    return parse_target({"name": f"{kind}.2026-01.com.example:store1", "portals": [{"address": "192.0.2.12"}, {"address": "2001:db8::1"}],
                         "disks": [disk], "initiators": [{"name": f"{kind}.2026-01.com.example:host3"}], **given}, protocol)


@pytest.mark.parametrize("entries", [
    iscsi_target.entries(target(ISCSI, 0)), nvme_target.entries(
        target(NVME, 1), nvme_target.port_numbers(target(NVME, 1).portals, {}))], ids=["iscsi", "nvme"])
def test_a_target_can_be_made_and_taken_away(entries: list[Entry]):
    """Links have what they point at before them, and go before it."""
    made = taken(plan(entries, {}))
    assert not plan(entries, made) and not [path for path, entry in taken(plan([], made), made).items() if entry[0] is not Kind.VALUE]


def test_portals_have_the_numbers_that_they_have_already():
    """A port that listens there is taken; no number is taken twice."""
    first, second = target(NVME, 1).portals
    assert nvme_target.port_numbers((first, second), {first: 7})[first] == 7
    own = nvme_target.port_numbers((first,), {})[first]
    assert nvme_target.port_numbers((first,), {second: own})[first] != own


def test_a_disk_is_known_by_the_same_identifier_for_ever():
    """It comes from the target's name and the disk's number alone."""
    assert iscsi_target.wwn(target(ISCSI, 0), 0) == "60014055751ccdb59105aa1abad115f6"
    assert nvme_target.wwn(target(NVME, 1), 1) == "uuid.c2739c6a-fe0a-5902-bcd0-ed74ebc5ecb9"
