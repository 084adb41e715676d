"""The page on recommendation 153, as Markdown with a picture beside it. Nothing in it is written by hand twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from deploy.reports.matrix import Picture, Square, draw
from services.registry.domain.analyses.recommendation import LEVER, SOURCE, THEN, Answer, DutyClause, answer
from services.registry.domain.analyses.standing import Cell, Row, Standings, Untold
from shared.agreements import Graph, Snapshot

NAME = "recommendation-153"
STATES = {
    "kept": "kept",
    "late": "kept, late",
    "assumed": "seems kept; that this instrument keeps it is assumed",
    "open": "open",
}


@dataclass(frozen=True, slots=True)
class Report:
    """The page and its picture."""

    markdown: str
    svg: str


def state_of_knowledge(graph: Graph) -> date:
    """The day up to which the graph's sources were read."""
    return date.fromisoformat(str(graph.vocabularies.values["as_of"]))


def report(graph: Graph, day: date) -> Report:
    """The page as of a day. Pure: the same graph and day give the same bytes."""
    standings = Standings(Snapshot(graph, version=0, root=""), day)
    return _Page(standings).report()


class _Page:
    def __init__(self, standings: Standings) -> None:
        self.standings = standings
        self.graph = standings.graph
        self.answer: Answer = answer(standings)
        terms = self.graph.vocabularies.lists["categories"]
        self.labels = {term["id"]: str(term["label"]) for term in terms}

    def report(self) -> Report:
        parts = [*self._head(), *self._bodies(), *self._matrix(), *self._pairs(), *self._then_and_now()]
        parts += [
            *self._promises(),
            *self._lever(),
            *self._duties(),
            *self._annex(),
            *self._reading(),
            *self._sources(),
        ]
        return Report("\n".join(parts) + "\n", draw(self._picture()))

    def name(self, org: str) -> str:
        """As people call it: its short name, where it has one."""
        organisation = self.graph.organisations[org]
        return str(organisation.record.get("short") or organisation.name)

    def names(self, orgs: Iterable[str]) -> str:
        """Several, in words."""
        return ", ".join(map(self.name, orgs)) or "none"

    def _head(self) -> Iterator[str]:
        yield "# Recommendation 153: who can be told today"
        yield f"\nAs of {self._day(self.answer.day)}. Generated from the graph of agreements; do not edit."
        yield f"Made anew by `concordat graph report {NAME}`, which writes the picture too.\n"
        yield "## The answer\n"
        yield " ".join(self._sentences())

    def _sentences(self) -> Iterator[str]:
        found = self.answer
        reach = [_kind(cell) for cell in found.cells if cell.remit]
        states = [promise.state for promise in found.promises]
        lever = self.names(found.lever_used) if found.lever_used else "no professional regulator"
        yield (
            "In its response to the Francis inquiry the Government said that sharing between deaneries, "
            "commissioners, the GMC, CQC and Monitor on patient safety would be reviewed, so that each is made aware "
            f"of matters relevant to it (`{SOURCE}`)."
        )
        yield f"Today {self._heirs()}; the bodies concerned are {self.names(found.bodies)}."
        yield (
            f"Of the {len(reach)} directions in which one of them could tell another what lies in the other's remit, "
            f"{reach.count('all')} are open for all of it, {reach.count('part')} for part of it, and "
            f"{reach.count('none')} for none of it."
        )
        yield (
            f"Of the {len(states)} arrangements that were promised, {states.count('kept')} came in time, "
            f"{states.count('late')} came late, {states.count('assumed')} seems to be there, and "
            f"{states.count('open')} is open."
        )
        yield (
            "The lever in law, section 290 of the Health and Social Care Act 2012, under which further bodies can be "
            f"bound to co-operate, binds {lever} in this graph."
        )

    def _heirs(self) -> str:
        moved = [(row.acting, row.org) for row in self.answer.named if row.acting != (row.org,)]
        heirs = dict.fromkeys(acting for acting, _ in moved)
        words = [(heir, [self._full(org) for acting, org in moved if acting == heir]) for heir in heirs]
        return " and ".join(f"{', '.join(map(self._full, heir))} acts for {' and '.join(orgs)}" for heir, orgs in words)

    def _full(self, org: str) -> str:
        """Its name, without what stands in brackets after it."""
        return self.graph.organisations[org].name.partition(" (")[0]

    def _bodies(self) -> Iterator[str]:
        yield "\n## Who was named, and who acts today\n"
        yield from _table_head("Named then", "Acts today", "How its agreements passed on")
        for row in self.answer.named:
            novations = ", ".join(row.novations).replace("_", " ") or "itself"
            yield f"| {self.graph.organisations[row.org].name} | {self.names(row.acting)} | {novations} |"

    def _matrix(self) -> Iterator[str]:
        picture = self._picture()
        yield "\n## The matrix\n"
        yield f"![{picture.description}]({NAME}.svg)\n"
        yield "The same as a table: of how many categories in the remit of the column the row can tell it."
        yield "A star: some of these only in part.\n"
        yield from _table_head("Tells ↓ / is told →", *picture.names)
        for row, name in enumerate(picture.names):
            cells = [self._cell_text(picture.squares[row, column]) for column in range(len(picture.names))]
            yield f"| **{name}** | {' | '.join(cells)} |"

    @staticmethod
    def _cell_text(square: Square) -> str:
        return square.text if square.kind == "same" else f"{square.text} ({_WORDS[square.kind]})"

    def _picture(self) -> Picture:
        bodies = self.answer.bodies
        places = {org: place for place, org in enumerate(bodies)}
        squares = {(place, place): Square("same", "same") for place in range(len(bodies))}
        for cell in self.answer.cells:
            squares[places[cell.originator], places[cell.body]] = _square(cell)
        day = self._day(self.answer.day)
        kinds = [_kind(cell) for cell in self.answer.cells if cell.remit]
        counts = f"all: {kinds.count('all')}, part: {kinds.count('part')}, nothing: {kinds.count('none')}"
        return Picture(
            title=f"Who can be told of what lies in its remit, {day}",
            description=f"Matrix of {len(bodies)} bodies that tell and are told. Directions open for {counts}. "
            "The table below holds the same numbers.",
            names=tuple(map(self.name, bodies)),
            squares=squares,
        )

    def _pairs(self) -> Iterator[str]:
        yield "\n## Each pair\n"
        yield "Categories in the recipient's remit. 'If confirmed' are those that a clause would open whose content is"
        yield "assumed, and which is switched off.\n"
        for originator in self.answer.bodies:
            yield f"\n### {self.name(originator)} tells\n"
            yield from _table_head("Body", "can be told of", "in part", "cannot be told of", "if confirmed")
            for cell in self.answer.cells:
                if cell.originator == originator and cell.remit:
                    lists = (cell.can, cell.partly, cell.cannot, cell.assumed)
                    words = [self._categories(row, cell.remit) for row in lists]
                    yield f"| {self.name(cell.body)} | {' | '.join(words)} |"

    def _categories(self, categories: tuple[str, ...], remit: int) -> str:
        if len(categories) == remit:
            return f"all {remit} categories of its remit"
        return "; ".join(self.labels[name] for name in categories) or "none"

    def _then_and_now(self) -> Iterator[str]:
        yield f"\n## {self._day(THEN)} against today\n"
        yield "Each cell: categories that could be told, wholly or in part, of those in the remit. Many instruments of"
        yield "the graph have no known first day and so count for both dates.\n"
        yield from _table_head("Direction then", "Then", "Direction today", "Today")
        today = {(cell.originator, cell.body): cell for cell in self.answer.cells}
        for cell in self.answer.cells_then:
            pair = (self._acts(cell.originator), self._acts(cell.body))
            now = today.get(pair)
            direction = f"{self.name(pair[0])} → {self.name(pair[1])}"
            stands = _square(now).text if now else "one body now"
            then = _square(cell).text if cell.remit else "no remit known then"
            yield f"| {self.name(cell.originator)} → {self.name(cell.body)} | {then} | {direction} | {stands} |"

    def _acts(self, org: str) -> str:
        reached = self.standings.reach.bodies.resolve(org, personal=False)
        return next((row.org for row in reached if row.org in self.standings.reach.able), org)

    def _promises(self) -> Iterator[str]:
        yield "\n## Promises\n"
        yield from _table_head("Promised", "By", "Kept by", "Since", "State", "Note")
        for row in self.answer.promises:
            kept_by = ", ".join(f"`{name}`" for name in row.fulfilled_by) or "none"
            words = (
                row.title,
                row.promised_by or "no date",
                kept_by,
                row.since or ("not yet" if row.state == "open" else "not known"),
                STATES[row.state],
                row.note,
            )
            yield f"| {' | '.join(words)} |"

    def _lever(self) -> Iterator[str]:
        duty = self.graph.duties.get(LEVER)
        yield "\n## The lever: section 290\n"
        if duty is None:
            yield "The graph does not hold it."
            return
        yield f"{duty.record.get('title')}. Bound by it: {self.names(self.answer.lever_parties)}.\n"
        yield f"- What it says: {duty.record.get('trigger')}."
        yield f"- Where it does not apply: {duty.record.get('conflict_rule')}."
        yield f"- How this is read: {duty.record.get('note')}."
        missing = [org for org in self.answer.bodies if org not in self.answer.lever_parties]
        yield f"- Not bound by it, of the bodies of this page: {self.names(missing)}."

    def _duties(self) -> Iterator[str]:
        yield "\n## Duties: sent, or not sent because\n"
        yield "For each clause of a statutory duty, the concern it is made for, received on the day of this page.\n"
        yield from _table_head("Clause", "From", "To", "Sent", "Because", "Outside it")
        for row in self.answer.duties:
            yield self._duty(row)

    def _duty(self, row: DutyClause) -> str:
        between = f"{self.name(row.discloser)} | {self.name(row.recipient)}"
        return (
            f"| `{row.cite}` | {between} | {'yes' if row.sent else 'no'} | {row.because} | {row.elsewhere or 'none'} |"
        )

    def _annex(self) -> Iterator[str]:
        yield "\n## Annex: every body that should know, by originator and category\n"
        for originator in self.answer.bodies:
            yield f"\n### {self.name(originator)}, by category\n"
            yield from _table_head("Category", "can be told", "in part", "cannot be told")
            for row in self.standings.rows(originator):
                yield self._row(row)

    def _row(self, row: Row) -> str:
        told = ", ".join(map(self.name, row.can)) or "none"
        lists = "; ".join(map(self._untold, row.partly)), "; ".join(map(self._untold, row.cannot))
        return f"| {self.labels[row.category]} | {told} | {lists[0] or 'none'} | {lists[1] or 'none'} |"

    def _untold(self, row: Untold) -> str:
        since = f"since {row.since.isoformat()}" if row.since else "always"
        where = f"; not where {row.where}" if row.where else ""
        return f"{self.name(row.body)} ({since}{where})"

    def _reading(self) -> Iterator[str]:
        yield "\n## How to read this\n"
        yield "- *Should know*: the category lies in the body's remit. A remit permits nothing by itself."
        yield "- *Can be told*: a clause lets it be told, or lets the originator choose to tell it (an invitation)."
        yield "- *In part*: of some concerns of the category; the words after 'not where' name a kind that is left out."
        yield "- *Since*: the first day on which such a concern would have been a gap, without a break until today."
        yield "  *Always*: for as long as the graph has dates; many first days of instruments and remits are not known."
        yield "- Every concern is taken at its best: for any purpose, most urgent, with nothing sensitive in it."
        on = "on" if self.graph.policy.assumed_clauses else "off"
        yield f"- Clauses whose content is assumed are switched {on}; names and dates are those of the sources below."

    def _sources(self) -> Iterator[str]:
        yield "\n## Sources\n"
        cited = sorted({source for record in self._records() for source in record if source in self.graph.sources})
        for source in cited:
            row = self.graph.sources[source]
            url = f" <{row['url']}>" if row.get("url") else ""
            yield f"- `{source}`: {row['title']}.{url}"

    def _records(self) -> Iterator[list[str]]:
        """The sources of everything that joins the bodies of this page, and of the bodies themselves."""
        orgs = {*self.answer.bodies, *self.answer.bodies_then, *(row.org for row in self.answer.named)}
        for org in orgs:
            yield list(self.graph.organisations[org].record.get("source", ()))
        for agreement in self.graph.sharing().values():
            if len(agreement.signatories & orgs) > 1:
                yield list(agreement.record.get("source", ()))

    @staticmethod
    def _day(day: date) -> str:
        return f"{day.day} {day:%B %Y}"


_WORDS = {"all": "all", "part": "part", "none": "none"}


def _kind(cell: Cell) -> str:
    if not cell.remit:
        return "same"
    if not cell.partly and not cell.cannot:
        return "all"
    return "part" if cell.can or cell.partly else "none"


def _square(cell: Cell) -> Square:
    told = len(cell.can) + len(cell.partly)
    star = "*" if cell.partly else ""
    return Square(_kind(cell), f"{told} of {cell.remit}{star}" if cell.remit else "no remit")


def _table_head(*names: str) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
