# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The restart that lets what is pending take effect, for resources whose changes need one."""

from __future__ import annotations

from typing import Any

from .base import Resource
from .power import PowerResource

# Options of every resource that may restart the system.
RESTART_SPEC: dict[str, dict[str, Any]] = {
    "reboot": dict(type="bool", default=False),
    "force": dict(type="bool", default=False),
    "graceful_timeout": dict(type="int", default=300),
    "wait_timeout": dict(type="int", default=1800),
}


class Restart:
    """Restarts the system of a resource as its options say; a system that is off is powered on.

    Nothing is waited for but a step on the way: the resource knows the effect that proves the restart.
    """

    def __init__(self, resource: Resource) -> None:
        params = resource.params
        self._power = PowerResource({
            "state": "restarted", "force": params["force"], "graceful_timeout": params["graceful_timeout"],
            "on_timeout": "fail", "wait": False, "wait_timeout": params["wait_timeout"]}, tell=resource.tell)
        self._power.bind(resource.driver)

    def check(self) -> None:
        """Raise what would keep the restart from being asked for, before anything is changed."""
        self._power.plan(self._power.read())

    def run(self) -> None:
        """Ask for the restart."""
        self._power.apply(self._power.plan(self._power.read()))
