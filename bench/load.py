"""The load generator of ``load.c`` in Python, for machines without a C compiler.

The same arguments, checks and figures, from one asyncio loop: it reaches a fraction of the rate.
"""

import argparse
import asyncio
import json
import os
import random
import re
import ssl
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httptools
import uvloop

from bench.measures import BenchError, percentile

_MARKER = re.compile(rb'"ts":"(\d{19})')
_PLACE = re.compile(r"\{([iotx])\}")
_TAIL = 32
_STALL_SECONDS = 20.0


@dataclass(slots=True)
class Run:
    """What all connections share."""

    options: argparse.Namespace
    token: str
    body: str
    latencies: list[float] = field(default_factory=list)
    issued: int = 0
    answered: int = 0
    ends: float = 0.0
    last_event: float = 0.0
    wrong: str = ""
    """What ended the run early."""

    def more(self) -> bool:
        """Whether another request is due."""
        count: int = self.options.count
        return self.issued < count if count else time.monotonic() < self.ends

    def expand(self, text: str) -> str:
        """A path or body for the request that is next."""
        number = self.options.start + self.issued
        values = {
            "i": lambda: str(number),
            "o": lambda: str(number % self.options.modulo),
            "t": lambda: f"{time.monotonic_ns():019}",
            "x": lambda: random.randbytes(256).hex(),
        }
        return _PLACE.sub(lambda found: values[found[1]](), text)

    def request(self, method: str, path: str, body: str = "") -> bytes:
        """The bytes of a request."""
        options = self.options
        content = self.expand(body).encode()
        lines = [
            f"{method} {self.expand(path)} HTTP/1.1",
            f"Host: {options.address}",
            "Accept: application/json",
            f"Authorization: Bearer {self.token}",
        ]
        if options.gzip:
            lines.append("Accept-Encoding: gzip")
        if content:
            lines += [f"Content-Type: {options.content_type}", f"Content-Length: {len(content)}"]
        return "\r\n".join([*lines, "", ""]).encode() + content


class Connection(asyncio.Protocol):
    """One connection: sends, reads and checks answers."""

    def __init__(self, run: Run, watch: bool) -> None:
        self.run = run
        self.watch = watch
        self.transport: Any = None
        self.parser: Any = None
        self.answer: asyncio.Future[None] | None = None
        self.head: asyncio.Future[None] | None = None
        self.tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where to write."""
        self.transport = transport

    def connection_lost(self, _: Exception | None) -> None:
        """The end of a connection is an error, unless the run is over."""
        self.fail("the server closed a connection")

    def fail(self, why: str) -> None:
        """End the run: there will be no figures."""
        self.run.wrong = self.run.wrong or why
        for each in (self.answer, self.head):
            if each is not None and not each.done():
                each.set_exception(BenchError(why))
                each.exception()  # whoever waits sees it; nobody has to

    def send(self, request: bytes) -> "asyncio.Future[None]":
        """Send a request; the answer has come when the future is done."""
        self.parser = httptools.HttpResponseParser(self)
        loop = asyncio.get_running_loop()
        self.answer, self.head = loop.create_future(), loop.create_future()
        self.transport.write(request)
        return self.answer

    def data_received(self, data: bytes) -> None:
        """Feed the parser, which calls what follows."""
        self.parser.feed_data(data)

    def on_headers_complete(self) -> None:
        """Check the status."""
        expected = 200 if self.watch else self.run.options.expect
        if self.parser.get_status_code() != expected:
            self.fail(f"answered {self.parser.get_status_code()}, not {expected}")
        elif self.head is not None:
            self.head.set_result(None)

    def on_body(self, body: bytes) -> None:
        """Find the events of a watch."""
        if not self.watch:
            return
        now = time.monotonic_ns()
        data = self.tail + body
        end = 0
        for found in _MARKER.finditer(data):
            self.run.latencies.append((now - int(found[1])) / 1e9)
            self.run.last_event = now / 1e9
            end = found.end()
        self.tail = data[max(end, len(data) - _TAIL) :]

    def on_message_complete(self) -> None:
        """The answer is whole."""
        if self.watch:
            self.fail("a watch ended")
        elif self.answer is not None and not self.answer.done():
            self.answer.set_result(None)


async def _sender(run: Run, connection: Connection, interval: float) -> None:
    options = run.options
    due = time.monotonic()
    while run.more() and not run.wrong:
        request = run.request(options.method, options.path, run.body)
        run.issued += 1
        began = time.monotonic()
        await connection.send(request)
        run.answered += 1
        if not options.watchers:
            run.latencies.append(time.monotonic() - began)
        if interval:
            due += interval
            await asyncio.sleep(max(0.0, due - time.monotonic()))


async def _events(run: Run) -> None:
    wanted = run.options.watchers * run.options.count
    run.last_event = time.monotonic()
    while len(run.latencies) < wanted and not run.wrong:
        await asyncio.sleep(0.01)
        if time.monotonic() - run.last_event > _STALL_SECONDS:
            run.wrong = f"{len(run.latencies)} of {wanted} events came"


async def _run(run: Run) -> dict[str, float]:
    options = run.options
    host, _, port = options.address.partition(":")
    context = ssl.create_default_context(cafile=options.ca) if options.ca else None
    loop = asyncio.get_running_loop()

    async def connect(watch: bool) -> Connection:
        _, made = await loop.create_connection(
            lambda: Connection(run, watch), host, int(port), ssl=context
        )
        if watch:
            made.send(run.request("GET", options.watch_path))
            assert made.head is not None
            await made.head
        return made

    watchers = [await connect(True) for _ in range(options.watchers)]
    senders = [await connect(False) for _ in range(options.connections)]
    cpu, began = time.process_time(), time.monotonic()
    run.ends = began + options.seconds
    interval = options.connections / options.rate if options.rate else 0.0
    await asyncio.gather(*(_sender(run, each, interval) for each in senders))
    if watchers:
        await _events(run)
    if run.wrong:
        raise BenchError(run.wrong)
    seconds = (run.last_event if watchers else time.monotonic()) - began
    return _figures(run.latencies, seconds, time.process_time() - cpu)


def _figures(latencies: list[float], seconds: float, cpu: float) -> dict[str, float]:
    latencies.sort()
    return {
        "count": len(latencies),
        "seconds": seconds,
        "rate": len(latencies) / seconds,
        "p50_ms": percentile(latencies, 0.5) * 1e3,
        "p99_ms": percentile(latencies, 0.99) * 1e3,
        "max_ms": percentile(latencies, 1) * 1e3,
        "cpu_seconds": cpu,
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True)
    parser.add_argument("--ca", default="")
    parser.add_argument("--method", default="GET")
    parser.add_argument("--path", default="/")
    parser.add_argument("--body", type=Path)
    parser.add_argument("--content-type", default="application/json")
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--modulo", type=int, default=1)
    parser.add_argument("--expect", type=int, default=200)
    parser.add_argument("--gzip", action="store_true")
    parser.add_argument("--watchers", type=int, default=0)
    parser.add_argument("--watch-path", default="")
    parser.add_argument("--rate", type=float, default=0.0)
    return parser


def main() -> int:
    """Make the load that the arguments say."""
    options = _parser().parse_args()
    body = options.body.read_text() if options.body else ""
    try:
        figures = uvloop.run(_run(Run(options, os.environ["LOAD_TOKEN"], body)))
    except (BenchError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
