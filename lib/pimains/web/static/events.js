// Events: the ledger. What to show stands in the address, so that a look can be kept as a bookmark.

import { ago, clockTime, get, make, say, word } from "./kit.js";
import { onLive } from "./live.js";

const PAGE = 50;
const TYPING_MILLISECONDS = 250;
const AGES_MILLISECONDS = 20000;
const CLOCK_WAS_SET = 1577836800; // 2020: a Pi without a battery clock may begin in 1970
const form = document.getElementById("filter");
const list = document.getElementById("events");
const older = document.getElementById("older");
const shown = new Map(); // elements by id
const ages = new Map(); // of those, by id: {place, since, until}, of this browser's clock that never jumps
let end = null;
let isWrong = false; // the last answer was no list
let asking = 0; // the number of the last question: an answer to one before it comes too late

function query() {
  const { subject, words, since, until } = form.elements;
  const found = new URLSearchParams();
  if (subject.value) found.set("subject", subject.value);
  if (words.value.trim()) found.set("words", words.value.trim());
  for (const each of [since, until]) {
    const at = Date.parse(each.value) / 1000;
    if (!Number.isNaN(at) && at >= 0) found.set(each.name, String(at));
  }
  return found;
}

function localTime(seconds) {
  const at = new Date(seconds * 1000);
  return new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

function subjects(names) {
  const select = form.elements.subject;
  const wanted = select.value || new URLSearchParams(location.search).get("subject") || "";
  const all = wanted && !names.includes(wanted) ? [...names, wanted] : names;
  const before = [...select.options].slice(1).map((option) => option.value);
  if (before.join("\n") !== all.join("\n")) {
    const options = all.map((name) => make("option", { value: name, text: name }));
    select.replaceChildren(select.options[0], ...options);
  }
  select.value = wanted;
}

function item(event, at) {
  const isKnown = event.time >= CLOCK_WAS_SET;
  const time = make("time", { text: isKnown ? clockTime(event.time) : word("no_clock") });
  if (isKnown) time.dateTime = new Date(event.time * 1000).toISOString();
  const past = make("span", { class: "quiet ago" });
  const subject = make("button", { type: "button", class: "subject", text: event.subject, onclick: () => show({ subject: event.subject }) });
  const begins = `${event.subject}: `;
  const what = make("span", { text: event.what.startsWith(begins) ? event.what.slice(begins.length) : event.what });
  const line = make("li", { class: "event" }, make("p", { class: "when" }, time, past), make("p", {}, subject, what));
  const now = performance.now();
  const since = event.age_seconds === null ? null : now - event.age_seconds * 1000;
  const until = event.may_change_again > at ? now + (event.may_change_again - at) * 1000 : null;
  ages.set(event.id, { place: past, since, until });
  past.textContent = since === null ? "" : ago(event.age_seconds);
  return line;
}

/** Time goes on; what may change again by now is told anew. */
function grow() {
  const now = performance.now();
  let isOver = false;
  for (const each of ages.values()) {
    if (each.since !== null) each.place.textContent = ago((now - each.since) / 1000);
    isOver ||= each.until !== null && each.until < now;
  }
  if (isOver && !document.hidden) ask(false, true);
}

/** Newest first; those that are there already are told anew. */
function put(events, isOlder, at) {
  const items = events.map((event) => [event.id, item(event, at)]);
  const fresh = [];
  for (const [id, line] of items) {
    if (shown.has(id)) shown.get(id).replaceWith(line);
    else fresh.push(line);
    shown.set(id, line);
  }
  if (isOlder) list.append(...fresh);
  else list.prepend(...fresh);
}

async function ask(isOlder = false, isNews = false) {
  asking += 1;
  const question = asking;
  const asked = query();
  asked.set("limit", String(PAGE));
  if (isOlder && end) asked.set("before", end);
  try {
    const answer = await get(`/v1/events?${asked}`);
    if (question !== asking) return;
    if (isWrong) say("");
    isWrong = false;
    const joins = isNews && answer.events.some((event) => shown.has(event.id)); // else there is a gap between them and those shown
    if (!isOlder && !joins) {
      list.replaceChildren();
      shown.clear();
      ages.clear();
    }
    put(answer.events, isOlder, answer.at);
    if (isOlder || !joins) end = answer.end;
    subjects(answer.subjects);
    tellCount(answer.subjects.length);
  } catch (error) {
    if (question !== asking) return;
    say(error.message, { bad: true });
    isWrong = true;
  } finally {
    list.setAttribute("aria-busy", "false");
  }
}

function tellCount(hasAny) {
  const isFiltered = [...query().keys()].length > 0;
  document.getElementById("count").textContent = shown.size ? word("shown", shown.size) : word(hasAny || isFiltered ? "nothing_such" : "empty");
  older.hidden = end === null;
}

/** Show others, and keep that in the address. */
function show(fields = {}) {
  for (const [name, text] of Object.entries(fields)) form.elements[name].value = text;
  const asked = query();
  history.replaceState(null, "", asked.size ? `?${asked}` : location.pathname);
  return ask();
}

function fromAddress() {
  const given = new URLSearchParams(location.search);
  const subject = given.get("subject");
  if (subject) {
    form.elements.subject.append(make("option", { value: subject, text: subject }));
    form.elements.subject.value = subject;
  }
  form.elements.words.value = given.get("words") || "";
  for (const name of ["since", "until"]) {
    const at = Number(given.get(name));
    if (at > 0 && at < 253402300799) {
      form.elements[name].value = localTime(at);
      document.getElementById("times").open = true;
    }
  }
}

let typing = 0;
form.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(show, TYPING_MILLISECONDS);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  show();
});
form.addEventListener("reset", () => setTimeout(show));
older.addEventListener("click", async () => {
  const last = list.lastElementChild;
  await ask(true);
  const next = last?.nextElementSibling?.querySelector("button");
  if (older.hidden) next?.focus();
});

fromAddress();
await ask();
onLive(["ledger/*"], () => ask(false, true));
setInterval(grow, AGES_MILLISECONDS);
