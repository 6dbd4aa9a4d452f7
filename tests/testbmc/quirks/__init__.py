# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Habits of real BMCs by name, to be given to `Bmc(quirks=[...])`; parameters as ("name", {...})."""

from __future__ import annotations

from . import common, dell, dell_jobs, hpe, lenovo, others, supermicro  # noqa: F401  pylint: disable=unused-import
from .base import QUIRKS, Quirk


def make(bmc, names) -> list:
    """Quirks by name (or (name, parameters), or Quirk objects), installed on a BMC."""
    found = []
    for item in names:
        if isinstance(item, Quirk):
            made = item
        else:
            name, parameters = item if isinstance(item, tuple) else (item, {})
            if name not in QUIRKS:
                raise ValueError(f"unknown quirk {name}; known: {', '.join(sorted(QUIRKS))}")
            made = QUIRKS[name](**parameters)
        made.install(bmc)
        found.append(made)
    return found


__all__ = ["QUIRKS", "Quirk", "make"]
