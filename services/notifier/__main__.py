"""`python -m services.notifier`: parse the settings, run."""

import uvloop

from services.notifier.bootstrap import run
from services.notifier.config import NotifierSettings
from shared.settings import load_settings

if __name__ == "__main__":
    uvloop.run(run(load_settings(NotifierSettings)))
