// What flows in the house, from what services say: what there is, which way and how much. No drawing, no words: now.js has those.
//
// A part is {id, kind, title, watts, isAtMost, isOld, age, isDown, isBad, facts}. `watts` go into the house, out of it where they are
// negative; null: not known. `side` is "gives" or "takes" where it is known that something flows and not how much. `facts` are numbers
// and words beside it: charge in %, volts, load in %, line, state, on (names of relays), count. What is older than it should be, or
// whose service does not run, is old: nothing is believed to flow because of it.

const oldAfterSeconds = { sun: 120, battery: 120, grid: 900, plug: 120 }; // vedirect: a block a second; a meter: its INTERVAL
const kinds = new Map(); // what an instance of vedirect is, once it has been seen

/** The parts there are; `services` are [{instance, service}], `names` those of relays, `live` is live.js. */
export function parts(services, names, live) {
  const of = (service) => services.filter((each) => each.service === service).map((each) => each.instance);
  const victrons = of("vedirect").map((instance) => [instance, kindOf(instance, live)]);
  const found = [
    sun(victrons.filter(([, kind]) => kind === "sun").map(([instance]) => instance), live),
    ...titled(of("meter").filter((each) => live.value(`${each}/flow`) === null), "grid", (each) => grid(each, live)),
    ...titled(victrons.filter(([, kind]) => kind === "battery").map(([instance]) => instance), "battery", (each) => battery(each, live)),
    of("relays").length ? relays(names, live) : null,
    ...titled(of("plug"), "plug", (each) => plug(each, live)),
    ...titled(of("ups").flatMap((each) => supplies(each, live)), "ups", (each) => ups(each, live)),
  ];
  return found.filter((each) => each !== null);
}

/** What the house takes in all, in W; null where one of its sources is not known, or where two meters may tell of the same. */
export function total(found) {
  const sources = found.filter((each) => ["sun", "grid", "battery"].includes(each.kind));
  const isBalanced = sources.some((each) => each.kind !== "sun");
  const isKnown = sources.every((each) => each.watts !== null && !each.isOld && !each.isAtMost);
  const meters = sources.filter((each) => each.kind === "grid").length;
  return isBalanced && isKnown && meters < 2 ? Math.max(0, sources.reduce((sum, each) => sum + each.watts, 0)) : null;
}

function titled(instances, kind, make) {
  return instances.map((each) => ({ ...make(each), title: instances.length > 1 ? each.replace(/\/$/, "").replace("/", " ") : "" }));
}

function kindOf(instance, live) {
  const has = (label) => live.value(`${instance}/${label}`) !== null;
  if (has("SOC") || has("P")) kinds.set(instance, "battery");
  else if (has("PPV")) kinds.set(instance, "sun");
  return kinds.get(instance) ?? (/bmv|shunt|batter/i.test(instance) ? "battery" : /mppt|solar|sun|pv/i.test(instance) ? "sun" : "");
}

function number(live, name) {
  const text = live.value(name);
  return text === null || text.trim() === "" || !Number.isFinite(Number(text)) ? null : Number(text);
}

function part(kind, instance, watts, facts, live, name) {
  const age = name === null ? null : live.ageOf(name);
  const isDown = !live.isAlive(instance);
  const isTimed = name !== null && live.value(name) !== null && kind in oldAfterSeconds;
  const isOld = live.isOld(`${instance}/`) || (isTimed && (age === null || age > oldAfterSeconds[kind])); // what no clock can tell may be from ever
  return { id: `${kind} ${instance}`, kind, title: "", watts, side: null, isAtMost: false, isOld, age, isDown, isBad: false, facts };
}

function sun(instances, live) {
  if (!instances.length) return null;
  const each = instances.map((instance) => part("sun", instance, number(live, `${instance}/PPV`), {}, live, `${instance}/PPV`));
  const isKnown = each.every((one) => one.watts !== null);
  const oldest = each.reduce((one, other) => ((other.age ?? -1) > (one.age ?? -1) ? other : one));
  const states = instances.map((instance) => live.value(`${instance}/CS.words`)).filter((one) => one !== null);
  return {
    ...oldest,
    id: "sun",
    watts: isKnown ? each.reduce((sum, one) => sum + one.watts, 0) : null,
    isOld: each.some((one) => one.isOld),
    isDown: each.some((one) => one.isDown),
    facts: { state: [...new Set(states)].join(", ") },
  };
}

function battery(instance, live) {
  const volts = number(live, `${instance}/V`);
  const amperes = number(live, `${instance}/I`);
  const charging = number(live, `${instance}/P`) ?? (volts !== null && amperes !== null ? volts * amperes : null);
  const facts = { charge: number(live, `${instance}/SOC`), volts };
  const name = [`${instance}/P`, `${instance}/I`, `${instance}/SOC`].find((each) => live.value(each) !== null) ?? null;
  return part("battery", instance, charging === null ? null : -charging, facts, live, name);
}

function grid(instance, live) {
  const found = part("grid", instance, number(live, `${instance}/power`), {}, live, `${instance}/power`);
  return { ...found, isAtMost: live.value(`${instance}/power_is`) === "at most" };
}

function plug(instance, live) {
  const watts = number(live, `${instance}/power`);
  const isOn = live.value(`${instance}/relay`);
  const found = part("plug", instance, watts === null ? null : -watts, { state: isOn }, live, watts === null ? null : `${instance}/power`);
  const isMute = watts === null && live.value(`${instance}/unwell`) !== null; // how it was when it last answered
  return { ...found, side: isOn === "on" && watts === null ? "takes" : null, isOld: found.isOld || isMute };
}

function relays(names, live) {
  const numbers = live.matching("relays/*.state").map((name) => name.slice("relays/".length, -".state".length));
  numbers.sort((one, other) => Number(one) - Number(other));
  const on = numbers.filter((each) => live.value(`relays/${each}.state`) === "on");
  const drawn = on.map((each) => number(live, `relays/${each}.watts`) ?? 0);
  const watts = drawn.reduce((sum, each) => sum + each, 0);
  // a relay without WATTS draws something all the same
  const isKnown = drawn.every((each) => each > 0);
  const facts = { count: numbers.length, on: on.map((each) => ({ number: each, name: names[each] ?? "" })) };
  const found = part("relays", "relays", numbers.length && isKnown ? -watts : null, facts, live, null);
  return { ...found, side: on.length && !isKnown ? "takes" : null };
}

/** The UPSes of an instance, each by what its values begin with. */
function supplies(instance, live) {
  const found = live.matching(`${instance}/*line`).filter((name) => /(\/|\.)line$/.test(name)).map((name) => name.slice(0, -"line".length));
  return found.length ? found.map((each) => each.replace(/\.$/, "")) : [`${instance}/`];
}

function ups(place, live) {
  const [instance] = place.split("/", 1);
  const start = place.endsWith("/") ? place : `${place}.`;
  const line = live.value(`${start}line`);
  const facts = { line, charge: number(live, `${start}battery.charge`), load: number(live, `${start}ups.load`) };
  const found = part("ups", instance, null, facts, live, null);
  const isAway = live.value(`${start}lost`) !== null;
  return {
    ...found,
    id: `ups ${place}`,
    side: { "on line": "takes", "on battery": "gives" }[line] ?? null,
    isOld: found.isOld || isAway,
    isBad: live.value(`${start}alarm`) !== null,
  };
}
