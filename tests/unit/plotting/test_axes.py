from tumorseg.plotting.axes import contrasting_text_colour
from tumorseg.plotting.style import TEXT_COLOUR


def test_text_is_white_if_that_has_more_contrast():
    assert [contrasting_text_colour(colour) for colour in ("white", "#f0e442", "#777777", "#0072b2", "black")] == [
        TEXT_COLOUR,
        TEXT_COLOUR,
        "white",
        "white",
        "white",
    ]
