#!/bin/sh
# BASE_URL=https://… TOKEN=… sh curl.sh
set -eu

call() { # METHOD [CURL ARGUMENT...]; fails on a status of 400 or more
	method=$1
	shift
	curl --silent --show-error --fail-with-body --max-time 30 --request "$method" \
		--header "Authorization: Bearer $TOKEN" "$@" "$BASE_URL/settings/organization"
	echo
}

call POST --header 'Content-Type: application/json' --data '{"settings":{"theme":"dark","limits":{"maxFileSize":"10GB"}}}'
call GET
