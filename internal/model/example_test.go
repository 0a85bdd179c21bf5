package model_test

import (
	"fmt"

	"github.com/apsctl/apsctl/internal/model"
)

// Without the starred rule that absence needs a certificate, the nearest way to
// two jobs is short.
func ExampleSearch() {
	c := model.Config{
		Procs: 1, Names: 1, Creates: 2, Crashes: model.Unlimited,
		Rules: model.Everything &^ model.Certificate,
	}
	fmt.Print(model.Search(c, model.Duplicate, 1_000_000).Trace)
	// Output:
	// 1  t0  A, job 1: starts; the ledger has no entry
	//   2  t0  A, job 1: lists: no job of this name
	//   3  t0  A, job 1: reads the ledger again: no entry; chooses nonce and date
	//   4  t0  A, job 1: commits intent(1) for create 1
	//   5  t0  A, job 1: finds the date fresh
	//   6  t0  A, job 1: sends create 1
	//   7  t0  A, job 1: is killed
	//   8  t0  A, job 1: starts; the ledger has intent(1)
	//   9  t0  A, job 1: looks: the job is not listed
	//  10  t0  A, job 1: records absent(1)
	//  11  t0  A, job 1: tries again after absent(1); chooses nonce and date
	//  12  t0  A, job 1: commits intent(2) for create 2
	//  13  t0  A, job 1: finds the date fresh
	//  14  t0  A, job 1: sends create 2
	//  15  t0  the gateway accepts create 1
	//  16  t0  the service makes the job of create 1; the answer is lost or late
	//  17  t0  the gateway accepts create 2
	//  18  t0  the service makes the job of create 2; the answer is lost or late
	//      => duplicate
}
