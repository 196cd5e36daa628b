"""A platform that is in use: teams, people, quotas, notebooks, devices."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from support.objects import Object
from support.resources import at
from support.session import Session
from support.world import EDITOR, OWNER, PASSWORD, READER, World

CONTENT = Path(__file__).with_suffix(".yaml")
RESOURCES = {
    "GPUDevice": "gpudevices",
    "ModelService": "modelservices",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "StorageClass": "storageclasses",
}
"""Plurals that are not the kind's name in small letters and an s."""
TERMINATING, KEPT = "project-archive", "kept-until-billed"
"""A namespace that is being deleted, and what it waits for."""


@dataclass(frozen=True)
class Demo:
    """Who may look at it, from the one who may everything to the one who may nothing."""

    world: World
    admin: Session
    owner: Session
    reader: Session
    newcomer: Session

    @property
    def people(self) -> dict[str, Session]:
        """Everybody by what he is."""
        return {
            "admin": self.admin,
            "owner": self.owner,
            "reader": self.reader,
            "newcomer": self.newcomer,
        }

    def password(self, who: Session) -> str:
        """What somebody signs in with."""
        return self.world.engine.admin_password if who is self.admin else PASSWORD

    def close(self) -> None:
        """Take everything away again."""
        kept = at("configmaps", TERMINATING, KEPT)
        self.world.admin.patch(kept, {"metadata": {"finalizers": None}})
        self.world.close()


class Plain(World):
    """A world whose names have no suffix: there is one of its kind on an engine."""

    def named(self, name: str) -> str:
        """The name itself."""
        return name


def make_demo(world: Plain) -> Demo:
    """Fill an engine that nobody has used yet."""
    for each in yaml.safe_load_all(CONTENT.read_text(encoding="utf-8")):
        _make(world, each)
    people = {name: world.login(name) for name in ("alice", "bob", "carol", "dave", "erin")}
    alice, bob, carol, erin = (people[name] for name in ("alice", "bob", "carol", "erin"))
    world.member(OWNER, "team-vision", alice)
    world.member(EDITOR, "team-vision", erin, groups=("annotators",))
    world.member(READER, "team-vision", bob)
    world.member(OWNER, "team-speech", carol)
    world.member(OWNER, "team-research", erin)
    world.member(READER, "team-research", alice, groups=("research",))
    world.member(EDITOR, "course-deep-learning", alice)
    world.member(OWNER, "chat-production", carol)
    world.member("model-operator", "chat-production", alice)
    world.admin.delete(at("namespaces", name=TERMINATING))
    return Demo(world, world.admin, alice, bob, people["dave"])


def _make(world: World, obj: Object) -> None:
    obj = dict(obj)
    status: Any = obj.pop("status", None)
    resource = RESOURCES.get(obj["kind"], f"{obj['kind'].lower()}s")
    if resource == "users":
        obj["spec"] = {"password": PASSWORD, **obj["spec"]}
    path = at(resource, obj["metadata"].get("namespace", ""))
    world.make(path, obj)
    if status is not None:
        where = f"{path}/{obj['metadata']['name']}/status"
        answer = world.admin.patch(where, {"status": status})
        assert answer.status_code == 200, answer.text
