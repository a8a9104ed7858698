//! The customer of one POST, as far as Mozarto wants to know: from the checkout session where it fixes it, else from
//! the body.

use secrecy::SecretString;

/// Who redeems. Source: page "Authentication", the claims of `x-user-token`.
#[derive(Clone)]
pub(crate) struct Customer {
    /// The session's subject; without sessions the body's `userId`. It owns the attempt.
    pub(crate) user_id: String,
    pub(crate) email: String,
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) country_code: Option<String>,
    /// What the browser sent as bearer, for `x-user-authorization`.
    pub(crate) bearer: Option<SecretString>,
}
