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
