package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apsctl/apsctl/plan"
)

// sparse makes a ledger that is larger than its -wal file ever was: that is folded in
// after each transaction, so that the last one starts it anew.
var sparse = append(slices.Clone(migrations),
	"PRAGMA wal_autocheckpoint = 1; CREATE TABLE wide (x); INSERT INTO wide VALUES (zeroblob(800000));",
	"INSERT INTO wide VALUES (zeroblob(800000));")

// createSparse makes such a ledger and prints how that ended.
func createSparse(path string) int {
	l, err := Open(context.Background(), path, Options{Create: true, migrations: sparse})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(l.Close())
	return 0
}

// On a nearly full disk, all of a new ledger may fit into its -wal file and not into
// itself. It must not get its name then. Here no file may be larger than 1.5 MiB.
func TestOpen_disk_full_at_the_end_of_creating(t *testing.T) {
	path := newPath(t)
	for _, limited := range []bool{true, false} {
		cmd := exec.Command(os.Args[0], path)
		if limited {
			cmd = exec.Command("sh", "-c", `trap '' XFSZ; ulimit -f 3072; exec "$0" "$@"`, os.Args[0], path)
		}
		cmd.Env = append(os.Environ(), child+"=sparse")
		out, err := cmd.CombinedOutput()
		if limited && (err == nil || !strings.Contains(string(out), "fold its -wal file in")) || !limited && err != nil {
			t.Errorf("limited %t: got %v, %s", limited, err, out)
		}
		files, _ := filepath.Glob(path + "*")
		if limited && len(files) != 0 {
			t.Errorf("%q was left behind", files)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Size() < 3072*512 {
		t.Errorf("the ledger is not larger than the limit: %v, %v", info, err)
	}
}

// Whatever SQLite calls no error, a -wal file that was not folded in is one.
func TestFold_in_use(t *testing.T) {
	l := openStore(t)
	tx, err := l.read.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	var n int
	if err := tx.QueryRow("SELECT count(*) FROM entries").Scan(&n); err != nil {
		t.Fatal(err)
	}
	mustIntend(t, l, intentOf("a", plan.StateNone, 1))
	if err := l.exec(t, "PRAGMA busy_timeout = 50"); err != nil {
		t.Fatal(err)
	}
	if err := l.writer.fold(t.Context()); !errors.Is(err, ErrBusy) {
		t.Errorf("got %v, want ErrBusy", err)
	}
	if err := errors.Join(tx.Rollback(), l.writer.fold(t.Context())); err != nil {
		t.Error(err)
	}
}
