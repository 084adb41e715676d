"""What no single object shows: clauses against their parties, versions against one another, successions in a circle.

Runs only when every object has its form, so keys may be read without asking.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shared.agreements.load.form import Book
from shared.agreements.load.objects import Row, Shelf
from shared.agreements.load.overlaps import Lineages, check_remits, check_spans
from shared.agreements.model import NAMED, SIGNATORIES

MAY_NAME = {SIGNATORIES, NAMED}


def cross_check(shelf: Shelf, book: Book) -> None:
    """Every check that needs more than one object; problems go to the book."""
    lineages, parents = Lineages(), dict[str, str]()
    for row in shelf.concerned("agreement"):
        _signed(row, f"agreement {row['id']}", book)
        _agreement(row, shelf, book)
        lineages.add(row)
        if "supports" in row:
            parents[row["id"]] = row["supports"]
    lineages.check(book)
    _no_circle_of_parents(parents, shelf, book)
    for row in shelf.concerned("duty"):
        _signed(row, f"duty {row['id']}", book)
    for row in shelf.concerned("bar"):
        _bar(row, shelf, book)
    for row in shelf.concerned("organisation"):
        _organisation(row, shelf, book)
        check_remits(row, book)
    for row in shelf.concerned("succession"):
        _succession(row, book)
    for row in shelf.concerned("lead_rule"):
        _lead_rule(row, book)
    _vocabularies(shelf, book)
    _no_id_twice(shelf, book)
    _repeats(_identifiers(shelf), "identifiers of organisations", book)
    _no_circles("succession", _successions(shelf), book)
    _no_circles("purposes", {row["id"]: {row["parent"]} for row in shelf.terms("purposes") if row["parent"]}, book)


def _signed(row: Row, where: str, book: Book) -> None:
    signatories = {party["org"] for party in row["parties"] if party["capacity"] == "signatory"}
    if len(signatories) < 2:
        book.note(where, "has fewer than two signatories")
    _repeats((f"{party['org']} from {party['from']}" for party in row["parties"]), f"{where} party", book)
    _repeats((clause["id"] for clause in row["clauses"]), f"{where} clause", book)
    for clause in row["clauses"]:
        at = f"{where} clause {clause['id']}"
        for side in ("from", "to"):
            for org in set(clause[side]) - signatories - MAY_NAME:
                book.note(at, f"{side}: {org!r} is no signatory")
        _clause(clause, at, book)
    check_spans(row, where, book)


def _clause(clause: Row, where: str, book: Book) -> None:
    if clause["direction"] == "among" and {*clause["from"]} != {*clause["to"]}:
        book.note(where, "among needs the same set on both sides")
    sides = {*clause["from"], *clause["to"]}
    if len(sides) == 1 and not sides & MAY_NAME:
        book.note(where, "tells only its own discloser")
    if NAMED in clause["from"]:
        book.note(where, f"{NAMED} can only be told")
    if NAMED in clause["to"] and clause["direction"] != "one_way":
        book.note(where, f"{NAMED} can only be told, one way")
    if not clause["when"]["categories"] and clause["mode"] != "record":
        book.note(where, "only a record clause may name no category")


def _agreement(row: Row, shelf: Shelf, book: Book) -> None:
    where = f"agreement {row['id']}"
    parent = shelf.get("agreement", row.get("supports"))
    if parent and parent.get("supports") == row["id"]:
        book.note(where, "supports its own child")
    if row["status"] == "promised" and any(clause["mode"] != "record" for clause in row["clauses"]):
        book.note(where, "a promise can only be on record")
    older = shelf.get("agreement", row.get("supersedes"))
    if older and older["lineage"] != row["lineage"]:
        book.note(where, "supersedes something outside its lineage")
    elif older and older["in_force"]["to"] != row["in_force"]["from"]:
        book.note(where, "does not start on the day the older version ends")


def _no_circle_of_parents(parents: Mapping[str, str], shelf: Shelf, book: Book) -> None:
    """Told once, of the first in it by id; each agreement is passed once, however long the ways are."""
    passed: set[str] = set()
    for start in sorted(parents):
        way, name = dict[str, None](), start
        while name and name not in passed and name not in way:
            way[name] = None
            name = parents.get(name) or (shelf.get("agreement", name) or {}).get("supports", "")
        passed.update(way)
        circle = [*way][[*way].index(name) :] if name in way else []
        if len(circle) > 2:
            first = circle.index(min(circle))
            around = ", ".join([*circle[first:], *circle[:first]])
            book.note(f"agreement {min(circle)}", f"is supported by itself, in a circle of parents: {around}")


def _bar(row: Row, shelf: Shelf, book: Book) -> None:
    where = f"bar {row['id']}"
    if row["without_gateway"] == "omit_fields" and not row.get("fields"):
        book.note(where, "omits fields, yet names none")
    for holder in row["holders"]:
        if row["id"] not in (shelf.get("organisation", holder) or {}).get("bars", ()):
            book.note(where, f"{holder} does not name this bar")
    _repeats((gateway["id"] for gateway in row["gateways"]), f"{where} gateway", book)
    permits = [gateway["permits"] for gateway in row["gateways"] if "permits" in gateway]
    _repeats((clause["id"] for clause in permits), f"{where} clause", book)
    for clause in permits:
        at = f"{where} clause {clause['id']}"
        _clause(clause, at, book)
        if not set(clause["from"]) <= set(row["holders"]):
            book.note(at, "a gateway opens for the holders of the bar only")


def _organisation(row: Row, shelf: Shelf, book: Book) -> None:
    where = f"organisation {row['id']}"
    receiver = shelf.get("organisation", row.get("deliver_to"))
    if receiver and "deliver_to" in receiver:
        book.note(where, "delivers to a body that delivers to another")
    for bar in row.get("bars", ()):
        if row["id"] not in (shelf.get("bar", bar) or {}).get("holders", ()):
            book.note(where, f"names {bar}, which does not hold it")


def _identifiers(shelf: Shelf) -> Iterator[str]:
    """What an outer register calls a body: two bodies never share one."""
    if not any("identifiers" in row for row in shelf.rows("organisation")):
        return
    for row in shelf.everything("organisation"):
        yield from (f"{item['scheme']} {item['value']}" for item in row.get("identifiers", ()))


def _succession(row: Row, book: Book) -> None:
    where = f"succession {row['id']}"
    if (row["type"] == "planned") != (row["effective"] is None):
        book.note(where, "a planned one has no day, every other has one")
    if row["type"] in ("split", "partial_transfer") and "scope" not in row:
        book.note(where, "a split needs a scope")


def _lead_rule(row: Row, book: Book) -> None:
    for number, step in enumerate(row["steps"], 1):
        if isinstance(step.get("if"), str) or set(step) in ({"if", "lead"}, {"else"}):
            continue
        book.note(f"lead_rule {row['id']} steps {number}", "must be `if` with `lead`, `if` with `then`, or `else`")


def _vocabularies(shelf: Shelf, book: Book) -> None:
    for row in shelf.rows("vocabulary"):
        ids = (term["id"] if isinstance(term, dict) else term for term in shelf.terms(row["id"]))
        _repeats(ids, f"vocabulary {row['id']}", book)


def _no_id_twice(shelf: Shelf, book: Book) -> None:
    """A clause is cited as `<id>/<clause>`, so agreements, duties and bars share one space of ids."""
    _repeats(shelf.sharing_ids(), "agreement, duty and bar", book)


def _repeats(ids: Iterable[Any], where: str, book: Book) -> None:
    names = list(ids)
    if len(set(names)) == len(names):
        return  # nearly always: to count takes five times as long
    for name, count in Counter(names).items():
        if count > 1:
            book.note(where, f"{name!r} is there {count} times")


def _successions(shelf: Shelf) -> dict[str, set[str]]:
    follows: dict[str, set[str]] = {}
    for row in shelf.everything("succession") if any(shelf.rows("succession")) else ():
        if row["type"] != "planned":
            follows.setdefault(row["from"], set()).add(row["to"])
    return follows


def _no_circles(where: str, follows: dict[str, set[str]], book: Book) -> None:
    for start in sorted(follows):
        seen, ahead = set[str](), set(follows[start])
        while ahead:
            seen |= ahead
            ahead = {after for name in ahead for after in follows.get(name, ())} - seen
        if start in seen:
            book.note(f"{where} {start}", "runs in a circle")
