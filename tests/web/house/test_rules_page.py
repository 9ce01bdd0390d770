"""The page of rules in a real browser, beside real rules and relays: forms, blocks, try-out, replay, what becomes of what is saved."""

import base64
import hashlib
import json
import math
import shutil
import time
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page

from pimains.shared.blocks import saving, table
from pimains.web import blockly_styles
from tests.kit import TOP, House, free_port, until
from tests.rules.built import B, value, workspace
from tests.rules.journals import Recording
from tests.rules.rules import Rules
from tests.web.page import PASSWORD, Pages, Web, axe

EVIL = "<img src=x onerror=alert(1)>"
DAYS = 7


class RulesPage:
    """A house with relays 1 (boiler) and 2, a battery, and a week of it recorded; `web` is its page."""

    def __init__(self, house: House, pages: Pages, **variables: str) -> None:
        self.house, self.pages = house, pages
        house.add("collector", svscan=False, RECORD="vedirect.bmv/SOC=%", LISTEN="127.0.0.1:1")
        (house.scan / "collector/down").touch()  # nobody waits until it comes up
        self._record()
        port = free_port()
        house.add("web", svscan=False, LISTEN=f"127.0.0.1:{port}", PASSWORD=PASSWORD, **variables)
        self.rules = Rules(house, {"NAME": "boiler", "WATTS": "1000"}, {"NAME": EVIL})
        self.rules.put("vedirect.bmv/SOC", "50")
        self.web = Web(house, "web")
        self.web.url = f"http://127.0.0.1:{port}"
        until((self.web.run / "url").is_file, what=self.web.story)

    def _record(self) -> None:
        lib = self.house.root / "var/lib/pimains/collector"
        lib.mkdir()
        recording = Recording(lib / "journal.sqlite")
        end = time.time()
        begin = end - DAYS * 86400
        looks = [(begin + 600 * step, round(80 + 20 * math.sin(step / 72 * math.pi))) for step in range(DAYS * 144)]
        recording.looked("vedirect.bmv/SOC", looks, unit="%")
        recording.close()
        for path in (lib, *lib.iterdir()):
            shutil.chown(path, "pimains", "pimains")
            path.chmod(0o750 if path.is_dir() else 0o640)

    def open(self, path: str, *, width: int = 1440, dark: bool = False) -> Page:
        page = self.pages.logged_in(self.web.url, "/rules", width=width, dark=dark)
        page.locator("#rules .card").first.wait_for()
        if path != "/rules":
            page.goto(self.web.url + path)
        return page

    @property
    def made(self) -> Path:
        return self.house.root / "var/lib/pimains/rules"


def drag(page: Page, what: Locator, to: Locator, at: tuple[float, float]) -> None:
    """With a real mouse: what lies at the left edge of a block to `at`, from the corner of another."""
    begin, end = what.bounding_box(), to.bounding_box()
    assert begin
    assert end
    page.mouse.move(begin["x"] + 8, begin["y"] + begin["height"] / 2)
    page.mouse.down()
    page.mouse.move(begin["x"] + 40, begin["y"] + 30, steps=4)
    page.mouse.move(end["x"] + at[0], end["y"] + at[1], steps=12)
    page.mouse.up()


def test_a_rule_is_built_by_blocks_tried_replayed_and_saved_and_switches_a_relay(house: House, pages: Pages) -> None:
    rules = RulesPage(house, pages)
    page = rules.open("/rules")
    page.get_by_role("link", name="Make a rule").first.click()
    page.get_by_role("button", name="Of blocks").click()
    hat = page.locator(".blocklyBlockCanvas .rule > .blocklyPath")
    hat.wait_for()
    # built from nothing, by a mouse: the first block of the first drawer into the rule
    page.locator(".blocklyToolboxCategory").first.click()
    turn = page.locator(".blocklyFlyout:not([style*='none']) .turn > .blocklyPath").first
    turn.wait_for()
    drag(page, turn, hat, (26.0, 52.0))
    page.get_by_text("Would turn on: why").wait_for()

    # and then an example in its place
    page.locator("#template").select_option("08-above-89-percent")
    page.get_by_role("button", name="Take the example").click()
    answer = page.locator("#answer")
    page.get_by_text("Would turn off: the battery is at 50.0 %").wait_for()
    slider = page.get_by_role("slider", name="vedirect.bmv/SOC")
    slider.fill("95")
    page.get_by_text("Would turn on: the battery is at 95.0 %").wait_for()
    assert rules.rules.relays.instance.read("1.state") == "off"  # it was tried, and nothing more
    page.locator("#band .day .on").first.wait_for()
    assert page.locator("#past-sum").inner_text().endswith("kWh")
    assert page.locator("#band .day:not(.scale)").count() in (DAYS, DAYS + 1)
    assert answer.evaluate("each => each.className") == "good"

    page.get_by_role("button", name="Save and use it").click()
    page.locator("#saved").get_by_text("It is in use now.").wait_for()
    assert "def rule" in (rules.made / "1.py").read_text()
    rules.rules.until_says(1, "off the battery is at 50.0 %")
    rules.rules.put("vedirect.bmv/SOC", "96")
    rules.rules.until(1, "state", "on")
    page.locator("#edit-now").get_by_text("on: the battery is at 96.0 %. The relay is on.").wait_for()


def test_a_form_rule_is_made_by_keyboard_alone(house: House, pages: Pages) -> None:
    rules = RulesPage(house, pages)
    rules.rules.put("house/P", "900")
    page = rules.open("/rules")
    page.locator("#rules .card").first.wait_for()
    focused = page.locator(":focus")

    def tab_to(selector: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            if focused.count() and focused.evaluate("(each, selector) => each.matches(selector)", selector):
                return
        pytest.fail(f"Tab never came to {selector}")

    tab_to("#rules a")
    page.keyboard.press("Enter")
    page.locator("#setting-VALUE").wait_for()
    tab_to("#setting-VALUE")
    page.keyboard.type("house/P")
    tab_to("#setting-START_WATTS")
    page.keyboard.type("much")
    page.locator("#setting-START_WATTS-fault").get_by_text("'much' is no power in W").wait_for()
    page.keyboard.press("Control+A")
    page.keyboard.type("800")
    tab_to("#setting-START_SECONDS")
    page.keyboard.type("0")
    page.get_by_text("Would turn on: 900 W of surplus").wait_for()
    assert page.locator("#setting-START_WATTS-fault").is_hidden()
    tab_to("#save")
    page.keyboard.press("Enter")
    page.locator("#saved").get_by_text("It is in use now.").wait_for()
    assert (rules.made / "1.rule/START_WATTS").read_text().splitlines()[0] == "800"
    rules.rules.until(1, "state", "on")


def test_two_editors_hands_versions_and_a_removal(house: House, pages: Pages) -> None:
    rules = RulesPage(house, pages)
    first, second = rules.open("/rules#1/form"), rules.open("/rules#1/form")
    saved = "#saved"
    for page, begin in ((first, "6:00-7:00"), (second, "8:00-9:00")):
        page.locator("#kind").select_option("schedule")
        page.locator("#setting-TIMES").fill(begin)
    first.locator("#save").click()
    first.locator(saved).get_by_text("It is in use now.").wait_for()
    second.locator("#save").click()
    second.locator(saved).get_by_text("Somebody else has changed this rule meanwhile").wait_for()
    second.get_by_role("button", name="Look at theirs").click()
    second.get_by_role("button", name="Back to mine").wait_for()
    assert second.locator("#setting-TIMES").input_value() == "6:00-7:00"
    second.get_by_role("button", name="Back to mine").click()
    assert second.locator("#setting-TIMES").input_value() == "8:00-9:00"
    second.get_by_role("button", name="Write over theirs").click()
    second.locator("#ask-yes").click()
    second.locator(saved).get_by_text("It is in use now.").wait_for()
    times = rules.made / "1.rule/TIMES"
    assert times.read_text().splitlines()[0] == "8:00-9:00"

    # somebody edits it: that is not written over unasked
    times.write_text("10:00-11:00\n")
    until(lambda: rules.rules.instance.read("1.blocks").startswith("changed"), what="that it was edited")
    second.locator("#setting-TIMES").fill("12:00-13:00")
    second.locator("#save").click()
    second.locator("#ask").get_by_text("was changed by hand").wait_for()
    second.locator("#ask button[value=no]").click()
    assert times.read_text().splitlines()[0] == "10:00-11:00"
    second.locator("#save").click()
    second.locator("#ask-yes").click()
    second.locator(saved).get_by_text("It is in use now.").wait_for()
    assert times.read_text().splitlines()[0] == "12:00-13:00"

    # back to the first of all, and then none
    oldest = second.locator("#version option").last
    second.locator("#version").select_option(oldest.get_attribute("value"))
    second.get_by_text("This is an earlier version.").wait_for()
    assert second.locator("#setting-TIMES").input_value() == "6:00-7:00"
    second.locator("#save").click()
    second.locator(saved).get_by_text("It is in use now.").wait_for()
    assert times.read_text().splitlines()[0] == "6:00-7:00"
    second.locator("#remove").click()
    second.locator("#ask-yes").click()
    second.locator(saved).get_by_text("The rule is removed").wait_for()
    assert not times.parent.exists()


def test_what_is_wrong_is_said_at_its_block_and_blocks_to_come_are_only_looked_at(house: House, pages: Pages) -> None:
    rules = RulesPage(house, pages)
    page = rules.open("/rules#1/blocks")
    page.locator(".blocklyBlockCanvas .rule > .blocklyPath").wait_for()
    page.evaluate(
        """() => {
          const workspace = Blockly.getMainWorkspace();
          const block = Blockly.serialization.blocks.append({ type: "if" }, workspace, { recordUndo: true });
          workspace.getBlockById("rule").getInput("DO").connection.connect(block.previousConnection);
        }"""
    )
    page.locator("#faults li").wait_for()
    page.locator("#save").click()
    page.locator("#saved").get_by_text("It was not taken: ").wait_for()
    assert page.locator(".if .blocklyIconGroup").count() == 1
    assert rules.rules.instance.read("1.blocks").startswith("refused ")
    assert not (rules.made / "1.py").exists()

    newer = {"format": 1, "set": table.SET + 1, "workspace": {"blocks": {"blocks": [{"type": "forecast"}]}}}
    versions = rules.made / "versions/2"
    versions.mkdir(parents=True)
    (versions / "1.json").write_text(json.dumps({"saved": 1e9, "content": newer}) + "\n")
    (rules.made / "2.py").write_text("def rule(*_):\n    return OFF, 'forecast'\n")
    (rules.made / "2.py").chmod(0o644)
    page = rules.open("/rules#2")
    page.get_by_text("blocks that this pimains does not know yet").wait_for()
    page.locator("#code", has_text="forecast").wait_for()
    assert page.locator("#saving").is_hidden()
    assert page.locator("#ways").is_hidden()

    public = pages.open(rules.web.url, "/login")  # and who has not logged in sees nothing of it
    public.goto(f"{rules.web.url}/rules#1")
    public.wait_for_url("**/login?to=/rules*")


@pytest.mark.parametrize(("width", "dark", "language"), [(390, True, "de"), (1440, False, "fr")])
def test_axe_finds_nothing_serious_and_names_and_reasons_are_text(
    house: House, pages: Pages, width: int, dark: bool, language: str
) -> None:
    rules = RulesPage(house, pages, LANGUAGE=language)
    rules.rules.write(2, f"return ON, {EVIL!r}")
    rules.rules.until_says(2, EVIL)
    page = rules.open("/rules", width=width, dark=dark)
    page.locator(".why", has_text=EVIL).wait_for()
    assert axe(page) == []
    page.goto(f"{rules.web.url}/rules#2")
    page.locator("#code", has_text="return ON").wait_for()
    assert page.locator("#edit-title").inner_text().endswith(EVIL)
    assert axe(page) == []
    page.goto(f"{rules.web.url}/rules#1")
    page.locator("#setting-VALUE").fill("vedirect.bmv/P")
    page.locator("#setting-START_WATTS").fill("100")
    page.locator("#faults li").wait_for()  # nobody tells it
    assert axe(page) == []
    page.locator("#way-blocks").click()
    page.locator("#template").select_option("08-above-89-percent")
    page.locator("#ask-yes").click()  # what was typed into the form is not saved
    page.locator("#band .day .on").first.wait_for()
    assert axe(page, ".injectionDiv") == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_editor_comes_from_here_alone_in_350_kilobytes_with_the_styles_that_are_recorded(house: House, pages: Pages) -> None:
    rules = RulesPage(house, pages)
    page = rules.open("/rules")
    page.locator("#rules .card").first.wait_for()
    assert not any("blockly" in each for each in pages.requests)  # nobody has opened an editor
    sizes: list[int] = []
    page.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
    page.goto("about:blank")
    page.goto(f"{rules.web.url}/rules#1/blocks")
    page.locator(".blocklyBlockCanvas .rule").wait_for()
    page.locator("#template").select_option("09-between-hours")
    page.locator("#answer", has_text="Would").wait_for()
    assert 200_000 < sum(sizes) < 350_000
    assert all(each.startswith((rules.web.url, "about:", "data:")) for each in pages.requests)
    found = set()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function("scheme => !!document.querySelector(`.pimains-${scheme}-theme`)", arg=scheme)
        for text in page.locator("style").all_text_contents():
            found.add(f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}")
    assert found == set(blockly_styles.HASHES)
    assert (TOP / "debian/npm/blockly/package.txt").read_text().startswith(f"blockly@{blockly_styles.BLOCKLY} ")


def test_loading_and_saving_blocks_changes_nothing_of_a_rule_not_even_a_relay_that_is_gone(house: House, pages: Pages) -> None:
    rules = RulesPage(house, pages)
    gone = B("both", A=B("relay_is", RELAY="7", STATE="on"), OP="and", B=B("compare", A=value("gone/P"), OP="gt", B=0.123456))
    never = {**B("turn", STATE="on", WHY="never"), "disabledReasons": ["MANUALLY_DISABLED"]}
    folded = {**B("if", "zu viel\nauf einmal", IF=gone, THEN=[B("turn", STATE="on", WHY="weil es früh ist ")]), "collapsed": True}
    blocks = workspace(folded, B("variables_set", VAR="Größe", VALUE=1), never, variables=("Größe", "größe"), comment="meine Regel")
    saving.save(rules.made, 1, {"format": 1, "set": table.SET, "workspace": blocks, "made_from": ""})
    until(lambda: rules.rules.instance.read("1.blocks"))
    page = rules.open("/rules#1/blocks")
    page.locator(".blocklyBlockCanvas .rule > .blocklyPath").wait_for()
    with page.expect_request(lambda request: request.url.endswith("/v1/rules/1")) as sent:
        page.locator("#save").click()
    assert sent.value.post_data_json["workspace"] == blocks
    page.locator("#saved").get_by_text("It is in use now.").wait_for()
    text = (rules.made / "1.py").read_text()
    assert "if relays[7].on and +data['gone/P'] > 0.123456:" in text
    assert "never" not in text
