"""What was proven before: a line of JSON for each run, on the disk when the run is over, so that a stop loses nothing.

A run counts only for what it was asked with, and for the very code that it ran.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("services", "shared", "deploy/local")
Document = Mapping[str, Any]


def code_digest(root: Path = ROOT) -> str:
    """Of every source file of the product, read and not imported."""
    found = hashlib.sha256()
    for path in sorted(one for folder in PRODUCT for one in (root / folder).rglob("*.py")):
        found.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()[:16]


@dataclass(slots=True)
class Results:
    """The runs that are over, by number. Without a file nothing outlives the process."""

    asked: Mapping[str, Any]
    file: Path | None = None
    documents: dict[int, Document] = field(default_factory=dict)

    @classmethod
    def of(cls, asked: Mapping[str, Any], file: Path | None, *, runs_max: int) -> "Results":
        """With what is proven: runs of the same question that added up; of one done twice the last time stands."""
        asked = json.loads(json.dumps(asked))
        last = {document["run"]: document for document in _lines(file) if document["asked"] == asked}
        proven = {run: one for run, one in sorted(last.items()) if run <= runs_max and not one["differences"]}
        return cls(asked, file, proven)

    def keep(self, document: Document) -> None:
        """Write a run down."""
        self.documents[document["run"]] = document
        if self.file is None:
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a") as lines:
            lines.write(json.dumps({"asked": self.asked, **document}) + "\n")
            lines.flush()
            os.fsync(lines.fileno())


def _lines(file: Path | None) -> Iterator[Document]:
    """What was kept; a line that a stop cut off is none."""
    if file is None or not file.exists():
        return
    for line in file.read_text().splitlines():
        with contextlib.suppress(ValueError):
            yield json.loads(line)
