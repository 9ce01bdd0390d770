// Settings: what each service was told. Nothing is changed here.

import { get, make, say, word } from "./kit.js";

const place = document.getElementById("instances");
const wanted = document.getElementById("wanted");
const edited = document.getElementById("edited");
const rows = []; // {element, section, text, isEdited}

function command(line) {
  const button = make("button", { type: "button", class: "quiet", text: word("copy"), onclick: () => copy(line, button) });
  button.setAttribute("aria-label", `${word("copy")}: ${line}`);
  return make("div", { class: "command" }, make("pre", { tabindex: "0" }, make("code", { text: line })), button);
}

async function copy(line, button) {
  try {
    await navigator.clipboard.writeText(line); // where the page came without TLS there is no clipboard
    button.textContent = word("copied");
    say(word("copied"));
  } catch {
    say(word("not_copied"), { bad: true });
  }
}

function valueOf(setting) {
  if (setting.is_set === null) return ["unseen", word("unseen")];
  if (setting.secret) return ["secret", word(setting.is_set ? "set" : "not_set")];
  return setting.value ? ["value", setting.value] : ["empty", word("empty")];
}

function row(of, setting) {
  const [kind, text] = valueOf(setting);
  const value = make(kind === "value" ? "code" : "span", { class: `value ${kind}`, text });
  const marks = [setting.secret ? "secret" : "", setting.edited ? "edited" : ""].filter(Boolean);
  const head = make("h3", {}, make("code", { text: setting.name }), ...marks.map((mark) => make("span", { class: `mark ${mark}`, text: word(mark) })));
  const about = [word("default", setting.default || word("empty")), word("allowed", setting.allowed)];
  const change = make(
    "details",
    { class: "change" },
    make("summary", { text: word("change") }),
    command(setting.change),
    ...(of.apply ? [make("p", { text: word("or_edit", setting.file) }), command(of.apply)] : [make("p", { text: word("taken_up") })]),
  );
  return make(
    "section",
    { class: "setting" },
    head,
    make("p", { class: "value-line" }, value),
    make("p", { class: "meaning", text: setting.meaning }),
    make("p", { class: "quiet", text: about.join(" · ") }),
    change,
  );
}

function section(of) {
  const title = make("summary", {}, make("h2", { text: of.instance }), make("span", { class: "quiet", text: of.instance === of.service || !of.apply ? of.purpose : `${of.service}: ${of.purpose}` }));
  const whole = make("details", { class: "card instance" }, title);
  for (const setting of of.settings) {
    const element = row(of, setting);
    const text = [of.instance, of.service, setting.name, setting.value || "", setting.meaning].join(" ").toLowerCase();
    rows.push({ element, section: whole, text, isEdited: setting.edited });
    whole.append(element);
  }
  if (of.others.length) {
    const others = of.others.flatMap((each) => [make("dt", {}, make("code", { text: each.name })), make("dd", { text: each.secret ? word("secret") : each.value || word("empty") })]);
    whole.append(make("h3", { text: word("others") }), make("dl", { class: "facts" }, ...others));
  }
  return whole;
}

function filter() {
  const sought = wanted.value.toLowerCase().split(/\s+/).filter(Boolean);
  const isAll = !sought.length && !edited.checked;
  const sections = new Map();
  let count = 0;
  for (const each of rows) {
    const isShown = sought.every((part) => each.text.includes(part)) && (!edited.checked || each.isEdited === true);
    each.element.hidden = !isShown;
    count += isShown ? 1 : 0;
    sections.set(each.section, isShown || sections.get(each.section) || false);
  }
  for (const [whole, isShown] of sections) {
    whole.hidden = !isShown && !isAll;
    whole.open = isAll ? sections.size === 1 : isShown;
  }
  document.getElementById("count").textContent = count ? word("count", count) : rows.length ? word("nothing_such") : "";
}

try {
  const { instances } = await get("/v1/settings");
  if (instances.length) place.replaceChildren(...instances.map(section));
  else place.replaceChildren(make("p", { text: word("none") }), command("sudo create_service --list"));
  filter();
} catch (error) {
  place.replaceChildren();
  say(error.message, { bad: true });
}
place.setAttribute("aria-busy", "false");
document.getElementById("filter").addEventListener("submit", (event) => event.preventDefault());
for (const each of [wanted, edited]) each.addEventListener("input", filter);
