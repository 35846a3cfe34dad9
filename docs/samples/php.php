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
    $response = @fopen(getenv('BASE_URL') . '/settings/organization', 'r', false, $context);
    if ($response === false) {
        throw new RuntimeException(error_get_last()['message']);
    }
    $status = (int) explode(' ', stream_get_meta_data($response)['wrapper_data'][0])[1];
    $answer = json_decode(stream_get_contents($response), true, 1024, JSON_THROW_ON_ERROR);
    if ($status >= 400) {
        throw new RuntimeException("$status $answer[message]");
    }
    return $answer;
}

try {
    echo call('POST', ['settings' => ['theme' => 'dark', 'limits' => ['maxFileSize' => '10GB']]])['message'], "\n";
    echo call('GET')['settings']['limits']['maxFileSize'], "\n";
} catch (Exception $e) {
    fwrite(STDERR, $e->getMessage() . "\n");
    exit(1);
}
