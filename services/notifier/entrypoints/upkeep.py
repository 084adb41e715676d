"""The loops beside the deliveries: what silence causes, replays, probes of the dead, and how endpoints do."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from services.notifier.domain.escalation import Step
from services.notifier.domain.throttle import Breaker
from services.notifier.entrypoints.engine import Engine, Flows
from services.notifier.ports import ReplayState
from shared.supervision import Loop
from shared.telemetry import Telemetry

ESCALATE_SECONDS = 1.0
REPLAY_SECONDS = 1.0
PROBE_SECONDS = 0.5
KNOCK_SECONDS = 3.0
HEALTH_SECONDS = 2.0
ONE, ALL = 1, None
ALARMS = {Step.OPERATOR: "notice-unacknowledged", Step.UNDELIVERED: "notice-undelivered"}


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Works on the lanes of an engine."""

    engine: Engine
    flows: Flows
    telemetry: Telemetry

    def loops(self) -> Mapping[str, Loop]:
        """The loops, to be supervised; each ends only with the process."""
        return {
            "escalations": self.engine.repeating("escalations", self.escalate_once),
            "replays": self.engine.repeating("replays", self.replay_once),
            "probes": self.engine.repeating("probes", self.probe_once),
            "endpoint health": self.engine.repeating("endpoint health", self.keep_health_once),
        }

    async def escalate_once(self) -> float:
        """Take the steps that are due; a person looks at an alarm."""
        looked_at = await self.flows.escalate()
        for one in looked_at:
            for step in one.steps:
                ids = {"notice_id": one.silent.notice_id, "recipient": one.silent.subject.recipient}
                self.telemetry.line("notice.escalated", step=step.value, **ids)
                if step in ALARMS:
                    self.telemetry.alarm(ALARMS[step], **ids, alternate=one.moves)
        return 0.0 if looked_at else ESCALATE_SECONDS

    async def replay_once(self) -> float:
        """Put the next notices of the replays into the line."""
        for replay in await self.flows.replay():
            if replay.state is ReplayState.DONE:
                self.telemetry.line("replay.done", replay_id=replay.replay_id, sent=replay.sent)
        return REPLAY_SECONDS

    async def probe_once(self) -> float:
        """See whether somebody is there again where nothing may be sent; try the failures of who has recovered."""
        now = self.engine.lanes.now()
        due = [name for name, lane in self.engine.lanes.at_work().items() if lane.throttle.probe_is_due(now)]
        await asyncio.gather(*map(self._probe, due))
        for name in list(self.engine.recovered):
            self.engine.recovered.discard(name)
            if target := self.engine.lanes.targets.get(name):
                await self.flows.hasten(target, ALL)
                self.telemetry.line("endpoint.recovered", endpoint_id=target.endpoint_id, org=target.org)
        return PROBE_SECONDS

    async def keep_health_once(self) -> float:
        """Write down what has changed; say what is suspended because it failed for too long."""
        now = self.engine.lanes.now()
        changed = {name: pulse for name, pulse in self.engine.pulses.items() if pulse.changed}
        seen = [pulse.seen(self.engine.lanes.lane(name), now) for name, pulse in changed.items()]
        suspended = await self.flows.keep_health(seen)
        for pulse in changed.values():
            pulse.changed = False
        for endpoint_id, org in suspended.items():
            self.telemetry.alarm("endpoint-suspended", recipient=org, endpoint_id=endpoint_id)
            self.engine.endpoints_changed()
        return HEALTH_SECONDS

    async def _probe(self, name: str) -> None:
        target, lane = self.engine.lanes.targets[name], self.engine.lanes.lane(name)
        try:
            async with asyncio.timeout(KNOCK_SECONDS):
                is_there = await self.flows.knock(target)
        except TimeoutError:
            is_there = False
        if lane.throttle.breaker is not Breaker.OPEN:
            return
        lane.throttle.probed(self.engine.lanes.now(), there=is_there)
        if is_there:
            await self.flows.hasten(target, ONE)
            self.engine.lanes.wants(name)
