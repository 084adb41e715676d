"""Puts intake together; the only file that names concrete adapters."""

from collections.abc import Mapping
from functools import partial

from fastapi import FastAPI

from services.intake.adapters.archive import PostgresArchive
from services.intake.adapters.followups import PostgresFollowUps
from services.intake.adapters.postgres import PostgresRegister, PostgresTimeline
from services.intake.config import IntakeSettings
from services.intake.domain.model import Answer
from services.intake.entrypoints.bulk import BatchLimits
from services.intake.entrypoints.consumer import decision_event, decisions_handler, outcomes_handler
from services.intake.entrypoints.desk import FAULTS, Desk
from services.intake.entrypoints.http import accept_batch, routes, shortcuts
from services.intake.entrypoints.watch import BatchWatch
from services.intake.ports import Acceptance, Begin
from services.intake.usecases import (
    FollowUpDesk,
    Keys,
    accept_concerns,
    amend_concern,
    note_decisions,
    note_outcomes,
    recall_concern,
    submit_concern,
)
from shared.batching import Batcher, Pace
from shared.contracts.outcome import NoticeOutcome
from shared.contracts.topics import DECISIONS, OUTCOMES
from shared.http.app import make_app
from shared.kafka.consumer import GATHER_MILLISECONDS, Subscription
from shared.sealing import SecretKey
from shared.service import Foundation, lay_foundation
from shared.supervision import Loop, Pause, repeat

GROUP = "intake"
ACCEPT_PACE_SECONDS = 0.004


async def run(settings: IntakeSettings) -> None:
    """Serve until a signal."""
    foundation = lay_foundation("intake", settings, accepts=True)
    app, loops = assemble(foundation, settings)
    await foundation.run(app, loops)


def assemble(foundation: Foundation, settings: IntakeSettings) -> tuple[FastAPI, Mapping[str, Loop]]:
    """The app and the loops beside it. Raises ValueError or OSError for a key file that cannot be read."""
    register = PostgresRegister(foundation.writer, offer=foundation.relay.offer, fail_points=foundation.fail_points)
    follow_ups = PostgresFollowUps(foundation.engine, offer=foundation.relay.offer, fail_points=foundation.fail_points)
    watch = BatchWatch(foundation.health.watch("accept"))
    accept = partial(accept_concerns, register=register)
    batcher: Batcher[Acceptance, Answer] = Batcher(
        partial(accept_batch, accept=accept, telemetry=foundation.telemetry, ended=watch.ended),
        batch_size_max=settings.accept_batch_max,
        waiting_max=settings.accept_waiting_max,
        pace=Pace(ACCEPT_PACE_SECONDS),
    )
    keys = Keys(SecretKey.read(settings.sealing_key_file), SecretKey.read(settings.subject_key_file))
    following = FollowUpDesk(follow_ups.begin, foundation.clock)
    desk = Desk(
        submit=partial(
            submit_concern,
            keys=keys,
            desk=following,
            allow_historic=settings.allow_historic,
            accept=batcher.submit,
        ),
        amend=partial(amend_concern, desk=following, keys=keys, allow_historic=settings.allow_historic),
        recall=partial(recall_concern, desk=following),
        archive=PostgresArchive(foundation.engine),
    )
    limits = BatchLimits(settings.batch_lines_max, settings.accept_batch_max)
    edge = foundation.edge(FAULTS)
    app = make_app("Concordat intake", routes(desk, limits, foundation.telemetry), edge, shortcuts(desk))
    look = partial(watch.look, lambda: batcher.waiting_count)
    watching = partial(repeat, look, pause=Pause("accept watch", foundation.telemetry))
    return app, {
        "accept": batcher.run,
        "accept watch": watching,
        **_consumers(foundation, PostgresTimeline(foundation.engine, offer=foundation.relay.offer).begin),
    }


def _consumers(foundation: Foundation, begin: Begin) -> Mapping[str, Loop]:
    decisions = Subscription(
        group=GROUP,
        topic=DECISIONS.name,
        decode=decision_event,
        handle=decisions_handler(partial(note_decisions, begin=begin), foundation.telemetry),
        gather_milliseconds=GATHER_MILLISECONDS,
    )
    outcomes = Subscription(
        group=GROUP,
        topic=OUTCOMES.name,
        decode=NoticeOutcome.model_validate_json,
        handle=outcomes_handler(partial(note_outcomes, begin=begin), foundation.telemetry),
        gather_milliseconds=GATHER_MILLISECONDS,
    )
    return {"decisions": foundation.consumer(decisions).run, "outcomes": foundation.consumer(outcomes).run}
