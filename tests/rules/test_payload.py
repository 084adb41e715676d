"""One case per rule on what a told body receives: fields, limits, tasks, onward, until when."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.rules.small import beta, clause, during, org, pact, party, remit, world

EMERGING = {"amount": 2, "unit": "working_days", "by": "policy"}


def test_a_field_without_a_clauses_policy_follows_the_default() -> None:
    fields = beta(world()).fields
    assert fields == {"header": "full", "registrant": "generalise", "narrative": "full"}


def test_a_field_of_no_policy_does_not_travel() -> None:
    outcome = beta(world(field_policy_default={"fields": {"header": "full"}}))
    assert outcome.fields == {"header": "full", "registrant": "omit", "narrative": "omit"}


def test_the_default_policy_of_the_vocabulary_stands_where_the_deployment_has_none() -> None:
    words = {"kind": "vocabulary", "id": "field_policy_default", "value": {"fields": {"narrative": "pseudonymise"}}}
    assert beta(world(words, field_policy_default=None)).fields["narrative"] == "pseudonymise"
    assert beta(world(words)).fields["narrative"] == "full"


def test_a_clause_has_its_own_field_policy() -> None:
    assert beta(world(pact(clause(fields={"registrant": "full"})))).fields["registrant"] == "full"


def test_the_most_protective_policy_of_all_telling_clauses_counts() -> None:
    two = pact(clause(fields={"registrant": "full"}), clause(id="c2", fields={"registrant": "pseudonymise"}))
    assert beta(world(two)).fields["registrant"] == "pseudonymise"


def test_a_clause_that_does_not_tell_takes_no_field_away() -> None:
    two = pact(clause(), clause(id="c2", mode="invite", fields={"narrative": "omit"}))
    assert beta(world(two)).fields["narrative"] == "full"


def test_a_field_that_is_left_out_says_by_what() -> None:
    outcome = beta(world(pact(clause(fields={"registrant": "omit"}))))
    assert [(row.field, row.by) for row in outcome.withheld] == [("registrant", "pact/c1")]


def test_a_notice_of_nothing_but_its_header_is_a_pointer() -> None:
    snapshot = world(pact(clause(fields={"registrant": "omit"})))
    assert beta(snapshot, field_classes=["header", "registrant"]).pointer_only
    assert not beta(snapshot, field_classes=["header", "narrative"]).pointer_only
    assert not beta(snapshot).pointer_only


def test_the_deployments_limit_to_acknowledge_counts_where_no_clause_has_one() -> None:
    assert beta(world()).duties.to_json()["limits"] == {"acknowledge": EMERGING}
    own = {"acknowledge": {"amount": 3, "unit": "working_days"}}
    limits = beta(world(pact(clause(limits=own)))).duties.to_json()["limits"]
    assert limits == {"acknowledge": {"amount": 3, "unit": "working_days", "by": "pact/c1"}}


def test_the_limit_to_acknowledge_is_that_of_the_urgency() -> None:
    policy = {"urgent": {"amount": 4, "unit": "clock_hours"}}
    limits = beta(world(acknowledge=policy), urgency="urgent").duties.to_json()["limits"]
    assert limits == {"acknowledge": {"amount": 4, "unit": "clock_hours", "by": "policy"}}
    assert beta(world(acknowledge=policy)).duties.to_json()["limits"] == {}


def test_the_strictest_limit_of_all_telling_clauses_counts() -> None:
    slow, fast = ({"notify_within": {"amount": n, "unit": unit}} for n, unit in ((1, "months"), (30, "clock_hours")))
    two = pact(clause(limits=slow), clause(id="c2", limits=fast))
    assert beta(world(two)).duties.to_json()["limits"]["notify_within"]["by"] == "pact/c2"


def test_tasks_channels_and_marking_come_from_the_clauses() -> None:
    duties = beta(world(pact(clause(tasks=["hold"], channel="letter", marking="OFFICIAL-SENSITIVE")))).duties
    assert (duties.tasks, duties.channels, duties.marking) == (("hold",), ("letter",), "OFFICIAL-SENSITIVE")


def test_the_higher_marking_of_clause_and_concern_counts() -> None:
    snapshot = world(pact(clause(marking="OFFICIAL")))
    assert beta(snapshot, marking="OFFICIAL-SENSITIVE").duties.marking == "OFFICIAL-SENSITIVE"
    assert beta(snapshot).duties.marking == "OFFICIAL"


def test_the_strictest_onward_term_of_all_telling_clauses_counts() -> None:
    assert beta(world(pact(clause(), clause(id="c2", onward="ask_originator")))).onward == "ask_originator"


def test_the_originators_own_onward_term_counts_too() -> None:
    assert beta(world(), onward="none").onward == "none"
    assert beta(world()).onward == "free"


def test_a_disclosure_is_valid_until_the_first_telling_clause_ends() -> None:
    snapshot = world(pact(in_force=during(None, "2025-07-01")))
    assert beta(snapshot).valid_until == datetime(2025, 6, 30, 23, tzinfo=UTC)
    assert beta(world()).valid_until is None


def test_a_party_that_will_leave_ends_it_too() -> None:
    parties = [party("alpha"), party("gamma"), party("beta", None, "2025-12-01")]
    assert beta(world(pact(parties=parties))).valid_until == datetime(2025, 12, 1, tzinfo=UTC)


def test_a_later_version_ends_it_too() -> None:
    new = pact(id="pact-2", supersedes="pact", in_force=during("2025-12-02"))
    snapshot = world(pact(in_force=during(None, "2025-12-02")), new)
    assert beta(snapshot).valid_until == datetime(2025, 12, 2, tzinfo=UTC)


def test_a_suspension_a_termination_and_the_end_of_the_body_end_it_too() -> None:
    suspended = world(pact(suspended=[during("2025-12-03", "2025-12-04")]))
    assert beta(suspended).valid_until == datetime(2025, 12, 3, tzinfo=UTC)
    assert beta(world(pact(terminated="2025-12-04"))).valid_until == datetime(2025, 12, 4, tzinfo=UTC)
    ending = world(org("beta", remit(), exists=during(None, "2025-12-05")))
    assert beta(ending).valid_until == datetime(2025, 12, 5, tzinfo=UTC)


def test_a_clause_read_on_the_day_of_the_incident_does_not_end_by_the_day_of_sending() -> None:
    by_incident = clause(when={"date_basis": "incident"})
    assert beta(world(pact(by_incident, in_force=during(None, "2025-12-01")))).valid_until is None
