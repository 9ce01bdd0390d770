// The page of rules: the list of all, and one that is built, tried and saved. The part of the address after # says which: #3, #3/blocks.
import { ask, clockTime, get, hasPassword, loggedIn, make, post, say, word } from "./kit.js";
import { onLive, value } from "./live.js";
import { offer, openEditor } from "./blocks.js";
import { Form } from "./forms.js";
import { Past, TryOut } from "./tryout.js";

const at = id => document.getElementById(id);
const FORM = "form";
const BLOCKS = "blocks";
const WAIT_MS = 1000;
const WAITS_MAX = 60;

const titleOf = rule => (rule.name ? word("relay_named", rule.number, rule.name) : word("relay", rule.number));

function madeOf(rule) {
  const made = word(`made_${rule.made}`, rule.kind ? word(`kind_${rule.kind}`) : rule.file);
  return rule.is_changed_by_hand ? word("made_changed", made) : made;
}

// ---- all of them

let all = { rules: [] };
const lines = new Map(); // of each relay, what changes in its card

async function showAll() {
  all = await get("/v1/rules");
  at("none").hidden = all.rules.length > 0;
  at("none").textContent = word("no_relays");
  lines.clear();
  at("rules").replaceChildren(...all.rules.map(card));
  all.rules.forEach(tellNow);
}

function card(rule) {
  const says = make("p", { class: "says" });
  const why = make("p", { class: "why" });
  const state = make("p", { class: "quiet small" });
  lines.set(rule.number, { says, why, state });
  const verb = !rule.may_be_saved || !loggedIn ? "look" : rule.made === "none" ? "begin" : "open";
  const title = make("h2", { id: `rule-${rule.number}`, text: titleOf(rule) });
  const link = make("a", { class: "button", href: `#${rule.number}`, text: word(verb), "aria-describedby": title.id });
  return make("li", { class: "card" }, title, make("p", { class: "quiet", text: madeOf(rule) }), says, why, state, link);
}

function toldOf(number, initially) {
  const now = (name, first) => value(`rules/${number}.${name}`) ?? first ?? null;
  return {
    says: now("says", initially?.says),
    reason: now("reason", initially?.reason),
    state: value(`relays/${number}.state`) ?? initially?.state ?? null,
  };
}

function tellNow(rule) {
  const line = lines.get(rule.number);
  if (!line) return;
  const { says, reason, state } = toldOf(rule.number, rule);
  const isThere = rule.made !== "none";
  line.says.textContent = isThere ? word(`says_${says ?? "none"}`) : "";
  line.says.className = `says ${{ on: "good", lost: "bad" }[says] ?? ""}`;
  line.why.textContent = isThere ? (reason ?? "") : "";
  line.state.textContent = state ? word(`state_${state === "on" ? "on" : "off"}`) : "";
}

function tellLive(names) {
  for (const rule of all.rules) {
    if (names.some(name => /[/.](says|reason|state)$/.test(name) && name.split("/")[1].startsWith(`${rule.number}.`))) tellNow(rule);
  }
  edited?.tellNow();
}

// ---- one that is built

let edited = null;
let kinds = null;
let table = null;

class Edited {
  #rule;
  #way = null;
  #form = null;
  #editor = null;
  #opensForm = null;
  #opensBlocks = null;
  #tryOut;
  #past;
  #isDirty = false;
  #madeFrom = "";
  #closed = false;

  constructor(rule) {
    this.#rule = rule;
    this.#madeFrom = rule.digest;
    const draft = () => this.#draft();
    this.#tryOut = new TryOut({ draft, needs: () => this.#part.needs(), known: () => this.#known, found: answer => this.#hear(answer) });
    this.#past = new Past({ draft });
  }

  get number() {
    return this.#rule.number;
  }

  get isDirty() {
    return this.#isDirty;
  }

  get #part() {
    return this.#way === FORM ? this.#form : this.#editor;
  }

  get #known() {
    return (this.#way === FORM ? kinds : table)?.values ?? {};
  }

  get #mayBuild() {
    return loggedIn && this.#rule.may_be_saved && !this.#rule.saved?.is_newer;
  }

  async show(way) {
    const rule = this.#rule;
    at("edit-title").textContent = titleOf(rule);
    this.#note();
    this.tellNow();
    at("ways").hidden = !rule.may_be_saved || Boolean(rule.saved?.is_newer);
    at("saving").hidden = at("try").hidden = at("past").hidden = !this.#mayBuild;
    at("saved").textContent = "";
    this.#listVersions();
    at("remove").hidden = rule.made === "none";
    const isByHand = rule.made === "by_hand";
    at("text").hidden = !isByHand && !rule.saved?.is_newer; // blocks of a set to come may not be drawn at all
    at("code").textContent = rule.text;
    at("form").hidden = at("blocks").hidden = true;
    if (isByHand) return;
    await this.#goTo(way ?? (rule.made === "blocks" ? BLOCKS : FORM));
  }

  #note() {
    const { file, besides } = this.#rule;
    const notes = [];
    if (!this.#rule.may_be_saved) notes.push(word("of_root", file));
    else if (!loggedIn) notes.push(word("only_look"), ...(hasPassword ? [] : [word("set_password_first")]));
    if (this.#rule.is_changed_by_hand) notes.push(word("changed_note", file));
    if (this.#rule.saved?.is_newer) notes.push(word("newer_note"));
    if (besides) notes.push(word("besides_note", besides, file));
    at("edit-note").replaceChildren(...notes.map(text => make("p", { class: "note", text })));
  }

  tellNow() {
    if (this.#closed) return;
    const { says, reason, state } = toldOf(this.number, this.#rule);
    const now = this.#rule.made === "none" ? word("made_none") : [word(`says_${says ?? "none"}`), reason].filter(Boolean).join(": ");
    at("edit-now").textContent = [now, state ? word(`state_${state === "on" ? "on" : "off"}`) : ""].filter(Boolean).join(". ").replace("..", ".");
  }

  async #goTo(way) {
    this.#way = way;
    for (const each of [FORM, BLOCKS]) at(`way-${each}`).setAttribute("aria-pressed", String(each === way));
    at("form").hidden = way !== FORM;
    at("blocks").hidden = way !== BLOCKS;
    if (way === FORM && !this.#form) await (this.#opensForm ??= this.#openForm());
    if (way === BLOCKS && !this.#editor) await (this.#opensBlocks ??= this.#openBlocks());
    if (!this.#closed && this.#way === way) this.#try();
  }

  async turn(way) {
    if (way === this.#way) return;
    history.replaceState(null, "", `#${this.number}/${way}`);
    await this.#goTo(way);
  }

  async #openForm() {
    kinds ??= await get("/v1/rules/kinds");
    if (this.#closed) return;
    this.#form = new Form(at("form"), kinds, { readOnly: !this.#mayBuild, changed: () => this.#change() });
    this.#form.show(this.#rule.saved?.ready ?? this.#rule.settings);
  }

  async #openBlocks() {
    try {
      table ??= await get("/v1/rules/blocks");
      offer(Object.keys(table.values));
      const editor = await openEditor(at("blockly"), table, { readOnly: !this.#mayBuild, changed: () => this.#change() });
      if (this.#closed) {
        editor.close();
        return;
      }
      this.#editor = editor;
    } catch (error) {
      say(word("no_editor", error.message), { bad: true });
      return;
    }
    this.#listTemplates();
    const { workspace: blocks, is_newer: isNewer } = this.#rule.saved ?? {};
    if (this.#editor.show(blocks)) return;
    if (isNewer) at("blocks").hidden = true;
    else this.#editor.show(null);
  }

  #listTemplates() {
    at("blocks-tools").hidden = !this.#mayBuild;
    const others = table.relays.filter(each => each !== String(this.number));
    const lacks = each => [...each.missing, ...(each.relays.length && !others.length ? [word("another_relay")] : [])];
    const option = each => {
      const missing = lacks(each);
      return make("option", {
        value: each.name,
        title: each.purpose,
        disabled: missing.length > 0,
        text: missing.length ? word("template_lacks", each.title, missing.join(", ")) : each.title,
      });
    };
    at("template").replaceChildren(make("option", { value: "", text: word("template_none") }), ...table.templates.map(option));
    at("template").onchange = () => this.#take(at("template").value, others[0]);
    const missing = [...new Set(table.templates.flatMap(each => each.missing))];
    at("template-missing").hidden = !missing.length || !this.#mayBuild;
    at("template-missing").textContent = word("template_missing", missing.join(", "), table.command);
  }

  async #take(name, other) {
    at("template").value = "";
    const template = table.templates.find(each => each.name === name);
    if (!template) return;
    const isEmpty = !this.#isDirty && !this.#rule.saved?.workspace;
    if (!isEmpty && !(await ask(word("template_replace"), word("replace")))) return;
    at("template-purpose").textContent = template.purpose;
    this.#editor.show(withRelay(template.workspace, template.relays[0], other), { canBeUndone: true });
    this.#change();
  }

  #draft() {
    if (!this.#mayBuild || !this.#part) return null;
    if (this.#way === FORM) return this.#form.isIncomplete ? null : { number: this.number, body: { ready: this.#form.read() } };
    return { number: this.number, body: { set: table.set, workspace: this.#editor.read() } };
  }

  #change() {
    this.#isDirty = true;
    at("saved").textContent = "";
    this.#try();
  }

  #try() {
    if (!this.#mayBuild || !this.#part) return;
    if (this.#way === BLOCKS) this.#editor.look();
    else this.#form.tell({});
    this.#tryOut.change();
    this.#past.change();
  }

  // What a check has found: at the field, or at the block.
  #hear(answer) {
    if (this.#way === FORM) this.#form.tell(answer.faults_of_settings ?? {});
    else if (answer.block && answer.faults.length) this.#editor.mark(answer.block, answer.faults[0], { takesFocus: false });
    this.#past.record(answer.record);
  }

  #listVersions() {
    const { versions } = this.#rule;
    const named = each => {
      const when = each.saved === null ? word("version_number", each.version) : word("version_of", clockTime(each.saved));
      return each.is_removal ? word("version_removed", when) : when;
    };
    const older = versions.filter(each => each.digest !== this.#rule.digest && !each.fault);
    at("version").hidden = at("version-label").hidden = !older.length;
    at("version").replaceChildren(
      make("option", { value: "", text: word("version_now") }),
      ...older.map(each => make("option", { value: each.version, text: named(each), disabled: each.is_removal || each.is_newer })),
    );
    at("version").onchange = () => this.#back(Number(at("version").value));
  }

  // Show an earlier one; 0 is what is in use.
  async #back(version) {
    const found = version ? this.#rule.versions.find(each => each.version === version) : this.#rule.saved;
    await this.#put(found ?? {});
    this.#isDirty = version > 0;
    at("saved").textContent = version ? word("version_shown") : "";
    this.#try();
  }

  async #put({ ready, workspace }) {
    const way = ready ? FORM : workspace ? BLOCKS : this.#way;
    await this.#goTo(way);
    if (way === FORM) this.#form.show(ready ?? {});
    else this.#editor?.show(workspace ?? null);
  }

  async save(more = {}) {
    const body = this.#way === FORM ? { ready: this.#form.read() } : { set: table.set, workspace: this.#editor.read() };
    await this.#send({ ...body, ...more });
  }

  async remove() {
    if (await ask(word("remove_ask", titleOf(this.#rule)), word("remove"))) await this.#send({ remove: true });
  }

  async #send(body) {
    at("saved").className = "";
    at("saved").textContent = word("saving");
    try {
      const result = await post(`/v1/rules/${this.number}`, { ...body, made_from: this.#madeFrom });
      await this.#become(result, body);
    } catch (error) {
      this.#tell(error.message, true);
    }
  }

  #tell(text, bad = false) {
    at("saved").className = bad ? "bad" : "good";
    at("saved").textContent = text;
  }

  async #become(result, body) {
    switch (result.word) {
      case "accepted":
      case "removed":
        await this.#taken(result);
        break;
      case "refused":
        this.#tell(word("saved_refused", result.words), true);
        if (this.#way === BLOCKS && result.block) this.#editor.mark(result.block, result.words);
        if (this.#way === FORM) {
          const [, name, what] = /^([A-Z_]+): (.*)$/.exec(result.words) ?? [];
          if (name) this.#form.tell({ [name]: what });
          this.#form.focusFault();
        }
        break;
      case "conflict":
        await this.#disagree(body);
        break;
      case "changed":
        this.#tell("");
        if (await ask(word("overwrite_ask", this.#rule.file), word("overwrite"))) await this.#send({ ...body, overwrite: true });
        break;
      case "waiting":
        this.#tell(word("saved_waiting"));
        this.#await(result.digest, body);
        break;
      default:
        this.#tell(word(result.word === "newer" ? "saved_newer" : "saved_failed", result.words), true);
    }
  }

  async #taken(result) {
    this.#isDirty = false;
    const text = word(`saved_${result.word}`);
    this.#rule = await get(`/v1/rules/${this.number}`);
    this.#madeFrom = this.#rule.digest;
    this.#note();
    this.#listVersions();
    this.tellNow();
    at("remove").hidden = this.#rule.made === "none";
    this.#tell([text, result.words].filter(Boolean).join(" "));
    say(text);
  }

  // The service has not said: ask on, as long as somebody waits here.
  async #await(digest, body) {
    for (let each = 0; each < WAITS_MAX && !this.#closed; each++) {
      await new Promise(done => setTimeout(done, WAIT_MS));
      const { result } = await get(`/v1/rules/${this.number}`).catch(() => ({}));
      if (result?.digest === digest && !this.#closed) {
        await this.#become({ ...result, block: "" }, body);
        return;
      }
    }
  }

  // Somebody else has saved meanwhile: he may look at both, and decide.
  async #disagree(body) {
    this.#tell(word("conflict"), true);
    const theirs = await get(`/v1/rules/${this.number}`);
    const choices = make("div", { class: "row" });
    const show = async (content, other, label) => {
      await this.#put(content);
      choices.firstChild.replaceWith(make("button", { type: "button", text: word(label), onclick: other }));
      choices.firstChild.focus();
    };
    const showTheirs = () => show(theirs.saved ?? {}, showMine, "conflict_mine");
    const showMine = () => show(body, showTheirs, "conflict_theirs");
    choices.append(
      make("button", { type: "button", text: word("conflict_theirs"), onclick: showTheirs }),
      make("button", {
        type: "button",
        class: "bad",
        text: word("conflict_over"),
        onclick: async () => {
          if (!(await ask(word("conflict_ask"), word("conflict_over")))) return;
          this.#madeFrom = theirs.digest;
          await this.#send({ ...body, overwrite: true });
        },
      }),
    );
    at("saved").append(choices);
  }

  close() {
    this.#closed = true;
    this.#tryOut.stop();
    this.#past.stop();
    this.#past.record("");
    this.#editor?.close();
    at("form").replaceChildren();
    at("pretended").replaceChildren();
  }
}

/** The blocks of an example, with another relay in place of the one that it names. */
function withRelay(blocks, named, other) {
  if (named === undefined) return blocks;
  return JSON.parse(JSON.stringify(blocks), (key, each) => (key === "RELAY" && each === named ? other : each));
}

// ---- which one is shown

function wanted() {
  const [, number, way] = /^#([1-9][0-9]{0,2})(?:\/(form|blocks))?$/.exec(location.hash) ?? [];
  return { number: number ? Number(number) : null, way };
}

async function follow() {
  const { number, way } = wanted();
  if (edited && edited.number === number) {
    if (way) await edited.turn(way);
    return;
  }
  if (edited?.isDirty && !(await ask(word("leave_ask"), word("leave")))) {
    history.replaceState(null, "", `#${edited.number}`);
    return;
  }
  edited?.close();
  edited = null;
  try {
    if (number === null) {
      at("edit").hidden = true;
      at("all").hidden = false;
      await showAll();
      return;
    }
    const rule = await get(`/v1/rules/${number}`);
    edited = new Edited(rule);
    at("all").hidden = true;
    at("edit").hidden = false;
    scrollTo(0, 0);
    const shown = edited.show(way);
    at("edit-title").focus({ preventScroll: true }); // now: once all is there, somebody may be elsewhere in it
    await shown;
  } catch (error) {
    say(error.message, { bad: true });
  }
}

at("save").addEventListener("click", () => edited?.save());
at("remove").addEventListener("click", () => edited?.remove());
for (const way of [FORM, BLOCKS]) at(`way-${way}`).addEventListener("click", () => edited?.turn(way));
addEventListener("hashchange", follow);
addEventListener("beforeunload", event => {
  if (edited?.isDirty) event.preventDefault();
});
await follow();
onLive(["rules/*.says", "rules/*.reason", "relays/*.state"], tellLive);
