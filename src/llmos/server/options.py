"""Query options of the verbs: read, checked, and turned into what the store wants.

Source: CreateOptions, UpdateOptions, PatchOptions, DeleteOptions of k8s.io/apimachinery meta/v1.
"""

from collections.abc import Mapping
from typing import Any, Literal

from llmos.apimachinery.decoding import decode_builtin
from llmos.apimachinery.errors import BadRequestError, FieldError, InvalidError
from llmos.apimachinery.object import Object
from llmos.apimachinery.resource import GroupVersionKind
from llmos.apimachinery.validation import validate_field_manager
from llmos.apis.builtin_schemas import schema_for
from llmos.endpoints.http import Request
from llmos.endpoints.readoptions import query_number
from llmos.registry.context import WriteContext

Validation = Literal["Ignore", "Warn", "Strict"]
_VALIDATIONS: dict[str, Validation] = {
    "": "Warn",
    "Ignore": "Ignore",
    "Warn": "Warn",
    "Strict": "Strict",
}
_DELETE_OPTIONS = GroupVersionKind("", "v1", "DeleteOptions")
_POLICIES = ("Foreground", "Background", "Orphan")
OptionsKind = Literal["CreateOptions", "UpdateOptions", "PatchOptions", "DeleteOptions"]


def default_manager(request: Request) -> str:
    """The field manager of a request that names none: the product of its User-Agent."""
    agent = request.headers.get("user-agent", "")
    return agent.partition("/")[0][:128] or "unknown"


def field_validation(request: Request) -> Validation:
    """How unknown and duplicate fields are treated; checked by ``write_context``."""
    return _VALIDATIONS.get(request.query.get("fieldValidation", ""), "Warn")


def write_context(request: Request, kind: OptionsKind) -> WriteContext:
    """Read the options of a write.

    Raises:
        InvalidError: one of them is not allowed.
    """
    query = request.query
    errors = [
        *_dry_run_errors([query["dryRun"]] if "dryRun" in query else []),
        *_validation_errors(query.get("fieldValidation", "")),
        *validate_field_manager(query.get("fieldManager", "")),
    ]
    if errors:
        raise InvalidError.of(GroupVersionKind("meta.k8s.io", "", kind), "", errors)
    options: Object = {"kind": kind, "apiVersion": "meta.k8s.io/v1"}
    for name in ("fieldManager", "fieldValidation"):
        if query.get(name):
            options[name] = query[name]
    if query.get("dryRun"):
        options["dryRun"] = ["All"]
    return WriteContext(
        user=request.user,
        namespace=request.info.namespace,
        field_manager=query.get("fieldManager") or default_manager(request),
        dry_run=bool(query.get("dryRun")),
        options=options,
        warnings=request.warnings,
    )


def _dry_run_errors(values: list[Any]) -> list[FieldError]:
    if all(value == "All" for value in values):
        return []
    shown = ", ".join(f'"{value}"' for value in values)
    message = f'Unsupported value: [{shown}]: supported values: "All"'
    return [FieldError("FieldValueNotSupported", "dryRun", message)]


def _validation_errors(value: str) -> list[FieldError]:
    if value in _VALIDATIONS:
        return []
    message = f'Unsupported value: "{value}": supported values: "", "Ignore", "Strict", "Warn"'
    return [FieldError("FieldValueNotSupported", "fieldValidation", message)]


def delete_options(request: Request, body: Object | None) -> Object:
    """DeleteOptions of a body, or of the query where there is none.

    Raises:
        BadRequestError: the body is something else.
        InvalidError: an option is not allowed.
    """
    if body:
        kind = body.get("kind")
        if kind not in (None, "", "DeleteOptions"):
            version = body.get("apiVersion", "")
            raise BadRequestError(
                f'no kind "{kind}" is registered for version "{version}" in scheme '
                '"k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27"'
            )
        schema = schema_for(_DELETE_OPTIONS)
        assert schema is not None
        options, _ = decode_builtin(body, schema, _DELETE_OPTIONS)
    else:
        options = _delete_query(request.query)
    if "dryRun" in request.query:
        options["dryRun"] = [request.query["dryRun"]]
    _check_delete(options)
    return options


def _delete_query(query: Mapping[str, str]) -> Object:
    options: Object = {}
    if "propagationPolicy" in query:
        options["propagationPolicy"] = query["propagationPolicy"]
    if "orphanDependents" in query:
        options["orphanDependents"] = query["orphanDependents"].lower() not in ("", "0", "false")
    if query.get("gracePeriodSeconds"):
        options["gracePeriodSeconds"] = query_number(query, "gracePeriodSeconds")
    return options


def _check_delete(options: Object) -> None:
    errors = []
    dry_run = options.get("dryRun")
    errors += _dry_run_errors(
        dry_run if isinstance(dry_run, list) else [dry_run] if dry_run else []
    )
    policy = options.get("propagationPolicy")
    if policy is not None and options.get("orphanDependents") is not None:
        errors.append(
            FieldError(
                "FieldValueInvalid",
                "propagationPolicy",
                f'Invalid value: "{policy}": orphanDependents and deletionPropagation '
                "cannot be both set",
            )
        )
    elif policy is not None and policy not in _POLICIES:
        supported = ", ".join(f'"{each}"' for each in (*_POLICIES, "nil"))
        errors.append(
            FieldError(
                "FieldValueNotSupported",
                "propagationPolicy",
                f'Unsupported value: "{policy}": supported values: {supported}',
            )
        )
    if errors:
        raise InvalidError.of(GroupVersionKind("meta.k8s.io", "", "DeleteOptions"), "", errors)
