# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes and drives: which volume is the one declared, what stands in its way. Knows no protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

Json = dict[str, Any]

# The fewest drives that each level works with.
LEVELS = {"raid0": 1, "raid1": 2, "raid5": 3, "raid6": 4, "raid10": 4, "raid50": 6, "raid60": 8, "raid1_triple": 3,
          "raid10_triple": 6}
# Controllers round sizes to stripes and megabytes: so much difference is none.
SIZE_TOLERANCE = 0.01
_SHOWN = 24


@dataclass(frozen=True)
class Problem:
    """Why a declared volume cannot be made as things are: ``cause`` is a clause, ``remedy`` whole sentences."""

    cause: str
    remedy: str


@dataclass(frozen=True)
class VolumePlan:
    """The way to a declared volume: one that is ``kept`` (and renamed), or those to ``delete`` before it is made."""

    kept: Optional[Json] = None
    rename: bool = False
    delete: tuple[Json, ...] = ()


def _plain(serial: Any) -> str:
    return str(serial or "").strip().lower()


def drive_of(serial: str, drives: list[Json]) -> Optional[Json]:
    """Return the drive of that serial number, ignoring case and surrounding blanks."""
    return next((drive for drive in drives if drive.get("serial") and _plain(drive["serial"]) == _plain(serial)), None)


def unknown_serials(serials: list[str], drives: list[Json]) -> Optional[Problem]:
    """Return the problem that some of the serials are not there, or stand there twice; ``None`` where all is well."""
    plain = [_plain(serial) for serial in serials]
    twice = sorted({serial for serial in serials if plain.count(_plain(serial)) > 1})
    if twice:
        return Problem(f"drive {', '.join(twice)} is named twice", "Name each drive once.")
    missing = [serial for serial in serials if drive_of(serial, drives) is None]
    if not missing:
        return None
    there = sorted(drive["serial"] for drive in drives if drive.get("serial"))
    more = f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else ""
    return Problem(f"no drive of serial number {' or '.join(missing)} is there",
                   f"Drives there are: {', '.join(there[:_SHOWN])}{more}." if there else "No drive tells its serial number.")


def _serials(entry: Json) -> frozenset[str]:
    return frozenset(_plain(serial) for serial in entry.get("drives") or [])


def same_layout(volume: Json, wanted: Json) -> bool:
    """Tell whether a volume has exactly the drives, the level and (where one is given) the size asked for."""
    size, have = wanted.get("size_bytes"), volume.get("size_bytes")
    fits = not size or have is None or abs(have - size) <= SIZE_TOLERANCE * size
    return _serials(volume) == _serials(wanted) and volume.get("level") == wanted["level"] and fits


def same_name(volume: Json, name: str) -> bool:
    """Tell whether a volume has that name or id."""
    return name in (volume.get("name"), volume.get("id"))


def layout_problem(wanted: Json, drives: list[Json], controllers: list[Json]) -> Optional[Problem]:
    """Return why no volume like that can be made of these drives, whatever is on them."""
    problem = unknown_serials(wanted["drives"], drives)
    if problem is not None:
        return problem
    if len(wanted["drives"]) < LEVELS[wanted["level"]]:
        return Problem(f"{wanted['level']} needs {LEVELS[wanted['level']]} drives, and {len(wanted['drives'])} are named",
                       "Name more drives, or another level.")
    behind = {drive_of(serial, drives)["controller"] for serial in wanted["drives"]}
    if len(behind) > 1:
        return Problem(f"the drives are behind different controllers ({', '.join(sorted(behind))})",
                       "Name drives of one controller.")
    controller = next((entry for entry in controllers if entry["id"] in behind), {})
    levels = controller.get("levels") or []
    if levels and wanted["level"] not in levels:
        return Problem(f"controller {controller['id']} does not offer {wanted['level']}",
                       f"It offers {', '.join(levels)}.")
    return None


def plan_volume(wanted: Json, volumes: list[Json]) -> VolumePlan:
    """Return the way to the declared volume. Whether what is to be deleted may be is the caller's to ask."""
    alike = [volume for volume in volumes if not volume.get("raw") and same_layout(volume, wanted)]
    name = wanted.get("name")
    right = [volume for volume in alike if not name or same_name(volume, name)]
    if right:
        return VolumePlan(kept=right[0])
    if len(alike) == 1 and not any(volume.get("name") == name for volume in volumes):
        return VolumePlan(kept=alike[0], rename=True)
    return VolumePlan(delete=tuple(in_the_way(wanted, volumes)))


def in_the_way(wanted: Json, volumes: list[Json]) -> list[Json]:
    """Return the volumes that would have to go: those that use a drive asked for, and those of the same name."""
    mine = _serials(wanted)
    name = wanted.get("name")
    return [volume for volume in volumes if not volume.get("raw")
            and (_serials(volume) & mine or (name and volume.get("name") == name))]


def guard(to_delete: tuple[Json, ...], allowed: list[str]) -> Optional[Problem]:
    """Return the problem that a volume would be lost whose name or id is not among those that may be."""
    lost = [volume for volume in to_delete if not any(same_name(volume, name) for name in allowed)]
    if not lost:
        return None
    names = ", ".join(str(volume.get("name") or volume.get("id")) for volume in lost)
    return Problem(f"{'; '.join(words(volume) for volume in lost)} is in the way, and all data on it would be lost",
                   f"To lose them, set replace: [{names}].")


def matching(criteria: Json, volumes: list[Json]) -> list[Json]:
    """Return the volumes that meet all criteria given: ``name``, ``drives`` (exactly these), ``level``."""
    return [volume for volume in volumes if not volume.get("raw")
            and (not criteria.get("name") or same_name(volume, criteria["name"]))
            and (not criteria.get("drives") or _serials(volume) == _serials(criteria))
            and (not criteria.get("level") or volume.get("level") == criteria["level"])]


def words(volume: Json) -> str:
    """Return a volume in words, for messages."""
    drives = ", ".join(volume.get("drives") or []) or "drives that it does not tell"
    return f"volume {volume.get('name') or volume.get('id')} ({volume.get('level') or 'level unknown'} on {drives})"
