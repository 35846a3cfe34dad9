#!/bin/sh
# Says WHAT goes on and runs COMMAND. In a terminal it tells the time every five seconds and, with -of, draws a bar below
# the output: by the results of packages, which are TOTAL, or by the numbers of lines such as "2 of 15".
#
#   sh infra/check/progress.sh [-of TOTAL] WHAT COMMAND [ARGUMENT ...]
set -eu
total=
if [ "$1" = -of ]; then
	total=$2
	shift 2
fi
what=$1
shift
echo "$what ..." >&2
[ -t 2 ] || exec "$@"
(
	time=0
	while sleep 1 && kill -0 $$ 2>/dev/null; do # $$ is this shell, or the command that replaces it
		time=$((time + 1))
		[ $((time % 5)) != 0 ] || printf '\033[K  ... %s s\n' "$time" >&2
	done
) >/dev/null &
[ -n "$total" ] || exec "$@"
exec 4>&1
status=$({ { "$@" 2>&1 3>&- 4>&- && echo 0 >&3 || echo $? >&3; } | {
	n=0 of= bar=
	while IFS= read -r line; do
		case $line in
		"ok  	"* | "FAIL	"* | "?   	"*) n=$((n + 1)) of=$total ;;
		*[0-9]" of "[0-9]*)
			n=${line%% of [0-9]*} of=${line#*[0-9] of }
			n=${n##*[!0-9]} of=${of%%[!0-9]*}
			;;
		esac
		if [ "${of:-0}" -gt 0 ]; then
			[ "$n" -le "$of" ] || n=$of
			filled=$((40 * n / of))
			bar="[$(printf "%${filled}s" | tr ' ' '#')$(printf "%$((40 - filled))s" | tr ' ' .)] $n of $of"
		fi
		printf '\033[K%s\n' "$line"
		printf '%s\r' "$bar" >&2
	done
	printf '\033[K' >&2
} >&4; } 3>&1)
exit "$status"
