<?php
// Mints a checkout session on your server: PHP 8.0 or newer, no extensions.
//
//   export CASHIER_SESSION_KEYS=k1=$(openssl rand -hex 32)   # the same as the proxy has; the first one signs
//   export CASHIER_SESSION_ISSUER=https://shop.example CASHIER_SESSION_AUDIENCE=flexepin-cashier
//   php php.php '{"sub":"user_123","email":"anna@shop.example","amounts":["25.00","50.00"],"currency":"EUR"}'
//
// Mint one per checkout, for a customer who is logged in, and give it to the page; never mint in the page.
declare(strict_types=1);
ini_set('zend.exception_ignore_args', '1'); // a stack trace in a log must not hold the secret

const SECONDS = 15 * 60;

/** A session of this customer, as your login knows it. An amount that you leave out the page may choose. */
function checkout_session(array $facts, string $issuer, string $audience, string $kid, string $secret): string {
    $sub = $facts['sub'] ?? null;
    if (!is_string($sub) || $sub === '') throw new DomainException("sub must be the customer's id");
    $now = time();
    // A session redeems one voucher: the jti says which session it is, and nobody may guess or repeat it.
    $jti = bin2hex(random_bytes(16));
    $fixed = ['iss' => $issuer, 'aud' => $audience, 'iat' => $now, 'exp' => $now + SECONDS, 'jti' => $jti];
    $signed = part(['alg' => 'HS256', 'typ' => 'JWT', 'kid' => $kid]) . '.' . part($fixed + $facts);
    return $signed . '.' . base64url(hash_hmac('sha256', $signed, $secret, true));
}

function part(array $value): string {
    return base64url(json_encode($value, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES));
}

function base64url(string $raw): string {
    return rtrim(strtr(base64_encode($raw), '+/', '-_'), '=');
}

/** The first of `id=secret,…`. */
function first_key(string $text): array {
    if (!preg_match('/\A([\w-]+)=([^,]{32,})/', $text, $found)) {
        throw new DomainException('CASHIER_SESSION_KEYS must be id=secret, of 32 bytes or more');
    }
    return [$found[1], $found[2]];
}

[$kid, $secret] = first_key((string) getenv('CASHIER_SESSION_KEYS'));
$issuer = getenv('CASHIER_SESSION_ISSUER') ?: throw new DomainException('CASHIER_SESSION_ISSUER is missing');
$audience = getenv('CASHIER_SESSION_AUDIENCE') ?: 'flexepin-cashier';
$facts = json_decode($argv[1] ?? '{}', true, 8, JSON_THROW_ON_ERROR);
echo checkout_session($facts, $issuer, $audience, $kid, $secret), "\n";
