// Relays: a card for each. A click asks; what is shown as on or off is what the service has told, and nothing else.

import { clockTime, get, hasPassword, loggedIn, make, post, say, word } from "./kit.js";
import { isAlive, onLive, value } from "./live.js";

const DURATIONS = [900, 3600, 7200];
const MODES = ["off", "auto", "on"];
const SECONDS_MAX = 3; // so long may the service take before it is said that it has not taken something up
const SETTLES_MILLISECONDS = 400; // mode and state of one switching may come in two messages
const SAME_AGAIN_MILLISECONDS = 500; // nothing is told of a mode which it has already

const list = document.getElementById("relays");
const cards = new Map(); // by number
let isLive = false; // the stream has told how things are
let clockAhead = 0; // seconds by which this browser's clock is ahead of the server's

function shortTime(seconds) {
  const minutes = Math.round(seconds / 60);
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h${minutes % 60 ? ` ${minutes % 60} min` : ""}` : `${Math.round(hours / 24)} d`;
}

/** Its text, which is not touched where it is so already: a screen reader would say it again, and a browser draw it again. */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

class Card {
  constructor(row) {
    this.number = row.number;
    this.asked = null;
    this.title = make("h2");
    this.about = make("p", { class: "quiet about" });
    this.state = make("p", { class: "state" });
    this.reason = make("p", { class: "reason" });
    this.facts = make("dl", { class: "facts" });
    this.note = make("p", { class: "asked", role: "status" });
    this.buttons = MODES.map((mode) =>
      make("button", { type: "button", role: "radio", class: `mode mode-${mode}`, text: word(mode), onclick: () => this.ask(mode) }),
    );
    this.group = make("div", { role: "radiogroup", class: "modes", onkeydown: (event) => this.key(event) }, ...this.buttons);
    this.lasts = make("select");
    this.choice = make("label", { class: "lasts" }, make("span", { text: word("lasts") }), this.lasts);
    const why = make("a", { class: "why", href: `/events?subject=relay.${row.number}`, text: word("why") });
    const head = make("header", {}, make("div", {}, this.title, this.about), this.state);
    const acts = make("div", { class: "acts" }, this.group, this.choice);
    this.element = make("article", { class: "card relay" }, head, this.reason, this.facts, acts, this.note, why);
    this.element.dataset.number = row.number;
    for (const button of this.buttons) button.disabled = !loggedIn;
    this.lasts.disabled = !loggedIn;
    this.take(row);
  }

  /** What GET /v1/relays has told. */
  take(row) {
    this.row = row;
    this.endsAt = row.mode_seconds_left === null ? null : performance.now() + row.mode_seconds_left * 1000;
    const name = row.name || word("relay", row.number);
    this.name = name;
    write(this.title, name);
    const about = [row.name ? word("relay", row.number) : "", row.group ? word("group", row.group) : ""];
    this.about.textContent = about.filter(Boolean).join(" · ");
    this.group.setAttribute("aria-label", word("mode_of", name));
    this.lasts.setAttribute("aria-label", word("lasts_of", name));
    const usual = row.forced_for ? word("until_changed_or", shortTime(row.forced_for)) : word("until_changed");
    const options = [["", usual], ...DURATIONS.map((seconds) => [String(seconds), shortTime(seconds)])];
    const chosen = this.lasts.value;
    this.lasts.replaceChildren(...options.map(([seconds, text]) => make("option", { value: seconds, text })));
    this.lasts.value = chosen;
    this.show();
  }

  /** A value that is told now; until the stream has told anything, that which was read when the page came. */
  told(name) {
    return isLive ? value(`relays/${this.number}.${name}`) : this.row[name];
  }

  show() {
    const state = this.told("state");
    const mode = this.told("mode");
    const [chosen] = (mode || "").split(" ");
    const shown = state === "on" || state === "off" ? state : "unknown";
    if (this.element.dataset.state !== shown) this.element.dataset.state = shown;
    write(this.state, word(`is_${shown}`));
    write(this.reason, this.row.wrong || this.told("reason") || "");
    this.showModes(chosen);
    this.showFacts(mode, chosen, state);
    if (this.asked && this.asked.isTold) this.look();
  }

  showModes(chosen) {
    const pending = this.asked ? this.asked.mode : null;
    for (const [index, button] of this.buttons.entries()) {
      button.setAttribute("aria-checked", String(MODES[index] === chosen));
      button.toggleAttribute("data-asked", MODES[index] === pending);
      button.tabIndex = button === this.stop(chosen) ? 0 : -1;
    }
  }

  /** The one of the buttons that Tab stops at. */
  stop(chosen) {
    const focused = this.buttons.find((button) => button === document.activeElement);
    return focused || this.buttons[Math.max(0, MODES.indexOf(chosen))];
  }

  showFacts(mode, chosen, state) {
    const { load_watts: load, switches } = this.row;
    const watts = this.told("watts");
    const facts = [[word("wanted"), this.wantedInWords(mode, chosen)]];
    if (load) facts.push([word("draws"), state === "on" ? word("watts", watts ?? "?") : word("draws_of", "0", String(load))]);
    facts.push([word("may_change"), this.nextInWords()]);
    const count = Number(this.told("switches") ?? switches ?? NaN);
    if (!Number.isNaN(count)) facts.push([word("switched"), word(count === 1 ? "once" : "times", String(count))]);
    const shown = facts.flatMap(([name, text]) => [make("dt", { text: name }), make("dd", { text })]);
    const before = this.facts.textContent;
    if (before !== shown.map((each) => each.textContent).join("")) this.facts.replaceChildren(...shown);
  }

  wantedInWords(mode, chosen) {
    if (!MODES.includes(chosen)) return word("not_known");
    if (chosen === "auto") return `${word("auto")}, ${word("mode_auto")}`;
    const [, until] = mode.split(" until ");
    const left = this.endsAt === null ? "" : word("time_left", shortTime((this.endsAt - performance.now()) / 1000));
    return [word(chosen), until ? `→ ${until}` : "", left].filter(Boolean).join(", ");
  }

  nextInWords() {
    const next = this.told("next");
    if (next === "any time") return word("any_time");
    const at = Date.parse(next || "") / 1000;
    if (Number.isNaN(at)) return next && next !== "not known" ? next : word("not_known");
    const left = at - (Date.now() / 1000 - clockAhead);
    return left <= 0 ? word("any_time") : word("at_in", clockTime(at), shortTime(left));
  }

  /** Arrows move the focus alone: nobody switches Auto on the way from Off to On. */
  key(event) {
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    const at = this.buttons.indexOf(document.activeElement);
    let to = at + (steps[event.key] || 0);
    if (event.key === "Home") to = 0;
    if (event.key === "End") to = this.buttons.length - 1;
    if (at < 0 || to === at) return;
    event.preventDefault();
    const next = this.buttons[(to + this.buttons.length) % this.buttons.length];
    for (const button of this.buttons) button.tabIndex = button === next ? 0 : -1;
    next.focus();
  }

  async ask(mode) {
    const seconds = mode === "auto" || !this.lasts.value ? null : Number(this.lasts.value);
    const asked = { mode, text: mode, isTold: false, before: this.told("mode"), at: performance.now() };
    this.asked = asked;
    this.tell(word("asked", word(mode)), "asked");
    this.show();
    try {
      const answer = await post(`/v1/relays/${this.number}/mode`, { mode, for: seconds });
      asked.text = answer.asked;
    } catch (error) {
      if (this.asked === asked) this.end(error.message, "bad");
      return;
    }
    if (this.asked !== asked) return;
    asked.isTold = true;
    if (asked.before === asked.text) setTimeout(refresh, SAME_AGAIN_MILLISECONDS);
    setTimeout(() => this.asked === asked && this.giveUp(asked), SECONDS_MAX * 1000);
    this.look();
  }

  /** Whether what was asked has happened, or what it waits for. */
  look() {
    const asked = this.asked;
    if (asked.before === asked.text && isLive && !isAlive("relays")) return; // it has said so before, and says nothing now
    if (this.told("mode") !== asked.text) {
      if (asked.isTaken) this.end("", ""); // somebody wants something else by now
      return;
    }
    asked.isTaken = true;
    const state = this.told("state");
    if (asked.mode === "auto") this.end(word("done_auto", this.name), "good");
    else if (state === asked.mode) this.end(word("done", this.name, word(`is_${state}`)), "good");
    else if (asked.waits) this.tellWhatItWaitsFor();
    else if (!asked.timer)
      asked.timer = setTimeout(() => {
        asked.waits = true;
        if (this.asked === asked) this.look();
      }, SETTLES_MILLISECONDS);
  }

  tellWhatItWaitsFor() {
    this.tell(`${word("waits", this.name, this.told("reason") || "")}. ${word("may_change")}: ${this.nextInWords()}`, "waits");
  }

  async giveUp(asked) {
    await refresh();
    if (this.asked !== asked || asked.isTaken) return;
    if (this.row.said && this.row.said !== asked.text) this.end(word("someone_else", this.name, this.row.said), "bad");
    else this.end(word("not_taken", this.name), "bad");
  }

  end(text, kind) {
    this.asked = null;
    this.tell(text, kind);
    this.show();
  }

  tell(text, kind) {
    write(this.note, text);
    this.element.dataset.note = kind;
  }
}

function showAll(rows) {
  for (const row of rows) {
    const known = cards.get(row.number);
    if (known) known.take(row);
    else cards.set(row.number, new Card(row));
  }
  const there = new Set(rows.map((row) => row.number));
  for (const number of [...cards.keys()]) if (!there.has(number)) cards.delete(number);
  const elements = rows.map((row) => cards.get(row.number).element);
  const isSame = elements.length === list.children.length && elements.every((each, index) => each === list.children[index]);
  if (!elements.length) {
    const command = make("pre", {}, make("code", { text: "sudo pimains relay add 1 --pin=17 --name=boiler" }));
    list.replaceChildren(make("p", { text: word("none") }), command);
  } else if (!isSame) list.replaceChildren(...elements);
  list.setAttribute("aria-busy", "false");
}

let refreshing = null;
let isAskedAgain = false;

/** Read all anew: names, groups, when modes end. */
function refresh() {
  if (refreshing) {
    isAskedAgain = true;
    return refreshing;
  }
  refreshing = (async () => {
    try {
      do {
        isAskedAgain = false;
        const answer = await get("/v1/relays");
        clockAhead = Date.now() / 1000 - answer.at;
        showAll(answer.relays);
      } while (isAskedAgain);
    } catch (error) {
      say(error.message, { bad: true });
    } finally {
      refreshing = null;
    }
  })();
  return refreshing;
}

function hear(names) {
  isLive = true;
  let isNews = false;
  for (const name of names) {
    const [number, what] = name.slice("relays/".length).split(".");
    const card = cards.get(Number(number));
    if (what === "mode" || (what === "state" && !card)) isNews = true; // when a mode ends is not told by itself; there is a new relay
    if (what === "state" && card && value(name) === null) isNews = true; // it may be gone
  }
  for (const card of cards.values()) card.show();
  document.getElementById("down").hidden = isAlive("relays");
  if (isNews) refresh();
}

function hint() {
  if (loggedIn) return;
  const place = document.getElementById("hint");
  const command = "sudo create_service --service_name=web --password=@password.txt --add-service --apply";
  place.textContent = word(hasPassword ? "log_in_hint" : "password_hint");
  if (!hasPassword) place.append(make("pre", {}, make("code", { text: command })));
  place.hidden = false;
}

document.getElementById("down").textContent = word("service_down");
hint();
await refresh();
onLive(["relays/*"], hear);
setInterval(() => {
  for (const card of cards.values()) card.show();
}, 10000); // the time that is left
