// The surveillance page: alerts, the wash screen's findings and decisions, what changed hands, the ladder of measures.

import "../app/frame.js";
import { fill, h } from "../app/dom.js";
import { at } from "../app/page.js";
import { watch } from "../app/store.js";
import { onReturn } from "../app/url_state.js";
import { access, tellAccess } from "../operate/access.js";
import { actsOfTwo } from "../operate/second_person.js";
import { alertsPanel } from "./alerts.js";
import { decisionsPanel } from "./decisions.js";
import { filters } from "./filters.js";
import { findingsPanel } from "./findings.js";
import { groupsPanel } from "./groups.js";
import { handsPanel } from "./hands.js";
import { ladderPanel, measuresPanel } from "./ladder.js";
import { load, READ_BY_ALL, READ_BY_OPERATORS } from "./state.js";
import { summary } from "./summary.js";

const rights = await access();
tellAccess(at("access"), rights);
if (rights.acts) actsOfTwo(); // before the first dialog
const names = rights.reads ? [...READ_BY_ALL, ...READ_BY_OPERATORS] : rights.name !== null ? READ_BY_ALL : [];
if (names.length) {
  at("intro").hidden = true;
  const reload = () => load(names);
  fill(at("filters"), filters(reload));
  fill(
    at("panels"),
    rights.reads && summary(),
    rights.reads && h("div", { class: "two" }, alertsPanel(rights), handsPanel()),
    rights.reads && findingsPanel(rights),
    !rights.reads && handsPanel(),
    decisionsPanel(),
    rights.reads && ladderPanel(rights),
    rights.reads && measuresPanel(rights),
    rights.reads && groupsPanel(rights),
  );
  watch(["acted"], reload);
  onReturn(reload);
  fill(
    at("sections"),
    [...document.querySelectorAll("main section[id]")].map((section) =>
      h("a", { href: `#${section.id}` }, section.querySelector("h2")?.textContent ?? section.id),
    ),
  );
}
document.documentElement.dataset.ready = "";
