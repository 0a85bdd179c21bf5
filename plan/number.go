package plan

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	// exponentMax bounds the power of ten that a number may reach, however it is
	// written, so that a few bytes cannot stand for millions of digits.
	exponentMax = 9999
	// plainDigitsMax is the longest number written without an exponent.
	plainDigitsMax = 100
)

// canonicalNumber returns the one spelling of the JSON number in text. It works
// on the digits, so nothing is rounded: 9007199254740993 stays what it is.
func canonicalNumber(text string) (string, error) {
	rest, negative := strings.CutPrefix(text, "-")
	mantissa, exponentText := rest, "0"
	if i := strings.IndexAny(rest, "eE"); i >= 0 {
		mantissa, exponentText = rest[:i], rest[i+1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return "0", nil
	}
	exponent, err := strconv.ParseInt(exponentText, 10, 32)
	power := int(exponent) - len(fraction) + len(digits) - 1 // of the first digit
	if err != nil || power > exponentMax || power < -exponentMax {
		return "", fmt.Errorf("the number %s has an exponent beyond ±%d", quoteName(text), exponentMax)
	}
	trimmed := strings.TrimRight(digits, "0")
	number := spellNumber(trimmed, power+1-len(trimmed))
	if negative {
		number = "-" + number
	}
	return number, nil
}

// spellNumber writes digits × 10^exponent. digits neither starts nor ends with 0.
func spellNumber(digits string, exponent int) string {
	point := len(digits) + exponent // where the decimal point falls in digits
	switch {
	case exponent >= 0 && point <= plainDigitsMax:
		return digits + strings.Repeat("0", exponent)
	case exponent < 0 && point > 0 && len(digits) <= plainDigitsMax:
		return digits[:point] + "." + digits[point:]
	case exponent < 0 && point <= 0 && -exponent <= plainDigitsMax:
		return "0." + strings.Repeat("0", -point) + digits
	}
	text := digits[:1]
	if len(digits) > 1 {
		text += "." + digits[1:]
	}
	return text + "e" + strconv.Itoa(point-1)
}

// isJSONNumber reports whether text is a number as JSON writes them: 007, +1,
// 1_000, .5 and 0x1f are not.
func isJSONNumber(text string) bool {
	rest := strings.TrimPrefix(text, "-")
	whole := leadingDigits(rest)
	if whole == 0 || whole > 1 && rest[0] == '0' {
		return false
	}
	rest = rest[whole:]
	if fraction, ok := strings.CutPrefix(rest, "."); ok {
		n := leadingDigits(fraction)
		if n == 0 {
			return false
		}
		rest = fraction[n:]
	}
	if rest != "" && (rest[0] == 'e' || rest[0] == 'E') {
		rest = rest[1:]
		if rest != "" && (rest[0] == '+' || rest[0] == '-') {
			rest = rest[1:]
		}
		n := leadingDigits(rest)
		return n > 0 && n == len(rest)
	}
	return rest == ""
}

// leadingDigits returns how many ASCII digits text starts with.
func leadingDigits(text string) int {
	n := 0
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	return n
}
