package aps

import (
	"strings"
	"unicode"

	"github.com/apsctl/apsctl/plan"
)

// refusals are the codes of refusals before execution, each with all that
// follows it after a dot (API reference, section 7). A code that is not known
// here proves nothing about a create.
//
// Left out on purpose: SignatureNonceUsed, because an identical request did
// arrive; InvalidInput, because documented success samples carry it; and the
// Incorrect… family, because nothing says when the back end checks those.
var refusals = map[string]plan.Failure{
	"SignatureDoesNotMatch": plan.FailureCredentials,
	"IncompleteSignature":   plan.FailureCredentials,
	"InvalidAccessKeyId":    plan.FailureCredentials,
	"InvalidSecurityToken":  plan.FailureCredentials,
	"MissingSecurityToken":  plan.FailureCredentials,
	"InvalidTimeStamp":      plan.FailureCredentials,

	"NoPermission": plan.FailurePermission,
	"Forbidden":    plan.FailurePermission,
	"Unauthorized": plan.FailurePermission,

	"InvalidApi":            plan.FailureConfig,
	"InvalidAction":         plan.FailureConfig,
	"ApiVersionForbidden":   plan.FailureConfig,
	"InvalidProtocol":       plan.FailureConfig,
	"UnsupportedHTTPMethod": plan.FailureConfig,

	"InvalidDBClusterId": plan.FailureOther,
	"InvalidDBCluster":   plan.FailureOther,
	"ADBClassNotSupport": plan.FailureOther,
}

// dateTooOld is a refusal before execution of the copy of a request that got it,
// and yet proves nothing: an earlier copy, whose answer was lost, may have been
// carried out, and a proxy may have sent this one again after the window.
const dateTooOld = "InvalidTimeStamp.Expired"

// temporary are codes that say that the service could not do it just now. A
// create that got one may have been executed.
var temporary = map[string]bool{
	"InternalError": true, "InternalServerError": true, "InternalFailure": true,
	"ServiceUnavailable": true, "AcsServerTimeOut": true,
	"ADBConsoleAPIError": true, "ADBConsoleAPITimeout": true,
	"SignatureNonceUsed": true, // the next attempt has another nonce
}

// createParams are the parameters of CreateAPSJob (API reference, section 2).
var createParams = []string{
	"RegionId", "ApsJobName", "SourceEndpointInstanceID", "SourceEndpointRegion",
	"SourceEndpointUserName", "SourceEndpointPassword", "DestinationEndpointInstanceID",
	"DestinationEndpointUserName", "DestinationEndpointPassword", "DbList",
	"PartitionList", "TargetTableMode",
}

// refusedBeforeExecution returns the class of code, and whether it is certain
// that a request that got it was not executed.
func refusedBeforeExecution(code string) (plan.Failure, bool) {
	family, _, _ := strings.Cut(code, ".")
	if class, ok := refusals[family]; ok {
		return class, true
	}
	switch {
	case throttling(code):
		return plan.FailureThrottled, true
	case strings.HasPrefix(code, "InvalidParameter"), invalidParameter(family), missingParameter(family):
		return plan.FailureOther, true
	}
	return plan.FailureOther, false
}

// throttling reports whether code is of the throttling family, whose spellings
// differ: Throttling.User, Rejected.Throttling and others.
func throttling(code string) bool { return strings.Contains(code, "Throttling") }

// invalidParameter reports whether family is Invalid and one of our parameters.
// Other codes begin with Invalid too, and not all of them are about parameters.
func invalidParameter(family string) bool {
	name, ok := strings.CutPrefix(family, "Invalid")
	if !ok {
		return false
	}
	for _, parameter := range createParams {
		if strings.EqualFold(name, parameter) {
			return true
		}
	}
	return false
}

// missingParameter reports whether family is Missing and a name. Any name will
// do: the service may come to require parameters that are not known here.
func missingParameter(family string) bool {
	name, ok := strings.CutPrefix(family, "Missing")
	if !ok || name == "" || !unicode.IsUpper(rune(name[0])) {
		return false
	}
	return strings.IndexFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) < 0
}

// tokenRefused reports whether code is about the security token, which can be
// fetched anew.
func tokenRefused(code string) bool {
	return code == "InvalidSecurityToken" || strings.HasPrefix(code, "InvalidSecurityToken.")
}

// alreadyThere reports whether a text of the service says that something exists
// already, under whatever code. It may be what this very request made.
func alreadyThere(text string) bool {
	text = strings.ToLower(text)
	for _, sign := range []string{"alreadyexist", "already exist", "duplicate", "已存在"} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}

// FailureOfCode is the class of a code of the service that says that nothing was
// done; any other code, and none, is FailureOther.
func FailureOfCode(code string) plan.Failure {
	class, _ := refusedBeforeExecution(code)
	return class
}
