package template

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orgsettings/internal/api"
)

func function(t *testing.T) object {
	return ofType(t, load(t, "template.yaml"), "AWS::Serverless::Function")["SettingsFunction"]
}

func TestRoutesAreTheCodes(t *testing.T) {
	t.Parallel()
	var routes []string
	for id, event := range at(function(t), "Events").(object) {
		p := at(event, "Properties")
		routes = append(routes, fmt.Sprint(at(p, "Method"), " ", at(p, "Path")))
		if at(event, "Type") != "HttpApi" || at(p, "ApiId", "Ref") != "SettingsApi" {
			t.Errorf("%s is not an event of SettingsApi", id)
		}
		// cfn-lint accepts any text here.
		if at(p, "PayloadFormatVersion") != "2.0" {
			t.Errorf("%s: PayloadFormatVersion %v, want the text 2.0", id, at(p, "PayloadFormatVersion"))
		}
	}
	slices.Sort(routes)
	if diff := cmp.Diff(api.Routes(), routes); diff != "" {
		t.Errorf("routes of the code (-) and of the template (+):\n%s", diff)
	}
}

func TestCrossOriginMethodsAreTheRoutes(t *testing.T) {
	t.Parallel()
	cors := at(load(t, "template.yaml"), "Resources", "SettingsApi", "Properties", "DefinitionBody", "x-amazon-apigateway-cors", "Fn::If").([]any)
	if cors[0] != "HasCors" {
		t.Errorf("CORS hangs on %v, want the condition HasCors", cors[0])
	}
	var want, got []string
	for _, route := range api.Routes() {
		method, _, _ := strings.Cut(route, " ")
		want = append(want, method)
	}
	for _, method := range at(cors[1], "allowMethods").([]any) {
		got = append(got, method.(string))
	}
	slices.Sort(got)
	if diff := cmp.Diff(slices.Compact(want), got); diff != "" {
		t.Errorf("methods of the code (-) and of CORS (+):\n%s", diff)
	}
	for _, header := range []string{"Apigw-Requestid", "ETag", "Link", "Retry-After", "WWW-Authenticate"} {
		if !slices.Contains(at(cors[1], "exposeHeaders").([]any), any(header)) {
			t.Errorf("header %s is not exposed to browsers", header)
		}
	}
	// Tokens are in a header. Cookies must not be sent.
	if at(cors[1], "allowCredentials") != nil {
		t.Error("allowCredentials is set")
	}
}

func TestTimeoutsNest(t *testing.T) {
	t.Parallel()
	f := function(t)
	seconds := at(f, "Timeout").(int)
	for id, event := range at(f, "Events").(object) {
		if gateway := at(event, "Properties", "TimeoutInMillis"); gateway != 30000 || seconds*1000 >= 30000 {
			t.Errorf("%s: the gateway waits %v ms, want 30000, more than the function's %d s", id, gateway, seconds)
		}
	}
}

func TestFunction(t *testing.T) {
	t.Parallel()
	doc := load(t, "template.yaml")
	f := function(t)
	for property, want := range map[string]any{
		"Runtime": "provided.al2023", "Handler": "bootstrap", "CodeUri": ".", "AutoPublishAlias": "live",
		"AutoPublishAliasAllProperties": true,
		"AutoPublishCodeSha256":         object{"Ref": "VersionHash"},
		"Architectures":                 []any{object{"Ref": "Architecture"}},
		"Role":                          object{"Fn::GetAtt": "FunctionRole.Arn"},
		"Policies":                      nil, // SAM adds a role of its own, with wildcards, for these
	} {
		if diff := cmp.Diff(want, at(f, property)); diff != "" {
			t.Errorf("%s:\n%s", property, diff)
		}
	}
	if at(doc, "Resources", "SettingsFunction", "Metadata", "BuildMethod") != "makefile" {
		t.Error("BuildMethod is not makefile: SAM's own Go builder sets neither tags nor linker flags")
	}
	// The function's own lines need only DEBUG, but the output of a panic has no level.
	want := object{"LogGroup": object{"Ref": "FunctionLogGroup"}, "LogFormat": "JSON",
		"ApplicationLogLevel": "TRACE", "SystemLogLevel": "WARN"}
	if diff := cmp.Diff(want, at(f, "LoggingConfig")); diff != "" {
		t.Errorf("LoggingConfig: lines that alarms count may get lost:\n%s", diff)
	}
}

// Linters accept any text as the kind of a deployment.
func TestDeploymentIsACanary(t *testing.T) {
	t.Parallel()
	known := []string{"AllAtOnce", "Canary10Percent5Minutes", "Canary10Percent10Minutes", "Canary10Percent15Minutes",
		"Canary10Percent30Minutes", "Linear10PercentEvery1Minute", "Linear10PercentEvery2Minutes",
		"Linear10PercentEvery3Minutes", "Linear10PercentEvery10Minutes"}
	p := at(function(t), "DeploymentPreference")
	kind := at(p, "Type", "Fn::If").([]any)
	if kind[0] != "IsDevelopment" || kind[1] != "AllAtOnce" || !strings.HasPrefix(kind[2].(string), "Canary") || !slices.Contains(known, kind[2].(string)) {
		t.Errorf("Type %v, want a canary everywhere but in development", kind)
	}
	want := []any{object{"Ref": "CanaryServerErrorsAlarm"}, object{"Ref": "CanaryFailuresAlarm"}}
	if diff := cmp.Diff(want, at(p, "Alarms")); diff != "" {
		t.Errorf("Alarms:\n%s", diff)
	}
	for id, alarm := range ofType(t, load(t, "template.yaml"), "AWS::CloudWatch::Alarm") {
		canary := strings.HasPrefix(id, "Canary")
		byVersion := strings.Contains(fmt.Sprint(alarm["Dimensions"]), "SettingsFunction.Version.Version")
		if canary != byVersion {
			t.Errorf("%s: watches the new version alone: %v, want %v", id, byVersion, canary)
		}
	}
}

func TestTables(t *testing.T) {
	t.Parallel()
	doc := load(t, "template.yaml")
	attributes := map[string][]string{"UsersTable": {"userId"}, "SettingsTable": {"orgId"}, "HistoryTable": {"orgId", "revision"}}
	tables := ofType(t, doc, "AWS::DynamoDB::Table")
	if diff := cmp.Diff(keys(attributes), keys(tables)); diff != "" {
		t.Fatalf("tables:\n%s", diff)
	}
	for id, table := range tables {
		resource := at(doc, "Resources", id)
		if at(resource, "DeletionPolicy") != "Retain" || at(resource, "UpdateReplacePolicy") != "Retain" {
			t.Errorf("%s does not outlive the stack", id)
		}
		var definitions, schema []any
		for i, name := range attributes[id] {
			definitions = append(definitions, object{"AttributeName": name, "AttributeType": "S"})
			schema = append(schema, object{"AttributeName": name, "KeyType": []string{"HASH", "RANGE"}[i]})
		}
		var expiry any
		if id == "HistoryTable" {
			expiry = object{"AttributeName": "expiresAt", "Enabled": true}
		}
		for property, want := range map[string]any{
			"BillingMode":                      "PAY_PER_REQUEST", // cfn-lint takes any text
			"PointInTimeRecoverySpecification": object{"PointInTimeRecoveryEnabled": true},
			"DeletionProtectionEnabled":        object{"Fn::If": []any{"IsProduction", true, false}},
			"SSESpecification": object{"SSEEnabled": true, "SSEType": "KMS",
				"KMSMasterKeyId": object{"Fn::If": []any{"HasKmsKey", object{"Ref": "KmsKeyArn"}, object{"Ref": "AWS::NoValue"}}}},
			"AttributeDefinitions":    definitions,
			"KeySchema":               schema,
			"TimeToLiveSpecification": expiry, // DynamoDB deletes by no other table's attribute
		} {
			if diff := cmp.Diff(want, table[property]); diff != "" {
				t.Errorf("%s.%s:\n%s", id, property, diff)
			}
		}
	}
}

func TestLogGroupsExpire(t *testing.T) {
	t.Parallel()
	doc := load(t, "template.yaml")
	for id, group := range ofType(t, doc, "AWS::Logs::LogGroup") {
		want := object{"Fn::FindInMap": []any{"Numbers", object{"Ref": "Environment"}, "RetentionDays"}}
		if diff := cmp.Diff(want, group["RetentionInDays"]); diff != "" {
			t.Errorf("%s:\n%s", id, diff)
		}
	}
	// CloudWatch Logs accepts these numbers.
	allowed := []any{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731}
	for environment, numbers := range at(doc, "Mappings", "Numbers").(object) {
		if !slices.Contains(allowed, at(numbers, "RetentionDays")) {
			t.Errorf("%s: logs are kept for %v days", environment, at(numbers, "RetentionDays"))
		}
	}
}

func TestEnvironmentsHaveTheSameNumbers(t *testing.T) {
	t.Parallel()
	doc := load(t, "template.yaml")
	numbers := at(doc, "Mappings", "Numbers").(object)
	for _, environment := range at(doc, "Parameters", "Environment", "AllowedValues").([]any) {
		if diff := cmp.Diff(keys(numbers["prod"].(object)), keys(at(numbers, environment.(string)).(object))); diff != "" {
			t.Errorf("%s:\n%s", environment, diff)
		}
	}
}

func TestGateway(t *testing.T) {
	t.Parallel()
	api := ofType(t, load(t, "template.yaml"), "AWS::Serverless::HttpApi")["SettingsApi"]
	for _, limit := range []string{"ThrottlingRateLimit", "ThrottlingBurstLimit"} {
		if at(api, "DefaultRouteSettings", limit) == nil {
			t.Errorf("no %s", limit)
		}
	}
	var line map[string]string
	if err := json.Unmarshal([]byte(at(api, "AccessLogSettings", "Format").(string)), &line); err != nil {
		t.Fatalf("a line of the access log is not JSON: %v", err)
	}
	for _, member := range []string{"requestId", "routeKey", "status", "responseLatency", "integrationErrorMessage"} {
		if line[member] != "$context."+member {
			t.Errorf("access log: %s is %q", member, line[member])
		}
	}
}

func TestOutputsAreDescribed(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"template.yaml", "infra/deploy/pipeline.yaml"} {
		for id, output := range at(load(t, name), "Outputs").(object) {
			if d, _ := at(output, "Description").(string); d == "" {
				t.Errorf("%s: output %s has no description", name, id)
			}
		}
	}
}

func TestSectionsStandInOrder(t *testing.T) {
	t.Parallel()
	content := text(t, "template.yaml")
	last := 0
	for _, section := range []string{"\nParameters:", "\nRules:", "\nMappings:", "\nConditions:", "\nResources:", "# ---- data",
		"# ---- function", "# ---- API", "# ---- observability", "\nOutputs:"} {
		i := strings.Index(content, section)
		if i < last {
			t.Errorf("%q stands at %d, after what follows it at %d", section, i, last)
		}
		last = i
	}
}

// No file names an account, a region or a partition, or holds what looks like a secret.
func TestNothingPrivateIsNamed(t *testing.T) {
	t.Parallel()
	forbidden := map[string]*regexp.Regexp{
		"an account":   regexp.MustCompile(`(^|[^0-9])[0-9]{12}([^0-9]|$)`),
		"a region":     regexp.MustCompile(`\b(us|eu|ap|sa|ca|me|af|il|mx|cn)(-gov)?-(north|south|east|west|central)+[a-z]*-[0-9]\b`),
		"a partition":  regexp.MustCompile(`arn:aws(-[a-z]+)*:`),
		"a key of AWS": regexp.MustCompile(`\b(AKIA|ASIA)[A-Z0-9]{16}\b`),
		"a token":      regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{10,}`),
	}
	for _, name := range []string{"template.yaml", "samconfig.toml", "infra/deploy/pipeline.yaml", "infra/deploy/runbook.md",
		"docs/deploy.md", "docs/operate.md", "docs/configuration.md", ".github/workflows/ci.yml", ".github/workflows/deploy.yml", "Makefile"} {
		for i, line := range strings.Split(text(t, name), "\n") {
			for what, pattern := range forbidden {
				if pattern.MatchString(line) {
					t.Errorf("%s:%d names %s: %s", name, i+1, what, line)
				}
			}
		}
	}
}
