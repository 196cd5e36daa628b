"""ResourceQuotas and LimitRanges, as Kubernetes takes them."""

import pytest

from support.builtin import columns, create, texts, update, update_status


def core(kind: str, **fields: object) -> dict:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "x"}, **fields}


def created(obj: dict) -> dict:
    stored, errors = create(obj)
    assert texts(errors) == []
    return stored


def quota(**spec: object) -> dict:
    return core("ResourceQuota", spec=spec)


def limits(*items: dict) -> dict:
    return core("LimitRange", spec={"limits": list(items)})


QUOTA_ERRORS = {
    "negative": (
        {"hard": {"pods": "-1"}},
        ['spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0'],
    ),
    "fraction": (
        {"hard": {"pods": "1.5"}},
        ['spec.hard[pods]: Invalid value: "1500m": must be an integer'],
    ),
    "fraction of a gpu": (
        {"hard": {"nvidia.com/gpu": "500m"}},
        ['spec.hard[nvidia.com/gpu]: Invalid value: "500m": must be an integer'],
    ),
    "unknown": (
        {"hard": {"bogus": "1"}},
        [
            'spec.hard[bogus]: Invalid value: "bogus": must be a standard resource for quota',
            (
                'spec.hard[bogus]: Invalid value: "bogus": must be a standard resource type or '
                "fully qualified"
            ),
        ],
    ),
    "scope": (
        {"hard": {"pods": "1"}, "scopes": ["Nope"]},
        ['spec.scopes: Invalid value: ["Nope"]: unsupported scope'],
    ),
    "scope of another resource": (
        {
            "hard": {"secrets": "1", "count/leases.coordination.k8s.io": "1"},
            "scopes": ["BestEffort"],
        },
        ['spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource'],
    ),
    "scopes in conflict": (
        {"hard": {"pods": "1"}, "scopes": ["BestEffort", "NotBestEffort"]},
        ['spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes'],
    ),
    "operator": (
        {
            "hard": {"pods": "1"},
            "scopeSelector": {
                "matchExpressions": [{"scopeName": "PriorityClass", "operator": "Near"}]
            },
        },
        [
            (
                'spec.scopeSelector.matchExpressions.operator: Unsupported value: "Near": '
                'supported values: "DoesNotExist", "Exists", "In", "NotIn"'
            )
        ],
    ),
}


@pytest.mark.parametrize("case", QUOTA_ERRORS)
def test_quota_errors(case: str) -> None:
    """Amounts, names and scopes of a quota are checked in Kubernetes' words."""
    spec, expected = QUOTA_ERRORS[case]
    assert texts(create(quota(**spec))[1]) == expected


def test_a_quota_starts_with_an_empty_status_and_shows_it() -> None:
    """Amounts are canonical; requests and limits are printed apart; scopes never change."""
    hard = {"limits.cpu": "2", "requests.cpu": "0.5", "pods": 3, "requests.memory": "1024Mi"}
    stored = created(quota(hard=hard))
    assert stored["spec"]["hard"]["requests.memory"] == "1Gi"
    assert stored["spec"]["hard"]["requests.cpu"] == "500m"
    assert stored["status"] == {}
    status = {"hard": stored["spec"]["hard"], "used": {"pods": "1"}}
    counted, errors = update_status(status, stored)
    assert errors == []
    assert columns(counted) == {
        "Name": "x",
        "Request": "pods: 1/3, requests.cpu: 0/500m, requests.memory: 0/1Gi",
        "Limit": "limits.cpu: 0/2",
        "Age": "5s",
    }
    _, errors = update(quota(hard={"pods": "3"}, scopes=["BestEffort"]), stored)
    assert texts(errors) == ['spec.scopes: Invalid value: ["BestEffort"]: field is immutable']


def test_limits_of_containers_default_from_one_another() -> None:
    """A default is the maximum, a request its default, or else the minimum."""
    stored = created(
        limits(
            {
                "type": "Container",
                "default": {"cpu": "500m"},
                "max": {"cpu": "1", "memory": "1Gi"},
                "min": {"cpu": "100m", "ephemeral-storage": "1Gi"},
            }
        )
    )
    assert stored["spec"]["limits"][0] == {
        "type": "Container",
        "max": {"cpu": "1", "memory": "1Gi"},
        "min": {"cpu": "100m", "ephemeral-storage": "1Gi"},
        "default": {"cpu": "500m", "memory": "1Gi"},
        "defaultRequest": {"cpu": "500m", "memory": "1Gi", "ephemeral-storage": "1Gi"},
    }
    assert columns(stored) == {"Name": "x", "Created At": "2026-01-01T00:00:00Z"}


LIMIT_ERRORS = {
    "minimum over maximum": (
        [{"type": "Container", "max": {"cpu": "1"}, "min": {"cpu": "2"}}],
        [
            (
                'spec.limits[0].default[cpu]: Invalid value: "2": min value 2 is greater than '
                "default value 1"
            ),
            (
                'spec.limits[0].defaultRequest[cpu]: Invalid value: "1": min value 2 is greater '
                "than default request value 1"
            ),
            'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
        ],
    ),
    "type twice": (
        [{"type": "Pod", "max": {"cpu": "1"}}, {"type": "Pod", "max": {"cpu": "2"}}],
        ['spec.limits[1].type: Duplicate value: "Pod"'],
    ),
    "unknown type": (
        [{"type": "Nope", "max": {"cpu": "1"}}],
        [
            (
                'spec.limits[0].type: Invalid value: "Nope": must be a standard limit type or '
                "fully qualified"
            )
        ],
    ),
    "default of a pod": (
        [{"type": "Pod", "default": {"cpu": "1"}}],
        ["spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'"],
    ),
    "claim without storage": (
        [{"type": "PersistentVolumeClaim", "max": {"cpu": "1"}}],
        [
            (
                "spec.limits[0].limits: Required value: either minimum or maximum storage value is "
                "required, but neither was provided"
            )
        ],
    ),
    "ratio": (
        [{"type": "Container", "maxLimitRequestRatio": {"cpu": "500m"}}],
        [
            (
                'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is '
                "less than 1"
            )
        ],
    ),
}


@pytest.mark.parametrize("case", LIMIT_ERRORS)
def test_limit_errors(case: str) -> None:
    """What contradicts itself in a LimitRange is refused."""
    items, expected = LIMIT_ERRORS[case]
    assert texts(create(limits(*items))[1]) == sorted(expected)
