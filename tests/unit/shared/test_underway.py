"""Shares that take effect side by side: how many, of which partitions, and what happens when one fails."""

import asyncio

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from shared.faults import StoreUnavailable
from shared.kafka.underway import UnderWay

TOPIC = "concordat.concerns.v1"


def record(partition: int, offset: int) -> ConsumerRecord[bytes, bytes]:
    return ConsumerRecord(TOPIC, partition, offset, 0, 0, b"", b"", None, 0, 0, ())


class Taking:
    """What is under way until the test says how it ends."""

    def __init__(self) -> None:
        self.end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> None:
        await self.end


async def test_nothing_is_waited_for_where_nothing_is_under_way() -> None:
    shares = UnderWay(2, records_max=10)
    assert (shares.room, shares.partitions, await shares.settled()) == (2, frozenset(), ())
    await shares.end()


async def test_what_is_over_makes_room_and_says_how_far_it_leads() -> None:
    shares, quick, slow = UnderWay(2, records_max=10), Taking(), Taking()
    shares.begin([record(0, 3), record(1, 7), record(0, 4)], quick())
    shares.begin([record(2, 1)], slow())
    assert (shares.room, shares.partitions) == (0, frozenset(TopicPartition(TOPIC, n) for n in range(3)))
    assert shares.records_room == 6
    quick.end.set_result(None)
    (over,) = await shares.settled()
    assert {place: last.offset for place, last in over.items()} == {
        TopicPartition(TOPIC, 0): 4,
        TopicPartition(TOPIC, 1): 7,
    }
    assert (shares.room, shares.partitions) == (1, frozenset({TopicPartition(TOPIC, 2)}))
    slow.end.set_result(None)
    await shares.end()
    assert (shares.room, shares.records_room) == (2, 10)


async def test_a_fault_is_raised_once_nothing_is_under_way_any_more() -> None:
    shares, failing, slow = UnderWay(2, records_max=10), Taking(), Taking()
    shares.begin([record(0, 3)], failing())
    shares.begin([record(1, 3)], slow())
    failing.end.set_exception(StoreUnavailable("gone"))
    settling = asyncio.create_task(shares.settled())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not settling.done()
    slow.end.set_exception(StoreUnavailable("gone too"))
    with pytest.raises(StoreUnavailable, match="gone"):
        await settling
    assert shares.failed == {TopicPartition(TOPIC, 0)}
    assert shares.room == 2


async def test_a_partition_has_failed_until_something_of_it_takes_effect() -> None:
    shares, failing, other, again = UnderWay(2, records_max=10), Taking(), Taking(), Taking()
    shares.begin([record(0, 3)], failing())
    failing.end.set_exception(StoreUnavailable("gone"))
    with pytest.raises(StoreUnavailable):
        await shares.settled()
    shares.begin([record(1, 3)], other())
    other.end.set_result(None)
    await shares.settled()
    assert shares.failed == {TopicPartition(TOPIC, 0)}
    shares.begin([record(0, 3)], again())
    again.end.set_result(None)
    await shares.settled()
    assert shares.failed == set()
