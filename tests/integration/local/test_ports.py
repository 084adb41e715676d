"""Rows of ports for tests: processes that run at the same time never get the same one."""

import socket
import subprocess
import sys

from deploy.local.ports import LOCALHOST, free_port_base

ROWS = 10
ASKED = f"from deploy.local.ports import free_port_base\nprint(*(free_port_base() for _ in range({ROWS})))"


def test_two_processes_get_rows_of_their_own_however_many_they_ask_for() -> None:
    own = {free_port_base() for _ in range(ROWS)}
    other = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True)  # noqa: S603 - this very interpreter
    assert own.isdisjoint(map(int, other.stdout.split()))


def test_a_row_in_which_one_port_is_taken_is_passed_over() -> None:
    taken = free_port_base()
    with socket.create_server((LOCALHOST, taken + 70)):
        assert taken not in {free_port_base() for _ in range(ROWS)}
    assert taken in {free_port_base() for _ in range(ROWS)}
