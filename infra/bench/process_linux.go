package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// dieWithParent lets the kernel kill a process when the thread that started it ends.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// cpuTime returns what all threads of a process have used so far, user and system, to the nanosecond
// (clock_getcpuclockid(3)). It ends to be known with the process.
func cpuTime(pid int) (time.Duration, error) {
	const scheduler = 2 // CPUCLOCK_SCHED
	var t syscall.Timespec
	clock := uintptr(^pid<<3 | scheduler)
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clock, uintptr(unsafe.Pointer(&t)), 0); errno != 0 {
		return 0, fmt.Errorf("read the CPU clock of process %d: %w", pid, errno)
	}
	return time.Duration(t.Nano()), nil
}

// evict drops a file from the page cache. It must not be running, nor lack an fsync.
func evict(path string) error {
	const dontNeed = 4 // POSIX_FADV_DONTNEED
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, _, errno := syscall.Syscall6(syscall.SYS_FADVISE64, file.Fd(), 0, 0, dontNeed, 0, 0); errno != 0 {
		return fmt.Errorf("drop %s from the page cache: %w", path, errno)
	}
	return nil
}

// freeze stops a child process and returns when all of it stands still.
func freeze(p *os.Process) error {
	const (
		byID    = 1 // P_PID
		stopped = 2 // WSTOPPED; without WEXITED its end is left to whoever waits for that
	)
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	var info [128]byte // siginfo_t
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, byID, uintptr(p.Pid), uintptr(unsafe.Pointer(&info)), stopped, 0, 0)
		switch errno {
		case 0:
			return nil
		case syscall.EINTR:
		default:
			return fmt.Errorf("wait until process %d stands still: %w", p.Pid, errno)
		}
	}
}

// thaw lets a frozen process go on.
func thaw(p *os.Process) error { return p.Signal(syscall.SIGCONT) }

// countAllocations asks an instrumented program for its figures.
func countAllocations(p *os.Process) error { return p.Signal(syscall.SIGUSR1) }

// alarm waits as exactly as the kernel can, to some 20 µs: the Go runtime's own timers round up to a
// millisecond where nothing else happens.
type alarm struct{ file *os.File }

func newAlarm() (*alarm, error) {
	fd, _, errno := syscall.Syscall(syscall.SYS_TIMERFD_CREATE, 1 /* CLOCK_MONOTONIC */, syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if errno != 0 {
		return nil, fmt.Errorf("make a timer: %w", errno)
	}
	return &alarm{os.NewFile(fd, "timer")}, nil
}

// wait returns after d. It is not safe for concurrent use.
func (a *alarm) wait(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	spec := [2]syscall.Timespec{1: syscall.NsecToTimespec(int64(d))} // interval, value
	raw, err := a.file.SyscallConn()
	if err != nil {
		return err
	}
	var set syscall.Errno
	err = raw.Control(func(fd uintptr) {
		_, _, set = syscall.Syscall6(syscall.SYS_TIMERFD_SETTIME, fd, 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
	})
	if set != 0 {
		err = errors.Join(err, set)
	}
	if err != nil {
		return fmt.Errorf("set a timer: %w", err)
	}
	var expirations [8]byte
	if _, err := a.file.Read(expirations[:]); err != nil {
		return fmt.Errorf("wait for a timer: %w", err)
	}
	if binary.NativeEndian.Uint64(expirations[:]) == 0 {
		return errors.New("wait for a timer: it did not expire")
	}
	return nil
}

func (a *alarm) close() { a.file.Close() }
