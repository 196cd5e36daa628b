"""What a request line means, and that it means one thing only."""

from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from llmos.apimachinery.errors import BadRequestError, NotFoundError
from llmos.endpoints.requestinfo import RequestInfo, parse_request, path_segments

NS = "/api/v1/namespaces"
CM = f"{NS}/a/configmaps"
CRB = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"


def parsed(method, target):
    """The meaning of a request line; the query is read as it stands."""
    path, _, query = target.partition("?")
    pairs = (each.partition("=") for each in query.split("&") if each)
    return parse_request(method, path.encode(), {name: value for name, _, value in pairs})


def words(info):
    """Verb, resource with subresource, namespace and name of a resource request."""
    assert info.is_resource
    resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    group = f".{info.group}" if info.group else ""
    return info.verb, resource + group, info.namespace, info.name


@pytest.mark.parametrize(
    ("method", "target", "wanted"),
    [
        ("GET", NS, ("list", "namespaces", "", "")),
        ("POST", NS, ("create", "namespaces", "", "")),
        ("DELETE", NS, ("deletecollection", "namespaces", "", "")),
        ("GET", f"{NS}/a", ("get", "namespaces", "a", "a")),
        ("DELETE", f"{NS}/a", ("delete", "namespaces", "a", "a")),
        ("PUT", f"{NS}/a/status", ("update", "namespaces/status", "a", "a")),
        ("PUT", f"{NS}/a/finalize", ("update", "namespaces/finalize", "a", "a")),
        ("GET", f"{NS}/status", ("get", "namespaces", "status", "status")),
        ("GET", f"{NS}/a/status/b", ("get", "namespaces/status", "a", "a")),
        ("GET", CM, ("list", "configmaps", "a", "")),
        ("GET", f"{CM}/c", ("get", "configmaps", "a", "c")),
        ("PUT", f"{CM}/c", ("update", "configmaps", "a", "c")),
        ("PATCH", f"{CM}/c", ("patch", "configmaps", "a", "c")),
        ("DELETE", f"{CM}/c", ("delete", "configmaps", "a", "c")),
        ("DELETE", CM, ("deletecollection", "configmaps", "a", "")),
        ("GET", "/api/v1/configmaps", ("list", "configmaps", "", "")),
        ("POST", f"{NS}/a/serviceaccounts/s/token", ("create", "serviceaccounts/token", "a", "s")),
        ("GET", f"{NS}/a/pods/p/log", ("get", "pods/log", "a", "p")),
        ("GET", f"{CRB}/x", ("get", "clusterrolebindings.rbac.authorization.k8s.io", "", "x")),
        ("HEAD", CM, ("head", "configmaps", "a", "")),
        ("OPTIONS", f"{CM}/c", ("options", "configmaps", "a", "c")),
        ("GET", f"{CM}?watch=true", ("watch", "configmaps", "a", "")),
        ("GET", f"{CM}?watch=1", ("watch", "configmaps", "a", "")),
        ("GET", f"{CM}?watch=false", ("list", "configmaps", "a", "")),
        ("GET", f"{CM}?watch=", ("list", "configmaps", "a", "")),
        ("GET", f"{CM}/c?watch=true", ("get", "configmaps", "a", "c")),
        ("POST", f"{CM}?watch=true", ("create", "configmaps", "a", "")),
        ("GET", "/api/v1/watch/namespaces/a/configmaps", ("watch", "configmaps", "a", "")),
        ("GET", "/api/v1/watch/configmaps", ("watch", "configmaps", "", "")),
    ],
)
def test_reads_a_resource_request(method, target, wanted):
    """Verb, resource, namespace and name are Kubernetes' own."""
    assert words(parsed(method, target)) == wanted


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        "/apis",
        "/api/v1",
        "/apis/apps",
        "/apis/apps/v1",
        "/version",
        "/auth/login",
        "/openapi/v3/api/v1",
        "/healthz",
        "/API/v1/namespaces",
        "/api/v1/watch",
    ],
)
def test_reads_a_bare_path(path):
    """What is below no group version is no resource: only its path and method count."""
    assert parsed("GET", path) == RequestInfo(verb="get", path=path)


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("fieldSelector=metadata.name%3Da", "a"),
        ("fieldSelector=metadata.name=a", "a"),
        ("fieldSelector=metadata.name==a", "a"),
        ("fieldSelector=metadata.name!=a", ""),
        ("fieldSelector=metadata.name=a,metadata.name=b", "a"),
        ("fieldSelector=metadata.name=a,metadata.namespace=b", "a"),
        ("fieldSelector=metadata.name=a/b", ""),
        ("fieldSelector=metadata.namespace=a", ""),
        ("fieldSelector=", ""),
        ("labelSelector=metadata.name=a", ""),
    ],
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_takes_a_name_from_one_exact_field_selector_only(method, target, name):
    """Rights to a name reach what can only be a list of that name, or an empty one (URL-20)."""
    target = target.replace("%3D", "=")
    info = parse_request(method, CM.encode(), dict([target.split("=", 1)]))
    assert (info.name, info.named) == (name, False)


def test_what_is_no_field_selector_names_nothing():
    """``in`` is no field selector: there is no name to authorize by (URL-20)."""
    assert parsed("GET", f"{CM}?fieldSelector=metadata.name in (a,b)").name == ""


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("path", [NS, f"{NS}/kube-system", CM, f"{CM}/c", f"{NS}/a/status"])
def test_a_slash_at_the_end_changes_nothing(path, slash):
    """The same object is authorized with and without a slash at the end (URL-05)."""
    assert words(parsed("DELETE", path + slash)) == words(parsed("DELETE", path))


def test_says_whether_the_path_goes_through_a_namespace():
    """A namespace itself is not inside a namespace; what is below it is."""
    assert parsed("GET", f"{CM}/c").in_namespace
    assert not parsed("GET", f"{NS}/a").in_namespace
    assert not parsed("GET", f"{NS}/a/status").in_namespace
    assert not parsed("GET", "/api/v1/configmaps").in_namespace


@pytest.mark.parametrize(
    "path",
    [
        f"{NS}/a/../b/configmaps/c",
        f"{NS}/a/%2e%2e/b/configmaps/c",
        f"{NS}/a/.%2E/b/configmaps/c",
        f"{NS}/./b/configmaps",
        f"{CM}/../../b/configmaps/c",
        f"{NS}/b/.",
        f"{NS}/..",
        "/api/v1/..",
        "/../api/v1/secrets",
    ],
)
def test_dots_are_refused(path):
    """Nothing is normalised: a path with dots is no path (URL-01, URL-05)."""
    with pytest.raises(BadRequestError):
        parsed("GET", path)


@pytest.mark.parametrize(
    "path",
    [
        f"{NS}/a%2f..%2fb/configmaps",
        f"{NS}/a%2Fconfigmaps",
        f"{CM}/..%2f..%2fb%2fconfigmaps%2fc",
        f"{NS}/%252e%252e%252fb/configmaps",
        f"{NS}/a%5cb",
        f"{NS}/a\\b",
    ],
)
def test_encoded_slashes_are_refused(path):
    """A segment is one segment for everybody, once decoded and twice decoded (URL-02)."""
    with pytest.raises(BadRequestError):
        parsed("GET", path)


@pytest.mark.parametrize(
    "path",
    f"""{NS}/b%/configmaps {NS}/b%zz {NS}/b%2 {CM}/%2%65%2e api/v1 *
    {NS}/%00 {NS}/a%0d%0ab {NS}/%7f {NS}/%ff%fe {NS}/a%25b //api@/v1%""".split(),
)
def test_malformed_paths_are_refused(path):
    """A path that is no percent-encoded UTF-8 text is never read more loosely (URL-03)."""
    with pytest.raises(BadRequestError):
        parsed("GET", path)


@pytest.mark.parametrize(
    "path",
    [
        f"{NS}//configmaps",
        f"{NS}//secrets",
        "/api/v1//configmaps",
        "//api/v1/secrets",
        "/api//v1/namespaces/b/secrets",
        f"{NS}/b//",
        "//",
    ],
)
def test_empty_segments_are_not_found(path):
    """An empty namespace never means all namespaces (URL-04)."""
    with pytest.raises(NotFoundError):
        parsed("GET", path)


GOOD = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="/\\%"),
    min_size=1,
).filter(lambda text: text not in (".", ".."))
BAD = st.sampled_from(
    [
        "",
        *[
            ".",
            "..",
            "%2e",
            "%2E%2e",
            ".%2e",
            "a%2fb",
            "%2f",
            "%5c",
            "a\\b",
            "%00",
            "%",
            "%zz",
            "%25",
            "%c0%af",
            "%0a",
        ],
    ]
)
PREFIX = st.sampled_from(["/api/v1", "/api/v1/namespaces", "/apis/apps/v1", CM, NS + "/a", ""])
METHOD = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "FOO"])


@given(METHOD, PREFIX, st.lists(GOOD.map(quote)), BAD, st.lists(GOOD.map(quote), min_size=1))
def test_no_path_with_a_bad_segment_is_read(method, prefix, before, bad, after):
    """Dots, encoded slashes, empty segments and broken escapes are refused wherever they stand."""
    path = "/".join([prefix, *before, bad, *after])
    with pytest.raises((BadRequestError, NotFoundError)):
        parse_request(method, path.encode(), {})


@given(METHOD, st.binary(max_size=40), st.sampled_from([b"", b"/api/v1/", NS.encode() + b"/"]))
def test_any_bytes_mean_one_thing_or_nothing(method, tail, head):
    """What is read names segments of the path as they stand; everything else is a 400 or 404."""
    try:
        info = parse_request(method, head + tail, {})
    except (BadRequestError, NotFoundError):
        return
    segments = info.path.strip("/").split("/")
    assert not {".", ".."} & set(segments)
    assert "%" not in info.path
    assert all(segments) or info.path == "/"
    parts = (info.namespace, info.resource, info.name, info.subresource)
    assert all(each in segments for each in parts if each)


@given(METHOD, st.lists(GOOD, min_size=1, max_size=6))
def test_escapes_change_nothing(method, segments):
    """A path means the same whichever of its characters are escaped."""
    assume(not segments[-1].endswith("/"))
    plain = "/".join(["/api/v1", *segments])
    escaped = "/api/v1/" + "/".join(
        "".join(f"%{byte:02x}" for byte in each.encode()) for each in segments
    )
    assert path_segments(plain.encode())[2:] == segments
    assert parse_request(method, plain.encode(), {}) == parse_request(method, escaped.encode(), {})
