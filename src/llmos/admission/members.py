"""Who may make whom a member of a namespace: until when, and what RoleTemplateBindings name.

Who it was is written into the binding.

What they look like, and what of them never changes, their definition in ``manifests/crds`` says;
whether their author may write members at all, by the policies in ``manifests/policies``, which come
between the two: nobody probes for names.
"""

from dataclasses import dataclass

from llmos.admission.identity import is_platform
from llmos.admission.namespace_lifecycle import ending, is_ending
from llmos.admission.plugin import WRITES, Mutator, Scope, Validator
from llmos.admission.refusals import invalid, objects_of
from llmos.admission.resources import (
    GLOBAL_ROLES,
    NAMESPACES,
    ROLE_TEMPLATE_BINDINGS,
    ROLE_TEMPLATES,
)
from llmos.admission.rights import Rights
from llmos.admission.subjects import added_subjects
from llmos.apimachinery.clock import Clock, parse_rfc3339
from llmos.apimachinery.errors import FieldError
from llmos.apimachinery.lister import Lister
from llmos.apimachinery.object import (
    Object,
    annotations_of,
    get_path,
    is_terminating,
    put_annotation,
)
from llmos.apimachinery.validation import field_invalid, field_not_found
from llmos.apis.admission_v1 import AdmissionAttributes
from llmos.apis.role_template_bindings import GRANTED_BY


def target_namespace(attributes: AdmissionAttributes) -> str:
    """The namespace a binding points to; ``""`` is the whole cluster.

    What is stored already counts before what is sent: the field is immutable.
    """
    binding = attributes.old_object or attributes.object or {}
    return str(binding.get("namespaceId") or "")


def record_granter(attributes: AdmissionAttributes) -> None:
    """The server writes ``llmos.ai/granted-by``: who made a binding, or gave more by it later.

    Whatever was sent. Only the platform itself may write any name, or none: it restores backups and
    gives the roles that come by default.
    """
    if is_platform(attributes.user) or attributes.object is None:
        return
    granter = annotations_of(attributes.old_object or {}).get(GRANTED_BY)
    if attributes.operation == "CREATE" or _gives_more(attributes):
        granter = attributes.user.name
    put_annotation(attributes.object, GRANTED_BY, granter)


@dataclass(frozen=True, slots=True)
class Members:
    """The rules that need to look around."""

    lister: Lister
    rights: Rights
    clock: Clock

    def check_expiry(self, attributes: AdmissionAttributes) -> None:
        """A new ``expiresAt`` lies in the future.

        Raises:
            InvalidError: it does not.
        """
        new, old = objects_of(attributes)
        if new.get("expiresAt") == old.get("expiresAt"):
            return
        errors = expiry_errors(new, self.clock())
        if errors:
            raise invalid(attributes, *errors)

    def require_active_namespace(self, attributes: AdmissionAttributes) -> None:
        """A new member needs a namespace that is there and stays.

        Raises:
            InvalidError: there is no such namespace.
            ForbiddenError: it is ending.
        """
        name = target_namespace(attributes)
        if not name:
            return
        namespace = self.lister.get(NAMESPACES, "", name)
        if namespace is None:
            raise invalid(attributes, field_not_found("namespaceId", name))
        if is_ending(namespace):
            raise ending(attributes, name)

    def require_template(self, attributes: AdmissionAttributes) -> None:
        """Its role template exists, and takes new members: a locked one does not, whoever asks.

        Raises:
            InvalidError: it does not exist, or is locked.
        """
        if not _gives_more(attributes):
            return
        template = self._template(attributes)
        name = get_path(attributes.object, "roleTemplateRef", "name")
        if template is None or is_terminating(template):
            raise invalid(attributes, field_not_found("roleTemplateRef.name", name))
        if get_path(template, "spec", "locked") is True:
            why = "the role template is locked: it takes no new members"
            raise invalid(attributes, field_invalid("roleTemplateRef.name", name, why))

    def require_grantable(self, attributes: AdmissionAttributes) -> None:
        """Section 7: nobody grants what he does not hold, unless he may ``bind`` the template.

        Raises:
            ForbiddenError: he holds not all of its rules.
        """
        template = self._template(attributes)
        if template is None or not _gives_more(attributes):
            return
        namespace = target_namespace(attributes)
        resource = GLOBAL_ROLES if not namespace else ROLE_TEMPLATES
        name = get_path(attributes.object, "roleTemplateRef", "name")
        if self.rights.may(attributes.user, "bind", resource, namespace, name):
            return
        self.rights.confirm_held(attributes, namespace, template.get("rules") or [])
        for each, rules in (template.get("namespacedRules") or {}).items():
            self.rights.confirm_held(attributes, each, rules)

    def _template(self, attributes: AdmissionAttributes) -> Object | None:
        reference = get_path(attributes.object, "roleTemplateRef", default={})
        resource = GLOBAL_ROLES if reference.get("kind") == "GlobalRole" else ROLE_TEMPLATES
        return self.lister.get(resource, "", str(reference.get("name")))

    def mutators(self) -> list[Mutator]:
        """Who grants it."""
        return [Mutator("Members/granter", Scope(WRITES, [ROLE_TEMPLATE_BINDINGS]), record_granter)]

    def forms(self) -> list[Validator]:
        """What has to hold whoever writes a binding."""
        write = Scope(WRITES, [ROLE_TEMPLATE_BINDINGS])
        return [
            Validator("Members/expiry", write, self.check_expiry),
        ]

    def validators(self) -> list[Validator]:
        """What it points to."""
        bindings = [ROLE_TEMPLATE_BINDINGS]
        write = Scope(WRITES, bindings)
        return [
            Validator(
                "Members/namespace", Scope(("CREATE",), bindings), self.require_active_namespace
            ),
            Validator("Members/template", write, self.require_template),
            Validator("Members/grant", write, self.require_grantable),
        ]


def _gives_more(attributes: AdmissionAttributes) -> bool:
    """Whether the change gives anybody anything: new subjects, or more time."""
    new, old = objects_of(attributes)
    return bool(added_subjects(attributes)) or new.get("expiresAt") != old.get("expiresAt")


def expiry_errors(binding: Object, now: float) -> list[FieldError]:
    """``expiresAt`` is a time to come."""
    text = binding.get("expiresAt")
    if text is None:
        return []
    try:
        passed = parse_rfc3339(str(text)) <= now
    except ValueError:
        return [field_invalid("expiresAt", text, "must be an RFC 3339 time with a zone")]
    return [field_invalid("expiresAt", text, "must be in the future")] if passed else []
