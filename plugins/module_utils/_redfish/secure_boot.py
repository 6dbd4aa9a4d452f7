# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""UEFI Secure Boot over Redfish: the SecureBoot resource (DMTF DSP0268)."""

from __future__ import annotations

from typing import Any, Optional

from .._bmc.errors import AuthenticationFailed, BmcError, InvalidInput, Unsupported
from .._bmc.interface import Driver, SecureBoot
from .actions import find_action
from .client import dig, link_of

Json = dict[str, Any]
MODES = {"SetupMode": "setup", "UserMode": "user", "AuditMode": "audit", "DeployedMode": "deployed"}
CURRENT = {"Enabled": True, "Disabled": False}
KEY_RESETS = {"default": "ResetAllKeysToDefault", "delete_all": "DeleteAllKeys", "delete_pk": "DeletePK"}
NOT_LICENSED = ("OemLicenseNotPassed", "LicenseNotPassed", "LicenseRequired")


class RedfishSecureBoot(SecureBoot):
    """``SecureBootEnable`` is kept at once and takes effect at the next reset."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def _link(self) -> str:
        link = link_of(self._driver.system.get("SecureBoot"))
        if link is None:
            raise Unsupported("the system has no Secure Boot settings", capability=self.title, protocol="redfish",
                              remedy="Some BMCs keep it among the BIOS attributes: see bmc_bios.")
        return link

    def read(self) -> Json:
        """Read the state anew; all unknown where the BMC's licence does not let it be read."""
        client = self._driver.client
        try:
            document = client.reread(self._link())
        except AuthenticationFailed as error:
            said = " ".join(map(str, error.details.get("message_ids") or ())) + error.cause
            if error.details.get("status") == 403 and any(word in said for word in NOT_LICENSED):
                self._driver.warn("The BMC's licence does not let Secure Boot be read; its state is unknown.")
                return {"enabled": None, "current": None, "mode": None}
            raise
        asked = self._settings(document).get("SecureBootEnable", document.get("SecureBootEnable"))
        current = document.get("SecureBootCurrentBoot")
        mode = document.get("SecureBootMode")
        return {"enabled": asked if isinstance(asked, bool) else None,
                "current": CURRENT.get(current) if isinstance(current, str) else None,
                "mode": MODES.get(mode) if isinstance(mode, str) else None}

    def _settings(self, document: Json) -> Json:
        """Return the settings object, where the BMC keeps what waits for a reset in one; empty elsewhere."""
        link = link_of(dig(document, "@Redfish.Settings", "SettingsObject"))
        try:
            return self._driver.client.reread(link) if link else {}
        except BmcError:
            return {}

    def write(self, enabled: bool) -> None:
        """Ask for it from the next reset on. Where the state cannot be read, it is written all the same."""
        target: Optional[str] = None
        try:
            document = self._driver.client.read(self._link())
            target = link_of(dig(document, "@Redfish.Settings", "SettingsObject"))
        except AuthenticationFailed:
            pass
        self._driver.client.write("PATCH", target or self._link(), {"SecureBootEnable": enabled})

    def reset_keys(self, kind: str) -> None:
        """Send ResetKeys."""
        action = find_action(self._driver.client, self._driver.client.read(self._link()), "#SecureBoot.ResetKeys",
                             "ResetKeysType")
        if action is None:
            raise Unsupported("the BMC cannot reset the keys of Secure Boot", capability=self.title,
                              protocol="redfish", remedy="Use the system's own firmware setup.")
        if action.allowed and KEY_RESETS[kind] not in action.allowed:
            offered = ", ".join(name for name, word in KEY_RESETS.items() if word in action.allowed)
            raise InvalidInput(f"the BMC does not offer {kind}", remedy=f"It offers {offered or 'none of them'}.")
        self._driver.client.write("POST", action.target, {"ResetKeysType": KEY_RESETS[kind]})
