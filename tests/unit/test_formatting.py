import pytest

from tumorseg.formatting import format_count, format_decimal, format_part


@pytest.mark.parametrize(("number", "words"), [(0, "0 cases"), (1, "1 case"), (2, "2 cases"), (1253, "1,253 cases")])
def test_a_count_has_its_noun(number, words):
    assert format_count(number, "case") == words


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [
        (1, 1, "1 of 1 case is"),
        (0, 1, "0 of 1 case is"),
        (1, 3, "1 of 3 cases is"),
        (0, 3, "0 of 3 cases are"),
        (2000, 2001, "2,000 of 2,001 cases are"),
    ],
)
def test_a_part_has_its_verb(part, whole, words):
    assert format_part(part, whole, "case") == words


def test_one_is_singular_and_thousands_are_separated():
    assert [format_count(number, "case") for number in (0, 1, 2, 1253)] == [
        "0 cases",
        "1 case",
        "2 cases",
        "1,253 cases",
    ]


def test_a_number_has_a_minus_sign_unless_it_rounds_to_zero():
    assert [format_decimal(number) for number in (-11844.2, -0.3, 1253)] == ["−11,844", "0", "1,253"]
    assert [format_decimal(number, 1) for number in (-0.04, -78.04, 374)] == ["0.0", "−78.0", "374.0"]
