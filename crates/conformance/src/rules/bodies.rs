//! What a proxy lets through to Mozarto: nothing that it has not read and built itself.

use crate::kit::{Found, Kit, Stop, Voucher, ensure, fresh_key};
use crate::upstream::Says;
use mozarto::Signal;
use reqwest::Method;
use serde_json::{Value, json};

pub(super) async fn other_methods(kit: &Kit) -> Found {
    let voucher = kit.unsent();
    let (setup, key) = (kit.setup(), fresh_key());
    let body = voucher.body(&setup.customer).to_string();
    for method in [Method::PUT, Method::PATCH] {
        let mut ask = kit.post_ask(Some(&setup.customer), Some(&key), body.clone());
        ask.method = method.clone();
        let got = kit.ask(ask).await?;
        ensure!(got.status == 405, "{method} was answered {}", got.brief());
    }
    kit.sent(&voucher, 0)?;
    if kit.keeps {
        return Ok("PUT and PATCH are refused with 405");
    }
    // Without Attempt-Key these prove nothing, but a widget has to ask again and again.
    for method in [Method::GET, Method::DELETE] {
        let got = kit.of_key(method.clone(), &setup.customer, &key).await?;
        let page = got.reply().is_none();
        ensure!(matches!(got.status, 404 | 405) || page, "{method} of a key was answered {}", got.brief());
    }
    Ok("PUT and PATCH are refused with 405, and GET and DELETE of a key tell nothing")
}

pub(super) async fn built(kit: &Kit) -> Found {
    kit.upstream()?;
    let voucher = kit.voucher(&[Says::InvalidPin])?;
    let customer = &kit.setup().customer;
    kit.post(&fresh_key(), &voucher).await?;
    kit.sent(&voucher, 1)?;
    let requests = voucher.notes()?.requests();
    let Some(request) = requests.first() else { return Err(Stop::Fails("nothing was sent".to_owned())) };
    let place = format!("{} {}", request.method, request.path);
    ensure!(place == "POST /v1/api/mozarto/cashier", "it was sent as {place}");
    let media = request.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default().trim();
    ensure!(media.eq_ignore_ascii_case("application/json"), "its Content-Type is {media:?}");
    let sent: Value = serde_json::from_str(&request.body).unwrap_or_default();
    let Some(fields) = sent.as_object() else { return Err(Stop::Fails("what was sent is no JSON object".to_owned())) };
    let facts = ["userId", "email", "brandId"];
    let wanted = voucher.body(customer);
    for (name, value) in wanted.as_object().into_iter().flatten() {
        // Of the amount the value counts: 25 is 25.0.
        let same = match (value.as_f64(), &fields.get(name)) {
            (Some(number), Some(sent)) => sent.as_f64() == Some(number),
            (_, sent) => *sent == Some(value),
        };
        ensure!(same, "{name} was not sent as it was asked");
    }
    for name in ["userId", "email"] {
        let given = fields.get(name).and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
        ensure!(given, "{name} was not sent");
    }
    let unknown = fields.keys().find(|name| wanted.get(name.as_str()).is_none() && !facts.contains(&name.as_str()));
    ensure!(unknown.is_none(), "a field was sent that Mozarto does not document: {unknown:?}");
    Ok("each field is there as documented, and no other")
}

/// Makes a body wrong.
type Spoil = fn(&mut Value, &Voucher);

/// Posts bodies that must be refused, each with a voucher of its own.
async fn refused(kit: &Kit, cases: &[(&str, Spoil)]) -> Result<(), Stop> {
    for (what, spoil) in cases {
        let voucher = kit.unsent();
        let mut body = voucher.body(&kit.setup().customer);
        spoil(&mut body, &voucher);
        refused_text(kit, what, &voucher, body.to_string()).await?;
    }
    Ok(())
}

async fn refused_text(kit: &Kit, what: &str, voucher: &Voucher, body: String) -> Result<(), Stop> {
    let got = kit.post_body(&kit.setup().customer, &fresh_key(), body).await?;
    kit.sent(voucher, 0).map_err(|_| Stop::Fails(format!("{what}: it was sent to Mozarto")))?;
    ensure!((400..500).contains(&got.status), "{what}: it was answered {}", got.brief());
    Ok(())
}

pub(super) async fn pin(kit: &Kit) -> Found {
    refused(
        kit,
        &[
            ("15 digits", |body, voucher| body["voucherPin"] = voucher.pin[..15].into()),
            ("17 digits", |body, voucher| body["voucherPin"] = format!("{}7", voucher.pin).into()),
            ("a letter", |body, voucher| body["voucherPin"] = format!("{}x", &voucher.pin[..15]).into()),
            ("spaces", |body, voucher| {
                body["voucherPin"] = format!("{} {}", &voucher.pin[..8], &voucher.pin[8..]).into();
            }),
            ("a number", |body, voucher| body["voucherPin"] = voucher.pin.parse::<u64>().unwrap_or_default().into()),
        ],
    )
    .await?;
    Ok("15 and 17 digits, a letter, spaces and a number are refused")
}

pub(super) async fn amount(kit: &Kit) -> Found {
    refused(
        kit,
        &[
            ("a text", |body, _| body["baseamount"] = "25".into()),
            ("zero", |body, _| body["baseamount"] = 0.into()),
            ("below zero", |body, _| body["baseamount"] = (-25).into()),
            ("nothing", |body, _| body["baseamount"] = Value::Null),
        ],
    )
    .await?;
    Ok("a text, zero, less than zero and null are refused")
}

pub(super) async fn currency(kit: &Kit) -> Found {
    let other = if kit.setup().amount.currency().code() == "USD" { "EUR" } else { "USD" };
    let voucher = kit.unsent();
    let mut body = voucher.body(&kit.setup().customer);
    body["currencyCode"] = other.into();
    refused_text(kit, "another currencyCode", &voucher, body.to_string()).await?;
    Ok("another currencyCode is refused")
}

pub(super) async fn unknown_field(kit: &Kit) -> Found {
    refused(
        kit,
        &[
            ("a field of no table", |body, _| body["kit"] = 1.into()),
            ("a field of another provider's", |body, _| body["accountName"] = "kit".into()),
            ("a name in other letters", |body, _| body["VoucherPin"] = json!("7")),
        ],
    )
    .await?;
    Ok("fields that are not known are refused")
}

pub(super) async fn duplicate_field(kit: &Kit) -> Found {
    for (what, again) in [("baseamount", r#"{"baseamount":1,"#), ("currency", r#"{"currency":"XXX","#)] {
        let voucher = kit.unsent();
        let body = voucher.body(&kit.setup().customer).to_string().replacen('{', again, 1);
        refused_text(kit, what, &voucher, body).await?;
    }
    Ok("fields that are there twice are refused")
}

pub(super) async fn too_long(kit: &Kit) -> Found {
    let voucher = kit.unsent();
    // White space is all that is too much.
    let body = voucher.body(&kit.setup().customer).to_string().replacen('{', &format!("{{{}", " ".repeat(1 << 20)), 1);
    // A proxy may well close the connection instead of reading it all.
    if let Ok(got) = kit.post_body(&kit.setup().customer, &fresh_key(), body).await {
        ensure!((400..500).contains(&got.status), "it was answered {}", got.brief());
    }
    kit.sent(&voucher, 0)?;
    Ok("1 MB of white space before a good body is refused")
}

pub(super) async fn refusal(kit: &Kit) -> Found {
    let voucher = kit.unsent();
    let mut body = voucher.body(&kit.setup().customer);
    body["type"] = Value::Null;
    let got = kit.post_body(&kit.setup().customer, &fresh_key(), body.to_string()).await?;
    let understood = got.status == 400 && matches!(got.signal(), Signal::RequestInvalid(_));
    ensure!(understood, "a body without type was answered {}, and not as an invalid request", got.brief());
    Ok("a widget reads the answer as \"the request is invalid\"")
}
