package notice

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Form is the form of a message, one of Forms; any other is taken for json.
type Form string

// One form of our own, with all that is known of the run, and those of
// services that show a text.
const (
	formJSON     Form = "json"
	formSlack    Form = "slack"
	formDingTalk Form = "dingtalk"
	formFeishu   Form = "feishu"
)

// Forms are the names of all forms, in the order in which help texts list them.
var Forms = []string{string(formJSON), string(formSlack), string(formDingTalk), string(formFeishu)}

// hostForms are the forms of services that are known by their host.
var hostForms = map[string]Form{
	"hooks.slack.com": formSlack, "hooks.slack-gov.com": formSlack,
	"oapi.dingtalk.com": formDingTalk, "api.dingtalk.com": formDingTalk,
	"open.feishu.cn": formFeishu, "open.larksuite.com": formFeishu,
}

// FormOf is the form of the service that h leads to by its host, json for any
// other.
func FormOf(h *Hook) Form {
	if form, ok := hostForms[strings.ToLower(h.url.Hostname())]; ok {
		return form
	}
	return formJSON
}

// encode encodes a message in a form, so that nothing in its text is taken for more
// than text: no mention, no link, no markup.
func (form Form) encode(run *Run, last *earlier, lines []string) ([]byte, error) {
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
	return json.Marshal(newMessage(run, last, lines))
}

// refusal is what an answer says against a message although its HTTP status is
// fine, "" for nothing.
func (form Form) refusal(answer []byte) string {
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
