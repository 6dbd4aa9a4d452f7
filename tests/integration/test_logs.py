# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bmc_log_info and bmc_log against recorded trees, and against BMCs that clear, refuse and lie."""

from __future__ import annotations

import json

import pytest
from running import run

from ansible_collections.typeone.metal.plugins.module_utils._domain.logs import moment
from ansible_collections.typeone.metal.plugins.module_utils._resources.logs import LogInfoResource, LogResource

SEL = "/redfish/v1/Systems/1/LogServices/SEL"
CLEAR = "LogService.ClearLog$"


def info(bmc, **params):
    """Run bmc_log_info."""
    return run(LogInfoResource, bmc, **params)


def log(bmc, **params):
    """Run bmc_log."""
    return run(LogResource, bmc, **{"logs": ["SEL"], **params})


def of(result, name):
    """Return the entries of a log in a result."""
    return next(found["entries"] for found in result["logs"] if found["id"] == name)


def test_lists_all_logs_with_their_newest_entries(test_bmc):
    """Of the system and of the BMC, newest first, in neutral words."""
    result = info(test_bmc())
    assert [(found["id"], found["owner"], found["clearable"]) for found in result["logs"]] == [
        ("system/SEL", "system", True), ("bmc/Log", "bmc", True)]
    assert of(result, "system/SEL")[0] == {"id": "2", "created": "2026-01-01T00:01:00Z", "severity": "warning",
                                           "message": "Fan 2 below threshold.", "message_id": "Event.1.0.Fan"}
    assert not result["changed"] and not result["problems"]
    assert [entry["id"] for entry in of(info(test_bmc(), severity="warning"), "system/SEL")] == ["2"]
    assert [entry["id"] for entry in of(info(test_bmc(), since="2026-01-01T00:00:30Z"), "system/SEL")] == ["2"]
    assert [entry["id"] for entry in of(info(test_bmc(), limit=1), "system/SEL")] == ["2"]


def test_every_recorded_tree(test_bmc, tree_names, tree):
    """One login, one connection, nothing read twice, no session left; the newest are the newest by the tree itself."""
    for name in tree_names:
        bmc = test_bmc(name)
        several = name in ("gigabyte-h262_ami-12.84", "hpecray-ex235a", "nvidia-gh200-24.05")
        system = bmc.systems[-1].rsplit("/", 1)[1] if several else None
        result = info(bmc, limit=20, **({"bmc_system": system} if system else {}))
        assert not result.get("failed"), (name, result)
        assert bmc.counters.logins == bmc.counters.connections == 1 and not bmc.sessions.open(), name
        assert not bmc.counters.duplicates, (name, bmc.counters.duplicates)
        for found in result["logs"]:
            assert len(found["entries"]) <= 20 and found["id"].startswith(found["owner"] + "/")
            _compare(tree(name), found, name)


def _compare(tree, found, name):
    """Read the tree independently: the entries of this log by time."""
    paths = [path for path in tree.of_kind("LogService") if path.rsplit("/", 1)[1] == found["id"].rsplit("/", 1)[1]]
    wanted = []
    for path in paths:
        members = tree.json(tree.json(path)["Entries"]["@odata.id"].rstrip("/")).get("Members") or []
        rows = [row if len(row) > 1 else json.loads(tree.files.get(row["@odata.id"].rstrip("/"), b"{}")) for row in members]
        wanted.append(sorted((row["Created"] for row in rows if moment(row.get("Created"))), key=moment, reverse=True))
    told = [entry["created"] for entry in found["entries"] if entry["created"]]
    assert any([moment(time).replace(microsecond=0) for time in times[:len(told)]] == [moment(time) for time in told]
               and len(found["entries"]) >= min(len(times), 20) for times in wanted), (name, found["id"])


def test_few_requests_where_the_bmc_expands(test_bmc):
    """HPE lists 142 links: one request brings all; without the expansion, only those that are shown are read."""
    bmc = test_bmc("hpe-dl360gen10plus-ilo5_3.11")
    result = info(bmc, logs=["IML"], limit=10)
    many = sum("/IML/Entries" in path for path in bmc.counters.gets)
    refusing = test_bmc("hpe-dl360gen10plus-ilo5_3.11", query="refuse")
    again = info(refusing, logs=["IML"], limit=10)
    assert again["logs"] == result["logs"] and many == 1
    assert sum(count for path, count in refusing.counters.gets.items() if "/IML/Entries/" in path) <= 12


def test_a_log_in_pages(test_bmc):
    """Where the first page holds the newest it is enough; where it holds the oldest, all are read."""
    for order in (1, -1):
        bmc = test_bmc()
        bmc.store.edit("/redfish/v1").pop("ProtocolFeaturesSupported")
        _paged(bmc, order)
        assert [entry["id"] for entry in of(info(bmc, limit=2), "system/SEL")] == ["6", "5"]
        pages = sum(count for path, count in bmc.counters.gets.items() if "/SEL/Entries" in path)
        assert pages == (3 if order == 1 else 1)


def _paged(bmc, order):
    """Give the log three pages of two whole entries, oldest first or newest first."""
    rows = [{"@odata.id": f"{SEL}/Entries/{number}", "Id": str(number), "Created": f"2026-01-0{number}T00:00:00Z", "Message": "x"}
            for number in range(1, 7)][::order]
    for page in range(3):
        path = f"{SEL}/Entries" + (f"/page{page}" if page else "")
        body = {"@odata.type": "#LogEntryCollection.LogEntryCollection", "Members": rows[page * 2:page * 2 + 2]}
        bmc.store.put(path, body if page == 2 else {**body, "Members@odata.nextLink": f"{SEL}/Entries/page{page + 1}"})


def test_a_broken_log_is_a_problem_and_the_rest_is_returned(test_bmc):
    """An entry that cannot be read is left out with a warning, a log as a problem."""
    bmc = test_bmc(query="refuse")
    bmc.faults.add("status", method="GET", path="SEL/Entries/2$", status=500, times=None)
    bmc.faults.add("status", method="GET", path="Log/Entries$", status=500, times=None)
    result = info(bmc)
    assert [found["id"] for found in result["logs"]] == ["system/SEL"] and [entry["id"] for entry in of(result, "system/SEL")] == ["1"]
    assert result["problems"][0]["path"] == "bmc/Log" and "SEL/Entries/2" in result["warnings"][0]


@pytest.mark.parametrize("params, word", [({"since": "soon"}, "since"), ({"limit": 0}, "limit"), ({"logs": ["none"]}, "system/SEL")])
def test_info_that_cannot_be(test_bmc, params, word):
    """A time that is none, no entries, a log that is not there."""
    result = info(test_bmc(), **params)
    assert result["failed"] and result["error"]["kind"] == "invalid_input" and word in result["msg"]


def test_clears_and_is_idempotent(test_bmc):
    """The log is empty, the other is not; what was lost is in the diff; a second run sends nothing."""
    bmc = test_bmc()
    result = log(bmc)
    assert result["changed"] and result["verified"] and bmc.cleared_logs == [SEL] and of(result, "system/SEL") == []
    assert len(result["diff"]["before"]["logs"][0]["entries"]) == 2 and bmc.get("/redfish/v1/Managers/1/LogServices/Log/Entries")["Members"]
    assert bmc.counters.logins == bmc.counters.connections == 1 and not bmc.sessions.open()
    bmc.counters.reset()
    assert not log(bmc)["changed"] and not bmc.counters.effective_writes()


def test_a_note_that_it_was_cleared_counts_as_clear(test_bmc):
    """Many BMCs write one; the log is not cleared for ever."""
    bmc = test_bmc()
    bmc.store.put(f"{SEL}/Entries/9", {"@odata.type": "#LogEntry.v1_9_0.LogEntry", "Id": "9", "Message": "Log cleared by root",
                                       "Created": "2026-02-01T00:00:00Z"})
    bmc.routes.actions["LogService.ClearLog"] = lambda bmc, owner, data, request: bmc.store.merge(
        f"{owner}/Entries", {"Members": [{"@odata.id": f"{SEL}/Entries/9"}], "Members@odata.count": 1})
    assert [entry["id"] for entry in of(log(bmc), "system/SEL")] == ["9"]
    assert not log(bmc)["changed"]


def test_check_mode_sends_only_reads(test_bmc):
    """What would be lost is told; the server sees no write."""
    bmc = test_bmc()
    result = run(LogResource, bmc, check_mode=True, logs=["SEL", "bmc/Log"])
    assert result["changed"] and all(not found["entries"] for found in result["diff"]["after"]["logs"]) and not bmc.counters.effective_writes()


def test_a_bmc_that_clears_nothing_is_not_believed(test_bmc):
    """It answers 204, and the entries are still there."""
    bmc = test_bmc()
    bmc.routes.actions["LogService.ClearLog"] = lambda *unused: None
    result = log(bmc, wait_timeout=1)
    assert result["failed"] and "2 entries are still" in result["msg"] and result["changed"]


def test_entries_that_cannot_be_read_are_entries(test_bmc):
    """The log is cleared and not taken for clear."""
    bmc = test_bmc(query="refuse")
    bmc.faults.add("status", method="GET", path="SEL/Entries/", status=500, times=None)
    result = log(bmc)
    assert result["changed"] and result["verified"] and bmc.cleared_logs == [SEL]


@pytest.mark.parametrize("entries", [None, {"@odata.id": SEL}])
def test_a_log_that_does_not_tell_its_entries_is_not_clear(test_bmc, entries):
    """It is a problem when read, and a failure when it is to be cleared."""
    bmc = test_bmc()
    bmc.store.edit(SEL)["Entries"] = entries
    assert info(bmc)["problems"][0]["path"] == "system/SEL"
    result = log(bmc)
    assert result["failed"] and result["error"]["kind"] == "broken_answer" and not bmc.counters.effective_writes()


@pytest.mark.parametrize("kind, failed", [("reset_after", False), ("reset_before", True)])
def test_a_lost_answer_is_looked_at_and_not_sent_again(test_bmc, kind, failed):
    """The log tells whether the order took effect."""
    bmc = test_bmc()
    bmc.faults.add(kind, method="POST", path=CLEAR, times=1)
    result = log(bmc, wait_timeout=1)
    assert bool(result.get("failed")) is failed and len(bmc.counters.effective_writes()) == 1


def test_a_log_that_cannot_be_cleared_keeps_the_others_from_it(test_bmc):
    """Nothing is sent."""
    bmc = test_bmc("dell-r750-idrac9_6.00")
    result = log(bmc, logs=["Sel", "Lclog"])
    assert result["failed"] and result["error"]["kind"] == "unsupported" and "Lclog" in result["msg"]
    assert not bmc.counters.effective_writes()
    assert log(bmc, logs=["Sel"])["verified"]


def test_a_name_of_several_logs(test_bmc):
    """The error lists them."""
    bmc = test_bmc()
    bmc.set("/redfish/v1/Managers/1/LogServices/Log", {"Name": "SEL"})
    result = log(bmc)
    assert result["failed"] and result["error"]["logs"] == ["system/SEL", "bmc/Log"] and not bmc.counters.effective_writes()
    assert log(bmc, logs=[])["failed"]
