package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/apsctl/apsctl/internal/secret"
	"github.com/apsctl/apsctl/plan"
)

// Variants of the policy.
const (
	policyApply = "apply"
	policyRead  = "read"
)

// The operations that need a RAM action, by what the action can be narrowed to.
// GetCallerIdentity needs none.
var (
	// A listing names no cluster, and a detail only a job. The logs of failed jobs
	// could be narrowed to one, but are of no use without the others.
	readActions = []string{"DescribeApsJobs", "DescribeApsJobDetail", "DescribeApsActionLogs"}
	// Documented for CreateAPSJob and StartApsJob: the resource is the cluster that
	// is the job's destination.
	writeActions = []string{
		"CreateAPSJob", string(plan.OperationModify), string(plan.OperationStart),
		string(plan.OperationSuspend), string(plan.OperationDelete),
	}
	secretActions = []string{"GetSecretValue"}
)

// ramPolicy is a policy document of RAM.
type ramPolicy struct {
	Version   string         `json:"Version"`
	Statement []ramStatement `json:"Statement"`
}

type ramStatement struct {
	Effect   string   `json:"Effect"`
	Action   []string `json:"Action"`
	Resource []string `json:"Resource"`
}

// newPolicy is what a plan needs at least: the reads in its regions and, but for
// the variant that only reads, the writes on its destination clusters and the
// passwords that KMS keeps. Jobs that left the plan count: they may have to be
// deleted. account may be "*".
func newPolicy(wanted *plan.Plan, left []plan.Entry, account, variant string) ramPolicy {
	regions, clusters, kept := map[string]bool{}, map[string]bool{}, map[string]bool{}
	touch := func(spec plan.Spec) {
		at := "acs:adb:" + spec.Region + ":" + account + ":dbcluster/"
		regions[at+"*"] = true
		clusters[at+spec.Destination.Instance] = true
	}
	for _, entry := range left {
		touch(entry.Spec)
	}
	for _, job := range wanted.Jobs {
		touch(job.Spec)
		for _, ref := range []*secret.Ref{job.SourcePassword, job.DestinationPassword} {
			if ref != nil && ref.KMS != nil {
				kept[secretResource(ref.InRegion(job.Region).KMS, account)] = true
			}
		}
	}
	p := ramPolicy{Version: "1", Statement: []ramStatement{}}
	p.allow("adb", readActions, regions)
	if variant == policyApply {
		p.allow("adb", writeActions, clusters)
		p.allow("kms", secretActions, kept)
	}
	return p
}

func (p *ramPolicy) allow(service string, operations []string, resources map[string]bool) {
	if len(resources) == 0 {
		return
	}
	actions := make([]string, len(operations))
	for i, operation := range operations {
		actions[i] = service + ":" + operation
	}
	p.Statement = append(p.Statement, ramStatement{"Allow", actions, slices.Sorted(maps.Keys(resources))})
}

// secretResource is the resource name of a secret, which a plan may say itself.
func secretResource(k *secret.KMS, account string) string {
	if strings.HasPrefix(k.Secret, "acs:") {
		return k.Secret
	}
	return fmt.Sprintf("acs:kms:%s:%s:secret/%s", cmp.Or(k.Region, "*"), account, k.Secret)
}

// notes are what a person should know who pastes the policy.
func (p ramPolicy) notes(account string) []string {
	notes := []string{"DescribeApsJobs and DescribeApsJobDetail cannot be narrowed to a cluster: a listing names none."}
	if account == "*" {
		notes = append(notes, "The account is * in every resource: --account ID names it.")
	}
	for _, s := range p.Statement {
		switch s.Action[0] {
		case "adb:" + writeActions[0]:
			notes = append(notes,
				"That the writes can be narrowed to the destination cluster is documented for CreateAPSJob and StartApsJob only; should another be refused, give it dbcluster/* of the region.",
				"A plan that never suspends, deletes or replaces needs no SuspendApsJob and DeleteApsJob.")
		case "kms:" + secretActions[0]:
			notes = append(notes, "A secret that a key of your own protects needs kms:Decrypt on that key (acs:kms:REGION:ACCOUNT:key/ID), which the plan does not name.")
		}
	}
	return notes
}
