#!/bin/sh
# BASE_URL=https://… TOKEN=… sh curl.sh
set -eu
: "${BASE_URL:?is missing}" "${TOKEN:?is missing}"

call() { # METHOD [CURL ARGUMENT...]
	method=$1
	shift
	answer=$(curl --silent --show-error --max-time 30 --request "$method" --write-out '\n%{http_code}' \
		--header "Authorization: Bearer $TOKEN" "$@" "${BASE_URL%/}/settings/organization")
	status=${answer##*
}
	body=${answer%?"$status"}
	case $status,$body in
	2*,'{'*) echo "$body" ;;
	*) echo "$status $body" >&2 && exit 1 ;;
	esac
}

call POST --header 'Content-Type: application/json' --data '{"settings":{"theme":"dark","limits":{"maxFileSize":"10GB"}}}'
call GET
