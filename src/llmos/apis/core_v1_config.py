"""ConfigMaps and Secrets.

Source: kubernetes/pkg/registry/core/{configmap,secret} and ValidateConfigMap, ValidateSecret in
pkg/apis/core/validation.
"""

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping, Sequence

import orjson

from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.names import config_map_key, dns1123_subdomain
from llmos.apimachinery.object import Object, annotations_of
from llmos.apimachinery.validation import (
    IMMUTABLE,
    field_forbidden,
    field_invalid,
    field_required,
    field_too_long,
)
from llmos.apis.printing import AGE, NAME, field, text
from llmos.apis.strategy import Strategy

MAX_DATA = 1024 * 1024
"""Bytes of all values of one ConfigMap or Secret."""
_SERVICE_ACCOUNT_NAME = "kubernetes.io/service-account.name"
_IMMUTABLE_SET = "field is immutable when `immutable` is set"
_REDACTED = "<secret contents redacted>"


def config_maps() -> Strategy:
    """The strategy of ``configmaps``."""
    return Strategy(
        check_name=dns1123_subdomain,
        validate=_validate_config_map,
        validate_update=_validate_config_map_update,
        columns=(NAME, text("Data", _count_config_map), AGE),
    )


def secrets() -> Strategy:
    """The strategy of ``secrets``."""
    return Strategy(
        check_name=dns1123_subdomain,
        default=_default_secret,
        validate=_validate_secret,
        validate_update=_validate_secret_update,
        fields=_secret_fields,
        field_names=("type",),
        columns=(NAME, field("Type", "type"), text("Data", _count_secret), AGE),
        redact=True,
    )


def _count_config_map(obj: Object) -> int:
    return len(obj.get("data") or ()) + len(obj.get("binaryData") or ())


def _count_secret(obj: Object) -> int:
    return len(obj.get("data") or ())


def _decoded_size(value: str) -> int:
    """Bytes of what base64 text stands for, without decoding it."""
    return len(value) // 4 * 3 - value.count("=", -2)


def _key_errors(data: Mapping[str, str], name: str) -> Iterator[FieldError]:
    for key in data:
        for wrong in config_map_key(key):
            yield field_invalid(f"{name}[{key}]", key, wrong)


def _validate_config_map(obj: Object) -> Sequence[FieldError]:
    data: Mapping[str, str] = obj.get("data") or {}
    binary: Mapping[str, str] = obj.get("binaryData") or {}
    errors = [*_key_errors(data, "data"), *_key_errors(binary, "binaryData")]
    errors += [
        field_invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
        for key in data
        if key in binary
    ]
    size = sum(len(each.encode()) for each in data.values())
    size += sum(_decoded_size(each) for each in binary.values())
    if size > MAX_DATA:
        errors.append(field_too_long("[]", MAX_DATA))
    return errors


def _immutable_errors(new: Object, old: Object, names: Sequence[str]) -> list[FieldError]:
    """What changed of an object that once was made immutable."""
    if not old.get("immutable"):
        return []
    changed = [each for each in names if (new.get(each) or {}) != (old.get(each) or {})]
    if not new.get("immutable"):
        changed.insert(0, "immutable")
    return [field_forbidden(each, _IMMUTABLE_SET) for each in changed]


def _validate_config_map_update(new: Object, old: Object) -> Sequence[FieldError]:
    return _immutable_errors(new, old, ("data", "binaryData"))


def _default_secret(obj: Object) -> None:
    """``stringData`` is a way to write only; it wins over ``data`` and is never kept."""
    if not obj.get("type"):
        obj["type"] = "Opaque"
    plain = obj.pop("stringData", None)
    if plain:
        data = {key: base64.b64encode(value.encode()).decode() for key, value in plain.items()}
        obj["data"] = {**(obj.get("data") or {}), **data}


def _validate_secret(obj: Object) -> Sequence[FieldError]:
    data: Mapping[str, str] = obj.get("data") or {}
    errors = [*_key_errors(data, "data")]
    if sum(_decoded_size(each) for each in data.values()) > MAX_DATA:
        errors.append(field_too_long("data", MAX_DATA))
    check = _SECRET_TYPES.get(obj.get("type") or "")
    if check is not None:
        errors.extend(check(obj, data))
    return errors


def _service_account_token(obj: Object, _: Mapping[str, str]) -> Iterator[FieldError]:
    if not annotations_of(obj).get(_SERVICE_ACCOUNT_NAME):
        yield field_required(f"metadata.annotations[{_SERVICE_ACCOUNT_NAME}]")


def _docker_config(key: str) -> "TypeCheck":
    def check(_: Object, data: Mapping[str, str]) -> Iterator[FieldError]:
        if key not in data:
            yield field_required(f"data[{key}]")
            return
        try:
            config = orjson.loads(base64.b64decode(data[key], validate=True))
        except (ValueError, binascii.Error):
            yield field_invalid(f"data[{key}]", _REDACTED, "is not valid JSON")
            return
        if not isinstance(config, dict):
            yield field_invalid(f"data[{key}]", _REDACTED, "must be a JSON object")

    return check


def _basic_auth(_: Object, data: Mapping[str, str]) -> Iterator[FieldError]:
    if "username" not in data and "password" not in data:
        yield field_required("data[username]")
        yield field_required("data[password]")


def _ssh_auth(_: Object, data: Mapping[str, str]) -> Iterator[FieldError]:
    if not data.get("ssh-privatekey"):
        yield field_required("data[ssh-privatekey]")


def _tls(_: Object, data: Mapping[str, str]) -> Iterator[FieldError]:
    for key in ("tls.crt", "tls.key"):
        if key not in data:
            yield field_required(f"data[{key}]")


TypeCheck = Callable[[Object, Mapping[str, str]], Iterator[FieldError]]
_SECRET_TYPES: Mapping[str, TypeCheck] = {
    "kubernetes.io/basic-auth": _basic_auth,
    "kubernetes.io/dockercfg": _docker_config(".dockercfg"),
    "kubernetes.io/dockerconfigjson": _docker_config(".dockerconfigjson"),
    "kubernetes.io/service-account-token": _service_account_token,
    "kubernetes.io/ssh-auth": _ssh_auth,
    "kubernetes.io/tls": _tls,
}


def _validate_secret_update(new: Object, old: Object) -> Sequence[FieldError]:
    errors = _immutable_errors(new, old, ("data",))
    if new.get("type") != old.get("type"):
        errors.append(field_invalid("type", new.get("type"), IMMUTABLE))
    return errors


def _secret_fields(obj: Object) -> Mapping[str, str]:
    return {"type": obj.get("type") or ""}
