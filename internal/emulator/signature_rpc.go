package emulator

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"maps"
	"net/http"
	"time"
)

// commonRPC are the parameters that belong to the old RPC signature and not to
// the action. SignatureType is sent, empty, by Alibaba's older SDKs.
var commonRPC = []string{
	"AccessKeyId", "Action", "Format", "SecurityToken", "Signature", "SignatureMethod",
	"SignatureNonce", "SignatureType", "SignatureVersion", "Timestamp", "Version",
}

// authenticateRPC verifies a request in the old RPC style: HMAC-SHA1, signature
// version 1.0, over all parameters of the query and the form body together.
func authenticateRPC(in *request, keys keyring, now time.Time) (*caller, *problem) {
	params, p := mergeRPC(in.query, in.form)
	if p == nil {
		p = checkCommonRPC(params)
	}
	if p != nil {
		return nil, p
	}
	signed, p := parseSigned(params["Timestamp"], now)
	if p == nil {
		p = checkNonce(params["SignatureNonce"])
	}
	if p != nil {
		return nil, p
	}
	key, known := keys[params["AccessKeyId"]]
	if !known {
		return nil, unknownKey()
	}
	if !equal(signRPC(in.method, params, key.Secret), params["Signature"]) {
		return nil, refuse(http.StatusBadRequest, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation.")
	}
	if p := checkToken(key, params["SecurityToken"]); p != nil {
		return nil, p
	}
	who := &caller{
		key: key, nonce: params["SignatureNonce"], signed: signed,
		action: params["Action"], version: params["Version"], params: params,
	}
	for _, name := range commonRPC {
		delete(who.params, name)
	}
	return who, nil
}

// mergeRPC joins query and body. Older SDKs send RegionId in both; equal
// values count once, as they do in the signature of those SDKs.
func mergeRPC(query, form map[string]string) (map[string]string, *problem) {
	params := maps.Clone(query)
	for name, value := range form {
		if other, twice := params[name]; twice && other != value {
			return nil, refuse(http.StatusBadRequest, "InvalidParameter", "The parameter %s differs between query and body.", clip(name))
		}
		params[name] = value
	}
	return params, nil
}

func checkCommonRPC(params map[string]string) *problem {
	for _, name := range []string{"AccessKeyId", "Action", "Version", "Timestamp", "SignatureNonce", "Signature"} {
		if params[name] == "" {
			return missing(name)
		}
	}
	switch {
	case params["SignatureMethod"] != "HMAC-SHA1":
		return invalid("SignatureMethod", "SignatureMethod must be HMAC-SHA1.")
	case params["SignatureVersion"] != "1.0":
		return invalid("SignatureVersion", "SignatureVersion must be 1.0.")
	case params["SignatureType"] != "":
		return invalid("SignatureType", "SignatureType must be empty or absent for an access key.")
	case params["Format"] != "JSON":
		// Absent means XML in the documentation, and no XML form of these
		// answers is documented.
		return invalid("Format", "Format must be JSON; absent means XML, which is not served here.")
	}
	return nil
}

// signRPC is the signature of params, which may still hold Signature itself.
func signRPC(method string, params map[string]string, secret string) string {
	covered := maps.Clone(params)
	delete(covered, "Signature")
	mac := hmac.New(sha1.New, []byte(secret+"&"))
	mac.Write([]byte(method + "&%2F&" + percentEncode(canonicalQuery(covered))))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
