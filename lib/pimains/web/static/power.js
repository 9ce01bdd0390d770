import { get, loggedIn, make, post, say, word } from "./kit.js";
import { follow } from "./follow.js";
import { twice } from "./twice.js";

const place = (id) => document.getElementById(id);
const order = ["asked", "accepted", "steps", "no return", "down"];
const key = (name) => name.replaceAll(" ", "_");
let isPast = false; // the point of no return: then silence means that it is off
let waiting = new Map(); // what was asked of a plug, until it is so

const again = follow(["*/alive", "*/status", "*/unwell", "*/relay", "*/power", "*/cut"], look, (error) => {
  if (!isPast || error.status) return false;
  place("halting-status").textContent = word("gone");
  return true;
});
plan();

async function look() {
  const found = await get("/v1/power");
  showHalt(found);
  showActs(found);
  showPlugs(found.plugs);
  return found.halt.stage !== "none" || waiting.size > 0;
}

function showHalt({ halt, machine }) {
  place("halting").hidden = halt.stage === "none";
  isPast = halt.stage === "no return" || halt.stage === "down";
  if (halt.stage === "none") return;
  place("halting-title").textContent = word(halt.is_rehearsal ? "rehearsed" : "under_way", machine);
  place("halting-why").textContent = word("asked_by", halt.reason ?? "", halt.requester ?? "");
  const now = order.indexOf(halt.stage);
  const shown = now >= 0 ? order : ["asked", "accepted", "steps", halt.stage];
  const at = shown.indexOf(halt.stage);
  const stages = shown.map((stage, index) =>
    make("li", {
      text: word(`stage_${key(stage)}`),
      class: index < at ? "past" : index === at ? "now" : "to-come",
      "aria-current": index === at ? "step" : null,
    }),
  );
  update(place("stages"), stages);
  update(
    place("halting-steps"),
    halt.steps.map((step) =>
      make("li", { class: step.state.replace(" ", "-") }, make("strong", { text: step.name }), " ", make("span", { text: step.words || word("step_runs") })),
    ),
  );
  place("halting-status").textContent = halt.status;
  const can = halt.can_be_cancelled;
  place("halting-cancel").textContent = can
    ? word("can_be_cancelled")
    : halt.stage === "cancelled"
      ? word("is_cancelled", halt.cancelled_by)
      : [word("too_late"), halt.why_not_cancelled].filter(Boolean).join(" ");
  place("halting-cancel").className = can ? "good" : "warm";
}

// Only what changed is put into the page: what is read aloud, or looked at, stays where it is.
function update(list, items) {
  if (list.children.length === items.length && items.every((item, index) => item.isEqualNode(list.children[index]))) return;
  list.replaceChildren(...items);
}

function showActs({ halt, file_servers: servers }) {
  const acts = [];
  const isIdle = halt.stage === "none" || halt.is_rehearsal;
  if (isIdle && servers.length) acts.push(["good-night", () => shutDown(true)]);
  if (isIdle) acts.push(["shut-down", () => shutDown(false)]);
  if (halt.stage !== "none" && halt.stage !== "cancelled") acts.push(["keep-on", cancel]);
  const isOff = (id) => Boolean(halt.why_not_asked) || !loggedIn || (id === "keep-on" && !halt.can_be_cancelled);
  const shown = [...place("acts").children].map((each) => each.id).join();
  if (shown !== acts.map(([id]) => id).join()) {
    place("acts").replaceChildren(
      ...acts.map(([id, act]) => make("button", { id, class: id === "shut-down" ? "bad" : "good", onclick: act, text: word(key(id.replace("-", "_"))) })),
    );
  }
  for (const [id] of acts) place(id).disabled = isOff(id);
  place("acts-why-not").textContent = halt.why_not_asked || (loggedIn ? "" : word("log_in_to_act"));
  place("acts-text").textContent = word(servers.length ? "acts_text_server" : "acts_text");
  place("acts-title").textContent = word(isIdle ? "acts_title" : "acts_stop");
  place("acts-text").hidden = !isIdle;
  place("acts-status").textContent = halt.stage === "none" ? halt.status : "";
}

async function shutDown(isGoodNight) {
  await trying(async () => {
    const said = await post("/v1/power/halt", { good_night: isGoodNight });
    const lines = [];
    if (isGoodNight) {
      lines.push(said.clients.length ? word("clients_leave", said.clients.join(", ")) : word("no_clients"));
      lines.push(word("power_off_clients"));
    } else if (said.clients.length) {
      lines.push(word("clients_lose", said.clients.join(", ")));
    }
    lines.push(word("goes_down", said.machine), word("plug_cuts"));
    const title = word(isGoodNight ? "good_night_question" : "shut_down_question", said.machine);
    if (!(await twice({ title, lines, yes: word(isGoodNight ? "good_night" : "shut_down"), check: { name: said.machine } }))) return;
    await post("/v1/power/confirm", { token: said.token, machine: said.machine });
    say(word("is_asked"));
  });
}

async function cancel() {
  await trying(async () => {
    const said = await post("/v1/power/cancel");
    const lines = [said.under_way, said.ran.length ? word("is_undone", said.ran.join(", ")) : word("nothing_ran")];
    if (!(await twice({ title: word("cancel_question"), lines, yes: word("keep_on"), check: { tick: word("cancel_tick") }, isGood: true }))) return;
    const done = await post("/v1/power/confirm", { token: said.token });
    say(word(`outcome_${key(done.outcome)}`, done.why), { bad: done.outcome !== "cancelled" });
  });
}

function showPlugs(plugs) {
  place("plugs-part").hidden = !plugs.length;
  update(place("plugs"), plugs.map(plug));
}

function plug(each) {
  if (waiting.get(each.name) === each.relay) waiting.delete(each.name);
  const isOn = each.relay === "on";
  const isPast = each.is_up === false || !each.is_well; // it says nothing new
  const state = each.relay === null ? word("not_known") : word(isOn ? "plug_on" : "plug_off");
  const watts = each.watts === null ? "" : `, ${each.watts.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 })} W`;
  const lines = [
    make("h3", { text: each.name }),
    make("p", { class: each.relay === null || isPast ? "quiet" : "state", text: isPast && each.relay !== null ? word("plug_was", state) : state + watts }),
    each.is_up === false ? make("p", { class: "bad", text: word("not_up", each.name) }) : null,
    make("p", { class: each.is_well ? "quiet" : "bad", text: each.status ?? word("not_known") }),
  ];
  if (waiting.has(each.name)) lines.push(make("p", { class: "warm", text: word(waiting.get(each.name) === "on" ? "plug_wait_on" : "plug_wait_off") }));
  if (each.feeds !== "another") {
    lines.push(make("p", { text: word("own_plug") }));
  } else {
    const isOff = !each.may_switch || !loggedIn;
    const to = (word_) => make("button", { "data-plug": each.name, "data-to": word_, disabled: isOff, text: word(word_ === "on" ? "switch_on" : "switch_off"), "aria-label": `${each.name}: ${word(word_ === "on" ? "switch_on" : "switch_off")}` });
    lines.push(make("div", { class: "row" }, to("on"), to("off")));
    if (each.why_not) lines.push(make("p", { class: "warm", text: each.why_not }));
  }
  return make("div", { class: "card" }, ...lines);
}

place("plugs").addEventListener("click", (event) => {
  const button = event.target.closest("button[data-plug]");
  if (button) switchPlug(button.dataset.plug, button.dataset.to);
});

async function switchPlug(name, to) {
  await trying(async () => {
    const said = await post(`/v1/power/plugs/${encodeURIComponent(name)}`, { to });
    const isOn = to === "on";
    const title = word(isOn ? "on_question" : "off_question", name);
    const lines = [word(isOn ? "on_line" : "off_line")];
    const check = isOn ? null : { tick: word("off_tick") };
    if (!(await twice({ title, lines, yes: word(isOn ? "switch_on" : "switch_off"), check, isGood: isOn }))) return;
    waiting.set(name, to);
    again();
    try {
      say((await post("/v1/power/confirm", { token: said.token })).said);
    } catch (error) {
      waiting.delete(name);
      throw error;
    }
  });
}

async function trying(act) {
  try {
    await act();
  } catch (error) {
    say(error.message, { bad: true });
  }
  again();
}

function remark(step) {
  if (!step.fault && !step.unseen) return null;
  return make("div", { class: "warm", text: step.fault ? word("would_not_run", step.fault) : word("unseen", step.unseen) });
}

function measured(step) {
  if (step.only_during_an_upgrade) return word("only_upgrade");
  return step.measured_times ? word("times", step.measured_times, step.p95_seconds.toFixed(1)) : word("never");
}

async function plan() {
  try {
    const found = await get("/v1/power/plan");
    const seconds = (count) => {
      const whole = Math.round(count);
      return whole < 120 ? word("seconds", whole) : word("minutes", Math.floor(whole / 60), String(whole % 60).padStart(2, "0"));
    };
    place("plan").hidden = false;
    place("plan").tBodies[0].replaceChildren(
      ...found.steps.map((step) =>
        make(
          "tr",
          {},
          make("td", {}, make("strong", { text: step.name }), remark(step)),
          make("td", { class: "number", text: seconds(step.budget_seconds) }),
          make("td", { text: measured(step) }),
        ),
      ),
    );
    const whole = found.total_seconds + found.grace_seconds + found.shutdown_seconds;
    place("plan-sum").textContent = word("sum", seconds(whole), seconds(found.measured_seconds + found.shutdown_seconds));
    if (!found.steps.some((step) => step.measured_times)) place("plan-sum").textContent = word("sum_unmeasured", seconds(whole));
    const limits = [];
    const battery = found.on_battery ? found.battery_seconds : found.battery_runtime_seconds;
    if (battery !== null) {
      const isEnough = battery >= whole;
      const line = word(found.on_battery ? "battery_now" : "battery_would", seconds(battery));
      limits.push(make("li", { class: isEnough ? "good" : "bad", text: `${line} ${word(isEnough ? "enough" : "not_enough")}` }));
    }
    if (found.plug_countdown_seconds !== null) limits.push(make("li", { text: word("countdown", seconds(found.plug_countdown_seconds), seconds(found.shutdown_seconds)) }));
    limits.push(...found.unseen.map((line) => make("li", { class: "warm", text: word("unseen", line) })));
    place("plan-limits").replaceChildren(...limits);
    place("plan-then").textContent = word("then", found.command.join(" "));
  } catch (error) {
    place("plan-sum").textContent = word("no_plan", error.message);
    place("plan-sum").className = "warm";
  }
}
