"""What can go wrong on this machine, each with what to do about it.

RunnerFault
├── AlreadyRunning       another run holds the data folder
├── NotOurs              a folder is to be emptied that we did not make
├── PortTaken            a port of the plan is in use
├── TooLittleRoom        not enough memory or disk
├── JarWrong             a jar's sum is not the one written down
├── JarsOutOfReach       the jars are neither cached nor to be had
├── EngineFailed         Postgres or Kafka ended or never answered
├── ServiceFailed        a service ended or never became ready, or its migrations failed
└── TooLate              something that was waited for did not come in time
"""


class RunnerFault(Exception):
    """Base: `str()` says what is wrong, `remedy` what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.remedy = remedy


class AlreadyRunning(RunnerFault):
    """Another run holds the data folder."""


class NotOurs(RunnerFault):
    """A folder is to be emptied that neither the demo nor the benchmark made."""


class PortTaken(RunnerFault):
    """A port of the plan is in use by somebody else."""


class TooLittleRoom(RunnerFault):
    """Not enough memory or disk to start."""


class JarWrong(RunnerFault):
    """A jar is not the one whose sum is written down."""


class JarsOutOfReach(RunnerFault):
    """The jars are neither cached nor to be had over the network."""


class EngineFailed(RunnerFault):
    """Postgres or Kafka ended, or did not answer in time."""


class ServiceFailed(RunnerFault):
    """A service ended or did not become ready in time, or its migrations failed."""


class TooLate(RunnerFault):
    """Something that was waited for did not come in time."""
