"""Which kubeconfig files count, and which of them is written: the rules of kubectl."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from llmos.client import kubeconfig
from llmos.client.kubeconfig import KubeconfigError, Login

LOCAL_DATA = Path("llmos-data")
"""Where ``llmos serve`` keeps its data when it is not told."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Kubeconfigs:
    """The file that was named, or those of ``$KUBECONFIG``, or ``~/.kube/config``."""

    named: Path | None = None

    @property
    def paths(self) -> list[Path]:
        """The files, first one first: of entries with one name it wins."""
        if self.named:
            return [self.named]
        return kubeconfig.default_paths(os.environ, Path.home())

    def merged(self) -> kubeconfig.Document:
        """All files as one.

        Raises:
            KubeconfigError: one of them cannot be read.
        """
        return kubeconfig.merge(
            [
                kubeconfig.with_absolute_paths(kubeconfig.read(path), path.parent.absolute())
                for path in self.paths
            ]
        )

    def get(self, context: str = "") -> Login:
        """A context, or the current one.

        Raises:
            KubeconfigError: there is none, or it cannot be used.
        """
        return kubeconfig.get_login(self.merged(), context)

    def logins(self) -> Iterator[Login]:
        """Every context that can be used."""
        document = self.merged()
        for each in document["contexts"]:
            try:
                yield kubeconfig.get_login(document, str(each.get("name") or "-"))
            except KubeconfigError:
                continue

    def put(self, login: Login) -> Path:
        """Write a login into the first file and make it the current context there.

        Raises:
            KubeconfigError: the file cannot be written.
        """
        path = self.paths[0]
        document = kubeconfig.read(path)
        for each in document.get("contexts") or []:
            old = (each.get("context") or {}).get("user")
            if each.get("name") == login.name and old != login.user:
                kubeconfig.remove_login(document, login.name)
                break
        kubeconfig.set_login(document, login)
        kubeconfig.write(path, document)
        return path

    def remove(self, name: str) -> list[Path]:
        """Take a context out of every file; gives the files that had it.

        Raises:
            KubeconfigError: a file cannot be written.
        """
        changed = []
        for path in self.paths:
            document = kubeconfig.read(path)
            if kubeconfig.remove_login(document, name):
                kubeconfig.write(path, document)
                changed.append(path)
        return changed


def same_server(one: str, other: str) -> bool:
    """Whether two URLs name one server; the names of this machine are all the same."""
    return _address(one) == _address(other)


def _address(url: str) -> tuple[str, str, int, str]:
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    host = "localhost" if host in _LOOPBACK else host
    return parts.scheme, host, parts.port or 443, parts.path.rstrip("/")


def known_authority(files: Kubeconfigs, server: str, local: Path = LOCAL_DATA) -> str:
    """The certificates that a server's signature is known by on this machine, or ``""``.

    A server that was started here says it in its data directory; others in the kubeconfig.

    Raises:
        KubeconfigError: a kubeconfig cannot be read.
    """
    for each in (Kubeconfigs(local / "admin.kubeconfig"), files):
        for login in each.logins():
            if login.ca_pem and same_server(login.server, server):
                return login.ca_pem
    return ""


def context_name(files: Kubeconfigs, server: str, username: str) -> str:
    """A name for a new context that takes nobody else's place.

    ``llmos``, or the host, or user and host: the first that is free or already this very login.
    """
    host = urlsplit(server).hostname or server
    taken = {each.name: each for each in files.logins()}
    for name in ("llmos", host, f"{username}@{host}"):
        old = taken.get(name)
        mine = (username, user_entry(username, name))
        if old is None or (same_server(old.server, server) and old.user in mine):
            return name
    return f"{username}@{urlsplit(server).netloc}"


def user_entry(username: str, context: str) -> str:
    """The name of the user's entry that belongs to a context."""
    return f"{username}@{context}"
