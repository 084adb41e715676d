"""Keep the files in which people wrote a change, and give those in which the graph of a version was written."""

from collections.abc import Callable

from services.registry.domain.change import folded
from services.registry.domain.change_rules import Actor, Refusal
from services.registry.domain.documents import SEED, Files, differing, not_files, not_taken
from services.registry.ports import BeginDocuments
from shared.canonical import canonical, digest
from shared.clock import Clock
from shared.contracts.audit import AuditFact
from shared.ids import derived_id

SERVICE = "registry"


async def keep_files(
    change_id: str, files: Files, actor: Actor, *, begin: BeginDocuments, clock: Clock
) -> Refusal | int | None:
    """Keep files of a change until it is scheduled, and with it from then on. All of them or none.

    Gives how many of them are new: 0 for a repeat; None where there is no such change.
    """
    if refusal := not_files(files):
        return refusal
    async with begin() as tx:
        await tx.changes().hold(change_id)
        log = await tx.changes().log(change_id)
        if log is None:
            return None
        proposal = folded(log)
        stored = await tx.of_change(change_id, proposal.revision)
        if refusal := not_taken(proposal, actor) or differing(stored, files):
            return refusal
        new = {path: text for path, text in files.items() if path not in stored}
        if new:
            await tx.add(change_id, proposal.revision, new)
            await tx.changes().history().record([_fact(change_id, proposal.revision, new, actor, clock)])
        return len(new)


async def keep_seed_files(read_files: Callable[[], Files], *, begin: BeginDocuments) -> int:
    """Keep the files of the seed, once; gives how many are new. Raises what `read_files` raises."""
    async with begin() as tx:
        await tx.changes().hold(SEED)
        if await tx.of_change(SEED, 1):
            return 0
        files = read_files()
        await tx.add(SEED, 1, files)
        return len(files)


async def read_files(version: int, *, begin: BeginDocuments) -> Files:
    """Each file as it was written last, up to that version of the graph."""
    async with begin() as tx:
        found = await tx.as_of(version)
    return {path: text for path, text in found.items() if text}


def _fact(change_id: str, revision: int, files: Files, actor: Actor, clock: Clock) -> AuditFact:
    """Texts may hold names of people: the log gets their digest alone."""
    digests = {path: digest(text) for path, text in files.items()}
    about = digest(canonical(digests))
    body = {"event": "FILES_KEPT", "change_id": change_id, "revision": revision, "digest": about, "files": len(files)}
    fact_id = derived_id("fct", "files", change_id, revision, about)
    return AuditFact(
        fact_id=fact_id, kind="agreement-event", at=clock.now(), service=SERVICE, actor=actor.principal, body=body
    )
