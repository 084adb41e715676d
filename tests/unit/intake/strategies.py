"""Any concern of the right form, for Hypothesis."""

from typing import Any

from hypothesis import strategies as st

CANARY = "c4n4ry"

slugs = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,12}", fullmatch=True)
several = st.lists(slugs, max_size=3)
_plain = st.characters(exclude_categories=("C", "Zl", "Zp"))
_secret = st.text(_plain, max_size=12).map(lambda text: f"{CANARY}{text}")
_line = st.text(_plain, min_size=1, max_size=12)

_identifiers = st.fixed_dictionaries(
    {"scheme": st.sampled_from(["nhs-number", "gmc-number", "other"]), "value": _secret}
)
_subjects = st.fixed_dictionaries(
    {"kind": slugs},
    optional={
        "registers": several,
        "org": slugs,
        "name": _secret,
        "identifiers": st.lists(_identifiers, max_size=2),
    },
)
_annex = st.fixed_dictionaries({"class": slugs, "label": _secret, "text": _secret})
_gateways = st.fixed_dictionaries({"id": st.tuples(slugs, slugs).map("/".join), "decided_by": _line, "reason": _line})

concerns: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "originator": st.just("cqc"),
        "originator_ref": st.text(_plain, min_size=1, max_size=12),
        "version": st.just(1),
        "categories": st.lists(slugs, min_size=1, max_size=3),
    },
    optional={
        "incident_date": st.dates().map(str),
        "topics": several,
        "functions": several,
        "flags": several,
        "purposes": several,
        "urgency": slugs,
        "nation": slugs,
        "setting": slugs,
        "victim": slugs,
        "fault_holder": slugs,
        "provider_status": slugs,
        "sensitivity": several,
        "source_type": slugs,
        "source_protected": st.booleans(),
        "named_recipients": several,
        "subjects": st.lists(_subjects, max_size=3),
        "summary": _secret,
        "annex": st.lists(_annex, max_size=2),
        "source": st.one_of(_secret, st.dictionaries(slugs, _secret, max_size=2)),
        "contact": st.one_of(_line, st.dictionaries(slugs, _line, max_size=2)),
        "marking": st.sampled_from(["OFFICIAL", "OFFICIAL-SENSITIVE"]),
        "onward": st.sampled_from(["none", "ask_originator", "free"]),
        "gateways": st.lists(_gateways, max_size=2),
        "necessity": st.fixed_dictionaries({"statement": _line, "decided_by": _line}),
        "subject_informed": st.sampled_from(["yes", "no", "prejudicial"]),
        "immediate_action": _secret,
        "min_graph_token": st.from_regex(r"[A-Za-z0-9._:~-]{1,12}", fullmatch=True),
    },
)
