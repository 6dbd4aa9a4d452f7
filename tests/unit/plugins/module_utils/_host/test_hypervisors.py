# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hypervisor that a host runs: what makes it ready, and what is said where it is not."""

from __future__ import annotations

import pytest
from ansible_collections.typeone.metal.plugins.module_utils._host import hypervisors
from ansible_collections.typeone.metal.plugins.module_utils._host.hypervisors import read_hypervisor, validate
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import MissingProgram, Outcome, Programs

XL_INFO = """host                   : node1
nr_cpus                : 2
virt_caps              : pv hvm hap
total_memory           : 4089
free_memory            : 1998
xen_major              : 4
xen_version            : 4.17.5
xen_commandline        : placeholder dom0_mem=2048M,max:2048M console=com1
"""
XL_LIST = """Name                                        ID   Mem VCPUs\tState\tTime(s)
Domain-0                                     0  2048     2     r-----     482.2
web                                          3   256     1     -b----       2.0
"""
VALIDATION = """  QEMU: Checking for hardware virtualization                       : PASS
  QEMU: Checking if device /dev/kvm exists                           : \x1b[32mPASS\x1b[0m
  QEMU: Checking for device assignment IOMMU support                 : WARN (No ACPI DMAR table found)
"""


class Answers(Programs):
    """Programs that answer from a table: first word and the next one -> (status, text), or a list of them in turn."""

    def __init__(self, root: str, **table) -> None:
        super().__init__(root=root)
        self.table = table
        self.asked: list[str] = []

    def run(self, argv, *, check=True, **_more):
        name = argv[0].replace("-", "_")
        self.asked.append(" ".join(argv[:2]))
        answer = self.table.get(f"{name}_{argv[1]}".replace("-", "_"), self.table.get(name))
        if answer is None:
            raise MissingProgram(f"Cannot run {argv[0]} on this host: the program is not installed. Install it.")
        rc, text = answer.pop(0) if isinstance(answer, list) else answer
        outcome = Outcome(argv=tuple(argv), rc=rc, stdout=text, stderr="")
        if check and rc:
            raise hypervisors.HostError(f"Cannot run {argv[0]} on this host: {text}. Run it by hand to see why.")
        return outcome


def look(programs, name="xen", *, services=(), arguments=(), **more):
    """The state of the host."""
    return read_hypervisor(name, services=services, arguments=arguments, programs=programs, **more)


@pytest.fixture(name="dom0")
def fixture_dom0(host):
    """A control domain."""
    host.write("/sys/hypervisor/type", "xen").write("/proc/xen/capabilities", "control_d")
    return host


def test_a_xen_host(dom0) -> None:
    """Everything that Xen says, the guests without the control domain, units and arguments as asked for."""
    programs = Answers(dom0.root, xl_info=(0, XL_INFO), xl_list=(0, XL_LIST), systemctl=(0, "active\n"))
    found = look(programs, services=["xen.service"], arguments=["dom0_mem=2048M,max:2048M"])
    assert found["ready"] and found["problems"] == []
    assert (found["version"], found["cpus"], found["guests"]) == ("4.17.5", 2, ["web"])
    assert (found["memory_bytes"], found["free_bytes"]) == (4089 * 1024**2, 1998 * 1024**2)
    assert found["capabilities"] == ["pv", "hvm", "hap"] and found["services"] == {"xen.service": "active"}
    assert found["info"]["xen_major"] == "4" and found["info"]["host"] == "node1"


def test_what_keeps_a_xen_host_from_being_ready(dom0) -> None:
    """A missing argument and a stopped unit are told both."""
    programs = Answers(dom0.root, xl_info=(0, XL_INFO), xl_list=(0, XL_LIST), systemctl=(3, "inactive\n"))
    found = look(programs, services=["xen.service"], arguments=["iommu=1"])
    assert not found["ready"]
    assert [problem.split(".")[0] for problem in found["problems"]] == [
        "it was booted without iommu=1", "xen"]
    assert "xen.service is inactive" in found["problems"][1]


@pytest.mark.parametrize(("answer", "said"), [
    ((0, "Using API: Xen 9.0.0\nRunning hypervisor: Xen 4.17.0\n"), None),
    ((0, "Using API: QEMU 9.0.0\nRunning hypervisor: QEMU 7.2.0\n"), "not for Xen"),
    ((1, "error: no connection driver available for xen:///system"), "no connection driver"),
    (None, "virsh on this host: the program is not installed")])
def test_xen_is_asked_through_libvirt_where_that_is_wanted(dom0, answer, said) -> None:
    """Only then; a libvirt without its driver for Xen is told."""
    programs = {"xl_info": (0, XL_INFO), "xl_list": (0, XL_LIST), "virsh": answer}
    assert look(Answers(dom0.root, **programs))["ready"]
    found = look(Answers(dom0.root, **programs), libvirt=True)
    assert found["ready"] == (said is None)
    if said is None:
        assert found["info"]["libvirt"] == "Xen 4.17.0"
    else:
        assert said in found["problems"][0]


@pytest.mark.parametrize(("kind", "capabilities", "said"), [
    (None, None, "not on Xen"), ("kvm", None, "not on Xen"), ("xen", "", "a guest of Xen")])
def test_hosts_that_are_no_xen_hosts(host, kind, capabilities, said) -> None:
    """They are told apart without any program."""
    if kind:
        host.write("/sys/hypervisor/type", kind)
    if capabilities is not None:
        host.write("/proc/xen/capabilities", capabilities)
    found = look(Answers(host.root))
    assert not found["ready"] and said in found["problems"][0]


def test_xen_without_its_toolstack(dom0) -> None:
    """The remedy is the program's own."""
    found = look(Answers(dom0.root))
    assert "not installed" in found["problems"][0] and not found["ready"]


def test_xl_is_asked_again_only_after_a_signal(dom0) -> None:
    """A crash is followed by another try, an error is not."""
    programs = Answers(dom0.root, xl_info=[(-11, ""), (0, XL_INFO)], xl_list=(0, XL_LIST))
    assert look(programs)["ready"] and programs.asked.count("xl info") == 2
    programs = Answers(dom0.root, xl_info=[(1, "no"), (1, "no")], xl_list=(0, XL_LIST))
    assert not look(programs)["ready"]


@pytest.fixture(name="kvm_host")
def fixture_kvm_host(host, monkeypatch):
    """A host with KVM."""
    monkeypatch.setattr(hypervisors, "kvm_api", lambda path: 12)
    host.write("/sys/module/kvm_amd/parameters/nested", "1").write("/proc/sys/kernel/osrelease", "6.1.0-1-amd64")
    return host.write("/proc/meminfo", "MemTotal:        1024 kB\nMemAvailable:     512 kB")


def kvm_answers(root, **changes):
    """The programs of a KVM host that answer well, but for the changes."""
    return Answers(root, **{"qemu_system_x86_64": (0, "QEMU emulator version 7.2.1 (Debian)\nCopyright\n"),
                            "virt_host_validate": (0, VALIDATION), "virsh": (0, "web\n\n"), **changes})


def test_a_kvm_host(kvm_host) -> None:
    """The same fields, filled by KVM's own witnesses; a warning is no failure."""
    found = look(kvm_answers(kvm_host.root), "kvm", arguments=["quiet"])
    assert found["ready"] and found["problems"] == []
    assert (found["capabilities"], found["guests"], found["memory_bytes"]) == (["kvm_amd"], ["web"], 1024**2)
    assert found["info"]["nested"] is True and found["info"]["qemu"] == "7.2.1 (Debian)"
    assert found["info"]["validation"]["device /dev/kvm exists"] == ["PASS", ""]


@pytest.mark.parametrize(("changes", "said"), [
    ({"virt_host_validate": (1, VALIDATION.replace("virtualization                       : PASS",
                                                   "virtualization : FAIL (Only emulated CPUs are available)"))},
     "Only emulated CPUs"),
    ({"virsh": (1, "refused")}, "refused"), ({"qemu_system_x86_64": None}, "not installed")])
def test_what_keeps_a_kvm_host_from_being_ready(kvm_host, changes, said) -> None:
    """Each witness can refuse."""
    found = look(kvm_answers(kvm_host.root, **changes), "kvm")
    assert not found["ready"] and said in found["problems"][0]


def test_kvm_needs_its_module_and_a_device_that_answers(kvm_host, monkeypatch) -> None:
    """A device file alone is not KVM."""
    monkeypatch.setattr(hypervisors, "kvm_api", lambda path: None)
    assert "does not answer" in look(kvm_answers(kvm_host.root), "kvm")["problems"][0]


def test_the_device_is_asked(tmp_path) -> None:
    """No device, or one that is not KVM's, has no version."""
    (tmp_path / "kvm").write_text("")
    assert hypervisors.kvm_api(str(tmp_path / "none")) is None
    assert hypervisors.kvm_api(str(tmp_path / "kvm")) is None


def test_the_lines_of_the_validation() -> None:
    """Colours, explanations and both wordings."""
    assert validate(VALIDATION) == {
        "hardware virtualization": ["PASS", ""], "device /dev/kvm exists": ["PASS", ""],
        "device assignment IOMMU support": ["WARN", "No ACPI DMAR table found"]}


def test_what_is_wanting_is_told(dom0) -> None:
    """Packages that are not installed, settings whose last line says something else, units that are stopped or not started at boot."""
    dom0.write("/etc/default/xendomains", "# XENDOMAINS_SAVE=\nXENDOMAINS_SAVE=/old\nXENDOMAINS_SAVE=\n#XENDOMAINS_RESTORE=false\n")
    programs = Answers(
        dom0.root, xl_info=(0, XL_INFO), xl_list=(0, XL_LIST), dpkg_query=(1, "xen-system-amd64 installed\nxen-utils-common config-files\n"),
        systemctl_is_active=[(0, "active\n"), (0, "active\n"), (3, "inactive\n")], systemctl_is_enabled=[(0, "enabled\n"), (1, "disabled\n"), (0, "enabled\n")])
    settings = [{"path": path, "name": name, "value": value} for path, name, value in (
        ("/etc/default/xendomains", "XENDOMAINS_SAVE", ""), ("/etc/default/xendomains", "XENDOMAINS_RESTORE", "false"),
        ("/etc/xen/xl.conf", "autoballoon", '"off"'))]
    found = look(programs, services=["a", "b", "c"], packages=["xen-system-amd64", "xen-utils-common", "other"], settings=settings)
    assert found["wanting"] == {"packages": ["xen-utils-common", "other"], "settings": settings[1:], "services": ["b", "c"]}
    assert found["running"] and found["problems"] == ["c is inactive. See: systemctl status c"]
