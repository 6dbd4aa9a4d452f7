# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""PEM texts: what is taken, in which order, and how a certificate is known again."""

from __future__ import annotations

import base64
import hashlib

import pytest

from ansible_collections.typeone.metal.plugins.module_utils._domain.certificates import (
    BadPem, bundle, fingerprint, is_signing_request, name_of,
)


def pem(label, data):
    """Return a PEM block of some bytes."""
    return f"-----BEGIN {label}-----\n{base64.b64encode(data).decode()}\n-----END {label}-----\n"


OWN, ABOVE, KEY = pem("CERTIFICATE", b"own"), pem("CERTIFICATE", b"above"), pem("PRIVATE KEY", b"key")


def test_fingerprint():
    """Of the first certificate, whatever stands around it and however its lines end."""
    mark = hashlib.sha256(b"own").hexdigest()
    assert fingerprint(OWN) == fingerprint("text\n" + KEY + OWN + ABOVE) == fingerprint(OWN.replace("\n", "\r\n")) == mark
    assert fingerprint(None) is None and fingerprint("") is None and fingerprint(KEY) is None
    assert fingerprint("-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----") is None


def test_bundle():
    """The chain in its order, then the key."""
    assert bundle(OWN, None) == (OWN, 1) and bundle("\n" + OWN + "\n" + ABOVE, KEY) == (OWN + ABOVE + KEY, 2)


@pytest.mark.parametrize("certificate, key, word", [
    ("", None, "no certificate"), (KEY, None, "private key"), (OWN + KEY, None, "private key"), (OWN + pem("X509 CRL", b"x"), None, "beside"),
    (OWN, "x", "no private key"), (OWN, KEY + KEY, "no private key"), (OWN, OWN, "no private key"),
    (OWN, pem("ENCRYPTED PRIVATE KEY", b"k"), "encrypted")])
def test_what_is_not_taken(certificate, key, word):
    """Each has a remedy, and none repeats the key."""
    with pytest.raises(BadPem) as caught:
        bundle(certificate, key)
    assert word in caught.value.args[0] and len(caught.value.args) == 2


def test_signing_requests_and_names():
    """Both labels that are in use; a name has all its keys."""
    assert is_signing_request(pem("CERTIFICATE REQUEST", b"r")) and is_signing_request(pem("NEW CERTIFICATE REQUEST", b"r"))
    assert not is_signing_request(OWN) and not is_signing_request(None)
    assert name_of({"CN": "x", "O": ""}, {"common_name": "CN", "organization": "O"}) == {"common_name": "x", "organization": None}
    assert name_of(None, {"common_name": "CN"}) == {"common_name": None}
