package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/internal/emulator"
	"github.com/apsctl/apsctl/internal/secret"
	"github.com/apsctl/apsctl/runner"
)

// service is the APS API as a command uses it, and what has to be closed
// afterwards.
type service struct {
	*aps.Client
	governor *runner.Governor
	close    func()
	// scanned is told how far listings are. Set it before any is taken; nil is not
	// told.
	scanned func(aps.Scan)
}

// openService connects to the service that t names, with a ceiling of rate
// calls per second and operation. With --emulator it starts one inside the
// process, on a loopback address, over real HTTP.
func (a *app) openService(t target, rate float64) (*service, error) {
	governor := runner.NewGovernor(rate)
	options := aps.Options{
		Endpoint: t.endpointURL(), STSEndpoint: t.sts, KMSEndpoint: t.kms,
		Limiter: governor, Version: version(),
	}
	stop := func() {}
	if t.emulator {
		if t.endpoint != "" || t.sts != "" || t.kms != "" || t.profile != "" {
			return nil, &usageError{errors.New("--emulator is a service of its own: leave --endpoint, --sts-endpoint, --kms-endpoint and --profile out"), "apsctl"}
		}
		address, stopEmulator, err := startEmulator()
		if err != nil {
			return nil, err
		}
		stop = stopEmulator
		options.Endpoint, options.STSEndpoint, options.KMSEndpoint = "http://"+address, "", ""
		options.Credentials = aps.StaticCredentials("emulator", "emulator", "")
	} else {
		options.Credentials = aps.DefaultCredentials(t.profile)
	}
	opened := &service{governor: governor}
	options.Scanned = func(s aps.Scan) {
		if opened.scanned != nil {
			opened.scanned(s)
		}
	}
	client, err := aps.New(options)
	if err != nil {
		stop()
		if errors.Is(err, aps.ErrDebug) {
			return nil, err
		}
		return nil, &endpointError{err}
	}
	opened.Client, opened.close = client, func() {
		client.CloseIdleConnections()
		stop()
	}
	return opened, nil
}

// endpointError is a service address that cannot be used.
type endpointError struct{ error }

func (e *endpointError) Unwrap() error { return e.error }

// startEmulator serves the emulated service of this folder until stop. Its KMS
// keeps the secrets of the folder's secrets.yaml, if there is one.
func startEmulator() (address string, stop func(), err error) {
	kept, err := emulator.LoadSecrets(filepath.Join(emulatorFolder, "secrets.yaml"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", nil, coded(codeEmulator, err)
	}
	server, err := emulator.Open(emulator.Options{
		State: filepath.Join(emulatorFolder, "cloud.journal"), Secrets: kept,
	})
	if errors.Is(err, emulator.ErrInUse) {
		return "", nil, fmt.Errorf("the emulated service of this folder is in use by another apsctl; wait until that ends: %w", err)
	}
	if err != nil {
		return "", nil, coded(codeEmulator, fmt.Errorf("start the emulator: %w", err))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		_ = server.Close()
		return "", nil, coded(codeEmulator, fmt.Errorf("start the emulator: %w", err))
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(ctx, listener)
	}()
	return listener.Addr().String(), func() {
		cancel()
		<-done
		_ = server.Close()
	}, nil
}

// secrets reads passwords for the runner and keeps them out of what it says.
type secrets struct {
	*secret.Reader
	*secret.Redactor
}

// secrets asks the KMS of service for what is kept there.
func (a *app) secrets(service *service) secrets {
	return secrets{&secret.Reader{Redactor: a.redactor, KMS: service.SecretValue}, a.redactor}
}
