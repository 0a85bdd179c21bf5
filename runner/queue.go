package runner

import "container/heap"

// taskQueue is a heap of tasks by the time at which they may be tried, then by
// their place in the plan. A task in it holds no worker.
type taskQueue []*task

func (q taskQueue) Len() int { return len(q) }
func (q taskQueue) Less(i, j int) bool {
	if !q[i].dueAt.Equal(q[j].dueAt) {
		return q[i].dueAt.Before(q[j].dueAt)
	}
	return q[i].order < q[j].order
}
func (q taskQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *taskQueue) Push(x any)   { *q = append(*q, x.(*task)) }
func (q *taskQueue) Pop() any {
	old := *q
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return last
}

func (q *taskQueue) add(t *task) { heap.Push(q, t) }

// next returns the task that is due first, without taking it; nil when empty.
func (q taskQueue) next() *task {
	if len(q) == 0 {
		return nil
	}
	return q[0]
}

func (q *taskQueue) take() *task { return heap.Pop(q).(*task) }
