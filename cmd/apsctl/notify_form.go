package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/runner"
)

// notifyForm is the form of a message.
type notifyForm string

const (
	formJSON     notifyForm = "json"
	formSlack    notifyForm = "slack"
	formDingTalk notifyForm = "dingtalk"
	formFeishu   notifyForm = "feishu"
)

var notifyForms = []string{string(formJSON), string(formSlack), string(formDingTalk), string(formFeishu)}

// hostForms are the forms of services that are known by their host.
var hostForms = map[string]notifyForm{
	"hooks.slack.com": formSlack, "hooks.slack-gov.com": formSlack,
	"oapi.dingtalk.com": formDingTalk, "api.dingtalk.com": formDingTalk,
	"open.feishu.cn": formFeishu, "open.larksuite.com": formFeishu,
}

func formOf(h *hook) notifyForm {
	if form, ok := hostForms[strings.ToLower(h.url.Hostname())]; ok {
		return form
	}
	return formJSON
}

// bulletinJSON is the message of the form json. Fields are added, never renamed.
type bulletinJSON struct {
	Plan       string           `json:"plan"`
	Command    string           `json:"command"`
	Run        string           `json:"run"` // "" when the ledger could not record it
	Outcome    runOutcome       `json:"outcome"`
	ExitCode   int              `json:"exit_code"`
	Previous   *earlier         `json:"previous"` // null when there was none
	Code       errorCode        `json:"code,omitempty"`
	Error      string           `json:"error,omitempty"`
	Stop       string           `json:"stop,omitempty"`
	Counts     *runner.Counts   `json:"counts,omitempty"`
	Errors     []jsonform.Cause `json:"errors"`
	Host       string           `json:"host"`
	User       string           `json:"user"`
	Version    string           `json:"version"`
	StartedAt  time.Time        `json:"started_at"`
	FinishedAt time.Time        `json:"finished_at"`
	Text       string           `json:"text"` // the same for people, in lines
}

func newBulletinJSON(a *app, b *bulletin, last *earlier, lines []string) bulletinJSON {
	out := bulletinJSON{
		Plan: b.record.Plan, Command: b.record.Command, Run: b.record.ID, Outcome: b.outcome(), ExitCode: b.code, Previous: last,
		Host: b.record.Host, User: b.record.User, Version: b.record.Version, Errors: []jsonform.Cause{},
		StartedAt: b.record.StartedAt.UTC(), FinishedAt: b.finished.UTC(), Text: strings.Join(lines, "\n"),
	}
	if b.report != nil {
		counts := b.report.Counts()
		out.Counts, out.Stop = &counts, string(b.report.Stop)
		for _, cause := range causesOf(b.report.Results) {
			cause.Example = a.redactor.Clean(cause.Example)
			out.Errors = append(out.Errors, cause)
		}
		out.Code = stopCode(*b.report)
	}
	if b.failed != nil {
		if _, said := classify(b.failed); !said {
			out.Code, out.Error = codeOf(b.failed), a.redactor.Clean(b.failed.Error())
		}
	}
	return out
}

// message encodes a message in a form, so that nothing in its text is taken for
// more than text: no mention, no link, no markup.
func (form notifyForm) message(a *app, b *bulletin, last *earlier, lines []string) ([]byte, error) {
	switch form {
	case formSlack:
		// Slack reads nothing but these three as a beginning of something else.
		text := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(strings.Join(lines, "\n"))
		return json.Marshal(map[string]any{"text": text, "mrkdwn": false})
	case formDingTalk:
		// The type text has no markup, and who is mentioned stands beside it.
		return json.Marshal(map[string]any{
			"msgtype": "text", "text": map[string]any{"content": strings.Join(lines, "\n")},
			"at": map[string]any{"isAtAll": false},
		})
	case formFeishu:
		// The type text takes <at …> for a mention; a text element of a post does not.
		content := make([][]any, len(lines))
		for i, line := range lines {
			content[i] = []any{map[string]any{"tag": "text", "text": line, "un_escape": false}}
		}
		return json.Marshal(map[string]any{
			"msg_type": "post",
			"content":  map[string]any{"post": map[string]any{"zh_cn": map[string]any{"content": content}}},
		})
	}
	return json.Marshal(newBulletinJSON(a, b, last, lines))
}

// refusal is what an answer says against a message although its HTTP status is
// fine, "" for nothing.
func (form notifyForm) refusal(answer []byte) string {
	var said struct {
		ErrCode int    `json:"errcode"` // DingTalk
		ErrMsg  string `json:"errmsg"`
		Code    int    `json:"code"` // Feishu
		Msg     string `json:"msg"`
	}
	if form != formDingTalk && form != formFeishu || json.Unmarshal(answer, &said) != nil {
		return ""
	}
	switch {
	case form == formDingTalk && said.ErrCode != 0:
		return fmt.Sprintf("%d %s", said.ErrCode, said.ErrMsg)
	case form == formFeishu && said.Code != 0:
		return fmt.Sprintf("%d %s", said.Code, said.Msg)
	}
	return ""
}
