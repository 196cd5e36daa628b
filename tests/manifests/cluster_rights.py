"""What the platform's own accounts may do in a cluster, as a page of the manual."""

from collections.abc import Iterator

from llmos.apimachinery.object import Object, name_of, namespace_of
from llmos.apis.platform_content import shipped

ACCOUNTS = ("llmos-proxy", "llmos-controllers")
HEAD = """# What llmos may do in a cluster

`llmos proxy` and its controllers have no rights but these. `llmos install` makes their accounts in
`llmos-system`. This page is made from the roles.

The proxy sends every request on in the name of its sender, by impersonation, and the cluster
decides; so whoever holds the proxy's token can act as anybody. The controllers make RBAC objects of
members and roles, which takes the rights to `bind` and to `escalate`; so whoever holds their token
can give himself any right. Both accounts are in `llmos-system`, where policies keep everybody who
signed in from making a token or running a pod.
"""
TEXTS = {
    "llmos-proxy": """It reads all kinds, because lists over all namespaces show a user his part of
any of them. It writes passwords, tokens, sessions and claims of usernames.""",
    "llmos-controllers": """They write RBAC objects, bindings of default roles and statuses; and,
of the platform's own content, what is named.""",
}


def bindings(account: str) -> Iterator[Object]:
    """The bindings that name an account."""
    for each in shipped():
        subjects = each.object.get("subjects") or ()
        if any(each["kind"] == "ServiceAccount" and each["name"] == account for each in subjects):
            yield each.object


def rules(account: str) -> Iterator[tuple[str, Object]]:
    """Namespace (``""``: everywhere) and rule of all that an account is given."""
    roles = {
        (each.resource.kind, namespace_of(each.object), name_of(each.object)): each.object
        for each in shipped()
    }
    for binding in bindings(account):
        kind = binding["roleRef"]["kind"]
        where = namespace_of(binding)
        role = roles[kind, where if kind == "Role" else "", binding["roleRef"]["name"]]
        for rule in role["rules"]:
            yield where, rule


def row(where: str, rule: Object) -> str:
    """A line of the table."""
    groups = ", ".join(f"`{each}`" if each else "core" for each in rule["apiGroups"])
    resources = ", ".join(f"`{each}`" for each in rule["resources"])
    names = ", ".join(f"`{each}`" for each in rule.get("resourceNames") or ()) or "all"
    verbs = ", ".join(rule["verbs"])
    place = f"`{where}`" if where else "everywhere"
    return f"| {place} | {groups} | {resources} | {names} | {verbs} |"


def document() -> str:
    """The page."""
    parts = [HEAD]
    for account in ACCOUNTS:
        lines = [f"## {account}", "", TEXTS[account], ""]
        lines += [
            "| where | groups | resources | names | verbs |",
            "| --- | --- | --- | --- | --- |",
        ]
        lines += [row(*each) for each in sorted(rules(account), key=lambda each: each[0])]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)
