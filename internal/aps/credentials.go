package aps

import (
	"fmt"
	"os"
	"strings"
	"sync"

	credential "github.com/aliyun/credentials-go/credentials"
	"github.com/aliyun/credentials-go/credentials/providers"
)

// Credentials give the access key that requests are signed with. GetCredential
// is asked before every request; it may block, and may give another key each
// time. The Client asks from one goroutine at a time. Every Credential of
// credentials-go is a Credentials.
//
// A Credentials that also has Renew is told when the service refused its token.
type Credentials interface {
	GetCredential() (*credential.CredentialModel, error)
}

// renewer is a Credentials that can drop what it caches, so that the next
// GetCredential starts over.
type renewer interface{ Renew() }

// StaticCredentials give one access key, with token if it is a temporary one and
// "" otherwise.
func StaticCredentials(id, secret, token string) Credentials {
	kind, name := "access_key", "static_ak"
	if token != "" {
		kind, name = "sts", "static_sts"
	}
	return staticKey{credential.CredentialModel{
		AccessKeyId: &id, AccessKeySecret: &secret, SecurityToken: &token,
		Type: &kind, ProviderName: &name,
	}}
}

type staticKey struct{ model credential.CredentialModel }

func (k staticKey) GetCredential() (*credential.CredentialModel, error) {
	model := k.model
	return &model, nil
}

// DefaultCredentials give what Alibaba's official chain finds, in its order:
// environment, OIDC role, CLI profile, credentials file, instance role,
// credentials URI (API reference, section 9).
//
// A profile that is not "" is looked up in the CLI's configuration, then in the
// credentials file, and nowhere else: whoever names one does not mean a key that
// happens to be in the environment.
//
// Errors name the places that were looked at and never repeat what the library
// says, because that can quote a whole configuration file.
func DefaultCredentials(profile string) Credentials { return &chain{profile: profile} }

// chain makes the library's object anew after a failure or a refusal: the
// library's own would stay with the last provider it tried for good.
type chain struct {
	profile string

	mu    sync.Mutex
	inner credential.Credential // nil: make one
}

func (c *chain) GetCredential() (*credential.CredentialModel, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inner == nil {
		c.inner = newChain(c.profile)
	}
	model, err := c.inner.GetCredential()
	if err != nil || !usable(model) {
		c.inner = nil
		return nil, &adviceError{c.advice()}
	}
	return model, nil
}

// adviceError is a failed fetch in our words.
type adviceError struct{ text string }

func (e *adviceError) Error() string { return e.text }

// Renew drops cached keys.
func (c *chain) Renew() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inner = nil
}

func newChain(profile string) credential.Credential {
	var provider providers.CredentialsProvider = providers.NewDefaultCredentialsProvider()
	if profile != "" {
		provider = &namedProfile{profile: profile}
	}
	return credential.FromCredentialsProvider("default", provider)
}

// advice says where keys were looked for and what to do.
func (c *chain) advice() string {
	cli := or(os.Getenv("ALIBABA_CLOUD_CONFIG_FILE"), "~/.aliyun/config.json")
	file := or(os.Getenv("ALIBABA_CLOUD_CREDENTIALS_FILE"), "~/.alibabacloud/credentials")
	if c.profile != "" {
		return fmt.Sprintf("profile %q gives no access key: looked in %s and %s; `aliyun configure --profile NAME` makes one", c.profile, cli, file)
	}
	const id, key = "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"
	for _, half := range [][2]string{{id, key}, {key, id}} {
		if os.Getenv(half[0]) != "" && os.Getenv(half[1]) == "" {
			return fmt.Sprintf("no access key found: %s is set but %s is not", half[0], half[1])
		}
	}
	return fmt.Sprintf("no access key found: looked at %s and %s, an OIDC role, %s, %s, the instance role and ALIBABA_CLOUD_CREDENTIALS_URI; set the first two, or run `aliyun configure`", id, key, cli, file)
}

func or(text, otherwise string) string {
	if text != "" {
		return text
	}
	return otherwise
}

// usable reports whether model can sign or identify a request.
func usable(model *credential.CredentialModel) bool {
	if model == nil {
		return false
	}
	has := func(text *string) bool { return text != nil && strings.TrimSpace(*text) != "" }
	return has(model.AccessKeyId) && has(model.AccessKeySecret) || has(model.BearerToken)
}

// namedProfile is the part of the default chain that knows profiles, with a
// name that is given and not taken from the environment.
type namedProfile struct {
	profile string
	found   providers.CredentialsProvider // nil until one gave a key
}

func (p *namedProfile) GetCredentials() (*providers.Credentials, error) {
	if p.found != nil {
		return p.found.GetCredentials()
	}
	cli, cliErr := providers.NewCLIProfileCredentialsProviderBuilder().WithProfileName(p.profile).Build()
	if cliErr == nil {
		if keys, err := cli.GetCredentials(); err == nil {
			p.found = cli
			return keys, nil
		}
	}
	file, err := providers.NewProfileCredentialsProviderBuilder().WithProfileName(p.profile).Build()
	if err != nil {
		return nil, err
	}
	keys, err := file.GetCredentials()
	if err == nil {
		p.found = file
	}
	return keys, err
}

func (p *namedProfile) GetProviderName() string { return "profile" }
