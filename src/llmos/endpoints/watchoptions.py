"""Which combinations of watch options Kubernetes accepts (validation of ListOptions)."""

from llmos.apimachinery.errors import FieldError, InvalidError
from llmos.apimachinery.resource import GroupVersionKind
from llmos.endpoints.http import Request

DEFAULT_WATCH_SECONDS = 2700.0
"""How long a watch stays open that names no ``timeoutSeconds``."""
_LIST_OPTIONS = GroupVersionKind("meta.k8s.io", "", "ListOptions")
_MATCH = "resourceVersionMatch"


def _forbidden(field: str, why: str) -> FieldError:
    return FieldError("FieldValueForbidden", field, f"Forbidden: {why}")


def check_watch_options(request: Request) -> None:
    """Refuse options that contradict one another.

    Raises:
        InvalidError: a combination Kubernetes refuses.
    """
    errors = list(_errors(request))
    if errors:
        raise InvalidError.of(_LIST_OPTIONS, "", errors)


def _errors(request: Request) -> list[FieldError]:
    query = request.query
    match = query.get(_MATCH, "")
    if request.info.verb == "list":
        return [_forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list")]
    if query.get("continue"):
        return [_forbidden(_MATCH, "resourceVersionMatch is forbidden when continue is provided")]
    if "sendInitialEvents" not in query:
        if not match:
            return []
        why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        return [_forbidden(_MATCH, why)]
    if match == "NotOlderThan":
        return []
    why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
    errors = [_forbidden(_MATCH, why)]
    if match:
        unsupported = f'Unsupported value: "{match[:64]}": supported values: "NotOlderThan"'
        errors.append(FieldError("FieldValueNotSupported", _MATCH, unsupported))
    return errors
