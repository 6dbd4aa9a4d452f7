# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controller keeps of a node: its SSH host key, the file that pins it, and a journal of its deploys."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import secrets
import subprocess
import tempfile
import typing as t

from ansible.errors import AnsibleError

KEY = "ssh_host_ed25519_key"
TOKEN_PLACEHOLDER = "@TYPEONE_TOKEN@"


class NodeState:
    """The folder of one node. Nothing in it is shared with another node, so that nodes never wait or write over each other."""

    def __init__(self, folder: str) -> None:
        self.folder = pathlib.Path(folder)
        self.key = self.folder / KEY
        self.public_key = self.folder / f"{KEY}.pub"
        self.known_hosts = self.folder / "known_hosts"
        self.journal_file = self.folder / "journal.json"

    def ensure_key(self, names: t.Sequence[str]) -> bool:
        """Make the key pair and pin it for all names of the node; answers whether anything was written."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = False
        if not (self.key.is_file() and self.public_key.is_file()):
            self._make_key()
            made = True
        kind, key = self.public_key.read_text(encoding="utf-8").split()[:2]
        text = "".join(f"{name} {kind} {key}\n" for name in names)
        if not self.known_hosts.is_file() or self.known_hosts.read_text(encoding="utf-8") != text:
            write_private(self.known_hosts, text)
            made = True
        return made

    def _make_key(self) -> None:
        """Make it under another name first: a run that is killed here leaves no half pair."""
        with tempfile.TemporaryDirectory(prefix=".key-", dir=self.folder) as place:
            path = pathlib.Path(place) / KEY
            argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", self.folder.name, "-f", str(path)]
            try:
                subprocess.run(argv, check=True, capture_output=True, stdin=subprocess.DEVNULL)
            except (OSError, subprocess.CalledProcessError) as error:
                raise AnsibleError(f"Cannot make the SSH host key of {self.folder.name} with ssh-keygen: {error}. "
                                   "Install the OpenSSH client on the controller.") from error
            os.replace(f"{path}.pub", self.public_key)
            os.replace(path, self.key)

    def bundle(self, authorized_keys: t.Sequence[str]) -> dict[str, str]:
        """The node's secrets, by file name, in base64."""
        files = {KEY: self.key.read_bytes(), f"{KEY}.pub": self.public_key.read_bytes(),
                 "authorized_keys": "".join(f"{line.strip()}\n" for line in authorized_keys).encode()}
        return {name: base64.b64encode(data).decode() for name, data in files.items()}

    def journal(self) -> dict[str, t.Any]:
        """What is known of earlier deploys: ids of those never ended, and the last one that was."""
        try:
            known = json.loads(self.journal_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            known = {}
        return {"unfinished": list(known.get("unfinished", [])), "finished": known.get("finished")}

    def begin(self) -> tuple[str, list[str]]:
        """Note a new deploy; answers its id and the ids of all that never ended (the new one is the last)."""
        journal = self.journal()
        deploy_id = secrets.token_hex(8)
        journal["unfinished"] = [*journal["unfinished"][-19:], deploy_id]
        write_private(self.journal_file, json.dumps(journal) + "\n")
        return deploy_id, journal["unfinished"]

    def finish(self) -> bool:
        """Note that the last deploy has ended well; answers whether one was open."""
        journal = self.journal()
        if not journal["unfinished"]:
            return False
        write_private(self.journal_file, json.dumps({"unfinished": [], "finished": journal["unfinished"][-1]}) + "\n")
        return True


def write_private(path: pathlib.Path, text: str) -> None:
    """Replace a file in one step, readable by its owner only."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    os.replace(temporary, path)


def new_token() -> str:
    """A token for one claim: 256 bits, fit for a path and for a kernel argument."""
    return secrets.token_urlsafe(32)


def with_token(scripts: dict[str, str], token: str) -> dict[str, str]:
    """Put the token into boot scripts."""
    return {name: text.replace(TOKEN_PLACEHOLDER, token) for name, text in scripts.items()}


def pinned_names(address: str, *, host: str, port: int) -> list[str]:
    """The names by which ssh looks a host key up: with another port than 22 they are in brackets."""
    names = list(dict.fromkeys((address, host)))
    return names if port == 22 else [f"[{name}]:{port}" for name in names]
