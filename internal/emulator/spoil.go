package emulator

import (
	"io"
	"maps"
	"net/http"
	"time"
)

const faultPage = "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n" +
	"<body>\r\n<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n</body>\r\n</html>\r\n"

// spoil answers with the fault instead of a. For a fault before the commit, a
// is the success of a request that was never carried out, without an id.
func (s *Server) spoil(w http.ResponseWriter, r *http.Request, f Fault, a *answer) {
	switch f.Kind {
	case FaultDrop:
		panic(http.ErrAbortHandler)
	case FaultHang:
		s.hang(r, f.Hold)
	case FaultCut:
		body := a.body()
		a.writeHeader(w, "application/json;charset=utf-8", len(body))
		// net/http closes a connection whose answer falls short of its length.
		w.Write(body[:len(body)/2])
	case FaultStatus:
		p := refuse(f.Status, f.Code, "The request was answered by a fault of the emulator.")
		p.header = throttled(f.Status, f.Code, f.Hint, s.throttle.limit(), f.Wait).header
		refused(a.requestID, r.Host, p, s.opts.BusinessErrors).write(w)
	case FaultThrottle:
		p := throttled(f.Status, f.Code, f.Hint, s.throttle.limit(), f.Wait)
		refused(a.requestID, r.Host, p, s.opts.BusinessErrors).write(w)
	case FaultHTML:
		a.status = f.Status
		a.writeHeader(w, "text/html", len(faultPage))
		io.WriteString(w, faultPage)
	case FaultEmpty:
		a.status = f.Status
		a.writeHeader(w, "application/json;charset=utf-8", 0)
	case FaultNoID:
		a.fields = maps.Clone(a.fields)
		delete(a.fields, "ApsJobId")
		a.write(w)
	case FaultSuccessFalse:
		a.status, a.header = http.StatusOK, nil
		a.fields = fields{
			"RequestId": a.requestID, "HttpStatusCode": 200, "Success": false,
			"Code": f.Code, "Message": "The request was answered by a fault of the emulator.",
		}
		a.write(w)
	}
}

// hang holds the request until the client leaves, hold has passed or the
// emulator is closed, and then drops the connection.
func (s *Server) hang(r *http.Request, hold time.Duration) {
	timer := time.NewTimer(hold)
	defer timer.Stop()
	select {
	case <-r.Context().Done():
	case <-timer.C:
	case <-s.closed:
	}
	panic(http.ErrAbortHandler)
}
