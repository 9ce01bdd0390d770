"""Text that came from somewhere else, as people get to see it."""

from hypothesis import given
from hypothesis import strategies as st

from pimains.core.plan import text as texts


@given(st.text())
def test_no_text_from_a_device_moves_the_cursor_of_a_terminal(text: str) -> None:
    assert texts.one_line(text).isprintable()


def test_a_line_is_shortened_only_to_a_width() -> None:
    assert texts.shortened("connected to plug.lan", 10) == "connected…"
    assert len(texts.shortened("x" * 50, 10)) == 10
    assert texts.shortened("connected to plug.lan", None) == "connected to plug.lan"
