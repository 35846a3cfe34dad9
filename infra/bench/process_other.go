//go:build !linux

package main

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// What follows lets the package be built elsewhere; run refuses to start there.

func dieWithParent() *syscall.SysProcAttr { return nil }
func cpuTime(int) (time.Duration, error)  { return 0, errors.ErrUnsupported }
func evict(string) error                  { return errors.ErrUnsupported }
func freeze(*os.Process) error            { return errors.ErrUnsupported }
func thaw(*os.Process) error              { return errors.ErrUnsupported }
func countAllocations(*os.Process) error  { return errors.ErrUnsupported }
func newAlarm() (*alarm, error)           { return &alarm{}, nil }

type alarm struct{}

func (*alarm) wait(d time.Duration) error {
	time.Sleep(d)
	return nil
}

func (*alarm) close() {}
