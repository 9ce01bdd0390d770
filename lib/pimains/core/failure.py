"""A failure that a library tells of, as a person can use it: one line, what is wrong, at most LONGEST characters.

The library's own text is for its authors: it names objects, addresses and modules. It follows only where LOG_LEVEL=debug asks for it.
"""

import os
from collections.abc import Mapping

from pimains.core.plan.text import one_line, short_line, shortened

LONGEST = 120  # characters
_SHORT = 80
_UNKNOWN = "it failed in a way that nobody has foreseen; LOG_LEVEL=debug tells more"
_LIBRARIES_WITH_WORDS = ("sqlite3",)  # what it says is SQLite's (sqlite.org/rescode.html), or about the table that is missing
_ITS_OWN_WORDS = {
    "SSLCertVerificationError": "verify_message",  # of OpenSSL: certificate has expired
    "gaierror": "strerror",  # of the resolver, whose numbers are not those of errno
}
# by the names of the classes, so that nothing heavy is imported for it
_WORDS = {
    "gaierror": "its name is not known",
    "SSLError": "it speaks no TLS there",
    "CertificateError": "its certificate is for another name",
    "TimeoutError": "no answer in time",
    "TimeoutStateError": "no answer in time",
    "Timeout": "no answer in time",
    "timeout": "no answer in time",
    "RemoteDisconnected": "it hung up without an answer",
    "IncompleteRead": "the answer broke off",
    "ProtocolError": "the answer broke off",
    "ChunkedEncodingError": "the answer broke off",
    "ContentDecodingError": "the answer cannot be unpacked",
    "DecodeError": "the answer cannot be unpacked",
    "HTTPException": "what answers there speaks no HTTP",
    "SMTPServerDisconnected": "it hung up without an answer",
    "SMTPNotSupportedError": "it offers no login that is known here",
    "SMTPException": "what answers there speaks no SMTP",
    "ConnectionError": "no connection to it",
    "NewConnectionError": "no connection to it",
    "InvalidURL": "its address cannot be one",
    "LocationParseError": "its address cannot be one",
    "UnicodeError": "its name cannot be one",
    "MemoryError": "there is no memory left",
    "DatabaseError": "its database cannot be used",
}


def in_words(error: BaseException, known: Mapping[str, str] = {}, unknown: str = _UNKNOWN) -> str:  # nobody writes into a Mapping
    """What is wrong, by the innermost cause that can be told, else `unknown`; `known` has the words for more classes, by their names."""
    chain = _chain(error)
    words = next(filter(None, (_words(each, known) for each in reversed(chain))), "")
    return with_own_text(shortened(one_line(words or unknown), LONGEST), f"{type(error).__name__}: {own_text(error)}")


def with_own_text(words: str, own: str) -> str:
    """`words`, and a library's `own` text for those who debug."""
    is_wanted = os.environ.get("LOG_LEVEL", "").lower() == "debug"
    return f"{words} ({short_line(own)})" if is_wanted else words


def _chain(error: BaseException) -> list[BaseException]:
    """From what was raised to what caused it."""
    found = [error]
    while True:
        last = found[-1]
        wrapped = (getattr(last, "reason", None), *last.args, last.__cause__, last.__context__)
        inner = next((each for each in wrapped if isinstance(each, BaseException) and each not in found), None)
        if inner is None:
            return found
        found.append(inner)


def _words(error: BaseException, known: Mapping[str, str]) -> str:
    names = [kind.__name__ for kind in type(error).__mro__]
    number = error.errno if isinstance(error, OSError) and isinstance(error.errno, int) else 0
    for name in names:
        if name in known:
            return known[name]
        own = getattr(error, _ITS_OWN_WORDS.get(name, ""), None)
        if isinstance(own, str) and 0 < len(own) <= _SHORT:
            return own.rstrip(".")
        if _has_words(error):
            return own_text(error)
        if name in _WORDS and (number <= 0 or name.startswith("SSL")):
            return _WORDS[name]
    return os.strerror(number) if number > 0 else ""


def _has_words(error: BaseException) -> bool:
    text = own_text(error)
    return type(error).__module__ in _LIBRARIES_WITH_WORDS and 0 < len(text) <= _SHORT and text.isprintable()


def own_text(error: BaseException) -> str:
    """What the library says of it; '' if it cannot."""
    try:
        return str(error)
    except Exception:  # each library has errors of its own, and not all can be told
        return ""
