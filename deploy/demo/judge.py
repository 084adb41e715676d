"""Judges from the receivers' own files: each body got each notice once, verified, and only what it may have."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from deploy.cli.scenarios import differences
from deploy.demo.cases import Case
from deploy.demo.farm import Receipt

# The field class of a subject's name and identifiers, by its kind.
CLASS_OF_SUBJECT = {
    "provider": "provider",
    "setting": "provider",
    "learning-environment": "provider",
    "registrant": "registrant",
    "unregistered-person": "registrant",
}


def judge(case: Case, decision: Mapping[str, Any], receipts: Sequence[Receipt]) -> list[str]:
    """Every way in which one case went wrong: the decision against what is expected, the receipts against both."""
    return [
        *differences(case.expected, decision),
        *_counted(case.told, receipts),
        *_verified(receipts),
        *(fault for receipt in receipts for fault in _overfull(case, decision, receipt)),
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
    """Values that the decision withholds from this body and that lie in what it received all the same."""
    fields: Mapping[str, str] = next((row["fields"] for row in decision["told"] if row["org"] == receipt.org), {})
    for field_class, value in _values(case.concern):
        if fields.get(field_class) != "full" and value.encode() in receipt.body:
            yield f"{receipt.org}: received {field_class} in full, which the decision does not allow"


def _values(concern: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "narrative", str(concern["summary"])
    for subject in concern["subjects"]:
        field_class = CLASS_OF_SUBJECT.get(subject["kind"], "provider")
        yield from ((field_class, row["value"]) for row in subject.get("identifiers", ()))
        if "name" in subject:
            yield field_class, subject["name"]
