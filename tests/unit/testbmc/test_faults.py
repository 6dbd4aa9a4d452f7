# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each kind of fault does what it says, seen by a client that hides nothing, and only to the requests that match."""

from __future__ import annotations

import email.utils
import http.client
import json
import time

import pytest

from testbmc.faults import KINDS

ROOT = "/redfish/v1"
SYSTEM = "/redfish/v1/Systems/1"
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"
BROKEN = (ConnectionError, http.client.RemoteDisconnected, http.client.BadStatusLine)


def is_on(bmc) -> bool:
    """Whether the system has been started."""
    return bmc.get(SYSTEM)["PowerState"] == "On"


@pytest.mark.parametrize("given, wanted", [(7, lambda text: text == "7"), ("soon", lambda text: text == "soon"),
                                           (("date", 5), lambda text: 0 < email.utils.parsedate_to_datetime(text).timestamp() - time.time() <= 5)])
def test_status_with_retry_after(start, given, wanted):
    """A number, a text, a date; the write had no effect, and the second one has."""
    bmc, client = start()
    bmc.faults.add("status", method="POST", path="Reset$", status=503, retry_after=given)
    answer = client("POST", RESET, {"ResetType": "On"})
    assert answer.status == 503 and wanted(answer.headers["Retry-After"]) and answer.message == "ServiceTemporarilyUnavailable"
    assert not bmc.power.resets
    assert client("POST", RESET, {"ResetType": "On"}).status == 204 and is_on(bmc)


def test_status_with_an_effect_and_words_of_ones_own(start):
    """An error that lies: the write took effect."""
    bmc, client = start()
    bmc.faults.add("status", method="POST", status=500, effect=True, message="OEM1", registry="Oem.1.0", text="Odd.", headers={"X-Odd": "1"})
    answer = client("POST", RESET, {"ResetType": "On"})
    assert answer.status == 500 and answer.message == "OEM1" and answer.headers["X-Odd"] == "1" and is_on(bmc)
    bmc.faults.add("status", path=SYSTEM, status=502, body=b"<html>bad gateway</html>")
    assert client("GET", SYSTEM).raw == b"<html>bad gateway</html>"


@pytest.mark.parametrize("kind, effect", [("reset_before", False), ("reset_after", True)])
def test_a_connection_that_breaks(start, kind, effect):
    """Without an answer either way; the effect is there or not."""
    bmc, client = start()
    bmc.faults.add(kind, method="POST", path="Reset$")
    with pytest.raises(BROKEN):
        client("POST", RESET, {"ResetType": "On"})
    assert is_on(bmc) is effect and len(bmc.power.resets) == int(effect)
    client.connect()
    assert client("GET", SYSTEM).status == 200, "the session outlives the connection"


def test_truncated(start):
    """Fewer bytes than Content-Length says, then the end."""
    bmc, client = start()
    bmc.faults.add("truncated", path=SYSTEM, share=0.3)
    with pytest.raises(http.client.IncompleteRead) as caught:
        client("GET", SYSTEM)
    assert 0 < len(caught.value.partial) < caught.value.expected


def test_malformed_and_replaced(start):
    """Complete by the header, no JSON; or another text altogether."""
    bmc, client = start()
    bmc.faults.add("malformed", path=SYSTEM)
    answer = client("GET", SYSTEM)
    assert answer.status == 200 and int(answer.headers["Content-Length"]) == len(answer.raw)
    with pytest.raises(ValueError):
        json.loads(answer.raw)
    bmc.faults.add("replaced", path=SYSTEM, body=b"[]")
    assert client("GET", SYSTEM).raw == b"[]"
    bmc.faults.add("replaced", path=SYSTEM, change=lambda body: body.replace(b'"Off"', b"null"))
    assert client("GET", SYSTEM).json["PowerState"] is None
    assert client("GET", SYSTEM).json["PowerState"] == "Off"


def test_content_type(start):
    """Another type, and another body where given."""
    bmc, client = start()
    bmc.faults.add("content_type", path=SYSTEM, value="text/html; charset=utf-8")
    answer = client("GET", SYSTEM)
    assert answer.headers["Content-Type"].startswith("text/html") and answer.json["Id"] == "1"
    bmc.faults.add("content_type", path=SYSTEM, body=b"<html/>")
    assert client("GET", SYSTEM).raw == b"<html/>"


def test_slow_hang_and_latency(start):
    """A body that drips, an answer that does not come, one that comes late. `effect` says what a hanging write did."""
    bmc, client = start(timeout=0.3)
    bmc.faults.add("slow", path=SYSTEM, seconds=0.2)
    begin = time.monotonic()
    assert client("GET", SYSTEM).json["Id"] == "1" and time.monotonic() - begin > 0.15
    bmc.faults.add("latency", path=SYSTEM, seconds=0.1)
    begin = time.monotonic()
    assert client("GET", SYSTEM).status == 200 and time.monotonic() - begin >= 0.1
    bmc.faults.add("hang", method="POST", path="Reset$", seconds=2, effect=True)
    with pytest.raises(TimeoutError):
        client("POST", RESET, {"ResetType": "On"})
    assert is_on(bmc)


def test_redirect(start):
    """Elsewhere by status and Location: a path, another host, a slash more."""
    bmc, client = start()
    for options, location in (({"to": f"{ROOT}/Systems"}, f"{ROOT}/Systems"), ({"host": "https://192.0.2.9"}, f"https://192.0.2.9{SYSTEM}"),
                              ({"suffix": "/", "status": 301}, f"{SYSTEM}/")):
        bmc.faults.add("redirect", path=SYSTEM, **options)
        answer = client("GET", SYSTEM)
        assert (answer.status, answer.headers["Location"]) == (options.get("status", 308), location)
    assert client("GET", f"{SYSTEM}/").json["Id"] == "1", "a path with a slash is the same resource"


def test_session_expiry(start):
    """The token is worth nothing from one request to the next; or a 401 for no reason."""
    bmc, client = start()
    bmc.faults.add("unauthorized", path=SYSTEM)
    assert [client("GET", SYSTEM).status for _unused in range(2)] == [401, 200]
    bmc.faults.add("session_expired", path=SYSTEM)
    assert [client("GET", SYSTEM).status for _unused in range(2)] == [401, 401] and not bmc.sessions.open()
    client.headers.clear()
    assert client.login().status == 201


def test_close(start):
    """Answered, and the connection is over."""
    bmc, client = start()
    bmc.faults.add("close", path=SYSTEM)
    assert client("GET", SYSTEM).headers["Connection"] == "close"
    assert client("GET", SYSTEM).status == 200 and bmc.counters.connections == 2


@pytest.mark.parametrize("answer", [True, False])
def test_a_restart_during_a_task(start, answer):
    """The BMC is away, comes back without its sessions, and its task has gone on."""
    bmc, client = start(task_seconds=60)
    task = bmc.tasks.start("Update")
    bmc.faults.add("restart", path=task.path, seconds=0.1, answer=answer)
    if answer:
        assert client("GET", task.path).json["TaskState"] == "Running"
    else:
        with pytest.raises(BROKEN):
            client("GET", task.path)
    with pytest.raises(BROKEN):
        for _unused in range(200):
            client.close()
            client("GET", ROOT)
    deadline = time.monotonic() + 5
    while not bmc.server.listening and time.monotonic() < deadline:
        time.sleep(0.01)
    client.connect()
    assert client("GET", task.path).status == 401
    client.headers.clear()
    client.headers["X-Auth-Token"] = client.login().headers["X-Auth-Token"]
    bmc.clock.advance(61)
    assert client("GET", task.path).json["TaskState"] == "Completed"


def test_which_requests_and_how_often(start):
    """Method, path, a function of the request; skip, times; the rest passes."""
    bmc, client = start()
    bmc.faults.add("status", method="GET", path="/Systems/1$", times=2, skip=1, status=500)
    assert [client("GET", SYSTEM).status for _unused in range(4)] == [200, 500, 500, 200]
    bmc.faults.add("status", match=lambda request: "Bios" in request.path, times=None, status=500)
    assert [client("GET", f"{SYSTEM}/Bios").status for _unused in range(3)] == [500] * 3
    assert client("PATCH", SYSTEM, {"AssetTag": "x"}).status == 200
    bmc.faults.clear()
    assert client("GET", f"{SYSTEM}/Bios").status == 200
    assert bmc.counters.faults == [("status", "GET", SYSTEM)] * 2 + [("status", "GET", f"{SYSTEM}/Bios")] * 3
    with pytest.raises(ValueError, match="unknown fault"):
        bmc.faults.add("earthquake")


def test_every_kind_is_tested():
    """A new kind needs a test here."""
    with open(__file__, encoding="utf-8") as source:
        text = source.read()
    assert not [kind for kind in KINDS if f'"{kind}"' not in text]
