package main

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
)

// gate stands between apsctl and the emulator. It lets some creates through and holds
// the others until it is opened: that a run is half-way is a state then, and not a
// moment that a slow machine misses.
type gate struct {
	held atomic.Int32 // creates that came to be held
	open func()
}

// gate points the bench's endpoint at a gate that lets so many creates through.
func (c *cloud) gate(creates int32) *gate {
	c.Helper()
	emulator, err := url.Parse(c.address)
	if err != nil {
		c.Fatal(err)
	}
	opened := make(chan struct{})
	g := &gate{open: sync.OnceFunc(func() { close(opened) })}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(emulator)
		r.Out.Host = r.In.Host // it is signed
	}}
	var seen atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Acs-Action") == "CreateAPSJob" && seen.Add(1) > creates {
			g.held.Add(1)
			<-opened
		}
		proxy.ServeHTTP(w, r)
	}))
	c.Cleanup(func() {
		g.open() // Close waits for what is held
		server.Close()
	})
	c.setenv("APSCTL_ENDPOINT", server.URL)
	return g
}

// stopping reports whether a run that writes its events to this file has come to take up
// nothing more.
func (b *bench) stopping(events string) bool {
	text, _ := os.ReadFile(filepath.Join(b.dir, events)) // it may not be there yet
	return strings.Contains(string(text), `"event":"stopping"`)
}
