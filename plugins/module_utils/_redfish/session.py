# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logging in and out of a Redfish service (DSP0266, section on authentication): one login, no session left."""

from __future__ import annotations

import re
import threading
from concurrent.futures import Future, wait
from dataclasses import replace
from typing import Any, Callable, Optional

from .._bmc.errors import AnswerLost, AuthenticationFailed, BmcError, Rejected, Unreachable
from .._domain.deadline import Deadline
from .answers import Answer, error_text
from .connector import Connector

DEFAULT_SESSIONS = "/redfish/v1/SessionService/Sessions"
NO_SESSIONS = (404, 405, 501)
# What is deleted at the end must be a session, whatever a broken BMC names as ours.
IS_SESSION = re.compile(r"/sessions/[^/?#]+/?$", re.IGNORECASE)
# Seconds that a logout may take.
LOGOUT = 5
# Seconds after which a session may be replaced by another once more.
RENEWAL = 5


class Session:
    """The login of one task: a session where the BMC has them, else basic authentication, with a warning."""

    def __init__(self, connector: Connector, *, warn: Callable[[str], None]) -> None:
        self._connector = connector
        self._connection = connector.connection
        self._warn = warn
        self._sessions: Optional[str] = None
        self._location: Optional[str] = None
        self._former: Optional[str] = None
        self._basic = False
        self._renewed: Optional[Deadline] = None
        self._lock = threading.Lock()

    def open(self, root: dict[str, Any]) -> None:
        """Log in, as ``bmc_auth`` says; without an account nothing is done."""
        if self._connection.username is None:
            return
        if self._connection.auth == "basic":
            self._use_basic()
            return
        self._sessions = _sessions_link(root)
        if self._sessions is None and self._connection.auth == "auto":
            self._fall_back("the BMC has no sessions")
            return
        self._sessions = self._sessions or DEFAULT_SESSIONS
        try:
            self._login()
        except Rejected as error:
            if self._connection.auth == "session":
                raise
            self._fall_back("the BMC has no sessions" if error.details.get("status") in NO_SESSIONS
                            else f"no session was to be had ({error.cause})")

    def _login(self) -> None:
        """Open a session and use its token from here on.

        The request is sent from a thread: a signal that ends the task in the midst of it would take the answer away,
        and with it the only way to end the session.
        """
        asked: Future = Future()
        threading.Thread(target=self._ask, args=(asked,), daemon=True).start()
        try:
            answer = asked.result()
        except BaseException:
            wait([asked], timeout=LOGOUT)
            if asked.done() and asked.exception() is None:
                self._take(asked.result())
            raise
        if not self._take(answer):
            raise self._no_token(answer)
        if not self._location:
            self._warn("The BMC did not name its session, which therefore ends only when the BMC ends it.")
        self._connector.on_session_lost = self._renew

    def _ask(self, asked: Future) -> None:
        """Send the login; the answer, or what kept it from coming, is kept."""
        try:
            asked.set_result(self._connector.send("POST", self._sessions, login=True, body={
                "UserName": self._connection.username, "Password": self._connection.password or ""}))
        except BaseException as error:  # pylint: disable=broad-exception-caught  # raised where it is waited for
            asked.set_exception(error)

    def _take(self, answer: Answer) -> bool:
        """Keep a session's link and use its token; tell whether there is one."""
        token = answer.headers.get("X-Auth-Token")
        if token:
            self._location = _session_link(answer)
            self._connector.set_http_session_auth(token)
        return bool(token)

    def _no_token(self, answer: Answer) -> BmcError:
        """Return what a login without a token means: some BMCs refuse it with HTTP 200 and an error in the body."""
        text = error_text(answer.body)
        if text or "error" in answer.body:
            return AuthenticationFailed(f"the BMC refuses the login ({text or 'no reason given'})",
                                        remedy="Check bmc_username and bmc_password.", status=answer.status)
        return Rejected("the BMC opened a session without a token", status=answer.status)

    def _use_basic(self) -> None:
        self._basic = True
        self._connector.on_session_lost = None
        self._connector.set_http_basic_auth(self._connection.username, self._connection.password or "")

    def _fall_back(self, why: str) -> None:
        self._warn(f"Basic authentication is used: {why}. Every request carries the account.")
        self._use_basic()

    def _renew(self) -> bool:
        """Log in again after the BMC has forgotten the session; tell whether that worked. A BMC that is just going
        down may still answer that it knows no session: then it is away, and refuses nobody.

        Once in ``RENEWAL`` seconds: a BMC may restart several times in a task, but one that drops every session at
        once is not worked with.
        """
        with self._lock:
            if self._renewed is not None and self._renewed.elapsed < RENEWAL:
                return False
            self._connector.on_session_lost = None
            self._connector._session.headers.pop("X-Auth-Token", None)
            former, self._location = self._location, None
            try:
                self._login()
            except AuthenticationFailed:
                self._location = former
                return False
            except BmcError as error:
                self._location = former
                self._connector.on_session_lost = self._renew
                raise _not_renewed(error) from error
            self._renewed = Deadline(0)
            self._former = former
            return True

    def try_login(self, username: str, password: str) -> Optional[bool]:
        """Tell whether an account and its password open a session, which is ended at once; ``None`` where the BMC
        has no sessions or does not say. A refused login is tried once and counts where the BMC locks accounts."""
        if self._sessions is None:
            return None
        try:
            answer = self._connector.send("POST", self._sessions, login=True,
                                          body={"UserName": username, "Password": password})
        except AuthenticationFailed as error:
            return False if error.details.get("status") == 401 else None
        except BmcError:
            return None
        token, location = answer.headers.get("X-Auth-Token"), _session_link(answer)
        if not token:
            return False if "error" in answer.body or error_text(answer.body) else None
        try:
            if location:
                self._connector.send("DELETE", location, login=True, headers={"X-Auth-Token": token})
        except BmcError:
            self._warn(f"The session {location} of a login that was tried could not be deleted.")
        return True

    def use_password(self, password: str) -> None:
        """Go on with this password: the account of the task has just been given it."""
        self._connection = replace(self._connection, password=password)
        if self._basic:
            self._use_basic()

    def move(self, connector: Connector) -> None:
        """Go on over another connection to the same BMC, with the login as it is."""
        before, self._connector = self._connector, connector
        self._connection = replace(connector.connection, password=self._connection.password)
        token = before._session.headers.get("X-Auth-Token")
        if token:
            connector.set_http_session_auth(token)
            connector.on_session_lost = self._renew
        elif self._basic:
            self._use_basic()
        before.close()

    def close(self) -> None:
        """Delete the session, and the one before it where the BMC had ended that for no reason; never raises."""
        locations, self._location, self._former = (self._former, self._location), None, None
        self._connector.on_session_lost = None
        for location in filter(None, locations):
            if not self._deleted(location):
                self._warn(f"The session {location} could not be deleted; the BMC ends it by its own timeout.")
        self._connector.close()

    def _deleted(self, location: str) -> bool:
        """Delete a session; tell whether the BMC has answered. One that just restarts or drops it is asked twice."""
        for _unused in range(2):
            begun = Deadline(LOGOUT)
            try:
                self._connector.send("DELETE", location, login=True, deadline=Deadline(LOGOUT))
                return True
            except BmcError as error:
                if error.details.get("status"):
                    return True
                if begun.elapsed > 0.5:
                    return False
        return False


def _not_renewed(error: BmcError) -> BmcError:
    """Return what a login means that did not come about in the middle of a task: the request at hand was not taken."""
    if not isinstance(error, AnswerLost):
        return error
    return Unreachable(f"the BMC has ended the session, and {error.cause} when another was opened",
                       remedy="Check that the BMC is not restarting.")


def _session_link(answer: Answer) -> Optional[str]:
    """Return the link of the session that a login has opened."""
    named = (answer.headers.get("Location"), answer.body.get("@odata.id"))
    return next((link for link in named if isinstance(link, str) and IS_SESSION.search(link)), None)


def _sessions_link(root: dict[str, Any]) -> Optional[str]:
    """Return where sessions are opened, as the service root tells, or by the standard's own path."""
    links = root.get("Links")
    sessions = links.get("Sessions") if isinstance(links, dict) else None
    if isinstance(sessions, dict) and isinstance(sessions.get("@odata.id"), str):
        return sessions["@odata.id"]
    service = root.get("SessionService")
    if isinstance(service, dict) and isinstance(service.get("@odata.id"), str):
        return service["@odata.id"].rstrip("/") + "/Sessions"
    return None
