#!/bin/sh
# Brings Amazon's DynamoDB Local into DIR, where the tests find it by
# DYNAMODB_LOCAL_DIR. Its licence forbids redistribution: it is fetched on
# demand and never committed. Does nothing where DIR has it already.
set -eu

if [ $# -ne 1 ]; then
	echo "usage: $0 DIR" >&2
	exit 2
fi
if [ -f "$1/DynamoDBLocal.jar" ] && [ -d "$1/DynamoDBLocal_lib" ]; then
	exit 0
fi
mkdir -p "$1"
dir=$(cd "$1" && pwd)
echo "fetching DynamoDB Local into $dir"
work=$(mktemp -d "$dir/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work"

if command -v npm >/dev/null; then
	npm pack --silent amplify-dynamodb-simulator@2.9.30 >/dev/null
	tar -xzf amplify-dynamodb-simulator-2.9.30.tgz
	mv package/emulator/* .
elif command -v mvn >/dev/null; then
	cat >pom.xml <<-'POM'
		<project>
		  <modelVersion>4.0.0</modelVersion>
		  <groupId>local</groupId><artifactId>local</artifactId><version>1</version>
		  <dependencies><dependency>
		    <groupId>com.amazonaws</groupId><artifactId>DynamoDBLocal</artifactId><version>2.5.2</version>
		  </dependency></dependencies>
		</project>
	POM
	mvn --quiet --batch-mode dependency:copy-dependencies -DoutputDirectory=DynamoDBLocal_lib
	mv DynamoDBLocal_lib/DynamoDBLocal-2.5.2.jar DynamoDBLocal.jar
else
	echo "$0: needs npm or mvn on the PATH" >&2
	exit 1
fi

# The jar last: it marks a complete copy.
rm -rf "$dir/DynamoDBLocal_lib"
mv DynamoDBLocal_lib "$dir/"
mv DynamoDBLocal.jar "$dir/"
