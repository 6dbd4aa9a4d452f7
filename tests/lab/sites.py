# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab whose servers are deployed, what a controller keeps of it, and its servers as hosts to work on."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import subprocess
import threading
import time

import yaml

from labs import BIN, GUARD, ROOT, Lab, Run

PAUSE = 3.0


@dataclasses.dataclass(frozen=True)
class Site:
    """A lab and a folder for what its controller writes; capture is pytest's, to tell what is being done while it is being done."""

    lab: Lab
    folder: pathlib.Path
    capture: object

    @property
    def evidence_dir(self) -> pathlib.Path:
        """Where deploy writes the evidence."""
        return self.folder / "evidence"

    @property
    def state(self) -> pathlib.Path:
        """What deploy remembers of the nodes, as the lab's inventory says."""
        return self.lab.folder / "state"

    def _command(self, words: tuple) -> list:
        """The words of ansible-playbook in the lab's network, with the lab's inventory and what the folder adds to it."""
        inventories = [self.lab.folder / "inventory.yml", *self.folder.glob("inventory-*.yml")]
        return [self.lab.folder / "enter", BIN / "ansible-playbook", *(word for path in inventories for word in ("-i", path)), *words]

    @contextlib.contextmanager
    def meanwhile(self, *words, after: str):
        """Run a playbook beside what is done within, which begins once the playbook says `after`; at the end it must have succeeded."""
        log: list[str] = []
        with subprocess.Popen(self._command(words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                              cwd="/") as process:
            for line in process.stdout:
                log.append(line)
                if after in line:
                    break
            rest = threading.Thread(target=lambda: log.extend(process.stdout))
            rest.start()
            try:
                yield
            finally:
                rest.join()
        assert process.returncode == 0 and after in "".join(log), "".join(log)

    def run(self, *words, kill_at: str = "", at: tuple = ("", None)) -> Run:
        """Run ansible-playbook in the lab as a user does.

        With kill_at, SIGKILL it when it says that; with at (words, function), call that once when it says that.
        """
        return self._follow(self._command(words), "/", {"ANSIBLE_CALLBACKS_ENABLED": "typeone.metal.progress"}, kill_at, at)

    def molecule(self, scenario: str) -> Run:
        """Run a scenario of Molecule that needs the nodes of a lab on those of this one."""
        return self._follow([self.lab.folder / "enter", BIN / "molecule", "test", "-s", scenario], ROOT, {"TYPEONE_TEST_LAB": str(self.lab.folder)})

    def _follow(self, command: list, folder, environment: dict, kill_at: str = "", at: tuple = ("", None)) -> Run:
        """Run a program and tell what it is at."""
        log, silences, start, before = [], [0.0], time.monotonic(), time.monotonic()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, cwd=folder,
                              env={**os.environ, **environment}) as process:
            for line in process.stdout:
                silences.append(time.monotonic() - before)
                before = time.monotonic()
                log.append(f"{before - start:6.1f} {line}")
                if line.startswith(("TASK [", "  [", "  still")):
                    self.tell(log[-1].rstrip().rstrip("* "))
                if at[0] and at[0] in line:
                    at[1]()
                    at = ("", None)
                if kill_at and kill_at in line:
                    process.kill()
                    break
        print("".join(log))
        print(f"== {' '.join(map(str, command))[:300]}: {time.monotonic() - start:.0f} s, longest silence {max(silences):.0f} s")
        return Run(process.returncode, "".join(log))

    def tell(self, line: str) -> None:
        """Print although tests' output is kept back."""
        with self.capture.global_and_fixture_disabled():
            print(line, flush=True)

    def deploy(self, *flags: str, kill_at: str = "", at: tuple = ("", None), **options) -> Run:
        """Run the playbook deploy; kill_at and at as in run."""
        extra = {"typeone_evidence_dir": str(self.evidence_dir), "typeone_boot_timeout": GUARD, **options}
        return self.run("typeone.metal.deploy", "-e", json.dumps(extra), *flags, kill_at=kill_at, at=at)

    @property
    def nodes(self) -> list:
        """The servers, as hosts."""
        return [Node(self, described) for described in self.lab.nodes]

    def node(self, number: int) -> Node:
        """One of the servers; they are counted from 1."""
        return self.nodes[number - 1]

    def ssh(self, address: str, command: str, *, known_hosts: pathlib.Path) -> subprocess.CompletedProcess:
        """Run a command on a host as root. Only the pinned key counts."""
        return self.lab.inside(
            "ssh", "-F", "none", "-i", self.lab.folder / "ssh/id_ed25519", "-o", f"UserKnownHostsFile={known_hosts}",
            "-o", "GlobalKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes",
            "-o", "ConnectTimeout=20", "-o", "ServerAliveInterval=15", f"root@{address}", command)

    def on_provisioner(self, command: str) -> str:
        """What a command on the provisioner prints."""
        inventory = yaml.safe_load((self.lab.folder / "inventory.yml").read_text())["all"]
        address = inventory["children"]["provisioner"]["hosts"]["provisioner"]["ansible_host"]
        return self.ssh(address, command, known_hosts=self.lab.folder / "ssh/known_hosts").stdout


@dataclasses.dataclass(frozen=True)
class Node:
    """A server of the lab: by its BMC, and as a host. described is what lab.json says of it."""

    site: Site
    described: dict

    @property
    def name(self) -> str:
        """Its name in the inventory."""
        return self.described["name"]

    @property
    def deployed(self) -> bool:
        """Whether a deploy of it came to its end."""
        return (self.site.evidence_dir / f"{self.name}.json").exists()

    @property
    def evidence(self) -> dict:
        """What the deploy wrote down."""
        return json.loads((self.site.evidence_dir / f"{self.name}.json").read_text())

    @property
    def system(self) -> dict:
        """The server as its BMC shows it."""
        return self.site.lab.ask(self.described, f"/redfish/v1/Systems/{self.described['uuid']}")[1]

    @property
    def console(self) -> str:
        """What it said on its console."""
        return pathlib.Path(self.described["dir"], "console.log").read_text(errors="replace")

    def reset(self, kind: str) -> None:
        """Have its BMC reset it."""
        self.site.lab.power(self.described, kind)

    def answer(self, command: str, *, address: str = "") -> str | None:
        """What a command prints; None where the host cannot be reached or the command fails."""
        done = self.site.ssh(address or self.described["address"], command, known_hosts=self.site.state / self.name / "known_hosts")
        return done.stdout if done.returncode == 0 else None

    def shell(self, command: str) -> str:
        """What a command prints; it must succeed."""
        done = self.site.ssh(self.described["address"], command, known_hosts=self.site.state / self.name / "known_hosts")
        assert done.returncode == 0, f"{self.name}: {command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    @property
    def boot_id(self) -> str | None:
        """What names this boot; None where the host cannot be reached."""
        return self.answer("cat /proc/sys/kernel/random/boot_id")

    def wait_for_boot(self, before: str | None) -> None:
        """Wait until it runs another boot than that."""
        deadline, now = time.monotonic() + GUARD, None
        while time.monotonic() < deadline and now in (None, before):
            time.sleep(PAUSE)
            now = self.boot_id
        assert now not in (None, before), f"{self.name} did not come up: {self.console[-2000:]}"

    def reboot(self) -> None:
        """Reboot it by its own means and wait until one can log in."""
        before = self.boot_id
        self.answer("systemctl reboot")
        self.wait_for_boot(before)

    def play(self, role: str, variables: dict, *flags: str, facts: bool = False, kill_at: str = "") -> Run:
        """Run a role of the collection on it, as a playbook of somebody else does."""
        play = [{"hosts": self.name, "gather_facts": facts, "become": False, "vars": variables, "roles": [f"typeone.metal.{role}"]}]
        playbook = self.site.folder / f"{self.name}-{role}.yml"
        playbook.write_text(yaml.safe_dump(play, sort_keys=False))
        return self.site.run(playbook, *flags, kill_at=kill_at)
