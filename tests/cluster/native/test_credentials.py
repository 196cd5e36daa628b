"""Nobody becomes somebody else: tokens, certificates, impersonation, passwords."""

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from support.native import Native
from support.objects import config_map, secret, user
from support.resources import at

pytestmark = pytest.mark.slow
BELOW = ("alice", "eddie", "vera", "newbie", "outsider", "system:serviceaccount:team-a:runner")
EVERYONE = ("root", *BELOW)


def signing_request(name: str) -> str:
    """What a certificate authority is sent, for somebody of any name."""
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateSigningRequestBuilder().subject_name(named).sign(key, hashes.SHA256())
    return base64.b64encode(made.public_bytes(serialization.Encoding.PEM)).decode()


CSR = signing_request("kubernetes-admin")
CSRS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
RESERVED_ACCOUNTS = (
    ("llmos-system", "llmos-proxy"),
    ("llmos-system", "llmos-controllers"),
    ("kube-system", "namespace-controller"),
    ("kube-system", "default"),
)


@pytest.mark.parametrize(("where", "name"), RESERVED_ACCOUNTS)
@pytest.mark.parametrize("who", EVERYONE)
def test_no_token_of_a_platform_account(native: Native, who: str, where: str, name: str) -> None:
    """Neither by a TokenRequest nor by a Secret that a controller fills."""
    person = native.people[who]
    path = at("serviceaccounts", where, name, "token")
    assert person.create(path, {"spec": {}}).status_code == 403
    asked = {
        **secret("stolen"),
        "type": "kubernetes.io/service-account-token",
        "metadata": {
            "name": "stolen",
            "annotations": {"kubernetes.io/service-account.name": name},
        },
    }
    assert person.create(at("secrets", where), asked).status_code == 403


@pytest.mark.parametrize("who", BELOW)
def test_secrets_of_the_platform_are_unreadable(native: Native, who: str) -> None:
    """Nobody but administrators reads in llmos-system, where passwords and tokens are."""
    person = native.people[who]
    for path in (
        at("secrets", "llmos-system"),
        at("secrets", "llmos-system", "bootstrap"),
        at("secrets"),
        at("configmaps", "llmos-system"),
    ):
        assert person.get(path).status_code == 403
        assert person.get(path, watch="1", timeoutSeconds="1").status_code == 403


@pytest.mark.parametrize("who", EVERYONE)
@pytest.mark.parametrize("kind", ["llmos.ai/token", "llmos.ai/password", "llmos.ai/state"])
def test_nobody_forges_a_session(native: Native, who: str, kind: str) -> None:
    """Records of accounts are written by the proxy: not by an administrator, in no way."""
    person = native.people[who]
    forged = {**secret("token-forged"), "type": kind, "stringData": {"user": "admin"}}
    assert person.create(at("secrets", "llmos-system"), forged).status_code == 403
    path = at("secrets", "llmos-system", "bootstrap")
    data = {"data": {"user": base64.b64encode(b"eve").decode()}}
    assert person.patch(path, data).status_code == 403
    applied = {**forged, "metadata": {"name": "bootstrap"}}
    assert person.apply(path, applied, force="true").status_code in (403, 422)
    assert person.delete(path).status_code == 403
    assert native.root.get(path).status_code == 200


@pytest.mark.parametrize("who", EVERYONE)
def test_nothing_runs_beside_the_platform(native: Native, who: str) -> None:
    """What ran in llmos-system could take the proxy's account; nobody leads in its place."""
    person = native.people[who]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "thief"},
        "spec": {
            "serviceAccountName": "llmos-proxy",
            "containers": [{"name": "c", "image": "example"}],
        },
    }
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod["spec"]}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "thief"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template},
    }
    leases = "/apis/coordination.k8s.io/v1/namespaces/llmos-system/leases"
    assert person.create(at("pods", "llmos-system"), pod).status_code == 403
    assert person.create(at("deployments", "llmos-system"), deployment).status_code == 403
    lease = {"spec": {"holderIdentity": "thief"}}
    assert person.patch(f"{leases}/llmos-controllers", lease).status_code == 403
    assert person.delete(f"{leases}/llmos-controllers").status_code == 403
    record = at("configmaps", "llmos-system", "llmos-installation")
    assert person.patch(record, {"data": {"objects": ""}}).status_code == 403
    assert person.delete(record).status_code == 403
    assert person.delete(at("serviceaccounts", "llmos-system", "llmos-proxy")).status_code == 403
    assert person.delete(at("serviceaccounts", "llmos-system")).status_code == 403


def test_an_administrator_works_in_llmos_system(native: Native) -> None:
    """What is not the platform's own he may keep there."""
    root, path = native.people["root"], at("configmaps", "llmos-system")
    assert root.create(path, config_map("mine")).status_code == 201
    assert root.delete(f"{path}/mine").status_code == 200


@pytest.mark.parametrize("who", EVERYONE)
@pytest.mark.parametrize("signer", ["kube-apiserver-client", "kube-apiserver-client-kubelet"])
def test_no_certificate_of_the_cluster(native: Native, who: str, signer: str) -> None:
    """SUB-10: neither asked for nor approved."""
    person = native.people[who]
    request = {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": f"asked-{signer}"},
        "spec": {
            "request": CSR,
            "signerName": f"kubernetes.io/{signer}",
            "usages": ["client auth"],
        },
    }
    assert person.create(CSRS, request).status_code == 403
    operators = {**request, "metadata": {"name": f"operators-{signer}"}}
    native.root.create(CSRS, operators)
    path = f"{CSRS}/operators-{signer}"
    made = native.root.get(path).json()
    condition = {"type": "Approved", "status": "True", "reason": "Mine", "message": "mine"}
    made.setdefault("status", {})["conditions"] = [condition]
    assert person.update(f"{path}/approval", made).status_code == 403
    made["status"] = {"certificate": base64.b64encode(b"forged").decode()}
    assert person.update(f"{path}/status", made).status_code in (403, 422)


@pytest.mark.parametrize("who", BELOW)
def test_nobody_acts_for_others(native: Native, who: str) -> None:
    """No right to impersonate comes from llmos: not even for accounts of the own namespace."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
    }
    asked = [
        {"resource": "users", "name": "root"},
        {"resource": "groups", "name": "llmos:admins"},
        {"resource": "groups", "name": "system:masters"},
        {"resource": "serviceaccounts", "namespace": "team-a", "name": "default"},
        {"resource": "serviceaccounts", "namespace": "llmos-system", "name": "llmos-proxy"},
    ]
    for each in asked:
        spec = {"resourceAttributes": {"verb": "impersonate", **each}}
        answer = native.people[who].create(
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {**review, "spec": spec}
        )
        assert answer.json()["status"]["allowed"] is False, each


@pytest.mark.parametrize("who", BELOW)
def test_policies_kinds_and_webhooks_are_out_of_reach(native: Native, who: str) -> None:
    """ADM-10, CRD-01: nobody below an administrator touches what decides."""
    person = native.people[who]
    registration = "/apis/admissionregistration.k8s.io/v1"
    for path in (
        f"{POLICIES}/llmos-namespaces",
        f"{registration}/validatingadmissionpolicybindings/llmos-namespaces",
        at("customresourcedefinitions", name="users.management.llmos.ai"),
        at("clusterroles", name="llmos:globalrole:admin"),
        at("clusterrolebindings", name="llmos:admins"),
    ):
        assert person.delete(path).status_code == 403, path
        assert person.patch(path, {"metadata": {"labels": {"a": "b"}}}).status_code == 403, path
    for path in (
        f"{registration}/mutatingwebhookconfigurations",
        f"{registration}/validatingwebhookconfigurations",
        "/apis/apiregistration.k8s.io/v1/apiservices",
        at("customresourcedefinitions"),
    ):
        assert person.create(path, {"metadata": {"name": "x"}}).status_code == 403, path


def test_no_password_is_stored(native: Native) -> None:
    """A User with a password is refused, whoever writes it: only the proxy takes passwords out."""
    for person in (native.root, native.people["root"]):
        asked = user("dora", "correct-horse-battery", username="dora")
        answer = person.create(at("users"), asked)
        assert answer.status_code == 422, answer.text
        assert "correct-horse" not in answer.text
        applied = person.apply(at("users", name="dora"), asked)
        assert applied.status_code == 422
    assert native.root.get(at("users", name="dora")).status_code == 404


@pytest.mark.parametrize("who", BELOW)
def test_users_are_an_administrators_to_manage(native: Native, who: str) -> None:
    """USR-01: nobody makes himself an administrator, or reads who there is."""
    person, path = native.people[who], at("users", name="admin")
    assert person.get(at("users")).status_code == 403
    assert person.get(path).status_code == 403
    assert person.patch(path, {"spec": {"isActive": False}}).status_code == 403
    assert person.patch(f"{path}/status", {"status": {"isAdmin": True}}).status_code == 403
    assert person.create(at("users"), user("x", "y")).status_code == 403


def test_a_manager_of_users_does_not_rise(native: Native) -> None:
    """USR-04, USR-05: he neither gives groups that he is not in, nor touches an administrator."""
    verbs = ("get", "list", "create", "update", "patch", "delete")
    rules = [{"apiGroups": ["management.llmos.ai"], "resources": ["users"], "verbs": list(verbs)}]
    native.make(at("globalroles"), {
        "apiVersion": "management.llmos.ai/v1", "kind": "GlobalRole",
        "metadata": {"name": "user-manager"}, "spec": {"displayName": "x"}, "rules": rules,
    })  # fmt: skip
    native.bind("carol-users", "user-manager", "", {"kind": "User", "name": "clara"})
    clara = native.person("clara", "llmos:users", "staff")
    made = {
        "apiVersion": "management.llmos.ai/v1",
        "kind": "User",
        "metadata": {"name": "dave"},
        "spec": {"username": "dave", "groups": ["staff"]},
    }
    assert clara.create(at("users"), made).status_code == 201
    path = at("users", name="dave")
    assert clara.patch(path, {"spec": {"groups": ["vision"]}}).status_code == 403
    assert clara.patch(path, {"spec": {"isAdmin": True}}).status_code == 403
    assert clara.patch(path, {"spec": {"username": "root"}}).status_code == 422
    assert native.root.patch(path, {"spec": {"username": "root"}}).status_code == 422
    native.admin_is_known()
    for answer in (
        clara.patch(at("users", name="admin"), {"spec": {"isActive": False}}),
        clara.delete(at("users", name="admin")),
    ):
        assert answer.status_code == 403
    twin = {**made, "metadata": {"name": "dave-2"}, "spec": {"username": "DAVE"}}
    assert clara.create(at("users"), twin).status_code == 422
