# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Tasks that progress by the BMC's clock: task, monitor, and what they do at their end."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Callable

from .messages import Response


@dataclasses.dataclass
class Task:  # pylint: disable=too-many-instance-attributes
    """Work under way. `done` runs at the end; `fail` is the message of a task that ends in Exception."""

    number: str
    path: str
    monitor: str
    seconds: float
    started: float
    done: Callable | None = None
    fail: str | None = None
    name: str = "Task"
    finished: bool = False
    waiting: bool = False        # for a start of the system, which ends it
    watched: list = dataclasses.field(default_factory=list)

    def percent(self, now: float) -> int:
        """Share of the work that is done."""
        if self.finished:
            return 100
        return min(99, int(100 * (now - self.started) / self.seconds)) if self.seconds else 0


class Tasks:
    """The tasks of a BMC, oldest first."""

    def __init__(self, bmc) -> None:
        self._bmc = bmc
        self._count = 0
        self.all: list = []
        self.on_end: list = []
        self.prefix = "testbmc-"

    @property
    def collection(self) -> str:
        """Where tasks are listed."""
        store = self._bmc.store
        return store.link(store.link("/redfish/v1", "Tasks") or "/redfish/v1/TaskService", "Tasks") or "/redfish/v1/TaskService/Tasks"

    def start(self, name: str, *, done=None, seconds: float | None = None, fail: str | None = None, waiting: bool = False) -> Task:
        """Begin a task, listed in the task collection; one that is `waiting` ends by finish() alone."""
        store, collection = self._bmc.store, self.collection
        if collection not in store:
            store.put(collection, {"@odata.type": "#TaskCollection.TaskCollection", "Name": "Tasks", "Members": []})
        self._count += 1
        number = f"{self.prefix}{self._count}"
        task = Task(number, f"{collection}/{number}", f"{collection.rpartition('/')[0]}/TaskMonitors/{number}",
                    self._bmc.options.task_seconds if seconds is None else seconds, self._bmc.clock.now(), done, fail, name, waiting=waiting)
        self.all.append(task)
        store.put(task.path, self._body(task), collection=collection)
        if not waiting:
            self._bmc.clock.at(task.seconds, lambda: self.finish(task))
        return task

    def accepted(self, task: Task, *, location: str = "monitor", retry_after=None) -> Response:
        """202 with the task, Location as its monitor (DSP0266, 7.11) or as the task itself."""
        headers = {"Location": task.monitor if location == "monitor" else task.path}
        if retry_after is not None:
            headers["Retry-After"] = str(retry_after)
        return Response(202, self._bmc.store.raw(task.path), headers=headers)

    def refresh(self, path: str) -> None:
        """Bring a task's resource up to date before it is read."""
        for task in self.all:
            if task.path == path and not task.finished and path in self._bmc.store:
                self._bmc.store.changed[path] = self._body(task)

    def monitor(self, path: str):
        """The answer at a task monitor, None where there is no such monitor."""
        for task in self.all:
            if task.monitor == path:
                if task.finished:
                    return Response(200, self._body(task))
                return Response(202, self._body(task), headers={"Location": task.monitor, "Retry-After": "1"})
        return None

    def finish(self, task: Task) -> None:
        """The task has ended: its effect, its last state."""
        if task.finished:
            return
        task.finished = True
        if task.done is not None and not task.fail:
            task.done()
        if task.path in self._bmc.store:
            self._bmc.store.put(task.path, self._body(task))
        for hook in list(self.on_end):
            hook(task)

    def _body(self, task: Task) -> dict:
        state = ("Pending" if task.waiting else "Running") if not task.finished else ("Exception" if task.fail else "Completed")
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = {"@odata.type": "#Task.v1_7_1.Task", "@odata.id": task.path, "Id": task.number, "Name": task.name,
                "TaskState": state, "TaskStatus": "Critical" if task.finished and task.fail else "OK",
                "PercentComplete": task.percent(self._bmc.clock.now()), "TaskMonitor": task.monitor, "StartTime": now, "Messages": []}
        if task.finished:
            body["EndTime"] = now
            text = task.fail or "The task has completed successfully."
            body["Messages"] = [{"MessageId": "TaskEvent.1.0.TaskAborted" if task.fail else "TaskEvent.1.0.TaskCompletedOK", "Message": text,
                                 "Severity": "Critical" if task.fail else "OK"}]
        return body
