# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""A small HTTP proxy for apt that keeps packages: `package_cache.py SOCKET FOLDER`.

Packages never change under their name, so they are kept for ever; indexes are always asked for. A file is there whole
or not at all, so any number of labs may share one folder. It listens on a Unix socket, which no network reaches.
A request for http://HTTPS///host/path is made by https, as apt-cacher-ng does it.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import os
import pathlib
import re
import shutil
import socketserver
import sys
import tempfile
import typing as t
import urllib.error
import urllib.request

IMMUTABLE = re.compile(r"\.u?deb$|/by-hash/")
PASSED_ON = ("If-Modified-Since", "If-Range", "Range", "Accept", "User-Agent", "Cache-Control")
PASSED_BACK = ("Content-Type", "Content-Length", "Content-Range", "Last-Modified", "ETag", "Date")
TIMEOUT = 60.0  # seconds without a byte from the archive


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection of apt."""

    protocol_version = "HTTP/1.1"
    folder = pathlib.Path()

    def do_GET(self) -> None:  # pylint: disable=invalid-name
        """Answer from the folder, or fetch and keep."""
        url = re.sub(r"^http://HTTPS///", "https://", self.path)
        if not re.match(r"https?://[^/]", url):
            self.send_error(400, "Only absolute http and https addresses are served")
            return
        try:
            if IMMUTABLE.search(url):
                self._kept(url)
            else:
                self._passed(url)
        except (urllib.error.URLError, OSError) as exc:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.send_error(502, "Cannot fetch from the archive", str(exc))

    def _request(self, url: str, names: t.Iterable[str]) -> t.Any:
        headers = {name: self.headers[name] for name in names if self.headers.get(name)}
        request = urllib.request.Request(url, headers={"User-Agent": "typeone-lab", **headers})
        try:
            return urllib.request.urlopen(request, timeout=TIMEOUT)
        except urllib.error.HTTPError as exc:
            return exc  # it is an answer as well: 304, 404, 416

    def _passed(self, url: str) -> None:
        with self._request(url, PASSED_ON) as answer:
            self._head(answer.status, answer.headers)
            if answer.headers.get("Content-Length") or answer.status == 200:
                shutil.copyfileobj(answer, self.wfile, 1 << 18)

    def _head(self, status: int, headers: t.Mapping[str, str]) -> None:
        self.send_response_only(status)
        for name in PASSED_BACK:
            if headers.get(name):
                self.send_header(name, headers[name])
        if not headers.get("Content-Length") and status not in (204, 304):
            self.close_connection = True
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def _kept(self, url: str) -> None:
        path = self.folder / hashlib.sha256(url.encode()).hexdigest()
        if not path.exists() and not self._fetch(url, path):
            return
        with open(path, "rb") as handle:
            size = os.fstat(handle.fileno()).st_size
            self._head(200, {"Content-Length": str(size), "Content-Type": "application/octet-stream"})
            shutil.copyfileobj(handle, self.wfile, 1 << 18)

    def _fetch(self, url: str, path: pathlib.Path) -> bool:
        """Fetch a file whole; false when the archive refused and its answer was passed on."""
        with self._request(url, ()) as answer:
            if answer.status != 200:
                self.close_connection = True
                self._head(answer.status, {"Content-Length": "0"})
                return False
            with tempfile.NamedTemporaryFile(dir=self.folder, prefix=".partial-", delete=False) as partial:
                try:
                    shutil.copyfileobj(answer, partial, 1 << 18)
                    partial.flush()
                    expected = answer.headers.get("Content-Length")
                    if expected and partial.tell() != int(expected):
                        raise OSError("the archive closed the connection early")
                    os.replace(partial.name, path)
                except BaseException:
                    os.unlink(partial.name)
                    raise
        return True

    def address_string(self) -> str:
        """Clients of a Unix socket have no address."""
        return "lab"

    def log_message(self, format: str, *args: t.Any) -> None:  # pylint: disable=redefined-builtin
        """Only errors are of interest."""

    def log_error(self, format: str, *args: t.Any) -> None:  # pylint: disable=redefined-builtin
        """Errors go to the daemon's log."""
        print(self.requestline, format % args, file=sys.stderr, flush=True)


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """One thread a connection."""

    daemon_threads = True
    request_queue_size = 64


def main() -> None:
    """Serve until stopped."""
    path, folder = sys.argv[1:3]
    Handler.folder = pathlib.Path(folder)
    Handler.folder.mkdir(parents=True, exist_ok=True)
    pathlib.Path(path).unlink(missing_ok=True)
    with Server(path, Handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
