# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which subscription is meant, and what is to be done to it."""

from __future__ import annotations

import pytest

from ansible_collections.typeone.metal.plugins.module_utils._domain.events import (
    EventStep, Subscription, bad_destination, best, expected, not_offered, plan_subscription, shown,
)

URL = "https://192.0.2.1/events"


def row(number, destination=URL, context="c", **filters):
    """Return a subscription as a driver reads it."""
    return {"id": str(number), "destination": destination, "context": context, "event_types": None, "registry_prefixes": None,
            "resource_types": None, "protocol": "redfish", **filters}


@pytest.mark.parametrize("rows, wanted, present, step", [
    ([], {}, True, EventStep(create=True)), ([], {}, False, None),
    ([row(1)], {}, True, None), ([row(1, URL + "/")], {}, True, None), ([row(1, None)], {}, True, EventStep(create=True)),
    ([row(1)], {}, False, EventStep(delete=("1",))), ([row(1), row(2)], {}, False, EventStep(delete=("1", "2"))),
    ([row(1)], {"context": "d"}, True, EventStep(create=True)), ([row(1)], {"context": "d"}, False, None),
    ([row(1, event_types=["alert", "other"])], {"event_types": ("other", "alert")}, True, None),
    ([row(1, event_types=["other"])], {"event_types": ("alert",)}, True, EventStep(delete=("1",), create=True)),
    ([row(1), row(2, resource_types=["Task"])], {"resource_types": ("Task",)}, True, None),
])
def test_plan(rows, wanted, present, step):
    """What matches takes no step; what has other filters is replaced; other contexts are other subscriptions."""
    wanted = Subscription(URL, **wanted)
    assert plan_subscription(rows, wanted, present=present) == step
    current = shown(best(rows, wanted), wanted)
    if step is not None:
        assert set(expected(current, wanted, step=step)) == set(current) and expected(current, wanted, step=step)["exists"] is present


@pytest.mark.parametrize("destination, wrong", [
    (URL, False), ("http://collector:8080", False), ("http://[2001:db8::1]:80/x", False), ("snmp://192.0.2.1", True), ("192.0.2.1", True),
    ("https://user@192.0.2.1", True), ("https://192.0.2.1:x", True), ("https://", True), ("", True)])
def test_destinations(destination, wrong):
    """A URL of HTTP or HTTPS without an account."""
    assert bool(bad_destination(destination)) is wrong


def test_filters_that_are_not_offered():
    """What the BMC does not list is refused; where it lists nothing, it decides."""
    wanted = Subscription(URL, registry_prefixes=("Base", "X"), headers={"A": "secret"})
    assert not_offered(wanted, {"registry_prefixes": ["Base"]}) == ("registry_prefixes", "X", ["Base"])
    assert not_offered(wanted, {"registry_prefixes": None}) is None and "secret" not in repr(wanted)
