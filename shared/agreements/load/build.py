"""Checked objects into the graph. Defaults that the semantics lay down are applied here, once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from datetime import date
from typing import Any, TypeVar

from shared.agreements.days import Span
from shared.agreements.load.form import mark_of
from shared.agreements.load.objects import Row, Shelf
from shared.agreements.model import (
    Agreement,
    Bar,
    Clause,
    Contradiction,
    Effect,
    Gateway,
    Graph,
    LeadRule,
    LeadStep,
    Limit,
    Mode,
    Organisation,
    Party,
    Policy,
    Remit,
    Scope,
    Succession,
    Terms,
)
from shared.agreements.vocabulary import LISTS, Vocabulary

Item = TypeVar("Item")
SETS = (
    "needs_all",
    "nations",
    "subject_kinds",
    "registers",
    "settings",
    "victims",
    "provider_status",
    "fault_holders",
    "topics",
    "topics_none",
    "flags_all",
    "functions",
    "subject_not",
)


def build(shelf: Shelf) -> Graph:
    """The graph of objects that have passed every check."""
    read = Reader(words_of(shelf))
    agreements = {row["id"]: read.agreement(row) for row in shelf.rows("agreement")}
    return build_with(shelf, read, agreements)


def build_with(shelf: Shelf, read: Reader, agreements: Mapping[str, Agreement]) -> Graph:
    """The graph of these agreements and every other object of the shelf."""
    return Graph(
        organisations={row["id"]: read.organisation(row) for row in shelf.rows("organisation")},
        agreements=agreements,
        duties={row["id"]: read.agreement(row) for row in shelf.rows("duty")},
        bars={row["id"]: read.bar(row) for row in shelf.rows("bar")},
        successions=tuple(read.succession(row) for row in shelf.rows("succession")),
        vocabularies=read.words,
        policy=read.policy(shelf.policy()),
        lead_rules=tuple(read.lead_rule(row) for row in shelf.rows("lead_rule")),
        forums={row["id"]: row for row in shelf.rows("forum")},
        sources={row["id"]: row for row in shelf.rows("source")},
    )


def words_of(shelf: Shelf) -> Vocabulary:
    """The vocabularies of the shelf."""
    return Vocabulary(
        {name: shelf.terms(name) for name in LISTS},
        {row["id"]: row["value"] for row in shelf.rows("vocabulary") if "value" in row},
    )


class Reader:
    """Reads the rows that need the vocabulary: category parents and purposes are resolved while reading.

    What large graphs say many times is made once and shared.
    """

    def __init__(self, words: Vocabulary) -> None:
        self.words = words
        self._scopes: dict[tuple[bytes, Terms | None], Scope] = {}
        self._purposes: dict[tuple[str, ...], Terms] = {}
        self._parties: dict[tuple[str, str, str | None, str | None], Party] = {}
        self._sets: dict[tuple[str, ...], Terms] = {}
        self._shared: dict[Hashable, Any] = {}
        self._tables: dict[Hashable, Mapping[str, str]] = {}
        self._spans: dict[tuple[str | None, str | None], Span] = {}

    def scope(self, row: Row, nations: Terms | None = None) -> Scope:
        """Rule 3: a clause without nations takes its agreement's. Equal scopes are one and the same."""
        mark = mark_of(row)
        if mark is None:
            return self._scope(row, nations)
        if (mark, nations) not in self._scopes:
            self._scopes[mark, nations] = self._scope(row, nations)
        return self._scopes[mark, nations]

    def _scope(self, row: Row, nations: Terms | None) -> Scope:
        sets = {key: frozenset(row[key]) for key in SETS if key in row}
        if "purposes" in row:
            sets["purposes"] = self.words.purposes_under(row["purposes"])
        return Scope(
            categories=self.words.categories_under(row.get("categories", ())),
            urgency_at_least=row.get("urgency_at_least"),
            by_incident=row.get("date_basis") == "incident",
            needs_remit=row.get("recipient_remit") == "required",
            **{"nations": nations, **sets},
        )

    def clause(self, row: Row, owner: str, nations: Terms) -> Clause:
        cite = f"{owner}/{row['id']}"
        return Clause(
            cite=cite,
            effect=Effect(row["effect"]),
            mode=Mode(row["mode"]),
            direction=self._one(row["direction"]),
            disclosers=self._names(row["from"]),
            recipients=self._names(row["to"]),
            when=self.scope(row["when"], nations),
            purposes=self._under(tuple(row["purposes"])),
            onward=self._one(row["onward"]),
            fields=self._fields(row.get("fields", {})),
            sensitivity_max=_maybe_set(row, "sensitivity_max"),
            limits=tuple(_limit(name, item, cite) for name, item in sorted(row.get("limits", {}).items())),
            tasks=self._names(row.get("tasks", ())),
            channel=row.get("channel"),
            marking=row.get("marking"),
            standing_necessity="standing_necessity" in row,
            assumed=row["certainty"] == "assumed",
            summary=row["summary"],
        )

    def agreement(self, row: Row) -> Agreement:
        nations = self._set(tuple(row["nations"]))
        return Agreement(
            id=row["id"],
            lineage=row.get("lineage", row["id"]),
            instrument=self._one(row["instrument"]),
            parties=tuple(self._party(party) for party in row["parties"]),
            span=self._span(row["in_force"]),
            nations=nations,
            clauses=tuple(self.clause(clause, row["id"], nations) for clause in row["clauses"]),
            supports=row.get("supports"),
            supersedes=row.get("supersedes"),
            sensitivity_cap=_maybe_set(row, "sensitivity_cap"),
            suspended=tuple(_span(item) for item in row.get("suspended", ())),
            terminated=_day(row.get("terminated")),
            review_due=_day(row.get("review_due")),
            record=row,
        )

    def bar(self, row: Row) -> Bar:
        return Bar(
            id=row["id"],
            holders=tuple(row["holders"]),
            span=_span(row["in_force"]),
            withholds=row["without_gateway"] == "withhold",
            fields=frozenset(row.get("fields", ())),
            gateways=tuple(_gateway(gateway, row["id"]) for gateway in row["gateways"]),
            recipient_onward=row.get("recipient_onward"),
            tasks=tuple(row.get("post_disclosure_tasks", ())),
            permitted=self._permitted(row),
            record=row,
        )

    def _one(self, value: Item) -> Item:
        """The value itself, or an equal one that was read before."""
        shared: Item = self._shared.setdefault(value, value)
        return shared

    def _names(self, names: Iterable[str]) -> tuple[str, ...]:
        return self._one(tuple(map(self._one, names)))

    def _fields(self, row: Row) -> Mapping[str, str]:
        return self._tables.setdefault(tuple(sorted(row.items())), row)

    def _span(self, row: Row) -> Span:
        mark = (row["from"], row["to"])
        if mark not in self._spans:
            self._spans[mark] = _span(row)
        return self._spans[mark]

    def _under(self, named: tuple[str, ...]) -> Terms:
        if named not in self._purposes:
            self._purposes[named] = self.words.purposes_under(named)
        return self._purposes[named]

    def _set(self, named: tuple[str, ...]) -> Terms:
        return self._sets.setdefault(named, frozenset(named))

    def _party(self, row: Row) -> Party:
        mark = (row["org"], row["capacity"], row["from"], row["to"])
        if mark not in self._parties:
            signed = row["capacity"] == "signatory"
            self._parties[mark] = Party(self._one(row["org"]), signed=signed, span=self._span(row))
        return self._parties[mark]

    def _permitted(self, row: Row) -> Agreement:
        """The clauses that the bar's gateways permit, as one statutory instrument between those that they name."""
        clauses = [gateway["permits"] for gateway in row["gateways"] if "permits" in gateway]
        named = {org for clause in clauses for org in (*clause["from"], *clause["to"])}
        orgs = sorted(org for org in named | {*row["holders"]} if not org.startswith("@"))
        nations = frozenset(row["nations"])
        return Agreement(
            id=row["id"],
            lineage=row["id"],
            instrument="statutory",
            parties=tuple(Party(org, signed=True, span=Span()) for org in orgs),
            span=_span(row["in_force"]),
            nations=nations,
            clauses=tuple(self.clause(clause, row["id"], nations) for clause in clauses),
            record=row,
        )

    def organisation(self, row: Row) -> Organisation:
        return Organisation(
            id=row["id"],
            name=row["name"],
            sector=row["sector"],
            exists=_span(row["exists"]),
            remits=tuple(
                Remit(self.scope(remit), _span(remit), assumed=remit["certainty"] == "assumed")
                for remit in row["remits"]
            ),
            deliver_to=row.get("deliver_to"),
            record=row,
        )

    def succession(self, row: Row) -> Succession:
        return Succession(
            id=row["id"],
            predecessor=row["from"],
            successor=row["to"],
            kind=row["type"],
            effective=_day(row["effective"]),
            functions=frozenset(row.get("functions", ())),
            categories=frozenset(row.get("categories", ())),
            novation=row["novation"],
            carries_ecp_signature=row["ecp_signature"] == "carried",
        )

    def policy(self, row: Row) -> Policy:
        """The deployment's own caps and field policy win over the vocabularies', where it states any."""
        words = self.words
        caps = row.get("instrument_caps") or words.values.get("instrument_caps") or {}
        fields = row.get("field_policy_default") or words.values.get("field_policy_default") or {}
        return Policy(
            assumed_clauses=row["assumed_clauses"]["default"],
            assumed_by_agreement=dict(row["assumed_clauses"]["agreements"]),
            assumed_remits=row["assumed_remits"],
            acknowledge={
                urgency: _limit("acknowledge", item, "policy") for urgency, item in row["acknowledge"].items()
            },
            caps_public=_caps(caps.get("public_parties_only", {})),
            caps_other=_caps(caps.get("any_other_party", {})),
            fields=dict(fields.get("fields", {})),
            correlation_window=_limit("correlation", row["correlation"]["window"], "policy"),
            correlation_count=row["correlation"]["count"],
            emergency_review=_limit("review", row["emergency"]["review"], "policy") if "emergency" in row else None,
            operator=row.get("operator"),
            contradictions=tuple(_contradiction(item) for item in row.get("contradictions", ())),
        )

    def lead_rule(self, row: Row) -> LeadRule:
        """Steps that are sentences (the conflict rule) nominate nobody: rules 15 and 16 carry them."""
        steps = [step for step in row["steps"] if not isinstance(step.get("if"), str)]
        return LeadRule(
            id=row["id"],
            agreement=row.get("agreement"),
            by_incident=row.get("date_basis") == "incident",
            not_before=_day(row.get("not_before")),
            steps=tuple(LeadStep(self.scope(step.get("if", {})), tuple(step.get("lead", ()))) for step in steps),
        )


def _gateway(row: Row, bar: str) -> Gateway:
    return Gateway(
        cite=f"{bar}/{row['id']}",
        by_person=row["decided_by"] == "person",
        agreements=_maybe_set(row, "agreements"),
        to_sector=_maybe_set(row, "to_sector"),
        needs_necessity="needs" in row,
        permits=f"{bar}/{row['permits']['id']}" if "permits" in row else None,
    )


def _contradiction(row: Row) -> Contradiction:
    return Contradiction(
        row["id"], tuple((name, frozenset(words)) for one in row["says"] for name, words in one.items())
    )


def _caps(row: Mapping[str, Any]) -> dict[str, Terms]:
    return {instrument: frozenset(components) for instrument, components in row.items()}


def _limit(name: str, row: Row, by: str) -> Limit:
    return Limit(name, row["amount"], row["unit"], by)


def _maybe_set(row: Row, key: str) -> Terms | None:
    return frozenset(row[key]) if key in row else None


def _span(row: Row) -> Span:
    return Span(_day(row["from"]), _day(row["to"]))


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
