# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One booted container for the tests of a process."""

from __future__ import annotations

import pytest

from host import Host


@pytest.fixture(name="booted", scope="session")
def _booted(tmp_path_factory):
    container = Host(tmp_path_factory.mktemp("container"))
    try:
        container.up()
        yield container
    finally:
        container.down()


@pytest.fixture(name="host")
def _host(booted):
    """The container with the network that every test begins with."""
    booted.reset()
    return booted
