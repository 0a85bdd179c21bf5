package aps

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"

	"github.com/apsctl/apsctl/plan"
)

// fault says in our words why no complete answer came, given that r.err is set.
// The transport's own texts are not repeated: they quote URLs of proxies, with
// the password in it, and bytes from the network.
func (r *reply) fault() failure {
	host := r.call.at.host
	switch {
	case r.gaveUp:
		return failure{plan.FailureTemporary, "given up before the answer came"}
	case r.late:
		return failure{plan.FailureTemporary, fmt.Sprintf("timed out after %v", r.call.timeout)}
	case !r.handed.Load():
		return connectFault(r.err, r.handshake.Load(), host)
	}
	return failure{plan.FailureTemporary, streamFault(r.err)}
}

// streamFault words a failure on an established connection.
func streamFault(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection reset"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the answer was cut short"
	case errors.Is(err, io.EOF):
		return "connection closed without an answer"
	case isTimeout(err):
		return "the network timed out"
	}
	return "no readable HTTP answer"
}

// connectFault words a failure to connect. Nothing was sent.
func connectFault(err error, handshake *handshakeError, host string) failure {
	if handshake != nil {
		with := host
		if hasOp(err, "proxyconnect") {
			with = "the proxy"
		}
		if f := tlsFault(handshake.err, with); f != nil {
			return *f
		}
	}
	var proxy *proxyError
	var lookup *net.DNSError
	switch {
	case errors.As(err, &proxy) && proxy.status == http.StatusProxyAuthRequired:
		return failure{plan.FailureConfig, "the proxy asks for a user name and password (407)"}
	case errors.As(err, &proxy):
		return failure{plan.FailureTemporary, fmt.Sprintf("the proxy refused to connect (%d)", proxy.status)}
	case errors.Is(err, errProxySetting):
		return failure{plan.FailureConfig, errProxySetting.Error()}
	case hasOp(err, "proxyconnect"):
		return failure{plan.FailureTemporary, "the proxy cannot be reached"}
	case errors.As(err, &lookup) && lookup.IsNotFound:
		return failure{plan.FailureTemporary, "name not found: " + host}
	case errors.As(err, &lookup):
		return failure{plan.FailureTemporary, "name lookup failed: " + host}
	case errors.Is(err, syscall.ECONNREFUSED):
		return failure{plan.FailureTemporary, "connection refused by " + host}
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return failure{plan.FailureTemporary, "no route to " + host}
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return failure{plan.FailureTemporary, "this machine has no free port or address to connect from: " + host}
	case isTimeout(err):
		return failure{plan.FailureTemporary, "connecting timed out: " + host}
	}
	return failure{plan.FailureTemporary, "cannot connect to " + host}
}

// tlsFault words a failed handshake, and returns nil for one that the network
// spoiled. Anything else will not heal by itself: the other end is not who it
// should be, or speaks something else.
func tlsFault(err error, host string) *failure {
	var wrongHost x509.HostnameError
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var plain tls.RecordHeaderError
	switch {
	case isTimeout(err), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		errors.Is(err, net.ErrClosed), errors.Is(err, context.Canceled):
		return nil
	case errors.As(err, &wrongHost):
		return &failure{plan.FailureConfig, "the certificate is for another host than " + host}
	case errors.As(err, &unknown):
		return &failure{plan.FailureConfig, "the certificate of " + host + " is signed by an unknown authority"}
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return &failure{plan.FailureConfig, "the certificate of " + host + " has expired or is not valid yet; check the clock, too"}
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return &failure{plan.FailureConfig, "the certificate of " + host + " is not acceptable"}
	case errors.As(err, &plain):
		return &failure{plan.FailureConfig, host + " does not speak TLS"}
	}
	return &failure{plan.FailureConfig, "the TLS handshake with " + host + " failed; TLS 1.2 or later is needed"}
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}

// isDial reports whether err is a dialer's, from before any connection.
func isDial(err error) bool { return hasOp(err, "dial") }

func hasOp(err error, op string) bool {
	var network *net.OpError
	return errors.As(err, &network) && network.Op == op
}
