"""What each built-in role may do, as a table: what ``test_roles`` compares, and the manual shows.

Written anew with ``python tests/manifests/role_matrix.py`` (from the repository's root).
"""

import sys
from pathlib import Path

from llmos.apis.authentication_v1 import UserInfo
from llmos.apis.authorization_v1 import Attributes
from llmos.authorization.bootstrap import bootstrap_index
from llmos.authorization.index import ROLE_BINDINGS
from llmos.authorization.rbac import RBACAuthorizer

TABLE = Path(__file__).with_name("role_matrix.md")
TEAM = "team-a"
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
READ = VERBS[:3]
USERS = ("llmos:users", "system:authenticated")
PEOPLE = {
    "Administrator": UserInfo("root", groups=("llmos:admins", *USERS)),
    "Owner": UserInfo("olivia", groups=USERS),
    "Editor": UserInfo("edward", groups=USERS),
    "Read-Only": UserInfo("rita", groups=USERS),
    "Standard User": UserInfo("uma", groups=USERS),
}
TEMPLATES = {
    "Owner": "namespace-owner",
    "Editor": "namespace-editor",
    "Read-Only": "namespace-readonly",
}

IN_NAMESPACE = (
    *("configmaps", "secrets", "services", "services/proxy", "endpoints", "persistentvolumeclaims"),
    *("pods", "pods/log", "pods/exec", "pods/eviction", "events", "serviceaccounts"),
    *("serviceaccounts/token", "resourcequotas", "resourcequotas/status", "limitranges"),
    *("namespaces", "namespaces/status", "namespaces/finalize", "namespaces/members"),
    *("apps:deployments", "apps:deployments/scale", "apps:deployments/status", "apps:statefulsets"),
    *("batch:jobs", "batch:cronjobs", "autoscaling:horizontalpodautoscalers"),
    *("networking.k8s.io:ingresses", "networking.k8s.io:networkpolicies"),
    *("policy:poddisruptionbudgets", "coordination.k8s.io:leases"),
    *("discovery.k8s.io:endpointslices", "events.k8s.io:events"),
    *("ml.llmos.ai:notebooks", "ml.llmos.ai:notebooks/status", "ml.llmos.ai:modelservices"),
    *("rbac.authorization.k8s.io:roles", "rbac.authorization.k8s.io:rolebindings"),
    "authorization.k8s.io:localsubjectaccessreviews",
)
CLUSTER_WIDE = (
    *("namespaces", "nodes", "persistentvolumes", "secrets", "pods"),
    *("storage.k8s.io:storageclasses", "scheduling.k8s.io:priorityclasses"),
    *("gpustack.llmos.ai:gpudevices", "apiextensions.k8s.io:customresourcedefinitions"),
    *("management.llmos.ai:users", "management.llmos.ai:globalroles"),
    *("management.llmos.ai:roletemplates", "management.llmos.ai:roletemplatebindings"),
    *("management.llmos.ai:settings", "rbac.authorization.k8s.io:clusterroles"),
    "rbac.authorization.k8s.io:clusterrolebindings",
    "authorization.k8s.io:selfsubjectaccessreviews",
    "authorization.k8s.io:subjectaccessreviews",
)


def authorizer() -> RBACAuthorizer:
    """What ships, with one member of each role in the namespace of the team."""
    index = bootstrap_index()
    for role, template in TEMPLATES.items():
        binding = {
            "metadata": {"name": template, "namespace": TEAM},
            "roleRef": {"kind": "ClusterRole", "name": f"llmos:roletemplate:{template}"},
            "subjects": [{"kind": "User", "name": PEOPLE[role].name}],
        }
        index.set(ROLE_BINDINGS, binding)
    return RBACAuthorizer(index)


def allowed(judge: RBACAuthorizer, person: UserInfo, what: str, namespace: str) -> tuple[str, ...]:
    """The verbs that a person has on a resource."""
    group, _, resource = what.rpartition(":")
    resource, _, subresource = resource.partition("/")
    name = namespace if resource == "namespaces" else ""
    return tuple(
        verb
        for verb in VERBS
        if judge.authorize(
            Attributes(person, verb, group, "", resource, subresource, namespace, name)
        ).allowed
    )


def words(verbs: tuple[str, ...]) -> str:
    """A cell of the table."""
    if verbs == VERBS:
        return "all"
    if not verbs:
        return "no"
    rest = [verb for verb in verbs if verb not in READ]
    if verbs[:3] != READ:
        return ", ".join(verbs)
    return ", ".join(["read", *rest])


def table(people: dict[str, UserInfo], resources: tuple[str, ...], namespace: str) -> str:
    """A Markdown table: a row for each resource, a column for each person."""
    judge = authorizer()
    rows = [["resource", *people], ["---"] * (len(people) + 1)]
    for what in resources:
        group, _, resource = what.rpartition(":")
        shown = f"`{resource}`" + (f" ({group})" if group else "")
        cells = [words(allowed(judge, each, what, namespace)) for each in people.values()]
        rows.append([shown, *cells])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def document() -> str:
    """All tables: in a namespace of one's own, in ``llmos-public``, and in the whole cluster."""
    public = {name: PEOPLE[name] for name in ("Administrator", "Standard User")}
    everywhere = {name: PEOPLE[name] for name in ("Administrator", "Owner", "Standard User")}
    return "\n".join(
        (
            "# What the built-in roles may do",
            "",
            '"read" stands for get, list and watch, "all" for every verb. What admission withholds',
            "from everybody, such as deleting a reserved namespace, is not shown here.",
            "",
            "## In a namespace",
            "",
            table(PEOPLE, IN_NAMESPACE, TEAM),
            "",
            "## In llmos-public",
            "",
            table(public, IN_NAMESPACE, "llmos-public"),
            "",
            "## In the whole cluster",
            "",
            "Who may not list namespaces, role template bindings or all namespaces at once gets",
            "the part that he may see.",
            "",
            table(everywhere, CLUSTER_WIDE, ""),
            "",
        )
    )


if __name__ == "__main__":
    TABLE.write_text(document(), encoding="utf-8")
    sys.stdout.write(f"{TABLE}\n")
