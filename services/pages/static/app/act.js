// One act, one command: whatever is clicked or entered twice is sent once, and nothing is sent while the line is dead.

import { OutcomeUnknown, Refused } from "./api.js";
import { isLive } from "./line.js";
import { toast } from "./toasts.js";
import { t, term } from "./words.js";

/** An id for one act: of an order its client_order_id, of an administrative command its idempotency key. */
export const newId = () => `p-${[...crypto.getRandomValues(new Uint8Array(15))].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;

/** @type {WeakSet<Element>} */
const underWay = new WeakSet();

/**
 * Runs `act` for a form or a button that was used, unless it is under way already or the line is dead; locks it until the answer.
 * The outcome is told in a toast, and by what `act` returns. A refusal names the field, if the form has it.
 * @param {HTMLElement} node the form or button @param {() => Promise<string>} act returns what to say when it was done
 * @returns {Promise<boolean>} whether it was done
 */
export async function once(node, act) {
  if (underWay.has(node) || !isLive()) return false;
  underWay.add(node);
  node.toggleAttribute("data-under-way", true);
  const buttons = node.matches("button") ? [node] : [...node.querySelectorAll("button")];
  for (const button of buttons) /** @type {HTMLButtonElement} */ (button).disabled = true;
  try {
    toast("done", await act());
    return true;
  } catch (error) {
    tellTrouble(node, error);
    return false;
  } finally {
    underWay.delete(node);
    node.toggleAttribute("data-under-way", false);
    for (const button of buttons) /** @type {HTMLButtonElement} */ (button).disabled = false;
  }
}

/** Tells why an act was not done, or that it is not known. @param {HTMLElement} node @param {unknown} error */
export function tellTrouble(node, error) {
  if (error instanceof Refused) {
    const [field] = error.fields;
    const input = field && node.querySelector(`[name="${CSS.escape(field.field)}"]`);
    if (input instanceof HTMLElement) input.focus();
    const why = field ? `${field.field}: ${field.message}` : error.message;
    toast("refused", `${term("problem", error.code)}: ${why}`, error.nextStep);
  } else if (error instanceof OutcomeUnknown) toast("unknown", error.message, t("error.outcome_unknown_next"));
  else toast("refused", error instanceof Error ? error.message : String(error));
}
