"""Hashing, verifying and judging passwords."""

import asyncio
import threading
import time

import pytest

from authentication.objects import cheap_passwords
from llmos.apimachinery.errors import TooManyRequestsError
from llmos.authentication.passwords import (
    Passwords,
    check_password,
    default_hasher,
    generate_password,
)


def test_hash_is_argon2id_and_verifies_only_its_password():
    """A password fits its hash; another one, the hash itself and no hash at all do not."""

    async def scenario():
        passwords = cheap_passwords()
        stored = await passwords.hash("correct horse")
        assert stored.startswith("$argon2id$")
        assert "horse" not in stored
        assert await passwords.verify("correct horse", stored)
        for password, known in [
            ("Correct horse", stored),
            (stored, stored),
            ("correct horse", None),
            ("correct horse", "garbage"),
            ("x" * 100_000, stored),
        ]:
            assert not await passwords.verify(password, known)

    asyncio.run(scenario())


def test_accents_fit_however_they_are_composed():
    """The same text typed on another keyboard is the same password."""

    async def scenario():
        passwords = cheap_passwords()
        stored = await passwords.hash("M\u00fcller M\u00fcller")
        assert await passwords.verify("Mu\u0308ller Mu\u0308ller", stored)

    asyncio.run(scenario())


def test_no_hash_costs_as_much_as_a_hash():
    """An unknown user takes an argon2 computation of the real cost."""

    async def scenario():
        passwords = Passwords()
        stored = await passwords.hash("something")
        times = {}
        for known in (stored, None):
            runs = []
            for _ in range(5):
                start = time.perf_counter()
                await passwords.verify("something else", known)
                runs.append(time.perf_counter() - start)
            times[known] = min(runs)
        assert 0.6 < times[None] / times[stored] < 1.6

    asyncio.run(scenario())


def test_few_run_at_once_and_many_are_refused():
    """Two hash, some wait, the rest gets 429; afterwards there is room again."""

    async def scenario():
        running, most, lock = [0], [0], threading.Lock()

        class Slow:
            salt_len, hash_len, memory_cost, time_cost, parallelism = 16, 32, 8, 1, 1

            def hash(self, password):
                with lock:
                    running[0] += 1
                    most[0] = max(most[0], running[0])
                time.sleep(0.01)
                with lock:
                    running[0] -= 1
                return "hash"

        passwords = Passwords(Slow(), concurrent=2, waiting=3)
        answers = await asyncio.gather(
            *(passwords.hash("x") for _ in range(9)), return_exceptions=True
        )
        assert answers.count("hash") == 5
        assert sum(isinstance(each, TooManyRequestsError) for each in answers) == 4
        assert most[0] == 2
        assert await passwords.hash("x") == "hash"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "FieldValueRequired"),
        ("x", "FieldValueInvalid"),
        ("sevenck", "FieldValueInvalid"),
        ("alice.liddell", "FieldValueInvalid"),
        ("ALICE.Liddell ", "FieldValueInvalid"),
        ("tab\there123", "FieldValueInvalid"),
        ("zero\x00here1", "FieldValueInvalid"),
        ("x" * 257, "FieldValueTooLong"),
        ("x" * 1_000_000, "FieldValueTooLong"),
    ],
)
def test_bad_passwords_are_named_without_being_repeated(password, reason):
    """Too short, too long, the username or control characters: a field error without the text."""
    errors = check_password(password, ("alice", "alice.liddell"), "spec.password")
    assert [each.reason for each in errors] == [reason]
    assert errors[0].field == "spec.password"
    assert len(password) < 2 or password not in str(errors[0])


@pytest.mark.parametrize(
    "password", ["eightchr", "correct horse battery", "пароль пароль", "x" * 256]
)
def test_good_passwords_pass(password):
    """Any eight characters that are not the username are good."""
    assert check_password(password, ("alice",), "password") == []


def test_generated_passwords_are_good_and_differ():
    """A password we make passes our own rules, and no two are alike."""
    made = {generate_password() for _ in range(100)}
    assert len(made) == 100
    assert all(check_password(each, ("admin",), "password") == [] for each in made)


def test_default_cost_is_not_low():
    """Without another wish, hashing costs what OWASP asks for."""
    hasher = default_hasher()
    assert (hasher.memory_cost, hasher.time_cost) >= (19456, 2)
