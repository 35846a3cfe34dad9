package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// quotaPeriod is that of Lambda's own limit.
const quotaPeriod = 20 * time.Millisecond

// quota is a control group that gives its processes the CPU time that a function of that much memory has.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html: one vCPU at 1,769 MB
type quota struct {
	memoryMB int
	dir      string
}

const oneCPU = 1769 // MB

func quotaSizes() []int { return []int{128, 512} }

// newQuota makes the group. Its error says why there can be none, such as for want of permission.
func newQuota(memoryMB int) (quota, error) {
	q := quota{memoryMB: memoryMB}
	period := quotaPeriod.Microseconds()
	share := period * int64(memoryMB) / oneCPU
	files := map[string]string{"cpu.max": fmt.Sprintf("%d %d", share, period)}
	parent := "/sys/fs/cgroup"
	if _, err := os.Stat(filepath.Join(parent, "cgroup.controllers")); err != nil { // version 1
		parent = "/sys/fs/cgroup/cpu"
		files = map[string]string{"cpu.cfs_period_us": strconv.FormatInt(period, 10), "cpu.cfs_quota_us": strconv.FormatInt(share, 10)}
	}
	var err error
	if q.dir, err = os.MkdirTemp(parent, fmt.Sprintf("bench-%d-", memoryMB)); err != nil {
		return q, fmt.Errorf("make a control group: %w", err)
	}
	for file, value := range files {
		if err := os.WriteFile(filepath.Join(q.dir, file), []byte(value), 0o644); err != nil {
			return q, errors.Join(fmt.Errorf("limit a control group: %w", err), q.remove())
		}
	}
	return q, nil
}

// admit puts a process under the quota.
func (q quota) admit(pid int) error {
	return os.WriteFile(filepath.Join(q.dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0o644)
}

// remove takes the group away, which must be without processes.
func (q quota) remove() error { return os.Remove(q.dir) }

// measureQuota takes the start, the first answer and warm calls under a quota. (Lambda itself lets
// an environment start with a whole CPU or more.)
func (s *session) measureQuota(p program, q quota) error {
	l := s.w.launch(p, p.artifact)
	l.prepare = q.admit
	events, err := s.events(1, s.document(small))
	if err != nil {
		return err
	}
	quiet()
	i, took, err := start(l)
	if err != nil {
		return err
	}
	defer i.stop()
	first, err := i.invoke(events[0])
	if err == nil {
		err = succeeded(first)
	}
	if err != nil {
		return err
	}
	s.results.add(p.name, atQuota(startWall, q.memoryMB), milliseconds(took.wall))
	s.results.add(p.name, atQuota(firstWall, q.memoryMB), milliseconds(first.latency))
	for _, size := range []int{small, medium} {
		list, err := s.warm(i, p, s.counts.warm[size]/2, size)
		if err != nil {
			return err
		}
		for _, c := range list {
			s.results.add(p.name, atQuota(warmLatency(size), q.memoryMB), milliseconds(c.latency))
		}
	}
	return nil
}
