# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module in check mode over every tree: reads alone, one login, no session left, nothing read twice, no traceback."""

from __future__ import annotations

import importlib
import pathlib

import pytest
import testbmc
from running import run
from tasks import EVERY

from ansible_collections.typeone.metal.plugins.module_utils import _resources
from ansible_collections.typeone.metal.plugins.module_utils._resources.base import Resource

FOLDER = pathlib.Path(_resources.__path__[0])
# Run over IPMI, in a test of their own.
ELSEWHERE = {"ConsoleResource"}
SYSTEMS = {"nvidia-gh200-24.05": "System_0"}


def resources() -> set:
    """Names of all resources that write."""
    found: set = set()
    for path in FOLDER.glob("*.py"):
        module = importlib.import_module(f"{_resources.__name__}.{path.stem}")
        found |= {name for name, value in vars(module).items()
                  if isinstance(value, type) and issubclass(value, Resource) and value.WRITES and hasattr(value, "NAME")}
    return found


def test_every_module_that_writes_is_here():
    """A new one needs a line in tasks.py."""
    assert resources() - ELSEWHERE == {resource.__name__ for resource, _params in EVERY if resource.WRITES}


@pytest.mark.parametrize("name", testbmc.names())
def test_check_mode_sends_only_reads(test_bmc, name):
    """Whatever is declared, and whether the BMC has it or not."""
    bmc = test_bmc(name, tls=False)
    changed = 0
    for resource, params in EVERY:
        bmc.counters.reset()
        result = run(resource, bmc, **{**params, "check_mode": True, "bmc_system": SYSTEMS.get(name), "bmc_timeout": 20})
        where = (resource.__name__, params, result.get("msg"), bmc.counters.duplicates)
        assert not bmc.counters.effective_writes() and not bmc.sessions.open(), where
        assert bmc.counters.logins <= 1 and bmc.counters.connections <= 1 and not bmc.counters.duplicates, where
        assert result.get("failed") or not resource.WRITES or result["sent"] == [], where
        changed += bool(result["changed"] and not result.get("failed"))
    assert changed > 2
    assert name != "mini" or changed > 12
