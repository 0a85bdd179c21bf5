package emulator

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits on what a request may hold.
const (
	bodyMaxBytes  = 1 << 20
	parametersMax = 64
	nonceMaxBytes = 128
	dateWindow    = 15 * time.Minute
	formMediaType = "application/x-www-form-urlencoded"
)

// request is an incoming request, read whole, its parameters decoded but
// nothing believed yet.
type request struct {
	method      string
	host        string
	header      http.Header
	body        []byte
	query, form map[string]string
}

// readRequest reads r or says why it cannot be a call of the API.
func readRequest(w http.ResponseWriter, r *http.Request) (*request, *problem) {
	if r.URL.Path != "/" {
		return nil, refuse(http.StatusNotFound, "InvalidAction.NotFound", "Specified api is not found: the path of an RPC call is /, not %s.", clip(r.URL.Path))
	}
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		return nil, refuse(http.StatusBadRequest, "UnsupportedHTTPMethod", "This HTTP method is not supported: %s.", clip(r.Method))
	}
	body, p := readBody(w, r)
	if p != nil {
		return nil, p
	}
	in := &request{method: r.Method, host: r.Host, header: r.Header, body: body}
	if in.query, p = parameters(r.URL.RawQuery); p != nil {
		return nil, p
	}
	in.form, p = parameters(string(body))
	return in, p
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, *problem) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMaxBytes))
	// The limit was for the request. Left in force, it would look like a client
	// that leaves in the middle of a slow answer.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, refuse(http.StatusRequestEntityTooLarge, "RequestTooLarge", "The body is larger than %d bytes.", bodyMaxBytes)
	case err != nil:
		return nil, refuse(http.StatusBadRequest, "IncompleteBody", "The body could not be read to its end.")
	case len(body) == 0:
		return body, nil
	case r.Method == http.MethodGet:
		return nil, refuse(http.StatusBadRequest, "UnsupportedHTTPMethod", "A GET request has no body.")
	case r.Header.Get("Content-Encoding") != "":
		return nil, refuse(http.StatusBadRequest, "InvalidContentEncoding", "The body must not be compressed.")
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != formMediaType {
		return nil, refuse(http.StatusBadRequest, "InvalidContentType", "The body must be %s.", formMediaType)
	}
	return body, nil
}

// parameters decodes a query or a form body. No name may come twice.
func parameters(encoded string) (map[string]string, *problem) {
	if strings.Count(encoded, "&") >= parametersMax {
		return nil, refuse(http.StatusBadRequest, "InvalidParameter", "There are more than %d parameters.", parametersMax)
	}
	values, err := url.ParseQuery(encoded)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "InvalidParameter", "The parameters are not well encoded.")
	}
	out := make(map[string]string, len(values))
	for name, all := range values {
		if len(all) != 1 {
			return nil, refuse(http.StatusBadRequest, "InvalidParameter", "The parameter %s is given more than once.", clip(name))
		}
		if !utf8.ValidString(name) || !utf8.ValidString(all[0]) {
			return nil, refuse(http.StatusBadRequest, "InvalidParameter", "The parameter %s is not UTF-8.", clip(name))
		}
		out[name] = all[0]
	}
	return out, nil
}

// caller is who signed a request, and what the signature covers.
type caller struct {
	key             Key
	action, version string
	nonce           string
	signed          time.Time
	params          map[string]string
}

// authenticate finds out which of the two signatures the request has and
// verifies it. It does not look at the nonce: that needs the state.
func authenticate(in *request, keys keyring, now time.Time) (*caller, *problem) {
	_, rpc := in.query["Signature"]
	if !rpc {
		_, rpc = in.form["Signature"]
	}
	authorization := in.header.Get("Authorization")
	switch {
	case authorization != "" && rpc:
		return nil, refuse(http.StatusBadRequest, "IncompleteSignature", "The request is signed twice, in the header Authorization and in the parameter Signature.")
	case authorization != "":
		return authenticateV3(in, keys, now)
	case rpc:
		return authenticateRPC(in, keys, now)
	}
	return nil, refuse(http.StatusBadRequest, "IncompleteSignature", "The request is not signed: it has neither an ACS3-HMAC-SHA256 header Authorization nor a parameter Signature.")
}

// parseSigned reads the date that a signature covers and checks its window.
func parseSigned(text string, now time.Time) (time.Time, *problem) {
	const layout = "2006-01-02T15:04:05Z"
	// time.Parse would let fractions of a second pass.
	at, err := time.Parse(layout, text)
	if err != nil || len(text) != len(layout) {
		return at, refuse(http.StatusBadRequest, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted: want %s.", layout)
	}
	if off := now.Sub(at); off > dateWindow || off < -dateWindow {
		return at, refuse(http.StatusBadRequest, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired: it is %v off, %v are allowed.", off.Round(time.Second), dateWindow)
	}
	return at, nil
}

func checkNonce(nonce string) *problem {
	if nonce == "" || len(nonce) > nonceMaxBytes || strings.ContainsFunc(nonce, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return refuse(http.StatusBadRequest, "InvalidSignatureNonce", "The signature nonce must be 1 to %d printable characters.", nonceMaxBytes)
	}
	return nil
}

func unknownKey() *problem {
	return refuse(http.StatusNotFound, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
}

func sortedKeys(m map[string]string) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
