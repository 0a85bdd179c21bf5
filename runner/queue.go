package runner

import (
	"container/heap"
	"time"
)

// taskQueue holds tasks by the time at which they may be tried, then by their
// place in the plan. A task in it holds no worker. Those that are due are kept
// apart from those that wait, so that both can be counted at any time.
type taskQueue struct {
	due, waiting taskHeap
	causes       map[string]int // how many of those that wait do so for the same cause
}

func (q *taskQueue) add(t *task) {
	if t.dueAt.After(time.Now()) {
		if q.causes == nil {
			q.causes = map[string]int{}
		}
		t.waitsFor = t.result.Cause
		q.causes[t.waitsFor]++
		heap.Push(&q.waiting, t)
		return
	}
	heap.Push(&q.due, t)
}

func (q *taskQueue) len() int { return len(q.due) + len(q.waiting) }

// countWaiting is how many tasks are not due yet.
func (q *taskQueue) countWaiting() int {
	q.promote()
	return len(q.waiting)
}

// next returns the task that is due first, without taking it; nil when empty.
func (q *taskQueue) next() *task {
	q.promote()
	switch {
	case len(q.due) > 0:
		return q.due[0]
	case len(q.waiting) > 0:
		return q.waiting[0]
	}
	return nil
}

// take takes the task that next returns.
func (q *taskQueue) take() *task {
	if q.promote(); len(q.due) > 0 {
		return heap.Pop(&q.due).(*task)
	}
	return q.popWaiting()
}

func (q *taskQueue) popWaiting() *task {
	t := heap.Pop(&q.waiting).(*task)
	if q.causes[t.waitsFor]--; q.causes[t.waitsFor] == 0 {
		delete(q.causes, t.waitsFor)
	}
	return t
}

// promote moves what has become due.
func (q *taskQueue) promote() {
	for now := time.Now(); len(q.waiting) > 0 && !q.waiting[0].dueAt.After(now); {
		heap.Push(&q.due, q.popWaiting())
	}
}

// taskHeap is a heap by dueAt, then by order.
type taskHeap []*task

func (h taskHeap) Len() int { return len(h) }
func (h taskHeap) Less(i, j int) bool {
	if !h[i].dueAt.Equal(h[j].dueAt) {
		return h[i].dueAt.Before(h[j].dueAt)
	}
	return h[i].order < h[j].order
}
func (h taskHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *taskHeap) Push(x any)   { *h = append(*h, x.(*task)) }
func (h *taskHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return last
}
