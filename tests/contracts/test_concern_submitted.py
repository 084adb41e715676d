"""Every `ConcernSubmitted` ever published stays readable: these bytes are never changed, only added to."""

from pathlib import Path

import pytest

from services.intake.entrypoints.forms import SUBMITTED
from shared.contracts.concern import ConcernSubmitted, concern_digest
from shared.sealing import SecretKey, unseal

GOLDEN = sorted((Path(__file__).parent / "golden").glob("concern-submitted*.json"))
KEY = SecretKey.of(b"s" * 32)


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_old_bytes_parse_and_encode_to_the_same_bytes(file: Path) -> None:
    raw = file.read_bytes().rstrip(b"\n")
    assert ConcernSubmitted.model_validate_json(raw).encode() == raw


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_the_digest_of_old_bytes_still_comes_out(file: Path) -> None:
    data = ConcernSubmitted.model_validate_json(file.read_bytes()).data
    assert concern_digest(data.routing, data.sealed.model_dump()) == data.digest


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_an_old_sealed_part_still_opens(file: Path) -> None:
    data = ConcernSubmitted.model_validate_json(file.read_bytes()).data
    opened = unseal(data.sealed.model_dump(), KEY, bound_to=f"{data.concern_id}/{data.version}")
    assert opened["summary"] == "A concern kept for ever."


def test_there_is_a_golden_file_and_the_form_takes_the_type_of_the_event() -> None:
    assert GOLDEN
    assert ConcernSubmitted.model_fields["type"].default == SUBMITTED
