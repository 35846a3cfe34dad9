#!/bin/sh
# Runs the commands for sam local of docs/local.md on this machine: every sample event must be answered as by make invoke, and
# sam local start-api must pass the smoke test. Takes BASE_IMAGE, a file of docker save that holds Lambda's image
# public.ecr.aws/lambda/provided:al2023-x86_64 (or -arm64). Without it an image of busybox stands in for that one: SAM, its
# runtime emulator, the engine and the program are the real ones, the file system around them is not Amazon Linux.
#
# Needs root on Linux, and dockerd, docker, iptables, ip and a static busybox. Where it cannot run it is skipped with the
# reason, but not in CI. Engine, containers and stack live in namespaces and file systems of their own. They see no other
# network, and end with this script, even if it is killed.
set -eu

if [ "${1:-}" != inside ]; then
	cd "$(dirname "$0")/../../.."
	skip() {
		echo "skipped: $*"
		[ "${CI:-}" != true ] || exit 1
		exit 0
	}
	[ "$(uname -s)" = Linux ] || skip "an engine of its own runs on Linux only"
	[ "$(id -u)" = 0 ] || skip "only root can start an engine"
	for tool in dockerd docker iptables ip unshare setpriv; do
		command -v "$tool" >/dev/null || skip "no $tool here (apt-get install docker.io iptables iproute2)"
	done
	[ -n "${BASE_IMAGE:-}" ] || [ -x "$(command -v busybox)" ] || skip "no busybox here (apt-get install busybox-static)"
	unshare --net --mount --pid --fork true 2>/dev/null || skip "root may make no namespaces here"

	# The namespaces have no network: what has to be fetched is fetched by these builds.
	sh infra/check/venv.sh stack infra/deploy/requirements.txt
	export PATH="$PWD/.tools/stack/bin:$PATH" SAM_CLI_TELEMETRY=0
	export ARCHITECTURE=$(uname -m | sed s/aarch64/arm64/)
	sam build --parameter-overrides Architecture=$ARCHITECTURE
	make token FLAGS=-h >/dev/null # builds .build/local

	work=$(mktemp -d)
	[ -d /etc/docker ] || { mkdir /etc/docker && made=/etc/docker; }
	cgroup=sam-local-$$
	namespaces=
	# shellcheck disable=SC2064
	trap '[ -z "$namespaces" ] || { kill -KILL "$namespaces" 2>/dev/null || :; wait "$namespaces" 2>/dev/null || :; }
		find /sys/fs/cgroup -depth -type d -path "*/$cgroup*" -exec rmdir {} + 2>/dev/null || :
		rmdir "$work" ${made:-}' EXIT
	trap 'exit 130' INT TERM HUP
	WORK=$work CGROUP=$cgroup setpriv --pdeathsig KILL \
		unshare --net --mount --pid --ipc --uts --fork --kill-child --mount-proc timeout 300 sh "$0" inside &
	namespaces=$!
	wait "$namespaces"
	namespaces=
	exit
fi

# ---- inside the namespaces -----------------------------------------------------------------------------------

fail() { echo "sam local: $*" >&2 && exit 1; }

# until_it WORKS: waits for a command to succeed.
until_it() {
	left=200
	until "$@" >/dev/null 2>&1; do
		left=$((left - 1))
		[ "$left" -gt 0 ] || { tail -n 30 "$WORK"/*.log >&2; fail "no success: $*"; }
		sleep 0.1
	done
}

# image makes the base image, with what SAM and its emulator need of it.
image() {
	name=public.ecr.aws/lambda/provided:al2023-$ARCHITECTURE
	if [ -n "${BASE_IMAGE:-}" ]; then
		docker load --quiet --input "$BASE_IMAGE"
		docker image inspect --format "$name: {{.Id}}" "$name"
		return
	fi
	root=$WORK/image
	mkdir -p "$root/bin" "$root/etc/pki/tls/certs" "$root/opt" "$root/tmp" "$root/var/task" "$root/var/runtime" "$root/var/rapid"
	chmod 1777 "$root/tmp"
	cp "$(command -v busybox)" "$root/bin/busybox"
	for tool in sh mv chmod; do ln -s busybox "$root/bin/$tool"; done # of SAM's Dockerfile
	echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	cp /etc/ssl/certs/ca-certificates.crt "$root/etc/pki/tls/certs/ca-bundle.crt"
	tar -c -C "$root" . | docker import --change 'WORKDIR /var/task' --change 'ENV PATH=/bin' \
		--change 'ENV LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime' - "$name" >/dev/null
	echo "$name: busybox stands in"
}

# stack_up starts the stack as make run does, with the program that sam build made.
stack_up() {
	.build/local -listen "$bridge" -bootstrap .aws-sam/build/SettingsFunction/bootstrap >"$WORK/stack.log" 2>&1 &
	stack=$!
	until_it .build/local -token alice
}

stack_down() {
	kill "$1"
	wait "$1" 2>/dev/null || :
}

# same FILE: compares the answers of sam.json and make.json. A revision is another one each time.
same() {
	.tools/stack/bin/python - "$1" "$WORK/sam.json" "$WORK/make.json" <<-'PYTHON'
		import json, sys

		answers = [json.load(open(file)) for file in sys.argv[2:]]
		for answer in answers:
		    if "Etag" in answer["headers"]:
		        answer["headers"]["Etag"] = "revision"
		sam, make = answers
		if sam != make:
		    sys.exit(f"{sys.argv[1]}\nsam local invoke: {json.dumps(sam)}\nmake invoke:      {json.dumps(make)}")
		print(f"{sys.argv[1]}: {sam['statusCode']} {sam['body']}")
	PYTHON
}

export DOCKER_HOST=unix:///run/docker.sock TMPDIR="$WORK" SAM_SKIP_PULL_IMAGE=true
export AWS_DEFAULT_REGION=eu-central-1 AWS_EC2_METADATA_DISABLED=true
unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
ip link set lo up
for folder in "$WORK" /run /etc/docker; do mount -t tmpfs tmpfs "$folder"; done
dockerd --data-root "$WORK/docker" --cgroup-parent "/$CGROUP" --exec-opt native.cgroupdriver=cgroupfs \
	--userland-proxy=false >"$WORK/dockerd.log" 2>&1 & # its proxy takes connections before the emulator listens
until_it docker version

image
bridge=$(ip -4 -oneline address show docker0 | awk '{sub("/.*", "", $4); print $4}')
[ "$bridge" = 172.17.0.1 ] || fail "docs/local.md has 172.17.0.1 as the address of Docker's bridge, here it is $bridge"

for event in events/*.json; do
	[ "$event" != events/env.json ] || continue
	stack_up # an empty one each, as make invoke has
	sed "s|\${TOKEN}|$(make token)|" "$event" >.build/event.json
	sam local invoke SettingsFunction -e .build/event.json --parameter-overrides Architecture=$ARCHITECTURE \
		>"$WORK/sam.json" 2>"$WORK/sam.log" || { cat "$WORK/sam.log"; exit 1; }
	stack_down "$stack"
	make --no-print-directory invoke EVENT="$event" FLAGS="-bootstrap .aws-sam/build/SettingsFunction/bootstrap" \
		>"$WORK/make.json" 2>"$WORK/make.log" || { cat "$WORK/make.log"; exit 1; }
	same "$event" || { cat "$WORK/sam.log"; exit 1; }
done

make run FLAGS="-listen 172.17.0.1" >"$WORK/stack.log" 2>&1 &
stack=$!
until_it make token
sam local start-api --parameter-overrides Architecture=$ARCHITECTURE >"$WORK/api.log" 2>&1 &
api=$!
until_it curl --fail --silent -X POST http://127.0.0.1:3030/settings/organization \
	-H "Authorization: Bearer $(make token)" -H 'Content-Type: application/json' -d '{"settings":{"theme":"dark"}}'
SMOKE_TOKEN=$(make token) make smoke URL=http://127.0.0.1:3030 || { cat "$WORK/api.log"; exit 1; }
stack_down "$api" # SAM ends its containers
stack_down "$stack"
left=$(docker ps --all --quiet)
[ -z "$left" ] || fail "containers are left: $left"
echo "sam local answers as make invoke, and start-api passes the smoke test"
