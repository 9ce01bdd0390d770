"""A collector, over HTTP: readings go there, acknowledgements come back (the words are in shared/plan/delivery).

Raises Away when trying again may help, NotTaken when somebody has to look after a setting.
"""

from pathlib import Path
from typing import Any

import requests
import requests.adapters

from pimains.core.errors import Away, PimainsError
from pimains.core.failure import LONGEST, in_words, own_text
from pimains.core.plan.text import one_line, shortened
from pimains.shared.plan import delivery
from pimains.shared.plan.delivery import Answer, Batch

_CONNECT_SECONDS = 5
_ANSWER_SECONDS = 240  # a collector may hold a few readings for 200 s before it writes them down
_LONGEST_REFUSAL = 200  # it names two machines
_ANSWER_BYTES_MAX = 64 * 1024 + 64 * delivery.ROWS_MAX


class NotTaken(PimainsError):
    """The collector will not take it; `setting` is what to look at."""

    def __init__(self, setting: str, line: str) -> None:
        super().__init__(line)
        self.setting = setting


class Collector:
    """The collector at `url`; it proves itself by a certificate of `ca`, or of the system's, or by its `fingerprint` (SHA-256)."""

    def __init__(self, url: str, token: str | None, ca: Path | None, fingerprint: str | None) -> None:
        self._url = url.rstrip("/") + delivery.PATH
        self._session = requests.Session()
        self._session.trust_env = False  # no proxies, no .netrc: the token goes to the collector only
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"
        self._proof = "FINGERPRINT" if fingerprint else "CA"
        self._session.headers["Content-Type"] = "application/json"
        if ca:
            self._session.verify = str(ca)
        if fingerprint:
            self._session.verify = False
            self._session.mount("https://", _Pinned(fingerprint))

    def send(self, batch: Batch) -> Answer:
        """Returns which sequence of each run is stored for good."""
        try:
            with self._session.post(
                self._url,
                data=delivery.written(batch),
                timeout=(_CONNECT_SECONDS, _ANSWER_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as answer:
                body = answer.raw.read(_ANSWER_BYTES_MAX, decode_content=True)
                _check(answer.status_code, body)
                return delivery.read_answer(body)
        except PimainsError:
            raise
        except Exception as error:
            told = failed(error, self._proof)
            if told is None:
                raise
            raise told from None

    def close(self) -> None:
        """Hang up."""
        self._session.close()


def _check(status: int, body: bytes) -> None:
    words = one_line(body[:200].decode("utf-8", "replace"), 60)
    if status == 409:
        raise NotTaken("SOURCE", shortened(delivery.read_refusal(body), _LONGEST_REFUSAL))
    if status in (401, 403):
        raise NotTaken("TOKEN", f"the collector does not take it ({status})")
    if status in (400, 404, 405, 413):
        raise NotTaken("COLLECTOR", f"no collector that takes these readings: {status} {words}")
    if status != 200:
        raise Away(f"it answers {status} {words}".rstrip())


def failed(error: Exception, proof: str) -> PimainsError | None:
    """What requests, urllib3, ssl and http.client raise, in words; None for a defect. `proof`: where the certificate is set."""
    text = own_text(error)
    if isinstance(error, requests.exceptions.SSLError):
        why = "it has another fingerprint" if "ingerprint" in text else in_words(error)
        return NotTaken(proof, shortened(f"the collector's certificate is not believed: {why}", LONGEST))
    if isinstance(error, OSError) and "CA certificate bundle" in text:
        return NotTaken("CA", "there is no such file, or user pimains may not read it")
    if isinstance(error, OSError | ValueError) or type(error).__module__.partition(".")[0] in ("urllib3", "http"):
        return Away(in_words(error))
    return None


class _Pinned(requests.adapters.HTTPAdapter):
    """Believes the one certificate that has this fingerprint, whoever signed it."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        """As requests does, with the fingerprint."""
        super().init_poolmanager(*args, assert_fingerprint=self._fingerprint, **more)  # type: ignore[no-untyped-call]  # the stubs that go with Debian's urllib3 do not type it
