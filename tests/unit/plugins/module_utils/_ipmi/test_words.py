# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Codes of IPMI in words: completion codes, status codes of a login, states of sensors."""

from __future__ import annotations

import pytest

from ansible_collections.typeone.metal.plugins.module_utils._bmc.errors import BmcError
from ansible_collections.typeone.metal.plugins.module_utils._ipmi import commands
from ansible_collections.typeone.metal.plugins.module_utils._ipmi.completion import (
    NOT_TAKEN, RESULT_UNKNOWN, completion_code, error_for, login_error,
)
from ansible_collections.typeone.metal.plugins.module_utils._ipmi.events import kind_name, meaning, measured
from ansible_collections.typeone.metal.plugins.module_utils._ipmi.sdr import Factors, Sensor


def test_every_completion_code_is_an_error_in_words():
    """It names the command and the code, and keeps the code for programs."""
    for code in range(1, 256):
        error = error_for(commands.SET_LAN, code)
        assert isinstance(error, BmcError) and completion_code(error) == code and f"0x{code:02X}" in error.cause
        assert "Set LAN" in error.message("x", "192.0.2.1", "ipmi")


@pytest.mark.parametrize("code, kind", [(0xC1, "unsupported"), (0xD4, "authentication_failed"), (0xC9, "rejected"), (0x80, "rejected")])
def test_kinds(code, kind):
    """What is not known, not allowed, and refused."""
    assert error_for(commands.GET_LAN, code).kind == kind


def test_every_status_of_a_login_is_an_error_in_words():
    """Those about the account name the option."""
    for status in range(1, 0x20):
        error = login_error(status)
        assert f"0x{status:02X}" in error.cause
        assert error.kind != "authentication_failed" or "bmc_" in error.remedy or "ipmi_" in error.remedy


def test_what_may_be_sent_again():
    """A code never says both that a command was not taken and that it may have been."""
    assert not NOT_TAKEN & RESULT_UNKNOWN


@pytest.mark.parametrize("kind, reading, offset, asserted, words, severity", [
    (0x01, 0x01, 9, True, "Upper critical", "critical"), (0x01, 0x01, 7, True, "Upper non-critical", "warning"),
    (0x01, 0x01, 9, False, "", "ok"), (0x08, 0x6F, 0, True, "present", "ok"), (0x08, 0x0B, 1, True, "Not redundant", "critical"),
    (0x77, 0x6F, 3, True, "state 3 of reading type 0x6F", None)])
def test_states(kind, reading, offset, asserted, words, severity):
    """Words and severity; what only the maker knows has none."""
    said, found = meaning(kind, reading, offset, asserted=asserted)
    assert words.lower() in said.lower() and (found.value if found else None) == severity


def test_names_of_types():
    """Known ones by their name, others by their number."""
    assert kind_name(4) == "Fan" and kind_name(0x99) == "sensor type 0x99"


def test_what_an_event_measured():
    """Reading and threshold with their unit, as far as the event has them."""
    fan = Sensor(1, "FAN1", 0x20, 0, (29, 1), 4, 1, numbers=0, unit=18, factors=Factors(100, 0, 0, 0))
    assert measured(fan, bytes((0x52, 3, 5))) == "reading 300 RPM, threshold 500 RPM"
    assert measured(fan, bytes((0x42, 3, 5))) == "reading 300 RPM" and measured(fan, bytes((0x02, 3, 5))) == ""
    assert measured(None, bytes((0x52, 3, 5))) == ""
