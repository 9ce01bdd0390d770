"""Whom notify tells, as its file of addresses is edited."""

from pathlib import Path

from pimains.core.instance import Instance
from pimains.notify.service import AddressBook
from pimains.notify.settings import NotifySettings
from tests.kit import TOP


def test_an_address_that_an_editor_took_out_of_the_file_for_a_moment_is_the_same_as_before(tmp_path: Path) -> None:
    file = tmp_path / "apprise.conf"
    file.write_text("json://one\njson://two\n")
    file.chmod(0o600)
    given = dict.fromkeys(NotifySettings.declared(), "")
    defaults = {path.name: path.read_text().partition("\n")[0] for path in (TOP / "services/notify/variables").iterdir()}
    book = AddressBook(Instance("notify", tmp_path), NotifySettings({**given, **defaults, "APPRISE_FILE": str(file)}))
    before = book.addresses()
    assert len(before) == 2
    file.write_text("")  # and then the editor writes
    assert book.addresses() == []
    file.write_text("json://two\njson://one\n")
    assert [id(address) for address in book.addresses()] == [id(address) for address in before[::-1]]
