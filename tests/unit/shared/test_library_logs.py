"""What libraries log becomes our lines, a bounded number of them, however long something is away."""

import logging
from collections import Counter
from collections.abc import Iterator

import pytest

from shared.telemetry import REPEAT_SECONDS, TEMPLATES_MAX, Telemetry, _LibraryLines, route_library_logs
from tests.support.logs import kept_logging, lines


@pytest.fixture(autouse=True)
def routed() -> Iterator[None]:
    with kept_logging():
        route_library_logs(Telemetry("test"))
        yield


def log_at(seconds: float, message: str, name: str = "some.library") -> None:
    fields = {"name": name, "levelno": logging.ERROR, "levelname": "ERROR", "msg": message, "created": seconds}
    logging.getLogger(name).handle(logging.makeLogRecord(fields))


def test_a_warning_is_one_of_our_lines_and_what_is_below_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("uvicorn.error").warning("Invalid %s\nand more", "request")
    logging.getLogger("uvicorn.error").info("started")
    (line,) = lines(capsys)
    assert (line["event"], line["logger"], line["level"]) == ("library", "uvicorn.error", "warning")
    assert line["message"] == "Invalid request"


def test_the_text_of_a_fault_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise KeyError("9434765919")
    except KeyError:
        logging.getLogger("some.library").exception("It failed")
    (line,) = lines(capsys)
    assert line["fault"] == "KeyError"
    assert "9434765919" not in str(line)


def test_what_is_said_again_and_again_is_written_once_and_again_when_it_lasts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for second in range(int(REPEAT_SECONDS)):
        log_at(second, f"<Future at {second:#x}> cannot connect to port {second}")
    log_at(1, "something else")
    first = "<Future at 0x0> cannot connect to port 0"
    assert Counter(line["message"] for line in lines(capsys)) == {first: 1, "something else": 1}
    log_at(REPEAT_SECONDS, first)
    assert len(lines(capsys)) == 1


def test_texts_that_are_never_the_same_fill_no_memory(capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(TEMPLATES_MAX * 3):
        log_at(0, "".join(chr(ord("a") + int(digit)) for digit in str(number)))
    (handler,) = (one for one in logging.getLogger().handlers if isinstance(one, _LibraryLines))
    assert len(handler._said_at) <= TEMPLATES_MAX
