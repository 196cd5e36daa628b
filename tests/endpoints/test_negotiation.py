"""Which representation an ``Accept`` header gets."""

import pytest

from llmos.apimachinery.errors import NotAcceptableError
from llmos.endpoints.negotiation import Representation, negotiate

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
ALLOWED = frozenset({"Table/meta.k8s.io/v1", "PartialObjectMetadata/meta.k8s.io/v1"})
PROTOBUF = "application/vnd.kubernetes.protobuf"


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", Representation()),
        ("*/*", Representation()),
        ("application/json", Representation()),
        ("APPLICATION/JSON", Representation()),
        ("application/yaml", Representation("yaml")),
        (f"{PROTOBUF}, application/json", Representation()),
        (f"{PROTOBUF}, */*", Representation()),
        ("text/html, application/yaml", Representation("yaml")),
        ("application/json;q=0.5, application/yaml", Representation("yaml")),
        ("application/json;q=0.5, application/yaml;q=0.4", Representation()),
        ("application/yaml;q=x, application/json", Representation()),
        (TABLE, Representation("json", "Table", "v1")),
        (f"{TABLE}, application/json", Representation("json", "Table", "v1")),
        (f"{TABLE.replace('v=v1', 'v=v2')}, application/json", Representation()),
        (f"application/yaml;{TABLE.partition(';')[2]}", Representation("yaml", "Table", "v1")),
        (f"{METADATA},*/*", Representation("json", "PartialObjectMetadata", "v1")),
        (" , application/yaml", Representation("yaml")),
    ],
)
def test_chooses_the_first_acceptable(accept, wanted):
    """The best of the clauses that can be served is chosen, in their order at equal quality."""
    assert negotiate(accept, ALLOWED) == wanted


@pytest.mark.parametrize(
    "accept", ["text/html", "text/*", "application/*", PROTOBUF, "image/png, x", "json"]
)
def test_unknown_types_are_refused_with_the_known_ones(accept):
    """A client that takes nothing we have gets a 406 that says what there is."""
    with pytest.raises(NotAcceptableError, match="application/json, application/yaml"):
        negotiate(accept, ALLOWED)


@pytest.mark.parametrize(
    "accept",
    [
        TABLE,
        "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
        "application/json;as=X",
    ],
)
def test_transforms_are_those_of_the_path(accept):
    """A transform that a path does not have is refused, and not answered with the plain object."""
    with pytest.raises(NotAcceptableError, match="only the following media types are accepted"):
        negotiate(accept)


def test_protobuf_only_where_it_can_be_answered():
    """It is one of the representations where the path says so."""
    both = f"{PROTOBUF}, application/json"
    assert negotiate(both, protobuf=True) == Representation("protobuf")
    assert negotiate(PROTOBUF, protobuf=True) == Representation("protobuf")
    assert negotiate(both) == Representation()
