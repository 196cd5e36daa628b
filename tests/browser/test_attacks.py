"""WEB-02, 13, 25, 26: what other people's pages, names and objects must not do to the page."""

import pytest

from support.browser import Look, Visitor, Visitors
from support.objects import config_map, namespace, user
from support.resources import at
from support.session import Session
from support.steps import row
from support.world import OWNER, PASSWORD, World

EVIL = "https://evil.test"


@pytest.fixture
def alice(world: World) -> Session:
    """The owner of a namespace."""
    return world.user("alice")


@pytest.fixture
def place(world: World, alice: Session) -> str:
    """Her namespace."""
    made = world.namespace("team-vision")
    world.member(OWNER, made, alice)
    return made


def allow_local(visitor: Visitor) -> None:
    """Chromium keeps strangers from servers of this machine by itself; elsewhere it would not."""
    visitor.context.grant_permissions(["local-network-access"])


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("POST", "application/json"),
        ("POST", "text/plain"),
        ("DELETE", ""),
        ("PATCH", "application/merge-patch+json"),
    ],
)
def test_web_02_another_site_changes_nothing(
    visitors: Visitors, alice: Session, place: str, method: str, kind: str
):
    """A page of another origin, in the very browser in which alice is signed in."""
    made = alice.create(at("configmaps", place), config_map("target"))
    assert made.status_code == 201
    visitor = visitors.of(alice, PASSWORD)
    allow_local(visitor)
    visitor.context.route(
        f"{EVIL}/**", lambda route: route.fulfill(content_type="text/html", body="<p>evil</p>")
    )
    visitor.page.goto(f"{EVIL}/")
    url = visitor.engine.url
    path = at("configmaps", place) + ("" if method == "POST" else "/target")
    said = visitor.page.evaluate(
        """async ([url, method, kind]) => {
          const headers = kind ? {'content-type': kind} : {};
          const body = method === 'DELETE' ? undefined :
            JSON.stringify({apiVersion: 'v1', kind: 'ConfigMap',
                            metadata: {name: 'evil'}, data: {key: 'evil'}});
          const tried = [];
          for (const mode of ['cors', 'no-cors'])
            tried.push(await fetch(url, {method, mode, headers, body, credentials: 'include'})
              .then((answer) => `${answer.type} ${answer.status}`, (error) => error.name));
          return tried;
        }""",
        [url + path, method, kind],
    )
    assert len(said) == 2
    assert alice.names(at("configmaps", place)) == ["kube-root-ca.crt", "target"]
    assert alice.get(at("configmaps", place, "target")).json()["data"] == {"key": "value"}
    # Of what that page tried its browser says that it was kept from it.
    visitor.complaints[:] = [each for each in visitor.complaints if url + path not in each]


def test_web_02_another_site_opens_no_socket_and_no_frame(
    visitors: Visitors, alice: Session, place: str
):
    """Neither watches in her name, nor the page in a frame."""
    visitor = visitors.of(alice, PASSWORD)
    url = visitor.engine.url
    allow_local(visitor)
    visitor.context.route(
        f"{EVIL}/**",
        lambda route: route.fulfill(
            content_type="text/html", body=f"<iframe src='{url}/ui/namespaces'></iframe>"
        ),
    )
    visitor.page.goto(f"{EVIL}/")
    opened = visitor.page.evaluate(
        """url => new Promise(resolve => {
          const socket = new WebSocket(url);
          socket.onopen = () => resolve('open');
          socket.onclose = () => resolve('closed');
        })""",
        f"{url.replace('https', 'wss')}{at('configmaps', place)}?watch=1",
    )
    assert opened == "closed"
    frame = visitor.page.frames[1]
    assert not frame.url.startswith(url)
    visitor.pardon(403, at("configmaps", place))
    [framed] = visitor.complaints
    assert "violates the following Content Security Policy directive" in framed
    assert "frame-ancestors 'none'" in framed
    visitor.complaints.clear()


LINKS = {
    "a.example/plain": "https://wiki.example.com/team",
    "b.example/script": "javascript:alert(1)",
    "c.example/case": "JaVaScRiPt:alert(1)",
    "d.example/data": "data:text/html,<script>alert(1)</script>",
    "e.example/argo": "https://ok.example|javascript:alert(1)",
    "f.example/tab": "java\tscript:alert(1)",
    "g.example/vb": "vbscript:msgbox(1)",
    "h.example/space": "  javascript:alert(1)",
    "link.argocd.argoproj.io/x": "javascript:alert(1)",
}


def test_web_13_annotations_lead_nowhere_but_to_http(visitors: Visitors, world: World):
    """What looks like a link and is none is shown as text."""
    made = namespace(world.named("linked"))
    made["metadata"]["annotations"] = LINKS
    world.make(at("namespaces"), made)
    visitor = visitors.new()
    visitor.come_in("admin", world.engine.admin_password)
    name = made["metadata"]["name"]
    for path in (f"/namespaces/{name}", "/namespaces"):
        window = visitor.open(path)
        if path.endswith(name):
            window.get_by_text("vbscript:msgbox(1)").wait_for()
        hrefs = window.locator("a").evaluate_all("all => all.map(each => each.href)")
        odd = [each for each in hrefs if not each.startswith((world.engine.url, "https://"))]
        assert odd == []
        assert not any("javascript" in each for each in hrefs)


def test_web_25_names_of_prototypes_are_names_like_any(
    visitors: Visitors, alice: Session, place: str
):
    """No object of the server reaches into the page's own objects."""
    odd = config_map("constructor", __proto__="x", constructor="y", key="z")
    odd["metadata"]["labels"] = {"constructor": "a", "toString": "b", "hasOwnProperty": "c"}
    odd["metadata"]["annotations"] = {
        "note": '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}'
    }
    assert alice.create(at("configmaps", place), odd).status_code == 201
    visitor = visitors.of(alice, PASSWORD)
    for path in (
        f"/resources/configmaps?ns={place}",
        f"/resources/configmaps/{place}/constructor",
        f"/resources/configmaps/{place}/constructor?tab=yaml",
        "/resources/constructor",
        f"/resources/__proto__/{place}/toString",
        "/namespaces?ns=__proto__",
    ):
        window = visitor.open(path)
        assert window.evaluate("() => ({}).isAdmin") is None
        assert window.evaluate("() => Object.keys(Object.prototype)") == []


ZALGO = "e" + "\u0301" * 300
RTL = "safe \u202etxt.exe\u202c"


def overflows(visitor: Visitor) -> int:
    """By how many pixels the page is wider than the window."""
    return int(
        visitor.page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
    )


@pytest.mark.parametrize("look", [Look(), Look(width=390, height=844)], ids=["wide", "narrow"])
def test_web_26_texts_stay_in_their_place(visitors: Visitors, world: World, look: Look):
    """Of any length and direction: they turn nothing around, and push nothing out of the page."""
    made = namespace(world.named("odd"))
    long = "W" * 10_000
    made["metadata"]["annotations"] = {
        "kubernetes.io/description": f"{RTL} {ZALGO} {long}",
        "note.example.com/zalgo": ZALGO,
    }
    world.make(at("namespaces"), made)
    visitor = visitors.new(look)
    visitor.come_in("admin", world.engine.admin_password)
    name = made["metadata"]["name"]
    for path in ("/namespaces", f"/namespaces/{name}"):
        window = visitor.open(path)
        assert overflows(visitor) <= 0
        if path == "/namespaces":
            box = row(window, name).bounding_box()
            assert box is not None
            assert box["height"] < 80
        found = window.get_by_text("txt.exe").first
        found.wait_for(state="attached")
        assert found.evaluate("each => each.closest('bdi') !== null || each.matches('[dir=auto]')")


def test_web_26_names_that_hide_something_are_refused(admin: Session, world: World):
    """The server takes no such display name."""
    for odd in (RTL, "x" * 10_000):
        body = user(world.named("odd"), PASSWORD, displayName=odd)
        assert admin.create(at("users"), body).status_code == 422
