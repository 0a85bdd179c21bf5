//go:build !unix

package store

import "io/fs"

// makePrivate does nothing: who may read a file is not in its mode here.
func makePrivate(string) error { return nil }

// nameCount is not known here.
func nameCount(fs.FileInfo) int { return 1 }

// syncFolder does nothing: a folder cannot be synced here.
func syncFolder(string) error { return nil }

const openNoFollow = 0

const openNoWait = 0
