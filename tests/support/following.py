"""A graph followed from commit to commit, as a router follows it, beside the same graph read from nothing."""

from __future__ import annotations

from typing import Any

from shared.agreements import Snapshot, load
from shared.agreements.fast import Decider
from shared.agreements.load import Checked, GraphInvalid, check_change, read, reread, roster_of
from shared.canonical import canonical
from shared.graphcopy import GraphCopy
from shared.graphroot import object_key
from shared.graphrows import GraphRows

Row = dict[str, Any]


class Followed:
    """The snapshot and the decider in office; each commit takes over what it does not touch."""

    def __init__(self, rows: list[Row]) -> None:
        self._packed = GraphCopy.of({object_key(row): canonical(row) for row in rows})
        self._base = Checked(GraphRows(self._packed), roster_of(GraphRows(self._packed)))
        self.snapshot = Snapshot(read(self._base), 1, self._packed.root)
        self.decider = Decider(self.snapshot)

    def commit(self, changed: list[Row]) -> bool:
        """Whether the change left the graph valid and was put in."""
        try:
            check_change(self._base, changed)
        except GraphInvalid:
            return False
        self._packed = self._packed.changed({object_key(row): canonical(row) for row in changed})
        self._base = self._base.after(GraphRows(self._packed), changed)
        graph = reread(self.snapshot.graph, self._base, changed)
        self.snapshot = self.snapshot.after(graph, self.snapshot.version + 1, self._packed.root, changed)
        self.decider = self.decider.after(self.snapshot, changed)
        return True

    def row(self, kind: str, name: str) -> Row:
        """An object of the graph as it stands."""
        found = GraphRows(self._packed).get(kind, name)
        assert found is not None
        return dict(found)

    def anew(self) -> Snapshot:
        """The same graph, read from nothing."""
        rows = [self.row(*key) for key in self._packed]
        return Snapshot(load(rows), self.snapshot.version, self._packed.root)
