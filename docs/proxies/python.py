"""A pass-through proxy between the Flexepin cashier and Mozarto: Python 3.11 or newer, standard library only.

    MOZARTO_URL=https://backend.stg-app.mozarto.io CASHIER_COMPANY_TOKEN=… python3 python.py

Make `customer_of` ask your own sessions, and run it behind your web server, which has the TLS. One process: the limit
on tries is in its memory. It keeps no attempts; docs/proxy.md says what that costs.
"""
import base64, hmac, http.client, json, os, re, threading, time, uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

MOZARTO = urlsplit(os.environ["MOZARTO_URL"].rstrip("/") + "/v1/api/mozarto/cashier")
TOKEN = os.environ["CASHIER_COMPANY_TOKEN"]
DEADLINE = float(os.environ.get("MOZARTO_DEADLINE_MS", 45_000)) / 1000
MAX_ATTEMPTS = int(os.environ.get("ATTEMPTS_PER_CUSTOMER", 10))  # in ten minutes
DEMO = json.loads(os.environ.get("DEMO_SESSIONS", "{}"))  # nobody is logged in unless you say so
attempts, attempts_lock = {}, threading.Lock()  # customer -> attempt's key -> when it was new

def customer_of(headers):
    """Your login: who sends this request, as userId, email and, where you have brands, brandId; or None."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    return DEMO.get(token) if scheme == "Bearer" else None

class Own(Exception):
    """An answer of our own, in Mozarto's error shape."""
    def __init__(self, status, message, code=None, errors=(), **headers):
        body = {"status": "error", "isSuccess": False, "message": message, "errors": list(errors)}
        body |= {"errorCode": code} if code else {}
        headers = {name.replace("_", "-"): text for name, text in headers.items()}
        self.answer = status, headers, json.dumps(body).encode()

def lost(why="Mozarto gave no complete answer"):  # without errorCode: nobody knows what became of the voucher
    return Own(504, why)

def require(holds, error):
    if not holds:
        raise Own(400, "Validation failed", errors=[error])

def once(pairs):
    require(len(pairs) == len(dict(pairs)), "a field is there twice")
    return dict(pairs)

def pay_in(text, customer):
    """Reads what the browser sent and builds what Mozarto gets. Who pays is the session's word."""
    try:
        sent = json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError):
        sent = None
    require(isinstance(sent, dict), "the body must be a JSON object")
    fixed = {"pspType": "FLEXEPIN", "type": "PAYIN", **customer}
    pin, amount = sent.pop("voucherPin", None), sent.pop("baseamount", None)
    currency, code = sent.pop("currency", None), sent.pop("currencyCode", None)
    require(sent.keys() <= fixed.keys(), "the body has a field that is not known")
    for name, value in sent.items():
        require(value is None or value == fixed[name], f"{name} is not what it must be")
    require(sent.get("pspType") and sent.get("type"), "pspType and type must be there")
    require(isinstance(pin, str) and re.fullmatch("[0-9]{16}", pin), "voucherPin must be 16 digits")
    require(type(amount) in (int, float) and 0 < amount < 1e9, "amount must be above 0")
    require(isinstance(currency, str) and re.fullmatch("[A-Z]{3}", currency), "currency must be such as EUR")
    require(code == currency, "currencyCode must be the same as currency")
    return fixed | {"voucherPin": pin, "baseamount": amount, "currency": currency, "currencyCode": code}

def limit(user_id, key):
    with attempts_lock:
        now = time.monotonic()
        keys = {old: since for old, since in attempts.get(user_id, {}).items() if now - since < 600}
        # The same attempt again is no new one: its voucher may be taken already.
        if key not in keys and len(keys) >= MAX_ATTEMPTS:
            raise Own(429, "Too many tries", code="TOO_MANY_TRIES", Retry_After="600")
        attempts[user_id] = {key: now} | keys

def user_token(customer):
    part = lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=")
    now = int(time.time())
    claims = {"userId": customer["userId"], "email": customer["email"], "iat": now, "exp": now + 300}
    signed = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(json.dumps(claims).encode())
    return (signed + b"." + part(hmac.digest(TOKEN.encode(), signed, "sha256"))).decode()

def ask(body, customer):
    """One try. What fails here is not logged: an error may hold what was sent."""
    until = time.monotonic() + DEADLINE
    kind = http.client.HTTPSConnection if MOZARTO.scheme == "https" else http.client.HTTPConnection
    connection = kind(MOZARTO.netloc, timeout=min(DEADLINE, 10))
    try:
        connection.connect()
    except OSError:
        raise Own(503, "Nothing was sent", code="NOT_SENT", Retry_After="5")
    try:
        socket, text = connection.sock, b""
        socket.settimeout(DEADLINE)
        headers = {"Authorization": f"Bearer {TOKEN}", "x-user-token": f"Bearer {user_token(customer)}"}
        connection.request("POST", MOZARTO.path, json.dumps(body), headers | {"Content-Type": "application/json"})
        response = connection.getresponse()
        while chunk := response.read1(65536):
            text += chunk
            if len(text) > 256 * 1024 or time.monotonic() > until:
                raise lost()
            socket.settimeout(max(0.1, until - time.monotonic()))
        if response.length:  # it promised more
            raise lost()
        return passed_on(response.status, response.getheader("Retry-After"), text, body["voucherPin"])
    except (OSError, http.client.HTTPException):
        raise lost()
    finally:
        connection.close()

def passed_on(status, wait, text, pin):
    """Mozarto's answer, as it may reach a browser: unchanged, without the PIN, and never a word that is only ours."""
    echo = re.compile('[^0-9A-Za-z"]{0,3}'.join(pin))
    try:
        body = echo.sub("[PIN]", text.decode())
        reply = json.loads(body)
    except (ValueError, RecursionError):
        raise lost("Mozarto's answer is not JSON")
    code = reply.get("errorCode") if isinstance(reply, dict) else None
    documented = isinstance(reply, dict) and (isinstance(reply.get("isSuccess"), bool) or isinstance(code, str))
    ours = re.fullmatch("NOT_SENT|TOO_MANY_TRIES|VOUCHER_IN_USE|ATTEMPT_.*|SESSION_.*", str(code))
    if not documented or ours or 300 <= status < 400 or echo.search(json.dumps(reply, ensure_ascii=False)):
        raise lost("Mozarto's answer is not documented")
    # Browsers repeat a POST by themselves after a 408.
    return 504 if status == 408 else status, {"Retry-After": wait} if wait else {}, body.encode()

class Proxy(BaseHTTPRequestHandler):
    timeout = 30  # for a browser that never ends its request

    def answer(self):
        if self.command != "POST":
            raise Own(405, "Method not allowed", Allow="POST")
        customer = customer_of(self.headers)
        if not customer:
            raise Own(401, "Log in first", code="SESSION_REQUIRED")
        if self.headers.get_content_type() != "application/json":
            raise Own(415, "Send application/json")
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > 16 * 1024:
            raise Own(413, "The body is too long, or its length is not said")
        body = pay_in(self.rfile.read(int(length)), customer)
        limit(customer["userId"], self.headers.get("Idempotency-Key", str(uuid.uuid4())).strip('"').lower())
        return ask(body, customer)

    def respond(self):
        try:
            status, headers, body = self.answer()
        except Exception as error:
            status, headers, body = (error if isinstance(error, Own) else lost("The proxy failed")).answer
        self.send_response(status)
        always = {"Content-Type": "application/json", "Cache-Control": "no-store", "Content-Length": str(len(body))}
        for name, text in {**always, **headers}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = respond
    log_message = lambda *_: None  # the default logs whatever path was asked for

if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", 8082))), Proxy)
    print(f"python.py listens on http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()
