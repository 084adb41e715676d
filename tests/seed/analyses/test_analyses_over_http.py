from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.registry.usecases import import_seed
from services.registry.usecases.analyses import BODIES_LISTED_MAX, STUDIES_KEPT_MAX, Analyst, Study
from tests.rules.small import POLICY, WORDS, clause, org, pact, remit
from tests.seed.analyses.worlds import DAY
from tests.support.clock import FrozenClock
from tests.support.registry_app import RegistryUnderTest
from tests.support.registry_fakes import InMemoryHistory

OBJECTS = [
    *({"kind": "vocabulary", "id": name, "terms": terms} for name, terms in WORDS.items()),
    POLICY,
    org("alpha"),
    org("beta", remit("harm", nations=["england"])),
    org("gamma", remit("theft", nations=["wales"])),
    pact(
        clause(),
        clause(id="c2", effect="FORBID", when={"nations": ["wales"]}),
        in_force={"from": "2020-01-01", "to": None},
    ),
]
ON = f"as_of={DAY.isoformat()}"


@pytest_asyncio.fixture
async def registry(tmp_path: Path) -> AsyncIterator[RegistryUnderTest]:
    history = InMemoryHistory()
    await import_seed(lambda: OBJECTS, begin=history.begin, clock=FrozenClock())
    made = RegistryUnderTest(history.begin, clock=FrozenClock(), folder=tmp_path)
    async with made.http:
        yield made


async def page(registry: RegistryUnderTest, path: str) -> dict[str, Any]:
    answer = await registry.http.get(f"/v1/analyses/{path}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_coverage_of_all_is_counted_by_originator_and_category(registry: RegistryUnderTest) -> None:
    found = await page(registry, f"coverage?{ON}")
    items = {(row["originator"], row["category"]): row for row in found["items"]}
    assert (items["alpha", "harm"]["can"], items["alpha", "harm"]["cannot"]) == (1, 0)
    assert (items["gamma", "harm"]["can"], items["gamma", "harm"]["cannot"]) == (0, 1)
    assert (found["graph"]["version"], found["as_of"]) == (1, DAY.isoformat())


async def test_an_originator_is_told_whom_it_cannot_tell_and_since_when(registry: RegistryUnderTest) -> None:
    row = (await page(registry, f"coverage?originator=gamma&category=harm&{ON}"))["items"][0]
    assert row["cannot_be_told"] == [{"body": "beta", "since": None, "where": ""}]
    early = (await page(registry, "coverage?originator=alpha&category=harm&as_of=2019-12-31"))["items"][0]
    late = (await page(registry, f"coverage?originator=alpha&category=harm&{ON}"))["items"][0]
    assert (early["can_be_told"], late["can_be_told"]) == ([], ["beta"])


async def test_a_category_of_an_originator_comes_with_the_concern_of_each_gap(
    registry: RegistryUnderTest,
) -> None:
    found = await page(registry, f"coverage?originator=gamma&category=harm&{ON}")
    assert [row["evidence"]["concern"]["categories"] for row in found["findings"]] == [["harm"]]
    assert "findings" not in await page(registry, f"coverage?originator=gamma&{ON}")


@pytest.mark.parametrize(
    ("analysis", "prefixes"),
    [("conflicts", {"conflict"}), ("clauses", set()), ("reviews", set()), ("openings", set())],
)
async def test_findings_are_listed_by_analysis(registry: RegistryUnderTest, analysis: str, prefixes: set[str]) -> None:
    found = await page(registry, f"{analysis}?{ON}")
    assert {row["key"].split(":")[0] for row in found["items"]} == prefixes


async def test_a_list_is_read_page_by_page_and_each_item_once(registry: RegistryUnderTest) -> None:
    whole = (await page(registry, f"coverage?{ON}"))["items"]
    seen: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        part = await page(registry, f"coverage?{ON}&limit=2&after={after}")
        seen, after = seen + part["items"], part["next"]
    assert seen == whole
    assert len(whole) > 2


async def test_an_answer_that_the_caller_has_is_not_worked_out_again(registry: RegistryUnderTest) -> None:
    first = await registry.http.get(f"/v1/analyses/conflicts?{ON}")
    again = await registry.http.get(f"/v1/analyses/conflicts?{ON}", headers={"If-None-Match": first.headers["etag"]})
    other = await registry.http.get(f"/v1/analyses/clauses?{ON}", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content, other.status_code) == (304, b"", 200)
    assert first.headers["etag"].startswith(f'"1.{first.json()["graph"]["root"]}.')


@pytest.mark.parametrize(
    ("query", "pointer", "remedy"),
    [
        ("coverage?originator=nobody", "/originator", "take the id of an organisation"),
        ("coverage?originator=alpha&category=nothing", "/category", "take an id of the vocabulary"),
        ("coverage?as_of=2025-02-30", "/as_of", "28 days"),
        ("coverage?after=eHg", "/after", "unchanged"),
        ("conflicts?limit=0", "/limit", ""),
    ],
)
async def test_a_question_that_cannot_be_answered_says_where_and_what_to_send(
    registry: RegistryUnderTest, query: str, pointer: str, remedy: str
) -> None:
    answer = await registry.http.get(f"/v1/analyses/{query}")
    assert answer.status_code == 422
    assert any(pointer.strip("/") in str(row) and remedy in str(row) for row in answer.json()["errors"]), answer.text


async def test_recommendation_153_has_an_answer_for_a_graph_without_its_bodies(
    registry: RegistryUnderTest,
) -> None:
    found = await page(registry, f"recommendation-153?{ON}")
    assert (found["answer"]["named"], found["items"]) == ([], [])


async def test_a_graph_and_day_are_worked_out_once_and_few_are_kept() -> None:
    history = InMemoryHistory()
    head = await import_seed(lambda: OBJECTS, begin=history.begin, clock=FrozenClock())
    analyst = Analyst(begin=history.begin)

    async def study(day: int) -> Study:
        return await analyst.ask(head, DAY.replace(day=day), lambda found: found)

    assert await study(1) is await study(1)
    first = await study(1)
    for day in range(2, STUDIES_KEPT_MAX + 2):
        await study(day)
    assert await study(1) is not first


async def test_a_graph_of_too_many_bodies_is_counted_and_not_listed(tmp_path: Path) -> None:
    history = InMemoryHistory()
    many = [*OBJECTS, *(org(f"body-{number}") for number in range(BODIES_LISTED_MAX))]
    await import_seed(lambda: many, begin=history.begin, clock=FrozenClock())
    registry = RegistryUnderTest(history.begin, clock=FrozenClock(), folder=tmp_path)
    async with registry.http:
        refused = await registry.http.get(f"/v1/analyses/conflicts?{ON}")
        assert (refused.status_code, "coverage" in refused.json()["detail"]) == (409, True)
        assert len((await page(registry, f"coverage?originator=gamma&{ON}"))["items"]) == 1
