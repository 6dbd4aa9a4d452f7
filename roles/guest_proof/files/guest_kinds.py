# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""The guests: paravirtualised ones of Xen, and those of QEMU with KVM. What they have beyond that is in guest_extras."""
from __future__ import annotations

import contextlib
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import time
import tty
import typing as t
import uuid

from guest_disks import EXTRAS
from guest_extras import Extra
from guest_parts import LINE, Config, Crashed, ProofError, ask, create, last_lines, repeatable

NAME = "typeone-proof"


class Guest:
    """A guest with a console: what came from it, and the answer in it."""

    kernel_console = ""
    log_command: tuple[str, ...] = ()

    def __init__(self, config: Config, folder: pathlib.Path) -> None:
        self.config = config
        self.folder = folder
        self.uuid = str(uuid.uuid4())
        self.phase = "prepare"
        self.text = ""
        self.extras: list[Extra] = [kind(config) for name, kind in EXTRAS.items() if config.get(name)]

    def modules(self) -> list[str]:
        """Modules that the guest's kernel needs."""
        return [name for extra in self.extras for name in extra.modules.get(self.config["hypervisor"], ())]

    def command_line(self) -> str:
        words = [word for extra in self.extras for word in extra.words()]
        return " ".join([f"console={self.kernel_console} panic=-1 quiet rdinit=/init", f"proof.nonce={self.config['nonce']}",
                         f"proof.rounds={self.config['rounds']}", *words])

    def start(self) -> int:
        """Start the guest and return the file to read its console from."""
        raise NotImplementedError

    def alive(self) -> bool:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError

    def processors(self) -> list[Config]:
        """Where the host has its virtual CPUs: C(vcpu), C(allowed) (a list of CPUs) and C(ran_on)."""
        raise NotImplementedError

    def ports(self) -> list[str]:
        """The host's ends of the guest's NICs."""
        raise NotImplementedError

    def answer(self, deadline: float) -> Config:
        """Start the guest and wait for its line of JSON."""
        for extra in self.extras:
            extra.prepare(self)
        self.phase = "start"
        console, looked = self.start(), time.monotonic()
        for extra in self.extras:
            extra.started(self)
        self.run()
        self.phase = "answer"
        while time.monotonic() < deadline:
            if select.select([console], [], [], 1.0)[0]:
                with contextlib.suppress(OSError):
                    self.text += os.read(console, 65536).decode("utf-8", "replace")
                found = LINE.search(self.text.replace("\r", "").replace("\n", ""))
                if found:
                    return json.loads(found[1])
            if time.monotonic() - looked > 5.0:
                looked = time.monotonic()
                if not self.alive():
                    raise ProofError("the guest ended before it said anything that proves it")
        raise ProofError(f"the guest did not answer within {self.config['seconds']} s")

    def run(self) -> None:
        """Let a guest run that was started standing still."""

    def observe(self, answer: Config) -> Config:
        """What host and guest say of each extra. Raises ProofError where one is not as asked."""
        self.phase = "verify"
        return {extra.name: extra.observe(self, answer) for extra in self.extras}

    def end(self) -> None:
        """End the guest and leave nothing behind."""
        self.stop()
        for extra in self.extras:
            extra.undo(self)

    def last_lines(self) -> list[str]:
        return last_lines(self.text)

    def log(self) -> list[str]:
        """The last lines of the hypervisor's own log."""
        try:
            return last_lines(ask(self.log_command))
        except ProofError as error:
            return [str(error)]


class XenGuest(Guest):
    """A paravirtualised guest, by xl; its console is the pseudo terminal that xenconsoled made."""

    kernel_console = "hvc0"
    log_command = ("xl", "dmesg")
    number = ""

    def start(self) -> int:
        self.stop()
        settings = {"name": NAME, "type": "pv", "uuid": self.uuid, "kernel": f"/boot/vmlinuz-{os.uname().release}",
                    "ramdisk": str(self.folder / "initramfs"), "extra": self.command_line(),
                    "memory": self.config["memory_mib"], "vcpus": self.config["vcpus"], "on_poweroff": "destroy",
                    "on_reboot": "destroy", "on_crash": "destroy"}
        for extra in self.extras:
            settings.update(extra.xen(self))
        path = self.folder / "guest.cfg"
        path.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()),
                        encoding="utf-8")
        create(["xl", "create", str(path)])
        self.number = ask(["xl", "domid", NAME]).strip()
        console = os.open(self.terminal(self.number), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(console)
        return console

    @staticmethod
    def terminal(number: str) -> str:
        """The path of the console's pseudo terminal; xenconsoled needs a moment to make it."""
        for _attempt in range(30):
            with contextlib.suppress(ProofError):
                path = ask(["xenstore-read", f"/local/domain/{number}/console/tty"]).strip()
                if path:
                    return path
            time.sleep(1.0)
        raise ProofError("xenconsoled made no console for the guest. Look at the service xen")

    def alive(self) -> bool:
        return repeatable(["xl", "domid", NAME]).returncode <= 0

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            repeatable(["xl", "destroy", NAME])

    def processors(self) -> list[Config]:
        found = []
        for line in ask(["xl", "vcpu-list", NAME]).splitlines()[1:]:
            _name, _domain, vcpu, cpu, _state, _seconds, hard = line.split()[:7]
            found.append({"vcpu": int(vcpu), "allowed": hard, "ran_on": int(cpu) if cpu.isdigit() else None})
        return found

    def ports(self) -> list[str]:
        return [f"vif{self.number}.0"]


class KvmGuest(Guest):
    """A guest of QEMU with KVM and nothing else: without KVM it does not start. It stands still until run()."""

    kernel_console = "ttyS0"
    log_command = ("dmesg", "--notime")
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> int:
        argv = ["qemu-system-x86_64", "-name", NAME, "-uuid", self.uuid, "-machine", "pc", "-accel", "kvm",
                "-cpu", "host", "-m", str(self.config["memory_mib"]), "-smp", str(self.config["vcpus"]),
                "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot", "-S",
                "-qmp", f"unix:{self.folder}/qmp,server=on,wait=off",
                "-kernel", f"/boot/vmlinuz-{os.uname().release}", "-initrd", str(self.folder / "initramfs"),
                "-append", self.command_line()]
        launcher = [word for extra in self.extras for word in extra.launcher(self)]
        argv = launcher + argv + [word for extra in self.extras for word in extra.kvm(self)]
        try:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                            stderr=subprocess.STDOUT)
        except OSError as error:
            raise ProofError(f"{argv[0]} cannot be started ({error.strerror})") from error
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        return self.process.stdout.fileno()

    def command(self, name: str) -> t.Any:
        """Give QEMU a command over its monitor and return its answer."""
        deadline = time.monotonic() + self.config["seconds"]
        while time.monotonic() < deadline:
            with contextlib.suppress(FileNotFoundError, ConnectionRefusedError), socket.socket(socket.AF_UNIX) as monitor:
                monitor.connect(f"{self.folder}/qmp")
                monitor.settimeout(60.0)
                stream = monitor.makefile("rw", encoding="utf-8")
                for order in ("qmp_capabilities", name):
                    stream.write(json.dumps({"execute": order, "id": order}) + "\n")
                    stream.flush()
                for line in stream:
                    told = json.loads(line)
                    if told.get("id") == name and "return" in told:
                        return told["return"]
            if not self.alive():
                raise ProofError(f"QEMU ended at once: {self.said() or 'it said nothing'}")
            time.sleep(0.2)
        raise ProofError(f"QEMU did not take the command {name}")

    def said(self) -> str:
        """What QEMU itself wrote."""
        with contextlib.suppress(OSError, TypeError):
            self.text += os.read(self.process.stdout.fileno(), 65536).decode("utf-8", "replace")
        return " / ".join(self.last_lines())[-600:]

    def run(self) -> None:
        self.command("cont")

    def alive(self) -> bool:
        status = self.process.poll() if self.process else 0
        if status is not None and status < 0:
            raise Crashed(f"QEMU was ended by {signal.Signals(-status).name}")
        return status is None

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    def threads(self) -> dict[int, int]:
        """The thread of each virtual CPU."""
        return {cpu["cpu-index"]: cpu["thread-id"] for cpu in self.command("query-cpus-fast")}

    def processors(self) -> list[Config]:
        found = []
        for vcpu, thread in sorted(self.threads().items()):
            folder = pathlib.Path(f"/proc/{self.process.pid}/task/{thread}")
            ran_on = int(folder.joinpath("stat").read_text(encoding="utf-8").rpartition(")")[2].split()[36])
            allowed = folder.joinpath("status").read_text(encoding="utf-8").partition("Cpus_allowed_list:")[2].split()[0]
            found.append({"vcpu": vcpu, "allowed": allowed, "ran_on": ran_on, "thread": thread})
        return found

    def ports(self) -> list[str]:
        return [NAME]


GUESTS: dict[str, type[Guest]] = {"xen": XenGuest, "kvm": KvmGuest}
