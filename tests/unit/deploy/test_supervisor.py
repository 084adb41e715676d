"""Who is started again when: at once after a run that was well or was ended by another, later and later if it fails."""

import asyncio
import signal
from collections import deque
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local import supervisor
from deploy.local.faults import ServiceFailed
from deploy.local.progress import Silent
from deploy.local.supervisor import PAUSE_SECONDS_MAX, PAUSE_SECONDS_MIN, STEADY_SECONDS, TOLD_TO_END, Pause, Run

BY_ITSELF = (1, 2, 78, -signal.SIGSEGV, -signal.SIGABRT)
seconds_early = st.floats(min_value=0, max_value=STEADY_SECONDS, exclude_max=True)
pauses = st.floats(min_value=0, max_value=PAUSE_SECONDS_MAX).map(Pause)


@given(pauses, st.sampled_from(sorted(TOLD_TO_END)), seconds_early)
def test_who_was_ready_and_was_ended_by_another_starts_again_at_once(pause: Pause, code: int, seconds: float) -> None:
    assert pause.after(Run(code, True, seconds)) == Pause()


@given(pauses, st.integers(-64, 255), st.booleans(), st.floats(min_value=STEADY_SECONDS, max_value=1e9))
def test_who_had_been_well_starts_again_at_once(pause: Pause, code: int, ready: bool, seconds: float) -> None:
    assert pause.after(Run(code, ready, seconds)) == Pause()


@given(pauses, st.sampled_from(BY_ITSELF), st.booleans(), seconds_early)
def test_who_ends_by_itself_soon_after_its_start_waits_twice_as_long_each_time_up_to_a_bound(
    pause: Pause, code: int, ready: bool, seconds: float
) -> None:
    following = pause.after(Run(code, ready, seconds)).seconds
    assert following == min(max(PAUSE_SECONDS_MIN, 2 * pause.seconds), PAUSE_SECONDS_MAX)


@given(pauses, st.integers(-64, 255), seconds_early)
def test_who_never_became_ready_waits_also_when_another_ended_it(pause: Pause, code: int, seconds: float) -> None:
    assert pause.after(Run(code, False, seconds)).seconds >= PAUSE_SECONDS_MIN


@dataclass(slots=True)
class Ending:
    """A process that lives through these runs, each with whether it becomes ready and its exit code, and then goes on.

    The first of them has begun.
    """

    runs: deque[tuple[bool, int]]
    labels: tuple[str, ...] = ("router",)
    watched: set[str] = field(default_factory=set)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def exited(self, label: str) -> int:
        self.watched.add(label)
        if not self.runs:
            self.goes_on.set()
            await asyncio.Event().wait()
        return self.runs.popleft()[1]

    async def restart(self, label: str) -> None:
        if self.runs and not self.runs[0][0]:
            raise ServiceFailed(f"{label} ended", "See its log.")


async def test_ten_kills_in_a_row_cost_no_pause_and_failures_of_its_own_cost_growing_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []
    pass_on = asyncio.sleep

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await pass_on(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    system = Ending(deque([*[(True, -9)] * 10, (True, 1), (False, 1), (False, -9), (True, -9)]))
    watching = asyncio.create_task(supervisor.keep_running(system, Silent()))
    async with asyncio.timeout(5):
        await system.goes_on.wait()
    watching.cancel()
    assert system.watched == {"router"}
    assert slept == [*[0.0] * 10, 0.5, 1.0, 2.0, 0.0]
