// Who looks at the page, as the venue knows it.

import { tellTrouble } from "./act.js";
import { read, send } from "./api.js";

/**
 * @typedef {object} Session
 * @property {string | null} name
 * @property {string | null} role
 * @property {string[]} scopes
 * @property {number} account
 * @property {string | null} expires_at
 */

/** @type {Session} */
const NOBODY = { name: null, role: null, scopes: [], account: 0, expires_at: null };

/** Asked once a page. @type {Promise<Session>} */
export const session = read("/v1/session").catch(() => NOBODY);

/** Whether who looks at the page has one of these scopes. @param {...string} scopes */
export const may = async (...scopes) => (await session).scopes.some((scope) => scopes.includes(scope));

/** Enters a demo as one of its people, without a password: the value of the button that was clicked names the role. @param {Event} event */
export async function enter({ currentTarget }) {
  const button = /** @type {HTMLButtonElement} */ (currentTarget);
  button.disabled = true;
  try {
    await send("POST", `/ui/demo/${button.value}`, {});
    location.reload();
  } catch (error) {
    button.disabled = false;
    tellTrouble(button, error);
  }
}

export async function logOut() {
  await send("DELETE", "/v1/session");
  location.assign("/log-in");
}
