"""The fast path beside the reference evaluator: equal to it on everything, on sets of clauses and bodies."""

from shared.agreements.fast.decided import Swift
from shared.agreements.fast.decider import Decider

__all__ = ["Decider", "Swift"]
