#!/bin/sh
# Runs the commands for sam local of docs/local.md on this machine: every sample event must be answered as by make invoke, and
# sam local start-api must pass the smoke test.
#
#   ARCHITECTURE=arm64|x86_64  of the function and its containers; default: this machine's. x86_64 can emulate arm64.
#   BASE_IMAGE=FILE            a docker save of Lambda's image, public.ecr.aws/lambda/provided:al2023-$ARCHITECTURE.
#                              Default: a stand-in made of busybox. SAM, its runtime emulator, the engine and the
#                              program are the real ones, but the file system around them is not Amazon Linux.
#
# Needs root on Linux, dockerd, docker, iptables, ip and a static busybox, and qemu-aarch64-static to emulate arm64. If
# something is missing, the check is skipped with the reason; in CI it fails. Engine, containers, stack and emulation
# live in namespaces and file systems of their own, without another network. They end with this script, even if it is
# killed.
# shellcheck disable=SC2046,SC2086,SC2153,SC2155 # The lines of docs/local.md stand here unchanged.
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
	wanted=${ARCHITECTURE:-}
	export ARCHITECTURE=$(uname -m | sed s/aarch64/arm64/) EMULATOR=
	if [ "${wanted:-$ARCHITECTURE}" != "$ARCHITECTURE" ]; then
		[ "$ARCHITECTURE $wanted" = "x86_64 arm64" ] || skip "$ARCHITECTURE cannot emulate $wanted, only x86_64 arm64"
		ARCHITECTURE=$wanted
		if [ ! -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ]; then # The machine does not emulate arm64 by itself.
			EMULATOR=$(command -v qemu-aarch64-static) || skip "no qemu-aarch64-static here (apt-get install qemu-user-static)"
			unshare --user --map-root-user --mount mount -t binfmt_misc none /proc/sys/fs/binfmt_misc 2>/dev/null ||
				skip "binfmt_misc has no qemu-aarch64, and a user namespace has no binfmt_misc of its own (Linux 6.7)"
		fi
	fi

	# The namespaces have no network, so these builds fetch what is needed.
	sh infra/check/venv.sh stack infra/deploy/requirements.txt
	export PATH="$PWD/.tools/stack/bin:$PATH" SAM_CLI_TELEMETRY=0
	sam build --parameter-overrides Architecture=$ARCHITECTURE
	make token FLAGS=-h >/dev/null # builds .build/local

	export WORK="$PWD/.build/samlocal" CGROUP=sam-local-$$
	mkdir -p "$WORK"
	[ -d /etc/docker ] || { mkdir /etc/docker && made=/etc/docker; }
	( # When this script has ended, or was killed, this removes what the engine leaves outside of its namespaces.
		trap '' INT TERM HUP
		tail --pid=$$ -f /dev/null
		for _ in $(seq 50); do
			[ -n "$(find /sys/fs/cgroup -depth -type d -path "*/$CGROUP*" -print -exec rmdir {} \;)" ] || break
			sleep 0.1
		done
		rmdir ${made:-}
	) >/dev/null 2>&1 &
	if [ -n "$EMULATOR" ]; then # An entry of binfmt_misc belongs to a user namespace and ends with it.
		setpriv --pdeathsig KILL unshare --user sleep 300 &
		users=$!
		until echo 0 0 65536 2>/dev/null >/proc/$users/uid_map; do sleep 0.1; done
		echo 0 0 65536 >/proc/$users/gid_map
	fi
	setpriv --pdeathsig KILL ${users:+nsenter --user=/proc/$users/ns/user} \
		unshare --net --mount --pid --ipc --uts --fork --kill-child --mount-proc timeout 300 sh "$0" inside &
	wait $!
	exit
fi

# ---- inside the namespaces -----------------------------------------------------------------------------------

fail() { echo "sam local: $*" >&2 && exit 1; }

# until_it COMMAND waits until the command succeeds.
until_it() {
	left=200
	until "$@" >/dev/null 2>&1; do
		left=$((left - 1))
		[ "$left" -gt 0 ] || { tail -n 30 "$WORK"/*.log >&2; fail "no success: $*"; }
		sleep 0.1
	done
}

# image loads the base image, or makes one with what SAM and its runtime emulator need.
image() {
	name=public.ecr.aws/lambda/provided:al2023-$ARCHITECTURE
	if [ -n "${BASE_IMAGE:-}" ]; then
		docker load --quiet --input "$BASE_IMAGE"
		docker image inspect --format "$name: {{.Id}}" "$name"
		return
	fi
	root=$WORK/image
	for folder in bin etc/pki/tls/certs opt tmp var/task var/runtime var/rapid; do mkdir -p "$root/$folder"; done
	chmod 1777 "$root/tmp"
	cp "$(command -v busybox)" "$root/bin/busybox"
	# Only SAM's Dockerfile runs these, so that this machine's busybox will do for arm64 too.
	for tool in sh mv chmod; do ln -s busybox "$root/bin/$tool"; done
	echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	cp /etc/ssl/certs/ca-certificates.crt "$root/etc/pki/tls/certs/ca-bundle.crt"
	DOCKER_BUILDKIT=0 docker build --platform "linux/$ARCHITECTURE" --tag "$name" --file - "$root" \
		>"$WORK/image.log" 2>&1 <<-'DOCKERFILE' || { cat "$WORK/image.log"; exit 1; }
		FROM scratch
		ADD . /
		ENV PATH=/bin LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime
		WORKDIR /var/task
	DOCKERFILE
	echo "$name: busybox stands in"
}

stack_up() {
	.build/local -listen "$bridge" >"$WORK/stack.log" 2>&1 &
	stack=$!
	until_it .build/local -token alice
}

stack_down() {
	kill "$1"
	wait "$1" 2>/dev/null || :
}

# same EVENT compares the answers in sam.json and make.json, except for the revision, which is always new.
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
if [ -n "$EMULATOR" ]; then
	mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
	# Magic and mask of arm64's ELF header. F opens the emulator at once, because containers do not see its path.
	printf ':arm64:M::%s:%s:%s:F' '\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00' \
		'\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff' \
		"$EMULATOR" >/proc/sys/fs/binfmt_misc/register
fi
for folder in "$WORK" /run /etc/docker; do mount -t tmpfs tmpfs "$folder"; done
dockerd --data-root "$WORK/docker" --cgroup-parent "/$CGROUP" --exec-opt native.cgroupdriver=cgroupfs \
	--userland-proxy=false >"$WORK/dockerd.log" 2>&1 & # the proxy takes connections before SAM's emulator listens
until_it docker version

image
bridge=$(ip -4 -oneline address show docker0 | awk '{sub("/.*", "", $4); print $4}')
[ "$bridge" = 172.17.0.1 ] || fail "the address of Docker's bridge in docs/local.md is 172.17.0.1, here it is $bridge"

for event in events/*.json; do
	[ "$event" != events/env.json ] || continue
	stack_up # a new, empty stack for each event, as in make invoke
	sed "s|\${TOKEN}|$(make token)|" "$event" >.build/event.json
	sam local invoke SettingsFunction -e .build/event.json --parameter-overrides Architecture=$ARCHITECTURE \
		>"$WORK/sam.json" 2>"$WORK/sam.log" || { cat "$WORK/sam.log"; exit 1; }
	stack_down "$stack"
	make --no-print-directory invoke EVENT="$event" \
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
