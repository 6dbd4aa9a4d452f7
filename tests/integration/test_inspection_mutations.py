# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inspection of trees whose answers were changed at random: it ends, in a result or in an error, and says what it missed.

TYPEONE_MUTATIONS sets how many runs are made, TYPEONE_MUTATION_SEED where they start; a failure names its seed.
"""

from __future__ import annotations

import copy
import json
import os
import random
import time

import pytest
import testbmc
from running import run
from test_inspection import SYSTEMS

from ansible_collections.typeone.metal.plugins.module_utils._bmc.errors import BrokenAnswer, Timeout, Unreachable
from ansible_collections.typeone.metal.plugins.module_utils._bmc.interface import Hardware, Health
from ansible_collections.typeone.metal.plugins.module_utils._domain.inventory import KEYS, SINGLE
from ansible_collections.typeone.metal.plugins.module_utils._redfish import connector
from ansible_collections.typeone.metal.plugins.module_utils._redfish.answers import Answer
from ansible_collections.typeone.metal.plugins.module_utils._resources.capabilities import CapabilitiesResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.hardware import HardwareResource
from ansible_collections.typeone.metal.plugins.module_utils._resources.health import HealthResource

RUNS = int(os.environ.get("TYPEONE_MUTATIONS", "300"))
SEED = int(os.environ.get("TYPEONE_MUTATION_SEED", "20261130"))
BATCHES = 10
SLOWEST = 30.0
RESOURCES = (HardwareResource, HardwareResource, HealthResource, HealthResource, CapabilitiesResource)
STRANGE = (None, "", "x", "N/A", 0, -1, 1.5, 2 ** 70, -2 ** 70, 1e308, True, False, [], {}, [None], [[]], [{}], {"x": None},
           ["a", 1, None], {"@odata.id": None}, {"@odata.id": ""}, {"@odata.id": 5}, {"@odata.id": "/"}, [{"@odata.id": []}],
           {"@odata.id": "/redfish/v1/Nowhere"}, {"@odata.id": "//192.0.2.1/redfish/v1"}, {"@odata.id": "http://[broken"},
           {"@odata.id": "https://192.0.2.1/redfish/v1/Systems"}, {"@odata.id": "#/x"}, {"@odata.id": "relative/x"},
           {"@odata.id": "/redfish/v1/" + "x/" * 600}, "\ud800", "\x00\x1b[31m", "9" * 5000, "nan", "1e999", float("inf"),
           {"@odata.id": "/redfish/v1/Systems"}, {"@odata.id": "/redfish/v1/Chassis"}, {"Members": "x"}, [[[[[[{}]]]]]])
# Without these nothing is read at all: they are changed more seldom.
FIRST = ("/redfish/v1", "/redfish/v1/Systems")
STATUSES = (400, 401, 403, 404, 405, 406, 429, 500, 501, 502, 503, 504)


class Changed:
    """A tree that answers from memory; some of its documents are changed when they are first asked for."""

    def __init__(self, tree, chance, share):
        self.tree = tree
        self.chance = chance
        self.share = share
        self.asked = {}
        self.failed = set()

    def answer(self, method, url):
        """Return status and body of one request, or raise what the connection would."""
        if method != "GET":
            return Answer(201 if method == "POST" else 204, {"X-Auth-Token": "t", "Location": "/redfish/v1/Sessions/1"}, {})
        path, _mark, query = url.split("://", 1)[1].partition("/")[2].partition("?")
        path = "/" + path.rstrip("/")
        status, body = self._once_made(path)
        if status >= 400 or isinstance(body, Exception):
            self.failed.add(path)
        if isinstance(body, Exception):
            raise body
        return Answer(status, {}, self._expanded(body) if "$expand" in query else body)

    def _expanded(self, collection):
        """A collection with those of its members in it that can be read."""
        members = []
        for member in collection.get("Members") if isinstance(collection.get("Members"), list) else []:
            link = member.get("@odata.id") if isinstance(member, dict) else None
            status, body = self._once_made(link.rstrip("/")) if isinstance(link, str) and link.startswith("/") else (404, {})
            members.append(dict(body) if status == 200 and isinstance(body, dict) else member)
        return dict(collection, Members=members)

    def _once_made(self, path):
        if path not in self.asked:
            self.asked[path] = self._made(path)
        return self.asked[path]

    def _made(self, path):
        raw = self.tree.files.get(self.tree.aliases.get(path, path))
        if raw is None:
            return 404, {}
        try:
            document = json.loads(raw)
        except ValueError:
            return 200, BrokenAnswer("the answer is not a JSON object", path=path)
        if self.chance.random() >= self.share * (0.1 if path in FIRST else 1.0):
            return 200, document
        if path != "/redfish/v1" and self.chance.random() < 0.25:
            return self._refusal(path)
        for _unused in range(self.chance.choice((1, 1, 2, 5, 20))):
            change(self.chance, document)
        return 200, document

    def _refusal(self, path):
        kind = self.chance.randrange(8)
        if kind == 0:
            return 200, BrokenAnswer("the answer is not a JSON object", path=path)
        if kind == 1:
            return 200, Unreachable("the connection broke", path=path)
        if kind == 2:
            return 200, Timeout("no answer", path=path)
        return self.chance.choice(STATUSES), self.chance.choice(({}, {"error": None}, {"error": {"@Message.ExtendedInfo": [None, 1]}},
                                                                 {"error": {"message": 5}}, {"error": []}))


def change(chance, document):
    """Change one place of a document."""
    place, keys = document, list(document)
    while keys:
        key = chance.choice(keys)
        below = place[key]
        deeper = list(below) if isinstance(below, dict) else list(range(len(below))) if isinstance(below, list) else []
        if deeper and chance.random() < 0.7:
            place, keys = below, deeper
            continue
        kind = chance.randrange(6)
        if kind == 0:
            del place[key]
        elif kind == 1 and isinstance(place, list):
            place.extend(copy.deepcopy(place[key:key + 1]) * chance.choice((1, 3)))
        elif kind == 2 and isinstance(below, list):
            place[key] = {str(index): value for index, value in enumerate(below)}
        elif kind == 3:
            place[key] = [below]
        else:
            place[key] = copy.deepcopy(chance.choice(STRANGE))
        return


@pytest.fixture(name="unslept", autouse=True)
def fixture_unslept(monkeypatch):
    """Retries do not wait here; the tests of the transport hold them to their pauses."""
    monkeypatch.setattr(connector.time, "sleep", lambda seconds: None)


def one(monkeypatch, seed):
    """Make one run and hold it to what must hold whatever a BMC answers."""
    chance = random.Random(seed)
    name = chance.choice(testbmc.names())
    resource = chance.choice(RESOURCES)
    changed = Changed(testbmc.load(name), chance, chance.choice((0.02, 0.1, 0.5, 1.0)))
    monkeypatch.setattr(connector.Connector, "_once", lambda self, method, url, **unused: changed.answer(method, url))
    options = {"bmc_system": SYSTEMS[name]} if name in SYSTEMS else {}
    began = time.monotonic()
    result = run(resource, None, bmc_address="https://192.0.2.1", bmc_username="u", bmc_password="Secret-1234", bmc_timeout=20,
                 bmc_protocol="redfish", validate_certs=False, **options)
    assert time.monotonic() - began < SLOWEST, "it takes too long"
    json.dumps(result, allow_nan=False).encode("utf-8")
    if result.get("failed"):
        assert result["msg"].startswith("Cannot ") and result["error"]["kind"] != "error"
        return
    if resource is not CapabilitiesResource:
        check(resource, result, changed)


def check(resource, result, changed):
    """Sections are whole, values are of their kind, and what failed is a problem."""
    sections = result[resource.NAME]
    assert tuple(sections) == (Hardware if resource is HardwareResource else Health).SECTIONS
    for section, rows in sections.items():
        rows = ([rows] if rows is not None else []) if section in SINGLE else rows
        for row in rows:
            assert tuple(row) == KEYS[section]
            for key, value in row.items():
                check_value(key, value)
    if resource is HardwareResource:
        told = {problem["path"].split("#")[0].partition("?")[0].rstrip("/") for problem in result["problems"]}
        hidden = {path for path in changed.failed if path.startswith("/redfish/v1/S") and len(path) < 500
                  and not any(entry.endswith(path) for entry in told)}
        assert not hidden, f"failed and not told: {hidden}"


def check_value(key, value):
    """Numbers are numbers above or at zero; texts are texts."""
    if value is None:
        return
    if key.endswith(("_bytes", "_count", "_mbps", "_mhz", "_rpm")):
        assert isinstance(value, (int, float)) and not isinstance(value, bool), (key, value)
        assert value >= 0 or key == "reading_rpm", (key, value)
        assert isinstance(value, int) or not key.endswith(("_bytes", "_count")), (key, value)
    elif key in ("serial_number", "model", "manufacturer", "name", "mac_address", "slot", "socket", "id", "version"):
        assert isinstance(value, str) and value, (key, value)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_mutations(monkeypatch, batch):
    """Whatever is answered, an inspection ends in a result or in an error of its own."""
    for seed in range(SEED + batch, SEED + RUNS, BATCHES):
        try:
            one(monkeypatch, seed)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {type(error).__name__}: {error}") from error
