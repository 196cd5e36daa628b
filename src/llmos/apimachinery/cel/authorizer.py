"""``authorizer.group('').resource('pods').check('get').allowed()``: may the author do this, too?

Source: k8s.io/apiserver/pkg/cel/library/authz.go. Who asks is carried along in the value; who
answers is handed in when the environment is made.
"""

from collections.abc import Callable
from typing import Any

from llmos.apimachinery.cel.functions import Function, method, unwrap, wrap
from llmos.apimachinery.cel.types import (
    AUTHORIZER,
    BOOL,
    DECISION,
    GROUP_CHECK,
    PATH_CHECK,
    RESOURCE_CHECK,
    STRING,
    CelType,
)

Authorize = Callable[[dict[str, Any]], tuple[bool, str]]
"""Answers whether it is allowed, and why.

Asked about ``user`` and ``verb``, and about ``path`` or ``group``, ``resource``, ``subresource``,
``namespace`` and ``name``.
"""


def authorizer_of(user: dict[str, Any], requested: dict[str, str]) -> dict[str, Any]:
    """The variable ``authorizer``.

    Args:
        user: the wire's UserInfo, which comes back when somebody is asked.
        requested: what ``authorizer.requestResource`` is about.
    """
    asks = {"user": user}
    return wrap(AUTHORIZER, asks) | {"requestResource": wrap(RESOURCE_CHECK, {**asks, **requested})}


def _narrow(before: CelType, key: str, after: CelType) -> Callable[[Any, str], dict[str, Any]]:
    return lambda carried, value: wrap(after, {**unwrap(before, carried), key: value})


def _service_account(carried: Any, namespace: str, name: str) -> dict[str, Any]:
    unwrap(AUTHORIZER, carried)
    user = {
        "username": f"system:serviceaccount:{namespace}:{name}",
        "groups": [
            "system:serviceaccounts",
            f"system:serviceaccounts:{namespace}",
            "system:authenticated",
        ],
    }
    return wrap(AUTHORIZER, {"user": user})


def functions(authorize: Authorize) -> tuple[Function, ...]:
    """The methods of authorizers, answered by a function."""

    def check(kind: CelType) -> Callable[[Any, str], dict[str, Any]]:
        def ask(carried: Any, verb: str) -> dict[str, Any]:
            allowed, reason = authorize({**unwrap(kind, carried), "verb": verb})
            return wrap(DECISION, {"allowed": allowed, "reason": reason})

        return ask

    return (
        method(
            "path", AUTHORIZER, STRING, PATH_CHECK, call=_narrow(AUTHORIZER, "path", PATH_CHECK)
        ),
        method(
            "group", AUTHORIZER, STRING, GROUP_CHECK, call=_narrow(AUTHORIZER, "group", GROUP_CHECK)
        ),
        method("serviceAccount", AUTHORIZER, STRING, STRING, AUTHORIZER, call=_service_account),
        method(
            "resource",
            GROUP_CHECK,
            STRING,
            RESOURCE_CHECK,
            call=_narrow(GROUP_CHECK, "resource", RESOURCE_CHECK),
        ),
        *(
            method(
                each,
                RESOURCE_CHECK,
                STRING,
                RESOURCE_CHECK,
                call=_narrow(RESOURCE_CHECK, each, RESOURCE_CHECK),
            )
            for each in ("subresource", "namespace", "name")
        ),
        method("check", PATH_CHECK, STRING, DECISION, call=check(PATH_CHECK)),
        method("check", RESOURCE_CHECK, STRING, DECISION, call=check(RESOURCE_CHECK)),
        method("allowed", DECISION, BOOL, call=lambda one: unwrap(DECISION, one)["allowed"]),
        method("reason", DECISION, STRING, call=lambda one: unwrap(DECISION, one)["reason"]),
        method("errored", DECISION, BOOL, call=lambda _: False),
        method("error", DECISION, STRING, call=lambda _: ""),
    )
