package dynamodb

import (
	"regexp"
	"strings"
)

// The limits of an expression.
const (
	maxExpression  = 4 << 10 // bytes
	maxPlaceholder = 255     // bytes
	maxOperators   = 300     // operators and functions
)

// nextToken is a word, #name, :value, comparator or punctuation.
var nextToken = regexp.MustCompile(`^[ \t\r\n]*([A-Za-z]\w*|[#:]\w+|<>|<=|>=|[=<>(),])[ \t\r\n]*`)

// lex splits an expression into its tokens.
func lex(text string) (tokens []string, err error) {
	if len(text) > maxExpression {
		return nil, invalid("expression of %d bytes exceeds the maximum of %d", len(text), maxExpression)
	}
	operators := 0
	for rest := text; rest != "" || len(tokens) == 0; {
		m := nextToken.FindStringSubmatch(rest)
		if m == nil {
			return nil, invalid("syntax error near %q; paths into nested attributes are not supported", rest)
		}
		token := m[1]
		if len(token) > maxPlaceholder && strings.Contains("#:", token[:1]) {
			return nil, invalid("placeholder of %d bytes exceeds the maximum of %d", len(token), maxPlaceholder)
		}
		switch strings.ToLower(token) { // BETWEEN is counted by its AND
		case "=", "<>", "<", "<=", ">", ">=", "in", "not", "and", "or", "attribute_exists", "attribute_not_exists", "begins_with":
			operators++
		}
		tokens, rest = append(tokens, token), rest[len(m[0]):]
	}
	if operators > maxOperators {
		return nil, invalid("expression of %d operators exceeds the maximum of %d", operators, maxOperators)
	}
	return tokens, nil
}
