package plan

import "fmt"

// DisagreeListed says, one phrase a field, where a listed job is not as spec
// says. Only what DescribeApsJobs returns is compared; nil means agreement.
func DisagreeListed(spec Spec, job RemoteJob) []string {
	var differs []string
	if job.SourceInstance != spec.Source.Instance {
		differs = append(differs, fmt.Sprintf("its source is %s", job.SourceInstance))
	}
	if job.DestinationInstance != spec.Destination.Instance {
		differs = append(differs, fmt.Sprintf("its destination is %s", job.DestinationInstance))
	}
	return differs
}

// DisagreeDetail is DisagreeListed for what DescribeApsJobDetail returns.
// Fields that the detail leaves empty are not held against it. TargetTableMode
// is not compared: the documented samples show 1 at creation and 0 in the
// detail, so a difference proves nothing (API reference, section 4).
func DisagreeDetail(spec Spec, detail RemoteDetail) []string {
	var differs []string
	say := func(field, want, got string) {
		if want != "" && got != "" && want != got {
			differs = append(differs, fmt.Sprintf("its %s is %s", field, got))
		}
	}
	say("source", spec.Source.Instance, detail.SourceInstance)
	say("source region", spec.Source.Region, detail.SourceRegion)
	say("destination", spec.Destination.Instance, detail.DestinationInstance)
	if detail.DBList != "" && !SameJSON(spec.DBList, detail.DBList) {
		differs = append(differs, fmt.Sprintf("its db_list is %s", detail.DBList))
	}
	if !SameJSON(spec.PartitionList, detail.PartitionList) {
		differs = append(differs, fmt.Sprintf("its partition_list is %s", detail.PartitionList))
	}
	return differs
}
