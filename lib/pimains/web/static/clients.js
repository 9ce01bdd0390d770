import { ago, clockTime, get, make, word } from "./kit.js";
import { follow } from "./follow.js";

const place = document.getElementById("servers");

follow(["*/alive", "*/status", "*/unwell", "*/clients", "*/backup"], async () => {
  const { file_servers: servers } = await get("/v1/clients");
  const shown = servers.map((each) => server(each, servers.length > 1));
  if (shown.length === place.children.length && shown.every((each, index) => each.isEqualNode(place.children[index]))) return false;
  place.replaceChildren(...shown);
  return false;
});

function server(each, hasOthers) {
  return make(
    "section",
    { "aria-label": each.name },
    hasOthers ? make("h2", { text: each.name }) : null,
    each.is_up === false ? make("p", { class: "bad", text: word("not_up", each.name) }) : null,
    make(
      "div",
      { class: "cards" },
      card(word("drive"), drive(each.drive), each.drive !== null && !each.drive.source),
      card(word("backup"), backup(each.backup), !each.backup.is_well),
      card(word("says"), each.status ?? word("not_known"), !each.is_well || each.is_up === false),
    ),
    make("h2", { text: word("here", each.clients.length) }),
    each.clients.length ? table(each.clients) : make("p", { class: "quiet", text: word("nobody") }),
  );
}

function card(title, text, isBad) {
  return make("div", { class: "card" }, make("h3", { text: title }), make("p", { class: isBad ? "bad" : null, text }));
}

function drive(found) {
  if (found === null) return word("no_drive");
  return found.source ? word("mounted", found.place, found.source, found.kind) : word("not_mounted", found.place);
}

function backup({ told, is_wanted: isWanted }) {
  return told ?? word(isWanted ? "no_backup_yet" : "no_backup");
}

function table(clients) {
  const heads = ["client", "since", "words"];
  return make(
    "table",
    { class: "cards" },
    make("thead", {}, make("tr", {}, ...heads.map((each) => make("th", { text: word(each) })))),
    make(
      "tbody",
      {},
      ...clients.map((each) =>
        make(
          "tr",
          {},
          make("td", { "data-label": word("client") }, make("strong", { text: each.name }), make("br"), make("span", { class: "quiet", text: each.address })),
          make("td", { "data-label": word("since") }, clockTime(each.since), make("br"), make("span", { class: "quiet", text: ago(Date.now() / 1000 - each.since) })),
          make("td", { "data-label": word("words"), text: each.words || word("no_words") }),
        ),
      ),
    ),
  );
}
