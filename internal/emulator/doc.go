// Package emulator is a local stand-in for the AnalyticDB for MySQL APS job
// API (version 2021-12-01), for STS GetCallerIdentity (2015-04-01) and for KMS
// GetSecretValue (2016-01-20).
//
// It speaks the wire protocol of the API reference: both signatures, the
// documented field names with their odd types and samples, the gateway's error
// shape. Where the documentation is open it does not guess; the answer is a
// switch in [Options], and the default is the stricter one that still lets a
// correct client work.
//
// With a state file it survives a kill at any instant: every change is one
// line in a journal, written before the answer leaves. Faults ([Fault]) spoil
// answers before or after the change is committed.
//
// The package imports nothing of the client and shares no types with it, so
// that a mistake in one cannot hide in both.
package emulator
