// A panel of the page: it is filled when its documents are there, and says so when they are not.

import { fill, h, say } from "../app/dom.js";
import { clock, number } from "../app/format.js";
import { at } from "../app/page.js";
import { watch } from "../app/store.js";
import { t } from "../app/words.js";
import { known, renew, SOURCES, want } from "./documents.js";
import { view } from "./view.js";

/**
 * @typedef {object} Panel
 * @property {string} name of its section
 * @property {string[]} sources the documents that it needs; the first one with a seq says where the panel is exact
 * @property {(host: HTMLElement, docs: Record<string, any>) => void} show
 * @property {string[]} [also] further values of the store on which it depends
 * @property {string[]} [optional] those of `sources` and `pastSources` without which it is filled, too
 * @property {string[]} [openSources] the documents that everybody may read, if it can do with them
 * @property {string[]} [pastSources] the documents that it needs for a past seq, if the API tells it of one
 */

/** @param {Panel} panel @param {boolean} mayRead */
const needs = (panel, mayRead) => (mayRead ? (view.seq !== null && panel.pastSources) || panel.sources : panel.openSources ?? []);

/** Keeps a panel current while it is in view. Without the scope `read` it shows what is open to everybody.
 * @param {Panel} panel @param {boolean} mayRead */
export function keep(panel, mayRead) {
  const section = at(panel.name), body = at(`${panel.name}-body`), trouble = h("p", { class: "trouble warn", role: "status" });
  trouble.hidden = true;
  body.before(trouble);
  let isInView = false, needed = needs(panel, mayRead);
  /** @type {import("./documents.js").Known[]} */
  let shown = [];
  new IntersectionObserver(([entry]) => {
    if (entry.isIntersecting === isInView) return;
    isInView = entry.isIntersecting;
    want(needed, isInView);
  }, { rootMargin: "200px" }).observe(section);
  watch(["view"], () => {
    const next = needs(panel, mayRead);
    if (isInView) [want(needed, false), want(next, true)];
    needed = next;
    section.toggleAttribute("data-of-now", view.seq !== null && !panel.pastSources);
    sealOf(section, shown);
  });
  watch([...new Set([...panel.sources, ...(panel.pastSources ?? [])]), ...(panel.also ?? [])], () => {
    const found = Object.fromEntries(needed.map((name) => [name, known(name)]));
    const troubles = Object.values(found).map((one) => one.trouble).filter((one) => one !== null);
    trouble.hidden = troubles.length === 0;
    trouble.textContent = troubles[0] ?? "";
    if (!Object.entries(found).every(([name, { doc }]) => doc !== null || panel.optional?.includes(name))) return;
    const docs = Object.fromEntries(Object.entries(found).map(([name, { doc }]) => [name, doc]));
    shown = Object.values(found).filter(({ doc }) => doc !== null);
    sealOf(section, shown);
    panel.show(body, docs);
  });
}

/** Says of a panel when it was read, as each is at its own moment, or that it is not of the moment that the page shows; its title
 * has the seq at which it is exact. @param {HTMLElement} section @param {import("./documents.js").Known[]} shown */
function sealOf(section, shown) {
  const [title, seal] = [section.querySelector("h2"), section.querySelector(".seal")], sealed = shown.find(({ doc }) => doc.seq);
  if (!title || !seal) return;
  if (sealed) title.title = t("seal", { seq: number(sealed.doc.seq) });
  const now = sealed && view.seq === null ? t("seal.read", { time: clock(sealed.readAt) }) : "";
  say(seal, section.hasAttribute("data-of-now") ? t("seal.of_now") : now);
}

/** What a view that changed makes anew: of the year everything, of a seq what the API tells of the past.
 * @param {boolean} isNewYear */
export function renewView(isNewYear) {
  renew(Object.keys(SOURCES).filter((name) => isNewYear || SOURCES[name].past));
}

/** The parts of a panel's body, made once. @template {string} Name @param {HTMLElement} host @param {...Name} names
 * @returns {Record<Name, HTMLElement>} */
export function parts(host, ...names) {
  if (!names.every((name) => host.querySelector(`:scope > .part-${name}`)))
    fill(host, names.map((name) => h("div", { class: `part-${name}` })));
  return /** @type {any} */ (Object.fromEntries(names.map((name) => [name, host.querySelector(`:scope > .part-${name}`)])));
}

/** Says that there is nothing to show, and why. @param {HTMLElement} host @param {string} why */
export function showNothing(host, why) {
  if (host.querySelector(".empty")?.textContent !== why) fill(host, h("p", { class: "empty" }, why));
}
