# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Start a real guest on this hypervisor, have it compute something, check its answer, end it, keep the evidence.

Argument: a JSON object with ``hypervisor`` (xen, kvm), ``init`` (text of the guest's PID 1), ``nonce``, ``rounds``,
``seconds`` (deadline), ``memory_mib``, ``vcpus``, ``again``, ``check`` (look only), ``state_file``. Prints one JSON
object: ``changed``, ``proof`` (or null), ``error`` (null, or ``phase``, ``cause``, ``remedy``, ``console``, the guest's
last lines, and ``log``, those of the hypervisor). The guest is this host's own kernel with busybox; nothing is fetched.
"""
from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import tty
import typing as t
import uuid

NAME = "typeone-proof"
BUSYBOX = ("/bin/busybox", "/usr/bin/busybox")
PHASES = {
    "prepare": "Install what is missing, and free space in the folder of temporary files",
    "start": "Look at the hypervisor's log below, and whether the machine has this much memory free",
    "answer": "Look at the guest's last lines below; on a slow machine allow it more seconds",
    "verify": "Do not use this host before it is known what answered in the guest's place",
}
"""What is done, and what helps when it fails."""
LINE = re.compile(r"TYPEONE-PROOF (\{.*?\}) END")
Config = dict[str, t.Any]


class ProofError(Exception):
    """The proof did not come about; the text says why, ``details`` is what is reported."""

    details: Config


class Crashed(ProofError):
    """The toolstack was ended by a signal: that is its own fault, and not the guest's or the host's."""


def cpio(entries: t.Iterable[tuple[str, int, bytes, int]]) -> bytes:
    """A newc archive (cpio(5)) of (name, mode, content, device number); the kernel takes it as an initramfs."""
    archive = bytearray()
    for number, (name, mode, content, device) in enumerate([*entries, ("TRAILER!!!", 0, b"", 0)], start=1):
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, device >> 8, device & 0xFF, len(name) + 1, 0)
        archive += b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
        archive += bytes(-len(archive) % 4) + content
        archive += bytes(-len(archive) % 4)
    return bytes(archive)


def write_initramfs(path: pathlib.Path, init: str) -> None:
    """Write the guest's initramfs: busybox, its init and a console."""
    busybox = next((pathlib.Path(name) for name in BUSYBOX if os.path.exists(name)), None)
    if busybox is None:
        raise ProofError("busybox is missing. Install busybox-static")
    binary = busybox.read_bytes()
    if b"/ld-linux" in binary[:4096]:
        raise ProofError("busybox is not static. Install busybox-static in its place")
    path.write_bytes(cpio([("bin", 0o40755, b"", 0), ("bin/busybox", 0o100755, binary, 0), ("bin/sh", 0o120777, b"busybox", 0),
                           ("dev", 0o40755, b"", 0), ("dev/console", 0o20600, b"", 5 << 8 | 1),
                           ("dev/null", 0o20666, b"", 1 << 8 | 3), ("init", 0o100755, init.encode(), 0)]))


def repeatable(argv: t.Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a program that may be run twice without harm, up to three times while a signal ends it."""
    for _attempt in range(3):
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", check=False)
        if done.returncode >= 0:
            break
    return done


def ask(argv: t.Sequence[str]) -> str:
    """What a program that only reads prints."""
    try:
        done = repeatable(argv)
    except OSError as error:
        raise ProofError(f"{argv[0]} cannot be started ({error.strerror})") from error
    if done.returncode:
        raise ProofError(f"{' '.join(argv[:2])} ended with status {done.returncode}: {done.stdout.strip()[-300:]}")
    return done.stdout


def create(argv: t.Sequence[str], *, seconds: float = 300.0) -> None:
    """Have the toolstack make a guest; being ended by a signal is told apart from an error of its own."""
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise ProofError(f"{' '.join(argv[:2])} did not end within {seconds:.0f} s") from error
    except OSError as error:
        raise ProofError(f"{argv[0]} cannot be started ({error.strerror})") from error
    if done.returncode:
        said = [line.strip() for line in done.stdout.splitlines() if not line.startswith("Parsing config")]
        text = f"{' '.join(argv[:2])} ended with status {done.returncode}: {' / '.join(filter(None, said))[:600]}"
        if done.returncode < 0 or done.returncode >= 128 or "Segmentation fault" in done.stdout:
            raise Crashed(text)
        raise ProofError(text)


def last_lines(text: str) -> list[str]:
    """The last lines with something in them, without the codes of terminals."""
    clean = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    return [line for line in clean.replace("\r", "").splitlines() if line.strip()][-15:]


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

    def command_line(self) -> str:
        return (f"console={self.kernel_console} panic=-1 quiet rdinit=/init proof.nonce={self.config['nonce']} "
                f"proof.rounds={self.config['rounds']}")

    def start(self) -> int:
        """Start the guest and return the file to read its console from."""
        raise NotImplementedError

    def alive(self) -> bool:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError

    def answer(self, deadline: float) -> Config:
        """Start the guest and wait for its line of JSON."""
        self.phase = "start"
        console, looked = self.start(), time.monotonic()
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

    def start(self) -> int:
        self.stop()
        settings = {"name": NAME, "type": "pv", "uuid": self.uuid, "kernel": f"/boot/vmlinuz-{os.uname().release}",
                    "ramdisk": str(self.folder / "initramfs"), "extra": self.command_line(),
                    "memory": self.config["memory_mib"], "vcpus": self.config["vcpus"], "on_poweroff": "destroy",
                    "on_reboot": "destroy", "on_crash": "destroy"}
        path = self.folder / "guest.cfg"
        path.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()),
                        encoding="utf-8")
        create(["xl", "create", str(path)])
        number = ask(["xl", "domid", NAME]).strip()
        terminal = self.terminal(number)
        console = os.open(terminal, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
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


class KvmGuest(Guest):
    """A guest of QEMU with KVM and nothing else: without KVM it does not start."""

    kernel_console = "ttyS0"
    log_command = ("dmesg", "--notime")
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> int:
        argv = ["qemu-system-x86_64", "-name", NAME, "-uuid", self.uuid, "-machine", "pc", "-accel", "kvm",
                "-cpu", "host", "-m", str(self.config["memory_mib"]), "-smp", str(self.config["vcpus"]),
                "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot",
                "-kernel", f"/boot/vmlinuz-{os.uname().release}", "-initrd", str(self.folder / "initramfs"),
                "-append", self.command_line()]
        try:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                            stderr=subprocess.STDOUT)
        except OSError as error:
            raise ProofError(f"{argv[0]} cannot be started ({error.strerror})") from error
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        return self.process.stdout.fileno()

    def alive(self) -> bool:
        status = self.process.poll() if self.process else 0
        if status is not None and status < 0:
            raise Crashed(f"QEMU was ended by {signal.Signals(-status).name}")
        return status is None

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()


GUESTS: dict[str, type[Guest]] = {"xen": XenGuest, "kvm": KvmGuest}


def chain(seed: str, rounds: int) -> str:
    """The SHA-256 of a text, and that of its hexadecimal form, again and again."""
    digest = hashlib.sha256(seed.encode()).hexdigest()
    for _round in range(rounds):
        digest = hashlib.sha256(digest.encode()).hexdigest()
    return digest


def verify(answer: Config, guest: Guest) -> None:
    """Compare what the guest says with what only a guest of this hypervisor, started now, can say."""
    guest.phase = "verify"
    config = guest.config
    seed = f"{config['nonce']}:{answer['boot_id']}:{guest.uuid}"
    wanted = {"nonce": config["nonce"], "digest": chain(seed, config["rounds"]), "uuid": guest.uuid,
              "cpus": config["vcpus"], "kernel": os.uname().release}
    wrong = [f"{name} is {answer.get(name)!r} and not {value!r}" for name, value in wanted.items()
             if str(answer.get(name)).lower() != str(value)]
    if config["hypervisor"] not in f"{answer.get('detected')} {answer.get('type')}".lower():
        wrong.append(f"its kernel does not say that it runs on {config['hypervisor']} "
                     f"(it says {answer.get('detected')!r})")
    if answer["boot_id"] == boot_id():
        wrong.append("its boot id is the host's")
    if wrong:
        raise ProofError("the guest answered wrongly: " + "; ".join(wrong))


def boot_id() -> str:
    return pathlib.Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def earlier(config: Config) -> Config | None:
    """The proof of this boot, if there is one."""
    try:
        proof = json.loads(pathlib.Path(config["state_file"]).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    same = proof.get("host_boot_id") == boot_id() and proof.get("hypervisor") == config["hypervisor"]
    return proof if same and proof.get("passed") is True else None


def keep(config: Config, proof: Config) -> None:
    """Write the evidence in one step."""
    path = pathlib.Path(config["state_file"])
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(json.dumps(proof, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    draft.replace(path)


def attempt(config: Config) -> Config:
    """Start one guest and return its verified answer. Failures carry phase, console and log."""
    with tempfile.TemporaryDirectory(prefix="typeone-proof.") as name:
        guest = GUESTS[config["hypervisor"]](config, pathlib.Path(name))
        try:
            write_initramfs(pathlib.Path(name) / "initramfs", config["init"])
            answer = guest.answer(time.monotonic() + config["seconds"])
            verify(answer, guest)
        except (ProofError, OSError, KeyError, ValueError) as error:
            failure = error if isinstance(error, ProofError) else ProofError(f"{type(error).__name__}: {error}")
            failure.details = {"phase": guest.phase, "cause": str(failure), "remedy": PHASES[guest.phase],
                               "console": guest.last_lines(), "log": guest.log()}
            raise failure from error
        finally:
            guest.stop()
    return answer


def prove(config: Config) -> Config:
    """Run one guest, a second one only where the toolstack itself crashed, and return the proof."""
    start, crash = time.monotonic(), None
    try:
        answer = attempt(config)
    except Crashed as error:
        crash = str(error)
        answer = attempt(config)
    seconds = round(time.monotonic() - start, 1)
    kind = answer["detected"] or answer["type"]
    text = f"Linux {answer['kernel']} on {kind}, {config['rounds']} rounds of SHA-256 verified, {seconds} s"
    return {"passed": True, "hypervisor": config["hypervisor"], "guest_kernel": answer["kernel"],
            "guest_boot_id": answer["boot_id"], "guest_detected": answer["detected"], "guest_type": answer["type"],
            "guest_uuid": answer["uuid"], "guest_cpus": answer["cpus"], "guest_memory_kib": answer["memory_kib"],
            "nonce": answer["nonce"], "rounds": config["rounds"], "digest": answer["digest"],
            "toolstack_crash": crash, "attempts": 2 if crash else 1, "seconds": seconds,
            "text": text + (" (second attempt, the toolstack crashed in the first)" if crash else ""),
            "host_boot_id": boot_id(), "proved_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}


def main() -> None:
    config = json.loads(sys.argv[1])
    # A run that is ended leaves no guest behind.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))
    result: Config = {"changed": False, "proof": earlier(config), "error": None}
    if config["again"] or result["proof"] is None:
        result["changed"] = True
        if not config["check"]:
            try:
                result["proof"] = prove(config)
                keep(config, result["proof"])
            except ProofError as error:
                result.update(proof=None, error=error.details)
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
