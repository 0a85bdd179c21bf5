package emulator

import (
	"fmt"
	"strings"
)

// DefaultKeyID and DefaultKeySecret are the pair that every emulator knows
// unless [Options.NoDefaultKey] is set.
const (
	DefaultKeyID     = "emulator"
	DefaultKeySecret = "emulator"
)

// Key is an access key pair that may sign requests.
type Key struct {
	// ID and Secret are required; neither may hold white space, and ID no
	// comma, since it stands in a comma-separated header.
	ID, Secret string

	// Account is the account that the key belongs to, all digits. Empty means
	// the state's own account.
	Account string

	// SecurityToken makes the pair a temporary one: every request must carry
	// exactly this token. Empty means that none may be sent.
	SecurityToken string
}

// ParseKey reads a key from "id:secret" or "id:secret:account".
// The error never holds the secret.
func ParseKey(text string) (Key, error) {
	parts := strings.Split(text, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return Key{}, fmt.Errorf("key has %d parts between colons, want id:secret or id:secret:account", len(parts))
	}
	key := Key{ID: parts[0], Secret: parts[1]}
	if len(parts) == 3 {
		if parts[2] == "" {
			return Key{}, fmt.Errorf("key %q ends in a colon but names no account", key.ID)
		}
		key.Account = parts[2]
	}
	return key, key.validate()
}

func (k Key) validate() error {
	switch {
	case k.ID == "" || k.Secret == "":
		return fmt.Errorf("key %q needs both an id and a secret", k.ID)
	case strings.ContainsAny(k.ID, " \t\r\n,=") || len(k.ID) > 128:
		return fmt.Errorf("key id %q holds white space, a comma or an equals sign, or is longer than 128 bytes", clip(k.ID))
	case strings.ContainsAny(k.Secret+k.SecurityToken, " \t\r\n"):
		return fmt.Errorf("secret or security token of key %q holds white space", k.ID)
	case k.Account != "" && !digits(k.Account, 20):
		return fmt.Errorf("account %q of key %q is not a number of at most 20 digits", clip(k.Account), k.ID)
	}
	return nil
}

// keyring finds keys by id. It is built once and only read afterwards.
type keyring map[string]Key

// newKeyring gives every key without an account the state's own one.
func newKeyring(opts Options, account string) (keyring, error) {
	keys := opts.Keys
	if !opts.NoDefaultKey {
		keys = append([]Key{{ID: DefaultKeyID, Secret: DefaultKeySecret}}, keys...)
	}
	ring := keyring{}
	for _, key := range keys {
		if err := key.validate(); err != nil {
			return nil, err
		}
		if _, twice := ring[key.ID]; twice {
			return nil, fmt.Errorf("key id %q is given twice (%q is known by default)", key.ID, DefaultKeyID)
		}
		if key.Account == "" {
			key.Account = account
		}
		ring[key.ID] = key
	}
	if len(ring) == 0 {
		return nil, fmt.Errorf("no key is left that could sign a request: give one, or keep the default pair")
	}
	return ring, nil
}

// digits reports whether s is one to max ASCII digits.
func digits(s string, max int) bool {
	if s == "" || len(s) > max {
		return false
	}
	return strings.Trim(s, "0123456789") == ""
}
