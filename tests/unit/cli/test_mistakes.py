"""What people get wrong is told in a line or two that say what to do: no trace, and no exit code 0."""

import json
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from deploy.cli.main import main
from deploy.cli.publish import in_words
from deploy.client import Concordat, NoClient, Refused

SECRET = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def told(result: Result, code: int, *words: str) -> None:
    assert result.exit_code == code, result.output
    assert isinstance(result.exception, SystemExit)
    for word in words:
        assert word in result.output


@pytest.fixture
def secret(tmp_path: Path) -> str:
    (file := tmp_path / "secret").write_text(SECRET)
    return str(file)


@pytest.mark.parametrize("command", [("explain", "con_1"), ("replay",)])
def test_without_a_system_the_folder_and_how_to_start_one_are_named(command: tuple[str, ...], tmp_path: Path) -> None:
    told(run(*command, "--data-dir", str(tmp_path)), 1, f"concordat up --data-dir {tmp_path}")


def test_a_slip_in_a_command_is_answered_with_the_nearest() -> None:
    told(run("publsh", "x"), 2, "Did you mean 'publish'?")


def test_a_folder_that_is_not_there_is_one_problem(tmp_path: Path) -> None:
    result = run("graph", "check", str(tmp_path / "nowhere"))
    told(result, 1, "is not a folder", "1 problem in 1 file")
    assert "policy" not in result.output


def test_a_picture_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    told(run("graph", "draw", "--body", "cqc", "-o", str(tmp_path / "nowhere" / "x.svg")), 2, "cannot be written")


def test_a_file_that_holds_no_cases_is_told_how_to_begin(tmp_path: Path) -> None:
    (file := tmp_path / "cases.yaml").write_text("scenarios: []\n")
    told(run("graph", "test", str(file)), 2, "format: concordat.scenarios/1", "test-a-graph.md")


def test_an_import_without_credentials_names_both_remedies(tmp_path: Path) -> None:
    missing = ("--credentials", str(tmp_path / "none"))
    told(run("graph", "import", str(tmp_path), "--reason", "r", *missing), 2, "concordat up", "--credentials")


@pytest.mark.parametrize("text", ["", "whsec_", "no base64!", "[1", '{"gmc": "x!"}'])
def test_a_receiver_does_not_start_without_a_secret(text: str, tmp_path: Path) -> None:
    (file := tmp_path / "secret").write_text(text)
    told(run("receiver", "--port", "0", "--secret-file", str(file)), 2, "--secret-file", "holds no secret")


def test_a_receiver_whose_port_is_taken_says_so(secret: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told(run("receiver", "--port", port, "--secret-file", secret), 1, f"127.0.0.1:{port}", "another --port")


def test_to_forward_to_no_address_or_with_no_secret_is_wrong_use(secret: str, tmp_path: Path) -> None:
    (empty := tmp_path / "empty").write_text("")
    where = ("--org", "gmc", "--once", "--data-dir", str(tmp_path))
    told(run("listen", "--forward", "nonsense", "--secret-file", secret, *where), 2, "http://")
    told(run("listen", "--forward", "http://h", "--secret-file", str(empty), *where), 2, "holds no whsec_ text")


async def test_a_body_without_a_client_is_named_with_the_nearest() -> None:
    concordat = Concordat({"intake": "http://i"}, {"cqc": None})  # type: ignore[dict-item] # never looked into
    with pytest.raises(NoClient, match="'cqq'") as fault:
        await concordat.get("cqq", "intake", "/v1/concerns/con_1")
    assert fault.value.remedy == "Did you mean 'cqc'?"


def test_the_parts_of_a_refusal_are_sentences() -> None:
    problem = {"title": "It is wrong", "detail": "Mend it.", "errors": [{"pointer": "/a", "detail": "no"}]}
    answer = httpx.Response(422, content=json.dumps(problem), request=httpx.Request("POST", "http://i/v1/x"))
    assert str(Refused(answer)) == "POST /v1/x: 422 It is wrong. Mend it. /a: no"


def concern(**changes: Any) -> dict[str, Any]:
    return {"concern_id": "con_1", "status": "routed", "told": [], "available": [], "hold": [], **changes}


def test_a_held_concern_says_why() -> None:
    lines = list(in_words(concern(status="held", hold=["HOLD_UNKNOWN_TERM"])))
    assert lines[1:] == [
        "  It uses a word or names a body not known, or contradicts itself. A person must decide. (HOLD_UNKNOWN_TERM)"
    ]


def test_a_notice_that_only_waits_in_an_inbox_is_said_to() -> None:
    row = {"org": "gmc", "reason": "PERMITTED", "state": "registered"}
    lines = list(in_words(concern(told=[row])))
    assert lines[1] == "  told gmc (PERMITTED): in its inbox, not at its endpoint yet"
    assert "goes on without this command" in lines[-1]


def test_a_concern_that_arrived_says_nothing_of_waiting() -> None:
    row = {"org": "gmc", "reason": "PERMITTED", "state": "delivered"}
    assert list(in_words(concern(status="delivered", told=[row]))) == [
        "con_1  delivered",
        "  told gmc (PERMITTED): delivered",
    ]
