"""Words that belong to the reader itself, not to a deployment's vocabulary."""

from __future__ import annotations

WORDS: dict[str, frozenset[str]] = {
    "certainty": frozenset({"seed", "source", "assumed"}),
    "effect": frozenset({"PERMIT", "REQUIRE", "FORBID"}),
    "mode": frozenset({"push", "invite", "feed", "record"}),
    "direction": frozenset({"one_way", "both", "among"}),
    "onward": frozenset({"none", "ask_originator", "free"}),
    "instrument": frozenset({"mou", "jwp", "isa", "protocol", "statutory", "framework"}),
    "status": frozenset({"current", "superseded", "expired", "predecessor_signed", "promised"}),
    "capacity": frozenset({"signatory", "affiliated", "aligned", "in_attendance"}),
    "succession": frozenset(
        {"rename", "operating_name", "merge", "split", "partial_transfer", "abolish_with_transfer", "planned"}
    ),
    "novation": frozenset({"inherited", "inherited_pending_review", "inherited_assumed", "not_carried"}),
    "ecp_signature": frozenset({"carried", "not_carried"}),
    "sector": frozenset({"public", "private", "other"}),
    "unit": frozenset({"working_hours", "clock_hours", "working_days", "calendar_days", "months"}),
    "precision": frozenset({"month", "year"}),
    "date_basis": frozenset({"received", "incident"}),
    "recipient_remit": frozenset({"required"}),
    "without_gateway": frozenset({"withhold", "omit_fields"}),
    "decided_by": frozenset({"router", "person"}),
    "needs": frozenset({"necessity_statement"}),
    "limit name": frozenset(
        {"acknowledge", "notify_within", "notify_before_publication", "notify_before_press_release"}
    ),
    "role": frozenset({"member", "chair", "in_attendance"}),
    "conflict": frozenset({"recipient is the subject", "originator is the subject"}),
}
