# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Habits of iLOs."""

from __future__ import annotations

import gzip
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from .. import certs
from ..messages import Response, error, refusal
from ..routes import action, check_parameters
from .base import Quirk, Refuses, quirk

ILO = "iLO.2.14"


@quirk("hpe_post_in_progress")
class PostInProgress(Refuses):
    """Nothing of the system may be changed during its self-test (`seconds` after a start; 0: the first `times` writes)."""

    message, registry, text = "UnableToModifyDuringSystemPOST", ILO, "Unable to modify the value while the system is in POST."
    seconds = 0.5

    def setup(self) -> None:
        if self.times is None:
            self.bmc.options.post_seconds = self.seconds

    def wants(self, request) -> bool:
        system = next((path for path in self.bmc.systems if request.path.startswith(path)), None)
        return system is not None and request.method == "PATCH" and (self.times is not None or self.bmc.power.in_post(system))


@quirk("hpe_invalid_operation")
class InvalidOperation(Refuses):
    """A write is refused for the system's state, and taken a little later."""

    times, message, registry, text = 2, "InvalidOperationForSystemState", ILO, "The operation was not successful due to the current power state."

    def wants(self, request) -> bool:
        return request.is_write and "/Systems/" in request.path


@quirk("hpe_eject_needs_body")
class EjectNeedsBody(Refuses):
    """EjectMedia without a JSON body is 400 (or `status`)."""

    message = "MalformedJSON"

    def wants(self, request) -> bool:
        return self.is_action(request, "VirtualMedia.EjectMedia") and not request.read_all().strip()


@quirk("hpe_manager_reset_bare")
class ManagerResetBare(Refuses):
    """Manager.Reset must not name a ResetType."""

    message, args = "ActionParameterNotSupported", ("ResetType", "Manager.Reset")

    def setup(self) -> None:
        for manager in self.bmc.of_kind("Manager"):
            block = self.bmc.store.edit(manager).get("Actions", {}).get("#Manager.Reset", {})
            block.pop("ResetType@Redfish.AllowableValues", None)

    def wants(self, request) -> bool:
        return self.is_action(request, "Manager.Reset") and "ResetType" in request.json(empty={})


@quirk("hpe_bios_staged")
class BiosStaged(Quirk):
    """A firmware task completes when the image is only staged; the version changes at the next start."""

    def setup(self) -> None:
        self.bmc.firmware.plan.needs_reset = True


@quirk("hpe_target_none_refused")
class TargetNoneRefused(Refuses):
    """The target None is no way to clear an override."""

    message, args = "PropertyValueNotInList", ("None", "BootSourceOverrideTarget")

    def wants(self, request) -> bool:
        return (self.boot_of(request) or {}).get("BootSourceOverrideTarget") == "None"


@quirk("hpe_mode_readonly")
class ModeReadonly(Refuses):
    """BootSourceOverrideMode is shown and may not be written."""

    message, args = "PropertyNotWritable", ("BootSourceOverrideMode",)

    def wants(self, request) -> bool:
        return "BootSourceOverrideMode" in (self.boot_of(request) or {})


@quirk("hpe_registry_gzip")
class RegistryGzip(Quirk):
    """Registries come compressed or not at all: 406 where identity alone is acceptable."""

    def after(self, request, response):
        if request.method != "GET" or "registr" not in request.path.lower() or response.status != 200:
            return None
        encoding = (request.headers.get("accept-encoding") or "").replace(" ", "").lower()
        if encoding == "identity":
            return self.hit(error("NotAcceptable"))
        response.body = gzip.compress(response.body, 1)
        response.headers["Content-Encoding"] = "gzip"
        return None


@quirk("hpe_minimal_boot")
class MinimalBoot(Refuses):
    """A Boot object with more than target and enabled is refused (DL160 Gen10)."""

    message, args = "PropertyNotWritable", ("Boot",)

    def wants(self, request) -> bool:
        boot = self.boot_of(request)
        return bool(boot) and not set(boot) <= {"BootSourceOverrideTarget", "BootSourceOverrideEnabled"}


@action("HpeHttpsCert.GenerateCSR")
def generate_csr(bmc, owner: str, data: dict, _request) -> Response:
    """A request for a fresh key, which is there a little later."""
    check_parameters("HpeHttpsCert.GenerateCSR", data, known=("CommonName", "OrgName", "OrgUnit", "City", "State", "Country", "IncludeIP"),
                     required=("CommonName", "OrgName", "Country"))
    bmc.certificates.key = certs.new_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, data["CommonName"])])
    text = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(bmc.certificates.key, hashes.SHA256())
    bmc.store.merge(owner, {"CertificateSigningRequest": None})
    timer = threading.Timer(0.2, bmc.set, (owner, {"CertificateSigningRequest": text.public_bytes(serialization.Encoding.PEM).decode()}))
    timer.daemon = True
    timer.start()
    return error("GeneratingCertificate", status=200, registry=ILO, text="Generating the certificate.")


@action("HpeHttpsCert.ImportCertificate")
def import_certificate(bmc, _owner: str, data: dict, _request) -> Response:
    """Takes a certificate for the key of the last request, and restarts to show it."""
    check_parameters("HpeHttpsCert.ImportCertificate", data, known=("Certificate",), required=("Certificate",))
    try:
        cert = x509.load_pem_x509_certificate(data["Certificate"].encode())
    except (ValueError, AttributeError):
        raise refusal("PropertyValueFormatError", "(certificate)", "Certificate") from None
    if bmc.certificates.key is None or cert.public_key() != bmc.certificates.key.public_key():
        return error("SSLCertFailure", status=400, registry=ILO, text="The certificate is not for the key of the last request.")
    response = error("ImportCertSuccessfuliLOResetinProgress", status=200, registry=ILO, text="The certificate was imported; iLO resets.")
    response.close = True

    def afterwards() -> None:
        bmc.certificates.install(cert, data["Certificate"], bmc.certificates.key)
        bmc.restart()

    response.after = afterwards
    return response
