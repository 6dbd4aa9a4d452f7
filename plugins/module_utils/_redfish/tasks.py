# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for a BMC's tasks (DSP0266, section on asynchronous operations): by the wall clock, through its restarts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Optional

from .._bmc.errors import BmcError, BrokenAnswer, Rejected, Timeout, Unreachable
from .._domain.deadline import Deadline, wait_until
from .answers import Answer, Json, retry_after
from .client import Client, OnError, dig, link_of
from .expansion import Expansion, query_for

# States of Task and Job (DSP0268), and those that Dell's own jobs add.
COMPLETED = frozenset({"Completed"})
FAILED = frozenset({"Exception", "Killed", "Cancelled", "Failed", "Invalid", "CompletedWithErrors", "RebootFailed"})
ENDED = COMPLETED | FAILED
WAITING_FOR_RESET = frozenset({"Scheduled", "Pending", "Starting", "UserIntervention"})
RESET_MESSAGES = ("resetrequired", "rebootrequired", "systemresetrequired")
FIRST_PAUSE, LONGEST_PAUSE, LONGEST_RETRY_AFTER = 0.3, 3.0, 30.0
# A BMC that has just come back may not list its tasks at once: so long, a missing task is looked for again.
GRACE_AFTER_RESTART = 3.0


@dataclass(frozen=True)
class Outcome:
    """What came of a task.

    ``state`` is ``done`` (there was no task, or it completed), ``scheduled`` (it waits for a reset of the system) or
    ``unknown`` (the BMC has forgotten it: only the effect can tell).
    """

    state: str
    link: Optional[str] = None
    messages: tuple[str, ...] = ()
    reset_required: bool = False


def state_of(document: Json) -> Optional[str]:
    """Return the state of a task or job, ``None`` where the document is neither."""
    value = document.get("TaskState") or document.get("JobState")
    return value if isinstance(value, str) else None


def messages_of(document: Json) -> tuple[str, ...]:
    """Return what a task says, one text a message; Dell's own jobs have one ``Message`` of their own."""
    found = document.get("Messages")
    entries = [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
    texts = [entry.get("Message") or entry.get("MessageId") for entry in [*entries, document]]
    return tuple(dict.fromkeys(text.strip() for text in texts if isinstance(text, str) and text.strip()))


def asks_for_reset(document: Json) -> bool:
    """Tell whether a task's messages say that a reset is needed for its effect."""
    found = document.get("Messages")
    ids = [str(entry.get("MessageId")) for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
    return any(word in text.lower() for text in ids for word in RESET_MESSAGES)


def _last(link: str) -> str:
    return link.rstrip("/").rsplit("/", 1)[-1]


def task_link(client: Client, answer: Answer) -> Optional[str]:
    """Return what to poll for an answer to a write: its task rather than its monitor; ``None`` where there is none.

    A GET of the monitor deletes the finished task on Lenovo's XCC. OpenBMC's monitor is the task's path and
    ``/Monitor``. A monitor that no task names is polled itself.
    """
    own = link_of(answer.body)
    if own and state_of(answer.body) is not None:
        return own
    location = answer.headers.get("Location")
    if answer.status != 202 or not isinstance(location, str) or not location:
        return None
    if location.rstrip("/").endswith("/Monitor"):
        return location.rstrip("/")[:-len("/Monitor")]
    if "Monitor" not in location:
        return location
    path = client._key(location)
    for task in unfinished(client, jobs=False, finished_too=True):
        monitor = task.get("TaskMonitor")
        if isinstance(monitor, str) and client._key(monitor) == path and link_of(task):
            return link_of(task)
    return location


def job_queues(client: Client) -> list[str]:
    """Return the collections of jobs: the standard's, and those that managers link to as their own."""
    root = client.read("/redfish/v1/")
    queues = []
    try:
        service = link_of(root.get("JobService"))
        queues.append(link_of(client.read(service).get("Jobs")) if service else None)
        for manager in client.members(link_of(root.get("Managers")), on_error=lambda link, error: None):
            vendors = dig(manager, "Links", "Oem")
            for vendor in vendors.values() if isinstance(vendors, dict) else []:
                queues.append(link_of(dig(vendor, "Jobs")))
    except BmcError:
        pass
    return list(dict.fromkeys(queue for queue in queues if queue))


def unfinished(client: Client, *, jobs: bool = True, finished_too: bool = False) -> list[Json]:
    """Return the tasks (and jobs) that have not ended, as documents; what cannot be read is left out."""
    root = client.read("/redfish/v1/")
    found: list[Json] = []
    try:
        service = link_of(root.get("Tasks"))
        collection = link_of(client.read(service).get("Tasks")) if service else None
    except BmcError:
        collection = None
    for queue in [collection, *(job_queues(client) if jobs else [])]:
        found += _entries(client, queue) if queue else []
    return [task for task in found if state_of(task) is not None and (finished_too or state_of(task) not in ENDED)]


def _entries(client: Client, queue: str) -> list[Json]:
    """Return the tasks or jobs of a collection as they are now, in one answer where the BMC expands it; those that
    are known to have ended are not read again."""
    root = client.read("/redfish/v1/")
    _forget_unfinished(client, queue)
    client.forget(queue + query_for(root))
    ignore: OnError = (lambda link, error: None)
    Expansion(client, root).read([queue], on_error=ignore)
    try:
        links = list(client.member_links(client.read(queue)))
    except BmcError:
        return []
    return client.documents(links, on_error=ignore)


def _forget_unfinished(client: Client, queue: str) -> None:
    """Forget the pages of a collection, and those of its members that may change."""
    following: Any = queue
    while isinstance(following, str) and client.kept(following) is not None:
        page = client.kept(following) or {}
        client.forget(following)
        members = page.get("Members")
        for link in filter(None, map(link_of, members if isinstance(members, list) else [])):
            if state_of(client.kept(link) or {}) not in ENDED:
                client.forget(link)
        following = page.get("Members@odata.nextLink")


class TaskWait:
    """The wait for one task until ``deadline``. ``what`` is its name in messages and progress."""

    def __init__(self, client: Client, *, deadline: Deadline, tell: Callable[[str], None], what: str) -> None:
        self._client = client
        self._deadline = deadline
        self._tell = tell
        self._what = what
        self._seen = "accepted"
        self._away_until: Optional[Deadline] = None
        self._in_queue = False

    def follow(self, answer: Answer, *, until_scheduled: bool = False) -> Outcome:
        """Wait for the task that an answer to a write names; see :meth:`poll`."""
        link = task_link(self._client, answer)
        if link is None:
            return Outcome("done", messages=messages_of(answer.body), reset_required=asks_for_reset(answer.body))
        return self.poll(link, until_scheduled=until_scheduled)

    def find(self, *, within: float, until_scheduled: bool = False) -> Outcome:
        """Follow the task of a write whose answer was lost: one that has not ended and shows ``within`` so many
        seconds, also after a restart of the BMC. Where there is none, only the effect can tell."""
        def look() -> Optional[Json]:
            try:
                self._client.forget()
                return next(iter(unfinished(self._client)), None)
            except BmcError:
                return None

        reached, task = wait_until(look, bool, deadline=Deadline(min(within, self._deadline.remaining)))
        link = link_of(task) if reached else None
        return self.poll(link, until_scheduled=until_scheduled) if link else Outcome("unknown")

    def poll(self, link: str, *, until_scheduled: bool = False) -> Outcome:
        """Poll a task until it has ended; with ``until_scheduled``, also until it waits for a reset.

        Raises :class:`Rejected` with the BMC's messages where the task failed, :class:`Timeout` at the deadline.
        """
        pause = FIRST_PAUSE
        while True:
            answer = self._read(link)
            if answer == "gone":
                job = None if self._in_queue else self._job(_last(link))
                if job is None:
                    self._tell(f"{self._what}: the BMC has forgotten its task; its effect will tell")
                    return Outcome("unknown", link)
                link, self._in_queue = job, True
                continue
            if isinstance(answer, Answer):
                outcome = self._judged(link, answer, until_scheduled=until_scheduled)
                if outcome is not None:
                    return outcome
            if self._deadline.passed:
                raise Timeout(f"{self._what} is still {self._seen} after {self._deadline.seconds:.0f} s", task=link,
                              last_seen=self._seen, remedy="The BMC goes on with it. Raise wait_timeout to wait longer.")
            pause = min(pause * 1.3, LONGEST_PAUSE)
            self._deadline.sleep(self._asked_pause(answer, pause))

    def _asked_pause(self, answer: Any, pause: float) -> float:
        if isinstance(answer, Answer) and "Retry-After" in answer.headers:
            return min(retry_after(answer.headers, default=pause), LONGEST_RETRY_AFTER)
        return pause

    def _read(self, link: str) -> Any:
        """Return the answer, ``gone`` where the task is no more, ``None`` where the BMC does not answer just now."""
        try:
            answer = self._client.connector.send("GET", link, deadline=self._deadline)
        except (Unreachable, Timeout, BrokenAnswer) as error:
            if error.details.get("certificate"):
                raise
            self._seen = "unknown (the BMC does not answer)"
            self._tell(f"{self._what}: the BMC does not answer ({error.cause}); it may be restarting")
            self._away_until = Deadline(GRACE_AFTER_RESTART)
            return None
        except Rejected as error:
            status = error.details.get("status") or 0
            if status in (404, 410):
                waiting = self._away_until is not None and not self._away_until.passed
                return None if waiting else "gone"
            if status >= 500:
                self._away_until = Deadline(GRACE_AFTER_RESTART)
                return None
            raise
        return answer

    def _judged(self, link: str, answer: Answer, *, until_scheduled: bool) -> Optional[Outcome]:
        """Return the outcome that a task's document shows, ``None`` while it goes on."""
        document, state = answer.body, state_of(answer.body)
        if state is None:  # a monitor: 202 while the work goes on, the write's own answer afterwards
            return None if answer.status == 202 else Outcome("done", link, messages_of(document))
        percent = document.get("PercentComplete")
        shown = f"{state}, {percent} %" if isinstance(percent, (int, float)) and state not in COMPLETED else state
        self._seen = shown
        self._tell(f"{self._what}: {shown}")
        said = messages_of(document)
        if state in FAILED or (state in COMPLETED and document.get("TaskStatus") == "Critical"):
            why = "; ".join(text.rstrip(".") for text in said)
            raise Rejected(f"{self._what} ended in {state}" + (f": {why}" if why else ""), task=link,
                           messages=list(said), remedy="The BMC's log may tell more.")
        if state in COMPLETED:
            return Outcome("done", link, said, asks_for_reset(document))
        if until_scheduled and state in WAITING_FOR_RESET:
            return Outcome("scheduled", link, said, True)
        return None

    def _job(self, name: str) -> Optional[str]:
        """Return the link of the job of that id: iDRAC forgets a finished task after ten seconds, but not its job."""
        for queue in job_queues(self._client):
            try:
                self._client.forget(queue)
                for link in self._client.member_links(self._client.read(queue)):
                    if _last(link) == name:
                        return link
            except BmcError:
                continue
        return None
