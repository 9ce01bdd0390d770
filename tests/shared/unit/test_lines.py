"""Lines for LCDs and desktops: pistop's format, whatever the text."""

from hypothesis import given
from hypothesis import strategies as st

from pimains.shared.screens import lines


def test_an_lcd_line_is_row_column_blank_lines_and_text() -> None:
    assert lines.lcd_text("Power is away") == b"0 0 0:Power is away\n"
    assert lines.lcd_text("pi On", row=2, blank=1) == b"2 0 1:pi On\n"


def test_a_desktop_notification_is_a_summary_and_lines_of_body() -> None:
    assert lines.desktop_text("pi: Power", "since 14:05\non battery") == b"summary:pi: Power\nbody:since 14:05\nbody:on battery\n"


@given(st.text(max_size=2000), st.text(max_size=2000))
def test_no_text_forges_a_line_or_makes_one_that_is_cut_by_its_reader(summary: str, body: str) -> None:
    lcd, desktop = lines.lcd_text(summary), lines.desktop_text(summary, body)
    assert lcd.count(b"\n") == 1
    assert len(lcd) <= lines.LONGEST
    first, *rest = desktop.decode().removesuffix("\n").split("\n")
    assert first.startswith("summary:")
    assert rest
    assert all(line.startswith("body:") for line in rest)
    assert len(desktop) <= lines.LONGEST
