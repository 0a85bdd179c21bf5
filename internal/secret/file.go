package secret

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// readFile reads the file that ref names. Everything is checked on the opened
// file, so it cannot be swapped between the check and the reading.
func readFile(ref Ref) (string, error) {
	path := ref.File
	if !filepath.IsAbs(path) {
		path = filepath.Join(ref.Dir, path)
	}
	// Without openNonblock, a named pipe would hang here.
	file, err := os.OpenFile(path, os.O_RDONLY|openNonblock, 0)
	if err != nil {
		err = withoutPath(err)
		if errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("%w; write the secret to %s with mode 0600, or correct the plan", err, path)
		}
		return "", fmt.Errorf("%w; make %s readable for this user only", err, path)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return "", withoutPath(err)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a regular file; name the file that holds the secret", path)
	}
	if err := checkPrivate(path, info); err != nil {
		return "", err
	}
	data, err := io.ReadAll(io.LimitReader(file, sizeMaxBytes+1))
	if err != nil {
		return "", withoutPath(err)
	}
	if len(data) > sizeMaxBytes {
		return "", fmt.Errorf("it is larger than %d KiB; it must hold the secret and nothing else", sizeMaxBytes>>10)
	}
	return trim(data)
}

// withoutPath returns what is wrong, without the path that the caller says.
func withoutPath(err error) error {
	if bare := (*fs.PathError)(nil); errors.As(err, &bare) {
		return bare.Err
	}
	return err
}
