//! `flexepin-cashier-proxy attempts …`: what support staff read and settle, as text. Opens the ledger beside the
//! running proxy, does one thing, and ends.

use crate::args::{AttemptsCommand, SettleAs};
use crate::clock::{Clock, rfc3339};
use crate::ledger::sql::Sql;
use crate::ledger::{
    Entry, Filter, Kept, KeptTry, Ledger, Redeliver, Restored, Settled, Settlement, SettlementRefused, Shown, State,
};
use crate::upstream::StartError;
use mozarto::{Amount, Currency, VoucherPin};
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const DUPLICATE: &str = "But its transaction is in the books already, under another attempt: it stands there as a duplicate, \
                         and nothing will be credited for it. The customer is told \"redeemed\"\n";

/// Does what staff ask for, and gives the text for them.
///
/// # Errors
/// When the ledger cannot be opened, or what was asked for cannot be done. The text says why and what to do.
pub async fn support(
    command: AttemptsCommand,
    database_url: &str,
    clock_offset_file: Option<PathBuf>,
) -> Result<String, StartError> {
    let clock = Arc::new(Clock::new(clock_offset_file));
    let ledger = match command {
        // Looking needs no right to write, and no room on a full disk.
        AttemptsCommand::List { .. } | AttemptsCommand::Show { .. } => Sql::open_to_read(database_url, clock).await,
        AttemptsCommand::Settle { .. } | AttemptsCommand::Notify { .. } | AttemptsCommand::Restored { .. } => {
            Sql::open_beside(database_url, clock).await
        }
    };
    let ledger = ledger.map_err(|error| StartError(error.to_string()))?;
    let text = done(command, &ledger).await.map_err(StartError);
    ledger.shut().await;
    text
}

async fn done(command: AttemptsCommand, ledger: &dyn Ledger) -> Result<String, String> {
    match command {
        AttemptsCommand::List { state, owner, since, limit } => {
            let states = state.iter().filter_map(|word| State::named(word)).collect();
            let since = since.as_deref().map(time_of).transpose()?;
            let attempts = ledger.list(Filter { states, owner, since, limit }).await;
            Ok(table(&attempts.map_err(|error| error.to_string())?))
        }
        AttemptsCommand::Show { key } => {
            let shown = ledger.show(key).await.map_err(|error| error.to_string())?;
            shown.map(|shown| everything(&shown)).ok_or_else(|| unknown(&key.to_string()))
        }
        AttemptsCommand::Restored { since, by } => {
            time_of(&since)?;
            if by.trim().is_empty() {
                return Err("--by must not be empty: the audit trail is for whoever asks later".to_owned());
            }
            let restored = ledger.restored(Restored { since: since.clone(), by }).await;
            Ok(after_restore(restored.map_err(|error| error.to_string())?, &since))
        }
        AttemptsCommand::Settle { key, settled, by, reason, transaction, value } => {
            let settled = match settled {
                SettleAs::Redeemed if value.is_none() => {
                    return Err("--value is missing: it is what the merchant credits".to_owned());
                }
                SettleAs::Redeemed => Settled::Redeemed,
                SettleAs::Untouched if transaction.is_some() || value.is_some() => {
                    return Err("--transaction and --value are for a voucher that was redeemed".to_owned());
                }
                SettleAs::Untouched => Settled::Untouched,
            };
            for (flag, text) in [("--by", &by), ("--reason", &reason)] {
                if text.trim().is_empty() {
                    return Err(format!("{flag} must not be empty: the audit trail is for whoever asks later"));
                }
            }
            // It would stay in the ledger, where no PIN may be.
            if VoucherPin::find(&by).or(VoucherPin::find(&reason)).is_some() {
                return Err("--by and --reason must not hold a voucher's PIN: leave the 16 digits out".to_owned());
            }
            let value = match value {
                Some(value) => Some(value_of(ledger, key, &value).await?),
                None => None,
            };
            let settlement = Settlement { key, settled, by, reason, transaction_id: transaction, value };
            match ledger.settle(settlement).await.map_err(|error| error.to_string())? {
                Ok(_) => {
                    let shown = ledger.show(key).await.ok().flatten();
                    let duplicate = shown.is_some_and(|shown| shown.outcomes.iter().any(Entry::is_duplicate));
                    let note = if duplicate { DUPLICATE } else { "" };
                    Ok(format!("{key} is settled as {}\n{note}", settled.as_str()))
                }
                Err(SettlementRefused::Unknown) => Err(unknown(&key.to_string())),
                Err(SettlementRefused::State(State::Sending)) => {
                    Err(format!("{key} is being sent: its answer is still to come. Ask again in a minute"))
                }
                Err(SettlementRefused::State(State::Recorded)) => {
                    Err(format!("{key} is recorded: nothing was sent, so it can be settled as untouched only"))
                }
                Err(SettlementRefused::State(state)) => Err(format!(
                    "{key} is {}: only recorded, open and unconfirmed attempts can be settled",
                    state.as_str()
                )),
            }
        }
        AttemptsCommand::Notify { attempt, after } => {
            let which = match attempt {
                Some(key) => Redeliver::Attempt(key),
                None => Redeliver::After(after.unwrap_or(0)),
            };
            match (ledger.redeliver(which).await.map_err(|error| error.to_string())?, which) {
                (0, Redeliver::Attempt(key)) => Err(format!("the books have no outcome of {key}")),
                (0, Redeliver::After(after)) => Err(format!("the books have no outcome after {after}")),
                (outcomes, _) => Ok(format!(
                    "{outcomes} {} delivered again, by a proxy that runs with --notify-url; whoever credits once per attempt \
                     credits nothing twice\n",
                    if outcomes == 1 { "outcome is" } else { "outcomes are" }
                )),
            }
        }
    }
}

/// What staff are told when they have said that the ledger was restored.
fn after_restore(open: u64, since: &str) -> String {
    format!(
        "The ledger is taken for one that was restored from a copy of {since}. For 30 days no attempt that it does not know proves a voucher \
         untouched; {open} attempts that were open in it may have gone on, and prove nothing untouched. Start the proxies, and reconcile what \
         Mozarto has had since {since} with `attempts list --since {since}`\n"
    )
}

fn unknown(key: &str) -> String {
    format!("no attempt has the key {key}")
}

/// A voucher's value as a JSON number, read as its attempt's currency has it.
async fn value_of(ledger: &dyn Ledger, key: uuid::Uuid, value: &str) -> Result<String, String> {
    let kept =
        ledger.attempt(key).await.map_err(|error| error.to_string())?.ok_or_else(|| unknown(&key.to_string()))?;
    let currency: Option<Currency> = kept.currency.as_deref().and_then(|code| code.parse().ok());
    let currency = currency.ok_or_else(|| format!("{key} was never posted and has no currency"))?;
    let amount = Amount::parse(value, currency).map_err(|error| format!("--value {error}"))?;
    Ok(serde_json::Value::from(amount.json_number()).to_string())
}

/// `2026-06-09`, or a whole time with its zone.
fn time_of(text: &str) -> Result<i64, String> {
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let time = OffsetDateTime::parse(&whole, &Rfc3339)
        .map_err(|_| "--since must be a time such as 2026-06-09 or 2026-06-09T12:00:00Z".to_owned())?;
    Ok(time.unix_timestamp() * 1000)
}

fn amount(kept: &Kept) -> String {
    let currency: Option<Currency> = kept.currency.as_deref().and_then(|code| code.parse().ok());
    let minor = kept.amount_minor.and_then(|minor| u64::try_from(minor).ok());
    let amount = currency.zip(minor).and_then(|(currency, minor)| Amount::from_minor(minor, currency).ok());
    amount.map_or_else(|| "-".to_owned(), |amount| format!("{amount:?}"))
}

/// What a terminal may show of a text that a customer chose.
fn plain(text: Option<&str>) -> String {
    let text = text.filter(|text| !text.is_empty()).unwrap_or("-");
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn table(attempts: &[Kept]) -> String {
    let head = ["KEY", "RECORDED", "STATE", "MEANING", "AMOUNT", "OWNER", "TRIES", "TRANSACTION"];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(attempts.iter().map(|kept| {
        [
            kept.key.to_string(),
            rfc3339(kept.created_at),
            kept.state.as_str().to_owned(),
            plain(kept.meaning.as_deref()),
            amount(kept),
            plain(kept.owner.as_deref()),
            kept.tries.to_string(),
            plain(kept.transaction_id.as_deref()),
        ]
    }));
    let widths: Vec<usize> =
        (0..head.len()).map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for row in &rows {
        let line: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn everything(shown: &Shown) -> String {
    let kept = &shown.kept;
    let mut text = String::new();
    let yes = |flag: bool| if flag { "yes" } else { "no" };
    let facts = [
        ("key", kept.key.to_string()),
        ("recorded", rfc3339(kept.created_at)),
        ("state", kept.state.as_str().to_owned()),
        ("settled as", plain(kept.settled.map(Settled::as_str))),
        ("meaning", plain(kept.meaning.as_deref())),
        ("amount", amount(kept)),
        ("owner", plain(kept.owner.as_deref())),
        ("brand", plain(shown.brand.as_deref())),
        ("transaction", plain(kept.transaction_id.as_deref())),
        ("a try is unknown", yes(kept.unknown_try).to_owned()),
        ("no more tries", yes(kept.forbids_tries).to_owned()),
    ];
    // Writing to a String cannot fail.
    for (name, value) in facts {
        let _ = writeln!(text, "{name:<17} {value}");
    }
    shown.tries.iter().for_each(|one| one_try(&mut text, one));
    for audit in &shown.audit {
        let (by, reason) = (plain(Some(&audit.by)), plain(Some(&audit.reason)));
        let _ = writeln!(text, "\n{} by {by}: {}\n  {reason}", rfc3339(audit.at), audit.action);
    }
    for Entry { sequence, redeemed, outcome, at, .. } in &shown.outcomes {
        let (value, currency) = (plain(redeemed.value.as_deref()), plain(redeemed.currency.as_deref()));
        let _ = writeln!(text, "\nin the books: {outcome}, {value} {currency}, sequence {sequence}, {}", rfc3339(*at));
    }
    text
}

fn one_try(text: &mut String, one: &KeptTry) {
    let ended = one.ended_at.map_or_else(|| "not ended".to_owned(), |at| format!("ended {}", rfc3339(at)));
    let _ = writeln!(text, "\ntry {}, sent {}, {ended}", one.number, rfc3339(one.sent_at));
    if let Some(answer) = &one.answer {
        let (meaning, money) = (plain(one.meaning.as_deref()), plain(one.money.as_deref()));
        let _ = writeln!(text, "  {meaning}; money {money}; transaction {}", plain(one.transaction_id.as_deref()));
        let _ = writeln!(
            text,
            "  {} {}",
            answer.status,
            answer.body.as_deref().map_or_else(|| "(pruned)".to_owned(), |body| plain(Some(body)))
        );
    }
}
