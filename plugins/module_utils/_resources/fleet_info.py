# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``bmc_fleet_info``: the reading of a fleet as a task: its options, its file of results, its count."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from contextlib import closing
from typing import Any, ClassVar, Iterable, Iterator, Optional

from .._bmc.errors import BmcError, InvalidInput
from .._bmc.interface import Hardware, Health
from .._bmc.options import CONNECTION_SPEC
from .base import Params, Resource, Tell
from .fleet import Bounds, FleetReader
from .hardware import HardwareResource
from .health import HealthResource
from .run import terminated_cleanly

Json = dict[str, Any]
GATHERED: dict[str, type[Resource]] = {"hardware": HardwareResource, "health": HealthResource}
OF_ONE_HOST = ("bmc_address", "bmc_port", "bmc_protocol", "bmc_username", "bmc_password", "bmc_system",
               "validate_certs", "ca_path", "tls_fingerprint")
TELL_EVERY = 5.0
NAMED_FAILURES = 10
# How many processes read without being told otherwise, and for how many hosts another one is worth its memory.
MOST_WORKERS = 8
HOSTS_A_WORKER = 25


def _host_option(name: str) -> Json:
    """Return a connection option as one of a single host: without a default, which the task's own option is."""
    return {key: value for key, value in CONNECTION_SPEC[name].items() if key not in ("default", "fallback")}


class FleetInfo:
    """The options and the shape of ``bmc_fleet_info``; a resource of many BMCs, run by :func:`execute_fleet`."""

    NAME: ClassVar[str] = "fleet"
    WRITES: ClassVar[bool] = False
    CONSTRAINTS: ClassVar[Json] = {}
    SPEC: ClassVar[dict[str, Json]] = {
        "hosts": dict(type="list", elements="dict", required=True, options={
            "name": dict(type="str"), **{name: _host_option(name) for name in OF_ONE_HOST}}),
        "gather": dict(type="list", elements="str", choices=list(GATHERED), default=["hardware"]),
        "hardware_sections": dict(type="list", elements="str", choices=list(Hardware.SECTIONS)),
        "health_sections": dict(type="list", elements="str", choices=list(Health.SECTIONS)),
        "limit": dict(type="int", default=100),
        "workers": dict(type="int"),
        "subnet_limit": dict(type="int", default=50),
        "subnet_prefix": dict(type="int", default=24),
        "host_timeout": dict(type="int", default=120),
        "output": dict(type="path"),
        "resume": dict(type="bool", default=False),
    }


def execute_fleet(unused: type[FleetInfo], params: Params, *, check_mode: bool, tell: Tell) -> Json:
    """Read the fleet and return the task's result. Check mode reads as well, but writes no file."""
    start = time.monotonic()
    output = None if check_mode else params["output"]
    try:
        hosts = _hosts(params)
        with terminated_cleanly():
            with _Output(output, resume=params["resume"]) as kept:
                left = [host for host in hosts if host["name"] not in kept.names]
                reader = FleetReader(bounds=Bounds(params["limit"], params["subnet_limit"], params["subnet_prefix"]),
                                     processes=_processes(params["workers"], len(left)))
                with closing(reader.read(left)) as records:
                    found = list(_told(kept.passing(records), total=len(left), tell=tell))
    except BmcError as error:
        return {"changed": False, "failed": True, "error": error.as_dict(),
                "msg": error.message("read the fleet", f"{len(params['hosts'])} BMCs", None)}
    return _result(found, kept=len(hosts) - len(left), output=params["output"],
                   seconds=round(time.monotonic() - start, 1))


def _processes(wanted: Optional[int], hosts: int) -> int:
    """Return how many processes read: no more than there are CPUs, and than so many hosts are worth."""
    try:
        cpus = len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        cpus = os.cpu_count() or 1
    return max(1, min(wanted or MOST_WORKERS, cpus, hosts // HOSTS_A_WORKER))


def _hosts(params: Params) -> list[Json]:
    """Return the hosts as the reader takes them; :class:`InvalidInput` names the first that is wrong."""
    for name, least in (("limit", 1), ("workers", 1), ("subnet_limit", 1), ("host_timeout", 1), ("subnet_prefix", 8)):
        if params[name] is not None and params[name] < least:
            raise InvalidInput(f"{name} is {params[name]}", remedy=f"Give {least} or more.")
    if params["subnet_prefix"] > 32:
        raise InvalidInput(f"subnet_prefix is {params['subnet_prefix']}", remedy="Give 8 to 32.")
    if not params["gather"]:
        raise InvalidInput("gather is empty", remedy=f"Valid values are {', '.join(GATHERED)}.")
    if params["resume"] and not params["output"]:
        raise InvalidInput("resume is set but output is not", remedy="Name the file of results with output.")
    hosts = [_host(params, host) for host in params["hosts"]]
    twice = [name for name, times in Counter(host["name"] for host in hosts).items() if times > 1]
    if twice:
        raise InvalidInput(f"the host '{twice[0]}' is listed more than once",
                           remedy="Give each a name of its own.")
    return hosts


def _host(params: Params, host: Json) -> Json:
    """Return one host: its own options over those of the task."""
    if not host.get("bmc_address"):
        raise InvalidInput(f"the host '{host.get('name') or '(no name)'}' has no bmc_address",
                           remedy="Set it in hosts.")
    shared = {name: params[name] for name in CONNECTION_SPEC}
    own = {name: host[name] for name in OF_ONE_HOST if host.get(name) is not None}
    options = {**shared, **own, "host_timeout": params["host_timeout"]}
    return {"name": host.get("name") or host["bmc_address"], "address": host["bmc_address"],
            "runs": [(GATHERED[name], {**options, "sections": params[f"{name}_sections"]})
                     for name in dict.fromkeys(params["gather"])]}


def _told(records: Iterable[Json], *, total: int, tell: Tell) -> Iterator[Json]:
    """Pass the records on, and tell how far the reading has come."""
    last, done, failed = time.monotonic(), 0, 0
    for record in records:
        done, failed = done + 1, failed + (not record["ok"])
        if time.monotonic() - last >= TELL_EVERY or done == total:
            last = time.monotonic()
            tell(f"{done} of {total} BMCs read, {failed} of them failed")
        yield record


def _result(found: list[Json], *, kept: int, output: Optional[str], seconds: float) -> Json:
    """Return the task's result. It fails where no BMC at all could be read; a part that failed is a warning."""
    failures = [{"name": record["name"], "address": record["address"], "msg": _cause(record)}
                for record in found if not record["ok"]]
    fleet: Json = {"total": len(found) + kept, "ok": len(found) - len(failures) + kept, "failed": len(failures),
                   "kept": kept, "seconds": seconds, "output": output, "failures": failures,
                   "hosts": None if output else found}
    result: Json = {"changed": False, "fleet": fleet}
    if failures and not fleet["ok"]:
        result.update(failed=True, error={"kind": "unreachable"},
                      msg=f"Cannot read any of the {len(found)} BMCs. The first: {failures[0]['msg']}")
    elif failures:
        named = ", ".join(failure["name"] for failure in failures[:NAMED_FAILURES])
        more = ", ..." if len(failures) > NAMED_FAILURES else ""
        result["warnings"] = [f"{len(failures)} of {fleet['total']} BMCs could not be read: {named}{more}."]
    return result


def _cause(record: Json) -> str:
    return next(result["msg"] for result in record["results"].values() if result.get("failed"))


class _Output:
    """The file of results: one JSON object a line, written as hosts are done; readable by its owner alone."""

    def __init__(self, path: Optional[str], *, resume: bool) -> None:
        self._path = path
        self._file: Any = None
        self.names: set[str] = set()
        self._lines = self._good_lines(path) if path and resume else []

    def _good_lines(self, path: str) -> list[str]:
        """Return the lines of hosts that were read well; what was cut off or failed is read again."""
        try:
            with open(path, encoding="utf-8") as stream:
                lines = [line for line in stream if line.endswith("\n")]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise InvalidInput(f"output '{path}' cannot be read ({error.strerror})",
                               remedy="Name a file that can be read and written.") from error
        good = []
        for line in lines:
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict) and record.get("ok") and record.get("name") not in self.names:
                self.names.add(record["name"])
                good.append(line)
        return good

    def __enter__(self) -> "_Output":
        if self._path:
            try:
                new = os.open(f"{self._path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                self._file = os.fdopen(new, "w", encoding="utf-8")
                self._file.writelines(self._lines)
                self._file.flush()
                os.replace(f"{self._path}.new", self._path)
            except OSError as error:
                raise InvalidInput(f"output '{self._path}' cannot be written ({error.strerror})",
                                   remedy="Name a file in a folder that exists and can be written.") from error
        return self

    def __exit__(self, *unused: object) -> None:
        if self._file is not None:
            self._file.close()

    def passing(self, records: Iterable[Json]) -> Iterator[Json]:
        """Write each record and pass it on; without its results once they are in the file, so that memory stays flat."""
        for record in records:
            if self._file is not None:
                self._file.write(json.dumps(record, sort_keys=True) + "\n")
                self._file.flush()
                if record["ok"]:
                    record = {key: value for key, value in record.items() if key != "results"}
            yield record
