#!/bin/sh
# Says WHAT goes on and runs COMMAND in its place. In a terminal it says so again every five seconds.
#
#   sh infra/check/progress.sh WHAT COMMAND [ARGUMENT ...]
set -eu
what=$1
shift
echo "$what ..." >&2
if [ -t 2 ]; then
	(
		time=0
		while sleep 1 && kill -0 $$ 2>/dev/null; do # $$ is the command, which has replaced this shell
			time=$((time + 1))
			[ $((time % 5)) != 0 ] || echo "  ... $time s" >&2
		done
	) >/dev/null &
fi
exec "$@"
