package main

import (
	"crypto/rand"
	"os"
	"os/user"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

func newRunRecord(wanted *plan.Plan) plan.RunRecord {
	holder := newHolder("apply")
	return plan.RunRecord{
		ID: newRunID(), Command: holder.Command, Plan: wanted.Name, PlanDigest: wanted.Digest,
		Host: holder.Host, User: holder.User, PID: holder.PID, Version: version(), StartedAt: holder.Started,
	}
}

// newHolder says who this process is. What cannot be found out stays empty.
func newHolder(command string) store.Holder {
	holder := store.Holder{PID: os.Getpid(), Command: command, Started: time.Now()}
	holder.Host, _ = os.Hostname()
	if u, err := user.Current(); err == nil {
		holder.User = u.Username
	}
	return holder
}

// newRunID sorts by time and is unique between machines.
func newRunID() string {
	return time.Now().UTC().Format("20060102T150405Z") + "-" + rand.Text()[:8]
}
