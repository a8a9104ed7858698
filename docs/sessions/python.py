"""Mints a checkout session on your server: Python 3.8 or newer, standard library only.

    export CASHIER_SESSION_KEYS=k1=$(openssl rand -hex 32)   # the same as the proxy has; the first one signs
    export CASHIER_SESSION_ISSUER=https://shop.example CASHIER_SESSION_AUDIENCE=flexepin-cashier
    python3 python.py '{"sub":"user_123","email":"anna@shop.example","amounts":["25.00","50.00"],"currency":"EUR"}'

Mint one per checkout, for a customer who is logged in, and give it to the page; never mint in the page.
"""
import base64, hmac, json, os, re, sys, time, uuid

SECONDS = 15 * 60


def checkout_session(facts, issuer, audience, kid, secret):
    """A session of this customer, as your login knows it. An amount that you leave out the page may choose."""
    if not isinstance(facts.get("sub"), str) or not facts["sub"]:
        raise ValueError("sub must be the customer's id")
    now = int(time.time())
    # A session redeems one voucher: the jti says which session it is, and nobody may guess or repeat it.
    fixed = {"iss": issuer, "aud": audience, "iat": now, "exp": now + SECONDS, "jti": str(uuid.uuid4())}
    signed = part({"alg": "HS256", "typ": "JWT", "kid": kid}) + b"." + part({**facts, **fixed})
    return (signed + b"." + base64url(hmac.digest(secret.encode(), signed, "sha256"))).decode()


def part(value):
    return base64url(json.dumps(value, separators=(",", ":")).encode())


def base64url(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def first_key(text):
    """The first of `id=secret,…`."""
    found = re.match(r"([\w-]+)=([^,]+)", text)
    if not found or len(found[2].encode()) < 32:
        raise ValueError("CASHIER_SESSION_KEYS must be id=secret, of 32 bytes or more")
    return found.groups()


if __name__ == "__main__":
    kid, secret = first_key(os.environ.get("CASHIER_SESSION_KEYS", ""))
    issuer = os.environ["CASHIER_SESSION_ISSUER"]
    audience = os.environ.get("CASHIER_SESSION_AUDIENCE") or "flexepin-cashier"
    print(checkout_session(json.loads(sys.argv[1]), issuer, audience, kid, secret))
