# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual media without a protocol's words: kinds of media, which slot to take, what an image in a slot proves."""

from __future__ import annotations

from enum import Enum
from typing import Any, Optional

Json = dict[str, Any]


class MediaType(str, Enum):
    """What a virtual drive pretends to be."""

    CD = "cd"
    DVD = "dvd"
    USB = "usb"
    FLOPPY = "floppy"


# An image for the one kind works in a drive of the other: some BMCs list their virtual CD as DVD only.
_STAND_INS = {MediaType.CD: MediaType.DVD, MediaType.DVD: MediaType.CD}


def _names(slot: Json) -> list[str]:
    names = [slot.get("slot"), slot.get("id"), slot.get("name"), slot.get("path")]
    return [name.strip("/").lower() for name in names if isinstance(name, str) and name]


def is_slot(slot: Json, wanted: str) -> bool:
    """Tell whether a user's name for a slot means this one: its name, id, title or path, ignoring case."""
    return wanted.strip("/").lower() in _names(slot)


def _rank(slot: Json, media: MediaType) -> Optional[int]:
    """Return how well a slot fits, lower is better; ``None`` where it does not."""
    types = slot.get("media_types") or []
    remote = 10 if slot.get("connected_via") == "applet" and slot.get("inserted") else 0
    if media.value in types:
        return remote + (0 if types[0] == media.value else 1)
    stand_in = _STAND_INS.get(media)
    if stand_in is not None and stand_in.value in types:
        return remote + 2
    if types:
        return None
    text = " ".join(_names(slot))
    return remote + (3 if media.value in text or (media is MediaType.DVD and "cd" in text) else 4)


def candidates(slots: list[Json], media: MediaType, slot: Optional[str] = None) -> list[Json]:
    """Return the slots in which an image of that kind may be inserted, best first.

    The order does not depend on what is inserted, so that a second image replaces the first instead of joining it.
    A slot that a person's remote console uses comes last, slots that do not tell their kinds after those that do.
    """
    if slot is not None:
        return [entry for entry in slots if is_slot(entry, slot)]
    ranked = [(_rank(entry, media), index) for index, entry in enumerate(slots)]
    return [slots[index] for rank, index in sorted((rank, index) for rank, index in ranked if rank is not None)]


def _plain(url: str) -> str:
    """Return an image's URL as BMCs repeat it: some without the scheme, some with a slash too many."""
    return url.split("://", 1)[-1].replace("//", "/").strip("/")


def _file(url: str) -> str:
    return _plain(url).rsplit("/", 1)[-1]


def holds(slot: Json, image_url: str) -> bool:
    """Tell whether a slot says that it holds this image: by its URL, else by its file name."""
    if not slot.get("inserted"):
        return False
    shown, name = slot.get("image_url"), slot.get("image_name")
    if shown:
        return _plain(shown) == _plain(image_url) or ("/" not in shown and shown == _file(image_url))
    return bool(name) and name == _file(image_url)


def may_hold(slot: Json, image_url: str) -> bool:
    """Tell whether a slot that was seen empty before holds this image now: some only say that there is one."""
    silent = slot.get("inserted") and not slot.get("image_url") and not slot.get("image_name")
    return bool(silent) or holds(slot, image_url)


def protection_differs(slot: Json, media: MediaType, wanted: bool) -> bool:
    """Tell whether write protection is another than wanted; a CD or DVD is always protected."""
    shown = slot.get("write_protected")
    return media in (MediaType.USB, MediaType.FLOPPY) and shown is not None and shown is not wanted


def media_of(image_url: str) -> MediaType:
    """Return the kind of drive for an image by the ending of its name: raw images are sticks, all others CDs."""
    return MediaType.USB if image_url.lower().rsplit("?", 1)[0].endswith((".img", ".raw", ".usb")) else MediaType.CD


def to_eject(slots: list[Json], *, slot: Optional[str], image_url: Optional[str],
             media: Optional[MediaType]) -> list[Json]:
    """Return the filled slots that all of the criteria mean. Without a slot's name, what a person holds in a remote
    console is left alone."""
    return [entry for entry in slots if entry.get("inserted")
            and (is_slot(entry, slot) if slot else entry.get("connected_via") != "applet")
            and (image_url is None or holds(entry, image_url))
            and (media is None or _rank(entry, media) is not None)]


def emptied(slot: Json) -> Json:
    """Return a slot as it is after an eject."""
    return dict(slot, inserted=False, image_url=None, image_name=None, connected_via="not_connected")


def filled(slot: Json, image_url: str, *, write_protected: bool) -> Json:
    """Return a slot as it is after an insert."""
    return dict(slot, inserted=True, image_url=image_url, image_name=image_url.rstrip("/").rsplit("/", 1)[-1],
                write_protected=write_protected, connected_via="uri")
