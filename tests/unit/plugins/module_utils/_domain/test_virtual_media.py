# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which slot an image goes to, and what a slot proves."""

from __future__ import annotations

import pytest

from ansible_collections.typeone.metal.plugins.module_utils._domain.virtual_media import (
    MediaType, candidates, emptied, filled, holds, may_hold, media_of, protection_differs, to_eject,
)

URL = "https://192.0.2.1/images/a.iso"


def slot(name, *types, **more):
    """Return a slot that is empty unless told otherwise."""
    return {"slot": name, "id": name, "name": f"Virtual {name}", "path": f"/redfish/v1/Managers/1/VirtualMedia/{name}",
            "media_types": list(types), "inserted": False, "image_url": None, "image_name": None, "connected_via": None,
            "write_protected": None, **more}


@pytest.mark.parametrize(("slots", "media", "expected"), [
    ([slot("1", "floppy", "usb"), slot("2", "cd", "dvd")], MediaType.CD, ["2"]),
    ([slot("1", "floppy", "usb"), slot("2", "usb")], MediaType.USB, ["2", "1"]),
    ([slot("1", "dvd"), slot("2", "cd")], MediaType.CD, ["2", "1"]),
    ([slot("1", "cd", inserted=True, connected_via="applet"), slot("2", "dvd")], MediaType.CD, ["2", "1"]),
    ([slot("1", "cd", inserted=True, connected_via="uri"), slot("2", "cd")], MediaType.CD, ["1", "2"]),
    ([slot("Floppy"), slot("CD1")], MediaType.CD, ["CD1", "Floppy"]),
    ([slot("1", "usb")], MediaType.CD, []),
])
def test_candidates(slots, media, expected):
    """The best first, whatever is inserted; what cannot take it is left out."""
    assert [entry["slot"] for entry in candidates(slots, media)] == expected


@pytest.mark.parametrize("wanted", ["cd1", "Virtual CD1", "/redfish/v1/Managers/1/VirtualMedia/CD1/"])
def test_a_slot_by_any_of_its_names(wanted):
    """Case and slashes do not matter."""
    assert [entry["slot"] for entry in candidates([slot("CD1", "cd"), slot("CD2", "cd")], MediaType.CD, wanted)] == ["CD1"]


@pytest.mark.parametrize(("told", "certain", "possible"), [
    ({"image_url": URL}, True, True), ({"image_url": "192.0.2.1/images/a.iso"}, True, True), ({"image_url": "a.iso"}, True, True),
    ({"image_name": "a.iso"}, True, True), ({}, False, True), ({"image_url": "https://192.0.2.1/images/A.iso"}, False, False),
    ({"image_name": "b.iso"}, False, False), ({"image_url": URL, "inserted": False}, False, False)])
def test_what_a_slot_says(told, certain, possible):
    """A slot that says nothing is no proof of an image, but may be of an insertion."""
    entry = slot("CD1", "cd", **{"inserted": True, **told})
    assert (holds(entry, URL), may_hold(entry, URL)) == (certain, possible)


def test_eject():
    """All criteria hold; a person's image is ejected by its slot's name alone."""
    slots = [slot("1", "cd", inserted=True, image_url=URL, connected_via="uri"), slot("2", "usb", inserted=True, connected_via="uri"),
             slot("3", "cd", inserted=True, connected_via="applet"), slot("4", "cd")]

    def names(**criteria):
        return [entry["slot"] for entry in to_eject(slots, **{"slot": None, "image_url": None, "media": None, **criteria})]

    assert names() == ["1", "2"] and names(media=MediaType.USB) == ["2"] and names(image_url=URL) == ["1"] and names(slot="3") == ["3"]


def test_before_and_after():
    """An emptied slot tells nothing of its image; a filled one all of it."""
    full = filled(slot("1", "cd"), URL, write_protected=True)
    assert holds(full, URL) and full["image_name"] == "a.iso" and full["connected_via"] == "uri"
    assert not emptied(full)["inserted"] and emptied(full)["image_url"] is None


def test_kinds():
    """Raw images are sticks; only sticks and floppies may be written to."""
    assert media_of(URL) is MediaType.CD and media_of("http://x/disk.IMG?token=1") is MediaType.USB
    assert protection_differs(slot("1", write_protected=True), MediaType.USB, False)
    assert not protection_differs(slot("1", write_protected=True), MediaType.CD, False)
    assert not protection_differs(slot("1"), MediaType.USB, False)
