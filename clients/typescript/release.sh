#!/bin/sh
# release.sh [--dry-run]: publishes the package from the workflow release-client. The
# repository is the one that the workflow runs in: npm refuses provenance of another one.
set -eu
cd "$(dirname "$0")"

version=$(node -p 'require("./package.json").version')
if [ "$GITHUB_REF_NAME" != "client-v$version" ]; then
	echo "release.sh: the tag is $GITHUB_REF_NAME, but package.json has version $version: change one of them" >&2
	exit 1
fi
url=$GITHUB_SERVER_URL/$GITHUB_REPOSITORY
npm pkg set repository.type=git "repository.url=git+$url.git" repository.directory=clients/typescript \
	"bugs.url=$url/issues" "homepage=$url/tree/$GITHUB_REF_NAME/clients/typescript#readme"
npm ci --no-audit --no-fund
# Trusted publishing needs npm 11.5.1.
npx --yes npm@11.19.1 publish --provenance "$@"
