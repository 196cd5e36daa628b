"""The record of what is installed: read as it was written, and believed only so far."""

import pytest

from llmos.apimachinery.resource import GroupResource
from llmos.apis.platform_content import NAMESPACES, Place, shipped
from llmos.client.client import Client
from llmos.client.config import Config
from llmos.installation.inventory import Inventory, may_be_pruned, read, to_object
from reconcile.fake_api import FakeAPI

RBAC = "rbac.authorization.k8s.io"


async def written(api: FakeAPI) -> Inventory:
    async with Client(Config("http://api"), transport=api) as client:
        return await read(client)


@pytest.mark.anyio
async def test_what_was_written_is_read():
    """All places come back, whatever is in their names, and so do version and namespaces."""
    api = FakeAPI()
    wanted = Inventory(
        "1.2.3", "abc", frozenset(each.place for each in shipped()), frozenset({"llmos-system"})
    )
    made = to_object(wanted)
    api.objects["", "configmaps", "llmos-system", made["metadata"]["name"]] = made
    assert await written(api) == wanted


@pytest.mark.anyio
async def test_no_record_is_no_installation():
    """Where nothing is written, nothing is installed; what cannot be read counts for nothing."""
    api = FakeAPI()
    assert await written(api) == Inventory()
    made = to_object(Inventory("1"))
    made["data"]["objects"] = "one line\n\n"
    api.objects["", "configmaps", "llmos-system", made["metadata"]["name"]] = made
    assert await written(api) == Inventory("1")


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (Place(GroupResource(RBAC, "clusterroles"), "", "llmos:old"), True),
        (Place(GroupResource(RBAC, "clusterroles"), "", "cluster-admin"), False),
        (Place(GroupResource("", "serviceaccounts"), "team-a", "llmos-old"), False),
        (Place(GroupResource("", "serviceaccounts"), "llmos-system", "llmos-old"), True),
        (Place(GroupResource("", "secrets"), "llmos-system", "llmos-old"), False),
        (Place(GroupResource("apiextensions.k8s.io", "customresourcedefinitions"), "",
               "users.management.llmos.ai"), False),
        (Place(NAMESPACES.group_resource, "", "llmos-system"), False),
    ],
)  # fmt: skip
def test_only_the_platforms_own_is_ever_left_over(place, expected):
    """A forged record has neither others' objects deleted, nor what holds data."""
    assert may_be_pruned(place) is expected
