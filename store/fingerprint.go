package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
)

// fingerprintRows is how many entries SQLite puts into one text: handing rows over
// one by one costs more than reading them.
const fingerprintRows = 500

// fingerprintQuery joins what a difference with a plan looks at in entries whose
// digests are those of the plan. Texts that may hold anything follow their length,
// and JSON holds no such separator: equal texts mean equal entries.
const fingerprintQuery = `SELECT group_concat(line, ''), max(name) FROM (
	SELECT name, concat(octet_length(name), ':', name, octet_length(digest), ':', digest, state, char(31), life, char(31),
		labels, char(31), ifnull(signed_at_ms, ''), char(31), octet_length(doing), ':', doing, octet_length(pending), ':', pending) AS line
	FROM entries WHERE plan = ?1 AND name > ?2 ORDER BY name LIMIT ?3)`

// Fingerprint returns a digest of what decides whether a plan has anything to do:
// name, state, digest, life, labels, date of the create, and what was last done and is
// pending, of each of its entries. The date tells an older ledger that was put back. It
// is the same as long as these are, whatever else is written. It takes one scan, and far
// less time and memory than a Snapshot.
func (l *Ledger) Fingerprint(ctx context.Context, planName string) (fingerprint string, err error) {
	err = view(ctx, l.read, func(tx *sql.Tx) error {
		fingerprint, err = readFingerprint(ctx, tx, planName)
		return err
	})
	return fingerprint, trouble(l.path, fmt.Sprintf("take the fingerprint of plan %q", planName), err)
}

func readFingerprint(ctx context.Context, tx *sql.Tx, planName string) (string, error) {
	stmt, err := tx.PrepareContext(ctx, fingerprintQuery)
	if err != nil {
		return "", err
	}
	defer func() { _ = stmt.Close() }()
	sum := sha256.New()
	for last := (sql.Null[string]{Valid: true}); last.Valid; {
		var lines sql.Null[string]
		if err := stmt.QueryRowContext(ctx, planName, last.V, fingerprintRows).Scan(&lines, &last); err != nil {
			return "", err
		}
		_, _ = sum.Write([]byte(lines.V))
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
}
