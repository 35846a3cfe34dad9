package dynamodb

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
)

// decimal is the exact value of an N: 0.digits × 10^exponent. The digits have
// neither leading nor trailing zeros, and zero is the zero decimal, so equal
// numbers are ==.
type decimal struct {
	negative bool
	digits   string
	exponent int
}

// number has the parts sign, whole, fraction and exponent.
var number = regexp.MustCompile(`^([+-]?)([0-9]*)\.?([0-9]*)(?:[eE]([+-]?[0-9]+))?$`)

// parseDecimal reads a number within DynamoDB's limits: 38 significant digits,
// magnitude from 1E-130 to 9.99…E+125.
func parseDecimal(text string) (decimal, error) {
	parts := number.FindStringSubmatch(text)
	if parts == nil {
		return decimal{}, invalid("%q is not a number", text)
	}
	whole, digits := parts[2], parts[2]+parts[3]
	exponent, err := strconv.ParseInt(cmp.Or(parts[4], "0"), 10, 32)
	if digits == "" || err != nil {
		return decimal{}, invalid("%q is not a number", text)
	}
	d := decimal{negative: parts[1] == "-", exponent: int(exponent)}
	significant := strings.TrimLeft(digits, "0")
	d.exponent += len(whole) - (len(digits) - len(significant))
	d.digits = strings.TrimRight(significant, "0")
	switch {
	case d.digits == "":
		return decimal{}, nil
	case len(d.digits) > 38:
		return decimal{}, invalid("number %q has more than 38 significant digits", text)
	case d.exponent <= -130 || d.exponent > 126:
		return decimal{}, invalid("number %q is out of range", text)
	}
	return d, nil
}

func (d decimal) size() int {
	size := 1 + (len(d.digits)+1)/2
	if d.negative {
		size++
	}
	return size
}

func (d decimal) compare(e decimal) int {
	if c := cmp.Compare(d.sign(), e.sign()); c != 0 {
		return c
	}
	return d.sign() * cmp.Or(
		cmp.Compare(d.exponent, e.exponent),
		strings.Compare(d.digits, e.digits),
	)
}

func (d decimal) sign() int {
	switch {
	case d.digits == "":
		return 0
	case d.negative:
		return -1
	}
	return 1
}
