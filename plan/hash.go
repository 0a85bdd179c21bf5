package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// hasher makes the digests of one plan's jobs. It keeps its buffers, since a plan
// may have very many.
type hasher struct {
	text   []byte
	digits [2 * sha256.Size]byte
}

// digestPrefix is hashed before the spec, so that a later change of the
// canonical form cannot be mistaken for a change of a job.
const digestPrefix = "apsctl job v1\n"

// spec is HashSpec.
func (h *hasher) spec(s *Spec) string {
	h.text = s.appendJSON(append(h.text[:0], digestPrefix...))
	sum := sha256.Sum256(h.text)
	hex.Encode(h.digits[:], sum[:])
	return "sha256:" + string(h.digits[:])
}

// work returns what stands for the work that s describes.
func (h *hasher) work(s *Spec) workKey {
	h.text = h.text[:0]
	for _, part := range s.work() {
		h.text = append(append(h.text, part...), 0)
	}
	sum := sha256.Sum256(h.text)
	return workKey(sum[:len(workKey{})])
}

// appendJSON appends what json.Marshal makes of s, in a fraction of the time.
func (s *Spec) appendJSON(to []byte) []byte {
	to = appendField(to, `{"name":`, s.Name)
	to = appendField(to, `,"region":`, s.Region)
	to = appendField(to, `,"source":{"instance":`, s.Source.Instance)
	to = appendOptional(to, `,"region":`, s.Source.Region)
	to = appendOptional(to, `,"user":`, s.Source.User)
	to = appendField(to, `},"destination":{"instance":`, s.Destination.Instance)
	to = appendOptional(to, `,"user":`, s.Destination.User)
	to = appendField(to, `},"db_list":`, s.DBList)
	to = appendOptional(to, `,"partition_list":`, s.PartitionList)
	to = appendOptional(to, `,"target_table_mode":`, s.TargetTableMode)
	return append(to, '}')
}

func appendOptional(to []byte, key, value string) []byte {
	if value == "" {
		return to
	}
	return appendField(to, key, value)
}

func appendField(to []byte, key, value string) []byte {
	to = append(append(to, key...), '"')
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '"' || c == '\\':
			to = append(to, '\\', c)
		case c < ' ' || c > '~' || c == '<' || c == '>' || c == '&':
			return append(to[:len(to)-escapedLength(value[:i])-1], marshalled(value)...)
		default:
			to = append(to, c)
		}
	}
	return append(to, '"')
}

// escapedLength is how many bytes appendField has written for text.
func escapedLength(text string) int {
	n := len(text)
	for i := 0; i < len(text); i++ {
		if text[i] == '"' || text[i] == '\\' {
			n++
		}
	}
	return n
}

func marshalled(text string) []byte {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic("plan: a text can be marshalled: " + err.Error())
	}
	return quoted
}
