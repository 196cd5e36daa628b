"""Answers to authorization.k8s.io/v1 reviews: a request body in, the answered object out.

Follows k8s.io/kubernetes/pkg/apis/authorization/validation and pkg/registry/authorization. Who
may ask is decided before, like for any other resource.
"""

import json
from typing import Any

from llmos.apimachinery.errors import BadRequestError, FieldError, InvalidError
from llmos.apimachinery.object import Object
from llmos.apimachinery.resource import GroupVersionKind
from llmos.apis.authentication_v1 import UserInfo
from llmos.apis.authorization_v1 import Attributes, Authorizer
from llmos.authorization.index import RBACIndex
from llmos.authorization.rbac import summary

_GROUP = "authorization.k8s.io"
_RESOURCE_STRINGS = ("namespace", "verb", "group", "version", "resource", "subresource", "name")
_RESOURCE_OBJECTS = ("fieldSelector", "labelSelector")


def self_subject_access_review(authorizer: Authorizer, user: UserInfo, body: Object) -> Object:
    """May I do this?

    Raises:
        BadRequestError: a field is of the wrong type.
        InvalidError: not exactly one kind of attributes is given.
    """
    spec = _attributes_of(_map(body, "spec"))
    _refuse(_check_metadata(body) + _check_attributes(spec))
    return _answer("SelfSubjectAccessReview", {}, spec, _status(authorizer, user, spec))


def subject_access_review(authorizer: Authorizer, body: Object) -> Object:
    """May somebody else do this?

    Raises:
        BadRequestError: a field is of the wrong type.
        InvalidError: neither user nor group, or not exactly one kind of attributes is given.
    """
    spec = _subject_spec(body)
    _refuse(_check_metadata(body) + _check_subject(spec))
    return _answer("SubjectAccessReview", {}, spec, _status(authorizer, _subject(spec), spec))


def local_subject_access_review(authorizer: Authorizer, namespace: str, body: Object) -> Object:
    """May somebody else do this in the namespace of the request?

    Raises:
        BadRequestError: a field is of the wrong type, or the body names another namespace.
        InvalidError: as for a SubjectAccessReview, or the question is about another namespace.
    """
    named = _string(_map(body, "metadata"), "namespace")
    if named not in ("", namespace):
        raise BadRequestError(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    spec = _subject_spec(body)
    _refuse(_check_subject(spec) + _check_local(spec, namespace) + _check_metadata(body))
    status = _status(authorizer, _subject(spec), spec)
    return _answer("LocalSubjectAccessReview", {"namespace": namespace}, spec, status)


def self_subject_rules_review(index: RBACIndex, user: UserInfo, body: Object) -> Object:
    """What may I do in a namespace, cluster-wide rules included?

    A namespace that does not exist has no rules of its own, like one the user has none in.

    Raises:
        BadRequestError: no namespace is given, or a field is of the wrong type.
    """
    namespace = _string(_map(body, "spec"), "namespace")
    if not namespace:
        raise BadRequestError("no namespace on request")
    rules, problems = index.rules_for(user, namespace)
    objects = [rule.to_object() for rule in rules]
    status: Object = {
        "resourceRules": [
            _without(each, "nonResourceURLs") for each in objects if "resources" in each
        ],
        "nonResourceRules": [
            {key: each[key] for key in ("verbs", "nonResourceURLs") if key in each}
            for each in objects
            if "nonResourceURLs" in each
        ],
        "incomplete": False,
    }
    if problems:
        status["evaluationError"] = summary(problems)
    return _answer("SelfSubjectRulesReview", {}, {}, status)


def _without(rule: Object, key: str) -> Object:
    return {each: value for each, value in rule.items() if each != key}


def _answer(kind: str, metadata: Object, spec: Object, status: Object) -> Object:
    return {
        "kind": kind,
        "apiVersion": f"{_GROUP}/v1",
        "metadata": metadata,
        "spec": spec,
        "status": status,
    }


def _status(authorizer: Authorizer, user: UserInfo, spec: Object) -> Object:
    """Ask, and put the decision in the words of a SubjectAccessReviewStatus."""
    asked = spec.get("resourceAttributes")
    if asked is not None:
        fields = {key: asked.get(key, "") for key in _RESOURCE_STRINGS}
        attributes = Attributes(user=user, **fields)
    else:
        bare = spec["nonResourceAttributes"]
        # An empty path is one that only the rule ``*`` means; ``*`` itself is such a path too.
        attributes = Attributes(user, bare.get("verb", ""), path=bare.get("path") or "*")
    decision = authorizer.authorize(attributes)
    status: Object = {"allowed": decision.allowed}
    if decision.reason:
        status["reason"] = decision.reason
    return status


def _subject(spec: Object) -> UserInfo:
    extra = {key: tuple(value) for key, value in spec.get("extra", {}).items()}
    groups = tuple(spec.get("groups", ()))
    return UserInfo(spec.get("user", ""), spec.get("uid", ""), groups, extra)


def _subject_spec(body: Object) -> Object:
    given = _map(body, "spec")
    spec = _attributes_of(given)
    spec |= {key: text for key in ("user", "uid") if (text := _string(given, key))}
    groups = _string_list(given, "groups")
    if groups:
        spec["groups"] = groups
    extra = _map(given, "extra")
    if extra:
        spec["extra"] = {key: _string_list(extra, key) for key in extra}
    return spec


def _attributes_of(given: Object) -> Object:
    """The attributes of a spec, with the fields that are known and set."""
    spec: Object = {}
    if given.get("resourceAttributes") is not None:
        asked = _map(given, "resourceAttributes")
        found: Object = {key: text for key in _RESOURCE_STRINGS if (text := _string(asked, key))}
        found |= {key: value for key in _RESOURCE_OBJECTS if (value := _map(asked, key))}
        spec["resourceAttributes"] = found
    if given.get("nonResourceAttributes") is not None:
        bare = _map(given, "nonResourceAttributes")
        spec["nonResourceAttributes"] = {
            key: text for key in ("path", "verb") if (text := _string(bare, key))
        }
    return spec


def _wrong_type(key: str, wanted: str) -> BadRequestError:
    return BadRequestError(f"the field {key} of the request's body is not {wanted}")


def _map(given: Object, key: str) -> Object:
    value = given.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _wrong_type(key, "an object")
    return value


def _string(given: Object, key: str) -> str:
    value = given.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong_type(key, "a string")
    return value


def _string_list(given: Object, key: str) -> list[str]:
    value = given.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise _wrong_type(key, "a list of strings")
    return value


def _invalid(field: str, value: Any, why: str) -> FieldError:
    shown = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return FieldError("FieldValueInvalid", field, f"Invalid value: {shown}: {why}")


def _refuse(errors: list[FieldError]) -> None:
    if errors:
        raise InvalidError.of(GroupVersionKind(_GROUP, "v1", ""), "", errors)


def _check_metadata(body: Object) -> list[FieldError]:
    ignored = ("namespace", "managedFields", "creationTimestamp")
    given = _map(body, "metadata")
    if any(value for key, value in given.items() if key not in ignored):
        return [_invalid("metadata", given, "must be empty")]
    return []


def _check_attributes(spec: Object) -> list[FieldError]:
    bare = spec.get("nonResourceAttributes")
    if bare is not None and "resourceAttributes" in spec:
        shown = {"Path": bare.get("path", ""), "Verb": bare.get("verb", "")}
        why = "cannot be specified in combination with resourceAttributes"
        return [_invalid("spec.nonResourceAttributes", shown, why)]
    if not spec.keys() & {"resourceAttributes", "nonResourceAttributes"}:
        why = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        return [_invalid("spec.resourceAttributes", None, why)]
    return []


def _check_subject(spec: Object) -> list[FieldError]:
    errors = _check_attributes(spec)
    if not spec.get("user") and not spec.get("groups"):
        why = "at least one of user or group must be specified"
        errors.append(_invalid("spec.user", "", why))
    return errors


def _check_local(spec: Object, namespace: str) -> list[FieldError]:
    errors: list[FieldError] = []
    asked = spec.get("resourceAttributes")
    if asked is not None and asked.get("namespace", "") != namespace:
        named = asked.get("namespace", "")
        field = "spec.resourceAttributes.namespace"
        errors.append(_invalid(field, named, "must match metadata.namespace"))
    bare = spec.get("nonResourceAttributes")
    if bare is not None:
        shown = {"Path": bare.get("path", ""), "Verb": bare.get("verb", "")}
        why = "disallowed on this kind of request"
        errors.append(_invalid("spec.nonResourceAttributes", shown, why))
    return errors
