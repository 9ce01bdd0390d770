"""Whichever pin factory of gpiozero's works here; GPIOZERO_PIN_FACTORY names another."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pimains.core.failure import in_words, with_own_text
from pimains.core.plan.text import one_line
from pimains.shared.gpio.pin import GpioError

T = TypeVar("T")
_NAME = "GPIOZERO_PIN_FACTORY"
_NONE = "no pin factory works (apt install python3-lgpio)"
_WORDS = {
    "PinInvalidPin": "there is no such pin here",
    "PinInvalidPull": "it cannot be pulled that way: look at PULL",
    "PinFixedPull": "it cannot be pulled that way: look at PULL",
    "PinInvalidFunction": "it cannot be an {what}",
    "PinFixedFunction": "it cannot be an {what}",
    "PinEdgeDetectUnsupported": "it cannot tell of its edges",
    "PinMultiplePins": "there are several of that name",
    "PinNoPins": "there is no such pin here",
    "PinUnsupported": "this kind of pin is not known here",
    "PinUnknownPi": "this kind of Raspberry Pi is not known here",
    "GPIOPinInUse": "it is in use already",
    "GPIOZeroError": "it cannot be used as an {what}",
    "error": "it is in use already, or not there",  # lgpio.error and pigpio.error
}


def refused(number: int | str, error: Exception, what: str = "input") -> GpioError:
    """What a pin factory has against an input or output, in words."""
    return GpioError(f"GPIO {number}: {in_words(error, known_words(what))}", "PIN", number if isinstance(number, int) else None)


def known_words(what: str = "input") -> dict[str, str]:
    """The words for gpiozero's classes of errors, by their names."""
    return {name: words.format(what=what) for name, words in _WORDS.items()}


def is_named() -> bool:
    """Whether one is named: then the kernel's own lines are not asked."""
    return bool(os.environ.get(_NAME))


def in_place_of_a_header(take: Callable[[], T]) -> T:
    """What `take` has of a factory, which none has named where the kernel knows of no header. Raises GpioError."""
    try:
        return take()
    except GpioError as error:
        if is_named():
            raise
        raise GpioError(f"this machine has no GPIO of a Raspberry Pi, and {error}", error.setting, error.number) from None


def factory(scratch: Path) -> Any:
    """It; `scratch` is a directory of ours. Raises GpioError."""
    os.environ.setdefault("LG_WD", str(scratch))  # lgpio makes a FIFO where it stands, which may be written by root only
    try:
        import gpiozero
    except ModuleNotFoundError:
        raise GpioError("gpiozero is missing: apt install python3-gpiozero") from None
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            # gpiozero 2 has ensure_pin_factory for it, which Debian's 1.6 has not
            return gpiozero.Device.pin_factory or gpiozero.Device._default_pin_factory()
        except Exception as error:  # anything that a factory meets
            chosen = one_line(os.environ.get(_NAME, ""), 20)
            tried = "; ".join(str(each.message).removeprefix("Falling back from ") for each in told)
            which = f"pin factory {chosen} does not work (apt install python3-lgpio, or empty GPIOZERO_PIN_FACTORY)" if chosen else _NONE
            raise GpioError(with_own_text(which, tried or str(error))) from None
