# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading in sections, each of which may fail without the others."""

from __future__ import annotations

from typing import Any, Callable

from .._bmc.errors import BrokenAnswer, Rejected, Timeout, Unsupported
from .._domain.inventory import SINGLE

Json = dict[str, Any]
NOT_TOLD = "IPMI has no way to tell it; use bmc_protocol: redfish"


def read_sections(sections: tuple[str, ...], readers: dict[str, Callable[[], Any]]) -> tuple[Json, list[Json]]:
    """Return the sections asked for and the problems met; sections without a reader are a problem of the protocol.

    A BMC that does not answer any more ends the reading: what is left then is a problem as well.
    """
    found: Json = {}
    problems: list[Json] = []
    silent = ""
    for section in sections:
        found[section] = None if section in SINGLE else []
        if silent or section not in readers:
            problems.append({"section": section, "path": None, "cause": silent or NOT_TOLD})
            continue
        try:
            found[section] = readers[section]()
        except (Rejected, Unsupported, BrokenAnswer) as error:
            problems.append({"section": section, "path": None, "cause": error.cause})
        except Timeout as error:
            if not any(found.values()):
                raise
            silent = error.cause
            problems.append({"section": section, "path": None, "cause": silent})
    return found, problems
