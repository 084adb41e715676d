"""The structured-mode scenarios of the CloudEvents conformance features, one for each example."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

FOLDER = Path(__file__).parent / "gherkin"
_TEXT = re.compile(r'^ *"""\n(.*?)^ *"""$', re.DOTALL | re.MULTILINE)
_ROW = re.compile(r"^ *\|(.+)\|$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Message:
    """A CloudEvent on its way by either binding: header names in lower case, and the payload."""

    headers: Mapping[str, str]
    payload: bytes


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is given, and what is to be read out of it."""

    name: str
    given: Message
    attributes: Mapping[str, str]
    data: Any


def scenarios(binding: str) -> list[Scenario]:
    """The examples of a binding's structured mode, in order."""
    text = (FOLDER / f"{binding}-protocol-binding.feature").read_text()
    outline, _, examples = text.partition("Examples:")
    given, _, then = outline.partition("Then the attributes are:")
    ((data,), content_types) = _texts(then), [cell for (cell,) in _rows(examples)[1:]]
    return [
        Scenario(
            f"{binding}: {content_type}",
            _message(given.replace("<contentType>", content_type)),
            _table(then),
            json.loads(data),
        )
        for content_type in content_types
    ]


def _message(given: str) -> Message:
    (text,) = _texts(given)
    if headers := _table(given):
        return Message(headers, text.encode())
    head, _, payload = text.partition("\n\n")
    pairs = (line.split(": ", 1) for line in head.splitlines()[1:])
    return Message({name.lower(): value for name, value in pairs}, payload.encode())


def _texts(part: str) -> list[str]:
    return [dedent(text) for text in _TEXT.findall(part)]


def _table(part: str) -> dict[str, str]:
    return {row[0]: row[1] for row in _rows(part)[1:]}


def _rows(part: str) -> list[Sequence[str]]:
    return [[cell.strip() for cell in row.split("|")] for row in _ROW.findall(part)]
