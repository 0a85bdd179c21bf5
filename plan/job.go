package plan

import "github.com/apsctl/apsctl/internal/secret"

// Job is one desired APS job, after defaults. Its identity is (plan name, Name).
type Job struct {
	// Spec is everything that is sent to the service but the passwords.
	Spec
	// SourcePassword and DestinationPassword are references; nil sends none.
	SourcePassword, DestinationPassword *secret.Ref
	// Labels are for people and selectors; the service never sees them.
	Labels map[string]string
	// Life is what becomes of the job before and after it is created.
	Life
	// Digest is Spec.Digest, computed once when the plan is loaded.
	Digest string
	// Pos is where the job's item starts in the plan file, or its row in a CSV file.
	Pos Position
}

// Spec is what a CreateAPSJob request says, without secrets. It is what the
// digest covers and what the ledger keeps of each attempt. Field by field it is
// the parameter table of CreateAPSJob (API version 2021-12-01). An empty field
// is not sent, except for the four that the service requires.
type Spec struct {
	Name        string              `json:"name"`        // ApsJobName
	Region      string              `json:"region"`      // RegionId
	Source      SourceEndpoint      `json:"source"`      //
	Destination DestinationEndpoint `json:"destination"` //
	// DBList and PartitionList are canonical JSON (see CanonicalJSON).
	// PartitionList is "" when the plan does not say it.
	DBList          string `json:"db_list"`
	PartitionList   string `json:"partition_list,omitempty"`
	TargetTableMode string `json:"target_table_mode,omitempty"`
}

// SourceEndpoint is the PolarDB side of a job.
type SourceEndpoint struct {
	Instance string `json:"instance"`         // SourceEndpointInstanceID
	Region   string `json:"region,omitempty"` // SourceEndpointRegion
	User     string `json:"user,omitempty"`   // SourceEndpointUserName
}

// DestinationEndpoint is the AnalyticDB side of a job.
type DestinationEndpoint struct {
	Instance string `json:"instance"`       // DestinationEndpointInstanceID
	User     string `json:"user,omitempty"` // DestinationEndpointUserName
}

// JSON returns s as one line of JSON with a fixed order of fields: equal specs
// give equal text. It is the form in which the ledger keeps a spec.
func (s Spec) JSON() string {
	return string(s.appendJSON(nil))
}

// work identifies what a job synchronises, whatever it is called.
func (s Spec) work() [4]string {
	return [...]string{s.Region, s.Source.Instance, s.Destination.Instance, s.DBList}
}

// HashSpec returns the digest of s, "sha256:" and 64 hexadecimal digits.
// Labels and secrets are not part of it.
func HashSpec(s Spec) string {
	return new(hasher).spec(&s)
}
