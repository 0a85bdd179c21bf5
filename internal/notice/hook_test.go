package notice

import (
	"strings"
	"testing"

	"github.com/apsctl/apsctl/internal/secret"
)

const hookToken = "0f3c9a7e-5b1d-4c8e-9f00-canary123456"

func TestHookAddresses(t *testing.T) {
	for _, text := range []string{
		"http://example.com/" + hookToken, "ftp://127.0.0.1/x", "https://", "://" + hookToken, "https:" + hookToken,
		"https://example.com/%zz" + hookToken, "https://example.com:port/" + hookToken, "http://100.100.100.200/", "https://example.com/#" + hookToken,
	} {
		if _, err := ParseHook(text, "apsctl/test", secret.NewRedactor()); err == nil || strings.Contains(err.Error(), hookToken) {
			t.Errorf("%s: got %v", text, err)
		}
	}
	r := secret.NewRedactor()
	for text, form := range map[string]Form{
		"https://hooks.slack.com/services/T00000000/B00000000/" + hookToken:  formSlack,
		"https://oapi.dingtalk.com/robot/send?access_token=" + hookToken:     formDingTalk,
		"https://open.feishu.cn/open-apis/bot/v2/hook/" + hookToken:          formFeishu,
		"https://example.com/" + hookToken:                                   formJSON,
		"http://127.0.0.1:8080/x":                                            formJSON,
		"http://localhost/x":                                                 formJSON,
		"https://hooks.slack.com.evil.example/services/T00000000/B00/abcdef": formJSON,
	} {
		h, err := ParseHook(text, "apsctl/test", r)
		if err != nil || FormOf(h) != form {
			t.Errorf("%s: got %v, %v", text, h, err)
		}
	}
	if got := r.Clean("services open-apis hook " + hookToken); got != "services open-apis hook [redacted]" {
		t.Errorf("got %q", got)
	}
}
