# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program of the role guest_proof: its parts, put together as the role does."""

from __future__ import annotations

import pathlib
import sys
import types

FILES = pathlib.Path(__file__).resolve().parents[1] / "roles/guest_proof/files"
PARTS = ("guest_parts", "guest_extras", "guest_disks", "guest_kinds", "guest_proof")


def load() -> list[types.ModuleType]:
    """The parts as modules, each after those that it imports."""
    modules = []
    for name in PARTS:
        sys.modules[name] = module = types.ModuleType(name)
        exec(compile((FILES / f"{name}.py").read_text(), str(FILES / f"{name}.py"), "exec"), module.__dict__)  # pylint: disable=exec-used
        modules.append(module)
    return modules


parts, extras, disks, kinds, proof = load()
