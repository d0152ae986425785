// Logs in, and uses one-time links. A link's secret stands behind `#`, which browsers send to no server and to no other page.

import { Refused, send } from "../app/api.js";
import { say } from "../app/dom.js";
import "../app/frame.js";
import { at, page } from "../app/page.js";
import { session } from "../app/session.js";
import { address, read } from "../app/url_state.js";
import { t, term } from "../app/words.js";
import { ownPage } from "./own_page.js";

const isLink = page.page !== "log_in";
const token = location.hash.slice(1);
if (token) history.replaceState(null, "", location.pathname + location.search); // Out of the address bar and the history.

const form = /** @type {HTMLFormElement} */ (at("form"));
const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
const password = /** @type {HTMLInputElement} */ (at("password"));

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (button.disabled) return;
  button.disabled = true;
  say(at("said"), "");
  try {
    const fields = Object.fromEntries(new FormData(form));
    const who = await (isLink ? send("POST", "/v1/session/link", { ...fields, token }) : send("POST", "/v1/session", fields));
    location.assign(ownPage(read("next"), who.role));
  } catch (error) {
    tell(error);
  } finally {
    button.disabled = false;
  }
});

/** @param {unknown} error */
function tell(error) {
  if (!(error instanceof Refused)) return say(at("said"), t("error.no_answer"));
  const known = page.words[`refused.${error.code}`];
  if (error.code === "unknown_link" && page.page === "first") say(at("said"), t("ended.first"));
  else say(at("said"), known ? t(`refused.${error.code}`, { seconds: error.retryAfter_s }) : error.message);
  if (error.code === "unknown_link") form.hidden = true;
  else password.select();
}

// After the listener of frame.js: the page in the other language needs the secret, too.
if (token) at("language").addEventListener("click", () => location.assign(`${address({ lang: page.lang === "zh" ? "en" : "zh" })}#${token}`));

at("show").addEventListener("change", (event) => {
  password.type = /** @type {HTMLInputElement} */ (event.target).checked ? "text" : "password";
});

if (isLink && !token) {
  form.hidden = true;
  say(at("said"), t(`needs_link.${page.page}`));
}

session.then(({ name, role }) => {
  if (isLink || role === null) return;
  form.hidden = true;
  at("inside").hidden = false;
  say(at("who-said"), t("inside", { name, role: term("role", role) }));
  at("enter").setAttribute("href", ownPage(read("next"), role));
});
