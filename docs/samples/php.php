<?php
// BASE_URL=https://… TOKEN=… php php.php

function call(string $method, ?array $body = null): array
{
    $context = stream_context_create(['http' => [
        'method' => $method,
        'header' => ['Authorization: Bearer ' . getenv('TOKEN'), 'Content-Type: application/json'],
        'content' => $body === null ? '' : json_encode($body, JSON_THROW_ON_ERROR),
        'ignore_errors' => true, // read the body of a refusal too
        'timeout' => 30,
    ]]);
    $response = @fopen(rtrim(getenv('BASE_URL'), '/') . '/settings/organization', 'r', false, $context);
    if ($response === false) {
        throw new RuntimeException(error_get_last()['message']);
    }
    $status = (int) explode(' ', stream_get_meta_data($response)['wrapper_data'][0])[1];
    $text = stream_get_contents($response);
    $answer = json_decode($text, true, 1024);
    if ($status >= 400 || !is_array($answer)) {
        throw new RuntimeException("$status $text");
    }
    return $answer;
}

try {
    if (!getenv('BASE_URL') || !getenv('TOKEN')) {
        throw new RuntimeException('BASE_URL or TOKEN is missing');
    }
    echo call('POST', ['settings' => ['theme' => 'dark', 'limits' => ['maxFileSize' => '10GB']]])['message'], "\n";
    echo call('GET')['settings']['limits']['maxFileSize'], "\n";
} catch (Exception $e) {
    fwrite(STDERR, $e->getMessage() . "\n");
    exit(1);
}
