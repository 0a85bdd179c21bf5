package probe

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/plan"
)

// firstName and secondName end the names; the first begins the second.
const firstName, secondName = "-a", "-ab"

func (p *Probe) makeFirst(ctx context.Context) error {
	made, o, err := p.make(ctx, p.prefix+firstName)
	switch {
	case err != nil:
		return err
	case made == nil:
		return &RefusedError{o}
	}
	p.first = made
	return p.lag(ctx, made)
}

// lag waits until the first job is listed, and tells when its detail came.
func (p *Probe) lag(ctx context.Context, made *job) error {
	var detailAfter, listedAfter time.Duration
	looked := func() (bool, error) {
		if detailAfter == 0 {
			answer, err := p.readDetail(ctx, made.try.ID)
			if err == nil && len(answer) > 0 {
				detailAfter = time.Since(made.acked)
			} else if err != nil && !refusedCall(err) {
				return false, err
			}
		}
		listing, err := p.service.List(ctx, p.region, false)
		for _, job := range listing.Jobs {
			if job.ID == made.try.ID {
				listedAfter = time.Since(made.acked)
				p.zone(made, job.CreateTime)
			}
		}
		return listedAfter > 0, err
	}
	listed, err := p.until(ctx, lagStep, looked)
	if err != nil {
		return err
	}
	if !listed {
		p.answer(ListLag, "more than "+p.o.Wait.String(), "not listed %s after it was acknowledged", p.o.Wait)
	} else {
		made.try.Listed = true
		if err := p.put(made.try); err != nil {
			return err
		}
		p.answer(ListLag, listedAfter.Round(time.Second).String(), "listed %s after it was acknowledged", listedAfter.Round(time.Millisecond))
	}
	// Both may come at once; only a detail that came first tells of a difference.
	switch {
	case detailAfter > 0 && (!listed || listedAfter-detailAfter > time.Second/2 || detailAfter < time.Second/2):
		p.answer(DetailLag, "at once", "it could be read after %s", detailAfter.Round(time.Millisecond))
	case detailAfter > 0:
		p.answer(DetailLag, "with the listing", "it could be read after %s, and was listed after %s", detailAfter.Round(time.Millisecond), listedAfter.Round(time.Millisecond))
	case listed:
		p.answer(DetailLag, "after the listing", "it could not be read when the job was listed")
	default:
		p.answer(DetailLag, "more than "+p.o.Wait.String(), "it could not be read for %s", p.o.Wait)
	}
	return nil
}

// zone tells the zone of CreateTime, which is written without one.
func (p *Probe) zone(made *job, text string) {
	at, err := time.Parse(time.DateTime, text)
	if err != nil {
		p.answer(CreateTimeZone, Unclear, "%s is of another form", text)
		return
	}
	now := made.clock
	if now.IsZero() {
		now = made.acked
	}
	offset := at.Sub(now.UTC()).Round(15 * time.Minute)
	sign := "+"
	if offset < 0 {
		sign = "-"
	}
	word := fmt.Sprintf("UTC%s%d:%02d", sign, int(offset.Abs().Hours()), int(offset.Abs().Minutes())%60)
	p.answer(CreateTimeZone, strings.TrimSuffix(word, ":00"), "%s for a job made at %s UTC", text, now.UTC().Format(time.DateTime))
}

func (p *Probe) readDetail(ctx context.Context, id string) (object, error) {
	answer, err := p.read(ctx, aps.ReadRequest{Operation: aps.OperationDetail, Params: map[string]string{"ApsJobId": id}})
	return parseObject(parseObject(answer.Body)["APSJobDetail"]), err
}

// detail looks at the forms of a detail.
func (p *Probe) detail(ctx context.Context) error {
	o, err := p.readDetail(ctx, p.first.try.ID)
	if refusedCall(err) || err == nil && len(o) == 0 {
		return nil // not there yet: not measured
	}
	if err != nil {
		return err
	}
	objects, partitions := o.kind("DbList"), o.kind("PartitionList")
	form := objects
	if objects != partitions && partitions != "missing" && partitions != "null" {
		form = "mixed"
	}
	p.answer(DetailObjects, form, "DbList %s, PartitionList %s", objects, partitions)
	p.answer(DetailMode, o.kind("TargetTableMode"), "TargetTableMode is %s", o.kind("TargetTableMode"))
	got := string(o["DbList"])
	if objects == "string" {
		got = o.text("DbList")
	}
	sent, back := keysOf(p.o.Job.DBList), keysOf(got)
	reversed := slices.Clone(sent)
	slices.Reverse(reversed)
	evidence := fmt.Sprintf("sent as %s, back as %s", strings.Join(sent, ", "), strings.Join(back, ", "))
	switch {
	case len(sent) < 2:
		p.answer(DetailKeys, Unclear, "db_list has one key only")
	case slices.Equal(sent, back):
		p.answer(DetailKeys, "as sent", "%s", evidence)
	case slices.Equal(reversed, back):
		p.answer(DetailKeys, "reversed", "%s", evidence)
	default:
		p.answer(DetailKeys, "other", "%s", evidence)
	}
	return nil
}

func (p *Probe) makeSecond(ctx context.Context) error {
	// Times of creation have whole seconds, and the order is told by them.
	if err := sleep(ctx, time.Second); err != nil {
		return err
	}
	made, o, err := p.make(ctx, p.prefix+secondName)
	switch {
	case err != nil:
		return err
	case made == nil:
		return &RefusedError{o}
	}
	p.second = made
	listed, err := p.until(ctx, pauseMax, func() (bool, error) {
		ids, err := p.named(ctx, made.try)
		return len(ids) > 0, err
	})
	if err == nil && listed {
		made.try.Listed = true
		err = p.put(made.try)
	}
	return err
}

// filter asks by a name, a beginning, a part, and a name that nothing has.
func (p *Probe) filter(ctx context.Context) error {
	if !p.first.try.Listed || !p.second.try.Listed {
		return nil // not measured
	}
	ask := func(name string) (ids []string, err error) {
		o, _, err := p.page(ctx, 1, sizeDocumented, "ApsJobName", name)
		for _, entry := range o.list("APSJobs") {
			ids = append(ids, entry.text("ApsJobId"))
		}
		return ids, err
	}
	finds := func(name string) (first, second bool, total int, err error) {
		ids, err := ask(name)
		return slices.Contains(ids, p.first.try.ID), slices.Contains(ids, p.second.try.ID), len(ids), err
	}
	_, _, none, err := finds(p.prefix + "-nothing-has-this-name")
	if err != nil {
		return err
	}
	whole, longer, _, err := finds(p.prefix + firstName)
	if err != nil {
		return err
	}
	part := strings.TrimPrefix(p.prefix, NamePrefix)
	inside, _, _, err := finds(part)
	if err != nil {
		return err
	}
	switch {
	case none > 0:
		p.answer(NameFilter, "ignored", "a name that nothing has found %d jobs", none)
	case inside:
		p.answer(NameFilter, "contains", "a part of a name found the job")
	case whole && longer:
		p.answer(NameFilter, "prefix", "a name found the job and another that begins with it; a part inside of it found none")
	case whole:
		p.answer(NameFilter, "exact", "a name found its job and none that begins with it")
	default:
		p.answer(NameFilter, Unclear, "a job was not found by its own name")
	}
	return nil
}

// status is the status of a job by its detail, "" when there is none.
func (p *Probe) status(ctx context.Context, id string) (string, error) {
	o, err := p.readDetail(ctx, id)
	if refusedCall(err) {
		err = nil
	}
	return o.text("Status"), err
}

// runs waits until a job runs, and returns the words that it showed meanwhile.
func (p *Probe) runs(ctx context.Context, id string) (running bool, words []string, err error) {
	running, err = p.until(ctx, pauseMax, func() (bool, error) {
		word, err := p.status(ctx, id)
		if word != "" && (len(words) == 0 || words[len(words)-1] != word) {
			words = append(words, word)
		}
		class := plan.ClassOf(word)
		return class == plan.ClassRunning || class == plan.ClassFailed, err
	})
	return running, words, err
}

// autoStart waits whether the first job comes to run; where it does not, starting
// it tells whether that was what it waited for.
func (p *Probe) autoStart(ctx context.Context) error {
	running, words, err := p.runs(ctx, p.first.try.ID)
	if err != nil {
		return err
	}
	seen := strings.Join(words, ", ")
	if running {
		p.answer(AutoStart, "yes", "without a start it showed %s", seen)
		return p.startAgain(ctx)
	}
	err = p.change(ctx, plan.OperationStart, p.first.try.ID)
	switch {
	case refusedCall(err):
		p.answer(AutoStart, "yes", "it showed %s for %s, and a start was refused with %s", seen, p.o.Wait, p.refusal(err))
		return nil
	case err != nil:
		return err
	}
	now, after, err := p.runs(ctx, p.first.try.ID)
	if err != nil {
		return err
	}
	if now || len(words) > 0 && plan.NotStarted(words[len(words)-1]) {
		p.answer(AutoStart, "no", "it showed %s for %s, and %s once it was started", seen, p.o.Wait, strings.Join(after, ", "))
	} else {
		p.answer(AutoStart, Unclear, "it showed %s for %s, and %s after a start", seen, p.o.Wait, strings.Join(after, ", "))
	}
	if !now {
		return nil
	}
	return p.startAgain(ctx)
}

// startAgain starts a job that is started.
func (p *Probe) startAgain(ctx context.Context) error {
	err := p.change(ctx, plan.OperationStart, p.first.try.ID)
	switch {
	case err == nil:
		p.answer(RepeatedStart, "accepted", "a job that runs was started again")
	case refusedCall(err):
		p.answer(RepeatedStart, "refused", "with %s", p.refusal(err))
	default:
		return err
	}
	return nil
}

// duplicate asks for a second job of the first one's name.
func (p *Probe) duplicate(ctx context.Context) error {
	if !p.first.try.Listed {
		return nil // a second job could not be told from the first
	}
	made, o, err := p.make(ctx, p.first.try.Name, p.first.try.ID)
	switch {
	case err != nil:
		return err
	case made != nil:
		p.answer(DuplicateNames, "allowed", "a second job got the id %s", made.try.ID)
	case o.Code != "":
		p.answer(DuplicateNames, "refused", "HTTP %d, %s", o.HTTPStatus, o.Code)
	default:
		p.answer(DuplicateNames, Unclear, "%s", o.Why)
	}
	return nil
}

// modify sends the job's own objects again, which changes nothing.
func (p *Probe) modify(ctx context.Context) error {
	id := p.first.try.ID
	word, err := p.status(ctx, id)
	if err != nil {
		return err
	}
	if plan.ClassOf(word) != plan.ClassRunning {
		p.answer(ModifySuspends, Unclear, "the job did not run: %s", word)
		return nil
	}
	return p.suspended(ctx, ModifySuspends, plan.OperationModify, id)
}

// suspended tries an operation on a job that runs and, where it is refused, on the
// job once it is suspended.
func (p *Probe) suspended(ctx context.Context, q Question, operation plan.Operation, id string) error {
	err := p.change(ctx, operation, id)
	switch {
	case err == nil:
		p.answer(q, "no", "%s was accepted for a job that ran", operation)
		return nil
	case !refusedCall(err):
		return err
	}
	why := p.refusal(err)
	if err := p.change(ctx, plan.OperationSuspend, id); err != nil {
		p.answer(q, Unclear, "refused with %s, and the job could not be suspended: %s", why, err)
		return ctx.Err()
	}
	if err := p.change(ctx, operation, id); err != nil {
		p.answer(q, Unclear, "refused with %s, and when suspended as well: %s", why, err)
		return ctx.Err()
	}
	p.answer(q, "yes", "refused with %s for a job that ran, accepted once it was suspended", why)
	return nil
}

// delete deletes the second job while it runs.
func (p *Probe) delete(ctx context.Context) error {
	id := p.second.try.ID
	running, words, err := p.runs(ctx, id)
	if err != nil {
		return err
	}
	if !running && p.change(ctx, plan.OperationStart, id) == nil {
		running, words, err = p.runs(ctx, id)
	}
	if err != nil {
		return err
	}
	if !running {
		p.answer(DeleteSuspends, Unclear, "the job did not run: %s", strings.Join(words, ", "))
		return nil
	}
	return p.suspended(ctx, DeleteSuspends, plan.OperationDelete, id)
}
