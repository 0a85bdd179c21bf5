package emulator

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// param describes one parameter of an action.
type param struct {
	name     string
	required bool
	// secret parameters are looked at for presence only and dropped at once.
	secret bool
	check  func(name, value string) *problem
}

const (
	textMaxBytes = 255
	minuteLayout = "2006-01-02T15:04Z"
)

var regionShape = regexp.MustCompile(`^[a-z]{2,10}(-[a-z0-9]{1,20}){1,4}$`)

// checkParams holds values against the action's description and removes the
// secret ones. An empty value counts as absent, as at the real gateway; an
// unknown name is refused, which the real gateway does not do.
func (op *operation) checkParams(values map[string]string) *problem {
	for _, name := range sortedKeys(values) {
		if !slices.ContainsFunc(op.params, func(p param) bool { return p.name == name }) {
			return refuse(http.StatusBadRequest, "InvalidParameter", "%s has no parameter %s.", op.name, clip(name))
		}
	}
	for _, p := range op.params {
		value := values[p.name]
		switch {
		case value == "" && p.required:
			return missing(p.name)
		case p.secret, value == "":
			delete(values, p.name)
		default:
			if problem := p.check(p.name, value); problem != nil {
				return problem
			}
		}
	}
	return nil
}

func checkRegion(name, value string) *problem {
	if !regionShape.MatchString(value) {
		return invalid(name, "The specified %s is not valid: %s does not look like cn-hangzhou.", name, clip(value))
	}
	return nil
}

func checkText(name, value string) *problem {
	if len(value) > textMaxBytes || strings.ContainsFunc(value, unicode.IsControl) {
		return invalid(name, "The specified %s is not valid: more than %d bytes, or control characters.", name, textMaxBytes)
	}
	return nil
}

func checkName(name, value string) *problem {
	if strings.TrimSpace(value) != value {
		return invalid(name, "The specified %s is not valid: it begins or ends with white space.", name)
	}
	return checkText(name, value)
}

func checkInstance(name, value string) *problem {
	if strings.ContainsFunc(value, unicode.IsSpace) {
		return invalid(name, "The specified %s is not valid: it holds white space.", name)
	}
	return checkText(name, value)
}

func checkObject(name, value string) *problem {
	if _, err := parseObject(value); err != nil {
		return invalid(name, "The specified %s is not valid: %s.", name, clip(err.Error()))
	}
	return nil
}

func checkCount(name, value string) *problem {
	if n, ok := count(value); !ok || n < 1 {
		return invalid(name, "The specified %s is not valid: want a whole number from 1.", name)
	}
	return nil
}

func checkMinute(name, value string) *problem {
	if _, err := time.Parse(minuteLayout, value); err != nil || len(value) != len(minuteLayout) {
		return invalid(name, "The specified %s is not valid: want UTC to the minute, such as 2022-03-23T01:10Z.", name)
	}
	return nil
}

// count reads a plain decimal number; signs and spaces are refused.
func count(value string) (int, bool) {
	if !digits(value, 9) {
		return 0, false
	}
	n, err := strconv.Atoi(value)
	return n, err == nil
}
