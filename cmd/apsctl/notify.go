package main

import (
	"context"
	"fmt"
)

// notifier tells people that runs of a plan end otherwise than before.
type notifier struct {
	hook *hook
	form notifyForm
	warn func(string)
}

// tell sends a message if the run ended otherwise than the one before it. Where
// that is not known it is sent: once too often is better than never. A first run
// that is done is no news.
func (n *notifier) tell(ctx context.Context, a *app, b *bulletin) {
	last, err := b.remember(ctx, a)
	if err != nil {
		n.warn("how the run before ended is not known, so a notification is sent: " + err.Error())
	}
	if err == nil && !isNews(b, last) {
		return
	}
	lines := b.lines(a)
	if last != nil {
		lines[0] += fmt.Sprintf("; the run before: %s", last.Outcome)
	}
	body, err := n.form.message(a, b, last, lines)
	if err == nil {
		err = n.send(ctx, body)
	}
	if err != nil {
		n.warn("the notification was not taken: " + err.Error())
	}
}

func isNews(b *bulletin, last *earlier) bool {
	if last == nil {
		return b.code != exitDone
	}
	return last.Outcome != b.outcome()
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
