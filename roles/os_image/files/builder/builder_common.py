# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""What the build programs share: a specification, progress lines, child processes, publishing by rename."""
from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import typing as t

Spec = dict[str, t.Any]


class BuildError(Exception):
    """A build that cannot go on; the text is what the user reads."""


class Progress:
    """Progress lines with the seconds since the start, for a person who waits.

    They go to standard output and to ``path``, which the role reads while the program runs.
    """

    def __init__(self, path: str | None) -> None:
        self.start = time.monotonic()
        self.path = pathlib.Path(path) if path else None
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text("", encoding="utf-8")

    def __call__(self, text: str) -> None:
        line = f"{time.monotonic() - self.start:6.1f} s  {text}\n"
        sys.stdout.write(line)
        sys.stdout.flush()
        if self.path:
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(line)


def run(argv: t.Sequence[str], *, cwd: pathlib.Path | None = None, env: dict[str, str] | None = None) -> str:
    """Run a program to its end and return its standard output; its last lines are the error's cause."""
    done = subprocess.run(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    if done.returncode:
        tail = (done.stderr.strip() or done.stdout.strip()).splitlines()[-15:]
        raise BuildError(f"{argv[0]} ended with status {done.returncode}: " + "\n".join(tail))
    return done.stdout


def pipe(script: str, **values: object) -> None:
    """Run a bash pipeline in which each part must succeed; values come as variables, never as text."""
    env = dict(os.environ, **{name: str(value) for name, value in values.items()})
    # A shell that sshd has started, as it sees it, reads its settings even for one command.
    run(["bash", "--norc", "-euo", "pipefail", "-c", script], env=env)


def unpack_tree(archive: pathlib.Path, folder: pathlib.Path, *options: str) -> None:
    """Unpack a tree, or what the options of tar name of it.

    tar itself runs zstd: it reads no further than the archive's end, and knows that zstd may then be ended by a signal.
    """
    run(["tar", "--zstd", "-xpf", str(archive), "--numeric-owner", "-C", str(folder), *options])


def need(programs: t.Sequence[str]) -> None:
    """Say all missing programs in one error."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [name for name in programs if not shutil.which(name, path=path)]
    if missing:
        raise BuildError(f"Cannot build: the programs {', '.join(missing)} are missing. Install their packages.")


def sha256(path: pathlib.Path) -> str:
    """The hexadecimal SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for piece in iter(lambda: stream.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


@contextlib.contextmanager
def lock(path: pathlib.Path, progress: Progress) -> t.Iterator[None]:
    """Hold a lock while building, so that two plays build a thing once and the second finds it made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("waiting for another build of the same thing")
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def published(target: pathlib.Path) -> t.Iterator[pathlib.Path]:
    """Give a folder to fill; when the block succeeds it becomes ``target`` in one step, whole and on disk.

    What a killed build left behind is removed first. The caller holds a lock for ``target``.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f".{target.name}.*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield folder
        folder.chmod(0o755)
        for path in folder.iterdir():
            path.chmod(0o644)
            sync(path)
        sync(folder)
        if target.exists():
            shutil.rmtree(target)
        folder.rename(target)
        sync(target.parent)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def sync(path: pathlib.Path) -> None:
    """Have the kernel write a file or folder to its disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_manifest(folder: pathlib.Path, manifest: Spec) -> None:
    """Write ``manifest.json``, the last file of a published folder."""
    text = json.dumps(manifest, indent=2, sort_keys=True) + "\n"
    (folder / "manifest.json").write_text(text, encoding="utf-8")


def is_published(target: pathlib.Path, key: str) -> bool:
    """Whether ``target`` holds a manifest of this key."""
    try:
        return json.loads((target / "manifest.json").read_text(encoding="utf-8")).get("key") == key
    except (OSError, ValueError):
        return False


def main(build: t.Callable[[Spec, Progress], bool]) -> None:
    """Read the specification named by the first argument, build, and say in JSON whether anything was made."""
    with open(sys.argv[1], encoding="utf-8") as stream:
        spec = json.load(stream)
    os.umask(0o022)
    os.environ["PATH"] = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    os.environ["LC_ALL"] = "C.UTF-8"
    progress = Progress(spec.get("progress_file"))
    try:
        made = build(spec, progress)
    except (BuildError, OSError) as error:
        progress(f"failed: {error}")
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
    progress("built" if made else "was there already")
