# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a resource would change: the one form in which check mode, diff and idempotence are answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Change:
    """The way from ``before`` to ``after`` (plain data, in the shape of the resource's return key).

    ``steps`` is the resource's own list of what to do; where it is empty nothing is to be done.
    ``requested`` is what the user asked for, in neutral words.
    """

    before: Any
    after: Any
    steps: tuple = ()
    requested: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.steps)


@dataclass(frozen=True)
class Effect:
    """What came of a change: what was seen afterwards, and whether that is what was asked for.

    ``verified`` is ``None`` where the caller asked not to wait for the effect. ``extra`` joins the result.
    """

    observed: Any
    verified: Any = None
    warnings: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)
