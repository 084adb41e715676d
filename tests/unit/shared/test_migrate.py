"""A schema of another version is told with its remedy."""

from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from alembic.util import CommandError

from shared.db.migrate import of_another_version

MIGRATIONS = Path(__file__).resolve().parents[3] / "services" / "registry" / "migrations"


def test_a_revision_that_is_not_here_is_told_with_what_to_do() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with pytest.raises(CommandError, match="9999") as fault:
        ScriptDirectory.from_config(config).get_revision("9999")
    assert isinstance(fault.value.__cause__, ResolutionError)
    said = of_another_version("registry", fault.value)
    assert "registry" in said
    assert "9999" in said
    assert "--data-dir" in said
