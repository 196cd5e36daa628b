"""The first admin: made at the first start and never again, also not after he was deleted."""

from collections.abc import Callable

from llmos.apimachinery.clock import Clock, rfc3339
from llmos.apimachinery.errors import AlreadyExistsError, InvalidError
from llmos.apimachinery.lister import ObjectStore
from llmos.apimachinery.object import Object, uid_of
from llmos.apimachinery.resource import GroupResource
from llmos.authentication.password_store import PasswordStore
from llmos.authentication.passwords import Passwords, check_password, generate_password
from llmos.authentication.records import (
    SECRETS,
    STATE_TYPE,
    SYSTEM_NAMESPACE,
    USER_KIND,
    USERS,
    make_secret,
    put_secret,
)

ADMIN = "admin"
MARK = "bootstrap"
_BINDINGS = GroupResource("management.llmos.ai", "roletemplatebindings")


def _user() -> Object:
    return {
        "apiVersion": USER_KIND.api_version,
        "kind": "User",
        "metadata": {"name": ADMIN},
        "spec": {"username": ADMIN, "displayName": "Administrator", "isActive": True},
    }


def _binding() -> Object:
    return {
        "apiVersion": USER_KIND.api_version,
        "kind": "RoleTemplateBinding",
        "metadata": {"name": "bootstrap-admin"},
        "roleTemplateRef": {
            "apiGroup": USER_KIND.group,
            "kind": "GlobalRole",
            "name": "admin",
        },
        "subjects": [{"kind": "User", "name": ADMIN}],
    }


async def _ensure(store: ObjectStore, resource: GroupResource, obj: Object) -> Object:
    """Create an object of a cluster-wide kind, or give the one that is there."""
    try:
        return await store.create(resource, obj)
    except AlreadyExistsError:
        return store.get(resource, "", str(obj["metadata"]["name"])) or obj


async def bootstrap_admin(
    store: ObjectStore,
    passwords: Passwords,
    clock: Clock,
    password: str | None,
    deliver: Callable[[str], None],
) -> str | None:
    """Make the user ``admin`` at the first start; a start that was cut off begins again.

    Args:
        store: Where the objects go.
        passwords: Hashes.
        clock: The time.
        password: The operator's choice, which stays; None: a one-time password is made, which
            signs in once and has to be changed.
        deliver: Takes the one-time password (into a file of mode 0600) before the mark is set, so
            that none is made that nobody ever sees.

    Returns:
        The one-time password, or None when none was made.

    Raises:
        InvalidError: the operator's password is not good enough.
    """
    if store.get(SECRETS, SYSTEM_NAMESPACE, MARK) is not None:
        return None
    if password is not None:
        errors = check_password(password, (ADMIN,), "password")
        if errors:
            raise InvalidError.of(USER_KIND, ADMIN, errors)
    user = await _ensure(store, USERS, _user())
    generated = generate_password() if password is None else None
    await PasswordStore(store, passwords).give(
        ADMIN,
        uid_of(user),
        password or generated or "",
        once=password is None,
        change=password is None,
    )
    await _ensure(store, _BINDINGS, _binding())
    if generated is not None:
        deliver(generated)
    mark = {"createdAt": rfc3339(clock()), "user": ADMIN}
    await put_secret(store, make_secret(MARK, STATE_TYPE, mark))
    return generated
