package monitor

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// wholeNumber reads a number in JSON, which must be whole and not negative. It may be
// written with a fraction or an exponent, as 5.0 and 5e0.
func wholeNumber(text string) (int64, error) {
	if n, err := strconv.ParseUint(text, 10, 63); err == nil {
		return int64(n), nil
	}
	number, exponent := text, 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		number = text[:i]
		const most = 1 << 24 // more than any number has digits
		if exponent, _ = strconv.Atoi(text[i+1:]); exponent > most || exponent < -most {
			exponent = max(-most, min(most, exponent))
		}
	}
	number, negative := strings.CutPrefix(number, "-")
	whole, fraction, _ := strings.Cut(number, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	exponent -= len(fraction)
	trimmed := strings.TrimRight(digits, "0")
	exponent += len(digits) - len(trimmed)
	switch {
	case trimmed == "":
		return 0, nil
	case negative || exponent < 0:
		return 0, fmt.Errorf("%.40s is not a whole number from 0", text)
	case len(trimmed)+exponent <= len("9223372036854775807"):
		if n, err := strconv.ParseUint(trimmed+strings.Repeat("0", exponent), 10, 63); err == nil {
			return int64(n), nil
		}
	}
	return 0, errors.New("more than 9223372036854775807")
}
