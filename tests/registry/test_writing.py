"""Create and update through the store: what is stored, what is refused, what is not written."""

from functools import partial

import pytest

from llmos.apimachinery.errors import (
    AlreadyExistsError,
    BadRequestError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
)
from llmos.apimachinery.generated_names import generate_name
from registry.world import changed, config_map, namespace, stored_nothing, widget

OTHER_UID = "aaaaaaaa-0000-0000-0000-000000000000"
LEASE = {
    "apiVersion": "coordination.k8s.io/v1",
    "kind": "Lease",
    "metadata": {"name": "l", "namespace": "team-a"},
    "spec": {"holderIdentity": "a"},
}


def refuse(attributes):
    """An admission that says no."""
    raise ForbiddenError("no")


# Create


def test_create_gives_an_object_its_identity(world):
    """Uid, time and revision are the server's; what a client says of them is dropped."""
    sent = config_map()
    sent["metadata"] |= {
        "uid": OTHER_UID,
        "creationTimestamp": "1999-01-01T00:00:00Z",
        "deletionTimestamp": "1999-01-01T00:00:00Z",
        "deletionGracePeriodSeconds": 3,
        "selfLink": "/x",
    }
    made = world.create(sent)
    meta = made["metadata"]
    assert meta["uid"] != OTHER_UID
    assert meta["creationTimestamp"] == "2026-01-01T00:00:00Z"
    assert meta["resourceVersion"] == str(world.revision)
    dropped = {"deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"}
    assert not dropped & meta.keys()
    assert meta["managedFields"][0]["manager"] == "tests"
    assert world.get(sent) == made
    assert [(each.type, each.revision) for each in world.events()] == [("ADDED", world.revision)]


def test_create_counts_generations_and_drops_status(world):
    """A kind with a status is created without one, in generation 1."""
    made = world.create(changed(widget(size=2), status={"replicas": 4}))
    assert made["metadata"]["generation"] == 1
    assert "status" not in made
    assert made["spec"] == {"size": 2}


def test_defaults_are_stored(world):
    """What the schema says where nothing is said is there for everybody."""
    assert world.create(widget(replicas=1))["spec"] == {"size": 3, "replicas": 1}


def test_a_name_is_taken_once(world):
    """The second create is refused; in another namespace the name is free."""
    world.create(config_map())
    error = stored_nothing(world, lambda: world.create(config_map(x="y")), AlreadyExistsError)
    assert error.message == 'configmaps "a" already exists'
    world.create(config_map(namespace="team-b"))


def test_a_name_that_is_going_away_is_still_taken(world):
    """The refusal says that it is being deleted."""
    world.create(changed(config_map(), metadata={"finalizers": ["example.com/x"]}))
    world.delete(config_map())
    with pytest.raises(AlreadyExistsError, match="object is being deleted"):
        world.create(config_map())


def test_a_name_of_a_collected_object_is_free(world):
    """A deleted name comes back with another uid."""
    first = world.create(config_map())
    world.delete(config_map())
    assert world.create(config_map())["metadata"]["uid"] != first["metadata"]["uid"]


def test_generated_names_are_drawn_until_one_is_free(world, monkeypatch):
    """A name that is taken is not the client's fault."""
    sent = config_map()
    del sent["metadata"]["name"]
    sent["metadata"]["generateName"] = "gen-"
    drawn = iter(["gen-1", "gen-1", "gen-2"])
    monkeypatch.setattr("llmos.registry.metadata.generate_name", lambda base: next(drawn))
    assert [world.create(sent)["metadata"]["name"] for _ in range(2)] == ["gen-1", "gen-2"]


def test_a_generated_name_that_is_always_taken_is_a_conflict(world, monkeypatch):
    """After some tries the client hears that it exists."""
    sent = config_map()
    del sent["metadata"]["name"]
    sent["metadata"]["generateName"] = "gen-"
    drawn = []
    monkeypatch.setattr(
        "llmos.registry.metadata.generate_name", lambda base: drawn.append(base) or "gen-1"
    )
    world.create(sent)
    drawn.clear()
    with pytest.raises(AlreadyExistsError):
        world.create(sent)
    assert len(drawn) == 8


def test_generated_names_fit_into_a_label():
    """Long bases are cut; the ending has no vowels and is always there."""
    assert len(generate_name("x" * 300)) == 63
    name = generate_name("a-")
    assert name.startswith("a-")
    assert len(name) == 7
    assert not set(name[2:]) & set("aeiou013")


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (changed(config_map(), metadata={"resourceVersion": "7"}), BadRequestError),
        (changed(config_map(), metadata={"namespace": "team-b"}), BadRequestError),
        (changed(config_map(), metadata={"name": "A_"}), InvalidError),
        (changed(config_map(), metadata={"name": ""}), InvalidError),
        (changed(config_map(), metadata={"labels": {"-": "x"}}), InvalidError),
        (changed(config_map(), data={"/": "x"}), InvalidError),
        (widget(size=0), InvalidError),
    ],
)
def test_bad_objects_are_refused_and_nothing_is_stored(world, sent, error):
    """Each is the client's fault, and leaves no trace."""
    stored_nothing(world, lambda: world.create(sent, namespace="team-a"), error)


def test_a_namespace_of_a_cluster_wide_object_is_dropped(world):
    """It has none."""
    made = world.create(changed(namespace("team-a"), metadata={"namespace": "x"}), namespace="")
    assert "namespace" not in made["metadata"]


@pytest.mark.parametrize("phase", ["on_mutate", "on_validate"])
def test_refused_by_admission_means_nothing_stored(world, phase):
    """In whichever phase, on create, update and delete."""
    made = world.create(config_map())
    setattr(world.admission, phase, refuse)
    stored_nothing(world, lambda: world.create(config_map("b")), ForbiddenError)
    stored_nothing(world, lambda: world.update(config_map(x="y")), ForbiddenError)
    stored_nothing(world, lambda: world.delete(config_map()), ForbiddenError)
    stored_nothing(world, lambda: world.apply(config_map("b")), ForbiddenError)
    assert world.get(config_map()) == made


def test_admission_sees_what_is_asked(world):
    """Operation, objects, user and options, first to change and then to judge."""
    world.create(config_map())
    world.update(config_map(x="y"), options={"fieldManager": "m"})
    world.delete(config_map())
    operations = [(phase, each.operation) for phase, each in world.admission.asked]
    assert operations == [
        (phase, operation)
        for operation in ("CREATE", "UPDATE", "DELETE")
        for phase in ("mutate", "validate")
    ]
    _, update = world.admission.asked[2]
    assert (update.namespace, update.name, update.user.name) == ("team-a", "a", "alice")
    assert (update.object["data"], update.old_object["data"]) == ({"x": "y"}, {"k": "v"})
    assert update.options == {"fieldManager": "m"}
    _, delete = world.admission.asked[-1]
    assert delete.object is None
    assert delete.old_object["data"] == {"x": "y"}


def test_what_admission_changes_is_validated_and_stored(world):
    """A mutation counts as if the client had sent it, and is checked like it."""
    world.admission.on_mutate = lambda asked: asked.object["metadata"].update(labels={"a": "b"})
    assert world.create(config_map())["metadata"]["labels"] == {"a": "b"}
    world.admission.on_mutate = lambda asked: asked.object["metadata"].update(labels={"-": "b"})
    with pytest.raises(InvalidError):
        world.create(config_map("b"))


def test_admission_judges_before_the_name_is_looked_up(world):
    """Who may not create learns nothing of what exists."""
    world.create(config_map())
    world.admission.on_validate = refuse
    with pytest.raises(ForbiddenError):
        world.create(config_map())


def test_notes_and_warnings_reach_whoever_finishes(world):
    """They ride on the context and are never stored."""

    def note(asked):
        asked.notes["secret"] = "hush"
        asked.warnings.append("careful")

    world.admission.on_mutate = note
    warnings, notes = [], {}
    made = world.create(config_map(), warnings=warnings, notes=notes)
    assert (warnings, notes) == (["careful"], {"secret": "hush"})
    assert "hush" not in str(made)
    assert "hush" not in repr(world.context(config_map(), notes=notes))


def test_nothing_is_created_under_a_definition_that_goes_away(world):
    """An instance would outlive its kind."""
    served = world.kind("widgets", "example.com")
    object.__setattr__(served, "terminating", True)
    with pytest.raises(ForbiddenError, match="is terminating"):
        world.create(widget())


# Update


def test_update_replaces_and_keeps_the_identity(world):
    """Uid and creation time stay, whatever is sent or left out."""
    made = world.create(config_map())
    world.now += 60
    new = world.update(
        changed(config_map(x="y"), metadata={"creationTimestamp": "1999-01-01T00:00:00Z"})
    )
    assert new["data"] == {"x": "y"}
    for field in ("uid", "creationTimestamp", "namespace"):
        assert new["metadata"][field] == made["metadata"][field]
    assert int(new["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])


def test_an_update_that_changes_nothing_writes_nothing(world):
    """Same resourceVersion, no event, no revision."""
    made = world.create(config_map())
    before = world.revision
    world.now += 60
    assert world.update(config_map()) == made
    assert world.update(made) == made
    assert world.patch(config_map(), lambda current: current) == made
    assert world.revision == before


def test_update_of_an_old_version_is_a_conflict(world):
    """Whoever read before somebody else wrote is told so; without a version he overwrites."""
    made = world.create(config_map())
    world.update(config_map(x="1"))
    stored_nothing(world, lambda: world.update(changed(made, data={"x": "2"})), ConflictError)
    for version in ("", "0"):
        world.update(changed(config_map(x=f"3{version}"), metadata={"resourceVersion": version}))


@pytest.mark.parametrize(
    ("meta", "error"),
    [
        ({"uid": OTHER_UID}, ConflictError),
        ({"resourceVersion": "abc"}, BadRequestError),
        ({"resourceVersion": "999"}, ConflictError),
        ({"name": "b"}, BadRequestError),
        ({"name": ""}, BadRequestError),
        ({"namespace": "team-b"}, BadRequestError),
    ],
)
def test_an_update_of_something_else_is_refused(world, meta, error):
    """Another incarnation, version, name or namespace is not this object."""
    world.create(config_map())
    sent = changed(config_map(x="y"), metadata=meta)
    action = partial(world.update, sent, name="a", namespace="team-a")
    stored_nothing(world, action, error)


def test_an_update_of_nothing_is_not_found(world):
    """But for kinds that PUT creates."""
    stored_nothing(world, lambda: world.update(config_map()), NotFoundError)
    assert world.update(changed(LEASE, metadata={"uid": OTHER_UID}))["metadata"]["uid"] != OTHER_UID


def test_kinds_that_want_a_version_get_one(world):
    """An update without a resourceVersion is refused where it could undo another's."""
    world.create(LEASE)
    with pytest.raises(InvalidError, match="must be specified for an update"):
        world.update(LEASE)


def test_generation_counts_changes_of_the_spec(world):
    """Not those of metadata or status."""
    made = world.create(widget(size=1))
    labelled = world.update(changed(made, metadata={"labels": {"a": "b"}}))
    assert labelled["metadata"]["generation"] == 1
    assert world.update(changed(labelled, spec={"size": 2}))["metadata"]["generation"] == 2
    again = world.get(made)
    assert world.update(changed(again, metadata={"generation": 77}))["metadata"]["generation"] == 2


def test_status_changes_by_its_own_path_alone(world):
    """The main path ignores status; the status path ignores all else."""
    made = world.create(widget(size=1))
    main = world.update(changed(made, status={"replicas": 5}))
    assert "status" not in main
    sent = changed(main, spec={"size": 9}, status={"replicas": 5}, metadata={"labels": {"a": "b"}})
    new = world.update(sent, "status")
    assert new["status"] == {"replicas": 5}
    assert new["spec"] == {"size": 1}
    assert "labels" not in new["metadata"]
    assert new["metadata"]["generation"] == 1
    kept = world.update(changed(new, status={}, spec={"size": 2}))
    assert (kept["status"], kept["spec"]) == ({"replicas": 5}, {"size": 2})
    without = changed(kept)
    del without["status"]
    assert "status" not in world.update(without, "status")


def test_finalize_changes_the_finalizers_of_a_namespace_alone(world):
    """Nothing else goes through that path."""
    made = world.create(namespace("team-a"))
    sent = changed(made, spec={"finalizers": ["kubernetes", "x/y"]}, metadata={"labels": {}})
    new = world.update(sent, "finalize")
    assert new["spec"]["finalizers"] == ["kubernetes", "x/y"]
    assert new["metadata"]["labels"] == made["metadata"]["labels"]
    empty = world.update(changed(new, spec={}), "finalize")
    assert "finalizers" not in (empty.get("spec") or {})


def test_an_update_cannot_begin_or_end_a_deletion(world):
    """``deletionTimestamp`` is the server's."""
    made = world.create(changed(config_map(), metadata={"finalizers": ["example.com/x"]}))
    with pytest.raises(InvalidError):
        world.update(changed(made, metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}))
    world.delete(config_map())
    kept = world.update(changed(config_map(), metadata={"finalizers": ["example.com/x"]}))
    assert kept["metadata"]["deletionTimestamp"] == "2026-01-01T00:00:00Z"
