# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connection options: what they mean, and what is refused."""

from __future__ import annotations

import pytest

from ansible_collections.typeone.metal.plugins.module_utils._bmc.errors import InvalidInput
from ansible_collections.typeone.metal.plugins.module_utils._bmc.options import CONNECTION_SPEC, connection_from

DEFAULTS = {name: spec.get("default") for name, spec in CONNECTION_SPEC.items()}


@pytest.mark.parametrize("address, port, url", [
    ("192.0.2.10", None, "https://192.0.2.10"),
    ("bmc.example.org", 8443, "https://bmc.example.org:8443"),
    ("bmc.example.org:444", None, "https://bmc.example.org:444"),
    ("2001:db8::1", None, "https://[2001:db8::1]"),
    ("[2001:db8::1]:444", None, "https://[2001:db8::1]:444"),
    ("http://127.0.0.1:8000/", None, "http://127.0.0.1:8000"),
    ("https://192.0.2.10:443", None, "https://192.0.2.10"),
])
def test_address(address, port, url):
    """Names, addresses and URLs lead to one base URL."""
    assert connection_from(dict(DEFAULTS, bmc_address=address, bmc_port=port)).base_url == url


@pytest.mark.parametrize("change, word", [
    ({"bmc_address": None}, "bmc_address"), ({"bmc_address": "ftp://x"}, "ftp://x"),
    ({"bmc_address": "https://u:p@x"}, "no account"), ({"bmc_address": "x:notaport"}, "bmc_address"),
    ({"bmc_timeout": 0}, "bmc_timeout"), ({"bmc_concurrency": 0}, "bmc_concurrency"),
    ({"ipmi_cipher_suites": []}, "ipmi_cipher_suites"), ({"ipmi_cipher_suites": [17, 1]}, "ipmi_cipher_suites"),
    ({"tls_fingerprint": "abc"}, "tls_fingerprint"),
])
def test_refused(change, word):
    """The error names the option or value and what is valid."""
    with pytest.raises(InvalidInput) as caught:
        connection_from(dict(DEFAULTS, **{"bmc_address": "192.0.2.1", **change}))
    assert word in caught.value.message("x", "y", None) and caught.value.remedy


def test_fingerprint_in_any_form():
    """Colons, capitals and a prefix are taken."""
    digits = "ab" * 32
    for form in (digits, digits.upper(), ":".join(["AB"] * 32), f"sha256:{digits}"):
        assert connection_from(dict(DEFAULTS, bmc_address="x", tls_fingerprint=form)).fingerprint == digits


def test_secrets_are_not_shown():
    """A connection's text holds no password."""
    assert "hunter22" not in repr(connection_from(dict(DEFAULTS, bmc_address="x", bmc_password="hunter22")))
