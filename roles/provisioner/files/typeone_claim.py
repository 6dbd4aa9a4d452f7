# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Hand each node its boot script and, once, its bundle of secrets; keep what nodes report.

``serve`` answers on loopback, behind nginx, which passes the client's address in X-Real-IP:

    GET  /boot/MAC/grub.cfg   the staged script for the node's own address, else "boot from your own disk"
    GET  /boot/MAC/ipxe       the same for iPXE
    GET  /claim/TOKEN         the bundle, once, to the node's reserved address, until it expires
    POST /claim/TOKEN/event/NAME   what the node tells of itself; the token stays good for this

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
import subprocess
import sys
import tarfile
import tempfile
import time
import typing as t
import urllib.parse

MAC = re.compile(r"^[0-9a-f]{2}(:[0-9a-f]{2}){5}$")
EVENT = re.compile(r"^[a-z][a-z-]{0,39}$")
EVENTS_BYTES = 100_000
SCRIPTS = ("grub.cfg", "ipxe")
# What a node boots that has nothing to install. The provisioner's GRUB knows the function by its first script.
LOCAL_BOOT = {
    "grub.cfg": "echo 'typeone.metal: nothing to install here, booting from disk'\nboot_from_disk\n",
    "ipxe": "#!ipxe\necho typeone.metal: nothing to install here, booting from disk\nsleep 1\nexit 1\n",
}


class Refused(Exception):
    """A request that is not granted; the text is for the log of the administrator."""


class Store:
    """What is staged, one folder a node: meta.json, bundle.tar, scripts, events.jsonl."""

    def __init__(self, root: pathlib.Path) -> None:
        self.nodes = root / "nodes"
        self.hosts = root.parent / "dhcp" / "hosts"

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
        self.reserve(order)

    def reserve(self, order: dict[str, t.Any]) -> None:
        """Have DHCP give the node its address; the service reads a new file by itself and a changed one on a signal."""
        if not self.hosts.is_dir():
            return
        path = self.hosts / order["mac"].lower().replace(":", "-")
        tag = "set:ipxe," if order.get("loader") == "ipxe" else ""
        line = f"{order['mac'].lower()},{tag}{order['address']},{order['node'].split('.')[0]}\n"
        changed = path.exists() and path.read_text(encoding="utf-8") != line
        if changed or not path.exists():
            fresh = self.hosts.parent / f".{path.name}"
            fresh.write_text(line, encoding="utf-8")
            fresh.chmod(0o644)
            fresh.rename(path)
        if changed:
            subprocess.run(["systemctl", "reload", "typeone-dhcp.service"], check=False)

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
            self._seen_again(mac, name, client)
            return LOCAL_BOOT[name]
        self.event(mac, f"boot script {name} fetched")
        return text

    def _seen_again(self, mac: str, name: str, client: str) -> None:
        """Note a network boot of a staged node that gets no installation: boots are counted by these events."""
        try:
            known = self.meta(mac)["address"] == client
        except Refused:
            return
        if known:
            self.event(mac, f"boot script {name} fetched, told to boot from disk")

    def claim(self, token: str, client: str) -> bytes:
        """The bundle of a token, once. The file is moved away first: of two requests one finds it."""
        meta = self._of_token(token, client)
        if time.time() > meta["expires"]:
            self.event(meta["mac"], "claim refused: expired")
            raise Refused("expired")
        folder = self.folder(meta["mac"])
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

    def tell(self, token: str, name: str, client: str) -> None:
        """Note what a node tells of itself."""
        if not EVENT.match(name):
            raise Refused("not an event")
        self.event(self._of_token(token, client)["mac"], name)

    def _of_token(self, token: str, client: str) -> dict[str, t.Any]:
        """What is staged under a token; refuses unknown tokens, and known ones from another address."""
        wanted = digest(token)
        for folder in self.nodes.glob("[0-9a-f]*"):
            try:
                meta = self.meta(folder.name)
            except Refused:
                continue
            if meta["token_sha256"] == wanted:
                if meta["address"] == client:
                    return meta
                self.event(folder.name, f"refused: the token came from {client}")
                raise Refused("the token belongs to another address")
        raise Refused("unknown token")

    def event(self, mac: str, text: str) -> None:
        """Append to what happened to a node; bounded, so that no node fills the disk."""
        path = self.folder(mac) / "events.jsonl"
        try:
            if path.stat().st_size > EVENTS_BYTES:
                return
            with path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps({"at": round(time.time(), 1), "event": text}) + "\n")
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

    @property
    def parts(self) -> list[str]:
        """The parts of the path. iPXE writes the colons of a MAC address as %3A (RFC 3986, 2.1)."""
        return [urllib.parse.unquote(part) for part in self.path.split("?")[0].strip("/").split("/")]

    def do_GET(self) -> None:
        """Boot scripts and bundles."""
        parts = self.parts
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
        parts = self.parts
        self.close_connection = True
        try:
            if len(parts) != 4 or (parts[0], parts[2]) != ("claim", "event"):
                raise Refused("not an event")
            self.store.tell(parts[1], parts[3], self.client)
            self.answer(200, b"ok\n", "text/plain")
        except Refused:
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
