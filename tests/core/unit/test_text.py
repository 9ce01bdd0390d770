"""Text that came from somewhere else, as people get to see it."""

from hypothesis import given
from hypothesis import strategies as st

from pimains.core.plan import text as texts


@given(st.text())
def test_no_text_from_a_device_moves_the_cursor_of_a_terminal(text: str) -> None:
    assert texts.one_line(text).isprintable()


@given(st.text(), st.integers(0, 400))
def test_a_line_is_as_long_as_it_may_be_and_no_longer(text: str, longest: int) -> None:
    assert texts.one_line(text, longest) == texts.one_line(text)[:longest]
    assert texts.short_line(text * 100) == texts.one_line(text * 100)[:300]


def test_a_line_is_shortened_only_to_a_width() -> None:
    assert texts.shortened("connected to plug.lan", 10) == "connected…"
    assert len(texts.shortened("x" * 50, 10)) == 10
    assert texts.shortened("connected to plug.lan", None) == "connected to plug.lan"
