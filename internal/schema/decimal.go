package schema

import (
	"cmp"
	"math/big"
	"strconv"
	"strings"
)

// decimal is a JSON number, exactly: 0.DIGITS times ten to the power of exponent. It is not expanded, however large the
// exponent.
type decimal struct {
	negative bool
	digits   string // without zeros at both ends; empty: zero
	exponent int64  // within ±maxExponent
	beyond   string // the exponent, if it is beyond that; in one form where it has at most 1,000 digits
}

const maxExponent = 1e18

// parseDecimal reads the text of a JSON number.
func parseDecimal(text string) decimal {
	var d decimal
	text, d.negative = strings.CutPrefix(text, "-")
	mantissa, power, _ := strings.Cut(strings.Replace(text, "E", "e", 1), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	d.exponent = int64(len(whole))
	d.digits = strings.TrimLeft(digits, "0")
	d.exponent -= int64(len(digits) - len(d.digits))
	d.digits = strings.TrimRight(d.digits, "0")
	if d.digits == "" {
		return decimal{}
	}
	if power == "" {
		return d
	}
	n, err := strconv.ParseInt(power, 10, 64)
	if err == nil && -maxExponent < n && n < maxExponent {
		d.exponent += n
		return d
	}
	d.beyond = power
	if len(power) <= maxDigits {
		exact, _ := new(big.Int).SetString(power, 10)
		d.beyond = exact.Add(exact, big.NewInt(d.exponent)).String()
	}
	d.exponent = maxExponent
	if power[0] == '-' {
		d.exponent = -maxExponent
	}
	return d
}

// compare is exact if one of the numbers has an exponent within ±maxExponent.
func (d decimal) compare(other decimal) int {
	if sign := d.sign(); sign != other.sign() || sign == 0 {
		return cmp.Compare(sign, other.sign())
	}
	magnitude := cmp.Or(cmp.Compare(d.exponent, other.exponent), strings.Compare(d.digits, other.digits))
	return magnitude * d.sign()
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

func (d decimal) isInteger() bool { return int64(len(d.digits)) <= d.exponent || d.digits == "" }

// isMultipleOf says whether d divided by m, which is not zero, is an integer.
func (d decimal) isMultipleOf(m decimal) bool {
	// Without their exponents, both are integers, and d does not end with a zero.
	power := d.exponent - int64(len(d.digits)) - (m.exponent - int64(len(m.digits)))
	divisor, _ := new(big.Int).SetString(m.digits, 10)
	if d.digits == "" || power < 0 {
		return d.digits == ""
	}
	remainder, chunk := new(big.Int), new(big.Int)
	for digits := d.digits; digits != ""; {
		n := min(len(digits), 18)
		value, _ := strconv.ParseInt(digits[:n], 10, 64)
		remainder.Mul(remainder, chunk.Exp(big.NewInt(10), big.NewInt(int64(n)), nil))
		remainder.Add(remainder, chunk.SetInt64(value)).Rem(remainder, divisor)
		digits = digits[n:]
	}
	remainder.Mul(remainder, chunk.Exp(big.NewInt(10), big.NewInt(power), divisor))
	return remainder.Rem(remainder, divisor).Sign() == 0
}

// appendCanonical appends a text that equal numbers share.
func (d decimal) appendCanonical(b []byte) []byte {
	if d.negative {
		b = append(b, '-')
	}
	b = append(append(b, d.digits...), 'e')
	if d.beyond != "" {
		return append(b, d.beyond...)
	}
	return strconv.AppendInt(b, d.exponent, 10)
}
