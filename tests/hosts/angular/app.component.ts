// The cashier in Angular 21, zoneless, compiled in the browser. Angular binds `[…]` as properties, also on an element
// that is not defined yet: the cashier takes them over.

import { Component, CUSTOM_ELEMENTS_SCHEMA, signal } from "@angular/core";
import type { BeforeSubmitQuestion, RedeemedDetail } from "flexepin-cashier";

@Component({
  selector: "app-root",
  schemas: [CUSTOM_ELEMENTS_SCHEMA],
  template: `
    <h1>Checkout</h1>
    <div>
      @for (name of order(); track name) {
        @if (name === "note") {
          <p>Pay with cash: buy a voucher, and enter its PIN here. {{ renders() }}</p>
        } @else if (shown()) {
          <flexepin-cashier
            endpoint="/cashier/flexepin"
            amounts="10 25 50"
            [currency]="currency()"
            user-id="user_123"
            email="player@example.com"
            [theme]="theme()"
            [messages]="messages()"
            [beforeSubmit]="ask"
            (flexepin-redeemed)="redeemed($event)"
          >
            Your browser is too old for this.
          </flexepin-cashier>
        }
      }
    </div>
    <p>
      <button id="again" (click)="renders.set(renders() + 1)">Again</button>
      <output id="renders">{{ renders() }}</output>
      <button id="currency" (click)="currency.set(currency() === 'EUR' ? 'CAD' : 'EUR')">Currency</button>
      <button id="theme" (click)="theme.set(theme() === 'dark' ? 'light' : 'dark')">Theme</button>
      <button id="words" (click)="messages.set(messages() ? null : { title: 'Cash here' })">Words</button>
      <button id="move" (click)="order.set(order().toReversed())">Move</button>
      <button id="toggle" (click)="shown.set(!shown())">Remove or put back</button>
    </p>
    <p>Asked: <output id="asked">{{ asked() }}</output></p>
    <p>Heard: <output id="heard">{{ heard() }}</output></p>
  `,
})
export class AppComponent {
  readonly renders = signal(0);
  readonly currency = signal("EUR");
  readonly theme = signal("light");
  readonly messages = signal<{ title: string } | null>(null);
  readonly order = signal(["note", "cashier"]);
  readonly shown = signal(true);
  readonly asked = signal("");
  readonly heard = signal("");

  readonly ask = ({ reason }: BeforeSubmitQuestion): void => this.asked.update((before) => `${before}${reason} `);

  redeemed({ detail }: CustomEvent<RedeemedDetail>): void {
    this.heard.update((before) => `${before}${detail.code} ${detail.amountMinor} ${detail.currency} `);
  }
}
