"""Judges from the receivers' own files: each body got each notice once, verified, and only what it may have."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from deploy.cli.scenarios import differences
from deploy.demo.allowed import Notice, overfull
from deploy.demo.cases import Case
from deploy.demo.farm import Receipt


def judge(case: Case, decision: Mapping[str, Any], receipts: Sequence[Receipt]) -> list[str]:
    """Every way in which one case went wrong: the decision against what is expected, the receipts against both."""
    return [
        *differences(case.expected, decision),
        *_counted(case.told, receipts),
        *_verified(receipts),
        *(fault for receipt in receipts if receipt.signature_ok for fault in _overfull(case, decision, receipt)),
    ]


def _counted(told: set[str], receipts: Sequence[Receipt]) -> Iterator[str]:
    times = Counter(receipt.org for receipt in receipts)
    yield from (f"{org} was to be told and received nothing" for org in sorted(told - times.keys()))
    yield from (f"{org} was not to be told and received a notice" for org in sorted(times.keys() - told))
    yield from (f"{org} received {n} requests for one notice" for org, n in sorted(times.items()) if n != 1)


def _verified(receipts: Iterable[Receipt]) -> Iterator[str]:
    for receipt in receipts:
        if not receipt.signature_ok:
            yield f"{receipt.org}: the signature does not verify"
        elif receipt.event["id"] != receipt.webhook_id:
            yield f"{receipt.org}: webhook-id and CloudEvent id differ"


def _overfull(case: Case, decision: Mapping[str, Any], receipt: Receipt) -> Iterator[str]:
    """What the decision withholds from this body and what it received all the same."""
    untold: Mapping[str, Any] = {"fields": {}}
    row = next((row for row in decision["told"] if row["org"] == receipt.org), untold)
    notice = Notice(case.concern, row, receipt.event)
    yield from (f"{receipt.org}: {fault}" for fault in overfull(notice))
