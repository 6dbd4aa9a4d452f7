# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Huge pages, CPU isolation and virtual functions on trees."""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.typeone.metal.plugins.module_utils._host import cpu_isolation, hugepages, sriov
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, Outcome, Programs
from ansible_collections.typeone.metal.plugins.module_utils._host.units import escape_path

FOUR = [{"size": "2M", "nodes": {0: 512, 1: 256}}]


def pages(host, pools, *, check=False, **given):
    """Run the resource of huge pages."""
    return hugepages.HugePages(hugepages.Request(pools, root=host.root, **given)).run(check=check)


def test_pages_are_reserved_kept_and_given_back(host) -> None:
    """Check mode writes nothing; then pages, service and configuration; nothing on a second run; all back in the end."""
    forecast = pages(host, FOUR, check=True)
    assert forecast["changed"] and not host.exists("/etc/typeone/hugepages.conf") and host.pages(0, 2048) == 0
    result = pages(host, FOUR)
    assert result["hugepages"]["held"] == forecast["hugepages"]["held"] == {"0": {"2M": 512}, "1": {"2M": 256}}
    assert (host.pages(0, 2048), host.pages(1, 2048)) == (512, 256)
    assert host.read("/etc/typeone/hugepages.conf").splitlines()[1:] == ["0 2048 512", "1 2048 256"]
    assert host.exists("/etc/systemd/system/sysinit.target.wants/typeone-hugepages.service")
    assert result["changed"] and result["hugepages"]["satisfied"] and result["diff"]
    assert not pages(host, FOUR)["changed"]
    assert pages(host, [])["changed"]
    assert (host.pages(0, 2048), host.exists("/etc/typeone/hugepages.conf")) == (0, False)
    assert not host.exists("/etc/systemd/system/sysinit.target.wants/typeone-hugepages.service")
    assert not pages(host, [])["changed"]


def test_the_service_does_the_same_at_boot(host) -> None:
    """The script reserves what its configuration says, and fails where it does not get it."""
    pages(host, FOUR)
    host.memory(16, 16)
    script = [f"{host.root}/usr/local/libexec/typeone/hugepages", f"{host.root}/etc/typeone/hugepages.conf"]
    subprocess.run(script, env={"TYPEONE_SYS": f"{host.root}/sys"}, check=True, timeout=60)
    assert (host.pages(0, 2048), host.pages(1, 2048)) == (512, 256)


def test_what_does_not_fit_is_refused_first(host) -> None:
    """Nothing is touched, and the arithmetic is told."""
    with pytest.raises(HostError, match=r"NUMA node 0: 20 x 1 GiB .* asked; 16 GiB - 1.6 GiB .* Nothing was changed"):
        pages(host, [{"size": "1G", "nodes": {0: 20}}, *FOUR])
    assert (host.pages(0, 2048), host.exists("/etc/typeone")) == (0, False)


def test_pages_of_other_sizes_count(host) -> None:
    """What somebody else has reserved is not to be given twice; what was ours is given back."""
    host.write("/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages", 4096)
    with pytest.raises(HostError, match="NUMA node 0: 12 x 1 GiB .*for the system - 8 GiB in other huge pages = .* too much"):
        pages(host, [{"size": "1G", "nodes": {0: 12}}])
    pages(host, [{"size": "2M", "nodes": {0: 4096}}])
    assert pages(host, [{"size": "1G", "nodes": {0: 12}, "reserve_at": "runtime"}])["hugepages"]["satisfied"]
    assert host.pages(0, 2048) == 0


def test_a_mount_of_a_size_that_the_kernel_lacks_is_refused(host) -> None:
    """Before pages are reserved."""
    with pytest.raises(HostError, match="pages of 2 MiB, 1 GiB. Nothing was changed"):
        pages(host, FOUR, mounts=[{"path": "/dev/huge", "size": "16M"}])
    assert host.pages(0, 2048) == 0


@pytest.mark.parametrize(("busy", "mounted"), [("", ["/dev/a", "/dev/b"]), ("/dev/b", ["/dev/a", "/dev/b"])])
def test_folders_that_change_are_mounted_anew_all_or_none(host, monkeypatch, busy, mounted) -> None:
    """One that is in use leaves pages, units and the other folder as they were."""
    names = {"dev-a.mount": "/dev/a", "dev-b.mount": "/dev/b"}
    there: set[str] = set()

    class Systemd(Programs):
        """systemctl and umount of a host whose folder `busy` is in use."""

        def run(self, argv, **_given):
            """Do it."""
            rc = 0
            if argv[0] == "umount":
                rc = 32 if argv[1] == busy else there.discard(argv[1]) or 0
            elif argv[1] == "is-active":
                rc = 0 if names[argv[-1]] in there else 3
            elif argv[1] == "start":
                there.add(names[argv[-1]])
            return Outcome(tuple(argv), rc, "", "")

    def ask(count: int, mode: str):
        mounts = [{"path": path, "size": "2M", "mode": mode} for path in names.values()]
        pools = [{"size": "2M", "nodes": {0: count}}]
        return hugepages.HugePages(hugepages.Request(pools, mounts=mounts, root=host.root), Systemd()).run(check=False)

    monkeypatch.setattr(hugepages.Units, "running", True)
    assert ask(4, "0700")["changed"] and sorted(there) == mounted
    if busy:
        with pytest.raises(HostError, match="Cannot unmount /dev/b .* Nothing was changed"):
            ask(8, "0750")
    else:
        assert ask(8, "0750")["changed"] and not ask(8, "0750")["changed"]
    assert sorted(there) == mounted and host.pages(0, 2048) == (4 if busy else 8)
    assert ("mode=0700" if busy else "mode=0750") in host.read("/etc/systemd/system/dev-a.mount")
    there.discard("/dev/a")
    again = ask(4 if busy else 8, "0700" if busy else "0750")
    assert again["changed"] and again["diff"][-1]["before_header"] == "dev-a.mount" and sorted(there) == mounted


def short(monkeypatch, most: int) -> None:
    """A kernel that finds no more than `most` pages at once."""
    real = hugepages.HugePages._set  # pylint: disable=protected-access
    monkeypatch.setattr(hugepages.HugePages, "_set", lambda self, key, count: real(self, key, min(count, most)))


def test_too_few_at_run_time_is_an_error_and_undone(host, monkeypatch) -> None:
    """3,738 of 4,096 do not pass for success."""
    short(monkeypatch, 300)
    with pytest.raises(HostError, match="Cannot reserve 512 pages of 2 MiB on NUMA node 0 .* found 300; .* reserve_at: boot"):
        pages(host, FOUR)
    assert (host.pages(0, 2048), host.pages(1, 2048)) == (0, 0)


def test_too_few_of_a_boot_pool_waits_for_the_boot(host, monkeypatch) -> None:
    """The kernel's arguments are returned, nothing is held in the meantime."""
    short(monkeypatch, 3)
    result = pages(host, [{"size": "1G", "nodes": {0: 4, 1: 2}}])
    assert [f"{a['name']}={a['value']}" for a in result["arguments"]] == ["hugepagesz=1G", "hugepages=0:4,1:2"]
    assert not result["hugepages"]["satisfied"]
    assert result["hugepages"]["missing"] == ["NUMA node 0: 0 of 4 pages of 1 GiB"]
    assert (host.pages(0, 1048576), host.pages(1, 1048576)) == (0, 2)


def test_mounts(host) -> None:
    """A unit by systemd's naming, for the page size; taken away again."""
    mount = {"path": "/dev/hugepages1G", "size": "1G", "mode": "1770"}
    pages(host, [], mounts=[mount])
    unit = host.read("/etc/systemd/system/dev-hugepages1G.mount")
    assert "Options=pagesize=1G,mode=1770" in unit and "Where=/dev/hugepages1G" in unit
    pages(host, [], mounts=[{**mount, "state": "absent"}])
    assert not host.exists("/etc/systemd/system/dev-hugepages1G.mount")


@pytest.mark.parametrize(
    ("path", "name"),
    [("/dev/huge-1", r"dev-huge\x2d1"), ("/a//b/", "a-b"), ("/", "-"), ("/.x y", r"\x2ex\x20y"), ("/é", r"\xc3\xa9")],
)
def test_unit_names(path, name) -> None:
    """systemd.unit(5)."""
    assert escape_path(path) == name


def isolate(host, *, check=False, programs=None, **given):
    """Run the resource of CPU isolation."""
    return cpu_isolation.CpuIsolation(cpu_isolation.Request(root=host.root, **given), programs).run(check=check)


def test_isolation_is_prepared(host) -> None:
    """Arguments for the boot; systemd and interrupts on the housekeeping CPUs; nothing on a second run; given up."""
    assert isolate(host, housekeeping_cores=1, check=True)["changed"] and not host.exists("/etc/systemd")
    result = isolate(host, housekeeping_cores=1)
    plan = result["cpu_isolation"]
    assert (plan["housekeeping"], plan["dedicated"], plan["effective"]) == ("0,2,4,6", "1,3,5,7", False)
    assert {a["name"]: a["value"] for a in result["arguments"]} == {
        "isolcpus": "managed_irq,domain,1,3,5,7",
        "nohz_full": "1,3,5,7",
        "rcu_nocbs": "1,3,5,7",
        "irqaffinity": "0,2,4,6",
    }
    for group in ("init.scope", "system.slice", "user.slice"):
        text = host.read(f"/etc/systemd/system/{group}.d/90-typeone-cpu-isolation.conf")
        assert text.endswith("AllowedCPUs=0,2,4,6")
    assert host.read("/etc/systemd/system.conf.d/90-typeone-cpu-isolation.conf").endswith("CPUAffinity=0,2,4,6")
    assert host.read("/etc/typeone/irq-affinity.conf") == "00000055 0,2,4,6"
    assert not isolate(host, housekeeping_cores=1)["changed"]
    assert isolate(host)["changed"] and not host.exists("/etc/typeone/irq-affinity.conf")
    assert isolate(host)["arguments"] == [] and not isolate(host)["changed"]


def test_interrupts_are_sent_away(host) -> None:
    """The script writes every interrupt's list and the default mask."""
    host.interrupt(24, "0-7").interrupt(25, "5").write("/proc/irq/default_smp_affinity", "ff")
    result = isolate(host, dedicated="1,5")
    assert result["cpu_isolation"]["interrupts_on_dedicated"] == ["24", "25"]
    script = [f"{host.root}/usr/local/libexec/typeone/irq-affinity", f"{host.root}/etc/typeone/irq-affinity.conf"]
    subprocess.run(script, env={"TYPEONE_PROC": f"{host.root}/proc"}, check=True, timeout=60)
    assert [host.read(f"/proc/irq/{n}/smp_affinity_list") for n in (24, 25)] == ["0,2-4,6-7"] * 2
    assert host.read("/proc/irq/default_smp_affinity") == "000000dd"
    assert isolate(host, dedicated="1,5")["cpu_isolation"]["interrupts_on_dedicated"] == []


def test_stray_tasks_are_an_error_once_it_is_effective(host) -> None:
    """Before the boot they are expected; guests may run there; anything else is told by name."""
    host.task(30, "cron", "0-7").task(31, "qemu", "1", group="machine.slice")
    assert not isolate(host, dedicated="1,5")["cpu_isolation"]["stray_tasks"]
    host.isolate("1,5")
    with pytest.raises(HostError, match=r"Cannot keep CPUs 1,5 .* 1 of system.slice on 0-7 \(cron\)"):
        isolate(host, dedicated="1,5")
    facts = isolate(host, dedicated="1,5", strict=False)["cpu_isolation"]
    assert facts["effective"] and [group["names"] for group in facts["stray_tasks"]] == [["cron"]]
    host.task(30, "cron", "0,2-4,6-7")
    assert isolate(host, dedicated="1,5")["cpu_isolation"]["stray_tasks"] == []


def test_a_dry_run_knows_what_the_run_would_send_away(host, monkeypatch) -> None:
    """Tasks of a group that is to be narrowed are no reason to refuse, others are."""
    host.task(30, "cron", "0-7").isolate("1,5")
    monkeypatch.setattr(cpu_isolation.CpuIsolation, "_groups_to_set", lambda self, partition: {"system.slice": "0,2-4,6-7"})
    facts = isolate(host, dedicated="1,5", check=True)["cpu_isolation"]
    assert [group["names"] for group in facts["stray_tasks"]] == [["cron"]]
    host.task(32, "other", "0-7", group="other.slice")
    with pytest.raises(HostError, match="1 of other.slice on 0-7"):
        isolate(host, dedicated="1,5", check=True)


def test_a_core_is_not_split(host) -> None:
    """Refused before anything is written."""
    with pytest.raises(HostError, match="CPUs 1,5 are threads of one core.* Nothing was changed"):
        isolate(host, dedicated="1")
    assert not host.exists("/etc/systemd")


class Xl(Programs):
    """xl of a machine with four CPUs and two virtual CPUs of dom0."""

    pinned = ("0", "1")

    def run(self, argv, **_given):
        """What xl prints."""
        if argv[1] == "info":
            rows = "".join(f"  {cpu}:  {cpu // 2}  0  0\n" for cpu in range(4))
            return Outcome(tuple(argv), 0, f"cpu_topology :\ncpu: core socket node\n{rows}numa_info :\n", "")
        rows = "".join(f"Domain-0  0  {n}  {n}  r--  1.0  {hard} / all\n" for n, hard in enumerate(self.pinned))
        return Outcome(tuple(argv), 0, f"Name\n{rows}guest 1 0 1 -b- 1.0 all / all\n", "")


@pytest.mark.parametrize(("pinned", "effective"), [(("0", "1"), True), (("all", "all"), False), (("0",), False)])
def test_dom0_is_pinned_under_xen(host, pinned, effective) -> None:
    """Xen's arguments, no files of Linux, and what xl says of dom0."""
    host.xen()
    programs = Xl()
    programs.pinned = pinned
    result = isolate(host, housekeeping_cores=1, programs=programs)
    assert result["arguments"] == [
        {"name": "dom0_max_vcpus", "value": "2", "target": "xen"},
        {"name": "dom0_vcpus_pin", "target": "xen"},
    ]
    assert (result["changed"], result["cpu_isolation"]["effective"]) == (False, effective)
    assert result["cpu_isolation"]["guests_on_housekeeping"] == ["guest"]


def functions(host, wanted, *, check=False, **given):
    """Run the resource of virtual functions."""
    return sriov.Sriov(sriov.Request(wanted, root=host.root, **given)).run(check=check)


def card(host):
    """A card with a driver, and one virtual function's folder."""
    return host.pci("0000:3b:00.0", driver="i40e", total_vfs=8).pci("0000:04:00.0", driver="nvme")


def test_functions_are_made(host) -> None:
    """By the script that the next boot runs; read back; nothing on a second run; taken away when not named any more."""
    card(host)
    wanted = [{"address": "0000:3B:00.0", "count": 4, "autoprobe": False}]
    numvfs = "/sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs"
    assert functions(host, wanted, check=True)["changed"] and host.read(numvfs) == "0"
    result = functions(host, wanted)
    assert (result["changed"], host.read(numvfs)) == (True, "4")
    assert host.read("/sys/bus/pci/devices/0000:3b:00.0/sriov_drivers_autoprobe") == "0"
    assert [f"{a['name']}={a['value']}" for a in result["arguments"]] == ["intel_iommu=on", "iommu=pt"]
    assert result["sriov"]["iommu"]["active"] is False and result["sriov"]["satisfied"] is False
    unit = host.read("/etc/systemd/system/typeone-sriov.service")
    assert "Before=network-pre.target" in unit and "Wants=network-pre.target" in unit
    assert not functions(host, wanted)["changed"]
    assert functions(host, [], replace=True)["changed"] and host.read(numvfs) == "0"
    assert not host.exists("/etc/typeone/sriov.conf")


@pytest.mark.parametrize(("capabilities", "able"), [("pv hvm hvm_directio pv_directio hap", True), ("pv hvm hap", False)])
def test_under_xen_it_is_xen_that_has_the_iommu(host, capabilities, able) -> None:
    """Linux sees no groups there; without an IOMMU nothing is made."""
    class Says(Programs):
        """xl of a machine with these capabilities."""

        def run(self, argv, **_given):
            """What xl prints."""
            return Outcome(tuple(argv), 0, f"virt_caps              : {capabilities}\n", "")

    card(host).xen()
    asked = sriov.Sriov(sriov.Request([{"address": "0000:3b:00.0", "count": 4}], root=host.root), Says())
    numvfs = "/sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs"
    if able:
        assert asked.run(check=False)["sriov"]["satisfied"] and host.read(numvfs) == "4"
    else:
        with pytest.raises(HostError, match="Xen has no IOMMU .* Nothing was changed"):
            asked.run(check=False)
        assert host.read(numvfs) == "0" and not host.exists("/etc/typeone/sriov.conf")


def test_functions_get_their_driver_and_groups_are_told(host) -> None:
    """One that shares its group is warned of."""
    host.pci("0000:3b:00.0", driver="i40e", total_vfs=8, vfs=2, group=1)
    host.pci("0000:3b:02.0", driver="vfio-pci", group=2, physfn="0000:3b:00.0")
    host.pci("0000:3b:02.1", driver="vfio-pci", group=3, physfn="0000:3b:00.0").pci("0000:3b:03.0", group=3)
    result = functions(host, [{"address": "0000:3b:00.0", "count": 2, "driver": "vfio-pci"}])
    assert result["sriov"]["iommu"]["groups"][0] == {"function": "0000:3b:02.0", "group": 2, "shared_with": []}
    assert len(result["warnings"]) == 1 and "0000:3b:02.1 shares" in result["warnings"][0]
    assert result["sriov"]["satisfied"] is True


def test_functions_that_their_driver_does_not_take_are_told(host) -> None:
    """driver_override is written for each; that the kernel did not follow is an error, not a change at every run."""
    host.pci("0000:3b:00.0", driver="i40e", total_vfs=8, vfs=1, group=1)
    host.pci("0000:3b:02.0", driver="iavf", group=2, physfn="0000:3b:00.0").write("/sys/bus/pci/drivers/iavf/unbind", "")
    wanted = [{"address": "0000:3b:00.0", "count": 1, "driver": "vfio-pci"}]
    assert "1 virtual functions, each with vfio-pci" in functions(host, wanted, check=True)["diff"][-1]["after"]
    with pytest.raises(HostError, match="to vfio-pci on this host: 0000:3b:02.0 has iavf"):
        functions(host, wanted)
    assert host.read("/sys/bus/pci/devices/0000:3b:02.0/driver_override") == "vfio-pci"


@pytest.mark.parametrize(
    ("address", "count", "words"),
    [
        ("3b:00.0", 1, "not a PCI address"),
        ("0000:99:00.0", 1, "no such device. With SR-IOV there are: 0000:3b:00.0"),
        ("0000:04:00.0", 1, "it has no SR-IOV"),
        ("0000:3b:00.0", 9, "at most 8"),
    ],
)
def test_functions_that_cannot_be(host, address, count, words) -> None:
    """Refused before anything is written."""
    with pytest.raises(HostError, match=words):
        functions(card(host), [{"address": address, "count": count}])
    assert not host.exists("/etc")


def test_functions_in_use_are_not_taken_away(host) -> None:
    """Changing the number takes all of them from their guests: only if told so."""
    host.pci("0000:3b:00.0", driver="i40e", total_vfs=8, vfs=2)
    wanted = [{"address": "0000:3b:00.0", "count": 4}]
    with pytest.raises(HostError, match="2 are there, and the kernel takes them all away.*replace: true"):
        functions(host, wanted)
    assert functions(host, wanted, replace=True)["sriov"]["functions"]["0000:3b:00.0"]["enabled"] == 4
