import { get, loggedIn, make, say, word } from "./kit.js";

try {
  const about = await get("/v1/about");
  document.getElementById("services").replaceChildren(
    ...about.services.map((each) => make("li", {}, each.instance === each.service ? each.service : `${each.instance} (${each.service})`)),
  );
  document.getElementById("names").replaceChildren(...about.names.map((name) => make("li", {}, make("code", { text: name }))));
  const instance = about.directory.split("/").pop();
  document.getElementById("password-state").textContent = about.has_password
    ? word(loggedIn ? "logged_in" : "logged_out")
    : word("no_password", instance);
} catch (error) {
  say(error.message, { bad: true });
}
