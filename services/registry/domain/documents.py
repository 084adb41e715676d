"""Graph files as people write them, kept beside the objects that they hold: the objects decide, the files do not."""

import re
from collections.abc import Iterator, Mapping

from services.registry.domain.change import Proposal
from services.registry.domain.change_rules import Actor, Place, Refusal, closed

SEED = "seed"
"""Stands in the place of a change for the files of the seed, which are those of version 1."""
FILES_MAX = 10_000
FILE_BYTES_MAX = 4 * 2**20
Files = Mapping[str, bytes]
_PATH = re.compile(r"(?:agreements/)?[A-Za-z0-9][A-Za-z0-9._-]{0,139}\.yaml")


def not_files(files: Files) -> Refusal | None:
    """Where these cannot be files of a graph; an empty one says that there is no such file any more."""
    places = tuple(_faults(files))
    if not places:
        return None
    return Refusal("invalid-objects", "Some files cannot be files of a graph", "Send them as they are.", places)


def _faults(files: Files) -> Iterator[Place]:
    if not 0 < len(files) <= FILES_MAX:
        yield Place("/files", f"must name 1 to {FILES_MAX} files")
    for path, text in files.items():
        at = f"/files/{path.replace('~', '~0').replace('/', '~1')}"
        if not _PATH.fullmatch(path):
            yield Place(at, "a path is NAME.yaml or agreements/NAME.yaml, of letters, digits, `.`, `_` and `-`")
        if len(text) > FILE_BYTES_MAX:
            yield Place(at, f"the file has {len(text)} bytes; {FILE_BYTES_MAX} is the most")


def not_taken(proposal: Proposal, actor: Actor) -> Refusal | None:
    """Where files of this change can no longer come, or not from this actor."""
    if refusal := closed(proposal):
        return refusal
    if actor.principal not in proposal.authors:
        return Refusal("forbidden", "Files come from an author of the change", "Draft a change of your own.")
    if proposal.reviewer is not None:
        remedy = "Revise the change: its files come before its review."
        return Refusal("already-reviewed", "The change has been reviewed", remedy)
    return None


def differing(stored: Files, files: Files) -> Refusal | None:
    """Where a file is there already with another text: what was sent is never replaced."""
    other = sorted(path for path, text in files.items() if stored.get(path, text) != text)
    if not other:
        return None
    places = tuple(Place("/files", f"{path} is there with another text") for path in other)
    return Refusal("files-differ", "Other texts were sent for this change", "Revise the change to send others.", places)
