# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many BMCs from one process: bounded in all and by subnet, a deadline for each, answers as they come."""

from __future__ import annotations

import ipaddress
import queue
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any, Iterator, Optional, Sequence

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


class FleetReader:
    """Reads many BMCs. Each host is ``{name, address, runs}``; ``runs`` are resources with their validated options."""

    def __init__(self, *, bounds: Bounds) -> None:
        self._bounds = bounds
        self._waiting: dict[str, deque[Json]] = {}
        self._active: dict[str, int] = {}
        self._lock = threading.Condition()
        self._done: queue.SimpleQueue[Json] = queue.SimpleQueue()
        self._stopped = False

    def read(self, hosts: Sequence[Json]) -> Iterator[Json]:
        """Yield ``{name, address, ok, seconds, results: {return key: result}}`` in the order in which hosts are done.

        Closing the iterator starts no further host, and waits until those under way have logged out.
        """
        for host in hosts:
            self._waiting.setdefault(subnet_of(host["address"], self._bounds.prefix), deque()).append(host)
        workers = [threading.Thread(target=self._work, name=f"fleet-{number}", daemon=True)
                   for number in range(min(self._bounds.total, len(hosts)))]
        for worker in workers:
            worker.start()
        try:
            for _unused in hosts:
                yield self._done.get()
        finally:
            with self._lock:
                self._stopped = True
                self._lock.notify_all()
            for worker in workers:
                worker.join()

    def _work(self) -> None:
        """Take hosts until none is left."""
        while (taken := self._take()) is not None:
            subnet, host = taken
            record = _read_one(host)
            with self._lock:
                self._active[subnet] -= 1
                self._lock.notify()
            self._done.put(record)

    def _take(self) -> Optional[tuple[str, Json]]:
        """Return a host whose subnet has room, of the least busy subnet first; ``None`` when there is nothing left."""
        with self._lock:
            while not self._stopped and self._waiting:
                free = [name for name in self._waiting if self._active.get(name, 0) < self._bounds.subnet]
                if free:
                    subnet = min(free, key=lambda name: self._active.get(name, 0))
                    host = self._waiting[subnet].popleft()
                    if not self._waiting[subnet]:
                        del self._waiting[subnet]
                    self._active[subnet] = self._active.get(subnet, 0) + 1
                    return subnet, host
                self._lock.wait()
            self._lock.notify_all()
            return None


def _read_one(host: Json) -> Json:
    """Read one host. A defect of ours is that host's failure, and no other's."""
    start = time.monotonic()
    try:
        results = execute_together(host["runs"], check_mode=True, tell=lambda text: None)
    except Exception as error:  # pylint: disable=broad-exception-caught
        results = [{"changed": False, "failed": True, "error": {"kind": "defect"},
                    "msg": f"Cannot read {host['name']}: {type(error).__name__} in the collection itself."}
                   for _unused in host["runs"]]
    return {"name": host["name"], "address": host["address"],
            "ok": not any(result.get("failed") for result in results),
            "seconds": round(time.monotonic() - start, 3),
            "results": {cls.NAME: result for (cls, _unused), result in zip(host["runs"], results)}}
