# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which servers suit a request, which of them to take, and why each of the others was not taken. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Any, Callable, Mapping, Optional, Sequence

from .deployment import GIB, cpu_count, shortfalls

Data = Mapping[str, Any]
# query(expression, node): the value of a JMESPath expression over a node; injected, for this layer has no library.
Query = Callable[[str, Data], Any]

REQUEST_KEYS = ("count", "min_memory_gib", "min_cpus", "min_nics", "queries", "traits", "forbidden_traits",
                "reserved_for", "fit", "spread_by")
REQUIREMENTS = ("min_memory_gib", "min_cpus", "min_nics")
FITS = ("best", "worst")
UNKNOWN = "(unknown)"


def checked_request(request: Data) -> dict[str, Any]:
    """Return the request with every key; raise ValueError, naming key, value and remedy, where it is wrong."""
    surplus = sorted(set(request) - set(REQUEST_KEYS))
    if surplus:
        raise ValueError(f"the request has '{surplus[0]}', which is none of {', '.join(REQUEST_KEYS)}")
    full = {"count": 1, "queries": [], "traits": [], "forbidden_traits": [], "reserved_for": None, "fit": "best",
            "spread_by": None, **dict.fromkeys(REQUIREMENTS), **request}
    for name in ("queries", "traits", "forbidden_traits"):
        if not isinstance(full[name], (list, tuple)):
            raise ValueError(f"{name} is '{full[name]}'; give a list")
    for name in ("count", *REQUIREMENTS):
        number = full[name]
        if number is not None and (isinstance(number, bool) or not isinstance(number, (int, float)) or number < 0):
            raise ValueError(f"{name} is '{number}'; give a number, 0 or more")
    if full["fit"] not in FITS:
        raise ValueError(f"fit is '{full['fit']}'; valid values are {', '.join(FITS)}")
    both = sorted(set(full["traits"]) & set(full["forbidden_traits"]))
    if both:
        raise ValueError(f"the trait '{both[0]}' is both asked for and forbidden; leave it out of one list")
    return full


def reasons_against(node: Data, request: Data, *, query: Query) -> list[str]:
    """Return why a node does not suit a checked request, one sentence part each; empty where it suits."""
    traits = set(node.get("traits") or ())
    reserved = node.get("reserved_for")
    found = []
    if reserved and reserved != request["reserved_for"]:
        found.append(f"it is reserved for {reserved}")
    if node.get("hardware"):
        found += shortfalls(node["hardware"], {name: request[name] for name in REQUIREMENTS})
    elif any(request[name] is not None for name in REQUIREMENTS):
        found.append("its hardware is not known (inspect it first)")
    found += [f"it lacks the trait {trait}" for trait in request["traits"] if trait not in traits]
    found += [f"it has the forbidden trait {trait}" for trait in request["forbidden_traits"] if trait in traits]
    found += [f"the query {text} is not true for it" for text in request["queries"] if not query(text, node)]
    return found


def excess(node: Data, request: Data) -> float:
    """Return how much larger a node is than what is asked for: the sum over memory and CPUs of have / asked."""
    hardware = node.get("hardware") or {}
    memory = ((hardware.get("system") or {}).get("memory_bytes") or 0) / GIB
    return memory / (request["min_memory_gib"] or 1) + cpu_count(hardware) / (request["min_cpus"] or 1)


def place(nodes: Sequence[Data], request: Data, *, query: Query) -> dict[str, Any]:
    """Choose ``count`` nodes. Return ``{chosen, spare, rejected, satisfied, explanation}``.

    ``chosen`` and ``spare`` (suits, but was not needed) are names in the order of preference, ``rejected`` maps a
    name to its reasons. ``fit: best`` takes the smallest node that suits first, ``worst`` the largest.
    ``spread_by`` is a query whose value (rack, power feed) is shared by as few of the chosen as can be.
    """
    request = checked_request(request)
    names = [str(node.get("name")) for node in nodes]
    double = [name for name, times in Counter(names).items() if times > 1]
    if double:
        raise ValueError(f"the node '{double[0]}' is listed more than once")
    rejected = {name: against for name, node in zip(names, nodes)
                if (against := reasons_against(node, request, query=query))}
    sign = 1 if request["fit"] == "best" else -1
    fitting = sorted((sign * excess(node, request), name) for name, node in zip(names, nodes) if name not in rejected)
    order = [name for _unused, name in fitting]
    by_name = dict(zip(names, nodes))
    groups = {name: _group(by_name[name], request["spread_by"], query) for name in order}
    chosen = _spread(order, groups, int(request["count"]))
    satisfied = len(chosen) == request["count"]
    return {"chosen": chosen, "spare": [name for name in order if name not in chosen], "rejected": rejected,
            "satisfied": satisfied,
            "explanation": _explanation(chosen, request, groups=groups, rejected=rejected, total=len(names))}


def _group(node: Data, spread_by: Optional[str], query: Query) -> str:
    value = query(spread_by, node) if spread_by else ""
    return UNKNOWN if value is None else str(value)


def _spread(order: Sequence[str], groups: Mapping[str, str], count: int) -> list[str]:
    """Take ``count`` names: each time the first in the order among those whose group was taken from least."""
    taken: Counter = Counter()
    left, chosen = list(order), []
    while left and len(chosen) < count:
        name = min(left, key=lambda item: (taken[groups[item]], left.index(item)))
        left.remove(name)
        taken[groups[name]] += 1
        chosen.append(name)
    return chosen


def _explanation(chosen: Sequence[str], request: Data, *, groups: Mapping[str, str],
                 rejected: Mapping[str, Sequence[str]], total: int) -> list[str]:
    """Return the outcome in lines for a person."""
    where = {name: f" ({request['spread_by']}: {groups[name]})" if request["spread_by"] else "" for name in chosen}
    lines = [f"{len(chosen)} of {request['count']} asked for chosen among {total}: "
             + (", ".join(name + where[name] for name in chosen) or "none")]
    lines += [f"{name} rejected: {'; '.join(reasons)}" for name, reasons in rejected.items()]
    return lines
