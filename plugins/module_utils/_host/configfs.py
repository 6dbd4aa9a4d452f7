# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A folder of configfs on the host: read as far as one target goes, changed step by step, made again at each boot."""

from __future__ import annotations

import errno
import glob
import os
from collections.abc import Iterable, Sequence

from ansible_collections.typeone.metal.plugins.module_utils._domain.configfs import (
    Entry,
    Found,
    Kind,
    Step,
    Verb,
    parent,
)
from ansible_collections.typeone.metal.plugins.module_utils._host.files import read_text
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError

BOOT_SCRIPT = """#!/bin/sh
# Made by typeone.metal: makes objects of the kernel again at boot. Lines of *.steps: VERB, PATH and TEXT, parted by tabs.
# What is there already stays; a step that fails (an address that is not there yet) is tried again for a while.
set -u
root=$1 folder=$2 seconds=${3:-120} new=no failed=0
tab=$(printf '\\t')

act() {
    case $1 in
    make)
        new=no
        [ -d "$root/$2" ] && return 0
        mkdir "$root/$2" 2>/dev/null && new=yes
        ;;
    init) [ $new = no ] || printf '%s' "$3" >"$root/$2" ;;
    write)
        now=""
        [ ! -e "$root/$2" ] || read -r now <"$root/$2"
        [ "$now" = "$3" ] || printf '%s' "$3" >"$root/$2"
        ;;
    link) [ -L "$root/$2" ] || ln -s "$root/$3" "$root/$2" 2>/dev/null ;;
    esac
}

for record in "$folder"/*.steps; do
    while IFS="$tab" read -r verb path text; do
        # Another program, such as targetctl, has made this target its own way.
        [ "$verb" != unless ] || [ ! -d "$root/$path" ] || [ -d "$root/$text" ] || break
        until act "$verb" "$path" "$text"; do
            if [ "$seconds" -le 0 ]; then
                echo "cannot $verb $path" >&2
                failed=1
                break
            fi
            sleep 2
            seconds=$((seconds - 2))
        done
    done <"$record"
done
exit $failed
"""


def _write(path: str, text: str) -> None:
    """Attributes take their value in one write."""
    handle = os.open(path, os.O_WRONLY)
    try:
        os.write(handle, text.encode())
    finally:
        os.close(handle)


_DO = {
    Verb.UNLINK: lambda path, _text: os.unlink(path),
    Verb.REMOVE: lambda path, _text: os.rmdir(path),
    Verb.MAKE: lambda path, _text: os.mkdir(path),
    Verb.INIT: _write,
    Verb.WRITE: _write,
    Verb.LINK: lambda path, text: os.symlink(text, path),
}
_SAID = {
    Verb.UNLINK: "take away the link",
    Verb.REMOVE: "take away",
    Verb.MAKE: "make",
    Verb.INIT: "write",
    Verb.WRITE: "write",
    Verb.LINK: "link",
}


def record(steps: Iterable[Step]) -> str:
    """The steps as the boot script reads them."""
    return "".join(f"{step.verb.value}\t{step.path}\t{step.text}\n" for step in steps)


class ConfigTree:
    """What is below one folder of configfs."""

    def __init__(self, base: str) -> None:
        self.base = base

    def _path(self, path: str) -> str:
        return f"{self.base}/{path}"

    def _target(self, path: str) -> str:
        """What a link points at, below the folder."""
        place = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))
        return os.path.relpath(place, self.base)

    def find(self, kind: Kind, pattern: str) -> list[str]:
        """Groups or links that match a pattern, below the folder."""
        whole = f"{glob.escape(self.base)}/{pattern.replace('[', '[[]')}"
        wanted = os.path.islink if kind is Kind.LINK else lambda path: os.path.isdir(path) and not os.path.islink(path)
        paths = dict.fromkeys(os.path.normpath(path) for path in sorted(glob.glob(whole)))
        return [os.path.relpath(path, self.base) for path in paths if wanted(path)]

    def read(self, patterns: Sequence[tuple[Kind, str]], entries: Sequence[Entry]) -> Found:
        """What is there of the patterns and entries; of attributes, those that are compared."""
        found: dict[str, tuple[Kind, str]] = {}
        # What a link to the same object is called is its maker's choice.
        links = {(parent(entry.path), entry.text): entry.path for entry in entries if entry.kind is Kind.LINK}
        places = [*patterns, *((entry.kind, entry.path) for entry in entries if entry.kind is not Kind.VALUE)]
        for kind, pattern in places:
            for path in self.find(kind, pattern):
                text = self._target(self._path(path)) if kind is Kind.LINK else ""
                found.setdefault(links.get((parent(path), text), path), (kind, text))
        for entry in entries:
            text = None if entry.kind is not Kind.VALUE or entry.once else read_text(self._path(entry.path))
            if text is not None:
                found[entry.path] = (Kind.VALUE, text)
        return found

    def apply(self, steps: Iterable[Step], what: str) -> None:
        """Take the steps. Raises HostError, which says how far it came and shows no secret."""
        for step in steps:
            text = self._path(step.text) if step.verb is Verb.LINK else step.text
            try:
                _DO[step.verb](self._path(step.path), text)
            except OSError as error:
                shown = f" = {step.text}" if step.text and not step.secret else ""
                raise HostError(
                    f"Cannot set up {what} on this host: the kernel does not let us {_SAID[step.verb]} {step.path}{shown} "
                    f"({error.strerror}). {_remedy(error)} What was done before stays; run it again."
                ) from error


_REMEDIES = {
    "EADDRNOTAVAIL": "Name a portal address that this host has.",
    "EADDRINUSE": "Something else listens on that address and port: choose another port.",
    "EBUSY": "It is in use: end what uses it.",
    "ENOENT": "The kernel has no such attribute: a newer one may.",
}


def _remedy(error: OSError) -> str:
    return _REMEDIES.get(errno.errorcode.get(error.errno or 0, ""), "The kernel's log says why (dmesg).")
