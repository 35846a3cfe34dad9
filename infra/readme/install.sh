#!/bin/sh
# Installs the aws and sam commands that README.md speaks of under .tools, of pinned versions. Takes PYTHON
# (default python3).
set -eu
cd "$(dirname "$0")/../.."
export PIP_DISABLE_PIP_VERSION_CHECK=1

install() { # NAME REQUIREMENTS
	if ! cmp -s "$2" ".tools/$1/requirements.txt"; then
		rm -rf ".tools/$1"
		mkdir -p .tools
		"${PYTHON:-python3}" -m venv ".tools/$1"
		".tools/$1/bin/pip" install --quiet --requirement "$2"
		cp "$2" ".tools/$1/requirements.txt" # last: an installation that was cut off is done again
	fi
}
install aws infra/readme/requirements.txt
install stack infra/requirements.txt
