"""The service notify: services/notify/README.md says what it is for, this how it goes about it."""

from collections.abc import Callable, Iterator
from pathlib import Path

from pimains.core import notify_queue, state
from pimains.core.errors import Away, Refused, WrongSetting
from pimains.core.service import Instance, Naps, Stop, run, within
from pimains.core.troubles import Troubles
from pimains.notify import apprise
from pimains.notify.address import Address, Words
from pimains.notify.dispatch import Dispatcher
from pimains.notify.settings import NotifySettings
from pimains.shared.screens import lines

_GOODBYE_SECONDS = 3.0
_MAIL_SETTINGS = {
    "certificate": "MAIL_CA",
    "security": "MAIL_SECURITY",
    "login": "MAIL_PASSWORD",
    "sender": "MAIL_FROM",
    "recipient": "MAIL_TO",
    "host": "MAIL_HOST",
}


def notify_people(me: Instance, settings: NotifySettings) -> Naps:
    """Fetch messages from the queue, as often as people want to hear, and deliver each to every address."""
    dispatcher = Dispatcher(me, settings)
    book = AddressBook(me, settings)
    watch = state.Watch(notify_queue.queue())
    try:
        while True:
            dispatcher.addresses = book.addresses()
            watch.changed()
            dispatcher.sort()
            dispatcher.send()
            line, well = dispatcher.how_it_is()
            me.status(book.trouble or line, well=well and not book.trouble)
            yield within(dispatcher.seconds_to_wait(), watch, *dispatcher.deliveries())
            dispatcher.collect()
    except Stop:
        until = me.clock.monotonic() + _GOODBYE_SECONDS
        while dispatcher.deliveries() and me.clock.monotonic() < until:
            yield within(until - me.clock.monotonic(), *dispatcher.deliveries())
            dispatcher.collect()
    finally:
        dispatcher.close()


class AddressBook:
    """Everybody to tell: those named in the settings, and those in the apprise file, which is read anew when it changes."""

    def __init__(self, me: Instance, settings: NotifySettings) -> None:
        self.trouble = ""
        self._troubles = Troubles(me.complain)
        self._settings = settings
        self._fixed = [*_mail(settings), *_lines(settings)]
        self._apprise: list[Address] = []
        self._known: dict[str, Address] = {}  # whoever is told something just now must not be forgotten while the file is being edited
        self._apprise_was: tuple[float, int] | None = None

    def addresses(self) -> list[Address]:
        """Everybody to tell now; `trouble` says what is wrong with the list."""
        trouble = self._look_at_apprise_file()
        found = [*self._fixed, *self._apprise]
        if not found and not trouble:
            file = self._settings.APPRISE_FILE or "APPRISE_FILE"
            trouble = f"nobody to tell: {self._settings.directory}/MAIL_TO, LCD_HOST and NOTIFY_HOST are empty, and so is {file}"
        self._troubles.look("addresses", trouble)
        self.trouble = trouble
        return found

    def _look_at_apprise_file(self) -> str:
        path = self._settings.APPRISE_FILE
        is_now = _changed(path) if path else None
        if path is None or is_now == self._apprise_was:
            return ""
        try:
            found = apprise.addresses(path)
            if found and path.stat().st_mode & 0o077:
                print(f"{path}: holds secrets that others may read (chmod 600 {path})")
        except OSError as error:
            return f"{path}: {error.strerror}; user pimains must be able to read it"
        self._apprise_was = is_now
        self._known |= {address.id: _apprise(address, self._settings) for address in found if address.id not in self._known}
        self._apprise = [self._known[address.id] for address in found]
        return ""


def _changed(path: Path) -> tuple[float, int] | None:
    try:
        now = path.stat()
    except OSError:
        return None
    return now.st_mtime, now.st_size


def _mail(settings: NotifySettings) -> Iterator[Address]:
    def deliver_to(recipient: str) -> Callable[[Words], None]:
        def deliver(words: Words) -> None:
            from pimains.notify import mail  # ten megabytes, and only for the delivery

            server = mail.MailServer(
                settings.MAIL_HOST or "",
                settings.MAIL_PORT,
                settings.MAIL_SECURITY,
                settings.MAIL_USER,
                settings.MAIL_PASSWORD,
                settings.MAIL_CA,
                settings.SEND_SECONDS_MAX,
            )
            sender = settings.MAIL_FROM or ""
            message = mail.written(sender, recipient, f"{words.host}: {words.subject}", words.body, words.wall, words.id)
            try:
                mail.send(server, sender, recipient, message)
            except mail.MailError as error:
                if not error.permanent:
                    raise Away(f"{server.host} port {server.port}: {error}") from None
                if error.part == "message":
                    raise Refused(f"{server.host}: {error}") from None
                raise settings.wrong(_MAIL_SETTINGS[error.part], f"{server.host} port {server.port}: {error}") from None

        return deliver

    for recipient in settings.MAIL_TO:
        yield Address(f"mail-{recipient}", f"mail to {recipient}", deliver_to(recipient))


def _lines(settings: NotifySettings) -> Iterator[Address]:
    def lcd(words: Words) -> bytes:
        return lines.lcd_text(words.subject)

    def desktop(words: Words) -> bytes:
        return lines.desktop_text(f"{words.host}: {words.subject}", words.body)

    for name, text, host, port, fifo in (
        ("LCD", lcd, settings.LCD_HOST, settings.LCD_PORT, settings.LCD_FIFO),
        ("desktop", desktop, settings.NOTIFY_HOST, settings.NOTIFY_PORT, settings.NOTIFY_FIFO),
    ):
        if host:
            yield Address(f"{name}-{host}-{port}", f"{name} at {host}", _by_datagram(host, port, text, to_each=text is lcd))
        if fifo:
            yield Address(f"{name}-{fifo}", f"{name} behind {fifo}", _by_fifo(fifo, text))


def _by_datagram(host: str, port: int, text: Callable[[Words], bytes], *, to_each: bool) -> Callable[[Words], None]:
    return lambda words: lines.send_datagram(host, port, text(words), to_each=to_each)


def _by_fifo(path: Path, text: Callable[[Words], bytes]) -> Callable[[Words], None]:
    return lambda words: lines.write_fifo(path, text(words))


def _apprise(address: apprise.Address, settings: NotifySettings) -> Address:
    def deliver(words: Words) -> None:
        try:
            apprise.send(address, f"{words.host}: {words.subject}", words.body, settings.SEND_SECONDS_MAX)
        except WrongSetting as wrong:
            raise WrongSetting(f"{settings.APPRISE_FILE}: {wrong}") from None

    return Address(address.id, address.name, deliver, heavy=True)


if __name__ == "__main__":
    run(notify_people, NotifySettings)
