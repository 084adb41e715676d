"""What a body that is told receives: the most protective policy per field, the strictest duties, the earliest end."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from shared.agreements.bars import shut_bars
from shared.agreements.case import Attempt, Case
from shared.agreements.days import start_of
from shared.agreements.decision import Duties, Payload, Withheld
from shared.agreements.model import Bar, Limit

OMIT = "omit"
HEADER = "header"
PROVENANCE = "provenance"
ONWARD_ORDER = ("none", "ask_originator", "free")
# Clock hours that a limit may run at most: a working day can stretch over a weekend.
HOURS = {"clock_hours": 1, "working_hours": 3, "calendar_days": 24, "working_days": 34, "months": 730}


def payload_of(org: str, telling: tuple[Attempt, ...]) -> Payload:
    """The meet over the telling clauses, then the bars: adding a clause never shows more."""
    case = telling[0].case
    shut = _shut_for(telling)
    kept_back = {row.field: row for row in _withheld(telling, shut)}
    fields = {name: OMIT if name in kept_back else _policy(telling, name) for name in _field_classes(case)}
    return Payload(
        fields=tuple(sorted(fields.items())),
        withheld=tuple(kept_back[name] for name in sorted(kept_back)),
        pointer_only=_pointer_only(case, kept_back),
        duties=_duties(telling, case),
        onward=_onward(telling, case),
        valid_until=_valid_until(org, telling),
    )


def _field_classes(case: Case) -> tuple[str, ...]:
    return case.words.ids("field_classes")


def _shut_for(telling: tuple[Attempt, ...]) -> tuple[Bar, ...]:
    """Bars that stay shut: one necessity, of the concern or of one clause, makes the disclosure lawful."""
    shut = [{bar.id for bar in shut_bars(attempt)} for attempt in telling]
    for_all = set.intersection(*shut)
    return tuple(bar for bar in telling[0].case.bars if bar.id in for_all)


def _policy(telling: tuple[Attempt, ...], name: str) -> str:
    """Most protective first, as `field_policy_order` lists them; a field of no policy does not travel.

    What came from others goes on no wider than it was given to each body on its way.
    """
    case = telling[0].case
    words = case.words
    policies = [_clause_policy(attempt, name) for attempt in telling] + _masks(case, name)
    return min(policies, key=lambda policy: words.rank("field_policy_order", policy))


def _clause_policy(attempt: Attempt, name: str) -> str:
    return attempt.clause.fields.get(name, attempt.case.policy.fields.get(name, OMIT))


def _masks(case: Case, name: str) -> list[str]:
    masks = (hop.given_as(name) for hop in case.facts.provenance)
    return [mask for mask in masks if mask is not None]


def _withheld(telling: tuple[Attempt, ...], shut: tuple[Bar, ...]) -> Iterable[Withheld]:
    """Each class that does not travel, with what leaves it out first: a bar, a clause, or the way it came."""
    for name in _field_classes(telling[0].case):
        barred = [bar.id for bar in shut if name in bar.fields]
        omitting = sorted(_source(a, name) for a in telling if _clause_policy(a, name) == OMIT)
        masked = [PROVENANCE] if OMIT in _masks(telling[0].case, name) else []
        if found := barred or omitting or masked:
            yield Withheld(name, found[0])


def _source(attempt: Attempt, name: str) -> str:
    return attempt.clause.cite if name in attempt.clause.fields else "field_policy_default"


def _pointer_only(case: Case, kept_back: Iterable[str]) -> bool:
    """Nothing useful is left: of the classes that the concern has, the header alone travels."""
    present = case.facts.field_classes or frozenset(_field_classes(case))
    useful = present - {HEADER}
    return bool(useful) and useful <= set(kept_back)


def _duties(telling: tuple[Attempt, ...], case: Case) -> Duties:
    limits: dict[str, Limit] = {}
    for limit in _limits(telling, case):
        known = limits.get(limit.name)
        if known is None or _strictness(limit) < _strictness(known):
            limits[limit.name] = limit
    tasks = {task for attempt in telling for task in attempt.clause.tasks} | {t for bar in case.bars for t in bar.tasks}
    channels = {attempt.clause.channel for attempt in telling if attempt.clause.channel}
    return Duties(
        limits=tuple(limits[name] for name in sorted(limits)),
        tasks=tuple(sorted(tasks)),
        channels=tuple(sorted(channels)),
        marking=_marking(telling, case),
    )


def _limits(telling: tuple[Attempt, ...], case: Case) -> list[Limit]:
    """Defaults: where no clause sets a limit to acknowledge, the deployment's for this urgency."""
    limits = [limit for attempt in telling for limit in attempt.clause.limits]
    default = case.policy.acknowledge.get(case.facts.urgency)
    if default and not any(limit.name == default.name for limit in limits):
        limits.append(default)
    return limits


def hours_of(limit: Limit) -> int:
    """Clock hours that a limit may run at most."""
    return limit.amount * HOURS[limit.unit]


def _strictness(limit: Limit) -> tuple[int, str, str]:
    return (hours_of(limit), limit.unit, limit.by)


def _marking(telling: tuple[Attempt, ...], case: Case) -> str | None:
    """The highest of the clauses' and the concern's own."""
    markings = {attempt.clause.marking for attempt in telling} | {case.facts.marking}
    order = case.words.ids("markings")
    return max((marking for marking in markings if marking in order), key=order.index, default=None)


def _onward(telling: tuple[Attempt, ...], case: Case) -> str:
    """The strictest of the clauses', of the originator's own word, of the hops before, and of what its bars lay on
    a recipient."""
    terms = [attempt.clause.onward for attempt in telling] + [hop.onward for hop in case.facts.provenance]
    terms += [bar.recipient_onward for bar in case.bars if bar.recipient_onward]
    terms += [case.facts.onward] if case.facts.onward else []
    return min(terms, key=ONWARD_ORDER.index)


def _valid_until(org: str, telling: tuple[Attempt, ...]) -> datetime | None:
    """The first day, as an instant, on which one of the telling clauses no longer tells."""
    organisation = telling[0].case.organisation(org)
    ends = [end for attempt in telling for end in _ends(attempt)]
    if organisation and organisation.exists.end:
        ends.append(organisation.exists.end)
    return start_of(min(ends)) if ends else None


def _ends(attempt: Attempt) -> list[date]:
    """A clause read on the day of the incident does not end by the day of sending."""
    if attempt.clause.when.by_incident:
        return []
    agreement, signed = attempt.agreement, {attempt.discloser.party, attempt.recipient.party}
    days = [
        agreement.span.end,
        agreement.terminated,
        *(span.start for span in agreement.suspended),
        *(party.span.end for party in agreement.parties if party.org in signed),
    ]
    return [day for day in days if day is not None and day > attempt.case.day]
