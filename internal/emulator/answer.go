package emulator

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// fields is the body of an answer.
type fields map[string]any

// answer is what goes back to the client, before any fault spoils it.
type answer struct {
	requestID string
	status    int
	header    http.Header
	fields    fields
	// code is the error code, empty for a success.
	code string
}

// succeeded adds the request id that every answer carries.
func succeeded(requestID string, f fields) *answer {
	f["RequestId"] = requestID
	return &answer{requestID: requestID, status: http.StatusOK, fields: f}
}

// refused gives a problem its documented shape: the gateway's envelope, or for
// business errors, if so switched, the operation's own with Success false.
func refused(requestID, host string, p *problem, form BusinessErrors) *answer {
	a := &answer{requestID: requestID, status: p.status, header: p.header, code: p.code}
	if p.business && form == BusinessHTTP200 {
		a.status = http.StatusOK
		a.fields = fields{
			"RequestId": requestID, "HttpStatusCode": p.status, "Success": false,
			"Code": p.code, "Message": p.message, "ErrCode": p.code, "ErrMessage": p.message,
		}
		return a
	}
	a.fields = fields{
		"RequestId": requestID, "HostId": clip(host), "Code": p.code, "Message": p.message,
		"Recommend": "https://next.api.aliyun.com/troubleshoot?q=" + url.QueryEscape(p.code) + "&product=adb",
	}
	return a
}

// write sends the answer whole.
func (a *answer) write(w http.ResponseWriter) {
	body := a.body()
	a.writeHeader(w, "application/json;charset=utf-8", len(body))
	w.Write(body) // a client that left is no concern of ours
}

func (a *answer) body() []byte {
	body, err := json.Marshal(a.fields)
	if err != nil {
		// Only our own values are in there; RawMessage is checked on the way in.
		panic(fmt.Sprintf("answer does not encode: %v", err))
	}
	return body
}

func (a *answer) writeHeader(w http.ResponseWriter, contentType string, length int) {
	header := w.Header()
	for name, values := range a.header {
		header[name] = values
	}
	header.Set("Content-Type", contentType)
	header.Set("Content-Length", strconv.Itoa(length))
	header.Set("X-Acs-Request-Id", a.requestID)
	// A client that does not read must not hold the connection for ever.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(30 * time.Second))
	w.WriteHeader(a.status)
}

// newRequestID returns a random UUID in the capitals that the service uses.
func newRequestID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%X-%X-%X-%X-%X", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
