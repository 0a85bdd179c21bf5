package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"maps"
	"os"
	"slices"
)

// Inputs are all that Load reads, by name and digest. With the same inputs and the
// same program it returns the same plan again, so that whoever kept what followed
// from it need not read it. The zero Inputs is ready to be filled by Load.
type Inputs struct {
	Paths []string    `json:"paths"` // as they were named
	Roots []string    `json:"roots"` // the files that these stood for
	Files []inputFile `json:"files"` // in the order they were read
	Globs []inputGlob `json:"globs"`
	// Env are names that were looked up in the environment. What they were, and the
	// variables that the command gave, are in Given.
	Env   []string `json:"env"`
	Given string   `json:"given"`

	once bool // something was read that cannot be read again, or that changed meanwhile
}

// inputFile is one file that was read to its end.
type inputFile struct {
	// Folder is that of the plan, for a file that the plan names by its path in it; ""
	// for one that the command named.
	Folder string `json:"folder,omitempty"`
	Path   string `json:"path"`
	Real   string `json:"real"` // where links lead: a file is not to be read twice
	Digest string `json:"digest"`
}

type inputGlob struct {
	Folder  string   `json:"folder"`
	Pattern string   `json:"pattern"`
	Matches []string `json:"matches"`
}

// Repeatable reports whether all that was read can be read again.
func (in *Inputs) Repeatable() bool { return !in.once && len(in.Roots) > 0 }

// Same reports whether Load would read the same again with these options. What it
// cannot read is not the same.
func (in *Inputs) Same(o Options) bool {
	l := newLoader(o)
	if in.Given != given(o, in.Env, l.lookupEnv) || !slices.Equal(l.findAll(in.Paths), in.Roots) {
		return false
	}
	folders := map[string]*folder{}
	defer func() {
		for _, f := range folders {
			f.close()
		}
	}()
	open := func(dir string) *folder {
		if folders[dir] == nil {
			folders[dir] = &folder{dir: dir}
		}
		return folders[dir]
	}
	for _, g := range in.Globs {
		if matches, err := open(g.Folder).glob(g.Pattern); err != nil || !slices.Equal(matches, g.Matches) {
			return false
		}
	}
	for _, f := range in.Files {
		from := named(f.Path)
		if f.Folder != "" {
			from = open(f.Folder).named(nil, f.Path)
		}
		if digest, ok := l.digestFile(from); !ok || digest != f.Digest || identity(from.shown) != f.Real {
			return false
		}
	}
	return true
}

// digestFile reads a file only to know whether it is still the same.
func (l *loader) digestFile(from opening) (string, bool) {
	file, ok := l.openFile(from)
	if !ok {
		return "", false
	}
	defer file.Close()
	sum := sha256.New()
	_, err := io.CopyBuffer(sum, struct{ io.Reader }{file}, make([]byte, 256<<10))
	return digestText(sum), err == nil
}

// given is the digest of what the command and the environment say.
func given(o Options, env []string, lookup func(string) (string, bool)) string {
	sum := sha256.New()
	for _, name := range env {
		value, set := lookup(name)
		fmt.Fprintf(sum, "env %q %t %q\n", name, set, value)
	}
	for _, name := range slices.Sorted(maps.Keys(o.Vars)) {
		fmt.Fprintf(sum, "var %q %q\n", name, o.Vars[name])
	}
	for _, path := range o.VarFiles {
		fmt.Fprintf(sum, "file %q\n", path)
	}
	return digestText(sum)
}

func digestText(sum hash.Hash) string { return "sha256:" + hex.EncodeToString(sum.Sum(nil)) }

// roots takes down which files the command's paths stand for. Like all that take
// something down, it does nothing where nobody asked.
func (in *Inputs) roots(paths, files []string) {
	if in != nil {
		in.Paths, in.Roots = slices.Clone(paths), slices.Clone(files)
	}
}

func (in *Inputs) glob(folder, pattern string, matches []string) {
	if in != nil {
		in.Globs = append(in.Globs, inputGlob{folder, pattern, matches})
	}
}

func (in *Inputs) env(name string) {
	if in != nil && !slices.Contains(in.Env, name) {
		in.Env = append(in.Env, name)
	}
}

func (in *Inputs) readText(from opening, text string) {
	if in != nil {
		sum := sha256.New()
		_, _ = io.WriteString(sum, text)
		in.read(from, digestText(sum))
	}
}

// read takes down a file, whose text was digested. One that is read anew must not
// have changed in between.
func (in *Inputs) read(from opening, digest string) {
	if in == nil {
		return
	}
	if from.stdin != nil {
		in.once = true
		return
	}
	f := inputFile{Path: from.path, Folder: from.folder, Real: identity(from.shown), Digest: digest}
	i := slices.IndexFunc(in.Files, func(other inputFile) bool { return other.Path == f.Path && other.Folder == f.Folder })
	switch {
	case i < 0:
		in.Files = append(in.Files, f)
	case in.Files[i] != f:
		in.once = true
	}
}

// watched is a reader of from's file that takes down what is read. done must be
// called once the rest of the file is of no interest.
func (in *Inputs) watched(from opening, file *os.File) (r io.Reader, done func()) {
	if in == nil {
		return file, func() {}
	}
	sum := sha256.New()
	return io.TeeReader(file, sum), func() {
		if _, err := io.Copy(sum, file); err != nil {
			in.once = true
		}
		in.read(from, digestText(sum))
	}
}

// finish takes down what the command and the environment gave.
func (l *loader) finishInputs() {
	if in := l.o.Inputs; in != nil {
		slices.Sort(in.Env)
		in.Given = given(l.o, in.Env, l.lookupEnv)
	}
}
