package notice

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/secret"
)

const (
	// hookTimeout bounds one call, name look-up to answer.
	hookTimeout = 5 * time.Second
	// hookAnswerMax is more than any of the services answers with.
	hookAnswerMax = 16 << 10
	// From these lengths in bytes a part of a hook's address is taken for a token;
	// shorter ones, such as "services", are words.
	tokenMin, parameterMin = 16, 8
	hookRedirectsMax       = 3
)

// Hook is an address that is told of runs. Whoever has the address can use it, so
// that it is a secret: messages name the host alone. It is safe for concurrent use.
type Hook struct {
	url   *url.URL
	agent string
}

// ParseHook reads the address of a hook, https:// or, for this machine alone,
// http://, and has r keep what is secret in it; a nil r keeps nothing. agent is what
// its calls say of their sender, such as "apsctl/1.0". The errors do not repeat text.
func ParseHook(text, agent string, r *secret.Redactor) (*Hook, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "" || u.Fragment != "":
		return nil, errors.New("its address is not a URL such as https://example.com/hook")
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		return nil, errors.New("its address has to begin with https:// (http:// only for this machine), since whoever sees it can use it")
	}
	r.Add(secret.NewValue(text))
	if len(u.RequestURI()) > tokenMin {
		r.Add(secret.NewValue(u.RequestURI()))
	}
	for part := range strings.SplitSeq(u.Path, "/") {
		if len(part) >= tokenMin {
			r.Add(secret.NewValue(part))
		}
	}
	for _, values := range u.Query() {
		for _, value := range values {
			if len(value) >= parameterMin {
				r.Add(secret.NewValue(value))
			}
		}
	}
	if password, ok := u.User.Password(); ok {
		r.Add(secret.NewValue(password))
	}
	return &Hook{u, agent}, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// below is the hook whose path has one more part.
func (h *Hook) below(part string) *Hook { return &Hook{h.url.JoinPath(part), h.agent} }

// post sends one request and returns the beginning of the answer. It follows
// redirects within the same host only, and of them those that keep what is sent: any
// other would be answered with 200 although nothing arrived. The error names the host
// and nothing else of the address.
func (h *Hook) post(ctx context.Context, contentType string, body []byte) (answer []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, hookTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s: the request cannot be made", h.url.Host)
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("User-Agent", h.agent)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: sameHost}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", h.url.Host, withoutURL(ctx, err))
	}
	defer response.Body.Close()
	answer, _ = io.ReadAll(io.LimitReader(response.Body, hookAnswerMax))
	switch {
	case response.StatusCode >= 400:
		return nil, fmt.Errorf("%s answered %s", h.url.Host, response.Status)
	case response.StatusCode >= 300:
		return nil, fmt.Errorf("%s answered %s, and what it points to is not followed", h.url.Host, response.Status)
	}
	return answer, nil
}

// sameHost keeps a redirect from carrying the message elsewhere, or from dropping it.
func sameHost(request *http.Request, via []*http.Request) error {
	first, code := via[0].URL, request.Response.StatusCode
	if code != http.StatusTemporaryRedirect && code != http.StatusPermanentRedirect || request.URL.Host != first.Host || request.URL.Scheme != first.Scheme || len(via) > hookRedirectsMax {
		return http.ErrUseLastResponse
	}
	return nil
}

// withoutURL is the reason why a call failed, without the address that net/http
// puts in front of it.
func withoutURL(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %s", hookTimeout)
	}
	for wrapped := (*url.Error)(nil); errors.As(err, &wrapped); {
		err = wrapped.Err
	}
	return err
}
