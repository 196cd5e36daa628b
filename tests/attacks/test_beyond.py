"""RBAC, SUB, ADM and CTL where the cluster itself has to hold what the proxy lets through."""

import base64
import copy

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from attacks.support import Actor, World
from attacks.words import MG, NS, RB, rule, unique
from support.waiting import stays, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.on("cluster")]
ADMISSION = "/apis/admissionregistration.k8s.io/v1"
CSRS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
LEASES = "/apis/coordination.k8s.io/v1/namespaces"
AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-admin"
RECREATED_SECONDS = 2


def cluster_role(name: str, *, label: str = "") -> dict:
    """A ClusterRole that reads secrets."""
    return {
        "metadata": {"name": name, "labels": {label: "true"} if label else {}},
        "rules": [rule("", "secrets", "*")],
    }


@pytest.mark.parametrize("who", ["alice", "carol", "vera", "runner"])
def test_rbac_25_nobody_adds_to_the_roles_of_kubernetes(world: World, who: str):
    """Neither by a new role of the label, nor by the label on an old one, nor by a rule."""
    actor = world.actors[who]
    label = {"metadata": {"labels": {AGGREGATE: "true"}}}
    made = cluster_role(unique("more"), label=AGGREGATE)
    gathers = {
        "metadata": {"name": unique("all")},
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {AGGREGATE: "true"}}]},
    }
    with world.unchanged():
        assert actor.post(f"{RB}/clusterroles", made).status == 403
        assert actor.apply(f"{RB}/clusterroles/{made['metadata']['name']}", {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", **made,
        }).status == 403  # fmt: skip
        assert actor.post(f"{RB}/clusterroles", gathers).status == 403
        for name in ("view", "llmos:roletemplate:namespace-owner"):
            assert actor.patch(f"{RB}/clusterroles/{name}", label).status == 403


SERVICE = {
    "metadata": {"name": "s"},
    "spec": {"type": "ExternalName", "externalName": "kubernetes"},
}


def test_sub_04_no_service_is_a_way_to_others(world: World, alice: Actor):
    """What a tenant's Service points at is fetched for nobody: neither by name nor by address."""
    assert alice.post(f"{NS}/team-a/services", SERVICE).status == 201
    inside = {
        "metadata": {"name": unique("points")},
        "subsets": [{"addresses": [{"ip": "127.0.0.1"}], "ports": [{"port": 1}]}],
    }
    assert alice.post(f"{NS}/team-a/endpoints", inside).status in (403, 422)
    for end in ("", "/", "/api/v1/secrets"):
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            answer = alice.call(method, f"{NS}/team-a/services/s/proxy{end}")
            assert answer.status in (403, 404), f"{method} {end}"
    world.operator.delete(f"{NS}/team-a/services/s")


@pytest.mark.parametrize("name", ["kubernetes", "https:kubernetes:443"])
def test_sub_07_the_proxy_of_a_node_or_service_is_for_nobody(alice: Actor, name: str):
    """No credentials of the platform go out through it."""
    pairs = [("Cookie", "L_SESS=x"), ("X-CSRF", "y")]
    assert alice.get(f"{NS}/default/services/{name}/proxy/", headers=pairs).status == 403
    assert alice.get("/api/v1/nodes/node-one/proxy/pods", headers=pairs).status == 403
    assert alice.get(f"{NS}/team-b/pods/p/proxy/", headers=pairs).status == 403


def signing_request(organization: str) -> str:
    """What a certificate authority is sent."""
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([
        x509.NameAttribute(NameOID.COMMON_NAME, "alice"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
    ])  # fmt: skip
    made = x509.CertificateSigningRequestBuilder().subject_name(named).sign(key, hashes.SHA256())
    return base64.b64encode(made.public_bytes(serialization.Encoding.PEM)).decode()


@pytest.mark.parametrize("who", ["alice", "carol", "newbie", "runner"])
def test_sub_10_nobody_has_himself_certified(world: World, who: str):
    """A certificate of the cluster would be a way around the proxy and around the end of rights."""
    actor = world.actors[who]
    name = unique("csr")
    body = {
        "metadata": {"name": name},
        "spec": {
            "request": signing_request("system:masters"),
            "signerName": "kubernetes.io/kube-apiserver-client",
            "usages": ["client auth"],
        },
    }
    approval = {"status": {"conditions": [{"type": "Approved", "status": "True", "reason": "x"}]}}
    with world.unchanged():
        assert actor.post(CSRS, body).status == 403
        assert actor.put(f"{CSRS}/{name}/approval", body | approval).status == 403
        assert actor.patch(f"{CSRS}/{name}/approval", approval).status == 403


@pytest.mark.parametrize("who", ["alice", "vera", "root"])
@pytest.mark.parametrize(
    "target",
    [
        "../../team-b/model.bin",
        "..\\..\\team-b\\model.bin",
        "/etc/passwd",
        "%2e%2e/team-b",
        "a\x00b",
    ],
)
def test_sub_12_there_are_no_files_to_ask_for(world: World, who: str, target: str):
    """No path of the platform is one of a disk."""
    body = {"targetFilePath": target, "relativePaths": [target]}
    for path in ("/v1/files", "/apis/v1-public/files", "/upload", f"{NS}/team-a/files"):
        assert world.actors[who].post(path, body).status in (403, 404)


WAYS = {
    "metadata": lambda alice, path, body: alice.patch(path, body),
    "status": lambda alice, path, body: alice.patch(f"{path}/status", body),
    "finalize": lambda alice, path, body: alice.put(f"{path}/finalize", body),
    "apply": lambda alice, path, body: alice.apply(path, body),
    "apply-status": lambda alice, path, body: alice.apply(f"{path}/status", body),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("holds", ["as she is", "every right on namespaces"])
def test_adm_08_nobody_labels_himself_out_of_the_rules(world: World, way: str, holds: str):
    """Labels that selectors decide by are guarded on every path to them."""
    eve = world.throwaway("eve")
    name = unique("own-a")
    world.bind(name, "namespace-owner", eve.name, "team-a")
    odd = ""
    if holds != "as she is":
        odd = world.odd_rule(
            eve, "team-a",
            rule("", "namespaces namespaces/status namespaces/finalize", "get patch update"),
        )  # fmt: skip
        wait_until(lambda: eve.may("patch", "namespaces", "team-a", name="team-a"), 5)
    body = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "team-a", "labels": {"llmos.ai/system": "true"}},
    }
    with world.unchanged():
        assert WAYS[way](eve, f"{NS}/team-a", body).status == 403
    if odd:
        world.do("DELETE", f"{RB}/namespaces/team-a/rolebindings/{odd}")
        world.do("DELETE", f"{RB}/namespaces/team-a/roles/{odd}")
    world.do("DELETE", f"{MG}/roletemplatebindings/{name}")
    world.do("DELETE", f"{MG}/users/{eve.name}")


GUARDED = {"namespaces", "namespaces/status", "namespaces/finalize"}


def holes(policy: dict, bound: set[str]) -> list[str]:
    """What an installed policy leaves open that it should not."""
    spec = policy["spec"]
    constraints = spec["matchConstraints"]
    found = []
    if spec.get("failurePolicy") != "Fail":
        found.append("it does not fail closed")
    if constraints.get("matchPolicy") != "Equivalent":
        found.append("other versions pass")
    if policy["metadata"]["name"] not in bound:
        found.append("nothing binds it")
    rules = constraints["resourceRules"]
    resources = {
        each for one in rules for each in one["resources"] if each.partition("/")[0] == "namespaces"
    }
    if resources and "namespaces/members" not in resources:
        operations = {each for one in rules for each in one["operations"]}
        if resources - {"namespaces"} and not resources >= GUARDED:
            found.append(f"without {sorted(GUARDED - resources)}")
        if not operations & {"UPDATE", "DELETE", "CREATE", "*"}:
            found.append("no operations")
    return found


def _policies(world: World) -> list[dict]:
    items = world.stored.read(f"{ADMISSION}/validatingadmissionpolicies")["items"]
    return [each for each in items if "llmos" in each["metadata"]["name"]]


def _warns(binding: dict) -> bool:
    """Whether it is there to tell people something, and not to keep them from it."""
    return binding["metadata"]["name"] in (
        "llmos-not-for-production",
        "llmos-binding-subjects-warning",
    )


def _bound(world: World) -> set[str]:
    items = world.stored.read(f"{ADMISSION}/validatingadmissionpolicybindings")["items"]
    return {
        each["spec"]["policyName"]
        for each in items
        if each["spec"]["validationActions"] == (["Warn"] if _warns(each) else ["Deny"])
        and not each["spec"].get("matchResources")
    }


def test_adm_09_no_policy_has_a_hole(world: World):
    """Each fails closed, for every version, bound everywhere, to Deny."""
    policies, bound = _policies(world), _bound(world)
    assert policies
    assert {each["metadata"]["name"]: holes(each, bound) for each in policies} == {
        each["metadata"]["name"]: [] for each in policies
    }
    resources = {
        (each, operation)
        for policy in policies
        for one in policy["spec"]["matchConstraints"]["resourceRules"]
        for each in one["resources"]
        for operation in one["operations"]
    }
    for each in GUARDED:
        assert (each, "UPDATE") in resources or (each, "*") in resources
    assert ("namespaces", "DELETE") in resources
    assert ("namespaces", "CREATE") in resources


def test_adm_09_every_hole_would_be_seen(world: World):
    """What is taken from a policy is missed."""
    bound = _bound(world)
    for policy in _policies(world):
        assert holes(policy, set())
        for key, value in (("failurePolicy", "Ignore"), ("matchConstraints", "Exact")):
            worse = copy.deepcopy(policy)
            if key == "failurePolicy":
                worse["spec"][key] = value
            else:
                worse["spec"][key]["matchPolicy"] = value
            assert holes(worse, bound), key


@pytest.mark.parametrize("who", ["alice", "carol", "runner"])
@pytest.mark.parametrize(
    "kind", ["validatingadmissionpolicies", "validatingadmissionpolicybindings",
             "mutatingadmissionpolicies", "validatingwebhookconfigurations",
             "mutatingwebhookconfigurations"],
)  # fmt: skip
def test_adm_10_nobody_takes_a_rule_away(world: World, who: str, kind: str):
    """What policies cannot guard, because they are not asked about themselves, RBAC does."""
    actor = world.actors[who]
    path = f"{ADMISSION}/{kind}"
    found = world.operator.get(path)
    names = [each["metadata"]["name"] for each in found.json().get("items", ())] or ["none"]
    with world.unchanged():
        for name in names:
            assert actor.delete(f"{path}/{name}").status == 403
            body = {"spec": {"failurePolicy": "Ignore"}}
            assert actor.patch(f"{path}/{name}", body).status == 403
        assert actor.delete(path).status == 403
        assert actor.post(path, {"metadata": {"name": "mine"}}).status == 403


def test_adm_10_no_policy_depends_on_what_may_be_missing(world: World):
    """Either there is no parameter, or its absence denies."""
    for each in world.stored.read(f"{ADMISSION}/validatingadmissionpolicybindings")["items"]:
        # Other users are parameters of one, and where there are none no name is taken.
        ours = each["metadata"]["name"].startswith("llmos-") and "paramRef" in each["spec"]
        if ours and each["metadata"]["name"] != "llmos-usernames":
            assert each["spec"]["paramRef"]["parameterNotFoundAction"] == "Deny"


@pytest.mark.parametrize("who", ["alice", "carol", "newbie", "runner"])
def test_ctl_06_nobody_takes_the_lead(world: World, who: str):
    """The Lease of the controllers is not to be had, and one of the same name means nothing."""
    actor = world.actors[who]
    items = world.stored.read(f"{LEASES}/llmos-system/leases")["items"]
    assert items, "nobody leads"
    for lease in items:
        name = lease["metadata"]["name"]
        path = f"{LEASES}/llmos-system/leases/{name}"
        lease["spec"]["holderIdentity"] = "me"
        assert actor.put(path, lease).status == 403
        assert actor.patch(path, {"spec": {"holderIdentity": "me"}}).status == 403
        assert actor.delete(path).status == 403
        twin = {"metadata": {"name": name}, "spec": {"holderIdentity": "me"}}
        assert actor.post(f"{LEASES}/team-a/leases", twin).status in (201, 403)
        assert stays(lambda path=path: world.do("GET", path)["spec"]["holderIdentity"] != "me", 0.2)
        world.operator.delete(f"{LEASES}/team-a/leases/{name}")
    still = world.throwaway("led")
    binding = unique("led")
    world.bind(binding, "namespace-readonly", still.name, "team-a")
    world.do("DELETE", f"{MG}/roletemplatebindings/{binding}")
    world.do("DELETE", f"{MG}/users/{still.name}")


def _made_for(world: World, kind: str, binding: str) -> dict | None:
    items = world.stored.read(f"{RB}/namespaces/team-x/{kind}")["items"]
    uid = world.do("GET", f"{MG}/roletemplatebindings/{binding}")["metadata"]["uid"]
    owned = [
        each
        for each in items
        if uid in [owner["uid"] for owner in each["metadata"].get("ownerReferences", ())]
    ]
    return owned[0] if owned else None


@pytest.mark.parametrize("change", ["delete", "labels", "subjects"])
def test_ctl_07_what_is_changed_by_hand_comes_back(world: World, change: str):
    """An operator who goes past the platform is corrected within two seconds."""
    eve = world.throwaway("eve")
    name = unique("drift")
    world.bind(name, "namespace-readonly", eve.name, "team-x")
    made = _made_for(world, "rolebindings", name)
    assert made is not None
    path = f"{RB}/namespaces/team-x/rolebindings/{made['metadata']['name']}"
    if change == "delete":
        world.do("DELETE", path)
    elif change == "labels":
        made["metadata"].pop("labels", None)
        world.do("PUT", path, made)
    else:
        world.do("PUT", path, made | {"subjects": []})
    wanted = {
        "subjects": lambda found: found and found.get("subjects"),
        "delete": lambda found: found,
        "labels": lambda found: found,
    }[change]
    wait_until(lambda: wanted(_made_for(world, "rolebindings", name)), RECREATED_SECONDS)
    wait_until(lambda: eve.get(f"{NS}/team-x/configmaps").status == 200, RECREATED_SECONDS)
    world.do("DELETE", f"{MG}/roletemplatebindings/{name}")
    world.do("DELETE", f"{MG}/users/{eve.name}")
