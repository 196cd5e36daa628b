"""Namespaces and users of one scenario: made by the admin, through the API, and taken away again.

Names carry a suffix of their own, so scenarios share a server and do not meet.
"""

import itertools
import secrets
from dataclasses import dataclass, field

from support.engine import Engine
from support.objects import Object, get_in, member, namespace, subject, user
from support.resources import at
from support.session import Session
from support.waiting import wait_until

PASSWORD = "staple-horse-battery"
OWNER, EDITOR, READER = "namespace-owner", "namespace-editor", "namespace-readonly"
_RUN = secrets.token_hex(2)
_SCENARIOS = itertools.count(1)


@dataclass
class World:
    """What one scenario has of a server."""

    engine: Engine
    admin: Session
    suffix: str = field(default_factory=lambda: f"{_RUN}-{next(_SCENARIOS)}")
    _made: list[str] = field(default_factory=list)
    _sessions: list[Session] = field(default_factory=list)

    def named(self, name: str) -> str:
        """A name that no other scenario uses."""
        return f"{name}-{self.suffix}"

    def make(self, path: str, obj: Object) -> Object:
        """Create something as the admin, for as long as the scenario lasts."""
        answer = self.admin.create(path, obj)
        if answer.status_code == 503:  # a connection that the test before had broken
            answer = self.admin.create(path, obj)
        assert answer.status_code == 201, answer.text
        made: Object = answer.json()
        self._made.append(f"{path}/{made['metadata']['name']}")
        return made

    def namespace(self, name: str) -> str:
        """A namespace; its name comes back."""
        self.make(at("namespaces"), namespace(self.named(name)))
        return self.named(name)

    def user(self, name: str, **spec: object) -> Session:
        """A user, signed in."""
        self.make(at("users"), user(self.named(name), PASSWORD, **spec))
        return self.login(self.named(name))

    def login(self, name: str) -> Session:
        """One more session of a user."""
        return self.session(name, self.engine.login(name, PASSWORD))

    def session(self, name: str, token: str) -> Session:
        """A session with a token that is there already."""
        session = Session(name, token, self.engine)
        self._sessions.append(session)
        return session

    def member(self, role: str, where: str, *people: Session, groups: tuple[str, ...] = ()) -> str:
        """Bind users and groups to a role in a namespace; the path of the binding, in force."""
        subjects = [subject(each.name) for each in people]
        subjects += [subject(each, "Group") for each in groups]
        name = f"{where or 'cluster'}-{next(_SCENARIOS)}-{role}"[:63]
        self.make(at("roletemplatebindings"), member(name, where, role, *subjects))
        path = at("roletemplatebindings", name=name)
        wait_until(lambda: self.in_force(path), 5)
        return path

    def in_force(self, path: str) -> bool:
        """Whether a binding says that it is in force."""
        conditions = get_in(self.admin.get(path).json(), "status", "conditions") or []
        return any(each["type"] == "InForce" and each["status"] == "True" for each in conditions)

    def remove(self, path: str) -> None:
        """Delete something as the admin."""
        answer = self.admin.delete(path)
        assert answer.status_code in (200, 202), answer.text

    def gone(self, path: str, seconds: float = 10) -> None:
        """Wait until something that was deleted is not there any more."""
        wait_until(lambda: self.admin.get(path).status_code == 404, seconds)

    def close(self) -> None:
        """Sign everybody off, and take away what was made, last first."""
        for session in self._sessions:
            session.close()
        for path in reversed(self._made):
            self.admin.delete(path)
