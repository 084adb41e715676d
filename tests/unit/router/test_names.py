"""What a decision says has the ids of what it is: the same thing has one id for ever, and no two things share one."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from services.router.domain.model import Verdict
from services.router.domain.policy import Judge
from services.router.domain.rounds import Act, Dossier, Person
from services.router.domain.undoing import ToldNotice, UndoingKind
from services.router.ports import Decided
from services.router.usecases.pointing import invitation_of, undoing_of
from services.router.usecases.telling import amended_of, decided_of, round_of, silenced
from tests.rules import small
from tests.support.clock import NOON
from tests.support.router_fakes import a_concern, graph_objects, judge_of, replica_of

PARTIES = [small.party(org) for org in ("alpha", "beta", "delta")]
WIDER = graph_objects(
    small.org("delta", small.remit()), small.pact(small.clause(to=["beta", "delta"]), parties=PARTIES)
)
SAM, KIM = Person("alpha-case", "alpha", "Sam"), Person("alpha-lead", "alpha", "Kim")
BODIES = st.sampled_from(["beta", "delta", "epsilon"])
DUTIES = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), BODIES)
KINDS: tuple[UndoingKind, ...] = ("withdrawal", "recall")


@cache
def the_judge() -> Judge:
    return judge_of(replica_of(graph_objects()))


@cache
def the_verdict() -> Verdict:
    return the_judge().judge(a_concern()).verdict


@cache
def other() -> Judge:
    return judge_of(replica_of(WIDER, 2))


def decision(number: int = 1, version: int = 1, content: int = 1, *bodies: str, now: datetime = NOON) -> Decided:
    concern = replace(a_concern(number, version=version), digest=f"{content:064x}")
    verdict = (
        replace(the_verdict(), told=tuple(replace(the_verdict().told[0], org=org) for org in bodies))
        if bodies
        else the_verdict()
    )
    return decided_of(concern, verdict, the_judge().head, now)


def act(by: Person = SAM, request: str = "r1", *orgs: str) -> Act:
    """`request` is the digest of what was asked, the reason in it."""
    return Act("choice", by, "they regulate it", orgs, request, dict.fromkeys(orgs, "full"))


def dossier_of(one: Decided) -> Dossier:
    return Dossier(one.concern, one.record, (), {}, ())


def ids(one: Decided) -> tuple[str, str, tuple[str, ...]]:
    return one.record.decision_id, one.fact.fact_id, tuple(notice.notice_id for notice in one.issued)


def notices_of(duty: tuple[int, int, int, str]) -> list[str]:
    """The notice of a duty to tell, and all that can follow it."""
    number, version, content, org = duty
    one = decision(number, version, content, org)
    told = ToldNotice(one.issued[0].notice_id, one.concern.concern_id, version, org)
    sitting, dossier = (the_judge().head, NOON), dossier_of(one)
    undone = [undoing_of(kind, told, dossier, "EXPIRED", sitting).issued.id for kind in KINDS]
    return [told.notice_id, *undone, invitation_of(f"pnl_{number}_{content}", org, dossier, sitting).id]


@given(st.sets(DUTIES, min_size=1, max_size=5))
def test_no_two_duties_have_one_id(duties: set[tuple[int, int, int, str]]) -> None:
    """Of concern, version, content, recipient and kind each makes another notice."""
    found = [name for duty in duties for name in notices_of(duty)]
    assert len(set(found)) == len(found)


@given(DUTIES, st.timedeltas(timedelta(0), timedelta(days=400)))
def test_the_same_decision_has_the_same_ids_whenever_it_is_taken(
    duty: tuple[int, int, int, str], later: timedelta
) -> None:
    assert ids(decision(*duty, now=NOON + later)) == ids(decision(*duty))
    assert notices_of(duty) == notices_of(duty)


def test_on_another_graph_who_was_told_before_keeps_the_id_and_the_decision_is_another() -> None:
    before = decision()
    after = decided_of(a_concern(), other().judge(a_concern()).verdict, other().head, NOON)
    assert set(before.told) < set(after.told)
    assert {org: after.told[org] for org in before.told} == before.told
    assert before.record.decision_id != after.record.decision_id
    assert before.fact.fact_id != after.fact.fact_id


def test_a_body_is_told_under_the_same_id_in_whatever_round_it_is_the_verdict() -> None:
    first = decision()
    later = round_of(dossier_of(first), act(), the_verdict(), the_judge().head, NOON)
    assert later.told == first.told
    assert later.record.decision_id != first.record.decision_id


def test_what_another_person_did_or_said_is_another_fact() -> None:
    dossier = dossier_of(decision())
    acts = act(), act(KIM), act(SAM, "r2"), act(SAM, "r1", "gamma")
    rounds = [round_of(dossier, one, the_verdict(), the_judge().head, NOON) for one in acts]
    one = decision()
    amended = amended_of(one.concern, act(), the_verdict(), the_judge().head, NOON)
    facts = [decided.fact.fact_id for decided in (*rounds, one, silenced(one), amended, silenced(amended))]
    assert len(set(facts)) == len(facts)
    assert [r.fact.fact_id for r in rounds] == [
        round_of(dossier, a, the_verdict(), the_judge().head, NOON).fact.fact_id for a in acts
    ]
