# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Faults on demand: what BMCs and networks do on a bad day, so many times, on the requests that match."""

from __future__ import annotations

import dataclasses
import email.utils
import re
import threading
import time
from typing import Any, Callable

from .messages import Request, Response, error


@dataclasses.dataclass
class Fault:
    """One fault: which requests, how often, what. See `Faults.add`."""

    kind: str
    method: str | None = None
    path: Any = None
    match: Callable | None = None
    times: int | None = 1
    skip: int = 0
    options: dict = dataclasses.field(default_factory=dict)
    hits: int = 0

    def wants(self, request: Request) -> bool:
        """Whether this request is one of its kind (skip and times aside)."""
        if self.method and request.method not in self.method.upper().split("|"):
            return False
        if self.path is not None and not re.search(self.path, request.path):
            return False
        return self.match is None or bool(self.match(request))

    def opt(self, name: str, default=None):
        """An option of the fault."""
        return self.options.get(name, default)


class Faults:
    """The faults of a BMC, first match wins."""

    def __init__(self) -> None:
        self._list: list = []
        self._lock = threading.Lock()

    def add(self, kind: str, *, method=None, path=None, match=None, times=1, skip=0, **options) -> Fault:
        """Arm a fault. `path` is a regular expression searched in the path, `method` "GET" or "POST|PATCH", `match` a
        function of the request; `times` None for ever; the first `skip` matches pass. Kinds and options: see KINDS."""
        if kind not in KINDS:
            raise ValueError(f"unknown fault {kind}; known: {', '.join(sorted(KINDS))}")
        fault = Fault(kind, method, path, match, times, skip, options)
        with self._lock:
            self._list.append(fault)
        return fault

    def clear(self) -> None:
        """Disarm all."""
        with self._lock:
            self._list.clear()

    def take(self, request: Request):
        """The fault for a request, used up by one; None where there is none."""
        with self._lock:
            for fault in self._list:
                if (fault.times is not None and fault.hits >= fault.times) or not fault.wants(request):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.hits += 1
                return fault
        return None


def retry_after(value):
    """A Retry-After header's text: a number of seconds, any text as it is, or ("date", seconds) as an HTTP date."""
    if isinstance(value, tuple):
        return email.utils.formatdate(time.time() + value[1], usegmt=True)
    return str(value)


def _status(_bmc, fault: Fault, _request, proceed) -> Response:
    if fault.opt("effect"):
        proceed()
    code = fault.opt("status", 503)
    response = error(fault.opt("message", "ServiceTemporarilyUnavailable" if code == 503 else "GeneralError"),
                     *fault.opt("args", ("5",)), status=code, registry=fault.opt("registry", "Base.1.12"), text=fault.opt("text"))
    if fault.opt("body") is not None:
        response = Response(code, fault.opt("body"))
    if fault.opt("retry_after") is not None:
        response.headers["Retry-After"] = retry_after(fault.opt("retry_after"))
    response.headers.update(fault.opt("headers", {}))
    return response


def _reset_before(_bmc, _fault, _request, _proceed) -> Response:
    response = Response(200)
    response.reset = True
    return response


def _reset_after(_bmc, _fault, _request, proceed) -> Response:
    response = proceed()
    response.reset = True
    return response


def _truncated(_bmc, fault, _request, proceed) -> Response:
    response = proceed()
    response.truncate = int(len(response.body) * fault.opt("share", 0.5))
    return response


def _malformed(_bmc, fault, _request, proceed) -> Response:
    response = proceed()
    response.body = response.body[:int(len(response.body) * fault.opt("share", 0.5))]
    return response


def _replaced(_bmc, fault, _request, proceed) -> Response:
    response = proceed()
    change = fault.opt("change")
    response.body = change(response.body) if change else fault.opt("body", b"")
    return response


def _content_type(_bmc, fault, _request, proceed) -> Response:
    response = proceed()
    response.headers["Content-Type"] = fault.opt("value", "text/html")
    if fault.opt("body") is not None:
        response.body = fault.opt("body")
    return response


def _slow(_bmc, fault, _request, proceed) -> Response:
    response = proceed()
    response.drip = fault.opt("seconds", 0.5)
    return response


def _latency(bmc, fault, _request, proceed) -> Response:
    bmc.pause(fault.opt("seconds", 0.2))
    return proceed()


def _redirect(_bmc, fault, request, _proceed) -> Response:
    target = fault.opt("to") or fault.opt("host", "") + request.path + fault.opt("suffix", "")
    return Response(fault.opt("status", 308), headers={"Location": target})


def _expired(bmc, _fault, _request, proceed) -> Response:
    bmc.sessions.expire(everyone=True)
    return proceed()


def _unauthorized(bmc, fault, _request, _proceed) -> Response:
    return error("NoValidSession", status=fault.opt("status", 401))


def _hang(_bmc, fault, _request, proceed) -> Response:
    response = proceed() if fault.opt("effect") else Response(200)
    response.hang = fault.opt("seconds", 3600.0)
    return response


def _restart(bmc, fault, request, proceed) -> Response:
    seconds = fault.opt("seconds", 0.5)
    response = proceed() if fault.opt("effect", True) else Response(200)
    if not fault.opt("answer", True):
        response.reset = True
        bmc.restart(seconds, keep=request.connection)
    else:
        response.close = True
        response.after = lambda: bmc.restart(seconds)
    return response


def _close(_bmc, _fault, _request, proceed) -> Response:
    response = proceed()
    response.close = True
    return response


# kind: function(bmc, fault, request, proceed) -> Response; proceed() carries the request out.
KINDS: dict = {
    "status": _status,              # status=503, retry_after=5|"text"|("date", 5), message=, text=, registry=, body=, effect=False
    "reset_before": _reset_before,  # connection reset, the request had no effect
    "reset_after": _reset_after,    # connection reset, the request took effect
    "truncated": _truncated,        # share=0.5 of the body under the whole Content-Length, then closed
    "malformed": _malformed,        # share=0.5 of the JSON text, Content-Length right
    "replaced": _replaced,          # body=b"..." or change=function(bytes) -> bytes
    "content_type": _content_type,  # value="text/html", body=
    "slow": _slow,                  # body dripped over seconds=
    "latency": _latency,            # seconds= before it is even looked at
    "redirect": _redirect,          # status=308, to=URL | host="https://other" | suffix="/"
    "session_expired": _expired,    # all sessions dropped before it is looked at
    "unauthorized": _unauthorized,  # 401 although the login is good
    "hang": _hang,                  # no answer for seconds=, effect=False
    "restart": _restart,            # BMC restarts (connections refused for seconds=), effect=True, answer=True
    "close": _close,                # answered, then closed
}
