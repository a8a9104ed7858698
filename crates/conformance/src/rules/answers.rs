//! How the proxy gives Mozarto's answers back, and what it says where there is none.

use crate::browser::Got;
use crate::kit::{Found, Kit, Stop, ensure, fresh_key};
use crate::upstream::{HTML, Says};
use mozarto::{ErrorCode, Money, Signal};

/// One try of a fresh voucher.
async fn tried(kit: &Kit, says: Says) -> Result<Got, Stop> {
    let voucher = kit.voucher(&[says])?;
    kit.post(&fresh_key(), &voucher).await
}

pub(super) async fn unchanged(kit: &Kit) -> Found {
    kit.upstream()?;
    for says in [
        Says::Redeemed,
        Says::InvalidPin,
        Says::Credentials,
        Says::ServerError,
        Says::Text(
            400,
            r#"{ "status":"error", "message" : "Mismatched amount","isSuccess":false, "data":{"value":20.00} }"#,
        ),
        Says::Text(401, r#"{"status":"error","message":"Unauthorized","isSuccess":false,"errors":[]}"#),
        Says::Text(429, r#"{"status":"error","message":"Slow down","isSuccess":false}"#),
    ] {
        let voucher = kit.voucher(&[says])?;
        let got = kit.post(&fresh_key(), &voucher).await?;
        let (status, body) = says.text(&voucher.pin, voucher.amount);
        ensure!(got.status == status, "a {status} of Mozarto's came back as {}", got.brief());
        ensure!(got.body == body.as_bytes(), "the body of a {status} of Mozarto's came back changed");
    }
    Ok("seven answers came back byte by byte")
}

pub(super) async fn retry_after(kit: &Kit) -> Found {
    let got = tried(kit, Says::RateLimited).await?;
    ensure!(
        got.header("retry-after").is_some(),
        "PSP_RATE_LIMITED with Retry-After came back as {} without it",
        got.brief()
    );
    Ok("Retry-After is there")
}

pub(super) async fn request_timeout(kit: &Kit) -> Found {
    let body = r#"{"status":"error","isSuccess":false,"errorCode":"PSP_TIMEOUT","message":"Time-out"}"#;
    let got = tried(kit, Says::Text(408, body)).await?;
    ensure!(got.status == 504 && got.body == body.as_bytes(), "it came back as {}", got.brief());
    Ok("it came back as a 504 with Mozarto's body")
}

pub(super) async fn echo(kit: &Kit) -> Found {
    let voucher = kit.voucher(&[Says::Echo])?;
    let got = kit.post(&fresh_key(), &voucher).await?;
    let text = String::from_utf8_lossy(&got.body).into_owned();
    ensure!(!voucher.is_said_in(&text), "the PIN came back in the answer ({})", got.brief());
    // Where the whole answer is held back there is no [PIN] either: allowed, as it proves nothing.
    ensure!(text.contains("[PIN]") || got.is_lost_answer(), "the answer has neither PIN nor [PIN] ({})", got.brief());
    ensure!(got.reply().is_some(), "with the PIN taken out the answer is no JSON any more");
    Ok("plain and in groups of four, with spaces and hyphens")
}

/// Whether it is said that nobody knows, and nothing is claimed.
fn lost(got: &Got, what: &str) -> Result<(), Stop> {
    ensure!(
        got.is_lost_answer(),
        "{what} came back as {}, and not as a 504 in Mozarto's error shape without errorCode",
        got.brief()
    );
    Ok(())
}

pub(super) async fn cut(kit: &Kit) -> Found {
    lost(&tried(kit, Says::Cut).await?, "a cut before the answer")?;
    if kit.upstream().is_ok() {
        lost(&tried(kit, Says::CutWithin).await?, "a cut within the answer")?;
        return Ok("before and within the answer: a 504 without errorCode");
    }
    Ok("before the answer: a 504 without errorCode")
}

pub(super) async fn too_long(kit: &Kit) -> Found {
    lost(&tried(kit, Says::Huge).await?, "300 KB")?;
    Ok("300 KB that say \"redeemed\" are a 504 without errorCode")
}

pub(super) async fn garbage(kit: &Kit) -> Found {
    let cases = [
        Says::Text(502, HTML),
        Says::Text(200, "OK"),
        Says::Text(200, ""),
        Says::Text(200, r#"[{"isSuccess":true,"data":{"result":"0"}}]"#),
        Says::Text(200, r#"{"isSuccess":true,"data":{"result":0}}"#),
        Says::Text(200, r#"{"isSuccess":false,"data":{"result":"0"}}"#),
        Says::Text(200, r#"{"isSuccess":true"#),
    ];
    let mut played = 0;
    for says in cases {
        match tried(kit, says).await {
            Ok(got) => {
                ensure!(
                    got.signal() == Signal::NoAnswer,
                    "{says:?} came back as {}: it claims to be known",
                    got.brief()
                );
                played += 1;
            }
            Err(Stop::NotSupported(_)) if played > 0 => break,
            Err(stop) => return Err(stop),
        }
    }
    Ok("pages, other JSON and contradictions are never more than \"not known\"")
}

pub(super) async fn redirect(kit: &Kit) -> Found {
    let upstream = kit.upstream()?;
    let voucher = kit.voucher(&[Says::Elsewhere])?;
    let got = kit.post(&fresh_key(), &voucher).await?;
    let followed = upstream.received().iter().any(|request| request.path == "/elsewhere");
    ensure!(!followed, "the redirect was followed");
    kit.sent(&voucher, 1)?;
    ensure!(got.signal() == Signal::NoAnswer, "a redirect came back as {}: it claims to be known", got.brief());
    Ok("it was not followed, and nothing is claimed")
}

pub(super) async fn proxys_words(kit: &Kit) -> Found {
    for says in [
        Says::Text(503, r#"{"status":"error","isSuccess":false,"errorCode":"NOT_SENT","message":"x"}"#),
        Says::Text(410, r#"{"status":"error","isSuccess":false,"errorCode":"ATTEMPT_CLOSED","message":"x"}"#),
        Says::Text(409, r#"{"status":"error","isSuccess":false,"errorCode":"VOUCHER_IN_USE","message":"x"}"#),
        Says::Text(404, r#"{"status":"error","isSuccess":false,"errorCode":"ATTEMPT_UNKNOWN","message":"x"}"#),
        Says::Text(200, r#"{"status":"error","isSuccess":false,"errorCode":"ATTEMPT_SETTLED_UNTOUCHED"}"#),
        Says::Text(200, r#"{"status":"untouched"}"#),
        Says::Text(202, r#"{"status":"pending"}"#),
    ] {
        let got = tried(kit, says).await?;
        let signal = got.signal();
        ensure!(!signal.is_the_proxys(), "Mozarto's {} was passed on", got.brief());
        ensure!(signal.money() == Money::Unknown, "a word that Mozarto cannot say became {}", got.brief());
    }
    Ok("NOT_SENT, ATTEMPT_CLOSED, untouched and four more are not passed on")
}

pub(super) async fn deadline(kit: &Kit) -> Found {
    kit.upstream()?;
    let times = kit.times();
    let (early, late) = (times.upstream_deadline.saturating_sub(times.slack), times.upstream_deadline + times.slack);
    let voucher = kit.voucher(&[Says::Silence])?;
    let key = fresh_key();
    let began = tokio::time::Instant::now();
    // One that keeps attempts says "pending" before, and is asked until it says more.
    let got = kit.post(&key, &voucher).await?;
    let took = began.elapsed();
    lost(&got, &format!("silence of {:.1} s", took.as_secs_f64()))?;
    ensure!(took >= early, "the proxy gave up after {:.1} s: a late answer is worth having", took.as_secs_f64());
    ensure!(took <= late, "the proxy waited for {:.1} s", took.as_secs_f64());
    ensure!(got.code() != Some(ErrorCode::NotSent), "it was said not to have been sent");
    Ok("the proxy waited as long as it should, and then said that nobody knows")
}
