# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collections of which something is to be absent: what tells no members is broken, and not empty."""

from __future__ import annotations

from .._bmc.errors import BrokenAnswer
from .client import Client, Json, link_of


def listed(collection: Json, link: str) -> list[Json]:
    """Return the members on one page of a collection; :class:`BrokenAnswer` where it tells none and no count of 0."""
    members = collection.get("Members")
    if not isinstance(members, list) and (members is not None or collection.get("Members@odata.count") != 0):
        raise BrokenAnswer(f"{link} does not tell its members", path=link)
    return [member for member in members or () if isinstance(member, dict)]


def documents(client: Client, link: str) -> dict[str, Json]:
    """Return all members of a collection by link; the first that cannot be read is raised. A collection that lists
    something else than links, or fewer than it counts, is broken."""
    collection = client.read(link)
    count = collection.get("Members@odata.count")
    links = list(client.member_links(collection))
    listed(collection, link)
    broken = [member for member in collection.get("Members") or () if link_of(member) is None]
    if broken or (isinstance(count, int) and count > len(links)):
        raise BrokenAnswer(f"{link} does not tell all of its members", path=link)
    return dict(zip(links, client.documents(links)))
