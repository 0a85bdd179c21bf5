package emulator

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/goccy/go-yaml"
)

const secretFileMaxBytes = 256 << 10

// secretEntry is a secret as it is written in a file.
type secretEntry struct {
	Name    string     `yaml:"name"`
	Data    string     `yaml:"data"`
	Type    SecretType `yaml:"type"`
	Stage   string     `yaml:"stage"`
	Version string     `yaml:"version"`
}

// LoadSecrets reads a list of secrets from a YAML or JSON file. The keys are the
// fields of [Secret] in lower case. Errors never repeat what the file holds but
// the names of secrets.
func LoadSecrets(path string) ([]Secret, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("secrets: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, secretFileMaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("secrets: %w", err)
	}
	secrets, err := parseSecrets(text)
	if err != nil {
		return nil, fmt.Errorf("secrets: %s: %w", path, err)
	}
	return secrets, nil
}

// parseSecrets reads exactly one document: a list. An empty one is no secrets.
func parseSecrets(text []byte) ([]Secret, error) {
	if len(text) > secretFileMaxBytes {
		return nil, fmt.Errorf("larger than %d bytes", secretFileMaxBytes)
	}
	if nestedTooDeep(text) {
		return nil, fmt.Errorf("nested more than %d deep: want a flat list of secrets, data as quoted text", faultDepthMax)
	}
	entries, err := decodeSecrets(text)
	if err != nil {
		return nil, err
	}
	secrets := make([]Secret, 0, len(entries))
	for i, entry := range entries {
		s, err := Secret(entry).withDefaults()
		if err != nil {
			return nil, fmt.Errorf("secret %d: %w", i+1, err)
		}
		secrets = append(secrets, s)
	}
	return secrets, nil
}

// decodeSecrets does not pass on what the parser says: it quotes the file.
func decodeSecrets(text []byte) (entries []secretEntry, err error) {
	wrong := errors.New("want one list of secrets, each with name and data, and perhaps type, stage and version; all of them text")
	defer func() {
		if recover() != nil { // see decodeFaults
			err = wrong
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict())
	if decoder.Decode(&entries) != nil {
		return nil, wrong
	}
	if err := decoder.Decode(new([]secretEntry)); !errors.Is(err, io.EOF) {
		return nil, wrong
	}
	return entries, nil
}
