#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Hand each node its boot script and, once, its bundle of secrets; keep what nodes report.

``serve`` answers on loopback, behind nginx, which passes the client's address in X-Real-IP:

    GET  /boot/MAC/grub.cfg   the staged script for the node's own address, else "boot from your own disk"
    GET  /boot/MAC/ipxe       the same for iPXE
    GET  /claim/TOKEN         the bundle, once, to the node's reserved address, until it expires
    POST /event/MAC           a line of text from the node's address

``stage`` reads one JSON object from standard input and replaces what is staged for that node; ``status MAC`` prints
what happened; ``clear MAC`` withdraws it. Tokens are kept as SHA-256 only, and never logged.
"""
from __future__ import annotations

import argparse
import base64
import hashlib
import http.server
import io
import json
import os
import pathlib
import re
import shutil
import sys
import tarfile
import tempfile
import time
import typing as t

MAC = re.compile(r"^[0-9a-f]{2}(:[0-9a-f]{2}){5}$")
EVENT_BYTES = 1024
EVENTS_KEPT = 1000
SCRIPTS = ("grub.cfg", "ipxe")
LOCAL_BOOT = {
    "grub.cfg": "echo 'typeone.metal: nothing to install here, booting from disk'\nexit\n",
    "ipxe": "#!ipxe\necho typeone.metal: nothing to install here, booting from disk\nsleep 1\nexit\n",
}


class Refused(Exception):
    """A request that is not granted; the text is for the log of the administrator."""


class Store:
    """What is staged, one folder a node: meta.json, bundle.tar, scripts, events.jsonl."""

    def __init__(self, root: pathlib.Path) -> None:
        self.nodes = root / "nodes"

    def folder(self, mac: str) -> pathlib.Path:
        """The folder of a node; refuses what is no MAC address."""
        mac = mac.lower().replace("-", ":")
        if not MAC.match(mac):
            raise Refused("not a MAC address")
        return self.nodes / mac

    def meta(self, mac: str) -> dict[str, t.Any]:
        """What was staged for a node; raises Refused where nothing is."""
        try:
            return json.loads((self.folder(mac) / "meta.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise Refused("nothing is staged") from error

    def stage(self, order: dict[str, t.Any]) -> None:
        """Replace what is staged for a node, in one step: a node sees the old or the new, never a mixture."""
        target = self.folder(order["mac"])
        self.nodes.mkdir(parents=True, exist_ok=True)
        folder = pathlib.Path(tempfile.mkdtemp(prefix=".new-", dir=self.nodes))
        meta = {name: order[name] for name in ("node", "mac", "address", "deploy_id")}
        meta.update(mac=target.name, token_sha256=digest(order["token"]), staged=time.time(),
                    expires=time.time() + float(order["expires_in"]))
        (folder / "meta.json").write_text(json.dumps(meta) + "\n", encoding="utf-8")
        (folder / "bundle.tar").write_bytes(bundle(order["files"]))
        for name in SCRIPTS:
            (folder / name).write_text(order["scripts"].get(name) or LOCAL_BOOT[name], encoding="utf-8")
        (folder / "events.jsonl").write_text("", encoding="utf-8")
        hand_over(folder, self.nodes)
        self.clear(target.name)
        folder.rename(target)

    def clear(self, mac: str) -> bool:
        """Withdraw what is staged for a node; answers whether anything was."""
        target = self.folder(mac)
        if not target.exists():
            return False
        aside = pathlib.Path(tempfile.mkdtemp(prefix=".old-", dir=self.nodes))
        target.rename(aside / "node")
        shutil.rmtree(aside)
        return True

    def script(self, mac: str, name: str, client: str) -> str:
        """The boot script for a client. Anything but a fresh, unclaimed node at its own address boots from disk."""
        try:
            meta = self.meta(mac)
            if meta["address"] != client or time.time() > meta["expires"]:
                raise Refused("not for this client, or expired")
            if not (self.folder(mac) / "bundle.tar").exists():
                raise Refused("claimed already")
            text = (self.folder(mac) / name).read_text(encoding="utf-8")
        except (Refused, OSError):
            return LOCAL_BOOT[name]
        self.event(mac, f"boot script {name} fetched")
        return text

    def claim(self, token: str, client: str) -> bytes:
        """The bundle of a token, once. The file is moved away first: of two requests one finds it."""
        wanted = digest(token)
        for folder in self.nodes.glob("[0-9a-f]*"):
            try:
                meta = self.meta(folder.name)
            except Refused:
                continue
            if meta["token_sha256"] != wanted:
                continue
            if meta["address"] != client:
                self.event(folder.name, f"claim refused: it came from {client}")
                raise Refused("the token belongs to another address")
            if time.time() > meta["expires"]:
                self.event(folder.name, "claim refused: expired")
                raise Refused("expired")
            return self._take(folder)
        raise Refused("unknown token")

    def _take(self, folder: pathlib.Path) -> bytes:
        taken = folder / "bundle.taken"
        try:
            (folder / "bundle.tar").rename(taken)
        except FileNotFoundError as error:
            self.event(folder.name, "claim refused: claimed already")
            raise Refused("claimed already") from error
        data = taken.read_bytes()
        taken.unlink()
        self.event(folder.name, "bundle claimed")
        return data

    def event(self, mac: str, text: str) -> None:
        """Append to what happened to a node; bounded, so that no node fills the disk."""
        path = self.folder(mac) / "events.jsonl"
        try:
            if path.stat().st_size > EVENTS_KEPT * 100:
                return
            with path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps({"at": round(time.time(), 1), "event": text[:EVENT_BYTES]}) + "\n")
        except OSError:
            return

    def events(self, mac: str) -> list[dict[str, t.Any]]:
        """What happened to a node since it was staged."""
        try:
            lines = (self.folder(mac) / "events.jsonl").read_text(encoding="utf-8").splitlines()
        except OSError:
            return []
        return [json.loads(line) for line in lines if line.strip()]


def hand_over(folder: pathlib.Path, nodes: pathlib.Path) -> None:
    """Give a staged folder, made by root, to the account that serves; nobody else may read it."""
    owner = nodes.stat()
    for path in (folder, *folder.iterdir()):
        path.chmod(0o700 if path.is_dir() else 0o600)
        if os.geteuid() == 0:
            os.chown(path, owner.st_uid, owner.st_gid)


def digest(token: str) -> str:
    """How a token is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def bundle(files: dict[str, str]) -> bytes:
    """The secrets as a tar: name -> content in base64; readable by root only when unpacked."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in sorted(files.items()):
            data = base64.b64decode(content)
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o600
            archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


class Handler(http.server.BaseHTTPRequestHandler):
    """The four requests; anything else is not found."""

    store: Store
    server_version = "typeone"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 30

    @property
    def client(self) -> str:
        """The node's address, as nginx saw it."""
        return self.headers.get("X-Real-IP", "")

    def do_GET(self) -> None:
        """Boot scripts and bundles."""
        parts = self.path.split("?")[0].strip("/").split("/")
        try:
            if parts[0] == "boot" and len(parts) == 3 and parts[2] in SCRIPTS:
                self.answer(200, self.store.script(parts[1], parts[2], self.client).encode(), "text/plain")
            elif parts[0] == "claim" and len(parts) == 2:
                self.answer(200, self.store.claim(parts[1], self.client), "application/x-tar")
            else:
                self.answer(404, b"not found\n", "text/plain")
        except Refused as refusal:
            sys.stderr.write(f"refused {parts[0]} from {self.client}: {refusal}\n")
            self.answer(403, b"refused\n", "text/plain")

    def do_POST(self) -> None:
        """Events."""
        parts = self.path.split("?")[0].strip("/").split("/")
        try:
            length = int(self.headers.get("Content-Length") or 0)
            if parts[0] != "event" or len(parts) != 2 or not 0 < length <= EVENT_BYTES:
                raise Refused("not an event")
            if self.store.meta(parts[1])["address"] != self.client:
                raise Refused("another address")
            self.store.event(parts[1], self.rfile.read(length).decode(errors="replace").strip())
            self.answer(200, b"ok\n", "text/plain")
        except (Refused, ValueError):
            self.close_connection = True
            self.answer(403, b"refused\n", "text/plain")

    def answer(self, status: int, body: bytes, kind: str) -> None:
        """Send one answer with its length: GRUB needs it."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: t.Any) -> None:
        """Nothing is logged: a path may hold a token."""


def serve(store: Store, port: int) -> None:
    """Answer until stopped."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), type("Bound", (Handler,), {"store": store}))
    server.daemon_threads = True
    server.serve_forever()


def main() -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--state", type=pathlib.Path, default=pathlib.Path("/var/lib/typeone/claim"))
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve").add_argument("--port", type=int, default=8765)
    commands.add_parser("stage")
    for name in ("status", "clear"):
        commands.add_parser(name).add_argument("mac")
    given = parser.parse_args()
    store = Store(given.state)
    if given.command == "serve":
        serve(store, given.port)
    elif given.command == "stage":
        store.stage(json.load(sys.stdin))
    elif given.command == "clear":
        sys.stdout.write("cleared\n" if store.clear(given.mac) else "nothing\n")
    else:
        sys.stdout.write(json.dumps(store.events(given.mac)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
