# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP to one BMC: one connection that is kept, deadlines by the wall clock, retries only of what is safe.

sushy's connector closes every connection and sends a write anew when its answer was lost. This one keeps its
handling of logins and replaces the way of a request, which goes by urllib3 itself: what requests does around it
costs more than all the rest of the reading of a BMC.
"""

from __future__ import annotations

import json
import threading
import time
from typing import Any, Iterator, Optional
from urllib.parse import urljoin, urlsplit

from .._bmc.errors import (
    AnswerLost, BmcError, BrokenAnswer, MissingLibrary, Rejected, Timeout, Unreachable, WriteInCheckMode,
)
from .._bmc.options import Connection
from .._domain.deadline import Deadline
from .answers import NOT_TAKEN, Answer, absolute_links, not_now, refusal, retry_after, says
from .tls import pool_for

try:
    import urllib3
    from sushy.connector import Connector as SushyConnector
except ImportError as error:
    IMPORT_ERROR: Optional[ImportError] = error
    SushyConnector = object
else:
    IMPORT_ERROR = None

READS = ("GET", "HEAD")
CONNECT_TIMEOUT = 10.0
MAX_REDIRECTS = 5
MAX_BODY = 64 * 1024 * 1024
# Seconds for which a write is sent again that the BMC says it did not take; a self-test may last minutes.
WRITE_PATIENCE = 90.0
SELF_TEST, SELF_TEST_PATIENCE = ("UnableToModifyDuringSystemPOST",), 300.0
# A BMC that used the timeout up is asked again after a pause, for so long: it may just have been busy.
PAUSE_AFTER_HANG = 1.5
PROBE = 5.0


class Connector(SushyConnector):
    """Sends requests to one BMC. Thread-safe up to the connection's ``concurrency``."""

    def __init__(self, connection: Connection) -> None:
        if IMPORT_ERROR is not None:
            raise MissingLibrary("sushy", str(IMPORT_ERROR))
        if urllib3.__version__.startswith("1."):  # knows no names in certificates that are IP addresses
            raise MissingLibrary("urllib3>=2", f"version {urllib3.__version__} is too old")
        super().__init__(connection.base_url)
        self.connection = connection
        self._pool = pool_for(connection)
        self.on_session_lost: Any = None
        self._session.headers.pop("Connection", None)
        self._session.headers.update({"OData-Version": "4.0", "Accept": "application/json",
                                      "Accept-Encoding": "identity"})
        self._patience = Deadline(connection.total_timeout)
        self._lost_to_hangs = 0.0
        self._last_hang = Deadline(0)  # its age is asked for
        self._reached = False
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connections."""
        super().close()
        self._pool.close()

    def send(self, method: str, path: str, *, body: Any = None, headers: Optional[dict[str, str]] = None,
             login: bool = False, not_taken: tuple[str, ...] = (), deadline: Optional[Deadline] = None) -> Answer:
        """Send one request and return its answer; a status of 400 and above is raised as a :class:`BmcError`.

        ``login`` marks the session's own requests, which check mode lets pass. ``not_taken`` adds messages by which
        this BMC says that it did not take this request. ``deadline`` replaces the connection's own patience, for
        whoever expects the BMC to be away for a while.
        """
        read = method in READS
        if not read and self.connection.check_mode and not login:
            raise WriteInCheckMode(f"{method} {path} was about to be sent in check mode",
                                   remedy="This is a defect of the module; nothing was sent.")
        begun = Deadline(0)  # its age is asked for
        attempt = 0
        renewed = False
        while True:
            attempt += 1
            try:
                answer = self._follow(method, path, body=body, headers=headers, deadline=deadline)
            except Unreachable as error:
                if isinstance(error, AnswerLost) or not read or not self._may_reconnect(attempt, error, deadline):
                    raise
                time.sleep(0.2 * attempt)
                continue
            if answer.status < 400:
                return answer
            if answer.status == 401 and not login and not renewed and self.on_session_lost is not None:
                renewed = True
                if self.on_session_lost():
                    continue
            pause = self._pause_before_retry(answer, read=read, not_taken=not_taken, attempt=attempt)
            patience = (self.connection.timeout if read
                        else SELF_TEST_PATIENCE if says(answer.body, SELF_TEST) else WRITE_PATIENCE)
            if (pause is None or begun.elapsed + pause > patience or pause > self._patience.remaining
                    or (deadline is not None and deadline.passed)):
                if pause is None or read or login:
                    raise refusal(method, path, answer)
                raise not_now(method, path, answer, seconds=begun.elapsed)
            time.sleep(pause)

    def _may_reconnect(self, attempt: int, error: BmcError, deadline: Optional[Deadline]) -> bool:
        """Tell whether a read may be sent again: the BMC has answered before, and dropped the connection."""
        return self._reached and attempt < 3 and deadline is None and not error.details.get("certificate")

    def _pause_before_retry(self, answer: Answer, *, read: bool, not_taken: tuple[str, ...],
                            attempt: int) -> Optional[float]:
        """Return the seconds after which the request may be sent again, ``None`` where it may not."""
        if answer.status == 406 and self._session.headers["Accept-Encoding"] == "identity":
            self._session.headers["Accept-Encoding"] = "gzip"  # some HPE Gen10+ refuse identity encoding
            return 0.0
        if answer.status in (503, 429) and "Retry-After" in answer.headers:
            return retry_after(answer.headers)
        if says(answer.body, NOT_TAKEN + not_taken):
            return min(1.0 * attempt, 5.0)
        return 1.0 * attempt if answer.status == 503 and read and attempt < 3 else None

    def _follow(self, method: str, path: str, *, body: Any, headers: Optional[dict[str, str]],
                deadline: Optional[Deadline]) -> Answer:
        """Send, and follow redirects that stay on the BMC: those of reads, and of writes those that keep the method."""
        url = self.url_of(path)
        for _unused in range(MAX_REDIRECTS):
            answer = self._once(method, url, body=body, headers=headers, deadline=deadline)
            location = answer.headers.get("Location")
            if answer.status not in (301, 302, 303, 307, 308) or not location:
                return answer
            target = urljoin(url, location)
            if method not in READS and answer.status not in (307, 308):
                raise Rejected(f"the BMC answers {method} {path} with a redirect (HTTP {answer.status})",
                               status=answer.status, path=path)
            self._check_host(target, path)
            url = target
        raise Rejected(f"the BMC redirects {method} {path} in a circle", path=path)

    def url_of(self, link: str) -> str:
        """Return the absolute URL of a link; credentials go to the BMC's own host and scheme only."""
        try:
            url = urljoin(self.connection.base_url + "/", link)
        except ValueError as error:
            raise Rejected(f"the BMC gives a link that is none ({link[:80]})", path=link[:80]) from error
        self._check_host(url, link)
        return url

    def _check_host(self, url: str, link: str) -> None:
        """Refuse to leave the BMC's scheme, host and port."""
        if url.startswith(self.connection.base_url + "/"):
            return
        try:
            same = _origin(self.connection.base_url) == _origin(url)
        except ValueError:
            same = False
        if not same:
            raise Rejected(f"the BMC leads from {link} to another host or scheme ({url}), which is not given the "
                           "account", remedy="Set bmc_address to where the service really is.", path=link)

    def _once(self, method: str, url: str, *, body: Any, headers: Optional[dict[str, str]],
              deadline: Optional[Deadline]) -> Answer:
        """Send one request once and read its whole answer before the deadline."""
        is_file = hasattr(body, "read")
        if is_file:
            body.seek(0)
        limit = Deadline(deadline.remaining if is_file and deadline is not None else self._limit(deadline))
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        timeout = urllib3.Timeout(connect=min(CONNECT_TIMEOUT, max(limit.remaining, 0.1)), read=max(limit.remaining, 0.1))
        content, head = self._prepared(method, body, headers or {})
        answered = False
        try:
            with self._pool.request(method, target, body=content, headers=head, timeout=timeout, retries=False,
                                    redirect=False, preload_content=False) as response:
                self._reached = answered = True
                raw = self._body(response, limit, parts.path)
                found = absolute_links(self._parsed(response, raw, parts.path, method), url)
                return Answer(response.status, response.headers, found)
        except urllib3.exceptions.HTTPError as error:
            raise self._unreached(error, method, parts.path, limit, answered=answered) from error

    def _prepared(self, method: str, body: Any, headers: dict[str, str]) -> tuple[Any, dict[str, str]]:
        """Return a request's body as it is sent, and all its headers."""
        own: dict[str, str] = {}
        if self._session.auth:
            own = urllib3.make_headers(basic_auth=":".join(self._session.auth))
        if hasattr(body, "read"):
            own["Content-Length"] = str(len(body))
        elif body is None:
            own.update({} if method in READS else {"Content-Length": "0"})
        elif not isinstance(body, (bytes, bytearray)):
            body = json.dumps(body).encode()
            own["Content-Type"] = "application/json"
        return body, {**self._session.headers, **own, **headers}

    def _limit(self, deadline: Optional[Deadline]) -> float:
        """Return the seconds that one request may take. What hangs cost so far is taken off, so that a BMC which
        hangs at every turn costs the timeout once and not once a request; whoever asks later may try anew."""
        if deadline is not None:
            return max(1.0, min(self.connection.timeout, deadline.remaining))
        if self._patience.passed:
            raise Timeout(f"the BMC was not done within {self._patience.seconds} s",
                          remedy="Raise host_timeout if the BMC is that slow.")
        left = min(self.connection.timeout - self._lost_to_hangs, self._patience.remaining + 0.5)
        if left < 0.5 and self._last_hang.elapsed > PAUSE_AFTER_HANG:
            left = min(self.connection.timeout, PROBE)
        if left < 0.5:
            raise Timeout(f"the BMC did not answer within {self.connection.timeout} s",
                          remedy="Raise bmc_timeout if the BMC is that slow.")
        return left

    def _body(self, response: Any, limit: Deadline, path: str) -> bytes:
        """Return the body, read as it comes in, so that one that trickles ends at the deadline too."""
        pieces, size = [], 0
        for piece in _as_it_comes(response):
            pieces.append(piece)
            size += len(piece)
            if limit.passed:
                raise urllib3.exceptions.TimeoutError("the body timed out")
            if size > MAX_BODY:
                raise BrokenAnswer(f"the answer to {path} is larger than {MAX_BODY} bytes", path=path)
        return b"".join(pieces)

    def _parsed(self, response: Any, raw: bytes, path: str, method: str) -> dict[str, Any]:
        """Return the JSON object of a body, empty where there is none; what is no object is broken, in a read."""
        try:
            body = json.loads(raw) if raw.strip() or (method == "GET" and response.status == 200) else {}
        except (ValueError, RecursionError):
            body = None
        if isinstance(body, dict):
            return body
        if response.status >= 300 or method not in READS:
            return {}
        raise BrokenAnswer(f"the answer to {path} is not a JSON object", path=path,
                           remedy="The BMC's firmware is at fault; what it could not tell is left out.")

    def _count_hang(self, limit: Deadline) -> None:
        with self._lock:
            self._lost_to_hangs += limit.elapsed
            self._last_hang = Deadline(0)

    def _unreached(self, error: Exception, method: str, path: str, limit: Deadline, *, answered: bool) -> BmcError:
        """Return what a failure below HTTP means; ``answered`` tells that an answer had begun."""
        text = f"{type(error).__name__}: {error}"
        refused = isinstance(error, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.LocationValueError))
        timed_out = not refused and (isinstance(error, urllib3.exceptions.TimeoutError) or "timed out" in text)
        if isinstance(error, urllib3.exceptions.SSLError) and not answered:
            return self._untrusted(text)
        if timed_out:
            self._count_hang(limit)
        if refused or isinstance(error, urllib3.exceptions.ConnectTimeoutError):
            return Unreachable(f"it could not be reached at {self._url} ({_reason(text)})",
                               remedy="Check bmc_address, bmc_port, and that the BMC's network is up.")
        if method not in READS:
            return AnswerLost(f"the answer to {method} {path} was lost ({_reason(text)})", path=path,
                              remedy="The effect of the request is not known.")
        if timed_out:
            return Timeout(f"no complete answer to {path} within {limit.seconds:.0f} s",
                           remedy="Raise bmc_timeout if the BMC is that slow.", path=path)
        return Unreachable(f"the connection broke while {path} was read ({_reason(text)})", path=path,
                           remedy="See whether the BMC is restarting and the network to it holds, then run again." if self._reached
                           else "Check that this is a BMC's HTTPS port.")

    def _untrusted(self, text: str) -> Unreachable:
        """Return the error for a certificate that is not trusted, or TLS that does not come about."""
        if "Fingerprints did not match" in text:
            cause = "its certificate is not the one that tls_fingerprint pins"
        elif "CERTIFICATE_VERIFY_FAILED" in text or "doesn't match" in text:
            cause = "its certificate is not trusted" + (f" ({text.split('certificate verify failed: ')[1].split(' (_ssl')[0]})"
                                                        if "certificate verify failed: " in text else "")
        else:
            # A BMC that has spoken TLS before is restarting, or has dropped the connection that was just opened.
            return Unreachable(f"no TLS connection comes about at {self._url}", certificate=not self._reached or None,
                               remedy="Check bmc_port, and which TLS versions the BMC speaks.")
        return Unreachable(cause, certificate=True, remedy="Name its authority with ca_path, or pin it with tls_fingerprint: "
                           "without (validate_certs: false) whoever is in between is given the password.")


def _as_it_comes(response: Any) -> Iterator[bytes]:
    """Yield the pieces of a body as they arrive. Where the library cannot, small ones that it waits for."""
    read = getattr(response, "read1", None)
    if read is None:
        yield from response.stream(512)
        return
    while piece := read(65536, decode_content=True):
        yield piece


def _origin(url: str) -> tuple[str, Optional[str], Optional[int]]:
    """Return scheme, host and port of an URL, the port also where it is the scheme's own."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def _reason(text: str) -> str:
    """Return the innermost cause that the text of a library's exception, after its name, tells, in a few words."""
    for words, plain in (("timed out", "timed out"), ("Connection refused", "connection refused"),
                         ("Name or service not known", "the name is not known"),
                         ("NameResolutionError", "the name is not known"),
                         ("No route to host", "no route to it"), ("Network is unreachable", "network unreachable"),
                         ("Connection reset", "connection reset"), ("RemoteDisconnected", "connection closed"),
                         ("IncompleteRead", "the answer was cut off")):
        if words in text:
            return plain
    return text.partition(":")[0]
