import pytest

from tumorseg.counts import counted, part_is


@pytest.mark.parametrize(("number", "words"), [(0, "0 cases"), (1, "1 case"), (2, "2 cases"), (1253, "1,253 cases")])
def test_numbers_in_words(number, words):
    assert counted(number, "case") == words


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
def test_parts_in_words(part, whole, words):
    assert part_is(part, whole, "case") == words
