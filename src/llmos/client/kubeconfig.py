"""Kubeconfig files: read, change, write back; what we do not know stays as it was.

The format is ``client-go``'s ``clientcmd/api/v1``. Files hold credentials: they are written whole,
to a new file of mode 0600 that then takes the old one's place.
"""

import base64
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from llmos.client.config import ClientCertificate, Config
from llmos.client.credentials import (
    CredentialError,
    Program,
    TokenFile,
    certificate_of,
    pem_of,
)

Document = dict[str, Any]
_SECTIONS = ("clusters", "users", "contexts")


class KubeconfigError(Exception):
    """A kubeconfig that cannot be used; says which file or entry, never its content."""


@dataclass(frozen=True, slots=True)
class Login:
    """One context with its cluster and its user, under the names they have in the file."""

    name: str
    server: str
    token: str = field(default="", repr=False)
    ca_pem: str = ""
    namespace: str = ""
    insecure: bool = False
    server_name: str = ""
    source: Callable[[], str] | None = field(default=None, repr=False)
    """What gives the current token, instead of ``token``: a file or a program."""
    certificate: ClientCertificate | None = None
    user: str = ""
    """The user's entry; ``""``: the same as ``name``. Clusters and users are shared by name."""
    cluster: str = ""
    """The cluster's entry; ``""``: the same as ``name``."""

    @property
    def has_credentials(self) -> bool:
        """Whether it says who we are."""
        return bool(self.token or self.source or self.certificate)

    def config(self) -> Config:
        """What a ``Client`` needs.

        Raises:
            KubeconfigError: the program that gives a credential fails.
        """
        certificate = self.certificate
        try:
            if isinstance(self.source, Program):
                certificate = self.source.certificate or certificate
        except CredentialError as error:
            raise KubeconfigError(str(error)) from error
        return Config(
            self.server,
            token=self.source or self.token,
            ca_pem=self.ca_pem,
            verify=not self.insecure,
            certificate=certificate,
            server_name=self.server_name,
        )


def default_paths(environ: Mapping[str, str], home: Path) -> list[Path]:
    """The files of ``$KUBECONFIG``, or ``~/.kube/config``."""
    named = [Path(each) for each in environ.get("KUBECONFIG", "").split(os.pathsep) if each]
    return named or [home / ".kube" / "config"]


def empty() -> Document:
    """A kubeconfig with nothing in it."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "preferences": {},
        "clusters": [],
        "users": [],
        "contexts": [],
        "current-context": "",
    }


def read(path: Path) -> Document:
    """Read a file; one that does not exist is empty.

    Raises:
        KubeconfigError: it cannot be read, or is not a kubeconfig.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return empty()
    except (OSError, UnicodeDecodeError) as error:
        raise KubeconfigError(f"cannot read {path}: {type(error).__name__}") from error
    except yaml.YAMLError as error:
        raise KubeconfigError(f"{path} is not YAML") from error
    if document is None:
        return empty()
    if not isinstance(document, dict) or not all(
        isinstance(document.get(section) or [], list) for section in _SECTIONS
    ):
        raise KubeconfigError(f"{path} is not a kubeconfig")
    return document


_PATHS = {
    "clusters": ("certificate-authority",),
    "users": ("client-certificate", "client-key", "tokenFile"),
}


def with_absolute_paths(document: Document, directory: Path) -> Document:
    """The document with the files that it names found from its own directory; changed in place."""
    for section, keys in _PATHS.items():
        for each in document.get(section) or []:
            entry = each.get(section[:-1]) or {}
            for key in keys:
                if entry.get(key):
                    entry[key] = str(directory / entry[key])
            program = entry.get("exec") or {}
            if "/" in str(program.get("command") or ""):
                program["command"] = str(directory / program["command"])
    return document


def merge(documents: Sequence[Document]) -> Document:
    """Join files as kubectl does: of entries with one name, and of the rest, the first wins."""
    merged = empty()
    for document in documents:
        for key, value in document.items():
            if key not in _SECTIONS and not merged.get(key):
                merged[key] = value
        for section in _SECTIONS:
            names = {each.get("name") for each in merged[section]}
            merged[section] += [
                each for each in document.get(section) or [] if each.get("name") not in names
            ]
    return merged


def write(path: Path, document: Document) -> None:
    """Replace the file in one step; nobody but its owner can read it.

    Raises:
        KubeconfigError: the disk refused.
    """
    target = path.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                yaml.safe_dump(document, file, sort_keys=False)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise KubeconfigError(f"cannot write {path}: {type(error).__name__}") from error


def _entry(document: Document, section: str, name: str) -> dict[str, Any]:
    """The entry's own map (``cluster``, ``user``, ``context``), made where there is none."""
    singular = section[:-1]
    entries = document.setdefault(section, None) or []
    document[section] = entries
    for each in entries:
        if each.get("name") == name:
            made: dict[str, Any] = each.get(singular) or {}
            each[singular] = made
            return made
    made = {}
    entries.append({"name": name, singular: made})
    return made


def _set(entry: dict[str, Any], values: Mapping[str, Any], rivals: Sequence[str] = ()) -> None:
    """Set what has a value, remove what has none, and what would win over it."""
    for key in (*rivals, *values):
        entry.pop(key, None)
    entry.update({key: value for key, value in values.items() if value})


_OTHER_CREDENTIALS = (
    "tokenFile",
    "exec",
    "auth-provider",
    "username",
    "password",
    "client-certificate",
    "client-certificate-data",
    "client-key",
    "client-key-data",
)


def set_login(document: Document, login: Login, *, current: bool = True) -> None:
    """Put a context, its cluster and its user into the document; other content stays.

    Args:
        document: Changed in place.
        login: What to put; entries of these names are replaced.
        current: Whether it becomes the current context.
    """
    cluster_name, user_name = login.cluster or login.name, login.user or login.name
    authority = base64.b64encode(login.ca_pem.encode()).decode()
    _set(
        _entry(document, "clusters", cluster_name),
        {
            "server": login.server,
            "certificate-authority-data": authority,
            "insecure-skip-tls-verify": login.insecure,
        },
        ("certificate-authority",),
    )
    _set(_entry(document, "users", user_name), {"token": login.token}, _OTHER_CREDENTIALS)
    context = {"cluster": cluster_name, "user": user_name, "namespace": login.namespace}
    _set(_entry(document, "contexts", login.name), context)
    if current:
        document["current-context"] = login.name


def remove_login(document: Document, name: str) -> bool:
    """Take a context out, and its cluster and user where no other context needs them."""
    contexts = document.get("contexts") or []
    gone = next((each for each in contexts if each.get("name") == name), None)
    if gone is None:
        return False
    contexts.remove(gone)
    for section in ("clusters", "users"):
        key = section[:-1]
        used = {(each.get("context") or {}).get(key) for each in contexts}
        mine = (gone.get("context") or {}).get(key)
        document[section] = [
            each for each in document.get(section) or [] if each.get("name") != mine or mine in used
        ]
    if document.get("current-context") == name:
        document["current-context"] = ""
    return True


def _find(document: Document, section: str, name: str) -> dict[str, Any]:
    singular = section[:-1]
    for each in document.get(section) or []:
        if each.get("name") == name:
            return each.get(singular) or {}
    raise KubeconfigError(f"the kubeconfig has no {singular} {name!r}")


def _authority(cluster: Mapping[str, Any]) -> str:
    """The certificates of a cluster, inline or in a file."""
    try:
        return pem_of(cluster, "certificate-authority")
    except CredentialError as error:
        raise KubeconfigError("the cluster's certificate authority cannot be read") from error


def _certificate(user: Mapping[str, Any]) -> ClientCertificate | None:
    try:
        return certificate_of(user)
    except CredentialError as error:
        raise KubeconfigError(str(error)) from error


def _source(user: Mapping[str, Any], cluster: Mapping[str, Any]) -> Callable[[], str] | None:
    """What gives the current token; a file wins over a token, as in client-go."""
    if path := user.get("tokenFile"):
        return TokenFile(Path(path))
    if spec := user.get("exec"):
        told = {key: value for key, value in cluster.items() if key != "certificate-authority"}
        return Program(spec, told)
    return None


def get_login(document: Document, context: str = "") -> Login:
    """Read a context, or the current one.

    Raises:
        KubeconfigError: there is none of that name, or it names what does not exist.
    """
    name = context or str(document.get("current-context") or "")
    if not name:
        raise KubeconfigError("no context is chosen")
    chosen = _find(document, "contexts", name)
    cluster = _find(document, "clusters", str(chosen.get("cluster")))
    user = _find(document, "users", str(chosen["user"])) if chosen.get("user") else {}
    server = str(cluster.get("server") or "")
    if not server:
        raise KubeconfigError(f"the cluster {chosen.get('cluster')!r} names no server")
    return Login(
        name=name,
        server=server,
        token=str(user.get("token") or ""),
        ca_pem=_authority(cluster),
        namespace=str(chosen.get("namespace") or ""),
        insecure=bool(cluster.get("insecure-skip-tls-verify")),
        server_name=str(cluster.get("tls-server-name") or ""),
        source=_source(user, cluster),
        certificate=_certificate(user),
        user=str(chosen.get("user") or ""),
        cluster=str(chosen.get("cluster") or ""),
    )
