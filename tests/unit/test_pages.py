"""What all pages share."""

from tumorseg.pages.words import counted, decimal


def test_one_is_singular_and_thousands_are_set_apart():
    assert [counted(number, "case") for number in (0, 1, 2, 1253)] == ["0 cases", "1 case", "2 cases", "1,253 cases"]


def test_a_number_has_a_true_minus_sign_and_none_where_it_rounds_to_zero():
    assert [decimal(number) for number in (-11844.2, -0.3, 1253)] == ["−11,844", "0", "1,253"]
    assert [decimal(number, 1) for number in (-0.04, -78.04, 374)] == ["0.0", "−78.0", "374.0"]
