# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate of a BMC's HTTPS service: put in, and proven by what is shown to a new connection then."""

from __future__ import annotations

from typing import Any, Optional

from .._bmc.errors import AnswerLost, InvalidInput, Rejected, Unreachable, Unsupported
from .._bmc.interface import Certificates
from .._bmc.options import moved
from .._domain.certificates import NAME_KEYS, BadPem, bundle, fingerprint
from .._domain.change import Change, Effect
from .._domain.deadline import Deadline, wait_until
from .base import Resource

Json = dict[str, Any]
REQUEST = ("subject", "alternative_names", "key_algorithm", "key_bits", "key_curve")


class CertificateResource(Resource):
    """``bmc_certificate``."""

    NAME = "certificate"
    DOING = "replace the certificate"
    CAPABILITY = Certificates
    SPEC = {
        "state": dict(type="str", choices=["present", "requested"], default="present"),
        "certificate": dict(type="str"),
        "private_key": dict(type="str", no_log=True),
        "certificate_id": dict(type="str"),
        "subject": dict(type="dict", options={
            "common_name": dict(type="str", required=True), **{key: dict(type="str") for key in NAME_KEYS[1:]}}),
        "alternative_names": dict(type="list", elements="str"),
        "key_algorithm": dict(type="str", choices=["rsa", "ecdsa"], no_log=False),
        "key_bits": dict(type="int", no_log=False),
        "key_curve": dict(type="str", choices=["p256", "p384", "p521"], no_log=False),
        "wait_timeout": dict(type="int", default=120),
    }
    CONSTRAINTS = {"required_if": [["state", "present", ["certificate"]], ["state", "requested", ["subject"]]]}

    @property
    def doing(self) -> str:
        """Return what this task does, to follow "Cannot"."""
        return self.DOING if self.params["state"] == "present" else "request the signing of a certificate"

    def validate(self) -> None:
        """Refuse what is no certificate, and options that belong to the other state."""
        foreign = REQUEST if self.params["state"] == "present" else ("certificate", "private_key")
        for option in foreign:
            if self.params.get(option) is not None:
                raise InvalidInput(f"{option} is set but state is {self.params['state']}",
                                   remedy=f"Leave {option} out.")
        if self.params["state"] == "present":
            try:
                self._pem, unused = bundle(self.params["certificate"], self.params.get("private_key"))
            except BadPem as error:
                raise InvalidInput(error.args[0], remedy=error.args[1]) from error

    def read(self) -> Json:
        """Return the certificate of the BMC's record, and the fingerprint of what it shows."""
        rows = self.bmc.read()
        wanted = self.params.get("certificate_id")
        found = [row for row in rows if wanted in (None, row["id"])]
        if not rows:
            raise Unsupported("the BMC lists no certificate of its HTTPS service", capability="certificates",
                              remedy="Replace it in the BMC's own pages.")
        if len(found) != 1:
            names = [row["id"] for row in rows]
            what = f"the BMC has no certificate '{wanted}'" if wanted else f"the BMC has {len(names)} certificates"
            raise InvalidInput(what, certificates=names, remedy=f"Choose one: certificate_id: {', '.join(names)}.")
        return {**found[0], "served_fingerprint": self.bmc.served_fingerprint()}

    def plan(self, current: Json) -> Change:
        """Return the change: none where the certificate is already shown to new connections."""
        if self.params["state"] == "requested":
            asked = {name: self.params[name] for name in REQUEST if self.params.get(name) is not None}
            return Change(before=current, after=current, steps=("request",), requested={"state": "requested", **asked})
        ours = fingerprint(self._pem)
        requested = {"state": "present", "fingerprint": ours}
        if ours == (current["served_fingerprint"] or current["fingerprint"]):
            return Change(before=current, after=current, requested=requested)
        unknown = {key: None for key in NAME_KEYS}
        after = {**current, "subject": unknown, "issuer": unknown, "valid_from": None, "valid_until": None,
                 "fingerprint": ours, "served_fingerprint": ours if current["served_fingerprint"] else None}
        return Change(before=current, after=after, steps=("replace",), requested=requested)

    def apply(self, change: Change) -> Effect:
        """Replace the certificate, or request its signing."""
        if change.steps[0] == "request":
            request = {name: self.params.get(name) for name in REQUEST}
            text = self.bmc.request_signing(change.before["id"], request)
            return Effect(observed=self.read(), verified=True, extra={"csr": text})
        try:
            self.bmc.replace(change.before["id"], self._pem)
        except AnswerLost as error:
            self.tell(f"{error.cause}; looking at the certificate that is shown instead of asking again")
        return self._effect(fingerprint(self._pem), secured=change.before["served_fingerprint"] is not None)

    def _effect(self, ours: str, *, secured: bool) -> Effect:
        """Return what is shown to a new connection, and what the BMC has on record, both after the change."""
        shown, seen = wait_until(
            self._shown, lambda seen: seen == ours or not secured, deadline=Deadline(self.params["wait_timeout"]),
            tell=lambda seen: self.tell("the former certificate is still shown" if seen else "the BMC is not back yet"))
        if shown and secured:  # it is the one that was put in, so it is trusted, whoever signed it
            connection = self.driver.connection
            self.driver.reconnect(moved(connection, connection.address, fingerprint=ours))
        elif seen is None and secured:
            raise Unreachable(f"the certificate was sent, and the BMC shows none after {self.params['wait_timeout']} s",
                              remedy="Its web server may still be restarting; look at it again later.")
        observed = self.read()
        if (shown and secured) or observed["fingerprint"] == ours:
            kept = "The BMC has taken the certificate, but still shows the former one: restart the BMC."
            return Effect(observed=observed, verified=shown, warnings=() if shown else (kept,))
        raise Rejected("the BMC took the certificate, but neither shows it nor has it on record", observed=observed,
                       remedy="The key may not be that of its last signing request; see its log.")

    def _shown(self) -> Optional[str]:
        """Return the fingerprint that is shown now; ``None`` while the BMC's web server is away."""
        try:
            return self.bmc.served_fingerprint()
        except Unreachable:
            return None
