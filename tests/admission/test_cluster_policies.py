"""The policies that only a cluster has are whole; what they do is tested on one."""

from llmos.apimachinery.object import copy_object
from llmos.apis.admissionregistration_v1 import bindings, policies
from llmos.manifests import load

SHIPPED = [each for each in load("cluster") if each["kind"].startswith("ValidatingAdmissionPolicy")]


def test_they_are_valid():
    """Every expression compiles, each policy is bound, and what cannot be evaluated is refused."""
    bound = []
    for each in SHIPPED:
        obj = copy_object(each)
        policy = obj["kind"] == "ValidatingAdmissionPolicy"
        strategy = policies() if policy else bindings()
        strategy.default(obj)
        assert list(strategy.validate(obj)) == []
        if policy:
            assert obj["spec"]["failurePolicy"] == "Fail"
            assert obj["spec"]["matchConstraints"]["matchPolicy"] == "Equivalent"
        else:
            assert obj["spec"]["validationActions"] == ["Deny"]
            bound.append(obj["spec"]["policyName"])
    names = [each["metadata"]["name"] for each in SHIPPED]
    assert sorted(names) == sorted(2 * bound)
