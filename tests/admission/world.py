"""A small cluster in memory, with the real authorizer, for the tests of admission."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache

from llmos.admission.default_chain import default_chain
from llmos.admission.identity import CONTROLLERS
from llmos.admission.policies import Policies
from llmos.apimachinery.cel.rules import compile_rules
from llmos.apimachinery.errors import InvalidError, StatusError
from llmos.apimachinery.object import Object, copy_object, name_of, namespace_of
from llmos.apimachinery.resource import APIResource, GroupResource
from llmos.apis import admissionregistration_v1
from llmos.apis.admission_v1 import Admission, AdmissionAttributes
from llmos.apis.authentication_v1 import ADMINS_GROUP, AUTHENTICATED_GROUP, USERS_GROUP, UserInfo
from llmos.apis.authorization_v1 import Attributes, Authorizer, Decision
from llmos.apis.custom import custom_strategy
from llmos.apis.namespaces import RESERVED_NAMESPACES
from llmos.apis.strategy import Strategy
from llmos.authorization.escalation import Escalation
from llmos.authorization.index import RBACIndex
from llmos.authorization.rbac import RBACAuthorizer
from llmos.manifests import load

NOW = 1_800_000_000.0
ALLOWED = (0, "", "")
RBAC = "rbac.authorization.k8s.io"
MANAGEMENT = "management.llmos.ai"
REGISTRATION = "admissionregistration.k8s.io"

ADMIN = UserInfo("root", groups=(USERS_GROUP, AUTHENTICATED_GROUP, ADMINS_GROUP))
ALICE = UserInfo("alice", groups=(USERS_GROUP, AUTHENTICATED_GROUP))
CAROL = UserInfo("carol", groups=(USERS_GROUP, AUTHENTICATED_GROUP, "staff"))
ROBOT = UserInfo("robot", groups=(AUTHENTICATED_GROUP,))
MASTER = UserInfo("kubernetes-admin", groups=("system:masters", AUTHENTICATED_GROUP))
PRETENDER = UserInfo("eve", groups=(USERS_GROUP, "system:masters"))
"""Signed in through llmos, whatever other groups she is in."""
CONTROLLER = UserInfo(CONTROLLERS, groups=("system:serviceaccounts", AUTHENTICATED_GROUP))
RUNNER = UserInfo(
    "system:serviceaccount:team-a:runner", groups=("system:serviceaccounts", AUTHENTICATED_GROUP)
)
"""A service account of a user namespace: acts for whoever owns it."""
OPERATOR = UserInfo("operator", groups=(AUTHENTICATED_GROUP,))
"""May do everything, and is no user of llmos: the cluster's own administrator."""
MANAGER = UserInfo("system:kube-controller-manager", groups=(AUTHENTICATED_GROUP,))
SCHEDULER = UserInfo("system:serviceaccount:kube-system:scheduler")
FREE = (OPERATOR, MANAGER, SCHEDULER)
"""Not llmos' subjects, nor its parts."""
EVERYBODY = (ADMIN, ALICE, CAROL, ROBOT, RUNNER, MASTER, PRETENDER, CONTROLLER)
PLATFORM = (MASTER, CONTROLLER)


def kind(plural: str, kind_name: str, group: str = "", namespaced: bool = True) -> APIResource:
    """A row of discovery."""
    return APIResource(group, "v1", plural, kind_name.lower(), kind_name, namespaced)


KINDS = {
    each.plural: each
    for each in (
        kind("namespaces", "Namespace", namespaced=False),
        kind("configmaps", "ConfigMap"),
        kind("secrets", "Secret"),
        kind("pods", "Pod"),
        kind("services", "Service"),
        kind("serviceaccounts", "ServiceAccount"),
        kind("persistentvolumeclaims", "PersistentVolumeClaim"),
        kind("resourcequotas", "ResourceQuota"),
        kind("limitranges", "LimitRange"),
        kind("leases", "Lease", "coordination.k8s.io"),
        kind("replicationcontrollers", "ReplicationController"),
        kind("deployments", "Deployment", "apps"),
        kind("jobs", "Job", "batch"),
        kind(
            "certificatesigningrequests",
            "CertificateSigningRequest",
            "certificates.k8s.io",
            False,
        ),
        kind("localsubjectaccessreviews", "LocalSubjectAccessReview", "authorization.k8s.io"),
        kind("storageclasses", "StorageClass", "storage.k8s.io", False),
        kind("roles", "Role", RBAC),
        kind("rolebindings", "RoleBinding", RBAC),
        kind("clusterroles", "ClusterRole", RBAC, False),
        kind("clusterrolebindings", "ClusterRoleBinding", RBAC, False),
        kind("users", "User", MANAGEMENT, False),
        kind("globalroles", "GlobalRole", MANAGEMENT, False),
        kind("roletemplates", "RoleTemplate", MANAGEMENT, False),
        kind("roletemplatebindings", "RoleTemplateBinding", MANAGEMENT, False),
        kind("settings", "Setting", MANAGEMENT, False),
        kind("validatingadmissionpolicies", "ValidatingAdmissionPolicy", REGISTRATION, False),
        kind(
            "validatingadmissionpolicybindings",
            "ValidatingAdmissionPolicyBinding",
            REGISTRATION,
            False,
        ),
    )
}


def find_kind(group: str, version: str, name: str) -> APIResource | None:
    """The resource of a kind."""
    wanted = (group, version, name)
    return next((each for each in KINDS.values() if tuple(each.gvk) == wanted), None)


class Asked:
    """Whoever answers in the world that was made last; policies are compiled once for all."""

    def __init__(self) -> None:
        self.authorizer: Authorizer | None = None

    def authorize(self, attributes: Attributes) -> Decision:
        """Pass the question on."""
        assert self.authorizer is not None
        return self.authorizer.authorize(attributes)


ASKED = Asked()


@cache
def compiled_policies() -> Policies:
    """The platform's own policies."""
    policies = Policies(Memory(), ASKED, find_kind)
    install(policies, load("policies"))
    return policies


def install(policies: Policies, objects: Iterable[Object]) -> None:
    """Put policies and bindings in force, as their strategies complete them."""
    for obj in objects:
        if obj["kind"] == "ValidatingAdmissionPolicy":
            admissionregistration_v1.policies().default(obj)
            policies.set_policy(obj)
        else:
            admissionregistration_v1.bindings().default(obj)
            policies.set_binding(obj)


def installed_policies(memory: "Memory", authorizer: Authorizer) -> Policies:
    """The platform's policies in force over a memory, where others may join them."""
    shipped = compiled_policies()
    ASKED.authorizer = authorizer
    return replace(
        shipped,
        lister=memory,
        authorizer=authorizer,
        _policies=dict(shipped._policies),
        _bindings=dict(shipped._bindings),
        _by_sort={},
    )


@cache
def definition(plural: str) -> Strategy:
    """What the definition of a kind of ours says of its instances."""
    (crd,) = (each for each in load("crds") if name_of(each) == f"{plural}.{MANAGEMENT}")
    return custom_strategy(crd, "v1", compile_rules)


def validate_custom(attributes: AdmissionAttributes) -> None:
    """What the registry does between the two phases: defaults and the rules of the definition."""
    resource, new = attributes.resource, attributes.object
    if resource.group != MANAGEMENT or new is None or attributes.subresource:
        return
    strategy = definition(resource.plural)
    strategy.default(new)
    errors = [*strategy.validate(new)]
    if not errors and attributes.old_object is not None:
        old = copy_object(attributes.old_object)
        strategy.default(old)
        judge = strategy.revalidate
        errors = [*(judge(new, old, []) if judge else strategy.validate_update(new, old))]
    if errors:
        raise InvalidError.of(resource.gvk, name_of(new), errors)


@dataclass
class Memory:
    """An Inventory; what is stored is never changed in place."""

    objects: dict[tuple[str, str, str], Object] = field(default_factory=dict)

    def get(self, resource: GroupResource, namespace: str, name: str) -> Object | None:
        """One object, or None."""
        return self.objects.get((resource.resource, namespace, name))

    def list(self, resource: GroupResource, namespace: str | None = None) -> Iterable[Object]:
        """All objects of a resource, in one namespace or in all."""
        return [
            obj
            for (plural, where, _), obj in self.objects.items()
            if plural == resource.resource and namespace in (None, where)
        ]

    def count(self, resource: GroupResource, namespace: str) -> int:
        """How many there are in a namespace."""
        return len([*self.list(resource, namespace)])


class World:
    """A cluster with some namespaces, where ``root`` may do everything."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.index = RBACIndex()
        authorizer = RBACAuthorizer(self.index)
        self.policies = installed_policies(self.memory, authorizer)
        self.chain: Admission = default_chain(
            self.memory, authorizer, Escalation(self.index), lambda: NOW, self.policies
        )
        names = ("default", "team-a", "team-b", "llmos-public", *RESERVED_NAMESPACES)
        for name in names:
            self.put("namespaces", namespace(name))
        self.put("namespaces", namespace("ending", deletionTimestamp="2027-01-01T00:00:00Z"))
        for name in ("root", OPERATOR.name):
            self.grant(name, [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}])

    def put(self, plural: str, obj: Object) -> Object:
        """Store an object, past admission."""
        resource = KINDS[plural]
        self.memory.objects[plural, namespace_of(obj), name_of(obj)] = obj
        if resource.group == RBAC:
            self.index.set(resource.group_resource, obj)
        return obj

    def grant(self, user: str, rules: list[Object], where: str = "") -> None:
        """Give a user rules, in one namespace or everywhere."""
        name = f"{user}-{len(self.memory.objects)}"
        reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": name}
        subjects = [{"apiGroup": RBAC, "kind": "User", "name": user}]
        self.put("clusterroles", {"metadata": {"name": name}, "rules": rules})
        binding = {"metadata": {"name": name}, "roleRef": reference, "subjects": subjects}
        if where:
            binding["metadata"]["namespace"] = where
        self.put("rolebindings" if where else "clusterrolebindings", binding)

    def attributes(
        self,
        user: UserInfo,
        operation: str,
        plural: str,
        new: Object | None,
        old: Object | None = None,
        **more: object,
    ) -> AdmissionAttributes:
        """A change, as the registry describes it."""
        obj = new or old or {}
        return AdmissionAttributes(
            operation=operation,
            resource=KINDS[plural],
            subresource=str(more.pop("subresource", "")),
            namespace=namespace_of(obj),
            name=name_of(obj),
            object=copy_object(new),
            old_object=old,
            user=user,
            **more,
        )

    def admit(self, *args: object, **more: object) -> AdmissionAttributes:
        """Run both phases; a refusal raises."""
        attributes = self.attributes(*args, **more)
        self.chain.mutate(attributes)
        validate_custom(attributes)
        self.chain.validate(attributes)
        return attributes

    def verdict(self, *args: object, **more: object) -> tuple[int, str, str]:
        """``ALLOWED``, or code, reason and message of the refusal."""
        try:
            self.admit(*args, **more)
        except StatusError as error:
            return error.code, error.reason, error.message
        return ALLOWED

    def code(self, *args: object, **more: object) -> int:
        """0 where it is allowed, the refusal's code otherwise."""
        return self.verdict(*args, **more)[0]

    def create(self, user: UserInfo, plural: str, obj: Object) -> int:
        """Create, and store what was admitted with all that goes with it."""
        try:
            attributes = self.admit(user, "CREATE", plural, obj)
        except StatusError as error:
            return error.code
        assert attributes.object is not None
        self.put(plural, attributes.object)
        for resource, other in attributes.also:
            self.put(resource.resource, other)
        return 0


def namespace(name: str, **metadata: object) -> Object:
    """A Namespace as it is stored."""
    meta = {"name": name, "labels": {"kubernetes.io/metadata.name": name}, **metadata}
    return {"metadata": meta, "spec": {"finalizers": ["kubernetes"]}}


def named(name: str, where: str = "", **fields: object) -> Object:
    """An object of any kind."""
    return {"metadata": {"name": name, **({"namespace": where} if where else {})}, **fields}


def changed(obj: Object, **fields: object) -> Object:
    """A copy with other metadata (``metadata=…`` is merged) and fields."""
    copy = copy_object(obj)
    copy["metadata"] |= fields.pop("metadata", {})
    return {**copy, **fields}
