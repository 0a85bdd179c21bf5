package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

// spaceLow is the free space in bytes below which doctor warns: some hundred
// thousand jobs take as much.
const spaceLow = 200 << 20

func (c *doctorCommand) checkLedger(ctx context.Context) {
	const check = "ledger"
	path := c.target.ledgerPath()
	ledger, err := store.OpenReadOnly(ctx, path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && c.target.ledger == "":
		c.checkPlace(path)
		return
	case errors.Is(err, store.ErrOlder):
		c.diagnosis.warn(check, "", "%s", err)
		c.checkHolder(path)
		return
	case err != nil:
		c.diagnosis.failed(check, err)
		c.checkHolder(path)
		return
	}
	defer ledger.Close()
	if err := ledger.Verify(ctx); err != nil {
		c.diagnosis.failed(check, err)
		return
	}
	if c.meta, err = ledger.Meta(ctx); err == nil {
		c.entries, err = ledger.Entries(ctx, store.Filter{})
	}
	if err != nil {
		c.diagnosis.failed(check, err)
		return
	}
	c.diagnosis.ok(check, "%s is sound, on a local file system, with schema %d and %s", path, c.meta.Schema, plan.Count(len(c.entries), "job"))
	c.checkStates()
	c.checkModes(path)
	c.checkHolder(path)
}

// checkPlace looks at where the first apply would make the ledger.
func (c *doctorCommand) checkPlace(path string) {
	if err := store.CheckPlace(path); err != nil {
		c.diagnosis.failed("ledger", err)
		return
	}
	if folder := store.NearestFolder(path); !writable(folder) {
		c.diagnosis.trouble("ledger", codeLedgerPermission, "there is none at %s yet, and this user may not make one in %s", path, folder)
		return
	}
	c.diagnosis.ok("ledger", "there is none at %s yet; the first apply makes it", path)
}

// checkStates tells what waits for a look or for a person.
func (c *doctorCommand) checkStates() {
	const check = "states"
	open, person := 0, 0
	for _, entry := range c.entries {
		switch {
		case entry.State.NeedsPerson():
			person++
		case entry.State.Unresolved():
			open++
		}
	}
	if person > 0 {
		c.diagnosis.warn(check, "apsctl resolve"+c.commands.Service+" shows each with its way out", "%s can only be settled by a person", plan.Count(person, "job"))
	}
	if open > 0 {
		c.diagnosis.warn(check, "the next apply looks for them; apsctl resolve"+c.commands.Service+" looks now", "%s with a request without an answer", plan.Count(open, "job"))
	}
	if person+open == 0 {
		c.diagnosis.ok(check, "nothing is open")
	}
}

// checkModes tells whether others could read names of jobs and instances.
func (c *doctorCommand) checkModes(path string) {
	const check = "permissions"
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			c.diagnosis.warn(check, "chmod 600 "+path+suffix+"; the next command that writes does it, too",
				"others may read %s (mode %#o): it names jobs and instances, and no password", path+suffix, info.Mode().Perm())
			return
		}
	}
	if !writable(filepath.Dir(path)) {
		c.diagnosis.warn(check, "run apply as the owner of the folder", "this user may not write in %s, and can only look", filepath.Dir(path))
		return
	}
	c.diagnosis.ok(check, "only this user may read and write it")
}

// checkHolder tells who is at work. What the lock file says is for people; nothing
// is decided by it.
func (c *doctorCommand) checkHolder(path string) {
	const check = "lock"
	holder := store.LockHolder(path)
	host, _ := os.Hostname()
	switch {
	case holder.PID == 0:
		c.diagnosis.ok(check, "no run is at work")
	case holder.Host == host && !alive(holder.PID):
		c.diagnosis.ok(check, "no run is at work; %s died without giving the lock back, which the system did", holder)
	default:
		c.diagnosis.ok(check, "a run is at work: %s, for %s", holder, time.Since(holder.Started).Round(time.Second))
	}
}

func (c *doctorCommand) checkDisk() {
	const check = "disk"
	folder := store.NearestFolder(c.target.ledgerPath())
	free, err := freeSpace(folder)
	switch {
	case err != nil:
		c.diagnosis.skip(check, "the free space of %s cannot be told", folder)
	case free == 0:
		c.diagnosis.trouble(check, codeLedgerFull, "no space is left at %s", folder)
	case free < spaceLow:
		c.diagnosis.warn(check, "free some: a run stops when the ledger cannot be written", "%d MiB are left at %s", free>>20, folder)
	default:
		c.diagnosis.ok(check, "%d MiB are free at %s", free>>20, folder)
	}
}
