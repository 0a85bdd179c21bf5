package emulator

import (
	"crypto/subtle"
	"net/http"
)

// checkToken compares the security token sent with the key's own. It runs
// after the signature has been verified, so it tells strangers nothing.
func checkToken(key Key, sent string) *problem {
	switch {
	case key.SecurityToken != "" && sent == "":
		return refuse(http.StatusBadRequest, "MissingSecurityToken", "SecurityToken is mandatory for this access key.")
	case !equal(key.SecurityToken, sent):
		return refuse(http.StatusBadRequest, "InvalidSecurityToken.MismatchWithAccessKey", "The specified security token does not belong to this access key.")
	}
	return nil
}

// equal compares in a time that does not depend on where the texts differ.
func equal(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
