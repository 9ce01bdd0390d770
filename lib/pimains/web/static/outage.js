import { clockTime, get, make, say, word } from "./kit.js";
import { follow } from "./follow.js";
import { draw, span } from "./timeline.js";

const place = (id) => document.getElementById(id);
const key = (name) => name.replaceAll(" ", "_");
const known = ["on battery", "shedding", "forced", "delayed", "asked", "cutting", "returning", "waking"];
let rehearsed = null;

const watched = ["alive", "words", "*.words", "line", "*.line", "lost", "*.lost", "alarm", "*.alarm", "status", "hosts", "battery.*", "*.battery.*"];

follow(watched.map((each) => `*/${each}`), async () => {
  const { instances } = await get("/v1/outage");
  const shown = instances.map((each) => instance(each, instances.length > 1));
  const there = place("instances");
  if (shown.length !== there.children.length || shown.some((each, index) => !each.isEqualNode(there.children[index]))) there.replaceChildren(...shown);
  choices(instances);
  return instances.some((each) => each.outage !== null && each.outage.phase !== "on battery");
});

function instance(each, hasOthers) {
  return make(
    "section",
    { "aria-label": each.name },
    hasOthers ? make("h2", { text: each.name }) : null,
    each.is_up === false ? make("p", { class: "bad", text: word("not_up", each.name) }) : null,
    make("div", { class: "cards" }, ...each.upses.map((ups) => upsCard(ups, each))),
    each.outage ? underWay(each) : null,
    ...each.unseen.map((line) => make("p", { class: "warm", text: word("unseen", line) })),
    make("h2", { text: word(each.outage ? "so_far" : "last") }),
    each.last.length ? last(each.last) : make("p", { class: "quiet", text: word(each.outage ? "nothing_so_far" : "no_last") }),
  );
}

function upsCard(ups, { outage, is_up: isUp }) {
  const lines = [make("h3", { text: ups.name }), ups.device_model ? make("p", { class: "quiet", text: ups.device_model }) : null];
  lines.push(make("p", { class: ups.alarm || ups.lost ? "bad" : isUp === false || ups.words === null ? "quiet" : "good", text: ups.words ?? word("not_known") }));
  if (ups.battery_charge !== null) {
    lines.push(gauge(ups.battery_charge, ups.name));
    const runtime = ups.battery_runtime === null ? "" : word("lasts", span(ups.battery_runtime));
    const load = ups.ups_load === null ? "" : word("load", ups.ups_load);
    lines.push(make("p", { text: [word("charge", ups.battery_charge), runtime, load].filter(Boolean).join(", ") }));
  }
  if (ups.empty_in_seconds !== null) {
    if (outage) lines.push(make("p", { text: word("on_battery_since", clockTime(outage.began)) }));
    lines.push(make("p", { class: "warm", text: word("empty_in", span(ups.empty_in_seconds)) }));
  }
  return make("div", { class: "card" }, ...lines);
}

function gauge(charge, name) {
  const width = Math.max(0, Math.min(100, charge));
  return make(
    "svg",
    { class: "gauge", viewBox: "0 0 100 6", preserveAspectRatio: "none", role: "img", "aria-label": `${name}: ${word("charge", charge)}` },
    make("rect", { x: 0, y: 0, width: 100, height: 6, class: "empty" }),
    make("rect", { x: 0, y: 0, width, height: 6, class: charge > 30 ? "full" : "low" }),
  );
}

function underWay(each) {
  const { outage } = each;
  const lines = [make("h2", { text: word("now") }), make("p", { class: "state", text: phase(outage) }), make("p", { text: word("began", clockTime(outage.began)) })];
  if (outage.why) lines.push(make("p", { text: outage.why }));
  for (const [name, apart] of Object.entries(outage.apart)) lines.push(make("p", { text: `${name}: ${phase(apart)}` }));
  if (outage.is_final) lines.push(make("p", { class: "warm", text: word("is_final") }));
  if (outage.is_called_off) lines.push(make("p", { class: "warm", text: word("is_called_off") }));
  if (outage.hosts.length) lines.push(make("ul", { class: "plain hosts" }, ...outage.hosts.map(host)));
  const next = comes(each);
  lines.push(make("h3", { text: word("next") }), make("ul", {}, ...next.map((text) => make("li", { text }))));
  return make("div", { class: "card under-way" }, ...lines);
}

function phase(outage) {
  return known.includes(outage.phase) ? word(`phase_${key(outage.phase)}`) : outage.phase;
}

function host(each) {
  const times = [["ordered", each.ordered], ["down", each.down], ["woken", each.woken], ["up", each.up]]
    .filter(([, at]) => at !== null)
    .map(([what, at]) => `${word(`at_${what}`)} ${clockTime(at)}`);
  return make("li", { class: each.step }, make("strong", { text: each.name }), " ", make("span", { text: word(`step_${each.step}`) }), make("span", { class: "quiet", text: times.join(", ") }));
}

// What is still to come, by what the settings and the outage tell.
function comes({ outage, plans, feeds_this_machine: isFed }) {
  const at = known.indexOf(outage.phase);
  const touched = new Set(outage.hosts.map((each) => each.name));
  const found = [];
  if (at <= 1) {
    for (const each of plans) if (!touched.has(each.name)) found.push(each.shed_at ? word("next_shed", each.name, each.shed_at) : word("next_last", each.name));
    found.push(word(isFed ? "next_down" : "next_stays"));
  } else if (at <= 5) {
    found.push(word(outage.role === "primary" ? "next_cut" : "next_off"));
  } else {
    const left = plans.filter((each) => each.wake !== "no" && outage.hosts.some((other) => other.name === each.name && !["up", "missing"].includes(other.step)));
    found.push(left.length ? word("next_wake", left.map((each) => each.name).join(", ")) : word("next_over"));
  }
  return found;
}

function last(rows) {
  return make(
    "ol",
    { class: "plain rows" },
    ...rows.map((row) =>
      make("li", {}, make("time", { datetime: new Date(row.wall * 1000).toISOString(), text: clockTime(row.wall) }), make("span", {}, make("strong", { text: row.subject }), `: ${row.action}`, make("span", { class: "quiet", text: row.cause ? ` (${row.cause})` : "" }))),
    ),
  );
}

function choices(instances) {
  const select = place("instance");
  const names = instances.map((each) => each.name);
  if ([...select.options].map((each) => each.value).join("\n") !== names.join("\n")) {
    select.replaceChildren(...names.map((name) => make("option", { value: name, text: name })));
  }
  select.parentElement.hidden = names.length < 2;
}

place("rehearse").addEventListener("submit", async (event) => {
  event.preventDefault();
  const query = new URLSearchParams({ instance: place("instance").value, lasting: place("lasting").value, ups: place("ups").value });
  if (place("charge").value) query.set("charge", place("charge").value);
  place("do-rehearse").disabled = true;
  place("rehearsed").replaceChildren(make("p", { class: "quiet", text: word("rehearsing") }));
  try {
    rehearsed = await get(`/v1/outage/rehearsal?${query}`);
    show();
  } catch (error) {
    rehearsed = null;
    place("rehearsed").replaceChildren();
    say(error.message, { bad: true });
  }
  place("do-rehearse").disabled = false;
});

new ResizeObserver(() => rehearsed && drawn()).observe(place("rehearsed"));

function drawn() {
  const old = place("rehearsed").querySelector("svg.timeline");
  const width = place("rehearsed").clientWidth;
  if (old && Number(old.getAttribute("width")) !== width) old.replaceWith(draw(rehearsed.timeline, width));
}

function show() {
  const { timeline, faults, reckoned_with: reckoned } = rehearsed;
  const labels = ["at", "who", "what", "budget", "margin"];
  place("rehearsed").replaceChildren(
    ...(faults.length
      ? [make("p", { class: "bad", text: word("has_faults") }), make("ul", { class: "bad" }, ...faults.map((text) => make("li", { text })))]
      : [make("p", { class: "good", text: word("no_faults") })]),
    draw(timeline, place("rehearsed").clientWidth),
    make(
      "table",
      { class: "cards" },
      make("thead", {}, make("tr", {}, ...labels.map((each) => make("th", { text: word(`head_${each}`), class: each === "who" || each === "what" ? null : "number" })))),
      make("tbody", {}, ...timeline.map(row)),
    ),
    make("h3", { text: word("reckoned") }),
    make("ul", {}, ...reckoned.map((text) => make("li", { text }))),
  );
}

function row(each) {
  const time = (seconds) => (seconds === null ? "–" : span(seconds));
  return make(
    "tr",
    {},
    make("td", { class: "number", "data-label": word("head_at"), text: span(each.at) }),
    make("td", { "data-label": word("head_who") }, make("strong", { text: each.who })),
    make("td", { "data-label": word("head_what"), text: each.what }),
    make("td", { class: each.budget === null ? "number nothing" : "number", "data-label": word("head_budget"), text: time(each.budget) }),
    make("td", { class: `number ${each.margin === null ? "nothing" : each.margin < 0 ? "bad" : "good"}`, "data-label": word("head_margin"), text: time(each.margin) }),
  );
}
