"""What all pages share."""

from tumorseg.pages.words import counted


def test_one_is_singular_and_thousands_are_set_apart():
    assert [counted(number, "case") for number in (0, 1, 2, 1253)] == ["0 cases", "1 case", "2 cases", "1,253 cases"]
