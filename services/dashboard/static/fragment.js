// Shows an HTML fragment of the server and, when the next one comes, changes only the nodes that differ. So a page that
// moves every second keeps its scroll position, its selection, its open details and a half-made click.
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

function morphChildren(from, to) {
  const present = [...from.childNodes];
  const wanted = [...to.childNodes];
  wanted.forEach((node, i) => (i < present.length ? morph(present[i], node) : from.append(node)));
  present.slice(wanted.length).forEach((node) => node.remove());
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
