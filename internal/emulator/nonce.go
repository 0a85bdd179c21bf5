package emulator

import "time"

type nonceID struct{ key, nonce string }

// nonces remembers what each key has used, for as long as a request with that
// nonce could still pass the check of its date.
type nonces struct {
	until   map[nonceID]int64 // milliseconds
	sweepAt int               // size at which the old ones are dropped
}

const nonceSweep = 8192

func newNonces() nonces {
	return nonces{until: map[nonceID]int64{}, sweepAt: nonceSweep}
}

func (n *nonces) seen(id nonceID, now time.Time) bool {
	until, known := n.until[id]
	return known && until >= now.UnixMilli()
}

func (n *nonces) add(id nonceID, until, now time.Time) {
	n.until[id] = until.UnixMilli()
	if len(n.until) >= n.sweepAt {
		n.sweep(now)
	}
}

// sweep drops the old ones. The next sweep comes when the number has doubled,
// so that the work stays in proportion.
func (n *nonces) sweep(now time.Time) {
	for id, until := range n.until {
		if until < now.UnixMilli() {
			delete(n.until, id)
		}
	}
	n.sweepAt = max(nonceSweep, 2*len(n.until))
}
