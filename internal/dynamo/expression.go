package dynamo

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"orgsettings/internal/settings"
)

// maxOperands bounds the values of one IN.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
const maxOperands = 100

// expression is a condition with the names and values that it refers to.
type expression struct {
	expression string
	names      map[string]string
	values     item
}

// putCondition returns the condition under which a record with revision next may replace the stored one: c holds and
// the stored revision is lower, or the stored revision is next because an earlier attempt of this put has succeeded.
func putCondition(next settings.Revision, c settings.Condition) expression {
	e := expression{names: map[string]string{"#r": attrRevision}, values: item{}}
	e.values[":next"] = &types.AttributeValueMemberS{Value: string(next)}
	if c.IfMatch == nil && c.IfNoneMatch == nil {
		e.expression = "attribute_not_exists(#r) OR #r <= :next"
		return e
	}
	all := []string{"(attribute_not_exists(#r) OR #r < :next)"}
	if c.IfMatch != nil {
		all = append(all, e.among(*c.IfMatch))
	}
	if c.IfNoneMatch != nil {
		all = append(all, "NOT "+e.among(*c.IfNoneMatch))
	}
	e.expression = "#r = :next OR (" + strings.Join(all, " AND ") + ")"
	return e
}

// among returns the condition that the stored revision is one of rs.
func (e *expression) among(rs settings.Revisions) string {
	if rs.Any {
		return "(attribute_exists(#r))"
	}
	// IN needs an operand. No stored revision is the empty text.
	listed := rs.Listed
	if len(listed) == 0 {
		listed = []settings.Revision{""}
	}
	var lists []string
	for chunk := range slices.Chunk(listed, maxOperands) {
		operands := make([]string, len(chunk))
		for i, r := range chunk {
			operands[i] = ":" + strconv.Itoa(len(e.values))
			e.values[operands[i]] = &types.AttributeValueMemberS{Value: string(r)}
		}
		lists = append(lists, "#r IN ("+strings.Join(operands, ",")+")")
	}
	return "(" + strings.Join(lists, " OR ") + ")"
}

// project returns the projection of attributes. It uses placeholders because some names are reserved words.
func project(attributes []string) (names map[string]string, projection string) {
	names = make(map[string]string, len(attributes))
	placeholders := make([]string, len(attributes))
	for i, a := range attributes {
		placeholders[i] = "#" + a
		names[placeholders[i]] = a
	}
	return names, strings.Join(placeholders, ",")
}
