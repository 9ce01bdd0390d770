import { ago, get, language, make, say, word } from "./kit.js";
import * as flow from "./flow.js";
import * as live from "./live.js";

const settleMilliseconds = 250;
const lookSeconds = 60; // services that have said nothing yet are told by nobody
const icons = {
  sun: "M0-4.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 1 1 0-9M0-11v3M0 8v3M-11 0h3M8 0h3M-7.8-7.8l2.1 2.1M5.7 5.7l2.1 2.1M-7.8 7.8l2.1-2.1M5.7-5.7l2.1-2.1",
  grid: "M-7 11L0-11L7 11M-4.8 4h9.6M-3-2h6M-8-5h16M-8-5v2M8-5v2",
  battery: "M-10-6h18v12h-18zM8-2.5h3v5h-3M-5 0h7M-1.5-3.5v7",
  house: "M-11 0L0-10L11 0M-8-2v12h16v-12M-2.5 10v-7h5v7",
  plug: "M-4-10v5M4-10v5M-7-5h14v4a7 7 0 0 1-14 0zM0 6v5",
  relays: "M-11 4h6L4-5M5 4h6M-5 4v0M5 4v0",
  ups: "M2-11L-7 2h6l-2 9L7-3H1z",
};
const watts = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
const kilowatts = new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const oneDecimal = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
const narrow = matchMedia("(max-width: 40rem)");

let services = [];
let relayNames = {};
let drawn = null;
let isAsked = false;

// words of numbers

function power(value) {
  const size = Math.abs(value);
  return size < 999.5 ? `${watts.format(size)} W` : `${kilowatts.format(size / 1000)} kW`;
}

const percent = (value) => `${oneDecimal.format(value)} %`;
const relayName = ({ number, name }) => name || word("relay", number);

function titleOf(part) {
  return part.title || word(part.kind);
}

function line(part) {
  return { "on line": word("line_online"), "on battery": word("line_battery") }[part.facts.line] ?? part.facts.line;
}

/** What stands in its circle: the one thing to know. */
function mainText(part) {
  if (part.kind === "relays") return part.facts.count ? `${part.facts.on.length}/${part.facts.count}` : word("not_known");
  if (part.kind === "ups") return part.facts.charge === null ? (line(part) ?? word("not_known")) : percent(part.facts.charge);
  if (part.kind === "battery" && part.facts.charge !== null) return percent(part.facts.charge);
  if (part.kind === "plug" && part.watts === null && part.facts.state) return word(part.facts.state === "on" ? "power_on" : "power_off");
  if (part.watts === null) return word("not_known");
  return (part.isAtMost ? "≤ " : "") + power(part.watts);
}

/** What stands below it. */
function detail(part) {
  if (part.isOld) return part.isDown ? word("is_down_old") : part.age === null ? word("is_of_no_time") : word("is_old", ago(part.age));
  const { facts } = part;
  if (part.kind === "battery") return fitting([flowing(part), facts.volts === null ? "" : `${oneDecimal.format(facts.volts)} V`]);
  if (part.kind === "ups") return fitting([line(part), facts.load === null ? "" : word("load", percent(facts.load))]);
  if (part.kind === "relays" && !facts.on.length) return facts.count ? word("power_off") : "";
  if (part.kind === "relays") return fitting([word("power_on"), part.watts ? power(part.watts) : facts.on.map(relayName).join(", ")]);
  return facts.state && part.kind === "sun" ? facts.state : "";
}

const longest = () => (narrow.matches ? 20 : 28); // characters below a circle

/** As many of them as there is room for. */
function fitting(texts) {
  const [first, ...others] = texts.filter(Boolean);
  return others.reduce((all, each) => (all.length + each.length + 3 > longest() ? all : `${all} · ${each}`), first ?? "");
}

const isFlowing = (part) => !part.isOld && (part.side !== null || (part.watts !== null && Math.abs(part.watts) >= 0.5));
const goesIn = (part) => (part.side ?? (part.watts > 0 ? "gives" : "takes")) === "gives";

function flowing(part) {
  if (part.watts === null) return "";
  return isFlowing(part) ? `${goesIn(part) ? "−" : "+"}${power(part.watts)}` : power(0);
}

/** The same as a sentence, for who does not see the picture. */
function sentence(part) {
  const { facts } = part;
  const found = [];
  if (part.watts === null && part.side === null && !facts.state && part.kind !== "ups") found.push(word("not_known"));
  else if (part.watts !== null && Math.abs(part.watts) < 0.5) found.push(word("nothing_flows"));
  else if (part.watts !== null) {
    const key = part.watts > 0 ? "gives" : part.kind === "battery" ? "charging" : "takes";
    found.push(word(key, part.isAtMost ? word("at_most", power(part.watts)) : power(part.watts)));
  }
  if (part.kind === "relays") found.push(word("on_count", facts.on.length, facts.count), ...facts.on.map(relayName));
  if (part.kind === "plug" && facts.state) found.push(word(facts.state === "on" ? "power_on" : "power_off"));
  if (part.kind === "sun" && facts.state) found.push(facts.state);
  if (part.kind === "ups") found.push(line(part) ?? word("not_known"));
  if (typeof facts.charge === "number") found.push(word("charge", percent(facts.charge)));
  if (typeof facts.volts === "number") found.push(`${oneDecimal.format(facts.volts)} V`);
  if (typeof facts.load === "number") found.push(word("load", percent(facts.load)));
  if (part.isOld) found.push(part.isDown ? word("is_down_old") : part.age === null ? word("is_of_no_time") : word("is_old", ago(part.age)));
  return found.join(", ");
}

// the picture

/** Where each stands: what gives at the left, batteries below, what takes at the right, the house in the middle. */
function places(found) {
  const size = narrow.matches ? { width: 360, left: 60, right: 300, radius: 44 } : { width: 760, left: 100, right: 660, radius: 52 };
  const left = found.filter((each) => each.kind === "sun" || each.kind === "grid");
  const below = found.filter((each) => each.kind === "battery");
  const right = found.filter((each) => !left.includes(each) && !below.includes(each));
  const pitch = 2 * size.radius + 58;
  const drop = pitch + 26; // from the house to a battery
  const height = Math.max(left.length * pitch, right.length * pitch, below.length ? pitch + drop : pitch);
  const house = { x: size.width / 2, y: (below.length ? height - drop : height) / 2 - 18 };
  const at = new Map();
  const column = (list, x) => list.forEach((each, row) => at.set(each.id, { x, y: (row + 0.5) * (height / list.length) - 18 }));
  column(left, size.left);
  column(right, size.right);
  const step = 2 * size.radius + 24;
  below.forEach((each, index) => {
    at.set(each.id, { x: house.x + (index - (below.length - 1) / 2) * step, y: house.y + drop });
  });
  return { ...size, height, house, at };
}

const format = (value) => value.toFixed(1);

/** A curve between a part and the house, and its middle with the direction there. */
function curve(place, layout) {
  const { house, radius } = layout;
  const hub = radius - 4;
  if (place.x > layout.left && place.x < layout.right) {
    const from = { x: place.x, y: place.y - radius - 3 };
    const to = { x: house.x, y: house.y + hub + 22 };
    return { path: `M${format(from.x)} ${format(from.y)}L${format(to.x)} ${format(to.y)}`, middle: mid(from, to), angle: angle(from, to) };
  }
  const side = place.x < house.x ? 1 : -1;
  const from = { x: place.x + side * (radius + 3), y: place.y };
  const to = { x: house.x - side * (hub + 4), y: house.y };
  const bend = (from.x + to.x) / 2;
  const path = `M${format(from.x)} ${format(from.y)}C${format(bend)} ${format(from.y)} ${format(bend)} ${format(to.y)} ${format(to.x)} ${format(to.y)}`;
  const tangent = { x: 0.75 * (to.x - from.x) * 0.5, y: 1.5 * (to.y - from.y) };
  return { path, middle: mid(from, to), angle: (Math.atan2(tangent.y, tangent.x) * 180) / Math.PI };
}

const mid = (from, to) => ({ x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 });
const angle = (from, to) => (Math.atan2(to.y - from.y, to.x - from.x) * 180) / Math.PI;

function drawNode(kind, place, radius) {
  const text = (name, y) => make("text", { class: name, x: 0, y, "text-anchor": "middle" });
  const node = {
    group: make("g", { transform: `translate(${format(place.x)} ${format(place.y)})` }),
    circle: make("circle", { r: radius }),
    main: text("main", 17),
    title: text("title", radius + 18),
    detail: text("detail", radius + 35),
  };
  node.group.append(node.circle, make("path", { class: "icon", d: icons[kind], transform: "translate(0 -14)" }), node.main, node.title, node.detail);
  return node;
}

function draw(found) {
  const layout = places(found);
  const picture = make("svg", { viewBox: `0 0 ${layout.width} ${format(layout.height)}`, class: narrow.matches ? "narrow" : "wide" });
  const nodes = new Map();
  const edges = new Map();
  for (const part of found) {
    const place = layout.at.get(part.id);
    const { path, middle, angle: turned } = curve(place, layout);
    const edge = {
      group: make("g", {}),
      line: make("path", { class: "line", d: path }),
      moving: make("path", { class: "moving", d: path }),
      arrow: make("path", { class: "arrow" }),
      middle,
      turned,
    };
    edge.group.append(edge.line, edge.moving, edge.arrow);
    edges.set(part.id, edge);
    picture.append(edge.group);
  }
  const house = drawNode("house", layout.house, layout.radius - 4);
  house.group.setAttribute("class", "node house");
  house.title.textContent = word("house");
  picture.append(house.group);
  for (const part of found) {
    const node = drawNode(part.kind, layout.at.get(part.id), layout.radius);
    nodes.set(part.id, node);
    picture.append(node.group);
  }
  document.getElementById("picture").replaceChildren(picture);
  return { nodes, edges, house };
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function shortened(text, most) {
  return text.length > most ? `${text.slice(0, most - 1).trimEnd()}…` : text;
}

function show(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

function thickness(part, largest) {
  return part.watts === null ? 2 : 2 + 8 * Math.sqrt(Math.abs(part.watts) / largest);
}

function update(picture, found) {
  const largest = Math.max(300, ...found.map((each) => Math.abs(each.watts ?? 0)));
  for (const part of found) {
    const node = picture.nodes.get(part.id);
    const isFeeding = part.kind === "ups" && part.side === "gives";
    const state = part.isOld ? " old" : part.isBad ? " bad" : isFeeding ? " warm" : "";
    show(node.group, "class", `node ${part.kind}${state}`);
    set(node.main, shortened(mainText(part), 12));
    set(node.title, shortened(titleOf(part), longest()));
    set(node.detail, shortened(detail(part), longest()));
    const edge = picture.edges.get(part.id);
    const flows = isFlowing(part);
    const width = flows ? thickness(part, largest) : 1.5;
    show(edge.group, "class", `edge ${part.kind} ${flows ? (goesIn(part) ? "in" : "out") : "none"}${state}`);
    show(edge.line, "stroke-width", format(width));
    show(edge.moving, "stroke-width", format(Math.max(1.5, width / 2.5)));
    const size = 6 + width;
    show(edge.arrow, "d", flows ? `M${format(size)} 0L${format(-size * 0.7)} ${format(-size * 0.8)}V${format(size * 0.8)}Z` : "");
    show(edge.arrow, "transform", `translate(${format(edge.middle.x)} ${format(edge.middle.y)}) rotate(${format(edge.turned + (goesIn(part) ? 0 : 180))})`);
  }
  const all = flow.total(found);
  set(picture.house.main, all === null ? "" : power(all));
}

function showRows(found) {
  const place = document.getElementById("flow-rows");
  const rows = found.map((part) => [titleOf(part), sentence(part)]);
  const all = flow.total(found);
  if (all !== null) rows.push([word("house"), word("takes", power(all))]);
  while (place.rows.length > rows.length) place.deleteRow(-1);
  rows.forEach(([title, text], index) => {
    if (index >= place.rows.length) place.append(make("tr", {}, make("th", { scope: "row" }), make("td")));
    set(place.rows[index].cells[0], title);
    set(place.rows[index].cells[1], text);
  });
}

function showFlow() {
  const found = flow.parts(services, relayNames, live);
  document.getElementById("flow").hidden = !found.length;
  if (!found.length) return;
  const structure = `${narrow.matches} ${found.map((each) => each.id).join()}`;
  if (drawn?.structure !== structure) drawn = { ...draw(found), structure };
  update(drawn, found);
  showRows(found);
}

// the services

const cards = new Map();

function card(instance) {
  if (!cards.has(instance)) {
    const found = {
      item: make("li", { class: "service" }),
      name: make("strong"),
      service: make("span", { class: "quiet" }),
      state: make("span", { class: "state" }),
      status: make("p", { class: "status" }),
      age: make("p", { class: "quiet age" }),
      troubles: make("ul", { class: "plain troubles" }),
      error: make("p", { class: "quiet error" }),
    };
    const head = make("div", { class: "head" }, found.name, found.service, found.state);
    found.item.append(head, make("div", {}, found.status, found.troubles, found.error), found.age);
    cards.set(instance, found);
  }
  return cards.get(instance);
}

function showService(row) {
  const found = card(row.instance);
  const status = live.value(`${row.instance}/status`) ?? row.status ?? "";
  const age = live.ageOf(`${row.instance}/status`) ?? row.status_age_seconds;
  const troubles = row.state === "down" ? [...row.troubles, word("down_why", row.instance)] : row.troubles;
  set(found.name, row.instance);
  set(found.service, row.instance === row.service ? "" : row.service);
  set(found.state, word(`state_${row.state}`));
  show(found.item, "class", `service ${row.state}${row.well ? "" : " unwell"}`);
  set(found.status, troubles.includes(status) ? "" : status);
  set(found.age, status && age !== null && row.state !== "down" ? word("said", ago(age)) : "");
  if (found.told !== troubles.join("\n")) {
    found.told = troubles.join("\n");
    found.troubles.replaceChildren(...troubles.map((text) => make("li", { text, class: "bad" })));
  }
  const error = row.last_error !== null && !troubles.includes(row.last_error) ? row.last_error : null;
  const when = row.last_error_age_seconds === null ? "" : ` (${ago(row.last_error_age_seconds)})`;
  set(found.error, error === null ? "" : word("last_error", error) + when);
  for (const each of [found.status, found.age, found.error]) each.hidden = !each.textContent;
  found.troubles.hidden = !troubles.length;
  return found.item;
}

function place(id, rows) {
  const list = document.getElementById(id);
  const items = rows.map(showService);
  if (items.length !== list.children.length || items.some((each, index) => list.children[index] !== each)) list.replaceChildren(...items);
  document.getElementById(`${id}-services`).hidden = !items.length;
}

function showServices() {
  const unwell = services.filter((each) => !each.well);
  place("unwell", unwell);
  place("well", services.filter((each) => each.well));
  const unknown = services.filter((each) => each.state === "unknown");
  const summary = document.getElementById("summary");
  const names = unwell.map((each) => each.instance).join(", ");
  const others = services.filter((each) => each.service !== "web").length;
  let text = services.length === 1 ? word("one_well") : word("all_well", services.length);
  if (unwell.length) text = unwell.length === 1 ? word("one_unwell", names) : word("some_unwell", unwell.length, names);
  else if (unknown.length) text = word("some_unknown", unknown.map((each) => each.instance).join(", "));
  else if (!others) text = word("no_services");
  set(summary, text);
  show(summary, "class", `summary ${unwell.length ? "bad" : unknown.length ? "warm" : "good"}`);
}

// together

function render() {
  if (document.hidden || !isAsked) return;
  showFlow();
  showServices();
}

let isDue = false;

function renderSoon() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    render();
  });
}

let asking = null;
let isAsking = false;

async function askNow() {
  asking = null;
  isAsking = true;
  try {
    const found = await get("/v1/now");
    services = found.services;
    relayNames = found.relays;
    isAsked = true;
    renderSoon();
  } catch (error) {
    if (document.body.dataset.live !== "lost") say(error.message, { bad: true });
  } finally {
    isAsking = false;
  }
}

function askSoon() {
  asking ??= setTimeout(askNow, settleMilliseconds * (0.5 + Math.random())); // not all who look at once
}

askNow(); // while live.js hears of the values
live.onLive(["*/*"], (names) => {
  if (!isAsked) return;
  const known = new Set(services.map((each) => each.instance));
  if (names.some((name) => /\/(alive|unwell|error)$/.test(name) || !known.has(name.split("/", 1)[0]))) askSoon();
  renderSoon();
});
document.addEventListener("live", (event) => {
  if (event.detail === "on" && !isAsking) askSoon();
  renderSoon();
});
narrow.addEventListener("change", renderSoon);
setInterval(renderSoon, 1000);
setInterval(() => document.hidden || askSoon(), lookSeconds * 1000);
