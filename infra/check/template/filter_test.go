package template

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A filterPattern is a metric filter's JSON pattern. It has the part of the syntax that template.yaml uses:
// { $.name = "text" } and { $.name = 1 } with =, !=, <, <=, > and >=, joined by && and ||. && binds closer.
// A condition on a name that the line lacks does not hold.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
type filterPattern struct {
	alternatives [][]filterTerm
}

type filterTerm struct {
	name, operator string
	value          any // string or float64
}

var termSyntax = regexp.MustCompile(`^\$\.(\w+) (=|!=|<|<=|>|>=) (?:"([^"]*)"|(-?[0-9.]+))$`)

func parseFilter(text string) (filterPattern, error) {
	inner, ok := strings.CutPrefix(text, "{ ")
	inner, end := strings.CutSuffix(inner, " }")
	if !ok || !end {
		return filterPattern{}, fmt.Errorf("%q is not in braces", text)
	}
	var p filterPattern
	for alternative := range strings.SplitSeq(inner, " || ") {
		var terms []filterTerm
		for term := range strings.SplitSeq(alternative, " && ") {
			m := termSyntax.FindStringSubmatch(term)
			if m == nil {
				return filterPattern{}, fmt.Errorf("%q is not a condition", term)
			}
			t := filterTerm{name: m[1], operator: m[2], value: m[3]}
			if m[4] != "" {
				number, err := strconv.ParseFloat(m[4], 64)
				if err != nil {
					return filterPattern{}, err
				}
				t.value = number
			}
			terms = append(terms, t)
		}
		p.alternatives = append(p.alternatives, terms)
	}
	return p, nil
}

// match reports whether the filter counts a log line. It counts no line that is not a JSON object.
func (p filterPattern) match(line string) bool {
	var members map[string]any
	if json.Unmarshal([]byte(line), &members) != nil {
		return false
	}
	for _, terms := range p.alternatives {
		all := true
		for _, t := range terms {
			all = all && t.holds(members[t.name])
		}
		if all {
			return true
		}
	}
	return false
}

func (t filterTerm) holds(got any) bool {
	switch want := t.value.(type) {
	case string:
		text, ok := got.(string)
		return ok && (t.operator == "=" && text == want || t.operator == "!=" && text != want)
	case float64:
		number, ok := got.(float64)
		if !ok {
			return false
		}
		switch t.operator {
		case "=":
			return number == want
		case "!=":
			return number != want
		case "<":
			return number < want
		case "<=":
			return number <= want
		case ">":
			return number > want
		case ">=":
			return number >= want
		}
	}
	return false
}
