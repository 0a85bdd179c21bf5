package plan

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// parseYAML returns the one document of the text, or nil after reporting why it
// has none. The library serves as a parser only: its decoder rewrites numbers,
// reports one unknown key at random and merges wrongly.
//
// depth is how many mappings and lists the text stands inside of.
func parseYAML(f *findings, text string, depth int) (body ast.Node) {
	if !strings.HasSuffix(text, "\n") {
		text += "\n" // the lexer drops a tag at the very end
	}
	defer func() {
		// The parser has panicked on odd input before; a plan must not crash us.
		if cause := recover(); cause != nil {
			body = nil
			f.add(span{}, "the YAML parser cannot cope with this file", "look for unusual YAML: tags, complex keys, unbalanced brackets")
		}
	}()
	tokens := lexer.Tokenize(text)
	if !reportInvalid(f, tokens) {
		checkTokens(f, tokens, depth)
	}
	if f.any() {
		return nil
	}
	// Duplicate keys are ours to report: the parser stops at the first and tells
	// apart only some of them.
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		reportSyntax(f, err)
		return nil
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		f.add(span{}, "the file has no content", emptyHint)
		return nil
	}
	return file.Docs[0].Body
}

// reportInvalid reports the first thing the lexer could not read, or all of them
// when they are tabs, and whether there was any.
func reportInvalid(f *findings, tokens token.Tokens) bool {
	for _, tk := range tokens {
		if tk.Type == token.DoubleQuoteType && strings.Contains(tk.Origin, "\t") && !f.any() {
			// The lexer skips one character after the quotes for each such tab: the
			// tokens from here on are not those of the file.
			f.add(tokenSpan(f.text, tk), "a tab inside double quotes", `write it as \t, or use single quotes`)
			break
		}
		if tk.Type != token.InvalidType {
			continue
		}
		message, hint := explainSyntax(tk.Error)
		if message != tabMessage && f.any() {
			break
		}
		at, indents := invalidSpan(f.text, tk, message)
		if message == tabMessage && !indents {
			message, hint = "a tab stands where only spaces can", ""
		}
		f.add(at, message, hint)
		if message != tabMessage || len(f.list) >= strayMax {
			break
		}
	}
	return f.any()
}

// invalidSpan returns where an invalid token is, and whether only blanks stand
// before it. For a tab, the lexer's place may be one that already moved on; the
// line's own first tab is meant.
func invalidSpan(s *sourceText, tk *token.Token, message string) (at span, indents bool) {
	at = span{tk.Position.Line, tk.Position.Column, 1}
	if message != tabMessage || at.line > s.lines.count() {
		return at, true
	}
	line := s.lines.line(at.line - 1)
	i := strings.IndexByte(line, '\t')
	if i < 0 {
		return at, true
	}
	at.column = utf8.RuneCountInString(line[:i]) + 1
	return at, strings.Trim(line[:i], " -") == ""
}

// reportSyntax reports an error of the parser in our words. Its own text is not
// passed on: it may quote what is secret.
func reportSyntax(f *findings, err error) {
	var syntax interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if !errors.As(err, &syntax) {
		f.add(span{}, syntaxDefault.message, syntaxDefault.hint)
		return
	}
	message, hint := explainSyntax(syntax.GetMessage())
	var at span
	if tk := syntax.GetToken(); tk != nil {
		at = tokenSpan(f.text, tk)
	}
	if inReference(f.text, at) {
		message, hint = "a reference inside { } or [ ] needs quotes", `write "${…}"`
	}
	f.add(at, message, hint)
}

// inReference reports whether at is the brace of ${.
func inReference(s *sourceText, at span) bool {
	if at.line < 1 || at.line > s.lines.count() || at.column < 2 {
		return false
	}
	return strings.HasPrefix(s.lines.line(at.line - 1)[s.byteOffset(at.line, at.column-2):], "${")
}

type explanation struct{ theirs, message, hint string }

const tabMessage = "tab used for indentation"

var syntaxDefault = explanation{"", "this is not YAML", "check indentation, colons and quotes here and on the line above"}

// explanations puts the parser's messages in our words: the first whose theirs is
// part of the message holds.
var explanations = []explanation{
	{"end character of single-quoted", "the single quote that opens here is never closed", "inside single quotes, ' is written twice"},
	{"end character of double-quoted", "the double quote that opens here is never closed", `inside double quotes, " is written \"`},
	{"unknown escape character", "unknown escape after \\ inside double quotes", "use single quotes for text with backslashes, or write \\\\"},
	{"UTF-16", "the \\u escape here is cut short or half of a pair", ""},
	{"UTF-32", "the \\U escape here is cut short", ""},
	{"tab character", tabMessage, tabHint},
	{"cannot start any token", tabMessage, tabHint},
	{"unexpected document separator", "the quoted text is not closed before the document ends", ""},
	{"is a reserved character", "no plain text can start with @ or `", "put the text in quotes"},
	{"invalid header option", "after | or > only an indentation from 1 to 9 and one of + or - may follow", "start the text on the next line"},
	{"multi-line content", "the block text after | or > has no lines", "indent its lines deeper than its key"},
	{"number of indent", "this block text changes its indentation", "indent all its lines at least as much as its first"},
	{"mapping value is not allowed", "another key begins inside this value", "start it on a line of its own, in the column of the first, or put text that holds \": \" in quotes"},
	{"value is not allowed in this context", "this belongs to nothing: the value before it is complete", "check the indentation, and put text with \": \" or \" #\" in quotes"},
	{"non-map value is specified", "a key and a colon are due here", "check the indentation, or whether \":\" is missing"},
	{"invalid key for this map", "there is no key before this colon", ""},
	{"unexpected key name", "a key must stand on one line", ""},
	{"implicit line break", "a key must stand on one line", ""},
	{"block sequence entries", "a list cannot start on the line of its key", "start it on the next line"},
	{"sequence entries are not allowed", "a list cannot start on the line of its key", "start it on the next line"},
	{"corresponding to ']'", "] closes no list", "the [ may be missing"},
	{"corresponding to '}'", "} closes no mapping", "the { may be missing"},
	{"',' or '}' must be specified", "a comma or } is due here", ""},
	{"',' or ']' must be specified", "a comma or ] is due here", ""},
	{"flow mapping end token", "the { that opens here is never closed", ""},
	{"sequence end token", "the [ that opens here is never closed", ""},
	{"flow map content", "a key, a comma or } is due here", ""},
	{"expected sequence element", "a list item is missing before this comma", ""},
	{"anchor", "this anchor (&) stands where none can", "write key: &name value"},
	{"alias", "this alias (*) stands where none can", "write key: *name"},
	{"tag", "this tag (!) stands where none can", "remove it"},
}

// explainSyntax returns our message and hint for a message of the parser.
func explainSyntax(theirs string) (message, hint string) {
	for _, e := range explanations {
		if strings.Contains(theirs, e.theirs) {
			return e.message, e.hint
		}
	}
	return syntaxDefault.message, syntaxDefault.hint
}

// tokenSpan returns where tk stands in the source.
func tokenSpan(s *sourceText, tk *token.Token) span {
	return s.locate(tk.Position.Line, tk.Position.Column, tokenHead(tk))
}

// tokenHead returns the first line of tk's text as it was written.
func tokenHead(tk *token.Token) string {
	head := tk.Value
	if tk.Indicator == token.QuotedScalarIndicator {
		head = tk.Origin
	}
	head, _, _ = strings.Cut(strings.TrimLeft(head, " \t\n"), "\n")
	return strings.TrimRight(head, " \t")
}

// tokenLines returns how many lines below its first tk goes on.
func tokenLines(tk *token.Token) int {
	return strings.Count(strings.Trim(tk.Origin, " \n"), "\n")
}
