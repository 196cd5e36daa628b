"""What the embedded server tells of what it keeps; see ``endpoints.metrics``."""

from collections.abc import Iterable

from llmos.apimachinery.measures import Family
from llmos.registry.catalog import Catalog
from llmos.storage.interface import Storage


def object_families(catalog: Catalog, storage: Storage) -> Iterable[Family]:
    """How many objects there are of each kind."""
    objects = Family(
        "apiserver_resource_objects",
        "gauge",
        "Number of stored objects split by kind.",
        ("group", "resource"),
    )
    counted = set()
    for served in catalog.all():
        resource = served.resource.group_resource
        if resource not in counted:
            counted.add(resource)
            objects.add(storage.count(served.storage_name), resource.group, resource.resource)
    yield objects
