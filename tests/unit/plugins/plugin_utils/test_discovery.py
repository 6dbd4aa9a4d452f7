# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses a text means, and what an answer to a search names."""

from __future__ import annotations

import pytest

from ansible_collections.typeone.metal.plugins.plugin_utils._discovery import covers, expand, _service


@pytest.mark.parametrize("text, count, first, last", [
    ("192.0.2.0/29", 6, "192.0.2.1", "192.0.2.6"), ("192.0.2.8/32", 1, "192.0.2.8", "192.0.2.8"),
    ("192.0.2.8/31", 2, "192.0.2.8", "192.0.2.9"), ("192.0.2.10-20", 11, "192.0.2.10", "192.0.2.20"),
    ("192.0.2.250-192.0.3.5", 12, "192.0.2.250", "192.0.3.5"), ("2001:db8::/126", 4, "2001:db8::", "2001:db8::3"),
    ("192.0.2.*", 256, "192.0.2.0", "192.0.2.255"),
])
def test_ranges(text, count, first, last):
    """Hosts of a network, ends of a range included."""
    found, many = expand(text)
    assert (many, len(found), found[0], found[-1]) == (True, count, first, last)


@pytest.mark.parametrize("text", ["192.0.2.1", "bmc-7.example.net", "https://192.0.2.1:8443", "2001:db8::1"])
def test_single_ones(text):
    """Left as they are."""
    assert expand(text) == ([text], False)


@pytest.mark.parametrize("text, words", [("10.0.0.0/8", "at most 65536"), ("192.0.2.20-10", "no valid range"), ("", "is no address"),
                                         ("192.0.2.0/40", "no valid range"), ("a b", "is no address"), ("bmc*", "is no address")])
def test_what_is_no_address_is_named(text, words):
    """With the reason."""
    with pytest.raises(ValueError, match=words):
        expand(text)


@pytest.mark.parametrize("pattern, address, yes", [
    ("*", "x", True), ("192.0.2.0/24", "192.0.2.7", True), ("192.0.2.0/24", "192.0.3.7", False), ("192.0.2.1-9", "192.0.2.7", True),
    ("192.0.2.0/24", "https://192.0.2.7:8443", True), ("192.0.2.0/24", "bmc.example.net", False), ("bmc.example.net", "bmc.example.net", True),
])
def test_patterns(pattern, address, yes):
    """By address, network, range."""
    assert covers(pattern, address) is yes


@pytest.mark.parametrize("location, found", [
    ("https://192.0.2.9/redfish/v1/", ["https://192.0.2.9"]), ("https://192.0.2.9:8443/redfish/v1", ["https://192.0.2.9:8443"]),
    ("https://198.51.100.1/redfish/v1/", []), ("ftp://192.0.2.9/", []), ("https://192.0.2.9:port/", []), ("", []),
])
def test_an_answer_speaks_for_its_sender_alone(location, found):
    """What names another host, or nonsense, is left out."""
    answer = f"HTTP/1.1 200 OK\r\nST: urn:dmtf-org:service:redfish-rest:1:0\r\nAL: {location}\r\n\r\n"
    assert list(_service(answer, "192.0.2.9")) == found
