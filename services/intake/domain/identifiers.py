"""Identifiers: normalised for joins, checked, and never a reason to refuse a concern (domain guide, section 7)."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

IdentifierFault = Literal["malformed", "check-digit"]
Squeeze = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier as sent and as joined on; `fault` is None where nothing is wrong as far as its scheme can tell."""

    scheme: str
    raw: str
    normalised: str
    fault: IdentifierFault | None

    @property
    def valid(self) -> bool:
        """Whether no fault was found."""
        return self.fault is None


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    squeeze: Squeeze
    check: Callable[[str], bool] | None = None


def read_identifier(scheme: str, raw: str) -> Identifier:
    """Normalise and check. A scheme without a rule is opaque: upper case, no spaces, nothing to be wrong."""
    rule = _RULES.get(scheme)
    if rule is None:
        return Identifier(scheme, raw, _squeeze(raw), None)
    normalised = rule.squeeze(raw)
    if not rule.pattern.fullmatch(normalised):
        return Identifier(scheme, raw, normalised, "malformed")
    fault: IdentifierFault | None = None if rule.check is None or rule.check(normalised) else "check-digit"
    return Identifier(scheme, raw, normalised, fault)


def nhs_check_digit(digits: str) -> int:
    """The check digit over the first nine digits, modulo 11; 10 means that no such number exists."""
    total = sum(int(digit) * weight for digit, weight in zip(digits[:9], range(10, 1, -1), strict=True))
    return (11 - total % 11) % 11


def _nhs_number(number: str) -> bool:
    return nhs_check_digit(number) == int(number[9])


def _squeeze(raw: str) -> str:
    """Compatibility form, upper case, no white space."""
    if raw.isascii():
        return "".join(raw.split()).upper()
    squeezed = "".join(unicodedata.normalize("NFKC", raw).upper().split())
    return unicodedata.normalize("NFKC", squeezed)  # an accent that stood apart may have found its letter


def _squeeze_digits(raw: str) -> str:
    """The same without the hyphens that people group digits with."""
    return _squeeze(raw).replace("-", "")


def _squeeze_hcpc(raw: str) -> str:
    """Two letters and six digits, padded with zeros as NHS systems do."""
    squeezed = _squeeze(raw)
    return squeezed[:2] + squeezed[2:].zfill(6) if squeezed[2:].isdigit() else squeezed


def _rule(pattern: str, squeeze: Squeeze = _squeeze, check: Callable[[str], bool] | None = None) -> _Rule:
    return _Rule(re.compile(pattern, re.ASCII), squeeze, check)


_CQC = _rule(r"1-\d{6,12}|[A-Z0-9]{3,9}")
_SHORT = _rule(r"[A-Z0-9/-]{1,12}")
_RULES = {
    "nhs-number": _rule(r"\d{10}", _squeeze_digits, _nhs_number),
    "chi-number": _rule(r"\d{10}", _squeeze_digits),
    "hc-number": _rule(r"\d{10}", _squeeze_digits),
    "gmc-number": _rule(r"\d{7}|L\d{6}|C\d{7}"),
    "nmc-number": _rule(r"\d{2}[A-Z]\d{4}[A-Z]"),
    "gphc-number": _rule(r"2\d{6}"),
    "hcpc-number": _rule(r"[A-Z]{2}\d{6}", _squeeze_hcpc),
    "goc-number": _rule(r"\d{2}-\d{5}"),
    "gdc-number": _rule(r"\d{1,6}"),
    "swe-number": _rule(r"SW\d{1,10}"),
    "gosc-number": _SHORT,
    "gcc-number": _SHORT,
    "ods-code": _rule(r"[A-Z0-9]{1,9}"),
    "cqc-provider": _CQC,
    "cqc-location": _CQC,
}
SCHEMES = frozenset(_RULES)
"""The schemes that have a rule."""
