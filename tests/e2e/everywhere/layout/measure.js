// In the page: `layout.narrow()` makes the widget 320 px wide, `layout.faults()` measures what is drawn.
(() => {
  const WIDTH = 320;
  let root = document.querySelector("flexepin-cashier").shadowRoot;
  let page = document;

  /** A copy of what is drawn, in a frame of 320 px: for browsers whose windows cannot be as narrow. */
  const inFrame = async () => {
    const css = await (await fetch("/flexepin-cashier.css")).text();
    const frame = document.createElement("iframe");
    frame.style = `border: 0; width: ${WIDTH}px; height: 640px`;
    document.body.prepend(frame);
    page = frame.contentDocument;
    page.documentElement.lang = document.documentElement.lang;
    const host = page.body.appendChild(page.createElement("div"));
    const copy = host.attachShadow({ mode: "open" });
    const sheet = new frame.contentWindow.CSSStyleSheet();
    sheet.replaceSync(css);
    copy.adoptedStyleSheets = [sheet];
    for (const part of root.children) copy.append(page.importNode(part, true));
    root = copy;
  };

  const adopt = (css) => {
    const sheet = new page.defaultView.CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  };
  const isSeen = (node) => node.checkVisibility() && !node.closest(".visually-hidden");
  const name = (node) => node.getAttribute("part") ?? node.className ?? node.localName;

  /** Every piece of text, and every control, with the boxes that it is drawn in. */
  const pieces = () => {
    const found = [];
    const walk = (node) => {
      if (node.nodeType === Node.TEXT_NODE) {
        if (!node.data.trim()) return;
        const range = page.createRange();
        range.selectNodeContents(node);
        return found.push({ node, label: `"${node.data.slice(0, 30)}"`, boxes: [...range.getClientRects()] });
      }
      if (node.nodeType !== Node.ELEMENT_NODE || !isSeen(node)) return;
      if (node.matches("button, input")) found.push({ node, label: name(node), boxes: [node.getBoundingClientRect()] });
      for (const child of node.childNodes) walk(child);
    };
    for (const part of root.children) walk(part);
    return found;
  };

  /** A radio lies over its own label on purpose, and what is in a button over the button. */
  const belong = (one, other) => one.contains(other) || other.contains(one) || one.parentElement.closest("label")?.contains(other);
  const covers = (one, other) =>
    Math.min(one.right, other.right) - Math.max(one.left, other.left) > 2 && Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 3;

  window.layout = {
    adopt,
    async narrow() {
      if (innerWidth > WIDTH) await inFrame();
    },
    /** The values of WCAG 1.4.12. */
    spacing() {
      adopt("* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important } p { margin-block-end: 2em !important }");
    },
    /** A page whose root says that one rem is 10 px. */
    smallRoot() {
      page.documentElement.style.fontSize = "62.5%";
    },
    targets() {
      const controls = [...root.querySelectorAll("button, input")].filter(isSeen);
      const small = controls.map((node) => [name(node), node.getBoundingClientRect()]).filter(([, { width, height }]) => width < 43.9 || height < 43.9);
      return { looked: controls.length, faults: small.map(([part, { width, height }]) => `${part} is ${width} by ${height}`) };
    },
    faults() {
      const all = pieces();
      const faults = [];
      const { scrollWidth, clientWidth } = page.documentElement;
      if (scrollWidth > clientWidth) faults.push(`the page scrolls sideways: ${scrollWidth} in ${clientWidth}`);
      for (const { node, label, boxes } of all) {
        const element = node.nodeType === Node.TEXT_NODE ? node.parentElement : node;
        const from = node.parentElement;
        const card = (from.closest("button") ?? from.closest(".card, [data-slot=screen], .open-attempt"))?.getBoundingClientRect();
        if (!card || boxes.some((box) => box.left < card.left - 0.5 || box.right > card.right + 0.5 || box.top < card.top - 2 || box.bottom > card.bottom + 2))
          faults.push(`${label} is drawn beyond its card`);
        if (node === element && node.localName === "input" && node.type !== "radio" && node.scrollWidth > node.clientWidth + 1)
          faults.push(`${label} hides some of its text: ${node.scrollWidth} in ${node.clientWidth}`);
        for (let around = element; around; around = around.parentElement) {
          const { overflowX, overflowY } = getComputedStyle(around);
          if (around.localName === "input" || (overflowX === "visible" && overflowY === "visible")) continue;
          if (around.scrollWidth > around.clientWidth || around.scrollHeight > around.clientHeight) faults.push(`${label} is clipped by ${name(around)}`);
        }
      }
      all.forEach((one, index) => {
        for (const other of all.slice(index + 1))
          if (!belong(one.node, other.node) && one.boxes.some((box) => other.boxes.some((second) => covers(box, second))))
            faults.push(`${one.label} and ${other.label} overlap`);
      });
      return { looked: all.length, faults };
    },
  };
})();
