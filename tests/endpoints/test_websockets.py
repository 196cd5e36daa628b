"""A stream as a WebSocket, against wsproto as the client."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage

from endpoints.exchange import FakeStream
from llmos.endpoints.websockets import MAX_RECEIVED, MAX_UNREAD, WebSocket, text_frame


class Pair:
    """A socket of the server and the client at its other end."""

    def __init__(self) -> None:
        self.stream = FakeStream()
        self.client = Connection(ConnectionType.CLIENT)
        self.hung_up = 0
        self.socket = WebSocket(self.stream, self.client.receive_data, self.hang_up)

    def hang_up(self) -> None:
        self.hung_up += 1

    def say(self, event: Event) -> None:
        """The client sends something."""
        self.socket.receive(self.client.send(event))

    def heard(self) -> list[Event]:
        """What has come to the client."""
        return list(self.client.events())

    def close_code(self) -> int:
        """With which code the server closed."""
        (last,) = [each for each in self.heard() if isinstance(each, CloseConnection)]
        return int(last.code)


@pytest.fixture
def pair() -> Pair:
    return Pair()


def test_lines_are_messages(pair: Pair) -> None:
    """Every line of a chunk is a text message of its own, whatever its size."""
    lines = ["a", "b" * 125, "c" * 126, "d" * 65535, "e" * 65536, "ü"]
    pair.socket.write("".join(f"{each}\n" for each in lines).encode())
    heard, text = [], ""
    for event in pair.heard():
        assert isinstance(event, TextMessage)
        text += event.data
        if event.message_finished:
            heard.append(text)
            text = ""
    assert heard == lines


@given(st.integers(0, 200_000))
def test_frame_sizes(size: int) -> None:
    """A frame of any size is read as it was written."""
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(text_frame(b"x" * size))
    events = list(client.events())
    assert sum(len(each.data) for each in events) == size
    assert events[-1].message_finished


def test_ping(pair: Pair) -> None:
    """A ping is answered with what it said."""
    pair.say(Ping(b"hey"))
    assert pair.heard() == [Pong(b"hey")]


def test_ping_of_a_slow_client(pair: Pair) -> None:
    """Who does not read cannot make the server's buffer grow by pings."""
    pair.stream.buffered = MAX_UNREAD
    pair.say(Ping(b"hey"))
    assert pair.heard() == []


def test_client_closes(pair: Pair) -> None:
    """A close is answered, ends the stream at once and silences it."""
    pair.say(CloseConnection(1000))
    assert pair.close_code() == 1000
    assert pair.socket.gone
    assert pair.stream.woken
    pair.socket.write(b"late\n")
    asyncio.run(pair.socket.close())
    assert pair.heard() == []
    assert pair.hung_up == 1
    assert not pair.stream.aborted


def test_server_closes(pair: Pair) -> None:
    """The server says that it closes, and hangs up when the client has heard it."""

    async def closing() -> None:
        task = asyncio.create_task(pair.socket.close())
        await asyncio.sleep(0)
        (heard,) = pair.heard()
        assert not pair.hung_up
        pair.say(heard.response())
        await task

    asyncio.run(closing())
    assert pair.hung_up == 1
    assert not pair.stream.aborted


def test_server_closes_on_the_deaf(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that does not answer a close is cut off."""
    monkeypatch.setattr("llmos.endpoints.websockets.CLOSE_SECONDS", 0.01)
    asyncio.run(pair.socket.close())
    assert pair.stream.aborted
    assert pair.hung_up == 1


def test_messages_mean_nothing(pair: Pair) -> None:
    """A watcher may talk, and nobody listens."""
    pair.say(TextMessage("hello"))
    pair.say(BytesMessage(b"hello"))
    assert pair.heard() == []
    assert not pair.socket.gone


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x02hi", 1002),
        (b"\xf1\x80abcd", 1002),
        (b"\x83\x80abcd", 1002),
        (b"\x89\xfe\x00\x80abcd", 1002),
        (b"\x81\xff" + b"\xff" * 8, 1002),
        (b"\x80\x80abcd", 1002),
        (b"\x81\x81\x00\x00\x00\x00\xff", 1007),
    ],
    ids=["unmasked", "reserved bits", "opcode", "long ping", "huge", "continuation", "no UTF-8"],
)
def test_breach(pair: Pair, data: bytes, code: int) -> None:
    """Who breaks the protocol is told how, and cut off."""
    pair.socket.receive(data)
    assert pair.close_code() == code
    assert pair.socket.gone


def test_client_talks_too_much(pair: Pair) -> None:
    """A frame, or many of them, beyond what a watcher may say ends the socket."""
    pair.socket.receive(b"\x82\xff" + (1 << 40).to_bytes(8, "big") + b"abcd")
    for _ in range(MAX_RECEIVED // 1024):
        pair.socket.receive(b"x" * 1024)
    assert pair.close_code() == 1009
    assert pair.socket.gone


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_any_bytes(pieces: list[bytes]) -> None:
    """Whatever a client sends, in whichever pieces, nothing breaks."""
    pair = Pair()
    for each in pieces:
        pair.socket.receive(each)
