# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guides say is what there is."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml

from ansible_collections.typeone.metal.plugins.module_utils._bmc import errors
from ansible_collections.typeone.metal.plugins.module_utils._bmc.quirk_rules import BEHAVIOURS

ROOT = pathlib.Path(__file__).resolve().parents[2]
GUIDES = ROOT / "docs" / "docsite" / "rst"


def test_every_guide_is_in_the_table_of_contents():
    """And none that does not exist."""
    listed = yaml.safe_load((ROOT / "docs" / "docsite" / "extra-docs.yml").read_text())["sections"][0]["toctree"]
    assert sorted(listed) == sorted(path.stem for path in GUIDES.glob("*.rst"))


def test_the_guide_on_quirks_lists_every_behaviour_and_no_other():
    """In the words of the rules."""
    text = (GUIDES / "guide_quirks.rst").read_text()
    listed = dict(re.findall(r"^``(\w+)``\n    (.+)$", text, re.MULTILINE))
    assert listed == BEHAVIOURS


def test_the_guide_on_connecting_lists_every_kind_of_error():
    """But for a defect of ours."""
    text = (GUIDES / "guide_connecting.rst").read_text()
    kinds = {error.kind for error in vars(errors).values() if isinstance(error, type) and issubclass(error, errors.BmcError)}
    for kind in kinds - {"error", "write_in_check_mode"}:
        assert f"``{kind}``" in text, kind


@pytest.mark.parametrize("path", [ROOT / "README.md", *sorted(GUIDES.glob("*.rst")), *sorted((ROOT / "roles").glob("*/README.md"))],
                         ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_named_exists(path):
    """Every name of the collection in a page is a module, plugin, role or playbook."""
    known = {item.stem for kind in ("modules", "filter", "test", "inventory", "lookup") for item in (ROOT / "plugins" / kind).glob("*.*")}
    known |= {item.name for item in (ROOT / "roles").iterdir()} | {item.stem for item in (ROOT / "playbooks").glob("*.yml")} | {"bmc"}
    known |= {"format_cpu_list", "docsite"}
    for name in re.findall(r"typeone\.metal\.([a-z_]+)", path.read_text()):
        assert name in known, f"{path.name} names typeone.metal.{name}"
