"""What the registry decides, as pure functions of what is stored and what is asked."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence

from services.registry.domain.errors import ClientNotProven, GrantUnsupported, ScopeNotGranted
from services.registry.domain.model import Client, Defect, GraphObject, Row, TokenRequest
from services.registry.domain.packed import PackedObjects
from shared.agreements.load import GraphInvalid, check, check_change

DEFECTS_MAX = 200
GRANT = "client_credentials"
_NOBODY = "0" * 64


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

    Each defect names the object of `asked` that it is in, where it is in one; at most 200 are given.
    """
    try:
        check(graph)
    except GraphInvalid as invalid:
        return _defects(invalid, asked)
    return ()


def defects_of(current: PackedObjects, asked: Sequence[GraphObject]) -> tuple[Defect, ...]:
    """What `defects` would find in the graph after the change; only what it touches is looked at."""
    try:
        known = current.known
    except GraphInvalid:  # stored by an older reader: what stands is looked at as a whole
        return defects([item.row() for item in merged(current, asked)], asked)
    try:
        check_change(known, [item.row() for item in asked])
    except GraphInvalid as invalid:
        return _defects(invalid, asked)
    return ()


def _defects(invalid: GraphInvalid, asked: Sequence[GraphObject]) -> tuple[Defect, ...]:
    places = {name: index for index, item in enumerate(asked) for name in _names(index, item)}
    found = [Defect(_index(p.where, places), str(p)) for p in invalid.problems]
    return tuple(found[:DEFECTS_MAX])


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
