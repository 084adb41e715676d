"""Mutants that change nothing that can be seen, each with the reason."""

from __future__ import annotations

JUSTIFIED: dict[tuple[str, str], str] = {}
