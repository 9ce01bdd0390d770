// A ready-made rule as a form: its fields come from the files of its settings, as `pimains rule kinds` tells them.
import { make, word } from "./kit.js";
import { offer } from "./blocks.js";

const NAMES_OF_VALUES = new Set(["VALUE", "SOC"]);
// two words of a choice that mean another thing in this setting
const CHOICES = { STATE: { float: "state_float" } };

const wordOf = (name, choice) => word(CHOICES[name]?.[choice] ?? `choice_${choice}`);

/** A form in `place`; `changed` is called when somebody has changed it. */
export class Form {
  #place;
  #kinds;
  #changed;
  #fields = new Map();
  #given = new Map(); // what somebody has typed, also for the settings of another kind
  #kind = null;
  #readOnly;

  constructor(place, { kinds, values }, { readOnly, changed }) {
    this.#place = place;
    this.#kinds = new Map(kinds.map(each => [each.kind, each.settings]));
    this.#changed = changed;
    this.#readOnly = readOnly;
    offer(Object.keys(values));
    place.onsubmit = event => event.preventDefault();
  }

  /** Show this rule: its settings by their names, KIND among them. */
  show(settings) {
    this.#given = new Map(Object.entries(settings ?? {}));
    const kind = this.#given.get("KIND");
    this.#draw(this.#kinds.has(kind) ? kind : [...this.#kinds.keys()][0]);
  }

  get kind() {
    return this.#kind;
  }

  #draw(kind) {
    this.#kind = kind;
    this.#fields.clear();
    const kinds = make(
      "select",
      { id: "kind", disabled: this.#readOnly, onchange: event => this.#choose(event.target.value) },
      ...[...this.#kinds.keys()].map(each => make("option", { value: each, text: word(`kind_${each}`) })),
    );
    kinds.value = kind;
    this.#place.replaceChildren(
      make("label", { for: "kind", text: word("kind") }),
      kinds,
      ...this.#kinds.get(kind).map(setting => this.#field(setting)),
    );
  }

  #choose(kind) {
    this.#draw(kind);
    document.getElementById("kind").focus();
    this.#changed();
  }

  #field(setting) {
    const id = `setting-${setting.name}`;
    const value = this.#given.get(setting.name) ?? setting.value;
    const about = { id, name: setting.name, disabled: this.#readOnly, "aria-describedby": `${id}-fault ${id}-meaning` };
    const field = setting.choices.length
      ? make("select", about, ...setting.choices.map(each => make("option", { value: each, text: wordOf(setting.name, each) })))
      : make("input", {
          ...about,
          type: "text",
          list: NAMES_OF_VALUES.has(setting.name) ? "known-values" : null,
          inputmode: /W$|%|number/.test(setting.kind) ? "decimal" : null,
          placeholder: setting.may_be_empty ? word("may_be_empty") : null,
          required: !setting.may_be_empty,
          maxlength: 200,
          spellcheck: "false",
        });
    field.value = value;
    field.addEventListener("input", () => {
      this.#given.set(setting.name, field.value);
      this.#changed();
    });
    const fault = make("p", { id: `${id}-fault`, class: "bad fault", hidden: true });
    this.#fields.set(setting.name, { field, fault });
    return make(
      "div",
      { class: "setting" },
      make("label", { for: id, text: word(`setting_${setting.name}`) }),
      field,
      fault,
      make("p", { id: `${id}-meaning`, class: "quiet small", text: setting.meaning.replace(/\s+/g, " ") }),
    );
  }

  /** The settings as they stand there. */
  read() {
    const found = { KIND: this.#kind };
    for (const [name, { field }] of this.#fields) found[name] = field.value.trim();
    return found;
  }

  /** Whether something that is needed is still empty. */
  get isIncomplete() {
    return [...this.#fields.values()].some(({ field }) => field.required && !field.value.trim());
  }

  /** Say at each setting what is wrong with it. */
  tell(faults) {
    for (const [name, { field, fault }] of this.#fields) {
      const text = faults[name] ?? "";
      fault.hidden = !text;
      fault.textContent = text;
      field.setAttribute("aria-invalid", text ? "true" : "false");
    }
  }

  /** To the first setting with which something is wrong. */
  focusFault() {
    for (const { field, fault } of this.#fields.values()) {
      if (!fault.hidden) {
        field.focus();
        return;
      }
    }
  }

  /** What it names, as an editor's `needs`. */
  needs() {
    const settings = this.read();
    const values = ["VALUE", "SOC"].map(name => (settings[name] ?? "").replace(/^-/, "")).filter(Boolean);
    return {
      values: [...new Set(values)],
      relays: ["this", ...(/^[1-9][0-9]{0,2}$/.test(settings.RELAY ?? "") ? [settings.RELAY] : [])],
      files: settings.FILE ? [settings.FILE] : [],
      hosts: [],
      time: this.#kind === "daily" || this.#kind === "schedule",
      charger: this.#kind === "float" || settings.WHEN === "float",
      house: false,
      lasts: true,
    };
  }
}
