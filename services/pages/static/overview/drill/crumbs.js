// The way back: year › days › day › minutes › trade › order › journal.

import { fill, h } from "../../app/dom.js";
import { minute } from "../../app/format.js";
import { at } from "../../app/page.js";
import { t } from "../../app/words.js";
import { addressOf, placeNow, stepNow } from "./place.js";

/** Shows the way to where the reader is. */
export function showCrumbs() {
  const place = placeNow(), here = stepNow();
  /** @type {[import("./place.js").Step, string | null | false][]} */
  const steps = [
    // Alone, beside the panel's title, the year is a number: there is little room.
    ["year", here === "year" ? String(place.year) : t("drill.year", { year: place.year })],
    ["days", place.from && (place.from.slice(0, 7) === place.to?.slice(0, 7) && place.from.endsWith("-01") && place.to.endsWith("-31") ? place.from.slice(0, 7) : `${place.from} – ${place.to}`)],
    ["day", place.day],
    ["minutes", place.start && place.end && `${minute(place.start)}–${minute(place.end)}`],
    ["trade", place.trade && t("drill.trade", { id: place.trade })],
    ["order", place.order && t("drill.order", { id: place.order })],
    ["seq", place.seq && t("drill.seq", { seq: place.seq })],
  ];
  const shown = steps.filter(([, text]) => text);
  fill(at("crumbs"), h("ol", {}, shown.map(([step, text]) => h("li", {}, step === here
    ? h("b", { "aria-current": "page" }, String(text))
    : h("a", { href: addressOf(step), data: { step: "", testid: `crumb-${step}` } }, String(text))))));
}
