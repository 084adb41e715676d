from shared.db.writer import Statement


def test_names_are_numbered_in_the_order_in_which_they_first_occur() -> None:
    statement = Statement.of("SELECT :b, :a, :b + 1")
    assert statement == Statement("SELECT $1, $2, $1 + 1", ("b", "a"))


def test_a_cast_is_no_name() -> None:
    assert Statement.of("SELECT :a::text[], b::int") == Statement("SELECT $1::text[], b::int", ("a",))
