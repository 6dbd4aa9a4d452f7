# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Components of firmware: which one is meant, whether it has the version asked for. Knows no protocol."""

from __future__ import annotations

import fnmatch
import re
from typing import Any

Json = dict[str, Any]

# Entries that tell of a version which is not the one that runs.
_NOT_RUNNING_IDS = ("previous-", "available-", "rollback-")
_NOT_RUNNING_STATES = ("StandbyOffline", "StandbySpare", "Absent")


def running(component: Json) -> bool:
    """Tell whether an entry of the inventory is of firmware in use, rather than of a spare or earlier one."""
    return (not str(component.get("id") or "").lower().startswith(_NOT_RUNNING_IDS)
            and component.get("state") not in _NOT_RUNNING_STATES)


def _means(component: Json, wanted: str) -> bool:
    names = [component.get("id"), component.get("name"), component.get("software_id")]
    wanted = wanted.strip().lower()
    return any(name == wanted or fnmatch.fnmatchcase(name, wanted.replace("[", "[[]"))
               for name in (str(name).strip().lower() for name in names if name))


def select(components: list[Json], wanted: str) -> list[Json]:
    """Return the components that a user's word means: an id, a name or a software id, ``*`` standing for anything.

    Entries of firmware in use are preferred; where there are none, all are returned.
    """
    found = [component for component in components if _means(component, wanted)]
    return [component for component in found if running(component)] or found


def _tokens(text: str) -> list[str]:
    return [re.sub(r"^v(?=\d)", "", token) for token in re.split(r"[\s()_,]+", text.lower()) if token]


def is_version(shown: Any, wanted: str) -> bool:
    """Tell whether the version shown is the one wanted: the same text, or that text as one of its words.

    BMCs wrap versions: ``iLO 5 v3.11`` is 3.11, ``U46 v2.10 (07/21/2023)`` is 2.10. A single number is no word to
    go by.
    """
    if not isinstance(shown, str):
        return False
    if shown.strip().lower() == wanted.strip().lower():
        return True
    parts, words = _tokens(wanted), _tokens(shown)
    if not parts or not any("." in part or "-" in part for part in parts):
        return False
    return any(words[start:start + len(parts)] == parts for start in range(len(words) - len(parts) + 1))


def installed(components: list[Json], version: str) -> bool:
    """Tell whether one of the components has the version."""
    return any(is_version(component.get("version"), version) for component in components)
