// Asks twice before something is done: first what will happen, then something that nobody does by accident.
import { make, word } from "./kit.js";

const dialog = document.getElementById("twice");
const form = dialog.querySelector("form");
const place = (name) => document.getElementById(`twice-${name}`);

// True when it was confirmed. `check`: {name: "pi"} has a name typed, {tick: "..."} a box ticked, null asks once.
export function twice({ title, lines, yes, check = null, isGood = false }) {
  const before = document.activeElement;
  place("title").textContent = title;
  place("lines").replaceChildren(...lines.map((text) => make("li", { text })));
  place("check").replaceChildren();
  place("bad").textContent = "";
  place("yes").className = isGood ? "good" : "bad";
  place("yes").textContent = check ? word("go_on") : yes;
  let step = check ? 1 : 2;
  let isSure = () => true;

  function second() {
    step = 2;
    place("yes").textContent = yes;
    let input;
    if (check.name) {
      input = make("input", { id: "twice-name", autocomplete: "off", autocapitalize: "none", spellcheck: "false" });
      place("check").replaceChildren(make("label", { for: "twice-name", text: word("type_name", check.name) }), input);
      isSure = () => input.value.trim().toLowerCase() === check.name.toLowerCase();
    } else {
      input = make("input", { id: "twice-tick", type: "checkbox" });
      place("check").replaceChildren(make("label", { for: "twice-tick", class: "row" }, input, make("span", { text: check.tick })));
      isSure = () => input.checked;
    }
    input.focus();
  }

  dialog.showModal();
  place("no").focus();
  return new Promise((resolve) => {
    let isConfirmed = false;
    form.onsubmit = (event) => {
      event.preventDefault();
      if (step === 1) {
        second();
      } else if (isSure()) {
        isConfirmed = true;
        dialog.close();
      } else {
        place("bad").textContent = check.name ? word("not_the_name", check.name) : word("tick_first");
      }
    };
    place("no").onclick = () => dialog.close();
    dialog.onclose = () => {
      before?.focus?.();
      resolve(isConfirmed);
    };
  });
}
