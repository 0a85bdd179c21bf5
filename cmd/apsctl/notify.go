package main

import (
	"cmp"
	"context"
	"fmt"
)

// notifier tells people that runs of a plan end otherwise than before.
type notifier struct {
	hook *hook
	form notifyForm
	warn func(string)
}

// tell sends a message if the run ended otherwise than people were told last, or one
// died since. Where that is not known it is sent: once too often is better than
// never. A message that was not taken was not told.
func (n *notifier) tell(ctx context.Context, a *app, b *bulletin) {
	told, err := toldOf(b)
	last, lastErr := b.remember(ctx, a, told)
	if err = cmp.Or(err, lastErr); err != nil && told == nil {
		n.warn("how the run before ended is not known, so a notification is sent: " + err.Error())
	} else if !b.isNews(last, told) {
		return
	}
	lines := b.lines(a)
	if last != nil {
		lines[0] += fmt.Sprintf("; the run before: %s", last.Outcome)
	}
	if told != nil && (last == nil || last.Outcome != told.Outcome) {
		lines[0] += fmt.Sprintf("; told last: %s", told.Outcome)
	}
	body, err := n.form.message(a, b, last, lines)
	if err == nil {
		err = n.send(ctx, body)
	}
	if err != nil {
		n.warn("the notification was not taken, and the next run sends one: " + err.Error())
		return
	}
	if err := keepTold(b); err != nil {
		n.warn("it could not be kept that the notification was taken, so that it may be sent again: " + err.Error())
	}
}

// isNews compares with what was told, or where nothing was, with the run before: a
// first run that is done is no news.
func (b *bulletin) isNews(last *earlier, told *told) bool {
	if told != nil {
		return b.outcome() != told.Outcome || b.died
	}
	return b.code != exitDone || last != nil && last.Outcome != b.outcome()
}

func (n *notifier) send(ctx context.Context, body []byte) error {
	answer, err := n.hook.post(ctx, "application/json; charset=utf-8", body)
	if err != nil {
		return err
	}
	if refusal := n.form.refusal(answer); refusal != "" {
		return fmt.Errorf("%s refused it: %s", n.hook.url.Host, refusal)
	}
	return nil
}
