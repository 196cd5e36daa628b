"""Matches RE2 patterns in linear time, so that no pattern of a CRD can stall the server.

Python's ``re`` backtracks: ``(a+)+$`` takes it minutes. Here a pattern becomes a nondeterministic
automaton, and its deterministic one is built as far as texts need it (K. Thompson; R. Cox,
https://swtch.com/~rsc/regexp/). Used by ``apimachinery.scalar_checks``.
"""

from collections.abc import Iterable
from functools import lru_cache

from llmos.apimachinery.regex_syntax import (
    Alternate,
    Chars,
    Concat,
    Edge,
    Node,
    Ranges,
    RegexError,
    Repeat,
    parse,
)

_MAX_PROGRAM = 10_000
_MAX_STATES = 2_000
"""States kept; past these the automaton is built anew."""
_MAX_NEXT = 512
"""Characters remembered in a state."""
_MAX_WORK = 2_000_000
"""Instructions looked at for one text before it is given up: about a second."""

_CHAR, _SPLIT, _BEGIN, _END, _MATCH = range(5)
Instruction = tuple[int, Ranges, list[int]]
"""What it is, the characters it takes, and where it goes on."""


class TextTooComplexError(ValueError):
    """The text would take too long to match."""


class _State:
    """A set of places in the program, and where each character seen so far leads."""

    __slots__ = ("accepting", "accepting_at_end", "next", "places")

    def __init__(self, places: tuple[int, ...], accepting: bool, accepting_at_end: bool) -> None:
        self.places = places
        self.accepting = accepting
        self.accepting_at_end = accepting_at_end
        self.next: dict[str, _State] = {}


@lru_cache(maxsize=1024)
def regex_of(pattern: str) -> "Regex":
    """The compiled pattern, shared by all who ask for it.

    Raises:
        RegexError: the pattern is malformed, too large, or uses what is not supported.
    """
    return Regex(pattern)


class Regex:
    """A compiled pattern."""

    __slots__ = ("_program", "_states", "_work")

    def __init__(self, pattern: str) -> None:
        """Compile.

        Raises:
            RegexError: the pattern is malformed, too large, or uses what is not supported.
        """
        self._program: list[Instruction] = []
        self._emit(parse(pattern))
        self._add(_MATCH)
        self._states: dict[tuple[frozenset[int], bool], _State] = {}
        self._work = 0

    def search(self, text: str) -> bool:
        """Whether the pattern matches anywhere in the text.

        Raises:
            TextTooComplexError: it would take too long to say.
        """
        self._work = 0
        state = self._state(frozenset((0,)), begin=True)
        for char in text:
            if state.accepting:
                return True
            state = state.next.get(char) or self._step(state, char)
        return state.accepting or state.accepting_at_end

    def _step(self, state: _State, char: str) -> _State:
        code = ord(char)
        self._work += len(state.places) + 1
        if self._work > _MAX_WORK:
            raise TextTooComplexError("is too complex to be matched against the pattern")
        places = {0}
        for place in state.places:
            _, ranges, targets = self._program[place]
            if any(low <= code <= high for low, high in ranges):
                places.update(targets)
        following = self._state(frozenset(places), begin=False)
        if len(state.next) < _MAX_NEXT:
            state.next[char] = following
        return following

    def _state(self, places: frozenset[int], begin: bool) -> _State:
        key = (places, begin)
        state = self._states.get(key)
        if state is None:
            if len(self._states) >= _MAX_STATES:
                self._states.clear()
            reached = self._closure(places, begin, end=False)
            at_end = self._closure(places, begin, end=True)
            last = len(self._program) - 1
            state = self._states[key] = _State(
                tuple(each for each in reached if self._program[each][0] == _CHAR),
                last in reached,
                last in at_end,
            )
        return state

    def _closure(self, places: Iterable[int], begin: bool, end: bool) -> set[int]:
        """The places reachable without a character."""
        open_edges = {_SPLIT: True, _BEGIN: begin, _END: end}
        reached: set[int] = set()
        pending = list(places)
        while pending:
            place = pending.pop()
            if place in reached:
                continue
            reached.add(place)
            kind, _, targets = self._program[place]
            if open_edges.get(kind):
                pending.extend(targets)
        self._work += len(reached)
        return reached

    def _add(self, kind: int, ranges: Ranges = ()) -> int:
        if len(self._program) >= _MAX_PROGRAM:
            raise RegexError("expression is too large")
        self._program.append((kind, ranges, []))
        return len(self._program) - 1

    def _goes(self, place: int, *targets: int) -> None:
        self._program[place][2].extend(targets)

    def _emit(self, node: Node) -> None:
        """Append instructions that go on right after themselves."""
        match node:
            case Chars(ranges):
                place = self._add(_CHAR, ranges)
                self._goes(place, place + 1)
            case Edge(end):
                place = self._add(_END if end else _BEGIN)
                self._goes(place, place + 1)
            case Concat(parts):
                for part in parts:
                    self._emit(part)
            case Alternate(parts):
                self._emit_alternate(parts)
            case Repeat():
                self._emit_repeat(node)

    def _emit_alternate(self, parts: tuple[Node, ...]) -> None:
        fork = self._add(_SPLIT)
        exits = []
        for part in parts:
            self._goes(fork, len(self._program))
            self._emit(part)
            exits.append(self._add(_SPLIT))
        for each in exits:
            self._goes(each, len(self._program))

    def _emit_repeat(self, node: Repeat) -> None:
        for _ in range(node.least):
            self._emit(node.body)
        if node.most is None:
            fork = self._add(_SPLIT)
            self._goes(fork, fork + 1)
            self._emit(node.body)
            back = self._add(_SPLIT)
            self._goes(back, fork)
            self._goes(fork, len(self._program))
            return
        forks = []
        for _ in range(node.most - node.least):
            fork = self._add(_SPLIT)
            self._goes(fork, fork + 1)
            self._emit(node.body)
            forks.append(fork)
        for fork in forks:
            self._goes(fork, len(self._program))
