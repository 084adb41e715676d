"""The copy of a message that is encrypted to a key: one suite for the store in memory and in Postgres."""

import asyncio

import pytest

from tests.conformance.test_notifier_store import Ledgers, alone, ledgers

__all__ = ["alone", "ledgers"]  # the fixtures of the suite
pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_copy_is_made_once_for_each_message_and_key(ledgers: Ledgers) -> None:
    made: list[bytes] = []

    def make() -> bytes:
        made.append(b"copy %d" % len(made))
        return made[-1]

    first = [await ledgers.store.copy("ntc_1", "kid_1", make) for _ in range(2)]
    assert first == [b"copy 0"] * 2
    assert await ledgers.store.copy("ntc_1", "kid_2", make) == b"copy 1"
    assert await ledgers.store.copy("ntc_2", "kid_1", make) == b"copy 2"
    assert len(made) == 3


async def test_of_copies_that_are_made_at_once_all_send_the_same(ledgers: Ledgers) -> None:
    copies = await asyncio.gather(*[ledgers.store.copy("ntc_1", "kid_1", lambda n=n: b"%d" % n) for n in range(4)])  # type: ignore[misc]  # a default binds it
    assert len(set(copies)) == 1
