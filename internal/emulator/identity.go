package emulator

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
)

// callerIdentity is GetCallerIdentity of STS. A plain key is that of the
// account itself; a key with a security token is that of an assumed role,
// which has a RoleId and no UserId.
func callerIdentity(_ *Server, c *call) (fields, *problem) {
	account := c.key.Account
	if c.key.SecurityToken == "" {
		return fields{
			"AccountId": account, "UserId": account, "PrincipalId": account,
			"IdentityType": "Account", "Arn": "acs:ram::" + account + ":root",
		}, nil
	}
	role := roleID(c.key.ID)
	return fields{
		"AccountId": account, "RoleId": role, "PrincipalId": role + ":session",
		"IdentityType": "AssumedRoleUser", "Arn": "acs:sts::" + account + ":assumed-role/emulator/session",
	}, nil
}

// roleID is a number of 18 digits that stays the same for a key.
func roleID(keyID string) string {
	sum := sha256.Sum256([]byte(keyID))
	const lowest, span = 300_000_000_000_000_000, 100_000_000_000_000_000
	return strconv.FormatUint(lowest+binary.BigEndian.Uint64(sum[:8])%span, 10)
}
