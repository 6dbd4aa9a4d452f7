# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Redfish service has at all: the resources that a capability needs are linked to, or they are not there."""

from __future__ import annotations

from typing import Optional

from .._bmc.interface import (
    Accounts, Bios, BmcNetwork, Capability, Certificates, Driver, Events, Firmware, Logs, SecureBoot, Storage,
    VirtualMedia,
)
from .client import link_of

# The documents of which one has a link of one of the names.
NEEDS: dict[type[Capability], tuple[tuple[str, ...], tuple[str, ...]]] = {
    VirtualMedia: (("system", "manager"), ("VirtualMedia",)),
    Bios: (("system",), ("Bios",)),
    Storage: (("system",), ("Storage",)),
    SecureBoot: (("system",), ("SecureBoot",)),
    Firmware: (("root",), ("UpdateService",)),
    Accounts: (("root",), ("AccountService",)),
    Logs: (("system", "manager"), ("LogServices",)),
    BmcNetwork: (("manager",), ("EthernetInterfaces", "NetworkProtocol")),
    Certificates: (("root", "manager"), ("CertificateService", "NetworkProtocol")),
    Events: (("root",), ("EventService",)),
}


def lacks(driver: Driver, capability: type[Capability]) -> Optional[str]:
    """Return why the service has no ``capability``, ``None`` where the link that it needs is there."""
    documents, names = NEEDS.get(capability, ((), ()))
    if not names or any(link_of(getattr(driver, document).get(name)) for document in documents for name in names):
        return None
    return f"the BMC has no {' or '.join(names)} at its {' or '.join(documents)}"
