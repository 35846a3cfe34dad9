#!/bin/sh
# Checks the stack, the pipeline and the workflows with the tools that will deploy them. No AWS account is
# needed or asked: sam validate, cfn-lint and checkov carry their own rules. Installs the tools, of pinned
# versions, under .tools/; fails on any finding. Run from anywhere; takes PYTHON (default python3).
set -eu
cd "$(dirname "$0")/.."

export SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-west-1 AWS_EC2_METADATA_DISABLED=true
export PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN

say() { printf '\n== %s\n' "$*"; }

# environment NAME REQUIREMENTS: a virtual environment that holds exactly these requirements.
environment() {
	if ! cmp -s "$2" ".tools/$1/requirements.txt"; then
		say "install $2 into .tools/$1"
		rm -rf ".tools/$1"
		mkdir -p .tools
		"${PYTHON:-python3}" -m venv ".tools/$1"
		".tools/$1/bin/pip" install --quiet --requirement "$2"
		cp "$2" ".tools/$1/requirements.txt" # last: an installation that was cut off is done again
	fi
}
environment stack infra/requirements.txt
environment checkov infra/requirements-checkov.txt
bin=.tools/stack/bin

say "sam validate --lint"
for environment in default staging prod; do
	"$bin/sam" validate --lint --config-env "$environment"
done

say "sam build"
"$bin/sam" build --config-env default >/dev/null
file=.aws-sam/build/SettingsFunction/bootstrap
[ -x "$file" ] || { echo "sam build made no $file"; exit 1; }
ls -l "$file"

say "cfn-lint: template.yaml, infra/pipeline.yaml"
"$bin/cfn-lint"

# The expanded template is what CloudFormation gets to see: SAM's own translator makes it here, once for each
# environment. CodeUri stands for what sam package would upload.
say "cfn-lint and checkov: the expanded template"
mkdir -p .build/expanded
for environment in dev staging prod; do
	"$bin/python" - "$environment" >".build/expanded/$environment.json" <<'PYTHON'
import json, logging, sys
from boto3.session import Session
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

logging.disable(logging.WARNING)
with open("template.yaml") as file:
    template = yaml_parse(file)
template["Resources"]["SettingsFunction"]["Properties"]["CodeUri"] = "s3://artifacts/settings.zip"
expanded = Translator({}, Parser(), boto_session=Session()).translate(
    template, {"Environment": sys.argv[1]}, get_managed_policy_map=dict)
json.dump(expanded, sys.stdout, indent=2)
PYTHON
	"$bin/cfn-lint" --template ".build/expanded/$environment.json"
	.tools/checkov/bin/checkov --config-file infra/checkov.yaml --file ".build/expanded/$environment.json"
done

say "checkov: infra/pipeline.yaml"
.tools/checkov/bin/checkov --config-file infra/checkov.yaml --file infra/pipeline.yaml

say "actionlint"
go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12 -shellcheck= -pyflakes= .github/workflows/*.yml

say "the stack, the pipeline and the workflows pass"
