// Nodes from data. Text is always set as text: nothing here parses HTML.

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * An element. Attributes: `class`, `title`, …; `on…` is a listener, `data` an object of data attributes, false and null leave out.
 * @param {string} tag @param {Record<string, any>} [attributes] @param {...(Child | Child[])} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name === "value") /** @type {HTMLInputElement} */ (node).value = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...shown(children.flat()));
  return node;
}

/** @param {Child[]} children @returns {(Node | string)[]} */
const shown = (children) =>
  children.filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));

/** Sets a node's text, if it differs: an unchanged node costs no layout. @param {Element} node @param {string | number} value */
export function say(node, value) {
  const text = String(value);
  if (node.textContent !== text) node.textContent = text;
}

/** Replaces a node's children. @param {Element} node @param {...(Child | Child[])} children */
export const fill = (node, ...children) => node.replaceChildren(...shown(children.flat()));

/** @type {WeakMap<Element, () => void>} */
const waiting = new WeakMap();

/**
 * Shows items as the children of `body`, one node for each key, kept while its item is there. While the pointer or the focus is
 * on one of them nothing moves: new items wait until it has left (`[data-held]` says so). Values of nodes that are there change.
 * @template Item
 * @param {Element} body @param {Item[]} items @param {(item: Item) => string} keyOf
 * @param {(item: Item) => HTMLElement} make @param {(node: HTMLElement, item: Item) => void} [update]
 */
export function rows(body, items, keyOf, make, update = () => {}) {
  const old = new Map([...body.children].map((node) => [/** @type {HTMLElement} */ (node).dataset.key, node]));
  const isHeld = body.matches("[data-freeze] *, [data-freeze]") && (body.matches(":hover") || body.contains(document.activeElement));
  if (isHeld) {
    for (const item of items) {
      const node = old.get(keyOf(item));
      if (node) update(/** @type {HTMLElement} */ (node), item);
    }
    hold(body, () => rows(body, items, keyOf, make, update));
    return;
  }
  waiting.delete(body);
  let next = body.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    const node = /** @type {HTMLElement} */ (old.get(key) ?? make(item));
    old.delete(key);
    node.dataset.key = key;
    update(node, item);
    if (node === next) next = next.nextElementSibling;
    else body.insertBefore(node, next);
  }
  for (const node of old.values()) node.remove();
}

/** Calls `show`, the latest of them, when pointer and focus have left `body`. @param {Element} body @param {() => void} show */
function hold(body, show) {
  const isNew = !waiting.has(body);
  waiting.set(body, show);
  if (!isNew) return;
  /** @type {HTMLElement} */ (body).dataset.held = "";
  const release = () => {
    if (body.matches(":hover") || body.contains(document.activeElement)) return;
    body.removeEventListener("pointerleave", release);
    body.removeEventListener("focusout", later);
    delete (/** @type {HTMLElement} */ (body)).dataset.held;
    const latest = waiting.get(body);
    waiting.delete(body);
    latest?.();
  };
  const later = () => requestAnimationFrame(release); // the focus moves after the event
  body.addEventListener("pointerleave", release);
  body.addEventListener("focusout", later);
}
