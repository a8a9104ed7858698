"""Is told by the proxy what to credit: Python 3.9 or newer, standard library only.

    CASHIER_NOTIFY_SECRET=whsec_… CREDITS=/var/lib/shop/credits PORT=8090 python3 python.py

Give the proxy the same secret, and `--notify-url https://…` of this server behind your TLS. Make `record` write to
your own database. Whatever is not answered 2xx comes again, for ever, so nothing is answered before it is stored.
"""
import base64, hmac, json, os, re, sys, time, uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CREDITS = os.environ["CREDITS"]
# Several while you change it: whichever signed is fine.
SECRETS = [
    base64.b64decode(secret.removeprefix("whsec_") + "==") for secret in os.environ["CASHIER_NOTIFY_SECRET"].split()
]
if not SECRETS or min(map(len, SECRETS)) < 24:
    raise SystemExit("CASHIER_NOTIFY_SECRET must be whsec_ and base64")
TOLERANCE_S = 5 * 60


def is_signed(headers, body):
    """Whether the proxy sent it, and lately (Standard Webhooks). `body` is the bytes as they came: parse them after."""
    id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not id or not re.fullmatch("[0-9]{1,12}", timestamp) or abs(time.time() - int(timestamp)) > TOLERANCE_S:
        return False
    given = [one for one in headers.get("webhook-signature", "").split(" ") if one.startswith("v1,")]
    signed = f"{id}.{timestamp}.".encode() + body
    rights = ["v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode() for secret in SECRETS]
    return any(hmac.compare_digest(one.encode(), right.encode()) for right in rights for one in given)


def action_for(kind, line):
    """What to do about a line of the books. Its value is in major units of its currency, and may not be known."""
    if kind == "flexepin.duplicate":
        return "nothing"  # its transaction was told under another attempt
    number = type(line.get("value")) in (int, float)
    is_known = kind == "flexepin.redeemed" and number and line.get("currency") and line.get("userId")
    return "credit" if is_known else "ask"  # "ask" is for a person: look it up, then credit


def record(attempt, row):
    """Your database: INSERT a row whose unique key is the attempt, and the customer's credit, in one transaction; a row
    that is there already changes nothing. Here: a file per attempt, which comes into being whole, and once."""
    file = os.path.join(CREDITS, f"{attempt}.json")
    draft = f"{file}.{uuid.uuid4()}"
    with open(draft, "x") as opened:
        json.dump(row, opened)
        opened.flush()
        os.fsync(opened.fileno())
    try:
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)


class Receiver(BaseHTTPRequestHandler):
    timeout = 30  # for a sender that never ends its request

    def answer(self):
        if self.command != "POST":
            return 405
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > 64 * 1024:
            return 413
        body = self.rfile.read(int(length))
        if not is_signed(self.headers, body):
            return 401
        event = json.loads(body)
        line = event["data"]
        if not re.fullmatch("[0-9a-f-]{36}", line["attempt"]):
            return 400
        record(line["attempt"], {**line, "action": action_for(event["type"], line)})
        return 204

    def respond(self):
        try:
            status = self.answer()
        except Exception as error:
            print(f"not recorded: {error!r}", file=sys.stderr)
            status = 500  # it comes again
        self.send_response(status)
        self.send_header("Connection", "close")
        self.end_headers()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = respond
    log_message = lambda *_: None


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", 8090))), Receiver)
    print(f"python.py listens on http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()
