"""Every rule of the graph's semantics and how to take it out. `python -m tests.rules` takes out each in turn."""

from tests.rules.catalogue.bars import BARS
from tests.rules.catalogue.bodies import BODIES, successions
from tests.rules.catalogue.classes import CLASSES
from tests.rules.catalogue.gates import FORCE_AND_CAPS, caps, gates, prohibitions
from tests.rules.catalogue.matching import MATCHING, scope, unknown_terms
from tests.rules.catalogue.payload import PAYLOAD
from tests.rules.catalogue.provenance import PROVENANCE
from tests.rules.catalogue.time import TIME
from tests.rules.removal import Rule

RULES: tuple[Rule, ...] = (
    *gates(),
    *prohibitions(),
    *FORCE_AND_CAPS,
    *caps(),
    *scope(),
    *unknown_terms(),
    *MATCHING,
    *successions(),
    *BODIES,
    *BARS,
    *CLASSES,
    *PAYLOAD,
    *PROVENANCE,
    *TIME,
)
