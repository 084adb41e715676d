"""What the registry decides, as pure functions of what is stored and what is asked."""

import hashlib
import hmac
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial

from services.registry.domain.errors import ClientNotProven, GrantUnsupported, ScopeNotGranted
from services.registry.domain.model import Client, Defect, GraphObject, Row, TokenRequest
from services.registry.domain.packed import PackedObjects
from services.registry.domain.proposed import problems_of
from services.registry.domain.remedies import CIRCLE, remedy_of
from services.registry.domain.unread import Unread
from shared.agreements import Problem
from shared.agreements.load import KINDS, GraphInvalid, check, check_change, unknown_kind

DEFECTS_MAX = 200
SAID_MAX = 1_000
"""Characters of what is said of a defect, which may repeat a word that was sent."""
GRANT = "client_credentials"
_NOBODY = "0" * 64
_OVERLAPS = re.compile(r" overlaps (\S+) ")


def changed(current: Iterable[GraphObject], asked: Iterable[GraphObject]) -> tuple[GraphObject, ...]:
    """Those of `asked` that are new or differ from what stands, sorted by kind and id."""
    bodies = current.copy if isinstance(current, PackedObjects) else {item.key: item.body for item in current}
    return tuple(sorted((o for o in asked if bodies.get(o.key) != o.body), key=lambda o: o.key))


def merged(current: Iterable[GraphObject], asked: Iterable[GraphObject]) -> tuple[GraphObject, ...]:
    """The graph after the change: `asked` first, in its order, then what it leaves as it was."""
    first = tuple(asked)
    touched = {item.key for item in first}
    return first + tuple(item for item in current if item.key not in touched)


def defects(graph: Sequence[Row], asked: Sequence[GraphObject]) -> tuple[Defect, ...]:
    """What the one reader of graphs finds wrong with `graph`, which begins with the objects of `asked`.

    Each defect names the object of `asked` that it is in, where it is in one, and what to do; at most 200 are given.
    """
    found = [*_problems(partial(check, graph)), *problems_of(graph[: len(asked)])]
    return _defects(found, asked, _terms_in(graph)) if found else ()


def defects_of(current: PackedObjects, asked: Sequence[GraphObject]) -> tuple[Defect, ...]:
    """What `defects` would find in the graph after the change; only what it touches is looked at."""
    try:
        known = current.known
    except GraphInvalid:  # stored by an older reader: what stands is looked at as a whole
        return defects([item.row() for item in merged(current, asked)], asked)
    unread = Unread(asked)
    found = [unknown_kind(number, item.kind) for number, item in enumerate(asked, 1) if item.kind not in KINDS]
    found += _problems(partial(check_change, known, unread))
    found += problems_of(unread.of_kind("agreement"))
    return _defects(found, asked, _terms_in(unread.of_kind("vocabulary"), known.rows.get)) if found else ()


def _problems(checked: Callable[[], None]) -> tuple[Problem, ...]:
    try:
        checked()
    except GraphInvalid as invalid:
        return invalid.problems
    return ()


def _terms_in(
    rows: Iterable[Row], standing: Callable[[str, str], Row | None] = lambda _kind, _id: None
) -> Callable[[str], Collection[str]]:
    """The words of a vocabulary as the change would have it; none of a list that is no vocabulary."""
    proposed = {row.get("id"): row for row in rows if row.get("kind") == "vocabulary"}

    def terms(name: str) -> Collection[str]:
        row = proposed.get(name) or standing("vocabulary", name) or {}
        listed = row.get("terms")
        found = listed if isinstance(listed, list) else ()
        words = (word.get("id") if isinstance(word, Mapping) else word for word in found)
        return [word for word in words if isinstance(word, str)]

    return terms


def _defects(
    problems: Sequence[Problem], asked: Sequence[GraphObject], terms: Callable[[str], Collection[str]]
) -> tuple[Defect, ...]:
    places = {name: index for index, item in enumerate(asked) for name in _names(index, item)}
    places |= _steps(asked) if any(problem.what == CIRCLE for problem in problems) else {}
    found = sorted(problems, key=str)[:DEFECTS_MAX]
    return tuple(Defect(_place(p, places), _with_remedy(p, terms)) for p in found)


def _place(problem: Problem, places: Mapping[str, int]) -> int | None:
    """Of two that overlap the later one is named; it may be the earlier one that was sent."""
    if (index := _index(problem.where, places)) is not None:
        return index
    other = _OVERLAPS.search(problem.what)
    return places.get(f"agreement {other[1]}") if other else None


def _with_remedy(problem: Problem, terms: Callable[[str], Collection[str]]) -> str:
    """Some problems name their remedy themselves, behind a colon."""
    remedy = remedy_of(problem.what, terms)
    said = str(problem)
    said = said if len(said) <= SAID_MAX else f"{said[:SAID_MAX]}…"
    return f"{said}. {remedy}" if remedy else said


def _steps(asked: Sequence[GraphObject]) -> dict[str, int]:
    """A circle is named by the bodies in it; it is in the steps that are proposed between them."""
    steps = ((index, item.row()) for index, item in enumerate(asked) if item.kind == "succession")
    return {f"succession {row.get(end)}": index for index, row in steps for end in ("from", "to")}


def _names(index: int, item: GraphObject) -> tuple[str, str]:
    return f"object {index + 1}", f"{item.kind} {item.id}"


def _index(where: str, places: Mapping[str, int]) -> int | None:
    """The reader begins each place with `KIND ID`, and with `object N` where it could read neither."""
    kind, _, rest = where.partition(" ")
    whole = rest.split(" ", 1)[0]
    # `agreement mou-x.title` is a place inside `mou-x`; an id itself holds no dot.
    return places.get(f"{kind} {whole}", places.get(f"{kind} {whole.split('.', 1)[0]}"))


def proven(client: Client | None, request: TokenRequest) -> Client:
    """The client, when the request is one that it may make and its secret is right (RFC 6749 section 4.4).

    Raises GrantUnsupported or ClientNotProven. An unknown client costs as much time as a wrong secret.
    """
    if request.grant_type != GRANT:
        raise GrantUnsupported
    proof = hashlib.sha256(request.secret.encode("utf-8", "surrogatepass")).hexdigest()
    is_right = hmac.compare_digest(proof, client.secret_sha256 if client else _NOBODY)
    if client is None or not is_right:
        raise ClientNotProven
    return client


def granted_scopes(client: Client, request: TokenRequest) -> frozenset[str]:
    """The scopes of the token: what was asked, or all that the client holds where nothing was (section 3.3).

    Raises ScopeNotGranted.
    """
    if not request.scopes <= client.scopes:
        raise ScopeNotGranted
    return request.scopes or client.scopes
