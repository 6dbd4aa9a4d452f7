# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""A tree of /sys and /proc for each test."""

from __future__ import annotations

import pathlib
import sys

import pytest

TESTS = str(pathlib.Path(__file__).resolve().parents[5])
if TESTS not in sys.path:
    sys.path.insert(0, TESTS)

from hosttree import HostTree  # noqa: E402  pylint: disable=wrong-import-position


@pytest.fixture(name="host")
def fixture_host(tmp_path) -> HostTree:
    """Two nodes of 16 GiB, two cores each, two threads a core (CPUs 0-7)."""
    return HostTree(tmp_path).cpus().memory(16, 16)
