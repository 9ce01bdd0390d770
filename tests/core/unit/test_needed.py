"""A service whose library is missing says what to install."""

from pathlib import Path

import pytest

from pimains.core.errors import WrongSetting
from pimains.core.library import Needed


def test_a_missing_module_is_one_line_with_the_package_that_brings_it() -> None:
    with Needed("python3-such") as library:
        import no_such_module  # type: ignore[import-not-found]  # noqa: F401
    with pytest.raises(WrongSetting) as error:
        library.must_be_there(Path("/etc/service/such"))
    assert str(error.value) == "the Python module no_such_module is missing: apt install python3-such, then svc -t /etc/service/such"


def test_what_is_there_is_not_complained_about() -> None:
    with Needed("python3-such") as library:
        import json  # noqa: F401
    library.must_be_there(Path("/etc/service/such"))


def test_anything_else_that_is_wrong_with_a_library_is_not_hidden() -> None:
    with pytest.raises(ImportError, match="cannot import name"), Needed("python3-such"):
        from json import no_such_name  # noqa: F401
