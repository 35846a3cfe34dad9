package dynamodb

import "strings"

// The limits of an expression.
const (
	maxExpression  = 4 << 10 // bytes
	maxPlaceholder = 255     // bytes
	maxOperators   = 300     // operators and functions
)

const (
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	word    = letters + "0123456789_"
	space   = " \t\r\n"
)

// lex splits an expression into its tokens: words, #names, :values, comparators
// and punctuation.
func lex(text string) ([]string, error) {
	if len(text) > maxExpression {
		return nil, invalid("expression of %d bytes exceeds the maximum of %d", len(text), maxExpression)
	}
	var tokens []string
	for rest := strings.TrimLeft(text, space); rest != ""; {
		n, err := tokenLength(rest)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, rest[:n])
		rest = strings.TrimLeft(rest[n:], space)
	}
	if len(tokens) == 0 {
		return nil, invalid("expression is empty")
	}
	if n := countOperators(tokens); n > maxOperators {
		return nil, invalid("expression of %d operators exceeds the maximum of %d", n, maxOperators)
	}
	return tokens, nil
}

// tokenLength returns the length of the first token of text, which is not empty.
func tokenLength(text string) (int, error) {
	first := text[:1]
	switch {
	case strings.Contains(letters+"#:", first):
		n := len(text) - len(strings.TrimLeft(text[1:], word))
		if n == 1 && strings.Contains("#:", first) {
			return 0, invalid("%q without a name", first)
		}
		if n > maxPlaceholder && strings.Contains("#:", first) {
			return 0, invalid("placeholder of %d bytes exceeds the maximum of %d", n, maxPlaceholder)
		}
		return n, nil
	case strings.HasPrefix(text, "<>"), strings.HasPrefix(text, "<="), strings.HasPrefix(text, ">="):
		return 2, nil
	case strings.Contains("=<>(),", first):
		return 1, nil
	case strings.Contains(".[", first):
		return 0, invalid("paths into nested attributes are not supported")
	}
	return 0, invalid("syntax error near %q", text)
}

// countOperators counts BETWEEN by its AND.
func countOperators(tokens []string) int {
	n := 0
	for _, token := range tokens {
		switch strings.ToLower(token) {
		case "=", "<>", "<", "<=", ">", ">=", "in", "not", "and", "or", "attribute_exists", "attribute_not_exists", "begins_with":
			n++
		}
	}
	return n
}
