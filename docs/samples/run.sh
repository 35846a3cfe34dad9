#!/bin/sh
# Runs every sample against the whole service, started on free ports, and compares
# what it prints: as somebody who may write, as somebody who may not, and with no
# service there. A language that is missing is installed if CI is set and there is
# apt-get, else skipped; with CI set nothing is skipped.
set -eu
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
stack=
cleanup() {
	if [ -n "$stack" ]; then
		kill "$stack" 2>/dev/null || :
		wait "$stack" 2>/dev/null || :
	fi
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

go build -o "$work/local" ./infra/local
: >"$work/out"
"$work/local" -addr 127.0.0.1:0 -issuer-addr 127.0.0.1:0 -dynamodb-addr 127.0.0.1:0 -docs-addr 127.0.0.1:0 \
	>"$work/out" 2>"$work/err" &
stack=$!
waited=0
until grep -q 'Try it:' "$work/out"; do
	if [ "$waited" -ge 120 ] || ! kill -0 "$stack" 2>/dev/null; then
		cat "$work/out" "$work/err" >&2
		echo "docs/samples: the service has not started" >&2
		exit 1
	fi
	waited=$((waited + 1))
	sleep 1
done
url=$(awk '$1 == "API" && $2 ~ /^http/ {print $2}' "$work/out")
tokens=$(awk '$1 == "tokens" {print $2}' "$work/out")
writer=$(curl -sS --max-time 10 "$tokens/token?user=alice")
reader=$(curl -sS --max-time 10 "$tokens/token?user=dave")

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

refusal='Insufficient permissions: only OWNER and ADMINISTRATOR roles can modify organization settings'

# sample NAME COMMAND PACKAGE SUCCESS ARGUMENT...: SUCCESS is what is printed
sample() {
	name=$1 command=$2 package=$3 want=$4
	shift 4
	if ! command -v "$command" >/dev/null && [ -n "${CI:-}" ] && command -v apt-get >/dev/null; then
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
	if [ "$status" = 0 ] || [ -s "$work/stdout" ] || ! [ -s "$work/stderr" ] ||
		grep -qiE 'traceback|at .*\.java:|Uncaught|goroutine|\.rb:[0-9]+:in|node:internal' "$work/stderr"; then
		fail "$name, with no service there: exit code $status"
		return
	fi
	if cat "$work/stdout" "$work/stderr" | grep -qF "$reader"; then
		fail "$name prints the token"
		return
	fi
	echo "ok    $name"
}

parsed='Organization settings updated successfully
10GB'
plain='{"success":true,"message":"Organization settings updated successfully"}
{"success":true,"settings":{"theme":"dark","limits":{"maxFileSize":"10GB"}}}'

# Java runs a source file only if it has its compiler.
sample curl curl curl "$plain" sh docs/samples/curl.sh
sample JavaScript node nodejs "$parsed" node docs/samples/javascript.mjs
sample Python python3 python3 "$parsed" python3 docs/samples/python.py
sample Ruby ruby ruby "$parsed" ruby docs/samples/ruby.rb
sample PHP php php-cli "$parsed" php docs/samples/php.php
sample Java javac default-jdk-headless "$plain" java docs/samples/Java.java
sample Go go golang "$parsed" go run docs/samples/go/main.go
exit "$failed"
