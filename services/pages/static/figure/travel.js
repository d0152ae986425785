// Time travel: a slider over the journal. A past seq shows the figure, the forecast, the book and the last trades as they were after it.

import { read } from "../app/api.js";
import { fill, h, say } from "../app/dom.js";
import { doubts } from "../app/doubts.js";
import { feed } from "../app/feed.js";
import { number, stamp } from "../app/format.js";
import { at, page } from "../app/page.js";
import { get, watch } from "../app/store.js";
import { address } from "../app/url_state.js";
import { t } from "../app/words.js";
import { toDay } from "./day.js";
import { isOfView, known } from "./documents.js";
import { change, view } from "./view.js";

const DEBOUNCE_MS = 250;
const PING_MS = 2_000;

let last = Number(page.first.venue?.seq ?? 1);
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** Whether a seq was asked for that the journal does not have yet. */
let isBeyond = false;

const range = /** @type {HTMLInputElement} */ (h("input", { type: "range", id: "travel-range", min: 1, max: last, step: 1, data: { testid: "travel" }, oninput: () => aim(Number(range.value)) }));
const field = /** @type {HTMLInputElement} */ (h("input", { type: "number", id: "travel-seq", min: 1, step: 1, inputmode: "numeric", data: { testid: "travel-seq" }, oninput: () => aim(Number(field.value)), onchange: correct }));
const date = /** @type {HTMLInputElement} */ (h("input", { type: "date", id: "travel-date", data: { testid: "travel-date" }, onchange: () => { if (date.value) toDay(date.value); } }));
const now = h("button", { type: "button", data: { testid: "travel-now" }, onclick: () => { date.value = ""; change({ seq: null }, { push: true }); } }, t("travel.now"));
const said = h("output", { for: "travel-range travel-seq travel-date", class: "said", data: { testid: "travel-said" } });

/** Shows a seq once the hand rests. @param {number} seq */
function aim(seq) {
  clearTimeout(timer);
  isBeyond = false;
  date.value = "";
  if (!Number.isInteger(seq) || seq < 1) return;
  if (seq <= last) {
    show(seq);
    say(said, t("travel.reading", { seq: number(seq) }));
  }
  timer = setTimeout(() => {
    isBeyond = seq > last;
    change({ seq: seq >= last ? null : seq });
    if (!isBeyond) return;
    field.value = String(last);
    tell();
  }, DEBOUNCE_MS);
}

/** Puts the field right after what is no seq: the view has not changed. */
function correct() {
  const seq = Number(field.value);
  if (!Number.isInteger(seq) || seq < 1) field.value = String(view.seq ?? last);
}

/** Sets slider and field, except the one that is being used. @param {number} seq @param {number} [ofFigure] what the field says */
function show(seq, ofFigure = seq) {
  range.max = String(Math.max(last, seq));
  if (document.activeElement !== range || Number(range.value) !== seq) range.value = String(seq);
  if (document.activeElement !== field) field.value = String(ofFigure);
}

function tell() {
  const { doc, trouble } = known("report");
  now.toggleAttribute("disabled", view.seq === null);
  show(view.seq ?? last, view.seq ?? doc?.seq ?? last);
  const failed = trouble ?? get("travel_trouble");
  if (failed) return fill(said, h("b", { class: "warn" }, failed));
  if (view.seq !== null) isBeyond = false;
  if (isBeyond) return fill(said, h("b", { class: "warn" }, t("travel.beyond", { seq: number(last) })), ` ${t("travel.shown_now")} `, h("a", { href: address({ seq: last }), data: { testid: "travel-last" } }, t("travel.to_last", { seq: number(last) })));
  if (!doc || !isOfView("report")) return say(said, t("travel.reading", { seq: number(view.seq ?? last) }));
  fill(said, h("b", {}, t(view.seq === null ? "travel.present" : "travel.past")), ` ${t("travel.at", { seq: number(doc.seq), at: stamp(doc.as_of) })}`,
    doc.trading_date && ` · ${t("travel.trading_date", { date: doc.trading_date })}`,
    ` · ${doc.proven_seq === null ? t("travel.not_proven") : t("travel.proven", { seq: number(doc.proven_seq) })}`, doubts(doc));
}

/** Whether the journal has the seq of the address yet: where not, the present is shown, and why is said. */
async function checkSeq() {
  if (view.seq === null || view.seq <= last) return;
  last = Math.max(last, (await read("/v1/venue").catch(() => ({ seq: last }))).seq);
  isBeyond = view.seq > last;
  if (isBeyond) change({ seq: null });
}

/** Fills the panel. */
export async function startTravel() {
  await checkSeq();
  fill(at("travel-body"),
    h("div", { class: "controls" },
      h("label", { for: "travel-range", class: "wide" }, t("travel.slider"), range),
      h("label", { for: "travel-seq" }, t("seq"), field), h("label", { for: "travel-date" }, t("travel.day"), date), now),
    h("p", { role: "status" }, said));
  watch(["view", "report", "travel_trouble"], tell);
  setInterval(() => {
    if (feed.state !== "live" || document.hidden) return;
    feed.ask("ping", {}, ({ result }) => {
      if (!result || result.seq <= last) return;
      last = result.seq;
      if (view.seq === null && document.activeElement !== range && document.activeElement !== field) show(last, Number(field.value || last));
    });
  }, PING_MS);
}
