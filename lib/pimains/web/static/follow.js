// A page that is looked at anew whenever something changed, one look at a time.
import { onLive } from "./live.js";
import { say } from "./kit.js";

const calmMilliseconds = 150;
const busyMilliseconds = 700;
const againMilliseconds = 3000;

// Calls `look` now, when a value that matches one of `patterns` changed, and while it answers true also all the time. What it throws is
// said once. `lost`, if there is one, is called when it throws.
export function follow(patterns, look, lost = null) {
  let timer = null;
  let isLooking = false;
  let isWanted = false;
  let told = "";

  async function now() {
    timer = null;
    if (isLooking) {
      isWanted = true;
      return;
    }
    isLooking = true;
    let wait = null;
    try {
      wait = (await look()) ? busyMilliseconds : null;
      if (told) say("");
      told = "";
    } catch (error) {
      if (!(lost && lost(error)) && error.message !== told) say(error.message, { bad: true });
      told = error.message;
      wait = againMilliseconds;
    }
    isLooking = false;
    if (isWanted) {
      isWanted = false;
      wait = calmMilliseconds;
    }
    if (wait !== null) soon(wait);
  }

  function soon(milliseconds = calmMilliseconds) {
    timer ??= setTimeout(now, milliseconds);
  }

  onLive(patterns, () => soon());
  now();
  return () => {
    clearTimeout(timer);
    timer = null;
    return now();
  };
}
