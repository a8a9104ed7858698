//! The cashier as a Yew component: [`Cashier`]. It runs in the application's own wasm: no script to load, no custom
//! element, the same form.
//!
//! The component renders a `<div>`. Once that is on the page the form is put into a shadow root of it (`host`), and
//! the app mounted there, as the custom element does it. Props are the options of that element, checked by the same
//! table (`options`); changed later they lose nothing that was typed. Unmounting ends it; a request that has left goes
//! on, and its outcome is still told.
//!
//! ```
//! use flexepin_cashier::component::{Cashier, Outcome, OutcomeKind};
//! use yew::{Callback, Html, component, html};
//!
//! #[component]
//! fn Checkout() -> Html {
//!     let on_outcome = Callback::from(|outcome: Outcome| {
//!         if let OutcomeKind::Redeemed(_) = outcome.kind {
//!             // Say thank you. The money is credited by your server, which hears of it from the proxy.
//!         }
//!     });
//!     html! {
//!         <Cashier endpoint="/cashier/flexepin" amounts="10 20 25 50 100" currency="EUR"
//!             user_id="user_123" email="player@example.com" {on_outcome} />
//!     }
//! }
//! ```
//!
//! The form is a Yew root of its own: a click in it is not heard by an `onclick=` of the application's elements around
//! it.

mod handle;
mod host;
mod options;
mod props;

pub use handle::{CashierHandle, Sending};
pub use mozarto::{Amount, Currency, Money};
pub use props::{Amounts, BeforeSubmitFn, CashierProps, Change};
pub use redemption::{
    AttemptKey, BeforeSubmit, Code, Discrepancy, Field, Next, Outcome, OutcomeKind, Permission, PhaseName, Reason,
    Redemption, Secret,
};

use crate::app::{App, Told};
use crate::embed::notices;
use host::Host;
use redemption::Notice;
use std::cell::RefCell;
use std::rc::Rc;
use web_sys::{Element, console};
use yew::{Html, component, html, use_effect_with, use_mut_ref, use_node_ref};

/// A cashier in the place where it is rendered.
#[component]
pub fn Cashier(props: &CashierProps) -> Html {
    let node = use_node_ref();
    let mounted = use_mut_ref(|| None::<Mounted>);
    {
        let (node, mounted) = (node.clone(), Rc::clone(&mounted));
        use_effect_with(props.clone(), move |props| {
            let mut mounted = mounted.borrow_mut();
            match &mut *mounted {
                Some(mounted) => mounted.change(props),
                None => *mounted = node.cast::<Element>().and_then(|element| Mounted::new(&element, props)),
            }
        });
    }
    use_effect_with((), move |()| move || drop(mounted.take()));
    html! { <div ref={node} class={props.class.clone()} /> }
}

/// A cashier on the page. Dropping it takes it down.
struct Mounted {
    host: Host,
    /// None while the options are wrong.
    app: Option<Rc<App>>,
    /// The way to the app for the form's own submit.
    own: CashierHandle,
    /// Whoever is told is told by the newest props.
    newest: Rc<RefCell<CashierProps>>,
    /// What was wrong with the options when it was last told.
    wrong: Option<String>,
}

impl Mounted {
    /// None where the element can have no shadow root; the console says why.
    fn new(element: &Element, props: &CashierProps) -> Option<Self> {
        let own = CashierHandle::default();
        let submitted = own.clone();
        let submit = move || {
            submitted.submit();
        };
        let host = Host::furnish(element, submit).map_err(|error| console::error_1(&error)).ok()?;
        let newest = Rc::new(RefCell::new(props.clone()));
        let mut mounted = Self { host, app: None, own, newest, wrong: None };
        mounted.take_options();
        Some(mounted)
    }

    /// Takes changed props over. What is not an option is looked up when it is needed.
    fn change(&mut self, props: &CashierProps) {
        let before = self.newest.replace(props.clone());
        if let Some(app) = &self.app {
            props.handle.connect(app);
        }
        if !before.has_the_options_of(props) {
            self.take_options();
        }
    }

    /// Mounts or updates the app. With wrong options a form that is there goes on with those it has.
    fn take_options(&mut self) {
        let props = self.newest.borrow().clone();
        let looks = options::looks(&props);
        self.host.set_language(&looks.language, &looks.messages);
        let (options, settings) = match options::read(&props, &looks) {
            Ok(read) => read,
            Err(reason) => return self.tell_wrong(reason, &props),
        };
        self.wrong = None;
        self.host.set_theme(&looks.theme);
        self.host.take_notice_back();
        if let Some(app) = &self.app {
            app.update(options, settings);
        } else {
            let newest = Rc::clone(&self.newest);
            let tell = Box::new(move |told| tell(&newest, told));
            // If this instance traps the whole application has: nobody is left to be told.
            let keep = Box::new(|_: &_| ());
            self.app = App::mount(self.host.root().clone(), options, settings, tell, keep);
        }
        if let Some(app) = &self.app {
            self.own.connect(app);
            props.handle.connect(app);
            app.ready();
        }
    }

    /// Once per reason: on the console and to the application in full, on screen in plain words.
    fn tell_wrong(&mut self, reason: String, props: &CashierProps) {
        if self.wrong.as_ref() == Some(&reason) {
            return;
        }
        console::error_1(&reason.as_str().into());
        if self.app.is_none() {
            self.host.say_that_the_options_are_wrong();
        }
        props.on_config_error.emit(reason.clone().into());
        self.wrong = Some(reason);
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if let Some(app) = self.app.take() {
            app.destroy();
        }
    }
}

/// Nothing is borrowed while the application acts on it.
fn tell(newest: &RefCell<CashierProps>, told: Told) {
    let props = || newest.borrow();
    match told {
        Told::Ready => {
            let on_ready = props().on_ready.clone();
            on_ready.emit(());
        }
        Told::Notice(Notice::Changed { complete, valid }) => {
            let on_change = props().on_change.clone();
            on_change.emit(Change { complete, valid });
        }
        Told::Notice(Notice::Submitted(attempt)) => {
            let on_submit = props().on_submit.clone();
            on_submit.emit(attempt);
        }
        Told::Notice(Notice::Outcome(outcome)) => {
            notices::name_remedy(&outcome);
            let on_outcome = props().on_outcome.clone();
            on_outcome.emit(*outcome);
        }
    }
}
