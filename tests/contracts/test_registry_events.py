"""Every event that the registry ever published stays readable, and is written today as it was then."""

from pathlib import Path

import orjson
import pytest

from shared.contracts.audit import AuditRecorded
from shared.contracts.envelope import CloudEvent
from shared.contracts.graph import GraphCommitted

GOLDEN = Path(__file__).parent / "golden"
KINDS: dict[str, type[CloudEvent]] = {"graph-committed": GraphCommitted, "audit-recorded": AuditRecorded}
FILES = [(file, kind) for prefix, kind in KINDS.items() for file in sorted(GOLDEN.glob(f"{prefix}*.json"))]


def test_there_is_a_golden_file_of_each_form() -> None:
    names = {file.stem for file, _ in FILES}
    assert {
        "graph-committed-1-seed",
        "graph-committed-2-switch",
        "graph-committed-3-part-1",
        "graph-committed-3-part-2",
        "graph-committed-4-too-large",
        "audit-recorded-graph-commit-import",
        "audit-recorded-graph-commit-change",
        "audit-recorded-agreement-event-import",
        "audit-recorded-agreement-event-change",
    } <= names


@pytest.mark.parametrize(("file", "kind"), FILES, ids=lambda value: getattr(value, "stem", None))
def test_old_bytes_still_parse_and_are_written_the_same(file: Path, kind: type[CloudEvent]) -> None:
    raw = file.read_bytes()
    assert orjson.loads(kind.model_validate_json(raw).encode()) == orjson.loads(raw)
    assert kind.model_validate_json(raw).encode() == raw
