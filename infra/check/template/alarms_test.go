package template

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func alarms(t *testing.T) map[string]object {
	return ofType(t, load(t, "template.yaml"), "AWS::CloudWatch::Alarm")
}

func TestAlarmsCanBeActedUpon(t *testing.T) {
	t.Parallel()
	action := object{"Fn::If": []any{"HasAlarmTopic", []any{object{"Ref": "AlarmTopicArn"}}, []any{}}}
	runbook := sections(text(t, "infra/deploy/runbook.md"))
	for id, alarm := range alarms(t) {
		for _, property := range []string{"AlarmActions", "OKActions"} {
			if diff := cmp.Diff(action, alarm[property]); diff != "" {
				t.Errorf("%s.%s:\n%s", id, property, diff)
			}
		}
		if alarm["TreatMissingData"] != "notBreaching" {
			t.Errorf("%s: without data it is %v", id, alarm["TreatMissingData"])
		}
		if d := alarm["AlarmDescription"].(string); !strings.HasSuffix(d, "See infra/deploy/runbook.md, "+id+".") {
			t.Errorf("%s does not name its section of the runbook: %q", id, d)
		}
		for _, part := range []string{"**Means.**", "**Look.**", "**Do.**"} {
			if !strings.Contains(runbook[id], part) {
				t.Errorf("infra/deploy/runbook.md, %s: no %s", id, part)
			}
		}
	}
	for id := range runbook {
		if _, ok := alarms(t)[id]; strings.HasSuffix(id, "Alarm") && !ok {
			t.Errorf("infra/deploy/runbook.md has a section for %s, which does not exist", id)
		}
	}
}

// sections returns the sections of a page by their headings of level 3.
func sections(page string) map[string]string {
	found := map[string]string{}
	for _, part := range strings.Split(page, "\n### ")[1:] {
		title, body, _ := strings.Cut(part, "\n")
		body, _, _ = strings.Cut(body, "\n## ")
		found[title] = body
	}
	return found
}

// metrics returns every metric that an alarm watches, as {Namespace, MetricName, Dimensions}.
func metrics(alarm object) []object {
	if alarm["MetricName"] != nil {
		return []object{alarm}
	}
	var found []object
	walk(alarm["Metrics"], func(o object) {
		if o["MetricName"] != nil {
			found = append(found, o)
		}
	})
	return found
}

// An alarm on a metric that nobody writes never goes off.
func TestAlarmsWatchMetricsThatExist(t *testing.T) {
	t.Parallel()
	own := map[string][]string{} // our metrics and their dimensions
	for _, filter := range ofType(t, load(t, "template.yaml"), "AWS::Logs::MetricFilter") {
		m := list(filter["MetricTransformations"])[0]
		var names []string
		for _, d := range list(at(m, "Dimensions")) {
			if name, ok := at(d, "Key").(string); ok {
				names = append(names, name)
			}
		}
		own[fmt.Sprint(at(m, "MetricNamespace"), at(m, "MetricName"))] = names
		want := "FunctionLogGroup"
		if strings.Contains(filter["FilterPattern"].(string), "$.integration") {
			want = "AccessLogGroup" // the gateway's own words
		}
		if got := at(filter, "LogGroupName", "Ref"); got != want {
			t.Errorf("%v reads %v, want %s", filter, got, want)
		}
	}
	known := map[string][]string{
		"AWS/ApiGateway 4xx": {"ApiId"}, "AWS/ApiGateway 5xx": {"ApiId"}, "AWS/ApiGateway Count": {"ApiId"},
		"AWS/ApiGateway Latency": {"ApiId"}, "AWS/ApiGateway IntegrationLatency": {"ApiId"},
		"AWS/Lambda Errors": {"FunctionName"}, "AWS/Lambda Throttles": {"FunctionName"},
		"AWS/DynamoDB ReadThrottleEvents": {"TableName"}, "AWS/DynamoDB WriteThrottleEvents": {"TableName"},
	}
	watched := map[string]bool{}
	for id, alarm := range alarms(t) {
		for _, m := range metrics(alarm) {
			var names []string
			for _, d := range list(m["Dimensions"]) {
				if name, ok := at(d, "Name").(string); ok {
					names = append(names, name)
				}
			}
			key := fmt.Sprint(m["Namespace"], m["MetricName"])
			want, ok := own[key]
			watched[key] = true
			if namespace, isText := m["Namespace"].(string); isText {
				want, ok = known[namespace+" "+fmt.Sprint(m["MetricName"])]
				if id == "CanaryFailuresAlarm" {
					want = []string{"FunctionName", "Resource", "ExecutedVersion"}
				}
			}
			if !ok {
				t.Errorf("%s: nothing writes the metric %s", id, key)
			}
			if diff := cmp.Diff(want, names); diff != "" {
				t.Errorf("%s: dimensions of %v:\n%s", id, m["MetricName"], diff)
			}
		}
	}
	for key := range own {
		if !watched[key] {
			t.Errorf("no alarm watches %s", key)
		}
	}
}

// Throttling of every table is watched and shown: reads of all, and writes of those that the function writes.
func TestTablesAreWatched(t *testing.T) {
	t.Parallel()
	got := map[string]bool{}
	for _, m := range metrics(alarms(t)["TableThrottlesAlarm"]) {
		table := at(list(m["Dimensions"])[0], "Value")
		if branches, ok := at(table, "Fn::If").([]any); ok {
			table = branches[1]
		}
		got[fmt.Sprint(m["MetricName"], " ", at(table, "Ref"))] = true
	}
	expression, _ := at(list(alarms(t)["TableThrottlesAlarm"]["Metrics"])[0], "Expression").(string)
	if n := strings.Count(expression, "FILL("); n != len(got) {
		t.Errorf("TableThrottlesAlarm adds up %d of its %d metrics: %s", n, len(got), expression)
	}
	dashboard := at(ofType(t, load(t, "template.yaml"), "AWS::CloudWatch::Dashboard")["Dashboard"], "DashboardBody", "Fn::Sub").([]any)[0].(string)
	for id := range ofType(t, load(t, "template.yaml"), "AWS::DynamoDB::Table") {
		if !got["ReadThrottleEvents "+id] || id != "UsersTable" && !got["WriteThrottleEvents "+id] {
			t.Errorf("TableThrottlesAlarm does not watch %s: %v", id, keys(got))
		}
		if !strings.Contains(dashboard, `"${`+strings.Replace(id, "UsersTable", "Users", 1)+`}"`) {
			t.Errorf("the dashboard does not show %s", id)
		}
	}
}

// A single failure at night sounds no alarm; failures that go on do, however few requests there are.
func TestRatioHasAFloor(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]*regexp.Regexp{
		"ServerErrorRatioAlarm": regexp.MustCompile(`^IF\(FILL\(errors, 0\) >= [2-5], 100 \* FILL\(errors, 0\) / requests, 0\)$`),
		"RareServerErrorsAlarm": regexp.MustCompile(`^IF\(FILL\(errors, 0\) >= 1 AND `),
	} {
		alarm := alarms(t)[id]
		if expression, _ := at(list(alarm["Metrics"])[0], "Expression").(string); !want.MatchString(expression) {
			t.Errorf("%s watches %s", id, expression)
		}
	}
	if n, _ := alarms(t)["RareServerErrorsAlarm"]["DatapointsToAlarm"].(int); n < 2 {
		t.Errorf("RareServerErrorsAlarm sounds after %d periods", n)
	}
}

// What the gateway answers by itself leaves no line of the function's.
func TestGatewayFailuresAreCounted(t *testing.T) {
	t.Parallel()
	api := ofType(t, load(t, "template.yaml"), "AWS::Serverless::HttpApi")["SettingsApi"]
	format := at(api, "AccessLogSettings", "Format").(string)
	line := func(status, integrationStatus, message string) string {
		l := strings.NewReplacer("$context.status", status, "$context.integrationStatus", integrationStatus,
			"$context.integrationErrorMessage", message).Replace(format)
		return regexp.MustCompile(`\$context\.[\w.]+`).ReplaceAllString(l, "-")
	}
	lines := []string{
		line("200", "200", "-"), line("500", "200", "-"), line("429", "-", "-"),
		line("500", "403", "The IAM role configured on the integration or API Gateway doesn't have permissions to call the integration."),
		line("503", "429", "The Lambda function was throttled."),
	}
	if got := count(t, filters(t)["GatewayFailuresFilter"], lines)[""]; got != 2 {
		t.Errorf("counts %d, want 2, of\n%s", got, strings.Join(lines, "\n"))
	}
}

func TestDashboardIsJSON(t *testing.T) {
	t.Parallel()
	body := at(ofType(t, load(t, "template.yaml"), "AWS::CloudWatch::Dashboard")["Dashboard"], "DashboardBody", "Fn::Sub").([]any)[0].(string)
	type widget struct {
		Type       string
		Properties struct {
			Title, Region, Query string
			Metrics              [][]any
		}
	}
	var dashboard struct{ Widgets []widget }
	if err := json.Unmarshal([]byte(body), &dashboard); err != nil {
		t.Fatal(err)
	}
	for _, w := range dashboard.Widgets {
		p := w.Properties
		if p.Title == "" || p.Region != "${AWS::Region}" || (p.Query == "") == (len(p.Metrics) == 0) {
			t.Errorf("a widget lacks its title, region, query or metrics: %+v", w)
		}
	}
	if !slices.ContainsFunc(dashboard.Widgets, func(w widget) bool { return w.Type == "log" }) {
		t.Error("no widget shows why requests were refused")
	}
}
