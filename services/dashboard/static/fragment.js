// Shows an HTML fragment of the server and, when the next one comes, changes only the nodes that differ. So a page that
// moves every second keeps its scroll position, its selection, its open details, a half-made click and half-typed text.
function morph(from, to) {
  if (from.nodeName !== to.nodeName || from.dataset?.key !== to.dataset?.key) {
    from.replaceWith(to);
  } else if (from.nodeType === Node.TEXT_NODE) {
    if (from.data !== to.data) from.data = to.data;
  } else {
    morphAttributes(from, to);
    morphChildren(from, to);
  }
}

function morphAttributes(from, to) {
  for (const { name } of [...from.attributes]) {
    // Whether details are open is the reader's business, not the server's.
    if (!to.hasAttribute(name) && name !== "open") from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
}

// A row with a `data-key` stays itself wherever it moves to: it is never made into another one, and one that stays where it
// is among the others is never taken out, which would take the cursor away from who types in it.
function morphChildren(from, to) {
  const wanted = [...to.childNodes];
  const kept = new Set(wanted.map((node) => node.dataset?.key));
  [...from.childNodes].forEach((node) => node.dataset?.key && !kept.has(node.dataset.key) && node.remove());
  wanted.forEach((node, i) => {
    const here = from.childNodes[i];
    if (!here) from.append(node);
    else if (here.dataset?.key === node.dataset?.key) morph(here, node);
    else from.insertBefore(node, here);
  });
  [...from.childNodes].slice(wanted.length).forEach((node) => node.remove());
}

export default {
  template: "<div></div>",
  props: { html: String },
  mounted() {
    this.$el.innerHTML = this.html;
  },
  watch: {
    html(next) {
      const template = document.createElement("template");
      template.innerHTML = next;
      morphChildren(this.$el, template.content);
    },
  },
};
