"""What may stand in a path or a query: identifiers of one shape, so that no store gets a text that it cannot hold."""

from typing import Annotated

from fastapi import Path, Query

ID_LENGTH_MAX = 128
ID_PATTERN = r"^[A-Za-z0-9_.:@-]+$"

PathId = Annotated[str, Path(min_length=1, max_length=ID_LENGTH_MAX, pattern=ID_PATTERN)]
"""An identifier in a path."""
QueryId = Annotated[str, Query(min_length=1, max_length=ID_LENGTH_MAX, pattern=ID_PATTERN)]
"""An identifier in a query."""
