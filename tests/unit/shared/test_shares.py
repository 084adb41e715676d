"""Shares of a batch: nothing left out, no partition in two of them, none too small to be worth it."""

from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from shared.kafka.shares import SHARE_RECORDS_MIN, shares

BATCHES = st.dictionaries(st.integers(0, 63), st.integers(1, 900), min_size=1, max_size=12)


def record(partition: int, offset: int) -> ConsumerRecord:
    return ConsumerRecord("t", partition, offset, 0, 0, None, b"", -1, 0, 0, ())


def polled(sizes: dict[int, int]) -> list[list[ConsumerRecord]]:
    return [[record(partition, offset) for offset in range(size)] for partition, size in sizes.items()]


@given(BATCHES, st.integers(1, 8))
def test_each_partition_lies_whole_and_in_its_order_in_one_share(sizes: dict[int, int], abreast: int) -> None:
    found: dict[int, list[int]] = {}
    for share in shares(polled(sizes), abreast):
        mine = {one.partition for one in share}
        assert not mine & found.keys()
        for one in share:
            found.setdefault(one.partition, []).append(one.offset)
    assert found == {partition: list(range(size)) for partition, size in sizes.items()}


@given(BATCHES, st.integers(1, 8))
def test_there_are_no_more_shares_than_may_be_or_than_are_worth_it(sizes: dict[int, int], abreast: int) -> None:
    made = shares(polled(sizes), abreast)
    assert all(made)
    assert len(made) <= min(abreast, len(sizes), max(1, sum(sizes.values()) // SHARE_RECORDS_MIN))


def test_partitions_that_are_alike_make_shares_that_are_alike() -> None:
    assert [len(share) for share in shares(polled(dict.fromkeys(range(8), 250)), 4)] == [500, 500, 500, 500]


def test_a_few_records_are_one_transaction() -> None:
    assert len(shares(polled(dict.fromkeys(range(12), 16)), 8)) == 1
