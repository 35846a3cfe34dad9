#!/bin/sh
# Makes .tools/NAME a Python virtual environment that holds exactly the packages of REQUIREMENTS. Does nothing if it
# already does. Takes PYTHON (default python3).
#
#   sh infra/check/venv.sh NAME REQUIREMENTS
set -eu
name=$1 requirements=$(realpath "$2")
cd "$(dirname "$0")/../.."
export PIP_DISABLE_PIP_VERSION_CHECK=1

cmp -s "$requirements" ".tools/$name/requirements.txt" && exit
echo "installing ${requirements#"$PWD"/} into .tools/$name"
rm -rf ".tools/$name"
mkdir -p .tools
"${PYTHON:-python3}" -m venv ".tools/$name"
".tools/$name/bin/pip" install --quiet --requirement "$requirements"
cp "$requirements" ".tools/$name/requirements.txt" # last: an interrupted installation is done again
