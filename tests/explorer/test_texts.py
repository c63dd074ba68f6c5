"""Text that comes from data."""

from astroclip_kit.explorer.texts import cut, plain, printable


def test_long_text_is_cut_where_one_says():
    assert [cut("galaxies", most) for most in (9, 8, 7)] == ["galaxies", "galaxies", "galaxi…"]
    assert cut("galaxies", 5, end=2) == "ga…es" and len(cut("g" * 99, 30, end=15)) == 30


def test_what_looks_like_a_formula_is_text():
    assert plain("$$x$$").text == "$$x$$" and type(plain("x")).__name__ == "PlainText"


def test_letters_that_turn_others_round_are_seen():
    assert printable("\u202eevil\x07") == "\N{REPLACEMENT CHARACTER}evil\N{REPLACEMENT CHARACTER}"
    assert printable("[Å] 星 <b>") == "[Å] 星 <b>"
