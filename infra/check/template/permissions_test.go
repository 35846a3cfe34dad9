package template

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// statements returns the statements of every policy in a document by Sid. A statement without a Sid is an
// error, except in a role's trust policy.
func statements(t *testing.T, doc object) map[string]object {
	t.Helper()
	found := map[string]object{}
	walk(at(doc, "Resources"), func(o object) {
		if o["Effect"] == nil {
			return
		}
		id, _ := o["Sid"].(string)
		if id == "" && o["Principal"] == nil {
			t.Errorf("a statement has no Sid: %v", o)
		}
		// The same Sid in two policies must not hide one of them.
		for found[id] != nil {
			id += "'"
		}
		found[id] = o
	})
	return found
}

func TestNoWildcard(t *testing.T) {
	t.Parallel()
	// Actions for which IAM has no narrower resource.
	exempt := map[string][]string{
		"template.yaml":              {"WriteTraces"},
		"infra/deploy/pipeline.yaml": {"Traces", "TemplateSummary", "AccessLogDelivery"},
	}
	for name, sids := range exempt {
		for sid, s := range statements(t, load(t, name)) {
			if s["Effect"] == "Deny" {
				continue
			}
			for _, element := range []string{"NotAction", "NotResource", "NotPrincipal"} {
				if s[element] != nil {
					t.Errorf("%s: %s has %s", name, sid, element)
				}
			}
			for _, action := range list(s["Action"]) {
				if strings.Contains(action.(string), "*") {
					t.Errorf("%s: %s allows %s", name, sid, action)
				}
			}
			for _, resource := range list(s["Resource"]) {
				if resource == "*" != slices.Contains(sids, sid) {
					t.Errorf("%s: %s names the resource %v; exempt from naming one: %v", name, sid, resource, slices.Contains(sids, sid))
				}
				// In the service's own stack every resource is one, not a family of them; each version has its own alarms.
				if name == "template.yaml" && resource != "*" && sid != "WatchAlarms" && strings.Contains(fmt.Sprint(resource), "*") {
					t.Errorf("%s: %s names a family of resources: %v", name, sid, resource)
				}
			}
			if strings.Contains(fmt.Sprint(s["Principal"]), "*") {
				t.Errorf("%s: %s trusts everybody", name, sid)
			}
		}
		walk(load(t, name), func(o object) {
			if o["ManagedPolicyArns"] != nil {
				t.Errorf("%s: a role has managed policies: %v", name, o["ManagedPolicyArns"])
			}
		})
	}
}

func TestFunctionMayDoWhatItDoes(t *testing.T) {
	t.Parallel()
	doc := object{"Resources": object{"FunctionRole": at(load(t, "template.yaml"), "Resources", "FunctionRole")}}
	got := map[string][]any{}
	for sid, s := range statements(t, doc) {
		got[sid] = list(s["Action"])
	}
	want := map[string][]any{
		"":                       {"sts:AssumeRole"},
		"ReadMembership":         {"dynamodb:GetItem"},
		"ReadAndReplaceSettings": {"dynamodb:GetItem", "dynamodb:PutItem"},
		"ArchiveAndReadHistory":  {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"},
		"WriteOwnLog":            {"logs:CreateLogStream", "logs:PutLogEvents"},
		"UseTableKey":            {"kms:Decrypt", "kms:DescribeKey"},
		"WriteTraces":            {"xray:PutTraceSegments", "xray:PutTelemetryRecords"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("actions:\n%s", diff)
	}
	for sid, table := range map[string]string{"ReadAndReplaceSettings": "SettingsTable", "ArchiveAndReadHistory": "HistoryTable"} {
		// Without a condition: a version that keeps history may serve beside one that keeps none.
		if resource := at(statements(t, doc)[sid], "Resource", "Fn::GetAtt"); resource != table+".Arn" {
			t.Errorf("%s is for %v, want %s alone", sid, resource, table)
		}
	}
	condition := object{
		"ForAllValues:StringEquals": object{"dynamodb:Attributes": []any{"userId", "orgId", "role"}},
		"Null":                      object{"dynamodb:Attributes": "false"}, // ForAllValues holds for a request that names none
		"StringEqualsIfExists":      object{"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
	}
	if diff := cmp.Diff(condition, statements(t, doc)["ReadMembership"]["Condition"]); diff != "" {
		t.Errorf("condition on the users table:\n%s", diff)
	}
}

// The function has no other table to query, whatever its role says.
func TestBoundaryQueriesTablesOfTheStack(t *testing.T) {
	t.Parallel()
	boundary := object{"Resources": at(load(t, "infra/deploy/pipeline.yaml"), "Resources", "Boundary")}
	for sid, s := range statements(t, boundary) {
		resource := fmt.Sprint(at(s, "Resource", "Fn::Sub"))
		if slices.Contains(list(s["Action"]), any("dynamodb:Query")) && !strings.HasSuffix(resource, ":table/organization-settings-${Environment}-*") {
			t.Errorf("%s: Query of %s", sid, resource)
		}
	}
}

// CloudFormation creates a table and then calls one more operation for each property that it sets on it.
func TestPipelineCanSetTheTablesProperties(t *testing.T) {
	t.Parallel()
	role := object{"Resources": at(load(t, "infra/deploy/pipeline.yaml"), "Resources", "ExecutionRole")}
	allowed := list(statements(t, role)["Tables"]["Action"])
	operations := map[string]string{
		"PointInTimeRecoverySpecification": "dynamodb:UpdateContinuousBackups",
		"TimeToLiveSpecification":          "dynamodb:UpdateTimeToLive",
	}
	for id, table := range ofType(t, load(t, "template.yaml"), "AWS::DynamoDB::Table") {
		for property, operation := range operations {
			if table[property] != nil && !slices.Contains(allowed, any(operation)) {
				t.Errorf("%s has %s, which needs %s of %v", id, property, operation, allowed)
			}
		}
	}
}

// The permissions of the stack are within the boundary of the pipeline.
func TestBoundaryHoldsTheStacksRoles(t *testing.T) {
	t.Parallel()
	allowed := map[string]bool{}
	boundary := object{"Resources": at(load(t, "infra/deploy/pipeline.yaml"), "Resources", "Boundary")}
	for _, s := range statements(t, boundary) {
		for _, action := range list(s["Action"]) {
			allowed[action.(string)] = true
		}
	}
	for id, role := range ofType(t, load(t, "template.yaml"), "AWS::IAM::Role") {
		want := object{"Fn::If": []any{"HasBoundary", object{"Ref": "PermissionsBoundaryArn"}, object{"Ref": "AWS::NoValue"}}}
		if diff := cmp.Diff(want, role["PermissionsBoundary"]); diff != "" {
			t.Errorf("%s.PermissionsBoundary:\n%s", id, diff)
		}
		walk(role["Policies"], func(o object) {
			for _, action := range list(o["Action"]) {
				if action != nil && !allowed[action.(string)] {
					t.Errorf("%s: %s is beyond the boundary", id, action)
				}
			}
		})
	}
}

func TestPipelineTrustsOneBranch(t *testing.T) {
	t.Parallel()
	s := statements(t, load(t, "infra/deploy/pipeline.yaml"))
	const claim = "token.actions.githubusercontent.com:"
	want := object{"StringEquals": object{
		claim + "aud":        "sts.amazonaws.com",
		claim + "sub":        object{"Fn::Sub": "${SubjectPrefix}:environment:${Environment}"},
		claim + "repository": object{"Ref": "Repository"},
		claim + "ref":        object{"Fn::Sub": "refs/heads/${Branch}"},
	}}
	if diff := cmp.Diff(want, s["OneEnvironmentOfOneBranch"]["Condition"]); diff != "" {
		t.Errorf("trust of the deploy role:\n%s", diff)
	}
	bounded := object{"StringEquals": object{"iam:PermissionsBoundary": object{"Ref": "Boundary"}}}
	if diff := cmp.Diff(bounded, s["BoundedRoles"]["Condition"]); diff != "" {
		t.Errorf("roles can be made without the boundary:\n%s", diff)
	}
	domain := s["DomainRole"]
	service := object{"StringEquals": object{"iam:AWSServiceName": "ops.apigateway.amazonaws.com"}}
	if diff := cmp.Diff(service, domain["Condition"]); diff != "" || domain["Action"] != "iam:CreateServiceLinkedRole" {
		t.Errorf("a first custom domain: %v\n%s", domain["Action"], diff)
	}
	for sid, statement := range s {
		for _, action := range list(statement["Action"]) {
			if action == "iam:PassRole" && at(statement, "Condition", "StringEquals", "iam:PassedToService") == nil {
				t.Errorf("%s passes roles to any service", sid)
			}
			if slices.Contains([]any{"iam:AttachRolePolicy", "iam:DeleteRolePermissionsBoundary", "iam:CreateUser",
				"iam:CreatePolicyVersion", "iam:UpdateAssumeRolePolicy"}, action) {
				t.Errorf("%s: %s leads round the boundary", sid, action)
			}
		}
	}
}
