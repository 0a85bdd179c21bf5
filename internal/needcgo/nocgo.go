//go:build !cgo

package needcgo

var _ int = "apsctl needs cgo for SQLite: install a C compiler (gcc or clang) and build with CGO_ENABLED=1"
