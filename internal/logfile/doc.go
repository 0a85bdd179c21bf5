// Package logfile opens files that several processes of one user append lines to.
package logfile
