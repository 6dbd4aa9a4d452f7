# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many BMCs from one place: bounded in all and by subnet, a deadline for each, answers as they come.

Which host is next is decided in one place, whatever number of processes share the work, so that the bounds hold.
"""

from __future__ import annotations

import ipaddress
import queue
import time
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any, Iterator, Optional, Sequence

from .fleet_workers import Event, ForkedWorker, ThreadWorker, Worker, failed
from .run import execute_together

Json = dict[str, Any]


@dataclass(frozen=True)
class Bounds:
    """How many BMCs may be spoken to at a time: in all, and of one subnet (of this prefix length, for IPv4)."""

    total: int = 100
    subnet: int = 50
    prefix: int = 24


def subnet_of(address: str, prefix: int) -> str:
    """Return the subnet of an address; a name, whose address is not known before it is asked, is alone."""
    try:
        parsed = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return address
    bits = prefix if parsed.version == 4 else min(prefix + 40, 128)
    return str(ipaddress.ip_network(f"{parsed}/{bits}", strict=False))


class _Waiting:
    """The hosts that are not begun, as numbers, and how many are under way."""

    def __init__(self, hosts: Sequence[Json], bounds: Bounds) -> None:
        self._bounds = bounds
        self._subnets = [subnet_of(host["address"], bounds.prefix) for host in hosts]
        self._waiting: dict[str, deque[int]] = {}
        self._active: Counter[str] = Counter()
        for number, subnet in enumerate(self._subnets):
            self._waiting.setdefault(subnet, deque()).append(number)

    def take(self) -> Optional[int]:
        """Return a host of the least busy subnet that has room; ``None`` where none may be begun now."""
        if self._active.total() >= self._bounds.total:
            return None
        free = [name for name in self._waiting if self._active[name] < self._bounds.subnet]
        if not free:
            return None
        subnet = min(free, key=self._active.__getitem__)
        number = self._waiting[subnet].popleft()
        if not self._waiting[subnet]:
            del self._waiting[subnet]
        self._active[subnet] += 1
        return number

    def leave(self, number: int) -> None:
        """Note that a host is done."""
        self._active[self._subnets[number]] -= 1


class FleetReader:
    """Reads many BMCs. Each host is ``{name, address, runs}``; ``runs`` are resources with their validated options.

    With one process it reads in threads of the caller's own; with more, in threads of processes that are forked from
    the caller's.
    """

    def __init__(self, *, bounds: Bounds, processes: int = 1) -> None:
        self._bounds = bounds
        self._processes = processes

    def read(self, hosts: Sequence[Json]) -> Iterator[Json]:
        """Yield ``{name, address, ok, seconds, results: {return key: result}}`` in the order in which hosts are done.

        Closing the iterator starts no further host, and waits until those under way have logged out.
        """
        waiting = _Waiting(hosts, self._bounds)
        events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        workers = self._workers(hosts, events)
        done = 0
        try:
            while done < len(hosts):
                _begin(waiting, workers)
                worker, records = events.get()
                for number, record in worker.settle(records):
                    waiting.leave(number)
                    done += 1
                    yield record
        finally:
            for worker in workers:
                worker.finish()
            for worker in workers:
                worker.join()

    def _workers(self, hosts: Sequence[Json], events: queue.SimpleQueue[Event]) -> list[Worker]:
        """Return the workers. All are forked before the first thread is begun."""
        if self._processes == 1:
            return [ThreadWorker(hosts, read_one, events=events)]
        workers: list[Worker] = []
        for _unused in range(self._processes):
            workers.append(ForkedWorker(hosts, read_one, events=events, earlier=tuple(workers)))
        for worker in workers:
            worker.listen()
        return workers


def _begin(waiting: _Waiting, workers: list[Worker]) -> None:
    """Begin all hosts that may be begun, each at the least busy worker that lives."""
    while (number := waiting.take()) is not None:
        alive = [worker for worker in workers if worker.alive]
        min(alive or workers, key=lambda worker: len(worker.active)).start(number)


def read_one(host: Json) -> Json:
    """Read one host. A defect of ours is that host's failure, and no other's."""
    start = time.monotonic()
    try:
        results = execute_together(host["runs"], check_mode=True, tell=lambda text: None)
    except Exception as error:  # pylint: disable=broad-exception-caught
        return failed(host, f"{type(error).__name__} in the collection itself", seconds=time.monotonic() - start)
    return {"name": host["name"], "address": host["address"],
            "ok": not any(result.get("failed") for result in results),
            "seconds": round(time.monotonic() - start, 3),
            "results": {cls.NAME: result for (cls, _unused), result in zip(host["runs"], results)}}
