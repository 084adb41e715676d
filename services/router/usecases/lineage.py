"""What was built on a concern that is corrected: a person looks whether it still stands."""

from __future__ import annotations

from collections.abc import Sequence

from services.router.domain.model import Concern, DecisionKey, WorkItem
from services.router.usecases.desk import Sitting
from shared.ids import derived_id

SOURCE_CORRECTED = "SOURCE_CORRECTED"


async def point_out(corrected: Concern, sitting: Sitting) -> Sequence[WorkItem]:
    """An item for each concern that came of an earlier version, in the name of the body that raised it.

    Its originator is told of the correction by its own notice, or of the withdrawal; the item is superseded as soon as
    it amends what it built, or as that is recalled.
    """
    found = []
    for concern_id in corrected.descendants:
        dossier = await sitting.tx.dossier(concern_id, None)
        if dossier and dossier.recalled:
            continue
        version = dossier.concern.version if dossier else 1
        bodies = (str(dossier.concern.routing["originator"]),) if dossier else ()
        name = derived_id("wrk", "derived", concern_id, corrected.concern_id, corrected.version)
        key = DecisionKey(concern_id, version)
        found.append(WorkItem(name, "derived", key, (SOURCE_CORRECTED,), bodies, sitting.now, ref=corrected.concern_id))
        await sitting.tx.open_item(found[-1])
    return found
