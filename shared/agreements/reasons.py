"""Why a body is told or not: closed codes, and one plain sentence for each."""

from __future__ import annotations

REQUIRED = "REQUIRED"
PERMITTED = "PERMITTED"
AVAILABLE = "AVAILABLE"
ORIGINATOR = "ORIGINATOR"
REPLACED_BY_SUCCESSOR = "REPLACED_BY_SUCCESSOR"
NO_PATH = "NO_PATH"
NOT_SIGNED = "NOT_SIGNED"
NOT_YET_IN_FORCE = "NOT_YET_IN_FORCE"
EXPIRED = "EXPIRED"
SUPERSEDED = "SUPERSEDED"
SUSPENDED = "SUSPENDED"
TERMINATED = "TERMINATED"
WRONG_DIRECTION = "WRONG_DIRECTION"
CATEGORY = "CATEGORY"
PURPOSE_NOT_COVERED = "PURPOSE_NOT_COVERED"
SCOPE = "SCOPE"
TOPIC_EXCLUDED = "TOPIC_EXCLUDED"
SENSITIVITY = "SENSITIVITY"
INSTRUMENT_INSUFFICIENT = "INSTRUMENT_INSUFFICIENT"
ONWARD_NOT_PERMITTED = "ONWARD_NOT_PERMITTED"
FORBIDDEN = "FORBIDDEN"
SUBJECT_IS_RECIPIENT = "SUBJECT_IS_RECIPIENT"
CONFLICT_OF_INTEREST = "CONFLICT_OF_INTEREST"
NOT_IN_REMIT = "NOT_IN_REMIT"
ASSUMED_OFF = "ASSUMED_OFF"
FEED_ONLY = "FEED_ONLY"
RECORD_ONLY = "RECORD_ONLY"
HOLD_SUCCESSION_AMBIGUOUS = "HOLD_SUCCESSION_AMBIGUOUS"
HOLD_CONFLICT = "HOLD_CONFLICT"
HOLD_UNKNOWN_TERM = "HOLD_UNKNOWN_TERM"
HOLD_STALE_GRAPH = "HOLD_STALE_GRAPH"
HOLD_FAULT = "HOLD_FAULT"
EMERGENCY = "EMERGENCY"
CHOSEN = "CHOSEN"

SENTENCES = {
    REQUIRED: "This organisation is told because a duty or an agreed rule says it must be.",
    PERMITTED: "This organisation is told because an agreement allows it and the matter is within its remit.",
    AVAILABLE: "An agreement allows this organisation to be told. You can choose to tell it.",
    ORIGINATOR: "This organisation raised the concern.",
    REPLACED_BY_SUCCESSOR: "This organisation no longer receives concerns. The body that took over was considered.",
    NO_PATH: "No agreement joins the two organisations.",
    NOT_SIGNED: "One of the two organisations is named in the agreement but had not signed it on that day.",
    NOT_YET_IN_FORCE: "The agreement had not started on the day the concern was received.",
    EXPIRED: "The agreement had ended by the day the concern was received.",
    SUPERSEDED: "A later version of the agreement had taken its place.",
    SUSPENDED: "The agreement was suspended on the day the concern was received.",
    TERMINATED: "A party had ended the agreement.",
    WRONG_DIRECTION: "The agreement works only in the other direction.",
    CATEGORY: "No agreement between the two organisations covers a concern of this kind.",
    PURPOSE_NOT_COVERED: "The agreement does not cover the purpose stated.",
    SCOPE: "The agreement does not cover a concern with these details, such as its nation, setting or urgency.",
    TOPIC_EXCLUDED: "The agreement leaves this topic out by name.",
    SENSITIVITY: "The information is more sensitive than the agreement allows.",
    INSTRUMENT_INSUFFICIENT: "An agreement of this type cannot carry information this sensitive.",
    ONWARD_NOT_PERMITTED: "The organisation that first gave the information does not allow it to be passed on.",
    FORBIDDEN: "The law or an agreed rule forbids it, and no exception applies.",
    SUBJECT_IS_RECIPIENT: "This organisation is the subject of the concern.",
    CONFLICT_OF_INTEREST: "There is a declared conflict of interest. A person must decide.",
    NOT_IN_REMIT: "The matter is outside this organisation's remit.",
    ASSUMED_OFF: "The closest rule is an assumption that is switched off.",
    FEED_ONLY: "Information of this kind is shared in a regular feed, not concern by concern.",
    RECORD_ONLY: "The agreement is on record but is not a basis for sharing a concern.",
    HOLD_SUCCESSION_AMBIGUOUS: "The party was split up and it is not clear who took over. A person must decide.",
    HOLD_CONFLICT: "It is about the organisation that raised it, or that runs this system. A person must decide.",
    HOLD_UNKNOWN_TERM: "It uses a word or names a body not known, or contradicts itself. A person must decide.",
    HOLD_STALE_GRAPH: "The concern asks for newer agreements than the ones at hand. It waits until they arrive.",
    HOLD_FAULT: "The concern could not be evaluated. A person must decide.",
    EMERGENCY: "This organisation was told in an emergency, approved by a named person on a stated ground.",
    CHOSEN: "This organisation is told because a named person chose it.",
}


def sentence(reason: str) -> str:
    """One plain sentence for a reason code. Raises KeyError for a code that does not exist."""
    return SENTENCES[reason]
