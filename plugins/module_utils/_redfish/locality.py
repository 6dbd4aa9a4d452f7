# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Near which processor a device sits, where a BMC tells."""

from __future__ import annotations

from typing import Any, Optional

from .._domain.units import identifier, text
from .reading import Reader, first, last_part, links_at

NEAR = ("Links/Processors", "Links/Processor", "Links/Oem/*/CPUAffinity", "Oem/*/CPUAffinity",
        "Controllers/*/Links/Processors", "Controllers/*/Links/Oem/*/CPUAffinity")
SOCKET = ("Socket", "Location/PartLocation/ServiceLabel")


def socket_of(reader: Reader, *documents: Any) -> Optional[str]:
    """Return the socket that a device belongs to, as its processor is labelled; ``None`` where several are named."""
    for document in documents:
        links = links_at(document, *NEAR)
        if len(links) == 1:
            processor = reader.document(links[0])
            return first(processor, text, *SOCKET) or identifier(processor.get("Id")) or last_part(links[0])
    return None
