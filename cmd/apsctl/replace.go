package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// replaceFile gives the file at path, which has the content old, another content
// and keeps its owner and permissions. It is replaced whole or not at all, even when the
// machine dies. A symbolic link stays, and the file it leads to is replaced.
func replaceFile(path string, old, content []byte) error {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return cannotWrite(path, err)
	}
	info, err := os.Stat(target)
	if err != nil {
		return cannotWrite(path, err)
	}
	if err := mayWrite(target, info); err != nil {
		return cannotWrite(path, err)
	}
	draft, err := writeDraft(target, info, content)
	if err != nil {
		return cannotWrite(path, err)
	}
	defer os.Remove(draft) // it is gone already when all went well
	// An editor may have saved the file since it was read.
	if now, err := os.ReadFile(target); err != nil || string(now) != string(old) {
		return cannotWrite(path, errors.New("it changed while it was being worked on; run it again"))
	}
	if err := os.Rename(draft, target); err != nil {
		return cannotWrite(path, err)
	}
	if folder, err := os.Open(filepath.Dir(target)); err == nil {
		_ = folder.Sync() // the new content is in place; this is about when it is on disk
		_ = folder.Close()
	}
	return nil
}

func cannotWrite(path string, err error) error {
	var cause *fs.PathError
	if errors.As(err, &cause) {
		err = fmt.Errorf("%s: %w", filepath.Base(cause.Path), cause.Err)
	}
	return coded(codeFileWrite, fmt.Errorf("%s cannot be written and was left as it was: %w", path, err))
}

// mayWrite asks whether the file itself may be written. A rename would replace it
// all the same, wherever its folder allows that.
func mayWrite(target string, info fs.FileInfo) error {
	if info.Mode().Perm()&0o222 == 0 {
		return errors.New("it is read-only")
	}
	if err := mayReplace(info); err != nil {
		return err
	}
	file, err := os.OpenFile(target, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return file.Close()
}

// writeDraft writes content to a new file beside target, with the owner and the
// permissions of info, and returns its name.
func writeDraft(target string, info fs.FileInfo, content []byte) (string, error) {
	folder := filepath.Dir(target)
	draft, err := os.CreateTemp(folder, ".apsctl-fmt-*")
	if errors.Is(err, fs.ErrPermission) {
		return "", errors.New("its folder allows no new file")
	}
	if err != nil {
		return "", err
	}
	_, err = draft.Write(content)
	if err == nil {
		err = errors.Join(keepOwner(draft, info), draft.Chmod(info.Mode().Perm()))
	}
	if err == nil {
		err = draft.Sync()
	}
	if err = errors.Join(err, draft.Close()); err != nil {
		_ = os.Remove(draft.Name())
		return "", err
	}
	return draft.Name(), nil
}
