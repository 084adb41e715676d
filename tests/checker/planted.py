"""Systems with one bug each, and by which name the checker must find it."""

import json
from collections.abc import Mapping
from typing import Any

from tests.checker.imitation import RETRY_SECONDS, Imitation, Json, Owed, Taken
from tests.support.waiting import dawdle

NTH = 4
LATE_SECONDS = 1.2
FINDS: dict[type[Imitation], str] = {}


def finds(name: str) -> Any:
    """The bug of this class must be found under this name."""

    def noted(bug: type[Imitation]) -> type[Imitation]:
        FINDS[bug] = name
        return bug

    return noted


class Now(Imitation):
    """Counts how often something was done, so that a bug hits each of a few: a kill may hide any single one."""

    def hits(self, what: str) -> bool:
        counts: dict[str, int] = self.__dict__.setdefault("counts", {})
        counts[what] = counts.get(what, 0) + 1
        return counts[what] % NTH == 0


@finds("accepted and lost")
class LosesAnAcceptedConcern(Now):
    async def accept(self, key: str, form: Json) -> tuple[int, Json, bool]:
        if key not in self.taken and self.is_right(form) and self.hits("accept"):
            return 202, {"concern_id": self.new_id("con")}, False
        return await super().accept(key, form)


@finds("two concerns under one key")
class TakesARepeatAsNew(Now):
    async def accept(self, key: str, form: Json) -> tuple[int, Json, bool]:
        if key in self.taken:
            self.taken[f"{key} again"] = again = Taken(self.new_id("con"), form)
            self.go_on(self.route(again))
            return 202, {"concern_id": again.concern_id}, True
        return await super().accept(key, form)


@finds("a repeat not called one")
class DoesNotSayThatItIsARepeat(Now):
    async def accept(self, key: str, form: Json) -> tuple[int, Json, bool]:
        status, body, _ = await super().accept(key, form)
        return status, body, False


@finds("a wrong concern accepted")
class AcceptsWhatIsMalformed(Now):
    def is_right(self, form: Json) -> bool:
        return form is not None


@finds("a right concern refused")
class RefusesARightOne(Now):
    def is_right(self, form: Json) -> bool:
        return super().is_right(form) and not form["originator_ref"].endswith("-3")


@finds("refused and stored")
class StoresWhatItRefuses(Now):
    async def accept(self, key: str, form: Json) -> tuple[int, Json, bool]:
        if not self.is_right(form):
            self.taken[key] = Taken(self.new_id("con"), form)
        return await super().accept(key, form) if self.is_right(form) else (422, {}, False)


@finds("stored and never sent")
class InventsAConcern(Now):
    def stored(self) -> list[Taken]:
        first = next(iter(self.taken.values()))
        ref = first.form["originator_ref"].rpartition("-")[0] + "-9999"
        return [*super().stored(), Taken("con_none", {**first.form, "originator_ref": ref})]


@finds("answered before it was stored")
class AnswersBeforeItStores(Now):
    def stored(self) -> list[Taken]:
        return [row for row in super().stored() if row.decided is not None and self.ledger()]

    async def route(self, taken: Taken) -> None:
        await dawdle(0.15)
        await super().route(taken)


@finds("answered too late")
class AnswersTooLate(Now):
    """The limit is lowered for the planted bugs: no test waits for long."""

    async def accept(self, key: str, form: Json) -> tuple[int, Json, bool]:
        if key.endswith("-38"):
            await dawdle(LATE_SECONDS)
        return await super().accept(key, form)

    async def inflict(self, name: str) -> None:
        """Nothing is broken here: no fault excuses the one that is late."""
        assert name

    async def back(self, name: str) -> None:
        assert name


@finds("accepted and not decided")
class DropsAfterThe202(Now):
    async def route(self, taken: Taken) -> None:
        if not self.hits("route"):
            await super().route(taken)


@finds("owed and not issued")
class ForgetsARecipient(Now):
    def issue(self, taken: Taken, org: str) -> None:
        if not self.hits("issue"):
            super().issue(taken, org)


@finds("told who must not be")
class TellsOneTooMany(Now):
    def recipients(self, form: Json) -> list[str]:
        return sorted({*super().recipients(form), *(["nhs-england"] if self.hits("recipients") else [])})


@finds("decided otherwise")
class DecidesOtherwiseThanItTells(Now):
    async def route(self, taken: Taken) -> None:
        await super().route(taken)
        taken.decided = ["cqc", "gmc"] if self.hits("route") else taken.decided


@finds("doubled under a new id")
class DoublesUnderANewId(Now):
    def issue(self, taken: Taken, org: str) -> None:
        super().issue(taken, org)
        if self.hits("issue"):
            super().issue(taken, org)


@finds("another body told")
class TellsAnotherBody(Now):
    async def attempt(self, notice: Owed, url: str) -> int | None:
        if self.hits("attempt"):
            other = next(org for org in self.urls if org != notice.recipient)
            headers = self.signed(notice.notice_id, notice.body, self.secret_of(other))
            async with self.session.post(self.urls[other], data=notice.body, headers=headers) as answer:
                await answer.read()
        return await super().attempt(notice, url)


@finds("called delivered and never received")
class CallsDeliveredWhatItNeverSent(Now):
    async def attempt(self, notice: Owed, url: str) -> int | None:
        return 204 if self.hits("attempt") else await super().attempt(notice, url)


@finds("called delivered and never received")
class TakesARefusalForADelivery(Now):
    def note(self, notice: Owed, status: int | None) -> None:
        super().note(notice, status and 204)


@finds("pending at rest")
class NeverTriesAgain(Now):
    async def deliver(self, notice: Owed) -> None:
        status = await self.attempt(notice, self.urls[notice.recipient])
        self.note(notice, status)


@finds("parked")
class GivesUp(Now):
    async def deliver(self, notice: Owed) -> None:
        if self.hits("deliver"):
            notice.state = "expired_undelivered"
            return
        await super().deliver(notice)


@finds("received and not owed")
class ForgetsARowOfTheLedger(Now):
    async def deliver(self, notice: Owed) -> None:
        await super().deliver(notice)
        if self.hits("deliver"):
            del self.owed[notice.notice_id]


@finds("unexplained duplicate")
class SendsTwice(Now):
    async def attempt(self, notice: Owed, url: str) -> int | None:
        if self.hits("attempt"):
            await super().attempt(notice, url)
        return await super().attempt(notice, url)


@finds("unexplained duplicate")
class SendsAgainWhatItKnowsAsDelivered(Now):
    """After a kill of the sender, where a repeat could be explained: but its success is written down."""

    async def inflict(self, name: str) -> None:
        await super().inflict(name)
        while not (done := [row for row in self.ledger() if row.state == "delivered"]):
            await dawdle(RETRY_SECONDS)
        done[-1].state = "pending"  # until it is taken again, whatever the receiver answers first
        self.send(done[-1])
        await self.sending[done[-1].notice_id]


@finds("unexplained duplicate")
class SendsAgainAndDoesNotSay(Now):
    """The same, and the second is written down nowhere: but the first was, so it was known before the kill."""

    async def inflict(self, name: str) -> None:
        await super().inflict(name)
        while not (done := [row for row in self.ledger() if row.state == "delivered"]):
            await dawdle(RETRY_SECONDS)
        await super().attempt(done[-1], self.urls[done[-1].recipient])


@finds("wrong signature")
class SignsWithAnotherSecret(Now):
    def signed(self, webhook_id: str, body: bytes, secret: bytes) -> dict[str, str]:
        return super().signed(webhook_id, body, b"another" if self.hits("signed") else secret)


@finds("wrong signature")
class SignsAnotherTime(Now):
    def signed(self, webhook_id: str, body: bytes, secret: bytes) -> dict[str, str]:
        return {**super().signed(webhook_id, body, secret), "webhook-timestamp": "1"}


@finds("body changed")
class ChangesTheBodyOnRetry(Now):
    def note(self, notice: Owed, status: int | None) -> None:
        super().note(notice, status)
        if notice.state == "pending":
            notice.body = notice.body + b" "


@finds("the event has another id")
class NamesAnotherEvent(Now):
    def body(self, notice_id: str, taken: Taken, org: str) -> bytes:
        return super().body(f"{notice_id}0" if self.hits("body") else notice_id, taken, org)


@finds("other content")
class MixesUpTwoConcerns(Now):
    def body(self, notice_id: str, taken: Taken, org: str) -> bytes:
        if not self.hits("body"):
            return super().body(notice_id, taken, org)
        event = json.loads(super().body(notice_id, taken, org))
        event["data"]["concern"]["summary"] = "What somebody else has seen."
        return json.dumps(event).encode()


@finds("the originator sees another state")
class LosesAnOutcome(Now):
    def told(self, taken: Taken) -> list[Json]:
        rows = super().told(taken)
        return [{**row, "state": "pending"} for row in rows] if taken.concern_id == "con_1" else rows


@finds("audit gap")
class ForgetsAnAuditFact(Now):
    def record(self, taken: Taken, kind: str, body: Mapping[str, str] | None = None) -> None:
        if kind != "decision" or not self.hits("record"):
            super().record(taken, kind, body)


@finds("audit gap")
class AuditsADeliveryTwice(Now):
    def record(self, taken: Taken, kind: str, body: Mapping[str, str] | None = None) -> None:
        super().record(taken, kind, body)
        if kind == "delivery-attempt" and self.hits("record"):
            super().record(taken, kind, body)


@finds("audit out of order")
class AuditsInAnotherOrder(Now):
    def facts(self, taken: Taken) -> list[Json]:
        first, *rest = super().facts(taken)
        late = {**first["data"], "at": "2100-01-01T00:00:00Z"}
        return [*rest, {"data": late}]
