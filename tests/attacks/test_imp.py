"""IMP: impersonation, and identities smuggled in headers."""

import pytest

from attacks.support import Actor, World
from attacks.wire import request_bytes
from attacks.words import MG, NS, RB, rule, unique
from support.objects import member, role_binding, subject

pytestmark = pytest.mark.slow
REVIEWS = "/apis/authorization.k8s.io/v1"


@pytest.mark.parametrize("path", [f"{MG}/users/root", f"{NS}/kube-system", f"{NS}/team-b/secrets"])
@pytest.mark.parametrize("user", ["root", "bob", "system:admin", "alice", "admin"])
def test_imp_01_nobody_is_somebody_else_by_asking(alice: Actor, world: World, path: str, user: str):
    """Without the verb impersonate a request for another identity is refused."""
    with world.unchanged():
        answer = alice.get(path, headers=[("Impersonate-User", user)])
        assert answer.status == 403
        assert "cannot impersonate" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        [("Impersonate-Group", "system:masters")],
        [("impersonate-group", "system:masters")],
        [("Impersonate-Group", "system:masters"), ("Impersonate-User", "")],
        [("Impersonate-Uid", "0")],
        [("Impersonate-Extra-scopes", "all")],
        [("Impersonate-Extra-", "x")],
        [("Impersonate-Group", "")],
        [("Impersonate_Group", "system:masters"), ("Impersonate_User", "root")],
        [("X-Remote-User", "root"), ("X-Remote-Group", "system:masters")],
        [("X-Forwarded-User", "root"), ("X-Forwarded-For", "127.0.0.1"), ("Forwarded", "for=::1")],
        [("Impersonate-Whatever", "root")],
    ],
    ids=str,
)
def test_imp_02_a_group_without_a_user_is_nobodys(alice: Actor, headers: list):
    """Groups, uids and extras alone are refused or nothing; they never give a right."""
    assert alice.get(f"{NS}/kube-system", headers=headers).status in (400, 403)
    assert alice.get(f"{NS}/team-b/configmaps", headers=headers).status in (400, 403)


@pytest.mark.parametrize(
    "headers",
    [
        [("Impersonate-Uid", "UID")],
        [("Impersonate-User", "alice"), ("Impersonate-Uid", "UID")],
        [("Impersonate-User", "alice"), ("Impersonate-Group", "system:masters")],
        [
            ("Impersonate-User", "alice"),
            ("Impersonate-Extra-authentication.kubernetes.io%2fpod-name", "x"),
        ],
        [("Impersonate-Extra-authentication.kubernetes.io%2fpod-name", "x")],
        [("Impersonate-User", "alice"), ("Impersonate-User", "root")],
        [("Impersonate-User", "root"), ("Impersonate-User", "alice")],
        [("Impersonate-User", "root\tx")],
        [("Impersonate-User", "root "), ("Impersonate-Group", "llmos:admins")],
    ],
    ids=str,
)
def test_imp_04_no_part_of_an_identity_is_taken_from_a_header(
    alice: Actor, root: Actor, headers: list
):
    """A uid, a group or an extra is asked for like a user."""
    real = [(name, root.uid if value == "UID" else value) for name, value in headers]
    for path in (f"{NS}/team-a/configmaps", f"{NS}/kube-system/secrets"):
        assert alice.get(path, headers=real).status in (400, 403)


@pytest.mark.parametrize("group", ["system:masters", "llmos:admins", "llmos:users", "llmos:x"])
def test_imp_04_an_admin_gives_himself_no_platform_group(root: Actor, group: str):
    """Not even who may impersonate everybody becomes more than a person through llmos can be."""
    pairs = [("Impersonate-User", "somebody"), ("Impersonate-Group", group)]
    assert root.get(f"{NS}/kube-system/secrets", headers=pairs).status == 403
    alone = [("Impersonate-User", "somebody")]
    assert root.get(f"{NS}/kube-system/secrets", headers=alone).status == 403


def test_imp_04_no_account_is_used_while_impersonating(root: Actor, alice: Actor):
    """Passwords and tokens of the impersonated are out of reach."""
    pairs = [("Impersonate-User", "alice")]
    assert root.post("/auth/tokens", {"ttlSeconds": 60}, headers=pairs).status == 403
    assert root.get("/auth/tokens", headers=pairs).status == 403
    body = {"currentPassword": alice.password, "newPassword": "Some-other-1"}
    assert root.put("/auth/password", body, headers=pairs).status == 403


@pytest.mark.parametrize(
    "length", ["5, 5", "+5", "0x5", "5\r\nContent-Length: 50", "-1", "\u0665", "5 5", "", "5;q=1"]
)
def test_imp_10_a_length_is_a_number_once(alice: Actor, world: World, length: str):
    """A Content-Length that can be read in two ways is refused."""
    head = (
        f"POST {NS}/team-a/configmaps HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {alice.token}"
        f"\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
        "Connection: close\r\n\r\n"
    )
    with world.unchanged():
        answer = alice.send(head.encode() + b'{"a":')
        assert answer.status == 400


@pytest.mark.parametrize(
    "fields",
    [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding:\x0bchunked",
    ],
)
def test_imp_10_a_body_ends_in_one_place(alice: Actor, world: World, fields: str):
    """Length and chunks together, and chunks in disguise, smuggle no second request."""
    inner = f"DELETE {NS}/team-a/configmaps/a HTTP/1.1\r\nHost: x\r\n"
    inner += f"Authorization: Bearer {alice.token}\r\n\r\n"
    head = (
        f"POST {NS}/team-a/configmaps?dryRun=All HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {alice.token}\r\nContent-Type: application/json\r\n{fields}\r\n\r\n"
    )
    with world.unchanged():
        answer = alice.send(head.encode("latin-1") + b"0\r\n\r\n" + inner.encode())
        assert answer.status in (0, 400, 501)


@pytest.mark.parametrize(
    "group",
    [
        "system:authenticated",
        "system:unauthenticated",
        "system:serviceaccounts",
        "system:masters",
        "system:serviceaccounts:team-b",
        "llmos:users",
        "llmos:admins",
        "system:nodes",
    ],
)
def test_imp_15_an_owner_binds_no_group_of_the_platform(alice: Actor, world: World, group: str):
    """Neither in a member's binding nor in a role binding."""
    path = f"{RB}/namespaces/team-a/rolebindings"
    with world.unchanged():
        made = member(unique("all"), "team-a", "namespace-readonly", subject(group, "Group"))
        assert alice.post(f"{MG}/roletemplatebindings", made).status in (403, 422)
        role = "llmos:roletemplate:namespace-readonly"
        bound = role_binding(unique("all"), role, subject(group, "Group"))
        assert alice.post(path, bound).status in (403, 422)
        assert alice.apply(f"{path}/{bound['metadata']['name']}", bound).status in (403, 422)


def test_imp_15_users_with_names_of_the_platform_are_not_bound_either(alice: Actor, world: World):
    """``system:anonymous`` as a user is everybody too."""
    path = f"{RB}/namespaces/team-a/rolebindings"
    role = "llmos:roletemplate:namespace-readonly"
    with world.unchanged():
        for user in ("system:anonymous", "system:serviceaccount:team-b:default", "system:admin"):
            assert alice.post(path, role_binding(unique("x"), role, subject(user))).status in (
                403,
                422,
            )


def test_imp_15_an_admin_is_warned(root: Actor, world: World):
    """An admin may bind everybody, with a warning; system:masters gives nothing through llmos."""
    path = f"{RB}/namespaces/team-x/rolebindings"
    name = unique("everybody")
    role = "llmos:roletemplate:namespace-readonly"
    made = role_binding(name, role, subject("system:authenticated", "Group"))
    answer = root.post(path, made)
    assert answer.status in (201, 403)
    if answer.status == 201:
        assert "warning" in answer.headers
        assert root.delete(f"{path}/{name}").status == 200
    with world.unchanged():
        masters = role_binding(name, "cluster-admin", subject("system:masters", "Group"))
        assert root.post(path, masters).status == 403
        masters["kind"] = "ClusterRoleBinding"
        assert root.post(f"{RB}/clusterrolebindings", masters).status == 403


@pytest.mark.parametrize(
    ("user", "path", "expected"),
    [
        ("system:serviceaccount:team-a:runner", f"{NS}/team-a/configmaps", 200),
        ("system:serviceaccount:team-a:runner", f"{NS}/team-b/configmaps", 403),
        ("system:serviceaccount:team-a:default", f"{NS}/team-a/configmaps", 403),
        ("system:serviceaccount:team-b:runner", f"{NS}/team-a/configmaps", 403),
        ("system:serviceaccount:team-a:runner:x", f"{NS}/team-a/configmaps", 403),
        ("system:serviceaccount::runner", f"{NS}/team-a/configmaps", 403),
        ("system:serviceaccount:team-a:", f"{NS}/team-a/configmaps", 403),
        ("system:serviceaccount:team-a/runner", f"{NS}/team-a/configmaps", 403),
        ("System:ServiceAccount:team-a:runner", f"{NS}/team-a/configmaps", 403),
    ],
)
def test_imp_17_a_service_account_is_one_in_its_namespace(
    mallory: Actor, world: World, user: str, path: str, expected: int
):
    """Who may impersonate one account gets its rights, and nobody else's of a similar name."""
    if not world.actors["mallory"].may("impersonate", "serviceaccounts", "team-a", name="runner"):
        world.odd_rule(mallory, "team-a", rule("", "serviceaccounts", "impersonate", "runner"))
        account = {"kind": "ServiceAccount", "name": "runner", "namespace": "team-a"}
        role = "llmos:roletemplate:namespace-readonly"
        made = role_binding("runner-reads", role, account)
        world.do("POST", f"{RB}/namespaces/team-a/rolebindings", made)
    assert mallory.get(path, headers=[("Impersonate-User", user)]).status == expected


def test_imp_22_nobody_asks_for_the_rights_of_others(alice: Actor, world: World):
    """Reviews of other people need rights cluster-wide, or in the namespace they are about."""
    root = {"user": "root", "groups": ["system:masters"]}
    attributes = {"verb": "list", "resource": "secrets", "namespace": "team-b"}
    body = {"spec": {**root, "resourceAttributes": attributes}}
    with world.unchanged():
        assert alice.post(f"{REVIEWS}/subjectaccessreviews", body).status == 403
        local = f"{REVIEWS}/namespaces/team-b/localsubjectaccessreviews"
        assert alice.post(local, body).status == 403
        mine = f"{REVIEWS}/namespaces/team-a/localsubjectaccessreviews"
        answer = alice.post(mine, body)
        assert answer.status in (400, 403, 422)
        tokens = "/apis/authentication.k8s.io/v1/tokenreviews"
        assert alice.post(tokens, {"spec": {"token": "x"}}).status == 403
    own = alice.post(f"{REVIEWS}/selfsubjectaccessreviews", body)
    assert own.status in (201, 400)
    assert own.status == 400 or not own.json()["status"]["allowed"]


@pytest.mark.parametrize(
    "line",
    [
        ":authority: x",
        ":path: /api/v1/secrets",
        "X\x00Y: 1",
        "X\x80Y: 1",
        "X Y: 1",
        "X-Bad: a\x00b",
        " Folded: x",
        "NoColon",
        "",
    ],
)
def test_imp_28_odd_headers_are_refused(alice: Actor, world: World, line: str):
    """What is no header field is a bad request, and never part of another one."""
    data = request_bytes(
        "GET", f"{NS}/team-b/secrets", [("Authorization", f"Bearer {alice.token}")]
    )
    data = data.replace(b"Connection: close", line.encode("latin-1") + b"\r\nConnection: close")
    answer = alice.send(data)
    assert answer.status in (400, 431)


def test_imp_28_many_and_large_headers_are_refused(alice: Actor):
    """Two hundred headers pass or are refused; 70 KB are refused."""
    many = [(f"X-{number}", "y") for number in range(200)]
    assert alice.get(f"{NS}/team-b/secrets", headers=many).status in (403, 431)
    assert alice.get(f"{NS}/team-b/secrets", headers=[("X", "y" * 70_000)]).status in (0, 400, 431)
