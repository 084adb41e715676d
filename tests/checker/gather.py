"""What the system itself says of a run, read over HTTP when it is at rest."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.checker import duplicates
from tests.checker.face import Face
from tests.checker.ledger import Ledger
from tests.checker.model import Attempt, AuditFact, Concern, Dossier, Evidence, Notice

if TYPE_CHECKING:
    from tests.checker.run import Plan

EARLY_SECONDS = 1.0
AT_ONCE = 8
OPERATOR = "operator"


async def gathered(face: Face, ledger: Ledger, plan: "Plan", *, since: float) -> Evidence:
    """Both ledgers of a run. Every list is read whole; single concerns up to a limit, spread over the run evenly."""
    receipts = ledger.receipts(plan.run)
    mine = f"{plan.prefix}-{plan.run}-"
    since -= EARLY_SECONDS
    stored = [_concern(row) async for row in face.concerns(since) if row["originator_ref"].startswith(mine)]
    ids = {row.concern_id for row in stored}
    notices = [_notice(row) async for row in face.notices(since) if row["concern_id"] in ids]
    closed = ledger.earlier(plan.run)
    repeated = [webhook_id for webhook_id, rows in duplicates.by_id(receipts).items() if len(rows) > 1]
    return Evidence(
        submits=ledger.submits(plan.run),
        answers=ledger.answers(plan.run),
        receipts=receipts,
        faults=ledger.faults(plan.run),
        concerns=stored,
        notices=notices,
        dossiers=await _dossiers(face, _spread(sorted(ids), plan.read_whole_max)),
        attempts=dict(zip(repeated, await asyncio.gather(*(_attempts(face, one) for one in repeated)), strict=True)),
        closed=closed,
        answer_seconds_max=plan.answer_seconds_max,
        foreign=await _foreign(face, {row.subject for row in receipts} - ids - closed, plan.prefix),
    )


async def _foreign(face: Face, subjects: Iterable[str], prefix: str) -> frozenset[str]:
    """Those that intake knows under a reference that is none of ours."""
    known = {
        subject: await face.found(OPERATOR, "intake", f"/v1/concerns/{quote(subject, safe='')}") for subject in subjects
    }
    return frozenset(
        subject for subject, row in known.items() if row and not row.get("originator_ref", prefix).startswith(prefix)
    )


async def _dossiers(face: Face, ids: Sequence[str]) -> dict[str, Dossier]:
    few = asyncio.Semaphore(AT_ONCE)

    async def one(concern_id: str) -> Dossier:
        async with few:
            return await _dossier(face, concern_id)

    return dict(zip(ids, await asyncio.gather(*map(one, ids)), strict=True))


async def _dossier(face: Face, concern_id: str) -> Dossier:
    decision = await face.found(OPERATOR, "router", f"/v1/decisions/{concern_id}")
    whole = await face.read(OPERATOR, "intake", f"/v1/concerns/{concern_id}")
    audit = await face.read(OPERATOR, "notifier", "/v1/audit/facts", concern_id=concern_id)
    return Dossier(
        decided=None if decision is None else frozenset(row["org"] for row in decision["told"]),
        told={row["org"]: row["state"] for row in whole["told"]},
        facts=[_fact(item["data"]) for item in audit["items"]],
    )


async def _attempts(face: Face, notice_id: str) -> list[Attempt]:
    notice = await face.found(OPERATOR, "notifier", f"/v1/notices/{notice_id}")
    rows = notice["attempts"] if notice else []
    return [
        Attempt(datetime.fromisoformat(row["at"]).timestamp(), row["duration_ms"] / 1000, row["status"]) for row in rows
    ]


def _spread(ids: Sequence[str], count_max: int) -> Sequence[str]:
    step = max(1, -(-len(ids) // count_max))
    return ids[::step]


def _concern(row: dict[str, Any]) -> Concern:
    return Concern(row["concern_id"], row["originator_ref"], row["originator"])


def _notice(row: dict[str, Any]) -> Notice:
    named = (row["notice_id"], row["concern_id"], row["recipient"], row["kind"], row["version"])
    return Notice(*named, row["state"], row["body_digest"])


def _fact(data: dict[str, Any]) -> AuditFact:
    body = data["body"]
    return AuditFact(data["fact_id"], data["kind"], data["at"], body.get("notice_id", ""), body.get("verdict", ""))
