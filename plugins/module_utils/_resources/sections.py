# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read in sections, each of which may fail without the others."""

from __future__ import annotations

from typing import Any

from .base import InfoResource


class SectionsResource(InfoResource):
    """Reads the sections that ``sections`` names, all where it is not set, and returns ``problems`` beside them."""

    def read(self) -> dict[str, Any]:
        """Return the sections; the problems are kept for :meth:`extra`."""
        wanted = self.params.get("sections")
        names = tuple(name for name in self.CAPABILITY.SECTIONS if wanted is None or name in wanted)
        found, self._problems = self.bmc.read(names)
        return found

    def extra(self) -> dict[str, Any]:
        """Return what could not be read."""
        return {"problems": self._problems}
