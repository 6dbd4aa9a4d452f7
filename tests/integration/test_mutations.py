# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Thousands of broken answers: no traceback, no success that is none, no hang, no session left, no secret told.

TYPEONE_MUTATIONS sets how many tasks are run (300); a failure names its seed, TYPEONE_MUTATIONS_FIRST starts there.
"""

from __future__ import annotations

import json
import os
import time

import pytest
from mutations import Mutations
from running import run
from tasks import MORE, TASKS, holds

from ansible_collections.typeone.metal.plugins.module_utils._domain import deadline
from ansible_collections.typeone.metal.plugins.module_utils._redfish import connector

COUNT = int(os.environ.get("TYPEONE_MUTATIONS", "300"))
FIRST = int(os.environ.get("TYPEONE_MUTATIONS_FIRST", "0"))
TREES = ("mini", "mini", "mini", "openbmc-stock-2.15", "supermicro-x10sdv-4.00", "lenovo-sr670v2-xcc_1.40")
KINDS = {"invalid_input", "unreachable", "authentication_failed", "unsupported", "rejected", "timeout", "broken_answer", "answer_lost"}


@pytest.fixture(name="naps", autouse=True)
def fixture_naps(monkeypatch):
    """Pauses are counted, not slept; time goes on by them, so that what waits for its end comes to it."""
    passed: list = []

    class Clock:
        """Stands in for the module `time`: sleeping moves it on."""

        @staticmethod
        def sleep(seconds: float) -> None:
            """Take the time to have passed."""
            passed.append(max(0.0, seconds))

        @staticmethod
        def monotonic() -> float:
            """Real time and what was slept."""
            return time.monotonic() + sum(passed)

    monkeypatch.setattr(connector, "time", Clock)
    monkeypatch.setattr(deadline, "time", Clock)
    return passed


def _is_absence(params) -> bool:
    """Whether something is to be gone. A BMC that leaves it out of what it lists then lies, and no client can tell."""
    return params.get("state") in ("absent", "ejected") or "logs" in params


def check(bmc, mutations, task, result, *, truth) -> None:
    """Hold a result to what is so at the BMC."""
    resource, params = task
    json.dumps(result)
    text = repr(result)
    assert bmc.password not in text and not [session for session in bmc.sessions.open() if session.token in text]
    if result.get("failed"):
        assert result["error"]["kind"] in KINDS and result["msg"].startswith("Cannot "), result
    elif not resource.WRITES:
        assert resource.NAME in result
    elif params.get("check_mode"):
        assert not bmc.counters.effective_writes()
    elif result["verified"]:
        assert truth(bmc, params) or (_is_absence(params) and [entry for entry in mutations.log if entry[0] == "GET"]), result
        assert not result["changed"] or bmc.counters.effective_writes()
    if not [entry for entry in mutations.log if "Sessions" in entry[1] and entry[2] != "_nothing"] and bmc.counters.logins == 1:
        unauthorized = [entry for entry in mutations.log if entry[2] == "_status" and entry[3] == 401]
        assert unauthorized or not bmc.sessions.open(), (result, bmc.counters.requests)


def play(servers, tasks, count) -> dict:
    """Run tasks over servers in turn, each with mutations of its seed; return how they ended."""
    outcomes = {"failed": 0, "verified": 0, "read": 0, "other": 0}
    for seed in range(FIRST, FIRST + count):
        bmc, mutations = servers[seed % len(servers)]
        resource, params, truth = tasks[(seed // len(servers)) % len(tasks)]
        mutations.begin(seed)
        bmc.counters.reset()
        begin = time.monotonic()
        try:
            result = run(resource, bmc, **params)
            mutations.chance = 0.0
            check(bmc, mutations, (resource, params), result, truth=truth)
        except Exception as problem:
            raise AssertionError(f"seed {seed}, {bmc.tree.name}, {resource.__name__} {params}: {mutations.log}") from problem
        assert time.monotonic() - begin < 30, f"seed {seed} hangs: {mutations.log}"
        outcomes["failed" if result.get("failed") else "read" if not resource.WRITES else "verified" if result["verified"] else "other"] += 1
        bmc.sessions.expire(everyone=True)
    print(f"{count} tasks from seed {FIRST} over {sorted({bmc.tree.name for bmc, _mutations in servers})}: {outcomes}")
    return outcomes


def server(test_bmc, name):
    """A server whose answers are mutated."""
    mutations = Mutations()
    return test_bmc(name, tls=False, quirks=[mutations]), mutations


def test_broken_answers(test_bmc, tree_names):
    """Power, boot device, inspections: each task meets answers that are broken in a way of its seed's own."""
    made = {name: server(test_bmc, name) for name in dict.fromkeys(TREES) if name in tree_names}
    servers = [made[name] for name in TREES if name in made]
    tasks = [(resource, params, lambda bmc, params, resource=resource: holds(bmc, resource, params)) for resource, params in TASKS]
    outcomes = play(servers, tasks, COUNT)
    assert outcomes["failed"] and outcomes["verified"], "the mutations are too weak or too strong to show anything"


def test_broken_answers_to_other_modules(test_bmc):
    """All that can be declared of a BMC."""
    outcomes = play([server(test_bmc, "mini")], MORE, COUNT // 2)
    assert outcomes["failed"] and outcomes["verified"], "the mutations are too weak or too strong to show anything"
