"""Fixtures of all levels: the engines start only for the tests that ask for them."""

pytest_plugins = ["tests.support.stack"]
