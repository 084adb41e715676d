"""The example files say what the settings classes say."""

import re

import pytest

from shared.settings import BaseServiceSettings
from tests.architecture.settings_examples import example, file_of, settings_class
from tests.architecture.sources import SERVICES

UNIT = re.compile(r"\b(seconds|bytes|port|at most|connections|concerns|MiB|KiB)\b")
EACH = pytest.mark.parametrize("service", SERVICES)


@EACH
def test_the_example_file_is_what_the_settings_give(service: str) -> None:
    shown = file_of(service).read_text(encoding="utf-8")
    assert shown == example(service), "run `python -m tests.architecture.settings_examples`"


@EACH
def test_every_setting_says_what_it_is(service: str) -> None:
    assert [name for name, field in settings_class(service).model_fields.items() if not field.description] == []


@EACH
def test_every_number_has_its_unit(service: str) -> None:
    numbers = {n: f for n, f in settings_class(service).model_fields.items() if f.annotation in (int, float)}
    assert [name for name, field in numbers.items() if not UNIT.search(field.description or "")] == []


@EACH
def test_settings_are_frozen_and_carry_the_prefix_of_their_service(service: str) -> None:
    config = settings_class(service).model_config
    assert (config["frozen"], config["env_prefix"]) == (True, f"{service.upper()}_")


@EACH
def test_no_secret_can_be_shown_by_mistake(service: str) -> None:
    names = {n: f.annotation for n, f in settings_class(service).model_fields.items()}
    telling = {n for n in names if re.search(r"(password|secret|key|token)s?$|database_url", n)}
    assert [n for n in telling if names[n] is not settings_class_secret()] == []


def settings_class_secret() -> object:
    return BaseServiceSettings.model_fields["database_url"].annotation
