"""`python -m services.router`: read the settings and run until a signal."""

import uvloop

from services.router.bootstrap import run
from services.router.config import RouterSettings
from shared.settings import load_settings


def main() -> None:
    """Run the router."""
    uvloop.run(run(load_settings(RouterSettings)))


if __name__ == "__main__":
    main()
