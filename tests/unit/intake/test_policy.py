"""Who may submit, what is sealed, and what is known already."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.intake.domain.errors import (
    HistoricNotAllowed,
    HistoricNotEntitled,
    IntakeFault,
    NotTheFirstVersion,
    NotTheOriginator,
    ReceivedInTheFuture,
)
from services.intake.domain.model import Caller, Clash, Receipt, Stored, Submission
from services.intake.domain.policy import CLEAR_FIELDS, SEALED_FIELDS, admit, class_of_kind, settle, split
from services.intake.entrypoints.forms import ConcernForm
from services.intake.usecases import make_concern
from tests.support.clock import NOON
from tests.support.intake_fakes import KEYS, a_concern

HISTORIC = Caller("cqc-cases", "cqc", historic=True)


def token_of(scheme: str, normalised: str) -> Mapping[str, Any]:
    return {"kid": "k", "token": f"{len(scheme)}{len(normalised)}"}


@pytest.mark.parametrize(
    ("submission", "allow_historic", "fault"),
    [
        (Submission(a_concern(originator="gmc"), HISTORIC), True, NotTheOriginator),
        (Submission(a_concern(version=2), HISTORIC), True, NotTheFirstVersion),
        (Submission(a_concern(), HISTORIC, NOON), False, HistoricNotAllowed),
        (Submission(a_concern(), Caller("c", "cqc"), NOON), True, HistoricNotEntitled),
        (Submission(a_concern(), HISTORIC, NOON + timedelta(seconds=1)), True, ReceivedInTheFuture),
    ],
)
def test_a_submission_that_may_not_come_in_is_kept_out(
    submission: Submission, allow_historic: bool, fault: type[IntakeFault]
) -> None:
    with pytest.raises(fault):
        admit(submission, now=NOON, allow_historic=allow_historic)


@pytest.mark.parametrize("received_at", [None, NOON, NOON - timedelta(days=400)])
def test_a_submission_of_the_callers_own_body_comes_in(received_at: Any) -> None:
    admit(Submission(a_concern(), HISTORIC, received_at), now=NOON, allow_historic=True)


def test_every_field_of_the_form_is_either_clear_or_sealed_and_none_is_both() -> None:
    clear, sealed = {*CLEAR_FIELDS, "received_at"}, {*SEALED_FIELDS, "annex"}
    assert not clear & sealed
    assert clear | sealed | {"subjects", "provenance"} == set(ConcernForm.model_fields)


def test_names_and_values_are_sealed_and_only_tokens_stay_clear() -> None:
    parts = split(a_concern(), token_of=token_of)
    assert parts.routing["subjects"] == [
        {
            "kind": "registrant",
            "registers": ["gmc"],
            "tokens": [{"scheme": "gmc-number", "kid": "k", "token": "107", "valid": True}],
        }
    ]
    assert parts.detail == {
        "summary": "Canary summary.",
        "subjects": [
            {
                "name": "Dr Canary Name",
                "identifiers": [{"scheme": "gmc-number", "value": "4012345", "normalised": "4012345", "valid": True}],
            }
        ],
    }
    assert parts.routing["field_classes"] == ["narrative", "registrant"]


def test_sealed_subjects_stand_in_the_order_of_the_clear_ones() -> None:
    subjects = [{"kind": "system"}, {"kind": "provider", "name": "A home"}, {"kind": "public-body", "org": "psa"}]
    parts = split(a_concern(subjects=subjects), token_of=token_of)
    assert parts.detail["subjects"] == [{}, {"name": "A home"}, {}]
    assert parts.routing["subjects"] == [
        {"kind": "system"},
        {"kind": "provider"},
        {"kind": "public-body", "org": "psa"},
    ]


def test_field_classes_name_what_the_sealed_part_holds() -> None:
    body = a_concern(
        source={"text": "a nurse"},
        annex=[{"class": "service-user-health", "label": "notes", "text": "…"}],
        subjects=[{"kind": "setting", "name": "Ward 3"}, {"kind": "made-up", "name": "x"}, {"kind": "registrant"}],
    )
    classes = split(body, token_of=token_of).routing["field_classes"]
    assert classes == ["narrative", "provider", "service-user-health", "source-identity", "third-party"]


def test_an_unknown_kind_gets_the_most_protective_class() -> None:
    assert (class_of_kind("unheard-of"), class_of_kind("provider")) == ("third-party", "provider")


def test_a_wrong_check_digit_is_flagged_where_it_stands_without_its_value() -> None:
    subjects = [
        {"kind": "system"},
        {"kind": "service-user", "identifiers": [{"scheme": "nhs-number", "value": "9434765918"}]},
    ]
    parts = split(a_concern(subjects=subjects), token_of=token_of)
    (flag,) = parts.flags
    assert (flag.pointer, flag.scheme, flag.fault) == ("/subjects/1/identifiers/0/value", "nhs-number", "check-digit")
    assert parts.routing["subjects"][1]["tokens"][0]["valid"] is False


def test_the_first_token_of_the_first_subject_that_has_one_leads_the_partition() -> None:
    assert split(a_concern(), token_of=token_of).first_token == "107"
    assert split(a_concern(subjects=None), token_of=token_of).first_token is None


def test_the_same_body_is_a_repeat_and_another_body_is_a_clash() -> None:
    concern = make_concern(Submission(a_concern(), HISTORIC), keys=KEYS, now=NOON)
    first = make_concern(Submission(a_concern(), HISTORIC), keys=KEYS, now=NOON)
    assert settle(concern, Stored(first.id, first.body_mac)) == Receipt(first.id, 1, (), replayed=True)
    assert settle(concern, Stored(concern.id, concern.body_mac)) == Receipt(concern.id, 1, (), replayed=False)
    other = replace(first, body_mac=b"other")
    assert settle(concern, Stored(other.id, other.body_mac)) == Clash(concern.key)
