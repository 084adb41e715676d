"""What `/readyz` hears of the accepting loop."""

from services.intake.entrypoints.watch import BatchWatch
from shared.supervision import Progress


def watch() -> BatchWatch:
    return BatchWatch(Progress("accept", moved_at=0.0, alive_at=0.0))


async def test_a_batch_that_hangs_while_others_wait_shows_as_alive_but_not_moving() -> None:
    seen = watch()
    await seen.look(lambda: 3)
    assert (seen.progress.waiting, seen.progress.moved_at) == (3, 0.0)
    assert seen.progress.alive_at > 0.0
    assert seen.progress.stalled(after_seconds=1)


async def test_a_batch_that_ended_shows_as_moving_once() -> None:
    seen = watch()
    seen.ended()
    await seen.look(lambda: 3)
    moved_at = seen.progress.moved_at
    assert moved_at > 0.0
    await seen.look(lambda: 3)
    assert seen.progress.moved_at == moved_at


async def test_an_idle_loop_is_never_stalled() -> None:
    seen = watch()
    await seen.look(lambda: 0)
    assert not seen.progress.stalled(after_seconds=1)
