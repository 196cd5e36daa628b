"""Somebody who is signed in, and speaks plain HTTP: the words are Kubernetes' verbs."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from support.engine import Engine
from support.objects import Object
from support.watching import Watching, watching

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


@dataclass(eq=False)
class Session:
    """A user with a token."""

    name: str
    token: str = field(repr=False)
    engine: Engine
    _http: httpx.Client | None = field(default=None, repr=False)

    @property
    def http(self) -> httpx.Client:
        """The connection pool, opened when it is first used."""
        if self._http is None:
            self._http = self.engine.client(self.token)
        return self._http

    def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            self._http.close()

    def get(self, path: str, **query: str) -> httpx.Response:
        return self.http.get(path, params=query)

    def create(self, path: str, obj: Object, **query: str) -> httpx.Response:
        return self.http.post(path, json=obj, params=query)

    def update(self, path: str, obj: Object) -> httpx.Response:
        return self.http.put(path, json=obj)

    def patch(self, path: str, patch: Any, kind: str = MERGE_PATCH) -> httpx.Response:
        return self.http.patch(
            path, content=json.dumps(patch).encode(), headers={"Content-Type": kind}
        )

    def apply(self, path: str, obj: Object, **query: str) -> httpx.Response:
        """Server-side apply, under the name ``tests``."""
        return self.http.patch(
            path,
            content=json.dumps(obj).encode(),
            headers={"Content-Type": APPLY_PATCH},
            params={"fieldManager": "tests", **query},
        )

    def delete(self, path: str, **query: str) -> httpx.Response:
        return self.http.delete(path, params=query)

    def names(self, path: str, **query: str) -> list[str]:
        """The names in a list, sorted."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return sorted(each["metadata"]["name"] for each in answer.json()["items"])

    def may(self, path: str) -> bool:
        """Whether the answer to a GET is no refusal."""
        status = self.get(path).status_code
        assert status in (200, 401, 403, 404), status
        return status in (200, 404)

    @contextmanager
    def watch(self, path: str, **query: str) -> Iterator[Watching]:
        """The events of a watch, which goes on in the background."""
        with watching(self.engine, self.token, path, query) as watch:
            yield watch

    def kubeconfig(self, directory: Path, namespace: str = "") -> Path:
        """A file with which foreign clients are this user; YAML is a superset of JSON."""
        context = {"cluster": "llmos", "user": self.name}
        if namespace:
            context["namespace"] = namespace
        cluster = {
            "server": self.engine.url,
            "certificate-authority": str(self.engine.ca_file),
        }
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "llmos",
            "clusters": [{"name": "llmos", "cluster": cluster}],
            "contexts": [{"name": "llmos", "context": context}],
            "users": [{"name": self.name, "user": {"token": self.token}}],
        }
        path = directory / f"{self.name}-{namespace or 'any'}.kubeconfig"
        path.write_text(json.dumps(document))
        return path
