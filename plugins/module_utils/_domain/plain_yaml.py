# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plain data as YAML, for hosts whose Python has no library for that."""

from __future__ import annotations

import json
import re
from typing import Any

_PLAIN = re.compile(r"^[A-Za-z_][A-Za-z0-9_-]*$")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def to_yaml(value: dict[str, Any]) -> str:
    """A file for a renderer of networks."""
    return "# Made by typeone.metal.host_network\n" + "".join(f"{line}\n" for line in yaml_lines(value))


def yaml_lines(value: Any, depth: int = 0) -> list[str]:
    """Lines of YAML of plain data, in which every text that could be read as something else is quoted."""
    pad, lines = "  " * depth, []
    items = value.items() if isinstance(value, dict) else ((None, item) for item in value)
    for key, item in items:
        start = f"{pad}- " if key is None else f"{pad}{_scalar(key)}:"
        if isinstance(item, (dict, list)) and item:
            nested = yaml_lines(item, depth + 1)
            # A mapping in a list begins on the line of its dash.
            lines += [start + nested[0].lstrip(), *nested[1:]] if key is None else [start, *nested]
        else:
            lines.append(f"{start.rstrip()} {_scalar(item)}")
    return lines


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.match(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value)
