# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BIOS attributes: what a registry allows, what is to change. Knows no protocol."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Any, Optional

Json = dict[str, Any]
_TYPES = {"enumeration": "a word", "string": "a text", "password": "a text", "integer": "a whole number",
          "boolean": "true or false"}
_SHOWN = 12


@dataclass(frozen=True)
class Wrong:
    """Why a value cannot be set: ``cause`` is a clause, ``remedy`` a sentence."""

    cause: str
    remedy: str


def _listed(values: list[Any]) -> str:
    shown = ", ".join(str(value) for value in values[:_SHOWN])
    return f"{shown} and {len(values) - _SHOWN} more" if len(values) > _SHOWN else shown


def close_to(name: str, known: list[str]) -> list[str]:
    """Return the names that somebody who wrote ``name`` may have meant, nearest first."""
    by_lower = {entry.lower(): entry for entry in known}
    near = difflib.get_close_matches(name.lower(), list(by_lower), n=3, cutoff=0.6)
    inside = [lower for lower in by_lower if name.lower() in lower][:3] if len(name) > 3 else []
    return [by_lower[lower] for lower in dict.fromkeys(near + inside)][:3]


def kind_of(entry: Json, present: Any) -> Optional[str]:
    """Return the type that the registry names, else that of the present value; ``None`` where neither tells."""
    kind = entry.get("type")
    if kind in _TYPES:
        return kind
    guesses = {bool: "boolean", int: "integer", str: "string"}
    return guesses.get(type(present))


def converted(value: Any, kind: Optional[str], values: Optional[list[Any]] = None) -> Any:
    """Return the value in the type wanted where a template made a text of it, or YAML a number of a word."""
    if kind == "integer" and isinstance(value, str) and re.fullmatch(r"\s*[-+]?\d+\s*", value):
        return int(value)
    if kind == "boolean" and isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    if kind == "enumeration" and isinstance(value, int) and not isinstance(value, bool) and str(value) in (values or []):
        return str(value)
    return value


def _wrong_type(value: Any, kind: str) -> Optional[Wrong]:
    fits = {"integer": isinstance(value, int) and not isinstance(value, bool), "boolean": isinstance(value, bool),
            "string": isinstance(value, str), "enumeration": isinstance(value, str)}
    if fits[kind]:
        return None
    hint = " Put it in quotation marks: YAML reads yes, no, on and off as true and false." if isinstance(
        value, bool) and kind != "integer" else ""
    return Wrong(f"is {value!r}, which is not {_TYPES[kind]}", f"It takes {_TYPES[kind]}.{hint}")


def _out_of_range(value: int, entry: Json) -> Optional[Wrong]:
    low, high, step = entry.get("minimum"), entry.get("maximum"), entry.get("increment")
    between = f"It takes {low if low is not None else 'anything'} to {high if high is not None else 'anything'}"
    if (low is not None and value < low) or (high is not None and value > high):
        return Wrong(f"is {value}, which is out of range", f"{between}.")
    if step and low is not None and (value - low) % step:
        return Wrong(f"is {value}, which is between two steps", f"{between} in steps of {step}.")
    return None


def _bad_text(value: str, entry: Json) -> Optional[Wrong]:
    low, high, pattern = entry.get("min_length"), entry.get("max_length"), entry.get("pattern")
    if (low is not None and len(value) < low) or (high is not None and len(value) > high):
        return Wrong(f"has {len(value)} characters", f"It takes {low or 0} to {high if high is not None else 'any'}.")
    try:
        if pattern and value and not re.search(pattern, value):
            return Wrong("does not have the form that the BMC asks for", f"It has to match {pattern}.")
    except re.error:
        pass
    return None


def check(value: Any, *, entry: Json, present: Any) -> Optional[Wrong]:
    """Return what is wrong with a value for the attribute that ``entry`` describes, ``None`` where nothing is."""
    if entry.get("read_only"):
        return Wrong("is read-only", "Leave it out.")
    kind = kind_of(entry, present)
    if kind == "password":
        return Wrong("is a password, which no BMC shows", "Set it in the system's own firmware setup.")
    wrong = _wrong_type(value, kind) if kind else None
    if wrong is not None:
        values = entry.get("values")
        return Wrong(wrong.cause, f"{wrong.remedy} Valid values are {_listed(values)}.") if values else wrong
    if kind == "enumeration" and entry.get("values") and value not in entry["values"]:
        near = close_to(value, entry["values"])
        meant = f" Did you mean {near[0]}?" if near else ""
        return Wrong(f"is '{value}', which is not an allowed value", f"Valid values are {_listed(entry['values'])}.{meant}")
    if kind == "integer":
        return _out_of_range(value, entry)
    return _bad_text(value, entry) if kind == "string" else None


def unknown(name: str, known: list[str]) -> Wrong:
    """Return what is wrong with the name of an attribute that does not exist."""
    near = close_to(name, known)
    return Wrong("does not exist on this BMC", f"Did you mean {' or '.join(near)}?" if near else
                 f"There are {len(known)} attributes; use those of the BMC's own registry.")


def to_write(wanted: Json, *, current: Json, pending: Json) -> Json:
    """Return those of the wanted values that are neither pending nor, with nothing else pending, current.

    A value that a reset is about to change back counts as different.
    """
    return {name: value for name, value in wanted.items() if pending.get(name, current.get(name)) != value}


def not_yet(wanted: Json, current: Json) -> Json:
    """Return those of the wanted values that are not current."""
    return {name: value for name, value in wanted.items() if current.get(name) != value}


def defaults_of(registry: dict[str, Json], current: Json) -> Json:
    """Return the factory's values of the attributes that exist and may be written, as far as the registry tells."""
    return {name: entry["default"] for name, entry in registry.items()
            if name in current and entry.get("default") is not None and not entry.get("read_only")}


def together(wanted: Json, current: Json, pattern: str) -> Json:
    """Return ``wanted`` with the other attributes of a group that is written as a whole, each value used once.

    A boot order spread over attributes is such a group: what the user does not name keeps its order behind the rest.
    """
    group = sorted(name for name in current if re.search(pattern, name))
    asked = {name: wanted[name] for name in group if name in wanted}
    if not asked:
        return wanted
    left = [current[name] for name in group]
    for value in asked.values():
        if value in left:
            left.remove(value)
    return {**wanted, **{name: left.pop(0) for name in group if name not in asked}}
