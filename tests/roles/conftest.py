# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Booted containers for the tests of a process, one for each daemon that has the network."""

from __future__ import annotations

import pytest

from host import Host, ManagedHost


def _booted(container):
    try:
        container.up()
        yield container
    finally:
        container.down()


@pytest.fixture(name="booted", scope="session")
def _networkd(tmp_path_factory):
    yield from _booted(Host(tmp_path_factory.mktemp("container")))


@pytest.fixture(name="managed", scope="session")
def _managed(tmp_path_factory):
    yield from _booted(ManagedHost(tmp_path_factory.mktemp("container")))


@pytest.fixture(name="host")
def _host(request):
    """A container with the network that every test begins with, by systemd-networkd or by the back end that is asked for."""
    back_end = getattr(request, "param", "networkd")
    container = request.getfixturevalue("booted" if back_end == "networkd" else "managed")
    container.reset(back_end)
    return container
