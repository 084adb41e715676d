"""The answer to Francis recommendation 153: what was asked in December 2013, and what stands on a day.

The bodies and the promises are those of the Government's response (source `seed-153`); everything else is read from the
graph: who acts for whom, which instruments stand, what they let each body tell, which promises are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.registry.domain.analyses.confirm import outcome_of
from services.registry.domain.analyses.standing import Cell, Standings
from shared.agreements import Class, Graph, Snapshot, explain, facts_of, sentence
from shared.agreements.model import Agreement, Clause, Effect, Mode
from shared.agreements.rights import Right, rights_of

SOURCE = "seed-153"
THEN = date(2013, 12, 31)
"""The end of the month by which the response promised."""
NAMED = ("deaneries", "commissioners", "gmc", "cqc", "monitor")
"""The bodies that the recommendation names."""
PROMISED = ("nmc", "gdc", "hcpc")
"""The bodies with which arrangements were promised."""
LEVER = "sd-hsca2012-s290"


@dataclass(frozen=True, slots=True)
class Named:
    """A body of the recommendation, and who acts for it on a day, with how its agreements passed on."""

    org: str
    acting: tuple[str, ...]
    novations: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As an API gives it."""
        return {"org": self.org, "acting": list(self.acting), "novations": list(self.novations)}


@dataclass(frozen=True, slots=True)
class Promise:
    """A promised arrangement, and what became of it: `kept`, `late`, `assumed` or `open`."""

    id: str
    title: str
    promised_by: str | None
    fulfilled_by: tuple[str, ...]
    since: str | None
    state: str
    note: str

    def to_json(self) -> dict[str, Any]:
        """As an API gives it."""
        words = {"title": self.title, "promised_by": self.promised_by, "since": self.since, "note": self.note}
        return {"id": self.id, **words, "fulfilled_by": list(self.fulfilled_by), "state": self.state}


@dataclass(frozen=True, slots=True)
class DutyClause:
    """A clause of a statutory duty on a day: `sent` for the concern it is made for, or why not."""

    cite: str
    title: str
    discloser: str
    recipient: str
    sent: bool
    because: str
    elsewhere: str | None

    def to_json(self) -> dict[str, Any]:
        """As an API gives it."""
        between = {"from": self.discloser, "to": self.recipient}
        return {"clause": self.cite, "title": self.title, **between, "sent": self.sent, "because": self.because,
                "outside_its_scope": self.elsewhere}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything that the page about the recommendation says."""

    day: date
    named: tuple[Named, ...]
    bodies: tuple[str, ...]
    bodies_then: tuple[str, ...]
    cells: tuple[Cell, ...]
    cells_then: tuple[Cell, ...]
    promises: tuple[Promise, ...]
    duties: tuple[DutyClause, ...]
    lever_parties: tuple[str, ...]
    lever_used: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As an API gives it, without the rows by category."""
        return {
            "as_of": self.day.isoformat(),
            "named": [row.to_json() for row in self.named],
            "then": {"as_of": THEN.isoformat(), "cells": [cell.to_json() for cell in self.cells_then]},
            "today": {"cells": [cell.to_json() for cell in self.cells]},
            "promises": [row.to_json() for row in self.promises],
            "duties": [row.to_json() for row in self.duties],
            "lever": {"duty": LEVER, "parties": list(self.lever_parties), "used_for": list(self.lever_used)},
        }


def answer(standings: Standings) -> Answer:
    """The answer on the day of the standings. Bodies that the graph does not have are left out."""
    graph, reach = standings.graph, standings.reach
    then = Standings(reach.snapshot, THEN)
    known = [org for org in (*NAMED, *PROMISED) if org in graph.organisations]
    named = tuple(_named(org, standings) for org in known)
    bodies, bodies_then = _acting(known, standings), _acting(known, then)
    lever = graph.duties.get(LEVER)
    parties = tuple(sorted(lever.signatories)) if lever else ()
    return Answer(
        day=reach.day,
        named=named,
        bodies=bodies,
        bodies_then=bodies_then,
        cells=_cells(standings, bodies),
        cells_then=_cells(then, bodies_then),
        promises=tuple(_promises(graph)),
        duties=tuple(_duties(standings)),
        lever_parties=parties,
        lever_used=tuple(org for org in parties if graph.organisations[org].record.get("register")),
    )


def _named(org: str, standings: Standings) -> Named:
    reached = [row for row in standings.reach.bodies.resolve(org, personal=False) if row.org in standings.reach.able]
    novations = sorted({novation for row in reached for novation in row.novations})
    return Named(org, tuple(row.org for row in reached), tuple(novations))


def _acting(orgs: list[str], standings: Standings) -> tuple[str, ...]:
    return tuple(dict.fromkeys(body for org in orgs for body in _named(org, standings).acting))


def _cells(standings: Standings, bodies: tuple[str, ...]) -> tuple[Cell, ...]:
    return tuple(
        cell
        for originator in bodies
        for cell in standings.cells(originator, tuple(body for body in bodies if body != originator))
    )


def _promises(graph: Graph) -> Iterator[Promise]:
    for name, agreement in sorted(graph.agreements.items()):
        if agreement.record.get("status") == "promised":
            yield _promise(name, agreement, graph)


def _promise(name: str, agreement: Agreement, graph: Graph) -> Promise:
    record = agreement.record
    kept_by = tuple(row for row in record.get("fulfilled_by", ()) if row in graph.agreements)
    starts = sorted(start.isoformat() for row in kept_by if (start := graph.agreements[row].span.start))
    promised = record.get("promised_by")
    return Promise(
        id=name,
        title=str(record.get("title", name)),
        promised_by=promised,
        fulfilled_by=kept_by,
        since=starts[0] if starts else None,
        state=_state(kept_by, starts, promised),
        note=str(record.get("note", "")),
    )


def _state(kept_by: tuple[str, ...], starts: list[str], promised: str | None) -> str:
    """A month without a day runs to its end; without a known start nobody can say more than that it seems kept."""
    if not kept_by:
        return "open"
    if not starts or promised is None:
        return "assumed"
    return "late" if starts[0][: len(promised)] > promised else "kept"


def _duties(standings: Standings) -> Iterator[DutyClause]:
    for _, duty in sorted(standings.graph.duties.items()):
        for clause in duty.clauses:
            for right in rights_of(duty):
                if right.clause is clause and set(right.recipients) & duty.signatories:
                    yield from _duty_clause(duty, clause, right, standings)


def _duty_clause(duty: Agreement, clause: Clause, right: Right, standings: Standings) -> Iterator[DutyClause]:
    """A clause that only records has nothing to send: it is listed once."""
    recipients = right.recipients if clause.mode in (Mode.PUSH, Mode.INVITE) else right.recipients[:1]
    title = str(duty.record.get("title", duty.id))
    if clause.mode not in (Mode.PUSH, Mode.INVITE) and right.discloser not in clause.disclosers:
        return
    for recipient in recipients:
        sent, because = _sent(clause, (right.discloser, recipient), standings)
        elsewhere = _elsewhere(clause, standings) if sent else None
        yield DutyClause(clause.cite, title, right.discloser, recipient, sent, because, elsewhere)


def _sent(clause: Clause, between: tuple[str, str], standings: Standings) -> tuple[bool, str]:
    space = standings.reach.space
    box = space.clause_box(clause.when)
    if not all(box):
        return False, "The duty has no clause of its own on sharing a concern."
    originator, recipient = (_today(org, standings) for org in between)
    concern = space.concern(box, originator, recipient, standings.reach.day)
    return _outcome(standings.reach.snapshot, clause, concern, recipient)


def _outcome(snapshot: Snapshot, clause: Clause, concern: dict[str, Any], recipient: str) -> tuple[bool, str]:
    """By the clause itself: what others tell is said, and is not this duty."""
    found = outcome_of(snapshot, concern, recipient)
    if found is None or recipient == concern["originator"]:
        return False, "Both sides are now one body, so there is nobody to send to."
    if found.klass is Class.TOLD and any(row.cite == clause.cite for row in found.because):
        return True, "required" if clause.effect is Effect.REQUIRE else "permitted, within the remit"
    trials = [trial for trial in explain(snapshot, facts_of(concern), recipient) if trial.because.cite == clause.cite]
    own = next((trial.reason for trial in trials if trial.reason), None)
    why = sentence(own or found.reason)
    instead = ", ".join(row.cite for row in found.because) if found.klass is Class.TOLD else ""
    return False, f"{why} It is told by {instead}." if instead else why


def _elsewhere(clause: Clause, standings: Standings) -> str | None:
    """A setting, or else a nation, that the duty does not reach."""
    words, scope = standings.graph.vocabularies, clause.when
    for key, listed, allowed in (("setting", "settings", scope.settings), ("nation", "nations", scope.nations)):
        outside = [word for word in words.ids(listed) if allowed is not None and word not in allowed]
        if outside:
            return f"{key}: {', '.join(outside)}"
    return None


def _today(org: str, standings: Standings) -> str:
    """Who acts for the party; the party itself where nobody does."""
    return next(iter(_named(org, standings).acting), org)
