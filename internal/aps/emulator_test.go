package aps_test

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/internal/emulator"
	"github.com/apsctl/apsctl/internal/secret"
	"github.com/apsctl/apsctl/plan"
)

const region = "cn-hangzhou"

// emulate starts an emulator and returns a client of it.
func emulate(t *testing.T, opts emulator.Options) (*aps.Client, *emulator.Server) {
	t.Helper()
	cloud, err := emulator.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(cloud)
	client, err := aps.New(aps.Options{
		Endpoint: server.URL, Credentials: aps.StaticCredentials("emulator", "emulator", ""),
		CreateTimeout: 300 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.CloseIdleConnections(); server.Close(); _ = cloud.Close() })
	return client, cloud
}

func create(t *testing.T, client *aps.Client, name string) plan.Outcome {
	t.Helper()
	return client.Create(t.Context(), plan.CreateRequest{
		Spec: plan.Spec{
			Name: name, Region: region,
			Source:      plan.SourceEndpoint{Instance: "pc-1", User: "reader"},
			Destination: plan.DestinationEndpoint{Instance: "amv-1"},
			DBList:      `{"a":{"name":"b","all":true}}`, TargetTableMode: "1",
		},
		SourcePassword: secret.NewValue("source password"),
		Nonce:          fmt.Sprintf("%032x", time.Now().UnixNano()), SignedAt: time.Now(),
	})
}

func TestAgainstTheEmulator(t *testing.T) {
	for _, opts := range []emulator.Options{
		{Initializing: -1},
		{
			Initializing: -1, PageCap: 10, ListOrder: emulator.OrderID, NameFilter: emulator.NameExact,
			DetailForm: emulator.FormString, DetailMode: emulator.ModeString, BusinessErrors: emulator.BusinessHTTP200,
		},
	} {
		client, cloud := emulate(t, opts)
		var ids []string
		for n := range 35 {
			o := create(t, client, fmt.Sprintf("job-%d", n))
			if o.Verdict != plan.VerdictCreated {
				t.Fatalf("create: %+v", o)
			}
			ids = append(ids, o.JobID)
		}
		slices.Sort(ids)
		listing, err := client.List(t.Context(), region, true)
		if err != nil {
			t.Fatal(err)
		}
		var listed []string
		for _, job := range listing.Jobs {
			listed = append(listed, job.ID)
		}
		if !slices.Equal(listed, ids) {
			t.Errorf("listed %v\nwant   %v", listed, ids)
		}
		found, err := client.Find(t.Context(), region, "job-3")
		if err != nil || len(found) != 1 || found[0].SourceInstance != "pc-1" || found[0].DestinationInstance != "amv-1" {
			t.Errorf("find: %+v, %v", found, err)
		}
		detail, err := client.Detail(t.Context(), region, ids[0])
		if err != nil || detail.TargetTableMode != "1" || !strings.Contains(detail.DBList, `"all"`) {
			t.Errorf("detail: %+v, %v", detail, err)
		}
		who, err := client.CallerIdentity(t.Context())
		if err != nil || who.AccountID != cloud.Account() {
			t.Errorf("identity: %+v, %v", who, err)
		}
		for step, err := range map[string]error{
			"modify":  client.Change(t.Context(), changeTo(plan.OperationModify, ids[0], `{"c":{"name":"d","all":true}}`)),
			"suspend": client.Change(t.Context(), changeTo(plan.OperationSuspend, ids[1], "")),
			"delete":  client.Change(t.Context(), changeTo(plan.OperationDelete, ids[2], "")),
		} {
			if err != nil {
				t.Errorf("%s: %v", step, err)
			}
		}
		if err := client.Change(t.Context(), changeTo(plan.OperationStart, ids[1], "")); err != nil {
			t.Errorf("start: %v", err)
		}
		if _, err := client.Detail(t.Context(), region, ids[2]); err == nil {
			t.Error("detail of a deleted job: no error")
		}
	}
}

func changeTo(operation plan.Operation, id, dbList string) plan.ChangeRequest {
	return plan.ChangeRequest{Operation: operation, Region: region, JobID: id, SignedAt: time.Now(), DBList: dbList}
}

// TestFaultsOfTheEmulator: whatever spoils an answer, before or after the
// commit, the verdict is never wrong.
func TestFaultsOfTheEmulator(t *testing.T) {
	for _, kind := range []emulator.FaultKind{
		emulator.FaultDrop, emulator.FaultHang, emulator.FaultCut, emulator.FaultStatus, emulator.FaultHTML,
		emulator.FaultEmpty, emulator.FaultNoID,
	} {
		for _, when := range []emulator.FaultTime{emulator.Before, emulator.After} {
			client, cloud := emulate(t, emulator.Options{})
			fault := emulator.Fault{Operation: "CreateAPSJob", Kind: kind, When: when, Count: 1}
			if err := cloud.SetFaults([]emulator.Fault{fault}); err != nil {
				if kind == emulator.FaultNoID { // has no answer to spoil before the commit
					continue
				}
				t.Fatal(err)
			}
			if o := create(t, client, "job"); o.Verdict != plan.VerdictUnknown {
				t.Errorf("%s %s: got %v (%s), want unknown", kind, when, o.Verdict, o.Why)
			}
		}
	}
	client, cloud := emulate(t, emulator.Options{})
	if err := cloud.SetFaults([]emulator.Fault{{Operation: "CreateAPSJob", Kind: emulator.FaultThrottle, Count: 1}}); err != nil {
		t.Fatal(err)
	}
	if o := create(t, client, "job"); o.Verdict != plan.VerdictRejected || o.Failure != plan.FailureThrottled {
		t.Errorf("throttled: got %+v", o)
	}
}

func TestSameNonceTwice(t *testing.T) {
	client, _ := emulate(t, emulator.Options{})
	r := plan.CreateRequest{
		Spec: plan.Spec{Name: "job", Region: region, Source: plan.SourceEndpoint{Instance: "pc-1"},
			Destination: plan.DestinationEndpoint{Instance: "amv-1"}, DBList: `{"EntireInstance":true}`},
		Nonce: strings.Repeat("a", 32), SignedAt: time.Now(),
	}
	if o := client.Create(t.Context(), r); o.Verdict != plan.VerdictCreated {
		t.Fatalf("first: %+v", o)
	}
	if o := client.Create(t.Context(), r); o.Verdict != plan.VerdictUnknown || o.Code != "SignatureNonceUsed" {
		t.Errorf("second: %+v", o)
	}
}

// TestCallsAreCounted: what was sent, also when no answer came, and what of it
// was throttled; nothing for what never got a connection.
func TestCallsAreCounted(t *testing.T) {
	client, cloud := emulate(t, emulator.Options{})
	if err := cloud.SetFaults([]emulator.Fault{
		{Operation: "CreateAPSJob", Kind: emulator.FaultThrottle, Count: 1},
		{Operation: "CreateAPSJob", Kind: emulator.FaultDrop, When: emulator.Before, Count: 1},
	}); err != nil {
		t.Fatal(err)
	}
	if calls := client.Calls(); calls != nil {
		t.Errorf("before any call: %+v", calls)
	}
	for _, name := range []string{"a", "b", "c"} {
		create(t, client, name)
	}
	if _, err := client.List(t.Context(), region, false); err != nil {
		t.Fatal(err)
	}
	want := []aps.CallCount{{Operation: "CreateAPSJob", Region: region, Sent: 3, Throttled: 1}, {Operation: "DescribeApsJobs", Region: region, Sent: 1}}
	if got := client.Calls(); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestActionLogsOfTheEmulator asks in both orders that the service may answer in.
func TestActionLogsOfTheEmulator(t *testing.T) {
	for _, order := range []emulator.ListOrder{emulator.OrderNewest, emulator.OrderOldest} {
		client, _ := emulate(t, emulator.Options{FailShare: 1, Initializing: time.Nanosecond, ListOrder: order})
		id := create(t, client, "job-1").JobID
		if err := client.Change(t.Context(), changeTo(plan.OperationSuspend, id, "")); err != nil {
			t.Fatal(err)
		}
		logs, err := client.ActionLogs(t.Context(), region, "amv-1", id, time.Now())
		if err != nil || len(logs) != 1 || logs[0].State != "WARN" || logs[0].Text == "" || logs[0].Time == "" {
			t.Errorf("%s: got %+v, %v", order, logs, err)
		}
		if _, err := client.ActionLogs(t.Context(), region, "amv-1", "aps-none", time.Now()); err == nil {
			t.Error("the logs of no job: no error")
		}
	}
}
