#!/bin/sh
# Builds the client and runs its tests against the whole service, started on free
# ports. Needs Node 20.19, npm and Go; Chromium too if CI is set. Deno and Bun come
# from the npm registry.
set -eu
cd "$(dirname "$0")"

for tool in node npm go; do
	if ! command -v "$tool" >/dev/null; then
		if [ -n "${CI:-}" ]; then
			echo "clients/typescript: $tool is missing" >&2
			exit 1
		fi
		echo "clients/typescript: skipped, as there is no $tool on this machine"
		exit 0
	fi
done
if [ -n "${CI:-}" ] && ! command -v chromium >/dev/null && command -v apt-get >/dev/null; then
	echo "clients/typescript: installing chromium"
	apt-get -qq -o DPkg::Lock::Timeout=300 update
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 install --no-install-recommends chromium
fi

# Ten minutes are enough for the slowest machine.
limit=
if command -v timeout >/dev/null; then limit='timeout 600'; fi
npm ci --no-audit --no-fund
$limit npm test
npm pack --dry-run --ignore-scripts --json | node -e '
	const packs = Object.values(JSON.parse(require("node:fs").readFileSync(0, "utf8")));
	for (const p of packs) console.log(`${p.name} ${p.version}: ${p.size} bytes packed, ${p.unpackedSize} unpacked`);'
