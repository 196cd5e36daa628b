"""The account operations of the server (``/auth/…``), as the verbs need them."""

from typing import Any
from urllib.parse import quote

import orjson

from llmos.client.client import Client
from llmos.client.errors import status_error_from, status_of_text


async def call(client: Client, method: str, path: str, body: Any = None, **query: str) -> Any:
    """Send an account request; gives its JSON, or None where the answer has no body.

    Raises:
        StatusError: the server refused.
        ConnectionFailedError: no answer came.
    """
    params = {key: value for key, value in query.items() if value}
    response = await client.request(method, f"/auth/{path}", params=params or None, body=body)
    if response.is_success and not response.content:
        return None
    try:
        answer = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        answer = None
    if response.is_success and isinstance(answer, dict):
        return answer
    if not isinstance(answer, dict):
        answer = status_of_text(response.status_code or 500, response.text)
    raise status_error_from(answer, response.status_code)


async def login(client: Client, username: str, password: str) -> dict[str, Any]:
    """Sign in; gives the session with its token."""
    body = {"username": username, "password": password}
    return dict(await call(client, "POST", "login", body))


async def whoami(client: Client) -> dict[str, Any]:
    """Who the token of the client belongs to."""
    return dict(await call(client, "GET", "whoami"))


async def change_password(client: Client, current: str, new: str) -> None:
    """Change one's own password."""
    await call(client, "PUT", "password", {"currentPassword": current, "newPassword": new})


async def give_password(client: Client, user: str, new: str | None = None) -> str | None:
    """Set another user's password; without one, a one-time password is made and comes back."""
    body = {"newPassword": new} if new is not None else {}
    answer = await call(client, "PUT", f"users/{quote(user, safe='')}/password", body)
    return str(answer["oneTimePassword"]) if answer else None
