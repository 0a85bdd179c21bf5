package runner

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/apsctl/apsctl/plan"
)

const (
	watchFirst = 2 * time.Second // after a job is there
	watchPause = 30 * time.Second
)

// watch follows what became of the jobs of one region: one listing serves them
// all, and waiting for it holds no worker.
type watch struct {
	jobs    map[string]*task // by job id, until they run or failed
	at      time.Time        // of the next listing
	pause   time.Duration
	running bool
}

// follow watches a task's job until it runs, and counts the task out of its wave:
// now, or when it runs if that is waited for.
func (s *scheduler) follow(t *task) {
	rollout := s.run.options.Rollout
	if !rollout.WaitRunning {
		s.leaveWave(t, false)
	}
	if !rollout.watches() || !t.placed && !rollout.WaitRunning {
		return
	}
	w := s.watchOf(t.change.Region())
	w.jobs[t.result.JobID] = t
	if !w.running {
		w.pause = watchFirst
		w.at = time.Now().Add(w.pause)
	}
}

func (s *scheduler) watchOf(region string) *watch {
	w := s.watching[region]
	if w == nil {
		w = &watch{jobs: map[string]*task{}, pause: watchFirst, at: time.Now().Add(watchFirst)}
		s.watching[region] = w
	}
	return w
}

// occupy takes in which jobs were initialising before the run changed anything.
func (s *scheduler) occupy() {
	if !s.run.options.Rollout.bounded() {
		return
	}
	for region, listing := range s.run.listings {
		s.watchOf(region)
		s.places.observe(listing, nil)
	}
}

// wanted reports whether anything waits for what the region's listing may show.
func (s *scheduler) wanted(region string, w *watch) bool {
	if s.places.count > 0 && len(s.places.listed[region]) > 0 {
		return true
	}
	return len(w.jobs) > 0 && (s.places.count > 0 || s.run.options.Rollout.WaitRunning)
}

func (s *scheduler) watched() bool {
	for region, w := range s.watching {
		if s.wanted(region, w) {
			return true
		}
	}
	return false
}

func (s *scheduler) startWatches() {
	if s.stopped != StopNone {
		return
	}
	now := time.Now()
	if s.watched() && !s.busy() && now.Sub(s.news) >= s.run.options.Rollout.WaitTimeout {
		s.end(StopWait, s.stillWaiting(), plan.FailureNone)
		return
	}
	for region, w := range s.watching {
		if w.running || w.at.After(now) || !s.wanted(region, w) {
			continue
		}
		w.running = true
		s.looking++
		go func() {
			listing, err := s.run.service.List(s.stop, region, false)
			s.events <- func() { s.watchedAt(w, listing, err) }
		}()
	}
}

// nextWatch is when the next listing is due or patience ends, if any is waited for.
func (s *scheduler) nextWatch() (at time.Time, waits bool) {
	at = s.news.Add(s.run.options.Rollout.WaitTimeout)
	if s.busy() { // its end is news, however long it takes
		at = time.Now().Add(time.Hour)
	}
	for region, w := range s.watching {
		if s.wanted(region, w) {
			waits = true
			if !w.running && w.at.Before(at) {
				at = w.at
			}
		}
	}
	return at, waits
}

// watchedAt takes in what a listing shows. One that failed shows nothing, unless
// it says that no other will succeed.
func (s *scheduler) watchedAt(w *watch, listing plan.Listing, err error) {
	s.looking--
	w.running = false
	w.pause = min(2*w.pause, watchPause)
	if err != nil {
		s.lookFailed(err)
	} else {
		for _, job := range listing.Jobs {
			if t := w.jobs[job.ID]; t != nil {
				t.status = job.Status
				s.became(w, t, job)
			}
		}
		s.ready(s.places.observe(listing, w.jobs))
	}
	w.at = time.Now().Add(w.pause)
}

// became acts on what a listing shows of a job that this run changed.
func (s *scheduler) became(w *watch, t *task, job plan.RemoteJob) {
	class := plan.ClassOf(job.Status)
	if class == plan.ClassPending {
		return
	}
	s.ready(s.places.give(t))
	switch {
	case class == plan.ClassFailed:
		delete(w.jobs, job.ID)
		s.unhealthy(t, job)
	case t.change.Kind == plan.KindUpdate, string(class) == string(t.aim()):
		delete(w.jobs, job.ID)
		s.leaveWave(t, false)
	case !s.run.options.Rollout.WaitRunning:
		delete(w.jobs, job.ID)
	}
}

// aim is what a task's job should be doing in the end.
func (t *task) aim() plan.DesiredState {
	if t.change.Job != nil && t.change.Job.State != "" {
		return t.change.Job.State
	}
	return plan.Running
}

// unhealthy counts a task as failed whose job is there and does not run.
func (s *scheduler) unhealthy(t *task, job plan.RemoteJob) {
	why := fmt.Sprintf("it is there as %s, and its status is %s", job.ID, job.Status)
	if job.ErrorMessage != "" {
		why += ": " + s.run.secrets.Clean(job.ErrorMessage)
	}
	t.finish(EndUnhealthy, why, "does not run")
	s.leaveWave(t, true)
	s.countFailure()
}

// ready queues tasks that were parked.
func (s *scheduler) ready(tasks []*task) {
	for _, t := range tasks {
		s.queue.add(t)
	}
}

// stillWaiting says what a run waited for in vain.
func (s *scheduler) stillWaiting() string {
	const shown = 3
	var all []string
	for _, region := range slices.Sorted(maps.Keys(s.watching)) {
		jobs := s.watching[region].jobs
		for _, id := range slices.Sorted(maps.Keys(jobs)) {
			status := jobs[id].status
			if status == "" {
				status = "not listed yet"
			} else if plan.NotStarted(status) {
				status += "; state: running in the plan starts it"
			}
			all = append(all, fmt.Sprintf("%s (%s)", jobs[id].change.Name, status))
		}
	}
	text := fmt.Sprintf("nothing changed for %s: %s not running", s.run.options.Rollout.WaitTimeout, plan.Count(len(all), "job"))
	if len(all) == 0 {
		return fmt.Sprintf("nothing changed for %s: jobs of others are initialising", s.run.options.Rollout.WaitTimeout)
	}
	if len(all) > shown {
		all = append(all[:shown], fmt.Sprintf("and %d more", len(all)-shown))
	}
	return text + ": " + strings.Join(all, ", ")
}
