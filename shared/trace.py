"""W3C trace context: one `traceparent` in and out of every hop."""

import re
import secrets
from contextvars import ContextVar

_FORM = re.compile(r"^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$")
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def continue_trace(traceparent: str | None) -> str:
    """Take up the caller's trace, or begin one where there is none or it is malformed; gives our `traceparent`."""
    if traceparent is not None and _FORM.match(traceparent):
        ours = f"{traceparent[:36]}{secrets.token_hex(8)}{traceparent[52:]}"
    else:
        ours = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
    _current.set(ours)
    return ours


def current_trace() -> str | None:
    """The `traceparent` of the work under way."""
    return _current.get()
