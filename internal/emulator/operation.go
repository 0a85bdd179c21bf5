package emulator

import "net/http"

const (
	versionAPS = "2021-12-01"
	versionSTS = "2015-04-01"
	versionKMS = "2016-01-20"
)

// operation is one action of the API (API reference, section 2).
type operation struct {
	name, version string
	params        []param
	// allowGet lets an ACS3 request be a GET. The APS calls are documented as
	// POST; a proxy may repeat a GET by itself, and a create must not be.
	allowGet bool
	// inQuery tells that the parameters travel in the query; else they are in the
	// form body.
	inQuery bool
	// hasID tells that a success carries ApsJobId.
	hasID bool
	run   func(s *Server, c *call) (fields, *problem)
}

// operations are all that the emulator knows, in the order of the reference.
var operations = []operation{
	{name: "CreateAPSJob", version: versionAPS, hasID: true, run: createJob, params: []param{
		{name: "RegionId", required: true, check: checkRegion},
		{name: "ApsJobName", required: true, check: checkName},
		{name: "SourceEndpointInstanceID", required: true, check: checkInstance},
		{name: "SourceEndpointRegion", check: checkRegion},
		{name: "SourceEndpointUserName", check: checkText},
		{name: "SourceEndpointPassword", secret: true},
		{name: "DestinationEndpointInstanceID", required: true, check: checkInstance},
		{name: "DestinationEndpointUserName", check: checkText},
		{name: "DestinationEndpointPassword", secret: true},
		{name: "DbList", required: true, check: checkObject},
		{name: "PartitionList", check: checkObject},
		{name: "TargetTableMode", check: checkText},
	}},
	{name: "DescribeApsJobs", version: versionAPS, run: listJobs, params: []param{
		{name: "PageNumber", required: true, check: checkCount},
		{name: "PageSize", required: true, check: checkCount},
		{name: "RegionId", check: checkRegion},
		{name: "ApsJobName", check: checkName},
		{name: "CreateTimeStart", check: checkMinute},
		{name: "CreateTimeEnd", check: checkMinute},
	}},
	{name: "DescribeApsJobDetail", version: versionAPS, run: describeJob, params: []param{
		{name: "ApsJobId", required: true, check: checkText},
		{name: "RegionId", check: checkRegion},
	}},
	{name: "ModifyApsJob", version: versionAPS, hasID: true, run: modifyJob, params: []param{
		{name: "RegionId", required: true, check: checkRegion},
		{name: "ApsJobId", required: true, check: checkText},
		{name: "DbList", required: true, check: checkObject},
		{name: "PartitionList", check: checkObject},
	}},
	{name: "StartApsJob", version: versionAPS, hasID: true, run: startJob, params: []param{
		{name: "RegionId", required: true, check: checkRegion},
		{name: "ApsJobId", required: true, check: checkText},
	}},
	{name: "SuspendApsJob", version: versionAPS, hasID: true, run: suspendJob, params: []param{
		{name: "ApsJobId", required: true, check: checkText},
		{name: "RegionId", check: checkRegion},
	}},
	{name: "DeleteApsJob", version: versionAPS, hasID: true, run: deleteJob, params: []param{
		{name: "RegionId", required: true, check: checkRegion},
		{name: "ApsJobId", required: true, check: checkText},
	}},
	{name: "DescribeApsActionLogs", version: versionAPS, inQuery: true, run: describeLogs, params: []param{
		{name: "RegionId", required: true, check: checkRegion},
		{name: "DBClusterId", required: true, check: checkInstance},
		{name: "WorkloadId", required: true, check: checkText},
		{name: "StartTime", required: true, check: checkMinute},
		{name: "EndTime", required: true, check: checkMinute},
		{name: "Keyword", check: checkText},
		{name: "Stage", check: checkStage},
		{name: "State", check: checkLogStates},
		{name: "PageNumber", check: checkCount},
		{name: "PageSize", check: checkLogPageSize},
	}},
	// RegionId is no documented parameter of this one, but older SDKs add it
	// to every call.
	{name: "GetCallerIdentity", version: versionSTS, allowGet: true, run: callerIdentity, params: []param{
		{name: "RegionId", check: checkRegion},
	}},
	// The other parameters of this one (VersionId, FetchExtendedConfig, DryRun)
	// are not served. GET would put the name of a secret into logs of proxies.
	{name: "GetSecretValue", version: versionKMS, run: secretValue, params: []param{
		{name: "SecretName", required: true, check: checkText},
		{name: "VersionStage", check: checkText},
	}},
}

// findOperation looks an action up by its exact name and version.
func findOperation(action, version string) (*operation, *problem) {
	for i := range operations {
		op := &operations[i]
		if op.name != action {
			continue
		}
		if op.version != version {
			return nil, refuse(http.StatusBadRequest, "ApiVersionForbidden", "The version %s of %s is not served; want %s.", clip(version), op.name, op.version)
		}
		return op, nil
	}
	return nil, refuse(http.StatusNotFound, "InvalidAction.NotFound", "Specified api is not found, please check your url and method: %s.", clip(action))
}
