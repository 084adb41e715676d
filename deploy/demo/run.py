"""The demo: every worked case through the real system, told, compared, and judged from what recipients hold."""

import re
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from deploy.client import Concordat, Refused, carry_change
from deploy.demo.cases import Case
from deploy.demo.farm import Farm, Receipt
from deploy.demo.judge import judge
from deploy.demo.report import Told
from deploy.local.layout import Layout
from deploy.local.waiting import eventually, until
from shared.agreements import with_assumed
from shared.clock import Clock

OPERATOR = "operator"
SECONDS_MAX = 60.0
QUIET_SECONDS = 1.0
"""That nothing more comes can only be seen by watching for a while; so long, once nothing is under way."""
_LAG = re.compile(r"^concordat_consumer_lag\{.*\} (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Published:
    """A case on its way: its concern and the moment at which its originator sent it."""

    case: Case
    concern_id: str
    sent_at: datetime
    replayed: bool


@dataclass(slots=True)
class Demo:
    """One run over the cases. `published` keeps their order."""

    concordat: Concordat
    farm: Farm
    clock: Clock
    layout: Layout
    published: list[Published] = field(default_factory=list)

    async def publish_all(self, cases: Sequence[Case]) -> None:
        """Publish the cases in two parts: assumed clauses off, then, after the switch as a graph commit, on."""
        for assumed in (False, True):
            part = [case for case in cases if case.assumed is assumed]
            if part:
                await self._switch_assumed(assumed)
            for case in part:
                self.published.append(await self._publish(case))
            await self._decided(self.published)

    async def judged(self) -> list[Told]:
        """Wait until what must arrive has arrived and a little longer, then judge every case."""
        decisions = await self._decided(self.published)
        expected = sum(len(decision["told"]) for decision in decisions.values())
        await self._received(expected)
        by_concern = _by_concern(self.farm.receipts())
        return [self._told(row, decisions[row.concern_id], by_concern[row.concern_id]) for row in self.published]

    async def publish_again(self) -> list[str]:
        """Publish every concern once more: the same answers, and not one new delivery. Gives what went wrong."""
        before = len(self.farm.receipts())
        again = [await self._publish(row.case) for row in self.published]
        await self._quiet()
        new = len(self.farm.receipts()) - before
        faults = [f"publishing everything again made {new} new deliveries"] if new else []
        return faults + not_replayed(self.published, again)

    async def audit_records(self, concern_id: str, count_min: int) -> list[dict[str, Any]]:
        """The audit facts of a concern, as soon as there are as many as must be."""
        found: list[dict[str, Any]] = []

        async def all_there() -> bool:
            answer = await self.concordat.get(OPERATOR, "notifier", "/v1/audit/facts", concern_id=concern_id)
            found[:] = [item["data"] for item in answer["items"]]
            return len(found) >= count_min

        await self._until(all_there, f"{count_min} audit facts of {concern_id}", "notifier")
        return found

    async def _publish(self, case: Case) -> Published:
        sent_at = self.clock.now()
        headers = await self.concordat.authorization(case.originator)
        url = self.concordat.urls["intake"] + "/v1/concerns"
        answer = await self.concordat.sent(self.concordat.http.post(url, json=dict(case.concern), headers=headers))
        if answer.is_error:
            raise Refused(answer)
        replayed = answer.headers.get("Idempotent-Replayed") == "true"
        return Published(case, answer.json()["concern_id"], sent_at, replayed)

    async def _switch_assumed(self, assumed: bool) -> None:  # noqa: FBT001 - the value of a scenario's key
        """Carry the policy with the switch turned through the gate, and wait until the router decides on it."""
        graph = await self.concordat.get(OPERATOR, "registry", "/v1/graph")
        policy = next(o for o in graph["objects"] if o["kind"] == "policy")
        version = graph["version"]
        switched = with_assumed(policy, on=assumed)
        if switched != policy:
            switch = f"Assumed clauses {'on' if assumed else 'off'}"
            change = {"title": switch, "reason": f"{switch} for the demo", "parent_version": version}
            version = await carry_change(self.concordat, {**change, "objects": [switched]})
        await self._until(lambda: self._router_has(version), f"the router decides on graph {version}", "router")

    async def _router_has(self, version: int) -> bool:
        head = await self.concordat.get(OPERATOR, "router", "/v1/graph/head")
        return bool(head["version"] >= version)

    async def _decided(self, rows: Sequence[Published]) -> dict[str, dict[str, Any]]:
        """The total decision on each concern, by concern."""
        decisions: dict[str, dict[str, Any]] = {}

        async def all_decided() -> bool:
            for row in rows:
                if row.concern_id not in decisions and (decision := await self._decision(row.concern_id)):
                    decisions[row.concern_id] = decision
            return len(decisions) == len({row.concern_id for row in rows})

        await self._until(all_decided, f"decisions on {len(rows)} concerns", "router")
        return decisions

    async def _decision(self, concern_id: str) -> dict[str, Any] | None:
        try:
            answer = await self.concordat.get(OPERATOR, "router", f"/v1/decisions/{concern_id}")
        except Refused as refused:
            if refused.status == 404:
                return None
            raise
        return as_decided(answer)

    async def _received(self, expected: int) -> None:
        """What is missing after the deadline is for the judge to say."""

        async def all_there() -> bool:
            return len(self.farm.receipts()) >= expected

        try:
            await until(all_there, seconds=SECONDS_MAX)
        except TimeoutError:
            return
        await self._quiet()

    async def _quiet(self) -> None:
        """Wait until nothing is under way, and then until no receiver has heard anything for QUIET_SECONDS."""
        await self._until(self._nothing_under_way, "the router and the notifier have nothing under way", "notifier")
        heard, since = len(self.farm.receipts()), time.monotonic()

        async def silent() -> bool:
            nonlocal heard, since
            if (now := len(self.farm.receipts())) != heard:
                heard, since = now, time.monotonic()
            return time.monotonic() - since >= QUIET_SECONDS

        await self._until(silent, f"{QUIET_SECONDS:g} s without a delivery", "notifier")

    async def _nothing_under_way(self) -> bool:
        pending = await self.concordat.get(OPERATOR, "notifier", "/v1/notices", state="pending", limit=1)
        return not pending["items"] and all([not await self._lag(name) for name in ("router", "notifier")])

    async def _lag(self, service: str) -> float:
        """Records that a service has not handled yet, by its own word."""
        answer = await self.concordat.sent(self.concordat.http.get(self.concordat.urls[service] + "/metrics"))
        return sum(map(float, _LAG.findall(answer.text)))

    async def _until(self, condition: Callable[[], Awaitable[bool]], what: str, service: str) -> None:
        await eventually(condition, seconds=SECONDS_MAX, what=what, log=self.layout.log(service))

    def _told(self, row: Published, decision: Mapping[str, Any], receipts: Sequence[Receipt]) -> Told:
        speeds = {r.org: milliseconds(row.sent_at, r.received_at) for r in receipts}
        return Told(row.case, row.concern_id, decision, speeds, judge(row.case, decision, receipts))


def milliseconds(sent_at: datetime, received_at: datetime) -> float | None:
    """From publication to receipt; None where it came before, in an earlier run on the same data."""
    return (received_at - sent_at).total_seconds() * 1000 if received_at >= sent_at else None


def not_replayed(first: Sequence[Published], again: Sequence[Published]) -> list[str]:
    """Each concern that was not answered the second time as the first: the same id, and said to be a replay."""
    pairs = list(zip(first, again, strict=True))
    others = [
        f"{a.case.name}: published again, it became {b.concern_id}" for a, b in pairs if a.concern_id != b.concern_id
    ]
    return others + [f"{b.case.name}: published again, it was not called a replay" for b in again if not b.replayed]


def as_decided(view: Mapping[str, Any]) -> dict[str, Any]:
    """The decision in the form of the evaluator, from what an operator is shown."""
    by_reason = {
        klass: {row["reason"]: row["organisations"] for row in rows} for klass, rows in view["not_told"].items()
    }
    return {**view, "not_told": by_reason, "hold": [row["code"] for row in view["hold"]]}


def _by_concern(receipts: Sequence[Receipt]) -> dict[str, list[Receipt]]:
    grouped: dict[str, list[Receipt]] = defaultdict(list)
    for receipt in receipts:
        grouped[receipt.event["subject"]].append(receipt)
    return grouped
