# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bmc_certificate against BMCs that really show another certificate afterwards, and against those that do not."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from running import run
from testbmc import certs
from testbmc.messages import Response, refusal

from ansible_collections.typeone.metal.plugins.module_utils._resources.certificate import CertificateResource

SUBJECT = {"common_name": "bmc7.example.com", "organization": "Example", "organizational_unit": "Metal", "city": "Bern", "state": "BE",
           "country": "CH"}
REPLACE = "CertificateService.ReplaceCertificate"


def certificate(bmc, **params):
    """Run bmc_certificate; no result ever holds a private key."""
    result = run(CertificateResource, bmc, **{"wait_timeout": 5, **params})
    assert "PRIVATE KEY" not in str(result)
    return result


def issued(*, foreign=False):
    """Return a certificate, its key and its fingerprint: of the CA that the tests trust, or signed by nobody known."""
    key = certs.new_key()
    cert = certs.sign(key.public_key())
    if foreign:
        cert = (x509.CertificateBuilder().subject_name(cert.subject).issuer_name(cert.subject).public_key(key.public_key())
                .serial_number(7).not_valid_before(cert.not_valid_before_utc).not_valid_after(cert.not_valid_after_utc).sign(key, hashes.SHA256()))
    return cert.public_bytes(serialization.Encoding.PEM).decode(), certs.key_pem(key).decode(), certs.fingerprint(cert)


@pytest.mark.parametrize("name, foreign", [("mini", False), ("mini", True), ("dell-r750-idrac9_6.00", False), ("openbmc-stock-2.15", True),
                                           ("lenovo-sr670v2-xcc_1.40", False)])
def test_replaces_and_proves_it(test_bmc, name, foreign):
    """What a new connection shows is what was put in, whoever signed it; the session ends over that; repeated: nothing."""
    bmc = test_bmc(name)
    pem, key, mark = issued(foreign=foreign)
    result = certificate(bmc, certificate=pem, private_key=key)
    assert result["changed"] and result["verified"], result
    assert result["certificate"]["served_fingerprint"] == mark == bmc.fingerprint and result["certificate"]["fingerprint"] == mark
    assert result["diff"]["before"]["served_fingerprint"] != mark and bmc.counters.logins == 1 and not bmc.sessions.open()
    bmc.counters.reset()
    trust = {"ca_path": None, "tls_fingerprint": mark}
    again = certificate(bmc, certificate=pem, private_key=key, **trust)
    assert not again["changed"] and again["verified"] and not bmc.counters.effective_writes()


def test_a_pinned_certificate_is_replaced(test_bmc):
    """The task goes on although its pin is of the past."""
    bmc = test_bmc()
    pem, key, mark = issued()
    result = certificate(bmc, certificate=pem, private_key=key, ca_path=None, tls_fingerprint=bmc.fingerprint)
    assert result["verified"] and bmc.fingerprint == mark and not bmc.sessions.open()


def test_from_signing_request_to_certificate(test_bmc):
    """The key never leaves the BMC: its request is signed and put in."""
    bmc = test_bmc()
    asked = certificate(bmc, state="requested", subject=SUBJECT)
    assert asked["changed"] and asked["verified"], asked
    request = x509.load_pem_x509_csr(asked["csr"].encode())
    assert request.subject.rfc4514_string().startswith("C=CH") and "bmc7.example.com" in request.subject.rfc4514_string()
    pem = certs.sign(request.public_key(), request.subject).public_bytes(serialization.Encoding.PEM).decode()
    result = certificate(bmc, certificate=pem)
    assert result["verified"] and result["certificate"]["subject"]["common_name"] == "bmc7.example.com"


@pytest.mark.parametrize("name", ["hpe-dl360gen10plus-ilo5_3.11", "hpe-dl380agen11-ilo6_1.66"])
def test_a_service_of_its_own(test_bmc, name):
    """iLO keeps the certificate elsewhere: the request is waited for, what was signed is put in, and its restart passes."""
    bmc = test_bmc(name)
    before = certificate(bmc, state="requested", subject=SUBJECT, check_mode=True)["certificate"]
    assert before["subject"]["organization"] == "Hewlett Packard Enterprise" and before["valid_until"].startswith("2040-04")
    asked = certificate(bmc, state="requested", subject=SUBJECT)
    assert asked["verified"] and [entry["path"].rsplit(".", 1)[1] for entry in asked["sent"]] == ["GenerateCSR"], asked
    request = x509.load_pem_x509_csr(asked["csr"].encode())
    assert "bmc7.example.com" in request.subject.rfc4514_string()
    pem = certs.sign(request.public_key(), request.subject).public_bytes(serialization.Encoding.PEM).decode()
    result = certificate(bmc, certificate=pem)
    assert result["verified"] and result["certificate"]["served_fingerprint"] == bmc.fingerprint and not bmc.sessions.open(), result
    assert not certificate(bmc, certificate=pem)["changed"]
    pem, key, unused = issued()
    refused = certificate(bmc, certificate=pem, private_key=key)
    assert refused["failed"] and refused["error"]["kind"] == "unsupported" and "state: requested" in refused["msg"]
    assert certificate(bmc, certificate=pem)["error"]["status"] == 400


def test_a_rule_of_a_user_that_is_not_whole(test_bmc):
    """It says what is lacking."""
    rule = {"id": "ours", "match": {"manufacturer": "contoso"}, "behaviour": "certificate_own_service", "parameters": {"links": []}}
    result = certificate(test_bmc(), state="requested", subject=SUBJECT, bmc_quirks=[rule])
    assert result["failed"] and result["error"]["kind"] == "invalid_input" and "import" in result["msg"]


def test_a_chain_goes_as_one_where_the_bmc_knows_chains(test_bmc):
    """The type follows from what the action allows."""
    bmc = test_bmc()
    pem, key, unused = issued()
    authority = certs.authority()[1].public_bytes(serialization.Encoding.PEM).decode()
    assert certificate(bmc, certificate=pem + authority, private_key=key)["sent"][0]["body"]["CertificateType"] == "PEM"
    bmc.set("/redfish/v1/CertificateService", {"Actions": {f"#{REPLACE}": {"CertificateType@Redfish.AllowableValues": ["PEM", "PEMchain"]}}})
    pem, key, unused = issued()
    assert certificate(bmc, certificate=pem + authority, private_key=key)["sent"][0]["body"]["CertificateType"] == "PEMchain"


@pytest.mark.parametrize("state", ["present", "requested"])
def test_check_mode_sends_only_reads(test_bmc, state):
    """What would change is told; the server sees no write."""
    bmc = test_bmc()
    pem, key, mark = issued()
    params = {"certificate": pem, "private_key": key} if state == "present" else {"subject": SUBJECT}
    result = run(CertificateResource, bmc, check_mode=True, state=state, **params)
    assert result["changed"] and not bmc.counters.effective_writes() and "csr" not in result
    assert (result["diff"]["after"]["served_fingerprint"] == mark) is (state == "present")


def test_a_web_server_that_restarts_is_waited_for(test_bmc):
    """The answer is lost with it; nothing is sent again."""
    bmc = test_bmc()
    pem, key, unused = issued()
    bmc.faults.add("restart", method="POST", path=f"{REPLACE}$", seconds=0.4, answer=False)
    result = certificate(bmc, certificate=pem, private_key=key)
    assert result["verified"] and len(bmc.counters.effective_writes()) == 1 and not bmc.sessions.open(), result


def test_a_web_server_that_does_not_come_back(test_bmc):
    """That is a failure, and says that the certificate was sent."""
    bmc = test_bmc()
    pem, key, unused = issued()
    bmc.faults.add("restart", method="POST", path=f"{REPLACE}$", seconds=60, answer=False)
    result = certificate(bmc, certificate=pem, private_key=key, wait_timeout=1)
    assert result["failed"] and result["changed"] and result["error"]["kind"] == "unreachable"


def test_a_bmc_that_needs_a_restart_for_it(test_bmc):
    """It has the certificate on record and shows the former one: not proven, and said."""
    bmc = test_bmc()
    bmc.certificates.install = lambda *unused: None
    pem, key, mark = issued()
    result = certificate(bmc, certificate=pem, private_key=key, wait_timeout=1)
    assert result["changed"] and result["verified"] is False and "restart the BMC" in result["warnings"][0]
    assert result["certificate"]["fingerprint"] == mark != result["certificate"]["served_fingerprint"]


def test_a_bmc_that_does_nothing_is_not_believed(test_bmc):
    """It answers 204, and shows what it showed."""
    bmc = test_bmc()
    bmc.routes.actions[REPLACE] = lambda *unused: Response(204)
    pem, key, unused = issued()
    result = certificate(bmc, certificate=pem, private_key=key, wait_timeout=1)
    assert result["failed"] and result["error"]["kind"] == "rejected"


def test_a_refusal_shows_no_key(test_bmc):
    """Not even where the BMC repeats what it was given."""
    bmc = test_bmc()

    def refuse(_bmc, _owner, data, _request):
        raise refusal("PropertyValueFormatError", data["CertificateString"], "CertificateString")

    bmc.routes.actions[REPLACE] = refuse
    pem, key, unused = issued()
    result = certificate(bmc, certificate=pem, private_key=key)
    assert result["failed"] and result["error"]["status"] == 400 and key.splitlines()[1] not in str(result)


@pytest.mark.parametrize("params, word", [
    ({"certificate": "nonsense"}, "PEM"), ({"certificate": "KEY"}, "private_key"), ({"certificate": "PEM", "private_key": "nonsense"}, "private_key"),
    ({"certificate": "PEM", "subject": SUBJECT}, "subject"), ({"certificate": "PEM", "certificate_id": "9"}, "certificate_id: 1"),
    ({"state": "requested", "subject": {"common_name": "x"}}, "Organization")])
def test_what_cannot_be(test_bmc, params, word):
    """It is told, and the certificate is as it was."""
    bmc = test_bmc()
    pem, key, unused = issued()
    texts = {"KEY": pem + key, "PEM": pem}
    mark = bmc.fingerprint
    result = certificate(bmc, **{name: texts.get(value, value) if isinstance(value, str) else value for name, value in params.items()})
    assert result["failed"] and word in result["msg"] and bmc.fingerprint == mark, result


def test_several_certificates(test_bmc):
    """One must be chosen; the error lists them."""
    bmc = test_bmc("hpecray-ex235a")
    result = certificate(bmc, certificate=issued()[0])
    assert result["failed"] and result["error"]["certificates"] == ["1", "2"] and not bmc.counters.effective_writes()


def test_a_bmc_without_certificates(test_bmc):
    """It is told what is left to do."""
    result = certificate(test_bmc("supermicro-x10sdv-4.00"), certificate=issued()[0])
    assert result["failed"] and result["error"]["kind"] == "unsupported" and "pages" in result["msg"]
