"""`python -m services.registry`: read the settings, run."""

import uvloop

from services.registry.bootstrap import run
from services.registry.config import RegistrySettings
from shared.settings import load_settings


def main() -> None:
    """Run until a signal."""
    uvloop.run(run(load_settings(RegistrySettings)))


if __name__ == "__main__":
    main()
