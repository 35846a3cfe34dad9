#!/bin/sh
# Installs the aws and sam commands that the documentation uses under .tools, of pinned versions. Takes PYTHON
# (default python3).
set -eu
cd "$(dirname "$0")/../../.."
sh infra/check/venv.sh aws infra/check/readme/requirements.txt
sh infra/check/venv.sh stack infra/deploy/requirements.txt
