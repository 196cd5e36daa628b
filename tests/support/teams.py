"""The two teams of most scenarios, and their people."""

from dataclasses import dataclass

from support.session import Session
from support.world import OWNER, READER, World


@dataclass(frozen=True)
class Teams:
    """Alice owns vision, which Bob reads; Carol owns speech; Dave is a member of nothing."""

    world: World
    admin: Session
    vision: str
    speech: str
    alice: Session
    bob: Session
    carol: Session
    dave: Session


def make_teams(world: World) -> Teams:
    """Let the admin make both teams."""
    teams = Teams(
        world=world,
        admin=world.admin,
        vision=world.namespace("team-vision"),
        speech=world.namespace("team-speech"),
        alice=world.user("alice"),
        bob=world.user("bob"),
        carol=world.user("carol"),
        dave=world.user("dave"),
    )
    world.member(OWNER, teams.vision, teams.alice)
    world.member(READER, teams.vision, teams.bob)
    world.member(OWNER, teams.speech, teams.carol)
    return teams
