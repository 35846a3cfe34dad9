#!/bin/sh
# Runs every sample against the whole service on free ports and compares what it
# prints: for a user who may write, for one who may not, with no service, without
# BASE_URL or TOKEN, and with a proxy that answers in the service's place. If a
# language is missing, it is installed if CI is set and there is apt-get, and
# skipped otherwise. With CI set nothing is skipped.
set -eu
cd "$(dirname "$0")/../.."

if [ "${1:-}" != started ]; then
	go build -o .build/local ./infra/local
	exec .build/local -log /dev/null -- sh docs/samples/run.sh started
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
url=$API_URL
writer=$(curl -sS --max-time 10 "$ISSUER_URL/token?user=alice")
reader=$(curl -sS --max-time 10 "$ISSUER_URL/token?user=dave")

failed=0
fail() {
	echo "FAIL  $*"
	sed 's/^/      /' "$work/stdout" "$work/stderr"
	failed=1
}

try() { # URL TOKEN COMMAND...: sets status
	base_url=$1 token=$2
	shift 2
	limit=
	if command -v timeout >/dev/null; then limit='timeout 90'; fi
	status=0
	BASE_URL=$base_url TOKEN=$token $limit "$@" >"$work/stdout" 2>"$work/stderr" </dev/null || status=$?
}

# refused CASE PATTERN: fails unless the sample has said on standard error, in the first line, what matches
refused() {
	if [ "$status" = 0 ] || [ -s "$work/stdout" ] || ! head -n 1 "$work/stderr" | grep -qE "$2" || trace; then
		fail "$1: exit code $status"
		return 1
	fi
}

# trace: whether a sample has shown where in itself it has failed
trace() {
	grep -qiE 'traceback|at .*\.java:|Exception in|Uncaught|goroutine|\.rb:[0-9]+:in|node:internal|PHP (Warning|Fatal)' "$work/stderr"
}

refusal='Insufficient permissions: only OWNER and ADMINISTRATOR roles can modify organization settings'

# sample NAME COMMAND PACKAGE SUCCESS ARGUMENT...: SUCCESS is what is printed
sample() {
	name=$1 command=$2 package=$3 want=$4
	shift 4
	if ! command -v "$command" >/dev/null && [ -n "${CI:-}" ] && command -v apt-get >/dev/null; then
		echo "      installing $package"
		apt-get -qq -o DPkg::Lock::Timeout=300 update >/dev/null &&
			DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$package" >"$work/stdout" 2>"$work/stderr" ||
			fail "$name: $package cannot be installed"
	fi
	if ! command -v "$command" >/dev/null; then
		: >"$work/stdout"
		: >"$work/stderr"
		if [ -n "${CI:-}" ]; then
			fail "$name: there is no $command"
		else
			echo "skip  $name: there is no $command on this machine"
		fi
		return
	fi

	try "$url" "$writer" "$@"
	if [ "$status" != 0 ] || [ "$(cat "$work/stdout")" != "$want" ] || [ -s "$work/stderr" ]; then
		fail "$name, as a writer: exit code $status"
		return
	fi
	try "$url" "$reader" "$@"
	if [ "$status" = 0 ] || ! grep -q 403 "$work/stderr" || ! cat "$work/stdout" "$work/stderr" | grep -qF "$refusal"; then
		fail "$name, as a reader: exit code $status"
		return
	fi
	try http://127.0.0.1:1 "$reader" "$@"
	if [ "$status" = 0 ] || [ -s "$work/stdout" ] || ! [ -s "$work/stderr" ] || trace; then
		fail "$name, with no service there: exit code $status"
		return
	fi
	if cat "$work/stdout" "$work/stderr" | grep -qF "$reader"; then
		fail "$name prints the token"
		return
	fi
	try "$url/" "$writer" "$@"
	if [ "$status" != 0 ] || [ "$(cat "$work/stdout")" != "$want" ]; then
		fail "$name, with a / at the end of BASE_URL: exit code $status"
		return
	fi
	try "$url" '' "$@"
	refused "$name, without a token" 'TOKEN.* is missing' || return 0
	try '' "$writer" "$@"
	refused "$name, without an address" 'BASE_URL.* is missing' || return 0
	try '' "$writer" "$work/hostile" 504 '<html>Gateway Time-out</html>' "$@"
	refused "$name, with a page as answer" '^504 <html>Gateway Time-out</html>' || return 0
	try '' "$writer" "$work/hostile" 502 '' "$@"
	refused "$name, with an empty answer" '^502 *$' || return 0
	try '' "$writer" "$work/hostile" 200 '<html>Sign in</html>' "$@"
	refused "$name, with a page as success" '^200 <html>Sign in</html>' || return 0
	try '' "$writer" "$work/hostile" 400 '{"success":false,"message":"the message","error":"the place"}' "$@"
	refused "$name, with an answer that says why" '^400 .*the message.*the place' || return 0
	echo "ok    $name"
}

parsed='Organization settings updated successfully
10GB'
restored='/theme was "dark" and is "light" by alice
Organization settings restored successfully
dark'
plain='{"success":true,"message":"Organization settings updated successfully"}
{"success":true,"settings":{"theme":"dark","limits":{"maxFileSize":"10GB"}}}'

go build -o "$work/hostile" ./docs/samples/hostile

# Java runs a source file only if it has its compiler.
sample curl curl curl "$plain" sh docs/samples/curl.sh
sample JavaScript node nodejs "$parsed" node docs/samples/javascript.mjs
sample 'JavaScript, history' node nodejs "$restored" node docs/samples/history.mjs
sample Python python3 python3 "$parsed" python3 docs/samples/python.py
sample Ruby ruby ruby "$parsed" ruby docs/samples/ruby.rb
sample PHP php php-cli "$parsed" php docs/samples/php.php
sample Java javac default-jdk-headless "$plain" java docs/samples/Java.java
sample Go go golang "$parsed" go run docs/samples/go/main.go
exit "$failed"
