package emulator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Server is an emulator. It is an [http.Handler]; [Server.Serve] adds limits
// on slow and large requests. Safe for concurrent use.
type Server struct {
	opts     Options
	state    *state
	keys     keyring
	vault    vault
	throttle *throttle
	faults   *faultSet
	stats    *stats
	// shownMs is when the last ShowAll was, in milliseconds since 1970; 0 is never.
	shownMs atomic.Int64

	closeOnce sync.Once
	closed    chan struct{}
	closeErr  error
}

// Open opens the state and returns an emulator, which needs [Server.Close].
// The error wraps [ErrInUse] if another emulator holds the state file.
func Open(opts Options) (*Server, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("emulator: %w", err)
	}
	faults, err := newFaultSet(opts.Faults, opts.Seed)
	if err != nil {
		return nil, fmt.Errorf("emulator: %w", err)
	}
	vault, err := newVault(opts.Secrets, opts.Now())
	if err != nil {
		return nil, fmt.Errorf("emulator: %w", err)
	}
	state, err := openState(opts.State, opts.ListOrder == OrderID, opts.Now())
	if err != nil {
		return nil, fmt.Errorf("emulator: %w", err)
	}
	keys, err := newKeyring(opts, state.account)
	if err != nil {
		return nil, fmt.Errorf("emulator: %w", errors.Join(err, state.close()))
	}
	return &Server{
		opts: opts, state: state, keys: keys, vault: vault, faults: faults,
		throttle: newThrottle(opts.Quota), stats: newStats(opts.Now()),
		closed: make(chan struct{}),
	}, nil
}

// Account is the state's own account: that of the default key and of every
// key without an account. It is 16 digits, made when the state was created.
func (s *Server) Account() string { return s.state.account }

// Stats counts since Open; jobs and duplicates are those of the whole state.
func (s *Server) Stats() Stats {
	out := s.stats.snapshot()
	out.Account = s.state.account
	out.Jobs, out.Duplicates = s.state.totals()
	return out
}

// SetFaults replaces all faults, with fresh counts and fresh randomness.
// Nil clears them. An invalid fault leaves the old ones in force.
func (s *Server) SetFaults(faults []Fault) error { return s.faults.replace(faults) }

// ShowAll ends the list lag of every job that there is now: listings have it from here
// on. Jobs that come later lag as before. A server that is opened again has forgotten it.
func (s *Server) ShowAll() { s.shownMs.Store(s.opts.Now().UnixMilli()) }

// Serve answers on ln until ctx ends, then waits up to two seconds for open
// requests and returns nil. It closes ln, and does not close the Server.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	web := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.opts.Log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- web.Serve(ln) }()
	select {
	case err := <-served:
		return fmt.Errorf("emulator: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := web.Shutdown(grace); err != nil {
		web.Close() // what is still open hangs by order of a fault
	}
	<-served
	return nil
}

// Close drops requests that wait, and releases the state file. Later requests
// are dropped. Calling it again does nothing.
func (s *Server) Close() error {
	s.closeOnce.Do(func() {
		close(s.closed)
		s.closeErr = s.state.close()
	})
	return s.closeErr
}

// ServeHTTP answers calls of the API at / and the emulator's own pages under
// /_emulator/. Faults that cut a connection panic with [http.ErrAbortHandler],
// which net/http takes as the order to do so.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := s.opts.Now()
	// Clients estimate the service's clock from Date, so it follows ours.
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	if strings.HasPrefix(r.URL.Path, "/_emulator/") {
		s.inspect(w, r)
		return
	}
	s.serveCall(w, r, now)
}

// pause waits for d and reports whether the emulator is still open. It does
// not watch the client: the service goes on with what it has accepted.
func (s *Server) pause(d time.Duration) bool {
	timer := time.NewTimer(max(0, d))
	defer timer.Stop()
	select {
	case <-s.closed:
	case <-timer.C:
	}
	select {
	case <-s.closed:
		return false
	default:
		return true
	}
}
