package emulator

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
)

// inspect serves the emulator's own pages, to clients on this machine only:
//
//	GET    /_emulator/stats   what was seen: Stats
//	GET    /_emulator/jobs    every live job, oldest first
//	POST   /_emulator/jobs    ends the list lag of those: ShowAll; then as GET
//	GET    /_emulator/faults  the faults in force and how often they struck
//	POST   /_emulator/faults  replaces them; the body is a list as in LoadFaults
//	DELETE /_emulator/faults  clears them
func (s *Server) inspect(w http.ResponseWriter, r *http.Request) {
	if !fromHere(r) {
		s.page(w, http.StatusForbidden, errorPage("these pages answer only to clients on this machine"))
		return
	}
	switch r.Method + " " + r.URL.Path {
	case "GET /_emulator/stats":
		s.page(w, http.StatusOK, s.Stats())
	case "GET /_emulator/jobs":
		s.page(w, http.StatusOK, s.jobViews())
	case "POST /_emulator/jobs":
		s.ShowAll()
		s.page(w, http.StatusOK, s.jobViews())
	case "GET /_emulator/faults":
		s.page(w, http.StatusOK, s.faults.views())
	case "POST /_emulator/faults", "PUT /_emulator/faults":
		s.replaceFaults(w, r)
	case "DELETE /_emulator/faults":
		_ = s.SetFaults(nil) // no faults are never invalid
		s.page(w, http.StatusOK, s.faults.views())
	default:
		s.page(w, http.StatusNotFound, errorPage("no such page: want GET stats, GET or POST jobs, or GET, POST or DELETE faults, under /_emulator/"))
	}
}

func (s *Server) replaceFaults(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, faultFileMaxBytes))
	if err == nil {
		var faults []Fault
		if faults, err = parseFaults(text); err == nil {
			err = s.SetFaults(faults)
		}
	}
	if err != nil {
		s.page(w, http.StatusBadRequest, errorPage(err.Error()))
		return
	}
	s.page(w, http.StatusOK, s.faults.views())
}

// fromHere reports whether the request comes from this machine and not from a
// page in its browser, which would carry an Origin.
func fromHere(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || r.Header.Get("Origin") != "" {
		return false
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func (s *Server) page(w http.ResponseWriter, status int, content any) {
	body, err := json.MarshalIndent(content, "", "  ")
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"the page does not encode"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(body, '\n')) // a client that left is no concern of ours
}

func errorPage(text string) map[string]string { return map[string]string{"error": text} }

// jobView is a stored job with what it shows right now.
type jobView struct {
	*job
	Status   string `json:"status"`
	Progress int    `json:"progress"`
	Listed   bool   `json:"listed"`
}

func (s *Server) jobViews() []jobView {
	now := s.opts.Now()
	views := []jobView{}
	for _, j := range s.state.all() {
		at := j.phaseAt(now, s.life())
		views = append(views, jobView{j, at.status, at.progress, s.listed(j, now)})
	}
	return views
}
