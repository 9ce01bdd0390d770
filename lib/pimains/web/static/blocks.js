// The editor of blocks: Blockly, which is loaded when somebody opens it, with the closed table that the server has.
//
// Nothing here makes code of blocks: the workspace goes to the server as JSON, and rules makes a rule of it.
import { ask, language, make, word } from "./kit.js";

// one path for all releases of the page: it stands in a style element whose digest the content policy has
const MEDIA = "/static/vendor/blockly/media/";
const KNOWN = "known-values";
const BLOCKS_MAX = 500;
let loading = null;

function script(path) {
  return new Promise((done, failed) => {
    const element = make("script", { src: new URL(path, import.meta.url).href });
    element.addEventListener("load", done);
    element.addEventListener("error", () => failed(new Error(path)));
    document.head.append(element);
  });
}

async function load() {
  await script("./vendor/blockly/blockly_compressed.js");
  await script(`./vendor/blockly/msg/${language}.js`);
  const { Blockly } = globalThis;
  Blockly.dialog.setConfirm((text, done) => ask(text).then(done));

  // a text that offers the names of the values there are
  class NameOfValue extends Blockly.FieldTextInput {
    static fromJson(options) {
      return new NameOfValue(options.text, undefined, options);
    }

    showEditor_(...given) {
      super.showEditor_(...given);
      document.querySelector(".blocklyWidgetDiv .blocklyHtmlInput")?.setAttribute("list", KNOWN);
    }
  }
  Blockly.fieldRegistry.register("field_name_of_value", NameOfValue);

  // a relay that is not there stays the one that the rule names: Blockly's own would make "this relay" of it
  class RelayNamed extends Blockly.FieldDropdown {
    static fromJson({ options, ...config }) {
      const others = () => notThere.filter(each => !options.some(option => option[1] === each));
      return new RelayNamed(() => [...options, ...others().map(each => [word("relay_not_there", each), each])], undefined, config);
    }

    doClassValidation_(number) {
      if (/^[1-9][0-9]{0,2}$/.test(number) && !this.getOptions(false).some(each => each[1] === number)) {
        notThere.push(number);
        this.getOptions(false);
      }
      return super.doClassValidation_(number);
    }
  }
  Blockly.fieldRegistry.register("field_relay_named", RelayNamed);
  for (const isDark of [false, true]) themes.set(isDark, theme(Blockly, isDark));
  return Blockly;
}

const notThere = []; // the numbers of relays that blocks name
const themes = new Map();
const darkness = matchMedia("(prefers-color-scheme: dark)");

function theme(Blockly, isDark) {
  // the renderer's style element has the theme's name in it: see blockly_styles.py
  return Blockly.Theme.defineTheme(isDark ? "pimains-dark" : "pimains-light", {
    base: Blockly.Themes.Classic,
    startHats: false,
    fontStyle: { family: "system-ui, sans-serif", weight: "600", size: 11 },
    componentStyles: isDark
      ? {
          workspaceBackgroundColour: "#161b19",
          toolboxBackgroundColour: "#1f2623",
          toolboxForegroundColour: "#e8ece8",
          flyoutBackgroundColour: "#252d29",
          flyoutForegroundColour: "#e8ece8",
          flyoutOpacity: 0.98,
          scrollbarColour: "#59635d",
          scrollbarOpacity: 0.6,
          insertionMarkerColour: "#ffffff",
          insertionMarkerOpacity: 0.4,
          selectedGlowColour: "#7fd0a0",
          cursorColour: "#7fd0a0",
        }
      : {
          workspaceBackgroundColour: "#ffffff",
          toolboxBackgroundColour: "#f1f0ea",
          toolboxForegroundColour: "#1b2420",
          flyoutBackgroundColour: "#e9e8e1",
          flyoutForegroundColour: "#1b2420",
          flyoutOpacity: 0.98,
          scrollbarColour: "#8c958f",
          scrollbarOpacity: 0.5,
          insertionMarkerColour: "#000000",
          insertionMarkerOpacity: 0.3,
          selectedGlowColour: "#1d5d3a",
          cursorColour: "#1d5d3a",
        },
  });
}

const fieldsOf = new Map(); // of each type of block, its fields with a meaning of ours: [name, "value" | "file" | "host" | "relay" ...]

function defined(Blockly, definitions) {
  if (fieldsOf.size) return;
  const given = structuredClone(definitions);
  for (const definition of given) {
    const found = [];
    for (const part of definition.args0 ?? []) {
      if (part.pimains) found.push([part.name, part.pimains]);
      if (part.pimains === "value") part.type = "field_name_of_value";
      if (part.pimains === "relay") part.type = "field_relay_named";
    }
    fieldsOf.set(definition.type, found);
  }
  Blockly.common.defineBlocksWithJsonArray(given);
}

/** An editor in `place`, by what GET /v1/rules/blocks told; `changed` is called when the blocks are others than before. */
export async function openEditor(place, table, { readOnly, changed }) {
  const Blockly = await (loading ??= load());
  defined(Blockly, table.definitions);
  const isNarrow = place.clientWidth < 600;
  const workspace = Blockly.inject(place, {
    toolbox: readOnly ? null : table.toolbox,
    media: MEDIA,
    sounds: false,
    renderer: "zelos",
    theme: themes.get(darkness.matches),
    readOnly,
    trashcan: !readOnly,
    maxBlocks: BLOCKS_MAX,
    horizontalLayout: isNarrow,
    modalInputs: false,
    zoom: { controls: true, wheel: false, startScale: isNarrow ? 0.65 : 0.8, maxScale: 2, minScale: 0.3 },
    move: { scrollbars: true, drag: true, wheel: true },
    grid: { spacing: 24, length: 2, colour: darkness.matches ? "#38413c" : "#d9d8cf", snap: false },
  });
  return new Editor(Blockly, workspace, place, table, changed, readOnly);
}

class Editor {
  #Blockly;
  #workspace;
  #place;
  #table;
  #changed;
  #readOnly;
  #relight;
  #sized;

  constructor(Blockly, workspace, place, table, changed, readOnly) {
    this.#Blockly = Blockly;
    this.#workspace = workspace;
    this.#place = place;
    this.#table = table;
    this.#changed = changed;
    this.#readOnly = readOnly;
    if (!readOnly) workspace.addChangeListener(Blockly.Events.disableOrphans);
    workspace.addChangeListener(event => this.#hear(event));
    this.#relight = () => workspace.setTheme(themes.get(darkness.matches));
    darkness.addEventListener("change", this.#relight);
    this.#sized = new ResizeObserver(() => Blockly.svgResize(workspace));
    this.#sized.observe(place);
  }

  #hear(event) {
    if (event.isUiEvent || event.type === this.#Blockly.Events.FINISHED_LOADING) return;
    const now = JSON.stringify(this.read());
    if (now === this.#last) return; // events of what was shown come later than that
    this.#last = now;
    this.unmark();
    this.#changed();
  }

  /** The workspace as JSON. */
  read() {
    return this.#Blockly.serialization.workspaces.save(this.#workspace);
  }

  /** Show these blocks in place of those there are; false: they cannot be shown. Undo brings back what was there before. */
  show(blocks, { canBeUndone = false } = {}) {
    try {
      this.#Blockly.serialization.workspaces.load(blocks ?? this.#table.first, this.#workspace, { recordUndo: canBeUndone });
    } catch {
      this.#workspace.clear(); // what came before the block that nobody knows
      return false;
    }
    this.#last = JSON.stringify(this.read());
    if (!canBeUndone) this.#workspace.clearUndo();
    this.#toTheTop();
    this.look();
    return true;
  }

  #toTheTop() {
    const rule = this.#workspace.getTopBlocks(true)[0];
    if (!rule) return;
    const { x, y } = rule.getRelativeToSurfaceXY();
    const { scale } = this.#workspace;
    this.#workspace.scroll(20 - x * scale, 20 - y * scale);
  }

  /** What the blocks of the rule name: values, relays by their numbers, files, hosts; and whether they ask for the time, and so on. */
  needs() {
    const found = { values: [], relays: [], files: [], hosts: [], time: false, charger: false, house: false, lasts: false };
    const rule = this.#workspace.getTopBlocks(false).find(each => each.type === "rule");
    for (const block of rule?.getDescendants(false) ?? []) {
      for (const [name, kind] of fieldsOf.get(block.type) ?? []) {
        const places = { value: found.values, relay: found.relays, file: found.files, host: found.hosts };
        const value = block.getFieldValue(name);
        if (places[kind] && !places[kind].includes(value)) places[kind].push(value);
      }
      if (/^(clock|weekday|month|sun)/.test(block.type)) found.time = true;
      if (block.type === "charger") found.charger = true;
      if (block.type === "house_total") found.house = true;
      if (/^(held|timer)/.test(block.type)) found.lasts = true;
    }
    return found;
  }

  /** Say at each block with a value that nobody tells now, by `known`, that it is so. */
  look(known = this.#table.values) {
    for (const block of this.#workspace.getAllBlocks(false)) {
      for (const [name, kind] of fieldsOf.get(block.type) ?? []) {
        if (kind !== "value") continue;
        const value = block.getFieldValue(name);
        block.setWarningText(value in known ? null : word("not_told", value), "not-told");
      }
    }
  }

  /** Say at this block what is wrong with it, and bring it into sight. */
  mark(id, text, { takesFocus = true } = {}) {
    this.unmark();
    const block = this.#workspace.getBlockById(id);
    if (!block) return false;
    block.setWarningText(text, "refused");
    this.#marked = block;
    if (takesFocus) {
      this.#workspace.centerOnBlock(id);
      this.#Blockly.getFocusManager().focusNode(block);
    }
    return true;
  }

  #marked = null;
  #last = "";

  unmark() {
    if (this.#marked && !this.#marked.isDisposed()) this.#marked.setWarningText(null, "refused");
    this.#marked = null;
  }

  /** It is not shown any more. */
  close() {
    darkness.removeEventListener("change", this.#relight);
    this.#sized.disconnect();
    this.#workspace.dispose();
    this.#place.replaceChildren();
  }
}

/** The names that fields for values offer. */
export function offer(names) {
  const list = document.getElementById(KNOWN) ?? document.body.appendChild(make("datalist", { id: KNOWN }));
  list.replaceChildren(...names.map(name => make("option", { value: name })));
}
