"""Identifiers of the domain guide, section 7."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.identifiers import SCHEMES, nhs_check_digit, read_identifier

some_schemes = st.sampled_from([*sorted(SCHEMES), "unheard-of"])
some_values = st.text(min_size=1, max_size=24)


@pytest.mark.parametrize(
    ("scheme", "raw", "normalised"),
    [
        ("nhs-number", "943 476 5919", "9434765919"),
        ("nhs-number", "943-476-5919", "9434765919"),
        ("nhs-number", "943476591\N{FULLWIDTH DIGIT NINE}", "9434765919"),
        ("gmc-number", " 4012345", "4012345"),
        ("gmc-number", "L123456", "L123456"),
        ("gmc-number", "c1234567", "C1234567"),
        ("nmc-number", "71a2998e", "71A2998E"),
        ("gphc-number", "2012345", "2012345"),
        ("hcpc-number", "PA12345", "PA012345"),
        ("hcpc-number", "ph 012345", "PH012345"),
        ("goc-number", "01-09491", "01-09491"),
        ("gdc-number", "123456", "123456"),
        ("swe-number", "SW12345", "SW12345"),
        ("ods-code", "rh802", "RH802"),
        ("cqc-provider", "1-1020304050", "1-1020304050"),
        ("cqc-location", "RH802", "RH802"),
        ("lfpse", "any thing", "ANYTHING"),
    ],
)
def test_a_good_identifier_is_valid_and_normalised(scheme: str, raw: str, normalised: str) -> None:
    found = read_identifier(scheme, raw)
    assert (found.normalised, found.fault, found.raw) == (normalised, None, raw)


@pytest.mark.parametrize(
    ("scheme", "raw", "fault"),
    [
        ("nhs-number", "943 476 5918", "check-digit"),
        ("nhs-number", "943476591", "malformed"),
        ("nhs-number", "943476591\N{ARABIC-INDIC DIGIT NINE}", "malformed"),
        ("chi-number", "12345", "malformed"),
        ("gmc-number", "123456", "malformed"),
        ("gmc-number", "40123456", "malformed"),
        ("nmc-number", "71A2998", "malformed"),
        ("gphc-number", "3012345", "malformed"),
        ("hcpc-number", "P012345", "malformed"),
        ("hcpc-number", "PH1234567", "malformed"),
        ("goc-number", "0109491", "malformed"),
        ("swe-number", "12345", "malformed"),
        ("gcc-number", "1234567890123", "malformed"),
        ("ods-code", "ABCDEFGHIJ", "malformed"),
        ("cqc-provider", "1-12345", "malformed"),
        ("gmc-number", "4012345\u202e", "malformed"),
    ],
)
def test_a_bad_identifier_is_flagged_with_its_fault(scheme: str, raw: str, fault: str) -> None:
    assert read_identifier(scheme, raw).fault == fault


def test_a_remainder_of_ten_means_that_no_such_nhs_number_exists() -> None:
    nine = next(n for n in range(100_000_000, 100_001_000) if nhs_check_digit(str(n)) == 10)
    assert {read_identifier("nhs-number", f"{nine}{d}").fault for d in range(10)} == {"check-digit"}


@given(st.integers(min_value=0, max_value=999_999_999))
def test_exactly_the_right_last_digit_makes_an_nhs_number(nine: int) -> None:
    digits = f"{nine:09d}"
    good = [d for d in range(10) if read_identifier("nhs-number", f"{digits}{d}").valid]
    weighted = [d for d in range(10) if (sum((10 - i) * int(c) for i, c in enumerate(digits)) + d) % 11 == 0]
    assert good == weighted


@given(some_schemes, some_values)
def test_normalising_twice_changes_nothing_more(scheme: str, raw: str) -> None:
    once = read_identifier(scheme, raw)
    twice = read_identifier(scheme, once.normalised)
    assert (twice.normalised, twice.fault) == (once.normalised, once.fault)


@given(some_schemes, st.text(alphabet="ABC0123456789/", min_size=1, max_size=12))
def test_spaces_and_case_never_matter(scheme: str, raw: str) -> None:
    assert read_identifier(scheme, " ".join(raw).lower()).normalised == read_identifier(scheme, raw).normalised
