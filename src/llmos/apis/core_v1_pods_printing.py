"""The columns of pods.

Source: kubernetes/pkg/printers/internalversion (printPod).
"""

from llmos.apimachinery.duration import age
from llmos.apimachinery.object import Object, find_condition, get_path, is_terminating
from llmos.apis.printing import AGE, NAME, NONE, field, text
from llmos.apis.strategy import Column

_ENDED = ("Succeeded", "Failed")
_UNREACHABLE = "NodeLost"


def _is_ready(status: Object) -> bool:
    return bool(status.get("ready")) and get_path(status, "state", "running") is not None


def _ready(obj: Object) -> str:
    statuses = get_path(obj, "status", "containerStatuses") or ()
    total = len(get_path(obj, "spec", "containers") or ())
    return f"{sum(map(_is_ready, statuses))}/{total}"


def _state_reason(status: Object) -> str:
    """Why a container waits or ended, or ``""``."""
    waiting = get_path(status, "state", "waiting") or {}
    if waiting.get("reason"):
        return str(waiting["reason"])
    ended = get_path(status, "state", "terminated")
    if ended is None:
        return ""
    if ended.get("reason"):
        return str(ended["reason"])
    if ended.get("signal"):
        return f"Signal:{ended['signal']}"
    return f"ExitCode:{ended.get('exitCode', 0)}"


def _container_reason(obj: Object) -> str:
    """What the first container that has something to say says."""
    statuses = get_path(obj, "status", "containerStatuses") or ()
    reason = next((found for found in map(_state_reason, statuses) if found), "")
    if reason == "Completed" and any(map(_is_ready, statuses)):
        condition = find_condition(obj, "Ready")
        ready = condition is not None and condition.get("status") == "True"
        return "Running" if ready else "NotReady"
    return reason


def _status(obj: Object) -> str:
    status = obj.get("status") or {}
    phase, reason = status.get("phase") or "", status.get("reason") or ""
    if is_terminating(obj) and reason == _UNREACHABLE:
        return "Unknown"
    if is_terminating(obj) and phase not in _ENDED:
        return "Terminating"
    return _container_reason(obj) or reason or phase


def _restarts(obj: Object, now: float) -> str:
    statuses = get_path(obj, "status", "containerStatuses") or ()
    count = sum(int(each.get("restartCount") or 0) for each in statuses)
    ends = [get_path(each, "lastState", "terminated", "finishedAt") or "" for each in statuses]
    last = max(ends, default="")
    return f"{count} ({age(last, now)} ago)" if count and last else str(count)


def _gates(obj: Object) -> str:
    gates = get_path(obj, "spec", "readinessGates") or ()
    if not gates:
        return NONE
    conditions = [find_condition(obj, each.get("conditionType") or "") for each in gates]
    passed = sum(each is not None and each.get("status") == "True" for each in conditions)
    return f"{passed}/{len(gates)}"


POD_COLUMNS = (
    NAME,
    text("Ready", _ready),
    text("Status", _status),
    Column("Restarts", _restarts),
    AGE,
    field("IP", "status", "podIP", default=NONE, wide=True),
    field("Node", "spec", "nodeName", default=NONE, wide=True),
    field("Nominated Node", "status", "nominatedNodeName", default=NONE, wide=True),
    text("Readiness Gates", _gates, wide=True),
)
