# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Requests, responses and the errors of the Redfish Base registry (DSP0266, DSP2065)."""

from __future__ import annotations

import json
import urllib.parse

REASONS = {
    200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 301: "Moved Permanently", 302: "Found", 303: "See Other",
    304: "Not Modified", 307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized",
    403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable", 409: "Conflict", 410: "Gone",
    411: "Length Required", 412: "Precondition Failed", 413: "Payload Too Large", 415: "Unsupported Media Type",
    428: "Precondition Required", 429: "Too Many Requests", 500: "Internal Server Error", 501: "Not Implemented",
    502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout", 507: "Insufficient Storage",
}

# Name in the Base registry: (HTTP status, text with %1.. places).
BASE = {
    "Success": (200, "The request completed successfully."),
    "GeneralError": (500, "A general error has occurred."),
    "InternalError": (500, "The request failed due to an internal service error. The service is still operational."),
    "MalformedJSON": (400, "The request body submitted was malformed JSON and could not be parsed by the receiving service."),
    "UnrecognizedRequestBody": (400, "The service detected a malformed request body that it was unable to interpret."),
    "EmptyJSON": (400, "The request body submitted contained an empty JSON object and the service is unable to process it."),
    "PropertyUnknown": (400, "The property %1 is not in the list of valid properties for the resource."),
    "PropertyNotWritable": (400, "The property %1 is a read only property and cannot be assigned a value."),
    "PropertyMissing": (400, "The property %1 is a required property and must be included in the request."),
    "PropertyValueNotInList": (400, "The value %1 for the property %2 is not in the list of acceptable values."),
    "PropertyValueTypeError": (400, "The value %1 for the property %2 is of a different type than the property can accept."),
    "PropertyValueFormatError": (400, "The value %1 for the property %2 is of a different format than the property can accept."),
    "PropertyValueOutOfRange": (400, "The value %1 for the property %2 is not in the supported range of acceptable values."),
    "PropertyValueConflict": (400, "The property '%1' could not be written because its value would conflict with the value of '%2'."),
    "ActionNotSupported": (400, "The action %1 is not supported by the resource."),
    "ActionParameterMissing": (400, "The action %1 requires that the parameter %2 be present in the request body."),
    "ActionParameterUnknown": (400, "The action %1 was submitted with the invalid parameter %2."),
    "ActionParameterNotSupported": (400, "The parameter %1 for the action %2 is not supported on the target resource."),
    "ActionParameterValueNotInList": (400, "The value %1 for the parameter %2 in the action %3 is not in the list of acceptable values."),
    "ActionParameterValueTypeError": (400, "The value %1 for the parameter %2 in the action %3 is of a different type."),
    "ActionParameterValueConflict": (409, "The parameter '%1' with the requested value of '%2' does not meet the constraints of the service."),
    "InvalidOperationForSystemState": (400, "The operation was not successful due to the current power state (for example, attempting to turn "
                                            "power off when it is off)."),
    "ResourceMissingAtURI": (404, "The resource at the URI %1 was not found."),
    "ResourceInUse": (409, "The change to the requested resource failed because the resource is in use or in transition."),
    "ResourceAlreadyExists": (409, "The requested resource of type %1 with the property %2 with the value %3 already exists."),
    "ResourceCannotBeDeleted": (403, "The delete request failed because the resource requested cannot be deleted."),
    "OperationNotAllowed": (405, "The HTTP method is not allowed on this resource."),
    "QueryNotSupported": (501, "Querying is not supported by the implementation."),
    "QueryNotSupportedOnResource": (501, "Querying is not supported on the requested resource."),
    "NoValidSession": (401, "There is no valid session established with the implementation."),
    "ResourceAtUriUnauthorized": (401, "While accessing the resource at %1, the service received an authorization error."),
    "InsufficientPrivilege": (403, "There are insufficient privileges for the account or credentials associated with the current session."),
    "SessionLimitExceeded": (503, "The session establishment failed due to the number of simultaneous sessions exceeding the limit of the implementation."),
    "ServiceTemporarilyUnavailable": (503, "The service is temporarily unavailable.  Retry in %1 seconds."),
    "ServiceShuttingDown": (503, "The operation failed because the service is shutting down and can no longer take incoming requests."),
    "PreconditionFailed": (412, "The ETag supplied did not match the ETag required to change this resource."),
    "PreconditionRequired": (428, "A precondition header or annotation is required to change this resource."),
    "HeaderInvalid": (412, "Header %1 is invalid."),
    "NotAcceptable": (406, "The content is not acceptable in the encoding asked for."),
    "LengthRequired": (411, "The request must tell the length of its body."),
    "CreateLimitReachedForResource": (400, "The create operation failed because the resource has reached the limit of possible resources."),
    "CouldNotEstablishConnection": (400, "The service failed to establish a connection with the URI %1."),
    "UnsupportedMediaType": (415, "The content type %1 is not supported."),
}


class Headers(dict):
    """Header lines by lower-case name."""

    def get(self, name, default=None):  # pylint: disable=arguments-renamed
        """A header's text, however its name is spelt."""
        return super().get(name.lower(), default)


class Response:
    """An answer, with what the wire shall do to it (used by faults)."""

    def __init__(self, status: int = 200, body=None, *, headers=None) -> None:
        self.status = status
        self.headers = dict(headers or {})
        self.reset = False          # end the connection with RST instead of answering
        self.truncate = None        # send only so many bytes of the body, then close
        self.drip = 0.0             # seconds over which the body is sent
        self.hang = 0.0             # seconds without an answer, then close
        self.wait = 0.0             # seconds before the answer
        self.close = False          # close the connection after this answer
        self.after = None           # called when the answer is out
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body, indent=1).encode()
            self.headers.setdefault("Content-Type", "application/json; charset=utf-8")
        self.body = body or b""

    def json(self):
        """The body as data, None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Refusal(Exception):
    """A request refused: carries the response."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class Request:
    """One request. Its body is read when asked for: `json()`, `read_all()` or `chunks()`."""

    def __init__(self, method: str, target: str, headers: Headers, body=None) -> None:
        self.method = method
        self.target = target
        self.headers = headers
        self._body = body
        self._cached = None
        self.session = None
        self.user = None
        self.peer = ""
        self.connection = None
        self.upload = None
        raw_path, _sep, query = target.partition("?")
        self.raw_path = urllib.parse.unquote(raw_path)
        self.path = normalise(self.raw_path)
        self.query = dict(part.partition("=")[::2] for part in urllib.parse.unquote(query).split("&") if part)

    def attach(self, body) -> None:
        """Give the pieces of the body, still on the wire."""
        self._body = body

    @property
    def is_write(self) -> bool:
        """Whether it may change something."""
        return self.method not in ("GET", "HEAD", "OPTIONS")

    @property
    def unread(self) -> bool:
        """Whether the body is still (wholly) on the wire."""
        return self._cached is None and self._body is not None

    def chunks(self):
        """The body in pieces, in constant memory."""
        if self._cached is not None:
            yield self._cached
        elif self._body is not None:
            body, self._body = self._body, None
            yield from body
            self._cached = b""

    def read_all(self) -> bytes:
        """The whole body, kept."""
        if self._cached is None:
            self._cached = b"".join(self.chunks())
        return self._cached

    def json(self, *, empty=None) -> dict:
        """The body as an object; refuses what is none. `empty` stands for a missing body where given."""
        text = self.read_all()
        if not text.strip():
            if empty is not None:
                return empty
            raise refusal("MalformedJSON")
        kind = (self.headers.get("content-type") or "application/json").split(";")[0].strip().lower()
        if kind not in ("application/json", "text/json"):
            raise refusal("UnsupportedMediaType", kind)
        try:
            data = json.loads(text)
        except ValueError:
            raise refusal("MalformedJSON") from None
        if not isinstance(data, dict):
            raise refusal("UnrecognizedRequestBody")
        return data


def normalise(path: str) -> str:
    """A path without double or trailing slashes."""
    while "//" in path:
        path = path.replace("//", "/")
    return path.rstrip("/") or "/"


def error(name: str, *args, status: int | None = None, related=(), headers=None, registry: str = "Base.1.12", text=None) -> Response:
    """An error answer with @Message.ExtendedInfo (DSP0266, 8.6)."""
    default_status, pattern = BASE.get(name, (400, text or name))
    message = text or pattern
    for place, value in enumerate(args, 1):
        message = message.replace(f"%{place}", str(value))
    info = {"@odata.type": "#Message.v1_1_1.Message", "MessageId": f"{registry}.{name}", "Message": message,
            "MessageArgs": [str(value) for value in args], "Severity": "Critical", "Resolution": "None."}
    if related:
        info["RelatedProperties"] = [f"#/{item}" for item in related]
    body = {"error": {"code": f"{registry}.GeneralError", "message": "See @Message.ExtendedInfo for more information.",
                      "@Message.ExtendedInfo": [info]}}
    return Response(status or default_status, body, headers=headers)


def refusal(name: str, *args, **kwargs) -> Refusal:
    """`error`, to be raised."""
    return Refusal(error(name, *args, **kwargs))
