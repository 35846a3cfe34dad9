package apigw

import (
	"fmt"
	"strings"
)

// describe names a payload of valid JSON that is no event of an HTTP API, for the log: by the service that makes such
// payloads, or else by its first members.
func describe(payload []byte, version string) string {
	r := newReader(payload)
	if r.PeekKind() == 'n' {
		return "null"
	}
	formats := []struct{ member, name string }{ // the first whose member is there
		{"detail-type", "an EventBridge event"},
		{"Records", "a batch of records, as SQS, SNS, S3 and DynamoDB streams send it"},
		{"resource", "an API Gateway event in payload format 1.0, as REST APIs send it"},
		{"httpMethod", "a load balancer event"},
		{"method", "a VPC Lattice event"},
		{"key1", "the sample event of the Lambda console"},
		{"source", "a direct call, such as of a warm-up plug-in"},
	}
	found := len(formats)
	var names []string
	// The payload was read before, without an error.
	_ = r.read(object(func(member string) any {
		for i, f := range formats[:found] {
			if f.member == member {
				found = i
			}
		}
		if len(names) < 8 {
			names = append(names, fmt.Sprintf("%.32q", member))
		}
		return nil
	}))
	what := "an empty object"
	switch {
	case found < len(formats):
		what = formats[found].name
	case len(names) > 0:
		what = "an object with the members " + strings.Join(names, ", ")
	}
	if version != "" {
		what += fmt.Sprintf(" of version %.16q", version)
	}
	return what
}
