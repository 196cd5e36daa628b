"""What a cluster has stored, read from its etcd: keys and revisions, without any API between."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = "/registry/"
_AFTER = "/registry0"
"""The first key after all that begin with ``ROOT``."""


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@dataclass(frozen=True)
class Row:
    """One key: when it was written last, and how often since it was made."""

    revision: int
    version: int


@dataclass(frozen=True)
class Etcd:
    """The store of a control plane."""

    socket: Path

    def rows(self) -> tuple[int, Mapping[str, Row]]:
        """The revision of the store, and every key of Kubernetes at that revision."""
        asked = {"key": _base64(ROOT), "range_end": _base64(_AFTER), "keys_only": True}
        transport = httpx.HTTPTransport(uds=str(self.socket))
        with httpx.Client(transport=transport, timeout=30) as client:
            answer = client.post("http://etcd/v3/kv/range", json=asked)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        rows = {
            base64.b64decode(each["key"]).decode().removeprefix(ROOT): Row(
                int(each["mod_revision"]), int(each["version"])
            )
            for each in found.get("kvs", ())
        }
        return int(found["header"]["revision"]), rows
