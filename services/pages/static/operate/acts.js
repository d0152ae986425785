// An act of an operator: a button, a question, one command with an idempotency key of its own, and the result beside the act.

import { newId, once } from "../app/act.js";
import { OutcomeUnknown, Proposed, Refused } from "../app/api.js";
import { confirm } from "../app/dialog.js";
import { fill, h } from "../app/dom.js";
import { clock } from "../app/format.js";
import { set } from "../app/store.js";
import { toast } from "../app/toasts.js";
import { t, term } from "../app/words.js";
import { valueOf } from "./fields.js";
import { proposing, secondPerson, WHY, whyFields } from "./second_person.js";

/**
 * @typedef {Parameters<typeof confirm>[0] & {known?: any}} Question `known`: what was read for it, which `run` gets
 * @typedef {object} Done
 * @property {string} said what was done
 * @property {number} [seq] of the command
 *
 * @typedef {object} Act
 * @property {() => Question | Promise<Question>} ask what the dialog names: it may read facts first
 * @property {(given: FormData, sending: import("../app/api.js").Sending, known: any) => Promise<Done>} run sends the command. Each attempt
 *   gets the same three and makes the same body of them: another question may have been asked meanwhile
 * @property {string[]} [kinds] what the log calls it: if one of these needs a second person, the dialog says so
 * @property {string[]} [either] it is one of these, as is chosen in the dialog
 * @property {string} [lookAt] of an act that sends no key: where to look before anybody does it again. Only one with a key is offered again
 */

/** Where the result of a panel's acts is told. */
export const outcomeLine = () => h("p", { class: "outcome", role: "status", data: { testid: "outcome" } });

/** One line for each thing that a panel shows in turn: a result stays with what it is about. @returns {(key: string | number) => HTMLElement} */
export function outcomeLines() {
  /** @type {Map<string | number, HTMLElement>} */ const lines = new Map();
  return (key) => {
    const line = lines.get(key) ?? outcomeLine();
    lines.set(key, line);
    return line;
  };
}

/** @type {WeakSet<Element>} */
const asking = new WeakSet();

/**
 * A button that asks and then acts.
 * @param {string} word @param {string} id its test id @param {HTMLElement} outcome @param {Act} act
 * @param {{danger?: boolean, title?: string}} [options] @returns {HTMLButtonElement}
 */
export function actButton(word, id, outcome, act, { danger = false, title } = {}) {
  const button = /** @type {HTMLButtonElement} */ (
    h(
      "button",
      {
        type: "button",
        class: danger ? "danger" : null,
        title,
        data: { acts: "", testid: id },
        onclick: () => perform(button, outcome, act),
      },
      word,
    )
  );
  return button;
}

/** Asks, and acts after a yes. @param {HTMLElement} button @param {HTMLElement} outcome @param {Act} act */
export async function perform(button, outcome, { ask, run, lookAt, kinds = [], either = [] }) {
  if (asking.has(button)) return;
  asking.add(button);
  try {
    const [question, { note, proposes }] = await Promise.all([ask(), secondPerson(kinds, either)]);
    const fields = [...(question.fields ?? []), ...(note ? whyFields(question.fields) : [])];
    const act = question.act.replace(/\s*…+$/, ""); // the dots say that a question follows
    const given = await confirm({ ...question, fields, note, act: proposes ? proposing(act) : act });
    if (!given) return;
    const sending = { key: newId(), why: valueOf(given, WHY) };
    await attempt(button, outcome, () => run(given, sending, question.known), lookAt);
  } catch (error) {
    toast("refused", error instanceof Error ? error.message : String(error));
  } finally {
    asking.delete(button);
  }
}

/** @param {HTMLElement} button @param {HTMLElement} outcome @param {() => Promise<Done>} run sends the same, again @param {string} [lookAt] */
async function attempt(button, outcome, run, lookAt) {
  let seq = 0,
    isUnknown = false;
  const wasDone = await once(button, async () => {
    tell(outcome, "sending", t("acts.sending"));
    try {
      const done = await run();
      seq = done.seq ?? 0;
      const said = seq ? t("acts.done", { said: done.said, seq }) : done.said;
      tell(outcome, "done", said);
      return said;
    } catch (error) {
      if (error instanceof Proposed) {
        seq = error.proposal;
        const said = t("eyes.proposed", { proposal: seq });
        tell(outcome, "waiting", said);
        return said;
      }
      isUnknown = error instanceof OutcomeUnknown;
      tellTrouble(outcome, error, lookAt ?? (() => attempt(button, outcome, run)));
      throw error;
    }
  });
  if (wasDone || isUnknown) set("acted", seq); // what it may have changed is read again
}

/** @param {HTMLElement} outcome @param {unknown} error @param {string | (() => void)} next where to look first, or what sends the same command with the same key */
function tellTrouble(outcome, error, next) {
  if (error instanceof Refused) {
    const [field] = error.fields;
    tell(outcome, "refused", `${term("problem", error.code)}: ${field ? `${field.field}: ${field.message}` : error.message}`);
  } else if (error instanceof OutcomeUnknown) {
    tell(outcome, "unknown", error.message);
    outcome.append(
      " ",
      typeof next === "string"
        ? next
        : h("button", { type: "button", data: { acts: "", testid: "again" }, onclick: next }, t("acts.again")),
    );
  } else tell(outcome, "refused", error instanceof Error ? error.message : String(error));
}

/** @param {HTMLElement} outcome @param {string} kind @param {string} said */
function tell(outcome, kind, said) {
  outcome.dataset.kind = kind;
  fill(outcome, h("small", {}, clock(Date.now())), " ", said);
}
