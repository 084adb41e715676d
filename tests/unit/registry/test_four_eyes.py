"""P21: nothing comes into force on too few eyes, whoever does what in which order."""

from typing import Any

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from services.registry.domain.change import (
    Approved,
    Assessed,
    ChangeEvent,
    Content,
    Drafted,
    Reviewed,
    Scheduled,
    Step,
)
from services.registry.usecases.change import Desk
from shared.canonical import digest
from tests.support.change_fakes import InMemoryChanges, desk_of
from tests.support.clock import NOON
from tests.support.four_eyes import FourEyes, vouches

thorough = settings.get_profile(settings.get_current_profile_name()).max_examples > 1_000


class FourEyesInMemory(FourEyes):
    """On changes in memory."""

    async def opened(self) -> Desk:
        self.store = InMemoryChanges()
        return desk_of(self.store, clock=self.clock)

    def history(self) -> Any:
        return self.store.history.begin()


def test_p21_nothing_is_in_force_without_an_author_a_reviewer_and_two_others_who_approve_it() -> None:
    few = settings(max_examples=10_000 if thorough else 6, stateful_step_count=40, deadline=None)
    FourEyesInMemory.commits_seen = 0
    run_state_machine_as_test(FourEyesInMemory, settings=few)
    assert FourEyesInMemory.commits_seen > 0, "no change came into force: nothing was tried"


def log(*steps: tuple[str, Step]) -> list[ChangeEvent]:
    return [ChangeEvent(number, NOON, who, "", step) for number, (who, step) in enumerate(steps, 1)]


def test_the_check_itself_tells_a_change_with_too_few_eyes() -> None:
    body = b'{"root":"r"}'
    drafted: Step = Drafted("t", "r", 1, Content(1, ""))
    read: Step = Reviewed("")
    assessed: tuple[str, Step] = ("ann", Assessed(digest(body), 1, "b", "r", True, 0))
    head = [("ann", drafted), ("fay", read), assessed]
    approved, scheduled = Approved(digest(body)), ("ann", Scheduled(2, "r"))
    enough = log(*head, ("bob", approved), ("dan", approved), scheduled)
    assert vouches(enough, {3: body}, "r")
    too_few = [
        log(*head, ("bob", approved), scheduled),
        log(*head, ("bob", approved), ("bob", approved), scheduled),
        log(*head, ("bob", approved), ("guy", approved), scheduled),
        log(*head, ("bob", approved), ("dan", Approved("other")), scheduled),
        log(("ann", drafted), ("bob", Reviewed("")), assessed, ("bob", approved), ("dan", approved), scheduled),
        log(("bob", drafted), ("fay", Reviewed("")), assessed, ("bob", approved), ("dan", approved), scheduled),
    ]
    assert not any(vouches(events, {3: body}, "r") for events in too_few)
    assert not vouches(enough, {3: body}, "another root")
    assert not vouches(enough, {3: b'{"root":"r" }'}, "r")
