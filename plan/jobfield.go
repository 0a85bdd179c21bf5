package plan

import "strings"

// jobField is one field of a job as a plan file says it.
type jobField struct {
	key     string                       // its path in the job
	objects bool                         // its value are objects to synchronise
	at      func(*jobDraft) *node        // where it is said, nil if it is not
	yaml    func(*expander, *Job) string // its value as YAML, "" to say nothing
}

// jobFields are all of them, in the order of the plan reference. labels have a
// line for each of theirs.
var jobFields = []jobField{
	{key: "name", at: func(j *jobDraft) *node { return j.name.at }, yaml: asText(func(j *Job) string { return j.Name })},
	{key: "region", at: func(j *jobDraft) *node { return j.region.at }, yaml: asText(func(j *Job) string { return j.Region })},
	{key: "source.instance", at: func(j *jobDraft) *node { return j.source.instance.at }, yaml: asText(func(j *Job) string { return j.Source.Instance })},
	{key: "source.region", at: func(j *jobDraft) *node { return j.source.region.at }, yaml: asText(func(j *Job) string { return j.Source.Region })},
	{key: "source.user", at: func(j *jobDraft) *node { return j.source.user.at }, yaml: asText(func(j *Job) string { return j.Source.User })},
	{key: "source.password", at: func(j *jobDraft) *node { return j.source.password.at }, yaml: func(e *expander, j *Job) string { return e.password(j.SourcePassword) }},
	{key: "source.password_version", at: func(j *jobDraft) *node { return j.source.passwordVersion.at }, yaml: asText(func(j *Job) string { return j.SourcePasswordVersion })},
	{key: "destination.instance", at: func(j *jobDraft) *node { return j.destination.instance.at }, yaml: asText(func(j *Job) string { return j.Destination.Instance })},
	{key: "destination.user", at: func(j *jobDraft) *node { return j.destination.user.at }, yaml: asText(func(j *Job) string { return j.Destination.User })},
	{key: "destination.password", at: func(j *jobDraft) *node { return j.destination.password.at }, yaml: func(e *expander, j *Job) string { return e.password(j.DestinationPassword) }},
	{key: "destination.password_version", at: func(j *jobDraft) *node { return j.destination.passwordVersion.at }, yaml: asText(func(j *Job) string { return j.DestinationPasswordVersion })},
	{key: "db_list", objects: true, at: func(j *jobDraft) *node { return j.dbList.at }, yaml: asText(func(j *Job) string { return j.DBList })},
	{key: "partition_list", objects: true, at: func(j *jobDraft) *node { return j.partitionList.at }, yaml: asText(func(j *Job) string { return j.PartitionList })},
	{key: "target_table_mode", at: func(j *jobDraft) *node { return j.targetTableMode.at }, yaml: asText(func(j *Job) string { return j.TargetTableMode })},
	{key: "labels", at: func(j *jobDraft) *node { return j.labelsAt }},
	{key: "adopt", at: func(j *jobDraft) *node { return j.adopt.at }, yaml: func(_ *expander, j *Job) string { return yamlAdopt(j.Adopt) }},
	{key: "state", at: func(j *jobDraft) *node { return j.state.at }, yaml: asText(func(j *Job) string { return string(j.State) })},
	{key: "on_remove", at: func(j *jobDraft) *node { return j.onRemove.at }, yaml: asText(func(j *Job) string { return string(j.OnRemove) })},
	{key: "protect", at: func(j *jobDraft) *node { return j.protect.at }, yaml: func(_ *expander, j *Job) string { return yamlTrue(j.Protect) }},
	{key: "ignore", at: func(j *jobDraft) *node { return j.ignore.at }, yaml: func(_ *expander, j *Job) string { return yamlIgnore(j.Ignore) }},
}

// asText is the YAML of a text that is said unless it is empty.
func asText(of func(*Job) string) func(*expander, *Job) string {
	return func(_ *expander, j *Job) string {
		if value := of(j); value != "" {
			return yamlText(value)
		}
		return ""
	}
}

func yamlAdopt(a Adopt) string {
	switch {
	case a.Any:
		return "true"
	case a.Never:
		return "false"
	case a.ID != "":
		return yamlText(a.ID)
	}
	return ""
}

func yamlTrue(said bool) string {
	if said {
		return "true"
	}
	return ""
}

func yamlIgnore(fields FieldSet) string {
	if fields == 0 {
		return ""
	}
	return "[" + strings.Join(fields.Names(), ", ") + "]"
}
