"""Sends the recorded requests of a scenario and says what of the answers is not as recorded.

``cases.json`` holds what a real kube-apiserver answered: scenarios of steps, each a request with
what of the answer is compared (``see``, ``see_headers``, ``cmp``), and the answer (``expect``).
"""

import base64
import gzip
import http.client
import json
import re
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from contract.values import ABSENT, Normaliser, at, differences

CASES = Path(__file__).parent / "cases.json"
TOKENS = {"admin": "admintoken", "alice": "alicetoken", "bad": "this-token-is-not-valid"}
Step = dict[str, Any]
Scenario = dict[str, Any]
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_DEFAULT_EVENT = ("kind", "metadata.name")
_MAX_TEXT = 600
_REPEATED = b"@@REPEAT@@"


def scenarios() -> list[Scenario]:
    """What was recorded."""
    return list(json.loads(CASES.read_bytes())["scenarios"])


def filled(value: Any, variables: Mapping[str, Any]) -> Any:
    """A value with ``${name}`` replaced by what earlier steps captured."""
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: str(variables.get(found[1], found[0])), value)
    if isinstance(value, dict):
        return {filled(key, variables): filled(each, variables) for key, each in value.items()}
    return [filled(each, variables) for each in value] if isinstance(value, list) else value


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: list[tuple[str, str]]
    data: bytes
    events: list[Any] | None = None
    """Of a watch that was let in."""
    ended: str = ""
    """Why reading a watch ended: ``max`` events, ``timeout`` or ``closed``."""

    def __post_init__(self) -> None:
        if self.header("content-encoding") == "gzip":
            self.data = gzip.decompress(self.data)
        self.json = None
        with suppress(ValueError):
            self.json = json.loads(self.data)

    def header(self, name: str) -> Any:
        """The value of a header, or all of them."""
        values = [each for key, each in self.headers if key.lower() == name.lower()]
        return (values if len(values) > 1 else values[0]) if values else ABSENT

    def captured(self, path: str) -> Any:
        """What a later step wants to know: a header, a field of an event or of the body."""
        if path.startswith("header:"):
            return self.header(path.removeprefix("header:"))
        if found := re.match(r"event(\d+):(.*)", path):
            events, index = self.events or [], int(found[1])
            return at(events[index], found[2]) if index < len(events) else ABSENT
        return ABSENT if self.json is None else at(self.json, path)


@dataclass
class Connection:
    """One kept connection for requests; every watch has its own."""

    url: str
    trust: ssl.SSLContext
    _kept: http.client.HTTPSConnection | None = None

    def _open(self, timeout: float) -> http.client.HTTPSConnection:
        where = urlsplit(self.url)
        return http.client.HTTPSConnection(
            where.hostname or "", where.port, context=self.trust, timeout=timeout
        )

    def close(self) -> None:
        """Close it, if it is open."""
        if self._kept is not None:
            self._kept.close()
        self._kept = None

    def request(self, method: str, target: str, headers: Mapping[str, str], body: Any) -> Answer:
        """Send a request; once more if the server had closed the connection."""
        for last in (False, True):
            self._kept = self._kept or self._open(40)
            try:
                self._kept.request(method, target, body=body, headers=dict(headers))
                response = self._kept.getresponse()
                answer = Answer(response.status, response.getheaders(), response.read())
            except (ConnectionError, http.client.CannotSendRequest):
                self.close()
                if last:
                    raise
                continue
            if response.will_close:
                self.close()
            return answer
        raise AssertionError

    def watch(self, target: str, headers: Mapping[str, str], limits: Step) -> Answer:
        """Read events, so many and so long."""
        most, seconds = limits.get("max", 10), limits.get("timeout", 3)
        connection = self._open(seconds)
        try:
            connection.request("GET", target, headers=dict(headers))
            socket = connection.sock
            response = connection.getresponse()
            if response.status != 200:
                return Answer(response.status, response.getheaders(), response.read())
            events: list[Any] = []
            ended = "max"
            try:
                for line in _lines(response, socket, time.monotonic() + seconds):
                    events.append(json.loads(line))
                    if len(events) >= most:
                        break
                else:
                    ended = "closed"
            except TimeoutError:
                ended = "timeout"
            return Answer(200, response.getheaders(), b"", events, ended)
        finally:
            connection.close()


def _lines(response: http.client.HTTPResponse, socket: Any, end: float) -> Iterator[bytes]:
    """The lines of a stream, until it ends; raises TimeoutError when time is up."""
    kept = b""
    while True:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        socket.settimeout(left)
        data = response.read1(65536)
        if not data:
            return
        *whole, kept = (kept + data).split(b"\n")
        yield from (each for each in whole if each.strip())


@dataclass
class Replay:
    """Sends the steps of one scenario, in order."""

    connection: Connection
    variables: dict[str, Any] = field(default_factory=dict)

    def differences(self, step: Step) -> list[str]:
        """Send a step; what of its answer is not as recorded."""
        answer = self._send(step)
        for name, path in step.get("capture", {}).items():
            if (value := answer.captured(path)) != ABSENT:
                self.variables[name] = value
        return differences(step["expect"], self._seen(step, answer))

    def _send(self, step: Step) -> Answer:
        method, target = filled(step["req"], self.variables).split(" ", 1)
        body = self._body(step)
        headers = self._headers(step, body)
        if "watch" in step:
            return self.connection.watch(target, headers, step["watch"])
        poll = filled(step.get("poll", {}), self.variables)
        end = time.monotonic() + poll.get("timeout", 0)
        while True:
            answer = self.connection.request(method, target, headers, body)
            if not poll or _is_so(poll["until"], answer) or time.monotonic() > end:
                return answer
            time.sleep(0.1)

    def _headers(self, step: Step, body: bytes | None) -> dict[str, str]:
        headers = {"accept": "application/json", "user-agent": "replay/1.0"}
        who = filled(step.get("as", "admin"), self.variables)
        if who != "anon":
            token = who.removeprefix("token:") if who.startswith("token:") else TOKENS[who]
            headers["authorization"] = f"Bearer {token}"
        if "ct" in step or body is not None:
            headers["content-type"] = step.get("ct", "application/json")
        own = filled(step.get("headers", {}), self.variables)
        headers |= {name.lower(): value for name, value in own.items()}
        if headers.get("content-type") == "":
            del headers["content-type"]
        return {name: value for name, value in headers.items() if value is not None}

    def _body(self, step: Step) -> bytes | None:
        if "b64" in step:
            return base64.b64decode(step["b64"])
        if "raw" in step:
            data = filled(step["raw"], self.variables).encode()
        elif "body" in step:
            data = json.dumps(filled(step["body"], self.variables)).encode()
        else:
            return None
        text, times = step.get("repeat", ("", 0))
        return data.replace(_REPEATED, text.encode() * times)

    def _seen(self, step: Step, answer: Answer) -> Step:
        """What of an answer is compared, without what differs from run to run."""
        escaped = {name: re.escape(str(value)) for name, value in self.variables.items()}
        replaced = [(each[0], each[1]) for each in filled(step.get("subs", []), escaped)]
        plain = Normaliser(bool(step.get("keep_mf")), replaced)
        seen: Step = {"status": answer.status}
        if "cmp" in step:
            seen["cmp"] = {
                f"{path} {operator} {value}": _compared(
                    at(answer.json, path), operator, filled(value, self.variables)
                )
                for path, operator, value in step["cmp"]
            }
        if "see_headers" in step:
            seen["headers"] = {
                name: plain.value(answer.header(name)) for name in step["see_headers"]
            }
        if answer.events is not None:
            return {**seen, **_seen_events(step, answer, plain)}
        return {**seen, **_seen_body(step, answer, plain)}


def _is_so(wanted: Step, answer: Answer) -> bool:
    if wanted.get("status", answer.status) != answer.status:
        return False
    value = at(answer.json, wanted["path"]) if "path" in wanted else None
    tests = {
        "equals": lambda: value == wanted["equals"],
        "contains": lambda: value != ABSENT and wanted["contains"] in value,
        "present": lambda: value != ABSENT,
        "absent": lambda: value == ABSENT,
    }
    return all(test() for name, test in tests.items() if wanted.get(name) is not None)


def _compared(left: Any, operator: str, right: Any) -> bool | str:
    try:
        match operator:
            case "==":
                return str(left) == str(right)
            case "!=":
                return str(left) != str(right)
            case ">":
                return int(left) > int(right)
            case _:
                return int(left) >= int(right)
    except (TypeError, ValueError):
        return f"{left!r} and {right!r} cannot be compared"


def _seen_events(step: Step, answer: Answer, plain: Normaliser) -> Step:
    events = []
    for event in answer.events or []:
        obj = plain.value(event.get("object", {}))
        seen = {"type": event.get("type")}
        if obj.get("kind") == "Status":
            seen["object"] = obj
        else:
            seen |= {path: at(obj, path) for path in step.get("see") or _DEFAULT_EVENT}
        events.append(seen)
    return {"events": events, "ended": answer.ended} if "see_end" in step else {"events": events}


def _seen_body(step: Step, answer: Answer, plain: Normaliser) -> Step:
    if answer.json is None:
        if not answer.data or step.get("no_text"):
            return {}
        try:
            text = answer.data.decode()
        except UnicodeDecodeError:
            text = "<binary>"
        return {"text": plain.text(text)[:_MAX_TEXT]}
    value = plain.value(answer.json)
    see = step.get("see", "all")
    is_status = isinstance(value, dict) and (value.get("kind"), value.get("apiVersion")) == (
        "Status",
        "v1",
    )
    if see == "all" or (is_status and not step.get("see_status")):
        return {"body": value}
    return {} if see == "none" else {"json": {path: at(value, path) for path in see}}
