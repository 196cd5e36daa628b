"""Where an API is and how to sign in to it: all that scenarios know of the engine they run on."""

import ssl
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import httpx


@dataclass
class Engine:
    """A running API."""

    url: str
    ca_file: Path
    admin_password: str

    @cached_property
    def trust(self) -> ssl.SSLContext:
        """Trusts the API; made once, because reading certificates takes its time."""
        return ssl.create_default_context(cafile=str(self.ca_file))

    def client(self, token: str = "") -> httpx.Client:
        """A plain HTTP client, signed in by a token."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.url, headers=headers, verify=self.trust, timeout=30)

    def try_login(self, username: str, password: str) -> httpx.Response:
        """What signing in answers."""
        with self.client() as client:
            return client.post("/auth/login", json={"username": username, "password": password})

    def login(self, username: str, password: str) -> str:
        """A session token."""
        answer = self.try_login(username, password)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["token"])
