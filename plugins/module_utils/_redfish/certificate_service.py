# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTPS certificate of a BMC that keeps it in a service of its own: where that is and what it wants is a rule's."""

from __future__ import annotations

import re
from typing import Any, Optional

from .._bmc.errors import InvalidInput, Timeout, Unsupported
from .._bmc.interface import Driver
from .._domain.certificates import NAME_KEYS, fingerprint, is_signing_request
from .._domain.deadline import Deadline, wait_until
from .._domain.logs import timestamp
from .actions import find_action
from .client import dig, link_of

Json = dict[str, Any]
# Letters of a distinguished name's parts (RFC 4514).
PARTS = {"CN": "common_name", "O": "organization", "OU": "organizational_unit", "L": "city", "ST": "state",
         "C": "country", "emailAddress": "email"}
NEEDED = ("links", "import", "field", "request", "names", "csr", "facts")
# Seconds that a BMC may take to make a key.
KEY_PATIENCE = 300.0


class OwnCertificateService:
    """What the standard's CertificateService is elsewhere. ``rule`` are the parameters of ``certificate_own_service``:

    ``links`` (from the manager, step by step), ``import`` and ``request`` (actions), ``field`` (of the certificate in
    ``import``), ``names`` (of the subject's parts in ``request``), ``csr`` and ``facts`` (properties).
    """

    def __init__(self, driver: Driver, rule: Json) -> None:
        lacking = sorted(set(NEEDED) - set(rule))
        if lacking:
            raise InvalidInput(f"the rule of certificate_own_service that holds here lacks {', '.join(lacking)}",
                               remedy="Mend its parameters in bmc_quirks.")
        self._driver = driver
        self._rule = rule

    def link(self) -> Optional[str]:
        """Return where the service is, ``None`` where the manager does not lead to it."""
        links = self._driver.manager_links()
        found: Optional[str] = links[0] if links else None
        for steps in self._rule["links"]:
            found = link_of(dig(self._driver.client.read(found), *steps)) if found else None
        return found

    def row(self, link: str) -> Json:
        """Return the certificate in neutral words."""
        document = self._driver.client.read(link)
        facts = dig(document, self._rule["facts"])
        return {"id": str(document.get("Id") or link.rstrip("/").rsplit("/", 1)[-1]),
                "subject": _name(dig(facts, "Subject")), "issuer": _name(dig(facts, "Issuer")),
                "valid_from": timestamp(dig(facts, "ValidNotBefore")),
                "valid_until": timestamp(dig(facts, "ValidNotAfter")),
                "fingerprint": fingerprint(dig(facts, "CertificateString"))}

    def _target(self, link: str, kind: str, *, doing: str) -> str:
        action = find_action(self._driver.client, self._driver.client.read(link), f"#{self._rule[kind]}")
        if action is None:
            raise Unsupported(f"the BMC does not {doing}", protocol="redfish", capability="certificates",
                              remedy="Use the BMC's own pages.")
        return action.target

    def replace(self, link: str, pem: str) -> None:
        """Send the certificate, which must be for the key of the last request."""
        if "PRIVATE KEY" in pem:
            raise Unsupported("the BMC takes certificates for keys of its own only", protocol="redfish",
                              capability="certificates",
                              remedy="Have it make a key (state: requested) and leave private_key out.")
        target = self._target(link, "import", doing="let its certificate be replaced")
        self._driver.client.write("POST", target, {self._rule["field"]: pem})

    def request_signing(self, link: str, request: Json) -> str:
        """Have a key made, and return the request once it is there: the BMC answers before it is."""
        for option in ("alternative_names", "key_algorithm", "key_bits", "key_curve"):
            if request.get(option):
                raise Unsupported(f"the BMC does not let {option} be chosen", protocol="redfish",
                                  capability="certificates", remedy="Leave it out.")
        client, name = self._driver.client, self._rule["csr"]
        former = client.read(link).get(name)
        names = self._rule["names"]
        body = {names[key]: value for key, value in request["subject"].items() if value is not None and key in names}
        client.write("POST", self._target(link, "request", doing="make signing requests"), body)
        there, text = wait_until(
            lambda: client.reread(link).get(name), lambda text: is_signing_request(text) and text != former,
            deadline=Deadline(KEY_PATIENCE), interval=1.0)
        if not there:
            raise Timeout(f"the BMC has not made a signing request within {KEY_PATIENCE:.0f} s",
                          remedy="Look for it in the BMC's own pages later.")
        return text


def _name(text: Any) -> Json:
    """Return the parts of a distinguished name written as ``CN = x, O = y``."""
    found = dict.fromkeys(NAME_KEYS)
    for part in re.split(r",\s*(?=[A-Za-z]+\s*=)", text) if isinstance(text, str) else ():
        letters, unused, value = part.partition("=")
        key = PARTS.get(letters.strip())
        if key and value.strip():
            found[key] = value.strip()
    return found
