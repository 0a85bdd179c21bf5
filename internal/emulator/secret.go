package emulator

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// SecretType says what a secret's data is.
type SecretType string

// The types of KMS; text is the default.
const (
	SecretText   SecretType = "text"
	SecretBinary SecretType = "binary" // the data is base64
)

// Secret is one version of a secret that the emulator's KMS keeps.
type Secret struct {
	// Name is required: letters, digits and _/+=.@-, as KMS allows them.
	Name string
	// Data is what GetSecretValue answers; KMS allows up to 30,720 bytes.
	Data string
	// Type: text (default) or binary.
	Type SecretType
	// Stage is the stage label of the version. Default: ACSCurrent.
	Stage string
	// Version is the id of the version. Default: v1.
	Version string
}

const (
	stageCurrent    = "ACSCurrent"
	versionDefault  = "v1"
	secretDataMax   = 30_720
	secretNameMax   = 64
	secretNameExtra = "_/+=.@-"
)

// withDefaults fills in the defaults or says what is wrong, without the data.
func (s Secret) withDefaults() (Secret, error) {
	if err := oneOf("type", &s.Type, SecretText, SecretBinary); err != nil {
		return s, err
	}
	setDefault(&s.Stage, stageCurrent)
	setDefault(&s.Version, versionDefault)
	switch {
	case !secretName(s.Name):
		return s, fmt.Errorf("name %q is not 1 to %d letters, digits and %s", clip(s.Name), secretNameMax, secretNameExtra)
	case s.Data == "" || len(s.Data) > secretDataMax:
		return s, fmt.Errorf("the data of %s has %d bytes: want 1 to %d", s.Name, len(s.Data), secretDataMax)
	case checkText("stage", s.Stage) != nil || checkText("version", s.Version) != nil:
		return s, fmt.Errorf("stage or version of %s is longer than %d bytes or has control characters", s.Name, textMaxBytes)
	}
	if _, err := base64.StdEncoding.DecodeString(s.Data); err != nil && s.Type == SecretBinary {
		return s, fmt.Errorf("the data of %s is binary, and not base64", s.Name)
	}
	return s, nil
}

func secretName(name string) bool {
	for _, c := range name {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && !strings.ContainsRune(secretNameExtra, c) {
			return false
		}
	}
	return name != "" && len(name) <= secretNameMax
}

// vaultKey finds a version of a secret.
type vaultKey struct{ name, stage string }

// vault is what the emulator's KMS keeps. It is built once and only read
// afterwards.
type vault struct {
	secrets map[vaultKey]Secret
	made    time.Time
}

func newVault(secrets []Secret, now time.Time) (vault, error) {
	v := vault{secrets: map[vaultKey]Secret{}, made: now}
	for i, s := range secrets {
		s, err := s.withDefaults()
		if err != nil {
			return v, fmt.Errorf("secret %d: %w", i+1, err)
		}
		key := vaultKey{s.Name, s.Stage}
		if _, twice := v.secrets[key]; twice {
			return v, fmt.Errorf("secret %d: %s has two versions of stage %s", i+1, s.Name, s.Stage)
		}
		v.secrets[key] = s
	}
	return v, nil
}

// secretValue is GetSecretValue of KMS. The real one is found by the host name
// of a region; here every region has the same secrets.
func secretValue(s *Server, c *call) (fields, *problem) {
	stage := c.params["VersionStage"]
	setDefault(&stage, stageCurrent)
	found, ok := s.vault.secrets[vaultKey{c.params["SecretName"], stage}]
	if !ok {
		return nil, refuse(http.StatusNotFound, "Forbidden.ResourceNotFound", "Resource not found.")
	}
	return fields{
		"SecretName": found.Name, "SecretType": "Generic",
		"SecretData": found.Data, "SecretDataType": string(found.Type),
		"VersionId": found.Version, "VersionStages": fields{"VersionStage": []string{found.Stage}},
		"CreateTime": s.vault.made.UTC().Format(time.RFC3339),
	}, nil
}
