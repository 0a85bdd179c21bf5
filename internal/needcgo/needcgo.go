// Package needcgo stops a build without cgo at one sentence that says what is
// missing, in place of a list of undefined names from the SQLite driver. Whoever
// needs cgo imports it for that effect alone.
package needcgo
