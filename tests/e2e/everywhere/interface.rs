//! What a merchant's page can say to the widget, and what it hears: each thing as DESIGN.md has it, seen from outside.
//! `options` has the forms of every option, `values` what is wrong with some, `events` and `handlers` what is told and
//! what may be called then, `places` the element's life in the page.

mod events;
mod handlers;
mod options;
mod places;
mod values;

use crate::merchant::Merchant;

/// A page with the script and an empty place, `<main>`; scripts of these tests put widgets there.
async fn open_shop() -> Merchant {
    Merchant::open(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Shop</title><link rel=icon href=data:,>
        <script src=/flexepin-cashier.js></script><script>
          Object.assign(window, {
            OPTIONS: {
              endpoint: '/cashier/flexepin', currency: 'EUR', amount: '25.00', userId: 'user_123',
              email: 'player@example.com',
            },
            main: () => document.querySelector('main'),
            part: (widget, name) => widget.shadowRoot.querySelector(`[part~=${name}]`),
            type: (widget, pin) => {
              part(widget, 'pin').value = pin;
              part(widget, 'pin').dispatchEvent(new InputEvent('input'));
            },
            said: (widget, name) =>
              new Promise(resolve => widget.addEventListener(`flexepin-${name}`, resolve, {once: true})),
            task: () => new Promise(resolve => setTimeout(resolve)),
            thrown: act => { try { act(); return null } catch (error) { return [error.name, error.message] } },
          });
        </script><body><main></main>",
    )
    .await
}
