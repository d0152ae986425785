// The own password, which everybody who is logged in changes in the head of any page.

import { once } from "./act.js";
import { send } from "./api.js";
import { confirm } from "./dialog.js";
import { h } from "./dom.js";
import { feed } from "./feed.js";
import { stamp } from "./format.js";
import { t, term } from "./words.js";

/** @param {string} name @param {string} label @param {Record<string, any>} attributes */
const secret = (name, label, attributes) => {
  const input = /** @type {HTMLInputElement} */ (h("input", { name, type: "password", required: true, ...attributes }));
  return { input, field: h("label", {}, label, input) };
};

/** The fields, with the user's name for managers of passwords. @param {string | null} name */
function fields(name) {
  const present = secret("password", t("password.present"), { autocomplete: "current-password", maxlength: 256 });
  const fresh = secret("new_password", t("password.new"), { autocomplete: "new-password", minlength: 12, maxlength: 256 });
  const again = secret("again", t("password.again"), { autocomplete: "new-password", maxlength: 256 });
  const compare = () => again.input.setCustomValidity(again.input.value === fresh.input.value ? "" : t("password.differ"));
  for (const { input } of [fresh, again]) input.addEventListener("input", compare);
  const user = h("input", { type: "text", autocomplete: "username", value: name, readonly: true, hidden: true });
  return [user, present.field, fresh.field, again.field];
}

/** Asks for the new password, and sets it. The venue ends all sessions of the user and begins another one for this browser.
 * @param {HTMLElement} button @param {import("./session.js").Session} who */
export async function changePassword(button, who) {
  const { name, role, expires_at } = who;
  const given = await confirm({
    title: t("password.ask"),
    facts: [
      [t("password.whose"), `${name} · ${term("role", role ?? "")}`],
      [t("password.session"), stamp(expires_at ?? "")],
    ],
    fields: fields(name),
    consequence: t("password.consequence"),
    act: t("password.set"),
  });
  if (!given) return;
  await once(button, async () => {
    const begun = await send("PUT", "/v1/session/password", { password: given.get("password"), new_password: given.get("new_password") });
    who.expires_at = begun.expires_at;
    feed.begin();
    return t("password.done");
  });
}
