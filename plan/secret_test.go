package plan

import (
	"fmt"
	"strings"
	"testing"
)

// TestPasswordsAreNeverShown writes a password in every form into every place
// that a person might put it, and looks for it in everything that is reported.
// Each plan has further mistakes around it, so that its lines are shown.
func TestPasswordsAreNeverShown(t *testing.T) {
	half, rest := canary[:8], canary[8:]
	values := map[string]string{
		"plain":                   canary,
		"with a comment":          canary + " # " + canary,
		"double quotes":           `"` + canary + `"`,
		"single quotes":           "'" + canary + "'",
		"quotes and more":         `"` + half + `"` + rest,
		"quotes and a comma":      `"` + half + `", ` + rest,
		"open quote":              `"` + canary,
		"open single quote":       "'" + canary,
		"literal":                 "|\n        " + canary + "\n        " + canary,
		"folded":                  ">-\n        " + canary + "\n        " + canary,
		"bad block header":        "|" + canary,
		"on the next line":        "\n        " + canary,
		"below, after a tab":      "\n\t" + canary,
		"over two lines":          canary + "\n        " + canary,
		"quoted over two lines":   `"` + half + "\n        " + rest + `"`,
		"a comma":                 half + "," + rest,
		"a comma and a blank":     half + ", " + rest,
		"two commas":              half + "," + rest + "," + canary,
		"a colon":                 half + ":" + rest,
		"a colon and a blank":     half + ": " + rest,
		"a brace":                 half + "}" + rest,
		"a bracket":               half + "]" + rest,
		"a hash":                  half + " #" + rest,
		"an equals sign":          half + "=" + rest,
		"at":                      "@" + canary,
		"a backtick":              "`" + canary,
		"a percent sign":          "%" + canary,
		"an alias":                "*" + canary,
		"an anchor":               "&" + canary,
		"an anchor and text":      "&" + canary + " " + canary,
		"a tag":                   "!" + canary,
		"a tag and text":          "!" + canary + " " + canary,
		"a question mark":         "? " + canary,
		"a dash":                  "- " + canary,
		"a greater sign":          ">" + canary,
		"an unknown escape":       `"` + half + `\q` + rest + `"`,
		"a tab":                   half + "\t" + rest,
		"a control character":     half + "\x01" + rest,
		"a direction mark":        half + "\u202e" + rest,
		"in a list":               "[" + canary + "]",
		"in a list of lists":      "[[" + canary + "]]",
		"in braces":               "{" + canary + "}",
		"as a key":                "{" + canary + ": x}",
		"as a key that is twice":  "{" + canary + ": x, " + canary + ": x}",
		"in an unknown reference": "{vault: " + canary + "}",
		"in env":                  "{env: " + canary + "!}",
		"in env, quoted":          `{env: "` + canary + `!"}`,
		"in env twice":            "{env: " + canary + ", env: " + canary + "}",
		"in env and file":         "{env: A, file: " + canary + "}",
		"in a slip for env":       "{evn: " + canary + "!}",
		"in env, as a list":       "{env: [" + canary + "]}",
		"in command":              "{command: " + canary + "}",
		"in command, deep":        "{command: [a, [" + canary + "]]}",
		"in an open reference":    "{env: " + canary,
		"after a reference":       "{env: X} " + canary,
		"stuck to a reference":    "{env: X}" + canary,
		"merged":                  "{<<: " + canary + "}",
		"tagged":                  "!!str " + canary,
		"tagged otherwise":        "!!binary " + canary,
	}
	const head = "version: 1\nname: p\nregion: cn-a\n"
	places := map[string]string{
		"block":                   head + "jobs:\n- name: a\n  source:\n    insatnce: [x]\n    password: %s\n    usr: [x]\n  labels: [x]\n",
		"first in a flow mapping": head + "jobs:\n- name: a\n  source: {password: %s, usr: [x], port: 1}\n  labels: [x]\n",
		"last in a flow mapping":  head + "jobs:\n- name: a\n  source: {port: 1, usr: [x], password: %s}\n  labels: [x]\n",
		"flow on one line":        head + "jobs: [{name: a, source: {password: %s, x: 1}, destination: {instance: [], password: {env: A}}}]\n",
		"quoted key":              head + "jobs:\n- name: a\n  source:\n    \"password\": %s\n    usr: [x]\n",
		"explicit key":            head + "jobs:\n- name: a\n  source:\n    ? password\n    : %s\n    usr: [x]\n",
		"blank before the colon":  head + "jobs:\n- name: a\n  source:\n    password : %s\n    usr: [x]\n",
		"no blank":                head + "jobs:\n- name: a\n  source:\n    password:%s\n    usr: [x]\n",
		"no colon":                head + "jobs:\n- name: a\n  source:\n    password %s\n    usr: [x]\n",
		"equals sign":             head + "jobs:\n- name: a\n  source:\n    password=%s\n    usr: [x]\n",
		"no colon in flow":        head + "jobs:\n- name: a\n  source: {usr: [x], password %s}\n",
		"misspelt":                head + "jobs:\n- name: a\n  source:\n    pasword: %s\n    usr: [x]\n",
		"misspelt more":           head + "jobs:\n- name: a\n  source:\n    Passwrd: %s\n    usr: [x]\n",
		"another word":            head + "jobs:\n- name: a\n  source:\n    db_pwd: %s\n    usr: [x]\n",
		"in Chinese":              head + "jobs:\n- name: a\n  source:\n    密码: %s\n    usr: [x]\n",
		"in the job":              head + "jobs:\n- name: a\n  password: %s\n  labels: [x]\n",
		"in the plan":             head + "jobs: [x]\npassword: %s\n",
		"in run":                  head + "jobs: [x]\nrun:\n    password: %s\n",
		"in defaults":             head + "defaults:\n  source:\n    password: %s\n    usr: [x]\njobs: [x]\n",
		"in defaults, too high":   head + "defaults:\n  password: %s\n  labels: [x]\njobs: [x]\n",
		"in labels":               head + "jobs:\n- name: a\n  labels:\n    password: %s\n    x: [y]\n",
		"in db_list":              head + "jobs:\n- name: a\n  db_list:\n    password: %s\n    x: True\n",
		"below another key":       head + "jobs:\n- name: a\n  source:\n    instance:\n      password: %s\n      x: [y]\n",
		"in an anchor":            head + "jobs:\n- name: a\n  source: &s\n    password: %s\n    usr: [x]\n- name: b\n  source: *s\n- name: c\n  source:\n    <<: *s\n",
		"behind an alias":         head + "jobs:\n- name: a\n  source:\n    password: &x %s\n  destination:\n    password: *x\n",
		"in a list item":          head + "jobs:\n- password: %s\n  name: [a]\n",
		"under a list":            head + "jobs:\n- name: a\n  source:\n    password:\n    - %s\n    usr: [x]\n",
	}
	for place, form := range places {
		for value, text := range values {
			plan := fmt.Sprintf(form, text)
			if problemsOf(t, "plan.yaml", []byte(plan)) == nil {
				t.Errorf("%s, %s: it is accepted:\n%s", place, value, plan)
			}
			if t.Failed() {
				t.Fatalf("%s, %s:\n%s", place, value, plan)
			}
		}
	}
}

// TestPasswordsDefinedElsewhere has the password where nothing says that it is
// one but an alias further down.
func TestPasswordsDefinedElsewhere(t *testing.T) {
	for _, value := range []string{
		canary, `"` + canary + `"`, "|\n      " + canary, "[" + canary + "]", "{" + canary + ": [y]}", "{x: " + canary + "}",
		`"` + canary[:8] + "\n      " + canary[8:] + `"`,
		`"\u0041` + canary + `\u0042"`, `"\x41 ` + canary + ` x"`, "'it''s " + canary + "'",
	} {
		plan := "version: 1\nname: p\njobs:\n- name: a\n  labels:\n    l: &l " + value + "\n    x: [1]\n  source: {password: *l}\n"
		if problemsOf(t, "plan.yaml", []byte(plan)) == nil {
			t.Errorf("it is accepted:\n%s", plan)
		}
	}
}

// TestHidingStopsWhereThePasswordDoes pins how much of a line is shown.
func TestHidingStopsWhereThePasswordDoes(t *testing.T) {
	tests := []struct{ line, want string }{
		{`  source: {password: hunter2, usr: x}`, `  source: {password: ********`}, // a comma may be part of it
		{`  source: {password: hunter2,usr: x}`, `  source: {password: ********`},
		{`  source: {usr: x, password: hunter2}`, `  source: {usr: x, password: ********`},
		{`  source: {password: "hunter2", usr: x}`, `  source: {password: ********, usr: x}`},
		{`  source: {password: 'hunter2', usr: x}`, `  source: {password: ********, usr: x}`},
		{`  source: {password: "hun\"ter2", usr: x}`, `  source: {password: ********`},
		{`  source: {password: {env: NAME}, usr: x}`, `  source: {password: ********, usr: x}`},
		{`  source: {password: {file: "a b"}, usr: x}`, `  source: {password: ********, usr: x}`},
		{`  source: {password: {file: /run/x}}, usr: x`, `  source: {password: ********}, usr: x`},
		{`  source: {password: {vault: x}, usr: x}`, `  source: {password: ********`},
		{`  source: {password: {env: A}}, to: {pasword: "b", usr: x}`, `  source: {password: ********}, to: {pasword: ********, usr: x}`},
		{`  password: hunter2 usr: x`, `  password: ********`},
		{`  password: "hunter2"`, `  password: ********`},
		{`  password: "hunter2" ter2`, `  password: ********`},
		{`  password: "hunter2" # ter2`, `  password: ********`},
		{`  password:`, `  password:`},
		{`  password`, `  password`},
		{`  password hunter2`, `  password ********`},
		{`  - password hunter2`, `  - password ********`},
		{`  "password" hunter2`, `  "password" ********`},
		{`  {a: b, password hunter2}`, `  {a: b, password ********`},
		{`  password=hunter2`, `  password=********`},
		{`  name: the password of x`, `  name: the password of x`},
		{`  # password: hunter2`, `  # password: ********`},
		{`  user: root`, `  user: root`},
	}
	for _, tt := range tests {
		text := newSourceText("p", tt.line)
		if got := cover(tt.line, 0, len(tt.line), text.masks(1)); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.line, got, tt.want)
		}
	}
}

func TestLinesBelowAPasswordAreHidden(t *testing.T) {
	const text = `a:
  password:
    one
    env: two

    # three
  user: x
  - password: four
    user: also hidden? no, it is beside it
  pwd:
  - five
  x: y`
	const want = `a:
  password:
    ********
    env: ********

    ********
  user: x
  - password: ********
    user: also hidden? no, it is beside it
  pwd:
  ********
  x: y`
	source := newSourceText("p", text)
	var got []string
	for i, line := range source.lines.all() {
		got = append(got, cover(line, 0, len(line), source.masks(i+1)))
	}
	if joined := strings.Join(got, "\n"); joined != want {
		t.Errorf("got\n%s\nwant\n%s", joined, want)
	}
}

func TestSensitiveKeys(t *testing.T) {
	for _, word := range []string{
		"password", "Password", "PASSWORD", "pasword", "passwrod", "passwort", "pass", "passphrase", "db_password", "pw", "pwd",
		"secret", "token", "access_key", "credentials", "passwd", "psswd", "密码", "口令",
	} {
		if !sensitiveKey(word) {
			t.Errorf("%s is taken for harmless", word)
		}
	}
	for _, word := range []string{"", "name", "region", "source", "destination", "instance", "user", "db_list", "labels", "run", "parallel", "word"} {
		if sensitiveKey(word) {
			t.Errorf("%s is taken for a password", word)
		}
	}
}

// TestManySecretsOnALine keeps the masks of one line few.
func TestManySecretsOnALine(t *testing.T) {
	plan := "version: 1\nname: p\njobs: [" + strings.Repeat(`{source: {password: "`+canary+`"}}, `, 500) + "]\n"
	if problemsOf(t, "plan.yaml", []byte(plan)) == nil {
		t.Error("it is accepted")
	}
}
