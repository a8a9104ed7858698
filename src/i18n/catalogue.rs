//! Every text a customer reads, in English, with its key and its placeholders. A text that is missing, or a placeholder
//! that is not given, does not compile. The keys are the `messages` option's and other languages' catalogues'.

macro_rules! catalogue {
    ($($name:ident $({ $($argument:ident),+ })? = $key:literal, $english:literal;)+) => {
        /// A text with what goes into it, already formatted.
        #[derive(Clone, Debug, PartialEq)]
        pub(crate) enum Message { $($name $({ $($argument: String),+ })?,)+ }

        impl Message {
            /// Every key with its English text and its placeholders.
            pub(crate) const ENGLISH: &[(&str, &str, &[&str])] = &[$(($key, $english, &[$($(stringify!($argument)),+)?]),)+];

            /// The name in catalogues.
            pub(crate) fn key(&self) -> &'static str {
                match self { $(Self::$name $({ $($argument: _),+ })? => $key,)+ }
            }

            /// The English text, with `{placeholders}`.
            pub(crate) fn english(&self) -> &'static str {
                match self { $(Self::$name $({ $($argument: _),+ })? => $english,)+ }
            }

            /// What goes into the placeholders.
            pub(crate) fn arguments(&self) -> Vec<(&'static str, &str)> {
                match self { $(Self::$name $({ $($argument),+ })? => vec![$($((stringify!($argument), $argument.as_str())),+)?],)+ }
            }
        }
    };
}

catalogue! {
    Title = "title", "Redeem a Flexepin voucher";

    PinLabel = "pin-label", "Flexepin PIN";
    PinHint { length } = "pin-hint", "The {length} digits on your voucher";
    PinHide = "pin-hide", "Hide PIN";
    PinShow = "pin-show", "Show PIN";
    PinEmpty = "pin-empty", "Enter your Flexepin PIN";
    PinLengthOne { length, entered } = "pin-length.one",
        "Flexepin PIN must be {length} digits. You have entered {entered} digit.";
    PinLength { length, entered } = "pin-length.other",
        "Flexepin PIN must be {length} digits. You have entered {entered} digits.";
    PinNotDigits = "pin-not-digits", "Flexepin PIN has digits only. Remove letters and other characters.";
    PinInvalid = "pin-invalid",
        "Flexepin does not know this PIN. Nothing was redeemed. Check each digit against your voucher.";
    PinUsed { reference } = "pin-used",
        "This voucher has already been used. If you did not use it, contact support with reference {reference}.";
    PinCurrency { currency } = "pin-currency",
        "This voucher is in another currency. Nothing was taken from it. Use a voucher in {currency} here.";
    PinAmount { amount } = "pin-amount",
        "This voucher is not worth {amount}. Nothing was taken from it. Use a voucher of exactly {amount} here.";
    PinHeldBack { digits } = "pin-held-back",
        "An attempt with a voucher ending in {digits} is still open, see above. Nothing was sent now. Check that one first, or use another voucher.";
    PinInUse = "pin-in-use", "This voucher is already being redeemed, see above. Nothing was sent now.";
    PinInUseElsewhere = "pin-in-use-elsewhere",
        "This voucher is already being redeemed elsewhere. Nothing was sent now. If that was not you, contact support.";
    PinOther { digits } = "pin-other", "This is another voucher. Enter the PIN that ends in {digits}, or finish later.";
    PinRejected = "pin-rejected", "Flexepin did not accept this voucher, so it was not redeemed here. Check it, or contact support.";

    AmountLabel = "amount-label", "Voucher value";
    AmountHint = "amount-hint", "The whole value printed on your voucher";
    AmountEmpty = "amount-empty", "Enter the value of your voucher";
    AmountNotChosen = "amount-not-chosen", "Choose the value of your voucher";
    AmountNotNumber { example } = "amount-not-number", "Enter the value in digits, such as {example}";
    AmountNotPositive = "amount-not-positive", "The value must be more than zero";
    AmountDecimals { example } = "amount-decimals", "The value has too many decimals. Enter it such as {example}";
    AmountTooLarge = "amount-too-large", "The value is too large. Enter the value printed on your voucher.";
    AmountMismatched { amount } = "amount-mismatched",
        "Your voucher is not worth {amount}. Nothing was taken from it. Choose the value printed on it.";

    EmailLabel = "email-label", "Email address";
    EmailMissing = "email-missing", "Enter your email address";
    EmailInvalid = "email-invalid", "Enter an email address such as name@example.com";

    Summary = "summary", "Please check what you entered:";
    Refused = "refused", "The shop’s server did not accept this. Nothing was sent to Flexepin. Check it and try again.";
    NotStarted = "not-started", "The shop stopped this before anything was sent. Your voucher is untouched.";
    Ended = "ended", "The attempt with that voucher is not open here any more, so its PIN is not needed. Nothing was sent now.";
    OfEarlier { digits } = "of-earlier", "This is about the voucher ending in {digits}, which you entered before.";
    Finishing { digits } = "finishing",
        "To finish, enter the PIN that ends in {digits} again. A voucher can be redeemed only once.";
    FinishLater = "finish-later", "Finish later";
    Untouched = "untouched", "Your voucher was not redeemed and is untouched. You can try again.";
    ProviderRejected = "provider-rejected",
        "The payment provider did not accept this. Your voucher is untouched. Check what you entered, or ask the shop.";

    Submit = "submit", "Redeem voucher";
    SubmitAmount { amount } = "submit-amount", "Redeem {amount}";
    Submitting = "submitting", "Redeeming…";
    OnceOnly = "once-only", "A voucher is redeemed once, for its whole value.";

    ConfirmTitle { amount } = "confirm-title", "Redeem {amount}?";
    ConfirmText { digits } = "confirm-text",
        "This uses up the voucher ending in {digits}, whatever it is worth. It cannot be undone.";
    ConfirmYes { amount } = "confirm-yes", "Yes, redeem {amount}";
    Back = "back", "Back";

    Preparing = "preparing", "Getting ready. Nothing has been sent yet.";
    PreparingAgain = "preparing-again", "Getting ready to try again. A voucher can be redeemed only once.";
    Redeeming = "redeeming", "Redeeming your voucher. This usually takes a few seconds.";
    RedeemingSlow = "redeeming-slow", "This takes longer than usual. Please keep this page open: we are still waiting for the answer.";
    Cancel = "cancel", "Cancel";
    WaitingDoubt = "waiting-doubt", "There is no clear answer yet. We will try again. A voucher can be redeemed only once.";
    WaitingUntouched = "waiting-untouched", "Nothing has been taken from your voucher yet. We will try again.";
    WaitingFor { when } = "waiting-for", "Next try {when}";
    TryNow = "try-now", "Try now";
    StopTrying = "stop-trying", "Stop trying";

    CheckingTitle = "checking-title", "Checking your voucher";
    CheckingText { amount, digits } = "checking-text",
        "We are finding out what became of {amount} from the voucher ending in {digits}.";
    CheckNow = "check-now", "Check now";
    Checked { time } = "checked", "Checked at {time}. There is no clear answer yet.";
    CheckingNow = "checking-now", "Checking…";
    Finish = "finish", "Enter the same PIN to finish";
    UseAnother = "use-another", "Use another voucher";
    CardOpen { amount, digits } = "card-open",
        "{amount} from the voucher ending in {digits}: we do not know yet. Do not use this voucher anywhere else, and keep it.";
    CardSupport { amount, digits } = "card-support",
        "{amount} from the voucher ending in {digits}: we do not know yet. Do not use this voucher anywhere else, and contact the shop’s support with this reference.";
    CardNamed { digits } = "card-named",
        "An earlier attempt with the voucher ending in {digits} is still open. Do not use this voucher anywhere else, and keep it.";
    CardRedeemedUnread { digits } = "card-redeemed-unread", "The voucher ending in {digits}: redeemed.";
    CardRedeemed { amount, digits } = "card-redeemed", "{amount} from the voucher ending in {digits}: redeemed.";
    CardUsed { digits } = "card-used",
        "The voucher ending in {digits} has already been used. If you did not use it, contact support with this reference.";
    CardInUse { digits } = "card-in-use",
        "The voucher ending in {digits} is being redeemed by another attempt. Nothing was taken by this one.";
    CardNotRedeemed { digits } = "card-not-redeemed",
        "The voucher ending in {digits} was not redeemed here. Check it, or contact the shop with this reference.";
    CardUntouched { digits } = "card-untouched", "The voucher ending in {digits} was not redeemed and is untouched.";
    Dismiss = "dismiss", "Dismiss";

    RedeemedTitle = "redeemed-title", "Voucher redeemed";
    RedeemedAmount { amount } = "redeemed-amount", "{amount} redeemed";
    RedeemedDiffers { requested } = "redeemed-differs", "You asked for {requested}. The voucher’s own value counts.";
    ReceiptTitle = "receipt-title", "Receipt";
    ReceiptDate = "receipt-date", "Date";
    ReceiptAmount = "receipt-amount", "Amount";
    ReceiptCurrency = "receipt-currency", "Currency";
    ReceiptSerial = "receipt-serial", "Voucher serial number";
    ReceiptTransaction = "receipt-transaction", "Transaction";
    ReceiptKeep = "receipt-keep", "Keep this receipt. Support can use it to find your redemption.";
    Copy = "copy", "Copy";
    Copied = "copied", "Copied";
    CopyFailed = "copy-failed", "Not copied. Select the text instead.";
    CopyReceipt = "copy-receipt", "Copy receipt";
    Print = "print", "Print";

    UnconfirmedTitle = "unconfirmed-title", "We do not know yet";
    UnconfirmedText { amount, digits } = "unconfirmed-text",
        "We got no clear answer about {amount} from the voucher ending in {digits}. It may have been redeemed, or not.";
    UnconfirmedKeep = "unconfirmed-keep", "Do not use this voucher anywhere else, and keep it.";
    UnconfirmedRetry = "unconfirmed-retry", "Trying again is safe: a voucher can be redeemed only once.";
    OtherPinEntered { digits } = "other-pin-entered",
        "What you entered does not belong to this attempt. Enter the PIN that ends in {digits}, and the value that you chose before.";
    UnconfirmedCheck = "unconfirmed-check", "Check again in a while, or contact the shop’s support with this reference.";
    UnconfirmedSupport = "unconfirmed-support", "Please contact the shop’s support with this reference.";

    FailedTitle = "failed-title", "Not redeemed";
    FailedUntouched { digits } = "failed-untouched", "The voucher ending in {digits} is untouched. You can still use it.";
    FailedBusy = "failed-busy", "Too many people are redeeming right now. Wait a moment, then try again.";
    FailedNotSent = "failed-not-sent", "Your request could not be passed on. Wait a moment, then try again.";
    FailedTooMany = "failed-too-many", "There were too many tries. Wait a while, then try again.";
    FailedSession = "failed-session", "Your session with the shop has ended. Sign in again, then try again.";
    RetryAfter { time } = "retry-after", "You can try again after {time}.";
    FailedSetUp = "failed-set-up", "The shop cannot redeem vouchers at the moment. Please tell the shop, with this reference.";
    Reference = "reference", "Reference";
    TryAgain = "try-again", "Try again";
    BackToForm = "back-to-form", "Back to the form";
}

#[cfg(test)]
mod tests {
    use super::Message;
    use std::collections::HashSet;

    #[test]
    fn each_english_text_has_exactly_its_placeholders() {
        for (key, english, arguments) in Message::ENGLISH {
            let found: HashSet<&str> = english.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
            assert_eq!(found, arguments.iter().copied().collect(), "{key}");
        }
    }

    #[test]
    fn keys_are_unique() {
        let keys: HashSet<&str> = Message::ENGLISH.iter().map(|(key, ..)| *key).collect();
        assert_eq!(keys.len(), Message::ENGLISH.len());
    }
}
