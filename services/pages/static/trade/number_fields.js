// Number fields take digits, point, comma and minus. What comes in from elsewhere is taken whole or not at all: no digit of it is lost.

const NUMBER = /^[\d.,\-\s]*$/;

/** @param {EventTarget | null} node @returns {node is HTMLInputElement} */
export const isNumberField = (node) => node instanceof HTMLInputElement && node.matches("[inputmode=decimal], [inputmode=numeric]");

/** Full-width digits, and an amount with its unit of money, as a number is written here. @param {string} text */
const plain = (text) => text.normalize("NFKC").replace(/[¥\u5143\s]/g, "").replaceAll("\u3002", ".");

/** Keeps letters out of every number field of the page. */
export function guardNumberFields() {
  let before = "";
  document.addEventListener("beforeinput", (event) => {
    const { target, data } = event;
    if (!isNumberField(target) || !data || event.isComposing || NUMBER.test(data)) return;
    event.preventDefault();
    const text = plain(data);
    if (!text || !NUMBER.test(text)) return;
    target.setRangeText(text, target.selectionStart ?? 0, target.selectionEnd ?? 0, "end");
    target.dispatchEvent(new Event("input", { bubbles: true }));
  });
  document.addEventListener("compositionstart", ({ target }) => { if (isNumberField(target)) before = target.value; });
  document.addEventListener("compositionend", ({ target }) => {
    if (isNumberField(target)) put(target, NUMBER.test(plain(target.value)) ? plain(target.value) : before);
  });
}

/** @param {HTMLInputElement} field @param {string} value */
function put(field, value) {
  if (field.value === value) return;
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
