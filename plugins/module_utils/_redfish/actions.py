# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions of a Redfish resource and the values their parameters allow (DSP0266, section on actions)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

from .._bmc.errors import BmcError
from .client import Client, dig, link_of


@dataclass(frozen=True)
class Action:
    """Where an action is sent, and which values one of its parameters allows (empty: not told)."""

    target: str
    allowed: frozenset[str] = frozenset()


def allowable_values(holder: Any, name: str) -> frozenset[str]:
    """Return ``<name>@Redfish.AllowableValues`` of an object, empty where there are none."""
    values = dig(holder, f"{name}@Redfish.AllowableValues")
    return frozenset(value for value in values if isinstance(value, str)) if isinstance(values, list) else frozenset()


def find_action(client: Client, document: dict[str, Any], name: str, parameter: Optional[str] = None, *,
                oem: bool = False) -> Optional[Action]:
    """Return the action ``name`` of a resource, ``None`` where it has none.

    Values come from the resource, else from the document that ``@Redfish.ActionInfo`` names.
    """
    action = dig(document, "Actions", *(("Oem", name) if oem else (name,)))
    target = dig(action, "target")
    if not isinstance(target, str) or not target:
        return None
    if parameter is None:
        return Action(target)
    allowed = allowable_values(action, parameter)
    info = dig(action, "@Redfish.ActionInfo")
    if not allowed and isinstance(info, str) and info:
        allowed = _from_info(client, info, parameter)
    return Action(target, allowed)


def _from_info(client: Client, link: str, parameter: str) -> frozenset[str]:
    """Return the allowable values of a parameter as an ActionInfo document lists them."""
    try:
        parameters = client.read(link_of({"@odata.id": link}) or link).get("Parameters")
    except BmcError:
        return frozenset()
    for entry in parameters if isinstance(parameters, list) else []:
        values = dig(entry, "AllowableValues") if dig(entry, "Name") == parameter else None
        if isinstance(values, list):
            return frozenset(value for value in values if isinstance(value, str))
    return frozenset()
