// Which acts need a second person at this venue, and the sentence that says so before anything is sent.

import { read } from "../app/api.js";
import { t } from "../app/words.js";
import { line } from "./fields.js";

/** The name of the field in which one says why to the second person. */
export const WHY = "second_why";

/** A dialog does not wait longer for a sentence: the answer to the act says the same. */
const PATIENCE_MS = 3_000;

/** @type {Promise<string[]> | null} */
let known = null;

/** The acts, as the log names them. It is asked once a page: another start of the venue ends the session. @returns {Promise<string[]>} */
export function actsOfTwo() {
  known ??= read("/v1/admin/proposals", { limit: 1 }, undefined, PATIENCE_MS)
    .then((page) => page.acts)
    .catch(() => {
      known = null;
      return [];
    });
  return known;
}

/** The sentence for a dialog, or an empty text, and whether the act only proposes, whatever is chosen.
 * @param {string[]} kinds the act is all of these @param {string[]} either it is one of these, which is chosen in the dialog
 * @returns {Promise<{note: string, proposes: boolean}>} */
export async function secondPerson(kinds, either) {
  if (!kinds.length && !either.length) return { note: "", proposes: false };
  const two = await actsOfTwo(),
    needs = (/** @type {string} */ kind) => two.includes(kind);
  if (kinds.some(needs) || (either.length > 0 && either.every(needs))) return { note: t("eyes.needs"), proposes: true };
  return { note: either.some(needs) ? t("eyes.may_need") : "", proposes: false };
}

/** The word of a button that only proposes: "Bust" → "Propose: bust". @param {string} act */
export const proposing = (act) => t("eyes.propose", { act: act.charAt(0).toLowerCase() + act.slice(1) });

/** A field for why, unless the dialog has one of its own. @param {HTMLElement[]} [fields] of the dialog */
export const whyFields = (fields = []) =>
  fields.some((one) => one.querySelector("[name=reason]")) ? [] : [line(t("eyes.why"), WHY, {}, t("acts.reason_kept"))];
