# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual CD as boot device by an attribute of the manager, for BMCs whose target Cd means the physical drive."""

from __future__ import annotations

from typing import Any, Optional

from .._bmc.errors import BmcError
from .._bmc.interface import Driver
from .._domain.boot import Persistence
from .client import dig, link_of

BEHAVIOUR = "boot_cd_by_attribute"


class BootAttribute:
    """The attribute that names the first boot device, and the one that says whether it holds once.

    The names are parameters of the quirk: ``links`` (keys of the manager that lead to the resources), ``device`` and
    ``once`` (attributes), ``cd`` and ``none``, ``yes`` and ``no`` (their values).
    """

    def __init__(self, driver: Driver, parameters: dict[str, Any], link: str) -> None:
        self._driver = driver
        self._names = parameters
        self._link = link
        self._fresh = True  # the resource was read to find the attribute

    @classmethod
    def of(cls, driver: Driver) -> Optional["BootAttribute"]:
        """Return it for a BMC that has the habit and the attribute; ``None`` for any other."""
        parameters = driver.quirks.behaviour(BEHAVIOUR)
        if parameters is None:
            return None
        try:
            listed = dig(driver.manager, *parameters["links"])
            for link in filter(None, map(link_of, listed if isinstance(listed, list) else [])):
                if parameters["device"] in (driver.client.read(link).get("Attributes") or {}):
                    return cls(driver, parameters, link)
        except BmcError:
            pass
        return None

    def read(self, *, anew: bool = True) -> Optional[Persistence]:
        """Return for how long the virtual CD is the boot device, ``None`` where it is not."""
        if anew and not self._fresh:
            self._driver.client.forget(self._link)
        self._fresh = False
        values = self._driver.client.read(self._link).get("Attributes") or {}
        if values.get(self._names["device"]) != self._names["cd"]:
            return None
        return Persistence.ONCE if values.get(self._names["once"]) == self._names["yes"] else Persistence.CONTINUOUS

    def write(self, persistence: Optional[Persistence]) -> None:
        """Make the virtual CD the boot device, or (``None``) no longer."""
        wanted = {self._names["device"]: self._names["none" if persistence is None else "cd"]}
        if persistence is not None:
            wanted[self._names["once"]] = self._names["yes" if persistence is Persistence.ONCE else "no"]
        self._driver.client.write("PATCH", self._link, {"Attributes": wanted})
