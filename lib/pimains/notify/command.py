"""Tell people something through the notify service: by mail, apprise, LCD and desktop, whatever it is set to."""

import argparse
import sys
import time

from pimains.core import coming_up, notify_queue
from pimains.core.errors import PimainsError
from pimains.notify import reports

_FETCHED_WITHIN_SECONDS = 5
_TOLD_WITHIN_SECONDS = 660  # a delivery may take ten minutes, if somebody set it so


def arguments(parser: argparse.ArgumentParser) -> None:
    """What may follow `pimains notify`."""
    parser.add_argument("text", metavar="TEXT", nargs="?", help="what to say; - reads it from standard input")
    parser.add_argument("--subject", help="the subject line; the first line of TEXT if there is none")
    parser.add_argument("--event", default="message", help="messages of one event are throttled together (default: %(default)s)")
    parser.add_argument("--test", action="store_true", help="send a message now, past the throttle, and tell what becomes of it")


def run(options: argparse.Namespace) -> int:
    """Post the message; with --test wait for what becomes of it."""
    if options.text is None and not options.test:
        print("pimains notify: TEXT is missing (pimains notify --help)", file=sys.stderr)
        return 2
    text = sys.stdin.read() if options.text == "-" else options.text or "If you read this, pimains can tell you."
    first, _, rest = text.strip().partition("\n")
    subject, body = (options.subject, text) if options.subject else (first, rest)
    try:
        service = coming_up.only_one("notify")
        name = coming_up.patiently(
            service, lambda: notify_queue.put(subject, body.strip(), notify_queue.TEST if options.test else options.event)
        )
    except FileNotFoundError:
        raise PimainsError("there is no notify service here: create_service --service_name=notify --add-service") from None
    except OSError as error:
        raise PimainsError(f"{notify_queue.queue()}: {error.strerror} (root and members of group pimains may write there)") from None
    return _follow(name) if options.test else 0


def _follow(name: str) -> int:
    print("posted; waiting for the notify service", flush=True)
    until = time.monotonic() + _FETCHED_WITHIN_SECONDS
    while name in notify_queue.waiting():
        if time.monotonic() > until:
            raise PimainsError("the message stays in the queue: does the notify service run, and has it anybody to tell? (pimains status)")
        time.sleep(0.1)
    # what became of it is written down before it leaves the queue
    if name not in reports.read():
        raise PimainsError("the message was dropped: the queue was full, or the disk is (pimains status)")
    told: dict[str, str] = {}
    until = time.monotonic() + _TOLD_WITHIN_SECONDS
    while time.monotonic() < until:
        report = reports.read().get(name, {})
        for address, words in report.items():
            if words != reports.NOT_KNOWN and address not in told:
                told[address] = words
                print(f"{address}: {words}", flush=True)
        if report and len(told) == len(report):
            return 0 if all(words == notify_queue.DELIVERED for words in told.values()) else 1
        time.sleep(0.1)
    raise PimainsError("the notify service did not tell what became of it: does it run? (pimains status)")
