package logging

import "strings"

// isInert reports whether a value cannot be a secret: there is none, it is hidden
// already, or something else is put in its place later.
func isInert(value string) bool {
	content := strings.TrimFunc(value, func(c rune) bool { return strings.ContainsRune(" \t<>[](){}*", c) })
	switch {
	case content == "" || len(content) > 2 && strings.Trim(content, "xX.?•") == "": // xxxxx is what net/url writes
		return true
	case isPlaceholder(value):
		return true
	case len(content) > len("(known after apply)"):
		return false
	}
	switch strings.ToLower(content) {
	case "nil", "null", "none", "undefined", "true", "false", "redacted", "filtered", "masked":
		return true
	case "hidden", "sensitive", "sensitive value", "known after apply", "removed", "omitted", "unset", "empty", "secret", "protected", "no value":
		return content != value
	default:
		return false
	}
}

// isPlaceholder reports whether a value is put in later, by a template, a format or
// a database.
func isPlaceholder(value string) bool {
	switch {
	case len(value) < 2:
		return value == "?"
	case value[0] == '$':
		return onlyDigits(value[1:]) || isEnclosed(value[1:], "{", "}") || isEnclosed(value[1:], "(", ")")
	case value[0] == '%':
		return value == "%s" || value == "%v" || value == "%q" || value == "%d" || isEnclosed(value[1:], "(", ")s")
	default:
		return isEnclosed(value, "{{", "}}") || isEnclosed(value, "#{", "}")
	}
}

func isEnclosed(s, opening, closing string) bool {
	return len(s) > len(opening)+len(closing) && strings.HasPrefix(s, opening) && strings.HasSuffix(s, closing)
}

// isNumber reports whether a value is a number, maybe with a unit, or a list of
// numbers.
func isNumber(value string) bool {
	const numbers, units, longest = "0123456789., -+/%[]()", "nuµsmhkKMGB", 16
	if !strings.ContainsAny(value, "0123456789") {
		return false
	}
	return strings.Trim(value, numbers) == "" || len(value) <= longest && isDigit(value[0]) && strings.Trim(value, numbers+units) == ""
}
