// What every page stands on. Text goes into the page as text alone: nothing here, and nothing elsewhere, makes HTML of data.

const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";
const words = JSON.parse(document.getElementById("words").textContent);
const csrf = meta("csrf");

export const language = document.documentElement.lang;
export const loggedIn = meta("logged-in") === "1";
export const hasPassword = meta("has-password") === "1";

// An answer that is a refusal; its message is a line for people.
export class Said extends Error {
  constructor(text, status) {
    super(text);
    this.status = status;
  }
}

// The word for `key` in the page's language; {0}, {1} are filled by `args`.
export function word(key, ...args) {
  return (words[key] ?? key).replace(/\{(\d)\}/g, (whole, number) => (number in args ? String(args[number]) : whole));
}

async function ask_server(path, options) {
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", cache: "no-store", ...options });
  } catch {
    throw new Said(word("no_answer"), 0);
  }
  let found = null;
  try {
    found = await answer.json();
  } catch {
    if (answer.ok) throw new Said(word("no_answer"), answer.status);
  }
  if (answer.ok) return found;
  if (answer.status === 401 && (loggedIn || options.method !== "POST")) {
    // the session is over: what was asked for is not done, and said to be so by the login page
    location.assign(`/login?to=${location.pathname}`);
  }
  throw new Said(found?.error ?? word("no_answer"), answer.status);
}

export const get = (path, options = {}) => ask_server(path, options);

export function post(path, body = {}, options = {}) {
  if (!loggedIn) return Promise.reject(new Said(word(hasPassword ? "log_in_first" : "set_password_first"), 401));
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": csrf };
  return ask_server(path, { ...options, method: "POST", headers, body: JSON.stringify(body) });
}

const SVG = new Set(["svg", "g", "path", "line", "circle", "rect", "text", "polyline", "polygon", "defs", "marker", "title", "tspan", "use", "desc"]);

// An element: on... are listeners, `text` is its text, what is null or false is left out, the rest are attributes.
export function make(tag, attributes = {}, ...children) {
  const isDrawn = SVG.has(tag) && !(tag === "title" && attributes.html);
  const element = isDrawn ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "text") element.textContent = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((each) => each !== null && each !== undefined && each !== false));
  return element;
}

// Tell it, aloud, too: what went well at the end of a sentence, what did not at once.
export function say(text, { bad = false } = {}) {
  const place = document.getElementById(bad ? "alert" : "said");
  const other = document.getElementById(bad ? "said" : "alert");
  other.replaceChildren();
  place.replaceChildren(text ? make("p", { text, class: bad ? "bad" : "good" }) : "");
}

// Whether somebody says yes to `text`; `yes` is what the button says. Escape is no.
export function ask(text, yes = word("yes")) {
  const dialog = document.getElementById("ask");
  const before = document.activeElement;
  document.getElementById("ask-text").textContent = text;
  document.getElementById("ask-yes").textContent = yes;
  dialog.returnValue = "no";
  dialog.showModal();
  dialog.querySelector('button[value="no"]').focus();
  return new Promise((resolve) => {
    dialog.addEventListener(
      "close",
      () => {
        before?.focus?.();
        resolve(dialog.returnValue === "yes");
      },
      { once: true },
    );
  });
}

// How long ago, in the largest unit that fits.
export function ago(seconds) {
  if (seconds === null || seconds === undefined) return word("not_known");
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 90) return word("ago_s", whole);
  if (whole < 90 * 60) return word("ago_min", Math.round(whole / 60));
  if (whole < 48 * 3600) return word("ago_h", Math.round(whole / 3600));
  return word("ago_d", Math.round(whole / 86400));
}

const today = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
const otherDay = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

// A time of the wall clock, seconds since 1970; with the day where that is not today.
export function clockTime(wallSeconds) {
  const when = new Date(wallSeconds * 1000);
  return (when.toDateString() === new Date().toDateString() ? today : otherDay).format(when);
}

// on a phone the row of pages is longer than the screen: where one is, is to be seen
document.querySelector("nav a[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

document.getElementById("log-out")?.addEventListener("click", async () => {
  try {
    await post("/v1/logout");
    location.assign("/");
  } catch (error) {
    say(error.message, { bad: true });
  }
});
