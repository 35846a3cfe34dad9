#!/bin/sh
# Tests the running service against openapi.yaml with Schemathesis: examples, coverage of the schemas, random requests
# and sequences of them, by a fixed seed. Installs the tool, of a pinned version, under .tools/; starts a stack on free
# ports and ends it. Fails on any finding. Run from anywhere; takes PYTHON (default python3).
set -eu
cd "$(dirname "$0")/../../.."

export PYTHONDONTWRITEBYTECODE=1

sh infra/check/venv.sh schemathesis infra/check/schemathesis/requirements.txt

mkdir -p .build
go build -o .build/local ./infra/local
work=$(mktemp -d .build/schemathesis.XXXXXX)
stack=
end() {
	if [ -n "$stack" ]; then
		kill "$stack" 2>/dev/null || :
		wait "$stack" 2>/dev/null || :
	fi
	rm -rf "$work"
}
trap end EXIT
trap 'exit 1' HUP INT TERM

free=127.0.0.1:0
.build/local -addr $free -issuer-addr $free -dynamodb-addr $free -docs-addr $free >"$work/stack" 2>"$work/log" &
stack=$!
tries=0
until grep -q '^Try it' "$work/stack"; do
	tries=$((tries + 1))
	if [ $tries -gt 120 ] || ! kill -0 "$stack" 2>/dev/null; then
		echo "$0: the stack does not come up:"
		cat "$work/log"
		exit 1
	fi
	sleep 0.5
done
address() { sed -n "s|^  $1  *http://\([^ /]*\).*|\1|p" "$work/stack"; }
SCHEMATHESIS_TOKEN=$(.build/local -token alice -issuer-addr "$(address tokens)")
export SCHEMATHESIS_TOKEN

unset http_proxy HTTP_PROXY all_proxy ALL_PROXY

# In a directory of its own, for what it leaves behind.
root=$PWD
api=$(address API)
cd "$work"
if ! PYTHONPATH=$root/infra/check/schemathesis SCHEMATHESIS_HOOKS=hooks "$root/.tools/schemathesis/bin/schemathesis" \
	--config-file "$root/infra/check/schemathesis/schemathesis.toml" run "$root/infra/openapi.yaml" --url "http://$api"; then
	cd "$root"
	echo "$0: the last lines of the service's log:"
	tail -n 20 "$work/log"
	exit 1
fi
cd "$root"
if grep -n 'eyJ' "$work/log"; then
	echo "$0: these lines of the service's log show a token"
	exit 1
fi
