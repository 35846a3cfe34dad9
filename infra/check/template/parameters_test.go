package template

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Values that each pattern must accept and must refuse. It must accept the default too.
var parameterValues = map[string]struct{ good, bad []string }{
	"JwtIssuer":              {[]string{"https://login.example.com/", "urn:example"}, []string{"", "https://a b", "https://a\n"}},
	"JwtAudience":            {[]string{"settings", "a,b", "https://api.example.com"}, []string{"", ",", "a,", "a, b", "a,,b"}},
	"JwksUrl":                {[]string{"https://login.example.com/jwks.json", "https://a:8443/k?x=1"}, []string{"", "http://a/k", "https://user@a/k", "https://user:p@a/k", "https://a", "https:///k"}},
	"JwksMaxAge":             {[]string{"5m", "90s", "24h"}, []string{"", "0s", "5", "1h30m", "25h", "-5m", "1.5h"}},
	"Schema":                 {[]string{"on", "off"}, []string{"", "true", "settings.schema.json"}},
	"JwksFileMaxAge":         {[]string{"off", "90s", "24h"}, []string{"", "on", "25h", "1d", "jwks.json"}},
	"JwtUserClaim":           {[]string{"sub", "cognito:username", "https://example.com/uid"}, []string{"", "a b"}},
	"JwtRequiredScope":       {[]string{"", "settings:write"}, []string{"a b", "a,b", `a"b`, `a\b`}},
	"CorsAllowOrigins":       {[]string{"", "https://app.example.com", "http://localhost:5173"}, []string{"*", "http://app.example.com", "https://a/", "https://*.example.com", "null", "http://localhost:*"}},
	"CorsAllowHeaders":       {[]string{"traceparent", "x-b3-traceid"}, []string{"", "*", "X-Trace", "a b", "a:b"}},
	"UsersTableName":         {[]string{"", "users-1"}, []string{"ab", "arn:x:y", "users/1"}},
	"KmsKeyArn":              {[]string{"", "arn:aws" + ":kms:eu" + "-west-1:" + "000000000000:key/1234abcd-12ab"}, []string{"alias/x", "1234abcd-12ab"}},
	"DomainName":             {[]string{"", "settings.example.com"}, []string{"example", "*.example.com", "Settings.example.com", "https://settings.example.com", "a..b"}},
	"CertificateArn":         {[]string{"", "arn:aws" + "-cn:acm:cn" + "-north-1:" + "000000000000:certificate/1234abcd"}, []string{"1234abcd"}},
	"AlarmTopicArn":          {[]string{"", "arn:aws" + ":sns:eu" + "-west-1:" + "000000000000:alarms"}, []string{"alarms", "arn:aws" + ":sqs:eu" + "-west-1:" + "000000000000:alarms"}},
	"Attempt":                {[]string{"1", "2026-11-24.2"}, []string{"", "a b", "${JwtIssuer}"}},
	"PermissionsBoundaryArn": {[]string{"", "arn:aws" + ":iam::" + "000000000000:policy/x-Boundary-1"}, []string{"x", "arn:aws" + ":iam::" + "000000000000:role/x"}},
}

func TestParametersAreChecked(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"template.yaml", "infra/deploy/pipeline.yaml"} {
		for id, p := range at(load(t, name), "Parameters").(object) {
			text, _ := at(p, "AllowedPattern").(string)
			if d, _ := at(p, "Description").(string); d == "" {
				t.Errorf("%s: %s has no description", name, id)
			}
			if text == "" {
				if at(p, "AllowedValues") == nil && (at(p, "MinValue") == nil || at(p, "MaxValue") == nil) {
					t.Errorf("%s: %s takes any value", name, id)
				}
				continue
			}
			if c, _ := at(p, "ConstraintDescription").(string); c == "" {
				t.Errorf("%s: %s does not say what is wrong with a value", name, id)
			}
			pattern := regexp.MustCompile(`\A(?:` + text + `)\z`) // CloudFormation matches the whole value
			if d, ok := at(p, "Default").(string); ok {
				for _, part := range parts(p, d) {
					if !pattern.MatchString(part) {
						t.Errorf("%s: %s does not take its own default %q", name, id, d)
					}
				}
			}
			if name == "infra/deploy/pipeline.yaml" {
				continue
			}
			values, ok := parameterValues[id]
			if !ok {
				t.Errorf("%s is not tried", id)
			}
			for _, v := range values.good {
				if !pattern.MatchString(v) {
					t.Errorf("%s refuses %q", id, v)
				}
			}
			for _, v := range values.bad {
				if pattern.MatchString(v) {
					t.Errorf("%s takes %q", id, v)
				}
			}
		}
	}
}

// parts returns what CloudFormation matches with the pattern of parameter p: every element of a list.
func parts(p any, value string) []string {
	if at(p, "Type") == "CommaDelimitedList" {
		return strings.Split(value, ",")
	}
	return []string{value}
}

// The issuer to trust has no default.
func TestTrustHasNoDefault(t *testing.T) {
	t.Parallel()
	for name, ids := range map[string][]string{
		"template.yaml":              {"JwtIssuer", "JwtAudience", "JwksUrl"},
		"infra/deploy/pipeline.yaml": {"Environment", "Repository", "SubjectPrefix"},
	} {
		for _, id := range ids {
			p := at(load(t, name), "Parameters", id).(object)
			if d, ok := p["Default"]; ok {
				t.Errorf("%s: %s is %q unless somebody says otherwise", name, id, d)
			}
		}
	}
}

func TestEveryParameterIsUsed(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"template.yaml", "infra/deploy/pipeline.yaml"} {
		doc := load(t, name)
		var used []string
		walk(doc, func(o object) {
			if id, ok := o["Ref"].(string); ok {
				used = append(used, id)
			}
			if s, ok := o["Fn::Sub"].(string); ok {
				for _, m := range regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(s, -1) {
					used = append(used, m[1])
				}
			}
		})
		for id := range at(doc, "Parameters").(object) {
			if !slices.Contains(used, id) {
				t.Errorf("%s: nothing depends on %s", name, id)
			}
		}
	}
}

// docs/configuration.md lists every parameter. The table of the stack's own parameters has their defaults.
func TestParametersAreDocumented(t *testing.T) {
	t.Parallel()
	page := text(t, "docs/configuration.md")
	documented := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\|.*?\\| `([A-Z]\\w+)` \\| ").FindAllStringSubmatch(page, -1) {
		documented[m[1]] = true
	}
	parameters := at(load(t, "template.yaml"), "Parameters").(object)
	for _, m := range regexp.MustCompile("(?m)^\\| `([A-Z][a-z]\\w+)` \\|.*\\| (.*) \\|$").FindAllStringSubmatch(page, -1) {
		documented[m[1]] = true
		want := strings.ReplaceAll(strings.Trim(m[2], "`"), "none", "")
		if got, ok := at(parameters, m[1], "Default").(string); ok && got != want {
			t.Errorf("the default of %s is %q, docs/configuration.md has %q", m[1], got, want)
		}
	}
	for id := range parameters {
		if !documented[id] {
			t.Errorf("docs/configuration.md lacks %s", id)
		}
		delete(documented, id)
	}
	for id := range documented {
		t.Errorf("docs/configuration.md has %s, which is no parameter", id)
	}
}

// docs/limits.md has the numbers of each environment.
func TestNumbersAreDocumented(t *testing.T) {
	t.Parallel()
	page, numbers := text(t, "docs/limits.md"), at(load(t, "template.yaml"), "Mappings", "Numbers")
	for name, what := range map[string]string{
		"Rate": "Requests per second", "Burst": "Burst of requests", "RetentionDays": "Days for which logs are kept",
		"RefusedTokens": "Refused tokens in five minutes that raise an alarm",
	} {
		row := fmt.Sprintf("\n| %s | %v | %v | %v |\n", what, at(numbers, "dev", name), at(numbers, "staging", name), at(numbers, "prod", name))
		if !strings.Contains(page, row) {
			t.Errorf("docs/limits.md lacks this row: %s", row)
		}
	}
}
