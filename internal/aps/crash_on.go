//go:build crashpoints

package aps

import (
	"net/http"
	"net/http/httptrace"

	"github.com/apsctl/apsctl/internal/crashpoint"
)

func creates(request *http.Request) bool {
	action := request.Header["x-acs-action"]
	return len(action) == 1 && action[0] == opCreate
}

// crashOnWire makes a create die at its points on the wire.
func crashOnWire(request *http.Request) *http.Request {
	if !creates(request) {
		return request
	}
	request = request.WithContext(httptrace.WithClientTrace(request.Context(), &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { crashpoint.At(crashpoint.Connected) },
		WroteRequest: func(httptrace.WroteRequestInfo) {
			crashpoint.At(crashpoint.FullyWritten)
			crashpoint.Soon(crashpoint.ServerWorking)
		},
		GotFirstResponseByte: func() {
			crashpoint.At(crashpoint.JobUnlisted)
			crashpoint.At(crashpoint.AnswerSent)
		},
	}))
	request.Body = crashpoint.Torn(crashpoint.PartlyWritten, request.Body)
	return request
}

func crashOnRead(request *http.Request) {
	if creates(request) {
		crashpoint.At(crashpoint.AnswerRead)
	}
}
