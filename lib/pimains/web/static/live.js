// What the house says, as it says it: GET /v1/live (server-sent events).
//
//     onLive(["relays/*.state"], names => ...)   called after a message with those that changed; at once with all that are known
//     value("ups/status")                        its text; null: not known
//     ageOf("ups/status")                        seconds since it was written; null: not known
//     isAlive("ups")                             whether that service is up
//     isOld("ups/status")                        whether it may be another thing by now: its service is down, or nobody tells us
//     matching("relays/*.state")                 the names there are
//
// While nobody tells us, document.body.dataset.live is "lost". A page that is not looked at does not listen: browsers have few connections.
import { get, word } from "./kit.js";

const url = "/v1/live";
const lostAfterMilliseconds = 4000;
const silentAfterMilliseconds = 35000; // the service lets hear of itself each 15 s
const known = new Map();
const listeners = [];
let source = null;
let isTold = false;
let again = null;
let wait = 1;
let lost = null;
let silent = null;

/** The text of a value; null where it is not known. */
export function value(name) {
  return known.get(name)?.text ?? null;
}

/** How many seconds ago it was written; null where no clock can tell. */
export function ageOf(name) {
  const found = known.get(name);
  return found === undefined || found.age === null ? null : found.age + (performance.now() - found.at) / 1000;
}

/** Whether the service is up that is called so. */
export function isAlive(instance) {
  return known.has(`${instance}/alive`);
}

/** Whether it may be another thing by now. */
export function isOld(name) {
  return document.body.dataset.live === "lost" || !isAlive(name.split("/", 1)[0]);
}

/** The names of the values there are that match: * stands for anything but a slash. */
export function matching(pattern) {
  const matches = matcher([pattern]);
  return [...known.keys()].filter(matches).sort();
}

/** From now on `tell` is called with the names that changed among those that match one of the patterns, and at first with all. */
export function onLive(patterns, tell) {
  const listener = { matches: matcher(patterns), tell };
  listeners.push(listener);
  if (isTold) {
    tell([...known.keys()].filter(listener.matches));
  }
  listen();
}

function matcher(patterns) {
  const parts = patterns.map(each => each.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace(/\*/g, "[^/]*"));
  const expression = new RegExp(`^(?:${parts.join("|")})$`);
  return name => expression.test(name);
}

function take(message) {
  const at = performance.now();
  const changed = new Set(Object.keys(message.values));
  if (message.all) {
    for (const name of known.keys()) {
      changed.add(name);
    }
    known.clear();
  }
  for (const [name, { v, age }] of Object.entries(message.values)) {
    if (v === null) {
      known.delete(name);
    } else {
      known.set(name, { text: v, age, at });
    }
  }
  const isFirst = !isTold;
  isTold = true;
  found();
  for (const listener of listeners) {
    const names = [...changed].filter(listener.matches);
    if (names.length || isFirst) {
      listener.tell(names);
    }
  }
}

function mark(state) {
  if (document.body.dataset.live !== state) {
    document.body.dataset.live = state;
    const place = document.getElementById("live-lost");
    place.textContent = state === "lost" ? word("lost") : "";
    place.hidden = state !== "lost";
    document.dispatchEvent(new CustomEvent("live", { detail: state }));
  }
}

function found() {
  clearTimeout(lost);
  clearTimeout(silent);
  lost = null;
  wait = 1;
  silent = setTimeout(() => {
    mark("lost");
    close();
    listen();
  }, silentAfterMilliseconds);
  mark("on");
}

function lose() {
  lost ??= setTimeout(() => mark("lost"), lostAfterMilliseconds);
}

function listen() {
  if (source || again || !listeners.length || document.hidden) {
    return;
  }
  lose();
  source = new EventSource(url);
  source.onmessage = event => take(JSON.parse(event.data));
  source.addEventListener("beat", found);
  source.onerror = () => {
    lose();
    if (source.readyState === EventSource.CLOSED) { // refused, and then it does not try again by itself
      close();
      again = setTimeout(() => {
        again = null;
        listen();
      }, wait * 1000);
      wait = Math.min(2 * wait, 60);
      get("/v1/about").catch(() => null); // where the session is over, this leads to the login
    }
  };
}

function close() {
  source?.close();
  source = null;
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    clearTimeout(lost);
    clearTimeout(silent);
    lost = null;
    close();
  } else {
    clearTimeout(again);
    again = null;
    listen();
  }
});
