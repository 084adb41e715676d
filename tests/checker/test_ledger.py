"""What the checker has written down is on the disk before anything goes on, and reads back as it was."""

import asyncio
import sqlite3
from pathlib import Path

from tests.checker.ledger import Ledger
from tests.checker.model import Answer, Fault, Receipt, Submit

SUBMIT = Submit(1, "key", "cqc", frozenset({"gmc", "cqc"}), "valid", "says", 1.5)
ANSWER = Answer("key", 1.0, 2.0, "ok", 202, "con_1", replayed=True, readable=False)
RECEIPT = Receipt("gmc", "ntc_1", "ntc_1", "con_1", "key", "says", "gmc", "d", "", 3.0, "204")
FAULT = Fault(1, "kill-router", 1.0, 1.5, 2.0)


async def test_what_was_written_reads_back_run_by_run(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    ledger.run = 1
    await asyncio.gather(ledger.submit(SUBMIT), ledger.answer(ANSWER), ledger.receipt(RECEIPT), ledger.fault(FAULT))
    assert (ledger.submits(1), ledger.answers(1)) == ([SUBMIT], [ANSWER])
    assert (ledger.receipts(1), ledger.faults(1)) == ([RECEIPT], [FAULT])
    assert ledger.received(1) == {("key", "gmc")}
    assert (ledger.submits(2), ledger.earlier(1), ledger.earlier(2)) == ([], frozenset(), frozenset({"con_1"}))
    ledger.close()


async def test_a_row_that_was_awaited_is_seen_by_another_connection_at_once(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    for number in range(3):
        await ledger.receipt(RECEIPT)
        other = sqlite3.connect(tmp_path / "ledger")
        assert other.execute("SELECT count(*) FROM receipts").fetchone() == (number + 1,)
        other.close()
    assert ledger._db.execute("PRAGMA synchronous").fetchone() == (2,), "each commit is one fsync"
    ledger.close()
