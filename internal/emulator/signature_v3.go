package emulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"
)

const algorithmV3 = "ACS3-HMAC-SHA256"

// requiredV3 are the headers without which a signature proves too little
// (API reference, section 10).
var requiredV3 = []string{"host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"}

// authorizationV3 is a header Authorization in its parts.
type authorizationV3 struct {
	keyID     string
	signed    []string // header names, lower case, sorted, distinct
	signature string
}

// authenticateV3 verifies an ACS3-HMAC-SHA256 request. Everything it needs is
// in the headers, but for the parameters.
func authenticateV3(in *request, keys keyring, now time.Time) (*caller, *problem) {
	auth, p := parseAuthorization(in.header.Values("Authorization"))
	if p != nil {
		return nil, p
	}
	if p := checkSignedHeaders(in, auth.signed); p != nil {
		return nil, p
	}
	nonce := in.header.Get("X-Acs-Signature-Nonce")
	signed, p := parseSigned(in.header.Get("X-Acs-Date"), now)
	if p == nil {
		p = checkNonce(nonce)
	}
	if p != nil {
		return nil, p
	}
	key, known := keys[auth.keyID]
	if !known {
		return nil, unknownKey()
	}
	if p := verifyV3(in, auth, key); p != nil {
		return nil, p
	}
	if p := checkToken(key, in.header.Get("X-Acs-Security-Token")); p != nil {
		return nil, p
	}
	if named := in.header.Get("X-Acs-Accesskey-Id"); named != "" && named != key.ID {
		return nil, refuse(http.StatusBadRequest, "IncompleteSignature", "The header x-acs-accesskey-id names another key than Authorization does.")
	}
	who := &caller{
		key: key, nonce: nonce, signed: signed, params: in.form,
		action: in.header.Get("X-Acs-Action"), version: in.header.Get("X-Acs-Version"),
	}
	return who, who.takeParams(in)
}

// takeParams takes the parameters from where the SDK sends them (section 2): in a
// URL, passwords would end up in access logs.
func (who *caller) takeParams(in *request) *problem {
	other, belongs := in.query, "in the query; it belongs in the form body"
	if op, _ := findOperation(who.action, who.version); op != nil && op.inQuery {
		who.params, other, belongs = in.query, in.form, "in the form body; it belongs in the query"
	}
	if len(other) > 0 {
		return refuse(http.StatusBadRequest, "InvalidParameter", "The parameter %s is %s.", clip(sortedKeys(other)[0]), belongs)
	}
	return nil
}

// parseAuthorization reads "ACS3-HMAC-SHA256 Credential=…,SignedHeaders=…,Signature=…".
func parseAuthorization(values []string) (authorizationV3, *problem) {
	incomplete := func(why string) (authorizationV3, *problem) {
		return authorizationV3{}, refuse(http.StatusBadRequest, "IncompleteSignature",
			"The header Authorization %s: want %s Credential=<id>,SignedHeaders=<a;b>,Signature=<hex>.", why, algorithmV3)
	}
	if len(values) != 1 {
		return incomplete("is given more than once")
	}
	rest, found := strings.CutPrefix(values[0], algorithmV3+" ")
	if !found {
		return incomplete("has another algorithm")
	}
	parts := strings.Split(rest, ",")
	if len(parts) != 3 {
		return incomplete("does not have three parts")
	}
	var got [3]string
	for i, name := range []string{"Credential=", "SignedHeaders=", "Signature="} {
		if got[i], found = strings.CutPrefix(strings.TrimSpace(parts[i]), name); !found || got[i] == "" {
			return incomplete("lacks " + strings.TrimSuffix(name, "="))
		}
	}
	return authorizationV3{keyID: got[0], signed: strings.Split(got[1], ";"), signature: got[2]}, nil
}

// checkSignedHeaders demands the required headers, and every header that the
// documentation says must be signed when it is present.
func checkSignedHeaders(in *request, signed []string) *problem {
	incomplete := func(format string, args ...any) *problem {
		return refuse(http.StatusBadRequest, "IncompleteSignature", format, args...)
	}
	if !slices.IsSorted(signed) || len(slices.Compact(slices.Clone(signed))) != len(signed) {
		return incomplete("SignedHeaders must be sorted, without doubles.")
	}
	for _, name := range requiredV3 {
		if !slices.Contains(signed, name) {
			return incomplete("The header %s is not signed.", name)
		}
	}
	for _, name := range signed {
		if name != strings.ToLower(name) {
			return incomplete("SignedHeaders must be in lower case: %s.", clip(name))
		}
		if name != "host" && len(in.header.Values(name)) != 1 {
			return incomplete("The signed header %s must be present once.", clip(name))
		}
	}
	for name := range in.header {
		name = strings.ToLower(name)
		mustSign := strings.HasPrefix(name, "x-acs-") || name == "content-type"
		if mustSign && !slices.Contains(signed, name) {
			return incomplete("The header %s is present but not signed.", clip(name))
		}
	}
	return nil
}

func verifyV3(in *request, auth authorizationV3, key Key) *problem {
	payload := sha256.Sum256(in.body)
	hash := hex.EncodeToString(payload[:])
	if !equal(hash, in.header.Get("X-Acs-Content-Sha256")) {
		return refuse(http.StatusBadRequest, "SignatureDoesNotMatch", "The body does not have the hash that x-acs-content-sha256 tells.")
	}
	if !equal(signV3(canonicalV3(in, auth.signed, hash), key.Secret), auth.signature) {
		return refuse(http.StatusBadRequest, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation.")
	}
	return nil
}

// canonicalV3 is the canonical request. Each header line ends in a newline of
// its own, so a blank line separates the headers from their names.
func canonicalV3(in *request, signed []string, payloadHash string) string {
	var headers strings.Builder
	for _, name := range signed {
		value := in.header.Get(name)
		if name == "host" {
			value = in.host // net/http keeps it out of the header map
		}
		headers.WriteString(name + ":" + strings.TrimSpace(value) + "\n")
	}
	return strings.Join([]string{
		in.method, "/", canonicalQuery(in.query), headers.String(), strings.Join(signed, ";"), payloadHash,
	}, "\n")
}

// canonicalQuery is the sorted, re-encoded query, as both signatures want it.
func canonicalQuery(params map[string]string) string {
	pairs := make([]string, 0, len(params))
	for _, name := range sortedKeys(params) {
		pairs = append(pairs, percentEncode(name)+"="+percentEncode(params[name]))
	}
	return strings.Join(pairs, "&")
}

func signV3(canonical, secret string) string {
	hash := sha256.Sum256([]byte(canonical))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(algorithmV3 + "\n" + hex.EncodeToString(hash[:])))
	return hex.EncodeToString(mac.Sum(nil))
}
