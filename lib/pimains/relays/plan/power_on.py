"""What a contact does from power-on until the service runs, and the line for config.txt that shortens it.

Pins 0-8 are pulled up then, 9-27 down (BCM2835 ARM Peripherals, 6.2); 2 and 3 have resistors of the board's to 3.3 V as well, 14 and 15
are the serial port where that is on. The firmware sets what config.txt says some seconds after power-on.
"""

_LAST_PULLED_UP = 8
_HARD_UP = (2, 3)
_SERIAL = (14, 15)


def in_words(line: int, active_low: bool) -> list[str]:
    """The lines for who has made a relay at this pin of the header."""
    is_high = line <= _LAST_PULLED_UP
    how = "up" if is_high else "down"
    is_on = is_high != active_low
    hard = ", by a resistor of the board's" if line in _HARD_UP else ""
    level = "dh" if active_low else "dl"
    effect = "its contact may close then" if is_on else "its contact stays open then"
    found = [f"GPIO {line} is pulled {how}{hard} from power-on until this service runs: {effect}."]
    if line in _SERIAL:
        found.append(f"GPIO {line} is the serial port's as well: it moves at each boot while that is on (enable_uart=0 in config.txt).")
    verb = "opens it a few seconds after power-on" if is_on else "holds it open until then as well"
    return [*found, f"This line in /boot/firmware/config.txt {verb}: gpio={line}=op,{level}"]
