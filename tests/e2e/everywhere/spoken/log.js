// In the page before the widget: takes down what its live regions say, in order, and what a screen reader would miss: a
// region that came with its words in it, or that nobody can see.
(() => {
  const REGION = "[role=status], [role=alert], [aria-live]:not([aria-live=off])";
  const spoken = (window.flexepinSpoken = { said: [], missed: [], regions: 0 });
  const words = (region) => region.innerText.replace(/\s+/g, " ").trim();
  const last = new WeakMap();

  const regionsIn = (node) =>
    node.nodeType === Node.ELEMENT_NODE ? [...(node.matches(REGION) ? [node] : []), ...node.querySelectorAll(REGION)] : [];
  const came = (region) => {
    spoken.regions += 1;
    last.set(region, words(region));
    if (words(region)) spoken.missed.push(words(region));
  };

  const changed = (records) => {
    const touched = new Set();
    for (const { target, addedNodes } of records) {
      for (const node of addedNodes) for (const region of regionsIn(node)) if (!last.has(region)) came(region);
      const region = (target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement)?.closest(REGION);
      if (region) touched.add(region);
    }
    for (const region of touched) {
      const [before, now] = [last.get(region), words(region)];
      last.set(region, now);
      if (!now || now === before || !region.isConnected) continue;
      const entry = `${region.getAttribute("role")}: ${now}`;
      (region.checkVisibility() ? spoken.said : spoken.missed).push(entry);
    }
  };

  const watch = (root) => {
    new MutationObserver(changed).observe(root, { subtree: true, childList: true, characterData: true });
    for (const child of root.children) for (const region of regionsIn(child)) came(region);
  };
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (options) {
    const root = attach.call(this, options);
    if (this.localName === "flexepin-cashier") watch(root);
    return root;
  };
  const early = document.querySelector("flexepin-cashier")?.shadowRoot;
  if (early) watch(early);
})();
