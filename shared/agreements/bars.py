"""Statutory bars and their gateways (SEMANTICS, Gateways)."""

from __future__ import annotations

from shared.agreements.case import Attempt, Case
from shared.agreements.model import Bar, Gateway


def shut_bars(attempt: Attempt) -> tuple[Bar, ...]:
    """The originator's bars, of either kind, that no gateway opens for this clause and body."""
    return tuple(bar for bar in attempt.case.bars if not any(opens(gate, attempt) for gate in bar.gateways))


def withholds_from(case: Case, org: str) -> bool:
    """A withholding bar that no gateway opens for this body whatever the clause: its silence is meant, no gap."""
    return any(
        bar.withholds and not any(_opens_for_body(gateway, case, org) for gateway in bar.gateways) for bar in case.bars
    )


def opens(gateway: Gateway, attempt: Attempt) -> bool:
    """A gateway with a clause of its own opens for that clause alone, one that names agreements for those alone.

    A router's gateway that states nothing to test opens nothing.
    """
    if gateway.permits is not None:
        return gateway.permits == attempt.clause.cite and _decided(gateway, attempt)
    if gateway.agreements is not None:
        return attempt.agreement.id in gateway.agreements and _recorded(gateway, attempt.case)
    if gateway.needs_necessity and attempt.clause.standing_necessity:
        return _of_sector(gateway, attempt.case, attempt.recipient.org) and _recorded(gateway, attempt.case)
    return _opens_for_body(gateway, attempt.case, attempt.recipient.org)


def _opens_for_body(gateway: Gateway, case: Case, org: str) -> bool:
    if gateway.permits is not None or gateway.agreements is not None:
        return False
    stated = gateway.by_person or gateway.to_sector is not None or gateway.needs_necessity
    needed = case.facts.necessity or not gateway.needs_necessity
    return stated and needed and _of_sector(gateway, case, org) and _recorded(gateway, case)


def _decided(gateway: Gateway, attempt: Attempt) -> bool:
    """By the person's entry, or by the flag that the gateway's own clause demands."""
    flags = attempt.clause.when.flags_all
    flagged = flags is not None and flags <= attempt.case.facts.flags
    return flagged or _recorded(gateway, attempt.case)


def _recorded(gateway: Gateway, case: Case) -> bool:
    """A person's gateway opens only on an entry in the concern; the router's needs none."""
    return not gateway.by_person or gateway.cite in case.opened


def _of_sector(gateway: Gateway, case: Case, org: str) -> bool:
    if gateway.to_sector is None:
        return True
    organisation = case.organisation(org)
    return organisation is not None and organisation.sector in gateway.to_sector
