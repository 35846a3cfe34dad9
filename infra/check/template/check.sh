#!/bin/sh
# Checks the stack, the pipeline and the workflows with the tools that will deploy them. No AWS account is
# needed or asked: sam validate, cfn-lint and checkov carry their own rules. Installs the tools, of pinned
# versions, under .tools/; fails on any finding. Run from anywhere; takes PYTHON (default python3).
set -eu
cd "$(dirname "$0")/../../.."

export SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-west-1 AWS_EC2_METADATA_DISABLED=true
export PYTHONDONTWRITEBYTECODE=1
unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN

say() { printf '\n== %s\n' "$*"; }

sh infra/check/venv.sh stack infra/deploy/requirements.txt
sh infra/check/venv.sh checkov infra/check/template/requirements.txt
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

say "cfn-lint: template.yaml, infra/deploy/pipeline.yaml"
"$bin/cfn-lint"

# The expanded template is what CloudFormation gets to see: SAM's own translator makes it here. It puts
# the values of Attempt and VersionHash in their places, so that they seem unused (W2001).
say "cfn-lint and checkov: the expanded template"
"$bin/python" infra/check/template/stack.py .build/expanded
for file in .build/expanded/*.json; do
	"$bin/cfn-lint" --ignore-checks W2001 --template "$file"
	.tools/checkov/bin/checkov --config-file infra/check/template/checkov.yaml --file "$file"
done

say "first deployments, and what publishes a version"
(cd infra/check/template && exec "../../../$bin/python" -W ignore -m unittest stack_test)

say "checkov: infra/deploy/pipeline.yaml"
.tools/checkov/bin/checkov --config-file infra/check/template/checkov.yaml --file infra/deploy/pipeline.yaml

say "actionlint"
go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12 -shellcheck= -pyflakes= .github/workflows/*.yml

say "the stack, the pipeline and the workflows pass"
