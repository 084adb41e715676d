"""How far a consumer is behind: a broker that is away says nothing of a client, one that answers may."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import pytest
from aiokafka import TopicPartition

from shared.faults import LogUnavailable
from shared.kafka import lag
from shared.kafka.ends import NoAnswer
from shared.kafka.lag import DOUBTFUL_SECONDS, Doubtful, Lag, LogShrank, StandsStill, UselessClient

HERE = TopicPartition("topic", 0)


@dataclass(slots=True)
class Broker:
    """Says where the log ends, or nothing."""

    end: int = 5
    away: bool = False
    asked: int = 0
    fault: type[LogUnavailable] = LogUnavailable
    elsewhere: dict[TopicPartition, int] = field(default_factory=dict)

    async def of(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        self.asked += 1
        if self.away:
            raise self.fault("away")
        return {tp: self.elsewhere.get(tp, self.end) for tp in partitions}


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lag, "LOOK_SECONDS", -1.0)


@pytest.mark.usefixtures("at_once")
async def test_a_client_is_judged_only_by_a_broker_that_answers() -> None:
    broker = Broker()
    looking = Lag(broker, frozen_seconds=-1)
    with pytest.raises(StandsStill):
        await looking.look({HERE: 2})
    broker.away = True
    with pytest.raises(LogUnavailable) as silence:
        await looking.look({HERE: 2})
    assert not isinstance(silence.value, UselessClient)
    broker.away, broker.end = False, 1
    with pytest.raises(LogShrank):
        await looking.look({HERE: 2})


@pytest.mark.usefixtures("at_once")
async def test_a_partition_of_which_something_is_under_way_does_not_stand_still(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, looking = [0.0], Lag(Broker(), frozen_seconds=15)
    monkeypatch.setattr(lag, "monotonic", lambda: clock[0])
    for clock[0] in (0, 20, 40):
        assert await looking.look({HERE: 2}, busy={HERE}) == 3
    clock[0] = 50
    assert await looking.look({HERE: 2}) == 3
    clock[0] = 60
    with pytest.raises(StandsStill):
        await looking.look({HERE: 2})


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(("fault", "seconds", "doubted"), [
    (NoAnswer, DOUBTFUL_SECONDS + 1, True),
    (NoAnswer, DOUBTFUL_SECONDS - 1, False),
    (LogUnavailable, DOUBTFUL_SECONDS + 1, False),
])  # fmt: skip
async def test_what_was_asked_of_a_broker_that_long_took_all_and_answered_nothing_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, fault: type[LogUnavailable], seconds: float, doubted: bool
) -> None:
    """One that refuses, as it does while it is down, leaves nothing unanswered."""
    clock = [0.0]
    monkeypatch.setattr(lag, "monotonic", lambda: clock[0])
    broker = Broker(away=True, fault=fault)
    looking = Lag(broker)
    with pytest.raises(fault):
        await looking.look({HERE: 2})
    clock[0], broker.away = seconds, False
    if doubted:
        with pytest.raises(Doubtful):
            await looking.look({HERE: 2})
    assert await looking.look({HERE: 2}) == 3


async def test_a_broker_that_said_nothing_is_not_asked_again_at_once_and_nothing_is_known_meanwhile() -> None:
    broker = Broker(away=True)
    looking = Lag(broker)
    for _ in range(3):
        with pytest.raises(LogUnavailable):
            await looking.look({HERE: 2})
    assert broker.asked == 1


async def test_the_end_of_a_partition_that_is_new_is_asked_for_at_once() -> None:
    other = TopicPartition("topic", 1)
    broker = Broker(elsewhere={other: 9})
    looking = Lag(broker)
    assert await looking.look({HERE: 2}) == 3
    assert await looking.look({HERE: 3}) == 2
    assert await looking.look({HERE: 3, other: 0}) == 11
    assert broker.asked == 2
