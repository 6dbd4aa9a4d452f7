# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Servers that the contract tier runs against."""

from __future__ import annotations

import ipmi
import pytest
import testbmc

from ansible_collections.typeone.metal.plugins.module_utils._redfish import connector


@pytest.fixture(scope="session", name="tree_names")
def fixture_tree_names() -> list:
    """Names of all trees at hand, `mini` first."""
    return testbmc.names()


@pytest.fixture(scope="session", name="tree")
def fixture_tree():
    """tree(name): a tree, or the test is skipped where its archive is not at hand."""
    def load(name: str):
        try:
            return testbmc.load(name)
        except FileNotFoundError:
            return pytest.skip(f"the recorded tree {name} is not at hand (see TYPEONE_REDFISH_TREES)")
    return load


@pytest.fixture(name="test_bmc")
def fixture_test_bmc(tree):
    """test_bmc(tree="mini", **options): a running testbmc.Bmc, stopped at the test's end; it must not have failed inside."""
    running: list = []

    def start(name="mini", **options):
        running.append(testbmc.Bmc(tree(name) if isinstance(name, str) else name, **options).start())
        return running[-1]

    yield start
    for bmc in running:
        bmc.stop()
    problems = [problem for bmc in running for problem in bmc.server.problems]
    assert not problems, f"the test BMC itself failed: {problems}"


@pytest.fixture(name="ipmi_bmc")
def fixture_ipmi_bmc():
    """ipmi_bmc(**options): a running ipmi.IpmiBmc, stopped at the test's end; no client may have broken the standard."""
    running: list = []

    def start(**options):
        running.append(ipmi.IpmiBmc(**options).start())
        return running[-1]

    yield start
    for bmc in running:
        bmc.stop()
    problems = [problem for bmc in running for problem in bmc.server.problems]
    assert not problems, f"what came was not IPMI: {problems}"


@pytest.fixture(name="naps")
def fixture_naps(monkeypatch):
    """The pauses between tries, in seconds; nothing is slept."""
    taken: list = []

    class Clock:
        """Stands in for the module `time` in the connector."""
        sleep = taken.append

    monkeypatch.setattr(connector, "time", Clock)
    return taken
