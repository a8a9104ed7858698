// The cashier in React 19. Attributes are right whenever the script comes. `messages` and `beforeSubmit` have no
// attribute, and React sets properties only on an element that is defined by then; an effect sets them in any case.

import { useEffect, useRef, useState } from "react";

function Cashier({ currency, theme, messages, onAsk, onRedeemed }) {
  const element = useRef(null);
  useEffect(() => {
    element.current.messages = messages;
  }, [messages]);
  useEffect(() => {
    element.current.beforeSubmit = onAsk;
  }, [onAsk]);
  return (
    <flexepin-cashier
      ref={element}
      endpoint="/cashier/flexepin"
      amounts="10 25 50"
      currency={currency}
      user-id="user_123"
      email="player@example.com"
      theme={theme}
      onflexepin-redeemed={onRedeemed}
    >
      Your browser is too old for this.
    </flexepin-cashier>
  );
}

export function App() {
  const [renders, setRenders] = useState(0);
  const [currency, setCurrency] = useState("EUR");
  const [theme, setTheme] = useState("light");
  const [messages, setMessages] = useState(null);
  const [order, setOrder] = useState(["note", "cashier"]);
  const [shown, setShown] = useState(true);
  const [asked, setAsked] = useState("");
  const [heard, setHeard] = useState("");
  const redeemed = ({ detail }) => {
    setHeard((before) => `${before}${detail.code} ${detail.amountMinor} ${detail.currency} `);
  };
  const blocks = {
    note: <p key="note">Pay with cash: buy a voucher, and enter its PIN here. {renders}</p>,
    cashier: shown && (
      <Cashier
        key="cashier"
        currency={currency}
        theme={theme}
        messages={messages}
        onAsk={({ reason }) => setAsked((before) => `${before}${reason} `)}
        onRedeemed={redeemed}
      />
    ),
  };
  return (
    <>
      <h1>Checkout</h1>
      <div>{order.map((name) => blocks[name])}</div>
      <p>
        <button id="again" onClick={() => setRenders(renders + 1)}>Again</button>
        <output id="renders">{renders}</output>
        <button id="currency" onClick={() => setCurrency(currency === "EUR" ? "CAD" : "EUR")}>Currency</button>
        <button id="theme" onClick={() => setTheme(theme === "dark" ? "light" : "dark")}>Theme</button>
        <button id="words" onClick={() => setMessages(messages ? null : { title: "Cash here" })}>Words</button>
        <button id="move" onClick={() => setOrder(order.toReversed())}>Move</button>
        <button id="toggle" onClick={() => setShown(!shown)}>Remove or put back</button>
      </p>
      <p>Asked: <output id="asked">{asked}</output></p>
      <p>Heard: <output id="heard">{heard}</output></p>
    </>
  );
}
