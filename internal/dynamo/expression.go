package dynamo

import (
	"slices"
	"strconv"
	"strings"

	"orgsettings/internal/settings"
)

// maxOperands bounds the values of one IN.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
const maxOperands = 100

// expression is a condition on #o, the attribute orgId, and #r, the attribute revision. It uses both.
type expression struct {
	text   string
	values item
}

// putCondition returns the condition under which a record with revision next may replace the stored one: c holds and
// the stored revision is lower, or the stored revision is next because an earlier attempt of this put has succeeded.
func putCondition(next settings.Revision, c settings.Condition) expression {
	e := expression{values: item{":next": text(string(next))}}
	all := []string{"(attribute_not_exists(#o) OR #r < :next)"}
	if c.IfMatch != nil {
		all = append(all, e.among(*c.IfMatch))
	}
	if c.IfNoneMatch != nil {
		all = append(all, "NOT "+e.among(*c.IfNoneMatch))
	}
	e.text = "#r = :next OR " + strings.Join(all, " AND ")
	return e
}

// swapCondition returns the condition under which a record with revision next may replace stored: the revision is
// still that one, whatever type it has, or next because an earlier attempt of this put has succeeded.
func swapCondition(next settings.Revision, stored item) expression {
	e := expression{values: item{":next": text(string(next))}}
	switch revision := stored[attrRevision]; {
	case stored == nil:
		e.text = "#r = :next OR attribute_not_exists(#o)"
	case revision == nil:
		e.text = "#r = :next OR (attribute_exists(#o) AND attribute_not_exists(#r))"
	default:
		e.text = "attribute_exists(#o) AND (#r = :next OR #r = :stored)"
		e.values[":stored"] = revision
	}
	return e
}

// among returns the condition that the stored revision is one of rs.
func (e *expression) among(rs settings.Revisions) string {
	if rs.Any {
		return "(attribute_exists(#o))"
	}
	if len(rs.Listed) == 0 {
		return "(#r IN (:next))" // IN needs an operand, and an earlier attempt does not get here
	}
	var lists []string
	for chunk := range slices.Chunk(rs.Listed, maxOperands) {
		operands := make([]string, len(chunk))
		for i, r := range chunk {
			operands[i] = ":" + strconv.Itoa(len(e.values))
			e.values[operands[i]] = text(string(r))
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
