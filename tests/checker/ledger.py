"""The checker's own ledger: a file of SQLite, on the disk before anything goes on.

What arrives while a commit is under way is the next commit: a receiver waits for one fsync, not for a row of them.
"""

import asyncio
import json
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.checker.model import Answer, Fault, Receipt, Submit

_SCHEMA = """
CREATE TABLE IF NOT EXISTS submits (run INTEGER, key TEXT PRIMARY KEY, originator TEXT, recipients TEXT, kind TEXT,
  summary TEXT, due_at REAL);
CREATE TABLE IF NOT EXISTS answers (run INTEGER, key TEXT, sent_at REAL, answered_at REAL, outcome TEXT, status INTEGER,
  concern_id TEXT, replayed INTEGER, readable INTEGER);
CREATE TABLE IF NOT EXISTS receipts (run INTEGER, org TEXT, webhook_id TEXT, event_id TEXT, subject TEXT, key TEXT,
  summary TEXT, recipient TEXT, digest TEXT, fault TEXT, received_at REAL, answered TEXT, stamp INTEGER);
CREATE TABLE IF NOT EXISTS faults (run INTEGER, name TEXT, at REAL, gone_at REAL, back_at REAL);
CREATE INDEX IF NOT EXISTS submits_of_run ON submits (run);
CREATE INDEX IF NOT EXISTS answers_of_run ON answers (run);
CREATE INDEX IF NOT EXISTS receipts_of_run ON receipts (run);
"""
_SUBMIT = "INSERT INTO submits VALUES (?, ?, ?, ?, ?, ?, ?)"
_ANSWER = "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_RECEIPT = "INSERT INTO receipts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_FAULT = "INSERT INTO faults VALUES (?, ?, ?, ?, ?)"
_Row = tuple[str, tuple[Any, ...], "asyncio.Future[None]"]


class Ledger:
    """Rows are only ever added. Each `await` ends when its row is on the disk."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.run = 0
        self._lock = threading.Lock()
        self._waiting: list[_Row] = []
        self._writer: asyncio.Task[None] | None = None
        self._db = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    async def submit(self, row: Submit) -> None:
        """What is going to be sent."""
        recipients = json.dumps(sorted(row.recipients))
        await self._add(_SUBMIT, (row.run, row.key, row.originator, recipients, row.kind, row.summary, row.due_at))

    async def answer(self, row: Answer) -> None:
        """What became of a request."""
        said = (row.outcome, row.status, row.concern_id, row.replayed, row.readable)
        await self._add(_ANSWER, (self.run, row.key, row.sent_at, row.answered_at, *said))

    async def receipt(self, row: Receipt) -> None:
        """What a receiver got, and how it is going to answer."""
        said = (row.subject, row.key, row.summary, row.recipient, row.digest, row.fault)
        times = (row.received_at, row.answered, row.stamp)
        await self._add(_RECEIPT, (self.run, row.org, row.webhook_id, row.event_id, *said, *times))

    async def fault(self, row: Fault) -> None:
        """What was broken, and when it was back."""
        await self._add(_FAULT, (row.run, row.name, row.at, row.gone_at, row.back_at))

    def submits(self, run: int) -> list[Submit]:
        """What was to be sent in a run."""
        rows = self._read("SELECT * FROM submits WHERE run = ?", run)
        return [Submit(r[0], r[1], r[2], frozenset(json.loads(r[3])), *r[4:]) for r in rows]

    def answers(self, run: int) -> list[Answer]:
        """What was answered in a run, in order."""
        rows = self._read("SELECT * FROM answers WHERE run = ? ORDER BY rowid", run)
        return [Answer(*r[1:]) for r in rows]

    def receipts(self, run: int) -> list[Receipt]:
        """What came during a run, in order."""
        return [Receipt(*r[1:]) for r in self._read("SELECT * FROM receipts WHERE run = ? ORDER BY rowid", run)]

    def faults(self, run: int) -> list[Fault]:
        """What was broken in a run."""
        return [Fault(*r) for r in self._read("SELECT * FROM faults WHERE run = ? ORDER BY at", run)]

    def received(self, run: int) -> set[tuple[str, str]]:
        """Which key has reached whom."""
        rows = self._read("SELECT DISTINCT key, org FROM receipts WHERE run = ? AND answered LIKE '2%'", run)
        return {(key, org) for key, org in rows}

    def earlier(self, run: int) -> frozenset[str]:
        """The concerns of the runs before."""
        rows = self._read("SELECT DISTINCT concern_id FROM answers WHERE run < ? AND outcome = 'ok'", run)
        return frozenset(r[0] for r in rows)

    def _read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    async def _add(self, statement: str, values: tuple[Any, ...]) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((statement, values, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await done

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            await asyncio.to_thread(self._commit, batch)
            for *_, done in batch:
                if not done.done():
                    done.set_result(None)

    def _commit(self, batch: Sequence[_Row]) -> None:
        with self._lock:
            self._db.execute("BEGIN")
            for statement, values, _ in batch:
                self._db.execute(statement, values)
            self._db.execute("COMMIT")
