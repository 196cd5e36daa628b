"""Every page of the web page, by the name that pictures of it have."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page as Window


def _nothing(_: "Window") -> None:
    """What is there at first is what is looked at."""


@dataclass(frozen=True)
class Page:
    """Somewhere in the demo, and what is done there before anybody looks."""

    name: str
    path: str
    steps: Callable[["Window"], None] = _nothing
    hidden_from: tuple[str, ...] = ()
    """To whom the server shows nothing of it."""
    public: bool = False
    """Whether it is for those who are not signed in."""


def tab(name: str) -> Callable[["Window"], None]:
    """Choose a tab."""
    return lambda window: window.get_by_role("tab", name=name).click()


def press(name: str) -> Callable[["Window"], None]:
    """Press the first button of a name."""
    return lambda window: window.get_by_role("button", name=name).first.click()


def _select_rows(window: "Window") -> None:
    for name in ("team-vision", "team-speech"):
        window.get_by_role("checkbox", name=f"Select {name}").check(force=True)


def _nothing_found(window: "Window") -> None:
    window.get_by_role("searchbox").first.fill("no such thing")


NEWCOMER = ("newcomer",)
NOT_OWNERS = ("reader", "newcomer")
NOT_ADMINS = ("owner", "reader", "newcomer")

_NOTEBOOKS, _MODELS = "notebooks.ml.llmos.ai", "modelservices.ml.llmos.ai"

PAGES = (
    Page("sign-in", "/signin", public=True),
    Page("not-found", "/nowhere"),
    Page("namespaces", "/namespaces"),
    Page("namespaces-new", "/namespaces/new"),
    Page("namespaces-edit", "/namespaces/team-vision/edit", hidden_from=NEWCOMER),
    Page("namespace", "/namespaces/team-vision", hidden_from=NEWCOMER),
    Page("namespace-members", "/namespaces/team-vision?tab=members", hidden_from=NEWCOMER),
    Page("namespace-resources", "/namespaces/team-vision?tab=resources", hidden_from=NEWCOMER),
    Page("namespace-events", "/namespaces/team-vision?tab=events", hidden_from=NEWCOMER),
    Page("namespace-access", "/namespaces/team-vision?tab=access", hidden_from=NEWCOMER),
    Page("namespace-terminating", "/namespaces/project-archive", hidden_from=NOT_ADMINS),
    Page("notebooks", "/resources/notebooks.ml.llmos.ai"),
    Page(
        "notebook",
        f"/resources/{_NOTEBOOKS}/team-vision/label-review",
        hidden_from=NEWCOMER,
    ),
    Page("notebooks-new", "/create/notebooks.ml.llmos.ai?ns=team-vision"),
    Page("model-services", "/resources/modelservices.ml.llmos.ai"),
    Page(
        "model-service",
        f"/resources/{_MODELS}/team-vision/detector",
        hidden_from=NEWCOMER,
    ),
    Page("model-services-new", "/create/modelservices.ml.llmos.ai?ns=team-vision"),
    Page("config-maps", "/resources/configmaps"),
    Page("config-map", "/resources/configmaps/team-vision/training-defaults", hidden_from=NEWCOMER),
    Page("secrets", "/resources/secrets?ns=team-vision", hidden_from=NOT_OWNERS),
    Page("secret", "/resources/secrets/team-vision/registry-login", hidden_from=NOT_OWNERS),
    Page("secrets-new", "/create/secrets?ns=team-vision"),
    Page("nodes", "/resources/nodes"),
    Page("node", "/resources/nodes/gpu-01"),
    Page("gpu-devices", "/resources/gpudevices.gpustack.llmos.ai"),
    Page("gpu-device", "/resources/gpudevices.gpustack.llmos.ai/gpu-01-0"),
    Page("storage-classes", "/resources/storageclasses.storage.k8s.io"),
    Page("users", "/users"),
    Page("user", "/users/alice", hidden_from=("reader", "newcomer")),
    Page("roles", "/roles"),
    Page("role", "/roles/namespace/model-operator"),
    Page("role-edit", "/roles/namespace/model-operator/edit"),
    Page("roles-new", "/roles/new/namespace"),
    Page("settings", "/settings"),
    Page("account", "/account"),
)
"""What has an address of its own."""

STATES = (
    Page("namespaces-public", "/namespaces", tab("Public")),
    Page("namespaces-system", "/namespaces", tab("System")),
    Page("namespaces-selected", "/namespaces", _select_rows),
    Page("namespaces-none", "/namespaces", _nothing_found),
    Page("namespaces-menu", "/namespaces", press("Actions for team-vision")),
    Page("switcher", "/namespaces", press("Namespace:")),
    Page("user-menu", "/namespaces", press("User menu")),
    Page("account-key", "/account", press("Create API key")),
    Page("production-banner", "/namespaces?ns=default"),
)
"""What opens on a page."""
