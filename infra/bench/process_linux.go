package main

import (
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// cpuTime returns what all threads of a process have used so far, user and system, to the nanosecond
// (clock_getcpuclockid(3)). It is not known after the end of the process.
func cpuTime(pid int) (time.Duration, error) {
	const scheduler = 2 // CPUCLOCK_SCHED
	var t syscall.Timespec
	clock := uintptr(^pid<<3 | scheduler)
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clock, uintptr(unsafe.Pointer(&t)), 0); errno != 0 {
		return 0, fmt.Errorf("read the CPU clock of process %d: %w", pid, errno)
	}
	return time.Duration(t.Nano()), nil
}

// freeze stops a child process and returns when all of its threads have stopped.
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
			return fmt.Errorf("wait until process %d has stopped: %w", p.Pid, errno)
		}
	}
}

// thaw lets a frozen process go on.
func thaw(p *os.Process) error { return p.Signal(syscall.SIGCONT) }

// wait returns after d, to some 20 µs: the Go runtime's own timers round up to a millisecond where nothing else happens.
func wait(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	const monotonic = 1 // CLOCK_MONOTONIC
	fd, _, errno := syscall.Syscall(syscall.SYS_TIMERFD_CREATE, monotonic, syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if errno != 0 {
		return fmt.Errorf("make a timer: %w", errno)
	}
	timer := os.NewFile(fd, "timer")
	defer timer.Close()
	spec := [2]syscall.Timespec{1: syscall.NsecToTimespec(int64(d))} // interval, value
	_, _, errno = syscall.Syscall6(syscall.SYS_TIMERFD_SETTIME, fd, 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("set a timer: %w", errno)
	}
	if _, err := timer.Read(make([]byte, 8)); err != nil {
		return fmt.Errorf("wait for a timer: %w", err)
	}
	return nil
}
