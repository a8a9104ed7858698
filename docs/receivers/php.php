<?php
// Is told by the proxy what to credit: PHP 8.1 or newer, no extensions.
//
//   export CASHIER_NOTIFY_SECRET=whsec_… CREDITS=/var/lib/shop/credits
//   php -S 127.0.0.1:8090 php.php
//
// That is for trying out; it runs under PHP-FPM as it is. Give the proxy the same secret, and `--notify-url https://…`
// of this script. Make `record` write to your own database. Whatever is not answered 2xx comes again, for ever, so
// nothing is answered before it is stored.
declare(strict_types=1);
ini_set('display_errors', '0');
header_remove('X-Powered-By');

const TOLERANCE_S = 5 * 60;

function setting(string $name): string {
    return getenv($name) ?: throw new RuntimeException("$name is missing");
}

/** Several while you change it: whichever signed is fine. */
function secrets(): array {
    return array_map(function (string $text): string {
        $secret = base64_decode(substr($text, strlen('whsec_')), true);
        if ($secret === false || strlen($secret) < 24) {
            throw new RuntimeException('CASHIER_NOTIFY_SECRET must be whsec_ and base64');
        }
        return $secret;
    }, preg_split('/\s+/', trim(setting('CASHIER_NOTIFY_SECRET'))));
}

/** Whether the proxy sent it, and lately (Standard Webhooks). $body is the bytes as they came: parse them after. */
function is_signed(string $body): bool {
    $header = fn (string $name): string => $_SERVER["HTTP_WEBHOOK_$name"] ?? '';
    [$id, $timestamp] = [$header('ID'), $header('TIMESTAMP')];
    if ($id === '' || !preg_match('/\A[0-9]{1,12}\z/', $timestamp)) return false;
    if (abs(time() - (int) $timestamp) > TOLERANCE_S) return false;
    $found = false;
    foreach (secrets() as $secret) {
        $right = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $secret, true));
        foreach (explode(' ', $header('SIGNATURE')) as $one) $found = hash_equals($right, $one) || $found;
    }
    return $found;
}

/** What to do about a line of the books. Its value is in major units of its currency, and may not be known. */
function action_for(string $type, array $line): string {
    if ($type === 'flexepin.duplicate') return 'nothing'; // its transaction was told under another attempt
    $number = is_int($line['value'] ?? null) || is_float($line['value'] ?? null);
    $isKnown = $type === 'flexepin.redeemed' && $number && !empty($line['currency']) && ($line['userId'] ?? '') !== '';
    return $isKnown ? 'credit' : 'ask'; // "ask" is for a person: look it up, then credit
}

/**
 * Your database: INSERT a row whose unique key is the attempt, and the customer's credit, in one transaction; a row
 * that is there already changes nothing. Here: a file per attempt, which comes into being whole, and once.
 */
function record(string $attempt, array $row): void {
    $name = setting('CREDITS') . "/$attempt.json";
    $draft = $name . '.' . bin2hex(random_bytes(8));
    $text = json_encode($row, JSON_THROW_ON_ERROR | JSON_PRESERVE_ZERO_FRACTION);
    $file = @fopen($draft, 'x') ?: throw new RuntimeException('the folder cannot be written');
    try {
        if (fwrite($file, $text) !== strlen($text) || !fsync($file)) throw new RuntimeException('the disk is full');
        if (!@link($draft, $name) && !file_exists($name)) throw new RuntimeException('the file cannot be made');
    } finally {
        fclose($file);
        unlink($draft);
    }
}

function answer(): int {
    if ($_SERVER['REQUEST_METHOD'] !== 'POST') return 405;
    $body = file_get_contents('php://input', length: 64 * 1024 + 1);
    if (strlen($body) > 64 * 1024) return 413;
    if (!is_signed($body)) return 401;
    $event = json_decode($body, true, 16, JSON_THROW_ON_ERROR);
    $attempt = $event['data']['attempt'] ?? '';
    if (!is_string($attempt) || !preg_match('/\A[0-9a-f-]{36}\z/', $attempt)) return 400;
    record($attempt, $event['data'] + ['action' => action_for($event['type'] ?? '', $event['data'])]);
    return 204;
}

try {
    $status = answer();
} catch (Throwable $thrown) {
    error_log('not recorded: ' . $thrown->getMessage());
    $status = 500; // it comes again
}
http_response_code($status);
