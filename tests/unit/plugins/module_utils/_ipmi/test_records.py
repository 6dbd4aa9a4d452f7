# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields, sensor data records, FRUs and makers: bytes in, values out."""

from __future__ import annotations

import math

import pytest

from ansible_collections.typeone.metal.plugins.module_utils._ipmi.fields import decoded, fields
from ansible_collections.typeone.metal.plugins.module_utils._ipmi.fru import first_of, parse as parse_fru
from ansible_collections.typeone.metal.plugins.module_utils._ipmi.makers import maker_of
from ansible_collections.typeone.metal.plugins.module_utils._ipmi.sdr import Factors, Sensor, parse, signed

# A full record of a board temperature and a compact one that stands for three sensors, as a BMC sends them.
FULL = bytes.fromhex("0400510133 2000010701 7f68 0101 000000003f3f 800100 00 010000000000 07 28005a0a7f80706050050403010100 00 c9") + b"Board Tmp"
COMPACT = bytes.fromhex("0500510220 2000402001 6740 0c6f ff00ff00ff00 c00000 0381 000000000000 c4") + b"DIMM"


@pytest.mark.parametrize("kind, data, found", [
    (2, bytes.fromhex("29dca6"), "IPMI"),  # the example of the standard, section 43.15
    (1, bytes.fromhex("1234ab"), "1234 -"), (1, bytes.fromhex("12cd"), "12.:"), (3, b"Server\x00\xff\xff", "Server"),
    (3, "Gerät".encode("latin-1"), "Gerät"), (0, b"\x12\xab", "12ab"), (3, b"", None), (3, b"  \x00", None), (2, b"\x00", None)])
def test_texts(kind, data, found):
    """The four codings; what is empty is none."""
    assert decoded(kind, data) == found


def test_texts_in_other_languages():
    """Two bytes a letter where the language is not English; Unicode in sensor records."""
    assert decoded(3, "Сервер".encode("utf-16-le"), language=20) == "Сервер"
    assert decoded(0, "Fühler".encode(), binary=False) == "Fühler"


def test_fields_end_at_their_mark_or_with_the_data():
    """One after the other; a length beyond the end gives what is there."""
    assert fields(b"\xc3abc\xc0\xc2de\xc1\xc3xyz") == ["abc", None, "de"]
    assert fields(b"\xc3abc\xffrest") == ["abc", "rest"] and fields(b"") == []


def test_a_full_record():
    """Number, name, entity, type and formula."""
    [sensor] = parse(FULL)
    assert (sensor.number, sensor.name, sensor.owner, sensor.entity, sensor.kind, sensor.unit) == (1, "Board Tmp", 0x20, (7, 1), 1, 1)
    assert sensor.analog and sensor.numbers == 2 and sensor.value(0xF6) == -10 and sensor.value(25) == 25


def test_a_record_that_stands_for_several():
    """Each has its number, its entity and the name with its own end."""
    found = parse(COMPACT)
    assert [(sensor.number, sensor.name, sensor.entity) for sensor in found] == [
        (0x40, "DIMM1", (0x20, 1)), (0x41, "DIMM2", (0x20, 2)), (0x42, "DIMM3", (0x20, 3))]
    assert not found[0].analog and found[0].reading == 0x6F


def test_records_that_are_cut_off():
    """Nothing, or a sensor; never an error."""
    for cut in range(len(FULL)):
        assert len(parse(FULL[:cut])) <= 1


# m, b, exponent of b, exponent, reading, value: the formula of section 36.3.
@pytest.mark.parametrize("m, b, b_exponent, exponent, raw, value", [
    (1, 0, 0, 0, 42, 42), (63, 0, 0, -3, 190, 11.97), (-2, 100, 0, 0, 10, 80), (5, -3, 1, -2, 100, 4.7), (100, 0, 0, 0, 255, 25500)])
def test_formulas(m, b, b_exponent, exponent, raw, value):
    """Values are rounded to four digits."""
    sensor = Sensor(1, "x", 0x20, 0, (1, 1), 1, 1, numbers=0, factors=Factors(m, b, b_exponent, exponent))
    assert sensor.value(raw) == pytest.approx(value)


@pytest.mark.parametrize("linearization, raw, value", [
    (1, 8, math.log(8)), (2, 100, 2), (3, 8, 3), (4, 2, math.exp(2)), (5, 3, 1000), (6, 5, 32), (7, 4, 0.25), (8, 5, 25),
    (9, 3, 27), (10, 81, 9), (11, 27, 3), (1, 0, None), (7, 0, None), (5, 255, 1e255), (4, 255, math.exp(255))])
def test_linearizations(linearization, raw, value):
    """All of them; where there is no value there is none, and no error."""
    sensor = Sensor(1, "x", 0x20, 0, (1, 1), 1, 1, numbers=0, linearization=linearization, factors=Factors(1, 0, 0, 0))
    assert sensor.value(raw) == (None if value is None else pytest.approx(value, rel=1e-3))


def test_numbers_with_signs():
    """Two's and one's complement, ten and four bits."""
    factors = Factors.parse(bytes((0xFF, 0xC0, 0x9C, 0xC0, 0, 0xE1)))
    assert factors == Factors(m=-1, b=-100, b_exponent=1, exponent=-2)
    assert signed(0x200, 10) == -512 and signed(7, 4) == 7
    for numbers, raw, value in ((0, 0xFE, 254), (1, 0xFE, -1), (2, 0xFE, -2)):
        assert Sensor(1, "x", 0x20, 0, (1, 1), 1, 1, numbers=numbers, factors=Factors(1, 0, 0, 0)).value(raw) == value


@pytest.mark.parametrize("data", [b"", b"\x01\x00\x00\x01\x00\x00\x00\xfe", b"\x01\x00\x01\x01\x01\x00\x00\xfc", b"\x02" * 40])
def test_broken_frus(data):
    """Nothing of them is known."""
    assert parse_fru(data) == {} and first_of({}, ("product", "name")) is None


@pytest.mark.parametrize("number, name", [(10876, "Supermicro"), (674, "Dell"), (47196, "HPE"), (19046, "Lenovo"), (99999, "IANA 99999"),
                                          (0, None), (0xFFFFF, None)])
def test_makers(number, name):
    """By their number; an unknown one keeps it."""
    assert maker_of(number) == name
