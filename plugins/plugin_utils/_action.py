# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shell that runs a resource as an action: in the controller's worker, with no module shipped or started."""

from __future__ import annotations

import os
import time
from typing import Any, Callable, ClassVar

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator, ValidationResult
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._bmc.options import CONNECTION_SPEC
from ..module_utils._module import argument_spec, with_library_hint
from ..module_utils._resources.base import Resource
from ..module_utils._resources.run import execute

display = Display()
REPEAT_AFTER = 10.0
LOCAL = ("localhost", "127.0.0.1", "::1")


class ResourceAction(ActionBase):
    """Runs ``RESOURCE`` on the controller; where the task is delegated elsewhere, the module of the same name there."""

    RESOURCE: ClassVar[type[Resource]]
    EXECUTE: ClassVar[Callable[..., dict[str, Any]]] = staticmethod(execute)
    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the result of the resource, as a module would."""
        task_vars = task_vars or {}
        self._host = task_vars.get("inventory_hostname", "localhost")
        self._said: tuple[str, float] = ("", 0.0)
        result = super().run(tmp, task_vars)
        self._drop_become()
        args = self._arguments(task_vars)
        if self._task.async_val and not self._task.delegate_to and not self._connection_is_local():
            raise AnsibleActionFail("async over a remote connection would start the task on the managed host. "
                                    "Add delegate_to: localhost to run it on the controller.")
        if self._runs_elsewhere() or self._task.async_val:
            return {**result, **self._execute_module(
                module_name=self._task.resolved_action or self._task.action, module_args=args, task_vars=task_vars,
                wrap_async=bool(self._task.async_val))}
        return {**result, **self._run_here(args)}

    def _arguments(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return the task's options, with those of the host's variables beneath."""
        return {**self._host_variables(task_vars), **self._task.args}

    def _drop_become(self) -> None:
        """Ignore ``become``, also where a module is run: what counts is the account of the BMC."""
        if self._task.become:
            display.vv("become is ignored: a BMC is reached by the account in bmc_username", host=self._host)
            if self._connection is not None:
                self._connection.set_become_plugin(None)

    def _connection_is_local(self) -> bool:
        return self._connection is not None and self._connection.transport == "local"

    def _runs_elsewhere(self) -> bool:
        """Tell whether the task is delegated to another machine than the controller."""
        target = self._task.delegate_to
        return bool(target) and target not in LOCAL and not self._connection_is_local()

    def _host_variables(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return the connection options that the host's variables of the same names set."""
        return {name: self._templar.template(task_vars[name]) for name in CONNECTION_SPEC
                if task_vars.get(name) is not None}

    def _environment(self) -> dict[str, str]:
        """Return the task's ``environment``, as a module would find it."""
        merged: dict[str, str] = {}
        layers = self._task.environment or []
        for layer in layers if isinstance(layers, list) else [layers]:
            values = self._templar.template(layer)
            merged.update({str(key): str(value) for key, value in (values or {}).items()})
        return merged

    def _run_here(self, args: dict[str, Any]) -> dict[str, Any]:
        """Validate the options as a module does and run the resource in this process (a worker of this task alone)."""
        before = dict(os.environ)
        os.environ.update(self._environment())
        try:
            validator = ArgumentSpecValidator(argument_spec(self.RESOURCE), **self.RESOURCE.CONSTRAINTS)
            validated = validator.validate(args)
        finally:
            os.environ.clear()
            os.environ.update(before)
        secrets = validated._no_log_values
        if validated.error_messages:
            return remove_values({"failed": True, "changed": False, "msg": self._refusal(validated)}, secrets)
        outcome = with_library_hint(self.EXECUTE(self.RESOURCE, validated.validated_parameters, tell=self._tell,
                                                 check_mode=self._task.check_mode))
        outcome["invocation"] = {"module_args": {
            name: "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER" if self._secret(name) and value is not None else value
            for name, value in validated.validated_parameters.items()}}
        return remove_values(outcome, secrets)

    def _refusal(self, validated: ValidationResult) -> str:
        """Return what is wrong with the options, in the words of a module."""
        message = validated.errors.msg
        if isinstance(validated.errors[0], UnsupportedError):
            message = f"Unsupported parameters for ({self._task.resolved_action or self._task.action}) module: {message}"
        return message

    def _secret(self, name: str) -> bool:
        return bool(argument_spec(self.RESOURCE)[name].get("no_log"))

    def _tell(self, text: str) -> None:
        """Show progress on the terminal; what was just said is said again after ten seconds only."""
        now = time.monotonic()
        said, moment = self._said
        if text != said or now - moment >= REPEAT_AFTER:
            self._said = (text, now)
            display.display(f"  [{self._host}] {text}")
