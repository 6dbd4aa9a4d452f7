# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring labs up and down as a user does, and see from outside what they left on the machine."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("TYPEONE_LAB_CACHE") or ROOT / "build" / "cache")
BIN = pathlib.Path(sys.executable).parent
GUARD = 1500  # seconds; against hanging for ever with a cold cache, no measure of anything

# Ask a BMC: argv are address, path, CA, user, password ("" for none) and what to post (JSON, "" to get).
ASK = """
import base64, json, ssl, sys, urllib.error, urllib.request
address, path, authority, user, password, post = sys.argv[1:]
request = urllib.request.Request(f"https://{address}{path}", data=post.encode() or None)
request.add_header("Content-Type", "application/json")
if password:
    request.add_header("Authorization", "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())
handler = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=authority))
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), handler)
try:
    with opener.open(request, timeout=60) as answer:
        print(json.dumps([answer.status, json.loads(answer.read() or b"null")]))
except urllib.error.HTTPError as exc:
    print(json.dumps([exc.code, None]))
"""


@dataclasses.dataclass(frozen=True)
class Run:
    """What a playbook said, and how it ended."""

    status: int
    output: str

    @property
    def changed(self) -> int:
        """How many tasks changed something."""
        return sum(map(int, re.findall(r"changed=(\d+)", self.output)))


@dataclasses.dataclass(frozen=True)
class Lab:
    """A lab by name and folder, with options for lab_up."""

    name: str
    folder: pathlib.Path
    options: dict

    def play(self, playbook: str, *flags: str, kill_at: tuple = (), **options) -> Run:
        """Run lab_up or lab_down; with kill_at (words, program), SIGKILL it when it said that and runs that program."""
        extra = {"lab_name": self.name, "lab_dir": str(self.folder), "lab_cache_dir": str(CACHE), **self.options, **options}
        words = [BIN / "ansible-playbook", "-i", "localhost,", f"typeone.metal.{playbook}", "-e", json.dumps(extra), *flags]
        log, start, before = [], time.monotonic(), time.monotonic()
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/") as process:
            timer = subprocess.Popen(["sh", "-c", f"sleep {GUARD} && kill -9 {process.pid}"], start_new_session=True)
            silence = 0.0
            for line in process.stdout:
                silence, before = max(silence, time.monotonic() - before), time.monotonic()
                log.append(line)
                if kill_at and kill_at[0] in line:
                    self.wait_for(kill_at[1])
                    process.kill()
                    break
            status = process.wait()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(timer.pid, signal.SIGTERM)
            timer.wait()
        print("".join(log))
        print(f"== {playbook}: {time.monotonic() - start:.0f} s, longest silence {silence:.0f} s")
        return Run(status, "".join(log))

    @property
    def nodes(self) -> list:
        """The nodes as lab.json describes them."""
        return json.loads((self.folder / "lab.json").read_text())["nodes"]

    def inside(self, *words) -> subprocess.CompletedProcess:
        """Run a program in the lab's network."""
        return subprocess.run([self.folder / "enter", *words], capture_output=True, text=True, check=False, timeout=GUARD)

    def ask(self, node: dict, path: str, *, password: str | None = None, post: dict | None = None) -> tuple:
        """Ask a node's BMC, its certificate checked; returns (status, answer)."""
        secret = (self.folder / "bmc_password").read_text().strip() if password is None else password
        words = [node["bmc_address"], path, self.folder / "ca.pem", "admin", secret, json.dumps(post) if post else ""]
        done = self.inside(sys.executable, "-c", ASK, *words)
        assert done.returncode == 0, done.stderr
        return tuple(json.loads(done.stdout))

    def power(self, node: dict, kind: str) -> None:
        """Send a reset to a node."""
        path = f"/redfish/v1/Systems/{node['uuid']}/Actions/ComputerSystem.Reset"
        assert self.ask(node, path, post={"ResetType": kind})[0] == 204

    def wait_for(self, program: str) -> None:
        """Wait until the lab runs a program."""
        deadline = time.monotonic() + GUARD
        while not any(program in words for words in self.processes().values()):
            assert time.monotonic() < deadline, f"the lab never ran {program}"
            time.sleep(0.2)

    def processes(self) -> dict:
        """The lab's processes: by marker, or by its network namespace. {pid: command line}"""
        found = {}
        namespace = pathlib.Path("/run/netns", f"typeone-lab-{self.name}")
        inode = namespace.stat().st_ino if namespace.exists() else None
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                marked = f"TYPEONE_LAB={self.name}".encode() in (entry / "environ").read_bytes().split(b"\0")
                if marked or (entry / "ns/net").stat().st_ino == inode:
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().decode().replace("\0", " ")
        return found

    def left(self) -> list:
        """Everything on this machine that is the lab's or speaks of it."""
        found = [f"process {pid}: {words[:200]}" for pid, words in self.processes().items()]
        mounts = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
        named = re.compile(rf"typeone-(lab-|lab/)?{re.escape(self.name)}\b|{re.escape(str(self.folder))}\b")
        found += [f"mount {line}" for line in mounts if named.search(line)]
        found += [f"file {self.folder}"] if self.folder.exists() else []
        for top in ("/run", "/sys/fs/cgroup", "/tmp"):
            for folder, folders, files in os.walk(top):
                found += [f"file {folder}/{name}" for name in folders + files if named.search(f"{folder}/{name}")]
        return sorted(set(found)) + [f"file {path}" for path in (CACHE / "provisioner").glob("*.partial*")]
