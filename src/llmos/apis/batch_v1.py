"""Jobs and CronJobs, kept and printed; nothing here runs them.

Source: kubernetes/pkg/apis/batch (v1/defaults.go, validation) and the printers.
"""

from collections.abc import Sequence

from llmos.apimachinery.clock import parse_rfc3339
from llmos.apimachinery.duration import age, human_duration
from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.names import dns1123_subdomain
from llmos.apimachinery.object import Object, get_path, is_terminating
from llmos.apimachinery.validation import field_required
from llmos.apis.apps_v1 import CONTAINER_COLUMNS, SELECTOR_COLUMN, default_template
from llmos.apis.core_v1_pods import default_pod_spec
from llmos.apis.printing import AGE, NAME, NONE, field, text
from llmos.apis.strategy import Column, Strategy

_JOB_DEFAULTS = {"backoffLimit": 6, "completionMode": "NonIndexed", "suspend": False}
_CRON_DEFAULTS = {
    "concurrencyPolicy": "Allow",
    "suspend": False,
    "successfulJobsHistoryLimit": 3,
    "failedJobsHistoryLimit": 1,
}
_END_CONDITIONS = {
    "Complete": "Complete",
    "Failed": "Failed",
    "Suspended": "Suspended",
    "FailureTarget": "FailureTarget",
    "SuccessCriteriaMet": "SuccessCriteriaMet",
}


def jobs() -> Strategy:
    """The strategy of ``jobs``."""
    return Strategy(
        check_name=dns1123_subdomain,
        default=_default_job,
        prepare_create=_no_status,
        validate=_validate_job,
        has_status=True,
        has_generation=True,
        fields=lambda obj: {"status.successful": str(get_path(obj, "status", "succeeded") or 0)},
        field_names=("status.successful",),
        columns=_JOB_COLUMNS,
    )


def cron_jobs() -> Strategy:
    """The strategy of ``cronjobs``."""
    return Strategy(
        check_name=dns1123_subdomain,
        default=_default_cron_job,
        prepare_create=_no_status,
        validate=_validate_cron_job,
        has_status=True,
        has_generation=True,
        columns=_CRON_COLUMNS,
    )


def _no_status(obj: Object) -> None:
    obj["status"] = {}


def _default_job(obj: Object) -> None:
    spec = {**_JOB_DEFAULTS, **(obj.get("spec") or {})}
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    obj["spec"] = spec
    default_template(obj)


def _default_cron_job(obj: Object) -> None:
    obj["spec"] = {**_CRON_DEFAULTS, **(obj.get("spec") or {})}
    template = get_path(obj, "spec", "jobTemplate", "spec", "template")
    if isinstance(template, dict):
        default_pod_spec(template)


def _validate_job(obj: Object) -> Sequence[FieldError]:
    if get_path(obj, "spec", "template", "spec", "containers"):
        return []
    return [field_required("spec.template.spec.containers")]


def _validate_cron_job(obj: Object) -> Sequence[FieldError]:
    return [] if get_path(obj, "spec", "schedule") else [field_required("spec.schedule")]


def _job_status(obj: Object) -> str:
    for condition in get_path(obj, "status", "conditions") or ():
        if condition.get("status") == "True" and condition.get("type") in _END_CONDITIONS:
            return _END_CONDITIONS[condition["type"]]
    return "Terminating" if is_terminating(obj) else "Running"


def _completions(obj: Object) -> str:
    done = get_path(obj, "status", "succeeded") or 0
    wanted = get_path(obj, "spec", "completions")
    if wanted is not None:
        return f"{done}/{wanted}"
    parallel = get_path(obj, "spec", "parallelism") or 0
    return f"{done}/1 of {parallel}" if parallel > 1 else f"{done}/1"


def _duration(obj: Object, now: float) -> str:
    start = get_path(obj, "status", "startTime")
    if not start:
        return ""
    end = get_path(obj, "status", "completionTime")
    return human_duration((parse_rfc3339(end) if end else now) - parse_rfc3339(start))


def _last_schedule(obj: Object, now: float) -> str:
    last = get_path(obj, "status", "lastScheduleTime")
    return age(last, now) if last else NONE


def _in_job_template(column: Column) -> Column:
    """A column of jobs for what a CronJob makes."""

    def cell(obj: Object, now: float) -> object:
        return column.cell(get_path(obj, "spec", "jobTemplate") or {}, now)

    return Column(column.name, cell, priority=column.priority)


_JOB_COLUMNS = (
    NAME,
    text("Status", _job_status),
    text("Completions", _completions),
    Column("Duration", _duration),
    AGE,
    *CONTAINER_COLUMNS,
    SELECTOR_COLUMN,
)
_CRON_COLUMNS = (
    NAME,
    field("Schedule", "spec", "schedule"),
    field("Timezone", "spec", "timeZone", default=NONE),
    text("Suspend", lambda obj: str(bool(get_path(obj, "spec", "suspend")))),
    text("Active", lambda obj: len(get_path(obj, "status", "active") or ())),
    Column("Last Schedule", _last_schedule),
    AGE,
    *map(_in_job_template, (*CONTAINER_COLUMNS, SELECTOR_COLUMN)),
)
