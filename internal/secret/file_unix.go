//go:build unix

package secret

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

const openNonblock = syscall.O_NONBLOCK

// checkPrivate refuses a file that somebody else owns, may read or write, or may
// replace by one of theirs.
func checkPrivate(path string, info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("others may read or write it (mode %#o); run: chmod 600 %s", mode, path)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if uid := os.Geteuid(); ok && int(stat.Uid) != uid && stat.Uid != 0 {
		return fmt.Errorf("it belongs to user %d, not to user %d who runs this; run: chown %d %s",
			stat.Uid, uid, uid, path)
	}
	folders := []string{filepath.Dir(path)}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		folders = append(folders, filepath.Dir(target))
	}
	for _, folder := range folders {
		info, err := os.Stat(folder)
		if err == nil && info.Mode()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
			return fmt.Errorf("anyone may replace files in its folder; run: chmod o-w %s", folder)
		}
	}
	return nil
}
