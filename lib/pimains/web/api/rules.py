"""The page of rules: what each relay's rule says, forms of the ready-made ones, and the editor of blocks with try-out and replay.

Nothing of it decides anything: what is saved lies where rules finds it (shared/blocks/saving.py), which takes or refuses it and says so;
what a draft would say or would have done, the real rules tell in a process of their own (rule_drafts.py).
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from pimains.core.errors import PimainsError
from pimains.shared import http_server as http
from pimains.shared.blocks import saving, table, workspace
from pimains.shared.blocks.saving import Conflict, Result
from pimains.shared.blocks.workspace import Document, Wrong
from pimains.shared.relays import relay_settings
from pimains.web import blockly_styles, rule_drafts, rule_templates, rules_there, verbs
from pimains.web.children import Children
from pimains.web.routes import Answer, Operation, Routes, asked
from pimains.web.rule_drafts import Drafts
from pimains.web.rules_there import Places, RuleThere
from pimains.web.seen import Seen

_KINDS_SECONDS = 30.0
_ANSWER_SECONDS = 4.0  # rules is to say so long what has become of what was saved; then the page asks on
_SAME_SECONDS = 1.5  # the same where it has said so already
_LOOK_SECONDS = 0.05
_SINCE = ("1d", "2d", "7d", "30d")
_BYTES_MAX = workspace.BYTES_MAX + 16 * 1024  # with what is pretended
_DRAFT = {
    "workspace": "the editor's workspace (Blockly 13), with set, or",
    "set": "the number of the set of blocks that it is made of",
    "ready": "the settings of a ready-made rule by their names, KIND among them",
}
_NUMBER = {"number": "the relay's number, 1-999"}


class Rules:
    """`children` are started where nobody else may write."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._children = Children(seen.me.run)
        self._drafts = Drafts(self._children, seen.scan)
        self._kinds: list[Any] | None = None

    def add_to(self, routes: Routes) -> None:
        """Its page and paths."""
        routes.page("rules", blockly_styles.HASHES)
        routes.shows("/v1/rules", self.show_all, Operation("What the rule of each relay is, and says"))
        routes.shows("/v1/rules/kinds", self.show_kinds, Operation("The ready-made rules, and the settings of each"))
        routes.shows("/v1/rules/blocks", self.show_blocks, Operation("The blocks that a rule may be made of, and rules to begin with"))
        routes.shows("/v1/rules/{number}", self.show, Operation("The rule of a relay, and its last versions", path=_NUMBER))
        routes.does(
            "/v1/rules/{number}",
            self.save,
            Operation(
                "Have the rule of a relay made of this",
                path=_NUMBER,
                body={
                    **_DRAFT,
                    "remove": "true: there is to be no rule",
                    "made_from": "the digest of the rule that it was made from, empty where there was none",
                    "overwrite": "true: also where that was changed meanwhile, or by hand",
                },
            ),
        )
        routes.does(
            "/v1/rules/{number}/check",
            self.check,
            Operation(
                "What is wrong with a rule that is not saved, or what it would say",
                path=_NUMBER,
                body={**_DRAFT, "pretended": "what is to be taken for so, as pimains rule check --pretend has it"},
            ),
        )
        routes.does(
            "/v1/rules/{number}/replay",
            self.replay,
            Operation(
                "When the relay would have been on with it, by what was recorded",
                path=_NUMBER,
                body={**_DRAFT, "since": f"one of {', '.join(_SINCE)}"},
            ),
        )

    async def show_all(self, _: web.Request) -> Answer:
        """GET /v1/rules."""
        return await asyncio.to_thread(self._all)

    def _all(self) -> dict[str, Any]:
        there, wall = self._places(), self._seen.clock.wall()
        found = [{**self._described(there, rule), **rules_there.told(there, rule.number, wall)} for rule in _relays_of(there)]
        return {"rules": found, "has_relays": there.relays is not None, "has_rules": there.rules is not None}

    def _places(self) -> Places:
        return rules_there.places(self._seen.instances(), self._seen.run, self._seen.lib)

    def _described(self, there: Places, rule: RuleThere) -> dict[str, Any]:
        result = saving.result(self._told_in, rule.number)
        return {
            "number": rule.number,
            "name": rule.name,
            "made": rule.made,
            "kind": rule.kind,
            "file": rule.file,
            "besides": rule.besides,
            "may_be_saved": rule.may_be_saved,
            "result": None if result is None else result._asdict(),
            "is_changed_by_hand": rule.made in (rules_there.BLOCKS, rules_there.FORM) and self._is_changed(there, rule, result),
        }

    @property
    def _told_in(self) -> Path:
        return self._seen.run / "rules"

    def _is_changed(self, there: Places, rule: RuleThere, result: Result | None) -> bool:
        """Whether rules has said that what it once made is another thing now."""
        return (result is not None and result.word == saving.CHANGED) or saving.current(there.made, rule.number) is None

    async def show_kinds(self, _: web.Request) -> Answer:
        """GET /v1/rules/kinds."""
        if self._kinds is None:
            self._kinds = await verbs.answer("rule", "kinds", "--json", seconds=_KINDS_SECONDS)
        return {"kinds": self._kinds, "values": self._values()}

    def _values(self) -> dict[str, str]:
        """The values that rules may ask for, as they are now."""
        return {name: value.text for name, value in self._seen.live.values().items() if rule_templates.is_value_of_rules(name)}

    async def show_blocks(self, _: web.Request) -> Answer:
        """GET /v1/rules/blocks."""
        there, language, values = self._places(), self._seen.settings.LANGUAGE, self._values()
        relays = {str(rule.number): rule.name for rule in await asyncio.to_thread(_relays_of, there)}
        return {
            "set": table.SET,
            "definitions": table.definitions(language, relays),
            "toolbox": table.toolbox(language),
            "first": table.first_workspace(),
            "values": values,
            "relays": sorted(relays, key=int),
            "templates": rule_templates.all_of_them(language, values),
            "command": "sudo create_service --service_name=vedirect --instance=vedirect.bmv --add-service",
        }

    async def show(self, request: web.Request) -> Answer:
        """GET /v1/rules/3."""
        number = _number(request)
        return await asyncio.to_thread(self._one, number)

    def _one(self, number: int) -> dict[str, Any]:
        there = self._places()
        rule = rules_there.of(there, number)
        path = Path(rule.file) if rule.file else None
        current = saving.current(there.made, number)
        versions = [
            {"version": each.number, "saved": each.saved, "digest": each.digest, **_content(each.content)}
            for each in reversed(saving.versions(there.made, number))
        ]
        return {
            **self._described(there, rule),
            **rules_there.told(there, number, self._seen.clock.wall()),
            "digest": current.digest if current else "",
            "saved": _content(current.content) if current else None,
            "versions": versions,
            "settings": rules_there.settings(path) if path and path.suffix == ".rule" else {},
            "text": rules_there.text(path) if path and path.suffix == ".py" else "",
        }

    async def save(self, request: web.Request) -> Answer:
        """POST /v1/rules/3: what rules has made of it within a few seconds; "waiting" where it has not said."""
        number, given = _number(request), await asked(request, _BYTES_MAX)
        try:
            draft = rule_drafts.checked(number, given)
        except Wrong as wrong:
            return _refused(wrong)
        there = self._places()
        if there.rules is None:
            raise http.refusal(409, "no service rules on this machine: sudo create_service --service_name=rules --add-service")
        rule = await asyncio.to_thread(rules_there.of, there, number)
        if not rule.may_be_saved:
            raise http.refusal(409, f"{rule.file} is root's, and counts more: nothing saved here would be in use")
        before = saving.result(self._told_in, number)
        try:
            digest = await asyncio.to_thread(saving.save, there.made, number, _content_of(given, draft))
        except Conflict as conflict:
            return {"word": saving.CONFLICT, "words": str(conflict), "digest": "", "block": ""}
        except OSError as error:
            raise PimainsError(f"{error.filename or there.made}: {(error.strerror or str(error)).lower()}") from None
        return await self._result(number, digest, before)

    async def _result(self, number: int, digest: str, before: Result | None) -> Answer:
        """What stood there before of the same one may be what became of it then."""
        is_old = before is not None and before.digest == digest and before.word not in (saving.ACCEPTED, saving.REMOVED)
        until = self._seen.clock.monotonic() + (_SAME_SECONDS if is_old else _ANSWER_SECONDS)
        while self._seen.clock.monotonic() < until:
            found = saving.result(self._told_in, number)
            if found is not None and found.digest == digest and not (is_old and found == before):
                return {**found._asdict(), "block": ""}
            await asyncio.sleep(_LOOK_SECONDS)
        if before is not None and is_old:
            return {**before._asdict(), "block": ""}
        return {"word": "waiting", "words": "", "digest": digest, "block": ""}

    async def check(self, request: web.Request) -> Answer:
        """POST /v1/rules/3/check."""
        number, given = _number(request), await asked(request, _BYTES_MAX)
        pretended = given.get("pretended", {})
        if not isinstance(pretended, dict):
            raise http.refusal(400, "pretended: no object")
        try:
            draft = _something(rule_drafts.checked(number, given))
        except Wrong as wrong:
            return rule_drafts.wrong(wrong)
        return await self._drafts.check(_who(request), number, draft, pretended, _is_there(request))

    async def replay(self, request: web.Request) -> Answer:
        """POST /v1/rules/3/replay."""
        number, given = _number(request), await asked(request, _BYTES_MAX)
        since = given.get("since", "7d")
        if since not in _SINCE:
            raise http.refusal(400, f"since: one of {', '.join(_SINCE)}")
        try:
            draft = _something(rule_drafts.checked(number, given))
            return {"fault": "", **await self._drafts.replay(_who(request), number, draft, since, _is_there(request))}
        except PimainsError as error:  # no collector, nothing recorded: it is not the browser's fault, and stands beside the rule
            return {"fault": str(error)}


def _relays_of(there: Places) -> list[RuleThere]:
    try:
        return rules_there.look(there)
    except OSError as error:
        raise PimainsError(f"{there.relays}: {(error.strerror or str(error)).lower()}") from None


def _number(request: web.Request) -> int:
    text = request.match_info["number"]
    if not relay_settings.is_number(text):
        raise http.refusal(404, "a relay has a number, 1-999")
    return int(text)


def _something(draft: Document) -> Document:
    if draft.is_removal:
        raise Wrong("there is no rule to be tried in it")
    return draft


def _content(content: Mapping[str, Any]) -> dict[str, Any]:
    """What a page does with one that was saved; of one that a newer pimains has saved, that it is so."""
    try:
        found = workspace.document(content)
    except Wrong as wrong:
        return {"is_newer": False, "fault": str(wrong), "workspace": None, "ready": None, "is_removal": False}
    blocks = content.get("workspace") if found.is_newer else found.workspace
    return {"is_newer": found.is_newer, "workspace": blocks, "ready": found.ready, "is_removal": found.is_removal}


def _content_of(given: Mapping[str, Any], draft: Document) -> dict[str, Any]:
    found: dict[str, Any] = {"format": workspace.FORMAT, "made_from": draft.made_from or "", "overwrite": draft.overwrite}
    if draft.workspace is not None:
        found |= {"set": given["set"], "workspace": draft.workspace}
    elif draft.ready is not None:
        found |= {"ready": draft.ready}
    else:
        found |= {"remove": True}
    return found


def _refused(wrong: Wrong) -> dict[str, Any]:
    return {"word": saving.REFUSED, "words": str(wrong), "digest": "", "block": wrong.block}


def _who(request: web.Request) -> str:
    """One session, as its orders' token has it."""
    return request.headers.get("X-CSRF-Token", "")


def _is_there(request: web.Request) -> Callable[[], bool]:
    """Whether the browser still waits: it goes away from what it asked for before."""
    return lambda: request.transport is not None and not request.transport.is_closing()
