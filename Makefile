.DEFAULT_GOAL := help

# The function, the local stack and the tests use the same flags, so that Go compiles the AWS SDK only once. The tags leave
# out net/rpc (1.2 MB of the zip) and HTTP/2 (0.15 MB), which neither DynamoDB nor the Runtime API speaks.
# infra/local/stack/build.go has the same flags; a test compares them. The tag schema adds the check of a JSON Schema.
export CGO_ENABLED = 0
GO_FLAGS = -trimpath -buildvcs=false -tags=lambda.norpc,nethttpomithttp2
comma = ,

# quote makes one word of a value for the shell, whatever characters it has.
quote = '$(subst ','\'',$1)'

help: ## print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# progress says what a long command does, and how far it is if the number of its steps is given.
progress = @sh infra/check/progress.sh $(if $2,-of $2) $(call quote,$1)

# The tests find DynamoDB Local here if fetch.sh has installed it.
export DYNAMODB_LOCAL_DIR ?= $(wildcard $(CURDIR)/.tools/dynamodb-local)

test: ## run every test; a test whose tool is missing is skipped, and named before and after
	@sh infra/check/optional.sh
	$(call progress,compiling and testing all packages,"$$(go list ./... | wc -l)") go test $(GO_FLAGS) ./... || { sh infra/check/optional.sh; exit 1; }
	@sh infra/check/optional.sh

# Without -fuzzminimizetime, Go spends most of the time on minimizing deep inputs instead of trying new ones.
fuzz: ## run every fuzz target for FUZZTIME (30s)
	@set -e; listed=$$(sh infra/check/progress.sh 'compiling all tests' go test -list '^Fuzz' ./...); \
	targets=$$(printf '%s\n' "$$listed" | awk '/^Fuzz/ {names = names " " $$1} /^ok/ {n = split(names, name, " "); for (i = 1; i <= n; i++) print $$2 ":" name[i]; names = ""}'); \
	test -n "$$targets"; \
	set -- $$targets; n=0; \
	for target; do \
	  n=$$((n + 1)); sh infra/check/progress.sh "== $$n of $$#: $$target, $(or $(FUZZTIME),30s)" go test -run '^$$' -fuzz "^$${target#*:}$$" -fuzztime $(call quote,$(or $(FUZZTIME),30s)) -fuzzminimizetime 100x "$${target%%:*}"; \
	done

soak: ## test faults, freezes, skewed clocks and load for about 15 minutes (FLAGS='-seed 7 -rate 100 -for 5m')
	$(call progress,compiling and running the soak tests) go test $(GO_FLAGS) -count=1 -timeout=1h -v ./infra/check/soak -args -long $(FLAGS)

bench: ## compare the deployed program with other implementations, on Linux (a quick look: FLAGS='-rounds 1 -only settings,typical')
	$(call progress,compiling and running the benchmark,1) go run $(GO_FLAGS) ./infra/bench $(FLAGS)

# ---- local stack ----
# exec replaces the shell by the built program, since go run passes on neither SIGTERM nor the exit code.
FIRST = $(if $(wildcard .build/local),,sh infra/check/progress.sh 'compiling the local stack; the first time this takes a minute or two')
LOCAL = $(FIRST) go build $(GO_FLAGS) -ldflags '-s -w' -o .build/local ./infra/local && exec .build/local

run: ## run the whole service on this machine, with demo users and tokens (FLAGS='-port 4000'; FLAGS=-h lists all)
	@$(LOCAL) $(FLAGS)

# By default, AS is make's own variable for the assembler.
token: ## print only a token of the running stack (AS=alice, FLAGS as for run)
	@$(LOCAL) $(FLAGS) -token $(call quote,$(if $(filter default,$(origin AS)),alice,$(AS)))

invoke: ## send an event to the function, without gateway and Docker (EVENT=events/post.json, FLAGS as for run)
	@$(LOCAL) $(FLAGS) -invoke $(call quote,$(or $(EVENT),events/post.json))

# ---- console ----
console: ## build clients/console/dist, a page to edit the settings and see their history; needs npm (dist-deployed with URL=https://… of a deployed API)
	cd clients/console && npm ci --no-audit --no-fund && npx tsc && node build.mjs $(call quote,$(URL))

# ---- build and deployment ----
# The program contains VERSION, which the caller of make gives. It never comes from .git or a clock. The same sources, Go
# release and VERSION give the same bytes in every directory and on every machine.
VERSION      ?= dev
ARCHITECTURE ?= arm64
ENV          ?= dev
ARCH          = $(or $(filter arm64 x86_64,$(ARCHITECTURE)),$(error ARCHITECTURE is $(ARCHITECTURE), which is not arm64 or x86_64))
GOARCH_FOR    = $(ARCH:x86_64=amd64)
GO_BUILD      = GOOS=linux GOARCH=$(GOARCH_FOR) go build $(GO_FLAGS)$(if $(SCHEMA),$(comma)schema) -ldflags $(call quote,-s -w -X "main.version=$(VERSION)")
SAM_PATH      = $(or $(wildcard .tools/stack/bin/sam),sam)
SAM           = SAM_CLI_TELEMETRY=0 $(SAM_PATH)
NEEDS_SAM     = @command -v $(SAM_PATH) >/dev/null || { echo 'sam is missing: pip install -r infra/deploy/requirements.txt' >&2; exit 1; }
SAM_ENV       = $(or $(filter staging prod,$(ENV)),$(if $(filter dev,$(ENV)),default,$(error ENV is $(ENV), which is not dev, staging or prod)))
export VERSION ARCHITECTURE PARAMETERS KEYS SCHEMA

build: ## build .build/settings-arm64.zip, byte for byte reproducible (VERSION=…, ARCHITECTURE=arm64|x86_64; SCHEMA=FILE is checked and not in the zip)
	@mkdir -p .build/$(ARCH)
	$(if $(SCHEMA),@go run $(GO_FLAGS) ./infra/deploy/schema $(call quote,$(SCHEMA)) /dev/null)
	$(GO_BUILD) -o .build/$(ARCH)/bootstrap ./functions/settings
	@go run $(GO_FLAGS) ./infra/deploy/zip .build/$(ARCH)/bootstrap .build/settings-$(ARCH).zip

build-SettingsFunction: # called by sam build
	$(if $(SCHEMA),go run $(GO_FLAGS) ./infra/deploy/schema $(call quote,$(SCHEMA)) $(call quote,$(ARTIFACTS_DIR)/settings.schema.json))
	$(GO_BUILD) -o $(call quote,$(ARTIFACTS_DIR)/bootstrap) ./functions/settings
	$(if $(KEYS),cp $(call quote,$(KEYS)) $(call quote,$(ARTIFACTS_DIR)/jwks.json))

keys: ## fetch an issuer's JWKS, to bundle it with the function: URL=https://… (KEYS=.build/jwks.json)
	@mkdir -p .build
	@go run ./infra/deploy/keys -url $(call quote,$(URL)) -out $(call quote,$(or $(KEYS),.build/jwks.json))

validate: ## check stack, pipeline and workflows with the real tools (installs them under .tools)
	sh infra/check/template/check.sh

# A parameter that is not given keeps its last value in the stack. These three depend on the build, so they are always given.
BUILT = Architecture=$(ARCH) $(call quote,JwksFileMaxAge=$(if $(KEYS),$(or $(KEYS_MAX_AGE),24h),off)) Schema=$(if $(SCHEMA),on,off)

# A new location of the code in S3 publishes a new version. The S3 prefix is therefore always the stack's name, as with
# sam deploy --guided.
deploy: ## deploy ENV=dev|staging|prod (KEYS=.build/jwks.json bundles a JWKS, SCHEMA=FILE a JSON Schema of the documents); first with PARAMETERS="JwtIssuer=… JwtAudience=… JwksUrl=…"
	$(NEEDS_SAM)
	$(SAM) build --config-env $(SAM_ENV)
	@set -f; $(SAM) deploy --config-env $(SAM_ENV) $(SAM_FLAGS) --s3-prefix organization-settings-$(ENV) \
	  --parameter-overrides Environment=$(ENV) $(BUILT) $$PARAMETERS

logs: ## follow the function's log of ENV=dev|staging|prod
	$(NEEDS_SAM)
	$(SAM) logs --config-env $(SAM_ENV) --cw-log-group /aws/lambda/organization-settings-$(ENV) --tail

delete: ## delete the stack of ENV=dev|staging|prod (asks first; the tables stay)
	$(NEEDS_SAM)
	$(SAM) delete --config-env $(SAM_ENV)

smoke: ## test a running service: URL=https://…, with the token in the environment variable SMOKE_TOKEN
	@go build $(GO_FLAGS) -o .build/smoke ./infra/deploy/smoke && exec .build/smoke -url $(call quote,$(or $(URL),http://127.0.0.1:3000))

erase: ## erase an organization for good: ORG=acme SETTINGS=TABLE HISTORY=TABLE (asks first; CONFIRM=acme does not)
	@go build $(GO_FLAGS) -o .build/erase ./infra/deploy/erase && exec .build/erase -settings $(call quote,$(SETTINGS)) \
	  -history $(call quote,$(HISTORY)) -confirm $(call quote,$(CONFIRM)) -- $(call quote,$(ORG))

.PHONY: help test fuzz soak bench run token invoke console build build-SettingsFunction keys validate deploy logs delete smoke erase
