package emulator

import (
	"errors"
	"log/slog"
	"net/http"
	"time"
)

// call is a request that has been verified and may be carried out.
type call struct {
	*caller
	op    *operation
	place place
	now   time.Time
}

// serveCall takes a request through the gates in the order of the real
// gateway: form, signature, nonce, action, quota, parameters. Only then do
// latency, faults and the operation itself follow.
func (s *Server) serveCall(w http.ResponseWriter, r *http.Request, now time.Time) {
	requestID := newRequestID()
	c, p := s.admit(w, r, now)
	if p != nil {
		s.refuse(w, r, requestID, c, p)
		return
	}
	if !s.pause(s.opts.Latency) {
		panic(http.ErrAbortHandler)
	}
	c.now = s.opts.Now()
	fault := s.faults.strike(c.op)
	if fault != nil && fault.When == Before {
		s.stats.faulted(c.op.name, fault.Kind)
		s.log(r, requestID, c, "fault "+string(fault.Kind)+" before commit")
		s.spoil(w, r, *fault, succeeded(requestID, fields{"HttpStatusCode": 200, "Success": true, "Code": "InvalidInput", "Message": "OK"}))
		return
	}
	a := s.run(r, requestID, c)
	if fault != nil {
		s.stats.faulted(c.op.name, fault.Kind)
		s.log(r, requestID, c, "fault "+string(fault.Kind)+" after commit")
		s.spoil(w, r, *fault, a)
		return
	}
	s.stats.answered(c.op.name, a.code == "")
	s.log(r, requestID, c, a.code)
	a.write(w)
}

func (s *Server) run(r *http.Request, requestID string, c *call) *answer {
	f, p := c.op.run(s, c)
	if p != nil {
		return refused(requestID, r.Host, p, s.opts.BusinessErrors)
	}
	return succeeded(requestID, f)
}

// admit verifies a request. The call it returns with a problem has an action
// if one was recognised; it is nil before that.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, now time.Time) (*call, *problem) {
	in, p := readRequest(w, r)
	if p != nil {
		return nil, p
	}
	who, p := authenticate(in, s.keys, now)
	if p == nil {
		p = s.useNonce(who, now)
	}
	if p != nil {
		return nil, p
	}
	op, p := findOperation(who.action, who.version)
	if p != nil {
		return nil, p
	}
	c := &call{caller: who, op: op, place: place{who.key.Account, s.region(who.params)}, now: now}
	s.stats.called(op.name)
	if p := s.checkQuota(c); p != nil {
		return c, p
	}
	if in.header.Get("Authorization") != "" && in.method != http.MethodPost && !op.allowGet {
		return c, refuse(http.StatusBadRequest, "UnsupportedHTTPMethod", "%s must be a POST request.", op.name)
	}
	return c, op.checkParams(who.params)
}

// useNonce remembers the nonce for as long as the request's date stays valid.
func (s *Server) useNonce(who *caller, now time.Time) *problem {
	if s.opts.ReplayAllowed {
		return nil
	}
	err := s.state.useNonce(who.key.ID, who.nonce, who.signed.Add(dateWindow), now)
	switch {
	case errors.Is(err, errReplay):
		return refuse(http.StatusBadRequest, "SignatureNonceUsed", "Specified signature nonce was used already.")
	case err != nil:
		return broken(err)
	}
	return nil
}

// region is the region that the call counts for. A malformed one is refused
// later, with the other parameters.
func (s *Server) region(params map[string]string) string {
	if named := params["RegionId"]; regionShape.MatchString(named) {
		return named
	}
	return s.opts.DefaultRegion
}

func (s *Server) checkQuota(c *call) *problem {
	wait, ok := s.throttle.take(c.place, c.op.name, c.now)
	if ok {
		return nil
	}
	s.stats.throttled(c.op.name)
	return throttled(s.opts.QuotaStatus, s.opts.QuotaCode, s.opts.QuotaHint, s.throttle.limit(), wait)
}

func (s *Server) refuse(w http.ResponseWriter, r *http.Request, requestID string, c *call, p *problem) {
	if c == nil {
		s.stats.unrecognised()
	} else {
		s.stats.answered(c.op.name, false)
	}
	s.log(r, requestID, c, p.code)
	refused(requestID, r.Host, p, s.opts.BusinessErrors).write(w)
}

// log writes all that is ever logged of a request: no parameter, no key.
func (s *Server) log(r *http.Request, requestID string, c *call, outcome string) {
	action, region := "", ""
	if c != nil {
		action, region = c.op.name, c.place.region
	}
	if outcome == "" {
		outcome = "ok"
	}
	s.opts.Log.LogAttrs(r.Context(), slog.LevelInfo, "request",
		slog.String("action", action), slog.String("region", region),
		slog.String("outcome", outcome), slog.String("request_id", requestID))
}
