package emulator

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"
)

// The emulator must not be what a benchmark of the client measures.

func BenchmarkOpen100kJobs(b *testing.B) {
	path := filepath.Join(b.TempDir(), "state")
	state, err := openState(path, false, time.Now())
	if err != nil {
		b.Fatal(err)
	}
	const jobs = 100_000
	for i := range jobs {
		draft := job{
			Account: state.account, Region: "cn-hangzhou", Name: fmt.Sprintf("job-%d", i), Source: "pc-bp1234567890abcdef",
			SourceRegion: "cn-hangzhou", Destination: "amv-bp1234567890abcdef", DbList: `{"EntireInstance":true}`,
			PartitionList: "{}", CreatedMs: int64(i),
		}
		if _, p := state.create(draft, func(*shelf) *problem { return nil }); p != nil {
			b.Fatal(p)
		}
	}
	if err := state.close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		state, err := openState(path, false, time.Now())
		if err != nil {
			b.Fatal(err)
		}
		if got, _ := state.totals(); got != jobs {
			b.Fatalf("got %d jobs, want %d", got, jobs)
		}
		state.close()
	}
}

// Creates over loopback, signing and client included.
func BenchmarkCreate(b *testing.B) {
	server, err := Open(Options{State: filepath.Join(b.TempDir(), "state")})
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	web := httptest.NewServer(server)
	defer web.Close()
	web.Client().Transport.(*http.Transport).MaxIdleConnsPerHost = 100
	for b.Loop() {
		p := rpcParams("POST", "emulator", "emulator", "CreateAPSJob", time.Now(), createParams("job"))
		response, err := web.Client().Post(web.URL+"/?"+p.Encode(), "", nil)
		if err != nil {
			b.Fatal(err)
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode != 200 {
			b.Fatal(response.Status)
		}
	}
}

// One page in the middle of a large region, with and without a filter.
func BenchmarkList(b *testing.B) {
	shelf := newShelf(false)
	for i := range 100_000 {
		shelf.add(&job{ID: fmt.Sprint(i), Seq: int64(i), Name: fmt.Sprintf("job-%d", i)})
	}
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			shelf.page(50_000, 100, true, nil)
		}
	})
	s := &Server{opts: Options{NameFilter: NameContains}}
	match := s.matcher(&call{caller: &caller{params: map[string]string{"ApsJobName": "job-77777"}}})
	b.Run("by name", func(b *testing.B) {
		for b.Loop() {
			shelf.page(0, 100, true, match)
		}
	})
}
