# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One BMC over IPMI (pyghmi), for the length of one task."""

from __future__ import annotations

from typing import Any

from .._bmc.errors import Unreachable
from .._bmc.interface import Driver
from .._bmc.options import Connection


class IpmiDriver(Driver):
    """One BMC over RMCP+ (IPMI 2.0)."""

    protocol = "ipmi"

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.connection = connection

    def open(self) -> None:
        """Log in."""
        raise Unreachable("IPMI is not built yet")

    def close(self) -> None:
        """Log out."""

    def identity(self) -> dict[str, Any]:
        """Return what rules of quirks match."""
        return {"manufacturer": None, "model": None, "firmware": None}
