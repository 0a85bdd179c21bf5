package probe

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/plan"
)

const (
	noSuchJob = "aps-probe-no-such-job"
	// ageMax is the oldest date that is tried, ageStep how narrow the answer gets.
	ageMax, ageStep = 2 * time.Hour, 10 * time.Second
	// sizeDocumented is a page size that is known to be served, sizeTried one that
	// hardly is.
	sizeDocumented, sizeTried = 30, 1000
	// pagesMax bounds how far a listing is walked for its order.
	pagesMax     = 20
	readTriesMax = 5
)

// read sends one read, again when the service could not do it just now.
func (p *Probe) read(ctx context.Context, request aps.ReadRequest) (aps.ReadAnswer, error) {
	request.Region = p.region
	for try := 1; ; try++ {
		answer, err := p.service.ReadOnce(ctx, request)
		if !passing(err) || try == readTriesMax {
			return answer, err
		}
		if err := sleep(ctx, time.Duration(try)*time.Second); err != nil {
			return answer, err
		}
	}
}

func (p *Probe) page(ctx context.Context, number, size int, more ...string) (object, aps.ReadAnswer, error) {
	params := map[string]string{"PageNumber": strconv.Itoa(number), "PageSize": strconv.Itoa(size)}
	for i := 0; i+1 < len(more); i += 2 {
		params[more[i]] = more[i+1]
	}
	answer, err := p.read(ctx, aps.ReadRequest{Operation: aps.OperationList, Params: params})
	return parseObject(answer.Body), answer, err
}

// refusal notes in which form a refusal came, and returns it in words.
func (p *Probe) refusal(err error) string {
	var call *plan.CallError
	if !errors.As(err, &call) {
		return fmt.Sprint(err)
	}
	text := cmp.Or(call.Code, call.Why)
	if call.HTTPStatus != 0 && call.Failure == plan.FailureOther {
		form := "http" + strconv.Itoa(call.HTTPStatus)
		p.answer(Refusals, form, "%s was refused with HTTP %d and %s", call.Operation, call.HTTPStatus, text)
	}
	return text
}

// refusedCall reports whether the service said no, and not that it could not.
func refusedCall(err error) bool {
	var call *plan.CallError
	return errors.As(err, &call) && call.Failure == plan.FailureOther && call.HTTPStatus != 0
}

// dateWindow halves the age of a signed date until it knows where the gateway
// draws the line. Each look is a page of the listing.
func (p *Probe) dateWindow(ctx context.Context) error {
	_, first, err := p.page(ctx, 1, sizeDocumented)
	if err != nil {
		return err
	}
	offset := time.Duration(0)
	if !first.ServerTime.IsZero() {
		offset = first.ServerTime.Sub(first.Received.Round(0))
	}
	accepted := func(age time.Duration) (bool, error) {
		_, err := p.read(ctx, aps.ReadRequest{
			Operation: aps.OperationList, SignedAt: time.Now().Add(offset - age),
			Params: map[string]string{"PageNumber": "1", "PageSize": strconv.Itoa(sizeDocumented)},
		})
		var call *plan.CallError
		if errors.As(err, &call) && call.Failure == plan.FailureCredentials {
			return false, nil
		}
		return err == nil, err
	}
	if ok, err := accepted(ageMax); ok || err != nil {
		if err == nil {
			p.answer(DateWindow, "at least "+ageMax.String(), "a date %s old was accepted", ageMax)
		}
		return err
	}
	young, old := time.Duration(0), ageMax
	for old-young > ageStep {
		middle := (young + old) / 2
		ok, err := accepted(middle)
		if err != nil {
			return err
		}
		if ok {
			young = middle
		} else {
			old = middle
		}
	}
	p.answer(DateWindow, ((young + old) / 2).Round(time.Minute).String(), "accepted when %s old, refused when %s old", young.Round(time.Second), old.Round(time.Second))
	return nil
}

func (p *Probe) unknownID(ctx context.Context) error {
	answer, err := p.read(ctx, aps.ReadRequest{Operation: aps.OperationDetail, Params: map[string]string{"ApsJobId": noSuchJob}})
	switch {
	case refusedCall(err):
		p.answer(UnknownID, "error", "HTTP %d, %s", answer.Status, p.refusal(err))
	case err != nil:
		return err
	case len(parseObject(parseObject(answer.Body)["APSJobDetail"])) == 0:
		p.answer(UnknownID, "empty", "a success whose APSJobDetail has nothing in it")
	default:
		p.answer(UnknownID, Unclear, "a success that tells of a job")
	}
	return nil
}

// pages looks at the form of a page, and at what becomes of one that is too large.
func (p *Probe) pages(ctx context.Context) error {
	o, _, err := p.page(ctx, 1, sizeDocumented)
	if err != nil {
		return err
	}
	kinds := map[string]bool{}
	var each []string
	for _, name := range []string{"PageNumber", "PageSize", "TotalCount"} {
		kinds[o.kind(name)] = true
		each = append(each, name+" "+o.kind(name))
	}
	form := "mixed"
	if len(kinds) == 1 {
		form = o.kind("PageNumber")
	}
	p.answer(PageNumbers, form, "%s", strings.Join(each, ", "))
	return p.pageCap(ctx)
}

func (p *Probe) pageCap(ctx context.Context) error {
	o, _, err := p.page(ctx, 1, sizeTried)
	if err == nil {
		size := o.text("PageSize")
		if size == strconv.Itoa(sizeTried) {
			p.answer(PageCap, "at least "+size, "a page of %d was served as such", sizeTried)
		} else {
			p.answer(PageCap, "lowered to "+size, "asked for %d, the answer says %s", sizeTried, size)
		}
		return nil
	}
	if !refusedCall(err) {
		return err
	}
	why := p.refusal(err)
	served, tooLarge := sizeDocumented, sizeTried
	for tooLarge-served > 1 {
		middle := (served + tooLarge) / 2
		_, _, err := p.page(ctx, 1, middle)
		switch {
		case err == nil:
			served = middle
		case refusedCall(err):
			tooLarge = middle
		default:
			return err
		}
	}
	p.answer(PageCap, fmt.Sprintf("refused above %d", served), "%d was refused with %s", tooLarge, why)
	return nil
}

// order compares the whole listing with the orders that it may have.
func (p *Probe) order(ctx context.Context) error {
	type listed struct{ id, at string }
	var all []listed
	for number := 1; number <= pagesMax; number++ {
		o, _, err := p.page(ctx, number, sizeDocumented)
		if err != nil {
			return err
		}
		entries := o.list("APSJobs")
		for _, entry := range entries {
			all = append(all, listed{entry.text("ApsJobId"), entry.text("CreateTime")})
		}
		if len(entries) == 0 || strconv.Itoa(len(all)) == o.text("TotalCount") {
			break
		}
	}
	place := func(j *job) int {
		return slices.IndexFunc(all, func(l listed) bool { return l.id == j.try.ID })
	}
	first, second := place(p.first), place(p.second)
	if first < 0 || second < 0 {
		p.answer(ListOrder, Unclear, "the throw-away jobs were not both among the %d jobs looked at", len(all))
		return nil
	}
	var fits []string
	ordered := func(word string, ours bool, compare func(a, b listed) int) {
		if ours && slices.IsSortedFunc(all, compare) {
			fits = append(fits, word)
		}
	}
	// Times in this layout sort as text.
	ordered("newest", second < first, func(a, b listed) int { return cmp.Compare(b.at, a.at) })
	ordered("oldest", first < second, func(a, b listed) int { return cmp.Compare(a.at, b.at) })
	ordered("id", true, func(a, b listed) int { return cmp.Compare(a.id, b.id) })
	ordered("id, descending", true, func(a, b listed) int { return cmp.Compare(b.id, a.id) })
	switch len(fits) {
	case 0:
		p.answer(ListOrder, "other", "neither by time nor by id, of %d jobs", len(all))
	case 1:
		p.answer(ListOrder, fits[0], "fits all %d jobs listed", len(all))
	default:
		p.answer(ListOrder, strings.Join(fits, " or "), "%d jobs are too few to tell these apart", len(all))
	}
	return nil
}

// object is an answer of the service, field by field.
type object map[string]json.RawMessage

// parseObject returns an empty object for anything else.
func parseObject(text []byte) object {
	var o object
	if json.Unmarshal(text, &o) != nil {
		return nil
	}
	return o
}

// kind names the JSON type of a field.
func (o object) kind(name string) string {
	text := bytes.TrimSpace(o[name])
	switch {
	case len(text) == 0:
		return "missing"
	case text[0] == '"':
		return "string"
	case text[0] == '{':
		return "object"
	case text[0] == '[':
		return "list"
	case text[0] == 't', text[0] == 'f':
		return "boolean"
	case text[0] == 'n':
		return "null"
	}
	return "number"
}

// text is a field that is a string or a number.
func (o object) text(name string) string {
	var text string
	if json.Unmarshal(o[name], &text) == nil {
		return text
	}
	return string(bytes.TrimSpace(o[name]))
}

func (o object) list(name string) []object {
	var entries []object
	_ = json.Unmarshal(o[name], &entries)
	return entries
}

// keysOf are the keys of the top level of a JSON object, in its order.
func keysOf(text string) []string {
	d := json.NewDecoder(strings.NewReader(text))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil
	}
	var keys []string
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return nil
		}
		keys = append(keys, fmt.Sprint(key))
	}
	return keys
}
