//go:build unix

package main

import (
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"
)

// stopping is more than it takes for a signal to this process to stop it.
const stopping = 50 * time.Millisecond

// onSuspend calls around, with what stops the process, when somebody wants it stopped
// from its terminal, until the function that it returns is called. What stops it
// returns when it goes on.
func onSuspend(around func(suspend func())) (stop func()) {
	asked := make(chan os.Signal, 1)
	done := make(chan struct{})
	signal.Notify(asked, unix.SIGTSTP)
	go func() {
		for {
			select {
			case <-done:
				return
			case <-asked:
				around(suspend)
			}
		}
	}()
	return func() {
		signal.Stop(asked)
		close(done)
	}
}

// suspend stops the process as SIGTSTP would have. That one cannot be sent again once
// it was listened for, and it stops nothing where there is no shell that could have
// the process go on: there the session's first process is in our group.
func suspend() {
	if session, err := unix.Getsid(0); err != nil || session == unix.Getpgrp() {
		return
	}
	_ = unix.Kill(unix.Getpid(), unix.SIGSTOP)
	time.Sleep(stopping)
}
