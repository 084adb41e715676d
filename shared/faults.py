"""Faults that more than one service meets, by who must act.

Fault
├── Transient            wait and try again: nobody needs to act
│   ├── StoreUnavailable     Postgres is away, restarting, or refused the connection
│   └── LogUnavailable       Kafka is away, or a call to it passed its deadline
└── PositionMoved        another consumer owns this partition now: read the position again
"""


class Fault(Exception):
    """Base of the faults that Concordat raises itself."""


class Transient(Fault):
    """Passes by itself; what raised it is done again after a pause."""


class StoreUnavailable(Transient):
    """Postgres did not answer, or broke the connection; whether a commit took place is not known."""


class LogUnavailable(Transient):
    """Kafka did not answer in time, or refused; whether the records were written is not known."""


class PositionMoved(Fault):
    """The stored position of a partition is not where this batch starts: nothing of the batch may take effect."""


def fault_name(fault: BaseException) -> str:
    """A fault in words that quote nothing: its class, Postgres's SQLSTATE, and the cause of one that passes.

    The text of a fault may hold values (pydantic's `input_value`, Postgres's DETAIL) and is never written anywhere.
    """
    causes = [fault, fault.__cause__] if fault.__cause__ else [fault]
    states = (getattr(getattr(cause, "orig", cause), "sqlstate", None) for cause in causes)
    state = next((f" ({state})" for state in states if state), "")
    named = causes if isinstance(fault, Transient) else [fault]
    return " from ".join(type(one).__name__ for one in named) + state
