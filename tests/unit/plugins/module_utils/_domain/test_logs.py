# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times, severities and order of log entries; what a cleared log is."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from ansible_collections.typeone.metal.plugins.module_utils._domain.logs import (
    is_cleared, left_over, matching, newest_first, pick, since_moment, timestamp,
)

NOW = datetime(2026, 2, 1, 12, 0, 0, tzinfo=timezone.utc)


def entry(number, created=None, severity=None, message="x"):
    """Return a row."""
    return {"id": str(number), "created": created, "severity": severity, "message": message, "message_id": None}


@pytest.mark.parametrize("told, shown", [
    ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"), ("2024-08-08T18:48:07-05:00", "2024-08-08T23:48:07Z"),
    ("2023-08-16T19:42:58.033389+00:00", "2023-08-16T19:42:58Z"), ("2018-08-12T12:46:14", "2018-08-12T12:46:14Z"),
    ("0000-00-00T00:00:00Z", None), ("", None), (None, None), (5, None), ("yesterday", None)])
def test_times(told, shown):
    """All forms that BMCs use become one; what is no time is none."""
    assert timestamp(told) == shown


@pytest.mark.parametrize("text, moment", [
    ("90m", "2026-02-01T10:30:00Z"), ("36H", "2026-01-31T00:00:00Z"), ("7d", "2026-01-25T12:00:00Z"), ("2 w", "2026-01-18T12:00:00Z"),
    ("2026-01-01", "2026-01-01T00:00:00Z"), ("soon", None), ("99999999999999d", None)])
def test_since(text, moment):
    """An age or a time."""
    assert timestamp(since_moment(text, now=NOW)) == moment


def test_order():
    """By time; an entry without one stays beside its neighbour; no times at all: as they came."""
    rows = [entry(1, "2026-01-01T00:00:00Z"), entry(2), entry(3, "2026-01-03T00:00:00Z"), entry(4, "2026-01-02T00:00:00Z")]
    assert [row["id"] for row in newest_first(rows)] == ["3", "4", "1", "2"]
    assert [row["id"] for row in newest_first([entry(1), entry(2)])] == ["1", "2"]
    assert [row["id"] for row in newest_first([entry(1), entry(2, "2026-01-01T00:00:00Z")])] == ["1", "2"]


def test_matching():
    """Severity is a minimum; what is not told does not match what is asked for; the limit counts matches."""
    rows = [entry(1, "2026-01-04T00:00:00Z", "ok"), entry(2, "2026-01-03T00:00:00Z", "critical"), entry(3, None, None),
            entry(4, "2026-01-02T00:00:00Z", "warning")]

    def ids(**asked):
        return [row["id"] for row in matching(rows, **{"since": None, "severity": None, "limit": 10, **asked})]

    assert ids() == ["1", "2", "3", "4"] and ids(limit=2) == ["1", "2"]
    assert ids(severity="warning") == ["2", "4"] and ids(severity="warning", limit=1) == ["2"]
    assert ids(since=since_moment("2026-01-03")) == ["1", "2"]


def test_cleared():
    """Empty, or nothing but the note that it was cleared."""
    assert is_cleared([]) and is_cleared([entry(1, message="The log was cleared by root.")])
    assert not is_cleared([entry(1)]) and not is_cleared([entry(1, message="cleared"), entry(2)])
    assert not is_cleared([entry(1, message=None)])


def test_left_over():
    """An entry with the number of an old one but another content is a new one."""
    before = [entry(1, "2026-01-01T00:00:00Z"), entry(2, "2026-01-02T00:00:00Z")]
    assert left_over(before, [entry(1, "2026-02-01T00:00:00Z", message="Log cleared")]) == []
    assert left_over(before, before[:1]) == before[:1]


def test_names():
    """By id, by the part after the owner, by title; ambiguity is left to the caller."""
    logs = [{"id": "bmc/Log", "name": "BMC log"}, {"id": "system/Log", "name": "System log"}, {"id": "system/SEL", "name": None}]
    assert [found["id"] for found in pick(logs, "sel")] == ["system/SEL"]
    assert [found["id"] for found in pick(logs, "BMC/log")] == ["bmc/Log"] == [found["id"] for found in pick(logs, "bmc log")]
    assert len(pick(logs, "log")) == 2 and pick(logs, "none") == []
