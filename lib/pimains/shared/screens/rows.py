"""What is shown of this machine on an LCD and on a desktop, row by row; whoever calls this waits for it."""

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from pimains.core.errors import Away
from pimains.core.machine import own_name
from pimains.shared.screens import lines
from pimains.shared.screens.settings import ScreenSettings

_CLEARING_SECONDS = 0.5  # an LCD's daemon takes what comes while it empties the display for one line
_ROWS = 4


def rows(word: str) -> list[str]:
    """One row that says `word` of this machine; four without: its load, its addresses, the time, and that it is on."""
    if word:
        return [f"{own_name()} {word}"]
    load = " ".join(Path("/proc/loadavg").read_text(encoding="ascii").split()[:3])
    return [f"Load {load}", " ".join(_addresses()), time.strftime("%d-%m-%y %H:%M:%S"), f"{own_name()} On"]


def show_on_lcd(settings: ScreenSettings, words: Sequence[str]) -> None:
    """Each row by itself; the first one empties those below it, which may show an earlier state."""
    texts = [lines.lcd_text(text, row, 0 if row else _ROWS - 1) for row, text in enumerate(words) if text]
    if settings.LCD_FIFO:
        _send(f"LCD behind {settings.LCD_FIFO}", partial(lines.write_fifo, settings.LCD_FIFO), texts)
    if settings.LCD_HOST:
        _send(f"LCD at {settings.LCD_HOST}", partial(lines.send_datagram, settings.LCD_HOST, settings.LCD_PORT, to_each=True), texts)


def show_on_desktop(settings: ScreenSettings, words: Sequence[str]) -> None:
    """The last row as what it is about, the others below it."""
    texts = [lines.desktop_text(words[-1], "\n".join(filter(None, words[:-1])))]
    if settings.NOTIFY_FIFO:
        _send(f"desktop behind {settings.NOTIFY_FIFO}", partial(lines.write_fifo, settings.NOTIFY_FIFO), texts)
    if settings.NOTIFY_HOST:
        _send(f"desktop at {settings.NOTIFY_HOST}", partial(lines.send_datagram, settings.NOTIFY_HOST, settings.NOTIFY_PORT), texts)


def _send(name: str, way: Callable[[bytes], None], texts: Sequence[bytes]) -> None:
    """One after the other; says why that fails."""
    try:
        for number, text in enumerate(texts):
            if number == 1:
                time.sleep(_CLEARING_SECONDS)
            way(text)
    except Away as why:
        print(f"{name} shows nothing: {why}", flush=True)


def _addresses() -> Iterator[str]:
    """Those of this machine, as hostname -I tells them: global ones, each once."""
    said = subprocess.run(["hostname", "-I"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False, timeout=2).stdout
    for address in dict.fromkeys(said.decode("ascii", "replace").split()):
        if not address.startswith("fe80"):
            yield address
