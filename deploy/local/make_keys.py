"""Make the keys and clients of a system, once: `python -m deploy.local.make_keys FOLDER CREDENTIALS_FILE`.

For containers; the local runner makes its own. The clients' secrets are in the second file alone.
"""

import sys
from pathlib import Path

from deploy.local.keys import Keyring
from deploy.local.seed import seed_organisations

SYMMETRIC = ("sealing", "subject", "secrets")


def make_keys(folder: Path, credentials_file: Path) -> None:
    """Make what is missing; what is there stays as it is."""
    keyring = Keyring(folder)
    for name in SYMMETRIC:
        keyring.symmetric(name)
    keyring.signing()
    keyring.clients(seed_organisations(), credentials_file)


if __name__ == "__main__":
    make_keys(*map(Path, sys.argv[1:]))
