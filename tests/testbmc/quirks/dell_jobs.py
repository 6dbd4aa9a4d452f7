# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Jobs of iDRACs: tasks that vanish while their job stays, BIOS changes that need one."""

from __future__ import annotations

from .base import Quirk, quirk


class Jobs(Quirk):
    """A job queue beside the tasks, at JobService and at the manager's OEM branch."""

    def setup(self) -> None:
        self.bmc.tasks.prefix = "JID_"
        self.places = [f"{self.bmc.manager}/Oem/Dell/Jobs", self.bmc.store.link(
            self.bmc.store.link("/redfish/v1", "JobService"), "Jobs") or "/redfish/v1/JobService/Jobs"]
        for place in self.places:
            if place not in self.bmc.store:
                kind = "DellJob" if "Oem" in place else "Job"
                self.bmc.store.put(place, {"@odata.type": f"#{kind}Collection.{kind}Collection", "Name": "Job Queue", "Members": []})
        service = "/redfish/v1/JobService"
        if not self.bmc.store.link("/redfish/v1", "JobService"):
            self.bmc.store.put(service, {"@odata.type": "#JobService.v1_0_0.JobService", "Id": "JobService", "Name": "Job Service",
                                         "Jobs": {"@odata.id": f"{service}/Jobs"}})
            self.bmc.store.merge("/redfish/v1", {"JobService": {"@odata.id": service}})

    def write(self, number: str, state: str, *, text: str, percent: int, kind: str = "RealTimeNoRebootConfiguration") -> None:
        """Show a job in both places."""
        for place in self.places:
            old = "Oem" in place
            body = {"@odata.type": "#DellJob.v1_4_0.DellJob" if old else "#Job.v1_0_4.Job", "Id": number, "Name": text, "PercentComplete": percent,
                    "JobState": state if old else {"Completed": "Completed", "Failed": "Exception", "Scheduled": "Pending"}.get(state, state),
                    "JobType": kind, "Message": text, "Messages": [{"Message": text, "MessageId": "IDRAC.2.8.PR19"}]}
            self.bmc.store.put(f"{place}/{number}", body, collection=place)


@quirk("dell_task_vanishes")
class TaskVanishes(Jobs):
    """A finished task is gone `seconds` later (at once: 0); its job tells how it ended."""

    seconds = 0.0

    def setup(self) -> None:
        super().setup()
        self.bmc.tasks.on_end.append(self._ended)

    def _ended(self, task) -> None:
        self.write(task.number, "Failed" if task.fail else "Completed", text=task.fail or "Job completed successfully.", percent=100)
        self.bmc.clock.at(self.seconds, lambda: self._gone(task))

    def _gone(self, task) -> None:
        self.bmc.store.delete(task.path, collection=self.bmc.tasks.collection)
        self.bmc.tasks.all.remove(task)


class BiosJobs(Jobs):
    """Shared: a BIOS change becomes a scheduled job, done at the next start."""

    def setup(self) -> None:
        super().setup()
        self._numbers: list = []
        self.bmc.power.on_boot.append(self._started)

    def schedule(self) -> str:
        """A job that waits for the next start."""
        number = f"JID_{900 + len(self._numbers)}"
        self._numbers.append(number)
        self.write(number, "Scheduled", text="Task successfully scheduled.", percent=0, kind="BIOSConfiguration")
        return number

    def _started(self, _system: str) -> None:
        for number in self._numbers:
            self.write(number, "Completed", text="Job completed successfully.", percent=100, kind="BIOSConfiguration")

    def wrote_settings(self, request, response) -> bool:
        """Whether BIOS settings have just been accepted."""
        return self.is_patch(request, "Bios") and response.status < 300


@quirk("dell_bios_apply_time")
class BiosApplyTime(BiosJobs):
    """BIOS settings written without ApplyTime OnReset stay pending for ever: no job, nothing happens at a start."""

    def after(self, request, response):
        if not self.wrote_settings(request, response):
            return None
        if (request.json().get("@Redfish.SettingsApplyTime") or {}).get("ApplyTime"):
            number = self.schedule()
            response.status, response.headers = 202, {**response.headers, "Location": f"{self.bmc.tasks.collection}/{number}"}
            return None
        self.hits += 1
        for owner in list(self.bmc.bios.pending):
            del self.bmc.bios.pending[owner]
        return None


@quirk("dell_pending_shown_as_current")
class PendingShownAsCurrent(BiosJobs):
    """Values that a job will set are shown as current before it has run."""

    def after(self, request, response):
        if self.wrote_settings(request, response):
            self.schedule()
        pending = self.bmc.bios.pending.get(self.bmc.store.real(request.path))
        if request.method == "GET" and pending:
            self.hits += 1
            self.change_json(response, lambda data: data["Attributes"].update(pending))
