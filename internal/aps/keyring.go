package aps

import (
	"context"
	"errors"
	"sync"
	"time"

	credential "github.com/aliyun/credentials-go/credentials"

	"github.com/apsctl/apsctl/internal/secret"
)

// fetchTimeout bounds one fetch of a key. The library knows no context, and a
// request whose date is already chosen must not wait long.
const fetchTimeout = 20 * time.Second

// keyring hands out keys to all goroutines. The library's objects are not safe
// for concurrent use, so that fetches are made one at a time.
type keyring struct {
	source Credentials
	turn   chan struct{} // has one element, unless somebody asks source

	mu    sync.Mutex // guards the rest; never held while source is asked
	stale bool       // source is to be renewed before it is asked again
	// generation counts renewals. suspect says that the generation before this
	// one ended with a refused token and no key of this one was accepted yet.
	generation int
	suspect    bool
}

func newKeyring(source Credentials) *keyring {
	k := &keyring{source: source, turn: make(chan struct{}, 1)}
	k.turn <- struct{}{}
	return k
}

// key is one fetched key, as the core takes it.
type key struct {
	model      *credential.CredentialModel
	generation int
}

var (
	errFetchSlow = errors.New("no access key arrived within " + fetchTimeout.String())
	errNoKey     = errors.New("the credentials hold no access key")
)

// fetch returns the current key. It fails when ctx ends, when nothing arrives
// within fetchTimeout, or as the source does.
func (k *keyring) fetch(ctx context.Context) (key, error) {
	if err := ctx.Err(); err != nil {
		return key{}, err // for certain, and not as the select below happens to choose
	}
	limit := newPatience(fetchTimeout)
	defer limit.timer.Stop()
	if _, err := await(ctx, limit, k.turn); err != nil {
		return key{}, err
	}
	type result struct {
		key key
		err error
	}
	done := make(chan result, 1)
	go func() { // outlives a caller that does not wait: the turn stays taken
		defer func() { k.turn <- struct{}{} }()
		got, err := k.ask()
		done <- result{got, err}
	}()
	r, err := await(ctx, limit, done)
	if err != nil {
		return key{}, err
	}
	return r.key, r.err
}

// ask asks source, and renews it before if that was decided.
func (k *keyring) ask() (key, error) {
	k.mu.Lock()
	stale, generation := k.stale, k.generation
	k.stale = false
	k.mu.Unlock()
	if source, ok := k.source.(renewer); ok && stale {
		source.Renew()
	}
	model, err := k.source.GetCredential()
	if err == nil && !usable(model) {
		err = errNoKey
	}
	return key{model, generation}, err
}

// refused notes that the service refused the token of used, and reports whether
// trying again can help: the first refusal of a key that can be fetched anew
// drops it, and so helps; the refusal of its successor does not.
func (k *keyring) refused(used key) bool {
	if _, ok := k.source.(renewer); !ok {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if used.generation < k.generation {
		return true // it was dropped since
	}
	if k.suspect {
		return false
	}
	k.stale, k.suspect = true, true
	k.generation++
	return true
}

// accepted notes that the service took the token of used.
func (k *keyring) accepted(used key) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if used.generation == k.generation {
		k.suspect = false
	}
}

// secrets returns what must not be shown of the key.
func (k key) secrets() []secret.Value {
	var values []secret.Value
	for _, text := range []*string{k.model.AccessKeySecret, k.model.SecurityToken, k.model.BearerToken} {
		if text != nil && *text != "" {
			values = append(values, secret.NewValue(*text))
		}
	}
	return values
}

// signer is a key as the core's Credential: the one that was fetched for this
// request, whatever the source would say by now.
type signer struct{ model *credential.CredentialModel }

func (s signer) GetCredential() (*credential.CredentialModel, error) { return s.model, nil }
func (s signer) GetAccessKeyId() (*string, error)                    { return s.model.AccessKeyId, nil }
func (s signer) GetAccessKeySecret() (*string, error)                { return s.model.AccessKeySecret, nil }
func (s signer) GetSecurityToken() (*string, error)                  { return s.model.SecurityToken, nil }
func (s signer) GetBearerToken() *string                             { return s.model.BearerToken }
func (s signer) GetType() *string                                    { return s.model.Type }
