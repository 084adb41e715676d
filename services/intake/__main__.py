"""`python -m services.intake`: read the settings and serve."""

import uvloop

from services.intake.bootstrap import run
from services.intake.config import IntakeSettings
from shared.settings import load_settings

if __name__ == "__main__":
    uvloop.run(run(load_settings(IntakeSettings)))
