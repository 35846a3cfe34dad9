#!/bin/sh
# Tests the running service against openapi.yaml with Schemathesis: examples, coverage of the schemas, random requests
# and sequences of them, with a fixed seed. Installs the tool, of a pinned version, under .tools/. Fails on any finding,
# and if the service logs a token. Run from anywhere; takes PYTHON (default python3).
set -eu
cd "$(dirname "$0")/../../.."

export PYTHONDONTWRITEBYTECODE=1
unset http_proxy HTTP_PROXY all_proxy ALL_PROXY

sh infra/check/venv.sh schemathesis infra/check/schemathesis/requirements.txt
go build -o .build/local ./infra/local
work=$(mktemp -d .build/schemathesis.XXXXXX)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# A schema that allows every document, so that the route of the schema answers.
echo '{"type":"object"}' >"$work/schema.json"

# Schemathesis runs in a directory of its own because it leaves files behind.
if ! ROOT=$PWD WORK=$work .build/local -log "$work/log" -schema "$work/schema.json" -- sh -c '
	SCHEMATHESIS_TOKEN=$(.build/local -token alice -issuer-addr "${ISSUER_URL#http://}")
	export SCHEMATHESIS_TOKEN PYTHONPATH="$ROOT/infra/check/schemathesis" SCHEMATHESIS_HOOKS=hooks
	cd "$WORK"
	exec "$ROOT/.tools/schemathesis/bin/schemathesis" --config-file "$ROOT/infra/check/schemathesis/schemathesis.toml" \
		run "$ROOT/infra/openapi.yaml" --url "$API_URL"
'; then
	echo "$0: the last lines of the service's log:"
	tail -n 20 "$work/log"
	exit 1
fi
if grep -n 'eyJ' "$work/log"; then
	echo "$0: these lines of the service's log show a token"
	exit 1
fi
