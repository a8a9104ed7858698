//! Owns the machine: feeds it events, has its effects carried out, repaints. The one place where phase, screen and
//! embedder meet.

use crate::i18n::Texts;
use crate::shell::before_submit::{self, Asked};
use crate::shell::clock::now_ms;
use crate::shell::form_shell::FormShell;
use crate::shell::http::{self, Credentials, Posted};
use crate::shell::lock::{self, Guard};
use crate::shell::page_events::{Leaving, PageEvents};
use crate::shell::pin_field::PinField;
use crate::shell::press::Press;
use crate::shell::{print, random, status, storage};
use crate::view::{Context, Root, RootProps};
use gloo_timers::callback::Timeout;
use gloo_timers::future::TimeoutFuture;
use redemption::{
    AttemptKey, BeforeSubmit, Effect, Event, Field, Focus, Keeping, Machine, Method, Notice, Open, Options, PhaseName,
    Request, StatusAsk, Timer,
};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use wasm_bindgen_futures::spawn_local;
use web_sys::{AbortController, ShadowRoot};
use yew::{AppHandle, Callback};

/// What the merchant decided that the machine does not need.
pub(crate) struct Settings {
    pub(crate) texts: Rc<Texts>,
    pub(crate) credentials: Credentials,
    pub(crate) before_submit: Option<Asked>,
}

/// What the embedder hears.
pub(crate) enum Told {
    /// `submit()` would act now.
    Ready,
    /// The machine's own.
    Notice(Notice),
}

/// The phase, and the attempt that is open, if one is.
pub(crate) type Kept = (PhaseName, Option<Open>);

/// What is done once the screen is painted.
type Act = Box<dyn FnOnce(&Rc<App>)>;

/// One mounted widget.
pub(crate) struct App {
    machine: RefCell<Machine>,
    /// Whose open attempts are shown: the endpoint and the merchant's name for the customer.
    owner: RefCell<(String, Option<String>)>,
    settings: RefCell<Settings>,
    shell: FormShell,
    view: RefCell<Option<AppHandle<Root>>>,
    tell: Box<dyn Fn(Told)>,
    /// What the page keeps of this widget, for the case that it traps.
    keep: Box<dyn Fn(&Kept)>,
    kept: RefCell<Kept>,
    /// Timers stop when they are dropped; each with whether it has fired.
    timers: RefCell<Vec<(Rc<Cell<bool>>, Timeout)>>,
    after_paint: RefCell<VecDeque<Act>>,
    asking: RefCell<Option<AbortController>>,
    /// The status asks under way: they end with the widget.
    asks: RefCell<Vec<AbortController>>,
    page_events: RefCell<Option<PageEvents>>,
    leaving: Leaving,
    /// The right to send for the attempt in hand.
    held: RefCell<Option<(AttemptKey, Rc<Guard>)>>,
    /// The same for every attempt that a POST of ours is under way for.
    sending: RefCell<Vec<(AttemptKey, Weak<Guard>)>>,
    destroyed: Cell<bool>,
    ready_told: Cell<bool>,
    press: RefCell<Option<Press>>,
    /// Fields that a press has left which still goes on.
    left_by_press: RefCell<Vec<Event>>,
    hear: Callback<Event>,
    conceal_pin: Callback<bool>,
    print: Callback<()>,
    focus_field: Callback<Field>,
}

/// The way back to the app for who must not keep it alive.
#[derive(Clone, Default)]
struct Link(Rc<RefCell<Weak<App>>>);

impl Link {
    fn callback<T: 'static>(&self, act: fn(&Rc<App>, T)) -> Callback<T> {
        let link = self.clone();
        Callback::from(move |value| {
            let app = link.0.borrow().upgrade();
            if let Some(app) = app {
                act(&app, value);
            }
        })
    }
}

impl App {
    /// Adopts a form shell. `None` where the shadow root holds none.
    pub(crate) fn mount(
        root: ShadowRoot,
        options: Options,
        settings: Settings,
        tell: Box<dyn Fn(Told)>,
        keep: Box<dyn Fn(&Kept)>,
    ) -> Option<Rc<Self>> {
        // The PIN field and the components hold the app weakly: the handle alone keeps it.
        let link = Link::default();
        let hear = link.callback(Self::hear);
        let conceal_pin = link.callback(|app, concealed| app.shell.pin.set_concealed(concealed));
        let print = link.callback(|app, ()| print::print(&app.shell.root));
        let focus_field = link.callback(|app, field| app.shell.focus(Focus::Field(field)));
        let press_ended = link.callback(|app, ()| app.press_ended());
        let shell = FormShell::adopt(root, |input| {
            let (edited, left) = (hear.clone(), hear.clone());
            PinField::adopt(
                input,
                move |text| edited.emit(Event::PinEdited(text)),
                move || left.emit(Event::FieldLeft(Field::Pin)),
            )
        })?;
        let (came_back, records_changed) =
            (link.callback(|app, ()| app.hear(Event::CameBack)), link.callback(|app, ()| app.read_records()));
        let app = Rc::new(Self {
            owner: RefCell::new(owner(&options)),
            machine: RefCell::new(Machine::new(options)),
            settings: RefCell::new(settings),
            shell,
            view: RefCell::default(),
            tell,
            keep,
            kept: RefCell::new((PhaseName::Editing, None)),
            timers: RefCell::default(),
            after_paint: RefCell::default(),
            asking: RefCell::default(),
            asks: RefCell::default(),
            page_events: RefCell::new(PageEvents::listen(move || came_back.emit(()), move || records_changed.emit(()))),
            leaving: Leaving::default(),
            held: RefCell::default(),
            sending: RefCell::default(),
            destroyed: Cell::new(false),
            ready_told: Cell::new(false),
            press: RefCell::new(Some(Press::watch(move || press_ended.emit(())))),
            left_by_press: RefCell::default(),
            hear,
            conceal_pin,
            print,
            focus_field,
        });
        link.0.replace(Rc::downgrade(&app));
        let renderer = yew::Renderer::<Root>::with_root_and_props(app.shell.slots.screen.clone(), app.props());
        app.view.replace(Some(renderer.render()));
        // What was typed before the app was there.
        app.dispatch(Event::PinEdited(app.shell.pin.text()));
        app.read_records();
        Some(app)
    }

    /// Repaints, and tells once that the widget is ready.
    pub(crate) fn ready(self: &Rc<Self>) {
        self.paint();
        if !self.ready_told.replace(true) {
            self.after_paint(|app| (app.tell)(Told::Ready));
        }
    }

    /// Takes a fact in, shows what follows from it and has it done.
    pub(crate) fn dispatch(self: &Rc<Self>, event: Event) {
        let effects = self.machine.borrow_mut().handle(event);
        // Records first: whatever goes wrong from here on, the next page asks.
        let (records, effects): (Vec<_>, Vec<_>) =
            effects.into_iter().partition(|effect| matches!(effect, Effect::Store(_)));
        for record in records {
            self.run(record);
        }
        self.keep_state();
        self.leaving.ask(self.is_sending() && !self.destroyed.get());
        self.paint();
        for effect in effects {
            self.run(effect);
        }
        self.let_go();
    }

    /// Has the page keep what is open, before anything is sent or shown that follows from it.
    fn keep_state(&self) {
        let state = (self.phase(), self.machine.borrow().open());
        if !self.destroyed.get() && *self.kept.borrow() != state {
            (self.keep)(&state);
            self.kept.replace(state);
        }
    }

    /// Gives up the right to send for an attempt that is not in hand any more.
    fn let_go(&self) {
        let machine = self.machine.borrow();
        let kept = self.held.take().filter(|(key, _)| machine.holds() == Some(key));
        self.held.replace(kept);
    }

    /// The right to send for this attempt: the one that this widget has, also where a POST of its own still hangs, or a new
    /// one. `None` where another tab has it.
    async fn right_to_send(&self, attempt: &AttemptKey) -> Option<Rc<Guard>> {
        let ours = self.sending.borrow().iter().find(|(key, _)| key == attempt).and_then(|(_, guard)| guard.upgrade());
        if ours.is_some() {
            return ours;
        }
        let guard = Rc::new(lock::acquire(attempt).await?);
        let mut sending = self.sending.borrow_mut();
        sending.retain(|(_, guard)| guard.strong_count() > 0);
        sending.push((attempt.clone(), Rc::downgrade(&guard)));
        Some(guard)
    }

    /// The right to send for this attempt, if this tab has it.
    fn guard(&self, attempt: &AttemptKey) -> Option<Rc<Guard>> {
        self.held.borrow().as_ref().filter(|(key, _)| key == attempt).map(|(_, guard)| Rc::clone(guard))
    }

    /// Takes in what the customer did. A field left by a press is heard of when the press has ended.
    fn hear(self: &Rc<Self>, event: Event) {
        if matches!(event, Event::FieldLeft(_)) && self.press.borrow().as_ref().is_some_and(Press::is_on) {
            return self.left_by_press.borrow_mut().push(event);
        }
        if matches!(event, Event::Confirmed | Event::RetryRequested | Event::CameBack) {
            // Another tab may have begun an attempt a moment ago, and a page in the back-forward cache hears of nothing.
            self.read_records();
        }
        self.dispatch(event);
    }

    fn press_ended(self: &Rc<Self>) {
        for event in self.left_by_press.take() {
            self.dispatch(event);
        }
    }

    /// Submits the form. Whether an attempt has begun by it.
    pub(crate) fn submit(self: &Rc<Self>) -> bool {
        let was_editing = self.phase() == PhaseName::Editing;
        // Another tab may have begun an attempt a moment ago.
        self.read_records();
        self.dispatch(Event::Submitted { key: random::attempt_key(), now_ms: now_ms() });
        was_editing && self.phase() != PhaseName::Editing
    }

    /// The merchant changed options.
    pub(crate) fn update(self: &Rc<Self>, options: Options, settings: Settings) {
        self.settings.replace(settings);
        self.owner.replace(owner(&options));
        self.dispatch(Event::OptionsChanged(Box::new(options)));
        self.read_records();
    }

    /// Tells the machine which open attempts are stored.
    fn read_records(self: &Rc<Self>) {
        let (endpoint, user_id) = self.owner.borrow().clone();
        let records = storage::read(&endpoint, user_id.as_deref());
        self.dispatch(Event::RecordsRead { records, now_ms: now_ms() });
    }

    pub(crate) fn phase(&self) -> PhaseName {
        self.machine.borrow().phase()
    }

    /// Moves the focus to what is on screen now.
    pub(crate) fn focus(&self) {
        let editing = self.phase() == PhaseName::Editing;
        self.shell.focus(if editing { Focus::Field(Field::Pin) } else { Focus::Heading });
    }

    /// Whether an answer may still come.
    pub(crate) fn is_sending(&self) -> bool {
        self.machine.borrow().is_sending()
    }

    /// Whether [`destroy`](Self::destroy) was called.
    #[cfg(feature = "component")]
    pub(crate) fn is_destroyed(&self) -> bool {
        self.destroyed.get()
    }

    /// Stops timers, takes the components down and erases the field. A POST that has left goes on, and its outcome is
    /// still told; one whose answer is lost is asked about by the next page.
    pub(crate) fn destroy(&self) {
        self.destroyed.set(true);
        // A POST that hangs may keep the app for long; nothing of it is left on the page.
        self.page_events.take();
        self.press.take();
        self.leaving.ask(false);
        self.held.take();
        self.timers.borrow_mut().clear();
        self.shell.pin.release();
        self.abort_before_submit();
        for ask in self.asks.take() {
            ask.abort();
        }
        if let Some(view) = self.view.take() {
            view.destroy();
        }
    }

    fn paint(&self) {
        // Once destroyed the shell may be another app's.
        if let Some(view) = &mut *self.view.borrow_mut() {
            let props = self.props();
            self.shell.paint(&props.view, &props.context.texts);
            view.update(props);
        }
    }

    fn props(&self) -> RootProps {
        RootProps {
            view: Rc::new(self.machine.borrow().view()),
            context: Context {
                texts: Rc::clone(&self.settings.borrow().texts),
                dispatch: self.hear.clone(),
                conceal_pin: self.conceal_pin.clone(),
                print: self.print.clone(),
                focus: self.focus_field.clone(),
            },
            slots: self.shell.slots.clone(),
        }
    }

    fn run(self: &Rc<Self>, effect: Effect) {
        match effect {
            Effect::Notify(notice) => self.after_paint(move |app| (app.tell)(Told::Notice(notice))),
            // Nobody looks any more, and the next page asks.
            Effect::Focus(_) | Effect::ClearPin | Effect::AskBeforeSubmit(_) if self.destroyed.get() => {}
            Effect::Ask(ask) if self.destroyed.get() && ask.method == Method::Get => {}
            Effect::Focus(focus) => self.after_paint(move |app| app.shell.focus(focus)),
            Effect::ClearPin => self.shell.pin.clear(),
            Effect::Store(record) => storage::store(&record),
            Effect::Forget(key) => storage::forget(&key),
            Effect::StartTimer(timer, ms) => self.start_timer(timer, ms),
            Effect::Send(request) => self.send(*request),
            Effect::Ask(ask) => self.ask(*ask),
            Effect::AskBeforeSubmit(ask) => self.ask_before_submit(ask),
            Effect::AbortBeforeSubmit => self.abort_before_submit(),
        }
    }

    fn start_timer(self: &Rc<Self>, timer: Timer, ms: u32) {
        if self.destroyed.get() {
            return;
        }
        let (app, fired) = (Rc::downgrade(self), Rc::new(Cell::new(false)));
        let firing = Rc::clone(&fired);
        let timeout = Timeout::new(ms, move || {
            firing.set(true);
            if let Some(app) = app.upgrade() {
                app.dispatch(Event::TimerFired(timer));
            }
        });
        let mut timers = self.timers.borrow_mut();
        timers.retain(|(fired, _)| !fired.get());
        timers.push((fired, timeout));
    }

    fn send(self: &Rc<Self>, request: Request) {
        // Held until the answer: who destroys the widget has not stopped the POST, and is still told what came of it.
        let app = Rc::clone(self);
        let credentials = self.settings.borrow().credentials;
        spawn_local(async move {
            let guard = app.right_to_send(&request.attempt).await;
            let posted = match &guard {
                Some(guard) => {
                    app.held.replace(Some((request.attempt.clone(), Rc::clone(guard))));
                    app.let_go();
                    http::post(&request, credentials).await
                }
                None => Posted::in_progress(),
            };
            app.dispatch(Event::Answered {
                attempt: request.attempt.clone(),
                try_number: request.try_number,
                answer: Box::new(posted.answer),
                keeping: posted.keeping,
            });
        });
    }

    fn ask(self: &Rc<Self>, ask: StatusAsk) {
        // One controller is there in every supported browser.
        let Ok(stop) = AbortController::new() else { return };
        self.asks.borrow_mut().push(stop.clone());
        let app = Rc::downgrade(self);
        let settings = self.settings.borrow();
        let (callback, credentials) = (settings.before_submit.clone(), settings.credentials);
        let held = self.guard(&ask.ask.attempt);
        spawn_local(async move {
            let posted = status::ask(&ask, callback, credentials, held, &stop).await;
            if let Some(app) = app.upgrade().filter(|app| !app.destroyed.get()) {
                app.asks.borrow_mut().retain(|other| *other != stop);
                app.dispatch(Event::StatusAnswered {
                    attempt: ask.ask.attempt,
                    number: ask.number,
                    answer: Box::new(posted.answer),
                    kept: posted.keeping != Keeping::No,
                });
            }
        });
    }

    fn ask_before_submit(self: &Rc<Self>, ask: BeforeSubmit) {
        // The machine asks only where the merchant gave a function, and one controller is there in every supported
        // browser.
        let Some(callback) = self.settings.borrow().before_submit.clone() else { return };
        let Ok(controller) = AbortController::new() else { return };
        let signal = controller.signal();
        self.asking.replace(Some(controller));
        let app = Rc::downgrade(self);
        spawn_local(async move {
            let permission = before_submit::ask(&callback, &ask, &signal).await;
            // Whoever took the widget off the page wants nothing more to be sent.
            if let Some(app) = app.upgrade().filter(|app| !app.destroyed.get()) {
                app.read_records();
                app.dispatch(Event::BeforeSubmitAnswered {
                    attempt: ask.attempt,
                    try_number: ask.try_number,
                    permission,
                });
            }
        });
    }

    fn abort_before_submit(&self) {
        if let Some(controller) = self.asking.take() {
            controller.abort();
        }
    }

    /// In a task of its own: Yew has painted by then, and whoever is told may call any method. In the order in which it
    /// was asked for, whatever the browser does: it may end a timer of a timer later than one that began after it.
    fn after_paint(self: &Rc<Self>, act: impl FnOnce(&Rc<Self>) + 'static) {
        self.after_paint.borrow_mut().push_back(Box::new(act));
        let app = Rc::clone(self);
        spawn_local(async move {
            TimeoutFuture::new(0).await;
            let next = app.after_paint.borrow_mut().pop_front();
            if let Some(act) = next {
                act(&app);
            }
        });
    }
}

fn owner(options: &Options) -> (String, Option<String>) {
    (options.endpoint.clone(), options.user_id.clone())
}
