# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Owned arguments on a command line."""

from __future__ import annotations

import pytest
from ansible_collections.typeone.metal.plugins.module_utils._domain.cmdline import (
    Claim,
    Wanted,
    arguments_from_tokens,
    check_token,
    claim_from_arguments,
    conflicts,
    key_of,
    shared_keys,
    split_line,
)
from hypothesis import given
from hypothesis import strategies as st

NAMES = st.sampled_from(["console", "quiet", "hugepages", "hugepagesz", "nohz_full", "nohz-full", "isolcpus", "ro"])
TOKENS = st.builds(lambda n, v: n if v is None else f"{n}={v}", NAMES, st.sampled_from([None, "1", "1G", "tty0"]))
LINES = st.lists(TOKENS, max_size=10)


@given(LINES, LINES)
def test_applied_means_fulfilled(line, present) -> None:
    """After a wish has been applied it has no problems, and applying it again changes nothing."""
    wanted = Wanted(present=tuple(present))
    result = wanted.apply(line)
    assert wanted.problems(result) == []
    assert wanted.apply(result) == result


@given(LINES, LINES, LINES)
def test_others_are_untouched(line, present, absent) -> None:
    """Tokens whose key is not named stay, in their order."""
    wanted = Wanted(tuple(present), tuple(absent))
    keys = {key_of(token) for token in present + absent}
    kept = [token for token in line if key_of(token) not in keys]
    assert [token for token in wanted.apply(line) if key_of(token) not in keys] == kept


@given(LINES)
def test_a_line_is_split_and_joined(line) -> None:
    """Splitting undoes joining."""
    assert list(split_line("  ".join(line))) == line


@pytest.mark.parametrize(
    ("line", "present", "absent", "result"),
    [
        ("ro quiet", ["console=tty0", "console=ttyS0"], [], "ro quiet console=tty0 console=ttyS0"),
        ("console=x ro", ["console=tty0"], [], "ro console=tty0"),
        ("hugepages=1 ro", ["hugepagesz=1G", "hugepages=4", "hugepagesz=2M", "hugepages=4"], [],
         "ro hugepagesz=1G hugepages=4 hugepagesz=2M hugepages=4"),
        ("quiet ro quiet=1", [], ["quiet"], "ro"),
        ("console=tty0 console=ttyS0", [], ["console=tty0"], "console=ttyS0"),
        ("nohz-full=1 ro", ["nohz_full=2"], [], "ro nohz_full=2"),
        ("isolcpus_x=1 xisolcpus=2", ["isolcpus=3"], [], "isolcpus_x=1 xisolcpus=2 isolcpus=3"),
    ],
)
def test_tokens_of_a_key(line, present, absent, result) -> None:
    """Every token of an owned key is the owner's; keys are compared whole, dashes and underscores alike."""
    assert " ".join(Wanted(tuple(present), tuple(absent)).apply(line.split())) == result


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("hugepages=4 hugepagesz=1G", "the order hugepagesz=1G hugepages=4"),
        ("hugepagesz=1G", "hugepages=4 (there: nothing)"),
        ("hugepagesz=1G hugepages=4 hugepages=5", "hugepages=4 (there: hugepages=4 hugepages=5)"),
        ("hugepagesz=1G hugepages=4 quiet", "no quiet (there: quiet)"),
    ],
)
def test_problems_are_told(line, problem) -> None:
    """What a line lacks is said in words."""
    assert Wanted(("hugepagesz=1G", "hugepages=4"), ("quiet",)).problems(line.split()) == [problem]


@pytest.mark.parametrize("token", ["", "a b", "=1", "-x", "root=/dev/sda", "a=b c", "memmap=1G$8G", "a='x'", "a=;b", "ä"])
def test_tokens_that_cannot_be_owned(token) -> None:
    """What GRUB or the shell would take for its own, and what the boot loader sets itself."""
    with pytest.raises(ValueError, match="argument|owned|written"):
        check_token(token)


def test_quoted_blanks_belong_to_the_token() -> None:
    """As the kernel reads them."""
    assert split_line('a dyndbg="file x +p" b') == ("a", 'dyndbg="file x +p"', "b")


def test_dom0_wins_over_kernel() -> None:
    """Linux under Xen has what every kernel has, and dom0's own in place of it."""
    claim = claim_from_arguments(
        [
            {"name": "console", "value": "ttyS0"},
            {"name": "iommu", "value": "pt"},
            {"name": "console", "value": "hvc0", "target": "dom0"},
        ]
    )
    assert claim.linux_under_xen.apply(["ro", "console=ttyS0"]) == ("ro", "iommu=pt", "console=hvc0")
    assert Claim.from_dict(claim.as_dict()).as_dict() == claim.as_dict()


@pytest.mark.parametrize("absent", [{"name": "console"}, {"name": "console", "value": "tty0"}])
def test_both_present_and_absent_is_refused(absent) -> None:
    """A wish that contradicts itself."""
    with pytest.raises(ValueError, match="both present and absent"):
        claim_from_arguments([{"name": "console", "value": "tty0"}, {**absent, "state": "absent"}])


def test_one_owner_a_key() -> None:
    """Linux's arguments are one family under Xen and without; the hypervisor's are another."""
    mine = claim_from_arguments([{"name": "console", "value": "hvc0", "target": "dom0"}, {"name": "loglvl", "target": "xen"}])
    other = claim_from_arguments([{"name": "console", "value": "tty0"}, {"name": "loglvl"}])
    assert conflicts(mine, {"site": other}) == [("console", "site")]


def test_words_become_arguments() -> None:
    """A command line as the module takes it."""
    assert arguments_from_tokens("a=1=2 b", "xen") == [
        {"name": "a", "value": "1=2", "target": "xen"},
        {"name": "b", "target": "xen"},
    ]


def test_keys_that_more_than_one_owner_asks_for() -> None:
    """Linux' arguments are one family, under Xen or not; the hypervisor's are another."""
    parts = {
        "sriov": [{"name": "iommu", "value": "pt"}, {"name": "intel_iommu", "value": "on"}],
        "site": [{"name": "iommu", "value": "pt"}, {"name": "quiet", "state": "absent"}],
        "other": [{"name": "iommu", "target": "xen"}, {"name": "quiet", "target": "dom0"}],
    }
    assert shared_keys(parts) == ["iommu of site and sriov", "quiet of other and site"]
    assert not shared_keys({"site": parts["site"]}) and not shared_keys({})
