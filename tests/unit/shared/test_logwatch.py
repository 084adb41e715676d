"""A log that was lost is seen by its offsets, and filled again from the outbox."""

from shared.db.outbox import OutboxRow
from shared.logwatch import LogWatch
from shared.relay import UNPUBLISHED_SECONDS, Relay
from shared.supervision import Progress
from shared.telemetry import ALARMS, Telemetry
from tests.support.plumbing_fakes import InMemoryLog, InMemoryOutbox

TOPICS = ("concordat.concerns.v1", "concordat.outcomes.v1", "concordat.audit.v1")


class Service:
    """An outbox, its relay and its log."""

    def __init__(self) -> None:
        self.outbox, self.log = InMemoryOutbox(), InMemoryLog()
        self.start()

    def start(self) -> None:
        """Start anew: what was in memory is gone."""
        telemetry = Telemetry("test")
        self.watch = LogWatch(self.outbox, self.log, self.log, progress=Progress("watch"), telemetry=telemetry)
        self.relay = Relay(self.outbox, self.watch, progress=Progress("sweeper"), telemetry=telemetry)

    async def publish(self, *names: str) -> None:
        """Publish one row of each topic for each name, and mark it."""
        rows = [OutboxRow(f"{topic} {name}", topic, 0, "key", name.encode()) for name in names for topic in TOPICS]
        self.outbox.write(rows)
        await self.relay._publish(rows)
        await self.relay._mark_once()

    async def refilled(self) -> set[tuple[str, bytes]]:
        """What the log holds after a look and a sweep."""
        await self.watch.look()
        self.outbox.now += UNPUBLISHED_SECONDS + 1
        await self.relay._sweep_once()
        return {(record.topic, record.value) for record in self.log.records}


def everything(*names: str) -> set[tuple[str, bytes]]:
    return {(topic, name.encode()) for topic in TOPICS for name in names}


def alarms() -> float:
    return float(ALARMS.labels("log-lost")._value.get())


async def test_a_log_that_is_whole_is_left_alone() -> None:
    service, before = Service(), alarms()
    await service.publish("a", "b")
    assert await service.refilled() == everything("a", "b")
    assert (len(service.log.records), alarms()) == (6, before)


async def test_a_log_that_was_lost_is_filled_again_in_every_topic_with_one_alarm_each() -> None:
    service, before = Service(), alarms()
    await service.publish("a", "b")
    service.log.records.clear()
    assert await service.refilled() == everything("a", "b")
    await service.refilled()
    assert alarms() == before + len(TOPICS)


async def test_a_log_that_was_lost_while_nobody_looked_is_filled_again_at_the_next_start() -> None:
    service = Service()
    await service.publish("a", "b")
    service.log.records.clear()
    service.start()
    assert await service.refilled() == everything("a", "b")


async def test_a_log_that_was_lost_and_has_grown_past_what_it_was_is_filled_again() -> None:
    service = Service()
    await service.publish("a", "b")
    service.log.records.clear()
    await service.publish("c", "d", "e")
    assert await service.refilled() == everything("a", "b", "c", "d", "e")
