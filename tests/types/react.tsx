// The tag in React 19. Uses that must check, and uses that must not.

import { useCallback, useRef } from "react";
import type { BeforeSubmit, FlexepinCashierElement, RedeemedDetail } from "flexepin-cashier";

export function Checkout({ credit, user }: { credit: (serial: string | null) => void; user: string | undefined }) {
  const cashier = useRef<FlexepinCashierElement>(null);
  const ask: BeforeSubmit = useCallback(async () => ({ sessionToken: "token" }), []);
  const redeemed = (event: CustomEvent<RedeemedDetail>) => credit(event.detail.serial);
  return (
    <section onClick={() => cashier.current?.submit()}>
      <flexepin-cashier
        ref={cashier}
        key="cashier"
        id="cashier"
        className="card"
        class="card"
        style={{ display: "block" }}
        aria-label="Voucher"
        data-test="1"
        slot="main"
        hidden={false}
        endpoint="/cashier/flexepin"
        currency="EUR"
        amounts="10 20 25"
        user-id={user}
        email="player@example.com"
        brand-id="brand"
        session-token="token"
        locale="de-AT"
        theme="dark"
        timeout={20000}
        credentials="include"
        messages={{ title: "Pay by voucher" }}
        beforeSubmit={ask}
        onflexepin-ready={() => {}}
        onflexepin-change={({ detail }) => void detail.valid}
        onflexepin-submit={({ detail }) => void detail.attempt}
        onflexepin-redeemed={redeemed}
        onflexepin-rejected={({ detail }) => void detail.code}
        onflexepin-unconfirmed={({ detail }) => void detail.reference.length}
        onflexepin-failed={({ detail }) => void detail.next}
        onflexepin-loaderror={({ detail }) => void detail.cause}
      >
        <p>Your browser is too old for this.</p>
      </flexepin-cashier>
      <flexepin-cashier amount="25.00" timeout="5000" beforeSubmit={null} ref={(element) => void element?.focus()} />
      <flexepin-cashier amounts={["10", "20"]} />
    </section>
  );
}

export const wrong = [
  // @ts-expect-error: not a theme.
  <flexepin-cashier key="1" theme="blue" />,
  // @ts-expect-error: money is never a float.
  <flexepin-cashier key="2" amount={25.5} />,
  // @ts-expect-error: written `user-id`: as `userId` it is lost where the script comes late.
  <flexepin-cashier key="3" userId="user_123" />,
  // @ts-expect-error: a user id is a string.
  <flexepin-cashier key="4" user-id={123} />,
  // @ts-expect-error: not a time.
  <flexepin-cashier key="5" timeout="5s" />,
  // @ts-expect-error: no event has the PIN.
  <flexepin-cashier key="6" onflexepin-redeemed={({ detail }) => detail.pin} />,
  // @ts-expect-error: React listens to `onflexepin-redeemed`.
  <flexepin-cashier key="7" onFlexepinRedeemed={() => {}} />,
  // @ts-expect-error: `true` is no answer.
  <flexepin-cashier key="8" beforeSubmit={() => true} />,
  // @ts-expect-error: another element's ref.
  <flexepin-cashier key="9" ref={(element: HTMLInputElement | null) => void element} />,
  // @ts-expect-error: there is no such tag.
  <flexepin-till key="10" />,
];
