package aps_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/internal/emulator"
	"github.com/apsctl/apsctl/plan"
)

// TestListingGoesOnInPagesThatTheServiceTakes: a service that refuses pages of 30
// once had every listing fail. What it takes is remembered.
func TestListingGoesOnInPagesThatTheServiceTakes(t *testing.T) {
	for _, test := range []struct{ most, refused, pages int }{{100, 0, 1}, {30, 0, 1}, {29, 1, 2}, {7, 2, 3}, {1, 3, 13}} {
		for _, form := range []emulator.BusinessErrors{emulator.BusinessHTTP400, emulator.BusinessHTTP200} {
			client, cloud := emulate(t, emulator.Options{PageCap: test.most, PageCapMode: emulator.PageCapRefuse, BusinessErrors: form})
			for n := range 12 {
				if o := create(t, client, fmt.Sprintf("job-%d", n)); o.Verdict != plan.VerdictCreated {
					t.Fatalf("create: %+v", o)
				}
			}
			for i, refused := range []int{test.refused, 0} {
				before := cloud.Stats().Actions["DescribeApsJobs"].Calls
				listing, err := client.List(t.Context(), region, false)
				calls := int(cloud.Stats().Actions["DescribeApsJobs"].Calls - before)
				if err != nil || len(listing.Jobs) != 12 || calls != refused+test.pages {
					t.Errorf("pages of %d at most, listing %d: %d jobs after %d calls, want %d; %v",
						test.most, i+1, len(listing.Jobs), calls, refused+test.pages, err)
				}
			}
			if found, err := client.Find(t.Context(), region, "job-3"); err != nil || len(found) != 1 {
				t.Errorf("pages of %d at most: find: %+v, %v", test.most, found, err)
			}
		}
	}
}

func TestOnlyARefusalOfThePageSizeIsOne(t *testing.T) {
	for code, want := range map[string]bool{"InvalidPageSize": true, "InvalidParameter.PageSize": true, "InvalidPageNumber": false, "": false} {
		err := fmt.Errorf("list: %w", &plan.CallError{Failure: plan.FailureOther, Code: code})
		if got := aps.PageSizeRefused(err); got != want {
			t.Errorf("%q: got %v", code, got)
		}
	}
	if aps.PageSizeRefused(errors.New("InvalidPageSize")) || aps.PageSizeRefused(&plan.CallError{Failure: plan.FailureThrottled, Code: "Throttling.PageSize"}) {
		t.Error("what is no refusal for good counts as one")
	}
}
