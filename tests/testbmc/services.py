# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Event subscriptions and certificates."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from . import certs
from .messages import Response, normalise, refusal
from .routes import action, check_parameters, check_properties, creates, deletes, patches

_NUMBERS = itertools.count(1)


@creates("EventDestinationCollection")
def subscribe(bmc, path: str, data: dict, _request) -> Response:
    """A new subscription (DSP0268, EventDestination)."""
    rules = {"Destination": lambda value: isinstance(value, str) and value.partition("://")[0] in ("http", "https", "snmp", "redfish"),
             "Protocol": ["Redfish", "SNMPv2c", "SNMPv3", "SNMPv1"], "Context": (str, type(None)), "EventTypes": list, "HttpHeaders": list,
             "RegistryPrefixes": list, "ResourceTypes": list, "SubscriptionType": ["RedfishEvent", "SNMPTrap"], "EventFormatType": ["Event", "MetricReport"],
             "DeliveryRetryPolicy": ["TerminateAfterRetries", "SuspendRetries", "RetryForever"], "MessageIds": list, "OriginResources": list,
             "SubordinateResources": bool, "VerifyCertificate": bool, "Oem": dict}
    for name in ("Destination", "Protocol"):
        if name not in data:
            raise refusal("PropertyMissing", name, related=[name])
    check_properties(bmc, path, data, rules)
    service = bmc.store.get(path.rpartition("/")[0])
    for name in ("RegistryPrefixes", "ResourceTypes"):
        for item in data.get(name, []):
            if service.get(name) and item not in service[name]:
                raise refusal("PropertyValueNotInList", item, name, related=[name])
    number = f"sub-{next(_NUMBERS)}"
    new = f"{path}/{number}"
    kept = {key: value for key, value in data.items() if key != "HttpHeaders"}
    bmc.store.put(new, {"@odata.type": "#EventDestination.v1_13_0.EventDestination", "@odata.id": new, "Id": number, "Name": "Subscription",
                        "Context": None, "SubscriptionType": "RedfishEvent", "EventFormatType": "Event", "Status": {"State": "Enabled", "Health": "OK"},
                        **kept, "HttpHeaders": []}, collection=path)
    return Response(201, bmc.store.raw(new), headers={"Location": new})


@patches("EventDestination")
def change_subscription(bmc, path: str, data: dict, _request) -> None:
    """The few things that may change."""
    check_properties(bmc, path, data, {"Context": (str, type(None)), "DeliveryRetryPolicy": str, "VerifyCertificate": bool, "HttpHeaders": list})
    bmc.store.merge(path, {key: value for key, value in data.items() if key != "HttpHeaders"})


@deletes("EventDestination")
def unsubscribe(bmc, path: str, _request) -> Response:
    """A subscription is no more."""
    bmc.store.delete(path, collection=bmc.store.collection_of(path))
    return Response(204)


@action("EventService.SubmitTestEvent")
def submit_test_event(bmc, owner: str, data: dict, _request) -> Response:
    """Sends an event to each destination on the loopback network, once, without waiting for it."""
    event = {"@odata.type": "#Event.v1_7_0.Event", "Id": "1", "Name": "Test event",
             "Events": [{"MemberId": "0", "EventType": data.get("EventType", "Alert"), "MessageId": data.get("MessageId", "Base.1.12.TestMessage"),
                         "Message": data.get("Message", "A test event.")}]}
    for path in bmc.store.members(bmc.store.link(owner, "Subscriptions")):
        found = bmc.store.get(path)
        target = urllib.parse.urlsplit(found.get("Destination") or "")
        if target.scheme == "http" and (target.hostname or "").startswith("127."):
            threading.Thread(target=_deliver, args=(target, {**event, "Context": found.get("Context")}), daemon=True).start()
    return Response(204)


def _deliver(target, event: dict) -> None:
    try:
        connection = http.client.HTTPConnection(target.hostname, target.port or 80, timeout=5)
        connection.request("POST", target.path or "/", json.dumps(event), {"Content-Type": "application/json"})
        connection.getresponse().read()
        connection.close()
    except OSError:
        pass


class Certificates:
    """The key of the last CSR, and what was put in."""

    def __init__(self, bmc) -> None:
        self._bmc = bmc
        self.key = None
        self.replaced: list = []

    def show(self, path: str, cert, text: str) -> None:
        """Write a certificate's facts into its resource."""
        self._bmc.store.merge(path, {
            "CertificateString": text, "CertificateType": "PEM", "Issuer": {"CommonName": common_name(cert.issuer)},
            "Subject": {"CommonName": common_name(cert.subject)}, "SerialNumber": f"{cert.serial_number:x}",
            "ValidNotBefore": cert.not_valid_before_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "ValidNotAfter": cert.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")})

    def install(self, cert, text: str, key) -> None:
        """Serve a certificate to new connections."""
        if self._bmc.tls:
            self._bmc.use_identity(certs.keep(key, cert, f"replaced-{self._bmc.port}-{len(self.replaced)}"))
        self.replaced.append(text)


def common_name(name) -> str:
    """The CN of a name, "" where it has none."""
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return found[0].value if found else ""


@action("CertificateService.GenerateCSR")
def generate_csr(bmc, _owner: str, data: dict, _request) -> Response:
    """A request for a fresh key that stays in the BMC."""
    name = "CertificateService.GenerateCSR"
    known = ("CommonName", "Organization", "OrganizationalUnit", "City", "State", "Country", "Email", "AlternativeNames", "KeyPairAlgorithm",
             "KeyBitLength", "KeyCurveId", "KeyUsage", "CertificateCollection", "ContactPerson", "GivenName", "Surname", "Initials", "UnstructuredName",
             "ChallengePassword")
    required = ("CommonName", "Organization", "OrganizationalUnit", "City", "State", "Country", "CertificateCollection")
    check_parameters(name, data, known=known, required=required)
    collection = normalise((data["CertificateCollection"] or {}).get("@odata.id", "")) if isinstance(data["CertificateCollection"], dict) else ""
    if collection not in bmc.store:
        raise refusal("ActionParameterValueNotInList", collection, "CertificateCollection", name)
    bmc.certificates.key = certs.new_key()
    attributes = [(NameOID.COMMON_NAME, "CommonName"), (NameOID.ORGANIZATION_NAME, "Organization"), (NameOID.ORGANIZATIONAL_UNIT_NAME, "OrganizationalUnit"),
                  (NameOID.LOCALITY_NAME, "City"), (NameOID.STATE_OR_PROVINCE_NAME, "State"), (NameOID.COUNTRY_NAME, "Country")]
    subject = x509.Name([x509.NameAttribute(oid, data[key]) for oid, key in attributes if data.get(key)])
    csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(bmc.certificates.key, hashes.SHA256())
    return Response(200, {"CSRString": csr.public_bytes(serialization.Encoding.PEM).decode(), "CertificateCollection": {"@odata.id": collection}})


@action("CertificateService.ReplaceCertificate")
def replace_certificate(bmc, _owner: str, data: dict, _request) -> Response:
    """Takes a certificate for the key of the last CSR, or one that brings its key along."""
    name = "CertificateService.ReplaceCertificate"
    check_parameters(name, data, known=("CertificateString", "CertificateType", "CertificateUri", "Password", "UefiSignatureOwner"),
                     required=("CertificateString", "CertificateType", "CertificateUri"))
    if data["CertificateType"] not in ("PEM", "PEMchain"):
        raise refusal("ActionParameterValueNotInList", data["CertificateType"], "CertificateType", name)
    path = normalise((data["CertificateUri"] or {}).get("@odata.id", "")) if isinstance(data["CertificateUri"], dict) else ""
    if bmc.store.kind(path) != "Certificate":
        raise refusal("ActionParameterValueNotInList", path, "CertificateUri", name)
    cert, key = _parsed(data["CertificateString"], bmc.certificates.key)
    bmc.certificates.show(path, cert, data["CertificateString"])
    bmc.certificates.install(cert, data["CertificateString"], key)
    return Response(200, bmc.store.raw(path), headers={"Location": path})


def _parsed(text, key):
    try:
        cert = x509.load_pem_x509_certificate(text.encode())
        if "PRIVATE KEY" in text:
            key = serialization.load_pem_private_key(text.encode(), None)
    except (ValueError, AttributeError):
        raise refusal("PropertyValueFormatError", "(certificate)", "CertificateString") from None
    if key is None or key.public_key() != cert.public_key():
        raise refusal("PropertyValueConflict", "CertificateString", "the key of the last CSR", related=["CertificateString"])
    return cert, key


@creates("CertificateCollection")
def add_certificate(bmc, path: str, data: dict, _request) -> Response:
    """One more trusted certificate."""
    for name in ("CertificateString", "CertificateType"):
        if name not in data:
            raise refusal("PropertyMissing", name, related=[name])
    try:
        cert = x509.load_pem_x509_certificate(data["CertificateString"].encode())
    except (ValueError, AttributeError):
        raise refusal("PropertyValueFormatError", "(certificate)", "CertificateString") from None
    number = f"cert-{next(_NUMBERS)}"
    new = f"{path}/{number}"
    bmc.store.put(new, {"@odata.type": "#Certificate.v1_6_0.Certificate", "@odata.id": new, "Id": number, "Name": number}, collection=path)
    bmc.certificates.show(new, cert, data["CertificateString"])
    return Response(201, bmc.store.raw(new), headers={"Location": new})


@deletes("Certificate")
def remove_certificate(bmc, path: str, _request) -> Response:
    """A certificate, but the server's own."""
    if "/HTTPS/" in path:
        raise refusal("ResourceCannotBeDeleted")
    bmc.store.delete(path, collection=bmc.store.collection_of(path))
    return Response(204)
