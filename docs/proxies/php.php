<?php
// A pass-through proxy between the Flexepin cashier and Mozarto: PHP 8.2 or newer with curl and json, one file.
//
//   export MOZARTO_URL=https://backend.stg-app.mozarto.io CASHIER_COMPANY_TOKEN=…
//   PHP_CLI_SERVER_WORKERS=8 php -S 127.0.0.1:8082 php.php
//
// That is for trying out; it runs under PHP-FPM as it is. Make `customer_of` ask your own sessions. It keeps no attempts;
// docs/proxy.md says what that costs. The limit on tries is in files of CASHIER_TRIES_DIR, which only PHP may read.
declare(strict_types=1);
ini_set('display_errors', '0');
ini_set('zend.exception_ignore_args', '1'); // a stack trace in a log must not hold what was sent
ignore_user_abort(true); // a try runs to its end though the browser has left
header_remove('X-Powered-By');

const IN_TEN_MINUTES = 600;
function setting(string $name, ?string $default = null): string {
    $value = getenv($name);
    return $value !== false && $value !== '' ? $value : $default ?? throw new RuntimeException("$name is missing");
}

/** Your login: who sends this request, as userId, email and, where you have brands, brandId; or null. */
function customer_of(): ?array {
    // A table of bearer tokens: nobody is logged in unless you say so. It may be no more than $_SESSION['customer'].
    $demo = json_decode(setting('DEMO_SESSIONS', '{}'), true);
    [$scheme, $token] = explode(' ', ($_SERVER['HTTP_AUTHORIZATION'] ?? '') . ' ');
    return $scheme === 'Bearer' ? $demo[$token] ?? null : null;
}

/** An answer: Mozarto's, or our own in Mozarto's error shape. */
final class Answer extends Exception {
    public array $headers = [];
    public function __construct(public int $status, public string $body) { parent::__construct(); }
    public static function own(int $status, string $message, array $more = [], array $headers = []): self {
        $body = ['status' => 'error', 'isSuccess' => false, 'message' => $message, 'errors' => []];
        return (new self($status, json_encode([...$body, ...$more])))->with($headers);
    }
    public static function not_sent(): self {
        return self::own(503, 'Nothing was sent', ['errorCode' => 'NOT_SENT'], ['Retry-After' => '5']);
    }
    public static function lost(): self { // without errorCode: nobody knows what became of the voucher
        return self::own(504, 'Mozarto gave no complete answer');
    }
    public function with(array $headers): self { $this->headers = $headers; return $this; }
}

function must(bool $holds, string $error): void {
    if (!$holds) throw Answer::own(400, 'Validation failed', ['errors' => [$error]]);
}

/** Reads what the browser sent and builds what Mozarto gets. Who pays is the session's word. */
function pay_in(string $text, array $customer): array {
    $sent = json_decode($text, true);
    must(is_array($sent) && str_starts_with(ltrim($text), '{'), 'the body must be a JSON object');
    // json_decode keeps the last of two fields of one name, so the names are counted in the text.
    preg_match_all('/"(?:[^"\\\\]|\\\\.)*+"(\s*:)?/', $text, $strings);
    must(count(array_filter($strings[1])) === count($sent), 'a field is there twice');
    $fixed = ['pspType' => 'FLEXEPIN', 'type' => 'PAYIN'] + $customer;
    $read = array_intersect_key($sent, array_flip(['voucherPin', 'baseamount', 'currency', 'currencyCode']));
    foreach (array_diff_key($sent, $read) as $name => $value) {
        must(array_key_exists($name, $fixed), 'the body has a field that is not known');
        must($value === null || $value === $fixed[$name], "$name is not what it must be");
    }
    must(isset($sent['pspType'], $sent['type']), 'pspType and type must be there');
    ['voucherPin' => $pin, 'baseamount' => $amount, 'currency' => $currency, 'currencyCode' => $code] =
        $read + ['voucherPin' => null, 'baseamount' => null, 'currency' => null, 'currencyCode' => null];
    must(is_string($pin) && preg_match('/\A[0-9]{16}\z/', $pin) === 1, 'voucherPin must be 16 digits');
    must((is_int($amount) || is_float($amount)) && $amount > 0 && $amount < 1e9, 'amount must be above 0');
    must(is_string($currency) && preg_match('/\A[A-Z]{3}\z/', $currency) === 1, 'currency must be such as EUR');
    must($code === $currency, 'currencyCode must be the same as currency');
    return $fixed + $read;
}

function limit(string $user, string $key): void {
    $folder = setting('CASHIER_TRIES_DIR', sys_get_temp_dir() . '/flexepin-tries');
    if (!is_dir($folder)) @mkdir($folder, 0700, true);
    $file = fopen($folder . '/' . hash('sha256', $user), 'c+') ?: throw Answer::not_sent();
    flock($file, LOCK_EX);
    $keys = json_decode(stream_get_contents($file) ?: '{}', true) ?? [];
    $keys = array_filter($keys, fn (int $since) => time() - $since < IN_TEN_MINUTES);
    $key = hash('sha256', $key);
    // The same attempt again is no new one: its voucher may be taken already.
    if (!isset($keys[$key]) && count($keys) >= (int) setting('ATTEMPTS_PER_CUSTOMER', '10')) {
        throw Answer::own(429, 'Too many tries', ['errorCode' => 'TOO_MANY_TRIES'], ['Retry-After' => '600']);
    }
    ftruncate($file, 0);
    rewind($file);
    fwrite($file, json_encode($keys + [$key => time()]));
    fclose($file);
}

function user_token(array $customer): string {
    $part = fn (string $raw) => rtrim(strtr(base64_encode($raw), '+/', '-_'), '=');
    $claims = ['userId' => $customer['userId'], 'email' => $customer['email'], 'iat' => time(), 'exp' => time() + 300];
    $signed = $part('{"alg":"HS256","typ":"JWT"}') . '.' . $part(json_encode($claims));
    return $signed . '.' . $part(hash_hmac('sha256', $signed, setting('CASHIER_COMPANY_TOKEN'), true));
}

/** One try. What fails here is not logged: an error may hold what was sent. */
function ask(#[SensitiveParameter] array $body, array $customer): Answer {
    [$text, $wait] = ['', null];
    $curl = curl_init(rtrim(setting('MOZARTO_URL'), '/') . '/v1/api/mozarto/cashier');
    curl_setopt_array($curl, [
        CURLOPT_POST => true, CURLOPT_POSTFIELDS => json_encode($body), CURLOPT_FOLLOWLOCATION => false,
        CURLOPT_FRESH_CONNECT => true, CURLOPT_FORBID_REUSE => true, CURLOPT_PROXY => '',
        CURLOPT_CONNECTTIMEOUT => 10, CURLOPT_TIMEOUT_MS => (int) setting('MOZARTO_DEADLINE_MS', '45000'),
        CURLOPT_HTTPHEADER => ['Content-Type: application/json', 'x-user-token: Bearer ' . user_token($customer),
            'Authorization: Bearer ' . setting('CASHIER_COMPANY_TOKEN')],
        CURLOPT_HEADERFUNCTION => function ($curl, string $line) use (&$wait): int {
            if (preg_match('/\Aretry-after:\s*([ -~]+)/i', $line, $found)) $wait = trim($found[1]);
            return strlen($line);
        },
        CURLOPT_WRITEFUNCTION => function ($curl, string $chunk) use (&$text): int {
            $text .= $chunk;
            return strlen($text) > 256 * 1024 ? 0 : strlen($chunk);
        },
    ]);
    if (!curl_exec($curl)) {
        $noConnection = in_array(curl_errno($curl), [CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT], true);
        throw $noConnection ? Answer::not_sent() : Answer::lost();
    }
    return passed_on(curl_getinfo($curl, CURLINFO_RESPONSE_CODE), $wait, $text, $body['voucherPin']);
}

/** Mozarto's answer, as it may reach a browser: unchanged, without the PIN, and never a word that is only ours. */
function passed_on(int $status, ?string $wait, string $text, #[SensitiveParameter] string $pin): Answer {
    $echo = '/' . implode('[^0-9A-Za-z"]{0,3}', str_split($pin)) . '/';
    $body = preg_replace($echo, '[PIN]', $text);
    $reply = json_decode($body);
    $code = $reply->errorCode ?? null;
    $documented = is_object($reply) && (is_bool($reply->isSuccess ?? null) || is_string($code));
    $words = '/\A(NOT_SENT|TOO_MANY_TRIES|VOUCHER_IN_USE|ATTEMPT_.*|SESSION_.*)\z/';
    $ours = is_string($code) && preg_match($words, $code);
    $unsafe = ($status >= 300 && $status < 400) || preg_match($echo, json_encode($reply, JSON_UNESCAPED_UNICODE));
    if (!$documented || $ours || $unsafe) throw Answer::lost();
    // Browsers repeat a POST by themselves after a 408.
    return (new Answer($status === 408 ? 504 : $status, $body))->with($wait === null ? [] : ['Retry-After' => $wait]);
}

function answer(): Answer {
    if ($_SERVER['REQUEST_METHOD'] !== 'POST') throw Answer::own(405, 'Method not allowed', [], ['Allow' => 'POST']);
    $customer = customer_of() ?? throw Answer::own(401, 'Log in first', ['errorCode' => 'SESSION_REQUIRED']);
    $type = strtolower(trim(explode(';', $_SERVER['CONTENT_TYPE'] ?? '')[0]));
    if ($type !== 'application/json') throw Answer::own(415, 'Send application/json');
    $text = file_get_contents('php://input', length: 16 * 1024 + 1);
    if (strlen($text) > 16 * 1024) throw Answer::own(413, 'The body is too long');
    $body = pay_in($text, $customer);
    limit($customer['userId'], strtolower(trim($_SERVER['HTTP_IDEMPOTENCY_KEY'] ?? bin2hex(random_bytes(16)), '"')));
    return ask($body, $customer);
}

try {
    $answer = answer();
} catch (Answer $thrown) {
    $answer = $thrown;
} catch (Throwable) {
    $answer = Answer::lost();
}
http_response_code($answer->status);
$always = ['Content-Type' => 'application/json', 'Cache-Control' => 'no-store'];
foreach ([...$always, ...$answer->headers] as $name => $value) header("$name: $value");
echo $answer->body;
