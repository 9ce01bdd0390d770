"""What the code of a rule may leave behind: in itself for the next time that it is asked, or in its process for the rules after it.

It is told by its code before that runs, and too often rather than too seldom: who only reads what it is given, and reckons, leaves nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from opcode import opmap
from types import CodeType, FunctionType, ModuleType

_HARMLESS = {"math", "time", "datetime"}  # modules: whoever imports others may set what all of the process share
_CHANGES_OBJECTS = {opmap[name] for name in ("STORE_ATTR", "DELETE_ATTR")}
_CHANGES_GLOBALS = {opmap[name] for name in ("STORE_GLOBAL", "DELETE_GLOBAL")}
_FAR = {
    *("exec", "eval", "compile", "getattr", "setattr", "delattr", "globals", "vars", "locals", "open", "breakpoint", "help"),
    *("put", "put_known", "forget", "asked", "timers", "at", "gi_frame", "cr_frame", "ag_frame", "sys"),
}
_UNCHANGING = (str, bytes, int, float, complex, type(None), ModuleType)
_MADE_BY_A_FILE = {"__module__", "__qualname__", "__name__", "__doc__", "__annotations__"}


def in_process(code: CodeType) -> bool:
    """Whether it may change what other rules in its process are given."""
    for each in _all(code):
        if any(name in _FAR or (name.startswith("_") and name != "_" and name not in _MADE_BY_A_FILE) for name in each.co_names):
            return True
        for operation, name in _operations(each):
            if operation in _CHANGES_OBJECTS or (operation == opmap["IMPORT_NAME"] and each.co_names[name] not in _HARMLESS):
                return True
    return False


def in_itself(code: CodeType, names: Mapping[str, object]) -> bool:
    """Whether it may remember something; `names` are those of its file, once it has run."""
    changes = _CHANGES_OBJECTS | _CHANGES_GLOBALS
    if any(operation in changes for each in _all(code) for operation, _ in _operations(each)):
        return True
    return not _is_unchanging(names.values())


def _is_unchanging(values: Iterable[object]) -> bool:
    for value in values:
        if isinstance(value, FunctionType):
            defaults = [*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]
            if value.__closure__ or value.__dict__ or not _is_unchanging(defaults):
                return False
        elif isinstance(value, tuple | frozenset):
            if not _is_unchanging(value):
                return False
        elif not isinstance(value, _UNCHANGING):
            return False
    return True


def _all(code: CodeType) -> Iterator[CodeType]:
    """With the code of all functions within it."""
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _all(each)


def _operations(code: CodeType) -> Iterator[tuple[int, int]]:
    """Each with its argument."""
    argument = 0
    for operation, low in zip(code.co_code[::2], code.co_code[1::2], strict=True):
        argument = argument << 8 | low
        if operation != opmap["EXTENDED_ARG"]:
            yield operation, argument
            argument = 0
