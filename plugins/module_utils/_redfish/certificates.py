# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate of a BMC's HTTPS service over Redfish: Certificate and CertificateService (DMTF DSP0268)."""

from __future__ import annotations

from typing import Any, Optional

from .._bmc.errors import BrokenAnswer, InvalidInput, Unsupported
from .._bmc.interface import Certificates, Driver
from .._domain.certificates import fingerprint, is_signing_request, name_of
from .._domain.logs import timestamp
from .actions import Action, find_action
from .certificate_service import OwnCertificateService
from .client import dig, link_of
from .tls import served_fingerprint

Json = dict[str, Any]
NAMES = {"common_name": "CommonName", "organization": "Organization", "organizational_unit": "OrganizationalUnit",
         "city": "City", "state": "State", "country": "Country", "email": "Email"}
ALGORITHMS = {"rsa": ("TPM_ALG_RSA",), "ecdsa": ("TPM_ALG_ECDSA", "TPM_ALG_ECDH")}
CURVES = {"p256": "TPM_ECC_NIST_P256", "p384": "TPM_ECC_NIST_P384", "p521": "TPM_ECC_NIST_P521"}
BY_HAND = "Replace it in the BMC's own pages."


class RedfishCertificates(Certificates):
    """The certificates below the HTTPS protocol of the manager."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def _own(self) -> tuple[Optional[OwnCertificateService], Optional[str]]:
        """Return the service of its own in which this BMC keeps the certificate, and where that is."""
        rule = self._driver.quirks.behaviour("certificate_own_service")
        service = OwnCertificateService(self._driver, rule) if rule is not None else None
        link = service.link() if service else None
        return (service, link) if link else (None, None)

    def _collection(self) -> Optional[str]:
        """Return where the manager keeps the certificates of HTTPS."""
        client = self._driver.client
        for manager in self._driver.manager_links():
            protocols = link_of(client.read(manager).get("NetworkProtocol"))
            found = link_of(dig(client.read(protocols), "HTTPS", "Certificates")) if protocols else None
            if found:
                return found
        return None

    def _links(self) -> list[str]:
        """Return the links of the certificates of HTTPS: from their collection, else from the service's list of all."""
        client, collection = self._driver.client, self._collection()
        if collection:
            return list(client.member_links(client.read(collection)))
        locations = link_of(self._service().get("CertificateLocations"))
        listed = dig(client.read(locations), "Links", "Certificates") if locations else None
        links = [link_of(entry) for entry in listed] if isinstance(listed, list) else []
        return [link for link in links if link and "/HTTPS/" in link]

    def _service(self) -> Json:
        link = link_of(self._driver.root.get("CertificateService"))
        return self._driver.client.read(link) if link else {}

    def read(self) -> list[Json]:
        """Read the certificates anew."""
        client = self._driver.client
        client.forget()
        own, place = self._own()
        if own:
            return [own.row(place)]
        return [_row(link, client.read(link)) for link in self._links()]

    def served_fingerprint(self) -> Optional[str]:
        """Open a connection of its own and look at what is shown."""
        return served_fingerprint(self._driver.connection)

    def _link(self, certificate_id: str) -> str:
        for link in self._links():
            if _row(link, self._driver.client.read(link))["id"] == certificate_id:
                return link
        raise InvalidInput(f"the BMC has no certificate '{certificate_id}'", remedy="It may just have been replaced.")

    def _action(self, name: str, parameter: str, *, doing: str) -> Action:
        action = find_action(self._driver.client, self._service(), f"#CertificateService.{name}", parameter)
        if action is None:
            raise Unsupported(f"the BMC does not {doing}", capability=self.title, protocol="redfish", remedy=BY_HAND)
        return action

    def replace(self, certificate_id: str, pem: str) -> None:
        """Send ReplaceCertificate, as a chain where it is one and the BMC tells them apart."""
        own, place = self._own()
        if own:
            own.replace(place, pem)
            return
        action = self._action("ReplaceCertificate", "CertificateType", doing="let its certificate be replaced")
        kind = "PEMchain" if pem.count("BEGIN CERTIFICATE") > 1 and "PEMchain" in action.allowed else "PEM"
        self._driver.client.write("POST", action.target, {
            "CertificateString": pem, "CertificateType": kind, "CertificateUri": {"@odata.id": self._link(certificate_id)}})

    def request_signing(self, certificate_id: str, request: Json) -> str:
        """Send GenerateCSR and return what comes back."""
        own, place = self._own()
        if own:
            return own.request_signing(place, request)
        action = self._action("GenerateCSR", "KeyPairAlgorithm", doing="make signing requests")
        body: Json = {NAMES[key]: value for key, value in request["subject"].items() if value is not None}
        collection = self._collection() or self._link(certificate_id).rstrip("/").rsplit("/", 1)[0]
        body["CertificateCollection"] = {"@odata.id": collection}
        if request.get("alternative_names"):
            body["AlternativeNames"] = list(request["alternative_names"])
        if request.get("key_algorithm"):
            words = ALGORITHMS[request["key_algorithm"]]
            body["KeyPairAlgorithm"] = next((word for word in words if word in action.allowed), words[0])
        if request.get("key_bits"):
            body["KeyBitLength"] = request["key_bits"]
        if request.get("key_curve"):
            body["KeyCurveId"] = CURVES[request["key_curve"]]
        answer = self._driver.client.write("POST", action.target, body).body.get("CSRString")
        if not is_signing_request(answer):
            raise BrokenAnswer("the BMC took the order, but returned no signing request",
                               remedy="Look for it in the BMC's own pages.")
        return answer


def _row(link: str, document: Json) -> Json:
    """Return a certificate in neutral words."""
    return {"id": str(document.get("Id") or link.rstrip("/").rsplit("/", 1)[-1]),
            "subject": name_of(document.get("Subject"), NAMES), "issuer": name_of(document.get("Issuer"), NAMES),
            "valid_from": timestamp(document.get("ValidNotBefore")),
            "valid_until": timestamp(document.get("ValidNotAfter")),
            "fingerprint": fingerprint(document.get("CertificateString"))}
