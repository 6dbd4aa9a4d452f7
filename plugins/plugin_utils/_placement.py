# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Placement as Jinja plugins see it: nodes in either form, JMESPath for queries, Ansible's errors."""

from __future__ import annotations

from typing import Any, Mapping, Sequence, Union

from ansible.errors import AnsibleFilterError

from ..module_utils._domain.placement import checked_request, place, reasons_against

try:
    import jmespath
except ImportError as error:
    IMPORT_ERROR: Any = error
else:
    IMPORT_ERROR = None

Nodes = Union[Mapping[str, Any], Sequence[Mapping[str, Any]]]


def query(expression: str, node: Mapping[str, Any]) -> Any:
    """Return the value of a JMESPath expression over a node."""
    if IMPORT_ERROR is not None:
        raise AnsibleFilterError(f"queries and spread_by need the Python library jmespath ({IMPORT_ERROR}). "
                                 "Install it: pip install jmespath.") from IMPORT_ERROR
    try:
        return jmespath.search(expression, node)
    except jmespath.exceptions.JMESPathError as error:
        reason = " ".join(str(error).split())
        raise AnsibleFilterError(f"the query '{expression}' is not valid JMESPath, or does not fit: {reason}") from error


def plain(value: Any) -> Any:
    """Return data without Ansible's own types in it: JMESPath knows types by their names."""
    if isinstance(value, Mapping):
        return {str.__str__(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    kind = next((each for each in (str, int, float) if isinstance(value, each)), None)
    return value if kind is None else str.__str__(value) if kind is str else kind(value)


def as_list(nodes: Nodes) -> list[Mapping[str, Any]]:
    """Return nodes as a list of mappings with a name each; a mapping of names to nodes is taken as well."""
    if isinstance(nodes, Mapping):
        return [{"name": plain(name), **plain(node or {})} for name, node in nodes.items()]
    if isinstance(nodes, str) or not isinstance(nodes, Sequence):
        raise AnsibleFilterError("nodes must be a list of mappings with a name each, or map names to nodes")
    for node in nodes:
        if not isinstance(node, Mapping) or not node.get("name"):
            raise AnsibleFilterError(f"a node without a name is among the nodes: {node}")
    return plain(nodes)


def place_nodes(nodes: Nodes, request: Mapping[str, Any]) -> dict[str, Any]:
    """Choose nodes for a request."""
    try:
        return place(as_list(nodes), request, query=query)
    except ValueError as error:
        raise AnsibleFilterError(f"Cannot place nodes: {error}.") from error


def match_node(node: Mapping[str, Any], request: Mapping[str, Any]) -> bool:
    """Tell whether one node suits a request."""
    try:
        return not reasons_against(plain(node), checked_request(request), query=query)
    except ValueError as error:
        raise AnsibleFilterError(f"Cannot match the node: {error}.") from error


def match_nodes(nodes: Any, request: Mapping[str, Any]) -> bool:
    """Tell whether a node suits a request, or whether a list or mapping of nodes holds as many as it asks for."""
    if isinstance(nodes, Mapping) and ("hardware" in nodes or "name" in nodes):
        return match_node(nodes, request)
    return bool(place_nodes(nodes, request)["satisfied"])
