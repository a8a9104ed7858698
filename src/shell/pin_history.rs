//! What the PIN field can go back to. Its value is set by the widget as it groups digits, and that empties the browser's
//! own history in some engines and confuses it in others. Pure; what it holds is erased when dropped.

use zeroize::Zeroizing;

/// More steps than a person takes for 16 digits.
const LONGEST: usize = 100;

/// The field at one moment.
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct Moment {
    pub(super) text: Zeroizing<String>,
    /// In UTF-16 units, as the DOM counts.
    pub(super) caret: usize,
}

/// What kind of edit it was: a run of one kind is one step.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Edit {
    Typed,
    Deleted,
    /// Pasted, cut, dropped, filled: always a step of its own.
    Other,
}

/// The moments before and after the present one.
#[derive(Default)]
pub(super) struct History {
    past: Vec<Moment>,
    now: Moment,
    future: Vec<Moment>,
    /// The edit that led to now, as long as another one may go on with it.
    run: Option<Edit>,
}

impl History {
    /// The field after the last edit that was heard of.
    pub(super) fn now(&self) -> &Moment {
        &self.now
    }

    /// The field is like this before an edit. A caret that was moved begins a step of its own. In the middle of one, such as
    /// a composition, the text is another than that of now: the step began where the caret was then.
    pub(super) fn before_edit(&mut self, text: &str, caret: usize) {
        if self.now.caret != caret && *self.now.text == *text {
            self.run = None;
            self.now.caret = caret;
        }
    }

    /// The field has been edited.
    pub(super) fn edited(&mut self, moment: Moment, edit: Edit) {
        if moment.text == self.now.text {
            self.now.caret = moment.caret;
            return;
        }
        let before = std::mem::replace(&mut self.now, moment);
        self.future.clear();
        if self.run != Some(edit) || edit == Edit::Other {
            self.past.push(before);
            if self.past.len() > LONGEST {
                self.past.remove(0);
            }
        }
        self.run = Some(edit);
    }

    /// One step back, if there is one.
    pub(super) fn undo(&mut self) -> Option<Moment> {
        let before = self.past.pop()?;
        self.future.push(std::mem::replace(&mut self.now, before));
        self.run = None;
        Some(self.now.clone())
    }

    /// One step forward, if there is one.
    pub(super) fn redo(&mut self) -> Option<Moment> {
        let after = self.future.pop()?;
        self.past.push(std::mem::replace(&mut self.now, after));
        self.run = None;
        Some(self.now.clone())
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str, caret: usize) -> Moment {
        Moment { text: Zeroizing::new(text.to_owned()), caret }
    }

    fn typed(history: &mut History, texts: &[&str]) {
        for text in texts {
            history.edited(moment(text, text.len()), Edit::Typed);
        }
    }

    #[test]
    fn a_run_of_typing_is_one_step_back_and_one_forward() {
        let mut history = History::default();
        typed(&mut history, &["1", "12", "123"]);
        assert_eq!(history.undo(), Some(moment("", 0)));
        assert_eq!(history.undo(), None);
        assert_eq!(history.redo(), Some(moment("123", 3)));
        assert_eq!(history.redo(), None);
    }

    #[test]
    fn another_kind_of_edit_or_a_moved_caret_begins_a_step() {
        let mut history = History::default();
        typed(&mut history, &["1", "12"]);
        history.edited(moment("1", 1), Edit::Deleted);
        history.edited(moment("", 0), Edit::Deleted);
        history.edited(moment("5555", 4), Edit::Other);
        history.edited(moment("55556666", 8), Edit::Other);
        history.before_edit("55556666", 2);
        typed(&mut history, &["5575"]);
        for expected in [moment("55556666", 2), moment("5555", 4), moment("", 0), moment("12", 2), moment("", 0)] {
            assert_eq!(history.undo(), Some(expected));
        }
    }

    #[test]
    fn half_an_edit_does_not_move_the_place_where_it_began() {
        let mut history = History::default();
        history.edited(moment("5555", 4), Edit::Other);
        history.before_edit("5555", 2);
        history.before_edit("55155", 3);
        history.before_edit("551255", 4);
        history.edited(moment("5512 55", 4), Edit::Typed);
        assert_eq!(history.undo(), Some(moment("5555", 2)));
    }

    #[test]
    fn an_edit_after_going_back_ends_the_way_forward() {
        let mut history = History::default();
        typed(&mut history, &["1"]);
        history.undo();
        typed(&mut history, &["2"]);
        assert_eq!(history.redo(), None);
        assert_eq!(history.undo(), Some(moment("", 0)));
    }

    #[test]
    fn it_holds_so_many_steps_and_forgets_all_when_cleared() {
        let mut history = History::default();
        for step in 0..150_usize {
            history.edited(moment(&step.to_string(), 0), Edit::Other);
        }
        assert_eq!(std::iter::from_fn(|| history.undo()).count(), LONGEST);
        history.redo();
        history.clear();
        assert_eq!((history.undo(), history.redo()), (None, None));
    }
}
