# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of the collection: imports point one way, and what is listed in several places agrees."""

from __future__ import annotations

import ast
import importlib
import pathlib
import re

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
# A layer may import itself and what stands after it.
LAYERS = {
    "_domain": set(),
    "_bmc": {"_domain", "_ipmi", "_redfish"},  # the factory alone knows the drivers
    "_redfish": {"_bmc", "_domain"},
    "_ipmi": {"_bmc", "_domain"},
    "_host": {"_domain"},
    "_resources": {"_bmc", "_domain", "_host"},
}
BMC_MODULES = sorted(path.stem for path in (PLUGINS / "modules").glob("bmc_*.py"))


def imported(path: pathlib.Path) -> set:
    """Return the module_utils packages that a file of one of them imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == 2 and node.module:
            found.add(node.module.split(".")[0])
        elif isinstance(node, ast.ImportFrom) and node.module and ".plugins.module_utils." in node.module:
            found.add(node.module.split("module_utils.")[1].split(".")[0])
    return found


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_point_one_way(layer):
    """No arrow points back; only the factory imports drivers."""
    for path in sorted((PLUGINS / "module_utils" / layer).glob("*.py")):
        allowed = LAYERS[layer] | {layer}
        if layer == "_bmc" and path.name != "factory.py":
            allowed -= {"_ipmi", "_redfish"}
        assert imported(path) <= allowed, f"{path.name} imports {imported(path) - allowed}"


@pytest.mark.parametrize("layer", ["_domain", "_bmc", "_redfish", "_ipmi", "_resources"])
def test_the_core_knows_nothing_of_ansible(layer):
    """Only the options take Ansible's way to the environment."""
    for path in sorted((PLUGINS / "module_utils" / layer).glob("*.py")):
        if path.name == "options.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else (
                [alias.name for alias in node.names] if isinstance(node, ast.Import) else [])
            assert not [name for name in names if name.split(".")[0] == "ansible"], path


def test_the_action_group_is_complete():
    """Every bmc module is in the group that module_defaults names, and has an action."""
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())
    assert sorted(runtime["action_groups"]["bmc"]) == BMC_MODULES
    assert sorted(path.stem for path in (PLUGINS / "action").glob("bmc_*.py")) == BMC_MODULES


@pytest.mark.parametrize("name", BMC_MODULES)
def test_documentation_and_options_agree(name):
    """Options, defaults, choices and types stand in the documentation as in the specification; the return key too."""
    package = "ansible_collections.typeone.metal.plugins"
    resource = importlib.import_module(f"{package}.action.{name}").ActionModule.RESOURCE
    module = importlib.import_module(f"{package}.modules.{name}")
    documented = yaml.safe_load(module.DOCUMENTATION).get("options", {})
    assert set(documented) == set(resource.SPEC)
    for option, spec in resource.SPEC.items():
        doc = documented[option]
        assert doc["type"] == spec["type"], option
        for key in ("default", "required", "elements"):
            assert doc.get(key) == spec.get(key), (option, key)
        assert sorted(doc.get("choices") or []) == sorted(spec.get("choices") or []), option
    returned = yaml.safe_load(module.RETURN)
    assert resource.NAME in returned and "error" in returned
    assert "bmc" in returned or "hosts" in resource.SPEC
    assert ({"requested", "sent", "observed", "verified"} <= set(returned)) is resource.WRITES
    assert yaml.safe_load(module.EXAMPLES)


@pytest.mark.parametrize("name", sorted(path.stem for path in (PLUGINS / "modules").glob("*.py")))
def test_an_example_is_of_its_module_and_needs_no_other_collection(name):
    """What a user copies works with ansible-core and this collection alone."""
    examples = importlib.import_module(f"ansible_collections.typeone.metal.plugins.modules.{name}").EXAMPLES
    assert f"typeone.metal.{name}:" in examples
    assert set(re.findall(r"^[ -]*(\w+\.\w+)\.\w+:", examples, re.MULTILINE)) <= {"typeone.metal", "ansible.builtin"}


def test_the_fragment_is_the_specification():
    """The connection options are documented as they are."""
    package = "ansible_collections.typeone.metal.plugins"
    fragment = importlib.import_module(f"{package}.doc_fragments.bmc").ModuleDocFragment
    spec = importlib.import_module(f"{package}.module_utils._bmc.options").CONNECTION_SPEC
    documented = yaml.safe_load(fragment.DOCUMENTATION)["options"]
    assert set(documented) == set(spec)
    for name, option in spec.items():
        assert documented[name].get("default") == option.get("default"), name
        assert documented[name].get("choices") == option.get("choices"), name


@pytest.mark.parametrize("role", sorted(path.name for path in (ROOT / "roles").iterdir()))
def test_roles_are_complete(role):
    """Every role documents each of its public variables, and has a page for people."""
    folder = ROOT / "roles" / role
    specs = yaml.safe_load((folder / "meta" / "argument_specs.yml").read_text())["argument_specs"]
    options = set(specs["main"].get("options") or {})
    defaults = yaml.safe_load((folder / "defaults" / "main.yml").read_text()) or {}
    assert set(defaults) <= options, f"not documented: {sorted(set(defaults) - options)}"
    assert (folder / "README.md").is_file()


def test_the_page_on_scenarios_names_every_scenario_and_every_role():
    """A role without a scenario is named as such."""
    folder = ROOT / "extensions" / "molecule"
    named = set(re.findall(r"`(\w+)`", (folder / "README.md").read_text()))
    assert {path.parent.name for path in folder.glob("*/molecule.yml")} <= named
    assert {path.name for path in (ROOT / "roles").iterdir()} <= named
