package aps

import (
	"strings"
	"testing"
)

func TestEndpointFor(t *testing.T) {
	for region, want := range map[string]string{
		"cn-qingdao": "adb.aliyuncs.com", "cn-hangzhou": "adb.aliyuncs.com", "cn-hongkong": "adb.aliyuncs.com",
		"ap-southeast-1": "adb.aliyuncs.com", "us-east-1": "adb.aliyuncs.com",
		"cn-shanghai-finance-1": "adb.aliyuncs.com", "cn-north-2-gov-1": "adb.aliyuncs.com",
		"me-east-1":  "adb.ap-northeast-1.aliyuncs.com",
		"eu-west-1":  "adb.eu-west-1.aliyuncs.com",
		"cn-chengdu": "adb.cn-chengdu.aliyuncs.com",
	} {
		if got := EndpointFor(region); got != want {
			t.Errorf("%s: got %s, want %s", region, got, want)
		}
	}
}

func TestEndpoints(t *testing.T) {
	for _, test := range []struct{ text, service, sts string }{
		{"", "aliyuncs.com", "https sts.aliyuncs.com"},
		{"https://adb-vpc.cn-hangzhou.aliyuncs.com", "aliyuncs.com", "https sts.aliyuncs.com"},
		{"https://ADB.AliYunCS.com./", "aliyuncs.com", "https sts.aliyuncs.com"},
		{"https://aliyuncs.com.evil.example", "aliyuncs.com.evil.example", "https sts.aliyuncs.com"},
		{"https://notaliyuncs.com:8443", "notaliyuncs.com:8443", "https sts.aliyuncs.com"},
		{"http://127.0.0.1:8080", "loopback", "http 127.0.0.1:8080"},
		{"http://localhost", "loopback", "http localhost"},
		{"http://[::1]:8080/", "loopback", "http [::1]:8080"},
		{"https://127.3.2.1", "loopback", "https 127.3.2.1"},
	} {
		c, err := New(Options{Endpoint: test.text})
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
			continue
		}
		if got := c.Service(); got != test.service {
			t.Errorf("%q: got %s, want %s", test.text, got, test.service)
		}
		if got := c.sts.scheme + " " + c.sts.host; got != test.sts {
			t.Errorf("%q: STS at %s, want %s", test.text, got, test.sts)
		}
	}
}

func TestUnusableEndpoints(t *testing.T) {
	for text, want := range map[string]string{
		"adb.aliyuncs.com":                "https://adb.aliyuncs.com",
		"localhost:8080":                  "https://",
		"http://adb.aliyuncs.com":         "use https://adb.aliyuncs.com",
		"http://10.0.0.1":                 "plain http",
		"http://localhost.example":        "plain http",
		"ftp://127.0.0.1":                 "https://",
		"https://user:hunter2@adb.x":      "user name or password",
		"https://adb.aliyuncs.com/path":   "path",
		"https://adb.aliyuncs.com?x=1":    "end after the host",
		"https://adb.aliyuncs.com?":       "end after the host",
		"https://adb.aliyuncs.com#x":      "end after the host",
		"https://adb.aliyuncs.com:0":      "port",
		"https://adb.aliyuncs.com:99999":  "port",
		"https://adb.aliyuncs.com:":       "port",
		"https://":                        "https://",
		"https://a b":                     "URL",
		"https://adb_!x.com":              "host name",
		"https://user:hunter2@a b":        "URL",
		"https://x\ny":                    "URL",
		"https://adb.aliyuncs.com:hunter": "URL",
	} {
		_, err := New(Options{Endpoint: text})
		if err == nil {
			t.Errorf("%q: no error", text)
			continue
		}
		has(t, err.Error(), want)
		if strings.Contains(err.Error(), "hunter") {
			t.Errorf("%q: the error repeats a password: %v", text, err)
		}
	}
	if _, err := New(Options{STSEndpoint: "http://sts.example"}); err == nil || !strings.Contains(err.Error(), "STS") {
		t.Errorf("STS: got %v", err)
	}
}

func TestDebugIsRefused(t *testing.T) {
	for _, flags := range []string{"dara", "x,credential", "tea"} {
		if err := refuseDebug(flags); err == nil {
			t.Errorf("%s: no error", flags)
		}
	}
	for _, flags := range []string{"", "1", "daras", "app"} {
		if err := refuseDebug(flags); err != nil {
			t.Errorf("%s: %v", flags, err)
		}
	}
}
