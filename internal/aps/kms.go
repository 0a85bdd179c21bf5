package aps

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/apsctl/apsctl/internal/secret"
	"github.com/apsctl/apsctl/plan"
)

const (
	opSecret     = "GetSecretValue"
	kmsVersion   = "2016-01-20"
	stageCurrent = "ACSCurrent"
)

// SecretValue returns the whole secret that KMS keeps under k.Secret in k.Region;
// k.Field is not looked at, and an empty k.VersionStage is ACSCurrent. It repeats
// requests as every read does. The value is whatever text KMS keeps, also the
// empty one; a binary secret is an error.
//
// Errors are *plan.CallError, and repeat nothing of an answer but a code and a
// request id, and these only where they have the form of one: whatever came may
// hold the secret.
func (c *Client) SecretValue(ctx context.Context, k secret.KMS) (secret.Value, error) {
	at, err := c.kmsAt(k.Region)
	if err != nil {
		return secret.Value{}, &plan.CallError{Operation: opSecret, Failure: plan.FailureConfig, Why: err.Error()}
	}
	request := call{
		operation: opSecret, region: k.Region, version: kmsVersion, at: at,
		params: map[string]string{
			"SecretName": k.Secret, "VersionStage": cmp.Or(k.VersionStage, stageCurrent),
		},
		timeout: c.opts.ReadTimeout, bodyMax: bodyMax,
	}
	var value secret.Value
	err = c.ask(ctx, request, func(e envelope, _ http.Header) error {
		var why string
		if value, why = parseSecret(e); why != "" {
			return &plan.CallError{
				Operation: opSecret, Region: k.Region, Failure: plan.FailureOther,
				Why: why, RequestID: e.requestID, HTTPStatus: http.StatusOK,
			}
		}
		return nil
	})
	if failed := (*plan.CallError)(nil); errors.As(err, &failed) {
		explainSecret(failed)
	}
	return value, err
}

// parseSecret reads an answer; why says what is wrong with it.
func parseSecret(e envelope) (value secret.Value, why string) {
	var text string
	data := e.field("SecretData")
	switch kind := e.trimmed("SecretDataType"); {
	case strings.EqualFold(kind, "binary"):
		return value, "the secret is binary; store it anew as text, since a password is text"
	case !strings.EqualFold(kind, "text"):
		return value, "the answer does not say that the secret is text"
	case data == nil || data[0] != '"' || json.Unmarshal(data, &text) != nil:
		return value, "the answer has no secret in it"
	case strings.ContainsRune(text, utf8.RuneError):
		// encoding/json puts it for halves of a pair that stand alone.
		return value, "the secret has a character that cannot be read; store it anew"
	}
	return secret.NewValue(text), ""
}

var (
	codeShape = regexp.MustCompile(`^[A-Za-z]+(\.[A-Za-z]+)*$`)
	idShape   = regexp.MustCompile(`^[0-9A-Fa-f-]{1,64}$`)
)

// explainSecret says what to do about a refusal, and takes out whatever of the
// answer could hold the secret.
func explainSecret(failed *plan.CallError) {
	failed.Message = ""
	if !codeShape.MatchString(failed.Code) {
		failed.Code = ""
	}
	if !idShape.MatchString(failed.RequestID) {
		failed.RequestID = ""
	}
	family, _, _ := strings.Cut(failed.Code, ".")
	switch {
	case failed.Code == "Forbidden.ResourceNotFound":
		failed.Failure = plan.FailureOther
		failed.Why = "KMS has no secret of that name with a version of that stage in this region; correct the name, stage or region"
	case failed.Code == "Forbidden.KeyNotFound", family == "Rejected" && !throttling(failed.Code):
		failed.Failure = plan.FailureOther
		failed.Why = "the secret, or the key that protects it, is disabled, to be deleted or gone; look at both in KMS"
	case failed.Failure == plan.FailurePermission:
		failed.Why = "the access key may not read the secret; grant it the RAM action kms:GetSecretValue on the secret and, where a key of your own protects that, kms:Decrypt on the key"
	case failed.Failure == plan.FailureCredentials && failed.HTTPStatus != 0:
		failed.Why += "; KMS is asked with the same access key as the rest"
	}
}

// kmsAt returns where KMS is asked for region. Its error says what is wrong.
func (c *Client) kmsAt(region string) (endpoint, error) {
	if region == "" {
		return endpoint{}, errors.New("the secret has no region; write the one where KMS keeps it")
	}
	if _, err := c.at(region); err != nil {
		return endpoint{}, err
	}
	if c.kms != nil {
		return *c.kms, nil
	}
	if c.endpoint != nil && strings.HasPrefix(strings.ToLower(c.endpoint.name()), "adb-vpc.") {
		return endpoint{"https", "kms-vpc." + region + "." + aliyuncs}, nil
	}
	return endpoint{"https", "kms." + region + "." + aliyuncs}, nil
}

// kmsEndpoint is where KMS is asked whatever the region, nil for each region's
// own. A service on this machine serves KMS too: its keys and the names of its
// secrets are no business of the real one.
func kmsEndpoint(text string, service *endpoint) (*endpoint, error) {
	if text == "" {
		if service != nil && service.loopback() {
			return service, nil
		}
		return nil, nil
	}
	e, err := parseEndpoint(text)
	if err != nil {
		return nil, fmt.Errorf("KMS: %w", err)
	}
	if service != nil && service.loopback() && !e.loopback() {
		return nil, errors.New("KMS: the service is on this machine, so KMS has to be, too: leave the endpoint of KMS out")
	}
	return &e, nil
}
