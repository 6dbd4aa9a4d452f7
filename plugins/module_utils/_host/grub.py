# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GRUB's generated menu read, and the drop-ins for its generator written. Pure: text in, text out."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.typeone.metal.plugins.module_utils._domain.cmdline import Claim, Wanted, key_of, split_line

LINUX_LOADERS = frozenset({"linux", "linuxefi", "linux16", "module", "module2", "xen_module"})
XEN_LOADERS = frozenset({"multiboot", "multiboot2", "xen_hypervisor"})
# What grub-mkconfig puts on Xen's lines by itself (20_linux_xen): not arguments.
NOISE = frozenset({"placeholder", "${xen_rm_opts}", "no-real-mode", "edd=off"})

MARK = "# typeone: "

# Sourced by grub-mkconfig (POSIX shell under `set -e`), so it must be small and must not fail.
_FUNCTION = r"""typeone_without() (
    set -f
    line=$1
    shift
    kept= inside=
    for word in $line; do
        drop=$inside
        for pattern in "$@"; do
            case "$word" in ($pattern) drop=yes ;; esac
        done
        if [ -z "$drop" ]; then
            kept="$kept $word"
            continue
        fi
        case "$word" in
            (*\"*\"*) ;;
            (*\"*) if [ -n "$inside" ]; then inside=; else inside=yes; fi ;;
        esac
    done
    printf '%s' "$kept"
)
"""


@dataclass(frozen=True)
class Entry:
    """One entry of the boot menu: its title and id, the way to it, and the tokens of its command lines."""

    title: str
    identifier: str
    path: tuple[tuple[int, str, str], ...]  # (position, title, id) of each level, the entry itself last
    linux: tuple[str, ...]
    xen: tuple[str, ...] | None

    @property
    def recovery(self) -> bool:
        """True for the entries that boot to a rescue shell."""
        return "-recovery-" in self.identifier or "single" in self.linux or "(recovery mode)" in self.title


@dataclass(frozen=True)
class Menu:
    """The boot menu: entries in order, and what `set default=` says."""

    entries: tuple[Entry, ...]
    default: str

    def chosen(self, environment: Mapping[str, str]) -> Entry | None:
        """The entry that the next boot takes; `environment` is what grubenv has. None in an empty menu."""
        default = environment.get("next_entry") or self.default
        if default == "${saved_entry}":
            default = environment.get("saved_entry", "0")
        for entry in self.entries:
            if _selects(default.split(">"), entry.path):
                return entry
        return self.entries[0] if self.entries else None

    def first(self, *, xen: bool) -> Entry | None:
        """The first ordinary entry with or without Xen."""
        return next((entry for entry in self.entries if (entry.xen is not None) == xen and not entry.recovery), None)


def _selects(words: list[str], path: tuple[tuple[int, str, str], ...]) -> bool:
    """Whether GRUB's way "1>2" (numbers, titles or ids) names the entry; a submenu alone means its first entry."""
    wanted = words + ["0"] * (len(path) - len(words))
    return len(wanted) == len(path) and all(
        word.strip() in (str(position), title, identifier) for word, (position, title, identifier) in zip(wanted, path)
    )


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


def _header(line: str) -> tuple[str, str]:
    """Title and id of a menuentry or submenu line."""
    words = _words(line.rstrip().rstrip("{"))
    for option in ("$menuentry_id_option", "--id"):
        if option in words[:-1]:
            return words[1], words[words.index(option) + 1]
    return (words[1] if len(words) > 1 else ""), ""


def parse_menu(text: str) -> Menu:
    """Read what grub-mkconfig made. What is not a menu entry (functions, conditions) is passed over."""
    found: list[Entry] = []
    default = "0"
    blocks: list[str] = []  # kind of each open block
    path: list[tuple[int, str, str]] = []
    counters = [0]
    linux: tuple[str, ...] | None = None
    xen: tuple[str, ...] | None = None
    for raw in text.splitlines():
        line = raw.strip()
        word = line.split(None, 1)[0] if line else ""
        if word in ("menuentry", "submenu") and line.endswith("{"):
            blocks.append(word)
            path.append((counters[-1], *_header(line)))
            counters[-1] += 1
            counters.append(0)
            linux = xen = None
        elif line.endswith("{"):
            blocks.append("other")
        elif line == "}" and blocks:
            if blocks.pop() != "other":
                if linux is not None:
                    found.append(Entry(path[-1][1], path[-1][2], tuple(path), linux, xen))
                    linux = None
                path.pop()
                counters.pop()
        elif word in XEN_LOADERS and "menuentry" in blocks:
            xen = arguments_of(line)
        elif word in LINUX_LOADERS and "menuentry" in blocks and linux is None:
            linux = arguments_of(line)
        elif line.startswith("set default=") and not blocks and "next_entry" not in line:
            default = line.partition("=")[2].strip().strip("\"'")
    return Menu(tuple(found), default)


def arguments_of(line: str) -> tuple[str, ...]:
    """Arguments on a loader's line: without the loader, its options, the file, and what GRUB adds by itself."""
    tokens = [token for token in split_line(line)[1:] if token not in NOISE]
    while tokens and tokens[0].startswith("--"):
        tokens.pop(0)
    return tuple(tokens[1:])


def parse_environment(text: str) -> dict[str, str]:
    """Variables of a grubenv block."""
    pairs = (line.partition("=") for line in text.splitlines() if not line.startswith("#"))
    return {name: value for name, equals, value in pairs if equals}


def _pattern(text: str) -> str:
    """A shell pattern that matches a token as Linux compares names, and its value to the letter."""
    name, equals, value = text.partition("=")
    return re.sub(r"[-_]", "[-_]", name) + equals + re.sub(r"([*?\[])", r"[\1]", value)


def _patterns(wanted: Wanted) -> str:
    found: list[str] = []
    for key in dict.fromkeys(key_of(token) for token in wanted.present):
        found += [_pattern(key), f"{_pattern(key)}=*"]
    for gone in wanted.absent:
        found += [_pattern(gone)] if "=" in gone else [_pattern(gone), f"{_pattern(gone)}=*"]
    return " ".join(shlex.quote(pattern) for pattern in found)


def _assign(name: str, source: str, wanted: Wanted, tokens: Iterable[str] = ()) -> str:
    added = "".join(f"' {token}'" for token in tokens)  # check_token() lets no quote through
    return f'{name}=" $(typeone_without "{source}" {_patterns(wanted)})"{added}'


def render_drop_in(owner: str, claim: Claim) -> str:
    """A drop-in for /etc/default/grub.d: takes the owned keys out of what earlier files set, then adds the owner's.

    20_linux_xen uses GRUB_CMDLINE_LINUX_XEN_REPLACE and ..._REPLACE_DEFAULT in place of the ordinary variables, if they
    are not empty; so what belongs to all kernels goes there too once they are set, whichever owner comes first.
    """
    lines = [
        f"# Made by typeone.metal.kernel_cmdline for its owner {owner}. Changes by hand are overwritten.",
        MARK + json.dumps(claim.as_dict(), sort_keys=True),
        _FUNCTION.rstrip(),
    ]
    kernel, dom0, xen = (claim.of(target) for target in ("kernel", "dom0", "xen"))
    replace, replace_default = "GRUB_CMDLINE_LINUX_XEN_REPLACE", "GRUB_CMDLINE_LINUX_XEN_REPLACE_DEFAULT"
    if kernel.keys:
        lines += [
            _assign("GRUB_CMDLINE_LINUX", "$GRUB_CMDLINE_LINUX", kernel, kernel.present),
            _assign("GRUB_CMDLINE_LINUX_DEFAULT", "$GRUB_CMDLINE_LINUX_DEFAULT", kernel),
            f"[ -z \"${replace}\" ] || {_assign(replace, f'${replace}', kernel, kernel.present)}",
            f"[ -z \"${replace_default}\" ] || {_assign(replace_default, f'${replace_default}', kernel)}",
        ]
    if dom0.keys:
        lines += [
            _assign(replace, f"${{{replace}:-$GRUB_CMDLINE_LINUX}}", dom0, dom0.present),
            _assign(replace_default, f"${{{replace_default}:-$GRUB_CMDLINE_LINUX_DEFAULT}}", dom0),
        ]
    if xen.keys:
        lines += [
            _assign("GRUB_CMDLINE_XEN", "$GRUB_CMDLINE_XEN", xen),
            _assign("GRUB_CMDLINE_XEN_DEFAULT", "$GRUB_CMDLINE_XEN_DEFAULT", xen, xen.present),
        ]
    return "\n".join(lines) + "\n"


def read_record(text: str) -> Claim | None:
    """The claim that a drop-in (or a record file) carries; None where it has none that can be read."""
    for line in text.splitlines():
        if line.startswith(MARK):
            try:
                return Claim.from_dict(json.loads(line[len(MARK) :]))
            except (ValueError, TypeError, AttributeError):
                return None
    return None
