"""The fast path beside the reference evaluator: equal to it on everything, on sets of clauses and bodies."""

from shared.agreements.fast.decided import Swift
from shared.agreements.fast.decider import Decider
from shared.agreements.fast.shelf import Held

__all__ = ["Decider", "Held", "Swift"]
