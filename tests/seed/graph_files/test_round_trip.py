"""Graph files out of objects and back: nothing is lost, and what did not change keeps every byte."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.registry.adapters.graph_files import read_folder, read_texts
from services.registry.adapters.graph_text import updated
from services.registry.adapters.seed_files import SEED_DIR

Row = dict[str, Any]
SEED = read_folder(SEED_DIR)
SMALL = {
    "categories.yaml": b"# words\nformat: concordat.graph/1\n"
    b"nations: [wales, scotland]  # two\nlabels:\n  - {id: a, label: b}\n",
    "policy.yaml": SEED.files["policy.yaml"],
    "successions.yaml": b"".join(SEED.files["successions.yaml"].splitlines(keepends=True)[:30]),
    "agreements/mou-cqc-nmc.yaml": b"".join(SEED.files["agreements/mou-cqc-nmc.yaml"].splitlines(keepends=True)[:29]),
    "agreements/promised-2013.yaml": b"".join(
        SEED.files["agreements/promised-2013.yaml"].splitlines(keepends=True)[:33]
    ),
}
COMMENTED = b"""# what the file is about
format: concordat.graph/1   # the format
agreements:
  # about the first
  - id: first   # its name
    status: current    # so far

    # who signed
    parties:
      - {org: cqc, capacity: signatory, from: null, to: null}  # the inspector
      # the other
      - {org: nmc, capacity: signatory, from: null, to: null}
    note: |
      two
      lines

  # about the second
  - id: second
    lineage: one
    tags: []
# the end
"""

odd = st.text(max_size=30) | st.sampled_from(
    [
        "yes",
        "null",
        "2025-01-01",
        "0x10",
        "1e3",
        "1_000",
        "10:00",
        "- x",
        "a: b",
        "# no",
        "'",
        '"',
        " x ",
        "",
        "~",
        "<<",
    ]
)
scalars = odd.filter(lambda text: "\ud800" not in text) | st.integers(-9, 2**53 - 1) | st.booleans() | st.none()
names = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True).filter(lambda name: name not in ("id", "kind", "type"))
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=6
)


def rows_of(files: Mapping[str, bytes]) -> dict[tuple[str, str], Row]:
    """The objects as a registry keeps them: their keys sorted."""
    read = read_texts({"categories.yaml": b"format: concordat.graph/1\n", **files})
    assert read.faults == []
    return {(item.kind, item.id): json.loads(json.dumps(item.row, sort_keys=True)) for item in read.items}


def _places(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value, *(found for child in inner for found in _places(child))] if isinstance(value, dict | list) else []


@st.composite
def changes(draw: st.DrawFn) -> dict[tuple[str, str], Row]:
    """The small graph with some of its objects changed somewhere, taken out, or added."""
    rows = rows_of(SMALL)
    for _ in range(draw(st.integers(1, 4))):
        key = draw(st.sampled_from(sorted(rows)))
        row = rows[key]
        what = draw(st.sampled_from(["change", "change", "change", "remove", "add"]))
        if what == "remove":
            del rows[key]
        elif what == "add":
            name = draw(st.sampled_from(["new-a", "new-b"]))
            rows["agreement", name] = {"kind": "agreement", "id": name, "lineage": "mou-cqc-nmc", "note": draw(values)}
        elif key[0] == "vocabulary":
            content = draw(values)
            rows[key] = {"kind": key[0], "id": key[1], "terms" if isinstance(content, list) else "value": content}
        else:
            _change(draw, row)
    return rows


def _change(draw: st.DrawFn, row: Row) -> None:
    place = draw(st.sampled_from(_places({k: v for k, v in row.items() if k not in ("kind", "id")})))
    if isinstance(place, list):
        at = draw(st.integers(0, len(place)))
        place[at:at] = draw(st.lists(values, max_size=2))
        if draw(st.booleans()):
            place.reverse()
        return
    keys = [key for key in place if key not in ("kind", "id", "type")]
    key = draw(st.sampled_from(keys) | names) if keys else draw(names)
    target = row if place.keys() <= row.keys() and all(row[k] is place[k] for k in place) else place
    if draw(st.booleans()):
        target[key] = draw(values)
    else:
        target.pop(key, None)


def test_the_packaged_graph_comes_out_as_the_bytes_it_came_from() -> None:
    assert updated(SEED.files, rows_of(SEED.files).values()) == SEED.files


def test_a_graph_without_files_gets_files_that_hold_it() -> None:
    wanted = rows_of(SEED.files)
    files = updated({}, wanted.values())
    assert rows_of(files) == wanted
    assert updated(files, wanted.values()) == files


@settings(max_examples=30, deadline=None)
@given(changes())
def test_files_hold_exactly_the_objects_asked_for_and_settle_at_once(wanted: dict[tuple[str, str], Row]) -> None:
    files = updated(SMALL, wanted.values())
    assert rows_of(files) == wanted
    assert updated(files, wanted.values()) == files


@settings(max_examples=12, deadline=None)
@given(changes())
def test_a_file_in_which_nothing_changed_keeps_every_byte(wanted: dict[tuple[str, str], Row]) -> None:
    files = updated(SMALL, wanted.values())
    for path, data in SMALL.items():
        own = rows_of({path: data})
        if all(wanted.get(key) == row for key, row in own.items()) and rows_of({path: files[path]}) == own:
            assert files[path] == data


@settings(max_examples=12, deadline=None)
@given(changes(), changes())
def test_one_change_after_another_ends_where_both_at_once_end(
    first: dict[tuple[str, str], Row], second: dict[tuple[str, str], Row]
) -> None:
    assert rows_of(updated(updated(SMALL, first.values()), second.values())) == second


def _commented(change: Any, data: bytes = COMMENTED) -> list[str]:
    rows = copy.deepcopy(rows_of({"agreements/a.yaml": data}))
    change(rows)
    return updated({"agreements/a.yaml": data}, rows.values())["agreements/a.yaml"].decode().splitlines(keepends=True)


def test_one_changed_field_changes_one_line_and_keeps_its_comment() -> None:
    def change(rows: dict[tuple[str, str], Row]) -> None:
        rows["agreement", "first"]["status"] = "expired"

    before = COMMENTED.decode().splitlines(keepends=True)
    after = _commented(change)
    assert [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]] == [
        ("    status: current    # so far\n", "    status: expired    # so far\n")
    ]


def test_a_party_more_is_one_line_more_behind_the_last() -> None:
    def change(rows: dict[tuple[str, str], Row]) -> None:
        rows["agreement", "first"]["parties"].append({"org": "gdc", "capacity": "aligned", "from": None, "to": None})

    lines = COMMENTED.decode().splitlines(keepends=True)
    lines.insert(12, "      - {org: gdc, capacity: aligned, from: null, to: null}\n")
    assert _commented(change) == lines


def test_an_object_taken_out_leaves_the_comments_of_the_others() -> None:
    text = "".join(_commented(lambda rows: rows.pop(("agreement", "first"))))
    assert "first\n" not in text.replace("about the first", "")
    assert "# about the second\n  - id: second\n    lineage: one\n    tags: []\n# the end\n" in text


def test_an_object_more_stands_behind_the_last_of_its_lineage() -> None:
    def change(rows: dict[tuple[str, str], Row]) -> None:
        rows["agreement", "third"] = {"kind": "agreement", "id": "third", "lineage": "one", "status": "current"}

    added = "  - id: third\n    lineage: one\n    status: current\n"
    assert "".join(_commented(change)) == COMMENTED.decode().replace("# the end", f"{added}# the end")


def test_line_ends_of_another_system_stay() -> None:
    def change(rows: dict[tuple[str, str], Row]) -> None:
        rows["agreement", "first"]["parties"][0]["to"] = "2030-01-01"
        rows["agreement", "second"]["note"] = "more"

    text = "".join(_commented(change, COMMENTED.replace(b"\n", b"\r\n")))
    assert text.count("\n") == text.count("\r\n") == COMMENTED.count(b"\n") + 1


def test_a_file_without_a_last_line_break_takes_another_object() -> None:
    files = {"agreements/a.yaml": b"format: concordat.graph/1\nagreements:\n- id: a\n  lineage: l"}
    rows = [*rows_of(files).values(), {"kind": "agreement", "id": "b", "lineage": "l"}]
    assert updated(files, rows)["agreements/a.yaml"] == files["agreements/a.yaml"] + b"\n- id: b\n  lineage: l\n"


def test_a_stored_file_with_another_name_or_broken_text_is_never_written() -> None:
    rows = [{"kind": "agreement", "id": "a", "lineage": "a"}]
    files = updated({"../../etc/passwd.yaml": b"x", "agreements/../x.yaml": b"x", "agreements/b.yaml": b"{"}, rows)
    assert list(files) == ["agreements/a.yaml"]
