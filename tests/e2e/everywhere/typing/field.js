// A field as text with its caret or selection marked: "1234 5|" or "12[34 5]6". Called with the field's part.
(part) => {
  const widget = document.querySelector("flexepin-cashier");
  const field = widget.shadowRoot.querySelector(`[part=${part}]`);

  window.markedField = {
    shown() {
      const { value, selectionStart: start, selectionEnd: end } = field;
      if (start === end) return `${value.slice(0, start)}|${value.slice(start)}`;
      return `${value.slice(0, start)}[${value.slice(start, end)}]${value.slice(end)}`;
    },

    /** An empty form, then this text: as an extension fills it in. */
    start(marked) {
      const [start, end] = [marked.search(/[[|]/), marked.search(/[\]|]/)];
      widget.reset();
      field.focus();
      field.value = marked.replace(/[[\]|]/g, "");
      field.setSelectionRange(start, marked[end] === "]" ? end - 1 : end);
      field.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
    },
  };
}
