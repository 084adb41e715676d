"""What a service writes in its lines are ids, counts, codes and class names: the text of a fault may quote a value."""

import ast
from collections.abc import Iterator

from tests.architecture.sources import Source, python

WRITES = ("line", "alarm", "unit")
MAKES_TEXT = ("str", "repr", "format", "format_exc", "ascii")


def texts_made(source: Source) -> Iterator[str]:
    """Where a field of a line is a text made on the spot."""
    for call in ast.walk(source.tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in WRITES:
            for field in call.keywords:
                if any(map(_makes_text, ast.walk(field.value))):
                    yield f"{source.path}:{call.lineno} {field.arg}"


def _makes_text(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return isinstance(node, ast.JoinedStr)
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in MAKES_TEXT


def test_no_line_of_a_service_holds_the_text_of_a_fault() -> None:
    services = [source for source in python(tests=False) if source.path.parts[0] == "services"]
    assert [place for source in services for place in texts_made(source)] == []
