# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bmc_event_subscription against BMCs that keep subscriptions, and a collector that really gets the events."""

from __future__ import annotations

import http.server
import json
import threading

import pytest
from running import run
from testbmc.messages import refusal

from ansible_collections.typeone.metal.plugins.module_utils._resources.events import EventSubscriptionResource

URL, TOKEN = "https://192.0.2.1:8443/events", "Bearer-Of-A-Secret-1"
COLLECTION = "/redfish/v1/EventService/Subscriptions"


def subscription(bmc, **params):
    """Run bmc_event_subscription; no result ever holds a header's value."""
    result = run(EventSubscriptionResource, bmc, **{"destination": URL, **params})
    assert TOKEN not in str(result)
    return result


def at(bmc, destination=URL):
    """Return the subscriptions to a destination at the BMC."""
    found = [bmc.get(path) for path in bmc.store.members(bmc.store.link("/redfish/v1/EventService", "Subscriptions"))]
    return [row for row in found if row.get("Destination") == destination]


@pytest.mark.parametrize("name", ["mini", "dell-r750-idrac9_6.00", "hpe-dl380agen11-ilo6_1.66", "lenovo-sr670v2-xcc_1.40",
                                  "openbmc-stock-2.15", "supermicro-x10sdv-4.00", "nvidia-gh200-24.05", "dmtf-public_rackmount1"])
def test_makes_and_removes(test_bmc, name):
    """It is at the BMC and reads back; repeated, nothing is sent; others are left alone; one login, one connection."""
    bmc = test_bmc(name)
    before = bmc.store.members(COLLECTION)
    made = subscription(bmc, context="node7", headers={"Authorization": TOKEN})
    assert made["changed"] and made["verified"] and made["event_subscription"]["exists"], made
    assert [row["Context"] for row in at(bmc)] == ["node7"]
    assert bmc.counters.logins == bmc.counters.connections == 1 and not bmc.sessions.open()
    bmc.counters.reset()
    assert not subscription(bmc, context="node7")["changed"] and not subscription(bmc)["changed"]
    assert not bmc.counters.effective_writes()
    gone = subscription(bmc, state="absent")
    assert gone["verified"] and not at(bmc) and gone["event_subscription"]["exists"] is False
    assert bmc.store.members(COLLECTION) == before and not subscription(bmc, state="absent")["changed"]


def test_events_arrive(test_bmc):
    """A collector gets a test event with the context."""
    got: list = []
    arrived = threading.Event()

    class Collector(http.server.BaseHTTPRequestHandler):
        """Keeps what is posted."""

        def do_POST(self):  # pylint: disable=invalid-name
            """Take an event."""
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()
            arrived.set()

        def log_message(self, *_args):  # pylint: disable=arguments-differ
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        bmc = test_bmc()
        subscription(bmc, destination=f"http://127.0.0.1:{server.server_port}/x", context="node7")
        bmc.routes.actions["EventService.SubmitTestEvent"](bmc, "/redfish/v1/EventService", {}, None)
        assert arrived.wait(5) and got[0]["Context"] == "node7"
        server.shutdown()


def test_other_filters_replace_it(test_bmc):
    """The new one is there before the old one goes; the order of a list is no difference."""
    bmc = test_bmc()
    subscription(bmc, registry_prefixes=["Base"])
    first = at(bmc)[0]["Id"]
    result = subscription(bmc, registry_prefixes=["TaskEvent", "Base"])
    assert result["verified"] and [entry["method"] for entry in result["sent"]] == ["POST", "DELETE"]
    assert len(at(bmc)) == 1 and at(bmc)[0]["Id"] != first
    assert result["diff"]["before"]["registry_prefixes"] == ["Base"]
    assert not subscription(bmc, registry_prefixes=["Base", "TaskEvent"])["changed"]


def test_a_context_tells_subscriptions_apart(test_bmc):
    """Those of others to the same destination stay."""
    bmc = test_bmc()
    subscription(bmc, context="one")
    assert subscription(bmc, context="two")["changed"] and len(at(bmc)) == 2
    subscription(bmc, context="one", state="absent")
    assert [row["Context"] for row in at(bmc)] == ["two"]


def test_a_bmc_that_takes_one_only(test_bmc):
    """The old one is removed first where the BMC says that it is in the way, not where it refuses the new one."""
    bmc = test_bmc()
    subscription(bmc, registry_prefixes=["Base"])
    create = bmc.routes.creates["EventDestinationCollection"]

    def one_only(bmc, path, data, request):
        if at(bmc):
            raise refusal("CreateLimitReachedForResource")
        return create(bmc, path, data, request)

    bmc.routes.creates["EventDestinationCollection"] = one_only
    result = subscription(bmc, registry_prefixes=["TaskEvent"], event_types=["alert"])
    assert result["verified"] and [entry["method"] for entry in result["sent"]] == ["POST", "DELETE", "POST"]
    bmc.faults.add("status", method="POST", path="Subscriptions$", status=400, message="PropertyValueFormatError", args=("x", "y"), times=None)
    refused = subscription(bmc, registry_prefixes=["Base"])
    assert refused["failed"] and len(at(bmc)) == 1


def test_an_older_service_wants_the_types_of_events(test_bmc):
    """They are named after it refused to do without, all that it knows."""
    bmc = test_bmc("supermicro-x10sdv-4.00")
    create = bmc.routes.creates["EventDestinationCollection"]

    def strict(bmc, path, data, request):
        if "EventTypes" not in data:
            raise refusal("PropertyMissing", "EventTypes")
        return create(bmc, path, data, request)

    bmc.routes.creates["EventDestinationCollection"] = strict
    assert subscription(bmc)["verified"] and len(at(bmc)[0]["EventTypes"]) == 5


@pytest.mark.parametrize("params", [{}, {"context": "other", "event_types": ["alert"]}, {"state": "absent"}])
def test_check_mode_sends_only_reads(test_bmc, params):
    """What would change is told; the server sees no write."""
    bmc = test_bmc()
    if "state" in params:
        subscription(bmc)
    bmc.counters.reset()
    result = run(EventSubscriptionResource, bmc, check_mode=True, **{"destination": URL, **params})
    assert result["changed"] and result["diff"]["after"]["exists"] is ("state" not in params)
    assert not bmc.counters.effective_writes()


@pytest.mark.parametrize("method, state", [("POST", "present"), ("DELETE", "absent")])
def test_a_lost_answer_is_looked_at_and_not_sent_again(test_bmc, method, state):
    """One subscription, not two."""
    bmc = test_bmc()
    if state == "absent":
        subscription(bmc)
    bmc.counters.reset()
    bmc.faults.add("reset_after", method=method, path="Subscriptions", times=1)
    result = subscription(bmc, state=state)
    assert result["verified"] and len(bmc.counters.effective_writes()) == 1 and len(at(bmc)) == (state == "present")


def test_a_bmc_that_keeps_other_filters_is_not_believed(test_bmc):
    """What reads back counts."""
    bmc = test_bmc()
    create = bmc.routes.creates["EventDestinationCollection"]
    bmc.routes.creates["EventDestinationCollection"] = lambda bmc, path, data, request: create(
        bmc, path, {**data, "RegistryPrefixes": []}, request)
    result = subscription(bmc, registry_prefixes=["Base"], wait_timeout=1)
    assert result["failed"] and result["error"]["kind"] == "rejected" and "registry_prefixes none" in result["msg"]


def test_a_service_that_is_off(test_bmc):
    """The subscription is made, and the warning says that nothing will come."""
    result = subscription(test_bmc("dell-r750-idrac9_6.00"), event_types=["alert"])
    assert result["verified"] and "switched off" in result["warnings"][0]


@pytest.mark.parametrize("params, word", [
    ({"registry_prefixes": ["Nonsense"]}, "TaskEvent"), ({"destination": "ftp://192.0.2.1"}, "destination"),
    ({"destination": "https://a:b@192.0.2.1/"}, "account"), ({"state": "absent", "event_types": ["alert"]}, "event_types"),
    ({"destination": "https://[x/"}, "URL")])
def test_what_cannot_be(test_bmc, params, word):
    """It is told before anything is sent."""
    bmc = test_bmc()
    result = subscription(bmc, **params)
    assert result["failed"] and word in result["msg"] and not bmc.counters.effective_writes()


def test_no_event_service(test_bmc):
    """The alternative is named."""
    bmc = test_bmc()
    bmc.store.edit("/redfish/v1").pop("EventService")
    result = subscription(bmc)
    assert result["failed"] and result["error"]["kind"] == "unsupported" and "bmc_log_info" in result["msg"]
