// What keyboards of phones, and browsers on behalf of others, do to the PIN field: their events, and between them the change
// that each engine makes where nobody has stopped it.
(() => {
  const pin = document.querySelector("flexepin-cashier").shadowRoot.querySelector("[part=pin]");

  const send = (Kind, type, how) => pin.dispatchEvent(new Kind(type, { bubbles: true, composed: true, ...how }));

  /** The place of a composition that is under way, and the text with it: who assigns another ends the composition. */
  let composing = null;

  const keyboard = {
    /** One change: this text in place of what is selected, or of what `over` tells. */
    edit(inputType, data, { over = [pin.selectionStart, pin.selectionEnd], cancelable = true, isComposing = false } = {}) {
      if (!send(InputEvent, "beforeinput", { inputType, data, isComposing, cancelable })) return;
      pin.setRangeText(data ?? "", ...over, inputType === "insertFromDrop" ? "select" : "end");
      send(InputEvent, "input", { inputType, data, isComposing });
    },

    /** A key that tells nobody which it is. */
    unidentified(act) {
      const key = { key: "Unidentified", code: "", keyCode: 229, which: 229, cancelable: true };
      send(KeyboardEvent, "keydown", key);
      act();
      send(KeyboardEvent, "keyup", key);
    },

    /** Backspace (or Delete) by its meaning alone. */
    erase({ forward = false, ...how } = {}) {
      const { selectionStart: start, selectionEnd: end } = pin;
      const over = start !== end ? [start, end] : forward ? [start, start + 1] : [Math.max(start - 1, 0), start];
      keyboard.edit(forward ? "deleteContentForward" : "deleteContentBackward", null, { over, ...how });
    },

    /** Text that may still become another. */
    compose(text) {
      if (composing?.value !== pin.value) {
        send(CompositionEvent, "compositionstart", { data: "" });
        composing = { over: [pin.selectionStart, pin.selectionEnd] };
      }
      const { over } = composing;
      send(CompositionEvent, "compositionupdate", { data: text });
      keyboard.edit("insertCompositionText", text, { over, cancelable: false, isComposing: true });
      composing = { over: [over[0], over[0] + text.length], value: pin.value };
    },

    /** The composition is what it is. Firefox tells of the input after that. */
    commit({ tellsLast = false } = {}) {
      const data = pin.value.slice(...composing.over);
      composing = null;
      send(CompositionEvent, "compositionend", { data });
      if (tellsLast) send(InputEvent, "input", { inputType: "insertCompositionText", data });
    },

    /** The whole text by an assignment, as autofill and extensions do, and then this event. */
    fill(text, type = "input") {
      pin.value = text;
      send(Event, type);
    },

    /** A menu's Undo or Redo; the browser has nothing of its own to go back to. */
    menu(inputType) {
      send(InputEvent, "beforeinput", { inputType, data: null, cancelable: true });
    },

    /** A key with ctrl. */
    ctrl(key, code, shiftKey = false) {
      send(KeyboardEvent, "keydown", { key, code, shiftKey, ctrlKey: true, cancelable: true });
    },

    /** What is dragged within the field or out of it goes when it is dropped. */
    drag({ to, out = false }) {
      const { selectionStart: start, selectionEnd: end } = pin;
      const text = pin.value.slice(start, end);
      keyboard.edit("deleteByDrag", null, { over: [start, end] });
      if (!out) keyboard.edit("insertFromDrop", text, { over: [to, to] });
      send(DragEvent, "dragend");
    },
  };
  window.keyboard = keyboard;
})();
