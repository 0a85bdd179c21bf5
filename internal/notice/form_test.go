package notice

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// hostileRun is a run whose texts come from somebody who means harm.
func hostileRun() *Run {
	const text = "<at user_id=\"all\"></at> & <https://evil.example|click>\n@all \u202egnp.exe"
	return &Run{
		Record: plan.RunRecord{Plan: "bulk", Command: "apply", StartedAt: time.Now()}, Finished: time.Now(),
		ExitCode: 3, Outcome: OutcomeFailed, Failed: errors.New(text), Code: "E-X",
		Report: &runner.Report{}, Summary: "1 failed",
		Causes: []jsonform.Cause{{Ending: "failed", Cause: "<!channel>", Jobs: 1, Example: text, Names: []string{"job\x1b[31m"}}},
	}
}

func TestMessageForms(t *testing.T) {
	run := hostileRun()
	lines := run.lines()
	for _, line := range lines {
		if strings.ContainsAny(line, "\x1b\n\u202e") {
			t.Errorf("a line is not one: %q", line)
		}
	}
	said := map[Form]string{}
	for _, form := range Forms {
		body, err := Form(form).encode(run, nil, lines)
		if err != nil || !json.Valid(body) {
			t.Fatalf("%s: %v: %s", form, err, body)
		}
		said[Form(form)] = string(body)
	}
	var slack struct {
		Text   string `json:"text"`
		Mrkdwn *bool  `json:"mrkdwn"`
	}
	if err := json.Unmarshal([]byte(said[formSlack]), &slack); err != nil || strings.ContainsAny(slack.Text, "<>") || slack.Mrkdwn == nil || *slack.Mrkdwn {
		t.Errorf("%v: %s", err, said[formSlack])
	}
	if !strings.Contains(slack.Text, "&lt;!channel&gt;") || !strings.Contains(slack.Text, "&amp;") {
		t.Errorf("got %s", slack.Text)
	}
	var ding struct {
		Type string                   `json:"msgtype"`
		Text struct{ Content string } `json:"text"`
		At   struct{ IsAtAll *bool }  `json:"at"`
	}
	if err := json.Unmarshal([]byte(said[formDingTalk]), &ding); err != nil || ding.Type != "text" || ding.At.IsAtAll == nil || *ding.At.IsAtAll || !strings.HasPrefix(ding.Text.Content, "apsctl: plan bulk is failed (exit code 3)") {
		t.Errorf("%v: %s", err, said[formDingTalk])
	}
	var feishu struct {
		Type    string `json:"msg_type"`
		Content struct {
			Post map[string]struct {
				Content [][]map[string]any `json:"content"`
			} `json:"post"`
		} `json:"content"`
	}
	if err := json.Unmarshal([]byte(said[formFeishu]), &feishu); err != nil || feishu.Type != "post" || len(feishu.Content.Post["zh_cn"].Content) != len(lines) {
		t.Errorf("%v: %s", err, said[formFeishu])
	}
	for _, line := range feishu.Content.Post["zh_cn"].Content {
		if len(line) != 1 || line[0]["tag"] != "text" {
			t.Errorf("a line has %v", line)
		}
	}
}

func TestRunThatDiedHasNoExitCodeInAMessage(t *testing.T) {
	for want, last := range map[bool]*earlier{false: {Outcome: outcomeDied}, true: {Outcome: "done", ExitCode: new(int)}} {
		text, err := json.Marshal(newMessage(hostileRun(), last, nil).Previous)
		if err != nil || strings.Contains(string(text), "exit_code") != want {
			t.Errorf("%v: %s", err, text)
		}
	}
}
